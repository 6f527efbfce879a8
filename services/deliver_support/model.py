"""What Deliver and support keeps: the register of live services, and the work of restoring and installing them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Command, Data
from contracts.obtain_build import TestResult
from contracts.service_hours import ServiceHours, together
from contracts.values import AgreementKind, Amount, Level, Requirement, Slug, Version
from services.chassis.state import ONE, State
from services.chassis.work import WorkDone, WorkItem


class KnownError(Data):
    """A known cause of incidents in one service."""

    error: Slug
    """Its id within the service."""
    symptoms: tuple[str, ...]
    """Words or phrases by which an incident shows it."""
    workaround: str
    """How users can go on although the cause remains."""
    fix: str = ""
    """How the cause is removed; empty while nobody knows."""


class SupplierState(Data):
    """How a supplier's offer stands on which a service rests."""

    supplier: Slug
    offer: Slug
    """The supplier's own service."""
    name: str
    version: int
    """Of what the register of third parties says of it."""
    status: Literal["offered", "changed", "degraded", "ending", "ended"]
    resolve: float | None = None
    """Within how many hours the supplier promises to resolve; None if it promises nothing."""
    ends_at: datetime | None = None

    def failing(self, at: datetime) -> bool:
        """Whether it cannot be relied on at that time."""
        return self.status in ("degraded", "ended") or (self.ends_at is not None and self.ends_at <= at)


class PendingChange(Data):
    """A change of a service that somebody has asked for already."""

    demand: UUID
    until: datetime
    """When it is not reckoned with any more."""
    change: str = ""
    problem: str = ""
    """The problem that asked for it; empty for a demand of a customer."""


class LiveService(State[str], by="service", shared=True):
    """A service in the register, with what its support goes by."""

    title: str = ""
    live_since: datetime | None = None
    """None for a service that is not in the register."""
    criticality: Level = 2
    owner: str = ""
    change: str = ""
    """The change that brought its present release; empty if it was taken over."""
    release: int = 0
    components: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    """What it has to keep."""
    known_errors: tuple[KnownError, ...] = ()
    suppliers: tuple[SupplierState, ...] = ()
    """What it rests on."""
    pending: tuple[PendingChange, ...] = ()
    """The changes of it that are under way."""

    @property
    def live(self) -> bool:
        """Whether it is in the register."""
        return self.live_since is not None

    def failing(self, at: datetime) -> SupplierState | None:
        """The supplier that cannot be relied on, if there is one."""
        return next((one for one in self.suppliers if one.failing(at)), None)

    def pending_at(self, time: datetime) -> PendingChange | None:
        """A change that is under way at that time, if there is one."""
        return next((one for one in self.pending if one.until > time), None)


class Resolution(WorkItem, by="demand"):
    """The work of restoring a service for one demand, with its targets."""

    title: str = ""
    text: str = ""
    service: str = ""
    """Empty if nobody could tell it."""
    priority: int = 5
    reopened: int = 0
    respond_by: datetime | None = None
    respond_hours: ServiceHours = ()
    """The hours of service that count until then; empty: around the clock."""
    resolve_hours: ServiceHours = ()
    """Those that count until it is to be done."""
    taken_up_at: datetime | None = None
    taken_up_by: str = ""
    escalations: int = 0
    passed: tuple[str, ...] = ()
    """The targets of this round that were warned of or missed, each with when it was due."""
    users: int = 1
    """How many people are hindered."""
    bound_by: str = ""
    """The agreement whose promise is tighter than the targets of the priority; empty if none is."""
    source: Literal["requester", "monitoring"] = "requester"
    """Who noticed it."""
    waiting_since: datetime | None = None
    """Since when the user is waited for: the clock stands still."""
    waiting_for: str = ""
    """What the user is asked for."""


class ResolutionDone(WorkDone):
    """Somebody has done what can be done to restore the service."""

    service: str
    """The service that the task names; empty if it names none."""


class SupportTaskTakenUp(Command):
    """Somebody has taken a support task up: this meets the respond target."""

    demand: UUID
    by: str
    service: str = ""
    """The service that the task names; empty if it names none."""
    round: int = 0
    """The round of work that it is for; 0 for the present one."""


class SupportTaskPaused(Command):
    """Whoever works on a task needs something from its user: until that is there, the clock stands still."""

    demand: UUID
    by: str
    asks: str


class SupportTaskResumed(Command):
    """The user has answered: the clock goes on."""

    demand: UUID
    by: str


class TargetPassed(Command):
    """The time to respond or to resolve has passed, or is near; whether it was kept is to be seen."""

    demand: UUID
    service: str
    target: Literal["respond", "resolve"]
    round: int
    """The round of work that the target was for."""
    warning: bool = False
    """It is near only."""
    due_at: AwareDatetime | None = None
    """The target as it was; one that was put off since has timers of its own."""


class ProvidedPart(Data):
    """A component as it was provided."""

    component: Slug
    iteration: Version
    capacity: Amount
    unit: str
    tests: tuple[TestResult, ...]


