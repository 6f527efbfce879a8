"""What monitoring and problem management keep: how a service has run lately, and the problems it has."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Command, Data
from contracts.values import Count, Slug
from services.chassis.state import State


class MonitoredEvent(Data):
    """What monitoring has seen of a service."""

    event: str
    """The monitoring's own id of it."""
    signal: Slug
    value: float
    threshold: float
    unit: str
    severity: Literal["info", "warning", "exception"]
    at: datetime
    incident: UUID | None = None
    """The incident that it raised or belongs to."""
    restored: bool = False
    """That incident is over."""


class Incident(Data):
    """A restored incident, as problem management counts it."""

    demand: UUID
    round: int
    title: str
    words: tuple[str, ...]
    """What it is told apart from others by."""
    begun_at: datetime
    ended_at: datetime
    hours: float
    users: int
    known_error: str = ""
    """The known error that it was matched with; empty for none."""


class Problem(Data):
    """A cause of incidents that keep coming."""

    problem: Slug
    state: Literal["known_error", "weighing", "change_requested", "proving", "closed"]
    title: str
    words: tuple[str, ...]
    workaround: str
    demands: tuple[UUID, ...] = ()
    """The newest incidents that it caused."""
    count: Count = 0
    weighed_at: Count = 0
    """From how many incidents on it is weighed again whether a change pays."""
    changes: Count = 0
    """How many changes were asked for."""
    reason: str = ""
    """Why it is in this state."""
    live_at: datetime | None = None
    """Since when its change is live."""
    reopened: Count = 0


class Trend(State[str], by="service"):
    """How a service has run lately; written by the lane of its own case alone."""

    events: tuple[MonitoredEvent, ...] = ()
    incidents: tuple[Incident, ...] = ()
    problems: tuple[Problem, ...] = ()
    numbered: int = 0
    """How many problems it has had."""


class MonitoringReported(Command, case="service"):
    """Monitoring has seen something of a service."""

    service: Slug
    event: str
    signal: Slug
    value: float
    threshold: float
    unit: str
    severity: Literal["info", "warning", "exception"]


class IncidentRaised(Command):
    """Monitoring has raised an incident by itself."""

    demand: UUID
    service: Slug
    title: str
    text: str
    priority: int


class IncidentCounted(Command, case="service"):
    """An incident of a live service has ended: it may belong to a problem."""

    service: str
    incident: Incident
    resolution: str
    """What has helped."""
    major: bool


class ProblemWeighed(Command, case="change"):
    """A problem may be worth a change."""

    change: str
    service: Slug
    problem: Problem
    incidents: int
    """In the last 30 days."""
    hours: float
    """How long such an incident has lasted on average."""
    users: int
    """How many people it has hindered on average."""


class ProblemSettled(Command, case="service"):
    """It is decided whether a problem asks for a change."""

    service: Slug
    problem: Slug
    change: str
    asked: bool
    reason: str


class ProblemsReviewed(Command, case="service"):
    """What held back the change for a problem may be gone."""

    service: Slug


class ServiceChanged(Command, case="service"):
    """A change that was under way is live."""

    service: Slug
    change: str
    problem: str


class ProvingOver(Command, case="service"):
    """The time is over in which a change had to prove that a problem is gone."""

    service: Slug
    problem: Slug
    live_at: AwareDatetime


class ProblemChangeEnded(Command, case="service"):
    """The change for a problem does not come."""

    service: Slug
    problem: Slug
    change: str
    reason: str
