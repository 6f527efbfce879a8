"""How messages come when everything goes as badly as Kafka allows: late, twice, and in another order across topics.

What stands in one topic about one case still comes in order: that much Kafka keeps.
"""

from datetime import datetime, timedelta
from random import Random

OFTEN = 0.5
"""Share of messages that come as soon as they are told."""
RARELY = 0.1
"""Share of messages that are held up for long: their hearer was down, or far behind."""
TWICE = 0.1
"""Share of messages that come a second time: whoever told them was not sure of the first."""
LATE, VERY_LATE = timedelta(minutes=10), timedelta(hours=12)
"""Within which time the late ones come, and the held up."""


class Adversity:
    """Decides when what is told comes to whom; everything from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"adversity/{seed}")
        self._last: dict[tuple[str, str, str], datetime] = {}
        """When the last message of a topic and case came to a hearer."""

    def arrivals(self, now: datetime, until: datetime, hearer: str, topic: str, case: str) -> list[datetime]:
        """When a message that is told now comes: first in order, then perhaps once more. Nothing comes after `until`.

        Whatever is told before the end of the run has come by then: what is late is not lost.
        """
        place, end = (hearer, topic, case), max(now, until)
        first = min(max(now + self._delay(), self._last.get(place, now)), end)
        self._last[place] = first
        again = self._random.random() < TWICE
        return [first, min(first + self._delay(), end)] if again else [first]

    def _delay(self) -> timedelta:
        chance = self._random.random()
        if chance < OFTEN:
            return timedelta(0)
        return self._random.random() * (LATE if chance < 1 - RARELY else VERY_LATE)
