"""Service validation and testing: a part is judged by what was measured on it, not by what its maker thinks of it."""

from collections.abc import Iterable
from datetime import datetime

from contracts.design_transition import (
    DeploymentPlanned,
    DesignPerformanceReported,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.event import Fact
from contracts.obtain_build import ComponentProvided
from contracts.values import Requirement
from services.chassis.state import Read
from services.design_transition.change_enablement import plan_deployment
from services.design_transition.change_policy import ChangePolicy
from services.design_transition.continual_improvement import ChainHealth
from services.design_transition.model import Design, Part, Reading
from services.design_transition.outcomes import issue, performance, refuse
from services.design_transition.service_configuration import ServiceRecord

MOST_ROUNDS = 3
"""Specifications of one design, the first included, before it is given up."""


def validate_component(
    provided: ComponentProvided,
    design: Design,
    record: Read[ServiceRecord],
    policy: Read[ChangePolicy],
    health: Read[ChainHealth],
) -> list[DeploymentPlanned | SpecificationIssued | ServiceTransitionReported | DesignPerformanceReported]:
    """Judge a part by what was measured on it; after the last one plan the deployment, or send back what failed."""
    part = design.awaited(provided.component, provided.iteration)
    if part is None:
        return []
    design.replace(judge(part, provided, design.requirements))
    if any(part.result == "awaited" for part in design.parts):
        return []
    if any(part.result == "failed" for part in design.parts):
        return [*send_back(design, provided.time)]
    return [*plan_deployment(design, record, policy, health, provided.time)]


def send_back(
    design: Design, time: datetime
) -> list[SpecificationIssued | ServiceTransitionReported | DesignPerformanceReported]:
    """Specify the failed parts again, with the reason; after the last round give the design up."""
    failed = [part for part in design.parts if part.result == "failed"]
    reasons = tuple(f"{part.component}: {reason}." for part in failed for reason in part.shortcomings)
    basis = (
        *(fact for part in failed for fact in part.facts),
        Fact(name="rounds of specification", value=design.rounds, source=f"design of {design.service}"),
        Fact(name="most rounds", value=MOST_ROUNDS, source="rule of Design and transition"),
    )
    if design.rounds >= MOST_ROUNDS:
        given_up = f"After {design.rounds} rounds parts of it still fail."
        return [*refuse(design, time, "validation_failed", (given_up, *reasons), basis)]
    taken = design.move("obtaining", time)
    lesson = f"{len(failed)} of {len(design.parts)} parts came back; agree on their tests before they are made."
    told = performance(design, "validation_failed", reasons, basis, taken_hours=taken, opportunity=lesson)
    design.rounds, design.iteration = design.rounds + 1, design.iteration + 1
    for part in failed:
        design.replace(part.model_copy(update={"result": "awaited", "iteration": design.iteration}))
    return [issue(design, reasons, basis, rework_of=" ".join(reasons)), told]


def judge(part: Part, provided: ComponentProvided, requirements: Iterable[Requirement]) -> Part:
    """The part as accepted or failed, with its shortcomings and the facts that show them."""
    wanted, source = part.specification, f"component {provided.component} of iteration {provided.iteration}"
    facts = [Fact(name=f"{wanted.component}: capacity", value=provided.capacity, source=source)]
    facts.append(Fact(name=f"{wanted.component}: specified capacity", value=wanted.capacity, source="specification"))
    shortcomings = []
    if provided.unit != wanted.unit or provided.capacity < wanted.capacity:
        specified = f"{wanted.capacity:,.10g} {wanted.unit}"
        shortcomings.append(f"it bears {provided.capacity:,.10g} {provided.unit} where {specified} are specified")
    stated = {requirement.name: requirement for requirement in requirements}
    tests = {test.name: test for test in provided.tests}
    for criterion in wanted.acceptance:
        test = tests.get(criterion)
        if test is None:
            shortcomings.append(f"it was not tested for {criterion}")
            continue
        facts.append(Fact(name=f"{wanted.component}: {criterion}", value=test.measured, source=source))
        if criterion in stated:
            reading = Reading(value=test.measured, requirement=stated[criterion])
            target = Fact(name=f"{criterion} required", value=reading.requirement.target, source="requirements")
            facts.append(target)
            if not reading.meets:
                shortcomings.append(f"{criterion} is {reading}")
        elif not test.passed:
            shortcomings.append(f"it did not pass the test for {criterion}")
    return part.model_copy(
        update={
            "result": "failed" if shortcomings else "accepted",
            "shortcomings": tuple(shortcomings),
            "way": provided.way,
            "cost": provided.cost,
            "facts": tuple(facts),
        }
    )
