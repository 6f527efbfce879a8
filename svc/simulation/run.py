"""`svc simulate`: a day or a quarter of a scenario in seconds, once, or once for each of many seeds."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from contracts.value_chain import ACTIVITIES
from services.chassis.work import Way
from svc import words
from svc.scenario.say import Json
from svc.scenario.scenario import Scenario
from svc.simulation import result
from svc.simulation.chain import Simulation
from svc.terminal import Terminal

DAY, QUARTER = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
"""When a simulated day begins, and a simulated quarter: always then, so that a seed gives the same everywhere."""
SCENARIO = Path(__file__).parents[2] / "scenarios" / "carcachin.yaml"


class Wanted(NamedTuple):
    """Which run is wanted."""

    quarter: bool
    """A quarter; else a day."""
    seed: int
    work: Way | None = None
    """How all work is done; None: as the scenario says, each activity by its own."""
    adverse: bool = False


def prepare(scenario: Scenario, wanted: Wanted) -> tuple[Simulation, datetime]:
    """A simulation with all that the scenario says, which has not run yet; and when it ends."""
    seed, start = wanted.seed, QUARTER if wanted.quarter else DAY + scenario.begins
    simulation = Simulation(
        start, seed=seed, work=wanted.work or scenario.work, adverse=wanted.adverse, react=scenario.react(seed),
        centres={activity: scenario.centres(activity) for activity in ACTIVITIES},
        minutes={activity: scenario.minutes(activity) for activity in ACTIVITIES},
    )  # fmt: skip
    simulation.say(scenario.setup(start))
    simulation.say(scenario.quarter(start, seed) if wanted.quarter else scenario.day(start, seed))
    return simulation, start + timedelta(days=scenario.quarter_of_demand.days if wanted.quarter else 1)


async def run(terminal: Terminal, scenario: Scenario, wanted: Wanted, *, seeds: int = 1, json: bool = False) -> int:
    """Simulate and say what came of it; 0 only if every invariant holds and nothing was set aside, for every seed."""
    runs: list[Json] = []
    with terminal.working(), few_collections():
        for seed in range(wanted.seed, wanted.seed + seeds):
            runs.append(await _one(terminal, scenario, wanted._replace(seed=seed)))
            if seeds > 1:
                terminal.show(_line(runs[-1]))
    if seeds == 1:
        terminal.show(result.render(runs[0]))
        terminal.show(Text(f"simulated in {runs[0]['seconds']:g} s", "dim"))
    if json:
        good = sum(map(result.holds, runs))
        terminal.result(runs[0] if seeds == 1 else {"seeds": seeds, "good": good, "runs": list(map(_short, runs))})
    return 0 if all(map(result.holds, runs)) else 1


@contextmanager
def few_collections() -> Iterator[None]:
    """What is told lives until the end of a run: the cycle collector would look at it in vain, again and again."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def _one(terminal: Terminal, scenario: Scenario, wanted: Wanted) -> Json:
    began, (simulation, end) = time.perf_counter(), prepare(scenario, wanted)
    start = simulation.clock.time
    async for now in simulation.steps(end):
        terminal.moving(f"seed {wanted.seed}: {words.at(now)}, {simulation.messages:,} messages")
    found = {**wanted._asdict(), "start": start.isoformat(), **result.result(simulation)}
    return {**found, "seconds": round(time.perf_counter() - began, 2)}


def _line(found: Json) -> Text:
    """A run among many."""
    good = result.holds(found)
    wrong = [one["check"] for one in found["violations"]] + [f"{found['errors']} set aside"] * bool(found["errors"])
    what = "all invariants hold" if good else f"broken: {'; '.join(wrong)}"
    return Text(f"seed {found['seed']}: {found['demands']:,} demands, {found['messages']:,} messages, {what}",
                "green" if good else "bold red")  # fmt: skip


def _short(found: Json) -> Json:
    names = ("seed", "demands", "messages", "errors", "set_aside", "violations", "digest", "seconds")
    return {name: found[name] for name in names}
