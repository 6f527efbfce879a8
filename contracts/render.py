"""What is derived from the contracts for readers outside: schemas, an AsyncAPI document, parts of the README.

`python -m contracts.render` writes them; with `--check` it only says which are not current, and fails if any is not.
A schema that would break a reader is not written (`evolution.py`); `--release` makes the present schemas the ones that
later changes are held against.
"""

import ast
import inspect
import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from contracts import evolution
from contracts.envelope import CONTENT_TYPE, source_of
from contracts.event import Data, Event, Message, dashed
from contracts.rows import ROWS
from contracts.value_chain import (
    ACTIVITIES,
    FLOWS,
    PARTIES,
    TITLES,
    TOPICS,
    Flow,
    dead_letters,
    heard_by,
    inbox,
    told_by,
)

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
SCHEMAS = ROOT / "contracts" / "schemas"
ASYNCAPI = ROOT / "contracts" / "asyncapi.json"
README = ROOT / "README.md"

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KAFKA_BINDING = "0.5.0"
PARTITIONS = 12
"""Of every topic on a cluster, so that a case has the same partition number everywhere. One machine has 3."""
FOR_EVER, THIRTY_DAYS = -1, 30 * 24 * 3600 * 1000
"""How long event topics and dead letters are kept, in milliseconds."""

ATTRIBUTES: Json = {
    "specversion": {"const": "1.0", "description": "Version of CloudEvents."},
    "id": {
        "type": "string",
        "format": "uuid",
        "description": "Derived from the causing event: told twice, it is the same.",
    },
    "source": {"type": "string", "format": "uri-reference", "minLength": 1, "description": "Who tells it."},
    "type": {"type": "string", "description": "What it is, with the version of its schema."},
    "subject": {"type": "string", "description": "The case it is about; the Kafka key."},
    "time": {"type": "string", "format": "date-time", "description": "Chain time at which it was told."},
    "datacontenttype": {"const": "application/json", "description": "Media type of the data."},
    "dataschema": {"type": "string", "format": "uri", "description": "Id of its JSON Schema."},
    "correlationid": {"type": "string", "description": "The case: all events of a demand have the same."},
    "causationid": {"type": "string", "description": "Id of the event that caused it; absent at a first contact."},
    "sequence": {
        "type": "string",
        "pattern": "^[1-9][0-9]*$",
        "description": "Counts what an activity tells of a case, from 1, without gaps.",
    },
    "valuestream": {"type": "string", "description": "The value stream it travels in."},
    "streamstep": {"type": "string", "description": "The step of that stream which told it."},
    "traceparent": {
        "type": "string",
        "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C trace context.",
    },
    "fingerprint": {
        "type": "string",
        "description": "Of the HTTP request behind a command: a repeat must have the same.",
    },
}
"""The CloudEvents attributes that stand around the data."""
REQUIRED = ["specversion", "id", "source", "type", "time", "data"]
"""The attributes that a reader can rely on."""


# --- what the source says about the fields


@cache
def _docstrings(module: ModuleType) -> Mapping[str, Mapping[str, str]]:
    """For each class of a module, the text under each of its fields."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            fields = found.setdefault(node.name, {})
            for statement, following in itertools.pairwise(node.body):
                match statement, following:
                    case ast.AnnAssign(target=ast.Name(id=field)), ast.Expr(value=ast.Constant(value=str(text))):
                        fields[field] = inspect.cleandoc(text)
    return found


def descriptions(data: type[Data]) -> dict[str, str]:
    """What the source says about each field of a class: the text under it, there or in a class it inherits from."""
    found: dict[str, str] = {}
    for part in reversed(data.__mro__):
        if issubclass(part, Data):
            found.update(_docstrings(sys.modules[part.__module__]).get(part.__name__, {}))
    return {field: text for field, text in found.items() if field in data.model_fields}


def summary(data: type[Data]) -> str:
    """The first line of a class's docstring."""
    return (inspect.getdoc(data) or "").partition("\n")[0]


def every_data(root: type[Data] = Data) -> Iterator[type[Data]]:
    """Every class of messages, and of values in them, that crosses a service boundary."""
    for data in root.__subclasses__():
        if data.__module__.startswith("contracts."):
            yield data
        yield from every_data(data)


# --- JSON Schema


def schema_of(event: type[Message]) -> Json:
    """The JSON Schema of a whole message, attributes and data. Unknown fields pass: a newer teller may say more."""
    data = event.model_json_schema()
    parts = {**data.pop("$defs", {}), event.__name__: data}
    return {
        "$schema": DIALECT,
        "$id": f"urn:schema:{event.type}",
        "title": event.__name__,
        "description": inspect.getdoc(event),
        "type": "object",
        "required": REQUIRED,
        "properties": {**ATTRIBUTES, **_own_attributes(event), "data": {"$ref": f"#/$defs/{event.__name__}"}},
        "$defs": _described(parts),
    }


