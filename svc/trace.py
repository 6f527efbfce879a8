"""The trace of a demand in the terminal: which activity worked on what, how long, and how long each message waited."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from svc import words
from svc.spans import Json, Node, tree


class Hop(NamedTuple):
    """A span as people read it. A message's `create` span is one only if nobody has taken the message up."""

    depth: int
    activity: str
    what: str
    after_ms: float
    """From the start of the trace to its own start."""
    took_ms: float
    waited_ms: float
    """From the end of what it follows, which told the message or set the timer, to its own start."""
    error: str
    orphan: bool


def hops(spans: Iterable[Json]) -> list[Hop]:
    """The trace from its first span on, each hop below the one it follows."""
    roots = tree(spans)
    began = min((node.start for node in roots), default=0)
    return [hop for root in roots for hop in _hops(root, 0, root.start, began)]


def _hops(node: Node, depth: int, told: int, began: int) -> Iterator[Hop]:
    taken_up = _is_told(node) and bool(node.children)
    if not taken_up:
        yield Hop(
            depth, node.activity, _what(node), (node.start - began) / 1e6, (node.end - node.start) / 1e6,
            max(0, node.start - told) / 1e6, node.error, node.orphan,
        )  # fmt: skip
    for child in sorted(node.children, key=_begins):
        yield from _hops(child, depth + (not taken_up), node.end if taken_up else child.start, began)


def _begins(node: Node) -> int:
    """When work on it begins: of a message, when it is taken up."""
    return min((child.start for child in node.children), default=node.start) if _is_told(node) else node.start


def _is_told(node: Node) -> bool:
    return node.name.startswith("create ")


def _what(node: Node) -> str:
    heard = words.message_name(str(node.attributes.get("cloudevents.event_type", "")))
    handler = words.spoken(str(node.attributes.get("svc.handler", "")))
    return f"{handler or 'nothing to do'} ← {heard}" if heard else node.name


def services_in(spans: Iterable[Json]) -> list[str]:
    """The names of the services that have spans in the trace, sorted."""
    return sorted({node.service for root in tree(spans) for node in root.walk()})


def render(spans: list[Json]) -> RenderableType:
    """The span tree with times; a wait of less than a tenth of a second is not worth saying."""
    lines = []
    for hop in hops(spans):
        branch = "  " * (hop.depth - 1) + "└ " if hop.depth else ""
        line = Text(f"{hop.after_ms / 1000:9.3f} s  ", style="dim", no_wrap=True)
        line.append(branch, style="dim").append(words.activity(hop.activity), style="cyan").append(f"  {hop.what}")
        line.append(f"  {hop.took_ms:.1f} ms", style="green")
        if hop.waited_ms >= 100:
            line.append(f"  after waiting {hop.waited_ms / 1000:.1f} s", style="yellow")
        if hop.error:
            line.append(f"  {words.plain(hop.error)}", style="bold red")
        if hop.orphan:
            line.append("  (the span before it is missing)", style="dim")
        lines.append(line)
    return Group(*lines)


def render_journey(spans: list[Json]) -> RenderableType:
    """A journey (`svc/journeys.py`) as a tree, in chain time; waiting stands out."""
    lines = []
    for root in tree(spans):
        for depth, node in _depths(root, 0):
            begin, end = (datetime.fromtimestamp(at / 1e9, UTC) for at in (node.start, node.end))
            line = Text(f"{words.at(begin)}  ", style="dim", no_wrap=True).append("  " * depth)
            waiting = node.name.startswith("waiting ")
            line.append(node.name, style="yellow" if waiting else "cyan" if depth < 2 else "")
            if end > begin:
                line.append(f"  {words.span(end - begin)}", style="green")
            lines.append(line)
    return Group(*lines)


def _depths(node: Node, depth: int) -> Iterator[tuple[int, Node]]:
    yield depth, node
    for child in node.children:
        yield from _depths(child, depth + 1)
