"""Make or buy: which ways there are to have a component, and which is taken."""

from datetime import datetime, timedelta
from math import ceil
from typing import Literal, NamedTuple, Self

from contracts.design_transition import ComponentSpecification
from contracts.event import Fact
from contracts.obtain_build import SourcingOption
from contracts.values import Requirement
from services.obtain_build.direction import Weighing
from services.obtain_build.model import Component, Order
from services.obtain_build.offers import Offer
from services.obtain_build.parts import Choice, Part

REUSE_RISK = 0.02
BUILD_RISK = 0.2
SUPPLY_RISK = {"offered": 0.1, "changed": 0.15, "degraded": 0.4}
"""How likely a part fails, by how it is had; of a supplier that ends its service nothing is bought."""
ELAPSED = 24 / 8
"""Hours of chain time for an hour of building: people build eight hours a day."""

MOST_HOURS = 87_600
"""What takes more than ten years to build is not built."""
UNSAID = ("terms", "contracts", "agreement")
"""What of an offer stands in a basis in other words."""


class Limits(NamedTuple):
    """What the order leaves for a part."""

    euros: int
    wanted_by: datetime | None
    now: datetime
    service: str
    urgent: bool = False
    """Whether the fastest way counts, not the least costly one."""
    notes: tuple[str, ...] = ()
    """What bounds the order beside its change, as sentences."""
    facts: tuple[Fact, ...] = ()

    @property
    def hours(self) -> float:
        """Hours until the part is needed; without such a time there is no hurry."""
        return (self.wanted_by - self.now) / timedelta(hours=1) if self.wanted_by else float("inf")

    @classmethod
    def of(cls, order: Order, now: datetime) -> Self:
        """What an order leaves now."""
        euros, paid_by, money = order.euros
        wanted_by, said_by, day = order.needed_by
        urgent = order.request is not None and order.request.urgency == 1
        hurry = f"The change is urgent, says its request {order.change}: the fastest way counts." if urgent else ""
        facts = [
            Fact(name="budget", value=euros, source=paid_by),
            Fact(name="spent", value=order.spent, source=f"order {order.id}"),
            Fact(name="wanted by", value=str(wanted_by or "not said"), source=said_by),
        ]
        if order.request:
            facts.append(Fact(name="urgency", value=order.request.urgency, source=f"request {order.request.change}"))
        notes = tuple(filter(None, (money, day, hurry)))
        return cls(euros - order.spent, wanted_by, now, order.service, urgent, notes, tuple(facts))


class Search(NamedTuple):
    """A component that is looked for, and all that the choice rests on."""

    wanted: ComponentSpecification
    component: Component
    weighing: Weighing
    limits: Limits
    failed: Part | None = None
    """The part that came back; None for a first one."""
    restock: bool = False
    """Whether what is there already is no way to have it."""
    requirements: tuple[Requirement, ...] = ()
    """What the service must reach; those among them that the component is tested for bind its supplier."""


class Hindrance(NamedTuple):
    """Why nothing can be bought under an offer."""

    offer: Offer
    text: str
    state: Literal["offered", "refused", "stands"]
    """`offered`: with a contract it could be bought; `refused`: the supplier cannot, or will not, supply it; `stands`:
    nor can it, but there is a contract with it that other orders may rest on."""


class Sourcing(NamedTuple):
    """What came of looking for a way."""

    choice: Choice | None
    obstacle: str
    """Why there is no way; empty if one was chosen."""
    hindrances: tuple[Hindrance, ...]
    """What is told to the suppliers whose offers were not taken."""
    contract_would_do: int | None
    """What the way costs that is there as soon as there is a contract; None if there is none."""


def choose(search: Search) -> Sourcing:
    """Choose the way to have a component; the reasons name what of policy, plan, order and register turned it."""
    options, hindrances = ways(search)
    uncontracted = {hindered.offer.supplier: hindered for hindered in hindrances if hindered.state == "offered"}
    bought = [bought_from(hindered.offer, search) for hindered in uncontracted.values()]
    best, why = pick(options, search)
    ideal, _ = pick([*options, *bought], search)
    lacking = uncontracted.get(ideal.supplier or "") if ideal else None
    said = tuple(one for one in hindrances if one.state == "refused" or one == lacking)
    refused = [one.text for one in hindrances]
    if best is None:
        obstacle = f"{search.wanted.component}: {'; '.join(too_dear(options) + refused)}"
        without = f"{obstacle}, and {search.limits.euros} euros are left."
        return Sourcing(None, without, said, ideal.cost if ideal and lacking else None)
    missed = better(ideal, best) if ideal and lacking else ""
    notes = (*search.limits.notes, *search.weighing.notes)
    choice = Choice(
        option=best,
        promised_hours=counted(best, search),
        agreement=agreement_of(best, search),
        terms=next((offer.terms for offer in search.component.offers if offer.supplier == best.supplier), ()),
        missed=missed,
        options=tuple(options),
        reasons=(capital(why), *(capital(f"{text}.") for text in refused), *notes),
        basis=facts(search),
    )
    return Sourcing(choice, "", () if best.way == "reuse" else said, None)


