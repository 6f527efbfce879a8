"""Supplier management in planning: which agreement an approved demand rests on."""

from uuid import UUID

from contracts.plan import AgreementRequired
from contracts.values import AgreementKind, Term
from services.chassis.state import Read, State
from services.plan.market import Market, SupplierOffer
from services.plan.model import AgreementToDecide


class RequiredAgreement(State[str], by="agreement"):
    """An agreement that Plan has asked Engage for."""

    kind: str = ""
    """Empty until it was asked for."""
    demand: UUID | None = None
    service: str = ""
    counterparty: str | None = None
    purpose: str = ""
    budget: int = 0


def require_agreement(
    decided: AgreementToDecide, agreement: RequiredAgreement, market: Read[Market]
) -> list[AgreementRequired]:
    """Ask for a contract where there is none to buy under, else for a statement of work under the one there is."""
    if agreement.kind:
        return []
    offers = market.for_need(decided.service, decided.title, decided.time) if decided.from_market else []
    offer = offers[0] if offers else None
    kind, purpose = kind_and_purpose(decided, offer)
    agreement.kind, agreement.purpose, agreement.budget = kind, purpose, decided.cost
    agreement.demand, agreement.service = decided.demand, decided.service
    agreement.counterparty = offer.supplier if offer else None
    return [
        AgreementRequired(
            agreement=decided.agreement,
            kind=kind,
            title=f"{decided.title}: {kind.replace('_', ' ')}",
            service=decided.service,
            counterparty=agreement.counterparty,
            terms=terms_for(decided, offer),
            purpose=purpose,
            needed_by=None,
            demand=decided.demand,
            budget=decided.cost,
        )
    ]


def kind_and_purpose(decided: AgreementToDecide, offer: SupplierOffer | None) -> tuple[AgreementKind, str]:
    """Which agreement it takes, and the state that says so."""
    if not decided.from_market:
        return "statement_of_work", f"It costs {decided.cost} euros: what is done for them is to be written down."
    if offer is None:
        found = "Nobody supplies it any more: somebody is to be found who does."
        return "underpinning_contract", found
    if offer.agreement:
        under = f"{offer.name} supplies under {offer.agreement} already: the piece of work is to be ordered under it."
        return "statement_of_work", under
    return "underpinning_contract", f"{offer.name} supplies it, and there is no contract with {offer.name} yet."


def terms_for(decided: AgreementToDecide, offer: SupplierOffer | None) -> tuple[Term, ...]:
    """What must be promised at least; of a known supplier only what it does promise, so that it can be held to it."""
    delivery = Term(name="delivery", value=decided.lead_time_hours, unit="hours")
    price = Term(name="price", value=decided.cost, unit="euros")
    if offer is None:
        return delivery, price
    promised = ((delivery, offer.delivery_hours), (price, offer.price))
    return tuple(term for term, value in promised if value is not None)
