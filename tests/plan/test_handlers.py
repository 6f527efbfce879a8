from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

import contracts
from contracts.design_transition import ServiceTransitionReported
from contracts.engage import DemandConsolidated
from contracts.improve import ChainPerformanceReported, ImprovementInitiated
from contracts.obtain_build import ChangedServiceReported
from contracts.outside import BudgetGranted, GovernanceDirected
from contracts.plan import PolicyIssued, PortfolioDecisionMade
from contracts.stream import read_streams
from contracts.values import PolicyParameter
from services.chassis.outputs import Answer, Later, Problem
from services.plan.governance import grant_budget, issue_policy, review_deferred
from services.plan.handlers import handles
from services.plan.model import (
    MOST_WAITING,
    Budget,
    BudgetReviewed,
    BudgetStatus,
    ChainPerformance,
    DemandReconsidered,
    DemandToWeigh,
    FundingSettled,
    InitiativeReconsidered,
    InitiativeToWeigh,
    Policy,
    Waiting,
    end_of,
    plan_reviews,
    quarter_of,
)
from services.plan.planning import note_performance
from services.plan.portfolio import follow_change, follow_transition, reconsider_demand, take_up_demand
from tests.plan.office import (
    DEMAND,
    NOW,
    Case,
    directed,
    funding_policy,
    performance,
    source_of,
    transition,
    value_of,
)


def test_a_quarter_is_named_by_its_year_and_ends_where_the_next_begins() -> None:
    assert [quarter_of(datetime(2026, month, 1, tzinfo=UTC))[-2:] for month in (1, 3, 4, 9, 10, 12)] == [
        "Q1", "Q1", "Q2", "Q3", "Q4", "Q4",
    ]  # fmt: skip
    assert end_of("2026-Q4") == datetime(2027, 1, 1, tzinfo=UTC)
    assert end_of("2026-Q1") == datetime(2026, 4, 1, tzinfo=UTC)


def test_a_new_demand_is_weighed_in_the_quarter_it_came_in_under_a_service_name_from_its_title() -> None:
    case = Case()
    to_weigh = DemandToWeigh(demand=DEMAND, service="new-video-games", quarter="2026-Q4")
    assert take_up_demand(case.demand, case.item) == [to_weigh]
    assert case.item.stage == "weighing"


def test_a_demand_without_a_readable_title_still_gets_a_service_name() -> None:
    case = Case(title="???")
    assert case.taken_up().service == f"service-{DEMAND.hex[:8]}"


def test_demand_that_is_worth_it_is_funded_and_its_cost_reserved() -> None:
    case = Case()
    decision = case.decision()
    assert (decision.decision, decision.chosen, decision.cost) == ("approve", "use what the market offers", 35_000)
    assert (case.item.stage, case.budget.reserved, decision.budget_left) == ("approved", 35_000, 65_000)
    assert [option.name for option in decision.options] == [
        "use what the market offers",
        "make something new of our own",
        "do nothing",
    ]
    assert [option.score for option in decision.options] == sorted((o.score for o in decision.options), reverse=True)


def test_the_blueprint_names_the_parts_for_all_users_and_keeps_the_promise() -> None:
    blueprint = Case(promise_by=NOW + timedelta(days=10)).decision().blueprint
    assert blueprint is not None
    parts = {part.component: part.capacity for part in blueprint.components}
    assert parts == {"new-video-games-product": 40, "new-video-games-integration": 40}
    assert blueprint.lead_time_hours == 240


def test_great_value_is_worth_building_to_measure() -> None:
    assert Case(value=200_000).decision().chosen == "make something new of our own"


def test_a_service_that_is_live_is_extended_instead_of_made_anew() -> None:
    case = Case()
    case.entry.live_since = NOW - timedelta(days=30)
    decision = case.decision()
    assert decision.chosen == "extend what is live"
    assert decision.principles == ("start where you are",)


def test_a_retired_service_cannot_be_extended() -> None:
    case = Case()
    case.entry.live_since, case.entry.retired_at = NOW - timedelta(days=30), NOW
    assert case.decision().chosen == "use what the market offers"


def test_demand_without_value_is_rejected_by_focus_on_value() -> None:
    case = Case(value=0)
    decision = case.decision()
    assert (decision.decision, decision.principles, decision.blueprint) == ("reject", ("focus on value",), None)
    assert (case.item.stage, case.budget.reserved) == ("rejected", 0)


