"""What Obtain/build shows of what it knows."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.initiative import Standing
from services.obtain_build.bounds import Alterations, Need, Request, Sponsorship
from services.obtain_build.direction import Target
from services.obtain_build.offers import Contract, Offer
from services.obtain_build.parts import Part
from services.obtain_build.sourcing_policy import Edition
from services.obtain_build.supplier_management import SupplierTerms


class View(BaseModel):
    """What is shown of a row."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class RegisteredComponent(View):
    """A component and what suppliers offer of it."""

    component: str = Field(validation_alias="id")
    """Its id."""
    capacity: float
    """How much there is, in `unit`; 0 if it is offered only."""
    used: float
    """How much of it is promised to services."""
    unit: str
    """Of both."""
    offers: tuple[Offer, ...]
    """What suppliers ask for it."""
    waiting: tuple[UUID, ...]
    """The demands whose orders wait until it can be bought under a contract."""


class OrderView(View):
    """What is obtained for one demand."""

    demand: UUID = Field(validation_alias="id")
    """The demand it is for."""
    service: str
    """The service that the parts make up."""
    status: str
    """`awaited`, `contract_awaited`, `obtaining`, `ready`, `live`, `not_obtainable` or `given_up`."""
    reasons: tuple[str, ...]
    """Why its parts cannot be had, or are waited for; empty otherwise."""
    change: str
    """The change that authorises it; empty while none does."""
    budget: int
    """What the change may cost, in euros."""
    wanted_by: AwareDatetime | None
    """When the change needs the parts."""
    need: Need | None
    """For how many the demand is, and by when; null if it did not say."""
    sponsorship: Sponsorship | None
    """Who pays, how much at most, and by when; null if nobody was named."""
    alterations: Alterations
    """What was altered while it was under way."""
    request: Request | None
    """The request of Deliver and support that it answers; null if it answers none."""
    waits_until: AwareDatetime | None
    """Until when a contract is waited for; null if none is."""
    parts: tuple[Part, ...]
    """The parts: how each is had, and why."""


class SupplierView(View):
    """A supplier."""

    supplier: str = Field(validation_alias="id")
    """The supplier."""
    components: tuple[str, ...]
    """The components it offers."""
    contracts: tuple[Contract, ...]
    """The contracts with it, in force or ended."""


class SupplierAgreementView(View):
    """What a supplier says to what is wanted of it."""

    agreement: str = Field(validation_alias="id")
    """The agreement."""
    answer: SupplierTerms | None
    """Whether it is offered, signed or refused, why, and what for."""


class DirectionView(View):
    """What directs the choice between making and buying."""

    editions: tuple[Edition, ...]
    """The editions of the sourcing policy that bind or will."""
    misread: str
    """What is wrong with an edition that was left out; empty if none was."""
    targets: tuple[Target, ...]
    """What plans say of the share of parts to be had in time."""
    initiatives: tuple[Standing, ...]
    """The improvement initiatives about obtaining, and how far they are."""
