"""What Deliver and support tells: deliveries, support done, performance, and what must change."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Decision, Event
from contracts.values import (
    AgreementNeed,
    Amount,
    Count,
    Euros,
    Level,
    Measure,
    Priority,
    Seconds,
    Slug,
    Version,
)


class ServiceDelivered(Event):
    """Deliver and support says what it installed, refused, made live, handed over, ended or keeps alive."""

    demand: UUID
    """The demand it serves."""
    service: Slug
    """The service."""
    title: str
    """What it is, in one line."""
    change: str | None = None
    """The change that was deployed; None for mere support."""
    outcome: Literal["deployment_accepted", "deployment_refused", "live", "supported", "fulfilled", "access_ended"]
    """`deployment_accepted`: installed, not yet usable; `live`: usable; `supported`: kept or made usable again;
    `fulfilled`: goods, access or an action were handed over; `access_ended`: what was granted for a time is over."""
    what: str
    """What the consumer has now, in words: the output, not yet the value."""
    delivered_at: AwareDatetime
    """When."""
    reasons: tuple[str, ...] = ()
    """Why, as sentences a requester understands; at least one for a refusal."""
    measures: tuple[Measure, ...] = ()
    """What was measured on it."""


class SupportTaskCompleted(Decision):
    """Deliver and support reports how a support task ended.

    Whether that closes the demand is the consumer's to say, through Engage.
    """

    demand: UUID
    """The demand."""
    task: Literal["resolve", "fulfil", "train"]
    """What was to be done."""
    service: Slug | None
    """The service it was about; None if it could not be told."""
    outcome: Literal["resolved", "workaround", "unresolved", "fulfilled", "refused"]
    """How it ended; a `workaround` restores the service without removing the cause."""
    resolution: str
    """What was done, in words for the requester."""
    problem: str | None = None
    """The problem or known error that it was matched with; None if none."""
    started_at: AwareDatetime
    """When somebody took it up."""
    completed_at: AwareDatetime
    """When it ended."""
    respond_by: AwareDatetime
    """When somebody was to take it up, less the time the user was waited for."""
    resolve_by: AwareDatetime
    """When it was to end, less the time the user was waited for."""
    responded_in_time: bool
    """Whether it was taken up by then."""
    resolved_in_time: bool
    """Whether it ended by then."""
    escalations: Count = 0
    """How often it was escalated."""


class ServicePerformanceReported(Event):
    """Deliver and support says how fast a demand was served, against its targets."""

    demand: UUID
    """The demand that was served."""
    service: Slug | None
    """The service; None if it could not be told."""
    priority: Priority
    """The priority it was served with."""
    respond_seconds: Seconds
    """From request to being taken up, in chain time on the service's calendar."""
    respond_target_seconds: Seconds
    """What that was to be at most."""
    restore_seconds: Seconds
    """From request to its end, likewise."""
    restore_target_seconds: Seconds
    """What that was to be at most."""
    met: bool
    """Whether both targets were met."""
    measures: tuple[Measure, ...] = ()
    """What else was measured on the service, for example its availability."""
    reasons: tuple[str, ...] = ()
    """Which target was missed, and where the targets come from, as sentences."""


class SupportEscalated(Event):
    """Deliver and support says that a target is in danger or missed, and who has to act."""

    demand: UUID
    """The demand."""
    service: Slug | None
    """The service it is about; None if it could not be told."""
    priority: Priority | None = None
    """The priority it is served with."""
    target: Literal["respond", "resolve"]
    """Which target."""
    due_at: AwareDatetime
    """When the target was or is due."""
    breached: bool = True
    """False for a warning before it is due."""
    level: Version
    """How high it has been escalated, from 1."""
    to: str
    """The role that has to act now."""


class ChangeRequested(Event, case="change"):
    """Deliver and support asks for a change of a live service.

    Because a problem is worth it, or operation needs it.
    """

    change: str
    """The change asked for."""
    service: Slug
    """The live service to change."""
    title: str
    """What is to change, in one line."""
    text: str
    """What is wrong and what would be better, in words."""
    origin: Literal["incident", "problem", "request", "operation"]
    """What it comes from."""
    problem: str | None = None
    """The problem that it removes; None if there is none."""
    demands: tuple[UUID, ...] = ()
    """The demands that showed the need."""
    urgency: Level
    """How soon it does harm to wait."""
    benefit: Euros
    """What it would save or bring, euros a year."""
    effort: Euros | None = None
    """What it is guessed to cost, euros in all; None without a guess."""
    workaround: str = ""
    """What users do until then; empty if they can do nothing."""
    component: Slug | None = None
    """The component that is to be had again, or more of; None for a change of the service itself."""
    quantity: Amount | None = None
    """How much of it, in `unit`."""
    unit: str = ""
    """Of the quantity."""


class SupportAgreementNeeded(Event, AgreementNeed, case="agreement"):
    """Deliver and support says which agreement it needs to keep its targets.

    Engage is to reach it.
    """
