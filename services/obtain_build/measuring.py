"""Tests of a component, and how long suppliers take: drawn from how risky its way is and how often it was made."""

from random import Random
from uuid import UUID

from contracts.obtain_build import TestResult
from contracts.values import Requirement
from services.obtain_build.parts import Part

MOST_MARGIN = 0.25
"""How far above its target a part may come out."""
WORST_SHARE = 0.1
"""How far below, as a share of the risk of the way it was had."""
CAPACITY = "capacity"


def measure(part: Part, requirements: tuple[Requirement, ...], seed: UUID) -> tuple[TestResult, ...]:
    """Test a part for its capacity and all its acceptance criteria. The same attempt measures the same for one seed."""
    stated = {requirement.name: requirement for requirement in requirements}
    criteria = part.specification.acceptance
    tested = (criterion_of(part, name, stated.get(name), margin(part, name, seed)) for name in criteria)
    return (capacity_of(part, seed), *tested)


def margin(part: Part, name: str, seed: UUID) -> float:
    """By which share a value comes out better (above 0) or worse than wanted; further attempts come much closer."""
    worst = WORST_SHARE * part.choice.option.risk / part.attempt**4
    return Random(f"{seed} {part.component} {part.attempt} {name}").uniform(-worst, MOST_MARGIN)


def capacity_of(part: Part, seed: UUID) -> TestResult:
    """How much a part bears: of what is reused just as much as was reserved."""
    wanted = part.specification.capacity
    more = 0.0 if part.way == "reuse" else margin(part, CAPACITY, seed)
    measured = round(wanted * (1 + more), 3)
    return TestResult(name=CAPACITY, passed=measured >= wanted, measured=measured, unit=part.specification.unit)


def criterion_of(part: Part, name: str, requirement: Requirement | None, better: float) -> TestResult:
    """Measure a requirement in its unit, or the share in which a criterion in words is met.

    What is counted in per cent has room up to 100 only, so it is that room which is gained or lost.
    """
    target, unit = (requirement.target, requirement.unit) if requirement else (1.0, "")
    room = 100 - target if unit == "%" and target < 100 else abs(target)
    if requirement and requirement.better == "lower":
        measured = round(target - abs(target) * better, 6)
        return TestResult(name=name, passed=measured <= target, measured=measured, unit=unit)
    measured = round(target + room * better, 6)
    return TestResult(name=name, passed=measured >= target, measured=measured, unit=unit)


def delivery_hours(part: Part, seed: UUID) -> float:
    """How long the supplier takes: as likely as its risk, it is late by that share of its time."""
    option = part.choice.option
    late = Random(f"{seed} {part.component} {part.attempt} delivery").random() < option.risk
    return option.lead_time_hours * (1 + option.risk if late else 1)
