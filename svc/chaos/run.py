"""`svc chaos`: rounds of kills and other faults under load, each with a seed of its own, and the books after each.

A round is a fresh chain on servers of the run's own: the scenario's day comes at speed, demand of all its value streams
among it, and its people react; services are killed at random moments and started again, and one more fault, in turn,
happens meanwhile. Then all demands are seen through to their end, and the books must balance, and what must hold in the
domain with them. What a round decides depends on its seed and its number of kills alone: `--seed 17 --kills 50` repeats
round 17, but for the machine's timing.
"""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import NamedTuple

import httpx
from rich.box import SIMPLE
from rich.table import Table

from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT
from svc import invariants
from svc.chaos import checks
from svc.chaos.chain import Chain, Stuck
from svc.chaos.faults import FAULTS, Skipped
from svc.chaos.flow import Flow
from svc.chaos.nursery import nursery
from svc.chaos.people import People
from svc.invariants import STORIES, Violation, sentence
from svc.machine import Home, Machine, MachineError
from svc.scenario import reading
from svc.simulation.run import SCENARIO
from svc.terminal import Terminal

KILLS_A_ROUND = 50
KILLED_FOR = 12.0
"""Wall seconds over which kills are spread, beside what starting again takes: together most of a scenario's day."""
LONGEST = 240.0
"""Wall seconds that a round may take, also one in which Kafka is away for a minute, on a busy machine; most take 80."""
DOUBLED: set[Callable[..., object]] = {
    checks.an_id_names_one_message, checks.nothing_stands_in_a_topic_that_nobody_told,
    checks.a_budget_has_bound_what_its_demands_and_initiatives_have_bound, invariants.nothing_shared_is_overdrawn,
    invariants.a_demand_never_leaves_its_final_state, checks.nothing_is_taken_up_that_stands_in_no_topic,
    invariants.a_target_is_escalated_once, invariants.one_initiative_at_a_time_improves_a_key_figure_of_a_service,
}  # fmt: skip
DISORDERED: set[Callable[..., object]] = {
    invariants.events_about_a_case_are_numbered_without_a_gap, checks.events_about_a_case_stand_in_their_topic_in_order,
    invariants.a_demand_is_in_the_state_its_requester_was_told_last, invariants.an_sla_clock_says_what_the_times_say,
}  # fmt: skip
"""All other checks say that something is lost."""


KINDS = {sentence(check): "doubled" for check in DOUBLED}
KINDS |= {sentence(check): "out_of_order" for check in DISORDERED}
MUTANTS = {"offsets_first": "before write", "no_republish": "after write"}
"""The step at which a service with this mutant must die. What others break, handlers of the six activities make good
(one that hears a message again finds that it is done): those must be caught in `tests/chassis/test_crashes.py`."""


class Round(NamedTuple):
    """What came of one round."""

    seed: int
    fault: str
    kills: int
    demands: int
    seconds: float
    violations: list[Violation]
    streams: Counter[str]
    """How many demands were taken up by each value stream."""
    ends: Counter[str]
    """How many demands have come to which state."""


