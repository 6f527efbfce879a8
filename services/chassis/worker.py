"""The worker: fetches records for the lanes, and brings due timers and finished effects to the inbox.

It starts anew when the broker fails.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from heapq import merge
from random import uniform
from time import time
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from contracts import value_chain
from contracts.envelope import source_of
from contracts.event import Command
from services.chassis import tracing
from services.chassis.lane import Lane
from services.chassis.outputs import Effect
from services.chassis.runtime import LAG, OLDEST, Runtime
from services.chassis.store import ATTEMPT_FAILED, AWAY, BROUGHT, CLAIM, HOUSEKEEPING, NEXT_DUE

Perform = Callable[[Any, UUID], Awaitable[Command]]
"""Does an effect outside, under an id that stays the same over its repetitions; returns the command that tells the
activity how it went."""
Effects = Mapping[type[Effect], Perform]
"""What does each kind of effect."""
MOST_ATTEMPTS = 10
FETCH = 500
"""Most records in one fetch; a lane that has more than that in its queue gets no others, so it has at most twice."""
WRITING = {"enable_idempotence": True, "acks": "all", "max_batch_size": 1_000_000, "request_timeout_ms": 15_000}
READING: dict[str, Any] = {"enable_auto_commit": False, "auto_offset_reset": "earliest", "fetch_max_wait_ms": 100}
READING |= {"partition_assignment_strategy": (RangePartitionAssignor,)}
"""How records are produced and consumed; assigned are the same partition numbers of all topics together."""
LEASE, STALLED_AFTER = 30.0, 30.0
STARTING, WATCHING, FINISHING, LEAVING = 30.0, 2.0, 5.0, 5.0
"""Seconds: what is due is not claimed again; the consumer may stand still; to connect and join the group; between two
looks at the broker; for the lanes to finish, before others get their partitions; and for the clients to leave."""


class Worker(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs one service's lanes over one consumer."""

    def __init__(self, runtime: Runtime, effects: Effects) -> None:
        self.runtime, self.effects, self.stopping = runtime, effects, asyncio.Event()
        self.kinds = {**runtime.handlers.messages, **{effect.name: effect for effect in effects}}
        self.lanes: list[Lane] = []

    async def run(self) -> None:
        """Work until `stopping` is set. Whatever the broker does, the worker comes back; nothing is lost meanwhile."""
        gc.collect()
        gc.freeze()  # batches live and die together: the cycle collector finds nothing in them
        gc.set_threshold(200_000, 50, 1000)
        while not self.stopping.is_set():
            try:
                await self.session()
            except* (KafkaError, *AWAY) as errors:
                error: BaseException = errors
                while isinstance(error, BaseExceptionGroup):
                    error = error.exceptions[0]
                reason = self.runtime.missing["broker"] = f"{type(error).__name__}: {str(error) or 'no answer in time'}"
                self.runtime.log.warning("the broker cannot be used; starting anew", reason=reason)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), uniform(0.3, 1.0))

    async def session(self) -> None:
        """From connecting to the broker to losing it, or to a clean stop."""
        runtime, settings = self.runtime, self.runtime.settings
        group: dict[str, Any] = {"group_id": runtime.group, "group_instance_id": runtime.member}
        producer = runtime.producer = AIOKafkaProducer(**settings.broker, **WRITING)
        consumer = runtime.consumer = AIOKafkaConsumer(**settings.broker, **group, **READING)
        self.lanes = [Lane(number, runtime) for number in range(min(settings.lanes, settings.partitions))]
        try:
            async with asyncio.timeout(STARTING):  # aiokafka itself may wait for its group for ever
                await producer.start()
                await self.check_topics(producer)
                consumer.subscribe(runtime.handlers.topics, listener=self)
                await consumer.start()
            runtime.missing.pop("broker", None)
            async with asyncio.TaskGroup() as tasks:
                lanes = (job for lane in self.lanes for job in (lane.run(), lane.commits()))
                running = [tasks.create_task(job) for job in (*lanes, self.bring_due(), self.watch())]
                await self.fetch()
                await self.finish()
                for task in running:
                    task.cancel()
        finally:
            runtime.missing["assignment"] = "no partitions yet"
            leaving = (asyncio.wait_for(client.stop(), LEAVING) for client in (consumer, producer))
            await asyncio.gather(*leaving, return_exceptions=True)

    async def check_topics(self, producer: AIOKafkaProducer) -> None:
        """Every topic must be there, with the number of partitions that the lanes count on."""
        wanted = self.runtime.settings.partitions
        told = {flow.topic for flow in self.runtime.handlers.tells.values()}
        for topic in sorted({*self.runtime.handlers.topics, *told, value_chain.dead_letters(self.runtime.activity)}):
            if (found := len(await producer.partitions_for(topic))) != wanted:
                raise KafkaError(f"{topic} has {found} partitions, not {wanted}: mend it, or set SVC_PARTITIONS")

    async def fetch(self) -> None:
        """Hand records to the lanes by partition number, those of different topics in the order of time.

        What is for a full lane stays where it is, and the others go on. It is not paused: the client would throw away
        what it has fetched, and fetch it again.
        """
        consumer = self.runtime.consumer
        while not self.stopping.is_set():
            if all(len(self.lane_of(place).queue) > FETCH // 20 for place in consumer.assignment()):
                await asyncio.sleep(0.01)  # none waits for more: what comes meanwhile is fetched at once
            mine = consumer.assignment()
            consumer.resume(*(p for p in consumer.paused() if p.partition not in self.lane_of(p).unowned))
            places = [place for place in mine if len(self.lane_of(place).queue) <= FETCH]
            if mine and not places:
                continue
            patience = 200 if len(places) == len(mine) else 10  # milliseconds: a lane that is free again is soon fed
            fetched = await consumer.getmany(*places, timeout_ms=patience, max_records=FETCH)
            for lane in {self.lane_of(place) for place in fetched}:
                streams = (records for place, records in fetched.items() if self.lane_of(place) is lane)
                lane.queue.extend(merge(*streams, key=lambda record: record.timestamp))
                lane.filled.set()

    def lane_of(self, place: TopicPartition) -> Lane:
        """The lane of a partition: the same number in every topic."""
        return self.lanes[int(place.partition) % len(self.lanes)]

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """All are: drop what is queued, the next owner gets it, and let the batches in progress come to their end."""
        self.runtime.missing["assignment"] = "partitions are being assigned anew"
        for lane in self.lanes:
            lane.queue.clear()
        await self.finish()
        for lane in self.lanes:  # a batch that is still in progress can no longer be written
            lane.epochs, lane.unowned = {}, set()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Ready for work, once the lanes have taken them over. A replica beyond the number of partitions stands by."""
        self.runtime.consumer.pause(*assigned)
        for place in assigned:
            self.lane_of(place).unowned.add(place.partition)
            self.lane_of(place).filled.set()
        self.runtime.missing.pop("assignment", None)

    async def finish(self) -> None:
        """Wait for the lanes to have nothing to do, not longer than other members of the group can wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISHING):
                for lane in self.lanes:
                    await lane.idle.wait()
                    await lane.published.join()

    async def watch(self) -> None:
        """Notice a broker that is away or a consumer that has stalled; show the lag, and how old what waits is."""
        consumer, clock = self.runtime.consumer, asyncio.get_running_loop().time
        last, moved = dict[TopicPartition, int](), clock()
        while True:
            await asyncio.sleep(WATCHING)
            async with asyncio.timeout(10):
                await consumer.topics()
                positions: dict[TopicPartition, int] = {}
                with suppress(IllegalStateError):  # partitions are just being assigned anew
                    positions = {p: await consumer.position(p) for p in consumer.assignment() - consumer.paused()}
                # asked of the broker: whoever fetches nothing would not know
                ends = await consumer.end_offsets(list(positions))
            behind = {place: ends[place] - position for place, position in positions.items()}
            waiting = {(r.topic, r.partition): r.timestamp / 1000 for lane in self.lanes for r in reversed(lane.queue)}
            for place, lag in behind.items():
                LAG.labels(place.topic, place.partition).set(max(0, lag))
                OLDEST.labels(place.topic, place.partition).set(max(0, time() - waiting.get(place, time())))
            if positions != last or not any(lag > 0 and not self.lane_of(p).queue for p, lag in behind.items()):
                last, moved = positions, clock()
            elif clock() - moved > STALLED_AFTER:
                raise KafkaError(f"nothing fetched for {STALLED_AFTER:.0f} s although records wait")

    async def bring_due(self) -> None:
        """Claim what is due and bring it to the inbox: timers at once, each effect once it is done."""
        runtime, settings = self.runtime, self.runtime.settings
        async with asyncio.TaskGroup() as tasks:
            while True:
                runtime.timers_changed.clear()
                try:
                    if settings.centres or settings.keep_receipts:
                        limits = (orjson.dumps(settings.centres), settings.keep_receipts)
                        await runtime.pool.execute(HOUSEKEEPING, runtime.clock.now(), *limits, timeout=10)
                    claimed = await runtime.pool.fetch(CLAIM, runtime.clock.now(), LEASE, timeout=10)
                    effects = ([row] for row in claimed if row["effect"])
                    for rows in ([row for row in claimed if not row["effect"]], *effects):
                        tasks.create_task(self.bring(rows))
                    next_due = await runtime.pool.fetchval(NEXT_DUE, timeout=10)
                    runtime.database_here("timers")
                    wait = min(1.0, runtime.clock.seconds_until(next_due) if next_due else 1.0)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(runtime.timers_changed.wait(), wait)
                except AWAY as away:
                    await runtime.database_away("timers", away)

    async def bring(self, rows: list[asyncpg.Record]) -> None:
        """Produce the commands of what is due, each under its own id, and forget those that are acknowledged.

        One that is brought again (its row was not deleted in time) finds its receipt.
        """
        ready = [(row, command) for row in rows if (command := await self.outcome(row)) is not None]
        await asyncio.gather(*(self.produce(row, command) for row, command in ready))
        if ready:
            with suppress(*AWAY):
                await self.runtime.pool.execute(BROUGHT, [row["id"] for row, _ in ready], timeout=10)
            self.runtime.timers_changed.set()  # whoever did the work is free for the next

    async def outcome(self, row: asyncpg.Record) -> Command | None:
        """The command that a timer holds, or that tells how an effect outside went; None when that is tried again.

        A failure is repeated later and later, with jitter; at last the activity is told that the effect was given up.
        A timer that this version cannot read stays, with its error, until one that can.
        """
        what: Any = None
        try:
            what = self.kinds[row["type"]].model_validate_json(row["data"], extra="ignore")
            if isinstance(what, Command):
                return what
            return await asyncio.wait_for(self.effects[type(what)](what, row["id"]), LEASE / 2)
        except Exception as error:  # noqa: BLE001 - whatever happens outside is retried, recorded, and in the end given up
            reason, pause = f"{type(error).__name__}: {error}", 2 ** min(row["attempts"], 12) * uniform(0.5, 1)
            if isinstance(what, Effect) and row["attempts"] >= MOST_ATTEMPTS:
                return what.failed(reason)
            span = tracing.parse_traceparent(orjson.loads(row["context"]).get("traceparent"))
            words = {"what": row["type"], "attempt": row["attempts"], "demand_id": row["case_id"], **tracing.ids(span)}
            self.runtime.log.warning("what is due failed", reason=reason, **words)
            with suppress(*AWAY):  # PostgreSQL is away: it is tried again when the lease has ended
                await self.runtime.pool.execute(ATTEMPT_FAILED, row["id"], pause, reason, timeout=10)
            return None

    async def produce(self, row: asyncpg.Record, command: Command) -> None:
        """Put a command on the inbox under its row's id: a timer is told when it was due, a result now."""
        words, at = orjson.loads(row["context"]), self.runtime.clock.now() if row["effect"] else row["due"]
        await self.runtime.to_inbox(command, id=row["id"], source=source_of(self.runtime.activity), time=at, **words)
