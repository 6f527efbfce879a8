"""Continual improvement: which initiatives are taken into the plans, and what becomes of their money."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from contracts.event import Fact
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned, PortfolioVerdict
from services.chassis.outputs import Later
from services.chassis.state import Read, State
from services.plan.funding import PLANNED, FundingRules, funding_rules
from services.plan.model import (
    Budget,
    DemandReconsidered,
    ImprovementProved,
    InitiativeReconsidered,
    InitiativeSettled,
    InitiativeToWeigh,
    Policy,
    Proposal,
    end_of,
    plan_of,
    quarter_of,
)
from services.plan.planning import PublishedPlan
from services.plan.strategy import AIMS, objective_id

SERVES = {
    "escalations": "sla_met",
    "obtaining_cost": "value_realised",
    "decisions_waiting": "satisfaction",
    "flow_time": "satisfaction",
}
"""The objective that a key figure without one of its own serves."""
TRIED = 0.5
"""What of its money an improvement has used that is not kept: it was made, but nothing is rolled out."""


class Initiative(State[str], by="initiative"):
    """An initiative of Improve as Plan knows it, and what was decided about it."""

    stage: Literal["unknown", "weighing", "deferred", "approved", "rejected", "closed"] = "unknown"
    title: str = ""
    subject: Literal["products", "services", "chain"] = "chain"
    objective: str = ""
    """The objective that it serves, in the plan of its level; empty if no plan has such a one."""
    level: Literal["", "strategic", "tactical", "operational"] = ""
    measure: str = ""
    service: str | None = None
    demands: tuple[UUID, ...] = ()
    owner: str = ""
    value: int = 0
    cost: int = 0
    quarter: str = ""
    reserved: int = 0
    result: str = ""
    reasons: tuple[str, ...] = ()
    decided_at: datetime | None = None

    @property
    def score(self) -> float:
        """What it brings a year for each euro; the higher the sooner it is funded."""
        return round(self.value / max(self.cost, 1), 4)


class Verdict(NamedTuple):
    """What is decided about an initiative."""

    decision: PortfolioVerdict
    reasons: tuple[str, ...]
    objective: str | None
    claim: int = 0
    """What it takes as soon as that is there; 0 if it waits for something else than money, or for nothing."""


def take_up_initiative(initiated: ImprovementInitiated, initiative: Initiative) -> list[InitiativeToWeigh]:
    """Take an initiative into the plans' pipeline, find the objective that it serves, and have it weighed once."""
    if initiative.stage != "unknown":
        return []
    measure = objective_measure(initiated)
    initiative.stage, initiative.title, initiative.subject = "weighing", initiated.title, initiated.subject
    initiative.objective, initiative.level = (objective_id(measure), AIMS[measure].level) if measure else ("", "")
    initiative.measure, initiative.service, initiative.demands = initiated.measure, initiated.service, initiated.demands
    initiative.owner, initiative.value, initiative.cost = initiated.owner, initiated.value, initiated.cost
    return [initiative_to_weigh(initiative, initiated.time)]


def objective_measure(initiated: ImprovementInitiated) -> str:
    """The key figure of the objective that an initiative serves; empty if plans have none for it."""
    named = (initiated.objective or "").replace("-", "_")
    found = (name for name in (named, initiated.measure, SERVES.get(initiated.measure, "")) if name in AIMS)
    return next(found, "")


def reconsider_initiative(again: InitiativeReconsidered, initiative: Initiative) -> list[InitiativeToWeigh]:
    """Weigh an initiative that is still deferred against the budget of the quarter it is now."""
    return [initiative_to_weigh(initiative, again.time)] if initiative.stage == "deferred" else []


def initiative_to_weigh(initiative: Initiative, now: datetime) -> InitiativeToWeigh:
    """Weigh it in the quarter it is now, by the plan that its objective belongs to."""
    quarter = quarter_of(now)
    plan = plan_of(initiative.level, quarter)
    return InitiativeToWeigh(initiative=initiative.id, quarter=quarter, plan=plan)


