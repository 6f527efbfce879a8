"""Consolidation: many who need the same are one demand, told to everybody with what its service must reach."""

import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from contracts.engage import (
    ChangeInitiationRequested,
    DemandConsolidated,
    ProjectChangeRequested,
    ServiceRequirementsStated,
)
from services.chassis.outputs import Answer, refusal
from services.chassis.state import READ, Read
from services.engage.model import (
    FINAL,
    Demand,
    DemandAccepted,
    DemandAltered,
    FirstEnded,
    Joined,
    KnownServices,
    MergeAccepted,
    MergeLeft,
    MergeProposed,
    Need,
    NeedStated,
    Segment,
    TriageNeeded,
)
from services.engage.notices import Told, spoken, tell, unknown
from services.engage.registers import Stakeholder
from services.engage.relationship_management import Closing, close, is_requester, known_as
from services.engage.service_level_management import put_in_segment, requirements_on, wanted_priority
from services.engage.views import DemandView

SPONSOR = "sponsor"
"""The role whose say it takes to spend a budget."""
MOST_MERGED = 100
"""Demands that one stands for; the next one on the same need begins a demand of its own, and stands for later ones."""
SMALL = frozenset(
    {
        "a", "an", "and", "are", "at", "be", "by", "can", "could", "do", "for", "from", "get", "give", "have", "i",
        "in", "is", "it", "make", "me", "my", "new", "of", "on", "or", "our", "please", "should", "some", "that",
        "the", "this", "to", "us", "want", "wants", "we", "with", "would", "you", "your",
    }
)  # fmt: skip
"""Words of a title that do not say what is needed."""

Stakeholders = Annotated[dict[str, Stakeholder], READ]
Consolidating = DemandConsolidated | ServiceRequirementsStated | MergeProposed | Told


def seek_need(accepted: DemandAccepted, demand: Demand, stakeholder: Read[Stakeholder]) -> list[NeedStated]:
    """Before a demand is told, look whether somebody has asked for the same."""
    if demand.status in FINAL:
        return []
    put_in_segment(demand, stakeholder)
    return [need_stated(demand)]


def seek_change(
    accepted: DemandAccepted, demand: Demand, stakeholder: Read[Stakeholder]
) -> list[NeedStated | Told | TriageNeeded]:
    """A change has to name the service that it changes; a person finds out which one is meant."""
    if demand.status in FINAL:
        return []
    if demand.service is None:
        demand.status = "unclassified"
        demand.reason = "it asks for a change, and does not say of which service that we know"
        told = tell(demand, f"We have received it. A person looks at it next, because {demand.reason}.")
        return [*told, TriageNeeded(demand=demand.id, title=demand.title, reason=demand.reason)]
    return [*seek_need(accepted, demand, stakeholder)]


def consolidate_demand(
    stated: NeedStated,
    demand: Demand,
    segment: Read[Segment],
    need: Need,
    stakeholders: Stakeholders,
    services: Read[KnownServices],
) -> list[Consolidating]:
    """Tell everybody a need that is understood, or have the one who needed it first stand for it."""
    if outdated(stated, demand):
        return []
    others = need.first is not None and need.first != demand.id and need.requester != known_as(demand.requester)
    if need.first and others and not (stated.alone or stated.again or demand.reopened):
        return [MergeProposed(demand=need.first, joining=joining(demand), stated=stated)]
    if need.first is None or stated.alone:
        need.first, need.requester = demand.id, known_as(demand.requester)
    return [*understand(stated, demand, segment, stakeholders, services)]


def initiate_change(
    stated: NeedStated,
    demand: Demand,
    segment: Read[Segment],
    need: Need,
    stakeholders: Stakeholders,
    services: Read[KnownServices],
) -> list[Consolidating | ChangeInitiationRequested]:
    """Consolidate a demand for a change, and ask for it within what its sponsor pays and by the day it is needed."""
    told = consolidate_demand(stated, demand, segment, need, stakeholders, services)
    if demand.status != "consolidated" or not any(isinstance(one, DemandConsolidated) for one in told):
        return [*told]
    money = authorised(demand, stakeholders)
    why = f"{demand.all_users} users would have it, and {demand.all_value} euros a year are expected of it."
    asked = f"{len(demand.merged)} more demands ask for the same." if demand.merged else ""
    initiated = ChangeInitiationRequested(
        demand=demand.id,
        title=demand.title,
        service=demand.service,
        justification=" ".join(part for part in (why, asked, money.reason) if part),
        requester=demand.requester,
        sponsor=money.sponsor,
        budget=money.budget,
        wanted_by=demand.wanted_by,
    )
    return [*told, initiated]


