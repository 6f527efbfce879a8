"""Supplier management: the register of third parties, and what of it everybody is told."""

from datetime import datetime, timedelta
from typing import NamedTuple, Never

from contracts.engage import ThirdPartyServiceReported
from services.chassis.outputs import Answer, Later, refusal
from services.engage.promises import falls_short, said
from services.engage.registers import (
    MOST_CONTRACTS,
    MOST_OFFERS,
    MOST_SERVICES,
    MOST_WANTED,
    Contract,
    ContractNoted,
    Offer,
    OfferListed,
    PartnersFound,
    PartnerSought,
    SearchEnded,
    Supplier,
    SupplierService,
    SupplierServiceDue,
    SupplierServiceStated,
    SupplierStatus,
    ThirdParties,
    Wanted,
)
from services.engage.views import SupplierView

NOTICE = timedelta(days=30)
"""So long before its end a supplier's service counts as ending: whoever rests on it has to look for another one."""
MOST_FOUND = 20
"""Offers that one search brings back; the newest, because older ones were passed over before."""


class Standing(NamedTuple):
    """How a supplier's service stands, why, and under which contract."""

    status: SupplierStatus
    reason: str
    agreement: str | None


def state_supplier_service(
    stated: SupplierServiceStated, supplier: Supplier
) -> list[Answer | ThirdPartyServiceReported | OfferListed | Later]:
    """Keep what a supplier says of its service; everybody is told how it stands, if that is news."""
    if stated.valid_until and stated.valid_until <= stated.valid_from:
        return [refusal(422, "It ends before it begins", "valid_until must be later than valid_from, or left out.")]
    known = service_of(supplier, stated.service)
    if known is None and len(supplier.services) >= MOST_SERVICES:
        hint = f"{supplier.id} has {MOST_SERVICES} services already: use another supplier id for more."
        return [refusal(409, "The register is full", hint)]
    supplier.name = stated.name
    base: SupplierStatus = "changed" if stated.status == "offered" and differs(known, stated) else stated.status
    if known and stated.status == "offered" and not differs(known, stated):
        base = known.stated if known.stated == "changed" else "offered"
    new = SupplierService(
        service=stated.service,
        title=stated.title,
        stated=base,
        status=base,
        reason="",
        terms=stated.terms,
        support_hours=stated.support_hours,
        supports=stated.supports,
        named_agreement=stated.agreement,
        agreement=stated.agreement,
        valid_from=stated.valid_from,
        valid_until=stated.valid_until,
    )
    told = settle(supplier, new, stated.time)
    end = stated.valid_until
    dates = [end - NOTICE, end] if end and (known is None or known.valid_until != end) else []
    due = SupplierServiceDue(supplier=supplier.id, service=stated.service)
    later = [Later(date, due) for date in dates if date > stated.time]
    return [Answer(200, SupplierView.of(supplier)), *told, *later]


def review_supplier_service(
    due: SupplierServiceDue, supplier: Supplier
) -> list[ThirdPartyServiceReported | OfferListed]:
    """The end of a supplier's service is near, or has come."""
    known = service_of(supplier, due.service)
    return settle(supplier, known, due.time) if known else []


def note_contract(noted: ContractNoted, supplier: Supplier) -> list[ThirdPartyServiceReported | OfferListed]:
    """A contract holds, or does not any more: what the supplier offers is held against it."""
    contract = noted.contract
    old = next((kept for kept in supplier.contracts if kept.agreement == contract.agreement), None)
    if old and old.edition >= contract.edition:
        return []
    others = (kept for kept in supplier.contracts if kept.agreement != contract.agreement)
    supplier.contracts = (*others, contract)[-MOST_CONTRACTS:]
    return [told for service in supplier.services for told in settle(supplier, service, noted.time)]


def list_offer(listed: OfferListed, parties: ThirdParties) -> list[PartnersFound]:
    """Keep the newest of each offer, and show it to the agreements that wait for one like it."""
    offer = listed.offer
    old = next((kept for kept in parties.offers if same_offer(kept, offer)), None)
    if old and old.edition >= offer.edition:
        return []
    parties.offers = (*(kept for kept in parties.offers if not same_offer(kept, offer)), offer)[-MOST_OFFERS:]
    waiting = [wanted for wanted in parties.wanted if wanted.fits(offer)]
    return [PartnersFound(agreement=wanted.agreement, offers=found(wanted, parties)) for wanted in waiting]


def seek_partner(sought: PartnerSought, parties: ThirdParties) -> list[PartnersFound]:
    """Look for an offer that would do, now and whenever one changes."""
    wanted = sought.wanted
    others = (kept for kept in parties.wanted if kept.agreement != wanted.agreement)
    parties.wanted = (*others, wanted)[-MOST_WANTED:]
    return [PartnersFound(agreement=wanted.agreement, offers=found(wanted, parties))]


