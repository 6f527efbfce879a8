"""What happens to a running chain beside kills: each is done to it while demands flow, and undone at its end."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGQUIT, SIGSTOP
from urllib.parse import urlsplit

import asyncpg

from contracts.clock import Clock, Segment
from contracts.engage import SupportTaskRequested
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, ENGAGE, IMPROVE, flow_of
from services.chassis.store import write_statement
from svc import log
from svc.chaos.chain import SPEED, Chain, partition_of, until
from svc.chaos.link import link
from svc.machine import Machine

OTHERS = [activity for activity in ACTIVITIES if activity != ENGAGE]
"""Those whose databases nobody looks into while demands flow."""
HELD_UP = 13.0
"""Seconds that a process is stopped: longer than its group waits for it (10 s), so another owns its partitions then."""
AWAY = 60.0
"""Seconds that Kafka is held up."""
CUT = 8.0
"""Seconds that a link carries nothing."""
HOUR_APART = 3600 / SPEED
"""Seconds that are an hour of a scenario's day."""
WRITES = """SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = ANY($1::text[]) AND state = 'active' AND (starts_with(query, $2) OR query ILIKE 'COMMIT%')"""
WRITING = write_statement(()).partition("(")[0]
"""How the statement that writes a batch begins."""
LOOKS = 4000
"""How often the server is asked for connections that are just writing."""


async def nothing_else(chain: Chain, machine: Machine, random: Random) -> None:
    """Kills are enough."""


async def held_up(chain: Chain, machine: Machine, random: Random) -> None:
    """A second process of a service takes over while the first is stopped; then the first wakes up."""
    activity = random.choice([one for one in ACTIVITIES if one != IMPROVE])
    second = await chain.launch(activity, number=1)
    async with chain.alone(activity):  # a kill would end the first before it wakes up
        first = chain.children[activity]
        first.signal(SIGSTOP)
        await asyncio.sleep(HELD_UP)
        first.signal(SIGCONT)
        await asyncio.sleep(random.uniform(0.5, 2))
    await second.stop()


async def database_killed(chain: Chain, machine: Machine, random: Random) -> None:
    """PostgreSQL is killed with all its connections, and comes back by itself."""
    await asyncio.sleep(random.uniform(1, 4))
    if machine.postgres and machine.postgres.child:
        await machine.postgres.child.kill()


async def broker_killed(chain: Chain, machine: Machine, random: Random) -> None:
    """Kafka is killed, and comes back by itself."""
    await asyncio.sleep(random.uniform(1, 4))
    if machine.kafka and machine.kafka.child:
        await machine.kafka.child.kill()


async def database_stopped(chain: Chain, machine: Machine, random: Random) -> None:
    """PostgreSQL is stopped at once (its immediate shutdown, which writes no checkpoint), and comes back by itself."""
    await asyncio.sleep(random.uniform(1, 4))
    if machine.postgres and machine.postgres.child:
        machine.postgres.child.signal(SIGQUIT)


async def broker_away(chain: Chain, machine: Machine, random: Random) -> None:
    """Kafka answers nobody for a minute, longer than any session or request of the clients waits; then it goes on."""
    await asyncio.sleep(random.uniform(1, 4))
    if machine.kafka and machine.kafka.child:
        machine.kafka.child.signal(SIGSTOP)
        try:
            await asyncio.sleep(AWAY)
        finally:
            machine.kafka.child.signal(SIGCONT)


async def one_more(chain: Chain, machine: Machine, random: Random) -> None:
    """A service gets two more processes, and loses them again, one in good order and one by a kill."""
    activity = random.choice(ACTIVITIES)
    more = [await chain.launch(activity, number=number) for number in (1, 2)]
    await asyncio.sleep(random.uniform(4, 8))
    await more[0].stop()
    await more[1].kill()


async def each_restarted(chain: Chain, machine: Machine, random: Random) -> None:
    """All six are ended in good order and started again, one after the other."""
    for activity in random.sample(ACTIVITIES, len(ACTIVITIES)):
        async with chain.alone(activity):
            await chain.restart(activity)


async def writers_killed(chain: Chain, machine: Machine, random: Random) -> None:
    """The server's end of a connection dies while a batch is being written or committed: its outcome is unknown."""
    names = [database_of(chain, activity) for activity in ACTIVITIES]
    async with administrator(machine) as server:
        hit = 0
        for _ in range(LOOKS):
            hit += await server.fetchval(WRITES, names, WRITING)
            if hit >= 10:
                return


