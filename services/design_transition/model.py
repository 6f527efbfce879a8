"""What Design and transition keeps: designs with their parts, what it knows of services; and its own commands."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import FiniteFloat

from contracts.design_transition import ComponentSpecification
from contracts.engage import DemandConsolidated, ServiceRequirementsStated
from contracts.event import Command, Data, Fact
from contracts.plan import ComponentNeed, PortfolioDecisionMade
from contracts.values import (
    AgreementNeed,
    DimensionAssessment,
    Euros,
    Requirement,
    Slug,
    Term,
    Version,
    Way,
)
from services.chassis.state import ONE, State
from services.chassis.work import WorkDone, WorkItem

DataClass = Literal["public", "internal", "confidential", "secret"]
"""How much harm the service's data can do in the wrong hands, least first."""
DesignStatus = Literal["awaited", "designing", "obtaining", "deploying", "released", "refused"]
"""How far a design is; the last two end it, until the demand is funded anew."""
DesignOutcome = Literal["designed", "design_refused", "validated", "validation_failed", "change_refused", "released"]
"""How a stage of a design came out."""


class Role(Data):
    """A role that a service needs, and whether somebody can fill it."""

    role: Slug
    """Its name, for example `game-operator`."""
    staffed: bool
    """Whether somebody has it."""
    trained: bool
    """Whether they are trained for this service."""


class Integration(Data):
    """Another system that a service exchanges data with."""

    system: Slug
    """Its name."""
    available: bool
    """Whether it can be connected to today."""


class Contract(Data):
    """What a supplier promises behind one of our services."""

    supplier: Slug
    offering: Slug
    """The supplier's own id of what it supplies."""
    edition: Version
    """Counts what is told of this supplier; the highest holds."""
    status: Literal["offered", "changed", "degraded", "ending", "ended"]
    terms: tuple[Term, ...]


class ServiceRecord(State[str], by="service", shared=True):
    """What is known about one service, whichever demand it is designed for."""

    releases: int = 0
    declared_by: str = ""
    """Who declared roles, data class and integrations; empty if nobody has."""
    roles: tuple[Role, ...] = ()
    data_class: DataClass = "internal"
    integrations: tuple[Integration, ...] = ()
    contracts: tuple[Contract, ...] = ()

    def add(self, contract: Contract) -> None:
        """Take up what a supplier promises now, unless something newer about it is known."""

        def same(known: Contract) -> bool:
            return (known.supplier, known.offering) == (contract.supplier, contract.offering)

        if not any(same(known) and known.edition >= contract.edition for known in self.contracts):
            self.contracts = (*(known for known in self.contracts if not same(known)), contract)


class ChainHealth(State[str], by=ONE, shared=True):
    """How changes have come out lately in the whole chain, as Improve measures it."""

    period: str = ""
    edition: int = 0
    change_success: float | None = None
    change_success_met: bool | None = None


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
    """The design of a service for one demand, from the approved decision to its release."""

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
    """Id of the portfolio decision."""
    author: str = ""
    change: str = ""
    iteration: int = 0
    """Counts designs and reworks over the demand's whole life, so that a late part never answers the wrong one."""
    rounds: int = 0
    """Specifications issued for this design."""
    dimensions: tuple[DimensionAssessment, ...] = ()
    parts: tuple[Part, ...] = ()

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
    """Somebody who answers for a service says who can run it, which data it holds and what it is connected to."""

    service: Slug
    declared_by: str
    roles: tuple[Role, ...] = ()
    data_class: DataClass = "internal"
    integrations: tuple[Integration, ...] = ()


class ContractHeard(Command, case="service"):
    """A supplier's promise concerns this service of ours."""

    service: Slug
    contract: Contract


class AgreementWanted(Command, AgreementNeed, case="agreement"):
    """A design has shown that a contract is needed."""


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
