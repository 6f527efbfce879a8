"""`svc bench intake`: how many pushes a second Engage takes while nothing is worked on, beside a bare endpoint.

A desk's customer waits for the answer to its push, so the push endpoint must not depend on what comes after it. Here
nothing does: a lock on the table of receipts lets no decision of Engage's be stored while a turn lasts. Each push is a
ticket of its own, signed, verified, kept, and acknowledged by the broker before it is answered; the bare endpoint
inserts one row into the same PostgreSQL, and verifies nothing. Both get the same requests, over the same number of
connections, and take turns; before the next turn each push that was taken must have become a demand. Rates hang on
what else the machine has to do; so the CPU that a push takes of each process is measured, too.
"""

import asyncio
import os
import secrets
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import asyncpg
import httpx
import orjson
from rich.box import SIMPLE
from rich.table import Table

from contracts.value_chain import ENGAGE
from svc.bench.arena import PATIENCE, ROOT, Arena
from svc.bench.journey import paced
from svc.bench.latency import percentiles
from svc.desk_replay import INCIDENT, recorded, replay
from svc.machine import ports
from svc.machine.process import Child
from svc.migrations import migrate
from svc.terminal import Terminal
from svc.trouble import Trouble

DESK = "roundup"
ROUNDS, PUSHES, CONNECTIONS = 7, 1000, 16
RATE, SECONDS, GLANCE = 200, 10, 0.1
"""Pushes a second at which both must keep up, and for how long; and seconds between two looks."""
GOAL = 0.5
"""Of the bare endpoint's rate: so much Engage shall have at least."""
PERSON = b"emily.carter@"
"""Who has made the recorded ticket; each of ours is somebody else's."""
HELD = "LOCK TABLE receipt IN SHARE ROW EXCLUSIVE MODE"
TAKEN = "SELECT count(*) FROM demand WHERE desk = $1"
DECIDED = "SELECT count(*) FROM receipt"