def pick(options: list[SourcingOption], search: Search) -> tuple[SourcingOption | None, str]:
    """The way to take of these, and why; none if none can be paid."""
    name, limits = search.wanted.component, search.limits
    affordable = [option for option in options if option.cost <= limits.euros]
    in_time = [option for option in affordable if counted(option, search) <= limits.hours]
    if not affordable:
        return None, ""
    if reused := [option for option in affordable if option.way == "reuse"]:
        return reused[0], f"Enough of {name} is there and free: start where you are."
    if in_time and not limits.urgent:
        option = min(in_time, key=lambda one: (weight(one, search.weighing), one.lead_time_hours))
        why = f"{spoken(option)} is the least costly way in time, its risk and the policy's preference counted."
        return option, why
    option = min(affordable, key=lambda one: (counted(one, search), one.cost))
    if limits.urgent:
        return option, f"{spoken(option)} is the fastest way to have {name} that can be paid."
    return option, f"No way has {name} there in time; {spoken(option)} is the fastest."


def ways(search: Search) -> tuple[list[SourcingOption], list[Hindrance]]:
    """Every way there is, and why other offers are none.

    What failed is not reused again; what was built is mended, what was bought is replaced.
    """
    wanted, failed, rules = search.wanted, search.failed, search.weighing.rules
    options, hindrances = list[SourcingOption](), list[Hindrance]()
    tried = search.restock or (failed is not None and failed.way == "reuse")
    if search.component.fits(wanted.capacity, wanted.unit) and not tried:
        options.append(SourcingOption(way="reuse", cost=0, lead_time_hours=0, risk=REUSE_RISK))
    hours = rules.hours_per_part + wanted.capacity / rules.units_per_hour
    if failed and failed.way == "build":
        hours *= rules.rework_share
    if (lead_time := hours * ELAPSED) <= MOST_HOURS:
        cost = ceil(hours * rules.hourly_rate)
        options.append(SourcingOption(way="build", cost=cost, lead_time_hours=lead_time, risk=BUILD_RISK))
    for offer in search.component.offers:
        if hindered := hindrance(offer, search):
            hindrances.append(hindered)
        else:
            options.append(bought_from(offer, search))
    return options, hindrances


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


def counted(option: SourcingOption, search: Search) -> float:
    """The lead time that is counted on, in hours: with a reserve for its risk where that is wanted."""
    return option.lead_time_hours * (1 + option.risk if search.weighing.reserve else 1)


def weight(option: SourcingOption, weighing: Weighing) -> float:
    """What ways are compared by: the cost to be expected with its risk, less the premium of the preferred way."""
    favour = 1 - weighing.rules.premium if option.way == weighing.rules.preferred else 1
    return option.cost * (1 + option.risk * weighing.risk_counts) * favour


def better(ideal: SourcingOption, best: SourcingOption) -> str:
    """What a contract would have been good for."""
    saved, sooner = best.cost - ideal.cost, best.lead_time_hours - ideal.lead_time_hours
    gain = f"save {saved} euros" if saved > 0 else f"have it {sooner:.0f} hours sooner" if sooner > 0 else "be safer"
    return f"A contract with {ideal.supplier} would {gain}."


def capital(text: str) -> str:
    """A sentence begins with a capital."""
    return f"{text[0].upper()}{text[1:]}"


def too_dear(options: list[SourcingOption]) -> list[str]:
    """What the ways would cost that cannot be paid."""
    if not options:
        return ["it takes more than ten years to build"]
    return [f"{spoken(option)} costs {option.cost} euros" for option in options]


def spoken(option: SourcingOption) -> str:
    """The way in words."""
    return {"reuse": "reusing it", "build": "building it"}.get(option.way, f"buying it from {option.supplier}")


def facts(search: Search) -> tuple[Fact, ...]:
    """Every value that the choice rests on."""
    wanted, component, limits, weighing = search.wanted, search.component, search.limits, search.weighing
    register = f"register of {wanted.component}"
    looked_at = [
        Fact(name="capacity wanted", value=wanted.capacity, source="specification"),
        Fact(name="unit wanted", value=wanted.unit, source="specification"),
        Fact(name="capacity free", value=component.capacity - component.used, source=register),
        Fact(name="unit", value=component.unit, source=register),
        Fact(name="euros left", value=limits.euros, source="budget, less what was spent"),
    ]
    for offer in component.offers:
        source = f"third-party service {wanted.component} of {offer.supplier} v{offer.edition}"
        looked_at += [Fact(name=name, value=str(value), source=source) for name, value in offer if name not in UNSAID]
        contract = offer.contract(limits.service, limits.now) or "none"
        looked_at.append(Fact(name="contract in force", value=contract, source=f"agreements with {offer.supplier}"))
    if failed := search.failed:
        looked_at.append(Fact(name="way that failed", value=failed.way, source=f"iteration {failed.iteration}"))
    ordered = (Fact(name=name, value=value, source=weighing.ordered_by) for name, value in weighing.rules)
    return (*looked_at, *limits.facts, *weighing.facts, *ordered)
