"""What promises mean: which of two is better, what an agreement lacks, and how long those that it rests on take."""

from collections.abc import Iterable, Mapping
from math import prod

from contracts.values import Term

HOURS_IN: Mapping[str, float] = {"seconds": 1 / 3600, "minutes": 1 / 60, "hours": 1, "days": 24, "weeks": 168}
"""The units of time in which a promise may be made."""
MONEY = "euros"
PRICE = "price"
"""The term that says what something costs."""


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


def overpromised(terms: Iterable[Term], rests_on: Mapping[str, tuple[Term, ...]]) -> list[str]:
    """What is promised sooner, or with more availability, than what it rests on allows together: its critical path.

    What is done by one after the other takes the sum of their times; what fails when any of them fails is available
    for the product of their shares.
    """
    wrong = []
    for term in terms:
        behind = [(name, theirs) for name, kept in rests_on.items() for theirs in kept if theirs.name == term.name]
        names = " and ".join(name for name, _ in behind)
        promised, times = hours(term), [hours(theirs) for _, theirs in behind]
        if promised is not None and (together := sum(time for time in times if time is not None)) > promised:
            wrong.append(f"{said(term)} is promised, and {names} take {together:g} hours together")
        shares = [theirs.value / 100 for _, theirs in behind if theirs.unit == "%"]
        if term.unit == "%" and shares and term.value / 100 > (together := prod(shares)) + 1e-9:
            wrong.append(f"{said(term)} is promised, and {names} allow {together * 100:.4g} % together")
    return wrong
