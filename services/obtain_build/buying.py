"""Buying a component: what it would take, and why nothing can be bought under an offer."""

from typing import Literal, NamedTuple

from contracts.obtain_build import SourcingOption
from services.obtain_build.offers import Offer
from services.obtain_build.search import Search

SUPPLY_RISK = {"offered": 0.1, "changed": 0.15, "degraded": 0.4}
"""How likely what is bought fails, by how its supplier stands; of one that ends its service nothing is bought."""


class Hindrance(NamedTuple):
    """Why nothing can be bought under an offer."""

    offer: Offer
    text: str
    state: Literal["offered", "refused", "stands"]
    """`offered`: with a contract it could be bought; `refused`: the supplier cannot, or will not, supply it; `stands`:
    nor can it, but there is a contract with it that other orders may rest on."""


def bought_from(offer: Offer, search: Search) -> SourcingOption:
    """Buying it: what fails its supplier replaces at its own cost."""
    again = search.failed is not None and search.failed.choice.option.supplier == offer.supplier
    return SourcingOption(
        way="buy",
        supplier=offer.supplier,
        cost=0 if again else offer.price or 0,
        lead_time_hours=offer.lead_time_hours or 0,
        risk=SUPPLY_RISK[offer.status],
    )


def hindrance(offer: Offer, search: Search) -> Hindrance | None:
    """Why nothing can be bought under this offer; None if it can."""
    wanted, limits = search.wanted, search.limits
    contract = offer.contract(limits.service, limits.now)
    if offer.status not in SUPPLY_RISK:
        return Hindrance(offer, f"{offer.supplier} supplies it no longer", "refused")
    if offer.price is None or offer.lead_time_hours is None:
        text = f"{offer.supplier} has not said what it costs and when it is there"
    elif offer.most is not None and offer.most < wanted.capacity:
        text = f"{offer.supplier} supplies at most {offer.most:,.10g} {wanted.unit}"
    elif short := falls_short(offer, search):
        text = f"{offer.supplier} promises {short}"
    elif offer.price >= search.weighing.rules.contract_from and contract is None:
        text = f"there is no contract with {offer.supplier}, and {offer.price} euros need one"
        return Hindrance(offer, text, "offered")
    else:
        return None
    return Hindrance(offer, text, "stands" if contract else "refused")


def falls_short(offer: Offer, search: Search) -> str:
    """Which promise of the supplier is less than what is required of the component; empty if none is."""
    promised = {(term.name, term.unit): term.value for term in offer.terms}
    for required in search.requirements:
        value = promised.get((required.name, required.unit))
        if value is None or required.name not in search.wanted.acceptance:
            continue
        if value < required.target if required.better == "higher" else value > required.target:
            unit = f" {required.unit}".rstrip()
            return f"{required.name} of {value:g}{unit}, and {required.target:g}{unit} are required"
    return ""


def agreement_of(option: SourcingOption, search: Search) -> str | None:
    """The contract that it is bought under: one in force, else that of this purchase; None unless it is bought."""
    if option.supplier is None:
        return None
    offer = next(offer for offer in search.component.offers if offer.supplier == option.supplier)
    in_force = offer.contract(search.limits.service, search.limits.now)
    return in_force or f"{option.supplier}/{search.wanted.component}"
