from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned, Objective, PolicyIssued
from contracts.values import PolicyParameter
from services.chassis.outputs import Later
from services.plan.governance import issue_policy
from services.plan.improvement import (
    Initiative,
    follow_initiative,
    plan_improvement,
    reconsider_initiative,
    settle_initiative,
    take_up_initiative,
)
from services.plan.model import (
    Budget,
    ImprovementProved,
    InitiativeReconsidered,
    InitiativeSettled,
    InitiativeToWeigh,
    Policy,
    Proposal,
    end_of,
)
from services.plan.planning import PublishedPlan
from services.plan.proof import prove_improvement
from tests.plan.office import NOW, Case, directed, funding_policy

NAME = "sla-met-games-1"


def initiated(**changes: Any) -> ImprovementInitiated:
    proposal = ImprovementInitiated(
        reasons=("Support is late.",), basis=(), initiative=NAME, title="Answer sooner", subject="services",
        objective="sla-met", hypothesis="More hands", measure="sla_met", baseline=0.8, target=0.95, unit="share",
        service="games", source="performance", owner="Service desk manager", value=12_000, cost=8_000,
        demands=(UUID(int=3),),
    )  # fmt: skip
    return proposal.model_copy(update=changes).at(NOW)


def operations(*objectives: str) -> PublishedPlan:
    aims = tuple(
        Objective(objective=name, statement="", measure=name, target=0.95, unit="share", due_at=NOW)
        for name in objectives or ("sla-met",)
    )
    return PublishedPlan(id="operations", edition=2, objectives=aims)


class Board:
    """One initiative before Plan."""

    def __init__(self, total: int = 100_000, **changes: Any) -> None:
        self.initiative = Initiative(id=NAME)
        self.budget = Budget(id="2026-Q4", total=total)
        self.policy, self.plan = Policy(id="funding"), operations()
        (self.weighed,) = take_up_initiative(initiated(**changes), self.initiative)

    def outputs(self) -> list[Any]:
        return plan_improvement(self.weighed.at(NOW), self.initiative, self.budget, self.policy, self.plan)

    def planned(self) -> ImprovementPlanned:
        planned = self.outputs()[0]
        assert isinstance(planned, ImprovementPlanned)
        return planned

    def close(self, result: str | None = "kept") -> list[Any]:
        return follow_initiative(status("closed", result), self.initiative)


def status(state: str, result: str | None = None, measured: float | None = 0.97) -> InitiativeStatusReported:
    data = {"initiative": NAME, "title": "Answer sooner", "status": state, "result": result, "measured": measured}
    return InitiativeStatusReported.model_validate({**data, "target": 0.95, "unit": "share", "text": ""}).at(NOW)


def test_an_initiative_is_weighed_by_the_plan_of_its_objective_and_once() -> None:
    board = Board()
    assert board.weighed == InitiativeToWeigh(initiative=NAME, quarter="2026-Q4", plan="operations")
    assert take_up_initiative(initiated(), board.initiative) == []


def test_what_serves_a_plan_and_is_worth_its_money_is_approved_with_a_day_to_measure_it() -> None:
    board = Board()
    planned = board.planned()
    assert (planned.decision, planned.objective, planned.cost) == ("approve", "sla-met", 8_000)
    assert (planned.measure, planned.service, planned.demands) == ("sla_met", "games", (UUID(int=3),))
    assert (planned.starts_at, planned.due_at) == (NOW, NOW + timedelta(days=14))
    assert (board.budget.reserved, board.budget.improving) == (8_000, 8_000)
    assert "plan operations v2" in planned.reasons[0]
    assert board.outputs() == []


def test_governance_says_how_soon_an_improvement_is_measured() -> None:
    board = Board()
    board.policy = funding_policy(improvement_hours=6)
    assert board.planned().due_at == NOW + timedelta(hours=6)


def test_an_objective_that_the_plan_does_not_have_is_a_reason_to_refuse() -> None:
    board = Board()
    board.plan = operations("complaints")
    planned = board.planned()
    assert (planned.decision, planned.objective, planned.cost) == ("reject", None, 0)
    assert "No plan has an objective that sla_met serves." in planned.reasons
    assert Board(objective=None, measure="colour_of_walls").planned().decision == "reject"


def test_a_figure_without_an_objective_of_its_own_serves_another_one() -> None:
    board = Board(objective=None, measure="obtaining_cost")
    assert (board.initiative.objective, board.weighed.plan) == ("value-realised", "strategy")


