"""Spans as OTLP tells them, and the tree that the spans of one trace make."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Json = dict[str, Any]
KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
"""Kinds of spans, as OTLP numbers them."""


def exported(request: ExportTraceServiceRequest) -> Iterator[Json]:
    """Each span of an export by itself, as OTLP JSON: `{resource, scopeSpans: [{scope, spans: [span]}]}`."""
    for of_resource in request.resource_spans:
        resource = {"attributes": _attributes(of_resource.resource.attributes)}
        for of_scope in of_resource.scope_spans:
            scope = {"name": of_scope.scope.name, "version": of_scope.scope.version}
            for span in of_scope.spans:
                yield {"resource": resource, "scopeSpans": [{"scope": scope, "spans": [_span(span)]}]}


def document(spans: Iterable[Json]) -> Json:
    """Spans as one OTLP JSON document, which the page of Jaeger loads as a file."""
    return {"resourceSpans": list(spans)}


def span_of(alone: Json) -> Json:
    """The span itself."""
    span: Json = alone["scopeSpans"][0]["spans"][0]
    return span


@dataclass(slots=True)
class Node:
    """One span in the tree of its trace. Times are nanoseconds since 1970."""

    span_id: str
    parent_id: str
    name: str
    service: str
    start: int
    end: int
    attributes: Json
    error: str = ""
    orphan: bool = False
    """It names a parent that is not in the trace: not exported yet, or lost."""
    children: list["Node"] = field(default_factory=list)

    @property
    def activity(self) -> str:
        """Which activity it belongs to, as the span itself says; else the service's name."""
        return str(self.attributes.get("svc.activity", self.service))

    @property
    def waited_ms(self) -> int:
        """How long its message lay in the topic before it was taken up."""
        return int(self.attributes.get("svc.wait.ms", 0))

    def walk(self) -> Iterator["Node"]:
        """This span and all below it, in the order of the tree."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


class Told(NamedTuple):
    """A span as its conventions tell it: about which message, on which topic, by whom."""

    trace_id: str
    span_id: str
    parent_id: str
    """Empty for a root."""
    name: str
    kind: str
    """`PRODUCER`, `CONSUMER`, ..."""
    activity: str
    topic: str
    message_id: str
    links: frozenset[tuple[str, str]]
    """Trace and span ids."""
    error: str
    """Why it failed; empty if it did not."""
    attributes: Json


def told(alone: Json) -> Told:
    """A span as our receiver writes it, or as others do, who name enumerations and leave out what is empty."""
    span, node = span_of(alone), _node(alone)
    about = node.attributes
    return Told(
        span["traceId"], node.span_id, node.parent_id, node.name, _kind(span.get("kind", 0)), node.activity,
        str(about.get("messaging.destination.name", "")), str(about.get("messaging.message.id", "")),
        frozenset((link["traceId"], link["spanId"]) for link in span.get("links", ())), node.error, about,
    )  # fmt: skip


def _kind(kind: int | str) -> str:
    return KINDS[kind] if isinstance(kind, int) else kind.removeprefix("SPAN_KIND_")


def tree(spans: Iterable[Json]) -> list[Node]:
    """The spans of one trace as trees, children by their start; a span whose parent is missing is a root of its own."""
    nodes = {node.span_id: node for node in map(_node, spans)}
    roots = []
    for node in sorted(nodes.values(), key=lambda node: (node.start, node.end, node.span_id)):
        parent = nodes.get(node.parent_id)
        if parent is None:
            node.orphan = bool(node.parent_id)
            roots.append(node)
        else:
            parent.children.append(node)
    return roots


def _node(alone: Json) -> Node:
    span = span_of(alone)
    resource = _plain(alone["resource"].get("attributes", []))
    status = span.get("status", {})
    return Node(
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        name=span["name"],
        service=str(resource.get("service.name", "")),
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        attributes=_plain(span.get("attributes", [])),
        error=(status.get("message") or "error") if status.get("code") in (2, "STATUS_CODE_ERROR") else "",
    )


def _plain(attributes: list[Json]) -> Json:
    return {one["key"]: _unpacked(one["value"]) for one in attributes}


def _unpacked(value: Json) -> Any:
    (kind, content), *_ = value.items()
    if kind == "arrayValue":
        return [_unpacked(one) for one in content.get("values", [])]
    return int(content) if kind == "intValue" else content


def _span(span: Span) -> Json:
    """A span as OTLP writes it in JSON: ids in hexadecimal, 64-bit numbers as text, enumerations as numbers."""
    told: Json = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": _attributes(span.attributes),
        "links": [
            {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex(), "attributes": _attributes(link.attributes)}
            for link in span.links
        ],
        "events": [
            {"name": event.name, "timeUnixNano": str(event.time_unix_nano), "attributes": _attributes(event.attributes)}
            for event in span.events
        ],
        "status": {"code": span.status.code, "message": span.status.message} if span.status.code else {},
    }
    return told if told["parentSpanId"] else {name: value for name, value in told.items() if name != "parentSpanId"}


def _attributes(attributes: Iterable[KeyValue]) -> list[Json]:
    return [{"key": one.key, "value": _any_value(one.value)} for one in attributes]


def _any_value(value: AnyValue) -> Json:
    match value.WhichOneof("value"):
        case "int_value":
            return {"intValue": str(value.int_value)}
        case "bool_value":
            return {"boolValue": value.bool_value}
        case "double_value":
            return {"doubleValue": value.double_value}
        case "array_value":
            return {"arrayValue": {"values": [_any_value(one) for one in value.array_value.values]}}
        case _:
            return {"stringValue": value.string_value}
