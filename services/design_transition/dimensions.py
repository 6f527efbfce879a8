"""Service design in the four dimensions: each is assessed by typed facts, and one that fails stops the design."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from contracts.event import Fact
from contracts.stream import Stream
from contracts.value_chain import DELIVER_SUPPORT, OBTAIN_BUILD, TITLES
from contracts.values import DimensionAssessment
from services.design_transition.model import Design, Reading
from services.design_transition.registers import UNRELIABLE, uncovered
from services.design_transition.service_configuration import FactorKind, ServiceRecord

GUARDED = ("confidential", "secret")
"""Data of these classes needs a stated requirement on security."""
TOUCHES: Mapping[FactorKind, str] = {
    "political": "value_streams_and_processes",
    "economic": "value_streams_and_processes",
    "social": "organisations_and_people",
    "technological": "information_and_technology",
    "legal": "value_streams_and_processes",
    "environmental": "value_streams_and_processes",
}
"""The dimension that an outside factor touches first."""


class Finding(NamedTuple):
    """How a design stands in one dimension, and every fact that was looked at."""

    dimension: DimensionAssessment
    facts: tuple[Fact, ...]


def assess(design: Design, record: ServiceRecord, stream: Stream | None, day: datetime) -> tuple[Finding, ...]:
    """All four dimensions, in ITIL's order (think and work holistically: none is left out), for a release on `day`."""
    findings = people(record), technology(design, record), suppliers(design, record), processes(design, stream)
    return tuple(under_outside_factors(finding, record, day) for finding in findings)


def under_outside_factors(finding: Finding, record: ServiceRecord, day: datetime) -> Finding:
    """The same dimension under what the world around allows on the day of release."""
    found, source = finding.dimension, readiness(record)
    touching = [factor for factor in record.factors if TOUCHES[factor.kind] == found.dimension]
    if not touching:
        return finding
    facts = tuple(
        Fact(name=f"{one.kind} factor: {one.fact} {one.effect}", value=one.period, source=source) for one in touching
    )
    facts += (Fact(name="day of release", value=day.isoformat(), source="lead time of the design"),)
    obstacles = [obstacle for factor in touching if (obstacle := factor.obstacle(day))]
    if obstacles:
        before = "" if found.passed else f"{found.reason} "
        found = found.model_copy(update={"passed": False, "reason": before + sentence(obstacles, "")})
    return Finding(found, finding.facts + facts)


def people(record: ServiceRecord) -> Finding:
    """Every role that was declared for the service is staffed, by somebody who is trained."""
    source = readiness(record)
    missing = [f"nobody has the role {role.role}" for role in record.roles if not role.staffed]
    untrained = (role.role for role in record.roles if role.staffed and not role.trained)
    missing += [f"nobody in the role {role} is trained" for role in untrained]
    facts = [Fact(name=f"role {role.role} is staffed", value=role.staffed, source=source) for role in record.roles]
    facts += [Fact(name=f"role {role.role} is trained", value=role.trained, source=source) for role in record.roles]
    facts.append(Fact(name="roles declared", value=len(record.roles), source=source))
    found = DimensionAssessment(
        dimension="organisations_and_people",
        passed=not missing,
        reason=sentence(missing, "No role that the service needs is vacant or untrained"),
    )
    return Finding(found, tuple(facts))


