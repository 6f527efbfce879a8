"""What there is to see of demands: all of them, or the journey of one."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from svc import words
from svc.timeline import Moment, open_ends, timeline
from svc.trails import Journey

Json = dict[str, Any]
INDENT = 18
"""Columns before what came of a moment: as many as its time takes."""


def demands(found: list[Json]) -> RenderableType:
    """Demands in a table, the newest first, as Engage lists them."""
    if not found:
        return Text(
            "No demand yet: bring one with `svc demand`, or send a ticket of your desk (docs: /docs of Engage)."
        )
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column, least in {"demand": 8, "status": 14, "kind": 8, "title": 20, "requester": 10, "since": 10}.items():
        table.add_column(column, overflow="ellipsis", no_wrap=True, min_width=least)
    for demand in found:
        table.add_row(
            words.short(demand["id"]), words.spoken(demand["status"]), words.spoken(demand["kind"]),
            Text(words.plain(demand["title"])), Text(words.plain(demand["requester"])), demand["captured_at"][:16],
        )  # fmt: skip
    return table


def demand(about: Json, journey: Journey) -> RenderableType:
    """One demand: how it stands, and its timeline over the activities."""
    lines: list[RenderableType] = [heading(about), Text()]
    moments = timeline(journey)
    lines += [moment(one) for one in moments if not one.quiet]
    if quiet := sum(one.quiet for one in moments):
        lines.append(Text(f"and {quiet} moments of bookkeeping (--json has them)", style="dim"))
    if waits := open_ends(journey, about["status"]):
        lines += [Text(), *(Text(f"still open: {wait}", style="yellow") for wait in waits)]
    return Group(*lines)


def heading(about: Json) -> Text:
    """Which demand it is and how it stands."""
    head = Text(words.plain(about["title"]), style="bold").append(f"  {about['id']}\n", style="dim not bold")
    head.append(f"{words.spoken(about['status'])}", style="green not bold")
    head.append(f", because {words.plain(about['reason'])}" if about["reason"] else "", style="not bold")
    stream = (
        f"\n{words.spoken(about['kind'])} from {words.plain(about['requester'])}, {about['stream'] or 'in no stream'}"
    )
    return head.append(stream, style="dim not bold")


def moment(one: Moment, prefix: str = "") -> RenderableType:
    """One moment of a timeline: a line, and below it what came of it."""
    line = Text(f"{prefix}{words.at(one.time)}  ", style="dim")
    line.append(f"{words.activity(one.activity):<23}", style="bold cyan not dim")
    line.append(one.does, style="bold not dim").append(f"  on {one.heard}", style="not dim")
    return Group(line, *(Padding(Text(said), (0, 0, 0, INDENT), expand=False) for said in one.said))


def as_json(about: Json, journey: Journey) -> Json:
    """For scripts: the demand as Engage knows it, with its timeline."""
    return {
        **about,
        "activities": journey.activities,
        "trace_id": journey.trace_id,
        "timeline": _moments(timeline(journey)),
    }


def _moments(moments: Sequence[Moment]) -> list[Json]:
    return [{**one._asdict(), "time": one.time.isoformat(), "said": list(one.said)} for one in moments]