def end_search(ended: SearchEnded, parties: ThirdParties) -> list[Never]:
    """An agreement has what it needs."""
    parties.wanted = tuple(kept for kept in parties.wanted if kept.agreement != ended.agreement)
    return []


def found(wanted: Wanted, parties: ThirdParties) -> tuple[Offer, ...]:
    """The offers that fit, the newest last."""
    return tuple(offer for offer in parties.offers if wanted.fits(offer))[-MOST_FOUND:]


def same_offer(one: Offer, other: Offer) -> bool:
    """Whether both are the same service of the same supplier."""
    return (one.supplier, one.offering) == (other.supplier, other.offering)


def service_of(supplier: Supplier, service: str) -> SupplierService | None:
    """What is kept of one service."""
    return next((known for known in supplier.services if known.service == service), None)


def differs(known: SupplierService | None, stated: SupplierServiceStated) -> bool:
    """Whether a service that is known is offered on other terms now."""
    return known is not None and (known.terms, known.support_hours) != (stated.terms, stated.support_hours)


def settle(
    supplier: Supplier, service: SupplierService, time: datetime
) -> list[ThirdPartyServiceReported | OfferListed]:
    """Put a service into the register as it stands now, and tell everybody if it stands otherwise than before."""
    standing = stand(supplier, service, time)
    new = service.model_copy(update=standing._asdict())
    known = service_of(supplier, service.service)
    told_before = known.model_copy(update={"reason": new.reason, "stated": new.stated}) if known else None
    supplier.services = (*(kept for kept in supplier.services if kept.service != new.service), new)
    if told_before == new and supplier.edition:
        return []
    supplier.edition += 1
    offer = Offer(
        supplier=supplier.id,
        edition=supplier.edition,
        told_at=time,
        offering=new.service,
        status=new.status,
        terms=new.terms,
        supports=new.supports,
        valid_from=new.valid_from,
        valid_until=new.valid_until,
    )
    return [report(supplier, new), OfferListed(offer=offer)]


def stand(supplier: Supplier, service: SupplierService, time: datetime) -> Standing:
    """How a service stands: by its end, by what its supplier says, and by what a contract in force promises."""
    agreement, doubt = underpinning(supplier, service)
    end = service.valid_until
    if service.stated == "ended" or (end and end <= time):
        when = f"on {end:%Y-%m-%d}" if end and end <= time else "as its supplier says"
        return Standing("ended", f"It has ended {when}.", None)
    if service.stated == "ending" or (end and end - NOTICE <= time):
        when = f"on {end:%Y-%m-%d}" if end else "on a day that its supplier has not named"
        return Standing("ending", f"It ends {when}.", agreement)
    if service.stated == "degraded":
        return Standing("degraded", f"Its supplier says that it is worse than promised.{doubt}", agreement)
    if broken := breach(supplier, service, agreement):
        return Standing("degraded", broken, agreement)
    return Standing(service.stated, f"It is {service.stated} as its supplier says.{doubt}", agreement)


def underpinning(supplier: Supplier, service: SupplierService) -> tuple[str | None, str]:
    """The contract behind a service: the one it names unless that is known not to hold, else one on it that does."""
    contracts = {contract.agreement: contract for contract in supplier.contracts}
    named = contracts.get(service.named_agreement or "")
    if service.named_agreement and (named is None or named.in_force):
        return service.named_agreement, ""
    holding = [contract for contract in supplier.contracts if contract.in_force and is_about(contract, service)]
    if holding:
        return max(holding, key=lambda contract: contract.agreement).agreement, ""
    return None, f" The contract {service.named_agreement} does not hold any more." if service.named_agreement else ""


def is_about(contract: Contract, service: SupplierService) -> bool:
    """Whether a contract was concluded on this service, or is about one of ours that rests on it."""
    if contract.offering is not None:
        return contract.offering == service.service
    return contract.service == service.service or contract.service in service.supports


def breach(supplier: Supplier, service: SupplierService, agreement: str | None) -> str:
    """What its supplier offers now and has promised better in the contract; empty if nothing."""
    contract = next((one for one in supplier.contracts if one.agreement == agreement and one.in_force), None)
    promised = {term.name: term for term in contract.terms} if contract else {}
    worse = [term for term in service.terms if term.name in promised and falls_short(term, promised[term.name])]
    clauses = (f"{said(term)} is offered, and {said(promised[term.name])} is promised in {agreement}" for term in worse)
    return f"It is worse than its contract: {'; '.join(clauses)}." if worse else ""


def report(supplier: Supplier, service: SupplierService) -> ThirdPartyServiceReported:
    """One service of a supplier, as everybody is told it."""
    return ThirdPartyServiceReported(
        supplier=supplier.id,
        version=supplier.edition,
        name=supplier.name,
        service=service.service,
        title=service.title,
        status=service.status,
        terms=service.terms,
        support_hours=service.support_hours,
        supports=service.supports,
        agreement=service.agreement,
        valid_from=service.valid_from,
        valid_until=service.valid_until,
        reasons=(service.reason,),
    )
