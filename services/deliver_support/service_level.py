"""Service level and supplier management: what support has promised, and whether what it rests on lets it be kept."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal, Never

from contracts.deliver_support import SupportAgreementNeeded
from contracts.engage import AgreementConcluded, ThirdPartyServiceReported
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned, PlanPublished
from contracts.service_hours import AROUND_THE_CLOCK, ServiceHours, longest
from contracts.values import Term
from services.chassis.state import Read
from services.deliver_support.model import (
    Goal,
    Initiative,
    LiveService,
    NeededAgreement,
    Outlook,
    PlanEdition,
    Promise,
    SuppliedService,
    Supplier,
    SupplierConcerned,
    SupplierState,
    SupportWeighed,
)
from services.deliver_support.problem_model import ProblemsReviewed

TIME_TO_RESTORE = 24.0
"""Within how many hours a service is to be restored, while neither agreement nor plan says otherwise."""
GOALS = frozenset({"time-to-restore", "recurrence"})
"""The objectives that support works by."""
HOURS: Mapping[str, float] = {"minutes": 1 / 60, "minute": 1 / 60, "hours": 1, "hour": 1, "h": 1, "days": 24, "day": 24}
"""The units that a promise of time may have."""
HOUR = timedelta(hours=1)
MOST_HOURS = 87_600
"""Ten years: a longer promise promises nothing."""
MOST_PLANS, MOST_INITIATIVES, MOST_PROMISES, MOST_OFFERS = 50, 100, 500, 100
"""Kept in one row: the newest, as older ones hold no longer."""
STAGES = ("proposed", "deferred", "approved", "refused", "ended", "kept")
"""Of an initiative, in their order: a later one holds, whatever is heard first."""


def hours_of(terms: Iterable[Term], name: str) -> float | None:
    """What is promised under this name, in hours; None if nothing is that can be kept."""
    for term in terms:
        hours = term.value * HOURS.get(term.unit.strip().lower(), -1)
        if term.name == name and 0 <= hours <= MOST_HOURS:
            return hours
    return None


def follow_plan(plan: PlanPublished, outlook: Outlook) -> list[Never]:
    """Go by the targets of the newest version of each plan."""
    known = next((one for one in outlook.plans if one.plan == plan.plan), None)
    if known is not None and known.version >= plan.version:
        return []
    others = tuple(one for one in outlook.plans if one is not known)
    outlook.plans = (*others, PlanEdition(plan=plan.plan, version=plan.version))[-MOST_PLANS:]
    new = (
        Goal(plan=plan.plan, objective=one.objective, target=one.target)
        for one in plan.objectives
        if one.objective in GOALS
    )
    outlook.goals = (*(one for one in outlook.goals if one.plan != plan.plan), *new)
    return []


def note_initiative(initiated: ImprovementInitiated, outlook: Outlook) -> list[Never]:
    """Know what may be improved soon: nobody asks for the same twice."""
    advance(outlook, initiated, "proposed")
    return []


def follow_improvement_plan(planned: ImprovementPlanned, outlook: Outlook) -> list[ProblemsReviewed]:
    """Know what is going to be improved, and from when on; what was refused holds nobody back any more."""
    stages: Mapping[str, Literal["approved", "deferred", "refused"]] = {
        "approve": "approved", "defer": "deferred", "reject": "refused",
    }  # fmt: skip
    return advance(outlook, planned, stages[planned.decision])


def follow_initiative(reported: InitiativeStatusReported, outlook: Outlook) -> list[ProblemsReviewed]:
    """Know how an improvement has ended: what was kept stays, anything else is as it was before."""
    if reported.status != "closed":
        return []
    return advance(outlook, reported, "kept" if reported.result == "kept" else "ended")


def advance(
    outlook: Outlook,
    told: ImprovementInitiated | ImprovementPlanned | InitiativeStatusReported,
    stage: Literal["proposed", "deferred", "approved", "refused", "kept", "ended"],
) -> list[ProblemsReviewed]:
    """Note how far an initiative has come; when it is over, the problems of its service are looked at again."""
    known = next((one for one in outlook.initiatives if one.initiative == told.initiative), None)
    starts_at = told.starts_at if isinstance(told, ImprovementPlanned) else None
    if known is not None and STAGES.index(known.stage) >= STAGES.index(stage):
        # Its start may come after its end.
        if known.starts_at is None and starts_at is not None and known.stage == "kept":
            replace(outlook, known.model_copy(update={"starts_at": starts_at}))
        return []
    starts_at = starts_at or (known.starts_at if known else None)
    service = told.service or (known.service if known else None)
    measure = told.measure or (known.measure if known else "")
    new = Initiative(initiative=told.initiative, measure=measure, service=service, stage=stage, starts_at=starts_at)
    replace(outlook, new)
    return [ProblemsReviewed(service=service)] if service and not new.open else []


def replace(outlook: Outlook, initiative: Initiative) -> None:
    """Put an initiative into its place; of too many, one that is over goes first."""
    others = [one for one in outlook.initiatives if one.initiative != initiative.initiative]
    if len(others) >= MOST_INITIATIVES:
        over = (one for one in others if one.stage in ("refused", "ended"))
        others.remove(next(over, others[0]))
    outlook.initiatives = (*others, initiative)


def keep_promise(concluded: AgreementConcluded, outlook: Outlook, service: Read[LiveService]) -> list[SupportWeighed]:
    """Work by the promises of an agreement while it holds, and have weighed whether what the service rests on can."""
    known = next((one for one in outlook.promises if one.agreement == concluded.agreement), None)
    if known is not None and known.version >= concluded.version:
        return []
    others = [one for one in outlook.promises if one is not known]
    if len(others) >= MOST_PROMISES:
        others.remove(next((one for one in others if not one.in_force), others[0]))
    promise = Promise(
        agreement=concluded.agreement,
        version=concluded.version,
        kind=concluded.kind,
        in_force=concluded.state == "in_force",
        service=concluded.service,
        counterparty=concluded.counterparty,
        respond=hours_of(concluded.terms, "respond"),
        resolve=hours_of(concluded.terms, "resolve"),
        service_hours=concluded.service_hours,
        valid_from=concluded.valid_from,
        valid_until=concluded.valid_until,
    )
    outlook.promises = (*others, promise)
    parties = {one.supplier for one in service.suppliers}
    inside = {
        one.counterparty for one in outlook.promised(service.id, concluded.time) if one.kind == "operational_level"
    }
    return [support_weighed(service.id, party, "underpinning_contract") for party in sorted(parties)] + [
        support_weighed(service.id, party, "operational_level") for party in sorted(inside)
    ]


def support_weighed(
    service: str, party: str, kind: Literal["operational_level", "underpinning_contract"]
) -> SupportWeighed:
    """Have weighed whether a party is fast enough for a service; its agreement has one id for good."""
    slug = re.sub(r"[^a-z0-9]+", "-", party.lower()).strip("-")
    return SupportWeighed(agreement=f"support-{service}-{slug}", service=service, party=party, kind=kind)


def follow_supplier(reported: ThirdPartyServiceReported, supplier: Supplier) -> list[SupplierConcerned]:
    """Pass on how a supplier stands to each service that rests on it, or did so until now."""
    known = next((one for one in supplier.offers if one.offer == reported.service), None)
    if known is not None and known.version >= reported.version:
        return []
    others = tuple(one for one in supplier.offers if one is not known)
    new = SuppliedService(offer=reported.service, version=reported.version, supports=reported.supports)
    supplier.offers = (*others, new)[-MOST_OFFERS:]
    state = SupplierState(
        supplier=reported.supplier,
        offer=reported.service,
        name=reported.name,
        version=reported.version,
        status=reported.status,
        resolve=hours_of(reported.terms, "resolve"),
        ends_at=reported.valid_until,
    )
    concerned = dict.fromkeys((*reported.supports, *(known.supports if known else ())))
    return [
        SupplierConcerned(service=service, state=state, rests=service in reported.supports) for service in concerned
    ]


def weigh_support(
    weighed: SupportWeighed, need: NeededAgreement, service: Read[LiveService], outlook: Read[Outlook]
) -> list[SupportAgreementNeeded]:
    """Ask for an agreement where what a service rests on is slower than what its support has to keep."""
    promised = outlook.promised(weighed.service, weighed.time)
    behind = promised_by(weighed, promised, service)
    need.service, need.party = weighed.service, weighed.party
    weighed_up = (
        (min((longest(time * HOUR, clock, hours) / HOUR for time, clock in behind), default=0.0), ours, why)
        for ours, hours, why in own_targets(promised, outlook)
    )
    slower = next(((theirs, ours, why) for theirs, ours, why in weighed_up if theirs > ours), None)
    if slower is None or need.hours == slower[1]:
        need.hours = slower and slower[1]
        return []
    theirs, need.hours, why = slower
    purpose = f"{why} {weighed.party}, on whom it rests, resolves within {theirs:g} hours only."
    return [
        SupportAgreementNeeded(
            agreement=weighed.agreement,
            kind=weighed.kind,
            title=f"Support of {service.title or weighed.service} by {weighed.party}",
            service=weighed.service,
            counterparty=weighed.party,
            terms=(Term(name="resolve", value=need.hours, unit="hours"),),
            purpose=purpose,
            needed_by=weighed.time,
        )
    ]


def own_targets(promised: Iterable[Promise], outlook: Outlook) -> list[tuple[float, ServiceHours, str]]:
    """Within how many hours support has to restore a service, of which hours of service, and who says so."""
    consumers = (one for one in promised if one.kind == "service_level")
    agreed = sorted((one.resolve, one.agreement, one.service_hours) for one in consumers if one.resolve is not None)
    if agreed:
        why = "The agreement {} promises that incidents are resolved within {:g} hours."
        return [(hours, clock, why.format(agreement, hours)) for hours, agreement, clock in agreed]
    hours = outlook.goal("time-to-restore", TIME_TO_RESTORE)
    return [(hours, AROUND_THE_CLOCK, f"The service is to be restored within {hours:g} hours.")]


def promised_by(
    weighed: SupportWeighed, promised: Iterable[Promise], service: LiveService
) -> list[tuple[float, ServiceHours]]:
    """What a party promises of resolving, in hours, and of which: by agreements that hold, and by what it offers."""
    agreed = [
        (one.resolve, one.service_hours)
        for one in promised
        if one.kind == weighed.kind and one.counterparty == weighed.party
    ]
    offered = [(one.resolve, AROUND_THE_CLOCK) for one in service.suppliers if one.supplier == weighed.party]
    return [(hours, clock) for hours, clock in (*agreed, *offered) if hours is not None]
