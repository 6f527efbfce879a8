"""What Obtain/build keeps: orders (what is to be had for one demand, part by part), building work, components."""

from datetime import datetime
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AwareDatetime

from contracts.design_transition import ChangeProposed, ComponentSpecification, SpecificationIssued
from contracts.event import Command
from contracts.values import Amount, Hours, Requirement, Slug, Version
from services.chassis.state import State
from services.chassis.work import WorkDone, WorkItem
from services.obtain_build.bounds import Alterations, Need, Request, Sponsorship
from services.obtain_build.offers import Contract, Offer
from services.obtain_build.parts import Part, Wanted

WAITING_LIMIT = 100
"""So many orders are woken when an offer of a component changes; others go on when their time of waiting is over."""

OFFERS_KEPT = 100
"""Suppliers of one component that are kept: who has more to choose from chooses among the newest."""


def demand_of(change: str) -> UUID:
    """The demand under which a change is worked on that Deliver and support asked for."""
    return uuid5(NAMESPACE_URL, change)


class Order(State[UUID], by="demand"):
    """All that is obtained and built for one demand."""

    status: Literal["awaited", "contract_awaited", "obtaining", "ready", "live", "not_obtainable", "given_up"] = (
        "awaited"
    )
    specification: SpecificationIssued | None = None
    """What is to be obtained next; taken from here as soon as it is authorised."""
    proposal: ChangeProposed | None = None
    """The change that authorises it; taken from here likewise."""
    unmet: Wanted | None = None
    """What is authorised and not all there: it is on its way, waits for a contract, or could not be had."""
    waits_until: datetime | None = None
    """Until when a contract is waited for."""
    service: str = ""
    change: str = ""
    budget: int = 0
    """What the change may cost, euros."""
    wanted_by: datetime | None = None
    """When the change needs the parts."""
    need: Need | None = None
    sponsorship: Sponsorship | None = None
    alterations: Alterations = Alterations()
    request: Request | None = None
    requirements: tuple[Requirement, ...] = ()
    parts: tuple[Part, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why its parts cannot be had, or are waited for; empty otherwise."""

    @property
    def spent(self) -> int:
        """What all parts have cost so far, in euros."""
        return sum(part.cost for part in self.parts)

    @property
    def authorised(self) -> bool:
        """Whether the next specification may be obtained: by a new change, or as rework under the current one.

        A change that Deliver and support asked for is begun when its request is here too: it says how urgent it is.
        """
        if self.specification is None:
            return False
        if self.proposal is None:
            return self.specification.rework_of is not None and self.status == "ready"
        return self.request is not None or self.id != demand_of(self.proposal.change)

    @property
    def to_obtain(self) -> Wanted | None:
        """What may be obtained now: what is newly authorised, else what is tried again."""
        if self.specification and self.authorised:
            return Wanted.of(self.specification)
        return self.unmet if self.status in ("awaited", "contract_awaited") else None

    @property
    def euros(self) -> tuple[int, str, str]:
        """What it may cost in all, who says so, and a sentence if that is not the change alone."""
        bound, said_by, notes = self.budget, f"change {self.change}", list[str]()
        if self.sponsorship and self.sponsorship.budget is not None and self.sponsorship.budget < bound:
            bound, said_by = self.sponsorship.budget, f"sponsor {self.sponsorship.sponsor}"
            notes.append(f"The sponsor's {bound} euros bound it, of {self.budget} that the change allows.")
        if more := self.alterations.more_budget:
            notes.append(f"{more} euros were added while it was under way.")
        return bound + more, said_by, " ".join(notes)

    @property
    def needed_by(self) -> tuple[datetime | None, str, str]:
        """When its parts are needed, who says so, and a sentence if that is not the change."""
        altered, sponsored = self.alterations.wanted_by, self.sponsorship.wanted_by if self.sponsorship else None
        if altered:
            return altered, "altered under way", f"It was altered to be there by {altered:%Y-%m-%d %H:%M}."
        if sponsored and (self.wanted_by is None or sponsored < self.wanted_by):
            return sponsored, "sponsor", f"Its sponsor wants it by {sponsored:%Y-%m-%d %H:%M}."
        if self.wanted_by is None and self.need and (wished := self.need.wanted_by):
            return wished, "demand", f"The change names no day, the demand does: {wished:%Y-%m-%d %H:%M}."
        return self.wanted_by, f"change {self.change}", ""

    def begin(self, wanted: Wanted) -> None:
        """Take up what may be obtained, under its change if that is a new one."""
        if self.specification and self.authorised:
            if change := self.proposal:
                self.service, self.change, self.budget = change.service, change.change, change.budget
                self.wanted_by, self.parts, self.proposal = change.wanted_by, (), None
            self.specification = None
        self.requirements, self.unmet, self.reasons = wanted.requirements, wanted, ()

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
    taken_hours: Hours | None = None
    """How long the supplier took; None where only the time of the message tells."""


class ContractMissed(Command):
    """The time is over for which an order waits for a contract."""

    demand: UUID
    waits_until: AwareDatetime


class ChangeHeard(Command):
    """Deliver and support asked for the change that this order is for."""

    demand: UUID
    request: Request


class Restock(Command):
    """Operation needs more of a component."""

    demand: UUID
    request: Request
    service: Slug
    component: ComponentSpecification | None
    """What is needed; None if the request did not say."""


class Component(State[str], by="component", shared=True, check="used <= capacity"):
    """One component, whichever services rest on it."""

    capacity: float = 0
    """How much of it there is, in `unit`; 0 for one that must be built or bought first."""
    used: float = 0
    """How much of that is promised to services."""
    unit: str = ""
    offers: tuple[Offer, ...] = ()
    waiting: tuple[UUID, ...] = ()
    """Orders that wait until it can be bought under a contract: the newest ones."""

    def fits(self, capacity: float, unit: str) -> bool:
        """Whether so much of it is free."""
        return self.unit == unit and self.capacity - self.used >= capacity > 0

    def reserve(self, capacity: float) -> None:
        """Promise so much of it to a service."""
        self.used = min(self.capacity, self.used + capacity)

    def put(self, offer: Offer) -> None:
        """Keep an offer, in the place of its supplier's last one; of too many suppliers the newest."""
        others = (known for known in self.offers if known.supplier != offer.supplier)
        self.offers = (*others, offer)[-OFFERS_KEPT:]

    def await_contract(self, demand: UUID) -> None:
        """Have an order woken when an offer changes."""
        self.waiting = (*(one for one in self.waiting if one != demand), demand)[-WAITING_LIMIT:]

    def woken(self) -> list[ObtainParts]:
        """Those that wait may look again; nobody waits any longer."""
        waiting, self.waiting = self.waiting, ()
        return [ObtainParts(demand=demand, components=(self.id,)) for demand in waiting]


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


class ContractsHeard(Command, case="component"):
    """The contracts with a supplier that offers a component have changed."""

    component: Slug
    supplier: Slug
    contracts: tuple[Contract, ...]
