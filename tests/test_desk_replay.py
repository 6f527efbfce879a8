"""The recorded pushes, played again: genuine to whoever verifies them, and changed only where they say."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from services.engage.desks.connector import connector
from services.engage.desks.events import Received
from services.engage.desks.standard_webhooks import Delivery, Refused, verify
from svc.desk_replay import INCIDENT, NEW_SERVICE, RECORDINGS, Recording, recorded, replay

ROUNDUP = Path(__file__).parent / "data" / "desks" / "roundup"
SECRET = "whsec_" + "Y2FyY2FjaGlu" * 3
NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = {
    file.name.removesuffix(".body.json"): folder
    for folder in (RECORDINGS, ROUNDUP)
    for file in folder.iterdir()
    if file.name.endswith(".body.json")
}


@pytest.fixture(params=sorted(NAMES))
def recording(request: pytest.FixtureRequest) -> Recording:
    return recorded(request.param, NAMES[request.param])


def test_the_two_tickets_of_the_demo_travel_with_the_package() -> None:
    titles = [json.loads(recorded(n).body)["data"]["ticket"]["title"] for n in (INCIDENT, NEW_SERVICE)]
    assert titles == [
        "Video games stop with a black screen while the car is charging",
        "New racing game with a second controller",
    ]


def test_a_replay_proves_itself_now_under_its_new_delivery(recording: Recording) -> None:
    headers, body = replay(recording, ticket="2047", delivery="demo-7", secret=SECRET, now=NOW)
    assert verify([SECRET], headers, body, NOW) == Delivery("demo-7", NOW)
    with pytest.raises(Refused):
        verify([SECRET], recording.headers, recording.body, NOW)


def test_the_official_library_accepts_a_replay() -> None:
    now = datetime.now(UTC)
    headers, body = replay(recorded(INCIDENT), ticket="2047", delivery="demo-7", secret=SECRET, now=now)
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)


def test_nothing_differs_but_the_ticket_number_and_the_end_of_its_address(
    recording: Recording,
) -> None:
    _, body = replay(recording, ticket="2047", delivery="demo-7", secret=SECRET, now=NOW)
    said = json.loads(recording.body)["data"]["ticket"]["id"]
    number, address = f'"id": "{said}"', f'/issue{said}"'
    first = recording.body.index(number.encode())
    second = recording.body.index(address.encode())
    assert body == (
        recording.body[:first]
        + b'"id": "2047"'
        + recording.body[first + len(number) : second]
        + b'/issue2047"'
        + recording.body[second + len(address) :]
    )
    assert json.loads(body)["data"]["message"] == json.loads(recording.body)["data"]["message"]


def test_a_replay_is_read_as_the_same_push_about_the_new_ticket(recording: Recording) -> None:
    headers, body = replay(recording, ticket="demo-9", delivery="demo-7", secret=SECRET, now=NOW)
    (before,), (after,) = (
        connector("roundup").parse(Received(headers=headers, body=pushed, received_at=NOW))
        for pushed in (recording.body, body)
    )
    assert after == before.model_copy(
        update={"external_id": "demo-9", "url": "https://support.carcachin.example/issuedemo-9"}
    )


def test_without_a_new_ticket_the_body_is_the_recorded_one(recording: Recording) -> None:
    _, body = replay(recording, ticket=None, delivery="demo-7", secret=SECRET, now=NOW)
    assert body == recording.body


def test_the_headers_are_the_desks_own_and_the_new_proof_no_old_connection() -> None:
    headers, _ = replay(recorded(INCIDENT), ticket="1", delivery="demo-7", secret=SECRET, now=NOW)
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "Roundup"
    assert headers["webhook-id"] == "demo-7"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert len(headers) == 5


def test_the_same_ids_later_are_a_retry_the_same_body_newly_proved() -> None:
    first, later = (
        replay(recorded(INCIDENT), ticket="2047", delivery="demo-7", secret=SECRET, now=now)
        for now in (NOW, NOW.replace(hour=9))
    )
    assert first[1] == later[1]
    assert first[0]["webhook-id"] == later[0]["webhook-id"]
    assert first[0]["webhook-signature"] != later[0]["webhook-signature"]


def test_an_address_with_letters_of_any_script_keeps_them() -> None:
    said = '{"data": {"ticket": {"id": "1", "url": "https://büro.example/issue1"}}}'
    recording = Recording({}, said.encode())
    _, body = replay(recording, ticket="27", delivery="d", secret=SECRET, now=NOW)
    assert body.decode() == said.replace('"1"', '"27"').replace("issue1", "issue27")


@pytest.mark.parametrize(
    "ticket",
    [
        b'{"id": "1", "url": "https://desk.example/ticket/one"}',
        b'{"url": "https://desk.example/issue1", "id": "1"}',
        b'{"id":"1","url":"https://desk.example/issue1"}',
    ],
)
def test_a_recording_that_cannot_be_renumbered_exactly_is_refused(ticket: bytes) -> None:
    recording = Recording({}, b'{"data": {"ticket": ' + ticket + b"}}")
    with pytest.raises(ValueError, match="cannot renumber this recording"):
        replay(recording, ticket="2", delivery="d", secret=SECRET, now=NOW)
