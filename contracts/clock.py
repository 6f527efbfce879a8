"""The chain's clock: one time for all services, which may run faster than the wall's and never jumps back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from typing import NamedTuple


class Segment(NamedTuple):
    """From `wall` on, chain time runs from `chain` at `speed` chain seconds a wall second."""

    wall: datetime
    chain: datetime
    speed: float


class Clock:
    """Chain time, from the segments it has had; without any it is the wall's.

    `ValueError` for segments that stand still, or by which chain time would jump back.
    """

    def __init__(self, segments: Sequence[Segment] = ()) -> None:
        self.segments: tuple[Segment, ...] = ()
        for segment in segments:
            if not 0 < segment.speed < inf:
                raise ValueError(f"a clock's speed is above 0, not {segment.speed}")
            if self.segments and (segment.wall < self.segments[-1].wall or segment.chain < self.at(segment.wall)):
                raise ValueError(f"the clock would jump back at {segment.wall.isoformat()}")
            self.segments += (segment,)

    def now(self) -> datetime:
        """Chain time, in UTC."""
        return self.at(datetime.now(UTC))

    def at(self, wall: datetime) -> datetime:
        """Chain time at a wall time. Before the first segment both are the same."""
        for start, chain, speed in reversed(self.segments):
            if wall >= start:
                return chain + (wall - start) * speed
        return wall

    def seconds_until(self, due: datetime) -> float:
        """Wall seconds until chain time `due`; 0 when it has passed."""
        speed = self.segments[-1].speed if self.segments else 1.0
        return max(0.0, (due - self.now()) / timedelta(seconds=1) / speed)

    @classmethod
    def parse(cls, text: str) -> "Clock":
        """From `wall,chain,speed;...` (ISO 8601 times with offset). `ValueError` says what is wrong."""
        segments = []
        for part in filter(None, text.split(";")):
            try:
                wall, chain, speed = part.split(",")
                times = [datetime.fromisoformat(time) for time in (wall, chain)]
                if any(time.tzinfo is None for time in times):
                    raise ValueError("a time without its offset from UTC")
                segments.append(Segment(times[0], times[1], float(speed)))
            except ValueError as error:
                wrong = f"a clock segment is 'wall,chain,speed' with ISO 8601 times; '{part}' is not"
                raise ValueError(f"{wrong}: {error}") from None
        return cls(segments)

    def __str__(self) -> str:
        return ";".join(f"{wall.isoformat()},{chain.isoformat()},{speed}" for wall, chain, speed in self.segments)