async def run(terminal: Terminal, *, quick: bool, json: bool) -> int:
    """Measure and show; exit code 0. `Trouble` if a push is refused, or one that was taken gets lost."""
    rounds, pushes, seconds = (1, 300, 2) if quick else (ROUNDS, PUSHES, SECONDS)
    secret = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    tickets = Tickets(secret)
    with terminal.working():
        async with Arena(terminal) as arena, both(arena, secret) as forms:
            database = await asyncpg.connect(arena.url("bench_intake"))
            rates: dict[str, list[float]] = {name: [] for name in forms}
            spent: dict[str, list[dict[str, float]]] = {name: [] for name in forms}
            waits: dict[str, list[float]] = {}
            refused: dict[str, int] = {}
            for form in forms.values():  # connections are made, caches filled
                await pushed(form.url, tickets.some(pushes // 5))
            taken = pushes // 5
            for number in range(rounds):
                for name in list(forms)[:: 1 if number % 2 else -1]:
                    terminal.say(f"round {number + 1} of {rounds}: {name}, as fast as it answers")
                    requests = tickets.some(pushes)
                    async with stopped(database):
                        before, began = cpu(arena, forms[name]), time.perf_counter()
                        await pushed(forms[name].url, requests)
                        rates[name].append(pushes / (time.perf_counter() - began))
                        after = cpu(arena, forms[name])
                    spent[name].append({who: 1e6 * (after[who] - before[who]) / pushes for who in after})
                    taken += pushes if name == "Engage" else 0
                    await until_taken(database, taken, taken)
            for name, form in forms.items():
                terminal.say(f"{name} at {RATE} pushes a second")
                requests = tickets.some(RATE * seconds)
                async with stopped(database):
                    waits[name], refused[name] = await at_rate(form.url, requests)
            taken += len(waits["Engage"])
            await until_taken(database, taken, taken + refused["Engage"])
            await database.close()
    ratios = [ours / bare for ours, bare in zip(rates["Engage"], rates["bare"], strict=True)]
    result: dict[str, Any] = {
        "rounds": rounds, "pushes": pushes, "connections": CONNECTIONS,
        "rate": {name: median(found) for name, found in rates.items()},
        "ratio": median(ratios), "ratios": ratios, "goal": GOAL,
        "cpu_us": {name: {who: median(one[who] for one in of) for who in of[0]} for name, of in spent.items()},
        "paced": RATE, "milliseconds": {name: percentiles(found) for name, found in waits.items()},
        "refused": refused, "taken": taken,
    }  # fmt: skip
    terminal.show(table(result))
    if json:
        terminal.result(result)
    return 0


def table(result: dict[str, Any]) -> Table:
    """A row for each of both."""
    shown = Table(
        title=f"Pushes of a desk, processing stopped; {result['rounds']} rounds of {result['pushes']:,} in turns",
        caption=f"Engage's rate over the bare endpoint's, median of the rounds: {result['ratio']:.2f} "
        f"(goal: {result['goal']} at least). All {result['taken']:,} pushes that it took became demands afterwards.",
        box=SIMPLE,
    )
    p50 = f"p50 at {result['paced']} a second, ms"
    for heading in ("", "pushes a second", "CPU us a push", "database", "broker", "driver", p50, "p99, ms", "refused"):
        shown.add_column(heading, justify="right" if heading else "left")
    for name, rate in result["rate"].items():
        waits, spent = result["milliseconds"][name], result["cpu_us"][name].values()
        shown.add_row(
            name, f"{rate:,.0f}", *(f"{us:,.0f}" for us in spent), f"{waits['p50']:.1f}", f"{waits['p99']:.1f}",
            f"{result['refused'][name]:,}",
        )  # fmt: skip
    return shown


class Form(NamedTuple):
    """Somebody who takes pushes."""

    url: str
    child: Child


def cpu(arena: Arena, form: Form) -> dict[str, float]:
    """Seconds of CPU so far: of who takes the pushes, of PostgreSQL, of Kafka, and of this process, which pushes."""
    now = arena.moment(0, [form.child])
    return {"itself": now.worker, "database": now.database, "broker": now.broker, "driver": time.process_time()}


class Tickets:
    """Pushes of new tickets, as a Roundup desk sends them."""

    def __init__(self, secret: str) -> None:
        self._secret, self._recording, self._last = secret, recorded(INCIDENT), 0

    def some(self, count: int) -> list[bytes]:
        """So many, each a whole HTTP request, signed now."""
        return [self._request() for _ in range(count)]

    def _request(self) -> bytes:
        self._last += 1
        ticket = str(self._last)
        somebody = self._recording.body.replace(PERSON, b"driver-%d@" % self._last)
        recording, delivery, now = self._recording._replace(body=somebody), f"bench-{ticket}", datetime.now(UTC)
        headers, body = replay(recording, ticket=ticket, delivery=delivery, secret=self._secret, now=now)
        lines = [f"POST /desks/{DESK} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def stopped(database: asyncpg.Connection) -> AsyncIterator[None]:
    """While this lasts Engage stores no decision; `Trouble` if it has stored one all the same."""
    async with database.transaction():
        await database.execute(HELD)
        before = await database.fetchval(DECIDED)
        yield
        if await database.fetchval(DECIDED) != before:
            raise Trouble("Engage has stored decisions meanwhile: it was not stopped, and this measures nothing.")


@asynccontextmanager
async def both(arena: Arena, secret: str) -> AsyncIterator[dict[str, Form]]:
    """Engage as it is started everywhere, and the bare endpoint; on databases of their own in one PostgreSQL."""
    for database in ("bench_intake", "bench_bare"):
        connection = await asyncpg.connect(arena.machine.admin_url)
        await connection.execute(f"CREATE DATABASE {database}")
        await connection.close()
    await migrate(ENGAGE, arena.url("bench_intake"))
    first, second = ports.free(2)
    desks = orjson.dumps({DESK: {"connector": DESK, "secrets": [secret]}}).decode()
    others = {name: value for name, value in os.environ.items() if not name.startswith("SVC_")}
    engage = {"SVC_BOOTSTRAP": arena.machine.bootstrap, "SVC_DATABASE": arena.url("bench_intake"), "SVC_DESKS": desks}
    bare = {"SVC_DATABASE": arena.url("bench_bare")}
    children: list[Child] = []
    try:
        for module, port, ours in ((f"services.{ENGAGE}", first, engage), ("svc.bench.bare", second, bare)):
            log = arena.folder / "logs" / f"{module}.log"
            environment = others | ours | {"SVC_PORT": str(port)}
            child = await Child.start(module, [sys.executable, "-m", module], log=log, env=environment, cwd=ROOT)
            children.append(child)
            await ready(f"http://127.0.0.1:{port}", child)
        urls = (f"http://127.0.0.1:{port}" for port in (first, second))
        yield dict(zip(("Engage", "bare"), map(Form, urls, children), strict=True))
    finally:
        await asyncio.gather(*(child.stop() for child in children))


async def ready(url: str, child: Child) -> None:
    """Wait until it is; its death says why if it is not."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(timeout=5) as client:
        while child.returncode is None:
            try:
                if (await client.get(f"{url}/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(GLANCE)
    raise child.death()


class Connection:
    """One connection to a server, over which one request goes after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def push(self, request: bytes) -> float:
        """Seconds until it was answered; `Trouble` if it was not taken."""
        began = time.perf_counter()
        self._writer.write(request)
        status, _, head = (await self._reader.readuntil(b"\r\n\r\n")).decode().partition("\r\n")
        body = await self._reader.readexactly(int(head.lower().partition("content-length: ")[2].partition("\r\n")[0]))
        if " 202 " not in status:
            raise Trouble(f"A push was not taken: {status} {body.decode()}")
        return time.perf_counter() - began

    async def push_each(self, requests: Iterable[bytes]) -> None:
        """One after the other, as fast as they are answered."""
        for request in requests:
            await self.push(request)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[list[Connection]]:
    """Connections to a server."""
    where = urlsplit(url)
    pairs = [await asyncio.open_connection(where.hostname, where.port) for _ in range(CONNECTIONS)]
    try:
        yield [Connection(*pair) for pair in pairs]
    finally:
        for _, writer in pairs:
            writer.close()


async def pushed(url: str, requests: Sequence[bytes]) -> None:
    """Push all of them over all connections, as fast as they are answered."""
    waiting = iter(requests)
    async with connected(url) as connections:
        await asyncio.gather(*(connection.push_each(waiting) for connection in connections))


async def at_rate(url: str, requests: Sequence[bytes]) -> tuple[list[float], int]:
    """Milliseconds from when each was due until it was answered, at a fixed rate; and how many were not taken."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    waits: list[float] = []

    async def push(request: bytes, due: float) -> bool:
        connection = await free.get()
        try:
            await connection.push(request)
        except Trouble:
            return False
        finally:
            free.put_nowait(connection)
        waits.append(1000 * (time.perf_counter() - due))
        return True

    async with connected(url) as connections:
        for connection in connections:
            free.put_nowait(connection)
        pushing = [asyncio.create_task(push(one, time.perf_counter())) async for one in paced(requests, RATE)]
        taken = await asyncio.gather(*pushing)
    return waits, taken.count(False)


async def until_taken(database: asyncpg.Connection, least: int, most: int) -> None:
    """Wait until at least so many tickets are demands; `Trouble` if that does not go on.

    A push that was refused because an answer was late may have come all the same: there may be up to `most`.
    """
    deadline, last = time.monotonic() + PATIENCE, -1
    while not least <= (now := await database.fetchval(TAKEN, DESK)) <= most:
        if now > last:
            last, deadline = now, time.monotonic() + PATIENCE
        if time.monotonic() > deadline or now > most:
            raise Trouble(f"{least:,} pushes were taken, and {now:,} tickets are demands.")
        await asyncio.sleep(GLANCE)
