"""What desks push, as it came in: kept in Engage's own database for a time and counted, and never told to anybody."""

import hashlib
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, NamedTuple
from uuid import UUID

import asyncpg
import orjson
from fastapi import Depends, FastAPI, Request

from services.chassis.commands import Door
from services.chassis.state import State
from services.engage.desks.events import Received
from services.engage.desks.signature import SCHEMES
from services.engage.together import Together

KEEP = """WITH kept AS (INSERT INTO raw_push (id, version, desk, received_at, expires_at, headers, body)
  SELECT id, 0, desk, received_at, expires_at, headers, body FROM set_config('synchronous_commit', 'off', true),
    unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[])
    AS pushed (id, desk, received_at, expires_at, headers, body) ORDER BY id ON CONFLICT (id) DO NOTHING)
SELECT id, traceparent FROM cases WHERE id = ANY($7::text[])"""
"""Not waiting for the disk: the push itself is safe once its record is acknowledged."""
EXPIRE = """WITH gone AS (DELETE FROM raw_push WHERE id IN (
  SELECT id FROM raw_push WHERE expires_at < $1 ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
  RETURNING desk, received_at)
INSERT INTO desk_door AS old (id, version, taken, last_at, refused, refused_at, refusal)
SELECT desk, 0, count(*), max(received_at), 0, NULL, '' FROM gone GROUP BY desk ON CONFLICT (id) DO UPDATE
  SET taken = old.taken + excluded.taken, last_at = greatest(old.last_at, excluded.last_at)"""
"""Those that are kept count for themselves: a counter of each desk would be one row for all its pushes to wait for."""
COUNT = """INSERT INTO desk_door AS old (id, version, taken, last_at, refused, refused_at, refusal)
VALUES ($1, 0, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET taken = old.taken + excluded.taken,
  last_at = coalesce(excluded.last_at, old.last_at), refused = old.refused + excluded.refused,
  refused_at = coalesce(excluded.refused_at, old.refused_at),
  refusal = coalesce(nullif(excluded.refusal, ''), old.refusal)"""
ATTEMPTS = "SELECT case_id, attempts, coalesce(error, '') AS error FROM pending WHERE effect = $1 AND case_id = ANY($2)"
SECRET = frozenset({"authorization", "cookie", *(scheme.header for scheme in SCHEMES.values() if not scheme.signed)})
"""Headers that give away how to push in a desk's name."""
LONGEST_REASON = 300
DROPPED_EVERY = 60.0
"""Seconds in which what has expired is looked for once, when pushes come: it takes a look at all that are kept."""


class RawPush(State[UUID], by="push"):
    """A push as it came in; its door writes it, and no lane."""

    desk: str = ""
    received_at: datetime | None = None
    """By the wall's clock."""
    expires_at: datetime | None = None
    """From when on it is dropped: soon after a push, when a desk is asked, or when somebody looks how desks stand."""
    headers: str = ""
    """As JSON, without those that are secrets."""
    body: str = ""
    """The bytes, in base64."""


class DeskDoor(State[str], by="desk"):
    """What came to the door of a desk since it is connected; its door writes it, and no lane."""

    taken: int = 0
    """Genuine pushes, without those that are kept."""
    last_at: datetime | None = None
    """When the last of them came, by the wall's clock."""
    refused: int = 0
    refused_at: datetime | None = None
    refusal: str = ""
    """Why the last one was refused that was."""


class Written(NamedTuple):
    """A push as it is written down, in the order of `KEEP`'s parameters."""

    id: UUID
    desk: str
    received_at: datetime
    expires_at: datetime
    headers: str
    body: str


class Kept(NamedTuple):
    """What is known once a push is kept."""

    id: UUID | None
    """Its own, which a repetition meets again; None if its desk has none kept."""
    traces: Mapping[str, str]
    """The `traceparent` of the cases that it is about, of those which have one."""


class Pushes:
    """Where the door of desks writes down what came."""

    dropped_at: ClassVar[float] = float("-inf")
    """When what has expired was dropped last after a push, in seconds of this process's clock."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool, self._together = pool, Together(self._write)

    def door(self, request: Request) -> Door:
        """Through which a push comes: a desk names no key and waits for no decision, so no header is looked for."""
        return Door(request, None, "local", "")

    async def keep(self, desk: str, push: Received, days: float, cases: Sequence[str] = ()) -> Kept:
        """Write a genuine push down as it came, for so many days, and look up the cases that it is about."""
        if (now := time.monotonic()) > Pushes.dropped_at + DROPPED_EVERY:
            Pushes.dropped_at = now
            await drop_expired(self.pool)
        if not days:
            await self.pool.execute(COUNT, desk, 1, push.received_at, 0, None, "", timeout=5)
            return Kept(None, await self._together.ask((None, cases)))
        id = UUID(bytes=hashlib.sha256(f"{desk}:".encode() + push.body).digest()[:16])
        headers = {name: value for name, value in push.headers.items() if name.lower() not in SECRET}
        until = push.received_at + timedelta(days=days)
        texts = (orjson.dumps(headers).decode(), b64encode(push.body).decode())
        written = Written(id, desk, push.received_at, until, *texts)
        return Kept(id, await self._together.ask((written, cases)))

    async def _write(self, asked: Sequence[tuple[Written | None, Sequence[str]]]) -> dict[str, str]:
        """One statement for all pushes that came while the last was under way: it costs as much as for one."""
        rows = [written for written, _ in asked if written is not None]
        columns = list(zip(*rows, strict=True)) or [()] * len(Written._fields)
        cases = [case for _, some in asked for case in some]
        return {id: trace for id, trace in await self.pool.fetch(KEEP, *columns, cases, timeout=5) if trace}

    async def attempts(self, effect: str, cases: list[str]) -> dict[str, tuple[int, str]]:
        """How often an effect outside was tried, and what was wrong the last time, by case."""
        rows = await self.pool.fetch(ATTEMPTS, effect, cases, timeout=5)
        return {row["case_id"]: (row["attempts"], row["error"]) for row in rows}

    async def refuse(self, desk: str, reason: str) -> None:
        """Count a push that is not genuine, or cannot be read; nothing of it is kept."""
        await count_refused(self.pool, desk, reason)


async def count_refused(pool: asyncpg.Pool, desk: str, reason: str) -> None:
    """Count what came from a desk and cannot be used."""
    await pool.execute(COUNT, desk, 0, None, 1, datetime.now(UTC), reason[:LONGEST_REASON], timeout=5)


async def drop_expired(pool: asyncpg.Pool) -> None:
    """Drop pushes that are older than their desk has them kept, some at a time."""
    await pool.execute(EXPIRE, datetime.now(UTC), timeout=5)


@asynccontextmanager
async def one_place(app: FastAPI) -> AsyncIterator[None]:
    """While Engage runs there is one place where pushes are written."""
    app.state.pushes = Pushes(app.state.runtime.pool)
    yield


async def keeping(request: Request) -> Pushes:
    """That place."""
    pushes: Pushes = request.app.state.pushes
    return pushes


Keeping = Annotated[Pushes, Depends(keeping)]
"""The same, as a parameter of a route."""
