"""Where workers are measured: a Kafka and a PostgreSQL of the bench's own, and one worker at a time on them.

A worker's clock starts when its first events are done (committed offsets are seen), so that starting up, importing
and joining the group count for nobody, and stops when it has done all that it is given.
"""

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.value_chain import DELIVER_SUPPORT
from svc.bench import backlog
from svc.machine import Home, Machine
from svc.machine.process import Child
from svc.migrations import begin_at, migrate
from svc.terminal import Terminal
from svc.topics import PARTITIONS, create_topics
from svc.trouble import Trouble

ROOT = Path(__file__).parents[2]
NOTHING: Mapping[str, object] = {}
GLANCE = 0.02
"""Seconds between two looks at how far a worker is."""
PATIENCE = 120.0
"""Seconds in which a worker must get on."""
WAL = """SELECT (SELECT wal_bytes FROM pg_stat_wal)::bigint AS wal_bytes,
(SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal')::bigint AS wal_flushes"""
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'"
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = $1"


class Backlog(NamedTuple):
    """Events in the topic, and a database that has the rows which they find."""

    size: int
    begins: Mapping[TopicPartition, int]
    template: str
    bytes: int
    """Of one event, on average."""


class Moment(NamedTuple):
    """How far everything is at one time; seconds of CPU since the beginning of each process."""

    time: float
    done: int
    worker: float
    database: float
    broker: float


@dataclass
class Measured:
    """One worker's run."""

    events: int
    """That it did while its clock ran."""
    seconds: float
    worker_us: float
    """CPU microseconds an event: of its processes, of PostgreSQL's, of Kafka's."""
    database_us: float
    broker_us: float
    commits: float
    """An event, over its whole run; so are the next three."""
    wal_flushes: float
    wal_bytes: float
    statements: float
    """0 if they were not counted in this run."""
    peak_mib: float
    """The largest resident size of one of its processes."""
    receipts: int
    database: str

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


