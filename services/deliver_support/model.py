"""What Deliver and support keeps: the register of live services, and the work of restoring and installing them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Command, Data
from contracts.obtain_build import TestResult
from contracts.values import Amount, Level, Requirement, Slug, Version
from services.chassis.state import State
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

    @property
    def live(self) -> bool:
        """Whether it is in the register."""
        return self.live_since is not None


class Resolution(WorkItem, by="demand"):
    """The work of restoring a service for one demand, with its targets."""

    title: str = ""
    text: str = ""
    service: str = ""
    """Empty if nobody could tell it."""
    priority: int = 5
    reopened: int = 0
    respond_by: datetime | None = None
    taken_up_at: datetime | None = None
    taken_up_by: str = ""
    escalations: int = 0


class ResolutionDone(WorkDone):
    """Somebody has done what can be done to restore the service."""

    service: str
    """The service that the task names; empty if it names none."""


class SupportTaskTakenUp(Command):
    """Somebody has taken a support task up: this meets the respond target."""

    demand: UUID
    by: str


class TargetPassed(Command):
    """The time to respond or to resolve has passed; whether it was kept is to be seen."""

    demand: UUID
    service: str
    target: Literal["respond", "resolve"]
    round: int
    """The round of work that the target was for."""


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
