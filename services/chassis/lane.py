"""The life of a batch, top to bottom: receive, read, fold, write, publish, commit.

A lane alone writes and publishes for its cases: it owns their partition number under an epoch, and a write under an
older one is refused. The receipt of a record is its inbox and outbox in one row. So whenever it crashes, the next owner
first publishes what was written last, under the same ids; then records come again, and those with a receipt are done.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from random import uniform
from time import time_ns
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from contracts.envelope import MOST_BYTES, Arrival, Record
from services.chassis import store, tracing
from services.chassis.again import in_order_of_time, parked_again
from services.chassis.fold import Fold, Output, told_by
from services.chassis.handlers import Redrive
from services.chassis.runtime import Runtime
from services.chassis.state import Case, State

TRIES, TRIES_ALONE, UNACKNOWLEDGED = 3, 20, 60.0
"""How often a conflict is read again: by a batch, which is then halved, and by a record alone. And seconds after which
the broker, which has acknowledged nothing, is tried by another producer: this one would wait for ever."""


class Lane:
    """Works off the records of the partitions with its number, one batch at a time."""

    def __init__(self, number: int, runtime: Runtime) -> None:
        self.name, self.runtime = f"lane {number}", runtime
        self.queue: deque[Record] = deque()
        self.filled, self.idle = asyncio.Event(), asyncio.Event()
        self.idle.set()
        states = runtime.handlers.states
        self.reading, self.writing = store.read_statement(states), store.write_statement(states)
        self.locking = store.read_statement(states, runtime.handlers.locked)
        self.connection: asyncpg.Connection
        self.connected = False
        self.epochs: dict[int, int] = {}
        """By partition number: under which epoch this lane owns it."""
        self.unowned: set[int] = set()
        """The partition numbers that it must take over before it goes on."""
        self.ends: dict[TopicPartition, int] = {}
        self.published: asyncio.Queue[dict[TopicPartition, int]] = asyncio.Queue()
        """How far this batch goes; how far batches went that are published, whose offsets are not committed yet."""
        self.untold: list[UUID] = []
        """The receipts of this batch whose outputs are written and not yet published, in the order of decision."""

    async def run(self) -> None:
        """Work until cancelled. An error of the broker, or another owner, ends the lane; its worker starts anew."""
        try:
            while True:
                if not self.queue and not self.unowned:
                    self.filled.clear()
                    self.idle.set()
                    await self.filled.wait()
                self.idle.clear()
                size = min(len(self.queue), self.runtime.settings.batch)
                await self.patiently([self.queue.popleft() for _ in range(size)])
        finally:
            self.drop_connection()
            self.runtime.missing.pop(f"database of {self.name}", None)  # nobody is left to say that it answers

    async def patiently(self, records: Sequence[Record]) -> None:
        """One batch, anew for as long as the database is away: what was written meanwhile has its receipts."""
        while True:
            try:
                if not self.connected:
                    self.connection = await store.connect(self.runtime.settings.database)
                    self.connected = True
                for part in sorted(self.unowned):
                    await self.take_over(part)
                if records:
                    await self.work(records)
            except store.REPLACED:
                raise
            except store.AWAY as away:
                self.drop_connection()
                await self.runtime.database_away(self.name, away)
            else:
                self.runtime.database_here(self.name)
                return

    async def take_over(self, part: int) -> None:
        """Become the owner of a partition number: from here on nobody else can write for it.

        What was written last, by whomever, and perhaps not published, is published before anything new is decided.
        What is committed and was not reached (the database is an older copy) is decided again.
        """
        again, consumer, topics = part in self.epochs, self.runtime.consumer, self.runtime.handlers.topics
        self.epochs[part], untold = await self.connection.fetchrow(store.TAKE_OVER, part) or (0, ())
        reached = {row["topic"]: row["next_offset"] for row in await self.connection.fetch(store.REACHED, part)}
        places = {TopicPartition(topic, part) for topic in (*reached, *topics)}
        committed = {place: await consumer.committed(place) or 0 for place in places}
        if any(committed[place] != reached.get(place.topic, 0) for place in places):
            receipts = await self.connection.fetch(store.UNTOLD, untold)
            told = (told_by(self.runtime, orjson.loads(receipt["record"])) for receipt in receipts)
            await self.publish([output for outputs in told for output in outputs])
        stretch = ((place, reached.get(place.topic, 0), committed[place]) for place in consumer.assignment() & places)
        behind = {place: (begin, end) for place, begin, end in stretch if begin < end}
        if behind and again:  # what is queued comes later
            raise KafkaError("the database may have been replaced by an older copy: beginning anew")
        async for records in in_order_of_time(self.runtime.settings.broker, behind, self.runtime.settings.batch):
            await self.work(records, committed=True)
        self.unowned.discard(part)

    async def work(self, records: Sequence[Record], *, committed: bool = False) -> None:
        """One batch, from its records to their committed offsets; they may be so already."""
        self.untold, self.ends = [], {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}
        arrivals, misplaced = self.receive(records)
        batch, outputs = list[Arrival](), list[Output]()
        for arrival in arrivals:
            if isinstance(arrival.message, Redrive):  # it must find in the database what is set aside before it
                outputs += await self.settle(batch)
                rows = await self.connection.fetch(store.REDRIVE, arrival.message.parked_case)
                batch = [arrival, *parked_again(rows, arrival.message, self.runtime.codec)]
            else:
                batch.append(arrival)
        outputs += await self.settle(batch)
        if not arrivals:  # nothing that is heard here; how far it was read is written all the same
            await self.write(Fold(self.runtime, None, *(None for _ in self.runtime.handlers.states)))
        await self.publish([*misplaced, *outputs])
        if not committed:
            self.published.put_nowait(self.ends)

    def receive(self, records: Sequence[Record]) -> tuple[list[Arrival], list[Output]]:
        """Decode each record once. One on another partition than its case's (a foreign producer's) goes to that one."""
        arrivals, misplaced = [], []
        for record in records:
            if (arrival := self.runtime.codec.receive(record)) is None:
                continue
            home, value = self.runtime.partition_of(arrival.case), record.value or b""
            if arrival.message is not None and home != record.partition and len(value) <= MOST_BYTES:
                misplaced.append(Output(arrival.id, record.topic, home, arrival.case, value, list(record.headers)))
            else:
                arrivals.append(arrival)
        return arrivals, misplaced

    async def settle(self, arrivals: list[Arrival], culprit: str = "") -> list[Output]:
        """Read, fold and write until it holds; returns what to publish.

        A conflict is read again. One that stays, or a value that the database refuses, halves the batch down to the
        record that brings it; that one is set aside, with `culprit` as the reason.
        """
        if not arrivals:
            return []
        error: Exception | None = None
        for tried in range(1, 1 + (TRIES_ALONE if len(arrivals) == 1 else TRIES)):
            try:
                return await self.attempt(arrivals, culprit)
            except (*store.CONFLICTS, *store.REFUSALS) as refused:
                error = refused
                if not isinstance(refused, store.CONFLICTS):
                    break
                await asyncio.sleep(uniform(0, 0.01) * 2 ** min(tried, 6))
        if culprit:
            raise RuntimeError(f"the record {arrivals[0].id} cannot even be parked ({culprit})") from error
        if len(arrivals) == 1:
            return await self.settle(arrivals, f"the database refused it: {error}")
        middle = len(arrivals) // 2
        return await self.settle(arrivals[:middle]) + await self.settle(arrivals[middle:])

    async def attempt(self, arrivals: list[Arrival], culprit: str) -> list[Output]:
        """One try: a transaction of four round trips when shared rows are locked, else two statements."""
        started, locks = time_ns(), self.runtime.handlers.locking
        locking = any(arrival.message and arrival.message.type in locks for arrival in arrivals)
        async with self.connection.transaction() if locking else nullcontext():
            fold = Fold(self.runtime, *await self.read(arrivals, locking, culprit))
            for arrival in arrivals:
                fold.take(arrival, culprit or arrival.error)
            await self.write(fold)
        self.untold += fold.told
        fold.settled(started)
        return fold.outputs

    async def read(self, arrivals: list[Arrival], locking: bool, culprit: str) -> Sequence[Any]:
        """Receipts, and every row the batch needs, in one statement. Of a culprit, its case alone."""
        wanted: dict[type[State[Any]], dict[Any, None]] = {state: {} for state in self.runtime.handlers.states}
        for arrival in arrivals:
            wanted[Case][arrival.case] = None
            if arrival.message is not None and not culprit:
                for rows in self.runtime.handlers.rows_of[arrival.message.type]:
                    with suppress(ValueError, LookupError):  # the fold meets the same error, and sets the record aside
                        wanted[rows.state].update(dict.fromkeys(rows.wanted(arrival.message)))
        statement, ids = self.locking if locking else self.reading, [arrival.id for arrival in arrivals]
        return tuple(await self.connection.fetchrow(statement, ids, *map(list, wanted.values())) or ())

    async def write(self, fold: Fold) -> None:
        """All that was decided, in one statement: all of it or nothing. `REPLACED` when another is the owner now."""
        parts, untold = {place.partition for place in self.ends}, [*self.untold, *fold.told]
        owned = [{"part": part, "epoch": self.epochs.get(part, 0), "untold": untold} for part in parts]
        reached = [{"topic": p.topic, "part": p.partition, "next_offset": end} for p, end in self.ends.items()]
        await self.connection.fetchval(self.writing, *fold.arguments(reached, owned))

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Every output to its case's partition, in order; returns once all are acknowledged."""
        groups: dict[tuple[str, int], deque[Output]] = {}
        for output in outputs:
            groups.setdefault((output.topic, output.partition), deque()).append(output)
        sent = []
        with tracing.CLIENT.labels("kafka", "send").time() if outputs else nullcontext():
            for (topic, partition), waiting in groups.items():
                while waiting:
                    builder = self.runtime.producer.create_batch()
                    while waiting and waiting[0].into(builder):
                        waiting.popleft()
                    builder.close()
                    sent.append(await self.runtime.producer.send_batch(builder, topic, partition=partition))
            if sent and (await asyncio.wait(sent, timeout=UNACKNOWLEDGED))[1]:
                raise KafkaError(f"what was published is not acknowledged within {UNACKNOWLEDGED:g} s")
            await asyncio.gather(*sent)

    async def commits(self) -> None:
        """Commit the offsets of what is published, beside the next batch, until cancelled."""
        while True:
            ends = [await self.published.get(), *(self.published.get_nowait() for _ in range(self.published.qsize()))]
            await self.commit({place: end for batch in ends for place, end in batch.items()})
            for _ in ends:
                self.published.task_done()

    async def commit(self, ends: dict[TopicPartition, int]) -> None:
        """Commit the offsets: the only mark of what is done. A failure is harmless, the records come again."""
        mine = self.runtime.consumer.assignment()
        try:
            with tracing.CLIENT.labels("kafka", "commit").time():
                await self.runtime.consumer.commit({place: end for place, end in ends.items() if place in mine})
        except (CommitFailedError, IllegalStateError) as error:
            self.runtime.log.info("offsets not committed, the records will come again", reason=str(error))

    def drop_connection(self) -> None:
        """Close a connection that may be broken. Whether its last write counts is uncertain: it is taken over anew."""
        if self.connected:
            self.connection.terminate()
            self.connected = False
        self.unowned |= self.epochs.keys()
