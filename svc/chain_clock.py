"""The chain's clock on one machine: its segments, kept where no service can change them.

They stand in the administrative database, with the wall time until which the clock may have run. So chain time
stands still while the chain is down, and even after a `kill -9` it goes on where it had got to, or a little later.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg

from contracts.clock import Clock, Segment

LEASE = timedelta(seconds=6)
"""How far ahead of the wall the clock may run without saying so; a crash costs at most so much chain time."""

TABLES = """
CREATE TABLE IF NOT EXISTS clock (wall timestamptz NOT NULL, chain timestamptz NOT NULL, speed float8 NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE IF NOT EXISTS clock_ran (one bool PRIMARY KEY DEFAULT true CHECK (one), until timestamptz NOT NULL)"""
RAN = """INSERT INTO clock_ran (until) VALUES ($1)
ON CONFLICT (one) DO UPDATE SET until = excluded.until"""


def resume(
    last: Segment | None, ran_until: datetime | None, now: datetime, speed: float, epoch: datetime | None = None
) -> Segment:
    """The segment with which the clock goes on `now` (wall time), after it ran by its `last` one until `ran_until`.

    At speed 1 chain time is the wall's, unless it is ahead of the wall: it never goes back. At any other speed it
    begins where it stopped; the first time of all at `epoch`, if there is one, at whatever speed.
    """
    if epoch and last is None:
        return Segment(now, epoch, speed)
    stopped = Clock([last]).at(ran_until) if last and ran_until else now
    return Segment(now, max(stopped, now) if speed == 1 else stopped, speed)


class ChainClock:
    """The clock of a running chain: `start` it before the services, `keep` it running, and `stop` it after them."""

    def __init__(self, database: str) -> None:
        self._database = database

    async def start(
        self, speed: float, from_time: timedelta | None = None, epoch: datetime | None = None, *,
        ran_until: datetime | None = None,
    ) -> Clock:  # fmt: skip
        """Go on at this speed; returns the clock that all services get. A new clock begins at `epoch`, else now.

        With `from_time`, a time of day, it leaps forward to when it is that time next. `ran_until` is the wall time
        until which it has run, if somebody knows that better than what is kept.
        """
        now = datetime.now(UTC)
        connection = await asyncpg.connect(self._database)
        try:
            await connection.execute(TABLES)
            row = await connection.fetchrow("SELECT wall, chain, speed FROM clock ORDER BY number DESC LIMIT 1")
            kept = await connection.fetchval("SELECT until FROM clock_ran")
            until = max(filter(None, (kept, ran_until)), default=None)
            segment = resume(Segment(*row) if row else None, until, now, speed, epoch)
            if from_time is not None:
                chain = segment.chain
                midnight = datetime.combine(chain, datetime.min.time(), UTC)
                leap = midnight + from_time + timedelta(days=midnight + from_time < chain)
                segment = segment._replace(chain=leap)
            await connection.execute("INSERT INTO clock (wall, chain, speed) VALUES ($1, $2, $3)", *segment)
            await connection.execute(RAN, now + LEASE)
        finally:
            await connection.close()
        # Earlier segments are history: the clock has stood still between them and this one.
        return Clock([segment])

    async def current(self) -> Clock | None:
        """The clock by which services that run already go; None if none was ever started."""
        connection = await asyncpg.connect(self._database)
        try:
            await connection.execute(TABLES)
            row = await connection.fetchrow("SELECT wall, chain, speed FROM clock ORDER BY number DESC LIMIT 1")
        finally:
            await connection.close()
        return Clock([Segment(*row)]) if row else None

    async def keep(self) -> None:
        """Say again and again that the clock runs, until cancelled."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            # while PostgreSQL is away no service can decide anything by this clock either
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._ran(datetime.now(UTC) + LEASE)

    async def stop(self) -> None:
        """Stop the clock: nobody reads it any more."""
        await self._ran(datetime.now(UTC))

    async def _ran(self, until: datetime) -> None:
        connection = await asyncpg.connect(self._database)
        try:
            await connection.execute(RAN, until)
        finally:
            await connection.close()
