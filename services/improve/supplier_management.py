"""Suppliers behind our services: one that fails them gives rise to an improvement, and that to an agreement."""

from contracts.engage import ThirdPartyServiceReported
from contracts.event import Data, Fact
from contracts.improve import ImprovementAgreementNeeded
from contracts.value_chain import DELIVER_SUPPORT
from contracts.values import Slug, Term, Version
from services.chassis.state import Read, State
from services.improve.figures import ENOUGH, Targets, scope_of
from services.improve.model import AgreementWanted, NeedFound

WEIGHT = {"degraded": ENOUGH, "ending": 2 * ENOUGH, "ended": 2 * ENOUGH}
"""How many cases a week of missed targets a failing supplier is taken for, by how its service stands."""
USUAL_RESTORE_HOURS = 8.0
"""Within how many hours a service is to be back, if no plan says it."""
OF_A_SUPPLIER = 0.5
"""The share of our own time that a supplier may take: the rest is for us to notice, to call and to test."""
MOST_SERVICES = 50
"""The newest services of one supplier that are kept."""


class SupplierService(Data):
    """How a service of a supplier stood when last told of."""

    service: Slug
    version: Version
    status: str


class Supplier(State[str], by="supplier"):
    """A supplier behind services of ours."""

    services: tuple[SupplierService, ...] = ()


def follow_supplier(report: ThirdPartyServiceReported, supplier: Supplier) -> list[NeedFound]:
    """A supplier's service that fails or ends endangers the targets of each service of ours that rests on it."""
    known = next((one for one in supplier.services if one.service == report.service), None)
    if known is not None and report.version <= known.version:
        return []
    told = SupplierService(service=report.service, version=report.version, status=report.status)
    supplier.services = (*(one for one in supplier.services if one is not known), told)[-MOST_SERVICES:]
    if report.status not in WEIGHT or (known is not None and known.status == report.status):
        return []
    source = f"third-party register, {report.supplier} v{report.version}"
    return [
        NeedFound(
            scope=scope_of("sla_met", service),
            measure="sla_met",
            service=service,
            source="supplier",
            why=f"{report.title} of {report.name}, on which {service} rests, is {report.status}.",
            facts=(Fact(name=f"status of {report.service}", value=report.status, source=source),),
            weight=WEIGHT[report.status],
            supplier=report.supplier,
        )
        for service in dict.fromkeys(report.supports)
    ]


def ask_for_agreement(wanted: AgreementWanted, targets: Read[Targets]) -> list[ImprovementAgreementNeeded]:
    """Say what has to be promised: our own time to restore by those who support the service, half by a supplier."""
    planned, source = targets.of("time_to_restore", wanted.time)
    own = USUAL_RESTORE_HOURS if planned is None else planned
    hours = own * OF_A_SUPPLIER if wanted.supplier else own
    part = "half of that is left to the supplier" if wanted.supplier else "those who support it have to promise that"
    why = f"{wanted.title}: {wanted.service} is to be back within {own:g} hours ({source}), and {part}."
    return [
        ImprovementAgreementNeeded(
            agreement=wanted.agreement,
            kind="underpinning_contract" if wanted.supplier else "operational_level",
            title=f"Restore {wanted.service} within {hours:g} hours",
            service=wanted.service,
            counterparty=wanted.supplier or DELIVER_SUPPORT,
            terms=(Term(name="resolve", value=hours, unit="hours"),),
            purpose=why,
            needed_by=wanted.needed_by,
        )
    ]
