"""A scenario as calls at the front doors: its setting up, its day, its quarter, and how its people react."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import PrivateAttr

from contracts.value_chain import OBTAIN_BUILD
from svc.scenario import arrivals, doors
from svc.scenario.model import Event, Organisation
from svc.scenario.reactions import Reactions
from svc.scenario.say import DESKS, Json, Say

React = Callable[[Mapping[str, Any]], Iterable[Say]]
DAY = timedelta(days=1)


class Scenario(Organisation):
    """An organisation that can be played; the same seed says the same at the same times."""

    _tickets: dict[UUID, Json] = PrivateAttr(default_factory=dict)
    """What the desk says of the tickets that came in by it, by the demand that each of them is: for replies."""

    @property
    def begins(self) -> timedelta:
        """The time of day at which its day begins: a start at that time of a date makes its times of day literal."""
        return doors.of_day(self.day_of_demand.begins)

    def setup(self, now: datetime) -> list[Say]:
        """All that the organisation says before any demand comes, in the order in which it is to be said."""
        return [Say(now, *call, key=self._key(item, call)) for item, call in doors.setup(self, now)]

    def day(self, start: datetime, seed: int) -> list[Say]:
        """The scenario's day from `start` on, in order of time; `start` is when the file says that the day begins."""
        run = self._run(start, seed)
        said = [self._say(event, start, f"{run}/{number}") for number, event in enumerate(self.day_of_demand.events)]
        for number, rate in enumerate(self.day_of_demand.rates):
            for count, time in enumerate(arrivals.times(rate, self.calendar(rate.calendar), f"{run} {number}")):
                said.append(arrivals.demand(self, rate, start + (time - self.begins) % DAY, f"{run}/r{number}/{count}"))
        return self._in_order(said)

    def quarter(self, start: datetime, seed: int) -> Iterator[Say]:
        """A quarter from `start` on, in order of time, made day by day as it is asked for."""
        run = f"{self._run(start, seed)}/quarter"
        quarter = self.quarter_of_demand
        for day in range(1, quarter.days + 1):
            begins = start + (day - 1) * DAY
            said: list[Say] = []
            for special in quarter.special:
                if special.day == day:
                    said += [
                        self._say(event, begins, f"{run}/{day}/{number}") for number, event in enumerate(special.events)
                    ]
            if quarter.the_day == day:
                said += self.day(begins, seed)
            for number, rate in enumerate(quarter.rates):
                moments = arrivals.moments(rate, self.calendar(rate.calendar), begins, f"{run} {day} {number}")
                for count, at in enumerate(moments):
                    said.append(arrivals.demand(self, rate, at, f"{run}/{day}/r{number}/{count}"))
            yield from self._in_order(said)

    def react(self, seed: int) -> React:
        """How its people react to what the chain tells them: give it every event once, as a CloudEvent in JSON."""
        return Reactions(self, seed, self._tickets)

    def _key(self, item: str, call: doors.Call) -> str:
        """The key of a thing that is set up: another one when it is said otherwise, so that a file can be corrected.

        What there is of a component is added each time it is said, so that is said once, however the file changes.
        """
        if call.activity == OBTAIN_BUILD:
            return f"{self.scenario}/{item}"
        return f"{self.scenario}/{item}/{sha256(json.dumps(call.body, sort_keys=True).encode()).hexdigest()[:12]}"

    def _in_order(self, said: list[Say]) -> list[Say]:
        self._tickets.update((say.demand, say.body["data"]["ticket"]) for say in said if say.path.startswith(DESKS))
        return sorted(said, key=lambda say: say.at)

    def _run(self, start: datetime, seed: int) -> str:
        return f"{self.scenario}/{start:%Y-%m-%dT%H:%M:%S}/{seed}"

    def _say(self, event: Event, start: datetime, key: str) -> Say:
        at = start + doors.after(event.at, self.day_of_demand.begins)
        return Say(at, *doors.happening(self, event, at, key), key=key)