def plan_improvement(
    weighed: InitiativeToWeigh,
    initiative: Initiative,
    budget: Budget,
    policy: Read[Policy],
    plan: Read[PublishedPlan],
) -> list[ImprovementPlanned | Later | DemandReconsidered | InitiativeReconsidered]:
    """Take it into the plans, put it off until plan or money is there, or refuse it. Staying deferred is no news."""
    if initiative.stage not in ("weighing", "deferred"):
        return []
    rules = funding_rules(policy, weighed.time)
    verdict = judge(initiative, budget, rules, plan)
    put_off_already = (initiative.stage, initiative.quarter) == ("deferred", weighed.quarter)
    before = next((one for one in budget.proposals if one.initiative == initiative.id), None)
    basis = facts_for(initiative, budget, rules, plan)
    initiative.quarter, initiative.reasons, initiative.decided_at = weighed.quarter, verdict.reasons, weighed.time
    budget.initiative_decided(initiative.id)
    approved = verdict.decision == "approve"
    if approved:
        initiative.stage, initiative.reserved = "approved", initiative.cost
        budget.reserved += initiative.cost
        budget.improving += initiative.cost
    elif verdict.decision == "reject":
        initiative.stage = "rejected"
    else:
        initiative.stage = "deferred"
        budget.put_off_initiative(proposal(initiative, verdict.claim))
    makes_room = before is not None and before.claim > max(initiative.reserved, verdict.claim)
    woken = [one for one in budget.woken() if one.case != initiative.id] if makes_room else []
    if verdict.decision == "defer" and put_off_already:
        return [*woken]
    period = timedelta(hours=min(rules.values["improvement_hours"], 24 * 3650))
    planned = ImprovementPlanned(
        reasons=verdict.reasons,
        basis=basis,
        initiative=initiative.id,
        title=initiative.title,
        decision=verdict.decision,
        subject=initiative.subject,
        objective=verdict.objective,
        owner=initiative.owner,
        cost=initiative.reserved,
        quarter=weighed.quarter,
        starts_at=weighed.time if approved else None,
        due_at=weighed.time + period if approved else None,
        measure=initiative.measure,
        service=initiative.service,
        demands=initiative.demands,
    )
    again = [Later(end_of(weighed.quarter), InitiativeReconsidered(initiative=initiative.id))]
    return [planned, *(again if verdict.decision == "defer" else []), *woken]


def proposal(initiative: Initiative, claim: int = 0) -> Proposal:
    """Its place among the initiatives that wait."""
    return Proposal(initiative=initiative.id, score=initiative.score, claim=claim)


def judge(initiative: Initiative, budget: Budget, rules: FundingRules, plan: PublishedPlan) -> Verdict:
    """Whether a plan wants it, whether it is worth its money, and whether the improvement share has that."""
    if not initiative.objective or (plan.edition and plan.target(initiative.objective) is None):
        return Verdict("reject", (f"No plan has an objective that {initiative.measure} serves.",), None)
    if not plan.edition:
        waits = f"The plan that is to have the objective {initiative.objective} is not published yet."
        return Verdict("defer", (waits,), None)
    cost, worth, least = initiative.cost, initiative.score, rules.values["min_value_cost_ratio"]
    if worth < least:
        short = f"{initiative.value} euros a year for {cost} euros is less than {least:g} euros a year for each euro."
        return Verdict("reject", (short,), initiative.objective)
    if reasons := obstacles(initiative, budget, rules):
        allowed = cost <= rules.values["approval_threshold"]
        return Verdict("defer", reasons, initiative.objective, claim=cost if allowed else 0)
    target = plan.target(initiative.objective)
    aimed = f"{target.target:g} {target.unit}" if target else ""
    why = (
        f"It serves the objective {initiative.objective} ({aimed}) of the plan {plan.id} v{plan.edition}.",
        f"It brings {initiative.value} euros a year for {cost} euros; {share_left(budget, rules)} euros are left of the"
        f" share of {budget.id} that is for improvements.",
    )
    return Verdict("approve", why, initiative.objective)


