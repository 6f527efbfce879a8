"""Agreements from need to end: who needs which, whether an offer covers it, and whether a promise can be kept."""

from typing import Annotated

from contracts.deliver_support import SupportAgreementNeeded
from contracts.design_transition import ContractualAgreementNeeded
from contracts.engage import AgreementConcluded
from contracts.event import Message
from contracts.improve import ImprovementAgreementNeeded
from contracts.obtain_build import SupplierAgreementReported
from contracts.plan import AgreementRequired
from contracts.values import AgreementNeed
from services.chassis.outputs import Answer, refusal
from services.chassis.state import READ
from services.engage.agreement_register import (
    Concluded,
    Concluding,
    Ending,
    as_stated,
    conclude,
    concluded,
    end,
    objections,
    sought,
    wanted_terms,
)
from services.engage.promises import Promised, overpromised, price, shortfalls
from services.engage.registers import (
    MOST_DEPENDANTS,
    Agreement,
    AgreementLapsed,
    AgreementStated,
    AgreementTerminated,
    NeedOfAgreement,
    PartnersFound,
    PartnerSought,
    Refusal,
    ReliedUpon,
    SearchEnded,
    SupportLost,
    Wanted,
)
from services.engage.views import AgreementView


def require_agreement(need: AgreementRequired, agreement: Agreement) -> list[PartnerSought]:
    """Plan's decision rests on an agreement; what it may cost is bounded."""
    return note_need(need, need, agreement, need.counterparty, budget=need.budget)


def hear_design_need(need: ContractualAgreementNeeded, agreement: Agreement) -> list[PartnerSought]:
    """A design cannot do without a contract."""
    return note_need(need, need, agreement, need.counterparty)


def hear_support_need(need: SupportAgreementNeeded, agreement: Agreement) -> list[PartnerSought]:
    """Support cannot keep its targets without an agreement."""
    return note_need(need, need, agreement, need.counterparty)


def hear_improvement_need(need: ImprovementAgreementNeeded, agreement: Agreement) -> list[PartnerSought]:
    """An improvement takes an agreement, new or better than before."""
    return note_need(need, need, agreement, need.counterparty)


def hear_supplier(
    reported: SupplierAgreementReported, agreement: Agreement
) -> list[PartnerSought | Concluding | SupportLost]:
    """What a supplier signs holds; what it would sell under a contract is a need for one; what it refuses is over."""
    match reported.state:
        case "offered":
            need = AgreementNeed(
                agreement=reported.agreement,
                kind=reported.kind,
                title=reported.title,
                service=reported.service,
                terms=reported.terms,
                purpose=f"{reported.component or reported.service} would be bought from {reported.supplier} under it",
            )
            agreement.refusals = tuple(one for one in agreement.refusals if one.supplier != reported.supplier)
            return [*note_need(reported, need, agreement, reported.supplier)]
        case "signed":
            return [*take_signature(reported, agreement)]
        case "refused":
            return [*take_refusal(reported, agreement)]


def note_need(
    told: Message, need: AgreementNeed, agreement: Agreement, counterparty: str | None, budget: int | None = None
) -> list[PartnerSought]:
    """Keep what somebody needs of an agreement, and look for an offer if what is in force does not give it."""
    said = need.model_dump(include={"terms", "purpose", "demand", "needed_by"})
    kept = NeedOfAgreement(by=told.activity, counterparty=counterparty, budget=budget, **said)
    if kept in agreement.needs:
        return []
    agreement.needs = (*(old for old in agreement.needs if old.by != kept.by), kept)
    if agreement.kind is None:
        agreement.kind, agreement.title, agreement.service = need.kind, need.title, need.service
    if agreement.status == "in_force":
        lacking = shortfalls(agreement.terms, wanted_terms(agreement))
        agreement.reason = f"It holds, but {'; '.join(lacking)}." if lacking else "It gives all that is needed of it."
        if not lacking:
            return []
    else:
        agreement.status, agreement.reason = "wanted", f"{need.purpose.rstrip('.')}; nobody is found yet."
    wanted = Wanted(agreement=agreement.id, counterparty=sought(agreement), service=agreement.service)
    return [PartnerSought(wanted=wanted)]


