import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from starlette.applications import Starlette

from svc import telemetry
from svc.loopback import serve
from svc.spans import document, span_of, tree
from svc.telemetry import SpanStore, receiver

CUT_OFF = gzip.compress(b"cut off here", mtime=0)[:-12]
"""The same each time: a test's name does not hang on the second of its making."""
TRACE, OTHER = 0xA0000000000000000000000000000001, 0xA0000000000000000000000000000002


def context(span: int, trace: int = TRACE) -> SpanContext:
    return SpanContext(trace, span, False, TraceFlags(1))


def span(name: str, id: int, parent: int | None = None, trace: int = TRACE, start: int = 1_000) -> ReadableSpan:
    return ReadableSpan(
        name,
        context(id, trace),
        context(parent, trace) if parent else None,
        Resource({"service.name": "svc-plan"}),
        {"svc.activity": "plan", "svc.wait.ms": 7, "share": 0.5, "ok": True, "steps": ("a", "b")},
        links=[Link(context(9, OTHER))],
        kind=SpanKind.CONSUMER,
        status=Status(StatusCode.ERROR, "no budget"),
        start_time=start,
        end_time=start + 500,
    )


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[str]:
    async with serve(Starlette(routes=[receiver(SpanStore(tmp_path))])) as url:
        yield f"{url}/v1/traces"


async def export(endpoint: str, *spans: ReadableSpan, compression: Compression = Compression.NoCompression) -> None:
    exporter = OTLPSpanExporter(endpoint, compression=compression, timeout=5)
    try:
        assert await asyncio.to_thread(exporter.export, spans) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_what_the_sdk_exports_comes_back_as_it_was(endpoint: str, tmp_path: Path, compression: Compression):
    await export(endpoint, span("root", 1), span("child", 2, 1), compression=compression)
    root, child = SpanStore(tmp_path).trace(f"{TRACE:032x}")
    assert span_of(root) == {
        "traceId": f"{TRACE:032x}", "spanId": f"{1:016x}", "name": "root", "kind": 5, "flags": span_of(root)["flags"],
        "startTimeUnixNano": "1000", "endTimeUnixNano": "1500", "events": [],
        "status": {"code": 2, "message": "no budget"},
        "attributes": [
            {"key": "svc.activity", "value": {"stringValue": "plan"}},
            {"key": "svc.wait.ms", "value": {"intValue": "7"}},
            {"key": "share", "value": {"doubleValue": 0.5}},
            {"key": "ok", "value": {"boolValue": True}},
            {"key": "steps", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}},
        ],
        "links": [{"traceId": f"{OTHER:032x}", "spanId": f"{9:016x}", "attributes": []}],
    }  # fmt: skip
    assert span_of(child)["parentSpanId"] == f"{1:016x}"
    assert document([root, child])["resourceSpans"] == [root, child]


async def test_a_span_exported_twice_is_kept_once_and_a_linked_trace_has_none_of_it(endpoint: str, tmp_path: Path):
    await export(endpoint, span("first", 1))
    await export(endpoint, span("again", 1), span("other", 2, trace=OTHER))
    store = SpanStore(tmp_path)
    assert [span_of(one)["name"] for one in store.trace(f"{TRACE:032x}")] == ["first"]
    assert [span_of(one)["name"] for one in store.trace(f"{OTHER:032x}")] == ["other"]
    assert store.trace("b" * 32) == []


def cut_off(folder: Path, bytes: int) -> None:
    (file,) = folder.glob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-bytes])


async def test_a_line_that_a_killed_process_left_half_written_costs_that_span_only(endpoint: str, tmp_path: Path):
    await export(endpoint, span("first", 1), span("second", 2, start=2_000))
    cut_off(tmp_path, bytes=20)
    await export(endpoint, span("third", 3, start=3_000))
    assert [span_of(one)["name"] for one in SpanStore(tmp_path).trace(f"{TRACE:032x}")] == ["first", "third"]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "application/json"}, b"{}", 415),
        ({"content-type": telemetry.PROTOBUF}, b"\xff\xff not protobuf", 400),
        ({"content-type": telemetry.PROTOBUF, "content-encoding": "gzip"}, b"not gzip", 400),
        ({"content-type": telemetry.PROTOBUF, "content-encoding": "gzip"}, CUT_OFF, 400),
    ],
)
async def test_what_is_no_export_is_refused(endpoint: str, headers: dict[str, str], body: bytes, status: int):
    async with httpx.AsyncClient() as client:
        assert (await client.post(endpoint, headers=headers, content=body)).status_code == status


async def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(endpoint: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telemetry, "LARGEST_EXPORT", 1_000_000)
    headers = {"content-type": telemetry.PROTOBUF, "content-encoding": "gzip"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(endpoint, headers=headers, content=gzip.compress(bytes(1_000_001)))
    assert answer.status_code == 413


async def test_spans_make_a_tree_by_their_parents_and_a_lost_parent_is_said(endpoint: str, tmp_path: Path):
    await export(endpoint, span("late", 4, 1, start=9_000), span("leaf", 3, 2), span("root", 1))
    await export(endpoint, span("child", 2, 1), span("lost", 5, 99))
    root, lost = tree(SpanStore(tmp_path).trace(f"{TRACE:032x}"))
    assert [node.name for node in root.walk()] == ["root", "child", "leaf", "late"]
    assert (root.activity, root.waited_ms, root.error, root.orphan) == ("plan", 7, "no budget", False)
    assert (lost.name, lost.orphan) == ("lost", True)