def join_need(proposed: MergeProposed, demand: Demand) -> list[MergeAccepted | NeedStated]:
    """Stand for a later demand on the same need, as long as nothing is decided; else it has to stand for itself."""
    joining, known = proposed.joining, {joined.demand for joined in demand.merged}
    if joining.demand in known:
        return []
    if demand.status not in ("consolidated", "deferred") or len(known) >= MOST_MERGED:
        return [proposed.stated.model_copy(update={"alone": True})]
    demand.merged = (*demand.merged, joining)
    accepted = MergeAccepted(demand=joining.demand, first=demand.id, title=demand.title)
    return [accepted, need_stated(demand, again=True)]


def settle_merge(accepted: MergeAccepted, demand: Demand) -> list[Closing | MergeLeft]:
    """Another demand stands for this one from now on: that is final, and its requester hears how the other goes on."""
    if demand.status in FINAL:
        return [] if demand.merged_into else [MergeLeft(demand=accepted.first, other=demand.id)]
    demand.merged_into = accepted.first
    reason = f"{accepted.title!r} asks for the same and came first"
    text = f"Somebody has asked for the same before ({accepted.title}): both go on as one, and you will be told how."
    if accepted.decided:
        reason = f"it is the same as {accepted.title!r}: {accepted.decided}"
        text = f"You have asked for it before ({accepted.title}): both go on as one, and you will be told how."
    return [*close(demand, "merged", accepted.time, reason, text)]


def leave_need(left: MergeLeft, demand: Demand) -> list[NeedStated]:
    """A demand that ended before it was merged does not count for the need."""
    kept = tuple(joined for joined in demand.merged if joined.demand != left.other)
    if kept == demand.merged:
        return []
    demand.merged = kept
    return [need_stated(demand, again=True)] if demand.status in ("consolidated", "deferred") else []


def tell_of_first(ended: FirstEnded, demand: Demand) -> list[Told]:
    """The requester of a merged demand hears how the one that stands for it came out."""
    return [*tell(demand, ended.text)] if demand.status == "merged" else []


def alter_demand(
    altered: DemandAltered, demand: Demand, stakeholder: Read[Stakeholder]
) -> list[Answer | ProjectChangeRequested | NeedStated | Told]:
    """What is not decided yet is weighed as altered; work under way is asked to change. Money takes a sponsor."""
    if refused := unalterable(altered, demand):
        return [refused]
    counts = SPONSOR in stakeholder.roles
    money = altered.more_budget if counts else 0
    void = f" The {altered.more_budget} euros do not count: {altered.stakeholder} is not registered as a sponsor."
    why = void if altered.more_budget and not counts else ""
    demand.wanted_by = altered.wanted_by or demand.wanted_by
    demand.budget = (demand.budget or 0) + money if money else demand.budget
    demand.sponsor = altered.stakeholder if money and not demand.sponsor else demand.sponsor
    if demand.status != "in_progress":
        demand.text = f"{demand.text}\n\n{altered.title}: {altered.scope}".strip()
        text = f"{altered.title}: it is weighed with this alteration.{why}"
        told = tell(demand, text)
        return [Answer(200, DemandView.of(demand)), need_stated(demand, again=True), *told]
    project = ProjectChangeRequested(
        demand=demand.id,
        change=altered.change or str(demand.id),
        title=altered.title,
        scope=f"{altered.scope}{why}",
        requester=demand.requester,
        more_budget=money,
        wanted_by=altered.wanted_by,
    )
    text = f"{altered.title}: those who work on it are asked to change it.{why}"
    told = tell(demand, text)
    return [Answer(200, DemandView.of(demand)), project, *told]


