"""Tracing of messages: one demand, one trace.

The names of OpenTelemetry's messaging conventions (v1.44) stand here and nowhere else. Spans are made from facts after
the database has them: a `process` span (CONSUMER) per consumed record, with the record's context as parent and as link,
and a `create` span (PRODUCER) per output, whose context the output carries. Their ids are derived from message ids, so
a redelivery after a crash exports the same spans again, and no context names a span that does not exist. Unsampled
messages cost nothing.

HTTP requests and the sending of spans are measured by the libraries that do them, into `METERS`.
"""

import os
import time
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Histogram

from contracts import value_chain
from contracts.event import Command, dashed
from services.chassis.settings import Settings

if TYPE_CHECKING:
    from services.chassis.fold import Decided

W3C = TraceContextTextMapPropagator()
os.environ.setdefault("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")  # spans that are sent, refused, dropped
METERS = MeterProvider([PrometheusMetricReader()])
"""Where libraries measure; `GET /metrics` shows it."""
SAMPLED = frozenset("13579bdf")
"""The last character of a `traceparent` that is sampled: the lowest bit of its flags."""
WORDS = ["messaging_system", "messaging_operation_name", "messaging_destination_name"]
PROCESS = Histogram("messaging_process_duration_seconds", "From a batch's records to its commit", WORDS)
CLIENT = Histogram("messaging_client_operation_duration_seconds", "Until the broker has answered", WORDS[:2])
"""Both once a batch; their buckets are those that the conventions advise."""


def parse_traceparent(text: str | None) -> SpanContext | None:
    """The span context of a W3C `traceparent`; None for one that is missing or malformed."""
    found = get_current_span(W3C.extract({"traceparent": text}, Context())).get_span_context() if text else None
    return found if found and found.is_valid else None


def traceparent(context: SpanContext) -> str:
    """The W3C `traceparent` of a span context."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def derived(size: int, *about: object) -> int:
    """An id of `size` bytes, derived from what it is about: never 0, the same in every run."""
    return int.from_bytes(blake2b("/".join(map(str, about)).encode(), digest_size=size).digest(), "big") or 1


def child(parent: SpanContext, *about: object, alone: bool = False) -> SpanContext:
    """The context of a span below `parent`, or `alone`, in a trace that it begins; sampled as `parent` is."""
    trace = derived(16, *about) if alone else parent.trace_id
    return SpanContext(trace, derived(8, *about), is_remote=False, trace_flags=parent.trace_flags)


def ids(context: SpanContext | None) -> dict[str, str]:
    """A sampled span as logs and exemplars name it."""
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"} if context else {}


class Tracer:
    """Makes the spans of one service, for the OTLP endpoint `otlp`; without one it makes none."""

    def __init__(self, activity: str, group: str, settings: Settings) -> None:
        self.activity, self.group, self._settings, self._random = activity, group, settings, Random()
        self._resource = Resource.create({"service.name": f"svc-{dashed(activity)}", "service.namespace": "svc"})
        self._scope = InstrumentationScope("services.chassis.tracing")
        self.processor = SpanProcessor()
        """Takes finished spans; one of the base class does nothing with them. Its `shutdown` sends what is left."""
        if settings.otlp:
            exporter = OTLPSpanExporter(f"{settings.otlp}/v1/traces", timeout=5, meter_provider=METERS)
            self.processor = BatchSpanProcessor(exporter, 16_384, 200, 2_048, meter_provider=METERS)

    def root(self, command: Command, demand: SpanContext | None = None) -> SpanContext:
        """The context of a new trace; whether a demand is sampled is decided once, with the trace of its first contact.

        A later request about it (`demand`) is sampled as it is.
        """
        words = {type(command).__name__, *(getattr(command, name, None) for name in ("kind", "ticket_type"))}
        chosen = self._random.random() < self._settings.trace_ratio or words & {*self._settings.trace_always.split(",")}
        sampled = TraceFlags(int(bool(self._settings.otlp and (demand.trace_flags.sampled if demand else chosen))))
        trace, span = self._random.getrandbits(128) or 1, self._random.getrandbits(64) or 1
        return SpanContext(trace, span, is_remote=False, trace_flags=sampled)

    def export(
        self, name: str, kind: SpanKind, context: SpanContext, parent: SpanContext | None, started: int,
        attributes: Mapping[str, str | int], links: Sequence[SpanContext | None] = (), error: str = "",
    ) -> None:  # fmt: skip
        """Hand over a span that ends now; `started` in nanoseconds. Nothing happens for an unsampled one."""
        if context.trace_flags.sampled:
            status = Status(StatusCode.ERROR, error) if error else Status()
            words = {**attributes, "error.type": error.partition(":")[0]} if error else attributes
            what = (name, context, parent, self._resource, words, (), [Link(link) for link in links if link], kind)
            self.processor.on_end(ReadableSpan(*what, None, status, started, time.time_ns(), self._scope))

    def export_message(self, decided: "Decided", context: SpanContext, started: int) -> None:
        """The spans of one consumed record (`context`) and of what it told, once the database has them."""
        arrival, record = decided.arrival, decided.arrival.record
        link, trace = parse_traceparent(arrival.attributes.get("traceparent")), parse_traceparent(decided.trace)
        above = trace if trace and trace.span_id != context.span_id else None  # else it begins its trace
        where = {"svc.value_stream": decided.stream, "svc.step": decided.step.step if decided.step else ""}
        about = self.about(arrival.case) | where | {"svc.practice": ", ".join(decided.practices)}
        created = [] if decided.error else [(told.topic, told.partition, told.id) for told in decided.outputs]
        created += [(value_chain.inbox(self.activity), record.partition, row["id"]) for row in decided.pending]
        for topic, partition, id in created:
            below, words = child(context, "create", id), about | message_attributes("create", topic, partition, id)
            self.export(f"create {topic}", SpanKind.PRODUCER, below, context, time.time_ns(), words)
        what = message_attributes("process", record.topic, record.partition, arrival.id)
        facts: dict[str, str | int] = {
            **(about | what), "messaging.consumer.group.name": self.group, "messaging.kafka.offset": record.offset,
            "cloudevents.event_type": arrival.message.type if arrival.message else "", "svc.handler": decided.handler,
            "svc.wait.ms": max(0, started // 1_000_000 - record.timestamp),
        }  # fmt: skip
        self.export(f"process {record.topic}", SpanKind.CONSUMER, context, above, started, facts, [link], decided.error)

    def about(self, case: str) -> dict[str, str]:
        """The attributes of every span about a case."""
        return {"messaging.message.conversation_id": case, "svc.demand.id": case, "svc.activity": self.activity}


def message_attributes(operation: str, topic: str, partition: int, message_id: UUID | str) -> dict[str, str]:
    """The attributes of every span about one message; `operation` is `create` or `process`."""
    return {
        "messaging.system": "kafka", "messaging.operation.name": operation, "messaging.operation.type": operation,
        "messaging.destination.name": topic, "messaging.destination.partition.id": str(partition),
        "messaging.message.id": str(message_id),
    }  # fmt: skip