def test_demand_that_costs_more_than_it_brings_is_rejected_with_the_objection_to_each_way() -> None:
    decision = Case(value=5_000).decision()
    assert decision.decision == "reject"
    assert len(decision.reasons) == 2
    assert "0.5 euros a year for each euro" in decision.reasons[0]


def test_a_way_riskier_than_governance_accepts_is_not_taken() -> None:
    case = Case()
    case.policy = funding_policy(max_risk=0.1)
    decision = case.decision()
    assert decision.decision == "reject"
    assert all("more than the 10% that governance accepts" in reason for reason in decision.reasons)


def test_a_way_dearer_than_the_sponsor_spends_is_not_taken() -> None:
    assert Case(value=200_000, budget=40_000).decision().chosen == "use what the market offers"
    refused = Case(budget=10_000).decision()
    assert refused.decision == "reject"
    assert "10000 that the sponsor is ready to spend" in refused.reasons[0]
    assert value_of(refused, "sponsor's budget") == 10_000


def test_effort_that_nobody_named_is_estimated_from_the_users() -> None:
    decision = Case(effort=None, users=100).decision()
    assert value_of(decision, "effort") == 35_000
    assert source_of(decision, "effort") == "Plan's estimate for 100 users"


def test_demand_beyond_the_budget_is_deferred_to_the_next_quarter_and_waits() -> None:
    case = Case(total=10_000)
    decision, timer, *_ = case.outputs()
    assert isinstance(decision, PortfolioDecisionMade)
    assert decision.decision == "defer"
    assert "10000 of 10000 euros are left" in decision.reasons[0]
    assert decision.weighed_again_at == end_of("2026-Q4")
    assert timer == Later(end_of("2026-Q4"), DemandReconsidered(demand=DEMAND))
    assert [one.demand for one in case.budget.waiting] == [DEMAND]


def test_without_a_granted_budget_the_requester_hears_that_nothing_was_granted() -> None:
    assert "nothing was granted" in Case(total=0).decision().reasons[0]


def test_a_cheaper_way_is_taken_when_the_best_one_is_out_of_reach() -> None:
    decision = Case(total=40_000, value=200_000).decision()
    assert (decision.chosen, decision.principles) == ("use what the market offers", ("keep it simple and practical",))


def test_demand_above_the_threshold_waits_for_governance() -> None:
    case = Case(total=1_000_000)
    case.policy = funding_policy(approval_threshold=20_000)
    decision = case.decision()
    assert decision.decision == "defer"
    assert decision.reasons == ("It costs 35000 euros at least; above 20000 governance has to allow it.",)


@pytest.mark.row("plan.out.portfolio_decisions")
def test_while_consumers_are_not_served_as_promised_something_new_must_bring_more() -> None:
    case = Case(value=35_000)
    assert case.decision().decision == "approve"
    strained = Case(value=35_000)
    strained.performance = performance(3.1)
    decision = strained.decision()
    assert decision.decision == "defer"
    assert "satisfaction is 3.1, not 4.0 of 5" in decision.reasons[0]
    assert value_of(decision, "satisfaction misses its target") is True


def test_extending_what_is_live_is_not_held_up_by_unhappy_consumers() -> None:
    case = Case(value=20_000)
    case.performance, case.entry.live_since = performance(3.1), NOW
    assert case.decision().chosen == "extend what is live"


def test_the_basis_says_what_governance_has_set_and_what_is_a_default() -> None:
    case = Case()
    case.policy = funding_policy(max_risk=0.4)
    decision = case.decision()
    assert decision.policy_version == 2
    assert source_of(decision, "max_risk") == "policy funding v2"
    assert "Plan's own default" in source_of(decision, "horizon_years")
    unset = Case().decision()
    assert unset.policy_version == 1
    assert "policy funding v1: Plan's own default" in source_of(unset, "max_risk")


def test_a_policy_binds_neither_before_nor_after_its_time() -> None:
    case = Case()
    strict = (PolicyParameter(name="max_risk", value=0),)
    early = directed(parameters=strict, valid_from=NOW - timedelta(days=9), valid_until=NOW)
    for direction in (early, directed(parameters=strict, valid_from=NOW + timedelta(days=1))):
        issue_policy(direction, case.policy)
    assert case.decision().decision == "approve"


