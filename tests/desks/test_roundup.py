"""What a real Roundup desk has pushed, and how it is understood."""

import json
from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from services.engage.desks.connector import connector
from services.engage.desks.events import DeskEvent, Received
from services.engage.desks.intake import ticket_pushed
from svc.desk_replay import INCIDENT, NEW_SERVICE, RECORDINGS
from tests.desks.conformance.kits import DATA

ROUNDUP = DATA / "roundup"
SECRET = (ROUNDUP / "secret.txt").read_text().strip()


def pushed(name: str, folder: Traversable | Path = ROUNDUP) -> DeskEvent:
    http = json.loads((folder / f"{name}.http.json").read_text())
    body = (folder / f"{name}.body.json").read_bytes()
    came = Received(headers=http["headers"], body=body, received_at=datetime.fromisoformat(http["received_at"]))
    (event,) = connector("roundup", [SECRET]).parse(came)
    assert event.signature == "valid"
    return event


def test_the_recorded_incident_says_all_that_engage_needs() -> None:
    event = pushed(INCIDENT, RECORDINGS)
    assert (event.kind, event.external_id, event.url) == ("created", "1", "https://support.carcachin.example/issue1")
    assert (event.itil_type, event.decided_by, event.priority, event.status) == ("incident", "field", 3, "new")
    assert (event.requester, event.requester_name) == ("emily.carter@bluefleet.example", "Emily Carter")
    assert (event.service, event.users_affected) == ("in-car video games", 40)
    assert event.text.startswith("Since this morning the in-car video games go black")
    assert event.text.endswith("\n\nBest regards\nEmily Carter, fleet manager, Blue Fleet")
    command = ticket_pushed("roundup", event, datetime.fromisoformat("2026-11-24T04:00:00Z"))
    assert command
    assert (command.kind, command.ticket_type, command.priority, command.service) == (
        "created", "Incident", "bug", "in-car-video-games")  # fmt: skip


def test_the_recorded_wish_is_for_a_new_product_and_says_what_it_is_worth() -> None:
    event = pushed(NEW_SERVICE, RECORDINGS)
    assert (event.itil_type, event.priority, event.users_affected) == ("new_product_or_service", 5, None)
    assert "43,200 euros a year" in event.text


def test_letters_of_every_script_and_every_sign_come_through() -> None:
    request, complaint, untyped = map(pushed, ("03-service-request", "04-complaint", "05-untyped"))
    assert request.requester_name == "Zoë Müller"
    assert "Größe der Spielstände: höchstens 2 GB. Danke! 🚗" in request.text
    assert complaint.title == 'I was told "one hour" and waited nine days'
    assert untyped.text == "The screen says: error C:\\games\\0x1F & nothing else.\tWhat do I do?"
    assert (untyped.itil_type, untyped.is_demand, untyped.requester_name) == ("unclassified", True, "Li Na 李娜")


@pytest.mark.parametrize(
    ("name", "kind", "status", "goes_on_as"),
    [
        ("06-incident-in-progress", "status", "open", "status_changed"),
        ("07-incident-reply", "reply", "open", "replied"),
        ("08-incident-resolved-reply", "reply", "resolved", "replied"),
        ("09-incident-resolved", "status", "resolved", "status_changed"),
        ("10-incident-reopened-reply", "reply", "open", "replied"),
        ("11-incident-reopened", "reopened", "open", "replied"),
    ],
)
def test_what_happens_to_a_ticket_later_is_told_apart(name: str, kind: str, status: str, goes_on_as: str) -> None:
    event = pushed(name)
    assert (event.kind, event.status, event.external_id) == (kind, status, "1")
    command = ticket_pushed("roundup", event, datetime.fromisoformat("2026-11-24T04:00:00Z"))
    assert command
    assert command.kind == goes_on_as
    assert bool(command.text) == (goes_on_as == "replied")
