"""`svc desk`: what a person or a script gets, without a running chain."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from svc.cli import app
from tests.desks.conformance.kits import DATA

ROUNDUP = DATA / "roundup"
SECRET = (ROUNDUP / "secret.txt").read_text().strip()
FIELDS = [
    "desk", "kind", "is_demand", "external_id", "url", "dedupe_key", "order_key", "occurred_at", "actor", "is_echo",
    "visibility", "desk_type", "itil_type", "decided_by", "priority_raw", "priority", "status_raw", "status",
    "requester", "title", "channel", "signature",
]  # fmt: skip
"""What every event tells, in this order; more may follow."""


def svc(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["desk", *map(str, arguments)])


def parse(name: str, *more: str, body: Path | None = None) -> Result:
    return svc("parse", "--desk", "roundup", "--headers", ROUNDUP / f"{name}.http.json",
               "--body", body or ROUNDUP / f"{name}.body.json", "--json", *more)  # fmt: skip


def test_a_recorded_push_is_verified_and_understood() -> None:
    found = parse("07-incident-reply", "--secret", SECRET, "--now", "1795490198")
    assert found.exit_code == 0
    (event,) = json.loads(found.stdout)
    assert list(event)[: len(FIELDS)] == FIELDS
    assert (event["signature"], event["kind"], event["external_id"]) == ("valid", "reply", "1")


@pytest.mark.parametrize(
    ("more", "signature", "reason"),
    [
        (["--secret", SECRET], "stale", "compare the two clocks"),
        (["--secret", "whsec_" + "A" * 40, "--now", "1795490198"], "invalid", "another secret"),
    ],
)
def test_what_is_not_proved_is_refused_with_its_reason(more: list[str], signature: str, reason: str) -> None:
    found = parse("07-incident-reply", *more)
    assert found.exit_code == 1
    said = json.loads(found.stdout)
    assert said["signature"] == signature
    assert reason in said["refused"]


def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"ticket=1")
    found = parse("07-incident-reply", body=body)
    assert (found.exit_code, json.loads(found.stdout)["refused"][:12]) == (1, "it is no JSO")


def test_a_recorded_request_brings_its_token_in_its_address(tmp_path: Path) -> None:
    body, request = tmp_path / "body", tmp_path / "request.json"
    body.write_text(json.dumps({"ticket": {"id": 1, "title": "T"}, "queue_slug": "support"}))
    request.write_text(
        json.dumps({"url": "http://127.0.0.1/desks/dh?token=t", "headers": {"Content-Type": "application/json"}})
    )
    arguments = ("parse", "--desk", "django-helpdesk", "--headers", request, "--body", body, "--json", "--secret")
    assert json.loads(svc(*arguments, "t").stdout)[0]["signature"] == "unsigned"
    assert svc(*arguments, "another").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["parse", "--desk", "nodesk", "--body", __file__], "there is no desk 'nodesk': django-helpdesk, email"),
        (["parse", "--desk", "rt", "--body", "/nowhere"], "Cannot read /nowhere"),
        (["check", "/nowhere.yaml", "x"], "Cannot read x"),
        (["profile", "nodesk"], "there is no desk 'nodesk'"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(arguments: list[str], says: str) -> None:
    found = svc(*arguments)
    assert found.exit_code == 2
    assert says in found.stderr


def test_a_secret_that_cannot_be_one_of_the_desk_is_said_so_without_showing_it() -> None:
    found = parse("07-incident-reply", "--secret", "hunter2")
    assert found.exit_code == 2
    assert "copy it whole from the desk's settings" in found.stderr
    assert "hunter2" not in found.stderr


def test_a_profile_of_one_s_own_is_tried_with_a_payload(tmp_path: Path) -> None:
    mine, payload = tmp_path / "mine.yaml", tmp_path / "payload.json"
    profile = yaml.safe_load(svc("profile", "itop").stdout)
    profile["types"]["field"]["gremlin"] = "incident"
    mine.write_text(yaml.safe_dump(profile))
    payload.write_text(json.dumps({"event": "created", "ticket": {"id": 1, "title": "T", "request_type": "Gremlin"}}))
    found = svc("check", mine, payload, "--json")
    assert found.exit_code == 0
    said = json.loads(found.stdout)
    assert said["shape"] == "push"
    assert (said["events"][0]["itil_type"], said["events"][0]["rule"]) == ("incident", "the type 'Gremlin'")
    shown = svc("check", mine, payload).stdout
    assert "read as the shape 'push'" in shown


def test_a_payload_that_no_shape_fits_says_what_would(tmp_path: Path) -> None:
    payload = tmp_path / "payload.json"
    payload.write_text("{}")
    found = svc("check", "itop", payload)
    assert found.exit_code == 1
    assert "no shape of itop fits" in found.stdout


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"signature": "rot13"}, "no signature scheme is called 'rot13'"),
        ({"fields": {"ticket": "a..b"}}, "cannot be read at '.b'"),
        ({"fields": {"ticket": "a~b"}}, "no parentheses"),
        ({"fields": {}}, "does not say where the ticket's id stands"),
        ({"fields": {"ticket": "a", "colour": "b"}}, "fields.colour"),
        ({"types": {"field": {"a": "In Cident"}}}, "types.field.a"),
        ({"statuses": {"a": "gone"}}, "statuses.a"),
    ],
)
def test_a_profile_that_cannot_be_used_says_where_and_why(tmp_path: Path, change: dict[str, object], says: str) -> None:
    mine, payload = tmp_path / "mine.yaml", tmp_path / "payload.json"
    payload.write_text("{}")
    good = {
        "desk": "mine",
        "title": "M",
        "fields": {"ticket": "a"},
        "shapes": [{"name": "s", "when": {}, "kinds": [{"kind": "created"}]}],
    }
    mine.write_text(yaml.safe_dump(good | change))
    found = svc("check", mine, payload)
    assert found.exit_code == 2
    assert says in found.stderr


def test_the_desks_are_listed() -> None:
    found = {one["desk"]: one for one in json.loads(svc("list", "--json").stdout)}
    assert found["rt"]["conditional"]
    assert not found["redmine"]["push"]
    assert not found["freshdesk"]["signed"]
