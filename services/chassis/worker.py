"""The worker: fetches records for the lanes, brings due timers and finished effects to the inbox, and starts anew when the broker fails."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from random import uniform
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from contracts import value_chain
from contracts.envelope import encode, record_headers, source_of
from contracts.event import Command
from services.chassis.lane import Lane
from services.chassis.outputs import Effect
from services.chassis.runtime import Runtime
from services.chassis.store import ATTEMPT_FAILED, AWAY, CLAIM, NEXT_DUE, connect

Perform = Callable[[Any, UUID], Awaitable[Command]]
"""Does an effect outside; the id stays the same over its repetitions. Returns the command that tells the activity how it went."""
MOST_ATTEMPTS = 10
LEASE = 30.0
STALLED_AFTER = 30.0


class Worker(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs one service's lanes over one consumer."""

    def __init__(self, runtime: Runtime, effects: Mapping[type[Effect], Perform]) -> None:
        self.runtime = runtime
        self.effects = {effect.name: (effect, perform) for effect, perform in effects.items()}
        self.lanes: list[Lane] = []
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stopping` is set. Whatever the broker does, the worker comes back; nothing is lost meanwhile."""
        gc.collect()
        gc.freeze()  # batches live and die together: the cycle collector finds nothing in them
        gc.set_threshold(200_000, 50, 1000)
        while not self.stopping.is_set():
            try:
                await self.session()
            except* (KafkaError, *AWAY) as errors:
                reason = "; ".join(sorted({f"{type(error).__name__}: {error}" for error in errors.exceptions}))
                self.runtime.missing["broker"] = reason
                self.runtime.log.warning("the broker cannot be used; starting anew", reason=reason)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), uniform(0.3, 1.0))

    async def session(self) -> None:
        """From connecting to the broker to losing it, or to a clean stop."""
        settings, bootstrap = self.runtime.settings, self.runtime.settings.bootstrap
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=900_000, metadata_max_age_ms=10_000,
            request_timeout_ms=15_000,
        )  # fmt: skip
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=self.runtime.group, group_instance_id=settings.instance or None,
            enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100, metadata_max_age_ms=10_000,
            partition_assignment_strategy=(RangePartitionAssignor,),  # the same partition numbers of all topics together
        )  # fmt: skip
        self.runtime.producer, self.runtime.consumer = producer, consumer
        self.lanes = [Lane(number, self.runtime) for number in range(min(settings.lanes, settings.partitions))]
        try:
            await producer.start()
            await self.check_topics(producer)
            consumer.subscribe(self.runtime.handlers.topics, listener=self)
            await consumer.start()
            self.runtime.missing.pop("broker", None)
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(lane.run()) for lane in self.lanes]
                running += [tasks.create_task(self.bring_due(tasks)), tasks.create_task(self.watch())]
                await self.fetch()
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.gather(*(lane.idle.wait() for lane in self.lanes)), 10)
                for task in running:
                    task.cancel()
        finally:
            self.runtime.missing["assignment"] = "no partitions yet"
            for client in (consumer, producer):
                with suppress(KafkaError, OSError, TimeoutError):
                    await asyncio.wait_for(client.stop(), 10)

    async def check_topics(self, producer: AIOKafkaProducer) -> None:
        """Every topic must be there, with the number of partitions that the lanes count on."""
        wanted = self.runtime.settings.partitions
        told = {flow.topic for flow in self.runtime.handlers.tells.values()}
        for topic in sorted({*self.runtime.handlers.topics, *told, value_chain.dead_letters(self.runtime.activity)}):
            found = await producer.partitions_for(topic)
            if len(found) != wanted:
                raise KafkaError(
                    f"topic {topic} has {len(found)} partitions, not {wanted}: create it so, or set SVC_PARTITIONS"
                )

    async def fetch(self) -> None:
        """Hand records to the lanes by partition number. A full lane's partitions are paused; the others go on."""
        full: set[TopicPartition] = set()
        limit = 2 * self.runtime.settings.batch
        consumer = self.runtime.consumer
        while not self.stopping.is_set():
            fetched = await consumer.getmany(timeout_ms=50 if full else 200, max_records=self.runtime.settings.batch)
            for place, records in fetched.items():
                lane = self.lanes[place.partition % len(self.lanes)]
                lane.queue.extend(records)
                lane.filled.set()
            lengths = {
                place: len(self.lanes[place.partition % len(self.lanes)].queue) for place in consumer.assignment()
            }
            consumer.pause(*(stop := {place for place, length in lengths.items() if length >= limit} - full))
            consumer.resume(*(go := {place for place in full if lengths.get(place, limit) < limit // 2}))
            full = (full | stop) - go & lengths.keys()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Drop what is queued: the next owner gets it. A batch in progress is safe, its receipts tell."""
        for lane in self.lanes:
            kept = [record for record in lane.queue if TopicPartition(record.topic, record.partition) not in revoked]
            lane.queue.clear()
            lane.queue.extend(kept)
        self.runtime.missing["assignment"] = "partitions are being assigned anew"

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Ready for work. A replica beyond the number of partitions stands by."""
        self.runtime.missing.pop("assignment", None)

    async def watch(self) -> None:
        """Notice a broker that is away or a consumer that has stalled, and publish the lag."""
        consumer, moved = self.runtime.consumer, asyncio.get_running_loop().time()
        last: dict[TopicPartition, int] = {}
        while True:
            await asyncio.wait_for(consumer.topics(), 10)
            self.runtime.missing.pop("broker", None)
            positions = {place: await consumer.position(place) for place in consumer.assignment() - consumer.paused()}
            behind = {place: (consumer.highwater(place) or 0) - position for place, position in positions.items()}
            for place, lag in behind.items():
                self.runtime.lag.labels(place.topic, place.partition).set(max(0, lag))
            now = asyncio.get_running_loop().time()
            if positions != last or not any(lag > 0 for lag in behind.values()):
                last, moved = positions, now
            elif now - moved > STALLED_AFTER:
                raise KafkaError(f"nothing fetched for {STALLED_AFTER:.0f} s although records wait")
            await asyncio.sleep(2)

    async def bring_due(self, tasks: asyncio.TaskGroup) -> None:
        """Claim what is due and bring it to the inbox: a timer at once, an effect once it is done."""
        connection: asyncpg.Connection | None = None
        try:
            while True:
                self.runtime.timers_changed.clear()
                try:
                    connection = connection or await connect(self.runtime.settings.database)
                    for row in await connection.fetch(CLAIM, self.runtime.clock.now(), LEASE):
                        due = (
                            self.perform(row)
                            if row["effect"]
                            else self.bring(row, self.command(row["type"], row["data"]))
                        )
                        tasks.create_task(due)
                    next_due = await connection.fetchval(NEXT_DUE)
                    self.runtime.database_here("timers")
                except AWAY as away:
                    if connection is not None:
                        connection.terminate()
                    connection = next_due = None
                    await self.runtime.database_away("timers", away)
                wait = min(1.0, self.runtime.clock.seconds_until(next_due) if next_due else 1.0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.runtime.timers_changed.wait(), wait)
        finally:
            if connection is not None:
                connection.terminate()

    def command(self, message_type: str, data: bytes) -> Command:
        """A stored command; a type that this version does not know is a programming error that ends the session, loudly."""
        message = self.runtime.handlers.messages[message_type].model_validate_json(data, extra="ignore")
        assert isinstance(message, Command)
        return message

    async def bring(self, row: asyncpg.Record, command: Command) -> None:
        """Produce it under the timer's id (a repeat finds its receipt), told when it was due; its lane deletes the timer."""
        inbox, context = value_chain.inbox(self.runtime.activity), orjson.loads(row["context"])
        trace = context["traceparent"]
        value = encode(
            command, id=row["id"], source=source_of(self.runtime.activity), time=row["due"], cause=context["cause"],
            stream=context["stream"], step=context["step"], traceparent=trace,
        )  # fmt: skip
        partition = self.runtime.partition_of(command.case)
        await self.runtime.producer.send_and_wait(
            inbox, value, key=command.case.encode(), partition=partition, headers=record_headers(trace)
        )

    async def perform(self, row: asyncpg.Record) -> None:
        """Do an effect outside. A failure is repeated later and later, with jitter; at last the activity is told that it failed."""
        kind, perform = self.effects[row["effect"]]
        effect = kind.model_validate_json(row["data"])
        try:
            result = await asyncio.wait_for(perform(effect, row["id"]), LEASE / 2)
        except Exception as error:  # noqa: BLE001 - whatever happens outside is retried, recorded, and given up in the end
            reason = f"{type(error).__name__}: {error}"
            self.runtime.log.warning(
                "an effect outside failed", effect=kind.name, attempt=row["attempts"], reason=reason
            )
            if row["attempts"] < MOST_ATTEMPTS:
                connection = await connect(self.runtime.settings.database)
                await connection.execute(ATTEMPT_FAILED, row["id"], 2 ** row["attempts"] * uniform(0.5, 1), reason)
                await connection.close()
                return
            result = effect.failed(reason)
        await self.bring(row, result)
