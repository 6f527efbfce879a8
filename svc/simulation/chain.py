"""The simulation: one queue ordered by chain time, and six activities that hear what stands in it.

Everything comes from one seed: the same demands and the same seed give the same events and rows, bit by bit.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from copy import copy
from datetime import datetime
from hashlib import sha256
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from contracts.envelope import Arrival
from contracts.event import Command
from contracts.stream import read_streams
from contracts.value_chain import ACTIVITIES, BY_TYPE, inbox
from services.chassis.handlers import Handlers
from services.chassis.settings import Settings
from services.chassis.work import Way
from svc.invariants import History, Told
from svc.log import handlers_of
from svc.scenario.say import Json, Say
from svc.scenario.scenario import React
from svc.simulation.activity import Posting, SetAside, SimulatedActivity, SimulatedClock, arriving, by_wire
from svc.simulation.adversity import Adversity
from svc.simulation.outside import PERFORMED, Doors, simulated_desks
from svc.trouble import Trouble

MOST_AT_ONCE = 200_000
"""So many messages at one moment of chain time, and the chain runs in a circle."""
Ways = Way | Mapping[str, Way]
Centres = Mapping[str, Mapping[str, int]]
"""By activity: how many people each of its work centres has, by the owner of the work."""
Minutes = Mapping[str, Mapping[str, tuple[float, float, float]]]
"""By activity: least, usual and most minutes of a piece of work, by its owner."""
GLANCE = 2_000
"""How many messages go by between two looks at how far it is."""
MOST_REFUSED = 20
"""How many refused calls are kept word by word."""


FAILED: Json = {"answer": {"status": 500, "body": {"title": "Set aside", "detail": "Its handler has failed."}}}
"""The receipt of a command that was set aside: there is none, and whoever waits would look in the dead letters."""


def nobody_reacts(event: Mapping[str, Any]) -> Iterable[Say]:
    """Nobody outside answers."""
    return ()


class Due(NamedTuple):
    """A timer that has not come to its inbox yet, or work that is done then."""

    arrival: Arrival
    centre: "WorkCentre | None" = None
    """Where somebody is free again when it is."""


class WorkCentre:
    """The people of one centre: who comes first is served first, as the chassis's `begin_work` has it."""

    def __init__(self, people: int) -> None:
        self.free = people
        self._waiting: list[tuple[datetime, UUID, Posting]] = []

    def line_up(self, work: Posting) -> None:
        """A piece of work waits for somebody, from when it was asked for."""
        heappush(self._waiting, (work.at - work.effort, work.arrival.id, work))

    def begin(self) -> list[Posting]:
        """The work that somebody who is free takes up now."""
        begun = []
        while self._waiting and self.free > 0:
            self.free -= 1
            begun.append(heappop(self._waiting)[2])
        return begun


class Refused(NamedTuple):
    """A call that a door or a handler has refused."""

    say: Say
    status: int
    detail: str


