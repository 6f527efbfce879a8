"""A small OTLP receiver: takes spans over HTTP, keeps them in files, and gives back the spans of a trace."""

import gzip
import io
import zlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import orjson
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from svc.spans import Json, exported, span_of

LARGEST_EXPORT = 64 * 2**20
PROTOBUF = "application/x-protobuf"


class SpanStore:
    """Spans in files that are only ever appended to: 256 of them, each for the traces whose id begins so.

    A span is a line; one that was exported twice (after a crash of its service) stands there twice and is read once.
    The folder may be removed when nothing runs: only traces are lost.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, spans: Iterable[Json]) -> None:
        """Keep these spans."""
        lines: defaultdict[Path, list[bytes]] = defaultdict(list)
        for span in spans:
            lines[self._file(span_of(span)["traceId"])].append(orjson.dumps(span))
        self._folder.mkdir(parents=True, exist_ok=True)
        for file, new in lines.items():
            with file.open("ab") as opened:
                # the line break comes first: it also ends a line that a killed process left half written
                opened.write(b"".join(b"\n" + line for line in new))

    def trace(self, trace_id: str) -> list[Json]:
        """The spans of a trace (32 hexadecimal digits), each once, by their start; none for an unknown one."""
        file, wanted = self._file(trace_id), f'"traceId":"{trace_id}"'.encode()
        if not file.exists():
            return []
        found: dict[str, Json] = {}
        for line in file.read_bytes().split(b"\n"):
            if wanted not in line:
                continue
            try:
                span = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # half written when a process was killed
            if span_of(span)["traceId"] == trace_id:  # and not merely linked from another trace
                found.setdefault(span_of(span)["spanId"], span)
        return sorted(found.values(), key=lambda span: int(span_of(span)["startTimeUnixNano"]))

    async def find(self, trace_id: str) -> list[Json]:
        """The same, for who does not care where spans are kept."""
        return self.trace(trace_id)

    def _file(self, trace_id: str) -> Path:
        return self._folder / f"{trace_id[:2]}.jsonl"


def receiver(store: SpanStore) -> Route:
    """The route of OTLP over HTTP with protobuf bodies, gzipped or not."""

    async def take(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != PROTOBUF:
            return PlainTextResponse(f"send {PROTOBUF} (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)", 415)
        try:
            body = _unpacked(await request.body(), request.headers.get("content-encoding", "identity"))
            store.add(exported(ExportTraceServiceRequest.FromString(body)))
        except ClientDisconnect:
            return PlainTextResponse("its sender is gone", 400)
        except ValueError as error:
            return PlainTextResponse(str(error), 413)
        except (DecodeError, OSError, EOFError, zlib.error) as error:
            return PlainTextResponse(f"not an ExportTraceServiceRequest: {error}", 400)
        return Response(ExportTraceServiceResponse().SerializeToString(), media_type=PROTOBUF)

    return Route("/v1/traces", take, methods=["POST"])


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body as it was before compression. `ValueError` beyond the limit, however small it was compressed."""
    if encoding == "gzip":
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as opened:
            body = opened.read(LARGEST_EXPORT + 1)
    if len(body) > LARGEST_EXPORT:
        raise ValueError(f"more than {LARGEST_EXPORT} bytes in one export: send smaller batches")
    return body
