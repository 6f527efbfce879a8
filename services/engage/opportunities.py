"""Opportunities: a chance to win or keep business goes on once it is worth what the portfolio's plan asks of one."""

from datetime import datetime
from typing import Literal, NamedTuple

from contracts.engage import OpportunityIdentified
from contracts.outside import MarketingOpportunityReported
from contracts.plan import PlanPublished
from services.chassis.outputs import Answer, Later, refusal
from services.chassis.state import Read
from services.engage.ledgers import (
    MOST_OPEN,
    MOST_PLANS,
    Direction,
    Opportunity,
    OpportunityEnded,
    OpportunityLapsed,
    OpportunityWeighed,
    PlanEdition,
    Tally,
    Target,
)
from services.engage.reports import OBJECTIVES, period_of
from services.engage.views import OpportunityView

WORTH = "opportunity-value"
"""The objective that says what an opportunity must be worth, euros a year."""
USUAL_WORTH = 10_000.0
"""What it must be worth while no plan says so."""
KEEPING = frozenset({"likely_to_leave", "renewal_due"})
KEEPING_SHARE = 0.5
"""To keep a customer costs less than to win one: such a chance need be worth this share of the target."""
STATED = (
    "customer",
    "relationship",
    "segment",
    "signal",
    "title",
    "text",
    "service",
    "value",
    "probability",
    "closes_at",
)
"""What is kept of a report, column by column."""


class Weighing(NamedTuple):
    """How an opportunity stands, and why."""

    stage: Literal["identified", "qualified"]
    reason: str


def report_opportunity(
    reported: MarketingOpportunityReported, opportunity: Opportunity, direction: Direction
) -> list[Answer | OpportunityIdentified | Later]:
    """Note a chance and weigh it; one that was won or lost, or is gone already, is not begun again."""
    if opportunity.stage in ("won", "lost"):
        hint = f"It is {opportunity.stage}: {opportunity.reason}. Report a new one under an id of its own."
        return [refusal(409, "It has ended", hint)]
    if reported.closes_at and reported.closes_at <= reported.time:
        return [refusal(422, "The chance is gone already", "closes_at must be later than now; leave it out if open.")]
    before = opportunity.model_copy()
    for name in STATED:
        setattr(opportunity, name, getattr(reported, name))
    opportunity.stage, opportunity.reason = weigh(opportunity, direction, reported.time)
    if opportunity == before:
        return [Answer(200, OpportunityView.of(opportunity))]
    direction.open = (*(one for one in direction.open if one != opportunity.id), opportunity.id)[-MOST_OPEN:]
    closes_at = opportunity.closes_at
    lapse = OpportunityLapsed(opportunity=opportunity.id, closes_at=closes_at) if closes_at else None
    later = [Later(closes_at, lapse)] if closes_at and lapse and closes_at != before.closes_at else []
    return [Answer(200, OpportunityView.of(opportunity)), identified(opportunity), *later]


def weigh_opportunity(
    weighed: OpportunityWeighed, opportunity: Opportunity, direction: Read[Direction]
) -> list[OpportunityIdentified]:
    """Hold an open chance against what the plan asks now; it is told if that turns its stage."""
    if opportunity.stage not in ("identified", "qualified"):
        return []
    stage = opportunity.stage
    opportunity.stage, opportunity.reason = weigh(opportunity, direction, weighed.time)
    return [identified(opportunity)] if opportunity.stage != stage else []


def end_opportunity(
    ended: OpportunityEnded, opportunity: Opportunity, direction: Direction
) -> list[Answer | OpportunityIdentified]:
    """The business was won or lost; this is final."""
    if opportunity.stage is None:
        return [refusal(404, "There is no such opportunity", "`GET /opportunities` lists them.")]
    if opportunity.stage in ("won", "lost"):
        return [refusal(409, "It has ended", f"It is {opportunity.stage} already: {opportunity.reason}.")]
    opportunity.stage, opportunity.reason = ended.outcome, f"{ended.by}: {ended.reason}"
    direction.open = tuple(one for one in direction.open if one != opportunity.id)
    return [Answer(200, OpportunityView.of(opportunity)), identified(opportunity)]


def lose_opportunity(
    lapsed: OpportunityLapsed, opportunity: Opportunity, direction: Direction
) -> list[OpportunityIdentified]:
    """A chance that nobody has taken by its day is lost."""
    if opportunity.stage not in ("identified", "qualified") or opportunity.closes_at != lapsed.closes_at:
        return []
    opportunity.stage, opportunity.reason = "lost", "nobody had won it by the day on which it was to close"
    direction.open = tuple(one for one in direction.open if one != opportunity.id)
    return [identified(opportunity)]


def hear_plan(published: PlanPublished, direction: Direction) -> list[OpportunityWeighed | Tally]:
    """Keep the targets of the newest edition of each plan; what is open is weighed anew, and today's figures too."""
    known = next((kept.edition for kept in direction.plans if kept.plan == published.plan), 0)
    if published.version <= known:
        return []
    worth = direction.target(WORTH, published.time)
    others = (kept for kept in direction.plans if kept.plan != published.plan)
    direction.plans = (*others, PlanEdition(plan=published.plan, edition=published.version))[-MOST_PLANS:]
    kept = {plan.plan for plan in direction.plans} - {published.plan}
    direction.targets = (*(one for one in direction.targets if one.plan in kept), *targets_of(published))
    moved = direction.target(WORTH, published.time) != worth
    weighed = [OpportunityWeighed(opportunity=one) for one in direction.open if moved]
    return [*weighed, Tally(period=period_of(published.time))]


def targets_of(published: PlanPublished) -> list[Target]:
    """What a plan wants of the things that Engage decides or measures."""
    return [
        Target(
            plan=published.plan,
            edition=published.version,
            objective=objective.objective,
            target=objective.target,
            unit=objective.unit,
            valid_from=published.valid_from,
            valid_until=published.valid_until,
        )
        for objective in published.objectives
        if objective.objective in OBJECTIVES | {WORTH}
    ]


def weigh(opportunity: Opportunity, direction: Direction, time: datetime) -> Weighing:
    """Qualified is what is worth enough: value times probability, against what the plan of the portfolio asks."""
    wanted = direction.target(WORTH, time)
    asked = wanted.target if wanted else USUAL_WORTH
    source = (
        f"plan {wanted.plan} (edition {wanted.edition})" if wanted else "the usual, because no plan says otherwise,"
    )
    keeping = opportunity.relationship == "current" and opportunity.signal in KEEPING
    least = asked * KEEPING_SHARE if keeping else asked
    worth = opportunity.value * opportunity.probability
    less = f", and {least:,.0f} to keep a customer" if keeping else ""
    holds = "reaches" if worth >= least else "is below"
    weight = f"By its probability it is worth {worth:,.0f} euros a year"
    reason = f"{weight}; that {holds} what {source} asks: {asked:,.0f}{less}."
    return Weighing("qualified" if worth >= least else "identified", reason)


def identified(opportunity: Opportunity) -> OpportunityIdentified:
    """An opportunity as everybody is told it, with the reason for its stage."""
    assert opportunity.stage is not None, "only a reported one is told"
    return OpportunityIdentified(
        opportunity=opportunity.id,
        title=opportunity.title,
        text=f"{opportunity.text}\n\n{opportunity.reason}".strip(),
        customer=opportunity.customer,
        segment=opportunity.segment,
        service=opportunity.service,
        stage=opportunity.stage,
        value=opportunity.value,
        probability=opportunity.probability,
        closes_at=opportunity.closes_at,
    )
