"""Supplier and service level management: readiness, what suppliers promise, and which contracts are missing for it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from contracts.design_transition import ContractualAgreementNeeded
from contracts.engage import ThirdPartyServiceReported
from contracts.values import Requirement, Term
from services.chassis.outputs import Answer, refusal
from services.design_transition.model import AgreementWanted, AskedAgreement, ContractHeard, ReadinessDeclared, Reading
from services.design_transition.service_configuration import Contract, ServiceRecord

UNRELIABLE = ("degraded", "ending", "ended")
"""A contract that stands so carries no new service."""


def take_readiness(declared: ReadinessDeclared, record: ServiceRecord) -> list[Answer]:
    """Note who can run a service, what it is connected to, what it rests on outside, and what it replaces."""
    if declared.replaces == declared.service:
        detail = f"Name the service that {declared.service} takes the place of, or leave `replaces` out."
        return [refusal(422, "A service does not replace itself", detail)]
    record.declared_by, record.roles = declared.declared_by, declared.roles
    record.data_class, record.integrations = declared.data_class, declared.integrations
    record.factors, record.replaces = declared.factors, declared.replaces or ""
    return [Answer(200, declared)]


def hear_third_party(report: ThirdPartyServiceReported) -> list[ContractHeard]:
    """Tell each of our services that rests on it how a supplier's service stands."""
    contract = Contract(
        supplier=report.supplier,
        offering=report.service,
        edition=report.version,
        status=report.status,
        terms=report.terms,
    )
    return [ContractHeard(service=service, contract=contract) for service in report.supports]


def take_contract(heard: ContractHeard, record: ServiceRecord) -> list[AgreementWanted]:
    """Note what a supplier promises behind a service; if users have the service already, that must still be enough."""
    if not record.add(heard.contract) or record.demand is None or record.retired_at:
        return []
    return wanted_of([heard.contract], record.id, record.requirements, record.demand)


def wanted_of(
    contracts: Iterable[Contract],
    service: str,
    requirements: tuple[Requirement, ...],
    demand: UUID,
    needed_by: datetime | None = None,
) -> list[AgreementWanted]:
    """The contract that is missing for each supplier who promises too little, or is not to be relied on."""
    wanted = []
    for contract in contracts:
        replaced = contract.status in UNRELIABLE
        lacking = uncovered(contract, requirements)
        if replaced:
            promised = {term.name for term in contract.terms}
            needs = tuple(r for r in requirements if r.kind == "warranty" and r.name in promised)
            purpose = f"The service of {contract.supplier} is {contract.status}; {service} cannot rest on it."
        else:
            needs = tuple(reading.requirement for reading in lacking)
            purpose = " ".join(f"{contract.supplier} promises {r} ({r.requirement.name})." for r in lacking)
        if replaced or lacking:
            whom = f"instead-of-{contract.supplier}" if replaced else contract.supplier
            wanted.append(
                AgreementWanted(
                    agreement=f"{whom}/{contract.offering}/{service}",
                    service=service,
                    supplier=contract.supplier,
                    offering=contract.offering,
                    replaced=replaced,
                    lacking=needs,
                    purpose=purpose,
                    demand=demand,
                    needed_by=needed_by,
                )
            )
    return wanted


def uncovered(contract: Contract, requirements: tuple[Requirement, ...]) -> list[Reading]:
    """The warranty requirements on which a supplier promises something, but too little."""
    warranties = {r.name: r for r in requirements if r.kind == "warranty"}
    readings = [
        Reading(value=term.value, requirement=warranties[term.name])
        for term in contract.terms
        if term.name in warranties and term.unit == warranties[term.name].unit
    ]
    return [reading for reading in readings if not reading.meets]


def ask_for_agreement(wanted: AgreementWanted, asked: AskedAgreement) -> list[ContractualAgreementNeeded]:
    """Have Engage reach a contract, unless it was asked for at least as much under the same id before."""
    strictest = {requirement.name: requirement for requirement in asked.requirements}
    more = [one for one in wanted.lacking if one.name not in strictest or stricter(one, strictest[one.name])]
    if asked.times and not more:
        return []
    kept = [name for name in strictest if name not in {one.name for one in more}]
    strictest |= {requirement.name: requirement for requirement in more}
    asked.requirements, asked.times = tuple(strictest.values()), asked.times + 1
    before = f" What was asked for before stays: {', '.join(kept)}." if kept else ""
    needed = ContractualAgreementNeeded(
        agreement=wanted.agreement,
        kind="underpinning_contract",
        title=f"{wanted.offering} for {wanted.service}",
        service=wanted.service,
        counterparty=None if wanted.replaced else wanted.supplier,
        terms=tuple(Term(name=one.name, value=one.target, unit=one.unit) for one in asked.requirements),
        purpose=f"{wanted.purpose}{before}",
        needed_by=wanted.needed_by,
        demand=wanted.demand,
    )
    return [needed]


def stricter(one: Requirement, other: Requirement) -> bool:
    """Whether one asks for more than the other, of the same measure."""
    return one.target > other.target if one.better == "higher" else one.target < other.target