class Deployment(WorkItem, by="demand"):
    """The work of installing a change, with everything that has to be there for it."""

    stage: Literal["awaited", "planned", "installing", "accepted", "refused", "live"] = "awaited"
    change: str = ""
    service: str = ""
    title: str = ""
    author: str = ""
    approved_by: str = ""
    back_out_plan: str = ""
    scheduled_at: datetime | None = None
    components: tuple[str, ...] = ()
    """What the plan says is to be installed."""
    iterations: tuple[int, ...] = ()
    """Of each of those, the oldest iteration that may be: the one that was validated."""
    parts: tuple[ProvidedPart, ...] = ()
    """What was provided, each in its newest iteration."""
    requirements: tuple[Requirement, ...] = ()
    """What the segment requires, as far as it has been heard."""
    not_obtainable: tuple[str, ...] = ()
    """Why parts of it cannot be had; empty unless Obtain/build said so last."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The components of the plan that were not provided, or only in an iteration before the validated one."""
        here = {part.component: part.iteration for part in self.parts}
        oldest = dict(zip(self.components, self.iterations, strict=False))
        return tuple(name for name in self.components if here.get(name, 0) < oldest.get(name, 1))


class DeploymentDue(Command):
    """The time has come to install a change."""

    demand: UUID
    change: str
    last_call: bool = False
    """Components that are not there now are not waited for any longer."""


class DeploymentDone(WorkDone):
    """A change has been installed, as far as it could be."""


class ServiceTakenOver(Command, case="service"):
    """A service that is live already comes into the register, or its entry is corrected."""

    service: Slug
    title: str
    criticality: Level
    owner: str
    live_since: AwareDatetime | None
    requirements: tuple[Requirement, ...]


class KnownErrorRecorded(Command, case="service"):
    """A cause of incidents is known; later incidents that show it are resolved by it."""

    service: Slug
    known_error: KnownError


class Goal(Data):
    """A target that a plan sets."""

    plan: str
    objective: str
    target: float


class PlanEdition(Data):
    """The newest version of a plan that was heard."""

    plan: str
    version: int


class Initiative(Data):
    """An improvement, as far as it has come."""

    initiative: str
    measure: str
    service: str | None
    """The service it is about; None for more than one."""
    stage: Literal["proposed", "deferred", "approved", "refused", "kept", "ended"]
    starts_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it may still change the service."""
        return self.stage in ("proposed", "deferred", "approved")


class Promise(Data):
    """What an agreement promises of the support of a service."""

    agreement: str
    version: int
    kind: AgreementKind
    in_force: bool
    service: str
    counterparty: str
    respond: float | None
    """In hours; None if it says nothing of it."""
    resolve: float | None
    service_hours: ServiceHours = ()
    """These times count these hours only; empty: around the clock."""
    valid_from: datetime
    valid_until: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it binds at that time."""
        return self.in_force and self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


class Outlook(State[str], by=ONE, shared=True):
    """What Deliver and support goes by that others decide: goals of plans, improvements, and agreements."""

    plans: tuple[PlanEdition, ...] = ()
    goals: tuple[Goal, ...] = ()
    initiatives: tuple[Initiative, ...] = ()
    promises: tuple[Promise, ...] = ()

    def goal(self, objective: str, default: float) -> float:
        """The target that plans set for an objective, else our own."""
        return next((goal.target for goal in self.goals if goal.objective == objective), default)

    def promised(self, service: str | None, at: datetime) -> tuple[Promise, ...]:
        """The agreements that bind the support of a service at that time."""
        return tuple(one for one in self.promises if one.service == service and one.holds(at))

    def hours(self, service: str, at: datetime) -> ServiceHours:
        """When a service is looked after: when an agreement with consumers says so; around the clock without one."""
        return together(one.service_hours for one in self.promised(service, at) if one.kind == "service_level")

    def improving(self, service: str) -> Initiative | None:
        """An open initiative about that very service, if there is one."""
        return next((one for one in self.initiatives if one.open and one.service == service), None)


class SuppliedService(Data):
    """A supplier's service, and what of ours rests on it."""

    offer: Slug
    version: int
    supports: tuple[Slug, ...]


class Supplier(State[str], by="supplier"):
    """What the register of third parties has said of a supplier."""

    offers: tuple[SuppliedService, ...] = ()


class NeededAgreement(State[str], by="agreement"):
    """An agreement that support needs to keep its targets."""

    service: str = ""
    party: str = ""
    hours: float | None = None
    """The resolve promise it was asked for last; None while it is not needed."""


class ChangeWanted(Command, case="service"):
    """A customer's demand for a change of a service is under way."""

    service: Slug
    demand: UUID
    until: AwareDatetime


class SupplierConcerned(Command, case="service"):
    """A service rests on a supplier's offer, or does not any more."""

    service: Slug
    state: SupplierState
    rests: bool


class SupportWeighed(Command, case="agreement"):
    """What a service rests on may be slower than what its support has to keep."""

    agreement: str
    service: Slug
    party: str
    kind: Literal["operational_level", "underpinning_contract"]
