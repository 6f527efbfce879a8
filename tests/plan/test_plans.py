from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.improve import ChainPerformanceReported
from contracts.outside import BudgetGranted
from contracts.plan import PlanPublished
from contracts.values import Kpi, PolicyParameter
from services.chassis.outputs import Answer, Later, Problem
from services.plan.funding import AMBITIONS
from services.plan.governance import grant_budget, issue_policy
from services.plan.model import (
    Budget,
    BudgetReviewed,
    ChainPerformance,
    DecisionCounted,
    DemandNoticed,
    PlanReviewed,
    Policy,
    Waiting,
    end_of,
    plan_of,
    plan_reviews,
)
from services.plan.planning import (
    HeardDemand,
    PublishedPlan,
    count_demand,
    note_performance,
    notice_demand,
    review_plan,
)
from services.plan.strategy import AIMS, DemandVolume, KindVolume
from tests.plan.office import DEMAND, NOW, Case, consolidated, directed

QUARTER = "2026-Q4"


class Office:
    """What plans are derived from."""

    def __init__(self) -> None:
        self.policy = Policy(id="strategy")
        self.budget = Budget(id=QUARTER, total=100_000)
        self.performance = ChainPerformance(id="the")
        self.volume = DemandVolume(id="the", quarter=QUARTER)
        self.plans = {plan_of(level, QUARTER): PublishedPlan(id=plan_of(level, QUARTER)) for level in LEVELS}

    def review(self, level: str, now: datetime = NOW, quarter: str = QUARTER) -> list[Any]:
        plan = plan_of(level, quarter)
        review = PlanReviewed.model_validate({"plan": plan, "level": level, "quarter": quarter}).at(now)
        row = self.plans.setdefault(plan, PublishedPlan(id=plan))
        return review_plan(review, row, self.policy, self.budget, self.performance, self.volume)

    def publish(self, level: str) -> PlanPublished:
        published = self.review(level)[0]
        assert isinstance(published, PlanPublished)
        return published

    def misses(self, *names: str, value: float = 0.1, target: float = 0.9) -> "Office":
        self.performance.kpis = tuple(
            Kpi(name=name, value=value, unit="share", target=target, met=False, count=9) for name in names
        )
        return self

    def demand(self, **kinds: int) -> "Office":
        self.volume.kinds = tuple(KindVolume(kind=kind, count=count) for kind, count in kinds.items())
        return self

    def spent(self, share: float) -> "Office":
        self.budget.spent = round(self.budget.total * share)
        return self


LEVELS = ("strategic", "tactical", "operational")


def target(plan: PlanPublished, objective: str) -> float:
    return next(one.target for one in plan.objectives if one.objective == objective)


def test_the_three_plans_have_their_ids_and_all_objectives_that_the_chain_reads() -> None:
    plans = [Office().publish(level) for level in LEVELS]
    assert [plan.plan for plan in plans] == ["strategy", "portfolio-2026-q4", "operations"]
    assert [[one.objective for one in plan.objectives] for plan in plans] == [
        ["satisfaction", "value-realised"],
        ["opportunity-value", "change-success", "obtained-in-time", "design-right-first-time"],
        ["time-to-restore", "sla-met", "complaints", "recurrence"],
    ]
    assert all(plan.reasons and plan.basis and plan.status and plan.vision for plan in plans)


@pytest.mark.row("plan.in.governance", "governance")
def test_governance_says_how_much_is_to_be_reached() -> None:
    office = Office()
    assert target(office.publish("strategic"), "satisfaction") == AMBITIONS["satisfaction"]
    parameter = PolicyParameter(name="satisfaction", value=4.6)
    issue_policy(directed(policy="strategy", parameters=(parameter,)), office.policy)
    published = office.publish("strategic")
    assert (published.version, target(published, "satisfaction")) == (2, 4.6)
    assert "4.6 of 5" in published.vision
    assert (
        next(fact for fact in published.basis if fact.name == "ambition: satisfaction").source == "policy strategy v2"
    )