@pytest.mark.row("plan.out.improvement_plans")
def test_while_the_plan_is_not_published_an_initiative_waits_for_it() -> None:
    board = Board()
    board.plan = PublishedPlan(id="operations")
    planned, timer = board.outputs()
    assert (planned.decision, planned.starts_at) == ("defer", None)
    assert "sla-met is not published yet" in planned.reasons[0]
    assert timer == Later(end_of("2026-Q4"), InitiativeReconsidered(initiative=NAME))
    board.plan = operations()
    (again,) = reconsider_initiative(InitiativeReconsidered(initiative=NAME).at(NOW), board.initiative)
    board.weighed = again
    assert board.planned().decision == "approve"
    assert board.budget.proposals == ()


def test_what_brings_less_than_governance_asks_for_is_refused() -> None:
    board = Board()
    board.policy = funding_policy(min_value_cost_ratio=2)
    planned = board.planned()
    assert (planned.decision, planned.objective) == ("reject", "sla-met")
    assert "less than 2 euros a year" in planned.reasons[0]


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        (Budget(id="2026-Q4", total=70_000), "10% for improvements of the 70000 euros of 2026-Q4, 7000 can be had"),
        (Budget(id="2026-Q4", total=100_000, improving=3_000, spent=3_000), "7000 can be had"),
        (Budget(id="2026-Q4", total=100_000, spent=99_000), "1000 can be had"),
        (Budget(id="2026-Q4"), "0 can be had"),
    ],
)
@pytest.mark.row("plan.out.improvement_plans")
def test_without_money_in_the_share_for_improvements_it_waits_and_goes_on_when_money_comes(
    budget: Budget, reason: str
) -> None:
    board = Board()
    board.budget = budget
    planned = board.planned()
    assert planned.decision == "defer"
    assert reason in planned.reasons[0]
    assert board.outputs() == []
    assert board.budget.woken() == [InitiativeReconsidered(initiative=NAME)]
    board.budget.total = 300_000
    assert board.planned().decision == "approve"


def test_above_the_threshold_governance_has_to_allow_it() -> None:
    board = Board()
    board.policy = funding_policy(approval_threshold=5_000)
    planned = board.planned()
    assert planned.decision == "defer"
    assert "above 5000 governance has to allow it" in planned.reasons[0]
    board.policy = funding_policy()
    assert board.planned().decision == "approve"


@pytest.mark.row("plan.out.improvement_plans")
def test_a_better_initiative_that_waits_comes_first() -> None:
    board = Board()
    board.budget.put_off_initiative(Proposal(initiative="complaints-chain-1", score=9, claim=6_000))
    planned = board.planned()
    assert planned.decision == "defer"
    assert "1 waiting initiatives bring more than its 1.5 euros" in planned.reasons[0]
    ahead = Board()
    ahead.budget.put_off_initiative(Proposal(initiative="complaints-chain-1", score=1, claim=6_000))
    assert ahead.planned().decision == "approve"


def test_a_refused_initiative_gives_its_place_to_others() -> None:
    board = Board(total=70_000)
    board.planned()
    board.budget.put_off_initiative(Proposal(initiative="complaints-chain-1", score=1, claim=100))
    board.policy = funding_policy(min_value_cost_ratio=2)
    planned, woken = board.outputs()
    assert (planned.decision, woken) == ("reject", InitiativeReconsidered(initiative="complaints-chain-1"))


def settled_by(board: Board, outputs: list[Any]) -> list[Any]:
    (settled,) = [one for one in outputs if isinstance(one, InitiativeSettled)]
    return settle_initiative(settled.at(NOW), board.budget)


def test_a_kept_initiative_spends_its_money_and_its_gain_is_to_become_policy() -> None:
    board = Board()
    board.planned()
    settled, proved = board.close()
    assert settle_initiative(settled.at(NOW), board.budget) == []
    assert (board.budget.reserved, board.budget.spent, board.budget.improving) == (0, 8_000, 8_000)
    assert isinstance(proved, ImprovementProved)
    assert (proved.policy, proved.reached) == ("improvements", 0.97)
    assert board.close() == []


@pytest.mark.parametrize("result", ["reverted", "inconclusive"])
def test_of_one_that_is_not_kept_the_rest_of_the_money_is_free_for_those_that_wait(result: str) -> None:
    board = Board()
    board.planned()
    board.budget.put_off(UUID(int=9), 1)
    woken = settled_by(board, board.close(result))
    assert (board.budget.reserved, board.budget.spent, board.budget.improving) == (0, 4_000, 4_000)
    assert [one.demand for one in woken] == [UUID(int=9)]


def test_what_was_never_approved_proves_nothing_and_waits_no_longer() -> None:
    board = Board(total=0)
    board.planned()
    outputs = board.close()
    assert settled_by(board, outputs) == []
    assert len(outputs) == 1
    assert (board.budget.spent, board.budget.proposals) == (0, ())


