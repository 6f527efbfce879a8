"""`svc bench scale`: more processes of one service, and more events that wait for it.

The processes share two cores or more with broker and database: what counts is that they get on together.
"""

from typing import Any

import psutil
from rich.box import SIMPLE
from rich.table import Table

from svc.bench.arena import Arena, Measured
from svc.bench.hop import OURS, SAMPLED, SERVICES, spread
from svc.terminal import Terminal

PARTITIONS, ROUNDS = 12, 3
PROCESSES, SIZES = (1, 2, 4), (10_000, 100_000, 1_000_000)
EVENTS = 60_000
OWN, HOT = "own rows", "one hot shared row"


async def run(terminal: Terminal, *, quick: bool, json: bool) -> int:
    """Measure and show; exit code 0."""
    rounds = 1 if quick else ROUNDS
    processes, sizes, events = ((1, 2), (2_000, 4_000), 3_000) if quick else (PROCESSES, SIZES, EVENTS)
    by_processes: dict[tuple[str, int], list[Measured]] = {}
    by_size: dict[int, list[Measured]] = {}
    with terminal.working():
        async with Arena(terminal, PARTITIONS) as arena:
            backlogs = {
                OWN: await arena.backlog(events, 0, sampled=SAMPLED),
                HOT: await arena.backlog(events, 1, sampled=SAMPLED),
            }
            for number in range(1, rounds + 1):
                for rows, backlog in backlogs.items():
                    for count in processes:
                        terminal.say(f"round {number} of {rounds}: {count} processes on {rows}")
                        measured = await arena.measure(OURS, backlog, processes=count)
                        by_processes.setdefault((rows, count), []).append(measured)
            sized = {size: await arena.backlog(size, SERVICES, sampled=SAMPLED) for size in sizes}
            for number in range(1, (1 if quick else 2) + 1):
                for size, backlog in sized.items():
                    terminal.say(f"round {number}: {size:,} events wait")
                    by_size.setdefault(size, []).append(await arena.measure(OURS, backlog))
    result = {
        "cores": psutil.cpu_count(),
        "processes": [
            {"rows": rows, "processes": count, **figures(runs), "over_one": over_one(runs, by_processes[rows, 1])}
            for (rows, count), runs in by_processes.items()
        ],
        "sizes": [{"events": size, **figures(runs)} for size, runs in by_size.items()],
    }
    terminal.show(processes_table(result))
    terminal.show(sizes_table(result))
    if json:
        terminal.result(result)
    return 0


def figures(runs: list[Measured]) -> dict[str, Any]:
    """Rate, CPU of the workers in microseconds an event, and the largest memory of one of them."""
    return {
        "rate": spread([run.rate for run in runs]),
        "worker_us": spread([run.worker_us for run in runs]),
        "database_us": spread([run.database_us for run in runs]),
        "peak_mib": max(run.peak_mib for run in runs),
    }


def over_one(runs: list[Measured], alone: list[Measured]) -> dict[str, float]:
    """How many times as fast as one process, round by round."""
    return spread([run.rate / one.rate for run, one in zip(runs, alone, strict=True)])


def processes_table(result: dict[str, Any]) -> Table:
    """A row for each number of processes."""
    shown = Table(title=f"Processes of one service, on {result['cores']} cores with broker and database", box=SIMPLE)
    for heading in ("rows", "processes", "events/s", "times one", "least to most", "worker", "database", "peak MiB"):
        shown.add_column(heading, justify="left" if heading == "rows" else "right")
    for row in result["processes"]:
        times = row["over_one"]
        shown.add_row(
            row["rows"],
            str(row["processes"]),
            f"{row['rate']['median']:,.0f}",
            f"{times['median']:.2f}",
            f"{times['min']:.2f} to {times['max']:.2f}",
            f"{row['worker_us']['median']:.0f}",
            f"{row['database_us']['median']:.0f}",
            f"{row['peak_mib']:.0f}",
        )
    return shown


def sizes_table(result: dict[str, Any]) -> Table:
    """A row for each backlog."""
    shown = Table(title="Events that wait, CPU of the worker in microseconds an event", box=SIMPLE)
    for heading in ("events", "events/s", "worker", "times the first", "database", "peak MiB"):
        shown.add_column(heading, justify="right")
    first = result["sizes"][0]["worker_us"]["median"]
    for row in result["sizes"]:
        shown.add_row(
            f"{row['events']:,}",
            f"{row['rate']['median']:,.0f}",
            f"{row['worker_us']['median']:.1f}",
            f"{row['worker_us']['median'] / first:.2f}",
            f"{row['database_us']['median']:.1f}",
            f"{row['peak_mib']:.0f}",
        )
    return shown