class Arena:
    """An async context manager; everything that it started or wrote is gone when it ends."""

    def __init__(self, terminal: Terminal, partitions: int = PARTITIONS) -> None:
        self.say, self.moving, self.partitions = terminal.say, terminal.moving, partitions
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Arena":
        if {"KAFKA_BOOTSTRAP", "DATABASE_URL"} & os.environ.keys():
            raise Trouble(
                "The bench measures servers of its own, whose CPU it can see: unset KAFKA_BOOTSTRAP and DATABASE_URL."
            )
        async with AsyncExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="svc-bench-"))
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.say("starting Kafka and PostgreSQL")
            home = Home(self.folder, downloads=Home().downloads)
            self.machine = await stack.enter_async_context(Machine(home, say=self.say))
            await create_topics(self.machine.bootstrap, self.partitions)
            self._admin = AIOKafkaAdminClient(bootstrap_servers=self.machine.bootstrap)
            await self._admin.start()
            stack.push_async_callback(self._admin.close)
            self._sql = await asyncpg.connect(self.machine.admin_url)
            stack.push_async_callback(self._sql.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def backlog(self, count: int, services: int, *, sampled: float | None = None) -> Backlog:
        """Make a backlog of so many distinct demands, for so many services."""
        self.say(f"making a backlog of {count:,} events")
        template = f"bench_{count}_{services}"
        if not await self._sql.fetchval("SELECT true FROM pg_database WHERE datname = $1", template):
            await self._sql.execute(f"CREATE DATABASE {template}")
            await migrate(DELIVER_SUPPORT, self.url(template))
            await backlog.seed(self.url(template), count, services)
        begins, size = await backlog.produce(self.machine.bootstrap, count, services, self.partitions, sampled=sampled)
        return Backlog(count, begins, template, size)

    def url(self, database: str) -> str:
        """The URL of a database for the workers."""
        return f"{self.machine.admin_url.rpartition('/')[0]}/{database}"

    @asynccontextmanager
    async def database(self, template: str, *settings: str) -> AsyncIterator[str]:
        """A database as the events find it, with settings of its own; gone afterwards."""
        name = f"bench_{uuid4().hex[:12]}"
        await self._sql.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        for setting in settings:
            await self._sql.execute(f"ALTER DATABASE {name} SET {setting}")
        try:
            yield name
        finally:
            await self._sql.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def group(self, begins: Mapping[TopicPartition, int]) -> str:
        """A new consumer group that reads from here on."""
        name = f"bench.{uuid4().hex[:12]}"
        async with AIOKafkaConsumer(
            bootstrap_servers=self.machine.bootstrap, group_id=name, enable_auto_commit=False
        ) as consumer:
            consumer.assign(list(begins))
            await consumer.commit(dict(begins))
        return name

    @asynccontextmanager
    async def workers(
        self, form: str, database: str, group: str, processes: int = 1, **settings: object
    ) -> AsyncIterator[list[Child]]:
        """Processes of one form, `ours` being the shipped service as it is started everywhere."""
        command = [f"services.{DELIVER_SUPPORT}"] if form == "ours" else ["svc.bench.workers", form]
        ours = {
            "SVC_BOOTSTRAP": self.machine.bootstrap,
            "SVC_DATABASE": self.url(database),
            "SVC_GROUP": group,
            "SVC_PARTITIONS": str(self.partitions),
            **{f"SVC_{name.upper()}": str(value) for name, value in settings.items()},
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("SVC_")}
        children: list[Child] = []
        try:
            for number in range(processes):
                log = self.folder / "logs" / f"{form}-{number}.log"
                child = await Child.start(
                    f"{form} {number}", [sys.executable, "-m", *command], log=log, env=others | ours, cwd=ROOT
                )
                children.append(child)
            yield children
        finally:
            await asyncio.gather(*(child.stop() for child in children))

    async def measure(
        self, form: str, events: Backlog, *, most: int = 0, processes: int = 1, sql: tuple[str, ...] = (),
        count_statements: bool = False, settings: Mapping[str, object] = NOTHING,
    ) -> Measured:  # fmt: skip
        """Let a form do a backlog, or the first `most` events of it, and measure it."""
        wanted = min(most or events.size, events.size)
        logged = ("log_statement = 'all'", "log_parameter_max_length = 0") if count_statements else ()
        async with self.database(events.template, *sql, *logged) as database:
            group = await self.group(events.begins)
            await begin_at(self.url(database), events.begins)
            before = await self._wal()
            async with self.workers(form, database, group, processes, **dict(settings)) as children:
                begin = await self.until(1, group, events, children)
                end = await self.until(wanted, group, events, children)
                peak = max(map(peak_mib, children))
            await self._disconnected(database)
            after = await self._wal()
            commits = await self._sql.fetchval(COMMITS, database)
            connection = await asyncpg.connect(self.url(database))
            receipts = await connection.fetchval("SELECT count(*) FROM receipt")
            await connection.close()
            done = receipts or end.done
            count = self._statements(database) if count_statements else 0
        events_done = end.done - begin.done
        if not events_done:
            raise Trouble(f"{form} had done all {end.done} events when its clock would have started: give it more.")
        return Measured(
            events=events_done,
            seconds=end.time - begin.time,
            worker_us=(end.worker - begin.worker) / events_done * 1e6,
            database_us=(end.database - begin.database) / events_done * 1e6,
            broker_us=(end.broker - begin.broker) / events_done * 1e6,
            commits=commits / done,
            wal_flushes=(after["wal_flushes"] - before["wal_flushes"]) / done,
            wal_bytes=(after["wal_bytes"] - before["wal_bytes"]) / done,
            statements=count / done,
            peak_mib=peak,
            receipts=receipts,
            database=database,
        )

    async def _disconnected(self, database: str) -> None:
        """Wait until nobody is connected: what a connection has counted is told when it ends."""
        while True:
            if not await self._sql.fetchval(CONNECTED, database):
                return
            await asyncio.sleep(GLANCE)

    async def _wal(self) -> dict[str, int]:
        """What was written ahead so far, in the whole server; what we did ourselves is told late unless asked for."""
        await self._sql.execute("SELECT pg_stat_force_next_flush()")
        return dict(await self._sql.fetchrow(WAL) or {})

    async def until(self, done: int, group: str, events: Backlog, children: list[Child]) -> Moment:
        """Wait until so many events are done, and look at everything then."""
        places, deadline, last = list(events.begins), time.monotonic() + PATIENCE, -1
        while True:
            committed = await self._admin.list_consumer_group_offsets(group, partitions=places)
            now = sum(max(0, committed[place].offset - events.begins[place]) for place in places)
            if now >= done:
                return self.moment(now, children)
            if now > last:
                last, deadline = now, time.monotonic() + PATIENCE
                self.moving(f"{children[0].name}: {now:,} of {done:,} events")
            for child in children:
                if child.returncode is not None:
                    raise child.death()
            if time.monotonic() > deadline:
                raise Trouble(f"{children[0].name} does not get on: {now} of {done} events. {children[0].last_words()}")
            await asyncio.sleep(GLANCE)

    def moment(self, done: int, children: list[Child]) -> Moment:
        """What it is now, and the CPU that was spent so far."""
        postgres, kafka = self.machine.postgres, self.machine.kafka
        if not (postgres and postgres.child and kafka and kafka.child):
            raise Trouble("Kafka or PostgreSQL has ended.")
        worker = sum(cpu_seconds(child.pid) for child in children)
        return Moment(time.perf_counter(), done, worker, cpu_seconds(postgres.child.pid), cpu_seconds(kafka.child.pid))

    def _statements(self, database: str) -> int:
        """How many statements PostgreSQL says in its log that it executed in this database."""
        log = (self.folder / "logs" / "postgres.log").read_text(errors="replace")
        return len(re.findall(rf"@{database} LOG:  (?:statement|execute)", log))


def cpu_seconds(pid: int) -> float:
    """CPU of a process and its children, those that have ended as well."""
    root = psutil.Process(pid)
    whole = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            whole += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue  # its parent counts it when it has taken note
    return whole


def peak_mib(child: Child) -> float:
    """The largest resident size that a process has had."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child.pid}/status").read_text())
    except OSError:
        found = None
    return int(found[1]) / 1024 if found else float(psutil.Process(child.pid).memory_info().rss / 2**20)
