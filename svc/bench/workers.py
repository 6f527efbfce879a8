"""The other ways of doing the hop, each in its simplest honest shape: `python -m svc.bench.workers naive`.

They read what the shipped service reads (`SVC_*`), decode with the same codec and decide with the same handler. All
of them acknowledge to the broker only what is stored and published.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid5

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from sqlalchemy import JSON, Column, Text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import ServiceReleased
from contracts.envelope import Arrival, Codec, Record, encode, record_headers, source_of
from contracts.event import Event
from contracts.stream import read_streams
from contracts.value_chain import BY_TYPE, DELIVER_SUPPORT
from services.chassis.lane import Lane
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.state import Row, State
from services.chassis.store import TAKE_OVER, connect
from services.deliver_support.handlers import handles, put_live
from services.deliver_support.model import Deployment, LiveService
from svc.bench.backlog import STREAM, TOPIC

TOLD = BY_TYPE[ServiceDelivered.type].topic
HEADERS = record_headers("")
TYPED = {name: text.decode() for name, text in HEADERS}
READING: dict[str, Any] = {"auto_offset_reset": "earliest", "fetch_max_wait_ms": 100}
"""As the chassis reads: with aiokafka's 500 ms a partition that is done holds up those that are not."""
ACKNOWLEDGED = AckPolicy.NACK_ON_ERROR
"""The offset is committed when the handler is through, and an error has the event again."""


class Receipt(SQLModel, table=True):
    """The chassis's receipt as a SQLModel table: the record was handled, and these are its outputs."""

    event_id: UUID = Field(primary_key=True)
    case_id: str = Field(sa_type=Text)
    record: Any = Field(sa_column=Column(JSON, nullable=False))


def engine_of(settings: Settings) -> AsyncEngine:
    """The database, with what the columns hold as JSON."""
    url = settings.database.replace("postgresql://", "postgresql+asyncpg://", 1)
    return create_async_engine(url, json_serializer=lambda value: orjson.dumps(value).decode())


async def settle(engine: AsyncEngine, codec: Codec, record: Record) -> list[bytes]:
    """Decide about one event in a transaction of its own; what to publish, again if it was decided before."""
    arrival = codec.receive(record)
    if arrival is None or not isinstance(arrival.message, ServiceReleased):
        return []
    released = arrival.message
    async with AsyncSession(engine) as session:
        if receipt := await session.get(Receipt, arrival.id):
            return [orjson.dumps(output) for output in receipt.record["outputs"]]
        own, deployment = await load(session, Deployment, released.demand)
        shared, service = await load(session, LiveService, released.service)
        told = [output(arrival, number, event) for number, event in enumerate(put_live(released, deployment, service))]
        save(own, deployment)
        save(shared, service)
        outputs = {"outputs": [orjson.Fragment(value) for value in told]}
        session.add(Receipt(event_id=arrival.id, case_id=arrival.case, record=outputs))
        await session.commit()
    return told


async def load(session: AsyncSession, state: type[Row], id: object) -> tuple[Row, Row]:
    """A row, locked if it is shared, and the plain object that a handler gets; one with defaults if there is none."""
    row = await session.get(state.rows(), id, with_for_update=state.shared)
    if row is None:
        row = state.rows()(id=id)
        session.add(row)
    return row, state.model_validate(row, from_attributes=True)


def save(row: Any, state: State[Any]) -> None:
    """Put into a row what a handler has changed."""
    row.sqlmodel_update(state.model_dump(exclude={"version"}))
    row.version += 1


def output(arrival: Arrival, number: int, event: Event) -> bytes:
    """What the handler has told, as the chassis would publish it."""
    id, traceparent = uuid5(arrival.id, f"{DELIVER_SUPPORT}/{number}"), arrival.attributes.get("traceparent", "")
    told = {"cause": str(arrival.id), "stream": STREAM, "step": "put-live", "traceparent": traceparent}
    return encode(event, id=id, source=source_of(DELIVER_SUPPORT), time=arrival.attributes["time"], sequence=1, **told)


