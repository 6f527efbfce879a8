"""What the running chain has shown of the documented value chain: inputs, outputs, arrows, and every end of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.envelope import source_of
from contracts.rows import ROWS, End
from contracts.value_chain import ACTIVITIES, ARROWS, BY_TYPE, ENDS, ends_of

Counts = Mapping[str, Iterable[Mapping[str, Any]]]
"""`{"consumed": [{"type", "source", "count"}, ...], "told": [{"type", "count"}, ...]}` of one activity."""


def coverage(counts: Mapping[str, Counts]) -> dict[str, dict[str, Any]]:
    """From what each activity consumed with an effect and told.

    An input is consumed when its activity has made something of a message that serves it; an output is produced when
    its activity has told one. An arrow is seen when the activity at its head has made something of what the one at
    its tail told. An end of an input or output is seen when a message has come all that way: to the activity that
    took it, or out to the party that was told.
    """
    produced: set[str] = set()
    arrows: set[tuple[str, str]] = set()
    ends: set[End] = set()
    for activity, of in counts.items():
        for consumed in of["consumed"]:
            flow = BY_TYPE.get(consumed["type"])
            if flow is None or activity not in flow.hearers:
                continue  # its own commands and timers
            if flow.teller in ACTIVITIES and consumed["source"] != source_of(flow.teller):
                continue  # said by somebody else in the teller's name
            ends |= ends_of(flow, activity)
            arrows.add((flow.teller, activity))
        for told in of["told"]:
            flow = BY_TYPE.get(told["type"])
            if flow is None or flow.teller != activity:
                continue
            if flow.output:
                produced.add(flow.output)
            for hearer in flow.hearers:
                if hearer not in ACTIVITIES:
                    ends |= ends_of(flow, hearer)
    inputs, outputs = [row for row in ROWS if not row.is_output], [row for row in ROWS if row.is_output]
    taken = {end.row for end in ends}
    return {
        "inputs": _of([row.id for row in inputs], "consumed", [row.id for row in inputs if row.id not in taken]),
        "outputs": _of([row.id for row in outputs], "produced", [row.id for row in outputs if row.id not in produced]),
        "arrows": _of(ARROWS, "seen", [f"{tail} -> {head}" for tail, head in ARROWS if (tail, head) not in arrows]),
        "ends": _of(ENDS, "seen", [_way(*end) for end in sorted(ENDS - ends)]),
    }


def _of(all_of_them: Iterable[object], seen: str, missing: list[str]) -> dict[str, Any]:
    total = len(list(all_of_them))
    return {"total": total, seen: total - len(missing), "missing": missing}


def _way(row: str, other: str) -> str:
    return f"{row} -> {other}" if ".out." in row else f"{row} <- {other}"


def render(found: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """As people read it: how much of each, and what is still missing."""
    lines = []
    for name, part in found.items():
        line = Text(f"{name:<8} {part['total'] - len(part['missing']):>3} of {part['total']:>3}", style="bold")
        lines.append(
            line.append(f"  missing: {', '.join(part['missing'])}" if part["missing"] else "", style="dim not bold")
        )
    return Group(*lines)
