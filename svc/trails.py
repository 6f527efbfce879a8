"""The journey of a demand: what each activity heard, decided and told about it, in one order.

Every activity serves a trail of a case from its receipts (`GET /trail/{case}`). The six are merged by who caused what.
What a demand sets off in another case (a week's figures, a quarter's budget) belongs to its journey for one hop, by its
id; from there on it is the business of that case.
"""

import asyncio
import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.envelope import source_of
from contracts.event import Message
from contracts.value_chain import ACTIVITIES, BY_TYPE
from svc import words
from svc.services import Services

BY_SOURCE = {source_of(activity): activity for activity in ACTIVITIES}
Text = Annotated[str, BeforeValidator(lambda text: text or "")]
"""A text of which a trail says nothing when there is none."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Event(_Read):
    """A message as it was told: its envelope and its data."""

    id: UUID
    type: str
    source: str
    time: datetime
    case: str = Field(alias="correlationid")
    cause: UUID | None = Field(default=None, alias="causationid")
    traceparent: str = ""
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """Its class: `DemandConsolidated`."""
        return words.message_name(self.type)

    @property
    def message(self) -> Message | None:
        """As contracts know it; None for a command that an activity gives itself."""
        flow = BY_TYPE.get(self.type)
        return flow.event.model_validate(self.data, extra="ignore").at(self.time, id=self.id) if flow else None


class Wait(_Read):
    """A timer, a piece of work on the clock, or something asked outside: its command arrives later, under its id."""

    id: UUID
    type: str
    due: datetime

    @property
    def name(self) -> str:
        """The class of the command that arrives, or the name of what was asked for."""
        return words.message_name(self.type)

    @property
    def outside(self) -> bool:
        """Whether it was asked of somebody outside; else it is a time that has to come."""
        return "." not in self.type


class Entry(_Read):
    """One message that an activity has taken up, and what came of it."""

    activity: str
    id: UUID
    case: str
    type: Text = ""
    source: Text = ""
    time: datetime
    """When it was told, in chain time."""
    cause: UUID | None = None
    handler: Text = ""
    stream: Text = ""
    step: Text = ""
    does: Text = ""
    practices: tuple[str, ...] = ()
    at: datetime
    """When it was written down, in the wall's time."""
    decided_at: datetime
    """When it was decided, in chain time."""
    effect: bool = False
    discarded: Text = ""
    """Why the record was given up, if it was."""
    edited: Text = ""
    """Why the record was corrected, if it was."""
    data: dict[str, Any] | None = None
    """Of a command; the data of an event is in the entry of who told it."""
    outputs: tuple[Event, ...] = ()
    waits: tuple[Wait, ...] = ()

    @property
    def name(self) -> str:
        """The class of what was heard."""
        return words.message_name(self.type)

    @property
    def teller(self) -> str:
        """Who told it: an activity (of its own commands and timers: itself), else the party outside."""
        if self.source in BY_SOURCE:
            return BY_SOURCE[self.source]
        return BY_TYPE[self.type].teller if self.type in BY_TYPE else self.source

    @property
    def heard(self) -> Event | None:
        """A command as a message; None for an event."""
        if self.data is None:
            return None
        said = self.model_dump(include={"id", "type", "source", "time", "case", "cause"})
        return Event.model_validate({**said, "data": self.data})


class Journey(NamedTuple):
    """All that the six activities did about one demand."""

    demand: UUID
    entries: tuple[Entry, ...]
    """In the order of cause and effect."""

    @property
    def activities(self) -> list[str]:
        """Who had to do with it, in the order of their first part in it."""
        return list(dict.fromkeys(entry.activity for entry in self.entries))

    @property
    def streams(self) -> list[str]:
        """The value streams it travelled in."""
        return list(dict.fromkeys(entry.stream for entry in self.entries if entry.stream))

    @property
    def trace_id(self) -> str:
        """The trace of the demand (32 hexadecimal digits); empty as long as nothing was told about it."""
        traces = (event.traceparent.split("-") for entry in self.entries for event in entry.outputs)
        return next((parts[1] for parts in traces if len(parts) == 4), "")

    @property
    def open_waits(self) -> list[tuple[Entry, Wait]]:
        """What has been put off or asked for and has not come back yet, the first due first."""
        arrived = {entry.id for entry in self.entries}
        own = [entry for entry in self.entries if entry.case == str(self.demand)]
        waits = [(entry, wait) for entry in own for wait in entry.waits if wait.id not in arrived]
        return sorted(waits, key=lambda pair: pair[1].due)

    @property
    def handed_on(self) -> list[tuple[Entry, Event]]:
        """What went on to another case and was not taken up there yet."""
        arrived = {entry.id for entry in self.entries}
        own = str(self.demand)
        told = [(entry, event) for entry in self.entries if entry.case == own for event in entry.outputs]
        return [(entry, event) for entry, event in told if event.case != own and event.id not in arrived]


def merge(demand: UUID, trails: Mapping[str, Iterable[Mapping[str, Any]]]) -> Journey:
    """The journey from the receipts of each activity: after what caused it, then by the time of the decision."""
    entries = {
        (activity, UUID(str(receipt["id"]))): Entry.model_validate({**receipt, "activity": activity})
        for activity, trail in trails.items()
        for receipt in trail
    }
    tells = {key: [one.id for one in entry.outputs] + [one.id for one in entry.waits] for key, entry in entries.items()}
    teller = {id: key for key, told in tells.items() for id in told}
    followers: dict[tuple[str, UUID], list[tuple[str, UUID]]] = {}
    ready: list[tuple[datetime, int, str, tuple[str, UUID]]] = []

    def place(key: tuple[str, UUID]) -> None:
        entry = entries[key]
        heapq.heappush(ready, (entry.decided_at, ACTIVITIES.index(entry.activity), str(entry.id), key))

    for key, entry in entries.items():
        cause = teller.get(entry.id)
        if cause is None or cause == key:
            place(key)
        else:
            followers.setdefault(cause, []).append(key)
    ordered = []
    while ready:
        *_, key = heapq.heappop(ready)
        ordered.append(entries[key])
        for follower in followers.get(key, ()):
            place(follower)
    return Journey(demand, tuple(ordered))


async def follow(services: Services, demand: UUID) -> Journey:
    """Ask the six activities, and those that a command of this demand for another case went to."""
    own = await asyncio.gather(*(services.trail(activity, str(demand)) for activity in ACTIVITIES))
    trails = dict(zip(ACTIVITIES, own, strict=True))
    for activity, trail in trails.items():
        told = [event for receipt in trail for event in receipt["outputs"] if event["correlationid"] != str(demand)]
        ids = {event["id"] for event in told}
        for case in {event["correlationid"] for event in told}:
            trail.extend(receipt for receipt in await services.trail(activity, case) if receipt["id"] in ids)
    return merge(demand, trails)
