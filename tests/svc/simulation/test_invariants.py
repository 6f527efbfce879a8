"""Each invariant finds what is wrong and nothing else: the violation is planted into a run that keeps them all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson
import pytest

from contracts.deliver_support import SupportEscalated, SupportTaskCompleted
from contracts.engage import DemandStatus, DemandStatusReported
from contracts.envelope import encode, source_of
from contracts.event import Fact, Message
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, ENGAGE, IMPROVE, OBTAIN_BUILD, PLAN
from services.chassis.state import State
from services.engage.model import Demand
from services.obtain_build.model import Component
from services.plan.model import Budget
from svc.invariants import INVARIANTS, History, Told, sentence, violations

DEMAND = UUID("11111111-1111-4111-8111-111111111111")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Access(State[str]):
    """As an activity may keep it."""

    until: datetime | None = None
    ended_at: datetime | None = None


class Stock(State[str]):
    """As an activity may keep it."""

    quantity: int = 0


def completed(**other: Any) -> SupportTaskCompleted:
    """Taken up and done within an hour, both in time."""
    return SupportTaskCompleted(
        **{
            "demand": DEMAND, "task": "resolve", "service": None, "outcome": "resolved", "resolution": "It works.",
            "started_at": NOON, "completed_at": NOON + HOUR, "respond_by": NOON + HOUR, "resolve_by": NOON + 2 * HOUR,
            "responded_in_time": True, "resolved_in_time": True, "reasons": ("It works.",),
            "basis": (Fact(name="works", value=True),),
        } | other
    )  # fmt: skip


def escalated(*, hours: float = 1, **other: Any) -> SupportEscalated:
    return SupportEscalated(
        **{
            "demand": DEMAND, "service": None, "target": "respond", "due_at": NOON + HOUR * hours, "level": 1,
            "to": "desk manager",
        } | other
    )  # fmt: skip


def initiated(initiative: str, measure: str = "sla_met", service: str | None = "games") -> ImprovementInitiated:
    return ImprovementInitiated(
        initiative=initiative, title="", subject="services", hypothesis="", measure=measure, baseline=0.5, target=0.9,
        unit="share", service=service, source="performance", owner="", value=1, cost=1, reasons=("It is low.",),
        basis=(Fact(name=measure, value=0.5),),
    )  # fmt: skip


def closed(initiative: str) -> InitiativeStatusReported:
    return InitiativeStatusReported(
        initiative=initiative, title="", status="closed", result="kept", target=0.9, unit="share", text="done"
    )


class Run:
    """A run as it is told: an incident that was restored late and escalated, and an improvement because of it."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.numbers: dict[tuple[str, str], int] = {}
        self.taken = {activity: {uuid5(DEMAND, activity)} for activity in ACTIVITIES}
        self.rows: dict[str, dict[str, list[Any]]] = {
            ENGAGE: {"Demand": [Demand(id=DEMAND, status="value_realised")]},
            PLAN: {"Budget": [Budget(id="2026-Q4", total=100, reserved=20, spent=30)]},
            OBTAIN_BUILD: {"Component": [Component(id="engine", capacity=5, used=5)]},
            DELIVER_SUPPORT: {
                "Access": [
                    Access(id="ended", until=NOON, ended_at=NOON), Access(id="open", until=NOON + 10 * HOUR),
                    Access(id="never granted"),
                ],
                "Stock": [Stock(id="controller", quantity=0)],
            },
        }  # fmt: skip
        for status in ("in_progress", "delivered", "value_realised"):
            self.tell(ENGAGE, reported(status))
        self.tell(DELIVER_SUPPORT, escalated(hours=2, breached=False))
        self.tell(DELIVER_SUPPORT, escalated(hours=0))
        self.tell(DELIVER_SUPPORT, escalated(hours=0, target="resolve", level=2))
        self.tell(DELIVER_SUPPORT, completed())
        for told in (initiated("one"), initiated("two", "complaints"), initiated("three", service=None), closed("one")):
            self.tell(IMPROVE, told)
        self.tell(IMPROVE, initiated("four"))

    def tell(self, activity: str, message: Message, *, sequence: int = 0, at: datetime = NOON, cause: str = "") -> Told:
        """Tell an event as the activity would: numbered, and because of something that it took up."""
        place = activity, message.case
        self.numbers[place] = sequence or self.numbers.get(place, 0) + 1
        id = uuid5(DEMAND, f"{place} {self.numbers[place]}")
        value = encode(
            message, id=id, source=source_of(activity), time=at, sequence=self.numbers[place],
            cause=cause or str(uuid5(DEMAND, activity)),
        )  # fmt: skip
        self.told.append(Told.read(orjson.loads(value), value))
        return self.told[-1]

    @property
    def history(self) -> History:
        return History(self.told, self.rows, self.taken, NOON + HOUR)


def reported(status: DemandStatus) -> DemandStatusReported:
    return DemandStatusReported(demand=DEMAND, status=status, requester="emily", text="", asks_confirmation=False)


