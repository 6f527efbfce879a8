"""What a job prepares for services that something else starts; on the real broker and database."""

import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from contracts.clock import Clock
from contracts.value_chain import ACTIVITIES, TOPICS
from svc import prepare
from svc.loopback import serve
from svc.machine import Machine
from svc.prepare import ADMINISTRATION, run, set_clock, write_settings
from svc.terminal import Terminal
from svc.topics import create_topics
from svc.trouble import Trouble

SPEED = 14_400.0


@pytest.fixture
async def job(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, str]]:
    """The environment of the job, on a server where no chain has been yet; gives the passwords."""
    passwords = {activity: secrets.token_urlsafe(9) for activity in ACTIVITIES}
    monkeypatch.setenv("KAFKA_BOOTSTRAP", machine.bootstrap)
    monkeypatch.setenv("DATABASE_URL", machine.admin_url)
    monkeypatch.setenv("SVC_PASSWORDS", json.dumps(passwords))
    monkeypatch.delenv("SVC_SERVICES", raising=False)
    yield passwords
    server = await asyncpg.connect(machine.admin_url)
    for name in (*ACTIVITIES, ADMINISTRATION):
        await server.execute(f"DROP DATABASE IF EXISTS svc_{name} WITH (FORCE)")
        await server.execute(f"DROP ROLE IF EXISTS svc_{name}")
    await server.close()


async def prepared(folder: Path, *, speed: float = SPEED, ago: timedelta = timedelta(days=12)) -> Clock:
    """The clock that the job has left for the services."""
    epoch = datetime.now(UTC) - ago
    options = {"granting": False, "accept_loss": False, "json": False}
    assert await run(Terminal(json=True), speed=speed, epoch=epoch, settings=folder, **options) == 0
    name, _, value = (folder / "chain.env").read_text().strip().partition("=")
    assert name == "SVC_CLOCK"
    return Clock.parse(value.strip("'"))


def url(machine: Machine, activity: str, passwords: dict[str, str]) -> str:
    return f"postgresql://svc_{activity}:{passwords[activity]}@{machine.admin_url.rpartition('@')[2].partition('/')[0]}/svc_{activity}"


async def test_topics_and_databases_are_there_and_chain_time_begins_when_it_was_asked_to(
    machine: Machine, job: dict[str, str], tmp_path: Path
) -> None:
    clock = await prepared(tmp_path)
    assert timedelta(days=11.9) < datetime.now(UTC) - clock.segments[-1].chain < timedelta(days=12.1)
    assert clock.segments[-1].speed == SPEED
    assert await create_topics(machine.bootstrap) == [], f"all {len(TOPICS)} are there"
    for activity in ACTIVITIES:
        connection = await asyncpg.connect(url(machine, activity, job))
        assert await connection.fetchval("SELECT count(*) FROM receipt") == 0
        await connection.close()


async def test_chain_time_goes_on_from_the_last_thing_that_was_written_down(
    machine: Machine, job: dict[str, str], tmp_path: Path
) -> None:
    first = await prepared(tmp_path)
    written = datetime.now(UTC) + timedelta(
        hours=1
    )  # the chain has run for an hour, and nobody knows for how long after
    connection = await asyncpg.connect(url(machine, "improve", job))
    receipt = "INSERT INTO receipt (event_id, case_id, record, at) VALUES ($1, 'a case', '{}', $2)"
    await connection.execute(receipt, uuid4(), written)
    await connection.close()
    again = await prepared(tmp_path, speed=60)
    assert again.segments[-1].chain == first.at(written)
    assert again.segments[-1].speed == 60


async def test_a_chain_that_runs_keeps_its_clock(
    job: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`docker compose up` prepares again when one service has to be started, and the others go on."""
    first = await prepared(tmp_path)

    async def one_answers() -> bool:
        return True

    monkeypatch.setattr(prepare, "_any_runs", one_answers)
    assert str(await prepared(tmp_path, speed=60)) == str(first)


async def test_a_service_that_answers_shows_that_the_chain_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def alive(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    monkeypatch.setenv("SVC_SERVICES", "http://127.0.0.1:1/{activity}")
    assert not await prepare._any_runs()
    async with serve(alive) as there:
        monkeypatch.setenv("SVC_SERVICES", f"{there}/{{activity}}")
        assert await prepare._any_runs()
    monkeypatch.delenv("SVC_SERVICES")
    assert not await prepare._any_runs()


@pytest.mark.parametrize("missing", ["KAFKA_BOOTSTRAP", "DATABASE_URL", "SVC_PASSWORDS"])
async def test_what_is_not_set_is_named(
    missing: str, job: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(Trouble, match=f"{missing} is not set"):
        await prepared(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"chain\.env cannot be written"):
        write_settings(tmp_path / "nowhere" / "chain.env", ["A=1"])


async def test_a_clock_without_services_is_the_same_for_who_asks_twice(
    machine: Machine, job: dict[str, str], tmp_path: Path
) -> None:
    """Time stands still meanwhile: nothing was written down, so nobody has seen it go by."""
    first = await prepared(tmp_path)
    urls = {activity: url(machine, activity, job) for activity in ACTIVITIES}
    server = await asyncpg.connect(machine.admin_url)
    await server.execute(f"ALTER ROLE svc_{ADMINISTRATION} PASSWORD 'known now'")
    await server.close()
    urls[ADMINISTRATION] = url(machine, ADMINISTRATION, {ADMINISTRATION: "known%20now"})
    again = await set_clock(urls, SPEED, None)
    stood = again.segments[-1].chain - first.segments[-1].chain
    assert timedelta() <= stood <= timedelta(seconds=6) * SPEED, "at most what the clock may run without saying so"