@pytest.mark.parametrize(
    ("level", "objective", "before", "after", "office", "reason"),
    [
        ("tactical", "opportunity-value", 10_000, 20_000, Office().spent(0.6), "40000 of 100000 euros are left"),
        ("tactical", "opportunity-value", 10_000, 40_000, Office().spent(0.9), "10000 of 100000 euros are left"),
        ("strategic", "value-realised", 0.8, 0.9, Office().spent(0.9), "money is scarce"),
        ("tactical", "change-success", 0.9, 0.95, Office().misses("change_success"), "change_success is 0.1, not 0.9"),
        ("tactical", "obtained-in-time", 0.9, 0.95, Office().misses("obtained_in_time"), "obtained_in_time is 0.1"),
        (
            "tactical", "design-right-first-time", 0.8, 0.9, Office().misses("design_right_first_time"),
            "design_right_first_time is 0.1",
        ),
        ("operational", "time-to-restore", 8, 6, Office().misses("satisfaction"), "satisfaction is 0.1"),
        ("operational", "time-to-restore", 8, 6, Office().demand(incident=8, feedback=4), "half of 12 demands"),
        ("operational", "sla-met", 0.95, 0.975, Office().misses("complaints"), "complaints is 0.1"),
        ("operational", "complaints", 0.05, 0.025, Office().misses("satisfaction"), "satisfaction is 0.1"),
        ("operational", "recurrence", 3, 2, Office().misses("sla_met"), "sla_met is 0.1"),
    ],
)  # fmt: skip
@pytest.mark.row("plan.out.plans")
def test_a_target_follows_from_what_plan_knows(
    level: str, objective: str, before: float, after: float, office: Office, reason: str
) -> None:
    assert target(Office().publish(level), objective) == before
    published = office.publish(level)
    assert target(published, objective) == after
    assert any(why.startswith(objective) and reason in why for why in published.reasons)


def test_a_problem_is_never_made_of_one_incident() -> None:
    office = Office().misses("sla_met")
    issue_policy(directed(policy="strategy", parameters=(PolicyParameter(name="recurrence", value=2),)), office.policy)
    assert target(office.publish("operational"), "recurrence") == 2


def waiting(office: Office) -> Office:
    office.budget.waiting = (Waiting(demand=DEMAND, score=1),)
    return office


def held_up(office: Office) -> Office:
    office.performance.bottleneck, office.performance.bottleneck_waiting = "deliver_support", 0.4
    return office


@pytest.mark.parametrize(
    ("level", "office", "direction", "reason"),
    [
        ("strategic", Office(), "Grow", "not measured yet"),
        ("strategic", Office().misses("satisfaction"), "Serve those well", "satisfaction is 0.1"),
        ("strategic", Office().spent(0.9), "Choose", "10000 of 100000"),
        ("tactical", Office(), "Fund every demand", "No demand waits"),
        ("tactical", waiting(Office()), "Fund from the top", "1 demands wait"),
        ("tactical", held_up(Office()), "Relieve Deliver and support", "40% of all time"),
        ("operational", Office(), "Keep a hand", "No kind leads"),
        ("operational", Office().demand(incident=12), "Prevent", "of the kind incident"),
        ("operational", Office().demand(service_request=12), "Simplify, then automate", "service_request"),
    ],
)
@pytest.mark.row("plan.out.plans")
def test_the_direction_follows_from_what_plan_knows(level: str, office: Office, direction: str, reason: str) -> None:
    published = office.publish(level)
    assert published.direction.startswith(direction)
    assert reason in published.reasons[0]


def test_a_plan_is_told_again_only_when_a_target_or_its_direction_changes() -> None:
    office = Office()
    assert office.publish("tactical").version == 1
    office.budget.spent = 1_000
    assert not [one for one in office.review("tactical") if isinstance(one, PlanPublished)]
    assert office.spent(0.6).publish("tactical").version == 2


def test_a_plan_whose_time_is_over_is_made_anew() -> None:
    office = Office()
    office.publish("operational")
    published = office.review("operational", NOW + timedelta(days=29))[0]
    assert isinstance(published, PlanPublished)
    assert published.version == 2


def test_each_plan_is_looked_at_once_a_day_by_one_timer() -> None:
    office = Office()
    midnight = datetime(2026, 11, 25, tzinfo=NOW.tzinfo)
    timers = [one for one in office.review("operational") if isinstance(one, Later)]
    again = PlanReviewed(plan="operations", level="operational", quarter=QUARTER)
    assert timers == [Later(midnight, again)]
    assert office.review("operational", NOW + timedelta(hours=2)) == []
    assert office.review("operational", midnight) == [Later(midnight + timedelta(days=1), again)]


def test_with_the_quarter_the_plan_of_the_next_one_takes_over() -> None:
    office = Office()
    last_day = end_of(QUARTER) - timedelta(hours=3)
    _, timer, _ = office.review("tactical", last_day)
    next_plan = PlanReviewed(plan="portfolio-2027-q1", level="tactical", quarter="2027-Q1")
    assert timer == Later(end_of(QUARTER), next_plan)
    assert office.review("tactical", end_of(QUARTER)) == [next_plan]


def test_a_plan_for_a_quarter_that_is_to_come_is_first_looked_at_when_that_begins() -> None:
    office = Office()
    _, timer, _ = office.review("tactical", NOW, "2027-Q2")
    assert timer.at == datetime(2027, 4, 1, tzinfo=NOW.tzinfo)
    _, timer, _ = Office().review("tactical", NOW, "2027-Q1")
    assert timer.at == datetime(2027, 1, 1, tzinfo=NOW.tzinfo)


def test_the_first_edition_of_a_plan_wakes_initiatives_that_wait_for_it() -> None:
    office = Office()
    assert office.review("operational")[-1] == BudgetReviewed(quarter=QUARTER)
    again = office.misses("sla_met").review("operational")
    assert not [one for one in again if isinstance(one, BudgetReviewed)]


