"""By which targets the chain's figures are judged, and what each activity's word changes."""

from itertools import permutations
from typing import Any

import pytest

from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.event import Message
from contracts.improve import ChainPerformanceReported, ImprovementInitiated
from contracts.obtain_build import ObtainPerformanceReported
from services.chassis.state import ONE_ROW
from services.improve.figures import MOST_PLANS, Targets, Week
from tests.improve.office import DAY, NOW, Office, demand, engagement, judged, plan, planning, support


def transition(number: int, outcome: str) -> Message:
    data = {"service": "games", "title": "Games", "outcome": outcome, "reasons": ("So it is.",)}
    return ServiceTransitionReported.model_validate({"demand": demand(number), **data})


def design(number: int, outcome: str) -> Message:
    data = {"service": "games", "outcome": outcome, "reasons": (), "basis": ()}
    return DesignPerformanceReported.model_validate({"demand": demand(number), **data})


def obtaining(number: int, hours: float, budget: int | None = None) -> Message:
    return ObtainPerformanceReported(
        demand=demand(number), component="engine", way="buy", promised_hours=10, taken_hours=hours, cost=900,
        budget=budget,
    )  # fmt: skip


def verdicts(office: Office) -> dict[str, bool | None]:
    return {kpi.name: kpi.met for kpi in office.all(ChainPerformanceReported)[-1].kpis}


@pytest.mark.parametrize(
    ("bad", "good", "initiative"),
    [
        pytest.param(
            lambda n: transition(n, "refused"), lambda n: transition(n, "released"), "change-success-games-1",
            marks=pytest.mark.row("improve.in.changed_services", "design_transition"),
        ),
        pytest.param(
            lambda n: design(n, "design_refused"), lambda n: design(n, "validated"), "design-right-first-time-games-1",
            marks=pytest.mark.row("improve.in.chain_performance", "design_transition"),
        ),
        pytest.param(
            lambda n: obtaining(n, 11), lambda n: obtaining(n, 10), "obtained-in-time-chain-1",
            marks=pytest.mark.row("improve.in.chain_performance", "obtain_build"),
        ),
        pytest.param(
            lambda n: obtaining(n, 9, 800), lambda n: obtaining(n, 9, 900), "obtaining-cost-chain-1",
            marks=pytest.mark.row("improve.in.chain_performance", "obtain_build"),
        ),
        pytest.param(
            lambda n: judged(n, 2), lambda n: judged(n, 5), "satisfaction-games-1",
            marks=pytest.mark.row("improve.in.feedback", "engage"),
        ),
        pytest.param(
            lambda n: judged(n, verdict="not"), lambda n: judged(n, verdict="fully"), "value-realised-games-1",
            marks=pytest.mark.row("improve.in.feedback", "engage"),
        ),
        pytest.param(
            lambda n: support(n, met=False), lambda n: support(n, met=True), "sla-met-games-1",
            marks=pytest.mark.row("improve.in.service_performance", "deliver_support"),
        ),
        pytest.param(
            lambda n: support(n, met=True, hours=9), lambda n: support(n, met=True), "time-to-restore-games-1",
            marks=pytest.mark.row("improve.in.service_performance", "deliver_support"),
        ),
    ],
)  # fmt: skip
def test_what_each_activity_says_decides_about_an_initiative_and_without_its_word_there_is_none(
    bad: Any, good: Any, initiative: str
) -> None:
    missed, met, withheld = Office(), Office(), Office()
    missed.hear(*(bad(number) for number in range(3)))
    met.hear(*(good(number) for number in range(3)))
    withheld.hear(*(bad(number) for number in range(2)))
    assert [one.initiative for one in missed.all(ImprovementInitiated)] == [initiative]
    assert not met.all(ImprovementInitiated)
    assert not withheld.all(ImprovementInitiated)


def test_a_plan_s_target_goes_before_that_of_the_cases_and_the_usual_one() -> None:
    office = Office()
    office.hear(plan("operations", sla_met=0.5, time_to_restore=1), support(1, met=True), support(2, met=False))
    office.until(NOW + DAY)
    assert verdicts(office) == {"sla_met": True, "time_to_restore": False}
    usual = Office()
    usual.hear(support(1, met=True), support(2, met=False))
    usual.until(NOW + DAY)
    assert verdicts(usual) == {"sla_met": False, "time_to_restore": True}