async def run(
    terminal: Terminal, *, kills: int, seed: int, quick: bool, mutants: bool, json: bool, report: Path | None
) -> int:
    """Run rounds until there were so many kills; exit code 1 if any books do not balance, or a mutant is not caught."""
    rounds: list[Round] = []
    caught: dict[str, str] = {}
    scenario = None if quick else await asyncio.to_thread(reading.read, SCENARIO)
    with terminal.working(), tempfile.TemporaryDirectory(prefix="svc-chaos-") as place:
        folder = Path(place)
        terminal.say("starting Kafka and PostgreSQL")
        async with Machine(Home(folder, downloads=Home().downloads), say=terminal.say) as machine:
            while (left := kills - sum(one.kills for one in rounds)) > 0:
                number = seed + len(rounds)
                here = folder / f"round-{number}"
                here.mkdir()
                done = sum(one.kills for one in rounds)
                terminal.say(f"round {number}: {done} of {kills} kills so far")
                async with nursery(here) as parent, Chain(machine, here, parent, scenario).running() as chain:
                    asking = People(chain, scenario, number) if scenario else Flow(chain, number)
                    rounds.append(await one_round(chain, asking, machine, number, min(left, KILLS_A_ROUND), terminal))
                tell(terminal, rounds[-1])
                if rounds[-1].violations:
                    kept = shutil.copytree(here, Home().logs / here.name, dirs_exist_ok=True)
                    terminal.show(f"  its logs and spans: {kept}")
            for mutant, step in MUTANTS.items() if mutants else ():
                terminal.say(f"mutant {mutant}: it must be caught")
                here = folder / mutant
                here.mkdir()
                async with nursery(here) as parent, Chain(machine, here, parent).running() as chain:
                    caught[mutant] = await catch(chain, mutant, step, here)
    found = Counter(KINDS.get(violation.check, "lost") for one in rounds for violation in one.violations)
    result = {
        "kills": sum(one.kills for one in rounds),
        "lost": found["lost"],
        "doubled": found["doubled"],
        "out_of_order": found["out_of_order"],
        "mutants": len(caught),
        "mutants_caught": sum(map(bool, caught.values())),
        "seed": seed,
        "next_seed": seed + len(rounds),
        "rounds": len(rounds),
        "demands": sum(one.demands for one in rounds),
        "seconds": round(sum(one.seconds for one in rounds), 1),
        "faults": dict(Counter(one.fault for one in rounds)),
        "streams": dict(sum((one.streams for one in rounds), Counter[str]())),
        "ends": dict(sum((one.ends for one in rounds), Counter[str]())),
        "caught_by": caught,
    }
    shown = by_fault(rounds)
    terminal.show(shown)
    if report:
        write(report, rounds, result)
    if json:
        terminal.result(result)
    return int(bool(found) or result["mutants"] != result["mutants_caught"])


async def one_round(
    chain: Chain, asking: People | Flow, machine: Machine, seed: int, kills: int, terminal: Terminal
) -> Round:
    """Kill services while demands flow, with one more fault; then see all demands through and read the books."""
    random, began = Random(seed), time.monotonic()
    fault = list(FAULTS)[seed % len(FAULTS)]
    done: Counter[str] = Counter()
    shares = Counter(random.choice(ACTIVITIES) for _ in range(kills))

    async def kill_often(activity: str, times: int, chance: Random) -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0, 0.4 if chain.scenario is None else 2 * KILLED_FOR / times))
            async with chain.alone(activity):
                await chain.kill(activity)
                done[activity] += 1
                terminal.moving(f"round {seed}: {done.total()} of {kills} kills, {fault}")
                await chain.start(activity)

    killers = [
        asyncio.create_task(kill_often(activity, times, Random(random.random()))) for activity, times in shares.items()
    ]
    extra = asyncio.create_task(FAULTS[fault](chain, machine, random))
    violations: list[Violation] = []
    streams, ends = Counter[str](), Counter[str]()
    try:
        async with asyncio.timeout(LONGEST):
            async with asking.there():
                await asyncio.gather(*killers)
                try:
                    await extra
                except Skipped as why:
                    terminal.show(f"round {seed} has kills alone, not {fault}: {why}")
                    fault = next(iter(FAULTS))
                await asking.until_all_is_said()
                terminal.moving(f"round {seed}: all demands are seen through")
                await asking.see_through()
            books = await chain.books()
        violations = checks.violations(books)
        streams = Counter(demand.stream or "none" for demand in books.demands.values())
        ends = Counter(demand.status or "none" for demand in books.demands.values())
    except MachineError as death:
        violations.append(Violation("a process runs until it is ended", str(death)))
    except (Stuck, TimeoutError, AssertionError) as stuck:
        waiting = "; ".join(asking.waiting[:STORIES])
        violations.append(Violation("the chain comes to rest", f"{type(stuck).__name__}: {stuck} {waiting}"))
    finally:
        for task in (*killers, extra):
            task.cancel()
        await asyncio.gather(*killers, extra, return_exceptions=True)
    with suppress(httpx.HTTPError):
        aside = [f"{letter['case_id']} because of {letter['reason']}" for letter in await chain.aside()]
        violations += [Violation("nothing is set aside", story) for story in aside[:STORIES]]
    return Round(seed, fault, done.total(), streams.total(), time.monotonic() - began, violations, streams, ends)


