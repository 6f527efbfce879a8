"""Promises that hold over restarts: a real Deliver and support, with its database and the broker, comes and goes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts import value_chain
from contracts.deliver_support import ServiceDelivered, SupportEscalated
from contracts.engage import AgreementConcluded, SupportTaskRequested
from contracts.envelope import encode, source_of
from contracts.event import Event
from contracts.partition import partition_of
from contracts.service_hours import Opening
from contracts.value_chain import DELIVER_SUPPORT, ENGAGE
from contracts.values import Term
from services.chassis.service import create_app
from services.chassis.settings import Settings
from services.deliver_support.api import router
from services.deliver_support.handlers import handles
from svc.migrations import begin_at, migrate
from svc.topics import create_topics
from tests.chassis.conftest import client_of, run_as_admin

if TYPE_CHECKING:
    from svc.machine import Machine

PARTITIONS = 3
PASS = {"title": "A game pass", "service": "games", "access": {"resource": "library", "hours": 0.002}}
"""7.2 seconds of access."""
GAMES = {"service": "games", "title": "Games", "criticality": 2, "owner": "head of games"}
ASKS: dict[str, Any] = {
    "title": "Games", "text": "", "service": "games", "requester": "emily@fleet.example", "impact": 2, "urgency": 2,
    "priority": 3, "wanted_priority": None, "reasons": ("The matrix says so.",), "basis": (),
}  # fmt: skip


async def until(condition: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait until it is so, for as long as a loaded machine may take."""
    try:
        async with asyncio.timeout(60):
            while not await condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"{what}: not within a minute")