def test_a_demand_that_stays_deferred_in_a_quarter_is_not_told_again() -> None:
    case = Case(total=0)
    case.outputs()
    (again,) = reconsider_demand(DemandReconsidered(demand=DEMAND).at(NOW), case.item)
    assert case.outputs(again.at(NOW)) == []
    assert len(case.budget.waiting) == 1


def test_a_deferred_demand_is_weighed_against_the_budget_of_the_new_quarter() -> None:
    case = Case(total=0)
    case.outputs()
    (again,) = reconsider_demand(DemandReconsidered(demand=DEMAND).at(end_of("2026-Q4")), case.item)
    assert again.quarter == "2027-Q1"
    case.budget = Budget(id="2027-Q1")
    decision, timer, *_ = case.outputs(again.at(end_of("2026-Q4")))
    assert isinstance(decision, PortfolioDecisionMade)
    assert (decision.decision, decision.quarter) == ("defer", "2027-Q1")
    assert isinstance(timer, Later)
    assert timer.at == end_of("2027-Q1")


@pytest.mark.row("plan.in.governance", "governance")
def test_new_money_funds_a_deferred_demand_which_then_waits_no_longer() -> None:
    case = Case(total=0)
    case.outputs()
    *woken, _, _, _, answer = grant_budget(BudgetGranted(quarter="2026-Q4", total=80_000).at(NOW), case.budget)
    assert woken == [DemandReconsidered(demand=DEMAND)]
    assert isinstance(answer, Answer)
    assert answer.body == BudgetStatus(quarter="2026-Q4", total=80_000, reserved=0, spent=0, waiting=1)
    (again,) = reconsider_demand(woken[0].at(NOW), case.item)  # type: ignore[union-attr]
    decision, *_ = case.outputs(again.at(NOW))
    assert isinstance(decision, PortfolioDecisionMade)
    assert decision.decision == "approve"
    assert case.budget.waiting == ()


@pytest.mark.parametrize("stage", ["approved", "rejected", "live"])
def test_a_demand_that_is_decided_is_not_weighed_again_by_a_timer(stage: str) -> None:
    case = Case()
    to_weigh = case.taken_up()
    case.item = case.item.model_copy(update={"stage": stage})
    assert reconsider_demand(DemandReconsidered(demand=DEMAND).at(NOW), case.item) == []
    assert case.outputs(to_weigh) == []
    assert case.budget.reserved == 0


def test_a_funded_demand_that_is_consolidated_again_goes_on_as_it_is() -> None:
    case = Case()
    case.outputs()
    assert take_up_demand(case.demand, case.item) == []
    assert case.budget.reserved == 35_000


def test_a_budget_keeps_only_the_best_demands_in_mind() -> None:
    budget = Budget(id="2026-Q4")
    for score in range(MOST_WAITING + 5):
        budget.put_off(uuid4(), score)
    assert len(budget.waiting) == MOST_WAITING
    assert [one.score for one in budget.waiting] == list(range(MOST_WAITING + 4, 4, -1))


def test_a_budget_may_not_fall_below_what_is_bound() -> None:
    budget = Budget(id="2026-Q4", total=100, reserved=30, spent=20, waiting=(Waiting(demand=DEMAND, score=1),))
    (answer,) = grant_budget(BudgetGranted(quarter="2026-Q4", total=49).at(NOW), budget)
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, Problem)
    assert (answer.status, budget.total) == (409, 100)
    assert "grant 50 at least" in answer.body.detail


def test_money_for_a_quarter_that_is_over_is_refused() -> None:
    budget = Budget(id="2026-Q3")
    (answer,) = grant_budget(BudgetGranted(quarter="2026-Q3", total=49).at(NOW), budget)
    assert isinstance(answer, Answer)
    assert (answer.status, budget.total) == (409, 0)


def test_a_direction_of_governance_is_issued_as_the_next_edition_and_answered() -> None:
    policy = Policy(id="change-authority")
    parameters = (PolicyParameter(name="high_risk", value="board"),)
    for number in (2, 3):
        issued, *_, answer = issue_policy(directed(policy="change-authority", parameters=parameters), policy)
        assert isinstance(issued, PolicyIssued)
        assert (issued.version, issued.subject, issued.parameters) == (number, "change", parameters)
        assert answer == Answer(201, issued)
    assert len(policy.editions) == 2


