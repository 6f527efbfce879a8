"""The events of the hop, and the rows that they find: releases of changes which were installed and accepted before."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import NamedTuple, TypeVar
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer, TopicPartition

from contracts.design_transition import ServiceReleased
from contracts.envelope import encode, record_headers, source_of
from contracts.obtain_build import TestResult
from contracts.partition import partition_of
from contracts.value_chain import BY_TYPE, DESIGN_TRANSITION
from contracts.values import Requirement
from services.deliver_support.model import Deployment, ProvidedPart

TOPIC = BY_TYPE[ServiceReleased.type].topic
STREAM, STEP = "create-a-new-product-or-service", "release"
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
REQUIREMENTS = (
    Requirement(name="availability", kind="warranty", measure="share of a month", target=99, unit="%"),
    Requirement(name="players", kind="utility", measure="players at the same time", target=50, unit="users"),
)
CHUNK = 5_000
Thing = TypeVar("Thing")


class Release(NamedTuple):
    """One release: of which demand, by which event, of which service."""

    number: int
    demand: UUID
    event: UUID
    service: str

    @property
    def change(self) -> str:
        """The change that it brings into use."""
        return f"change-{self.number}"

    @property
    def title(self) -> str:
        """What is released."""
        return f"In-car service {self.service.rpartition('-')[2]}"


def releases(count: int, services: int) -> Iterator[Release]:
    """Distinct demands for `services` services; 0: each demand is for a service of its own. Always the same ones."""
    random = Random(count)
    for number in range(count):
        demand, event = (UUID(int=random.getrandbits(128), version=4) for _ in range(2))
        yield Release(number, demand, event, f"in-car-service-{number % services if services else number}")


def value(release: Release, traceparent: str = "") -> bytes:
    """The event, as Design and transition would tell it."""
    released = ServiceReleased(
        demand=release.demand,
        change=release.change,
        service=release.service,
        title=release.title,
        released_at=NOW,
        components=(f"{release.service}-application",),
        early_support_until=NOW + timedelta(days=14),
    )
    told = {"stream": STREAM, "step": STEP, "traceparent": traceparent}
    return encode(released, id=release.event, source=source_of(DESIGN_TRANSITION), time=NOW, sequence=1, **told)


def accepted(release: Release) -> Deployment:
    """The row that the event finds: its change is installed and was accepted for operation."""
    component = f"{release.service}-application"
    tests = (TestResult(name="players", passed=True, measured=60, unit="users"),)
    part = ProvidedPart(component=component, iteration=1, capacity=60, unit="users", tests=tests)
    return Deployment(
        id=release.demand,
        version=1,
        status="done",
        owner="deployment team",
        round=1,
        begun_at=NOW - timedelta(hours=2),
        promised_by=NOW,
        done_at=NOW - timedelta(hours=1),
        done_by="deployment team",
        stage="accepted",
        change=release.change,
        service=release.service,
        title=release.title,
        author="ada@example.org",
        approved_by="change manager",
        back_out_plan="Back to the version before.",
        scheduled_at=NOW - timedelta(hours=2),
        components=(component,),
        parts=(part,),
        requirements=REQUIREMENTS,
    )


async def seed(database: str, count: int, services: int) -> None:
    """Put the rows that the events find into a database."""
    connection = await asyncpg.connect(database)
    try:
        statement = "INSERT INTO deployment SELECT * FROM json_populate_recordset(NULL::deployment, $1)"
        for rows in chunks(accepted(release) for release in releases(count, services)):
            await connection.execute(statement, Deployment.dump(rows).decode())
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def produce(
    bootstrap: str, count: int, services: int, partitions: int, *, sampled: float | None = None
) -> tuple[dict[TopicPartition, int], int]:
    """Put the events into their topic; where they begin there, and their mean size in bytes.

    `sampled` is the share of them whose trace is sampled; None: they have no trace at all.
    """
    random, size = Random(0), 0
    begins: dict[TopicPartition, int] = {}
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=1_000_000
    ) as producer:
        for some in chunks(releases(count, services)):
            builders = {number: producer.create_batch() for number in range(partitions)}
            sent = []
            for release in some:
                trace = "" if sampled is None else traceparent(random, random.random() < sampled)
                told, key = value(release, trace), str(release.demand)
                number, size = partition_of(key, partitions), size + len(told)
                record = {"key": key.encode(), "value": told, "timestamp": None, "headers": record_headers(trace)}
                if builders[number].append(**record) is None:
                    sent.append((number, builders[number]))
                    builders[number] = producer.create_batch()
                    builders[number].append(**record)
            for number, builder in [*sent, *builders.items()]:
                if builder.record_count():
                    builder.close()
                    at = await (await producer.send_batch(builder, TOPIC, partition=number))
                    begins.setdefault(TopicPartition(TOPIC, number), at.offset)
    return begins, round(size / count)


def traceparent(random: Random, sampled: bool) -> str:
    """The trace of one demand."""
    return f"00-{random.getrandbits(128) or 1:032x}-{random.getrandbits(64) or 1:016x}-{int(sampled):02x}"


def chunks(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Lists of at most `CHUNK`."""
    rest = iter(things)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