def weigh_offers(found: PartnersFound, agreement: Agreement) -> list[Concluding]:
    """Conclude on the cheapest offer that covers every term; without one the agreement waits, and says what for."""
    if not agreement.needs or agreement.status not in ("wanted", "in_force", "expired"):
        return [SearchEnded(agreement=agreement.id)]
    if agreement.status == "in_force" and not shortfalls(agreement.terms, wanted_terms(agreement)):
        return [SearchEnded(agreement=agreement.id)]
    lacking = [(offer, objections(offer, agreement, found.time)) for offer in found.offers]
    fitting = [offer for offer, objection in lacking if not objection]
    if not fitting:
        reasons = [f"{offer.supplier} ({offer.offering}): {'; '.join(objection)}" for offer, objection in lacking]
        who = sought(agreement) or "any supplier"
        none = f"nothing is registered that {who} offers for {agreement.service}"
        holds = "It holds, but is not enough: no" if agreement.status == "in_force" else "No"
        agreement.reason = f"{holds} offer does: {'. '.join(reasons) or none}."
        return []
    best = min(fitting, key=lambda offer: (price(offer.terms) or 0.0, offer.supplier, offer.offering))
    agreement.counterparty, agreement.offering, agreement.terms = best.supplier, best.offering, best.terms
    agreement.depends_on, agreement.service_hours, agreement.signed_by = (), (), "the register"
    agreement.valid_from, agreement.valid_until = max(best.valid_from, found.time), best.valid_until
    agreement.reason = f"The offer {best.offering} of {best.supplier} covers all that is needed."
    return [*conclude(agreement), SearchEnded(agreement=agreement.id)]


def conclude_agreement(
    stated: AgreementStated, agreement: Agreement, others: Annotated[dict[str, Agreement], READ]
) -> list[Answer | Concluded | ReliedUpon]:
    """What both sides have agreed holds, unless its promises are shorter than what they rest on allows."""
    if refused := impossible(stated, others):
        return [refused]
    if agreement.status == "in_force" and as_stated(agreement, stated):
        return [Answer(200, AgreementView.of(agreement))]
    agreement.kind, agreement.title, agreement.service = stated.kind, stated.title, stated.service
    agreement.counterparty, agreement.offering, agreement.terms = stated.counterparty, None, stated.terms
    agreement.depends_on, agreement.signed_by = stated.depends_on, "the parties"
    agreement.service_hours = stated.service_hours
    agreement.valid_from, agreement.valid_until = stated.valid_from, stated.valid_until
    lacking = shortfalls(stated.terms, wanted_terms(agreement))
    agreement.reason = f"Both sides have agreed; still, {'; '.join(lacking)}." if lacking else "Both sides have agreed."
    relied = [ReliedUpon(agreement=name, by=agreement.id) for name in stated.depends_on]
    told = conclude(agreement)
    return [Answer(200, AgreementView.of(agreement)), *told, *relied]


def terminate_agreement(terminated: AgreementTerminated, agreement: Agreement) -> list[Answer | Ending]:
    """One side ends what is in force; what rests on it loses its support."""
    if agreement.status == "none":
        return [refusal(404, "There is no such agreement", "`GET /agreements` lists them.")]
    if agreement.status != "in_force":
        hint = f"It is {agreement.status.replace('_', ' ')}: only what is in force can be terminated."
        return [refusal(409, "It is not in force", hint)]
    told = end(agreement, "terminated", terminated.time, f"{terminated.by} has terminated it: {terminated.reason}")
    return [Answer(200, AgreementView.of(agreement)), *told]


def expire_agreement(lapsed: AgreementLapsed, agreement: Agreement) -> list[Ending | PartnerSought]:
    """The last day of an agreement is over; if it is needed still, a new offer is looked for."""
    if agreement.status != "in_force" or agreement.valid_until != lapsed.valid_until:
        return []
    told = end(agreement, "expired", lapsed.time, f"Its last day was {lapsed.valid_until:%Y-%m-%d}.")
    wanted = Wanted(agreement=agreement.id, counterparty=sought(agreement), service=agreement.service)
    return [*told, *([PartnerSought(wanted=wanted)] if agreement.needs else [])]