def obstacles(initiative: Initiative, budget: Budget, rules: FundingRules) -> tuple[str, ...]:
    """What it waits for: governance, money, or better initiatives; none if it can begin."""
    cost, threshold, reasons = initiative.cost, round(rules.values["approval_threshold"]), []
    left = min(share_left(budget, rules), budget.left)
    ahead = budget.better_initiatives(proposal(initiative), left)
    free = left - sum(one.claim for one in ahead)
    if cost > threshold:
        reasons.append(f"It costs {cost} euros; above {threshold} governance has to allow it.")
    if cost > left:
        share, of = f"{rules.values['improvement_share']:.0%}", f"{budget.total} euros of {budget.id}"
        reasons.append(f"It costs {cost} euros; of the {share} for improvements of the {of}, {left} can be had.")
    elif cost > free:
        better = f"{len(ahead)} waiting initiatives bring more than its {initiative.score:g} euros a year for each euro"
        reasons.append(f"It costs {cost} euros; {better} and come first, so {free} can be had of {budget.id}.")
    return tuple(reasons)


def share_left(budget: Budget, rules: FundingRules) -> int:
    """Euros that improvements may still take of the quarter."""
    return max(0, round(budget.total * rules.values["improvement_share"]) - budget.improving)


def facts_for(initiative: Initiative, budget: Budget, rules: FundingRules, plan: PublishedPlan) -> tuple[Fact, ...]:
    """Every value that the decision on an initiative uses, with its source."""
    proposed, money, aim = f"initiative {initiative.id}", f"budget {budget.id}", plan.target(initiative.objective)
    aimed = [Fact(name="target", value=aim.target, source=f"plan {plan.id} v{plan.edition}")] if aim else []
    return (
        Fact(name="value", value=initiative.value, source=proposed),
        Fact(name="cost", value=initiative.cost, source=proposed),
        Fact(name="measure", value=initiative.measure, source=proposed),
        Fact(name="budget total", value=budget.total, source=money),
        Fact(name="budget left", value=budget.left, source=money),
        Fact(name="left for improvements", value=share_left(budget, rules), source=money),
        Fact(name="edition of the plan", value=plan.edition, source=f"plan {plan.id}"),
        *aimed,
        *rules.facts(PLANNED),
    )


def follow_initiative(
    status: InitiativeStatusReported, initiative: Initiative
) -> list[InitiativeSettled | ImprovementProved]:
    """When it is over, its money is spent or free again; what a kept one has reached becomes policy."""
    if status.status != "closed" or initiative.stage == "closed":
        return []
    approved, kept = initiative.stage == "approved", status.result == "kept"
    amount, initiative.reserved = initiative.reserved, 0
    initiative.stage, initiative.result = "closed", status.result or ""
    if not initiative.quarter:  # it was over before Plan has heard of it
        return []
    spent = amount if kept else round(amount * TRIED) if status.result else 0
    settled = InitiativeSettled(initiative=initiative.id, quarter=initiative.quarter, amount=amount, spent=spent)
    if not (approved and kept) or status.measured is None:
        return [settled]
    proved = ImprovementProved(
        initiative=initiative.id,
        title=initiative.title,
        subject=initiative.subject,
        measure=initiative.measure,
        service=initiative.service,
        reached=status.measured,
        unit=status.unit,
    )
    return [settled, proved]


def settle_initiative(settled: InitiativeSettled, budget: Budget) -> list[DemandReconsidered | InitiativeReconsidered]:
    """Spend what an initiative has used; the rest is free again for those that wait."""
    budget.initiative_decided(settled.initiative)
    budget.reserved -= settled.amount
    budget.spent += settled.spent
    freed = settled.amount - settled.spent
    budget.improving -= freed
    return budget.woken() if freed else []