def test_a_funding_policy_wakes_deferred_demands_when_it_begins_to_bind() -> None:
    start = datetime(2027, 1, 5, tzinfo=UTC)
    _, waking, *_ = issue_policy(directed(valid_from=start), Policy(id="funding"))
    assert waking == Later(start, BudgetReviewed(quarter="2027-Q1"))
    _, at_once, *_ = issue_policy(directed(valid_from=NOW - timedelta(days=400)), Policy(id="funding"))
    assert at_once == Later(NOW, BudgetReviewed(quarter="2026-Q4"))


@pytest.mark.parametrize(
    ("parameter", "complaint"),
    [
        (
            PolicyParameter(name="aproval_threshold", value=5),
            "aproval_threshold: no such parameter; allowed: min_value",
        ),
        (PolicyParameter(name="max_risk", value="high"), "max_risk: must be a number from 0"),
        (PolicyParameter(name="max_risk", value=-1), "max_risk: must be a number from 0"),
    ],
)
def test_a_funding_policy_that_no_decision_could_read_is_refused(parameter: PolicyParameter, complaint: str) -> None:
    policy = Policy(id="funding")
    (answer,) = issue_policy(directed(parameters=(parameter,)), policy)
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, Problem)
    assert answer.status == 422
    assert complaint in answer.body.detail
    assert policy.editions == ()


def test_a_policy_that_ends_before_it_begins_is_refused() -> None:
    (answer,) = issue_policy(directed(valid_until=NOW), Policy(id="funding"))
    assert isinstance(answer, Answer)
    assert answer.status == 422


def test_a_review_wakes_the_demands_that_wait_the_best_first() -> None:
    other = UUID(int=8)
    budget = Budget(id="2026-Q4")
    budget.put_off(DEMAND, 1)
    budget.put_off(other, 2)
    woken = review_deferred(BudgetReviewed(quarter="2026-Q4").at(NOW), budget)
    assert [one.demand for one in woken] == [other, DEMAND]


def test_the_newest_figures_are_kept_whatever_order_they_come_in() -> None:
    known = ChainPerformance(id="the")
    for period, version in (("2026-W48", 1), ("2026-W48", 3), ("2026-W48", 2), ("2026-W47", 9)):
        note_performance(ChainPerformanceReported(period=period, version=version, kpis=()).at(NOW), known)
    assert (known.period, known.report) == ("2026-W48", 3)


def test_deferred_demands_get_a_chance_once_consumers_are_served_as_promised_again() -> None:
    known = performance(3.1)
    report = ChainPerformanceReported(period="2026-W48", version=1, kpis=performance(3.5).kpis)
    assert note_performance(report.at(NOW), known) == []
    better = ChainPerformanceReported(period="2026-W48", version=2, kpis=performance(4.5).kpis)
    assert note_performance(better.at(NOW), known) == [BudgetReviewed(quarter="2026-Q4"), *plan_reviews("2026-Q4")]
    still = ChainPerformanceReported(period="2026-W48", version=3, kpis=performance(4.6).kpis)
    assert note_performance(still.at(NOW), known) == []


def test_a_released_service_enters_the_catalogue_and_its_money_is_spent() -> None:
    case = Case()
    case.outputs()
    settled = follow_transition(transition("released", "It is usable."), case.item, case.entry)
    assert case.settle(settled) == []
    assert (case.item.stage, case.entry.live) == ("live", True)
    assert (case.budget.reserved, case.budget.spent) == (0, 35_000)


def test_a_refused_transition_frees_the_money_for_others_and_rejects_the_demand() -> None:
    case = Case()
    case.outputs()
    waiting = UUID(int=8)
    case.budget.put_off(waiting, 1)
    settled = follow_transition(transition("refused", "A role is not staffed."), case.item, case.entry)
    decision, woken = case.settle(settled)
    assert isinstance(decision, PortfolioDecisionMade)
    assert (decision.decision, decision.reasons, decision.cost) == ("reject", ("A role is not staffed.",), 0)
    assert (case.item.stage, case.budget.reserved, case.budget.left) == ("rejected", 0, 100_000)
    assert (case.entry.live, woken) == (False, DemandReconsidered(demand=waiting))


@pytest.mark.parametrize("outcome", ["released", "refused"])
def test_a_transition_of_what_was_never_funded_settles_nothing(outcome: str) -> None:
    case = Case(value=0)
    case.outputs()
    assert follow_transition(transition(outcome, "late"), case.item, case.entry) == []
    assert (case.item.stage, case.entry.live) == ("rejected", False)


