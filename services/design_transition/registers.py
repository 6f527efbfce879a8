"""What Design and transition takes note of outside of any demand: readiness, contracts, the chain's performance."""

from typing import Never

from contracts.design_transition import ContractualAgreementNeeded
from contracts.engage import ThirdPartyServiceReported
from contracts.improve import ChainPerformanceReported
from services.chassis.outputs import Answer
from services.design_transition.model import (
    AgreementWanted,
    ChainHealth,
    Contract,
    ContractHeard,
    ReadinessDeclared,
    ServiceRecord,
)


def take_readiness(declared: ReadinessDeclared, record: ServiceRecord) -> list[Answer]:
    """Note who can run a service, which data it holds and what it is connected to."""
    record.declared_by, record.roles = declared.declared_by, declared.roles
    record.data_class, record.integrations = declared.data_class, declared.integrations
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


def take_contract(heard: ContractHeard, record: ServiceRecord) -> list[Never]:
    """Note what a supplier promises behind a service."""
    record.add(heard.contract)
    return []


def ask_for_agreement(wanted: AgreementWanted) -> list[ContractualAgreementNeeded]:
    """Have Engage reach the contract that a design could not do without."""
    return [ContractualAgreementNeeded(**dict(wanted))]


def take_chain_performance(report: ChainPerformanceReported, health: ChainHealth) -> list[Never]:
    """Note how many changes succeed, by the latest report: it makes the next ones more or less risky."""
    success = next((kpi for kpi in report.kpis if kpi.name.replace("_", " ") == "change success"), None)
    if success and (report.period, report.version) > (health.period, health.edition):
        health.period, health.edition = report.period, report.version
        health.change_success, health.change_success_met = success.value, success.met
    return []
