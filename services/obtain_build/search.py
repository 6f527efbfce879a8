"""What is looked for, and what the order leaves for it."""

from datetime import datetime, timedelta
from typing import NamedTuple, Self

from contracts.design_transition import ComponentSpecification
from contracts.event import Fact
from contracts.values import Requirement
from services.obtain_build.direction import Weighing
from services.obtain_build.model import Component, Order
from services.obtain_build.parts import Part


class Limits(NamedTuple):
    """What the order leaves for a part."""

    euros: int
    wanted_by: datetime | None
    now: datetime
    service: str
    urgent: bool = False
    """Whether the fastest way counts, not the least costly one."""
    notes: tuple[str, ...] = ()
    """What bounds the order beside its change, as sentences."""
    facts: tuple[Fact, ...] = ()

    @property
    def hours(self) -> float:
        """Hours until the part is needed; without such a time there is no hurry."""
        return (self.wanted_by - self.now) / timedelta(hours=1) if self.wanted_by else float("inf")

    @classmethod
    def of(cls, order: Order, now: datetime) -> Self:
        """What an order leaves now."""
        euros, paid_by, money = order.euros
        wanted_by, said_by, day = order.needed_by
        urgent = order.request is not None and order.request.urgency == 1
        hurry = f"The change is urgent, says its request {order.change}: the fastest way counts." if urgent else ""
        facts = [
            Fact(name="budget", value=euros, source=paid_by),
            Fact(name="spent", value=order.spent, source=f"order {order.id}"),
            Fact(name="wanted by", value=str(wanted_by or "not said"), source=said_by),
        ]
        if order.request:
            facts.append(Fact(name="urgency", value=order.request.urgency, source=f"request {order.request.change}"))
        notes = tuple(filter(None, (money, day, hurry)))
        return cls(euros - order.spent, wanted_by, now, order.service, urgent, notes, tuple(facts))


class Search(NamedTuple):
    """A component that is looked for, and all that the choice rests on."""

    wanted: ComponentSpecification
    component: Component
    weighing: Weighing
    limits: Limits
    failed: Part | None = None
    """The part that came back; None for a first one."""
    restock: bool = False
    """Whether what is there already is no way to have it."""
    requirements: tuple[Requirement, ...] = ()
    """What the service must reach; those among them that the component is tested for bind its supplier."""