async def bad_links(chain: Chain, machine: Machine, random: Random) -> None:
    """The links of all services to both servers are slow, then narrow, reset again and again, and cut for a while."""
    async with AsyncExitStack() as stack:
        servers = [int(chain.bootstrap.rpartition(":")[2]), urlsplit(machine.admin_url).port or 0]
        links = [await stack.enter_async_context(link(server)) for server in servers]
        for activity in ACTIVITIES:
            chain.always[activity] = [f"--link={server}={one.port}" for server, one in zip(servers, links, strict=True)]
        try:
            await each_restarted(chain, machine, random)
            for one in random.sample(links, len(links)):
                one.delay = random.uniform(0.02, 0.1)
                await asyncio.sleep(random.uniform(1, 2))
                one.delay, one.bandwidth = 0.0, random.randint(20_000, 100_000)
                await asyncio.sleep(random.uniform(1, 2))
                one.bandwidth = 0
                for _ in range(3):
                    one.reset()
                    await asyncio.sleep(random.uniform(0.1, 1))
                one.carries.clear()
                await asyncio.sleep(CUT)
                one.carries.set()
        finally:
            chain.always.clear()
            await each_restarted(chain, machine, random)


async def copies(chain: Chain, machine: Machine, random: Random) -> None:
    """Everything that stands in the topics comes twice more, shuffled."""
    again = 2 * await log.read_log(chain.bootstrap, chain.since)
    random.shuffle(again)
    for record in again:
        await chain.producer.send(
            record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
        )
    await chain.producer.flush()


async def any_order(chain: Chain, machine: Machine, random: Random) -> None:
    """Topics overtake each other: each service gets what it fetched in an order of chance."""
    for activity in ACTIVITIES:
        chain.always[activity] = [f"--shuffle={random.randrange(1000)}"]
    try:
        await each_restarted(chain, machine, random)
        await asyncio.sleep(random.uniform(3, 6))
    finally:
        chain.always.clear()
        await each_restarted(chain, machine, random)


async def heard_again(chain: Chain, machine: Machine, random: Random) -> None:
    """A group's offsets are lost: its service hears all that was ever told to it again."""
    activity = random.choice(ACTIVITIES)
    async with chain.alone(activity):
        await chain.stop(activity)
        await chain.rewind(activity)
        await chain.start(activity)


async def older_copy(chain: Chain, machine: Machine, random: Random) -> None:
    """A service's database is replaced by a copy that is some seconds old."""
    activity = random.choice(OTHERS)
    name = database_of(chain, activity)
    copy = f"{name}_copy"
    async with administrator(machine) as server, chain.alone(activity):
        await chain.kill(activity)
        await without_connections(server, f"CREATE DATABASE {copy} TEMPLATE {name} OWNER {name}", name)
        await chain.start(activity)
        await asyncio.sleep(random.uniform(2, 5))
        await chain.kill(activity)
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.execute(f"ALTER DATABASE {copy} RENAME TO {name}")
        chain.restored[activity] = await log.ends_now(chain.bootstrap)
        await chain.start(activity)


async def poison(chain: Chain, machine: Machine, random: Random) -> None:
    """A record that nobody can read comes for a demand in flight: it is set aside, given up, and the rest redriven."""
    topic = flow_of(SupportTaskRequested).topic
    for _ in range(3):
        sick = await chain.incident()
        put = await chain.producer.send_and_wait(
            topic, random.randbytes(40), key=str(sick).encode(), partition=partition_of(sick)
        )
        record = log.Logged(topic, put.partition, put.offset, None, None)
        chain.by_hand.add(record.undecodable_id)

        async def aside(id: str = str(record.undecodable_id)) -> bool:
            rows = await chain.rows(DELIVER_SUPPORT, "SELECT event_id FROM parked")
            return id in {str(row["event_id"]) for row in rows}

        await until(aside, what="the poison is set aside")
        order = {"discard": str(record.undecodable_id), "reason": "poison"}
        answer = await chain.post(DELIVER_SUPPORT, f"/dlq/{sick}/redrive", order)
        assert answer.status_code == 200, answer.text


