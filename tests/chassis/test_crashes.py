"""Kill -9 at each step of a batch, two owners of one partition, and mutants that these tests must catch."""

import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from svc.chaos.crashing import STEPS
from svc.machine.process import Child
from tests.chassis.conftest import Bench, demand
from tests.chassis.ledger import Corrected, Visited

CASES, ROUNDS = 12, 4
Record = Callable[[str, object], None]
"""Names the check that has caught a mutant in the summary of the run."""


@asynccontextmanager
async def process(bench: Bench, *arguments: str) -> AsyncIterator[Child]:
    """The ledger in a process of its own; killed at the end if it still runs, and whenever the tests end."""
    env = {
        **os.environ,
        "SVC_BOOTSTRAP": bench.bootstrap,
        "SVC_DATABASE": bench.database,
        "SVC_STREAMS": str(bench.settings.streams),
        "SVC_GROUP": bench.settings.group,
        "SVC_INSTANCE": "ledger-0",
        "SVC_BATCH": "20",
    }
    command = [sys.executable, "-m", "svc.chaos.crashing", "tests.chassis.ledger:make_app", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        running = await Child.start("ledger", command, log=Path(folder) / "ledger.log", env=env)
        try:
            yield running
        finally:
            await running.kill()


async def tell_all(bench: Bench) -> list[UUID]:
    """Several events for each of several cases, in rounds; returns the cases."""
    cases = [uuid4() for _ in range(CASES)]
    for number in range(ROUNDS):
        for case in cases:
            await bench.tell(demand(case, f"n{number}", value=3))
    return cases


async def books(bench: Bench, cases: list[UUID]) -> list[str]:
    """The names of the checks that the ledger's books fail; none when they balance."""
    expected = tuple(f"n{number}" for number in range(ROUNDS))
    entries, told = await bench.entries(), await bench.told()
    failed = []
    if any(len(entries.get(case, ())) < ROUNDS for case in cases):
        failed.append("nothing is lost")
    if any(count > 1 for case in cases for count in Counter(entries.get(case, ())).values()):
        failed.append("every effect happens once")
    receipts = await bench.rows("SELECT json_array_elements(record->'outputs')->>'id' AS id FROM receipt")
    if {row["id"] for row in receipts} - {event["id"] for event in told}:
        failed.append("every output is published")
    for case in cases:
        mine = [event for event in told if event["correlationid"] == str(case)]
        first = list({event["id"]: event["sequence"] for event in mine}.values())
        if entries.get(case) == expected and first != [str(number + 1) for number in range(ROUNDS)]:
            failed.append("outputs are in order per case, without a gap")
            break
    spent = (await bench.rows("SELECT coalesce(max(spent), 0) AS spent FROM purse"))[0]["spent"]
    if spent != 3 * sum(len(titles) for titles in entries.values()):
        failed.append("the shared row is the sum of its parts")
    return failed


async def crash_and_recover(bench: Bench, step: str, proof: Path, *mutant: str) -> list[str]:
    """Die at `step`, start again, work everything off; returns the failed checks."""
    cases = await tell_all(bench)
    async with process(bench, "--die", step, "--proof", str(proof), *mutant) as dying:
        assert await asyncio.wait_for(dying.wait(), 60) == -9
    assert proof.read_text() == step, "it died somewhere else"
    async with process(bench, *mutant):
        await bench.until(bench.consumed, 60, what="everything is consumed")
    return await books(bench, cases)


@pytest.mark.parametrize("step", STEPS)
async def test_a_kill_at_any_step_of_a_batch_loses_and_doubles_nothing(bench: Bench, step: str, tmp_path: Path) -> None:
    assert await crash_and_recover(bench, step, tmp_path / "proof") == []


@pytest.mark.parametrize(
    ("mutant", "step", "check"),
    [
        ("no_dedupe", "after write", "every effect happens once"),
        ("offsets_first", "before write", "nothing is lost"),
        ("no_republish", "after write", "every output is published"),
    ],
)
async def test_a_mutant_is_caught_after_a_kill(
    bench: Bench, mutant: str, step: str, check: str, tmp_path: Path, record_property: Record
) -> None:
    failed = await crash_and_recover(bench, step, tmp_path / "proof", "--mutant", mutant)
    assert check in failed, f"mutant {mutant} was not caught by '{check}'"
    record_property("caught", f"mutant {mutant}: caught by '{check}'")


async def copied(bench: Bench, *mutant: str) -> list[str]:
    """Tell an event, then copies of it; returns the failed checks."""
    case, id = uuid4(), uuid4()
    async with process(bench, *mutant):
        for _ in range(4):
            await bench.tell(demand(case, "n0", value=3), id=id)
            await bench.until(bench.consumed, 60, what="everything is consumed")
    return ["a copy tells nothing"] if len(await bench.told()) != 1 else []


async def test_copies_of_a_record_tell_nothing_and_a_mutant_that_does_is_caught(
    bench: Bench, record_property: Record
) -> None:
    assert await copied(bench) == []
    bench.start = await bench.ends()
    failed = await copied(bench, "--mutant", "copies_republish")
    assert failed == ["a copy tells nothing"], "mutant copies_republish was not caught"
    record_property("caught", "mutant copies_republish: caught by 'a copy tells nothing'")


async def crowded(bench: Bench, place: str, *mutant: str) -> list[str]:
    """All lanes change one row that nobody called shared, one of them late; returns the failed checks."""
    for _ in range(CASES):
        await bench.tell(Visited(demand=uuid4(), place=place))
    async with process(bench, "--pause", "2", *mutant):
        await bench.settled()
    counted = await bench.rows("SELECT visitors FROM counter WHERE id = $1", place)
    return [] if counted[0]["visitors"] == CASES else ["no update is lost"]


async def test_lanes_that_change_one_row_lose_no_update_and_a_mutant_without_guard_is_caught(
    bench: Bench, record_property: Record
) -> None:
    assert await crowded(bench, "the door") == []
    failed = await crowded(bench, "the gate", "--mutant", "no_version_guard")
    assert failed == ["no update is lost"], "mutant no_version_guard was not caught"
    record_property("caught", "mutant no_version_guard: caught by 'no update is lost'")


async def test_two_owners_of_one_partition_decide_once_and_publish_in_order(bench: Bench) -> None:
    cases = await tell_all(bench)
    topics = ("--topics", "svc.engage.demand", "svc.plan.inbox")
    async with process(bench, "--pause", "2", *topics), process(bench, "--pause", "2", *topics):
        await bench.settled()
        await bench.until(lambda: bench.published(CASES * ROUNDS), what="everything is published")
    assert await books(bench, cases) == []


async def replaced(bench: Bench, release: Path, *mutant: str) -> list[str]:
    """A process is held up before it writes, and another takes its partitions over; returns the failed checks."""
    case = uuid4()
    await bench.tell(demand(case, "held up", value=3))
    part = bench.home(str(case))
    owners = "SELECT epoch FROM ownership WHERE part = $1"
    epoch = [row["epoch"] for row in await bench.rows(owners, part)]
    async with process(bench, "--hold", str(release), *mutant, "--topics", "svc.engage.demand"):
        await bench.until(lambda: bench.owned(part, 1 + sum(epoch)), what="the first has taken it over")
        async with process(bench, *mutant, "--topics", "svc.plan.inbox"):
            await bench.until(lambda: bench.owned(part, 2 + sum(epoch)), what="the second has taken it over")
            release.touch()
            await bench.settled()
            third = await bench.owned(part, 3 + sum(epoch))
    return [] if third else ["what is written under an old epoch is refused"]


async def test_an_owner_that_was_replaced_writes_nothing_before_it_has_taken_over_again(
    bench: Bench, record_property: Record, tmp_path: Path
) -> None:
    assert await replaced(bench, tmp_path / "first") == []
    failed = await replaced(bench, tmp_path / "second", "--mutant", "no_epochs")
    assert failed == ["what is written under an old epoch is refused"], "mutant no_epochs was not caught"
    record_property("caught", "mutant no_epochs: caught by 'what is written under an old epoch is refused'")


async def test_what_was_decided_before_a_crash_is_told_before_what_waits_in_another_topic(
    bench: Bench, tmp_path: Path
) -> None:
    cases = await tell_all(bench)
    async with process(bench, "--die", "after write", "--proof", str(tmp_path / "proof")) as dying:
        assert await asyncio.wait_for(dying.wait(), 60) == -9
    decided = set(await bench.entries())
    assert decided
    for case in cases:
        await bench.tell(Corrected(demand=case, title="corrected"))
    async with process(bench, "--topics", "svc.plan.inbox"):
        await bench.until(lambda: bench.corrected(CASES), what="the corrections are written down")
    async with process(bench):
        await bench.until(bench.consumed, 60, what="everything is consumed")
    told = await bench.told()
    for case in cases:
        mine = {event["id"]: event for event in told if event["correlationid"] == str(case)}
        assert [event["sequence"] for event in mine.values()] == [str(n + 1) for n in range(ROUNDS + 1)]
        first = next(iter(mine.values()))["data"]["title"]
        assert first == ("n0" if case in decided else "corrected")