def note_reliance(relied: ReliedUpon, agreement: Agreement) -> list[SupportLost]:
    """Another agreement rests on this one: it is told when this one ends, or at once if it has ended already."""
    if agreement.status != "in_force":
        return [SupportLost(agreement=relied.by, lost=agreement.id, why=agreement.reason)]
    others = (name for name in agreement.relied_on_by if name != relied.by)
    agreement.relied_on_by = (*others, relied.by)[-MOST_DEPENDANTS:]
    return []


def lose_support(lost: SupportLost, agreement: Agreement) -> list[AgreementConcluded]:
    """What it rested on is gone: it holds all the same, and whoever delivers under it hears on what it rests now."""
    if agreement.status != "in_force" or lost.lost not in agreement.depends_on:
        return []
    agreement.depends_on = tuple(name for name in agreement.depends_on if name != lost.lost)
    agreement.reason = f"It holds, but {lost.lost}, which it rested on, does not: {lost.why}"
    agreement.edition += 1
    return [concluded(agreement)]


def take_signature(reported: SupplierAgreementReported, agreement: Agreement) -> list[Concluding]:
    """A signed contract holds, unless it was signed before the agreement ended: then the end came later, and counts."""
    if agreement.ended_at and reported.valid_from <= agreement.ended_at:
        return []
    if agreement.status == "in_force" and not shortfalls(agreement.terms, wanted_terms(agreement)):
        agreement.signed_by = "obtain_build" if agreement.signed_by == "the register" else agreement.signed_by
        return []  # it was bought under a contract that gives all that is needed
    terms = {term.name: term for term in (*agreement.terms, *reported.terms)}
    agreement.kind, agreement.title = agreement.kind or reported.kind, agreement.title or reported.title
    agreement.service, agreement.counterparty = agreement.service or reported.service, reported.supplier
    agreement.offering, agreement.terms = reported.component, tuple(terms.values())
    agreement.signed_by, agreement.depends_on = "obtain_build", ()
    agreement.valid_from, agreement.valid_until = reported.valid_from, reported.valid_until
    lacking = shortfalls(agreement.terms, wanted_terms(agreement))
    signed = f"{reported.supplier} has signed it"
    agreement.reason = f"{signed}; still, {'; '.join(lacking)}." if lacking else f"{signed}."
    return [*conclude(agreement), *([] if lacking else [SearchEnded(agreement=agreement.id)])]


def take_refusal(reported: SupplierAgreementReported, agreement: Agreement) -> list[Ending | PartnerSought]:
    """A supplier that refuses is not asked again before it offers something new; what rested on its offer ends."""
    others = (refusal for refusal in agreement.refusals if refusal.supplier != reported.supplier)
    agreement.refusals = (*others, Refusal(supplier=reported.supplier, at=reported.time))[-MOST_DEPENDANTS:]
    if agreement.kind is None:
        agreement.kind, agreement.title, agreement.service = reported.kind, reported.title, reported.service
    mine = agreement.counterparty == reported.supplier and agreement.signed_by == "the register"
    if not (agreement.status == "in_force" and mine):
        return []
    told = end(agreement, "terminated", reported.time, f"{reported.supplier} does not sign what it had offered.")
    agreement.status, agreement.ended_at = "wanted", None
    wanted = Wanted(agreement=agreement.id, counterparty=sought(agreement), service=agreement.service)
    return [*told, PartnerSought(wanted=wanted)]


def impossible(stated: AgreementStated, others: dict[str, Agreement]) -> Answer | None:
    """The refusal of an agreement that cannot be kept; None if it can."""
    if stated.valid_until and stated.valid_until <= max(stated.valid_from, stated.time):
        hint = "valid_until must be later than valid_from and than now, or left out."
        return refusal(422, "It ends before it holds", hint)
    if stated.agreement in stated.depends_on:
        return refusal(409, "It rests on itself", "Leave its own id out of depends_on.")
    missing = [name for name, other in others.items() if other.status != "in_force"]
    if missing:
        hint = f"{', '.join(missing)}: conclude these first, or leave them out of depends_on."
        return refusal(409, "It rests on what is not in force", hint)
    rests_on = {name: Promised(other.terms, other.service_hours) for name, other in others.items()}
    if wrong := overpromised(Promised(stated.terms, stated.service_hours), rests_on):
        hint = f"{'; '.join(wrong)}. Promise more time, or agree on something shorter with those it rests on."
        return refusal(409, "Its promise is shorter than its critical path", hint)
    return None
