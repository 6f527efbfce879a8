"""What Plan decides: policies and budgets as governance directs, and which demand is funded."""

from datetime import datetime

from contracts.design_transition import ServiceTransitionReported
from contracts.engage import DemandConsolidated
from contracts.event import Fact
from contracts.improve import ChainPerformanceReported
from contracts.obtain_build import ChangedServiceReported
from contracts.outside import BudgetGranted, GovernanceDirected
from contracts.plan import PolicyIssued, PortfolioDecisionMade
from contracts.value_chain import DESIGN_TRANSITION, OBTAIN_BUILD, PLAN, TITLES
from services.chassis.handlers import Handlers
from services.chassis.outputs import Answer, Later, refusal
from services.chassis.state import Read
from services.plan.model import (
    BUILT_IN,
    FUNDING,
    Budget,
    BudgetReviewed,
    CatalogueEntry,
    ChainPerformance,
    DemandReconsidered,
    DemandToWeigh,
    FundingSettled,
    Policy,
    PolicyEdition,
    PortfolioItem,
    end_of,
    quarter_of,
)
from services.plan.portfolio import WATCHED, blueprint_for, funding_rules, service_for, weigh, wrong_parameters

handles = Handlers(PLAN)

SUBJECTS = {FUNDING: "finance", "change-authority": "change", "sourcing": "suppliers", "support-targets": "processes"}
"""What the known policies order; any other one orders how the organisation works."""


@handles
def issue_policy(direction: GovernanceDirected, policy: Policy) -> list[PolicyIssued | Later | Answer]:
    """Put governance's direction into force as the next edition; a changed funding policy wakes deferred demands."""
    if direction.valid_until is not None and direction.valid_until <= direction.valid_from:
        return [refusal(422, "The policy would never bind", "Set `valid_until` after `valid_from`, or leave it out.")]
    if direction.policy == FUNDING and (wrong := wrong_parameters(direction.parameters)):
        return [refusal(422, "The funding policy cannot be read", wrong)]
    edition = PolicyEdition(
        edition=BUILT_IN + 1 + len(policy.editions),
        title=direction.title,
        statement=direction.statement,
        parameters=direction.parameters,
        issued_by=direction.issued_by,
        valid_from=direction.valid_from,
        valid_until=direction.valid_until,
    )
    policy.editions = (*policy.editions, edition)
    issued = PolicyIssued(
        reasons=(f"{direction.issued_by} directs as a {direction.kind}: {direction.statement}",),
        basis=tuple(Fact(name=p.name, value=p.value, source=direction.issued_by) for p in direction.parameters),
        policy=direction.policy,
        version=edition.edition,
        title=direction.title,
        statement=direction.statement,
        subject=SUBJECTS.get(direction.policy, "processes"),
        parameters=direction.parameters,
        valid_from=direction.valid_from,
        valid_until=direction.valid_until,
    )
    binds_at = max(direction.valid_from, direction.time)
    waking = [Later(binds_at, BudgetReviewed(quarter=quarter_of(binds_at)))] if direction.policy == FUNDING else []
    return [issued, *waking, Answer(201, issued)]


@handles
def grant_budget(grant: BudgetGranted, budget: Budget) -> list[DemandReconsidered | Answer]:
    """Set what may be spent in a quarter, never less than what is bound already, and wake the demands that wait."""
    if end_of(grant.quarter) <= grant.time:
        detail = f"{grant.quarter} is over; grant the money for {quarter_of(grant.time)} or later."
        return [refusal(409, "The quarter is over", detail)]
    bound = budget.reserved + budget.spent
    if grant.total < bound:
        detail = f"{budget.reserved} euros are reserved and {budget.spent} spent; grant {bound} at least."
        return [refusal(409, "More than that is bound already", detail)]
    budget.total = grant.total
    return [*budget.woken(), Answer(200, budget.status)]


@handles
def review_deferred(review: BudgetReviewed, budget: Budget) -> list[DemandReconsidered]:
    """Have the demands that were deferred in this quarter weighed again."""
    return budget.woken()


@handles
def note_performance(report: ChainPerformanceReported, known: ChainPerformance) -> list[BudgetReviewed]:
    """Keep the newest figures for later weighings; when all watched targets are met again, wake deferred demands."""
    if (report.period, report.version) <= (known.period, known.report):
        return []
    missed_before = any(kpi.met is False for kpi in known.kpis if kpi.name in WATCHED)
    known.period, known.report, known.kpis = report.period, report.version, report.kpis
    missed_now = any(kpi.met is False for kpi in report.kpis if kpi.name in WATCHED)
    return [BudgetReviewed(quarter=quarter_of(report.time))] if missed_before and not missed_now else []


@handles.step("weigh demand")
def take_up_demand(demand: DemandConsolidated, item: PortfolioItem) -> list[DemandToWeigh]:
    """Take a demand into the pipeline and have it weighed; one that is funded already goes on as it is."""
    if item.stage == "approved":
        return []
    item.stage = "weighing"
    item.title, item.requester, item.users = demand.title, demand.requester, demand.users
    item.service = demand.service or item.service or service_for(demand.title, demand.demand)
    item.value, item.effort, item.sponsor_budget = demand.value, demand.effort, demand.budget
    item.promise_by = demand.promise_by
    return [to_weigh(item, demand.time)]


