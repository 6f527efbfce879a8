"""What a Roundup desk really pushed, and what must not pass as a push."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engage.desks.roundup import DeskTicket, Unreadable, parse
from svc.desk_replay import INCIDENT, NEW_SERVICE, recorded

ROUNDUP = Path(__file__).parents[1] / "data" / "desks" / "roundup"
PUSHED = recorded(INCIDENT).body


def pushed(name: str) -> DeskTicket:
    ticket = parse(recorded(name, ROUNDUP).body)
    assert ticket
    return ticket


def changed(*path: str, to: object) -> bytes:
    """The recorded incident with one value in place of another."""
    push: dict[str, Any] = json.loads(PUSHED)
    within = push
    for part in path[:-1]:
        within = within[part]
    within[path[-1]] = to
    return json.dumps(push).encode()


def without(*path: str) -> bytes:
    push: dict[str, Any] = json.loads(PUSHED)
    within = push
    for part in path[:-1]:
        within = within[part]
    del within[path[-1]]
    return json.dumps(push).encode()


def test_the_recorded_incident_says_all_that_engage_needs() -> None:
    said = json.loads(PUSHED)
    ticket = parse(PUSHED)
    assert ticket
    assert ticket.model_dump(mode="json", exclude={"text"}) == {
        "kind": "created",
        "ticket": "1",
        "url": "https://support.carcachin.example/issue1",
        "title": "Video games stop with a black screen while the car is charging",
        "type": "Incident",
        "priority": "bug",
        "status": "unread",
        "service": "in-car video games",
        "users_affected": 40,
        "requester_name": "Emily Carter",
        "requester_email": "emily.carter@bluefleet.example",
        "occurred_at": said["timestamp"],
    }
    assert ticket.text.startswith("Since this morning the in-car video games go black")
    assert ticket.text.endswith("\n\nBest regards\nEmily Carter, fleet manager, Blue Fleet")


def test_the_recorded_wish_is_for_a_new_product_and_says_what_it_is_worth() -> None:
    ticket = parse(recorded(NEW_SERVICE).body)
    assert ticket
    assert (ticket.kind, ticket.type, ticket.priority) == (
        "created",
        "New Product or Service",
        "wish",
    )
    assert ticket.users_affected is None
    assert "a second controller for each car" in ticket.text
    assert "43,200 euros a year" in ticket.text


def test_letters_of_every_script_and_every_sign_come_through() -> None:
    request, complaint, untyped = map(pushed, ("03-service-request", "04-complaint", "05-untyped"))
    assert request.requester_name == "Zoë Müller"
    assert "Größe der Spielstände: höchstens 2 GB. Danke! 🚗" in request.text
    assert complaint.title == 'I was told "one hour" and waited nine days'
    assert "one hour.\r\nNobody called. <b>Nine</b> days!" in complaint.text
    assert untyped.text == "The screen says: error C:\\games\\0x1F & nothing else.\tWhat do I do?"


def test_a_ticket_without_type_and_priority_is_a_ticket() -> None:
    ticket = pushed("05-untyped")
    assert (ticket.type, ticket.priority, ticket.service) == (None, None, None)
    assert (ticket.ticket, ticket.requester_name) == ("5", "Li Na 李娜")


def test_what_happens_to_a_ticket_later_tells_reply_from_status() -> None:
    later = [
        pushed(name)
        for name in (
            "06-incident-in-progress",
            "07-incident-reply",
            "08-incident-resolved-reply",
            "09-incident-resolved",
            "10-incident-reopened-reply",
            "11-incident-reopened",
        )
    ]
    assert [(ticket.kind, ticket.status) for ticket in later] == [
        ("status_changed", "in-progress"),
        ("replied", "in-progress"),
        ("replied", "resolved"),
        ("status_changed", "resolved"),
        ("replied", "chatting"),
        ("status_changed", "chatting"),
    ]
    assert [bool(ticket.text) for ticket in later] == [ticket.kind == "replied" for ticket in later]
    assert {ticket.ticket for ticket in later} == {"1"}
    # Who asks stays who asks, also where an agent of the desk answers.
    assert {ticket.requester_email for ticket in later} == {"emily.carter@bluefleet.example"}


def test_unknown_fields_are_passed_over_wherever_they_stand() -> None:
    push = json.loads(PUSHED)
    for place in (push, push["data"], push["data"]["ticket"], push["data"]["message"]):
        place["sla"] = {"clock": ["running"]}
    assert parse(json.dumps(push).encode()) == parse(PUSHED)


def test_a_push_of_another_type_does_not_matter_whatever_it_carries() -> None:
    assert parse(b'{"type": "issue.retired", "data": null}') is None
    assert parse(changed("type", to="user.created")) is None


@pytest.mark.parametrize(
    "path",
    [
        ("data", "message"),
        ("data", "actor"),
        ("data", "ticket", "type"),
        ("data", "ticket", "priority"),
        ("data", "ticket", "status"),
        ("data", "ticket", "service"),
        ("data", "ticket", "users_affected"),
        ("data", "ticket", "requester", "name"),
        ("data", "ticket", "requester", "email"),
    ],
    ids=".".join,
)
def test_a_ticket_is_not_dropped_for_what_the_desk_does_not_know(path: tuple[str, ...]) -> None:
    absent, null = parse(without(*path)), parse(changed(*path, to=None))
    assert absent
    assert absent == null
    assert absent.ticket == "1"


@pytest.mark.parametrize(
    "path",
    [
        ("type",),
        ("timestamp",),
        ("data",),
        ("data", "ticket"),
        ("data", "ticket", "id"),
        ("data", "ticket", "url"),
        ("data", "ticket", "title"),
        ("data", "ticket", "requester"),
        ("data", "message", "text"),
    ],
    ids=".".join,
)
def test_a_push_that_lacks_what_a_ticket_must_have_says_which_field(path: tuple[str, ...]) -> None:
    with pytest.raises(Unreadable) as unreadable:
        parse(without(*path))
    assert str(unreadable.value) == f"{'.'.join(path)}: Field required"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the push: Invalid JSON: EOF"),
        (b"ticket=1&title=x", "the push: Invalid JSON"),
        (b"[]", "the push: Input should be an object"),
        (PUSHED[:-1], "the push: Invalid JSON: EOF"),
        (PUSHED.replace(b"Emily", b"Em\xffly"), "the push: Invalid JSON: invalid unicode"),
        (PUSHED.decode().encode("utf-16"), "the push: Invalid JSON"),
        (b"[" * 100_000, "the push: Invalid JSON: recursion limit"),
        (PUSHED.replace(b"Emily", b"\\ud800"), "the push: Invalid JSON"),
        (changed("data", "ticket", "id", to=1), "data.ticket.id: Input should be a valid string"),
        (changed("data", "ticket", "id", to=""), "data.ticket.id: "),
        (changed("data", "ticket", "url", to=""), "data.ticket.url: "),
        (changed("data", "ticket", "users_affected", to="40"), "data.ticket.users_affected: "),
        (changed("data", "ticket", "users_affected", to=-1), "data.ticket.users_affected: "),
        (changed("data", "message", to="text"), "data.message: Input should be an object"),
        (changed("timestamp", to=1795489646), "timestamp: Input should be a valid datetime"),
        (changed("timestamp", to="yesterday"), "timestamp: Input should be a valid datetime"),
        (changed("timestamp", to="2026-11-24T03:00:00"), "timestamp: Input should have timezone"),
    ],
)
def test_what_is_no_ticket_push_is_unreadable_and_the_reason_says_where(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        parse(body)
    assert str(unreadable.value).startswith(reason)
    # The reason goes into logs and answers: nothing a person wrote may.
    assert "Emily" not in str(unreadable.value)


def test_a_nul_does_not_reach_a_database_that_cannot_keep_it() -> None:
    ticket = parse(changed("data", "message", "text", to="black\0screen"))
    assert ticket
    assert ticket.text == "black\N{REPLACEMENT CHARACTER}screen"


@given(st.binary())
def test_garbage_is_unreadable(garbage: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(garbage)


PATHS = [
    ("type",),
    ("timestamp",),
    ("data",),
    ("data", "message"),
    ("data", "message", "text"),
    ("data", "ticket"),
    *(("data", "ticket", name) for name in json.loads(PUSHED)["data"]["ticket"]),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=5,
)


@given(path=st.sampled_from(PATHS), value=JSON)
def test_a_push_with_anything_in_any_place_is_a_ticket_or_passed_over_or_unreadable(
    path: tuple[str, ...], value: object
) -> None:
    try:
        ticket = parse(changed(*path, to=value))
    except Unreadable as unreadable:
        # Only what stands there, or in there, is at fault; numbers that no JSON has fail as a whole.
        faults = str(unreadable).split("; ")
        assert all(fault.startswith((".".join(path), "the push: ")) for fault in faults)
    else:
        if ticket:
            assert DeskTicket.model_validate_json(ticket.model_dump_json()) == ticket
        else:
            assert path == ("type",)
