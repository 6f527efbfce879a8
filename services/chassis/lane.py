"""The life of a batch, top to bottom: receive, read, fold, write, publish, commit.

A lane is the only writer and the only publisher of its cases. The receipt of a record is its inbox and outbox in one row, so whatever
crashes at whichever step, the records come again, find their receipts, and the same outputs are published under the same ids.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import uniform
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from contracts.envelope import Arrival, Headers, Record
from services.chassis import tracing
from services.chassis.fold import Fold, HandlerFailed, Output
from services.chassis.handlers import Redrive
from services.chassis.runtime import Runtime
from services.chassis.state import State
from services.chassis.store import AWAY, CONFLICTS, REDRIVE, REFUSALS, Case, connect, read_statement, write_statement

TRIES = 3
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
        self.number, self.runtime = number, runtime
        self.queue: deque[Record] = deque()
        self.filled = asyncio.Event()
        self.idle = asyncio.Event()
        self.states: list[type[State[Any]]] = [Case, *(state for state in runtime.handlers.states if state is not Case)]
        self.reading, self.writing = read_statement(self.states), write_statement(self.states)
        self.locking = read_statement(self.states, runtime.handlers.locked)
        self.connection: asyncpg.Connection | None = None

    async def run(self) -> None:
        """Work until cancelled. A database that is away is waited for; an error of the broker ends the lane, and its worker starts anew."""
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

    async def work(self, records: Sequence[Record]) -> None:
        """One batch, from its records to their committed offsets."""
        arrivals, misplaced = self.receive(records)
        if any(isinstance(arrival.message, Redrive) for arrival in arrivals):
            arrivals = await self.patiently(self.with_parked, arrivals)
        outputs = await self.settle(arrivals, {}) if arrivals else []
        await self.publish([*misplaced, *outputs])
        await self.commit(records)

    def receive(self, records: Sequence[Record]) -> tuple[list[Arrival], list[Output]]:
        """Decode each record once. One on another partition than its case's (a foreign producer) goes to the right one instead."""
        arrivals, misplaced = [], []
        for record in records:
            arrival = self.runtime.codec.receive(record)
            if arrival is None:
                continue
            home = self.runtime.partition_of(arrival.case)
            if arrival.message is not None and home != record.partition:
                misplaced.append(
                    Output(arrival.id, record.topic, home, arrival.case, record.value or b"", list(record.headers))
                )
            else:
                arrivals.append(arrival)
        return arrivals, misplaced

    async def with_parked(self, arrivals: list[Arrival]) -> list[Arrival]:
        """Behind each redrive the parked records of its case, in order: the fold meets them as if they arrived now."""
        expanded: list[Arrival] = []
        for arrival in arrivals:
            expanded.append(arrival)
            if isinstance(arrival.message, Redrive):
                for row in await (await self.connected()).fetch(REDRIVE, arrival.message.parked_case):
                    parked = self.runtime.codec.receive(
                        Stored(row["topic"], row["part"], row["off"], row["value"], arrival.case.encode())
                    )
                    if parked is not None:
                        parked.parked = True
                        expanded.append(parked)
        return expanded

    async def settle(self, arrivals: list[Arrival], culprits: dict[UUID, str]) -> list[Output]:
        """Read, fold and write until it holds; returns what to publish.

        A handler that fails sets its record aside. A conflict is read again, three times; then, or when the database refuses a value,
        the batch is halved down to the culprit.
        """
        tries, error = 0, ""
        while tries < TRIES:
            try:
                return await self.patiently(self.attempt, arrivals, culprits)
            except HandlerFailed as failure:
                culprits[failure.arrival.id] = failure.reason
            except CONFLICTS as conflict:
                tries, error = tries + 1, str(conflict)
                await asyncio.sleep(uniform(0, 0.01) * tries)
            except REFUSALS as refusal:
                tries, error = TRIES, str(refusal)
        if len(arrivals) == 1:
            return await self.settle(arrivals, {arrivals[0].id: f"the database refused it: {error}"})
        middle = len(arrivals) // 2
        return await self.settle(arrivals[:middle], culprits) + await self.settle(arrivals[middle:], culprits)

    async def attempt(self, arrivals: list[Arrival], culprits: dict[UUID, str]) -> list[Output]:
        """One try: a transaction of four round trips when shared rows are locked, else two statements."""
        connection = await self.connected()
        started = tracing.now()
        if any(arrival.message and arrival.message.type in self.runtime.handlers.locking for arrival in arrivals):
            async with connection.transaction():
                fold = self.fold(arrivals, await self.read(connection, arrivals, self.locking), culprits)
                await self.write(connection, fold)
        else:
            fold = self.fold(arrivals, await self.read(connection, arrivals, self.reading), culprits)
            await self.write(connection, fold)
        self.runtime.settled(fold.decided, started)
        return fold.outputs

    async def read(self, connection: asyncpg.Connection, arrivals: list[Arrival], statement: str) -> Sequence[Any]:
        """Receipts, and every row the batch needs, in one statement."""
        wanted: dict[type[State[Any]], dict[Any, None]] = {state: {} for state in self.states}
        for arrival in arrivals:
            wanted[Case][arrival.case] = None
            if arrival.message is not None:
                for rows in self.runtime.handlers.rows_of[arrival.message.type]:
                    wanted[rows.state].update(dict.fromkeys(rows.wanted(arrival.message)))
        ids = [arrival.id for arrival in arrivals]
        found = await connection.fetchrow(statement, ids, *(list(keys) for keys in wanted.values()))
        return tuple(found or ())

    def fold(self, arrivals: list[Arrival], found: Sequence[Any], culprits: dict[UUID, str]) -> Fold:
        """Decide about each arrival, in order, in memory."""
        fold = Fold(self.runtime, self.states, found)
        for arrival in arrivals:
            fold.take(arrival, culprits.get(arrival.id, arrival.error))
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
            waiting = group[::-1]
            while waiting:
                builder = self.runtime.producer.create_batch()
                while waiting and _append(builder, waiting[-1]):
                    waiting.pop()
                if not builder.record_count():
                    raise ValueError(
                        f"{topic}: a record of {len(waiting[-1].value)} bytes is larger than a batch may be"
                    )
                builder.close()
                sent.append(await self.runtime.producer.send_batch(builder, topic, partition=partition))
        await asyncio.gather(*sent)

    async def commit(self, records: Sequence[Record]) -> None:
        """Commit the offsets: the only mark of what is done. A failure is harmless, the records come again and find their receipts."""
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
                await self.runtime.database_away(f"lane {self.number}", away)
            else:
                self.runtime.database_here(f"lane {self.number}")
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
    return (
        builder.append(key=output.case.encode(), value=output.value, timestamp=None, headers=output.headers) is not None
    )
