"""Governance's word: policies and budgets, and what they set in motion."""

from contracts.event import Fact
from contracts.outside import BudgetGranted, GovernanceDirected
from contracts.plan import PolicyIssued
from contracts.values import PolicyParameter
from services.chassis.outputs import Answer, Later, refusal
from services.plan.funding import wrong_parameters
from services.plan.model import (
    FUNDING,
    IMPROVEMENTS,
    Budget,
    BudgetReviewed,
    DemandReconsidered,
    InitiativeReconsidered,
    PlanReviewed,
    Policy,
    PolicyEdition,
    end_of,
    plan_reviews,
    quarter_of,
)

SUBJECTS = {
    FUNDING: "finance",
    "change-authority": "change",
    "sourcing": "suppliers",
    "support-targets": "processes",
    IMPROVEMENTS: "processes",
}
"""What the known policies order; any other one orders how the organisation works."""


def issue_policy(direction: GovernanceDirected, policy: Policy) -> list[PolicyIssued | Later | PlanReviewed | Answer]:
    """Put governance's direction into force as the next edition, within the constraints that bind; wake who waits."""
    if direction.valid_until is not None and direction.valid_until <= direction.valid_from:
        return [refusal(422, "The policy would never bind", "Set `valid_until` after `valid_from`, or leave it out.")]
    if wrong := wrong_parameters(direction.policy, direction.parameters):
        return [refusal(422, f"The {direction.policy} policy cannot be read", wrong)]
    parameters, kept = within_constraints(direction, policy)
    edition = PolicyEdition(
        edition=policy.next_edition,
        title=direction.title,
        statement=direction.statement,
        parameters=parameters,
        issued_by=direction.issued_by,
        valid_from=direction.valid_from,
        valid_until=direction.valid_until,
        constrained=tuple(p.name for p in direction.parameters) if direction.kind == "constraint" else (),
    )
    policy.add(edition)
    issued = PolicyIssued(
        reasons=(f"{direction.issued_by} directs as a {direction.kind}: {direction.statement}", *kept),
        basis=tuple(Fact(name=p.name, value=p.value, source=direction.issued_by) for p in direction.parameters),
        policy=direction.policy,
        version=edition.edition,
        title=direction.title,
        statement=direction.statement,
        subject=SUBJECTS.get(direction.policy, "processes"),
        parameters=parameters,
        valid_from=direction.valid_from,
        valid_until=direction.valid_until,
    )
    return [issued, *waking(direction), *plan_reviews(quarter_of(direction.time)), Answer(201, issued)]


def within_constraints(
    direction: GovernanceDirected, policy: Policy
) -> tuple[tuple[PolicyParameter, ...], tuple[str, ...]]:
    """The parameters of the next edition, and why they differ from what was directed.

    A constraint is laid on what binds already, and stays in what comes after it.
    """
    said = {parameter.name: parameter for parameter in direction.parameters}
    binding = policy.in_force(direction.valid_from)
    if direction.kind == "constraint":
        before = {parameter.name: parameter for parameter in binding.parameters} if binding else {}
        return tuple((before | said).values()), ()
    fixed = policy.constraints(direction.valid_from)
    kept = tuple(
        f"{name} stays {parameter.value}: {edition.issued_by} has constrained it in v{edition.edition}."
        for name, (parameter, edition) in fixed.items()
        if said.get(name) != parameter
    )
    return tuple((said | {name: parameter for name, (parameter, _) in fixed.items()}).values()), kept


def waking(direction: GovernanceDirected) -> list[Later]:
    """When deferred demands are weighed again, because a funding policy begins or ceases to bind."""
    if direction.policy != FUNDING:
        return []
    moments = [max(direction.valid_from, direction.time)]
    if direction.valid_until is not None and direction.valid_until > direction.time:
        moments.append(direction.valid_until)
    return [Later(moment, BudgetReviewed(quarter=quarter_of(moment))) for moment in moments]


def grant_budget(
    grant: BudgetGranted, budget: Budget
) -> list[DemandReconsidered | InitiativeReconsidered | PlanReviewed | Answer]:
    """Set what may be spent in a quarter, never less than what is bound already; wake who waits, review the plans."""
    if end_of(grant.quarter) <= grant.time:
        detail = f"{grant.quarter} is over; grant the money for {quarter_of(grant.time)} or later."
        return [refusal(409, "The quarter is over", detail)]
    bound = budget.reserved + budget.spent
    if grant.total < bound:
        detail = f"{budget.reserved} euros are reserved and {budget.spent} spent; grant {bound} at least."
        return [refusal(409, "More than that is bound already", detail)]
    budget.total = grant.total
    reviews = plan_reviews(grant.quarter)
    if grant.quarter != quarter_of(grant.time):  # money of a later quarter is no news for the plans of today
        reviews = [review for review in reviews if review.level == "tactical"]
    return [*budget.woken(), *reviews, Answer(200, budget.status)]


def review_deferred(review: BudgetReviewed, budget: Budget) -> list[DemandReconsidered | InitiativeReconsidered]:
    """Have the demands and initiatives that were deferred in this quarter weighed again."""
    return budget.woken()
