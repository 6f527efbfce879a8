"""What Obtain/build keeps: orders (what is to be had for one demand, part by part), building work, components."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.design_transition import ChangeProposed, ComponentSpecification, SpecificationIssued
from contracts.event import Command, Data, Fact
from contracts.obtain_build import SourcingOption
from contracts.values import Amount, Count, Euros, Hours, Requirement, Slug, Version, Way
from services.chassis.state import State
from services.chassis.work import WorkDone, WorkItem


class Choice(Data):
    """The way that was chosen to have a component, among those that were weighed."""

    option: SourcingOption
    agreement: str | None = None
    """The contract it is bought under."""
    options: tuple[SourcingOption, ...]
    reasons: tuple[str, ...]
    basis: tuple[Fact, ...]


class Part(Data):
    """A component on its way."""

    specification: ComponentSpecification
    iteration: Version
    """The specification that it answers."""
    attempt: Count = 1
    """How often it was made for this change: what is made again has learnt from the tests."""
    choice: Choice
    begun_at: AwareDatetime
    cost: Euros
    """All that was spent on it, earlier attempts included."""
    provided: bool = False
    capacity: Amount = 0
    """How much it bears, as measured; 0 until then."""

    @property
    def component(self) -> str:
        """Its id."""
        return self.specification.component

    @property
    def way(self) -> Way:
        """How it is had."""
        return self.choice.option.way


class Order(State[UUID], by="demand"):
    """All that is obtained and built for one demand."""

    status: Literal["awaited", "obtaining", "ready", "live", "not_obtainable", "given_up"] = "awaited"
    specification: SpecificationIssued | None = None
    """What is to be obtained next; taken from here as soon as it is authorised."""
    proposal: ChangeProposed | None = None
    """The change that authorises it; taken from here likewise."""
    service: str = ""
    change: str = ""
    budget: int = 0
    wanted_by: datetime | None = None
    requirements: tuple[Requirement, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def spent(self) -> int:
        """What all parts have cost so far, in euros."""
        return sum(part.cost for part in self.parts)

    @property
    def authorised(self) -> bool:
        """Whether the next specification may be obtained: by a new change, or as rework under the current one."""
        if self.specification is None:
            return False
        return self.proposal is not None or (self.specification.rework_of is not None and self.status == "ready")

    def begin(self, proposal: ChangeProposed) -> None:
        """Start anew under a change."""
        self.service, self.change, self.budget = proposal.service, proposal.change, proposal.budget
        self.wanted_by, self.parts, self.proposal = proposal.wanted_by, (), None

    def part(self, component: str) -> Part | None:
        """The part with this id, if it was ordered."""
        return next((part for part in self.parts if part.component == component), None)

    def put(self, new: Part) -> None:
        """Add a part, in the place of one with the same id."""
        self.parts = (*(part for part in self.parts if part.component != new.component), new)


class Building(WorkItem, by="demand"):
    """The work of building all parts of an order that are built, side by side."""


class BuildingDone(WorkDone):
    """The parts are built; what they are good for is measured now."""


class ObtainParts(Command):
    """An authorised specification is to be obtained."""

    demand: UUID
    components: tuple[Slug, ...]
    """The parts, so that their rows of the register are at hand."""


class PartDelivered(Command):
    """The supplier's time of delivery is over."""

    demand: UUID
    component: Slug
    iteration: Version


class PurchaseSigned(Command, case="agreement"):
    """A component is bought under this contract."""

    agreement: str
    supplier: Slug
    service: Slug
    component: Slug
    cost: Euros
    lead_time_hours: Amount


class Offer(Data):
    """What a supplier asks for a component, and how soon it is there."""

    supplier: Slug
    edition: Version
    """Counts what is told of this supplier; the highest holds."""
    status: Literal["offered", "changed", "degraded", "ending", "ended"]
    price: Euros | None
    """Euros in all; None if the supplier has not said: then nothing can be bought."""
    lead_time_hours: Hours | None
    most: Amount | None = None
    """The greatest capacity it is offered for; None without such a limit."""
    agreement: str | None = None
    """The contract in force that it would be bought under."""


class Component(State[str], by="component", shared=True, check="used <= capacity"):
    """One component, whichever services rest on it."""

    capacity: float = 0
    """How much of it there is, in `unit`; 0 for one that must be built or bought first."""
    used: float = 0
    """How much of that is promised to services."""
    unit: str = ""
    offers: tuple[Offer, ...] = ()

    def fits(self, capacity: float, unit: str) -> bool:
        """Whether so much of it is free."""
        return self.unit == unit and self.capacity - self.used >= capacity > 0

    def reserve(self, capacity: float) -> None:
        """Promise so much of it to a service."""
        self.used = min(self.capacity, self.used + capacity)


class ComponentGained(Command, case="component"):
    """There is more of a component: it was there all along, or a service that it was made for is live."""

    component: Slug
    capacity: Amount
    used: Amount = 0
    unit: str


class CapacityReturned(Command, case="component"):
    """A service does not need the capacity after all that was promised to it."""

    component: Slug
    capacity: Amount


class OfferHeard(Command, case="component"):
    """A supplier has said what a component costs."""

    component: Slug
    offer: Offer
