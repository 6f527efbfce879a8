"""What is written down of pushes and how desks stand, in a real PostgreSQL; and what people read of it."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from rich.console import Console
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from services.engage import desks_view
from services.engage.backfill import DeskRound
from services.engage.channels import Alike, alike
from services.engage.desks.events import Received
from services.engage.desks_view import DeskView, how_desks_stand
from services.engage.model import Demand, Notice
from services.engage.notices import Desk
from services.engage.pushes import DROPPED_EVERY, Pushes
from svc.desk_status import NONE, shown, troubled
from svc.machine import provision
from svc.migrations import migrate
from tests.engage.house import NOW

if TYPE_CHECKING:
    from svc.machine import Machine

API = {"base": "https://desk.example", "secret": "t"}
DESKS = {
    "help": Desk.model_validate({"connector": "zammad", "secrets": ["s"], "api": API}),
    "mail": Desk.model_validate({"connector": "glpi", "secrets": ["s"]}),
}
PENDING = """INSERT INTO pending (id, due, attempts, effect, case_id, type, data, context, error)
VALUES ($1, $2, 7, 'requester-notice', $3, 'requester-notice', '{}', '{}', 'ConnectError: refused')"""

CASES = """INSERT INTO cases (id, version, sequence, stream, traceparent)
SELECT id, 0, 0, '', traceparent FROM unnest($1::text[], $2::text[]) AS known (id, traceparent)"""


class Place:
    """Engage's database, as its routes reach it."""

    def __init__(self, pool: asyncpg.Pool, url: str) -> None:
        self.pool = pool
        self.engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
        self.pushes = Pushes(pool)

    async def stand(self) -> dict[str, DeskView]:
        """What `GET /desks/status` answers."""
        return {desk.desk: desk for desk in await how_desks_stand(AsyncSession(self.engine), self.pushes)}

    async def alike(self, demand: Demand) -> list[Alike]:
        """What `GET /demands/{demand}/alike` answers."""
        async with AsyncSession(self.engine) as session:
            return await alike(demand, session)

    async def write(self, row: Demand | DeskRound) -> None:
        """Have a row, as a lane would write it."""
        columns = ", ".join(f'"{name}"' for name in type(row).model_fields)
        statement = (
            f"INSERT INTO {row.table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{row.table}, $1)"
        )
        await self.pool.execute(statement, type(row).dump([row]).decode())