@handles.step("weigh demand")
def reconsider_demand(again: DemandReconsidered, item: PortfolioItem) -> list[DemandToWeigh]:
    """Weigh a demand that is still deferred against the budget of the quarter it is now."""
    return [to_weigh(item, again.time)] if item.stage == "deferred" else []


@handles.step("weigh demand")
def weigh_demand(
    demand: DemandToWeigh,
    item: PortfolioItem,
    budget: Budget,
    policy: Read[Policy],
    entry: Read[CatalogueEntry],
    performance: Read[ChainPerformance],
) -> list[PortfolioDecisionMade | Later]:
    """Approve and reserve, put off until something changes, or reject. Staying deferred within a quarter is no news."""
    if item.stage not in ("weighing", "deferred"):
        return []
    rules = funding_rules(policy, demand.time)
    weighing = weigh(item, budget, rules, entry, performance)
    put_off_already = (item.stage, item.quarter) == ("deferred", demand.quarter)
    budget.decided(demand.demand)
    item.quarter, item.options, item.policy_edition = demand.quarter, weighing.options, rules.edition
    item.reasons, item.decided_at, item.chosen = weighing.reasons, demand.time, None
    outputs: list[PortfolioDecisionMade | Later] = []
    if weighing.chosen is not None:
        item.stage, item.chosen, item.reserved = "approved", weighing.chosen.name, weighing.chosen.cost
        budget.reserved += item.reserved
    elif weighing.decision == "reject":
        item.stage = "rejected"
    else:
        item.stage = "deferred"
        budget.put_off(demand.demand, max(option.score for option in weighing.options))
        if put_off_already:
            return []
        outputs.append(Later(end_of(demand.quarter), DemandReconsidered(demand=demand.demand)))
    decision = PortfolioDecisionMade(
        reasons=weighing.reasons,
        basis=weighing.basis,
        demand=demand.demand,
        title=item.title,
        requester=item.requester,
        service=item.service,
        decision=weighing.decision,
        options=weighing.options,
        chosen=item.chosen,
        value=weighing.chosen.value if weighing.chosen else item.value,
        cost=item.reserved if weighing.chosen else 0,
        quarter=demand.quarter,
        budget_left=budget.left,
        policy=demand.policy,
        policy_version=rules.edition,
        principles=weighing.principles,
        weighed_again_at=end_of(demand.quarter) if weighing.decision == "defer" else None,
        blueprint=blueprint_for(item, weighing.chosen, demand.time) if weighing.chosen else None,
    )
    return [decision, *outputs]


@handles.step("weigh demand")
def follow_transition(
    report: ServiceTransitionReported, item: PortfolioItem, entry: CatalogueEntry
) -> list[FundingSettled]:
    """A released service enters the catalogue and its money is spent; a refused one frees it; a retired one leaves."""
    if report.outcome == "retired":
        item.stage, entry.retired_at = "retired", report.time
    if item.stage != "approved":
        return []
    if report.outcome == "refused":
        return [item.settle("rejected", DESIGN_TRANSITION, report.reasons)]
    entry.live_since, entry.retired_at = entry.live_since or report.time, None
    return [item.settle("live", DESIGN_TRANSITION, report.reasons)]


@handles.step("weigh demand")
def follow_change(report: ChangedServiceReported, item: PortfolioItem) -> list[FundingSettled]:
    """Keep what the parts cost; if they cannot be had, the demand cannot be met and its money is free."""
    if item.stage != "approved":
        return []
    item.obtained_for = report.cost
    return [item.settle("rejected", OBTAIN_BUILD, report.reasons)] if report.outcome == "not_obtainable" else []


@handles.step("weigh demand")
def settle_funding(
    settled: FundingSettled, item: PortfolioItem, budget: Budget
) -> list[PortfolioDecisionMade | DemandReconsidered]:
    """Spend what was reserved; or free it for the demands that wait, and tell that this one is rejected."""
    budget.reserved -= settled.amount
    if settled.spent:
        budget.spent += settled.amount
        return []
    decision = PortfolioDecisionMade(
        reasons=settled.reasons,
        basis=(
            Fact(name="cannot be brought about", value="; ".join(settled.reasons), source=TITLES[settled.told_by]),
            Fact(name="reservation freed", value=settled.amount, source=f"budget {budget.id}"),
        ),
        demand=settled.demand,
        title=item.title,
        requester=item.requester,
        service=item.service,
        decision="reject",
        options=item.options,
        chosen=None,
        value=item.value,
        cost=0,
        quarter=settled.quarter,
        budget_left=budget.left,
        policy=FUNDING,
        policy_version=item.policy_edition,
        blueprint=None,
    )
    return [decision, *budget.woken()]


def to_weigh(item: PortfolioItem, now: datetime) -> DemandToWeigh:
    """Have a demand weighed against the budget of the quarter it is now."""
    return DemandToWeigh(demand=item.id, service=item.service, quarter=quarter_of(now))
