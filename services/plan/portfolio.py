"""Portfolio management: demand is taken up, weighed, funded or put off, and its money is spent or free again."""

from datetime import datetime, timedelta
from uuid import UUID

from contracts.design_transition import ServiceTransitionReported
from contracts.engage import DemandConsolidated
from contracts.event import Fact
from contracts.obtain_build import ChangedServiceReported
from contracts.plan import PortfolioDecisionMade
from contracts.value_chain import DESIGN_TRANSITION, OBTAIN_BUILD, TITLES
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.plan.funding import FundingRules, funding_rules
from services.plan.market import Market
from services.plan.model import (
    FUNDING,
    AgreementToDecide,
    Budget,
    CatalogueEntry,
    ChainPerformance,
    DecisionCounted,
    DemandReconsidered,
    DemandToWeigh,
    FundingSettled,
    InitiativeReconsidered,
    PlanReviewed,
    Policy,
    PortfolioItem,
    Waiting,
    day_of,
    end_of,
    plan_of,
    quarter_of,
)
from services.plan.options import MARKET, Known, blueprint_for
from services.plan.pipeline import service_named
from services.plan.weighing import Weighing, weigh


def take_up_demand(demand: DemandConsolidated, item: PortfolioItem) -> list[DemandToWeigh]:
    """Take a demand into the pipeline and have it weighed; one that is funded already goes on as it is."""
    if item.stage == "approved":
        return []
    item.stage, item.kind = "weighing", demand.kind
    item.title, item.requester, item.users = demand.title, demand.requester, demand.users
    item.service = demand.service or item.service or service_for(demand.title, demand.demand)
    item.value, item.effort, item.sponsor_budget = demand.value, demand.effort, demand.budget
    item.wanted_by, item.promise_by, item.asked_at = demand.wanted_by, demand.promise_by, demand.time
    return [to_weigh(item, demand.time)]


def reconsider_demand(again: DemandReconsidered, item: PortfolioItem) -> list[DemandToWeigh]:
    """Weigh a demand that is still deferred against the budget of the quarter it is now."""
    return [to_weigh(item, again.time)] if item.stage == "deferred" else []


def weigh_demand(
    demand: DemandToWeigh,
    item: PortfolioItem,
    budget: Budget,
    policy: Read[Policy],
    entry: Read[CatalogueEntry],
    performance: Read[ChainPerformance],
    market: Read[Market],
) -> list[
    PortfolioDecisionMade
    | Later
    | DecisionCounted
    | AgreementToDecide
    | PlanReviewed
    | DemandReconsidered
    | InitiativeReconsidered
]:
    """Approve and reserve, put off until something changes, or reject. Staying deferred within a quarter is no news."""
    if item.stage not in ("weighing", "deferred"):
        return []
    rules = funding_rules(policy, demand.time)
    weighing = weigh(item, Known(budget, rules, entry, market, performance, demand.time))
    put_off_already = (item.stage, item.quarter) == ("deferred", demand.quarter)
    scarcity, before = budget.scarcity, budget.place_of(demand.demand)
    first = item.decided_at is None
    keep(item, weighing, demand, rules)
    book(budget, item, weighing)
    woken = [one for one in budget.woken() if one.case != demand.case] if makes_room(before, item, weighing) else []
    if weighing.decision == "defer" and put_off_already:
        return [*woken]
    later = [Later(end_of(demand.quarter), DemandReconsidered(demand=demand.demand))]
    strategic = [plan_review(demand.quarter)] if budget.scarcity != scarcity else []
    return [
        decision_on(item, budget, weighing, demand),
        *(later if weighing.decision == "defer" else []),
        counted(item, budget, weighing, rules, demand.time, first=first),
        *agreement_for(item, weighing, rules),
        *strategic,
        *woken,
    ]


def keep(item: PortfolioItem, weighing: Weighing, demand: DemandToWeigh, rules: FundingRules) -> None:
    """Write down what was decided and by what."""
    item.quarter, item.options, item.policy_edition = demand.quarter, weighing.options, rules.edition
    item.reasons, item.decided_at, item.rank = weighing.reasons, demand.time, weighing.rank
    item.dimensions, item.principles = weighing.dimensions, weighing.principles
    item.chosen = weighing.chosen.option.name if weighing.chosen else None
    item.reserved = weighing.chosen.cost if weighing.chosen else 0
    item.stage = "approved" if weighing.chosen else "rejected" if weighing.decision == "reject" else "deferred"


