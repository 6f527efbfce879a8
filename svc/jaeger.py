"""Spans that a Jaeger keeps."""

from svc.edges import spans_from
from svc.spans import Json, span_of


class Jaeger:
    """A Jaeger at this address, asked by its query API (`/api/v3`)."""

    def __init__(self, url: str) -> None:
        self._traces = f"{url.rstrip('/')}/api/v3/traces"

    async def find(self, trace_id: str) -> list[Json]:
        """The spans of a trace (32 hexadecimal digits), each once, by their start; `Trouble` if nobody answers."""
        found = {span_of(span)["spanId"]: span for span in await spans_from(self._traces, [trace_id])}
        return sorted(found.values(), key=lambda span: int(span_of(span)["startTimeUnixNano"]))
