"""Tracing of messages: one demand, one trace.

The names of OpenTelemetry's messaging conventions (v1.44) stand here and nowhere else. Spans are made from facts after
the database has them: a `process` span (CONSUMER) per consumed record, with the record's context as parent and as link,
and a `create` span (PRODUCER) per output, whose context the output carries. Their ids are derived from message ids, so
a redelivery after a crash exports the same spans again, and no context names a span that does not exist. Unsampled
messages cost nothing.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from services.chassis.fold import Decided

W3C = TraceContextTextMapPropagator()
Attributes = Mapping[str, str | int | float | bool]


def parse_traceparent(text: str | None) -> SpanContext | None:
    """The span context of a W3C `traceparent`; None for one that is missing or malformed."""
    found = get_current_span(W3C.extract({"traceparent": text or ""}, Context())).get_span_context()
    return found if found.is_valid else None


def sampled(text: str) -> bool:
    """Whether the trace of a `traceparent` is sampled: the lowest bit of its flags."""
    return text[-1:] in tuple("13579bdf")


def traceparent(context: SpanContext) -> str:
    """The W3C `traceparent` of a span context."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def span_id_of(*what: object) -> int:
    """A span id derived from what the span is about: never 0, the same in every run."""
    return int.from_bytes(blake2b("/".join(map(str, what)).encode(), digest_size=8).digest(), "big") or 1


def child(parent: SpanContext, span_id: int) -> SpanContext:
    """The context of a span below `parent`: the same trace, the same sampling."""
    return SpanContext(parent.trace_id, span_id, is_remote=False, trace_flags=parent.trace_flags)


class Tracer:
    """Makes the spans of one service. Without an exporter (no endpoint configured) it makes none."""

    def __init__(self, service: str, exporter: SpanExporter | None, ratio: float = 1.0) -> None:
        self._resource = Resource.create({"service.name": f"svc-{service}", "service.namespace": "svc"})
        self._scope = InstrumentationScope("services.chassis.tracing")
        self._processor = BatchSpanProcessor(exporter, 16_384, 200, 2_048) if exporter else None
        self._ratio = ratio
        self._random = Random(secrets.randbits(64))

    def root(self) -> SpanContext:
        """The context of a new trace: here, once, it is decided whether the demand is sampled."""
        sampled = self._processor is not None and self._random.random() < self._ratio
        trace, span = self._random.getrandbits(128) or 1, self._random.getrandbits(64) or 1
        return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(int(sampled)))

    def export(
        self,
        name: str,
        kind: SpanKind,
        context: SpanContext,
        parent: SpanContext | None,
        times: tuple[int, int],
        attributes: Attributes,
        links: Sequence[SpanContext] = (),
        error: str = "",
    ) -> None:
        """Hand over one finished span; begin and end in nanoseconds. Nothing happens for an unsampled one."""
        if self._processor and context.trace_flags.sampled:
            status, linked = Status(StatusCode.ERROR, error) if error else Status(), [Link(link) for link in links]
            what = (name, context, parent, self._resource, attributes, (), linked, kind)
            self._processor.on_end(ReadableSpan(*what, None, status, *times, self._scope))

    def shutdown(self) -> None:
        """Send what is left; at most as long as the exporter's own time-out."""
        if self._processor:
            self._processor.shutdown()  # type: ignore[no-untyped-call]


def export_message(tracer: Tracer, activity: str, group: str, decided: "Decided", started: int) -> None:
    """The spans of one consumed record and of its outputs, once the database has them; `started` in nanoseconds."""
    arrival, context, step, record = decided.arrival, decided.context, decided.step, decided.arrival.record
    parent, end = parse_traceparent(arrival.attributes.get("traceparent")), time.time_ns()
    if context is None or parent is None:
        return
    about = {"messaging.message.conversation_id": arrival.case, "svc.demand.id": arrival.case, "svc.activity": activity}
    about |= {"svc.value_stream": decided.stream, "svc.step": step.step if step else ""}
    about["svc.practice"] = ", ".join(step.practices) if step else ""
    for output in (*decided.outputs, *decided.waiting):
        if created := parse_traceparent(output.traceparent):
            words = about | message_attributes("create", output.topic, output.partition, output.id)
            tracer.export(f"create {output.topic}", SpanKind.PRODUCER, created, context, (end, end), words)
    details: dict[str, str | int] = {
        **about,
        **message_attributes("process", record.topic, record.partition, arrival.id),
        "messaging.consumer.group.name": group,
        "messaging.kafka.offset": record.offset,
        "cloudevents.event_type": arrival.message.type if arrival.message else "",
        "svc.handler": decided.handler,
        "svc.wait.ms": max(0, started // 1_000_000 - record.timestamp),
    }
    times, error = (started, time.time_ns()), decided.error
    tracer.export(f"process {record.topic}", SpanKind.CONSUMER, context, parent, times, details, (parent,), error)


def message_attributes(operation: str, topic: str, partition: int, message_id: UUID) -> dict[str, str]:
    """The attributes of every span about one message; `operation` is `create` or `process`."""
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
        "messaging.message.id": str(message_id),
    }
