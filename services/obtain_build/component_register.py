"""The register of components: what is there already and how much of it is free."""

from typing import Never

from contracts.deliver_support import ServiceDelivered
from contracts.event import Data
from contracts.values import Amount, Slug
from services.chassis.outputs import Answer, refusal
from services.obtain_build.model import CapacityReturned, Component, ComponentGained, Order


class ComponentView(Data):
    """What is there of a component."""

    component: Slug
    """Its id."""
    capacity: Amount
    """How much there is, in `unit`."""
    used: Amount
    """How much of it services use or are promised."""
    unit: str
    """Of both."""


def gain_component(gained: ComponentGained, component: Component) -> list[Answer]:
    """Add to what there is; one component is counted in one unit."""
    if gained.used > gained.capacity:
        return [refusal(409, "More is used than there is", f"At most {gained.capacity:g} {gained.unit} can be in use.")]
    if component.capacity and component.unit != gained.unit:
        hint = f"{gained.component} is counted in {component.unit}: say how many {component.unit} there are."
        return [refusal(409, "It has another unit", hint)]
    component.capacity += gained.capacity
    component.used += gained.used
    component.unit = gained.unit
    view = ComponentView(component=component.id, capacity=component.capacity, used=component.used, unit=component.unit)
    return [Answer(200, view)]


def return_capacity(returned: CapacityReturned, component: Component) -> list[Never]:
    """Others may have it now."""
    component.used = max(0.0, component.used - returned.capacity)
    return []


def follow_service(delivered: ServiceDelivered, order: Order) -> list[ComponentGained | CapacityReturned]:
    """Register what was made for a service once it is live; what was reserved for one that is refused is free again."""
    if order.status != "ready" or delivered.change != order.change:
        return []
    if delivered.outcome == "live":
        order.status = "live"
        return [
            ComponentGained(
                component=part.component,
                capacity=part.capacity,
                used=min(part.capacity, part.specification.capacity),
                unit=part.specification.unit,
            )
            for part in order.parts
            if part.way != "reuse"
        ]
    if delivered.outcome == "deployment_refused":
        order.status = "given_up"
        return [*returned_capacity(order)]
    return []


def returned_capacity(order: Order) -> list[CapacityReturned]:
    """What the order had reserved of components that were there already."""
    reserved = (part for part in order.parts if part.way == "reuse")
    return [CapacityReturned(component=part.component, capacity=part.specification.capacity) for part in reserved]
