"""`svc bench`: one hop, done by all forms in turn, round after round, so that whatever the machine does meets them all.

The first round warms everything up and counts statements in PostgreSQL's log; it is not in the figures.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from rich.box import SIMPLE
from rich.table import Table

from svc.bench.arena import NOTHING, ROOT, Arena, Measured
from svc.terminal import Terminal

ROUNDS, BACKLOG, SERVICES = 5, 30_000, 100
SAMPLED = 0.01
"""The share of demands whose trace is sampled; nothing receives spans here, and `svc bench pairs` measures them."""
CHART = ROOT / "docs" / "bench.png"
OURS = "ours"


class Form(NamedTuple):
    """One way of doing the hop."""

    title: str
    form: str
    most: int = 0
    """Events of the backlog that it does in a round; 0: all of them."""
    settings: Mapping[str, object] = NOTHING
    quick: bool = True
    """Whether it is in a quick run, too."""


FORMS = {
    "naive": Form("one SQLModel transaction an event", "naive", 400),
    "faststream": Form("FastStream, one event a handler", "faststream", 400),
    "ours_1": Form("the chassis, at most 1 event a transaction", OURS, 1_000, {"batch": 1}, quick=False),
    "ours_10": Form("the chassis, at most 10", OURS, 6_000, {"batch": 10}, quick=False),
    "ours_100": Form("the chassis, at most 100", OURS, 0, {"batch": 100}, quick=False),
    "faststream_batch": Form("FastStream's batches, our store", "faststream_batch"),
    OURS: Form("the chassis, as shipped", OURS),
    "relay": Form("no database, no decision", "relay"),
}


async def run(terminal: Terminal, *, quick: bool, json: bool, chart: Path | None) -> int:
    """Measure, show, draw; exit code 0."""
    forms = {name: form for name, form in FORMS.items() if form.quick or not quick}
    rounds, size = (1, 3_000) if quick else (ROUNDS, BACKLOG)
    with terminal.working():
        async with Arena(terminal) as arena:
            events = await arena.backlog(size, SERVICES, sampled=SAMPLED)
            found: dict[str, list[Measured]] = {name: [] for name in forms}
            statements: dict[str, float] = {}
            for number in range(0 if not quick else 1, rounds + 1):
                for name, form in forms.items():
                    terminal.say(f"round {number} of {rounds}: {form.title}" if number else f"warming up: {form.title}")
                    counting = quick or not number
                    most = min(form.most, 100) if quick else form.most
                    measured = await arena.measure(
                        form.form, events, most=most, count_statements=counting, settings=form.settings
                    )
                    if counting:
                        statements[name] = measured.statements
                    if number:
                        found[name].append(measured)
    result = summary(found, statements) | {"event_bytes": events.bytes, "backlog": size, "rounds": rounds}
    terminal.show(table(forms, result))
    terminal.show(ratios_table(result))
    if chart:
        draw(forms, result, chart)
        terminal.show(f"chart: {chart}")
    if json:
        terminal.result(result)
    return 0


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def summary(found: dict[str, list[Measured]], statements: dict[str, float]) -> dict[str, Any]:
    """The figures of each form, and how many times the chassis is as fast as the others, round by round."""
    forms = {
        name: {
            "rate": spread([one.rate for one in runs]),
            **{
                figure: median(getattr(one, figure) for one in runs)
                for figure in ("worker_us", "database_us", "broker_us", "commits", "wal_flushes", "wal_bytes")
            },
            "statements": statements[name],
            "statements_a_transaction": statements[name] / commits if (commits := runs[0].commits) else 0.0,
            "peak_mib": max(one.peak_mib for one in runs),
            "events": sum(one.events for one in runs),
            "receipts": [one.receipts for one in runs],
        }
        for name, runs in found.items()
    }

    def over(name: str, other: str) -> dict[str, float]:
        return spread([a.rate / b.rate for a, b in zip(found[name], found[other], strict=True)])

    others = [name for name in found if not name.startswith(OURS)]
    limited = [name for name in found if name.startswith(f"{OURS}_")]
    ratios = {name: over(OURS, name) for name in others}
    return {
        "forms": forms,
        "ratios": {name: ratio["median"] for name, ratio in ratios.items()},
        "ratio_spreads": ratios,
        "limited_over_naive": {name: over(name, "naive") for name in limited},
    }


def table(forms: dict[str, Form], result: dict[str, Any]) -> Table:
    """A row for each form."""
    shown = Table(
        title=f"One hop: ServiceReleased ({result['event_bytes']} bytes) -> put_live -> ServiceDelivered, "
        f"{result['rounds']} rounds, backlog of {result['backlog']:,}",
        caption="A clock starts at a worker's first committed offsets and stops at its last. CPU in us an event.",
        box=SIMPLE,
    )
    headings = ("events/s", "least to most", "worker", "database", "broker", "commits", "WAL flushes", "WAL bytes")
    shown.add_column("form")
    for heading in (*headings, "SQL statements", "a transaction", "peak MiB"):
        shown.add_column(heading, justify="right")
    for name, figures in result["forms"].items():
        rate = figures["rate"]
        shown.add_row(
            f"[bold]{name}[/] {forms[name].title}",
            f"{rate['median']:,.0f}",
            f"{rate['min']:,.0f} to {rate['max']:,.0f}",
            *(f"{figures[cost]:,.0f}" for cost in ("worker_us", "database_us", "broker_us")),
            *(f"{figures[each]:.4f}" for each in ("commits", "wal_flushes")),
            f"{figures['wal_bytes']:,.0f}",
            f"{figures['statements']:.4f}",
            f"{figures['statements_a_transaction']:.1f}",
            f"{figures['peak_mib']:.0f}",
        )
    return shown


def ratios_table(result: dict[str, Any]) -> Table:
    """How many times as fast, round by round."""
    shown = Table(title="How many times as fast", box=SIMPLE)
    for heading in ("", "median", "least to most"):
        shown.add_column(heading, justify="right" if heading else "left")
    pairs = [(f"{OURS} / {name}", spread) for name, spread in result["ratio_spreads"].items()]
    pairs += [(f"{name} / naive", spread) for name, spread in result["limited_over_naive"].items()]
    for pair, ratio in pairs:
        shown.add_row(pair, f"{ratio['median']:.2f}", f"{ratio['min']:.2f} to {ratio['max']:.2f}")
    return shown


def draw(forms: dict[str, Form], result: dict[str, Any], file: Path) -> None:
    """Events a second, and CPU an event, both on logarithmic axes."""
    figures = dict(reversed(result["forms"].items()))
    titles = [forms[name].title for name in figures]
    colours = ["#1f6f8b" if name == OURS else "#9fb8c1" for name in figures]
    picture = Figure(figsize=(12, 4), layout="constrained")
    rates, costs = picture.subplots(1, 2, sharey=True)
    medians = [one["rate"]["median"] for one in figures.values()]
    spans = [
        (one["rate"]["median"] - one["rate"]["min"], one["rate"]["max"] - one["rate"]["median"])
        for one in figures.values()
    ]
    bars = rates.barh(titles, medians, color=colours, xerr=list(zip(*spans, strict=True)), ecolor="#444444")
    rates.bar_label(bars, [f"{rate:,.0f}" for rate in medians], padding=6)
    rates.set(xscale="log", title="events a second: median, least to most", xlim=(min(medians) / 2, max(medians) * 4))
    cpu = [one["worker_us"] + one["database_us"] + one["broker_us"] for one in figures.values()]
    bars = costs.barh(titles, cpu, color=colours)
    parts = [f"{one['worker_us']:.0f} + {one['database_us']:.0f} + {one['broker_us']:.0f}" for one in figures.values()]
    costs.bar_label(bars, parts, padding=4)
    title = "CPU µs an event: worker + database + broker"
    costs.set(xscale="log", title=title, xlim=(min(cpu) / 2, max(cpu) * 20))
    for axes in (rates, costs):
        axes.title.set_fontsize(11)
        axes.spines[["top", "right"]].set_visible(False)
    picture.savefig(file, dpi=110)
