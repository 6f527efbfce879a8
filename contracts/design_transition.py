"""What Design and transition tells: specifications, changes, releases, and how these went."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Data, Decision, Event
from contracts.values import (
    AgreementNeed,
    Amount,
    DimensionAssessment,
    Euros,
    Hours,
    Requirement,
    Risk,
    Slug,
    Version,
)


class ComponentSpecification(Data):
    """A part of the designed service, exact enough to be obtained or built and to be tested."""

    component: Slug
    """Its id."""
    description: str
    """What it is and does."""
    capacity: Amount
    """How much it must bear, in `unit`."""
    unit: str
    """Of the capacity, for example `users`, `pieces`."""
    acceptance: tuple[str, ...]
    """What it is tested for: names of requirements, or criteria in words."""


class SpecificationIssued(Decision):
    """Design and transition has designed a service and says which parts it needs.

    It says so again, with the reason, when a part came back.
    """

    demand: UUID
    """The demand that the service is for."""
    service: Slug
    """The service designed."""
    iteration: Version
    """Counts the designs and reworks, from 1."""
    components: tuple[ComponentSpecification, ...]
    """The parts to obtain or build; in a rework only those that failed."""
    requirements: tuple[Requirement, ...] = ()
    """What the service as a whole must reach."""
    dimensions: tuple[DimensionAssessment, ...]
    """How the design stands in each of the four dimensions."""
    rework_of: str | None = None
    """Why a part came back; None for a first design."""


class ContractualAgreementNeeded(Event, AgreementNeed, case="agreement"):
    """Design and transition says which contract a design needs; Engage is to reach it."""


class DeploymentPlanned(Decision):
    """A change is assessed, approved and scheduled.

    Deliver and support may now install it, and may refuse to.
    """

    demand: UUID
    """The demand that the change serves."""
    change: str
    """The change."""
    service: Slug
    """The service it creates or changes."""
    title: str
    """What is deployed, in one line."""
    change_type: Literal["standard", "normal", "emergency"]
    """`standard` follows a pre-authorised model, `emergency` cannot wait, `normal` is the rest."""
    model: Slug | None = None
    """The pre-authorised change model that a standard change follows."""
    risk: Risk
    """How risky it is."""
    authority: Literal["peer", "manager", "board", "emergency_authority", "pre_authorised"]
    """Who had to approve it, by risk and impact."""
    author: str = ""
    """Who proposed it; never who approved it."""
    approved_by: str
    """Who did approve it."""
    scheduled_at: AwareDatetime
    """When it is installed, outside of every freeze."""
    reviewed_at: AwareDatetime | None = None
    """When it is to be reviewed afterwards."""
    back_out_plan: str
    """How to get back if it goes wrong."""
    components: tuple[Slug, ...]
    """The parts to install."""
    iterations: tuple[Version, ...] = ()
    """Which iteration of each of them was validated, in the same order; nothing older is installed."""


class ServiceReleased(Event):
    """An installed and accepted service may be used.

    Deliver and support takes it into the register of live services.
    """

    demand: UUID
    """The demand it is for."""
    change: str
    """The change that brought it."""
    service: Slug
    """The service."""
    title: str
    """What it is, in one line."""
    version: Version = 1
    """Counts the releases of the service."""
    released_at: AwareDatetime
    """From when it may be used."""
    components: tuple[Slug, ...] = ()
    """The parts it consists of."""
    requirements: tuple[Requirement, ...] = ()
    """What it was validated for, and has to keep."""
    known_errors: tuple[str, ...] = ()
    """What is known not to work, each with its workaround."""
    early_support_until: AwareDatetime | None = None
    """Until when its makers stand by."""


class DesignPerformanceReported(Decision):
    """Design and transition says how its work came out, and what could be better."""

    demand: UUID
    """The demand worked on."""
    service: Slug
    """The service worked on."""
    outcome: Literal["designed", "design_refused", "validated", "validation_failed", "change_refused", "released"]
    """What came out."""
    iteration: Version = 1
    """Counts the designs and reworks, from 1."""
    promised_hours: Hours | None = None
    """How long the step was to take; None if nothing was promised."""
    taken_hours: Hours | None = None
    """How long it took; None if it was done at once."""
    opportunity: str = ""
    """What could be better, in words; empty if nothing was seen."""


class ServiceTransitionReported(Event):
    """Design and transition says that a service is usable, retired, or will not come."""

    demand: UUID
    """The demand behind it."""
    service: Slug
    """The service."""
    title: str
    """What it is, in one line."""
    change: str | None = None
    """The change that did it; None if it was refused before one."""
    outcome: Literal["released", "retired", "refused"]
    """How the transition ended."""
    replaced_by: Slug | None = None
    """The service that takes the place of a retired one."""
    reasons: tuple[str, ...]
    """Why, as sentences a requester understands."""


class ChangeProposed(Decision):
    """Design and transition proposes a change to Obtain/build.

    Nothing is built without one that is authorised.
    """

    demand: UUID
    """The demand behind it."""
    change: str
    """The change."""
    service: Slug
    """The service it creates or changes."""
    title: str
    """What is to change, in one line."""
    origin: Literal["portfolio_decision", "change_request", "problem", "improvement"]
    """Where it comes from."""
    authorised_by: UUID
    """Id of the event that authorises it: the portfolio decision or the approved request."""
    budget: Euros
    """What obtaining and building may cost, euros in all."""
    wanted_by: AwareDatetime | None = None
    """When the parts are needed; None if nothing was promised."""
