"""Suppliers: what they offer, which contracts with them are in force, and what they say to what we want of them."""

from typing import Literal

from contracts.engage import AgreementConcluded, ThirdPartyServiceReported
from contracts.event import Command, Data
from contracts.obtain_build import SupplierAgreementReported
from contracts.values import AgreementKind, Euros, Slug, Term
from services.chassis.state import State
from services.obtain_build.model import Component, ContractsHeard, ObtainParts, OfferHeard
from services.obtain_build.offers import Contract, Offer

COMPONENTS_KEPT = 100
"""So many components of one supplier learn of its contracts, those told last: no catalogue here is longer."""
CONTRACTS_KEPT = 50
"""So many contracts of one supplier are kept, those that were told last: the ended ones among them fall out first."""
MOST_EUROS, MOST_HOURS = 1_000_000_000_000, 87_600
"""What costs more than a trillion, or takes longer than ten years, is no offer."""
HOURS_IN = {"hours": 1, "days": 24, "weeks": 168}
"""The units in which a supplier may state its time of delivery."""


class Supplier(State[str], by="supplier"):
    """A supplier: which components it offers, and the contracts with it."""

    components: tuple[Slug, ...] = ()
    contracts: tuple[Contract, ...] = ()

    def keep(self, contract: Contract) -> bool:
        """Keep a contract unless a later edition of it is known; says whether it is kept."""
        others = [known for known in self.contracts if known.agreement != contract.agreement]
        if any(one.agreement == contract.agreement and one.edition >= contract.edition for one in self.contracts):
            return False
        others.sort(key=lambda known: known.state == "in_force")  # stable: the ended ones first, each in its order
        self.contracts = (*others, contract)[-CONTRACTS_KEPT:]
        return True


class ContractHeard(Command, case="supplier"):
    """Engage keeps a contract with a supplier."""

    supplier: str
    contract: Contract


class SupplierTerms(Data):
    """What a supplier says to what we want of it."""

    state: Literal["offered", "signed", "refused"]
    supplier: Slug
    title: str
    """What it is about, and why the supplier says so."""
    service: Slug
    component: Slug
    terms: tuple[Term, ...]
    cost: Euros


class SupplierAnswered(Command, case="agreement"):
    """A supplier has offered, signed or refused what a component is to be bought under."""

    agreement: str
    answer: SupplierTerms


class SupplierAgreement(State[str], by="agreement"):
    """An agreement with a supplier, as it was told last."""

    answer: SupplierTerms | None = None


def hear_supplier(report: ThirdPartyServiceReported, supplier: Supplier) -> list[OfferHeard]:
    """A supplier's service is an offer of the component that has its name."""
    others = (known for known in supplier.components if known != report.service)
    supplier.components = (*others, report.service)[-COMPONENTS_KEPT:]
    terms = {term.name: term for term in report.terms}
    price, capacity = terms.get("price"), terms.get("capacity")
    offer = Offer(
        supplier=report.supplier,
        edition=report.version,
        status=report.status,
        price=round(price.value) if price and price.unit == "euros" and 0 <= price.value <= MOST_EUROS else None,
        lead_time_hours=delivery_hours(terms.get("delivery")),
        most=max(0.0, capacity.value) if capacity else None,
        agreement=report.agreement,
        terms=report.terms,
        contracts=supplier.contracts,
    )
    return [OfferHeard(component=report.service, offer=offer)]


def delivery_hours(delivery: Term | None) -> float | None:
    """The promised time of delivery; None if the supplier says none that can be understood."""
    if delivery is None or delivery.unit not in HOURS_IN:
        return None
    hours = delivery.value * HOURS_IN[delivery.unit]
    return hours if 0 <= hours <= MOST_HOURS else None


def note_offer(heard: OfferHeard, component: Component) -> list[ObtainParts]:
    """Keep the newest offer of each supplier; orders that wait for one to be bought look again."""
    known = [offer.edition for offer in component.offers if offer.supplier == heard.offer.supplier]
    if known and heard.offer.edition <= known[0]:
        return []
    component.put(heard.offer)
    return component.woken()


def hear_agreement(concluded: AgreementConcluded) -> list[ContractHeard]:
    """A contract with a supplier, or a statement of work for one service, decides what may be bought there."""
    if concluded.kind not in ("underpinning_contract", "statement_of_work"):
        return []
    price = next((term for term in concluded.terms if term.name == "price" and term.unit == "euros"), None)
    contract = Contract(
        agreement=concluded.agreement,
        edition=concluded.version,
        state=concluded.state,
        service=concluded.service if concluded.kind == "statement_of_work" else "",
        up_to=max(0, round(price.value)) if price else None,
        valid_from=concluded.valid_from,
        valid_until=concluded.valid_until,
    )
    return [ContractHeard(supplier=concluded.counterparty, contract=contract)]


def note_contract(heard: ContractHeard, supplier: Supplier) -> list[ContractsHeard]:
    """Keep the newest edition of a contract, and tell every component that its supplier offers."""
    if not supplier.keep(heard.contract):
        return []
    return [
        ContractsHeard(component=component, supplier=supplier.id, contracts=supplier.contracts)
        for component in supplier.components
    ]


def note_contracts(heard: ContractsHeard, component: Component) -> list[ObtainParts]:
    """An offer may now be bought, or no longer; orders that wait for that look again."""
    offer = next((known for known in component.offers if known.supplier == heard.supplier), None)
    if offer is None or offer.contracts == heard.contracts:
        return []
    component.put(offer.model_copy(update={"contracts": heard.contracts}))
    return component.woken()


def report_agreement(answered: SupplierAnswered, known: SupplierAgreement) -> list[SupplierAgreementReported]:
    """Have Engage keep what a supplier offers, signs or refuses, unless it has been told so already."""
    answer = answered.answer
    if known.answer == answer:
        return []
    known.answer = answer
    kind: AgreementKind = "underpinning_contract"
    return [SupplierAgreementReported(agreement=known.id, kind=kind, valid_from=answered.time, **dict(answer))]
