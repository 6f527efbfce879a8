"""Kafka and PostgreSQL for one machine: started here, or somebody's own."""

import asyncio
import logging
import os
import time
from collections import deque
from types import TracebackType
from typing import Self

from svc.machine import memory
from svc.machine.databases import provision
from svc.machine.errors import MachineError
from svc.machine.home import Home
from svc.machine.kafka import LocalKafka, until_it_serves
from svc.machine.postgres import LocalPostgres, until_it_answers
from svc.machine.progress import Say, to_stderr

__all__ = ["Home", "Machine", "MachineError", "Say", "provision", "to_stderr"]

log = logging.getLogger(__name__)

_EXTERNAL_LIMIT = 15.0
"""Seconds that somebody's own server has to answer when we start."""

_MOST_DEATHS = 4
_DEATHS_WITHIN = 60.0
"""A server that dies so often within so many seconds is left: something is wrong with it."""


class Machine:
    """The two real parts under the services; an async context manager.

    KAFKA_BOOTSTRAP and DATABASE_URL (of an administrator) name servers that run already: those are
    used and not touched. Else own ones are started and watched: one that dies is started again at the
    same address. All its methods raise MachineError with a text for people.
    """

    def __init__(self, home: Home | None = None, *, say: Say = to_stderr) -> None:
        self.home = home or Home()
        self.bootstrap = ""
        self.admin_url = ""
        self.kafka: LocalKafka | None = None
        self.postgres: LocalPostgres | None = None
        self._say = say
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self) -> Self:
        """Start both, at the same time, and wait until both serve."""
        self.home.prepare()
        self.home.lock()
        try:
            outcomes = await asyncio.gather(self._start_kafka(), self._start_postgres(), return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, OSError):
                    raise MachineError(f"{outcome}: see to {self.home.path}, or set SVC_HOME.") from outcome
                if outcome:
                    raise outcome
        except BaseException:
            await self.stop()
            raise
        for server in (self.kafka, self.postgres):
            if server:
                self._watchers.append(asyncio.create_task(self._watch(server)))
        return self

    async def stop(self) -> None:
        """End what was started here, in good order."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers.clear()
        servers = [server for server in (self.kafka, self.postgres) if server]
        await asyncio.gather(*(server.stop() for server in servers))
        self.home.unlock()

    async def broken(self) -> MachineError:
        """Wait until a server has died for good: why it cannot be started again."""
        if not self._watchers:
            await asyncio.Event().wait()  # others' servers are theirs to watch
        done, _ = await asyncio.wait(self._watchers, return_when=asyncio.FIRST_COMPLETED)
        trouble = done.pop().exception()
        return trouble if isinstance(trouble, MachineError) else MachineError(repr(trouble))

    def memory(self) -> dict[str, float]:
        """MiB that each server started here takes now."""
        servers = {"kafka": self.kafka, "postgres": self.postgres}
        return {name: memory.of_tree(server.child.pid) for name, server in servers.items() if server and server.child}

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start_kafka(self) -> None:
        if external := os.environ.get("KAFKA_BOOTSTRAP"):
            try:
                await until_it_serves(external, _EXTERNAL_LIMIT)
            except MachineError as error:
                raise MachineError(
                    f"KAFKA_BOOTSTRAP names {external}, which is of no use: {error} "
                    "Correct it, or unset it to have a Kafka started here."
                ) from error
            self.bootstrap = external
            return
        self.kafka = LocalKafka(self.home, self._say)
        self.bootstrap = await self.kafka.start()

    async def _start_postgres(self) -> None:
        if external := os.environ.get("DATABASE_URL"):
            # SQLAlchemy's way to name the driver is not part of a URL for PostgreSQL.
            url = external.replace("postgresql+asyncpg://", "postgresql://", 1)
            try:
                await until_it_answers(url, _EXTERNAL_LIMIT)
            except MachineError as error:
                raise MachineError(
                    f"DATABASE_URL is of no use: {error} Correct it, or unset it to have a PostgreSQL started here."
                ) from error
            self.admin_url = url
            return
        self.postgres = LocalPostgres(self.home, self._say)
        self.admin_url = await self.postgres.start()

    async def _watch(self, server: LocalKafka | LocalPostgres) -> None:
        """Start a server again each time it dies; MachineError when that is of no use."""
        deaths: deque[float] = deque(maxlen=_MOST_DEATHS)
        while child := server.child:
            await child.wait()
            trouble = child.death()
            deaths.append(time.monotonic())
            if len(deaths) == _MOST_DEATHS and deaths[-1] - deaths[0] < _DEATHS_WITHIN:
                log.error("%s dies again and again and is left: %s", child.name, trouble)
                raise trouble
            log.warning("%s It is started again.", trouble)
            self._say(f"{child.name} ended by itself and is started again")
            try:
                await server.start()
            except MachineError as error:
                log.error("%s cannot be started again: %s", child.name, error)
                raise
            self._say(f"{child.name} serves again")
