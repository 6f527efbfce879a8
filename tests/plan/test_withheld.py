"""Every input matters: the same is decided with and without one event, and it comes out otherwise."""

from uuid import UUID

import pytest

from contracts.improve import ChainPerformanceReported
from contracts.plan import PolicyIssued
from services.plan.improvement import Initiative, plan_improvement, take_up_initiative
from services.plan.market import Market, note_supplier
from services.plan.model import Budget, ImprovementProved, Policy
from services.plan.options import EXTEND, MARKET, OWN
from services.plan.planning import HeardDemand, count_demand, note_performance, notice_demand
from services.plan.portfolio import follow_transition
from services.plan.proof import prove_improvement
from tests.plan.office import NOW, Case, consolidated, performance, transition
from tests.plan.test_improvement import Board, initiated, operations, settled_by
from tests.plan.test_plans import Office, target
from tests.plan.test_weighing import supplied

each_way = pytest.mark.parametrize("told", [False, True], ids=["withheld", "told"])
OTHER, ANOTHER = UUID(int=8), "complaints-chain-1"


@pytest.mark.row("plan.in.demand", "engage")
@each_way
def test_a_better_demand_that_waits_comes_first(told: bool) -> None:
    better, case = Case(total=0, value=70_000), Case()
    better.item = better.item.model_copy(update={"id": OTHER})
    better.demand = better.demand.model_copy(update={"demand": OTHER}).at(NOW)
    if told:
        assert better.decision().decision == "defer"
    case.budget, case.budget.total = better.budget, 40_000
    decision = case.decision()
    assert decision.decision == ("defer" if told else "approve")
    assert ("waiting demands that bring more" in " ".join(decision.reasons)) == told


@pytest.mark.row("plan.in.demand", "engage")
@each_way
def test_demands_that_others_meet_turn_the_operational_plan(told: bool) -> None:
    office = Office()
    for demand in map(UUID, (f"{number:032}" for number in range(12 if told else 0))):
        for noticed in notice_demand(consolidated(demand=demand, kind="incident"), HeardDemand(id=demand)):
            count_demand(noticed.at(NOW), office.volume)
    published = office.publish("operational")
    assert target(published, "time-to-restore") == (6 if told else 8)
    assert published.direction.startswith("Prevent") == told


@pytest.mark.row("plan.in.performance", "improve")
@each_way
def test_figures_that_miss_their_targets_hold_up_what_is_new(told: bool) -> None:
    case = Case(value=35_000)
    report = ChainPerformanceReported(period="2026-W47", version=3, kpis=performance(3.1).kpis)
    if told:
        note_performance(report.at(NOW), case.performance)
    assert case.decision().decision == ("defer" if told else "approve")


def planned(name: str, budget: Budget, value: int = 12_000, cost: int = 8_000) -> str:
    """What Plan decides about an initiative when it is told of it."""
    row = Initiative(id=name)
    (weighed,) = take_up_initiative(initiated(initiative=name, value=value, cost=cost), row)
    decision, *_ = plan_improvement(weighed.at(NOW), row, budget, Policy(id="funding"), operations())
    return str(getattr(decision, "decision", ""))


@pytest.mark.row("plan.in.performance", "improve")
@each_way
def test_a_better_improvement_that_is_proposed_comes_first(told: bool) -> None:
    budget = Budget(id="2026-Q4", total=70_000)
    if told:
        assert planned(ANOTHER, budget, value=90_000) == "defer"
    budget.total = 100_000
    assert planned("sla-met-games-1", budget) == ("defer" if told else "approve")


@pytest.mark.row("plan.in.improvement_status", "improve")
@each_way
def test_the_money_of_an_improvement_that_was_taken_back_funds_another_one(told: bool) -> None:
    board = Board()
    board.planned()
    if told:
        settled_by(board, board.close("reverted"))
    assert planned(ANOTHER, board.budget, cost=6_000) == ("approve" if told else "defer")


@pytest.mark.row("plan.in.improvement_status", "improve")
@pytest.mark.parametrize("result", ["kept", "inconclusive"])
def test_only_an_improvement_that_was_kept_becomes_policy(result: str) -> None:
    board = Board()
    board.planned()
    proved = [one for one in board.close(result) if isinstance(one, ImprovementProved)]
    issued = [event for one in proved for event in prove_improvement(one.at(NOW), Policy(id="improvements"))]
    assert [type(event) for event in issued] == [PolicyIssued] * (result == "kept")


@pytest.mark.row("plan.in.changed_services", "design_transition")
@each_way
def test_what_was_released_is_extended_by_the_next_demand(told: bool) -> None:
    first, later = Case(), Case()
    first.outputs()
    if told:
        first.settle(follow_transition(transition("released", "It is usable."), first.item, first.entry))
    later.entry = first.entry
    assert later.decision().chosen == (EXTEND.name if told else MARKET.name)


@pytest.mark.row("plan.in.third_party", "engage")
@each_way
def test_without_word_of_a_supplier_it_is_made_by_ourselves(told: bool) -> None:
    case = Case()
    case.market = Market(id="the")
    if told:
        note_supplier(supplied(terms=()), case.market)
    assert case.decision().chosen == (MARKET.name if told else OWN.name)