def book(budget: Budget, item: PortfolioItem, weighing: Weighing) -> None:
    """Reserve what is funded, and keep in mind who waits."""
    budget.decided(item.id)
    budget.reserved += item.reserved
    if weighing.decision == "defer":
        budget.put_off(item.id, weighing.rank, weighing.claim)


def makes_room(before: Waiting | None, item: PortfolioItem, weighing: Weighing) -> bool:
    """Whether a demand that others ranked behind leaves them more money than it claimed, or falls back behind them."""
    if before is None or not before.claim:
        return False
    falls_back = weighing.chosen is None and weighing.rank < before.score
    return before.claim > max(item.reserved, weighing.claim) or falls_back


def decision_on(
    item: PortfolioItem, budget: Budget, weighing: Weighing, demand: DemandToWeigh
) -> PortfolioDecisionMade:
    """What is told of a weighing."""
    return PortfolioDecisionMade(
        reasons=weighing.reasons,
        basis=weighing.basis,
        demand=demand.demand,
        title=item.title,
        requester=item.requester,
        service=item.service,
        decision=weighing.decision,
        options=weighing.options,
        chosen=item.chosen,
        value=weighing.chosen.option.value if weighing.chosen else item.value,
        cost=item.reserved,
        quarter=demand.quarter,
        budget_left=budget.left,
        policy=demand.policy,
        policy_version=item.policy_edition,
        principles=weighing.principles,
        dimensions=weighing.dimensions,
        weighed_again_at=end_of(demand.quarter) if weighing.decision == "defer" else None,
        blueprint=blueprint_for(item, weighing.chosen, demand.time) if weighing.chosen else None,
    )


def counted(
    item: PortfolioItem, budget: Budget, weighing: Weighing, rules: FundingRules, now: datetime, *, first: bool
) -> DecisionCounted:
    """The decision, for the report of the day."""
    return DecisionCounted(
        period=day_of(now),
        quarter=budget.id,
        decision=weighing.decision,
        hours=max(now - (item.asked_at or now), timedelta()) / timedelta(hours=1),
        limit=rules.values["decision_hours"],
        waiting=len(budget.waiting),
        budget_total=budget.total,
        budget_bound=budget.reserved + budget.spent,
        kind=item.kind if first and item.kind else None,
    )


def agreement_for(item: PortfolioItem, weighing: Weighing, rules: FundingRules) -> list[AgreementToDecide]:
    """Ask for an agreement when what is approved is the market's, or dear."""
    chosen = weighing.chosen
    if chosen is None or (chosen.approach is not MARKET and chosen.cost < rules.values["agreement_from"]):
        return []
    return [
        AgreementToDecide(
            agreement=f"{item.service}-{item.id.hex[:12]}",
            demand=item.id,
            service=item.service,
            title=item.title,
            from_market=chosen.approach is MARKET,
            cost=chosen.cost,
            lead_time_hours=chosen.lead_time / timedelta(hours=1),
        )
    ]


def plan_review(quarter: str) -> PlanReviewed:
    """Have the portfolio plan looked at again: money has become scarcer, or less so."""
    return PlanReviewed(plan=plan_of("tactical", quarter), level="tactical", quarter=quarter)


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


def follow_change(report: ChangedServiceReported, item: PortfolioItem) -> list[FundingSettled]:
    """Keep what the parts cost; if they cannot be had, the demand cannot be met and its money is free."""
    if item.stage != "approved":
        return []
    item.obtained_for = report.cost
    return [item.settle("rejected", OBTAIN_BUILD, report.reasons)] if report.outcome == "not_obtainable" else []


def settle_funding(
    settled: FundingSettled, item: PortfolioItem, budget: Budget
) -> list[PortfolioDecisionMade | DemandReconsidered | InitiativeReconsidered | PlanReviewed]:
    """Spend what was reserved; or free it for the demands that wait, and tell that this one is rejected."""
    scarcity = budget.scarcity
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
        dimensions=item.dimensions,
        blueprint=None,
    )
    reviews = [plan_review(settled.quarter)] if budget.scarcity != scarcity else []
    return [decision, *budget.woken(), *reviews]


def to_weigh(item: PortfolioItem, now: datetime) -> DemandToWeigh:
    """Have a demand weighed against the budget of the quarter it is now."""
    return DemandToWeigh(demand=item.id, service=item.service, quarter=quarter_of(now))


def service_for(title: str, demand: UUID) -> str:
    """The name in the portfolio of a service that has none yet, from the title of the demand for it."""
    return service_named(title) or f"service-{demand.hex[:8]}"
