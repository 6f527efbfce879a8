"""One demand, one trace: parents, links, and ids that a redelivery does not change."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from contracts.envelope import encode
from services.chassis import tracing
from tests.chassis.conftest import Bench, demand

TRACE, PRODUCER = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
TRACEPARENT = f"00-{TRACE:032x}-{PRODUCER:016x}-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where the spans of the service go."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(exporter, "shutdown", lambda: None)  # it outlives several runs of the service
    monkeypatch.setattr(tracing, "OTLPSpanExporter", lambda *arguments, **options: exporter)
    return exporter


def of_kind(spans: InMemorySpanExporter, kind: SpanKind) -> list[ReadableSpan]:
    """The finished spans of one kind."""
    return [span for span in spans.get_finished_spans() if span.kind is kind]


async def test_every_process_span_has_its_producers_span_as_parent_and_link(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    case = uuid4()
    async with bench.running(otlp="http://127.0.0.1:1") as client:
        for euros in (1, 2):
            headers = {"Idempotency-Key": f"{euros}", "traceparent": TRACEPARENT}
            await client.post(f"/deposits/{case}", json={"euros": euros}, headers=headers)
        await bench.tell(demand(case, "untraced"))
        await bench.settled()
    requests, created, processed = (
        {span.context.span_id: span for span in of_kind(spans, kind) if span.context}
        for kind in (SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER)
    )
    assert (len(requests), len(processed)) == (2, 2), "an event without a trace costs no span"
    for span in processed.values():
        assert span.parent
        assert span.parent.span_id in created
        assert [link.context.span_id for link in span.links] == [span.parent.span_id]
        assert span.attributes
        assert span.attributes["svc.demand.id"] == str(case)
    for request in requests.values():
        assert request.parent is None
        assert [link.context.trace_id for link in request.links] == [TRACE], "a caller is linked, never continued"
    first, second = created.values()
    assert first.context
    assert second.context
    assert first.context.trace_id == second.context.trace_id, "a later command continues the demand's trace"
    assert [link.context.span_id in requests for link in second.links] == [True]


async def test_a_redelivery_exports_the_same_spans_again(bench: Bench, spans: InMemorySpanExporter) -> None:
    about = demand(uuid4(), "remind")
    value = encode(
        about, id=uuid4(), source="/svc/engage", time=datetime(2099, 1, 1, tzinfo=UTC), traceparent=TRACEPARENT
    )
    await bench.put(value, about.case)
    runs = []
    for _ in range(2):
        async with bench.running(otlp="http://127.0.0.1:1"):
            await bench.until(bench.consumed, what="everything is consumed")
        runs.append({(span.name, span.context.span_id) for span in spans.get_finished_spans() if span.context})
        kinds = [span.kind for span in spans.get_finished_spans()]
        assert sorted(kind.name for kind in kinds) == ["CONSUMER", "PRODUCER", "PRODUCER"], "an output and a timer"
        (consumer,) = of_kind(spans, SpanKind.CONSUMER)
        assert consumer.parent
        assert (consumer.parent.trace_id, consumer.parent.span_id) == (TRACE, PRODUCER)
        assert {s.parent.span_id for s in of_kind(spans, SpanKind.PRODUCER) if s.parent} == {consumer.context.span_id}
        spans.clear()
        await bench.forget_offsets()
    assert runs[0] == runs[1]
