"""What is asked for beside specifications: who needs it, who pays, what is altered, and what operation needs again."""

from typing import Never

from contracts.deliver_support import ChangeRequested
from contracts.design_transition import ComponentSpecification
from contracts.engage import ChangeInitiationRequested, DemandConsolidated, ProjectChangeRequested
from contracts.obtain_build import ChangedServiceReported
from services.chassis.state import Read
from services.obtain_build.bounds import Need, Request, Sponsorship
from services.obtain_build.model import ChangeHeard, ObtainParts, Order, Restock, demand_of
from services.obtain_build.ordering import obtain_if_authorised, obtain_now
from services.obtain_build.parts import Wanted
from services.obtain_build.provision import changed_service
from services.obtain_build.sourcing_policy import SourcingPolicy


def hear_demand(demand: DemandConsolidated, order: Order) -> list[Never]:
    """Keep for how many it is and by when, where the change does not say; late, it binds what is not begun yet."""
    if demand.users or demand.wanted_by:
        order.need = Need.of(demand)
    return []


def hear_initiation(asked: ChangeInitiationRequested, order: Order) -> list[Never]:
    """Keep who pays for the change, how much at most and by when; heard late, it binds what is not begun yet."""
    order.sponsorship = Sponsorship.of(asked)
    return []


def hear_alteration(asked: ProjectChangeRequested, order: Order) -> list[ObtainParts]:
    """Add to the money, move the day; what could not be had within the old bounds is tried again."""
    altered = order.alterations.with_one(asked)
    if altered == order.alterations:
        return []
    order.alterations = altered
    if order.status == "not_obtainable" and order.unmet:
        order.status = "awaited"
    return obtain_now(order)


def hear_request(asked: ChangeRequested) -> list[ChangeHeard | Restock]:
    """By its origin: a part that operation needs is had at once, any other change when it is designed."""
    demand, request = demand_of(asked.change), Request.of(asked)
    if asked.origin != "operation":
        return [ChangeHeard(demand=demand, request=request)]
    component = None
    if asked.component and asked.quantity:
        component = ComponentSpecification(
            component=asked.component, description=asked.title, capacity=asked.quantity, unit=asked.unit, acceptance=()
        )
    return [Restock(demand=demand, request=request, service=asked.service, component=component)]


def note_request(heard: ChangeHeard, order: Order) -> list[ObtainParts]:
    """Keep how urgent a change is; one that is designed already may begin now."""
    order.request = heard.request
    return obtain_if_authorised(order)


def restock(needed: Restock, order: Order, policy: Read[SourcingPolicy]) -> list[ObtainParts | ChangedServiceReported]:
    """Have what operation needs again, within what the policy lets be spent on it; once for each request."""
    if order.change:
        return []
    rules, _ = policy.at(needed.time)
    order.request, order.service, order.change = needed.request, needed.service, needed.request.change
    order.budget = rules.restock_up_to
    if needed.component is None:
        order.status, order.reasons = "not_obtainable", ("The request does not say how much of which component.",)
        return [changed_service(order, order.reasons)]
    order.unmet = Wanted(components=(needed.component,), iteration=1, restock=True)
    return [*obtain_now(order)]
