"""What a service shows of itself: requests, spans that nobody takes, and whose demand a line of the log is about."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from structlog.testing import capture_logs

from contracts.envelope import encode
from services.chassis import tracing
from svc.loopback import serve
from svc.spans import span_of
from svc.telemetry import SpanStore, receiver
from tests.chassis import ledger
from tests.chassis.conftest import Bench, demand
from tests.chassis.test_spans import TRACE, TRACEPARENT

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where the spans of the service go."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "OTLPSpanExporter", lambda *arguments, **options: exporter)
    return exporter


async def shown(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """The sum of a metric's series with these labels; 0 if there is none."""
    lines = (await client.get("/metrics")).text.splitlines()
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    series = [line for line in lines if re.match(rf"{name}[ {{]", line) and all(one in line for one in wanted)]
    return sum(float(line.rpartition(" ")[2]) for line in series)


async def test_every_request_is_measured_by_its_route_and_status(bench: Bench) -> None:
    name = "http_server_request_duration_seconds_count"
    labels = {"http_request_method": "POST", "http_route": "/deposits/{demand}"}
    async with bench.running() as client:
        before = [await shown(client, name, **labels, http_response_status_code=code) for code in ("201", "400")]
        for key in ({"Idempotency-Key": "one"}, {}):
            await client.post(f"/deposits/{uuid4()}", json={"euros": 1}, headers=key)
        after = [await shown(client, name, **labels, http_response_status_code=code) for code in ("201", "400")]
    assert [late - early for early, late in zip(before, after, strict=True)] == [1, 1]


async def test_spans_that_nobody_takes_are_counted_and_hold_nothing_up(bench: Bench) -> None:
    name = "otel_sdk_exporter_span_exported_total"
    async with bench.running(otlp=NOWHERE) as client:
        before = await shown(client, name, error_type="ConnectionError")
        answer = await client.post(f"/deposits/{uuid4()}", json={"euros": 1}, headers={"Idempotency-Key": "lost"})
        assert answer.status_code == 201, "the chain goes on"

        async def counted() -> bool:
            refused = [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith(name)]
            return any('error_type=""' not in line and "error_type=" in line for line in refused)

        await bench.until(counted, what="the spans that were not taken are counted")
        assert before == 0


async def test_nothing_is_lost_when_a_service_ends(bench: Bench, tmp_path: Path) -> None:
    """What it has decided in its last moment is sent before it is gone."""
    store = SpanStore(tmp_path)
    async with serve(Starlette(routes=[receiver(store)])) as otlp, bench.running(otlp=otlp):
        about = demand(uuid4(), "at last")
        value = encode(about, id=(id := uuid4()), source="/svc/engage", time=datetime.now(UTC), traceparent=TRACEPARENT)
        await bench.put(value, about.case)

        async def decided() -> bool:
            return bool(await bench.rows("SELECT 1 FROM receipt WHERE event_id = $1", id))

        await bench.until(decided, what="it is decided")
    names = {span_of(span)["name"] for span in store.trace(f"{TRACE:032x}")}
    assert names == {"process svc.engage.demand", "create svc.plan.portfolio-decisions"}


async def test_a_line_about_a_record_that_is_set_aside_names_its_demand_and_its_trace(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    about = demand(uuid4(), ledger.BUG)
    value = encode(about, id=uuid4(), source="/svc/engage", time=datetime.now(UTC), traceparent=TRACEPARENT)
    with capture_logs() as logged:
        async with bench.running(otlp=NOWHERE):
            await bench.put(value, about.case)
            await bench.until(bench.consumed, what="it is set aside")
    (line,) = [line for line in logged if "set aside" in line["event"]]
    (span,) = [span for span in spans.get_finished_spans() if span.name.startswith("process ")]
    assert span.context
    assert (line["demand_id"], line["trace_id"]) == (about.case, f"{TRACE:032x}")
    assert line["span_id"] == f"{span.context.span_id:016x}"
    assert "a bug" in line["reason"]
    assert span.attributes
    assert span.attributes["error.type"] == "ZeroDivisionError"


@pytest.mark.parametrize(("always", "number"), [("", 0), ("incident,Deposit", 3), ("incident", 0)])
async def test_what_is_to_be_traced_always_is_whatever_the_share(
    bench: Bench, spans: InMemorySpanExporter, always: str, number: int
) -> None:
    async with bench.running(otlp=NOWHERE, trace_ratio=0.0, trace_always=always) as client:
        await client.post(f"/deposits/{uuid4()}", json={"euros": 1}, headers={"Idempotency-Key": "one"})
    assert len(spans.get_finished_spans()) == number, "the request, the command and its handler; or nothing"


async def test_later_requests_about_a_demand_are_sampled_as_its_first_contact_was(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    case = uuid4()
    for ratio, always in ((0.0, ""), (1.0, "")):  # decided as unsampled, and asked again when everything is sampled
        async with bench.running(otlp=NOWHERE, trace_ratio=ratio, trace_always=always) as client:
            await client.post(f"/deposits/{case}", json={"euros": 1}, headers={"Idempotency-Key": f"{ratio}"})
    assert [span.name for span in spans.get_finished_spans()] == []


async def test_a_batch_is_measured_by_its_topics_with_a_trace_as_example(
    bench: Bench, spans: InMemorySpanExporter
) -> None:
    about = demand(uuid4(), "measured")
    value = encode(about, id=uuid4(), source="/svc/engage", time=datetime.now(UTC), traceparent=TRACEPARENT)
    topic, name = "svc.engage.demand", "messaging_process_duration_seconds"
    async with bench.running(otlp=NOWHERE) as client:
        before = await shown(client, f"{name}_count", messaging_destination_name=topic)
        sent, committed = [
            await shown(client, "messaging_client_operation_duration_seconds_count", messaging_operation_name=one)
            for one in ("send", "commit")
        ]
        await bench.put(value, about.case)
        await bench.until(bench.consumed, what="it is consumed")
        assert await shown(client, f"{name}_count", messaging_destination_name=topic) == before + 1
        for one, was in (("send", sent), ("commit", committed)):
            now = await shown(client, "messaging_client_operation_duration_seconds_count", messaging_operation_name=one)
            assert now > was, one
        answer = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    examples = [line for line in answer.text.splitlines() if line.startswith(f"{name}_bucket") and " # {" in line]
    assert any(f'trace_id="{TRACE:032x}"' in line for line in examples), "from the figure one gets to the trace"
