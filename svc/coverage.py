"""What the running chain has shown of the documented value chain: inputs, outputs, arrows, every end, and practices."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.envelope import source_of
from contracts.practices import PRACTICES
from contracts.rows import ROWS, End
from contracts.value_chain import ACTIVITIES, ARROWS, BY_TYPE, ENDS, TITLES, ends_of

HEAT = ("black on grey85", "black on khaki1", "black on orange1", "white on red3")
"""From a few decisions to the most."""
Counts = Mapping[str, Iterable[Mapping[str, Any]]]
"""`{"consumed": [{"type", "source", "count"}, ...], "told": [{"type", "count"}, ...],
"practised": [{"practice", "count"}, ...]}` of one activity."""


def coverage(counts: Mapping[str, Counts]) -> dict[str, dict[str, Any]]:
    """From what each activity consumed with an effect and told.

    An input is consumed when its activity has made something of a message that serves it; an output is produced when
    its activity has told one. An arrow is seen when the activity at its head has made something of what the one at
    its tail told. An end of an input or output is seen when a message has come all that way: to the activity that
    took it, or out to the party that was told.
    """
    produced: set[str] = set()
    arrows: Counter[tuple[str, str]] = Counter()
    ends: set[End] = set()
    for activity, of in counts.items():
        for consumed in of["consumed"]:
            flow = BY_TYPE.get(consumed["type"])
            if flow is None or activity not in flow.hearers:
                continue  # its own commands and timers
            if flow.teller in ACTIVITIES and consumed["source"] != source_of(flow.teller):
                continue  # said by somebody else in the teller's name
            ends |= ends_of(flow, activity)
            arrows[flow.teller, activity] += consumed["count"]
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
        "arrows": {
            **_of(ARROWS, "seen", [f"{tail} -> {head}" for tail, head in ARROWS if (tail, head) not in arrows]),
            "counts": {f"{tail} -> {head}": count for (tail, head), count in sorted(arrows.items())},
        },
        "ends": _of(ENDS, "seen", [_way(*end) for end in sorted(ENDS - ends)]),
        "practices": _practised({activity: of.get("practised", ()) for activity, of in counts.items()}),
    }


def _practised(counts: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
    """How many decisions of each activity drew on which practice."""
    by_activity = {
        activity: {one["practice"]: one["count"] for one in counts.get(activity, ())} for activity in ACTIVITIES
    }
    drawn_on = {practice for of in by_activity.values() for practice in of}
    return {
        **_of(PRACTICES, "drawn_on", [practice for practice in PRACTICES if practice not in drawn_on]),
        "by_activity": by_activity,
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
    return Group(*lines, heat_map(found["practices"]["by_activity"])) if "practices" in found else Group(*lines)


def warmest(by_activity: Mapping[str, Mapping[str, int]]) -> int:
    """How many decisions drew on the practice that was drawn on most by one activity."""
    return max((count for of in by_activity.values() for count in of.values()), default=1)


def heat_map(by_activity: Mapping[str, Mapping[str, int]]) -> RenderableType:
    """Activity by practice: how many decisions drew on it; the warmer, the more. What nobody drew on stays blank."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("practice")
    for activity in ACTIVITIES:
        table.add_column(TITLES[activity], justify="right")
    most = warmest(by_activity)
    for practice in PRACTICES:
        counts = [by_activity[activity].get(practice, 0) for activity in ACTIVITIES]
        cells = (Text(str(count) if count else "", HEAT[min(count * len(HEAT) // (most + 1), 3)]) for count in counts)
        table.add_row(practice, *cells, style="" if any(counts) else "dim")
    return table
