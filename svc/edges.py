"""Whether the trace of a demand shows every edge that its messages have taken: who told, over which topic, who heard.

What was told and heard is known from the receipts (`svc/trails.py`), whatever was traced. Each message that was taken
up must be a span of who told it and a span of who heard it: the one parent and link of the other, on the same topic,
without an error. The spans may come from our own receiver or from Jaeger's `/api/v3`; the questions are the same.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import httpx
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.value_chain import ACTIVITIES, BY_TYPE, inbox
from svc import running, words
from svc.machine.home import default_path
from svc.services import Services
from svc.spans import Json, Told, told
from svc.terminal import Terminal
from svc.trails import Entry, Journey, follow
from svc.trouble import Trouble

PRODUCER, CONSUMER = "PRODUCER", "CONSUMER"
GLANCE = 0.2
"""Seconds between two looks at whether all spans have arrived."""


class Edge(NamedTuple):
    """One arrow of the value chain, or one message that an activity gives itself."""

    teller: str
    """An activity, or a party outside."""
    message: str
    """The class of the message."""
    topic: str
    hearer: str


class Crossing(NamedTuple):
    """One message over one edge, and what its spans have wrong."""

    edge: Edge
    message_id: str
    faults: tuple[str, ...]
    """Sentences; none: both spans are there, and right."""
    dark: bool = False
    """Neither span is there: the trace breaks off before this message, so this edge is not what is wrong."""


def expected(journey: Journey) -> dict[tuple[str, str], tuple[Edge, Entry]]:
    """What must have spans, by hearer and message id: every message that an activity has taken up."""
    return {
        (entry.activity, str(entry.id)): (edge_of(entry), entry) for entry in journey.entries if entry.type
    }  # fmt: skip


def edge_of(entry: Entry) -> Edge:
    """The edge that a message has come by."""
    flow = BY_TYPE.get(entry.type)
    return Edge(entry.teller, entry.name, flow.topic if flow else inbox(entry.activity), entry.activity)


def trace_ids(journey: Journey) -> list[str]:
    """The traces that the messages of a journey name, the demand's own first."""
    named = (event.traceparent.split("-") for entry in journey.entries for event in entry.outputs)
    return list(dict.fromkeys(parts[1] for parts in named if len(parts) == 4))


def crossings(journey: Journey, spans: Iterable[Json]) -> list[Crossing]:
    """Every message of a journey, held against these spans, in the order of the journey."""
    found = {(span.trace_id, span.span_id): span for span in map(told, spans)}
    tellers = {span.message_id: span for span in found.values() if span.kind == PRODUCER}
    hearers = {(span.activity, span.message_id): span for span in found.values() if span.kind == CONSUMER}
    cases = {event.id: entry.case for entry in journey.entries for event in entry.outputs}
    checked = []
    for key, (edge, entry) in expected(journey).items():
        teller, hearer = tellers.get(key[1]), hearers.get(key)
        same_case = cases.get(entry.id, entry.case) == entry.case
        faults = tuple(_faults(edge, teller, hearer, found, same_case=same_case))
        checked.append(Crossing(edge, key[1], faults, dark=teller is None and hearer is None))
    return checked


def _faults(
    edge: Edge, teller: Told | None, hearer: Told | None, found: Mapping[tuple[str, str], Told], *, same_case: bool
) -> Iterable[str]:
    name = words.activity(edge.hearer)
    if teller is None or hearer is None:
        yield from (f"{who} has no span of it" for who, span in
                    ((words.activity(edge.teller), teller), (name, hearer)) if span is None)  # fmt: skip
        return
    told_by = edge.teller if edge.teller in ACTIVITIES else edge.hearer  # the door of who hears it tells for outsiders
    if teller.activity != told_by:
        yield f"it is told by {words.activity(teller.activity)}"
    for span in (teller, hearer):
        if span.topic != edge.topic:
            yield f"{span.name!r} is not about {edge.topic}"
        if span.error:
            yield f"{span.name!r} has failed: {span.error}"
        if span.parent_id and (span.trace_id, span.parent_id) not in found:
            yield f"{span.name!r} is an orphan: its parent {span.parent_id} is not in the trace"
    if (teller.trace_id, teller.span_id) not in hearer.links:
        yield f"{name}'s span has no link to who told it"
    if hearer.trace_id == teller.trace_id and hearer.parent_id != teller.span_id:
        yield f"the parent of {name}'s span is not who told it"
    if hearer.trace_id != teller.trace_id and same_case:
        yield f"{name}'s span is in another trace than who told it"