def _own_attributes(event: type[Message]) -> Json:
    """The attributes whose values this type of message fixes."""
    own: Json = {"type": {"const": event.type}, "dataschema": {"const": f"urn:schema:{event.type}"}}
    if issubclass(event, Event):
        own["source"] = {"const": source_of(event.activity)}
    return {name: {**rule, "description": ATTRIBUTES[name]["description"]} for name, rule in own.items()}


def _described(schemas: Json) -> Json:
    """Schemas of classes by name, open to unknown fields and with the descriptions that stand in the source."""
    classes = {data.__name__: data for data in every_data()}
    for name, schema in schemas.items():
        schema.pop("additionalProperties", None)
        texts = descriptions(classes[name])
        for field, rule in schema.get("properties", {}).items():
            rule.pop("title", None)
            if field in texts:
                rule["description"] = texts[field]
    return dict(sorted(schemas.items()))


# --- AsyncAPI


def asyncapi() -> Json:
    """The AsyncAPI document: channels, what each service sends and receives, and every message."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(flow.event, "validation") for flow in FLOWS]
    _, data = models_json_schema(models, ref_template="#/components/schemas/{model}")
    attributes = {"type": "object", "required": REQUIRED, "properties": ATTRIBUTES}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Service value chain",
            "version": "1.0.0",
            "description": "Six services, one for each activity of the chain, that meet on Apache Kafka alone. "
            "Values are CloudEvents in structured mode; the key is the case.",
            "tags": [{"name": activity, "description": TITLES[activity]} for activity in ACTIVITIES],
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "As in KAFKA_BOOTSTRAP."}},
            }
        },
        "channels": {topic: _channel(topic) for topic in TOPICS},
        "operations": {name: operation for activity in ACTIVITIES for name, operation in _operations(activity)},
        "components": {
            "messages": {flow.event.__name__: _message(flow) for flow in FLOWS},
            "schemas": {
                "CloudEvent": attributes,
                "Headers": {
                    "type": "object",
                    "properties": {
                        "content-type": {"type": "string", "const": CONTENT_TYPE.decode()},
                        "traceparent": ATTRIBUTES["traceparent"],
                    },
                },
                **_described(data["$defs"]),
            },
            "correlationIds": {
                "case": {
                    "location": "$message.payload#/correlationid",
                    "description": ATTRIBUTES["correlationid"]["description"],
                }
            },
        },
    }


def _channel(topic: str) -> Json:
    kept = THIRTY_DAYS if topic in map(dead_letters, ACTIVITIES) else FOR_EVER
    if topic in map(inbox, ACTIVITIES):
        what = "Commands of parties outside; the activity's own commands and due timers travel here too."
    elif topic in map(dead_letters, ACTIVITIES):
        what = "Records that the activity could not use, as they came; headers say where from, and why."
    else:
        what = "; ".join(f"{row.text} ({row.id})" for row in ROWS if row.id in _documented(topic)) + "."
    return {
        "address": topic,
        "description": what,
        "messages": {
            flow.event.__name__: {"$ref": f"#/components/messages/{flow.event.__name__}"}
            for flow in FLOWS
            if flow.topic == topic
        },
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": PARTITIONS,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": kept},
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _documented(topic: str) -> set[str]:
    """The documented output of a topic; where there is none, the inputs that document it."""
    flows = [flow for flow in FLOWS if flow.topic == topic]
    outputs = {flow.output for flow in flows if flow.output}
    return outputs or {row for flow in flows for rows in flow.hearers.values() for row in rows}


def _operations(activity: str) -> Iterator[tuple[str, Json]]:
    """What one service sends and receives, topic by topic."""
    sent = {flow.topic for flow in told_by(activity)} | {dead_letters(activity)}
    received = {flow.topic for flow in heard_by(activity)} | {inbox(activity)}
    for action, topics, flows in (("send", sent, told_by(activity)), ("receive", received, heard_by(activity))):
        for topic in sorted(topics):
            channel = f"#/channels/{topic}"
            operation: Json = {
                "action": action,
                "channel": {"$ref": channel},
                "summary": f"{TITLES[activity]} {'tells' if action == 'send' else 'hears'} {topic}.",
                "tags": [{"name": activity}],
            }
            if messages := [flow.event.__name__ for flow in flows if flow.topic == topic]:
                operation["messages"] = [{"$ref": f"{channel}/messages/{message}"} for message in messages]
            if action == "receive":
                group = {"type": "string", "const": f"svc.{activity}"}
                operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": KAFKA_BINDING}}
            yield f"{dashed(activity)}.{action}.{topic}", operation


def _message(flow: Flow) -> Json:
    event = flow.event
    data = {"$ref": f"#/components/schemas/{event.__name__}"}
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": summary(event),
        "description": inspect.getdoc(event),
        "tags": [{"name": event.activity}],
        "contentType": CONTENT_TYPE.decode(),
        "correlationId": {"$ref": "#/components/correlationIds/case"},
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEvent"},
                {"type": "object", "properties": {**_own_attributes(event), "data": data}},
            ]
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"The case: its `{event.case_field}`, as text."},
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


# --- README


def flow_table() -> str:
    """The table of flows in Markdown."""
    lines = ["| Who tells | what | on topic | who hears | documented as |", "|---|---|---|---|---|"]
    for flow in FLOWS:
        rows = [*filter(None, [flow.output]), *itertools.chain.from_iterable(flow.hearers.values())]
        hearers = ", ".join(_title(hearer) for hearer in flow.hearers)
        documented = ", ".join(f"`{row}`" for row in rows)
        lines.append(f"| {_title(flow.teller)} | `{flow.event.__name__}` | `{flow.topic}` | {hearers} | {documented} |")
    return "\n".join(lines)


def chain_picture() -> str:
    """The chain as a Mermaid flowchart: between two ends, how many sorts of message go down and how many come up."""
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'    {party}(["{_title(party)}"])' for party in PARTIES]
    lines += [f'    {activity}["{_title(activity)}"]' for activity in ACTIVITIES]
    for upper, lower in itertools.combinations([*PARTIES, *ACTIVITIES], 2):
        down, up = (
            sum(lower in flow.hearers for flow in told_by(upper)),
            sum(upper in flow.hearers for flow in told_by(lower)),
        )
        if down and up:
            lines.append(f'    {upper} <-->|"↓{down} ↑{up}"| {lower}')
        elif down:
            lines.append(f'    {upper} -->|"↓{down}"| {lower}')
        elif up:
            lines.append(f'    {lower} -->|"↑{up}"| {upper}')
    return "\n".join([*lines, "```"])


def _title(who: str) -> str:
    return TITLES.get(who, who.capitalize())


SECTIONS = {"flows": flow_table, "chain": chain_picture}
"""The parts of the README that are derived, by the name of their markers."""


def missing_markers(readme: str) -> list[str]:
    """The sections, as they have to stand in the README, that it lacks."""
    return [
        f"{start} ... {end}" for start, end in map(_markers, SECTIONS) if not 0 <= readme.find(start) < readme.find(end)
    ]


def filled(readme: str) -> str:
    """The README's text with what is derived between its markers."""
    for name, content in SECTIONS.items():
        start, end = _markers(name)
        before, found, rest = readme.partition(start)
        _, closed, after = rest.partition(end)
        if found and closed:
            readme = f"{before}{start}\n{content()}\n{end}{after}"
    return readme


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- /{name} -->"


