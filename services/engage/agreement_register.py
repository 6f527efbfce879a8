"""The register of agreements: what all who need one need of it, which offer will do, and who hears that it holds."""

from datetime import datetime
from typing import Never

from contracts.engage import AgreementConcluded
from contracts.values import Term
from services.chassis.outputs import Later
from services.engage.model import AgreedHours, HoursAgreed, KnownServices
from services.engage.promises import price, shortfalls, strictest
from services.engage.registers import (
    Agreement,
    AgreementLapsed,
    AgreementStated,
    Contract,
    ContractNoted,
    Offer,
    SearchEnded,
    SupportLost,
)

WITH_SUPPLIERS = frozenset({"underpinning_contract", "statement_of_work"})
"""The kinds of agreement that a supplier's offer can be held against."""
MOST_AGREED = 500
"""Agreements with consumers whose hours are kept in one row; those that are over go first."""
Concluded = AgreementConcluded | ContractNoted | HoursAgreed | Later
Concluding = Concluded | SearchEnded
Ending = AgreementConcluded | ContractNoted | HoursAgreed | SupportLost


def objections(offer: Offer, agreement: Agreement, time: datetime) -> list[str]:
    """Why an offer will not do; nothing if it will."""
    if offer.status not in ("offered", "changed"):
        return [f"it is {offer.status}"]
    if offer.valid_until and offer.valid_until <= time:
        return [f"it ended on {offer.valid_until:%Y-%m-%d}"]
    if any(refused.supplier == offer.supplier and refused.at >= offer.told_at for refused in agreement.refusals):
        return ["its supplier has refused"]
    lacking, budget, cost = shortfalls(offer.terms, wanted_terms(agreement)), most(agreement), price(offer.terms)
    if budget is not None and cost is None:
        lacking.append(f"it names no price, and at most {budget} euros may be spent")
    elif budget is not None and cost is not None and cost > budget:
        lacking.append(f"it costs {cost:,.0f} euros, and at most {budget} may be spent")
    return lacking


def wanted_terms(agreement: Agreement) -> tuple[Term, ...]:
    """What all who need it need of it together."""
    return strictest(term for need in agreement.needs for term in need.terms)


def most(agreement: Agreement) -> int | None:
    """What it may cost; None if nobody has bounded that."""
    return min((need.budget for need in agreement.needs if need.budget is not None), default=None)


def sought(agreement: Agreement) -> str | None:
    """Whom those who need it name as the other side; None if any would do."""
    return next((need.counterparty for need in reversed(agreement.needs) if need.counterparty), None)


def as_stated(agreement: Agreement, stated: AgreementStated) -> bool:
    """Whether it holds exactly so already."""
    said = ("kind", "title", "service", "counterparty", "terms", "depends_on", "service_hours")
    holds = ("valid_from", "valid_until")
    return all(getattr(agreement, name) == getattr(stated, name) for name in said + holds)


def conclude(agreement: Agreement) -> list[Concluded]:
    """It is in force: who delivers under it hears it, its supplier's offers are held against it, its end is noted."""
    agreement.status, agreement.ended_at, agreement.edition = "in_force", None, agreement.edition + 1
    told: list[Concluded] = [concluded(agreement), *noted(agreement, in_force=True)]
    if until := agreement.valid_until:
        told.append(Later(until, AgreementLapsed(agreement=agreement.id, valid_until=until)))
    return told


def end(agreement: Agreement, how: str, time: datetime, reason: str) -> list[Ending]:
    """It holds no longer: those who deliver under it, its supplier's offers and what rests on it are told."""
    agreement.status = "expired" if how == "expired" else "terminated"
    agreement.reason, agreement.ended_at, agreement.edition = reason, time, agreement.edition + 1
    lost = [SupportLost(agreement=name, lost=agreement.id, why=reason) for name in agreement.relied_on_by]
    agreement.relied_on_by = ()
    return [concluded(agreement), *noted(agreement, in_force=False), *lost]


def noted(agreement: Agreement, *, in_force: bool) -> list[ContractNoted | HoursAgreed]:
    """The register of third parties keeps contracts with suppliers; what consumers are promised has its hours."""
    if agreement.kind == "service_level" and agreement.valid_from:
        agreed = AgreedHours(
            agreement=agreement.id,
            edition=agreement.edition,
            in_force=in_force,
            service=agreement.service,
            hours=agreement.service_hours,
            valid_from=agreement.valid_from,
        )
        return [HoursAgreed(agreed=agreed)]
    if agreement.kind not in WITH_SUPPLIERS or not agreement.counterparty:
        return []
    contract = Contract(
        agreement=agreement.id,
        edition=agreement.edition,
        in_force=in_force,
        service=agreement.service,
        offering=agreement.offering,
        terms=agreement.terms,
    )
    return [ContractNoted(supplier=agreement.counterparty, contract=contract)]


def agree_hours(news: HoursAgreed, services: KnownServices) -> list[Never]:
    """Know in which hours a service is looked after: the newest edition of each agreement counts."""
    agreed = news.agreed
    kept = {one.agreement: one for one in services.agreed}
    known = kept.pop(agreed.agreement, None)
    if known is not None and known.edition >= agreed.edition:
        return []
    if len(kept) >= MOST_AGREED:
        del kept[min(kept, key=lambda name: kept[name].in_force)]
    services.agreed = (*kept.values(), agreed)
    return []


def concluded(agreement: Agreement) -> AgreementConcluded:
    """An agreement as those who deliver under it or build on it are told it."""
    assert agreement.kind, "only a known agreement is told"
    assert agreement.valid_from, "what was concluded has a first day"
    state = agreement.status
    assert state in ("in_force", "expired", "terminated"), "only what holds or has held is told"
    return AgreementConcluded(
        agreement=agreement.id,
        version=agreement.edition,
        kind=agreement.kind,
        state=state,
        title=agreement.title,
        service=agreement.service,
        counterparty=agreement.counterparty or "",
        terms=agreement.terms,
        depends_on=agreement.depends_on,
        service_hours=agreement.service_hours,
        valid_from=agreement.valid_from,
        valid_until=agreement.valid_until,
    )
