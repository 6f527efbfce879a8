"""What a simulation has come to: demands, lead times, key figures, coverage, money; and whether all is as it must."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.improve import ChainPerformanceReported
from contracts.value_chain import PLAN
from services.chassis.work import WorkItem
from svc import coverage, words
from svc.invariants import INVARIANTS, History, violations
from svc.scenario.say import Json
from svc.simulation.chain import Simulation

HOUR = timedelta(hours=1)
MOST_ERRORS = 20
"""How many errors of a run are told word by word."""


def result(simulation: Simulation) -> Json:
    """All of it, as a script reads it."""
    aside = simulation.aside
    return {
        **outcome(simulation.history),
        "coverage": coverage.coverage({name: one.coverage() for name, one in simulation.activities.items()}),
        "messages": simulation.messages,
        "events": len(simulation.told),
        "calls": {str(status): number for status, number in sorted(simulation.statuses.items())},
        "refused": [
            {"activity": say.activity, "path": say.path, "key": say.key, "status": status, "detail": detail}
            for say, status, detail in simulation.refused
        ],
        "errors": len(aside),
        "set_aside": [
            {
                "activity": one.activity,
                "type": one.arrival.message.type if one.arrival.message else "",
                "case": one.arrival.case,
                "reason": one.reason,
            }
            for one in aside[:MOST_ERRORS]
        ],
        "digest": simulation.digest,
    }


def outcome(history: History) -> Json:
    """What has come of a run, simulated or live."""
    demands = list(history.demands.values())
    return {
        "until": history.until.isoformat(),
        "demands": len(demands),
        "streams": by_stream(demands),
        "lead_times": lead_times(demands),
        "open_work": open_work(history),
        "kpis": key_figures(history),
        "budgets": [budget.status.model_dump() for budget in history.of(PLAN, "Budget")],
        "invariants": len(INVARIANTS),
        "violations": [found._asdict() for found in violations(history)],
    }


def holds(found: Json) -> bool:
    """Whether all is as it must be: no invariant broken, and nothing that a handler could not decide about."""
    return not found["violations"] and not found["errors"]


def by_stream(demands: Iterable[Any]) -> dict[str, dict[str, int]]:
    """How many demands of each value stream are in each state; those that have none yet stand under `none`."""
    counted: dict[str, Counter[str]] = {}
    for demand in demands:
        counted.setdefault(demand.stream or "none", Counter())[demand.status or "unknown"] += 1
    return {stream: dict(sorted(states.items())) for stream, states in sorted(counted.items())}


def lead_times(demands: Iterable[Any]) -> dict[str, dict[str, float]]:
    """From first contact to delivery, in hours: the middle one, and what nine in ten keep; and promises kept."""
    taken: dict[str, list[tuple[float, bool]]] = {}
    for demand in demands:
        if demand.delivered_at and demand.contacted_at:
            in_time = demand.promised_by is None or demand.delivered_at <= demand.promised_by
            hours = (demand.delivered_at - demand.contacted_at) / HOUR
            taken.setdefault(demand.stream, []).append((hours, in_time))
    return {
        stream: {
            "delivered": len(found),
            "median_hours": round(sorted(found)[len(found) // 2][0], 2),
            "p90_hours": round(sorted(found)[len(found) * 9 // 10][0], 2),
            "in_time": round(sum(in_time for _, in_time in found) / len(found), 4),
        }
        for stream, found in sorted(taken.items())
    }


def open_work(history: History) -> dict[str, int]:
    """Work that nobody has done yet, by its kind."""
    items = (row for states in history.rows.values() for rows in states.values() for row in rows)
    waiting = Counter(row.table for row in items if isinstance(row, WorkItem) and row.status == "open")
    return dict(sorted(waiting.items()))


def key_figures(history: History) -> Json:
    """The chain's own key figures, as Improve told them last of each stretch of time."""
    newest: Json = {}
    for told in history.events(ChainPerformanceReported):
        data = told.data
        if data["version"] >= newest.get(data["period"], {"version": 0})["version"]:
            newest[data["period"]] = data
    return {period: {kpi["name"]: kpi for kpi in newest[period]["kpis"]} for period in sorted(newest)}


def render(found: Json) -> RenderableType:
    """As people read it."""
    return Group(_demands(found), _figures(found), coverage.render(found["coverage"]), *_judgement(found))


def _demands(found: Json) -> RenderableType:
    shown = Table(title=f"{found['demands']:,} demands until {found['until'][:16]}", box=box.SIMPLE, pad_edge=False)
    for heading in ("value stream", "states", "delivered", "median", "9 in 10", "in time"):
        shown.add_column(heading, justify="left" if heading in ("value stream", "states") else "right")
    for stream, states in found["streams"].items():
        told = ", ".join(f"{number:,} {words.spoken(status)}" for status, number in states.items())
        times = found["lead_times"].get(stream)
        spans = (words.span(times[name] * HOUR) for name in ("median_hours", "p90_hours")) if times else ()
        last = (f"{times['delivered']:,}", *spans, f"{times['in_time']:.0%}") if times else ()
        shown.add_row(words.spoken(stream), told, *last)
    return shown


def _figures(found: Json) -> RenderableType:
    shown = Table(title="key figures, by what Improve told last", box=box.SIMPLE, pad_edge=False)
    for heading in ("key figure", "value", "target", "met", "of"):
        shown.add_column(heading)
    period = max(found["kpis"], default="")
    for name, kpi in found["kpis"].get(period, {}).items():
        target = "" if kpi["target"] is None else f"{kpi['target']:g}"
        met = {True: "yes", False: "no", None: ""}[kpi["met"]]
        shown.add_row(words.spoken(name), f"{kpi['value']:g} {kpi['unit']}", target, met, f"{kpi['count']} in {period}")
    for budget in found["budgets"]:
        bound = f"{budget['reserved']:,} reserved, {budget['spent']:,} spent"
        shown.add_row(f"budget {budget['quarter']}", bound, f"{budget['total']:,}", "", f"{budget['waiting']} waiting")
    for kind, number in found["open_work"].items():
        shown.add_row(f"open work: {words.spoken(kind)}", f"{number:,}")
    return shown


def _judgement(found: Json) -> list[RenderableType]:
    calls = ", ".join(f"{number:,} x {status}" for status, number in found["calls"].items())
    told = [Text(f"\n{found['messages']:,} messages, {found['events']:,} events; calls from outside: {calls}", "dim")]
    told += [Text(f"  refused: {one['path']} ({one['status']}) {one['detail']}", "dim") for one in found["refused"][:5]]
    told += [
        Text(f"set aside by {one['activity']}: {one['type']}: {one['reason']}", "red") for one in found["set_aside"]
    ]
    told += [Text(f"broken: {one['check']}: {one['story']}", "bold red") for one in found["violations"]]
    if holds(found):
        told.append(Text(f"all {found['invariants']} invariants hold", "green"))
    told += [Text(f"digest {found['digest']}", "dim")] if "digest" in found else []
    return [*told]
