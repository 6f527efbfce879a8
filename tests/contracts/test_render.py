"""What is derived from the contracts is current, and says what the messages on the wire really are."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest

from contracts import render
from contracts.envelope import Codec, encode, source_of
from contracts.event import Event, Message
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, FLOWS, TOPICS, heard_by

MakeExample = Callable[..., Message]

each_event = pytest.mark.parametrize("event", [flow.event for flow in FLOWS], ids=lambda event: event.__name__)
SUPPORT_TASK = """{
    "specversion": "1.0", "type": "svc.engage.support-task-requested.v1", "id": "0b9f9f6e-5d0c-5a0b-8a51-0d6a7d4b8f11",
    "source": "/svc/engage", "subject": "5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e", "time": "2026-11-24T08:30:00Z",
    "correlationid": "5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e", "sequence": "2", "valuestream": "restore-a-live-service",
    "streamstep": "request-support", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "data": {
        "reasons": ["High impact and high urgency make priority 1"],
        "basis": [{"name": "users affected", "value": 240, "source": "ticket rt/17"}],
        "demand": "5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e", "task": "resolve", "title": "Games do not start",
        "text": "Since this morning no game starts on the centre screen.", "service": "video-games", "kind": "incident",
        "requester": "emily@carcachin.example", "impact": 1, "urgency": 1, "priority": 1, "wanted_priority": null,
        "respond_by": "2026-11-24T08:45:00Z", "resolve_by": "2026-11-24T12:30:00+00:00"
    }
}"""

formats = jsonschema.FormatChecker(["uuid"])


@formats.checks("date-time", raises=ValueError)
def is_aware_time(text: object) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


def mistakes(whole: object, event: type[Message]) -> list[str]:
    """What the committed schema of an event finds wrong with a message."""
    schema = json.loads((render.SCHEMAS / f"{event.type}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    found = jsonschema.Draft202012Validator(schema, format_checker=formats).iter_errors(whole)
    return [f"{error.json_path}: {error.message}" for error in found]


def on_the_wire(message: Message) -> dict[str, object]:
    """The value of the record, as a tool outside reads it."""
    told_by = source_of(message.activity) if isinstance(message, Event) else "/desks/rt"
    value = encode(
        message,
        id=UUID(int=7),
        source=told_by,
        time=datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        cause=str(UUID(int=6)),
        sequence=3,
        stream="restore-a-live-service",
        step="restore",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    whole: dict[str, object] = json.loads(value)
    return whole


def test_everything_derived_is_current() -> None:
    assert render.stale() == [], "run `make contracts`"


@pytest.mark.skipif(not render.README.exists(), reason="there is no README yet")
def test_the_readme_has_the_table_and_the_picture() -> None:
    assert render.missing_markers(render.README.read_text()) == []


def test_a_schema_without_a_message_and_a_changed_one_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "SCHEMAS", tmp_path)
    for path, text in render.rendered().items():
        if path.parent == tmp_path:
            path.write_text(text)
    assert [path for path in render.stale() if path.parent == tmp_path] == []
    (tmp_path / "svc.plan.forgotten.v1.json").write_text("{}")
    (tmp_path / "svc.plan.plan-published.v1.json").write_text("{}")
    (tmp_path / "svc.plan.policy-issued.v1.json").unlink()
    assert {path.name for path in render.stale() if path.parent == tmp_path} == {
        "svc.plan.forgotten.v1.json",
        "svc.plan.plan-published.v1.json",
        "svc.plan.policy-issued.v1.json",
    }


def test_sections_of_the_readme_are_filled_between_their_markers_and_nothing_else_changes() -> None:
    readme = "# Title\n<!-- flows -->\nof last week\n<!-- /flows -->\nbetween\n<!-- chain --><!-- /chain -->\nend\n"
    filled = render.filled(readme)
    assert render.missing_markers(readme) == []
    assert filled.startswith("# Title\n<!-- flows -->\n| Who tells |")
    assert "\n<!-- /flows -->\nbetween\n<!-- chain -->\n```mermaid\n" in filled
    assert filled.endswith("```\n<!-- /chain -->\nend\n")
    assert "of last week" not in filled
    assert render.filled(filled) == filled


def test_missing_markers_are_named() -> None:
    readme = "<!-- /flows --> <!-- flows --> <!-- chain --> <!-- /chain -->"
    assert render.missing_markers(readme) == ["<!-- flows --> ... <!-- /flows -->"]
    assert render.filled("no markers") == "no markers"


def test_the_table_has_a_row_for_every_flow() -> None:
    rows = render.flow_table().split("\n")[2:]
    assert len(rows) == len(FLOWS)
    assert all(f"`{flow.event.__name__}` | `{flow.topic}`" in row for flow, row in zip(FLOWS, rows, strict=True))


def test_the_picture_counts_what_goes_each_way() -> None:
    picture = render.chain_picture()
    from_engage = [flow for flow in heard_by(DELIVER_SUPPORT) if flow.teller == "engage"]
    to_engage = [flow for flow in heard_by("engage") if flow.teller == DELIVER_SUPPORT]
    assert f'engage <-->|"↓{len(from_engage)} ↑{len(to_engage)}"| deliver_support' in picture
    between = [line for line in picture.split("\n") if "<-->" in line]
    assert len([line for line in between if set(line.replace("|", " ").split()) & set(ACTIVITIES)]) == 15 + 1


@each_event
@pytest.mark.parametrize("every_field", [True, False], ids=["every field", "required fields"])
def test_a_message_on_the_wire_fits_its_schema(event: type[Message], every_field: bool, example: MakeExample) -> None:
    assert mistakes(on_the_wire(example(event, every_field=every_field)), event) == []


@each_event
def test_the_schema_refuses_what_is_no_such_message(event: type[Message], example: MakeExample) -> None:
    good = on_the_wire(example(event))
    data = good["data"]
    assert isinstance(data, dict)
    for attribute in render.REQUIRED:
        assert mistakes({name: value for name, value in good.items() if name != attribute}, event), attribute
    for field, about in event.model_fields.items():
        if about.is_required():
            less = {name: value for name, value in data.items() if name != field}
            assert mistakes({**good, "data": less}, event), f"without {field}"
        assert mistakes({**good, "data": {**data, field: {"of": "no type"}}}, event), f"{field} of no type"
    assert mistakes({**good, "type": "svc.plan.another.v1"}, event)
    assert mistakes({**good, "time": "yesterday"}, event)
    assert mistakes({**good, "id": "not-a-uuid"}, event)


@each_event
def test_the_schema_lets_a_newer_teller_say_more(event: type[Message], example: MakeExample) -> None:
    newer = on_the_wire(example(event))
    data = newer["data"]
    assert isinstance(data, dict)
    assert mistakes({**newer, "newattribute": "1", "data": {**data, "news": 1}}, event) == []


def test_a_message_written_by_hand_fits_its_schema_and_is_understood() -> None:
    codec = Codec({flow.event.type: flow.event for flow in heard_by(DELIVER_SUPPORT)})
    decoded = codec.decode(SUPPORT_TASK.encode())
    assert decoded is not None
    message = decoded[1]
    assert mistakes(json.loads(SUPPORT_TASK), type(message)) == []
    assert (message.case, message.stream, message.step) == (
        "5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e",
        "restore-a-live-service",
        "request-support",
    )


@each_event
def test_a_schema_describes_every_field(event: type[Message]) -> None:
    schema = render.schema_of(event)
    assert schema["description"]
    for part in [schema, *schema["$defs"].values()]:
        assert all(rule.get("description") or "$ref" in rule for rule in part["properties"].values())


def test_the_asyncapi_document_has_every_topic_and_message_and_what_each_service_does() -> None:
    document = render.asyncapi()
    assert set(document["channels"]) == set(TOPICS)
    assert {message["name"] for message in document["components"]["messages"].values()} == {f.event.type for f in FLOWS}
    sent = {name for name, operation in document["operations"].items() if operation["action"] == "send"}
    assert "engage.send.svc.engage.demand" in sent
    assert {f"{name}.send.svc.{name}.dlq" for name in ("plan", "design-transition", "improve")} <= sent
    hears = document["operations"]["deliver-support.receive.svc.engage.support-tasks"]
    assert hears["messages"] == [{"$ref": "#/channels/svc.engage.support-tasks/messages/SupportTaskRequested"}]
    assert hears["bindings"]["kafka"]["groupId"]["const"] == "svc.deliver_support"


def test_retention_is_for_ever_but_for_dead_letters() -> None:
    channels = render.asyncapi()["channels"]
    kept = {topic: channels[topic]["bindings"]["kafka"]["topicConfiguration"]["retention.ms"] for topic in TOPICS}
    assert {topic for topic, time in kept.items() if time != render.FOR_EVER} == {
        topic for topic in TOPICS if topic.endswith(".dlq")
    }