def test_a_retired_service_leaves_the_catalogue() -> None:
    case = Case()
    case.outputs()
    follow_transition(transition("released"), case.item, case.entry)
    assert follow_transition(transition("retired"), case.item, case.entry) == []
    assert (case.item.stage, case.entry.live) == ("retired", False)


def changed(outcome: str) -> ChangedServiceReported:
    data = {"demand": DEMAND, "service": "new-video-games", "change": "c1", "components": (), "cost": 9_000}
    return ChangedServiceReported.model_validate({**data, "outcome": outcome, "reasons": ("No supplier.",)}).at(NOW)


def test_parts_that_cannot_be_had_reject_the_demand_once() -> None:
    case = Case()
    case.outputs()
    settled = follow_change(changed("not_obtainable"), case.item)
    assert follow_transition(transition("refused", "No parts."), case.item, case.entry) == []
    (decision,) = case.settle(settled)
    assert isinstance(decision, PortfolioDecisionMade)
    assert (decision.decision, decision.reasons) == ("reject", ("No supplier.",))
    assert case.budget.left == 100_000
    assert follow_change(changed("not_obtainable"), case.item) == []


def test_what_the_parts_cost_is_kept_while_the_service_is_on_its_way() -> None:
    case = Case()
    case.outputs()
    assert follow_change(changed("ready"), case.item) == []
    assert (case.item.obtained_for, case.item.stage) == (9_000, "approved")


def test_plan_can_do_its_steps_of_every_shipped_stream() -> None:
    handles.follow(read_streams(Path(contracts.__file__).parent / "value_streams"))
    stream = "create-a-new-product-or-service"
    for message, told_by in (
        (DemandConsolidated, "consolidate-demand"),
        (DemandToWeigh, "weigh-demand"),
        (DemandReconsidered, ""),
        (FundingSettled, "weigh-demand"),
        (ServiceTransitionReported, "release"),
        (ChangedServiceReported, "obtain"),
    ):
        route = handles.route(message.type, stream, told_by)
        assert route is not None
        assert route.step is not None
        assert (route.handler.message, route.step.step) == (message, "weigh-demand")
    for heard in (GovernanceDirected, BudgetGranted, BudgetReviewed, ChainPerformanceReported):
        outside = handles.route(heard.type, "", "")
        assert outside is not None
        assert outside.handler.message is heard


def test_initiatives_are_decided_in_a_stream_and_outside_of_any() -> None:
    for message in (ImprovementInitiated, InitiativeToWeigh, InitiativeReconsidered):
        assert (message.type, "decide on improvement") in handles.registered
        assert handles.route(message.type, "", "") is not None


def test_every_decision_outside_of_a_stream_names_the_practices_it_draws_on() -> None:
    plain = {name: one for (name, capability), one in handles.registered.items() if not capability}
    assert [name for name, one in plain.items() if not one.practices] == [handles.redrive.type]


@pytest.mark.row("plan.in.changed_services", "obtain_build")
def test_without_word_that_parts_cannot_be_had_the_money_stays_bound_and_others_wait() -> None:
    for told, verdict in ((False, "defer"), (True, "approve")):
        first, second = Case(total=40_000), Case()
        first.outputs()
        second.budget = first.budget
        second.item = second.item.model_copy(update={"id": UUID(int=8)})
        second.demand = second.demand.model_copy(update={"demand": UUID(int=8)}).at(NOW)
        if told:
            first.settle(follow_change(changed("not_obtainable"), first.item))
        assert second.decision().decision == verdict


@pytest.mark.row("plan.in.governance", "governance")
def test_a_demand_above_the_threshold_goes_on_when_governance_answers() -> None:
    case = Case()
    case.policy = funding_policy(approval_threshold=20_000)
    case.outputs()
    _, waking, *_ = issue_policy(
        directed(parameters=(PolicyParameter(name="approval_threshold", value=90_000),)), case.policy
    )
    assert isinstance(waking, Later)
    (woken,) = review_deferred(BudgetReviewed(quarter="2026-Q4").at(NOW), case.budget)
    assert isinstance(woken, DemandReconsidered)
    (again,) = reconsider_demand(woken.at(NOW), case.item)
    assert case.outputs(again.at(NOW))[0].decision == "approve"
