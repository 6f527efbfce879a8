"""Service configuration management: the register of live services, what they rest on, and what is known of them."""

from typing import Never

from contracts.engage import DemandConsolidated
from services.chassis.outputs import Answer, refusal
from services.chassis.state import Read
from services.deliver_support.model import (
    ChangeWanted,
    Deployment,
    KnownErrorRecorded,
    LiveService,
    PendingChange,
    ServiceTakenOver,
    SupplierConcerned,
    SupportWeighed,
)
from services.deliver_support.problem import await_change
from services.deliver_support.service_level import support_weighed

MOST_KNOWN_ERRORS = 100
MOST_SUPPLIERS = 50
"""Of one service: more would be an assembly, not a service."""


def take_over_service(taken: ServiceTakenOver, service: LiveService) -> list[Answer]:
    """Enter a service that is live already into the register, or correct its entry; known errors stay."""
    status = 200 if service.live else 201
    service.live_since = service.live_since or taken.live_since or taken.time
    service.title, service.criticality, service.owner = taken.title, taken.criticality, taken.owner
    service.requirements = taken.requirements
    return [Answer(status, taken)]


def record_known_error(recorded: KnownErrorRecorded, service: LiveService) -> list[Answer]:
    """Keep how an error of a live service shows and what helps; recording the same error again corrects it."""
    if not service.live:
        detail = f"{service.id} is not in the register; `POST /services` takes over what is live already."
        return [refusal(404, "There is no such service", detail)]
    others = tuple(known for known in service.known_errors if known.error != recorded.known_error.error)
    if len(others) >= MOST_KNOWN_ERRORS:
        detail = f"{service.id} has {len(others)} known errors: correct one that is there, or change the service."
        return [refusal(409, "Too many known errors", detail)]
    service.known_errors = (*others, recorded.known_error)
    return [Answer(200, recorded)]


def hear_demand(demand: DemandConsolidated, deployment: Read[Deployment]) -> list[ChangeWanted]:
    """A customer's demand for a change of a service is reckoned with until it is live, or promised to be."""
    if demand.kind != "change_request" or demand.service is None or deployment.stage == "live":
        return []
    return [ChangeWanted(service=demand.service, demand=demand.demand, until=demand.promise_by)]


def expect_change(wanted: ChangeWanted, service: LiveService) -> list[Never]:
    """While a customer has a service changed, its problems ask for no change of their own."""
    pending = PendingChange(demand=wanted.demand, until=wanted.until)
    if all(one.demand != wanted.demand or one.until != wanted.until for one in service.pending):
        await_change(service, pending)
    return []


def rest_on_supplier(concerned: SupplierConcerned, service: LiveService) -> list[SupportWeighed]:
    """Note how a supplier stands on which a service rests, and have it weighed whether its promise is enough."""
    state = concerned.state
    known = next((one for one in service.suppliers if (one.supplier, one.offer) == (state.supplier, state.offer)), None)
    if known is not None and known.version >= state.version:
        return []
    others = tuple(one for one in service.suppliers if one is not known)
    if not concerned.rests:
        service.suppliers = others
        return []
    service.suppliers = (*others, state)[-MOST_SUPPLIERS:]
    return [support_weighed(service.id, state.supplier, "underpinning_contract")]