@pytest.fixture
async def place(machine: "Machine", monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(desks_view, "DESKS", DESKS)
    name = f"engage_{uuid4().hex[:8]}"
    url = (await provision(machine.admin_url, {name: "p"}))[name]
    await migrate("engage", url)
    async with asyncpg.create_pool(url, min_size=0) as pool:
        found = Place(pool, url)
        yield found
        await found.engine.dispose()
    server = await asyncpg.connect(machine.admin_url)
    await server.execute(f"DROP DATABASE svc_{name} WITH (FORCE)")
    await server.execute(f"DROP ROLE svc_{name}")
    await server.close()


def pushed(body: bytes, at: datetime, **headers: str) -> Received:
    return Received(headers=headers, body=body, received_at=at)


async def test_a_push_is_kept_byte_for_byte_without_its_secrets_until_it_expires(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, body = datetime.now(UTC), b'{"a":  "\xff"}'
    secret = {"Authorization": "Bearer t", "X-Gitlab-Token": "t", "x-hub-signature": "sha1=00"}
    id, _ = await place.pushes.keep("help", pushed(body, now, **secret), 1)
    assert (await place.pushes.keep("help", pushed(body, now, **secret), 1)).id == id
    (row,) = await place.pool.fetch("SELECT * FROM raw_push")
    assert (row["id"], b64decode(row["body"])) == (id, body)
    assert orjson.loads(row["headers"]) == {"x-hub-signature": "sha1=00"}
    assert row["expires_at"] == now + timedelta(days=1)
    await place.pushes.keep("help", pushed(b"old", now - timedelta(days=2)), 1)
    monkeypatch.setattr(Pushes, "dropped_at", -DROPPED_EVERY)  # it was not looked for lately
    assert (await place.pushes.keep("help", pushed(b"unkept", now), 0)).id is None
    assert [one["id"] for one in await place.pool.fetch("SELECT id FROM raw_push")] == [id]
    assert (await place.stand())["help"].pushes_taken == 3, "one is kept, one has expired, one was not kept"


async def test_pushes_that_come_together_are_kept_each_with_the_traces_of_its_own_cases(place: Place) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
    await place.pool.execute(CASES, ["known", "untraced"], [trace, ""])
    said = [(b"1", 7, ["known"]), (b"2", 7, ["new", "untraced"]), (b"1", 7, ["known"]), (b"3", 0, ["known"])]
    first, second, again, unkept = await asyncio.gather(
        *(place.pushes.keep("help", pushed(body, NOW), days, cases) for body, days, cases in said)
    )
    assert (first.id, unkept.id) == (again.id, None)
    assert {row["id"] for row in await place.pool.fetch("SELECT id FROM raw_push")} == {first.id, second.id}
    assert [one.traces.get("known") for one in (first, again, unkept)] == [trace] * 3
    assert not {"new", "untraced"} & second.traces.keys()


async def test_a_desk_shows_what_it_pushed_what_was_refused_and_when_it_was_asked(place: Place) -> None:
    first, last = NOW, NOW + timedelta(hours=1)
    assert (await place.stand())["help"] == DeskView(desk="help", connector="zammad", asked=True)
    await place.pushes.keep("help", pushed(b"1", first), 7)
    await place.pushes.keep("help", pushed(b"2", last), 7)
    await place.pushes.refuse("help", "no signature matches")
    await place.pushes.keep("help", pushed(b"2", last), 7)
    await place.write(DeskRound(id="help", round=2, cursor="c", asked_at=last, found=12, failed="ConnectError"))
    stands = await place.stand()
    desk = stands["help"]
    assert (desk.pushes_taken, desk.last_push_at, desk.pushes_refused) == (2, last, 1)
    assert (desk.last_refusal, desk.last_asked_at, desk.last_found) == ("no signature matches", last, 12)
    assert desk.last_refused_at
    assert desk.asking_failed == "ConnectError"
    assert stands["mail"] == DeskView(desk="mail", connector="glpi", asked=False)


async def test_a_ticket_that_has_still_to_be_told_something_is_shown_with_what_is_wrong(place: Place) -> None:
    waiting = (Notice(number=3, status="delivered", text="It works."), Notice(number=4, status="assumed", text="Bye."))
    row: dict[str, Any] = {"status": "assumed", "desk": "help", "captured_at": NOW}
    tried, untried, told = (Demand(id=uuid4(), ticket=name, **row) for name in ("7", "8", "9"))
    tried.untold, untried.untold, untried.captured_at = waiting, waiting[1:], NOW + timedelta(hours=1)
    for one in (tried, untried, told):
        await place.write(one)
    await place.pool.execute(PENDING, uuid4(), NOW, str(tried.id))
    desk = (await place.stand())["help"]
    assert desk.tickets_waiting == 2
    assert [(one.ticket, one.waiting, one.status, one.attempts, one.last_error) for one in desk.write_backs] == [
        ("7", 2, "delivered", 7, "ConnectError: refused"),
        ("8", 1, "assumed", 0, ""),
    ]


async def test_what_one_person_says_by_two_channels_about_one_service_is_offered_as_perhaps_one(place: Place) -> None:
    said: dict[str, Any] = {"requester": "emily@example.com", "service": "games", "status": "in_progress"}
    mailed = Demand(id=uuid4(), desk="help", ticket="7", channel="desk", captured_at=NOW, title="Black", **said)
    called = Demand(id=uuid4(), channel="phone", captured_at=NOW + timedelta(hours=3), **said)
    called.requester = "Emily@Example.com"
    late = Demand(id=uuid4(), channel="chat", captured_at=NOW + timedelta(hours=25), **said)
    same_way = Demand(id=uuid4(), desk="help", ticket="8", captured_at=NOW, **said)
    over, elsewhere, other = (Demand(id=uuid4(), channel="chat", captured_at=NOW, **said) for _ in range(3))
    over.status, elsewhere.service, other.requester = "rejected", "charging", "paul@example.com"
    for row in (mailed, called, late, same_way, over, elsewhere, other):
        await place.write(row)
    (offer,) = await place.alike(mailed)
    assert (offer.demand.id, offer.channel) == (called.id, "phone")
    assert (offer.merge, offer.into) == (f"/demands/{called.id}/merger", mailed.id)
    assert offer.why == "emily@example.com asks about games by help too, 3.0 hours apart."
    assert [one.demand.id for one in await place.alike(called)] == [*sorted([mailed.id, same_way.id]), late.id]
    assert await place.alike(over) == []


# What people read


def read(*desks: DeskView) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(shown([desk.model_dump(mode="json") for desk in desks]))
    return captured.get()


def test_without_desks_a_person_reads_how_to_connect_one() -> None:
    assert read().strip() == NONE


def test_what_is_wrong_with_a_desk_stands_below_it() -> None:
    fine = DeskView(desk="help", connector="zammad", asked=True, pushes_taken=12, last_push_at=NOW, last_asked_at=NOW)
    assert "2026-11-24 08:30:00" in read(fine)
    assert not troubled(fine.model_dump(mode="json"))
    late = {"demand": uuid4(), "ticket": "7", "waiting": 1, "status": "delivered", "attempts": 4, "last_error": "gone"}
    bad = fine.model_copy(update={"asking_failed": "ConnectError: refused"})
    worse = DeskView.model_validate(fine.model_dump() | {"tickets_waiting": 1, "write_backs": [late]})
    assert "help: it does not answer: ConnectError: refused" in read(bad)
    assert "help: ticket 7 cannot be told that it is delivered (4 attempts): gone" in read(worse)
    assert troubled(bad.model_dump(mode="json"))
    assert troubled(worse.model_dump(mode="json"))