def technology(design: Design, record: ServiceRecord) -> Finding:
    """The parts can bear what is required, guarded data has a security requirement, and every integration is there."""
    source = readiness(record)
    wrong = [] if design.needs else ["the blueprint names no part, so there is nothing to obtain or build"]
    facts = [Fact(name="data class", value=record.data_class, source=source)]
    named = [need.component for need in design.needs]
    wrong += [f"the blueprint names {name} more than once" for name in sorted(set(named)) if named.count(name) > 1]
    for need in design.needs:
        facts.append(Fact(name=f"capacity of {need.component}", value=need.capacity, source="blueprint"))
        for requirement in design.requirements:
            reading = Reading(value=need.capacity, requirement=requirement)
            if requirement.unit == need.unit and not reading.meets:
                wrong.append(f"{need.component} is planned for {reading} ({requirement.name})")
    security = [r.name for r in design.requirements if r.kind == "warranty" and "security" in r.name.split("-")]
    facts.append(Fact(name="security requirements", value=len(security), source="requirements of the segment"))
    if record.data_class in GUARDED and not security:
        wrong.append(f"its data is {record.data_class}, and no requirement on security is stated")
    for integration in record.integrations:
        name = f"integration with {integration.system} is available"
        facts.append(Fact(name=name, value=integration.available, source=source))
        if not integration.available:
            wrong.append(f"{integration.system} cannot be connected to")
    reason = sentence(wrong, "The planned parts bear what is required, and the data and its ways are in order")
    found = DimensionAssessment(dimension="information_and_technology", passed=not wrong, reason=reason)
    return Finding(found, tuple(facts))


def suppliers(design: Design, record: ServiceRecord) -> Finding:
    """Every contract behind the service is reliable and covers the warranty that the consumer is promised."""
    gaps = []
    facts = [Fact(name="contracts behind the service", value=len(record.contracts), source="third-party services")]
    for contract in record.contracts:
        source = f"third-party service {contract.offering} v{contract.edition}"
        facts.append(Fact(name=f"contract with {contract.supplier} is", value=contract.status, source=source))
        facts += [Fact(name=f"{contract.supplier}: {t.name}", value=t.value, source=source) for t in contract.terms]
        if contract.status in UNRELIABLE:
            gaps.append(f"the service of {contract.supplier} is {contract.status}")
        gaps += [f"{contract.supplier} promises {reading}" for reading in uncovered(contract, design.requirements)]
    reason = sentence(gaps, "No supplier behind the service promises less than the consumer is promised")
    found = DimensionAssessment(dimension="partners_and_suppliers", passed=not gaps, reason=reason)
    return Finding(found, tuple(facts))


def processes(design: Design, stream: Stream | None) -> Finding:
    """The value stream leads on to those who obtain and deploy, and its promise leaves time for it."""
    source = f"value stream {design.stream}"
    if stream is None:
        reason = f"The value stream {design.stream or 'of this demand'} is not known."
        missing = DimensionAssessment(dimension="value_streams_and_processes", passed=False, reason=reason)
        return Finding(missing, (Fact(name="value stream is known", value=False, source=source),))
    taking_part = {step.activity for step in stream.steps}
    wrong = [f"no step is done by {TITLES[a]}" for a in (OBTAIN_BUILD, DELIVER_SUPPORT) if a not in taking_part]
    if design.lead_time_hours > stream.promise.hours:
        wrong.append(f"it takes {design.lead_time_hours:g} hours, and the stream promises {stream.promise.hours:g}")
    facts = (
        Fact(name="lead time (hours)", value=design.lead_time_hours, source="blueprint"),
        Fact(name="promised lead time (hours)", value=stream.promise.hours, source=source),
        Fact(name="activities that take part", value=", ".join(sorted(taking_part)), source=source),
    )
    reason = sentence(wrong, "The value stream leads to the consumer within its promise")
    return Finding(DimensionAssessment(dimension="value_streams_and_processes", passed=not wrong, reason=reason), facts)


def readiness(record: ServiceRecord) -> str:
    """Who says what is known of the service's people and data."""
    said = f"declared by {record.declared_by}" if record.declared_by else "default: nobody has declared any"
    return f"readiness of {record.id}, {said}"


def sentence(mistakes: list[str], otherwise: str) -> str:
    """The mistakes as one sentence, or what holds when there are none."""
    text = "; ".join(mistakes) or otherwise
    return f"{text[0].upper()}{text[1:]}."