@dataclass
class Support:
    """Deliver and support, started and stopped by a test; what Engage asks of it, and what it tells."""

    settings: Settings
    producer: AIOKafkaProducer
    begin: dict[TopicPartition, int]
    """Where the topics ended when the test began."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[httpx.AsyncClient]:
        """The service in this process, ready; it ends with the block."""
        app = create_app(handles, router, settings=self.settings)
        async with app.router.lifespan_context(app), client_of(app) as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await until(ready, "the service is ready")
            yield client

    async def asked(self, task: str, stream: str, *, hours: float, at: datetime | None = None) -> UUID:
        """Engage asks for support, which is to be done within so many hours; returns the demand."""
        demand, now = uuid4(), at or datetime.now(UTC)
        due = now + timedelta(hours=hours)
        kind, offering = ("incident", None) if task == "resolve" else ("service_request", "game-pass")
        asks = SupportTaskRequested.model_validate(
            ASKS | {"demand": demand, "task": task, "kind": kind, "offering": offering}
            | {"respond_by": due, "resolve_by": due}
        )  # fmt: skip
        await self.tell(asks, now, stream=stream, step="request-support")
        return demand

    async def tell(self, event: Event, at: datetime, **words: str) -> None:
        """Engage tells something; `words` as the envelope has them."""
        value = encode(event, id=uuid4(), source=source_of(ENGAGE), time=at, sequence=1, **words)
        topic, place = value_chain.BY_TYPE[event.type].topic, partition_of(event.case, PARTITIONS)
        await self.producer.send_and_wait(topic, value, key=event.case.encode(), partition=place)

    async def told(self, kind: type[Event], demand: UUID) -> list[dict[str, Any]]:
        """What the service has told of a demand since the test began, copies included."""
        topic = value_chain.BY_TYPE[kind.type].topic
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            place = TopicPartition(topic, partition_of(str(demand), PARTITIONS))
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            consumer.seek(place, self.begin[place])
            found = []
            while await consumer.position(place) < end:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [orjson.loads(record.value) for record in records]
            return [one for one in found if one["type"] == kind.type and one["correlationid"] == str(demand)]
        finally:
            await consumer.stop()

    async def row(self, query: str, *arguments: object) -> asyncpg.Record | None:
        """Ask its database."""
        connection = await asyncpg.connect(self.settings.database)
        try:
            return await connection.fetchrow(query, *arguments)
        finally:
            await connection.close()


@pytest.fixture
async def support(machine: "Machine") -> AsyncIterator[Support]:
    """With a fresh database, from where the topics end now; its work is done by people, if at all."""
    await create_topics(machine.bootstrap, PARTITIONS)
    name = f"support_{uuid4().hex[:12]}"
    await run_as_admin(machine, f"CREATE DATABASE {name}")
    database = machine.admin_url.rsplit("/", 1)[0] + "/" + name
    await migrate(DELIVER_SUPPORT, database)
    settings = Settings(bootstrap=machine.bootstrap, database=database, wait=30, group=f"svc.{name}")
    topics = {*handles.topics, *(flow.topic for flow in value_chain.told_by(DELIVER_SUPPORT))}
    places = [TopicPartition(topic, part) for topic in topics for part in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=machine.bootstrap, group_id=settings.group, enable_auto_commit=False
    )  # fmt: skip
    await consumer.start()
    begin = dict(await consumer.end_offsets(places))
    heard = {place: offset for place, offset in begin.items() if place.topic in handles.topics}
    consumer.assign(list(heard))
    await consumer.commit(heard)
    await consumer.stop()
    await begin_at(database, heard)
    async with AIOKafkaProducer(bootstrap_servers=machine.bootstrap, enable_idempotence=True) as producer:
        yield Support(settings, producer, begin)
    await run_as_admin(machine, f"DROP DATABASE {name} WITH (FORCE)")


async def said(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    """Say something at a front door."""
    answer = await client.post(path, json=body, headers={"Idempotency-Key": path})
    assert answer.status_code in (200, 201), answer.text


async def test_access_ends_on_time_although_the_service_was_down_over_the_moment(support: Support) -> None:
    async def granted() -> bool:
        return await support.row("SELECT 1 FROM access WHERE until IS NOT NULL") is not None

    async with support.running() as client:
        await said(client, "/services", GAMES)
        await said(client, "/offerings/game-pass", PASS)
        demand = await support.asked("fulfil", "fulfil-a-service-request", hours=8)
        await until(granted, "access is granted")
        row = await support.row("SELECT until, ended_at FROM access")
        assert row is not None
    assert row["ended_at"] is None, "the service is down before access is over"

    async def over() -> bool:
        return datetime.now(UTC) > row["until"] + timedelta(seconds=1)

    await until(over, "the moment has gone by")
    still = await support.row("SELECT ended_at FROM access")
    assert still is not None
    assert still["ended_at"] is None, "nobody was there to end it"

    async def ended() -> list[dict[str, Any]]:
        told = await support.told(ServiceDelivered, demand)
        return [one["data"] for one in told if one["data"]["outcome"] == "access_ended"]

    for _ in range(2):  # and once more: it ends once
        async with support.running():
            await until(ended, "access has ended")
    (told,) = await ended()
    assert datetime.fromisoformat(told["delivered_at"]) == row["until"], "on time, not when the service came back"
    last = await support.row("SELECT until, ended_at FROM access")
    assert last is not None
    assert last["ended_at"] == last["until"] == row["until"]


async def test_a_missed_target_is_escalated_once_across_restarts(support: Support) -> None:
    support.settings = support.settings.model_copy(update={"work": "manual"})

    async def open_work() -> bool:
        return await support.row("SELECT 1 FROM resolution WHERE status = 'open'") is not None

    async with support.running() as client:
        await said(client, "/services", GAMES)
        demand = await support.asked("resolve", "restore-a-live-service", hours=0.002)
        await until(open_work, "somebody has it to do")
        row = await support.row("SELECT promised_by FROM resolution")
        assert row is not None

    async def over() -> bool:
        return datetime.now(UTC) > row["promised_by"]

    await until(over, "the target has passed")

    async def missed() -> list[tuple[str, str]]:
        told = [one["data"] for one in await support.told(SupportEscalated, demand)]
        return sorted((one["target"], one["due_at"]) for one in told if one["breached"])

    async def both_missed() -> bool:
        return {target for target, _ in await missed()} == {"respond", "resolve"}

    for _ in range(3):
        async with support.running():
            await until(both_missed, "what was missed is escalated")
    assert [target for target, _ in await missed()] == ["resolve", "respond"], "each once, however often it is started"


async def test_targets_in_hours_of_service_pass_once_and_on_monday_across_restarts(support: Support) -> None:
    friday, monday = datetime(2026, 11, 27, 17, 30, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
    begun, due = datetime.now(UTC), monday + timedelta(hours=9.5)
    clock = f"{begun.isoformat()},{friday.isoformat()},1"
    support.settings = support.settings.model_copy(update={"work": "manual", "clock": clock})
    office = Opening(days=("mon", "tue", "wed", "thu", "fri"), opens="08:00", closes="18:00")
    sla = AgreementConcluded(
        agreement="games-in-the-office", version=1, kind="service_level", state="in_force", title="Games",
        service="games", counterparty="fleet", terms=(Term(name="resolve", value=2, unit="hours"),),
        service_hours=(office,), valid_from=friday,
    )  # fmt: skip

    async def known() -> bool:
        return await support.row("SELECT 1 FROM outlook WHERE promises::text LIKE '%games-in-the-office%'") is not None

    async def open_work() -> bool:
        return await support.row("SELECT 1 FROM resolution WHERE status = 'open'") is not None

    async with support.running() as client:
        await said(client, "/services", GAMES)
        await support.tell(sla, friday)
        await until(known, "the agreement is known")
        demand = await support.asked("resolve", "restore-a-live-service", hours=120, at=friday)
        await until(open_work, "somebody has it to do")
        row = await support.row("SELECT promised_by FROM resolution")
        assert row is not None
        assert row["promised_by"] == due

    night, now = friday + timedelta(hours=5), datetime.now(UTC)
    clock += f";{now.isoformat()},{night.isoformat()},36000"  # ten hours a second: it is Monday after six
    support.settings = support.settings.model_copy(update={"clock": clock})
    for _ in range(3):
        async with support.running():
            await until(lambda: missed(support, demand), "what was missed is escalated")
    assert await passed(support, demand) == [
        ("resolve", False, due), ("resolve", True, due), ("respond", True, due)
    ]  # fmt: skip


async def passed(support: Support, demand: UUID) -> list[tuple[str, bool, datetime]]:
    """Which targets were warned of or missed, and when they were due."""
    told = [one["data"] for one in await support.told(SupportEscalated, demand)]
    return sorted((one["target"], one["breached"], datetime.fromisoformat(one["due_at"])) for one in told)


async def missed(support: Support, demand: UUID) -> bool:
    """Whether both targets were."""
    return len([breached for _, breached, _ in await passed(support, demand) if breached]) > 1
