"""Examples of messages, made from what their classes accept."""

from collections.abc import Callable
from typing import Any

import pytest

from contracts.event import Message

Json = dict[str, Any]
MakeExample = Callable[..., Message]

WORDS = {
    "^[a-z0-9]+(-[a-z0-9]+)*$": "video-games",
    "^[0-9]{4}-Q[1-4]$": "2026-Q4",
    "^[a-z]+(_[a-z]+)*$": "service_request",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$": "22:00",
    "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$": "06:00",
}
FORMATS = {"uuid": "5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e", "date-time": "2026-11-24T08:30:00Z"}


def _value(rule: Json, parts: Json, every_field: bool) -> Any:
    match rule:
        case {"$ref": str(name)}:
            return _data(parts[name.rpartition("/")[2]], parts, every_field)
        case {"anyOf": [first, *_]}:
            return _value(first, parts, every_field)
        case {"enum": [*_, last]}:
            return last
        case {"const": value}:
            return value
        case {"pattern": pattern}:
            return WORDS[pattern]
        case {"format": name}:
            return FORMATS[name]
        case {"type": "array", "items": items}:
            return [_value(items, parts, every_field)] if every_field else []
        case {"type": kind}:
            return {"string": "in words", "integer": 2, "number": 0.5, "boolean": True}[kind]
    raise AssertionError(f"no example for {rule}")


def _data(schema: Json, parts: Json, every_field: bool) -> Json:
    return {
        field: _value(rule, parts, every_field)
        for field, rule in schema["properties"].items()
        if every_field or field in schema["required"]
    }


@pytest.fixture
def example() -> MakeExample:
    """Makes an example of a message class: `example(DemandConsolidated, every_field=False)`."""

    def make(event: type[Message], *, every_field: bool = True) -> Message:
        schema = event.model_json_schema()
        return event.model_validate(_data(schema, schema.get("$defs", {}), every_field))

    return make
