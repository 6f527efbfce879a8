"""The life of a batch, top to bottom: receive, read, fold, write, publish, commit.

A lane is the only writer and the only publisher of its cases. The receipt of a record is its inbox and outbox in one
row, so whatever crashes at whichever step, the records come again, find their receipts, and the same outputs are
published under the same ids.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from random import uniform
from time import time_ns
from typing import Any, TypeVar

import asyncpg
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from contracts.envelope import MOST_BYTES, Arrival, Headers, Record
from services.chassis import store
from services.chassis.fold import Fold, Output
from services.chassis.handlers import Redrive
from services.chassis.runtime import Runtime
from services.chassis.state import State
from services.chassis.store import AWAY, CONFLICTS, REDRIVE, REDRIVEN, REFUSALS, Case, connect

TRIES, TRIES_ALONE = 3, 20
"""How often a conflict is read again: by a batch, which is then halved, and by a record alone."""
Result = TypeVar("Result")


@dataclass(slots=True)
class Stored:
    """A parked record, as the record it was."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    key: bytes | None
    timestamp: int = 0
    headers: Headers = ()


class Lane:
    """Works off the records of the partitions with its number, one batch at a time."""

    def __init__(self, number: int, runtime: Runtime) -> None:
        self.name, self.runtime = f"lane {number}", runtime
        self.queue: deque[Record] = deque()
        self.filled = asyncio.Event()
        self.idle = asyncio.Event()
        self.states: list[type[State[Any]]] = [Case, *(state for state in runtime.handlers.states if state is not Case)]
        self.reading, self.writing = store.read_statement(self.states), store.write_statement(self.states)
        self.locking = store.read_statement(self.states, runtime.handlers.locked)
        self.connection: asyncpg.Connection | None = None

    async def run(self) -> None:
        """Work until cancelled.

        A database that is away is waited for; an error of the broker ends the lane, and its worker starts anew.
        """
        try:
            while True:
                if not self.queue:
                    self.filled.clear()
                    self.idle.set()
                    await self.filled.wait()
                self.idle.clear()
                size = min(len(self.queue), self.runtime.settings.batch)
                await self.work([self.queue.popleft() for _ in range(size)])
        finally:
            self.drop_connection()
            self.runtime.missing.pop(f"database of {self.name}", None)  # nobody is left to say that it answers

    async def work(self, records: Sequence[Record]) -> None:
        """One batch, from its records to their committed offsets."""
        arrivals, misplaced = self.receive(records)
        outputs: list[Output] = []
        batch: list[Arrival] = []
        redriven: list[str] = []
        for arrival in arrivals:
            if isinstance(arrival.message, Redrive):  # it must find in the database what is set aside before it
                outputs += await self.settle(batch)
                batch = [arrival, *await self.patiently(self.parked, arrival.message)]
                redriven.append(arrival.message.parked_case)
            else:
                batch.append(arrival)
        outputs += await self.settle(batch)
        await self.publish([*misplaced, *outputs])
        if redriven:
            await self.patiently(self.unpark, redriven)
        await self.commit(records)

    def receive(self, records: Sequence[Record]) -> tuple[list[Arrival], list[Output]]:
        """Decode each record once. One on another partition than its case's (a foreign producer's) goes to that one."""
        arrivals, misplaced = [], []
        for record in records:
            if (arrival := self.runtime.codec.receive(record)) is None:
                continue
            home, value = self.runtime.partition_of(arrival.case), record.value or b""
            if arrival.message is not None and home != record.partition and len(value) <= MOST_BYTES:
                headers = list(record.headers)
                misplaced.append(Output(arrival.id, record.topic, home, arrival.case, value, headers))
            else:
                arrivals.append(arrival)
        return arrivals, misplaced

    async def parked(self, redrive: Redrive) -> list[Arrival]:
        """The parked records of a redrive's case, in order: the fold meets them behind it, as if they arrived now.

        Those of a redrive that comes again are there too until its outputs are published; they have their receipts.
        """
        arrivals = []
        for row in await (await self.connected()).fetch(REDRIVE, redrive.parked_case):
            record = Stored(row["topic"], row["part"], row["off"], row["value"], redrive.parked_case.encode())
            if arrival := self.runtime.codec.receive(record):
                arrival.parked = True
                arrival.discarded = (redrive.reason or "no reason given") if arrival.id == redrive.discard else ""
                arrivals.append(arrival)
        return arrivals

    async def unpark(self, cases: list[str]) -> None:
        """Delete the parked rows that were redriven: their outputs are published."""
        await (await self.connected()).execute(REDRIVEN, cases)

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
                return await self.patiently(self.attempt, arrivals, culprit)
            except CONFLICTS as conflict:
                error = conflict
                await asyncio.sleep(uniform(0, 0.01) * 2 ** min(tried, 6))
            except REFUSALS as refusal:
                error = refusal
                break
        if culprit:
            raise RuntimeError(f"the record {arrivals[0].id} cannot even be parked ({culprit})") from error
        if len(arrivals) == 1:
            return await self.settle(arrivals, f"the database refused it: {error}")
        middle = len(arrivals) // 2
        return await self.settle(arrivals[:middle]) + await self.settle(arrivals[middle:])

    async def attempt(self, arrivals: list[Arrival], culprit: str) -> list[Output]:
        """One try: a transaction of four round trips when shared rows are locked, else two statements."""
        connection, started = await self.connected(), time_ns()
        locks = self.runtime.handlers.locking
        locking = any(arrival.message and arrival.message.type in locks for arrival in arrivals)
        async with connection.transaction() if locking else nullcontext():
            statement = self.locking if locking else self.reading
            fold = self.fold(arrivals, await self.read(connection, arrivals, statement, culprit), culprit)
            await self.write(connection, fold)
        self.runtime.settled(fold.decided, started)
        return fold.outputs

    async def read(
        self, connection: asyncpg.Connection, arrivals: list[Arrival], statement: str, culprit: str
    ) -> Sequence[Any]:
        """Receipts, and every row the batch needs, in one statement. Of a culprit, its case alone."""
        wanted: dict[type[State[Any]], dict[Any, None]] = {state: {} for state in self.states}
        for arrival in arrivals:
            wanted[Case][arrival.case] = None
            if arrival.message is not None and not culprit:
                for rows in self.runtime.handlers.rows_of[arrival.message.type]:
                    with suppress(ValueError, LookupError):  # the fold meets the same error, and sets the record aside
                        wanted[rows.state].update(dict.fromkeys(rows.wanted(arrival.message)))
        ids = [arrival.id for arrival in arrivals]
        found = await connection.fetchrow(statement, ids, *(list(keys) for keys in wanted.values()))
        return tuple(found or ())

    def fold(self, arrivals: list[Arrival], found: Sequence[Any], culprit: str) -> Fold:
        """Decide about each arrival, in order, in memory."""
        fold = Fold(self.runtime, self.states, found)
        for arrival in arrivals:
            fold.take(arrival, culprit or arrival.error)
        return fold

    async def write(self, connection: asyncpg.Connection, fold: Fold) -> None:
        """Everything the batch decided, in one statement: all of it or nothing."""
        if fold.receipts or fold.parked:
            await connection.fetchval(self.writing, *fold.arguments())

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Every output to its case's partition, in order; returns once all are acknowledged."""
        groups: dict[tuple[str, int], list[Output]] = {}
        for output in outputs:
            groups.setdefault((output.topic, output.partition), []).append(output)
        sent = []
        for (topic, partition), group in groups.items():
            waiting = deque(group)
            while waiting:
                builder = self.runtime.producer.create_batch()
                while waiting and _append(builder, waiting[0]):
                    waiting.popleft()
                if not builder.record_count():
                    raise ValueError(f"{topic}: {len(waiting[0].value)} bytes are more than a batch may have")
                builder.close()
                sent.append(await self.runtime.producer.send_batch(builder, topic, partition=partition))
        await asyncio.gather(*sent)

    async def commit(self, records: Sequence[Record]) -> None:
        """Commit the offsets: the only mark of what is done. A failure is harmless, the records come again."""
        ends = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        mine = self.runtime.consumer.assignment()
        try:
            await self.runtime.consumer.commit({place: offset for place, offset in ends.items() if place in mine})
        except (CommitFailedError, IllegalStateError) as error:
            self.runtime.log.info("offsets not committed, the records will come again", reason=str(error))

    async def patiently(self, step: Callable[..., Awaitable[Result]], *arguments: object) -> Result:
        """A step that needs the database, repeated for as long as the database is away."""
        while True:
            try:
                result = await step(*arguments)
            except (*CONFLICTS, *REFUSALS):
                raise
            except AWAY as away:
                self.drop_connection()
                await self.runtime.database_away(self.name, away)
            else:
                self.runtime.database_here(self.name)
                return result

    async def connected(self) -> asyncpg.Connection:
        """This lane's connection."""
        if self.connection is None or self.connection.is_closed():
            self.connection = await connect(self.runtime.settings.database)
        return self.connection

    def drop_connection(self) -> None:
        """Close a connection that may be broken."""
        if self.connection is not None:
            self.connection.terminate()
            self.connection = None


def _append(builder: Any, output: Output) -> bool:
    key, value, headers = output.case.encode(), output.value, output.headers
    return builder.append(key=key, value=value, timestamp=None, headers=headers) is not None
