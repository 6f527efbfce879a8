"""Commands that look at a running chain from another terminal: each gives what people read, and what scripts read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from contracts.value_chain import ACTIVITIES
from svc import coverage, edges, explain, journeys, running, show, trace, words
from svc.machine.home import default_path
from svc.services import Services
from svc.spans import Json, document
from svc.trails import follow
from svc.trouble import Trouble


class Seen(NamedTuple):
    """The outcome of a command."""

    shown: RenderableType
    json: Any
    code: int = 0
    """The exit code: 1 if what was looked at is not as it should be."""


@asynccontextmanager
async def services() -> AsyncIterator[Services]:
    """The services of the chain that runs in this home; `Trouble` if none does."""
    async with Services(running.find(default_path()).services) as found:
        yield found


async def show_demands(demand: str | None) -> Seen:
    """All demands, or the timeline of one."""
    async with services() as six:
        if demand is None:
            found = await six.demands()
            return Seen(show.demands(found), found)
        id = await six.find(demand)
        about, journey = await six.demand(id), await follow(six, id)
        return Seen(show.demand(about, journey), show.as_json(about, journey))


async def explain_demand(demand: str) -> Seen:
    """The reasons behind one demand."""
    async with services() as six:
        said = explain.explain(await follow(six, await six.find(demand)))
        return Seen(explain.render(said), [one.as_json() for one in said])


async def trace_demand(demand: str, *, as_journey: bool = False) -> Seen:
    """The span tree of one demand, or of its journey in chain time; for scripts OTLP JSON."""
    async with services() as six:
        journey = await follow(six, await six.find(demand))
    page = f"{running.find(default_path()).page}/traces"
    if as_journey:
        spans = await edges.spans_from(page, [journeys.trace_id(journey.demand)])
        if not spans:
            raise Trouble(
                f"Demand {journey.demand} has not come to its end: its journey is written a moment after that."
            )
        return Seen(trace.render_journey(spans), document(spans))
    spans = await edges.spans_from(page, [journey.trace_id or "none"])
    if not spans:
        raise Trouble(f"No spans of demand {journey.demand} have arrived: a moment after a step is done they do.")
    return Seen(trace.render(spans), document(spans))


async def write_journey(demand: str, otlp: str) -> Seen:
    """Write the journey of one demand anew, as far as it has come."""
    found = running.find(default_path())
    async with Services(found.services) as six:
        trace_id = await journeys.write(six, await six.find(demand), otlp or found.page)
    return Seen(Text(f"Its journey is trace {trace_id} at {otlp or found.page}."), {"trace_id": trace_id})


async def show_coverage() -> Seen:
    """What the chain has shown of the documented value chain."""
    async with services() as six:
        found = coverage.coverage(await six.coverage())
        return Seen(coverage.render(found), found)


async def dead_letters(event: str | None) -> Seen:
    """The records that were set aside, or one of them in full."""
    async with services() as six:
        found = await parked(six)
    if event is None:
        return Seen(_dead_letters(found), found)
    one = _one(found, event)
    text = Text(f"{words.activity(one['activity'])} could not use {one['event_id']} of case {one['case_id']}\n", "bold")
    text.append(f"{one['topic']}, partition {one['part']}, offset {one['off']}\n", style="dim not bold")
    text.append(f"{words.plain(one['reason'])}\n", style="red not bold").append(words.plain(one["value"]), "not bold")
    return Seen(text, one)


async def redrive(case: str | None, activity: str | None) -> Seen:
    """Have the parked records of a case tried again, in order; None for all cases."""
    async with services() as six:
        cases = {
            (one["activity"], one["case_id"])
            for one in await parked(six)
            if case in (None, one["case_id"]) and activity in (None, one["activity"])
        }
        if not cases:
            what = f"of case {case}" if case else "at all"
            raise Trouble(f"Nothing is parked {what}: `svc dlq list` shows what is, with its case.")
        for holder, one in sorted(cases):
            await six.command(holder, f"/dlq/{one}/redrive", {})
        left = [one for one in await parked(six) if (one["activity"], one["case_id"]) in cases]
    holders = words.listed(sorted({words.activity(holder) for holder, _ in cases}))
    said = Text(f"{holders} has tried {len(cases)} {'case' if len(cases) == 1 else 'cases'} again.")
    if left:
        said.append(f" {len(left)} records are set aside still: svc dlq list says why.", style="red")
    tried = [{"activity": holder, "case": one} for holder, one in sorted(cases)]
    return Seen(said, {"tried": tried, "left": len(left)})


async def discard(event: str, reason: str) -> Seen:
    """Give one parked record up; those that wait behind it are tried again."""
    async with services() as six:
        one = _one(await parked(six), event)
        what = {"discard": one["event_id"], "reason": reason}
        answer = await six.command(one["activity"], f"/dlq/{one['case_id']}/redrive", what)
    said = f"{words.activity(one['activity'])} gives {one['event_id']} up and tries the rest of {one['case_id']} again."
    return Seen(Text(said), answer)


async def edit(event: str, corrected: bytes, reason: str) -> Seen:
    """Have one parked record taken up as corrected, in its place; those that wait behind it are tried again."""
    try:
        value = orjson.loads(corrected)
    except orjson.JSONDecodeError as error:
        raise Trouble(f"The corrected event is not JSON: {error}") from error
    async with services() as six:
        one = _one(await parked(six), event)
        what = {"edit": one["event_id"], "value": value, "reason": reason}
        answer = await six.command(one["activity"], f"/dlq/{one['case_id']}/redrive", what)
        left = [other for other in await parked(six) if other["event_id"] == one["event_id"]]
    said = Text(
        f"{words.activity(one['activity'])} takes {one['event_id']} up as corrected, and those behind it again."
    )
    for other in left:
        said.append(f" It is set aside again: {words.plain(other['reason'])}", style="red")
    return Seen(said, answer)


async def parked(six: Services) -> list[Json]:
    """What is parked, at which activity, in order."""
    return [
        {"activity": activity, **one}
        for activity in ACTIVITIES
        for one in (await six.ask(activity, "GET", "/dlq")).json()
    ]


async def open_work() -> Seen:
    """Work that somebody has to do, over all activities, what is promised first on top."""
    async with services() as six:
        found = await _work(six)
    if not found:
        return Seen(Text("No work is open."), found)
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("work", "activity", "kind", "owner", "promised by"):
        table.add_column(column, overflow="fold")
    for one in found:
        promised = words.at(datetime.fromisoformat(one["promised_by"])) if one["promised_by"] else "nothing promised"
        kind, name = words.spoken(one["kind"]), words.activity(one["activity"])
        table.add_row(words.short(one["id"]), name, kind, one["owner"], promised)
    return Seen(table, found)


async def work_taken(beginning: str, by: str) -> Seen:
    """Say that somebody has taken a support task up; `Trouble` for other work, which only ends."""
    async with services() as six:
        one = _beginning(await _work(six), "id", beginning, "piece of open work", "svc work list")
        kind = words.spoken(one["kind"])
        if one["kind"] != "resolution":
            raise Trouble(f"Only a support task is taken up, and {one['id']} is a {kind}: `svc work done` ends it.")
        answer = await six.command(one["activity"], f"/support-tasks/{one['id']}/take-up", {"by": by})
    return Seen(Text(f"{answer['by']} has taken up the {kind} of {one['id']}."), answer)


async def work_done(beginning: str, by: str) -> Seen:
    """Report that a piece of work is done; the activity decides what comes of it."""
    async with services() as six:
        one = _beginning(await _work(six), "id", beginning, "piece of open work", "svc work list")
        answer = await six.command(one["activity"], f"/work/{one['kind']}/{one['id']}/done", {"by": by})
    kind, name = words.spoken(one["kind"]), words.activity(one["activity"])
    return Seen(Text(f"{by} has done the {kind} of {one['id']}: {name} goes on."), answer)


async def _work(six: Services) -> list[Json]:
    found = [
        {"activity": activity, **one}
        for activity in ACTIVITIES
        for one in (await six.ask(activity, "GET", "/work")).json()
    ]
    return sorted(found, key=lambda one: one["promised_by"] or "9")


def _one(found: list[Json], beginning: str) -> Json:
    return _beginning(found, "event_id", beginning, "parked record", "svc dlq list")


def _beginning(found: list[Json], field: str, beginning: str, what: str, where: str) -> Json:
    """The one whose id begins so; `Trouble` for none, or for several."""
    fitting = [one for one in found if len(beginning) >= 4 and one[field].startswith(beginning.lower())]
    if len(fitting) != 1:
        many = f"No {what} has" if not fitting else f"More than one {what} has"
        raise Trouble(f"{many} an id that begins with {beginning}: `{where}` shows them, with their ids.")
    return fitting[0]


def _dead_letters(found: list[Json]) -> RenderableType:
    if not found:
        return Text("Nothing is parked.")
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("event", "activity", "case", "topic", "reason"):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(
            words.short(one["event_id"]), words.activity(one["activity"]), Text(words.plain(one["case_id"])),
            one["topic"], Text(words.plain(one["reason"])),
        )  # fmt: skip
    return table