def wrong(run: Run) -> set[str]:
    return {found.check for found in violations(run.history)}


def no_state(run: Run) -> None:
    run.rows[ENGAGE]["Demand"][0].status = None
    run.told = [one for one in run.told if one.type != DemandStatusReported.type]
    run.tell(ENGAGE, reported("captured"), sequence=1)


def told_otherwise(run: Run) -> None:
    run.rows[ENGAGE]["Demand"][0].status = "denied"


def left_its_end(run: Run) -> None:
    run.tell(ENGAGE, reported("in_progress"))
    run.rows[ENGAGE]["Demand"][0].status = "in_progress"


def overdrawn(run: Run) -> None:
    run.rows[PLAN]["Budget"] = [Budget(id="2026-Q4", total=49, reserved=20, spent=30)]


def overused(run: Run) -> None:
    run.rows[OBTAIN_BUILD]["Component"] = [Component(id="engine", capacity=5, used=6)]


def sold_out(run: Run) -> None:
    run.rows[DELIVER_SUPPORT]["Stock"] = [Stock(id="controller", quantity=-1)]


def open_past_its_end(run: Run) -> None:
    run.rows[DELIVER_SUPPORT]["Access"] = [Access(id="forgotten", until=NOON)]


def from_nowhere(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, completed(), cause=str(uuid5(DEMAND, "nobody")))


def others_cause(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, completed(), cause=str(uuid5(DEMAND, PLAN)))


def one_id(run: Run) -> None:
    last = run.tell(DELIVER_SUPPORT, completed())
    run.told[-1] = replace(last, id=run.told[0].id)


def gap(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, completed(), sequence=99)


def late_for_in_time(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, completed(resolve_by=NOON))


def in_time_for_late(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, completed(responded_in_time=False))


def ended_before_it_began(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, completed(started_at=NOON, completed_at=NOON - HOUR))


def escalated_again(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, escalated(hours=0, level=3))


def warned_again(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, escalated(hours=2, breached=False))


def escalated_too_soon(run: Run) -> None:
    run.tell(DELIVER_SUPPORT, escalated(hours=5))


def two_at_a_time(run: Run) -> None:
    run.tell(IMPROVE, initiated("five"))


def two_for_the_whole_chain(run: Run) -> None:
    run.tell(IMPROVE, initiated("six", service=None))


PLANTED: list[tuple[Callable[[Run], None], set[str]]] = [
    (
        no_state,
        {
            "every demand that was told of is in one state",
            "a demand is in the state its requester was told last",
        },
    ),
    (told_otherwise, {"a demand is in the state its requester was told last"}),
    (left_its_end, {"a demand never leaves its final state"}),
    (overdrawn, {"nothing shared is overdrawn"}),
    (overused, {"nothing shared is overdrawn"}),
    (sold_out, {"nothing shared is overdrawn"}),
    (open_past_its_end, {"access that was granted has ended"}),
    (from_nowhere, {"every event names the cause that its teller took up"}),
    (others_cause, {"every event names the cause that its teller took up"}),
    (one_id, {"an id names one event"}),
    (gap, {"events about a case are numbered without a gap"}),
    (late_for_in_time, {"an sla clock says what the times say"}),
    (in_time_for_late, {"an sla clock says what the times say"}),
    (ended_before_it_began, {"an sla clock says what the times say"}),
    (escalated_again, {"a target is escalated once"}),
    (warned_again, {"a target is escalated once"}),
    (escalated_too_soon, {"a target is escalated once"}),
    (two_at_a_time, {"one initiative at a time improves a key figure of a service"}),
    (two_for_the_whole_chain, {"one initiative at a time improves a key figure of a service"}),
]


def test_a_run_that_keeps_all_invariants_violates_none() -> None:
    assert violations(Run().history) == []


@pytest.mark.parametrize(("plant", "checks"), PLANTED)
def test_a_planted_violation_is_found_and_named(plant: Callable[[Run], None], checks: set[str]) -> None:
    run = Run()
    plant(run)
    assert wrong(run) == checks


def test_for_every_invariant_a_violation_is_planted() -> None:
    assert {sentence(check) for check in INVARIANTS} == set().union(*(checks for _, checks in PLANTED))


def test_while_a_state_does_not_exist_there_is_nothing_to_say_about_it() -> None:
    run = Run()
    run.rows = {ENGAGE: run.rows[ENGAGE]}
    assert violations(run.history) == []


def test_what_is_decided_otherwise_after_a_database_was_replaced_may_have_a_gap() -> None:
    run = Run()
    gap(run)
    assert violations(replace(run.history, otherwise={(DELIVER_SUPPORT, str(DEMAND))})) == []


def test_a_story_names_the_first_cases_and_counts_the_others() -> None:
    run = Run()
    run.rows[DELIVER_SUPPORT]["Access"] = [Access(id=f"door {n}", until=NOON) for n in range(5)]
    (found,) = violations(run.history)
    assert "door 0" in found.story
    assert found.story.endswith("; and 2 more")
