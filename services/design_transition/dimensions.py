"""Service design in the four dimensions: each is assessed by typed facts, and one that fails stops the design."""

from typing import NamedTuple

from contracts.event import Fact
from contracts.stream import Stream
from contracts.value_chain import DELIVER_SUPPORT, OBTAIN_BUILD, TITLES
from contracts.values import AgreementNeed, DimensionAssessment, Requirement, Term
from services.design_transition.model import Contract, Design, Reading, ServiceRecord

UNRELIABLE = ("degraded", "ending", "ended")
"""A contract that stands so carries no new service."""
GUARDED = ("confidential", "secret")
"""Data of these classes needs a stated requirement on security."""


class Finding(NamedTuple):
    """How a design stands in one dimension, and every fact that was looked at."""

    dimension: DimensionAssessment
    facts: tuple[Fact, ...]


def assess(design: Design, record: ServiceRecord, stream: Stream | None) -> tuple[Finding, Finding, Finding, Finding]:
    """All four dimensions, in ITIL's order (think and work holistically: none is left out)."""
    return people(record), technology(design, record), suppliers(design, record), processes(design, stream)


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


def agreements_needed(design: Design, record: ServiceRecord) -> list[AgreementNeed]:
    """A contract for each supplier that promises less than the consumer is promised."""
    needs = []
    for contract in record.contracts:
        lacking = uncovered(contract, design.requirements)
        terms = (Term(name=r.requirement.name, value=r.requirement.target, unit=r.requirement.unit) for r in lacking)
        if lacking:
            need = AgreementNeed(
                agreement=f"{contract.supplier}/{contract.offering}/{design.service}",
                kind="underpinning_contract",
                title=f"{contract.offering} for {design.service}",
                service=design.service,
                counterparty=contract.supplier,
                terms=tuple(terms),
                purpose=f"{contract.supplier} promises less than {design.service} needs.",
                demand=design.id,
            )
            needs.append(need)
    return needs


def uncovered(contract: Contract, requirements: tuple[Requirement, ...]) -> list[Reading]:
    """The warranty requirements on which a supplier promises something, but too little."""
    warranties = {r.name: r for r in requirements if r.kind == "warranty"}
    readings = [
        Reading(value=term.value, requirement=warranties[term.name])
        for term in contract.terms
        if term.name in warranties and term.unit == warranties[term.name].unit
    ]
    return [reading for reading in readings if not reading.meets]


def readiness(record: ServiceRecord) -> str:
    """Who says what is known of the service's people and data."""
    said = f"declared by {record.declared_by}" if record.declared_by else "default: nobody has declared any"
    return f"readiness of {record.id}, {said}"


def sentence(mistakes: list[str], otherwise: str) -> str:
    """The mistakes as one sentence, or what holds when there are none."""
    text = "; ".join(mistakes) or otherwise
    return f"{text[0].upper()}{text[1:]}."
