"""`svc bench pairs`: what a setting costs, measured with and without it in turn, so that both meet the same machine.

The interval is of the geometric mean of the pairs' ratios: the middle 95 % of what samples of these pairs give.
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from random import Random
from statistics import fmean, median
from typing import Any, NamedTuple

from rich.box import SIMPLE
from rich.table import Table
from starlette.applications import Starlette

from svc.bench.arena import NOTHING, Arena, Backlog, Measured
from svc.bench.hop import BACKLOG, OURS, SAMPLED, SERVICES
from svc.loopback import serve
from svc.telemetry import SpanStore, receiver
from svc.terminal import Terminal

PAIRS, SAMPLES = 9, 10_000


class Side(NamedTuple):
    """One side of a pair."""

    events: Backlog
    sql: tuple[str, ...] = ()
    settings: Mapping[str, object] = NOTHING


async def run(terminal: Terminal, *, quick: bool, json: bool) -> int:
    """Measure and show; exit code 0."""
    pairs, size = (2, 3_000) if quick else (PAIRS, BACKLOG)
    with terminal.working():
        async with Arena(terminal) as arena, serve(Starlette(routes=[receiver(SpanStore(arena.folder))])) as otlp:
            untraced = await arena.backlog(size, SERVICES, sampled=0.0)
            traced = await arena.backlog(size, SERVICES, sampled=SAMPLED)
            sides = {
                "synchronous_commit on / off": (Side(untraced), Side(untraced, ("synchronous_commit = off",))),
                "1 % of traces sampled / none": (Side(traced, settings={"otlp": otlp}), Side(untraced)),
            }
            found: dict[str, list[tuple[Measured, Measured]]] = {name: [] for name in sides}
            for number in range(pairs):
                for name, (one, other) in sides.items():
                    terminal.say(f"pair {number + 1} of {pairs}: {name}")
                    if number % 2:
                        found[name].append((await measured(arena, one), await measured(arena, other)))
                    else:  # the other way round: what wears on both wears on both alike
                        last = await measured(arena, other)
                        found[name].append((await measured(arena, one), last))
    result = {name: compared(of) for name, of in found.items()} | {"pairs": pairs, "backlog": size}
    terminal.show(table(result))
    if json:
        terminal.result(result)
    return 0


async def measured(arena: Arena, side: Side) -> Measured:
    """One run of the shipped service."""
    return await arena.measure(OURS, side.events, sql=side.sql, settings=side.settings)


def compared(pairs: Sequence[tuple[Measured, Measured]]) -> dict[str, Any]:
    """How many times the CPU of the other an event takes, of all three processes and of the worker; and WAL flushes."""
    return {
        "cpu": interval([cpu(one) / cpu(other) for one, other in pairs]),
        "worker_cpu": interval([one.worker_us / other.worker_us for one, other in pairs]),
        "wal_flushes": [median(side.wal_flushes for side in sides) for sides in zip(*pairs, strict=True)],
        "cpu_us": [median(map(cpu, sides)) for sides in zip(*pairs, strict=True)],
    }


def cpu(run: Measured) -> float:
    """Microseconds an event, of worker, database and broker."""
    return run.worker_us + run.database_us + run.broker_us


def interval(ratios: Sequence[float]) -> dict[str, float]:
    """The geometric mean of ratios, and the ends of its 95 % interval."""
    random, logs = Random(0), [log(ratio) for ratio in ratios]
    means = sorted(fmean(random.choices(logs, k=len(logs))) for _ in range(SAMPLES))
    return {
        "mean": exp(fmean(logs)),
        "low": exp(means[SAMPLES // 40]),
        "high": exp(means[-SAMPLES // 40]),
    }


def table(result: dict[str, Any]) -> Table:
    """A row for each comparison."""
    shown = Table(
        title=f"CPU an event, one over the other, {result['pairs']} pairs, backlog of {result['backlog']:,}", box=SIMPLE
    )
    for heading in ("", "worker, database and broker", "95 %", "worker alone", "95 %", "microseconds", "WAL flushes"):
        shown.add_column(heading, justify="right" if heading else "left")
    for name, of in result.items():
        if isinstance(of, dict):
            cells = [
                cell
                for ratio in (of["cpu"], of["worker_cpu"])
                for cell in (f"{ratio['mean']:.3f}", f"{ratio['low']:.3f} to {ratio['high']:.3f}")
            ]
            microseconds = " / ".join(f"{value:.0f}" for value in of["cpu_us"])
            shown.add_row(name, *cells, microseconds, " / ".join(f"{value:.4f}" for value in of["wal_flushes"]))
    return shown