async def clocks_apart(chain: Chain, machine: Machine, random: Random) -> None:
    """The machines' clocks differ by up to a minute; then the chain's clock jumps by two days, service by service.

    At a scenario's speed they differ by seconds, which is an hour of its time.
    """
    most = 60.0 if chain.scenario is None else HOUR_APART
    for activity in ACTIVITIES:
        chain.always[activity] = [f"--skew={random.uniform(-most, most)}"]
    try:
        await each_restarted(chain, machine, random)
        now = datetime.now(UTC)
        later = Segment(now, chain.clock.at(now) + timedelta(days=2), chain.clock.segments[-1].speed)
        chain.clock = Clock([*chain.clock.segments, later])
        await asyncio.sleep(random.uniform(1, 3))
    finally:
        chain.always.clear()
        await each_restarted(chain, machine, random)
        if chain.scenario is None:  # which says itself what there is to spend
            await chain.grant(chain.clock.now())


async def disk_full(chain: Chain, machine: Machine, random: Random) -> None:
    """The disk below a service's database is full for some seconds. It takes root to make a disk so small."""
    if os.geteuid() != 0 or machine.postgres is None:
        raise Skipped("only root can make a small disk, and only for a PostgreSQL that is started here")
    activity = random.choice(OTHERS)
    name = database_of(chain, activity)
    async with administrator(machine) as server, chain.alone(activity):
        disk = await asyncio.to_thread(small_disk, name, await server.fetchval("SHOW data_directory"))
        try:
            await chain.kill(activity)
            await server.execute(f"CREATE TABLESPACE {name} LOCATION '{disk}'")
            await without_connections(server, f"ALTER DATABASE {name} SET TABLESPACE {name}", name)
            await chain.start(activity)
            filler = await asyncio.to_thread(fill, disk)
            await asyncio.sleep(random.uniform(4, 8))
            filler.unlink()
            await chain.until_ready(activity)
        finally:
            await chain.kill(activity)
            await without_connections(server, f"ALTER DATABASE {name} SET TABLESPACE pg_default", name)
            await server.execute(f"DROP TABLESPACE IF EXISTS {name}")
            await asyncio.to_thread(remove, disk)
            await chain.start(activity)


class Skipped(Exception):  # noqa: N818 - nothing is wrong
    """A fault that cannot be brought about on this machine."""


Fault = Callable[[Chain, Machine, Random], Coroutine[None, None, None]]
FAULTS: dict[str, Fault] = {
    "kills alone": nothing_else,
    "a process held up, another takes over": held_up,
    "PostgreSQL killed": database_killed,
    "Kafka killed": broker_killed,
    "scale 1 to 3 to 1": one_more,
    "all six restarted, one after the other": each_restarted,
    "connections killed while they write": writers_killed,
    "links slow, narrow, reset, cut": bad_links,
    "everything twice more, shuffled": copies,
    "topics in any order": any_order,
    "offsets lost, everything heard again": heard_again,
    "a database replaced by an older copy": older_copy,
    "poison, given up": poison,
    "clocks apart, and a jump": clocks_apart,
    "a full disk": disk_full,
    "PostgreSQL stopped at once": database_stopped,
    "Kafka away for a minute": broker_away,
}


def small_disk(name: str, like: str) -> Path:
    """A file system of 64 MiB in memory, whose owner is that of another folder; `Skipped` if none can be mounted."""
    disk = Path("/var/tmp") / name
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "svc-chaos", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        disk.rmdir()
        raise Skipped(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    owner = Path(like).stat()
    os.chown(disk, owner.st_uid, owner.st_gid)
    return disk


def fill(disk: Path) -> Path:
    """Write a file until there is no room left."""
    file = disk / "filler"
    with file.open("wb", buffering=0) as filling, suppress(OSError):
        while True:
            filling.write(bytes(65_536))
    return file


def remove(disk: Path) -> None:
    """Unmount a small disk."""
    subprocess.run(["umount", str(disk)], capture_output=True, check=False)
    disk.rmdir()


def database_of(chain: Chain, activity: str) -> str:
    """The name of an activity's database, which is its owner's, too."""
    return urlsplit(chain.databases[activity]).path.lstrip("/")


async def without_connections(server: asyncpg.Connection, statement: str, database: str) -> None:
    """Do what PostgreSQL does only while nobody is connected to a database."""
    while True:
        await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database)
        try:
            await server.execute(statement)
        except asyncpg.ObjectInUseError:
            await asyncio.sleep(0.05)
        else:
            return


@asynccontextmanager
async def administrator(machine: Machine) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do anything."""
    server = await asyncpg.connect(machine.admin_url)
    try:
        yield server
    finally:
        await server.close()
