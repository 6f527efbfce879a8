"""The books of a chain: what stands in its topics, and what its six databases say about that.

Read them when the chain is at rest (`log.until_at_rest`), or has come to rest before it was stopped: what is on its
way looks like what was lost. What they must say is in `svc.chaos.checks`.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, cast
from uuid import UUID

import asyncpg
import orjson

from contracts.envelope import Arrival, Codec
from contracts.stream import Streams
from contracts.value_chain import ACTIVITIES, BY_TYPE, ENGAGE, PLAN, inbox
from services.engage.model import Demand
from services.plan.improvement import Initiative
from services.plan.model import Budget, PortfolioItem
from svc.history import INBOXES, Row, all_rows
from svc.invariants import History, Rows, Told
from svc.log import Json, Logged, Offsets, handlers_of, read_log
from svc.recover import decided_otherwise, outputs_of

RECEIPTS = "SELECT event_id, record FROM receipt"


class Origin(NamedTuple):
    """Where a message comes from: the receipt that tells it, and the topic it is told on."""

    activity: str
    receipt: UUID
    topic: str


@dataclass(frozen=True)
class Books:
    """All that the books say. What is read from databases is by activity."""

    streams: Streams
    log: Sequence[Logged]
    """Every record of every topic but the dead letters, each partition in order."""
    receipts: Mapping[str, Mapping[UUID, Json]]
    """By the id of what was taken up."""
    aside: Mapping[str, Collection[UUID]]
    """The ids of records that are set aside (parked)."""
    pending: Mapping[str, Collection[UUID]]
    """The ids of timers, and of effects outside, that are still to come."""
    rows: Rows
    """Of all states, by activity and the name of the state's class."""
    until: datetime
    """Chain time at which the chain had come to rest."""
    ended: Collection[UUID] = ()
    """Demands that must have come to their end, as the reader knows."""
    by_hand: Collection[UUID] = ()
    """Ids of records that the reader has put into a topic: nobody need have told them."""

    restored: Mapping[str, Offsets] = field(default_factory=dict)
    """The activities whose database was replaced by an older copy, and where the topics ended then."""

    @cached_property
    def demands(self) -> Mapping[UUID, Demand]:
        """Engage's."""
        return {demand.id: demand for demand in self.of(ENGAGE, Demand)}

    @property
    def items(self) -> Sequence[PortfolioItem]:
        """Plan's, of demands."""
        return self.of(PLAN, PortfolioItem)

    @property
    def initiatives(self) -> Sequence[Initiative]:
        """Plan's, of improvements."""
        return self.of(PLAN, Initiative)

    @property
    def budgets(self) -> Sequence[Budget]:
        """Plan's."""
        return self.of(PLAN, Budget)

    def of(self, activity: str, state: type[Row]) -> Sequence[Row]:
        """The rows that an activity has of a state."""
        return cast("Sequence[Row]", self.rows.get(activity, {}).get(state.__name__, ()))

    @cached_property
    def decided_otherwise(self) -> Collection[tuple[str, str]]:
        """Activity and case of what was told before a database was replaced, and is not decided so any more.

        `svc recover` lists it: what others have heard stands, and the receipts tell something else.
        """
        told = {activity: outputs_of(self.receipts[activity].values()) for activity in self.restored}
        return {
            (one.record.teller, one.record.case)
            for one in decided_otherwise(self.log, told)
            if one.record.offset < self.restored[one.record.teller][one.record.topic, one.record.partition]
        }

    @cached_property
    def first(self) -> Mapping[tuple[str, str], Logged]:
        """Each event where it stands first, by topic and id."""
        found: dict[tuple[str, str], Logged] = {}
        for record in self.log:
            if record.id:
                found.setdefault((record.topic, record.id), record)
        return found

    @cached_property
    def history(self) -> History:
        """The same as the invariants of the domain look at it."""
        events = [record for record in self.first.values() if record.teller and record.topic not in INBOXES]
        told = sorted((Told.read(r.event, r.value or b"") for r in events), key=lambda one: (one.time, one.sequence))
        return History(told, self.rows, self.receipts, self.until, self.decided_otherwise)

    @cached_property
    def origins(self) -> Mapping[str, Collection[Origin]]:
        """Who tells what, by its id; also what a timer or an effect outside will bring."""
        found: dict[str, set[Origin]] = {}
        for activity, receipts in self.receipts.items():
            for id, receipt in receipts.items():
                for told in receipt["outputs"]:
                    topic = topic_of(activity, told["type"])
                    found.setdefault(told["id"], set()).add(Origin(activity, id, topic))
                for wait in receipt.get("waits", ()):
                    found.setdefault(wait["id"], set()).add(Origin(activity, id, inbox(activity)))
        return found

    @cached_property
    def heard(self) -> Mapping[str, Mapping[UUID, Arrival]]:
        """What has come to each activity, by its id, as its own codec reads it."""
        found: dict[str, dict[UUID, Arrival]] = {}
        for activity in ACTIVITIES:
            handles, here = handlers_of(activity), found.setdefault(activity, {})
            codec, topics = Codec(handles.messages), set(handles.topics)
            for record in self.log:
                if record.topic in topics and (arrival := codec.receive(record)):
                    here.setdefault(arrival.id, arrival)
        return found


def topic_of(activity: str, message_type: str) -> str:
    """Where an activity tells a message of this type."""
    flow = BY_TYPE.get(message_type)
    return flow.topic if flow and flow.teller == activity else inbox(activity)


async def read(
    databases: Mapping[str, str], bootstrap: str, *, streams: Streams, until: datetime, since: Offsets | None = None,
    ended: Collection[UUID] = (), by_hand: Collection[UUID] = (), restored: Mapping[str, Offsets] | None = None,
) -> Books:  # fmt: skip
    """Read the books of a chain at rest.

    Args:
        databases: the URL of each activity's database.
        bootstrap: Kafka's address.
        streams: the value streams that the chain works by.
        until: chain time at which it had come to rest.
        since: where the chain's records begin in the topics, if others were there before.
        ended: demands that must have come to their end.
        restored: activities whose database was replaced by an older copy, and where the topics ended then.
        by_hand: ids of records that the reader has put into a topic; an undecodable one's is `undecodable_id`.
    """
    log = await read_log(bootstrap, since or {})
    async with AsyncExitStack() as stack:
        opened = {activity: await asyncpg.connect(databases[activity]) for activity in ACTIVITIES}
        for connection in opened.values():
            stack.push_async_callback(connection.close)
        return Books(
            streams, log,
            receipts={
                activity: {row["event_id"]: orjson.loads(row["record"]) for row in await connection.fetch(RECEIPTS)}
                for activity, connection in opened.items()
            },
            aside={activity: await _ids(connection, "event_id", "parked") for activity, connection in opened.items()},
            pending={activity: await _ids(connection, "id", "pending") for activity, connection in opened.items()},
            rows={
                activity: {
                    state.__name__: await all_rows(connection, state) for state in handlers_of(activity).states
                }
                for activity, connection in opened.items()
            },
            until=until, ended=ended, by_hand=by_hand, restored=restored or {},
        )  # fmt: skip


async def _ids(connection: asyncpg.Connection, column: str, table: str) -> set[UUID]:
    return {row[0] for row in await connection.fetch(f"SELECT {column} FROM {table}")}
