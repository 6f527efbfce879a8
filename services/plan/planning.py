"""Planning: the plans of three levels are looked at when something changes and each day, and told when they change."""

from datetime import datetime
from typing import Never
from uuid import UUID

from contracts.engage import DemandConsolidated
from contracts.improve import ChainPerformanceReported
from contracts.plan import Objective, PlanPublished
from services.chassis.outputs import Later
from services.chassis.state import Read, State
from services.plan.dimensions import OVERLOADED
from services.plan.model import (
    WATCHED,
    Budget,
    BudgetReviewed,
    ChainPerformance,
    DemandNoticed,
    PlanReviewed,
    Policy,
    day_of,
    end_of,
    next_day,
    plan_of,
    plan_reviews,
    quarter_of,
)
from services.plan.strategy import (
    TITLE_OF,
    DemandVolume,
    Knowledge,
    direction_for,
    facts_for,
    objectives_for,
    status_of,
    vision_of,
)


class PublishedPlan(State[str], by="plan"):
    """A plan as it was told last."""

    edition: int = 0
    level: str = ""
    vision: str = ""
    status: str = ""
    direction: str = ""
    objectives: tuple[Objective, ...] = ()
    reasons: tuple[str, ...] = ()
    published_at: datetime | None = None
    due_at: datetime | None = None
    next_review_at: datetime | None = None
    """When it is looked at next, even if nothing has happened."""

    def target(self, objective: str) -> Objective | None:
        """The objective of this id; None if the plan has none."""
        return next((one for one in self.objectives if one.objective == objective), None)


class HeardDemand(State[UUID], by="demand"):
    """A demand that Plan does not decide on, so that it is counted once."""

    kind: str = ""


def notice_demand(demand: DemandConsolidated, heard: HeardDemand) -> list[DemandNoticed]:
    """Count a demand that is not weighed here: what comes in most directs the plans."""
    if heard.kind:
        return []
    heard.kind = demand.kind
    noticed = DemandNoticed(period=day_of(demand.time), quarter=quarter_of(demand.time), kind=demand.kind)
    return [noticed]


def count_demand(noticed: DemandNoticed, volume: DemandVolume) -> list[Never]:
    """Add it to the demand of its quarter."""
    volume.add(noticed.quarter, noticed.kind)
    return []


def note_performance(report: ChainPerformanceReported, known: ChainPerformance) -> list[BudgetReviewed | PlanReviewed]:
    """Keep the newest figures. A verdict that turns changes the plans; relief gives deferred demands another chance."""
    if (report.period, report.version) <= (known.period, known.report):
        return []
    before, busy_before = {kpi.name for kpi in known.kpis if kpi.met is False}, known.bottleneck
    full_before = known.bottleneck_waiting >= OVERLOADED
    known.period, known.report, known.kpis = report.period, report.version, report.kpis
    known.bottleneck, known.bottleneck_waiting = report.bottleneck or "", report.bottleneck_waiting or 0
    missed, quarter = {kpi.name for kpi in report.kpis if kpi.met is False}, quarter_of(report.time)
    moved = busy_before != known.bottleneck
    eased = full_before and (moved or known.bottleneck_waiting < OVERLOADED)
    relieved = (before & set(WATCHED) and not missed & set(WATCHED)) or eased
    turned = before != missed or moved
    return [
        *([BudgetReviewed(quarter=quarter)] if relieved else []),
        *(plan_reviews(quarter) if turned else []),
    ]


def review_plan(
    review: PlanReviewed,
    plan: PublishedPlan,
    policy: Read[Policy],
    budget: Read[Budget],
    performance: Read[ChainPerformance],
    volume: Read[DemandVolume],
) -> list[PlanPublished | Later | BudgetReviewed | PlanReviewed]:
    """Derive a plan anew, and tell it when a target or the direction has changed, or its time is over."""
    if end_of(review.quarter) <= review.time:  # it was held up into the next quarter
        return [review_in(quarter_of(review.time), review)]
    known = Knowledge(policy, budget, performance, volume, review.time)
    timer = next_review(review, plan)
    objectives, reasons = objectives_for(review, known)
    direction, why = direction_for(review.level, known)
    targets = {one.objective: one.target for one in objectives}
    unchanged = targets == {one.objective: one.target for one in plan.objectives} and direction == plan.direction
    if unchanged and plan.due_at is not None and review.time < plan.due_at:
        return [*timer]
    first = plan.edition == 0
    plan.edition, plan.level, plan.published_at = plan.edition + 1, review.level, review.time
    plan.vision, plan.status, plan.direction = vision_of(known), status_of(known), direction
    plan.objectives, plan.reasons, plan.due_at = objectives, (why, *reasons), objectives[0].due_at
    published = published_plan(review, plan, known)
    woken = [BudgetReviewed(quarter=review.quarter)] if first else []  # initiatives may wait for its objectives
    return [published, *timer, *woken]


def published_plan(review: PlanReviewed, plan: PublishedPlan, known: Knowledge) -> PlanPublished:
    """What is told of a plan."""
    tactical = review.level == "tactical"
    return PlanPublished(
        reasons=plan.reasons,
        basis=facts_for(review, known),
        plan=review.plan,
        version=plan.edition,
        level=review.level,
        title=TITLE_OF[review.level],
        vision=plan.vision,
        status=plan.status,
        direction=plan.direction,
        objectives=plan.objectives,
        valid_from=review.time,
        valid_until=end_of(review.quarter) if tactical else None,
    )


def next_review(review: PlanReviewed, plan: PublishedPlan) -> list[Later]:
    """The timer of the next day, if none is running; with the quarter the plan of the next one takes over."""
    if plan.next_review_at is not None and plan.next_review_at > review.time:
        return []
    at = next_day(review.time)
    if review.level == "tactical" and quarter_of(at) < review.quarter:  # granted early: its first day is its first look
        at = beginning_of(review.quarter)
    plan.next_review_at = at
    return [Later(at, review_in(quarter_of(at), review))]


def review_in(quarter: str, review: PlanReviewed) -> PlanReviewed:
    """Look at the plan of the same level in a later quarter."""
    return PlanReviewed(plan=plan_of(review.level, quarter), level=review.level, quarter=quarter)


def beginning_of(quarter: str) -> datetime:
    """The moment at which a quarter begins."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return end_of(f"{year}-Q{number - 1}" if number > 1 else f"{year - 1}-Q4")
