"""What stands in the topics of a chain, and whether anything of it is still on its way."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.clock import Clock
from contracts.envelope import Headers, source_of
from contracts.value_chain import ACTIVITIES, TOPICS, dead_letters
from services.chassis.handlers import Handlers
from svc.broker import clients

Json = dict[str, Any]
Offsets = Mapping[TopicPartition, int]

LOGGED = sorted(set(TOPICS) - set(map(dead_letters, ACTIVITIES)))
"""The topics of events and commands: a dead letter is only the announcement of what stands elsewhere."""
ACTIVITY_OF = {source_of(activity): activity for activity in ACTIVITIES}
ENVELOPE = {"id", "type", "source", "correlationid"}
"""What a record must have to be an event at all."""
GLANCE = 0.1
"""Seconds between two looks at whether a chain is at rest."""
DUE = "SELECT count(*) FROM pending WHERE due <= $1 AND begun IS NOT FALSE"
"""What must come now; work for which nobody is free just stands there."""


@dataclass(slots=True)
class Logged:
    """One record as it stands in its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0
    event: Json = field(default_factory=dict)
    """Its envelope with its data; empty if it is no event at all."""

    @property
    def id(self) -> str:
        """The event's id; empty if it has none."""
        return str(self.event.get("id", ""))

    @property
    def case(self) -> str:
        """What the event is about; empty if it is none."""
        return str(self.event.get("correlationid", ""))

    @property
    def sequence(self) -> int:
        """Its number among what its teller tells of the case; 0 for a command."""
        return int(self.event.get("sequence", 0))

    @property
    def teller(self) -> str:
        """The activity that says that it has told it; empty for somebody outside."""
        return ACTIVITY_OF.get(str(self.event.get("source")), "")

    @property
    def undecodable_id(self) -> UUID:
        """Under which id an activity sets it aside that cannot read it."""
        return uuid5(UUID(int=0), f"{self.topic}/{self.partition}/{self.offset}")

    def __str__(self) -> str:
        place = f"{self.topic}/{self.partition} at {self.offset}"
        return f"{self.event['type']} {self.id} about {self.case} ({place})" if self.event else f"a record ({place})"


def handlers_of(activity: str) -> Handlers:
    """The real handlers of an activity."""
    handles: Handlers = import_module(f"services.{activity}.handlers").handles
    return handles


async def read_log(bootstrap: str, since: Offsets) -> list[Logged]:
    """Every record that stands in the topics now, from `since` on, each partition in order."""
    log: list[Logged] = []
    async with _looking(bootstrap) as (consumer, places):
        ends = await consumer.end_offsets(places)
        begins = {**await consumer.beginning_offsets(places), **since}
        for place in places:
            consumer.seek(place, begins[place])
        left = {place for place in places if begins[place] < ends[place]}
        while left:
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                log += [logged(record) for record in records if record.offset < ends[place]]
            left = {place for place in left if await consumer.position(place) < ends[place]}
    return sorted(log, key=lambda record: (record.topic, record.partition, record.offset))


def logged(record: Any) -> Logged:
    """A record of the broker's (an aiokafka `ConsumerRecord`), read as far as it can be."""
    try:
        event = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        event = None
    readable = isinstance(event, dict) and event.keys() >= ENVELOPE
    place = (record.topic, record.partition, record.offset)
    return Logged(*place, record.key, record.value, record.headers, record.timestamp, event if readable else {})


async def ends_now(bootstrap: str) -> dict[TopicPartition, int]:
    """Where the topics end now."""
    async with _looking(bootstrap) as (consumer, places):
        return dict(await consumer.end_offsets(places))


async def until_at_rest(
    databases: Mapping[str, str], bootstrap: str, clock: Clock, *, groups: Mapping[str, str], since: Offsets
) -> None:
    """Wait until each activity has taken up all that it hears, and nothing is due by the chain's clock.

    What was committed is looked at before the ends: a record that is being worked on is not committed, and what it
    tells is published before it is. So if both are the same, nothing was on its way.
    """
    async with _looking(bootstrap) as (consumer, places), AsyncExitStack() as stack:
        opened = [await asyncpg.connect(database) for database in databases.values()]
        for connection in opened:
            stack.push_async_callback(connection.close)
        admin = AIOKafkaAdminClient(**clients(bootstrap))
        await admin.start()
        stack.push_async_callback(admin.close)
        hears = {activity: [p for p in places if p.topic in handlers_of(activity).topics] for activity in groups}
        while True:
            committed = {a: await admin.list_consumer_group_offsets(groups[a], partitions=hears[a]) for a in hears}
            due = sum([await connection.fetchval(DUE, clock.now()) for connection in opened])
            ends = await consumer.end_offsets(places)
            reached = [(p, max(of[p].offset, since.get(p, 0))) for a, of in committed.items() for p in hears[a]]
            if not due and all(offset >= ends[place] for place, offset in reached):
                return
            await asyncio.sleep(GLANCE)


@asynccontextmanager
async def _looking(bootstrap: str) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    """A consumer of its own, and every partition of every topic that is read."""
    admin = AIOKafkaAdminClient(**clients(bootstrap))
    await admin.start()
    try:
        found = await admin.describe_topics(LOGGED)
    finally:
        await admin.close()
    places = [TopicPartition(topic["topic"], part["partition"]) for topic in found for part in topic["partitions"]]
    async with AIOKafkaConsumer(**clients(bootstrap), enable_auto_commit=False) as consumer:
        consumer.assign(places)  # so that it learns of all topics at once, and not of one after the other
        yield consumer, places
