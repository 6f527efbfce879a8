"""What Design and transition keeps of a design and its parts; and its own commands."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, FiniteFloat

from contracts.deliver_support import ChangeRequested
from contracts.design_transition import ComponentSpecification
from contracts.engage import DemandConsolidated, ServiceRequirementsStated
from contracts.event import Command, Data, Fact
from contracts.plan import ComponentNeed, PortfolioDecisionMade
from contracts.values import (
    DimensionAssessment,
    Euros,
    Requirement,
    Risk,
    Slug,
    Version,
    Way,
)
from services.chassis.state import State
from services.chassis.work import WorkDone, WorkItem
from services.design_transition.service_configuration import Contract, DataClass, Integration, OutsideFactor, Role

DesignStatus = Literal["awaited", "designing", "obtaining", "deploying", "released", "refused"]
"""How far a design is; the last two end it, until the demand is funded anew."""
DesignOutcome = Literal["designed", "design_refused", "validated", "validation_failed", "change_refused", "released"]
"""How a stage of a design came out."""


class Brief(State[UUID], by="demand"):
    """What a design waits for. The three come in any order; the design that begins takes them all."""

    demand: DemandConsolidated | None = None
    requirements: ServiceRequirementsStated | None = None
    decision: PortfolioDecisionMade | None = None
    decision_id: UUID | None = None


class Part(Data):
    """A specified component on its way back."""

    specification: ComponentSpecification
    iteration: Version
    result: Literal["awaited", "accepted", "failed"] = "awaited"
    shortcomings: tuple[str, ...] = ()
    way: Way | None = None
    cost: Euros = 0
    facts: tuple[Fact, ...] = ()
    """What it was judged by."""

    @property
    def component(self) -> str:
        """Its id."""
        return self.specification.component


class Design(State[UUID], by="demand"):
    """The design of a service for one demand, from what authorises it to its release and the review of that."""

    status: DesignStatus = "awaited"
    since: datetime | None = None
    """When it came into this status."""
    stream: str = ""
    title: str = ""
    service: str = ""
    needs: tuple[ComponentNeed, ...] = ()
    """The parts that the blueprint names."""
    requirements: tuple[Requirement, ...] = ()
    budget: int = 0
    lead_time_hours: float = 0
    users: int = 0
    wanted_by: datetime | None = None
    authorised_by: UUID | None = None
    """Id of the portfolio decision, or of the request for a change."""
    request: ChangeRequested | None = None
    """The request for a change that it answers; None if it is a demand of the portfolio."""
    author: str = ""
    change: str = ""
    iteration: int = 0
    """Counts designs and reworks over the demand's whole life, so that a late part never answers the wrong one."""
    rounds: int = 0
    """Specifications issued for this design."""
    dimensions: tuple[DimensionAssessment, ...] = ()
    parts: tuple[Part, ...] = ()
    risk: Risk = "low"
    """Of the change, as it was approved."""
    reviewed_at: datetime | None = None
    """When the change is to be reviewed after its installation."""
    review: Literal["none", "succeeded", "failed"] = "none"
    """What that found."""

    @property
    def authority(self) -> str:
        """What allows the work, as a source that decisions cite."""
        return f"change request {self.change}" if self.request else f"portfolio decision {self.authorised_by}"

    @property
    def under_way(self) -> bool:
        """Whether somebody works on it."""
        return self.status in ("designing", "obtaining", "deploying")

    @property
    def components(self) -> tuple[str, ...]:
        """The ids of its parts."""
        return tuple(part.component for part in self.parts)

    def move(self, status: DesignStatus, time: datetime) -> float:
        """Come into a status; returns the hours spent in the one before."""
        hours = (time - self.since) / timedelta(hours=1) if self.since else 0.0
        self.status, self.since = status, time
        return max(0.0, hours)

    def awaited(self, component: str, iteration: int) -> Part | None:
        """The part that this specification still waits for; None for one that is late, unknown or judged already."""
        for part in self.parts if self.status == "obtaining" else ():
            if (part.component, part.iteration, part.result) == (component, iteration, "awaited"):
                return part
        return None

    def replace(self, new: Part) -> None:
        """Put a part in the place of the one with the same id."""
        self.parts = tuple(new if part.component == new.component else part for part in self.parts)


class Designing(WorkItem, by="demand"):
    """The work of designing a service."""


class DesigningDone(WorkDone):
    """The design is on paper; whether it holds in the four dimensions is decided now."""

    service: Slug


class ReadinessDeclared(Command, case="service"):
    """Somebody who answers for a service says who can run it, what it is connected to, rests on and replaces."""

    service: Slug
    declared_by: str
    roles: tuple[Role, ...] = ()
    data_class: DataClass = "internal"
    integrations: tuple[Integration, ...] = ()
    factors: tuple[OutsideFactor, ...] = ()
    replaces: Slug | None = None


class ContractHeard(Command, case="service"):
    """A supplier's promise concerns this service of ours."""

    service: Slug
    contract: Contract


class AgreementWanted(Command, case="agreement"):
    """A design, or a live service, is in want of a contract."""

    agreement: str
    service: Slug
    supplier: Slug
    """Who supplies it today."""
    offering: Slug
    replaced: bool
    """Whether another supplier is to be found, because this one is not to be relied on."""
    lacking: tuple[Requirement, ...]
    """What must be promised at least."""
    purpose: str
    demand: UUID | None = None
    needed_by: AwareDatetime | None = None


class AskedAgreement(State[str], by="agreement"):
    """What Engage has been asked to agree on under one id."""

    requirements: tuple[Requirement, ...] = ()
    """The strictest that any design wanted."""
    times: int = 0
    """How often it was asked, each time for more."""


class ChangeAsked(Command):
    """A live service is to be changed without a decision of the portfolio, because operation has shown the need."""

    demand: UUID
    service: Slug
    request: ChangeRequested
    request_id: UUID


class ReviewDue(Command):
    """The time has come to look back at a change."""

    demand: UUID
    service: Slug
    change: str


class NoticeGiven(Command, case="service"):
    """A service has a successor: it is to be retired after a notice."""

    service: Slug
    replaced_by: Slug


class RetirementDue(Command):
    """The notice of a service is over."""

    demand: UUID
    service: Slug


class Reading(Data):
    """A measured or promised value beside the requirement it has to meet."""

    value: FiniteFloat
    requirement: Requirement

    @property
    def meets(self) -> bool:
        """Whether it is good enough."""
        if self.requirement.better == "higher":
            return self.value >= self.requirement.target
        return self.value <= self.requirement.target

    def __str__(self) -> str:
        bound = "at least" if self.requirement.better == "higher" else "at most"
        unit = f" {self.requirement.unit}".rstrip()
        return f"{self.value:,.10g}{unit} where {bound} {self.requirement.target:,.10g}{unit} is required"