def test_a_bottleneck_that_eases_gives_deferred_demands_another_chance() -> None:
    known = ChainPerformance(id="the")
    verdicts = []
    for version, waiting in ((1, 0.7), (2, 0.6), (3, 0.3)):
        report = ChainPerformanceReported(
            period="2026-W48", version=version, kpis=(), bottleneck="obtain_build", bottleneck_waiting=waiting
        )
        verdicts.append(BudgetReviewed(quarter=QUARTER) in note_performance(report.at(NOW), known))
    assert verdicts == [False, False, True]


def test_governance_money_and_verdicts_have_the_plans_looked_at() -> None:
    reviews = plan_reviews(QUARTER)
    assert [one for one in issue_policy(directed(), Policy(id="funding")) if isinstance(one, PlanReviewed)] == reviews
    grant = BudgetGranted(quarter=QUARTER, total=1).at(NOW)
    assert [one for one in grant_budget(grant, Budget(id=QUARTER)) if isinstance(one, PlanReviewed)] == reviews
    later = BudgetGranted(quarter="2027-Q1", total=1).at(NOW)
    assert [one.plan for one in grant_budget(later, Budget(id="2027-Q1")) if isinstance(one, PlanReviewed)] == [
        "portfolio-2027-q1"
    ]
    known = ChainPerformance(id="the")
    kpis = Office().misses("sla_met").performance.kpis
    report = ChainPerformanceReported(period="2026-W48", version=1, kpis=kpis).at(NOW)
    assert note_performance(report, known) == reviews
    assert note_performance(report.model_copy(update={"version": 2}).at(NOW), known) == []
    busy = report.model_copy(update={"version": 3, "bottleneck": "obtain_build", "bottleneck_waiting": 0.7}).at(NOW)
    assert note_performance(busy, known) == reviews
    assert (known.bottleneck, known.bottleneck_waiting) == ("obtain_build", 0.7)


def test_money_that_becomes_scarce_has_the_portfolio_plan_looked_at() -> None:
    scarce, ample = Case(total=60_000), Case(total=1_000_000)
    reviews = [one for one in scarce.outputs() if isinstance(one, PlanReviewed)]
    assert [one.plan for one in reviews] == ["portfolio-2026-q4"]
    assert not [one for one in ample.outputs() if isinstance(one, PlanReviewed)]


def test_a_demand_that_others_meet_is_counted_once_for_the_plans() -> None:
    heard, volume = HeardDemand(id=DEMAND), DemandVolume(id="the")
    (noticed,) = notice_demand(consolidated(kind="incident"), heard)
    assert noticed == DemandNoticed(period="2026-11-24", quarter=QUARTER, kind="incident")
    assert notice_demand(consolidated(kind="incident"), heard) == []
    count_demand(noticed.at(NOW), volume)
    assert volume.kinds == (KindVolume(kind="incident", count=1),)


def test_a_demand_that_plan_decides_on_is_counted_with_its_first_decision() -> None:
    case = Case(total=0)
    first = [one for one in case.outputs() if isinstance(one, DecisionCounted)]
    assert [one.kind for one in first] == ["new_product_or_service"]
    case.budget.total = 100_000
    again = [one for one in case.outputs(case.taken_up()) if isinstance(one, DecisionCounted)]
    assert [one.kind for one in again] == [None]


def test_a_new_quarter_counts_from_nothing_and_what_is_late_for_the_old_one_not_at_all() -> None:
    volume = DemandVolume(id="the")
    for quarter in ("2026-Q4", "2027-Q1", "2026-Q4"):
        volume.add(quarter, "incident")
    assert (volume.quarter, volume.total) == ("2027-Q1", 1)


def test_kinds_beyond_the_limit_drop_out() -> None:
    volume = DemandVolume(id="the")
    for letter in "abcdefghijklmnopqrstuvwxyz":
        volume.add(QUARTER, letter)
    assert len(volume.kinds) == 20


@pytest.mark.parametrize(
    ("parameter", "complaint"),
    [
        (PolicyParameter(name="happiness", value=5), "happiness: no such parameter; allowed: satisfaction"),
        (PolicyParameter(name="sla_met", value=95), "sla_met: must be a share from 0 to 1"),
        (PolicyParameter(name="recurrence", value=float("inf")), "recurrence: must be a number from 0"),
    ],
)
def test_a_strategy_that_no_plan_could_follow_is_refused(parameter: PolicyParameter, complaint: str) -> None:
    policy = Policy(id="strategy")
    (answer,) = issue_policy(directed(policy="strategy", parameters=(parameter,)), policy)
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, Problem)
    assert answer.status == 422
    assert complaint in answer.body.detail
    assert policy.editions == ()


def test_every_aim_can_be_set_by_governance() -> None:
    assert set(AIMS) == set(AMBITIONS)