@pytest.mark.row("improve.out.performance")
def test_a_new_version_of_a_plan_judges_the_week_anew_at_once() -> None:
    office = Office()
    office.hear(support(1, met=True), support(2, met=False))
    assert verdicts(office)["sla_met"] is False
    (report,) = office.hear(plan("operations", 2, sla_met=0.5))
    assert isinstance(report, ChainPerformanceReported)
    assert (report.kpis[0].name, report.kpis[0].target, report.kpis[0].met) == ("sla_met", 0.5, True)
    assert report.reasons[0] == "sla_met is 0.5 and meets 0.5 (plan operations v2)."
    before = office.all(ChainPerformanceReported)[0]
    assert before.reasons[0].endswith("misses 0.95 (Improve's own target: no plan in force sets one).")
    assert office.hear(plan("operations", 1, sla_met=0.9), plan("operations", 2, sla_met=0.9)) == []
    assert office.hear(plan("operations", 3, sla_met=0.4)) == []


def test_a_plan_holds_from_its_day_until_its_end() -> None:
    office = Office()
    office.hear(
        plan("portfolio-2026-q4", change_success=0.5, until=NOW + DAY),
        plan("portfolio-2027-q1", change_success=0.7, since=NOW + DAY),
    )
    targets = office.row(Targets, ONE_ROW)
    assert targets.of("change_success", NOW) == (0.5, "plan portfolio-2026-q4 v1")
    assert targets.of("change_success", NOW + DAY) == (0.7, "plan portfolio-2027-q1 v1")
    assert targets.of("sla_met", NOW)[0] is None


def test_of_two_plans_with_one_objective_the_later_one_holds() -> None:
    for plans in permutations((plan("strategy", satisfaction=3), plan("operations", satisfaction=4.5, since=NOW))):
        office = Office()
        office.hear(*plans)
        assert office.row(Targets, ONE_ROW).of("satisfaction", NOW)[0] == 4.5


def test_only_the_newest_plans_are_kept() -> None:
    office = Office()
    office.hear(*(plan(f"portfolio-{number}", since=NOW + number * DAY) for number in range(MOST_PLANS + 3)))
    plans = office.row(Targets, ONE_ROW).plans
    assert (len(plans), plans[0].plan) == (MOST_PLANS, "portfolio-3")


def test_reports_of_a_day_add_up_to_the_week_whatever_comes_first() -> None:
    reports = (
        engagement("2026-11-23", 10, 1), engagement("2026-11-23", 20, 3, version=2), engagement("2026-11-24", 20, 1),
        planning("2026-11-23", decided=6, waiting=2),
    )  # fmt: skip
    seen = set()
    for order in permutations(reports):
        office = Office()
        office.hear(*order)
        week = office.row(Week, "2026-W48")
        kpis = {kpi.name: (kpi.value, kpi.count) for kpi in week.kpis(office.row(Targets, ONE_ROW).at(NOW))}
        seen.add(tuple(sorted(kpis.items())))
    assert seen == {(("complaints", (0.1, 40)), ("decisions_waiting", (0.25, 8)))}


def test_a_day_without_demand_measures_nothing() -> None:
    office = Office()
    office.hear(engagement("2026-11-24", 0, 0), planning("2026-11-24", decided=0, waiting=0))
    office.until(NOW + DAY)
    assert verdicts(office) == {}


def test_a_report_of_another_stretch_than_a_day_counts_for_the_week_it_is_told_in() -> None:
    office = Office()
    office.hear(engagement("2026-Q4", 10, 1))
    assert office.row(Week, "2026-W48").tally("complaints")


def test_figures_are_kept_by_service_beside_those_of_the_chain() -> None:
    office = Office()
    office.hear(support(1, met=True), support(2, met=False, service="maps"), support(3, met=True, service=None))
    tallies = {place: office.row(Week, place).tally("sla_met") for place in ("2026-W48", "2026-W48/games")}
    assert {place: (tally.count, tally.total) for place, tally in tallies.items()} == {
        "2026-W48": (3, 2), "2026-W48/games": (1, 1)
    }  # fmt: skip
