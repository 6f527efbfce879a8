"""What request fulfilment keeps: the catalogue, the stock, who has access to what, and each request's work."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AwareDatetime, Field

from contracts.event import Command, Data
from contracts.service_hours import ServiceHours
from contracts.values import Euros, Slug
from services.chassis.state import ONE, State
from services.chassis.work import WorkDone, WorkItem

Pieces = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""How many; bounded, so that sums stay within what a database can store."""
HoursOfUse = Annotated[float, Field(gt=0, le=87_600)]
"""Hours, up to ten years."""
Text = Annotated[str, Field(min_length=1, max_length=500)]
Id = Annotated[Slug, Field(max_length=100)]
"""A slug from outside: short enough for the index of a database."""


class Goods(Data):
    """What becomes the requester's own."""

    item: Id
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """How many pieces one of the offering has."""


class Grant(Data):
    """What the requester may use for a time."""

    resource: Id
    hours: HoursOfUse


class Action(Data):
    """What is done for the requester."""

    what: Text
    hours: HoursOfUse = 1


class Offering(Data):
    """An entry of the service catalogue: any mix of goods, access and action."""

    offering: Id
    title: Text
    service: Id
    """The live service it belongs to."""
    names: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    """What people call it, besides its title."""
    goods: Goods | None = None
    access: Grant | None = None
    action: Action | None = None
    entitled_segments: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    """Who may have it; empty for everybody."""
    approval: Literal["none", "manager"] = "none"
    approval_above: Pieces = 0
    """More than so many need the manager's approval."""
    price: Annotated[Euros, Field(le=1_000_000_000)] = 0
    """Of one, whole euros."""
    available: bool = True
    """False: it is withdrawn."""


class Catalogue(State[str], by=ONE):
    """All offerings; one row, written by the lane of one case."""

    offerings: tuple[Offering, ...] = ()

    def get(self, offering: str | None) -> Offering | None:
        """The offering with this id."""
        return next((one for one in self.offerings if one.offering == offering), None)


class Waiting(Data):
    """A request that waits for goods."""

    demand: UUID
    service: Slug
    offering: Slug
    access: str
    quantity: Pieces


class Stock(State[str], by="item", shared=True, check="quantity >= 0"):
    """The goods of one sort; requests of many demands draw on it."""

    component: str = ""
    """What it is ordered as; empty for goods that nobody keeps."""
    unit: str = ""
    quantity: int = 0
    reorder_at: int = 0
    """At this level it is ordered again."""
    reorder_quantity: int = 0
    """So many; 0 if it cannot be ordered again."""
    reorder: str = ""
    """The order under way; empty if there is none."""
    orders: int = 0
    not_obtainable: str = ""
    """Why the last order failed: nothing is ordered until the stock is set anew."""
    waiting: tuple[Waiting, ...] = ()


class Restock(State[UUID], by="demand"):
    """What a demand of operation itself has ordered."""

    item: str = ""
    change: str = ""


class Access(State[str], by="access", shared=True):
    """What one holder may use of one resource, until when."""

    resource: str = ""
    holder: str = ""
    service: str = ""
    title: str = ""
    demand: UUID | None = None
    """The request that it was granted for last."""
    granted_at: datetime | None = None
    until: datetime | None = None
    ended_at: datetime | None = None
    reserved_by: UUID | None = None
    """The request that is about to have it granted."""

    def held(self, at: datetime) -> bool:
        """Whether it may be used at that time."""
        return self.until is not None and at < self.until


class Fulfilment(WorkItem, by="demand"):
    """The work of fulfilling one request."""

    stage: Literal["none", "asked", "approving", "waiting", "working", "fulfilled", "refused"] = "none"
    reason: str = ""
    """Why it is there, in words."""
    task: Literal["resolve", "fulfil", "train"] = "fulfil"
    title: str = ""
    text: str = ""
    requester: str = ""
    segment: str = ""
    service: str = ""
    offering: str = ""
    quantity: int = 1
    priority: int = 5
    reopened: int = 0
    item: str = ""
    goods: int = 0
    """How many pieces it takes."""
    unit: str = ""
    access: str = ""
    asked_at: datetime | None = None
    respond_by: datetime | None = None
    resolve_by: datetime | None = None
    service_hours: ServiceHours = ()
    """The hours of service that count until then; empty: around the clock."""
    taken_up_at: datetime | None = None
    """When it was decided on first."""
    approved_by: str = ""
    handed_over_at: datetime | None = None
    """When the goods became the requester's own and access was granted."""
    escalations: int = 0


class OfferingPublished(Command, case="kept_in"):
    """An offering comes into the catalogue, or is changed there."""

    kept_in: Literal["catalogue"] = "catalogue"  # one case for all: its lane alone writes the row
    offering: Offering


class StockSet(Command, case="item"):
    """Somebody has counted the stock, and says when it is to be ordered again."""

    item: Slug
    component: Slug
    unit: str
    quantity: Pieces
    reorder_at: Pieces
    reorder_quantity: Pieces


class RequestWeighed(Command):
    """A request is to be decided on: it is new, approved, or what it waits for has come."""

    demand: UUID
    service: str
    offering: str
    item: str
    access: str
    allocated: bool = False
    """Its goods were taken from the stock already."""
    not_obtainable: str = ""
    """Why its goods cannot be had."""


class ApprovalGiven(Command):
    """A manager says whether a request may be fulfilled."""

    demand: UUID
    by: str
    approved: bool
    reason: str


class ApprovalOverdue(Command):
    """Nobody has said whether a request may be fulfilled."""

    demand: UUID
    asked_at: AwareDatetime


class RequestOverdue(Command):
    """The time to fulfil a request has passed."""

    demand: UUID
    reopened: int


class FulfilmentDone(WorkDone):
    """Somebody has handed over, granted or done what was requested."""

    access: str


class AccessEnds(Command):
    """The time is over for which access was granted."""

    demand: UUID
    access: str


class ReorderWanted(Command, case="change"):
    """The stock of something is low."""

    change: str
    item: Slug
    service: Slug
    price: Euros = 0
    """What one brings that somebody waits for, whole euros."""

    @property
    def demand(self) -> UUID:
        """Under which the order comes back."""
        return uuid5(NAMESPACE_URL, self.change)


class GoodsArrived(Command, case="item"):
    """Goods have come: an order, or what a request does not need after all (`change` is empty)."""

    item: str
    change: str
    quantity: Pieces


class OrderFailed(Command, case="item"):
    """The goods that were ordered cannot be had."""

    item: str
    change: str
    reason: str