# --- files


def rendered() -> dict[Path, str]:
    """What each derived file must contain; the README only where there is one."""
    files = {SCHEMAS / f"{flow.event.type}.json": _text(schema_of(flow.event)) for flow in FLOWS}
    files[ASYNCAPI] = _text(asyncapi())
    if README.exists():
        files[README] = filled(README.read_text())
    return files


def stale() -> list[Path]:
    """The derived files that are missing, differ from the contracts, or belong to no message any more."""
    files = rendered()
    differing = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    return differing + sorted(path for path in SCHEMAS.glob("*.json") if path not in files)


def _text(document: Json) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write what is not current, or with `--check` only name it; 1 if something is left to do."""
    check, schemas = "--check" in arguments, {flow.event.type: schema_of(flow.event) for flow in FLOWS}
    if breaking := evolution.objections(evolution.released(), schemas):
        sys.stdout.write("".join(f"this would break a reader: {objection}\n" for objection in breaking))
        return 1
    if "--release" in arguments:
        evolution.RELEASED.write_text(evolution.release(schemas))
    files = rendered()
    for path in stale():
        sys.stdout.write(
            f"{'not current' if check else 'written' if path in files else 'removed'}: {path.relative_to(ROOT)}\n"
        )
        if not check and path in files:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files[path])
        elif not check:
            path.unlink()
    missing = missing_markers(README.read_text() if README.exists() else "")
    for marker in missing:
        sys.stdout.write(f"{README.name} has no section {marker}: write these markers where it belongs\n")
    return 1 if missing or stale() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
