"""The simulation means what the chassis means (ids, receipts, timers, work, poison, bounds), and is repeatable."""

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Never
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
import pytest

from contracts.deliver_support import SupportEscalated, SupportTaskCompleted
from contracts.design_transition import ServiceTransitionReported
from contracts.engage import DemandStatusReported, SupportTaskRequested
from contracts.event import Command
from contracts.improve import ChainPerformanceReported
from contracts.outside import BudgetGranted, DemandSubmitted
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, ENGAGE, PLAN
from services.chassis.handlers import Handlers, Redrive
from services.chassis.outputs import Answer
from services.chassis.settings import Settings
from services.plan.model import Budget
from svc.governance import SERVICE
from svc.invariants import violations
from svc.log import handlers_of
from svc.scenario.say import Say
from svc.simulation import chain as chain_module
from svc.simulation.chain import Simulation, nobody_reacts
from svc.trouble import Trouble

DESK = {"service desk": 1}
LITTLE = Path(__file__).with_name("conftest.py")
ROOT = Path(__file__).parents[3]
INCIDENT = {
    "requester": "emily",
    "title": "Games stop",
    "text": "It is broken.",
    "kind": "incident",
    "service": SERVICE,
}


def handlers(activity: str, *without: str) -> Handlers:
    """An activity's own handlers, but for those of some messages."""
    handles, own = Handlers(activity), handlers_of(activity).registered
    known = {place: one for place, one in own.items() if not issubclass(one.message, Redrive)}
    handles.registered |= {place: one for place, one in known.items() if one.message.__name__ not in without}
    return handles


def incident(outside, key: str = "one", *, hours: float = 1, **more: object) -> Say:
    at = outside.start + timedelta(hours=hours)
    return Say(at, ENGAGE, "POST", "/demands", INCIDENT | more, key)


def plain(json: bytes) -> bytes:
    """Whole numbers as such: an int that stands by default in a field for a float is one after its first journey."""
    return re.sub(rb"(?<=\d)\.0\b", b"", json)


