"""Contracts change without breaking a reader: of today's messages by yesterday's services, and the other way round."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts import evolution, render
from contracts.value_chain import BY_TYPE, FLOWS

Json = dict[str, Any]
RELEASED = evolution.released()
WORDS = {
    "^[a-z0-9]+(-[a-z0-9]+)*$": st.from_regex(r"\A[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}\Z"),
    "^[0-9]{4}-Q[1-4]$": st.from_regex(r"\A[0-9]{4}-Q[1-4]\Z"),
    "^[a-z]+(_[a-z]+)*$": st.from_regex(r"\A[a-z]{1,8}(_[a-z]{1,8}){0,2}\Z"),
}
FORMATS = {
    "uuid": st.uuids().map(str),
    "date-time": st.datetimes().map(lambda moment: moment.strftime("2%y-%m-%dT%H:%M:%SZ").replace("2", "20", 1)),
}


def examples(schema: Json, root: Json) -> st.SearchStrategy[Any]:
    """Values that a schema of ours allows."""
    match schema:
        case {"$ref": str(name)}:
            return examples(root["$defs"][name.rpartition("/")[2]], root)
        case {"anyOf": [*ways]}:
            return st.one_of(*(examples(way, root) for way in ways))
        case {"enum": [*values]}:
            return st.sampled_from(values)
        case {"const": value}:
            return st.just(value)
        case {"pattern": pattern} if pattern in WORDS:
            return WORDS[pattern]
        case {"pattern": pattern}:
            return st.from_regex(pattern.replace("^", r"\A").replace("$", r"\Z"))
        case {"format": name} if name in FORMATS:
            return FORMATS[name]
        case {"type": "array", "items": items}:
            return st.lists(examples(items, root), max_size=2)
        case {"type": "object"}:
            fields, must = schema.get("properties", {}), set(schema.get("required", ()))
            parts = {name: examples(part, root) for name, part in fields.items()}
            needed = {name: part for name, part in parts.items() if name in must}
            return st.fixed_dictionaries(
                needed, optional={name: part for name, part in parts.items() if name not in must}
            )
        case {"type": "integer"}:
            return st.integers(schema.get("minimum", -1000), schema.get("maximum", 1_000_000))
        case {"type": "number"}:
            return st.floats(schema.get("minimum", -1e6), schema.get("maximum", 1e6))
        case {"type": kind}:
            return {"string": st.text("abc äß", max_size=5), "boolean": st.booleans(), "null": st.none()}[kind]
    return st.just("anything")


def reads(schema: Json, message: Any) -> bool:
    """Whether a reader with this schema can use it."""
    return bool(Draft202012Validator(schema).is_valid(message))


def versions(data: Json) -> Json:
    """A schema with `data` in it, as ours are built."""
    return {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"$ref": "#/$defs/Data"}},
        "$defs": {"Data": data, "Slip": {"type": "object", "properties": {"to": {"type": "string"}}}},
    }


OLD = versions(
    {
        "type": "object",
        "required": ["name", "level", "many"],
        "properties": {
            "name": {"type": "string", "maxLength": 5},
            "level": {"enum": ["low", "high"]},
            "count": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]},
            "many": {"type": "array", "items": {"$ref": "#/$defs/Slip"}},
        },
    }
)


def changed(change: Callable[[Json, Json], object]) -> Json:
    """The old schema after a change of its fields, or of which are required."""
    new = copy.deepcopy(OLD)
    change(new["$defs"]["Data"]["properties"], new["$defs"]["Data"])
    return new


ALLOWED = {
    "nothing": changed(lambda fields, data: None),
    "a new optional field": changed(lambda fields, data: fields.update(news={"type": "string"})),
    "other words": changed(lambda fields, data: fields["name"].update(description="What it is called.")),
}
REFUSED = {
    "data.name: this field is gone": changed(lambda fields, data: (fields.pop("name"), data["required"].pop(0))),
    "data.news: a new field is required": changed(
        lambda fields, data: (fields.update(news={"type": "string"}), data["required"].append("news"))
    ),
    "data.count: it was optional": changed(lambda fields, data: data["required"].append("count")),
    "data.level: it was required": changed(lambda fields, data: data["required"].remove("level")),
    "data.name: its type was string and is integer": changed(
        lambda fields, data: fields.update(name={"type": "integer", "maxLength": 5})
    ),
    "data.level: high may not be said any more": changed(lambda fields, data: fields["level"].update(enum=["low"])),
    "data.level: utmost is a value": changed(
        lambda fields, data: fields["level"].update(enum=["low", "high", "utmost"])
    ),
    "data.count: it was integer or null and is integer": changed(
        lambda fields, data: fields.update(count={"type": "integer", "minimum": 0, "maximum": 9})
    ),
    "data.count: minimum is 3 and was 0": changed(lambda fields, data: fields["count"]["anyOf"][0].update(minimum=3)),
    "data.many[].to: its type was string and is boolean": changed(
        lambda fields, data: fields["many"].update(items={"type": "object", "properties": {"to": {"type": "boolean"}}})
    ),
}
NAME = "svc.plan.something-told.v1"


@pytest.mark.parametrize("new", ALLOWED.values(), ids=ALLOWED)
def test_what_breaks_no_reader_is_allowed_and_breaks_none(new: Json) -> None:
    assert evolution.objections({NAME: OLD}, {NAME: new}) == []

    @settings(max_examples=50, deadline=None)
    @given(examples(OLD, OLD), examples(new, new))
    def both(yesterday: Any, today: Any) -> None:
        assert reads(new, yesterday)
        assert reads(OLD, today)

    both()


@pytest.mark.parametrize(("says", "new"), REFUSED.items(), ids=REFUSED)
def test_what_would_break_a_reader_is_refused_with_what_to_do_instead(says: str, new: Json) -> None:
    (objection,) = evolution.objections({NAME: OLD}, {NAME: new})
    assert objection.startswith(f"{NAME}: {says}")
    assert "add an optional field, or tell it as svc.plan.something-told.v2 beside this one." in objection


@pytest.mark.parametrize("new", [new for says, new in REFUSED.items() if "this field is gone" not in says])
def test_generated_messages_show_that_a_refused_change_does_break_a_reader(new: Json) -> None:
    broken: list[Any] = []

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(examples(OLD, OLD), examples(new, new))
    def either(yesterday: Any, today: Any) -> None:
        broken.extend(one for one, schema in ((yesterday, new), (today, OLD)) if not reads(schema, one))

    either()
    assert broken


def test_a_type_that_was_released_may_not_vanish() -> None:
    (objection,) = evolution.objections({NAME: OLD}, {})
    assert objection.startswith(f"{NAME}: it was released and is gone.")


def test_a_new_type_is_no_break() -> None:
    assert evolution.objections({}, {NAME: OLD}) == []


def data_of(event: str, schemas: Mapping[str, Json]) -> Json:
    """The schema of the data alone of a type of message, as a document."""
    return {**schemas[event]["$defs"][BY_TYPE[event].event.__name__], "$defs": schemas[event]["$defs"]}


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_last_release_and_this_version_read_each_other(draw: st.DataObject) -> None:
    event = draw.draw(st.sampled_from(sorted(RELEASED)))
    before, now = (
        data_of(event, RELEASED),
        data_of(event, {event: evolution.bare(render.schema_of(BY_TYPE[event].event))}),
    )
    yesterday, today = draw.draw(examples(before, before)), draw.draw(examples(now, now))
    assert reads(before, today)
    assert reads(now, yesterday)
    BY_TYPE[event].event.model_validate_json(json.dumps(yesterday), extra="ignore")


def test_nothing_that_is_told_today_breaks_a_reader_of_the_last_release() -> None:
    assert RELEASED, "contracts/released.json is there"
    schemas = {flow.event.type: render.schema_of(flow.event) for flow in FLOWS}
    assert evolution.objections(RELEASED, schemas) == []


def test_make_contracts_writes_no_schema_that_would_break_a_reader(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = FLOWS[0].event.type
    stricter = copy.deepcopy(RELEASED)
    stricter[name]["$defs"][FLOWS[0].event.__name__]["properties"]["gone"] = {"type": "string"}
    monkeypatch.setattr(evolution, "released", lambda: stricter)
    assert render.main([]) == 1
    assert f"this would break a reader: {name}: data.gone: this field is gone" in capsys.readouterr().out