async def naive(settings: Settings) -> None:
    """One event, one transaction, one publish that is waited for, one commit of the offset."""
    engine, codec = engine_of(settings), Codec(handles.messages)
    async with clients(settings, TOPIC) as (consumer, producer):
        async for record in consumer:
            for value in await settle(engine, codec, record):
                await producer.send_and_wait(TOLD, value, key=record.key, headers=HEADERS)
            await consumer.commit()


async def faststream(settings: Settings) -> None:
    """FastStream, one event a handler: as naive, with the framework around it."""
    engine, codec, broker = engine_of(settings), Codec(handles.messages), framework(settings)

    async def put_live_one(record: Any) -> None:
        for value in await settle(engine, codec, record):
            await broker.publish(value, TOLD, key=record.key, headers=TYPED)

    broker.subscriber(TOPIC, group_id=settings.group, ack_policy=ACKNOWLEDGED, **READING)(
        put_live_one, decoder=undecoded
    )
    await FastStream(broker).run()


async def faststream_batch(settings: Settings) -> None:
    """FastStream's batches with the chassis's store: what is left to compare is the way of consuming and publishing."""
    handles.follow(read_streams(settings.streams))
    lane, broker = Lane(0, Runtime(handles, settings)), framework(settings)
    lane.connection = await connect(settings.database)
    for part in range(settings.partitions):
        lane.epochs[part] = await lane.connection.fetchval(TAKE_OVER, part)

    async def put_live_all(records: Any) -> None:
        lane.ends = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        lane.untold = []
        arrivals, _ = lane.receive(records)
        sent = [
            await broker.publish(
                told.value, told.topic, key=told.case.encode(), partition=told.partition, headers=TYPED, no_confirm=True
            )
            for told in await lane.settle(arrivals)
        ]
        await asyncio.gather(*sent)

    batches = broker.subscriber(
        TOPIC, group_id=settings.group, ack_policy=ACKNOWLEDGED, batch=True, max_records=settings.batch, **READING
    )
    batches(put_live_all, decoder=undecoded)
    await FastStream(broker).run()


async def relay(settings: Settings) -> None:
    """No database and no decision: what the two clients of the broker can do at most."""
    async with clients(settings, TOPIC) as (consumer, producer):
        while True:
            found = await consumer.getmany(timeout_ms=200, max_records=settings.batch)
            records = [record for records in found.values() for record in records]
            sent = [await producer.send(TOLD, r.value, key=r.key, headers=HEADERS) for r in records]
            await asyncio.gather(*sent)
            if records:
                await consumer.commit()


@asynccontextmanager
async def clients(settings: Settings, *topics: str) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaProducer]]:
    """A consumer in the group and a producer, as safe as the chassis's."""
    where = {"bootstrap_servers": settings.bootstrap}
    async with (
        AIOKafkaProducer(**where, enable_idempotence=True, acks="all") as producer,
        AIOKafkaConsumer(*topics, **where, **READING, group_id=settings.group, enable_auto_commit=False) as consumer,
    ):
        yield consumer, producer


def framework(settings: Settings) -> KafkaBroker:
    """FastStream's broker; it does not validate what the codec validates."""
    return KafkaBroker(settings.bootstrap, enable_idempotence=True, acks="all", apply_types=False, logger=None)


async def undecoded(message: KafkaMessage) -> object:
    """The record, or the records, as consumed: the codec decodes."""
    return message.raw_message


FORMS = {form.__name__: form for form in (naive, faststream, faststream_batch, relay)}


async def until_told(form: Coroutine[Any, Any, None]) -> None:
    """Run a form until SIGTERM."""
    working = asyncio.create_task(form)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    with suppress(asyncio.CancelledError):
        await working


if __name__ == "__main__":
    asyncio.run(until_told(FORMS[sys.argv[1]](Settings())))