class Simulation:
    """The six activities over one queue. `say` what comes from outside, `run` until a moment, then look."""

    def __init__(
        self, start: datetime, *, seed: int = 0, work: Ways = "simulated", adverse: bool = False,
        react: React = nobody_reacts, settings: Settings | None = None, centres: Centres | None = None,
        minutes: Minutes | None = None, handlers: Mapping[str, Handlers] | None = None,
        wire: bool = False,
    ) -> None:  # fmt: skip
        """`work`: how it is done, in all activities or by activity, where `auto` is the usual.

        `centres`: how many people an activity's work centres have, by owner of work; others have enough. `minutes`: how
        long their work takes; other work as it is reckoned. `handlers` stand in the place of an activity's own; `wire`:
        all travels as bytes, and rows as into a database and back.
        """
        self.clock, self.until, self.wire, self._react = SimulatedClock(start), start, wire, react
        given = (settings or Settings()).model_dump() | {"otlp": "", "clock": "", "database": ""}
        every = {activity: handlers_of(activity) for activity in ACTIVITIES} | dict(handlers or {})
        mine = {activity: copy(handles) for activity, handles in every.items()}  # they follow streams of their own
        self.activities, self._centres = dict[str, SimulatedActivity](), dict[tuple[str, str], WorkCentre]()
        for name, handles in mine.items():
            way = work if isinstance(work, str) else work.get(name, "auto")
            configured = {"work": way, "centres": dict((centres or {}).get(name, given["centres"]))}
            configured["minutes"] = dict((minutes or {}).get(name, given["minutes"]))
            own = Settings.model_validate(given | configured)
            self.activities[name] = SimulatedActivity(handles, own, self.clock, PERFORMED)
            self.activities[name].by_wire = wire
        self._doors, streams = Doors(self.activities, every, self._take_in), read_streams(given["streams"])
        for handles in mine.values():
            handles.follow(streams)
        self._adversity = Adversity(seed) if adverse else None
        self._queue: list[tuple[datetime, int, str, Arrival | Due | Say]] = []
        self._numbers, self._hearers = count(), self._who_hears()
        self._asked: dict[UUID, list[Say]] = {}
        """Calls whose commands are on their way."""
        self._digest = sha256()
        self.told: list[Told] = []
        self.messages = 0
        self.answers: dict[str, int] = {}
        """The HTTP status that each call got in the end, by its key."""
        self.statuses: Counter[int] = Counter()
        self.refused: list[Refused] = []

    def say(self, says: Iterable[Say]) -> None:
        """What people and systems outside are going to say; what is for the past is said now."""
        for said in says:
            self._push(max(said.at, self.clock.time), said.activity, said)

    async def run(self, until: datetime) -> None:
        """Go on until a moment of chain time; everything that was told by then has come by then."""
        async for _ in self.steps(until):
            pass

    async def steps(self, until: datetime) -> AsyncIterator[datetime]:
        """As `run`, with a look at chain time every now and then."""
        with simulated_desks():
            async for now in self._go(until):
                yield now

    async def _go(self, until: datetime) -> AsyncIterator[datetime]:
        self.until, at_once = until, 0
        while self._queue and self._queue[0][0] <= until:
            at, _, activity, what = heappop(self._queue)
            at_once = 0 if at > self.clock.time else at_once + 1
            if at_once > MOST_AT_ONCE:
                raise Trouble(f"The chain runs in a circle: {at_once:,} messages at {at.isoformat()}, the last: {what}")
            self.clock.time = max(at, self.clock.time)
            match what:
                case Say():
                    self._answered(what, *await self._doors.call(what))
                case Due(arrival, centre):
                    self._deliver(activity, inbox(activity), arrival)
                    if centre:
                        centre.free += 1
                        self._begin(activity, centre)
                case _:
                    self._hear(activity, what)
            if self.messages % GLANCE == 0:
                yield self.clock.time
        self.clock.time = max(until, self.clock.time)

    @property
    def history(self) -> History:
        """What the invariants look at."""
        rows = {
            name: {state.__name__: found for state, found in activity.end_rows().items()}
            for name, activity in self.activities.items()
        }
        taken = {name: activity.known.keys() for name, activity in self.activities.items()}
        return History(self.told, rows, taken, self.clock.time)

    @property
    def aside(self) -> list[SetAside]:
        """What no handler could decide about, and what waits behind that: errors of the run."""
        return [one for activity in self.activities.values() for one in activity.aside]

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of every event in chain order, and of all rows at the end."""
        digest = self._digest.copy()
        for name, activity in self.activities.items():
            for state, rows in activity.end_rows().items():
                found = [name, state.table, orjson.loads(state.dump(rows))]
                digest.update(orjson.dumps(found, option=orjson.OPT_SORT_KEYS))
        return digest.hexdigest()

    def _who_hears(self) -> dict[str, list[str]]:
        """The activities that have a handler for each type of event."""
        heard = {name: activity.runtime.handlers.messages for name, activity in self.activities.items()}
        return {kind: [a for a in flow.hearers if kind in heard.get(a, ())] for kind, flow in BY_TYPE.items()}

    def _push(self, at: datetime, activity: str, what: Arrival | Due | Say) -> None:
        heappush(self._queue, (at, next(self._numbers), activity, what))

    def _deliver(self, hearer: str, topic: str, arrival: Arrival) -> None:
        """Have a message come to who hears it: at once, or as badly as may be."""
        now = self.clock.time
        if self._adversity is None:
            self._push(now, hearer, arrival)
            return
        for at in self._adversity.arrivals(now, self.until, hearer, topic, arrival.case):
            self._push(at, hearer, arrival)

    def _hear(self, name: str, arrival: Arrival) -> None:
        activity = self.activities[name]
        self.messages += 1
        for posting in activity.hear(by_wire(activity, arrival) if self.wire else arrival):
            self._post(name, posting)
        for say in self._asked.pop(arrival.id, ()):
            answer = activity.answered.get(arrival.id, FAILED)["answer"] or {"status": 204, "body": {}}
            self._answered(say, answer["status"], answer["body"])

    def _post(self, teller: str, posting: Posting) -> None:
        """Carry on what an activity has told: an event to all who hear it, all else to its own inbox."""
        arrival = posting.arrival
        assert arrival.message is not None, "it was told just now"
        flow = BY_TYPE.get(arrival.message.type)
        if flow is None or flow.teller != teller:
            if posting.centre:
                people = self.activities[teller].runtime.settings.centres[posting.centre]
                centre = self._centres.setdefault((teller, posting.centre), WorkCentre(people))
                centre.line_up(posting)
                self._begin(teller, centre)
            elif posting.at > self.clock.time:
                self._push(posting.at, teller, Due(arrival))
            else:
                self._deliver(teller, inbox(teller), arrival)
            return
        event = orjson.loads(posting.value)
        self._digest.update(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))
        cause, sequence = str(posting.words["cause"]), int(posting.words["sequence"])
        self.told.append(
            Told(teller, flow.event.type, str(arrival.id), arrival.case, cause, sequence, posting.at, posting.value)
        )
        for hearer in self._hearers[flow.event.type]:
            self._deliver(hearer, flow.topic, arrival)
        self.say(self._react(event))

    def _begin(self, activity: str, centre: WorkCentre) -> None:
        """Whoever is free takes up what has waited longest; it is done after its effort, from now on."""
        for work in centre.begin():
            assert work.arrival.message is not None, "it is what arrives when the work is done"
            due = self.clock.time + work.effort
            source = work.arrival.attributes["source"]
            done = arriving(work.arrival.message, work.arrival.id, due, source, work.words)
            self._push(due, activity, Due(done, centre))

    def _take_in(self, activity: str, command: Command, id: UUID, source: str, fingerprint: str) -> None:
        """A command from outside, by a door."""
        arrival = arriving(command, id, self.clock.time, source, {"fingerprint": fingerprint})
        self._deliver(activity, inbox(activity), arrival)

    def _answered(self, say: Say, status: int, body: Json) -> None:
        """Note how a call was answered; one whose command is on its way is answered when that has come."""
        if status == 202 and body.get("status") == "running":
            self._asked.setdefault(UUID(body["id"]), []).append(say)
            return
        self.answers[say.key] = status
        self.statuses[status] += 1
        if status >= 400 and len(self.refused) < MOST_REFUSED:
            self.refused.append(Refused(say, status, f"{body.get('title', '')}: {body.get('detail', '')}"))
