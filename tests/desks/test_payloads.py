"""What each desk sends, in the shapes that its documentation or its source shows, and what is understood by it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.engage.desks.connector import connector
from services.engage.desks.events import Received
from services.engage.desks.profile import names
from services.engage.desks.reading import Place

PAYLOADS = Path(__file__).parents[1] / "data" / "desks" / "payloads"
CASES = [
    pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")
    for file in sorted(PAYLOADS.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


def test_every_desk_that_ships_has_payloads() -> None:
    others = {"roundup", "email"}  # real recordings, and mails, have tests of their own
    assert {file.stem for file in PAYLOADS.glob("*.yaml")} == set(names()) - others


@pytest.mark.parametrize(("desk", "case"), CASES)
def test_it_is_understood(desk: str, case: dict[str, Any]) -> None:
    push = Received(
        headers=case.get("headers", {}),
        body=json.dumps(case["body"]).encode(),
        received_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )
    told = [event.model_dump(mode="json") for event in connector(desk).parse(push)]
    wanted = case["expect"]
    assert [{name: event[name] for name in want} for event, want in zip(told, wanted, strict=False)] == wanted
    assert len(told) == len(wanted)
    assert {event["signature"] for event in told} <= {"unsigned"}


@pytest.mark.parametrize("said", ["1]bad[", "1]~(a", "1].x[y=", "{", "'"])
def test_what_a_push_fills_into_a_path_is_never_read_as_a_part_of_it(said: str) -> None:
    body = {"followup_id": said, "ticket": {"followup_set": [{"id": "1", "x": "secret"}]}}
    place = Place(body, body, {})
    found = list(place.each("ticket.followup_set[id={followup_id}]"))
    assert not [one for one in found if isinstance(one.item, str)]
