from datetime import timedelta
from itertools import permutations

import pytest

from contracts.event import Message
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.initiative import Standing
from contracts.obtain_build import ComponentProvided, ObtainPerformanceReported
from contracts.plan import ImprovementPlanned, PlanPublished
from services.obtain_build.direction import (
    INITIATIVES_KEPT,
    PLANS_KEPT,
    Direction,
    note_improvement,
    note_objectives,
    note_proposal,
    note_result,
)
from tests.obtain_build.news import decided, judged, plan, proposed
from tests.obtain_build.workshop import MORNING, Workshop, of, offer

HEARS = {
    PlanPublished: note_objectives,
    ImprovementInitiated: note_proposal,
    ImprovementPlanned: note_improvement,
    InitiativeStatusReported: note_result,
}


def tell(direction: Direction, *messages: Message) -> None:
    for message in messages:
        assert HEARS[type(message)](message, direction) == []  # type: ignore[operator]


def reasons_of(workshop: Workshop) -> str:
    return " ".join(workshop.order.parts[0].choice.reasons)


# --- plans: from a high target on, lead times have a reserve


def tight() -> Workshop:
    """Building is cheapest and takes 123 hours, of 130; buying takes 48."""
    workshop = Workshop()
    workshop.hours = 130
    workshop.stocked("store", 0, 0, offer(price=5_000))
    return workshop


def test_a_plan_that_wants_parts_in_time_turns_building_into_buying() -> None:
    withheld, told = tight(), tight()
    tell(told.direction, plan(0.97))
    withheld.obtain("store")
    told.obtain("store")
    assert withheld.way("store") == ("build", None)
    assert told.way("store") == ("buy", "cloudy")
    assert "by plan portfolio-2026-q4 v1 97% of parts are to be had in time" in reasons_of(told)
    facts = {fact.name: fact for fact in told.order.parts[0].choice.basis}
    assert (facts["obtained-in-time target"].value, facts["obtained-in-time target"].source) == (
        0.97,
        "plan portfolio-2026-q4 v1",
    )


@pytest.mark.parametrize("share", [0.94, None])
def test_a_plan_that_wants_less_or_says_nothing_leaves_no_reserve(share: float | None) -> None:
    workshop = tight()
    tell(workshop.direction, plan(share))
    workshop.obtain("store")
    assert workshop.way("store") == ("build", None)


def test_the_reserve_is_promised_so_that_what_is_a_little_late_is_in_time(workshop: Workshop) -> None:
    tell(workshop.direction, plan(0.97))
    workshop.obtain("store")
    workshop.time += timedelta(hours=140)
    (performance,) = of(ObtainPerformanceReported, workshop.built())
    assert performance.promised_hours == pytest.approx(123 * 1.2)
    assert performance.taken_hours == 140
    assert workshop.building.promised_by == MORNING + timedelta(hours=123 * 1.2)


@pytest.mark.parametrize("order", [*permutations((plan(0.97, 1), plan(0.9, 2), plan(0.99, 3), plan(None, 4)))])
def test_the_newest_version_of_a_plan_holds_whichever_comes_first(order: tuple[PlanPublished, ...]) -> None:
    direction = Direction(id="the")
    tell(direction, *order)
    assert direction.target(MORNING)[0] == 0.9, "version 4 names no target: the usual one"


def test_the_plan_of_the_day_holds() -> None:
    direction = Direction(id="the")
    year = MORNING + timedelta(days=38)
    tell(direction, plan(0.8, plan="portfolio-2027-q1", valid_from=year), plan(0.97, valid_until=year))
    assert direction.target(MORNING) == (0.97, "plan portfolio-2026-q4 v1")
    assert direction.target(year) == (0.8, "plan portfolio-2027-q1 v1")


# --- initiatives


def preferring() -> Workshop:
    """The policy prefers building although buying is cheaper."""
    workshop = Workshop()
    workshop.rules(preferred="build", premium=0.2)
    workshop.stocked("store", 0, 0, offer(price=3_200))
    return workshop


@pytest.mark.parametrize("measure", ["obtained_in_time", "obtaining_cost"])
def test_no_way_is_preferred_while_an_initiative_is_undecided(measure: str) -> None:
    withheld, told = preferring(), preferring()
    tell(told.direction, proposed(measure))
    withheld.obtain("store")
    told.obtain("store")
    assert withheld.way("store") == ("build", None)
    assert told.way("store") == ("buy", "cloudy")
    assert "No way is preferred while initiative init-1 is undecided." in told.order.parts[0].choice.reasons