def digests_in_a_process_of_its_own(hashes: int) -> list[str]:
    environment = os.environ | {"PYTHONHASHSEED": str(hashes), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(LITTLE)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_the_same_seed_gives_the_same_bit_by_bit_and_another_seed_something_else() -> None:
    digests = digests_in_a_process_of_its_own(1)
    assert digests == digests_in_a_process_of_its_own(2)
    assert [len(digest) for digest in digests] == [64, 64, 64]
    assert len(set(digests)) == 3, "another seed, or another order of messages, is another course"


async def test_handing_on_objects_means_the_same_as_bytes_and_database_rows(simulate) -> None:
    by_hand, by_wire = await simulate(number=60), await simulate(number=60, wire=True)
    assert [plain(one.value) for one in by_hand.told] == [plain(one.value) for one in by_wire.told]
    for activity in ACTIVITIES:
        theirs = by_wire.activities[activity].end_rows()
        for state, rows in by_hand.activities[activity].end_rows().items():
            assert plain(state.dump(rows)) == plain(state.dump(theirs[state]))


async def test_demand_of_both_streams_comes_to_its_end_and_every_invariant_holds(simulate) -> None:
    chain = await simulate(number=80, days=30)
    assert violations(chain.history) == []
    assert chain.aside == []
    ends = {(demand.kind, demand.status) for demand in chain.history.demands.values()}
    assert {("incident", "value_realised"), ("incident", "denied"), ("incident", "assumed")} < ends
    assert {("new_product_or_service", "value_realised"), ("new_product_or_service", "rejected")} < ends
    kinds = {one.type for one in chain.told}
    assert {SupportTaskCompleted.type, ServiceTransitionReported.type, ChainPerformanceReported.type} < kinds
    assert chain.clock.now() == chain.history.until


async def test_what_is_told_has_the_ids_the_slip_and_the_numbers_that_the_chassis_gives(simulate, outside) -> None:
    chain = await simulate(said=[incident(outside)])
    requested = next(chain.history.events(SupportTaskRequested))
    envelope = orjson.loads(requested.value)
    assert envelope["valuestream"] == "restore-a-live-service"
    assert envelope["streamstep"] == "request-support"
    assert requested.sequence == 1
    assert UUID(requested.id) == uuid5(UUID(requested.cause), f"{ENGAGE}/0")
    command = uuid5(NAMESPACE_URL, "svc:svc:one")  # the door names it after client and key
    assert UUID(requested.cause) == uuid5(command, f"{ENGAGE}/1"), "what begins the stream stands behind the answer"
    assert requested.case == str(command)


async def test_a_copy_changes_nothing(simulate, outside) -> None:
    once, twice = [
        await simulate(said=[incident(outside)] * times, react=nobody_reacts) for times in (1, 2)
    ]  # fmt: skip
    assert [one.id for one in once.told] == [one.id for one in twice.told]
    assert once.digest == twice.digest
    assert twice.statuses[201] == once.statuses[201] + 1, "the second call is answered as the first"


async def test_a_timer_comes_when_it_is_due(simulate, outside) -> None:
    chain = await simulate(said=[incident(outside)], work="manual", days=30)
    respond, resolve = (one for one in chain.history.events(SupportEscalated) if one.data["breached"])
    for escalated in (respond, resolve):
        assert escalated.time == datetime.fromisoformat(escalated.data["due_at"])
    assert respond.time < resolve.time


async def test_work_is_done_at_once_or_takes_its_time(simulate, outside) -> None:
    asked = outside.start + timedelta(hours=1)
    for work, least in (("auto", timedelta(0)), ("simulated", timedelta(hours=5))):
        chain = await simulate(said=[incident(outside)], work=work)
        (completed,) = chain.history.events(SupportTaskCompleted)
        assert least <= completed.time - asked <= least * 20
    by_activity = await simulate(said=[incident(outside)], work={ENGAGE: "simulated"})
    (completed,) = by_activity.history.events(SupportTaskCompleted)
    assert completed.time == asked, "an activity of which nothing is said does its work at once"


async def test_manual_work_stays_open_until_somebody_reports_it(simulate, outside) -> None:
    asked = incident(outside)
    open_still = await simulate(said=[asked], work="manual", days=1)
    (demand,) = open_still.history.demands
    (work,) = open_still.history.of(DELIVER_SUPPORT, "Resolution")
    assert (work.status, open_still.history.demands[demand].status) == ("open", "in_progress")
    path = f"/work/resolution/{demand}/done"
    done = Say(outside.start + timedelta(hours=5), DELIVER_SUPPORT, "POST", path, {"by": "Ben"}, "done")
    chain = await simulate(said=[asked, done], work="manual", days=1)
    (work,) = chain.history.of(DELIVER_SUPPORT, "Resolution")
    assert (work.status, work.done_by) == ("done", "Ben")
    (completed,) = chain.history.events(SupportTaskCompleted)
    assert completed.time == done.at
    nothing = await simulate(said=[done], work="manual", days=1)
    assert nothing.answers["done"] == 404


async def test_a_handler_that_fails_sets_its_case_aside_and_the_others_flow(simulate, outside) -> None:
    handles = handlers(DELIVER_SUPPORT, "SupportTaskRequested")

    @handles.step("resolve incident")
    def fail(task: SupportTaskRequested) -> list[Never]:
        """It can only do some."""
        if task.title == "Poison":
            raise ValueError("no")
        return []

    bad, worse, good = (
        incident(outside, "bad", title="Poison"), incident(outside, "good"), incident(outside, "worse", hours=2)
    )  # fmt: skip
    chain = await simulate(said=[bad, worse, good], handlers={DELIVER_SUPPORT: handles}, days=1)
    (aside,) = chain.aside
    assert (aside.activity, aside.reason) == (DELIVER_SUPPORT, "ValueError: no")
    assert aside.arrival.case == next(id for id, row in chain.history.demands.items() if row.title == "Poison")
    assert len(chain.activities[DELIVER_SUPPORT].known) >= 3, "the others were decided about"


async def test_what_breaks_a_bound_is_undone_and_set_aside_with_what_follows(simulate, outside) -> None:
    handles = handlers(PLAN, "BudgetGranted")

    @handles.draws_on()
    def overspend(granted: BudgetGranted, budget: Budget) -> list[Answer]:
        """It binds more than there is, from the second grant on."""
        budget.reserved = granted.total + 1 if budget.total else 0
        budget.total = granted.total
        return [Answer(200, granted)]

    grants = [
        Say(outside.start + timedelta(hours=n), PLAN, "POST", "/budgets/2026-Q4", {"total": n}, f"grant {n}")
        for n in (1, 2)
    ]
    chain = await simulate(said=grants, handlers={PLAN: handles}, days=1)
    broken, behind = chain.aside
    assert broken.reason == "BoundBroken: budget 2026-Q4 would not keep 'reserved + spent <= total'"
    assert behind.reason.startswith("waits behind")
    (budget,) = chain.history.of(PLAN, "Budget")
    assert (budget.total, budget.reserved) == (2_000_000, 0)
    assert chain.answers["grant 1"] == chain.answers["grant 2"] == 500


class Turn(Command, activity=PLAN, case="turn"):
    """Something that an activity asks of itself."""

    turn: str


async def test_a_chain_that_runs_in_a_circle_is_stopped(simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    handles = handlers(PLAN, "BudgetGranted")

    @handles.draws_on()
    def begin(granted: BudgetGranted) -> list[Turn]:
        """It begins to turn."""
        return [Turn(turn="around")]

    @handles.draws_on()
    def turn(again: Turn) -> list[Turn]:
        """It asks itself the same for ever."""
        return [again]

    monkeypatch.setattr(chain_module, "MOST_AT_ONCE", 500)
    with pytest.raises(Trouble, match="runs in a circle"):
        await simulate(handlers={PLAN: handles})


async def test_simulated_work_waits_for_somebody_in_its_work_centre(simulate, outside) -> None:
    said = [incident(outside, f"demand {n}", hours=n / 100) for n in range(8)]
    enough, few = [await simulate(said=said, centres=centres, days=10) for centres in (None, {DELIVER_SUPPORT: DESK})]
    longest = {}
    for chain in (enough, few):
        done = sorted(one.time for one in chain.history.events(SupportTaskCompleted))
        assert len(done) == 8
        longest[chain] = done[-1]
        assert violations(chain.history) == []
    assert longest[few] - longest[enough] > timedelta(hours=20), "one person does one after the other"
    first = min(one.time for one in few.history.events(SupportTaskCompleted))
    assert first == min(one.time for one in enough.history.events(SupportTaskCompleted)), "who is first does not wait"


async def test_simulated_work_takes_the_minutes_of_its_work_centre(simulate, outside) -> None:
    said = [incident(outside, f"demand {n}", hours=n) for n in range(8)]
    minutes = {DELIVER_SUPPORT: {"service desk": (5.0, 10.0, 30.0)}}
    one, again = [await simulate(said=said, minutes=minutes, days=10) for _ in range(2)]
    done = [told.data for told in one.history.events(SupportTaskCompleted)]
    read = datetime.fromisoformat
    taken = [read(task["completed_at"]) - read(task["started_at"]) for task in done]
    assert len(taken) == 8
    assert all(timedelta(minutes=5) <= time <= timedelta(minutes=30) for time in taken)
    assert len(set(taken)) > 1, "each task its own"
    assert one.digest == again.digest
    assert one.digest != (await simulate(said=said, days=10)).digest, "as long as the activity reckons"


async def test_what_people_outside_do_comes_from_what_they_are_told(simulate, outside) -> None:
    heard = []

    def listen(event) -> list[Say]:
        heard.append(event["type"])
        return []

    chain = await simulate(said=[incident(outside)], react=listen, days=1)
    assert heard == [one.type for one in chain.told]
    assert DemandStatusReported.type in heard
    assert DemandSubmitted.type not in heard, "commands are nobody's news"


async def test_a_simulation_can_be_looked_at_and_go_on(outside) -> None:
    halves, whole = (Simulation(outside.start, react=nobody_reacts) for _ in range(2))
    for one in (halves, whole):
        one.say([*outside(7).setup(), incident(outside), incident(outside, "two", hours=30)])
    await halves.run(outside.start + timedelta(days=1))
    assert len(halves.history.demands) == 1
    await halves.run(outside.start + timedelta(days=5))
    await whole.run(outside.start + timedelta(days=5))
    assert halves.digest == whole.digest


async def test_a_stream_that_is_not_shipped_runs_without_code(simulate, outside, tmp_path: Path) -> None:
    shipped = Settings().streams
    for file in shipped.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    recall = (shipped / "restore-a-live-service.yaml").read_text()
    recall = recall.replace("restore-a-live-service", "recall-a-sold-component")
    recall = recall.replace("trigger: {kind: incident}", "trigger: {kind: incident, words: [recall]}")
    (tmp_path / "recall-a-sold-component.yaml").write_text(recall)
    said = [incident(outside, text="A recall: it is broken."), incident(outside, "other")]
    chain = await simulate(said=said, settings=Settings(streams=tmp_path))
    streams = {demand.text: demand.stream for demand in chain.history.demands.values()}
    assert streams == {
        "A recall: it is broken.": "recall-a-sold-component",
        "It is broken.": "restore-a-live-service",
    }
    assert all(demand.verdict or demand.status == "assumed" for demand in chain.history.demands.values())
    assert violations(chain.history) == []