def by_edge(checked: Iterable[Crossing]) -> dict[Edge, list[Crossing]]:
    """The crossings of each edge, edges in the order of their first crossing."""
    edges: dict[Edge, list[Crossing]] = {}
    for crossing in checked:
        edges.setdefault(crossing.edge, []).append(crossing)
    return edges


def red(checked: Iterable[Crossing]) -> dict[Edge, list[str]]:
    """The edges where the trace is wrong, with what is; those in the dark behind such a break are not among them."""
    return {
        edge: faults
        for edge, of in by_edge(checked).items()
        if (faults := [fault for crossing in of if not crossing.dark for fault in crossing.faults])
    }


def whole(checked: list[Crossing]) -> bool:
    """Whether everything is there and right."""
    return bool(checked) and not any(crossing.faults for crossing in checked)


async def spans_from(url: str, ids: Iterable[str]) -> list[Json]:
    """The spans of these traces; a trace that nobody there knows yet has none. `Trouble` if nobody answers.

    `url` is what a trace id is put behind: of our page `.../traces`, of Jaeger `.../api/v3/traces`.
    """
    spans: list[Json] = []
    async with httpx.AsyncClient(timeout=30) as client:
        for id in ids:
            try:
                answer = await client.get(f"{url}/{id}")
            except httpx.HTTPError as error:
                raise Trouble(
                    f"No traces at {url} ({type(error).__name__}): is it running, and its address right?"
                ) from error
            if answer.is_error and answer.status_code != 404:
                raise Trouble(f"{url} refused trace {id}: HTTP {answer.status_code} {answer.text[:200]}")
            if not answer.is_error:
                found = answer.json()
                spans += each_alone(found.get("result", found))
    return spans


def each_alone(document: Json) -> list[Json]:
    """The spans of an OTLP JSON document, each by itself.

    Where Jaeger has left out spans that it got twice, a scope is without any.
    """
    return [
        {"resource": of["resource"], "scopeSpans": [{"scope": scoped.get("scope", {}), "spans": [span]}]}
        for of in document.get("resourceSpans", [])
        for scoped in of.get("scopeSpans", ())
        for span in scoped.get("spans", ())
    ]


async def run(terminal: Terminal, demand: str, *, jaeger: str, patience: float, json: bool) -> int:
    """Show the edges of a demand of the chain that runs, once its spans have arrived; 0 if all are there and right."""
    found = running.find(default_path())
    url = f"{jaeger.rstrip('/')}/api/v3/traces" if jaeger else f"{found.page}/traces"
    until = time.monotonic() + patience
    async with Services(found.services) as services:
        journey = await follow(services, await services.find(demand))
        checked = crossings(journey, await spans_from(url, trace_ids(journey)))
        while not whole(checked) and time.monotonic() < until:
            await asyncio.sleep(GLANCE)
            journey = await follow(services, journey.demand)
            checked = crossings(journey, await spans_from(url, trace_ids(journey)))
    terminal.show(render(checked))
    if json:
        terminal.result([as_json(edge, of) for edge, of in by_edge(checked).items()])
    return 0 if whole(checked) else 1


def as_json(edge: Edge, of: list[Crossing]) -> Json:
    """An edge for scripts."""
    faults = [fault for one in of if not one.dark for fault in one.faults]
    return {**edge._asdict(), "messages": len(of), "faults": faults, "dark": sum(one.dark for one in of)}


def render(checked: list[Crossing]) -> RenderableType:
    """The edges as a table, and below it what is wrong."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("", "who told", "what", "over", "who heard", "messages"):
        table.add_column(column, overflow="fold")
    wrong = red(checked)
    for edge, of in by_edge(checked).items():
        dark = all(crossing.dark for crossing in of)
        mark = Text("✗", "red") if edge in wrong else Text("?", "yellow") if dark else Text("✓", "green")
        table.add_row(
            mark, words.activity(edge.teller), edge.message, edge.topic, words.activity(edge.hearer), str(len(of))
        )
    lines = [
        Text(f"{edge.message} from {words.activity(edge.teller)} to {words.activity(edge.hearer)}: {fault}", "red")
        for edge, faults in wrong.items()
        for fault in dict.fromkeys(faults)
    ]
    return Group(table, *lines)