def test_one_that_is_over_before_plan_hears_of_it_is_not_decided() -> None:
    initiative = Initiative(id=NAME)
    assert follow_initiative(status("closed", "inconclusive"), initiative) == []
    assert take_up_initiative(initiated(), initiative) == []


@pytest.mark.parametrize("state", ["assessed", "in_progress", "under_review"])
def test_on_its_way_nothing_is_settled(state: str) -> None:
    board = Board()
    board.planned()
    assert follow_initiative(status(state), board.initiative) == []
    assert board.budget.reserved == 8_000


# --- what improvements have proved


def proof(initiative: str = NAME, reached: float = 0.97, **changes: Any) -> ImprovementProved:
    proved = ImprovementProved(
        initiative=initiative, title="Answer sooner", subject="services", measure="sla_met", service="games",
        reached=reached, unit="share",
    )  # fmt: skip
    return proved.model_copy(update=changes).at(NOW)


def issued(outputs: list[PolicyIssued]) -> PolicyIssued:
    (policy,) = outputs
    return policy


def test_what_was_reached_becomes_policy_once() -> None:
    policy = Policy(id="improvements")
    told = issued(prove_improvement(proof(), policy))
    assert (told.policy, told.version, told.subject) == ("improvements", 2, "processes")
    assert told.parameters == (PolicyParameter(name=NAME, value=0.97, unit="share"),)
    assert prove_improvement(proof(), policy) == []


@pytest.mark.row("plan.out.policies")
def test_a_value_that_was_proved_before_and_is_better_stays() -> None:
    policy = Policy(id="improvements")
    prove_improvement(proof(reached=0.99), policy)
    told = issued(prove_improvement(proof("sla-met-games-2", 0.97), policy))
    assert told.parameters == (PolicyParameter(name="sla-met-games-2", value=0.99, unit="share"),)
    assert "sla-met-games-1 has proved 0.99 share before" in told.reasons[1]


def test_of_a_time_less_is_better() -> None:
    policy = Policy(id="improvements")
    prove_improvement(proof("time-to-restore-games-1", 4, measure="time_to_restore"), policy)
    told = issued(prove_improvement(proof("time-to-restore-games-2", 3, measure="time_to_restore"), policy))
    assert [one.value for one in told.parameters] == [3]


def test_other_scopes_keep_what_they_have_proved() -> None:
    policy = Policy(id="improvements")
    prove_improvement(proof(), policy)
    told = issued(prove_improvement(proof("complaints-chain-1", 0.01, measure="complaints"), policy))
    assert [one.name for one in told.parameters] == [NAME, "complaints-chain-1"]


def test_what_governance_has_fixed_is_not_outdone() -> None:
    policy = Policy(id="improvements")
    fixed = (PolicyParameter(name="sla-met-games-0", value=0.95),)
    issue_policy(directed(policy="improvements", kind="constraint", parameters=fixed), policy)
    told = issued(prove_improvement(proof(), policy))
    assert [one.value for one in told.parameters] == [0.95]
    assert "board has fixed 0.95" in told.reasons[1]


# --- constraints of governance


@pytest.mark.row("plan.out.policies")
def test_a_constraint_stays_in_every_later_edition_and_the_reason_names_it() -> None:
    free, bound = Policy(id="funding"), Policy(id="funding")
    strict = (PolicyParameter(name="max_risk", value=0.1),)
    issue_policy(directed(kind="constraint", parameters=strict), bound)
    bold = directed(parameters=(PolicyParameter(name="max_risk", value=0.6),))
    allowed, refused = issue_policy(bold, free)[0], issue_policy(bold, bound)[0]
    assert isinstance(allowed, PolicyIssued)
    assert isinstance(refused, PolicyIssued)
    assert [one.value for one in allowed.parameters] == [0.6]
    assert [one.value for one in refused.parameters] == [0.1]
    assert "max_risk stays 0.1: board has constrained it in v2." in refused.reasons
    decided = []
    for policy in (free, bound):
        case = Case()
        case.policy = policy
        decided.append(case.decision().decision)
    assert decided == ["approve", "reject"]


def test_a_constraint_is_laid_on_what_binds_already_and_ends_with_its_time() -> None:
    policy = funding_policy(horizon_years=5)
    strict = (PolicyParameter(name="max_risk", value=0.1),)
    until = NOW + timedelta(days=1)
    told = issue_policy(directed(kind="constraint", parameters=strict, valid_until=until), policy)[0]
    assert isinstance(told, PolicyIssued)
    assert {one.name: one.value for one in told.parameters} == {"horizon_years": 5, "max_risk": 0.1}
    assert policy.constraints(until) == {}