@pytest.mark.parametrize(
    ("messages", "way"),
    [
        ((proposed("obtaining_cost"), decided("obtaining_cost", "defer")), "buy"),
        ((proposed("obtaining_cost"), decided("obtaining_cost", "reject")), "build"),
        ((proposed("obtaining_cost"), judged("obtaining_cost", None)), "build"),
        ((proposed("obtaining_cost"), judged("obtaining_cost", None, "assessed")), "buy"),
        ((proposed("obtaining_cost", service="other-service"),), "build"),
        ((proposed("obtaining_cost", service="video-games"),), "buy"),
        ((proposed("satisfaction"),), "build"),
    ],
)
def test_a_decision_or_another_service_or_figure_lets_the_policy_prefer_again(
    messages: tuple[Message, ...], way: str
) -> None:
    for order in permutations(messages):
        workshop = preferring()
        tell(workshop.direction, *order)
        workshop.obtain("store")
        assert workshop.way("store")[0] == way


def test_an_approved_initiative_for_time_gives_lead_times_a_reserve() -> None:
    withheld, told = tight(), tight()
    tell(withheld.direction, proposed("obtained_in_time"))
    tell(told.direction, proposed("obtained_in_time"), decided("obtained_in_time"))
    withheld.obtain("store")
    told.obtain("store")
    assert (withheld.way("store")[0], told.way("store")[0]) == ("build", "buy")
    assert "Lead times have a reserve: initiative init-1" in reasons_of(told)


def risky() -> Workshop:
    """Building (3,075 euros) is cheaper than the safer supplier unless its risk counts double."""
    workshop = Workshop()
    workshop.stocked("store", 0, 0, offer(price=3_400))
    return workshop


def test_an_approved_initiative_for_cost_counts_risk_double() -> None:
    withheld, told = risky(), risky()
    tell(told.direction, decided("obtaining_cost"))
    withheld.obtain("store")
    told.obtain("store")
    assert (withheld.way("store")[0], told.way("store")[0]) == ("build", "buy")
    assert "Risk counts double: initiative init-1 is to save what failures cost." in told.order.parts[0].choice.reasons


@pytest.mark.parametrize(("result", "way"), [("kept", "buy"), ("reverted", "build"), ("inconclusive", "build")])
def test_what_an_initiative_changed_stays_only_if_its_effect_is_kept(result: str, way: str) -> None:
    messages = (proposed("obtaining_cost"), decided("obtaining_cost"), judged("obtaining_cost", result))
    for order in permutations(messages):
        workshop = risky()
        tell(workshop.direction, *order, *order)
        workshop.obtain("store")
        assert workshop.way("store")[0] == way


def test_an_approved_initiative_works_from_its_beginning_on() -> None:
    workshop = risky()
    tell(workshop.direction, decided("obtaining_cost", starts_in=2))
    workshop.obtain("store")
    assert workshop.way("store")[0] == "build"


def test_only_so_many_plans_and_initiatives_are_kept_and_what_works_is_kept_longest() -> None:
    direction = Direction(id="the")
    tell(direction, decided("obtaining_cost"))
    for number in range(INITIATIVES_KEPT + 10):
        direction.note(
            Standing(
                initiative=f"old-{number}", stage="refused", measure="obtaining_cost", service=None, told_at=MORNING
            )
        )
        tell(direction, plan(0.97, plan=f"plan-{number}", valid_from=MORNING + timedelta(days=number)))
    assert len(direction.initiatives) == INITIATIVES_KEPT
    assert any(one.initiative == "init-1" for one in direction.initiatives)
    assert len(direction.targets) == PLANS_KEPT


def test_the_basis_names_what_plans_and_initiatives_said(workshop: Workshop) -> None:
    tell(workshop.direction, decided("obtaining_cost"))
    workshop.obtain("store")
    (provided,) = of(ComponentProvided, workshop.built())
    facts = {fact.name: fact.value for fact in provided.basis}
    assert facts["initiative init-1"] == "approved"
    assert facts["obtained-in-time target"] == 0.9


@pytest.mark.row("obtain_build.out.performance")
@pytest.mark.parametrize(("share", "in_time"), [(None, False), (0.97, True)])
def test_by_the_plan_the_same_time_is_in_time_or_late(workshop: Workshop, share: float | None, in_time: bool) -> None:
    tell(workshop.direction, plan(share))
    workshop.obtain("store")
    workshop.time += timedelta(hours=140)
    (performance,) = of(ObtainPerformanceReported, workshop.built())
    assert (performance.taken_hours <= performance.promised_hours) == in_time
    assert ("Count a reserve: building it took 17 hours more than promised." in performance.opportunity) != in_time
