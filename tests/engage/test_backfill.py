"""Asking a desk what it did not push: the rounds, decided by plain calls, and one page, from a desk that pages."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from contracts.clock import Clock
from contracts.envelope import encode
from contracts.event import Command
from contracts.outside import TicketPushed
from services.chassis.outputs import Ask, Later
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.engage import backfill
from services.engage.backfill import (
    DeskAnswered,
    DeskAsked,
    DeskRound,
    DeskRoundDue,
    ask,
    ask_desk,
    hear_desk,
)
from services.engage.desks.client import Client
from services.engage.desks.events import Received
from services.engage.desks.intake import delivery_of, demand_of
from services.engage.desks.signature import Proof
from services.engage.handlers import handles
from services.engage.notices import Desk
from tests.desks.conformance.kits import KITS
from tests.engage.house import NOW, only

KIT = next(kit for kit in KITS if kit.desk == "django-helpdesk")
API = {"base": "https://desk.example", "user": "engage-bot", "secret": "p"}
DUE, WHEN = NOW + timedelta(hours=9), NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk.model_validate({"connector": KIT.desk, "secrets": ["s"], "api": API, "ask_every": 60})
    monkeypatch.setattr(backfill, "DESKS", {"help": desk})
    return desk


# Rounds


def begun(row: DeskRound, round: int | None = None) -> list[Any]:
    return [*ask_desk(DeskRoundDue(desk=row.id, round=round).at(NOW), row)]


def heard(row: DeskRound, **fields: Any) -> list[Any]:
    return [*hear_desk(DeskAnswered(desk=row.id, **fields).at(NOW), row)]


def test_each_start_begins_a_round_and_what_an_earlier_one_has_under_way_is_over() -> None:
    row = DeskRound(id="help", cursor="c")
    assert begun(row) == [Ask(DeskAsked(desk="help", round=1, cursor="c"))]
    assert begun(row) == [Ask(DeskAsked(desk="help", round=2, cursor="c"))]
    assert begun(row, 1) == []
    assert heard(row, round=1, newest="z", again_at=DUE) == []
    assert begun(row, 2) == [Ask(DeskAsked(desk="help", round=2, cursor="c"))]
    assert row.cursor == "c"


def test_a_desk_that_is_no_longer_configured_is_not_asked() -> None:
    row = DeskRound(id="gone")
    assert begun(row) == []
    assert row.round == 0


def test_a_round_goes_on_to_its_last_page_and_the_next_one_begins_where_it_has_ended() -> None:
    row = DeskRound(id="help", round=1, cursor="a")
    following = only(Ask, heard(row, round=1, newest="b", next_page=2, found=100, again_at=DUE)).effect
    assert following == DeskAsked(desk="help", round=1, cursor="a", newest="b", page=2, found=100)
    assert row.cursor == "a"
    last = heard(row, round=1, newest="c", found=150, asked_at=WHEN, again_at=DUE)
    assert last == [Later(DUE, DeskRoundDue(desk="help", round=1))]
    assert (row.cursor, row.found, row.asked_at, row.failed) == ("c", 150, WHEN, "")


def test_a_desk_that_does_not_answer_is_asked_the_same_again() -> None:
    row = DeskRound(id="help", round=1, cursor="a", asked_at=WHEN, found=3)
    assert heard(row, round=1, failed="no answer", again_at=DUE) == [Later(DUE, DeskRoundDue(desk="help", round=1))]
    assert (row.cursor, row.asked_at, row.found, row.failed) == ("a", WHEN, 3, "no answer")
    given_up = DeskAsked(desk="help", round=1, cursor="a").failed("Kafka is away").at(NOW)
    assert [*hear_desk(given_up, row)] == [Later(NOW, DeskRoundDue(desk="help", round=1))]


# What a desk tells


def ticket(number: int, status: int = 1, *replies: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": number, "title": f"Ticket {number}", "description": "The games go black.", "status": status,
        "submitter_email": "emily@example.com", "created": f"2026-11-24T08:{number % 60:02}:00Z", "priority": 3,
        "followup_set": [{"ticket": number, "public": True, "new_status": None, "title": "Comment", "user": None,
            "date": f"2026-11-24T09:{number % 60:02}:00Z"} | reply for reply in replies],
    }  # fmt: skip


class Paged(httpx.AsyncBaseTransport):
    """A desk that tells its tickets page by page; it can be down."""

    def __init__(self, *tickets: dict[str, Any]) -> None:
        self.tickets, self.down = tickets, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        page, size = (int(request.url.params[name]) for name in ("page", "page_size"))
        return httpx.Response(200, json={"results": self.tickets[(page - 1) * size : page * size]})


class Inbox(Runtime):
    """A runtime without broker and database, which keeps what would be on the inbox."""

    def __init__(self) -> None:
        super().__init__(handles, Settings())
        self.clock = Clock.parse(f"{NOW.isoformat()},{NOW.isoformat()},100")
        self.records: list[dict[str, Any]] = []
        self.pool = self  # type: ignore[assignment]

    async def fetchval(self, *_: object, **more: object) -> None:
        """No demand is known yet."""

    async def execute(self, *_: object, **more: object) -> None:
        """Nothing has expired."""

    async def to_inbox(self, command: Command, traceparent: str, **words: Any) -> None:
        """What would be there."""
        self.records.append(json.loads(encode(command, traceparent=traceparent, **words)))

    @property
    def pushed(self) -> list[TicketPushed]:
        """The same, as Engage reads it."""
        return [TicketPushed.model_validate(record["data"]) for record in self.records]


def reach(monkeypatch: pytest.MonkeyPatch, desk: httpx.AsyncBaseTransport) -> None:
    connected = Client.__init__
    monkeypatch.setattr(Client, "__init__", lambda self, plugged, access: connected(self, plugged, access, desk))


async def asked(inbox: Inbox, **fields: Any) -> DeskAnswered:
    return await ask(inbox, DeskAsked.model_validate({"desk": "help", "round": 1, "cursor": ""} | fields))


async def test_what_was_not_pushed_comes_under_the_id_that_its_push_would_have_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reach(monkeypatch, Paged(ticket(7, 1, {"id": 31, "comment": "It is back."})))
    inbox, before = Inbox(), datetime.now(UTC)
    answered = await asked(inbox)
    created, reply = inbox.pushed
    assert (created.kind, created.demand, created.delivery) == ("created", demand_of("help", "7"), "created:7")
    assert (reply.kind, reply.text, reply.delivery) == ("replied", "It is back.", "followup:31")
    assert reply.by_requester
    assert created.order < reply.order
    body = json.dumps({"ticket": ticket(7), "queue_slug": "support"}).encode()
    (push,) = KIT.plugged().events(Received(headers={}, body=body, received_at=before), Proof("unsigned"))
    assert UUID(inbox.records[0]["id"]) == delivery_of("help", push)
    assert (answered.newest, answered.next_page, answered.found) == ("2026-11-24T09:07:00+00:00", None, 2)
    assert answered.again_at
    assert answered.asked_at
    wait = (answered.again_at - inbox.clock.at(before)) / timedelta(seconds=1)
    assert 6_000 <= wait < 7_000, "a minute of the wall's time, while chain time runs a hundred times as fast"


async def test_a_desk_is_asked_page_by_page_and_then_only_for_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [ticket(number) for number in range(1, 151)]
    reach(monkeypatch, Paged(*many))
    inbox = Inbox()
    first = await asked(inbox)
    assert (first.next_page, first.found, len(inbox.records)) == (2, 100, 100)
    second = await asked(inbox, page=first.next_page, newest=first.newest, found=first.found)
    assert (second.next_page, second.found, len(inbox.records)) == (None, 150, 150)
    assert second.newest == "2026-11-24T08:59:00+00:00"
    inbox.records.clear()
    await asked(inbox, cursor=second.newest)
    late = {pushed.ticket for pushed in inbox.pushed}
    assert late == {str(number) for number in range(1, 101) if number % 60 >= 57}, "those of the last two minutes"


async def test_what_was_over_when_a_desk_is_asked_first_is_no_demand_and_later_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = ticket(8, 4, {"id": 40, "comment": "Fixed.", "user": {"username": "root"}})
    reach(monkeypatch, Paged(closed))
    inbox = Inbox()
    assert (await asked(inbox)).found == 2
    assert inbox.records == []
    await asked(inbox, cursor="2026-11-24T08:00:00+00:00")
    assert [(one.kind, one.status) for one in inbox.pushed if one.kind != "replied"] == [("status_changed", "closed")]


async def test_a_desk_that_is_down_says_so_and_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Paged(ticket(7))
    reach(monkeypatch, desk)
    desk.down, inbox = True, Inbox()
    answered = await asked(inbox, cursor="2026-11-24T08:00:00+00:00")
    assert answered.failed == "ConnectError: refused"
    assert answered.again_at
    assert inbox.records == []
    desk.down = False
    assert (await asked(inbox, cursor="2026-11-24T08:00:00+00:00")).failed == ""
    assert len(inbox.records) == 1


async def test_a_desk_that_left_the_configuration_says_so() -> None:
    assert "SVC_DESKS" in (await asked(Inbox(), desk="gone")).failed