async def catch(chain: Chain, mutant: str, step: str, folder: Path) -> str:
    """The check that names what a mutant does to the books; empty if none does."""
    proof = folder / "proof"
    await chain.stop(DELIVER_SUPPORT)
    demands = await asyncio.gather(*(chain.incident() for _ in range(3)))
    dying = await chain.launch(DELIVER_SUPPORT, "--die", step, "--proof", str(proof), "--mutant", mutant)
    if await dying.wait() != -SIGKILL:
        raise Stuck(f"the mutant {mutant} did not die {step}: {dying.last_words()}")
    await chain.launch(DELIVER_SUPPORT, "--mutant", mutant)
    await chain.until_ready(DELIVER_SUPPORT)
    with suppress(Stuck, TimeoutError):  # what is lost does not come
        await asyncio.wait_for(chain.realise(demands), 8)
    with suppress(TimeoutError):
        return next(iter(sorted(await chain.damage())), "")
    return ""


def tell(terminal: Terminal, one: Round) -> None:
    """A line for a round; the story of one that does not balance."""
    how = "balanced" if not one.violations else "DOES NOT BALANCE"
    terminal.show(
        f"round {one.seed}: {one.kills} kills, {one.demands} demands, {one.fault}, {one.seconds:.0f} s: {how}"
    )
    for check, story in one.violations:
        terminal.show(f"  not so: {check}: {story[:600]}\n  again: svc chaos --seed {one.seed} --kills {one.kills}")


def by_fault(rounds: list[Round]) -> Table:
    """A row for each fault."""
    shown = Table(title="Books after each round", box=SIMPLE)
    for heading in ("fault", "rounds", "kills", "demands", "books that do not balance"):
        shown.add_column(heading, justify="left" if heading == "fault" else "right")
    for row in rows(rounds):
        shown.add_row(*row)
    return shown


def rows(rounds: list[Round]) -> list[tuple[str, ...]]:
    """Fault, rounds, kills, demands, and how many books did not balance."""
    table = []
    for fault in FAULTS:
        those = [one for one in rounds if one.fault == fault]
        figures = (len(those), sum(r.kills for r in those), sum(r.demands for r in those))
        table.append((fault, *map(str, figures), str(sum(bool(r.violations) for r in those))))
    return table


def write(report: Path, rounds: list[Round], result: dict[str, object]) -> None:
    """Put the table of faults between the marks of a document."""
    begin, end = "<!-- chaos -->\n", "<!-- /chaos -->"
    text = report.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    if not rest or end not in rest:
        raise ValueError(f"{report} has no place for the table: write a line {begin.strip()} and one {end}")
    lines = ["| fault | rounds | kills | demands | books that do not balance |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {' | '.join(row)} |" for row in rows(rounds)]
    caught = result["caught_by"]
    lines += ["", f"`svc chaos --seed {result['seed']} --kills {result['kills']}`: {result['lost']} lost, "
              f"{result['doubled']} doubled, {result['out_of_order']} out of order."]  # fmt: skip
    if isinstance(caught, dict):
        lines += [f"Mutant `{mutant}`: caught by “{check}”." for mutant, check in caught.items()]
    report.write_text(f"{before}{begin}{chr(10).join(lines)}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
