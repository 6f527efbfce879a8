"""A running chassis: fresh topics and a fresh database for each test, the ledger as its activity."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from fastapi import FastAPI

from contracts import value_chain
from contracts.engage import DemandConsolidated
from contracts.envelope import encode
from contracts.event import Message
from contracts.partition import partition_of
from services.chassis.outputs import Effect
from services.chassis.service import create_app
from services.chassis.settings import Settings
from services.chassis.state import base
from services.chassis.worker import Perform
from svc.migrations import begin_at, migrate, run_on
from svc.topics import create_topics
from tests.chassis import ledger

if TYPE_CHECKING:
    from svc.machine import Machine

STREAMS = Path(value_chain.__file__).parent / "value_streams"
PARTITIONS = 3
TOPICS = (*ledger.handles.topics, "svc.plan.portfolio-decisions", "svc.plan.dlq")


def demand(case: UUID, title: str, value: int = 1) -> DemandConsolidated:
    """A demand, as Engage tells it."""
    return DemandConsolidated(
        demand=case,
        title=title,
        text="",
        kind="incident",
        requester="emily@example.com",
        segment="",
        service=None,
        tickets=(),
        users=1,
        value=value,
        effort=None,
        wanted_by=None,
        promise_by=datetime(2027, 1, 1, tzinfo=UTC),
        channel="api",
    )


@dataclass
class Bench:
    """One broker and one database, with what a test does to them."""

    bootstrap: str
    database: str
    producer: AIOKafkaProducer
    settings: Settings
    as_admin: Callable[[str], Awaitable[None]]
    """Runs one statement as the server's administrator."""
    start: dict[TopicPartition, int]
    """Where the topics ended when the test began."""
    sent: list[UUID] = field(default_factory=list)

    async def tell(
        self, message: Message, *, id: UUID | None = None, key: str | None = None, partition: int | None = None
    ) -> UUID:
        """Produce a message as another activity would."""
        id = id or uuid4()
        self.sent.append(id)
        flow = value_chain.BY_TYPE.get(message.type)
        await self.put(
            self.encoded(message, id), key or message.case, partition, flow.topic if flow else "svc.plan.inbox"
        )
        return id

    def encoded(self, message: Message, id: UUID) -> bytes:
        """A message as Engage would write it."""
        return encode(message, id=id, source="/svc/engage", time=datetime.now(UTC), sequence=1)

    def home(self, case: str) -> int:
        """The partition of a case."""
        return partition_of(case, PARTITIONS)

    async def put(self, value: bytes, key: str, partition: int | None = None, topic: str = "svc.engage.demand") -> None:
        """Produce raw bytes."""
        where = partition if partition is not None else self.home(key)
        await self.producer.send_and_wait(topic, value, key=key.encode(), partition=where)

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask the database."""
        connection = await asyncpg.connect(self.database)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    async def ends(self) -> dict[TopicPartition, int]:
        """Where the topics end now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            return dict(await consumer.end_offsets(list(self.start)))
        finally:
            await consumer.stop()

    async def consumed(self) -> bool:
        """Whether the group has committed everything in the topics that the ledger hears."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        committed = await admin.list_consumer_group_offsets(self.settings.group)
        await admin.close()
        ends = await self.ends()
        return all(committed[p].offset >= ends[p] for p in ends if p.topic in ledger.handles.topics and p in committed)

    async def owned(self, part: int, times: int) -> bool:
        """Whether a partition number has been taken over so often."""
        return bool(await self.rows("SELECT 1 FROM ownership WHERE part = $1 AND epoch >= $2", part, times))

    async def corrected(self, number: int) -> bool:
        """Whether so many entries are corrected."""
        return sum("corrected" in titles for titles in (await self.entries()).values()) == number

    async def none(self, query: str) -> bool:
        """Whether a query finds nothing."""
        return not await self.rows(query)

    async def copied(self) -> str:
        """A copy of the database as it is now; returns its name."""
        name = self.database.rpartition("/")[2]
        await self.as_admin(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
        return f"{name}_copy"

    async def restored(self, copy: str) -> None:
        """Put a copy in the place of the database."""
        name = self.database.rpartition("/")[2]
        await self.as_admin(f"DROP DATABASE {name} WITH (FORCE)")
        await self.as_admin(f"ALTER DATABASE {copy} RENAME TO {name}")

    async def forget_offsets(self) -> None:
        """Put the group back to where the test began: everything is delivered again."""
        places = {place: at for place, at in self.start.items() if place.topic in ledger.handles.topics}
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.settings.group, enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign(list(places))
        await consumer.commit(places)
        await consumer.stop()

    async def published(self, number: int) -> bool:
        """Whether at least this many decisions stand in the topic, repeats included."""
        return len(await self.told()) >= number

    async def told(self, topic: str = "svc.plan.portfolio-decisions", *, raw: bool = False) -> list[Any]:
        """Every event of this test in a topic, partition by partition, as published (repeats included)."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            found = []
            for place in places:
                consumer.seek(place, self.start[place])
            while any([await consumer.position(place) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [record.value if raw else orjson.loads(record.value) for record in records]
            return found
        finally:
            await consumer.stop()

    async def until(
        self, condition: Callable[[], Awaitable[object]], seconds: float = 30, *, what: str = "the condition"
    ) -> None:
        """Wait until `condition` is true."""
        async with asyncio.timeout(seconds) as limit:
            with suppress(asyncio.CancelledError):
                while not await condition():
                    await asyncio.sleep(0.02)
                return
        assert not limit.expired(), f"{what} did not come true within {seconds} s"

    async def settled(self) -> None:
        """Wait until every message that was told has its receipt or is parked."""

        async def done() -> bool:
            known = await self.rows("SELECT event_id FROM receipt UNION SELECT event_id FROM parked")
            return set(self.sent) <= {row["event_id"] for row in known}

        await self.until(done, what="every message told has a receipt or is parked")

    async def entries(self) -> dict[UUID, tuple[str, ...]]:
        """The ledger: titles by demand."""
        return {
            row["id"]: tuple(orjson.loads(row["titles"])) for row in await self.rows("SELECT id, titles FROM entry")
        }

    @asynccontextmanager
    async def running(
        self, effects: Mapping[type[Effect], Perform] | None = None, **changes: object
    ) -> AsyncIterator[httpx.AsyncClient]:
        """The ledger's service in this process, ready."""
        app = create_app(ledger.handles, ledger.router, effects, self.settings.model_copy(update=changes))
        async with app.router.lifespan_context(app), client_of(app) as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await self.until(ready, what="the service is ready")
            yield client


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that talks to an application in this process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ledger", timeout=30)


@pytest.fixture(scope="session")
async def topics(machine: "Machine") -> None:
    """Every topic of the table."""
    await create_topics(machine.bootstrap, PARTITIONS)


async def run_as_admin(machine: "Machine", statement: str) -> None:
    """One statement, on a connection of its own: a test may have killed the server meanwhile."""
    server = await asyncpg.connect(machine.admin_url)
    await server.execute(statement)
    await server.close()


@pytest.fixture
async def bench(machine: "Machine", topics: None, tmp_path: Path) -> AsyncIterator[Bench]:
    """The topics from where they end now, a fresh database, a producer."""
    name = f"ledger_{uuid4().hex[:12]}"
    await run_as_admin(machine, f"CREATE DATABASE {name}")
    database = machine.admin_url.rsplit("/", 1)[0] + "/" + name
    await migrate("plan", database)
    await run_on(database, base("tests.chassis").metadata.create_all)
    copy(
        STREAMS / "restore-a-live-service.yaml", tmp_path
    )  # a stream without a step of Plan's, whose place the ledger takes
    settings = Settings(bootstrap=machine.bootstrap, database=database, wait=5, streams=tmp_path, group=f"svc.{name}")
    async with AIOKafkaProducer(bootstrap_servers=machine.bootstrap, enable_idempotence=True) as producer:
        bench = Bench(
            machine.bootstrap,
            database,
            producer,
            settings,
            partial(run_as_admin, machine),
            {TopicPartition(t, p): 0 for t in TOPICS for p in range(PARTITIONS)},
        )
        bench.start = await bench.ends()
        await bench.forget_offsets()
        heard = {place: offset for place, offset in bench.start.items() if place.topic in ledger.handles.topics}
        await begin_at(database, heard)
        yield bench
    await run_as_admin(machine, f"DROP DATABASE {name} WITH (FORCE)")