def unalterable(altered: DemandAltered, demand: Demand) -> Answer | None:
    """The refusal of an alteration; None if there is something to alter and they may."""
    if demand.status is None:
        return unknown()
    if not (is_requester(altered.stakeholder, demand) or known_as(demand.sponsor or "") == altered.stakeholder):
        return refusal(403, "It is not yours to alter", "Only the requester of a demand and its sponsor alter it.")
    if demand.status not in ("consolidated", "deferred", "in_progress") or not demand.weighed:
        hint = f"It is {demand.status}; altered is what waits for a portfolio decision, or is under way because of one."
        return refusal(409, "There is nothing to alter", hint)
    return None


def understand(
    stated: NeedStated,
    demand: Demand,
    segment: Segment,
    stakeholders: Mapping[str, Stakeholder],
    services: KnownServices,
) -> list[DemandConsolidated | ServiceRequirementsStated | Told]:
    """A need that is understood, with all who have it."""
    demand.status, demand.reason, demand.weighed = "consolidated", "it waits for the portfolio decision", True
    promise_by, money = demand.promised_by or stated.time, authorised(demand, stakeholders)
    consolidated = DemandConsolidated(
        demand=demand.id,
        title=demand.title,
        text=demand.need,
        kind=demand.kind,
        requester=demand.requester,
        segment=demand.segment,
        service=demand.service,
        tickets=demand.all_tickets,
        merged=tuple(joined.demand for joined in demand.merged),
        users=demand.all_users,
        value=demand.all_value,
        effort=None,
        budget=money.budget,
        wanted_priority=wanted_priority(demand, segment),
        wanted_by=demand.wanted_by,
        promise_by=promise_by,
        channel=demand.channel,
    )
    required = requirements_on(demand, segment, services)
    requirements = ServiceRequirementsStated(
        demand=demand.id,
        service=demand.service,
        segment=demand.segment,
        requirements=tuple(one.requirement for one in required),
        reasons=tuple(one.reason for one in required),
    )
    text = f"We have understood what you need, and weigh it next. Once approved, it is due by {spoken(promise_by)}."
    more = f"{len(demand.merged)} more have asked for the same; you go on as one." if demand.merged else ""
    return [consolidated, requirements, *tell(demand, " ".join(part for part in (text, more, money.reason) if part))]


class Money(NamedTuple):
    """What may be spent, whose say that is, and what has to be said about it."""

    budget: int | None
    sponsor: str | None
    reason: str


def authorised(demand: Demand, stakeholders: Mapping[str, Stakeholder]) -> Money:
    """A budget counts only with the say of a registered sponsor: the one that is named, else the requester."""
    if demand.budget is None:
        return Money(None, None, "")
    sponsor = demand.sponsor or demand.requester
    registered = stakeholders.get(known_as(sponsor))
    if registered and SPONSOR in registered.roles:
        return Money(demand.budget, sponsor, f"{sponsor} pays up to {demand.budget} euros.")
    missing = f"{sponsor} is not registered as a sponsor"
    return Money(None, None, f"The budget of {demand.budget} euros does not count: {missing}.")


def need_stated(demand: Demand, *, again: bool = False) -> NeedStated:
    """A demand as consolidation takes it up."""
    parties = (known_as(demand.requester), known_as(demand.sponsor or ""))
    return NeedStated(
        demand=demand.id,
        need=need_of(demand),
        segment=demand.segment,
        stakeholders=tuple(dict.fromkeys(party for party in parties if party)),
        again=again,
    )


def outdated(stated: NeedStated, demand: Demand) -> bool:
    """Whether a demand has ended, or was decided before it could be consolidated again."""
    return demand.status in FINAL or (stated.again and demand.status not in ("consolidated", "deferred"))


def need_of(demand: Demand) -> str:
    """What two demands must have in common to be one: the kind, the service, and the words that carry meaning."""
    words = sorted(set(re.findall(r"\w+", demand.title.lower())) - SMALL) or [str(demand.id)]
    return " ".join([demand.kind, demand.service or "-", *words])[:500]


def joining(demand: Demand) -> Joined:
    """A demand as the one that stands for it counts it."""
    return Joined(
        demand=demand.id,
        requester=demand.requester,
        users=demand.users,
        value=demand.value or 0,
        tickets=demand.tickets,
    )
