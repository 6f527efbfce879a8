"""What is taken up of all that is found and said: by worth against cost, one initiative on a figure at a time."""

from collections.abc import Mapping
from typing import Never

from contracts.engage import ImprovementOpportunityIdentified
from contracts.event import Fact
from contracts.values import Rating
from services.chassis.state import Read
from services.improve.business_case import LEVERS, RATING_WORTH, propose
from services.improve.figures import Targets, Week, scope_of
from services.improve.model import (
    MOST_HEARD,
    InitiativeRaised,
    NeedFound,
    Remark,
    RemarkMade,
    Scope,
    ScopeFreed,
    Source,
    Stage,
    Watchlist,
)

ABOUT: Mapping[str, tuple[str, Source]] = {
    "feedback": ("satisfaction", "feedback"),
    "complaint": ("satisfaction", "complaint"),
    "review": ("value_realised", "review"),
    "supplier": ("sla_met", "supplier"),
    "trend": ("satisfaction", "performance"),
}
"""The figure that tells whether it became better, and what gave rise to it, by how it came to light."""
MILD: Rating = 3
SERIOUS: Rating = 2
"""What a complaint, and what any other remark stands for if nobody said how satisfied they are: mild, or serious."""
SAYING_THE_SAME = 20
"""So many demands that say the same count; what more there are changes no answer."""


def assess_feedback(opportunity: ImprovementOpportunityIdentified) -> list[RemarkMade]:
    """See which figure would show that what somebody said has become better, and have it weighed there."""
    measure, source = ABOUT[opportunity.source]
    others = [demand for demand in opportunity.demands if demand != opportunity.demand]
    return [
        RemarkMade(
            scope=scope_of(measure, opportunity.service),
            measure=measure,
            service=opportunity.service,
            source=source,
            title=opportunity.title,
            demands=(opportunity.demand, *dict.fromkeys(others))[:SAYING_THE_SAME],
            satisfaction=opportunity.satisfaction,
        )
    ]


def take_need(need: NeedFound, scope: Scope, week: Read[Week], targets: Read[Targets]) -> list[InitiativeRaised]:
    """Propose an initiative, with the remarks kept on the same figure; not while one works on it, or has just ended."""
    if scope.stage == "open" or scope.rests(need.time):
        return []
    proposal = propose(need, week.kpi(need.measure, targets, need.time), scope.remarks, targets)
    return [InitiativeRaised(initiative=scope.take("proposed"), stage="proposed", proposal=proposal)]


def take_remark(remark: RemarkMade, scope: Scope, week: Read[Week], targets: Read[Targets]) -> list[InitiativeRaised]:
    """Join it to what is open, refuse it, keep it until more say so, or propose what is worth more than it costs."""
    fresh = tuple(demand for demand in remark.demands if demand not in scope.heard)
    if not fresh:
        return []
    scope.heard = (*scope.heard, *fresh)[-MOST_HEARD:]
    rating = remark.satisfaction or (SERIOUS if remark.source == "complaint" else MILD)
    said = Remark(demands=fresh, rating=rating, worth=RATING_WORTH[rating] * len(fresh))
    stage, why = weigh_remark(said, remark, scope)
    remarks = (*scope.remarks, said) if stage in ("kept", "proposed") else (said,)
    kpi = week.kpi(remark.measure, targets, remark.time)
    proposal = propose(need_of(remark, remarks, why), kpi, remarks, targets)
    initiative = scope.take(stage, remarks)
    return [InitiativeRaised(initiative=initiative, stage=stage, proposal=proposal)]


def free_scope(freed: ScopeFreed, scope: Scope, watchlist: Watchlist) -> list[Never]:
    """The figure is free for the next initiative, after a rest in which the effect of this one shows."""
    watchlist.leave(freed.initiative)
    if scope.initiative == freed.initiative:
        scope.initiative, scope.stage, scope.remarks = "", "free", ()
        scope.closed_at, scope.closed_as = freed.time if freed.rests else None, freed.closed_as
    return []


def weigh_remark(said: Remark, remark: RemarkMade, scope: Scope) -> tuple[Stage, str]:
    """What becomes of a remark, and why: its worth and that of others before it against the cost of acting on it."""
    if scope.stage == "open":
        return "joined", f"It belongs to {scope.initiative}, which is open already."
    if said.worth == 0:
        return "refused", f"Who says so is content ({said.rating} of 5): there is nothing to mend."
    if scope.rests(remark.time):
        return (
            "refused",
            f"The last improvement of this has just ended ({scope.closed_as}): its effect has to show first.",
        )
    worth, cost = said.worth + sum(one.worth for one in scope.remarks), LEVERS[remark.measure].cost
    voices = len(said.demands) + sum(len(one.demands) for one in scope.remarks)
    beside = f"to act on it is worth {worth} euros a year by how satisfied they are, and costs {cost} euros"
    if worth < cost:
        return "kept", f"{voices} said so; {beside}: it is kept until more say so."
    return "proposed", f"{voices} said so; {beside}."


def need_of(remark: RemarkMade, remarks: tuple[Remark, ...], why: str) -> NeedFound:
    """What was said as a need: where nothing else has been measured, their own satisfaction is the baseline."""
    mean = round(sum(one.rating for one in remarks) / len(remarks), 4)
    need = NeedFound(
        scope=remark.scope,
        measure=remark.measure,
        service=remark.service,
        source=remark.source,
        why=f"Somebody says of {remark.service or 'the organisation'}: {remark.title}. {why}",
        facts=(
            Fact(name="satisfaction", value=mean, source="those who said so"),
            Fact(name="voices", value=sum(len(one.demands) for one in remarks), source="those who said so"),
        ),
        weight=0,
        said=mean if remark.measure == "satisfaction" else None,
    )
    return need.at(remark.time)
