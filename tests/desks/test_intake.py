"""From an event of a desk to what Engage decides about: what is ours, whose word it is, and what is withheld."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.outside import TicketPushed
from services.engage.desks.events import DeskEvent
from services.engage.desks.intake import ticket_pushed, withheld
from services.engage.desks.text import marker
from services.engage.triage import GONE, REOPENED

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
OURS = marker(UUID(int=7), 3)
EMILY = "emily@example.com"


def event(**fields: Any) -> DeskEvent:
    said: dict[str, Any] = {
        "desk": "rt", "kind": "reply", "is_demand": True, "external_id": "7", "url": None, "dedupe_key": "txn-58",
        "order_key": "58", "occurred_at": NOW, "actor": EMILY, "is_echo": False, "visibility": "public",
        "desk_type": "Incident", "itil_type": "incident", "decided_by": "field", "priority_raw": None, "priority": None,
        "status_raw": "open", "status": "open", "requester": EMILY, "title": "Black screen", "channel": None,
        "signature": "valid", "rule": "", "text": "It is black.",
    }  # fmt: skip
    return DeskEvent.model_validate(said | fields)


def pushed(**fields: Any) -> TicketPushed:
    found = ticket_pushed("help", event(**fields), NOW)
    assert found
    return found


def test_the_desks_own_order_goes_on() -> None:
    assert pushed().order == "58"


@pytest.mark.parametrize(
    ("actor", "requester", "name", "expected"),
    [
        (EMILY, EMILY, None, True),
        ("Emily@Example.com", EMILY, None, True),
        ("Emily Carter", EMILY, "Emily Carter", True),
        ("priya", EMILY, "Emily Carter", False),
        (None, EMILY, None, None),
        ("priya", None, None, None),
    ],
)
def test_whose_word_it_is_is_said_as_far_as_the_desk_says(
    actor: str | None, requester: str | None, name: str | None, expected: bool | None
) -> None:
    assert pushed(actor=actor, requester=requester, requester_name=name).by_requester is expected


def test_our_own_answer_is_known_by_its_marker_whoever_seems_to_have_written_it() -> None:
    echo = pushed(text=f"It works.\n\n{OURS}", status="resolved", status_raw="resolved")
    assert (echo.kind, echo.text, echo.status) == ("status_changed", "", "resolved")


def test_what_somebody_writes_under_our_account_is_not_ours_and_neither_is_a_quotation() -> None:
    assert pushed(actor="engage-bot", is_echo=True, text="By hand.").text == "By hand."
    assert pushed(text=f"No, it is black.\n\n> It works. {OURS}").kind == "replied"


def test_a_ticket_that_is_reopened_without_a_word_says_so() -> None:
    assert (pushed(kind="reopened", text="").kind, pushed(kind="reopened", text="").text) == ("replied", REOPENED)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "deleted"}, GONE),
        ({"kind": "status", "status_raw": "Cancelled", "status": "closed"}, "Cancelled"),
        ({"kind": "status", "status_raw": "done cbb", "status": "resolved"}, "resolved"),
        ({"kind": "status", "status_raw": "chatting", "status": "open"}, "chatting"),
    ],
)
def test_a_status_goes_on_in_a_word_that_engage_knows(fields: dict[str, Any], expected: str) -> None:
    change = pushed(**fields, text="")
    assert (change.kind, change.text, change.status) == ("status_changed", "", expected)


@pytest.mark.parametrize("kind", ["note", "bounce", "auto_reply", "unknown"])
def test_notes_and_what_machines_write_do_not_go_on(kind: str) -> None:
    assert ticket_pushed("help", event(kind=kind), NOW) is None


def test_an_internal_word_never_goes_on_whatever_kind_it_is_taken_for() -> None:
    assert ticket_pushed("help", event(visibility="internal", kind="reply", text="psst"), NOW) is None


def test_the_same_person_stays_the_same_without_an_address() -> None:
    first, second = (withheld(pushed(requester=who), ["address"], "key") for who in (EMILY, "EMILY@example.com"))
    other = withheld(pushed(requester="paul@example.com"), ["address"], "key")
    elsewhere = withheld(pushed(), ["address"], "another key")
    assert first.requester_email == second.requester_email
    assert len({first.requester_email, other.requester_email, elsewhere.requester_email, EMILY}) == 4


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to a.b+c@mail.example.com.", "Write to [withheld]."),
        ("Call +41 (0)79 123-45-67, please", "Call [withheld], please"),
        ("Call 0041 79 123 45 67", "Call [withheld]"),
        ("40 users since 2026-11-24 08:30, 43,200 euros a year, order 123456789", None),
        ("user@localhost, 10.0.0.1, v0.1.2", None),
    ],
)
def test_addresses_and_numbers_of_persons_are_taken_out_and_no_others(text: str, left: str | None) -> None:
    assert withheld(pushed(text=text), ["addresses in text"], "key").text == (text if left is None else left)
