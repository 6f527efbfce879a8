"""The six services in this process, over a real broker and databases of their own, and what can be seen of them."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any, NamedTuple, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from fastapi import FastAPI

from contracts.clock import Clock
from contracts.value_chain import ACTIVITIES
from services.chassis.commands import PROBLEM
from services.chassis.service import create_app
from services.chassis.settings import Settings
from services.chassis.state import base
from services.engage import api as engage_api
from services.engage.notices import Desk, RequesterNotice, post_notice
from svc import governance, log, migrations
from svc.loopback import serve
from svc.machine import Machine, provision
from svc.services import Services
from svc.topics import create_topics

Result = TypeVar("Result")
CLIENT = "api-tests"
BY_HAND = ("deliver_support",)
"""Whose work people report, so that there is open work to ask about; the others do theirs at once."""
AT_THE_DOOR = ("desk_door", "raw_push")
"""Tables that count and keep what was pushed, a refused push too: nothing is decided by them."""


class Picture(NamedTuple):
    """A database at one moment."""

    receipts: int
    """How many messages were decided about, not counting the command that is looked at."""
    rows: dict[str, str]
    """A sum over the rows of each of the activity's own states, by table."""


class Six:
    """Six applications that listen on 127.0.0.1."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.loop = machine, asyncio.get_running_loop()
        self.secret = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
        self.apps: dict[str, FastAPI] = {}
        self.urls: dict[str, str] = {}
        self.pools: dict[str, asyncpg.Pool] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Six"]:
        """All of them ready, with policies, money and a live service."""
        suffix = secrets.token_hex(4)
        names = {f"{activity}_{suffix}": secrets.token_urlsafe(16) for activity in ACTIVITIES}
        async with AsyncExitStack() as stack:
            databases = dict(zip(ACTIVITIES, (await provision(self.machine.admin_url, names)).values(), strict=True))
            stack.push_async_callback(self._drop, list(names))
            await create_topics(self.machine.bootstrap)
            await migrations.migrate_all(databases)
            since = await log.ends_now(self.machine.bootstrap)
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setattr(engage_api, "DESKS", {"roundup": Desk.model_validate({"secrets": [self.secret]})})
            for activity in ACTIVITIES:
                group = f"svc.{activity}.{suffix}"
                await self._read_on_from(group, since)
                await migrations.begin_at(databases[activity], since)
                settings = Settings(
                    bootstrap=self.machine.bootstrap,
                    database=databases[activity],
                    group=group,
                    work="manual" if activity in BY_HAND else "auto",
                )
                handlers = import_module(f"services.{activity}.handlers").handles
                router = import_module(f"services.{activity}.api").router
                effects = {RequesterNotice: post_notice} if activity == "engage" else None
                app = self.apps[activity] = create_app(handlers, router, effects, settings)
                await stack.enter_async_context(app.router.lifespan_context(app))
                self.urls[activity] = await stack.enter_async_context(serve(app))
                pool = asyncpg.create_pool(databases[activity], min_size=0, max_size=2)
                self.pools[activity] = await stack.enter_async_context(pool)
            async with asyncio.timeout(60):
                while any(app.state.runtime.missing for app in self.apps.values()):
                    await asyncio.sleep(0.02)
            async with Services(self.urls) as services:
                await governance.prepare(services, Clock().now())
            yield self

    async def _drop(self, names: list[str]) -> None:
        server = await asyncpg.connect(self.machine.admin_url)
        for name in names:
            await server.execute(f"DROP DATABASE svc_{name} WITH (FORCE)")
            await server.execute(f"DROP ROLE svc_{name}")
        await server.close()

    async def _read_on_from(self, group: str, offsets: log.Offsets) -> None:
        async with AIOKafkaConsumer(
            bootstrap_servers=self.machine.bootstrap, group_id=group, enable_auto_commit=False
        ) as consumer:
            consumer.assign(list(offsets))
            await consumer.commit(dict(offsets))

    def wait_for(self, seen: Coroutine[Any, Any, Result]) -> Result:
        """What is seen, for a thread of a test."""
        return asyncio.run_coroutine_threadsafe(seen, self.loop).result(60)

    async def picture(self, activity: str, command: UUID) -> Picture:
        """What was decided besides this command, and what the rows come to."""
        sums = [
            f"""'{table}', (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY id::text), '')) FROM "{table}" t)"""
            for table in base(f"services.{activity}").metadata.tables
            if table not in AT_THE_DOOR
        ]
        found = await self.pools[activity].fetchrow(
            f"SELECT (SELECT count(*) FROM receipt WHERE event_id <> $1), json_build_object({', '.join(sums)})", command
        )
        return Picture(found[0], orjson.loads(found[1]))

    async def parked(self, activity: str) -> list[str]:
        """What could not be handled, and why; that which merely waits behind it is left out."""
        rows = await self.pools[activity].fetch(
            "SELECT reason, convert_from(value, 'UTF8') AS value FROM parked WHERE reason NOT LIKE 'waits behind%'"
        )
        return [f"{activity}: {row['reason']}\n{row['value'][:3000]}" for row in rows]

    async def settled(self, activity: str, command: UUID) -> str:
        """Wait until a command has its receipt, or is parked: then it says why."""
        async with asyncio.timeout(60):
            while True:
                if await self.pools[activity].fetchval("SELECT 1 FROM receipt WHERE event_id = $1", command):
                    return ""
                if reason := await self.pools[activity].fetchval(
                    "SELECT reason FROM parked WHERE event_id = $1", command
                ):
                    return str(reason)
                await asyncio.sleep(0.05)


def id_of(key: str, client: str = CLIENT) -> UUID:
    """The id of a command with this key."""
    return uuid5(NAMESPACE_URL, f"svc:{client}:{key}")


def wrong_with(status: int, kind: str, body: bytes) -> str:
    """What is wrong with an answer that says no: it is a problem as RFC 9457 tells it, and says what to do."""
    if status >= 500:
        return f"{status}: {body.decode(errors='replace')}"
    if kind != PROBLEM:
        return f"{status} comes as {kind}"
    told = orjson.loads(body)
    if told["status"] != status or not told["title"] or len(told["detail"]) < 9:
        return f"{status} says no more than {told}"
    return ""
