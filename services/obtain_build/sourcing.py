"""Make or buy: which ways there are to have a component, and which is taken."""

from math import ceil
from typing import NamedTuple

from contracts.event import Fact
from contracts.obtain_build import SourcingOption
from services.obtain_build.buying import Hindrance, agreement_of, bought_from, hindrance
from services.obtain_build.direction import Weighing
from services.obtain_build.parts import Choice
from services.obtain_build.search import Search

REUSE_RISK, BUILD_RISK = 0.02, 0.2
"""How likely a part fails, by how it is had."""
ELAPSED = 24 / 8
"""Hours of chain time for an hour of building: people build eight hours a day."""
MOST_HOURS = 87_600
"""What takes more than ten years to build is not built."""
UNSAID = ("terms", "contracts", "agreement")
"""What of an offer stands in a basis in other words."""


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
