"""What promises mean: which of two is better, what an agreement lacks, and how long those that it rests on take."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import prod
from typing import NamedTuple

from contracts.service_hours import AROUND_THE_CLOCK, ServiceHours, longest
from contracts.values import Term

HOURS_IN: Mapping[str, float] = {"seconds": 1 / 3600, "minutes": 1 / 60, "hours": 1, "days": 24, "weeks": 168}
"""The units of time in which a promise may be made."""
MONEY = "euros"
PRICE = "price"
"""The term that says what something costs."""
MOST_HOURS = 87_600
"""Ten years: what is promised for later is no matter of hours of service."""
HOUR = timedelta(hours=1)


class Promised(NamedTuple):
    """What an agreement promises, and the hours of service that its times count."""

    terms: tuple[Term, ...]
    hours: ServiceHours = AROUND_THE_CLOCK


def hours(term: Term) -> float | None:
    """A promised time in hours; None if it promises something else."""
    return term.value * HOURS_IN[term.unit] if term.unit in HOURS_IN else None


def said(term: Term) -> str:
    """`resolve in 8 hours`, `availability of 99.5 %`."""
    return f"{term.name} {'in' if term.unit in HOURS_IN else 'of'} {term.value:g} {term.unit}"


def falls_short(offered: Term, wanted: Term) -> bool:
    """Whether an offer promises less: more time or money, else less of what is counted; another unit is no promise."""
    here, there = hours(offered), hours(wanted)
    if here is not None and there is not None:
        return here > there
    if offered.unit != wanted.unit:
        return True
    return offered.value > wanted.value if wanted.unit.startswith(MONEY) else offered.value < wanted.value


def shortfalls(offered: Iterable[Term], wanted: Iterable[Term]) -> list[str]:
    """What an offer lacks of what is wanted, each as a clause."""
    terms = {term.name: term for term in offered}
    lacking = []
    for want in wanted:
        offer = terms.get(want.name)
        if offer is None:
            lacking.append(f"{said(want)} is needed, and nothing is said about it")
        elif falls_short(offer, want):
            lacking.append(f"{said(want)} is needed, and {said(offer)} is promised")
    return lacking


def strictest(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Of several wishes under one name the one that is hardest to meet."""
    found: dict[str, Term] = {}
    for term in terms:
        if term.name not in found or falls_short(found[term.name], term):
            found[term.name] = term
    return tuple(found.values())


def price(terms: Iterable[Term]) -> float | None:
    """What it costs in euros; None if nobody says."""
    return next((term.value for term in terms if term.name == PRICE and term.unit == MONEY), None)


def overpromised(promised: Promised, rests_on: Mapping[str, Promised]) -> list[str]:
    """What is promised sooner, or with more availability, than what it rests on allows together: its critical path.

    What is done by one after the other takes the sum of their times, each as long as it takes at most in our hours of
    service; what fails when any of them fails is available for the product of their shares.
    """
    wrong = []
    for term in promised.terms:
        behind = [(name, kept, one) for name, kept in rests_on.items() for one in kept.terms if one.name == term.name]
        names = " and ".join(name for name, _, _ in behind)
        times = [(hours(one), kept.hours) for _, kept, one in behind]
        ours, together = hours(term), sum(at_most(time, theirs, promised.hours) for time, theirs in times if time)
        if ours is not None and together > ours:
            wrong.append(f"{said(term)} is promised, and {names} take {together:g} hours together")
        shares = [one.value / 100 for _, _, one in behind if one.unit == "%"]
        if term.unit == "%" and shares and term.value / 100 > (allowed := prod(shares)) + 1e-9:
            wrong.append(f"{said(term)} is promised, and {names} allow {allowed * 100:.4g} % together")
    return wrong


def at_most(time: float, theirs: ServiceHours, ours: ServiceHours) -> float:
    """How many of our hours of service go by at most within so many of theirs: a weekend may lie between."""
    return time if time > MOST_HOURS else longest(time * HOUR, theirs, ours) / HOUR
