"""One running chain on this machine: the real broker and database, and the six services as processes of their own."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx
import psutil

from contracts.clock import Clock
from contracts.stream import read_streams
from contracts.value_chain import ACTIVITIES, ENGAGE
from svc import journeys, running, words
from svc.chain_clock import ChainClock
from svc.loopback import serve
from svc.machine import Home, Machine, Say, memory, ports
from svc.machine.process import Child
from svc.pages import page
from svc.prepare import ADMINISTRATION, prepare
from svc.running import Running
from svc.services import Services
from svc.telemetry import SpanStore
from svc.trouble import Trouble

Result = TypeVar("Result")
Way = Literal["auto", "simulated", "manual"]
START_LIMIT = 120.0
"""Seconds until all services must be ready; a slow machine's first start takes a quarter of it."""
PATIENCE = (0.5, 1, 2, 5, 10, 30)
"""Seconds before a service that has died is started again: the first time, the second time, and so on."""
SAY_EVERY = 2.0
"""Seconds between two lines on what is still missing."""
FUTILE_STARTS = 3
"""A service that has died so often before it was ever ready will not be ready."""
HEALTHY_AFTER = 60.0
"""Seconds after which a death counts as the first again."""


class Chain:
    """Starts everything on entry, ends everything on exit, and starts a service that dies again.

    Everything it starts ends with this process, even by `kill -9`.

    Args:
        home: where data, logs and passwords are kept; one chain at a time has it.
        speed: chain seconds a wall second.
        work: how the services do their work: at once, on the chain's clock, or when somebody reports it.
        streams: a folder of value stream files other than the shipped ones.
        desks: what Engage knows of service desks, as the JSON of `SVC_DESKS`.
        port: of the page; the services take the six after it. None has free ones chosen.
        say: told what is going on.
        began: when the command began, in seconds since 1970; the start is measured from then.
        accept_loss: go on although topics have deleted records that a service had not read.
        from_time: the time of day from which chain time goes on; None for where it stands.
        staffing: further settings of each activity's service, such as `SVC_WORK` and `SVC_CENTRES`.
        epoch: when chain time begins in a new home; None: now.
    """

    def __init__(
        self, home: Home | None = None, *, speed: float = 1.0, work: Way = "auto", streams: Path | None = None,
        desks: str = "", port: int | None = None, say: Say | None = None, began: float | None = None,
        accept_loss: bool = False, from_time: timedelta | None = None, epoch: datetime | None = None,
        staffing: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:  # fmt: skip
        self.home = home or Home()
        self.services: dict[str, str] = {}
        self.client = Services(self.services)
        self.spans = SpanStore(self.home.path / "traces")
        self.databases: dict[str, str] = {}
        """The URL of each activity's database."""
        self.page = ""
        self.clock = Clock()
        self.start_seconds = 0.0
        self._speed, self._work, self._streams, self._desks, self._port = speed, work, streams, desks, port
        self._say: Callable[[str], None] = say or (lambda _: None)
        self._began, self._accept_loss, self._epoch = began or time.time(), accept_loss, epoch
        self._from_time, self._staffing = from_time, staffing or {}
        self._machine = Machine(self.home, say=self._say)
        self._failure: asyncio.Future[BaseException]
        self._children: dict[str, Child] = {}
        self._deaths = dict.fromkeys(ACTIVITIES, 0)
        self._renewed = set[str]()
        self._stack = AsyncExitStack()

    @property
    def kafka(self) -> str:
        """Kafka's bootstrap address."""
        return self._machine.bootstrap

    async def __aenter__(self) -> Self:
        if self._streams:
            read_streams(self._streams)  # before anything starts: `StreamError` says what is wrong with them
        self._failure = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._say("stopping")
        await self._stack.aclose()

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do this while the chain runs; raises why when something of it has died for good meanwhile."""
        working = asyncio.create_task(work)
        try:
            ending: set[asyncio.Future[Any]] = {working, self._failure}
            await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise self._failure.result()
            return working.result()
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def know(self, desks: str) -> None:
        """Have Engage know these desks instead, as the JSON of `SVC_DESKS`: it is ended and started again with them."""
        self._desks = desks
        self._renewed.add(ENGAGE)
        self._say("Engage is started again, for it knows other desks now")
        await self._children[ENGAGE].stop()

    def memory_mib(self) -> float:
        """MiB that this process and all that it started take now, shared pages counted once."""
        return memory.of_tree(os.getpid())

    async def _start(self, stack: AsyncExitStack) -> None:
        first, *others = self._ports()
        self.services.update((a, f"http://127.0.0.1:{port}") for a, port in zip(ACTIVITIES, others, strict=True))
        self._say("starting Kafka and PostgreSQL")
        await stack.enter_async_context(self._machine)
        self._beside(stack, self._broken())
        await stack.enter_async_context(self.client)
        self.page = await stack.enter_async_context(serve(page(self.spans, self.client, self.databases), first))
        self._say("preparing databases and topics")
        passwords = self.home.passwords([*ACTIVITIES, ADMINISTRATION])
        databases = await prepare(self.kafka, self._machine.admin_url, passwords, accept_loss=self._accept_loss)
        clock = ChainClock(databases.pop(ADMINISTRATION))
        self.databases.update(databases)
        self.clock = await clock.start(self._speed, self._from_time, self._epoch)
        stack.push_async_callback(clock.stop)
        self._beside(stack, clock.keep())
        stack.push_async_callback(self._stop_services)
        for activity, database in databases.items():
            self._beside(stack, self._supervise(activity, database))
        await self.run(self._until_ready())
        self._beside(stack, journeys.keep(self.client, self.kafka, self.page, self._say))
        self.start_seconds = round(time.time() - self._began, 1)
        self._running().write(self.home.path)
        stack.callback(running.forget, self.home.path)

    def _ports(self) -> list[int]:
        wanted = 1 + len(ACTIVITIES)
        if self._port is None:
            return ports.free(wanted)
        return [ports.configured(str(port), "--port") for port in range(self._port, self._port + wanted)]

    def _environment(self, activity: str, database: str) -> Mapping[str, str]:
        ours = {
            "SVC_BOOTSTRAP": self.kafka,
            "SVC_DATABASE": database,
            "SVC_PORT": self.services[activity].rpartition(":")[2],
            "SVC_INSTANCE": f"{activity}-0",
            "SVC_CLOCK": str(self.clock),
            "SVC_WORK": self._work,
            "SVC_OTLP": self.page,
        }
        if self._streams:
            ours["SVC_STREAMS"] = str(self._streams)
        if self._desks:
            ours["SVC_DESKS"] = self._desks
        return {**os.environ, **ours, **self._staffing.get(activity, {})}

    def _beside(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        """Run this beside all else until the chain ends; when it fails, so does the chain."""
        task = asyncio.create_task(work)

        def note(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) and not self._failure.done():
                self._failure.set_result(error)

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        task.add_done_callback(note)
        stack.push_async_callback(end)

    async def _broken(self) -> None:
        """Wait until Kafka or PostgreSQL has died for good."""
        raise await self._machine.broken()

    async def _supervise(self, activity: str, database: str) -> None:
        """Keep one service running: start it again, later and later, each time it dies."""
        while True:
            began = time.monotonic()
            environment = self._environment(activity, database)
            child = self._children[activity] = await Child.start(
                words.activity(activity), [sys.executable, "-m", f"services.{activity}"],
                log=self.home.logs / f"{activity}.log", env=environment, patience=20,
            )  # fmt: skip
            code = await child.wait()
            if activity in self._renewed:
                self._renewed.remove(activity)
                continue
            deaths = 0 if time.monotonic() - began > HEALTHY_AFTER else self._deaths[activity]
            if deaths == 0:
                how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                self._say(f"{child.name} has ended by itself ({how}) and is started again; its log: {child.log}.1")
            self._deaths[activity] = deaths + 1
            await asyncio.sleep(PATIENCE[min(deaths, len(PATIENCE) - 1)])

    async def _stop_services(self) -> None:
        await asyncio.gather(*(child.stop() for child in self._children.values()))

    async def _until_ready(self) -> None:
        """Wait until each service says that nothing is missing; the error says what is, or why one cannot start."""
        missing = dict.fromkeys(ACTIVITIES, "starting")
        said = time.monotonic()
        limit = said + START_LIMIT
        async with httpx.AsyncClient(timeout=5) as client:
            while missing:
                await asyncio.sleep(0.1)
                for activity in list(missing):
                    if self._deaths[activity] >= FUTILE_STARTS:
                        raise self._children[activity].death()
                    if found := await _missing(client, self.services[activity]):
                        missing[activity] = found
                    else:
                        del missing[activity]
                now = time.monotonic()
                if missing and now > said + SAY_EVERY:
                    said = now
                    self._say(f"waiting for {_in_words(missing)}")
                if now > limit:
                    raise Trouble(f"Not ready after {START_LIMIT:.0f} s: {_in_words(missing)}. Logs: {self.home.logs}")

    def _running(self) -> Running:
        me = psutil.Process()
        return Running(
            pid=me.pid, born=me.create_time(), started=datetime.now(UTC), start_seconds=self.start_seconds,
            services=self.services, page=self.page, kafka=self.kafka, speed=self._speed,
            clock=str(self.clock),
        )  # fmt: skip


def _in_words(missing: Mapping[str, str]) -> str:
    """Which services still miss what, those that miss the same together."""
    by_what: dict[str, list[str]] = {}
    for activity, what in missing.items():
        by_what.setdefault(what, []).append(words.activity(activity))
    return "; ".join(f"{words.listed(names)} ({what})" for what, names in by_what.items())


async def _missing(client: httpx.AsyncClient, url: str) -> str:
    """What a service still misses; empty when it is ready."""
    try:
        answer = await client.get(f"{url}/readyz")
    except httpx.HTTPError:
        return "starting"
    return "; ".join(f"{what}: {why}" for what, why in answer.json()["missing"].items())
