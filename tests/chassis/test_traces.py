"""Where a trace begins and goes on when several cases have to do with each other, and in the mode of links."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from contracts.envelope import encode
from contracts.event import Message
from services.chassis import tracing
from tests.chassis.conftest import Bench, demand
from tests.chassis.ledger import Corrected
from tests.chassis.test_spans import of_kind

NOWHERE = "http://127.0.0.1:1"
ONE, OTHER = 0xA0000000000000000000000000000001, 0xB0000000000000000000000000000002
"""The traces of two other cases."""


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where the spans of the service go."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(exporter, "shutdown", lambda: None)  # it outlives several runs of the service
    monkeypatch.setattr(tracing, "OTLPSpanExporter", lambda *arguments, **options: exporter)
    return exporter


async def put(bench: Bench, message: Message, trace: int, *, sampled: bool = True, own: bool = True) -> UUID:
    """Tell it as the service itself (`own`) or as Engage, in this trace; returns its id."""
    words = {"time": datetime.now(UTC), "traceparent": f"00-{trace:032x}-{'c' * 16}-{'03' if sampled else '02'}"}
    value = encode(message, id=(id := uuid4()), source="/svc/plan" if own else "/svc/engage", **words)  # type: ignore[arg-type]
    await bench.put(value, message.case, topic="svc.plan.inbox" if own else "svc.engage.demand")
    return id


def processed(spans: InMemorySpanExporter) -> list[tuple[int, int | None, int, list[int]]]:
    """Of each consumed record: its trace, its parent, itself, and the traces it is linked to."""
    return [about(span) for span in of_kind(spans, SpanKind.CONSUMER)]


def about(span: ReadableSpan) -> tuple[int, int | None, int, list[int]]:
    assert span.context
    links = [link.context.trace_id for link in span.links]
    return span.context.trace_id, span.parent.span_id if span.parent else None, span.context.span_id, links


async def test_what_several_cases_cause_about_one_is_one_trace_linked_to_each_of_theirs(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    case, runs = uuid4(), []
    for cause in (ONE, OTHER):
        await put(bench, Corrected(demand=case, title=f"{cause}"), cause)
    for _ in range(2):
        async with bench.running(otlp=NOWHERE):
            await bench.until(bench.consumed, what="both are consumed")
        runs.append(processed(spans))
        created = {span.context.trace_id for span in of_kind(spans, SpanKind.PRODUCER) if span.context}
        spans.clear()
        await bench.forget_offsets()
    (trace, parent, first, links), (second_trace, second_parent, _, second_links) = runs[0]
    assert trace not in (ONE, OTHER), "it has a trace of its own"
    assert parent is None, "which begins with what was heard first"
    assert (second_trace, second_parent) == (trace, first), "and goes on below it"
    assert (links, second_links) == ([ONE], [OTHER])
    assert created == {trace}, "what is told of it goes on there, too"
    assert runs[0] == runs[1], "a redelivery exports the same spans again"


async def test_a_demand_that_another_case_wakes_goes_on_in_its_own_trace(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    case = uuid4()
    await put(bench, demand(case, "first"), ONE, own=False)
    async with bench.running(otlp=NOWHERE):
        await bench.until(bench.consumed, what="it is known")
        await put(bench, Corrected(demand=case, title="woken"), OTHER)
        await bench.until(bench.consumed, what="it is woken")
    (heard, woken) = processed(spans)
    assert (heard[0], heard[3]) == (ONE, [ONE])
    assert (woken[0], woken[1], woken[3]) == (ONE, 0xCCCCCCCCCCCCCCCC, [OTHER])
    told = [event["traceparent"].split("-")[1] for event in await bench.told()]
    assert told == [f"{ONE:032x}"] * 2


@pytest.mark.parametrize("own", [True, False])
async def test_a_demand_is_sampled_as_its_own_first_contact_was_whoever_wakes_it(
    bench: Bench, spans: InMemorySpanExporter, own: bool
) -> None:
    case = uuid4()
    await put(bench, demand(case, "first"), ONE, own=False, sampled=own)
    async with bench.running(otlp=NOWHERE):
        await bench.until(bench.consumed, what="it is known")
        await put(bench, Corrected(demand=case, title="woken"), OTHER, sampled=not own)
        await bench.until(bench.consumed, what="it is woken")
    assert len(processed(spans)) == (2 if own else 0)
    assert {event["traceparent"].split("-")[1] for event in await bench.told()} == {f"{ONE:032x}"}


async def test_in_the_mode_of_links_each_record_is_a_trace_of_its_own_linked_to_who_told_it(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    case = uuid4()
    async with bench.running(otlp=NOWHERE, trace_mode="link") as client:
        for euros in (1, 2):
            await client.post(f"/deposits/{case}", json={"euros": euros}, headers={"Idempotency-Key": f"{euros}"})
        await put(bench, demand(case, "told"), ONE, own=False)
        await bench.until(bench.consumed, what="all is consumed")
    found = processed(spans)
    created = {span.context.trace_id for span in of_kind(spans, SpanKind.PRODUCER) if span.context}
    assert len({trace for trace, *_ in found}) == 3
    assert [parent for _, parent, *_ in found] == [None, None, None]
    linked = [trace for *_, links in found for trace in links]
    assert len(linked) == 3
    assert set(linked) <= created | {ONE}, "each is linked to the span of who told it"
    requests = {span.context.trace_id for span in of_kind(spans, SpanKind.SERVER) if span.context}
    assert len(requests) == 2, "a later request begins a trace of its own, too"
