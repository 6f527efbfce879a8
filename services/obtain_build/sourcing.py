"""Make or buy: which ways there are to have a component, and which is taken."""

from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from contracts.design_transition import ComponentSpecification
from contracts.event import Fact
from contracts.obtain_build import SourcingOption
from services.obtain_build.model import Choice, Component, Offer, Part
from services.obtain_build.sourcing_policy import SourcingRules

REUSE_RISK = 0.02
BUILD_RISK = 0.2
SUPPLY_RISK = {"offered": 0.1, "changed": 0.15, "degraded": 0.4}
"""How likely a part fails, by how it is had; of a supplier that ends its service nothing is bought."""
ELAPSED = 24 / 8
"""Hours of chain time for an hour of building: people build eight hours a day."""


class Limits(NamedTuple):
    """What the order leaves for a part."""

    euros: int
    wanted_by: datetime | None
    now: datetime

    @property
    def hours(self) -> float:
        """Hours until the part is needed; without such a time there is no hurry."""
        return (self.wanted_by - self.now) / timedelta(hours=1) if self.wanted_by else float("inf")


def choose(
    wanted: ComponentSpecification,
    component: Component,
    rules: SourcingRules,
    ordered_by: str,
    limits: Limits,
    failed: Part | None,
) -> Choice | str:
    """The way to have a component; `failed` is the part that came back. A text says why there is no way."""
    refused: list[str] = []
    options = ways(wanted, component, rules, failed, refused)
    affordable = [option for option in options if option.cost <= limits.euros]
    if not affordable:
        dear = [f"{spoken(option)} costs {option.cost} euros" for option in options]
        return f"{wanted.component}: {'; '.join(dear + refused)}, and {limits.euros} euros are left."
    in_time = [option for option in affordable if option.lead_time_hours <= limits.hours]
    if reused := [option for option in affordable if option.way == "reuse"]:
        option, why = reused[0], f"Enough of {wanted.component} is there and free: start where you are."
    elif in_time:
        option = min(in_time, key=lambda one: (weight(one, rules), one.lead_time_hours))
        why = f"{spoken(option)} is the least costly way in time, its risk and the policy's preference counted."
    else:
        option = min(affordable, key=lambda one: one.lead_time_hours)
        why = f"No way has {wanted.component} there in time; {spoken(option)} is the fastest."
    agreement = None
    if option.way == "buy":
        offer = next(offer for offer in component.offers if offer.supplier == option.supplier)
        agreement = offer.agreement or f"{option.supplier}/{wanted.component}"
    reasons = (f"{why[0].upper()}{why[1:]}", *(f"{text[0].upper()}{text[1:]}." for text in refused))
    basis = facts(wanted, component, rules, ordered_by, limits, failed)
    return Choice(option=option, agreement=agreement, options=tuple(options), reasons=reasons, basis=basis)


def ways(
    wanted: ComponentSpecification, component: Component, rules: SourcingRules, failed: Part | None, refused: list[str]
) -> list[SourcingOption]:
    """Every way there is. What failed is not reused again; what was built is mended, what was bought replaced."""
    options = []
    if component.fits(wanted.capacity, wanted.unit) and not (failed and failed.way == "reuse"):
        options.append(SourcingOption(way="reuse", cost=0, lead_time_hours=0, risk=REUSE_RISK))
    hours = rules.hours_per_part + wanted.capacity / rules.units_per_hour
    if failed and failed.way == "build":
        hours *= rules.rework_share
    cost = ceil(hours * rules.hourly_rate)
    options.append(SourcingOption(way="build", cost=cost, lead_time_hours=hours * ELAPSED, risk=BUILD_RISK))
    for offer in component.offers:
        if no := obstacle(offer, wanted, rules):
            refused.append(no)
        else:
            again = failed is not None and failed.choice.option.supplier == offer.supplier
            options.append(
                SourcingOption(
                    way="buy",
                    supplier=offer.supplier,
                    cost=0 if again else offer.price or 0,  # a supplier replaces what fails at its own cost
                    lead_time_hours=offer.lead_time_hours or 0,
                    risk=SUPPLY_RISK[offer.status],
                )
            )
    return options


def obstacle(offer: Offer, wanted: ComponentSpecification, rules: SourcingRules) -> str:
    """Why nothing can be bought under this offer; empty if it can."""
    if offer.status not in SUPPLY_RISK:
        return f"{offer.supplier} supplies it no longer"
    if offer.price is None or offer.lead_time_hours is None:
        return f"{offer.supplier} has not said what it costs and when it is there"
    if offer.most is not None and offer.most < wanted.capacity:
        return f"{offer.supplier} supplies at most {offer.most:,.10g} {wanted.unit}"
    if offer.price >= rules.contract_from and offer.agreement is None:
        return f"there is no contract with {offer.supplier}, and {offer.price} euros need one"
    return ""


def weight(option: SourcingOption, rules: SourcingRules) -> float:
    """What ways are compared by: the cost to be expected with its risk, less the premium of the preferred way."""
    favour = 1 - rules.premium if option.way == rules.preferred else 1
    return option.cost * (1 + option.risk) * favour


def spoken(option: SourcingOption) -> str:
    """The way in words."""
    return {"reuse": "reusing it", "build": "building it"}.get(option.way, f"buying it from {option.supplier}")


def facts(
    wanted: ComponentSpecification,
    component: Component,
    rules: SourcingRules,
    ordered_by: str,
    limits: Limits,
    failed: Part | None,
) -> tuple[Fact, ...]:
    """Every value that the choice rests on."""
    register = f"register of {wanted.component}"
    looked_at = [
        Fact(name="capacity wanted", value=wanted.capacity, source="specification"),
        Fact(name="unit wanted", value=wanted.unit, source="specification"),
        Fact(name="capacity free", value=component.capacity - component.used, source=register),
        Fact(name="unit", value=component.unit, source=register),
        Fact(name="euros left", value=limits.euros, source="change proposed, less what was spent"),
        Fact(name="wanted by", value=str(limits.wanted_by or "not said"), source="change proposed"),
    ]
    for offer in component.offers:
        source = f"third-party service {wanted.component} of {offer.supplier} v{offer.edition}"
        looked_at += [Fact(name=name, value=str(value), source=source) for name, value in offer]
    if failed:
        looked_at.append(Fact(name="way that failed", value=failed.way, source=f"iteration {failed.iteration}"))
    return (*looked_at, *(Fact(name=name, value=value, source=ordered_by) for name, value in rules))
