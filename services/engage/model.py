"""What Engage knows: each demand from first contact to value, the services people name, and what segments require."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.engage import DemandStatus
from contracts.event import Command, Data, Fact, Verdict
from contracts.outside import Preference, TicketPushed
from contracts.values import Channel, Kind, Requirement, Slug
from services.chassis.state import ONE, State

FINAL: frozenset[DemandStatus | None] = frozenset(
    {"value_realised", "denied", "assumed", "rejected", "withdrawn", "merged"}
)
"""The states that a demand never leaves."""
Criticality = Literal["high", "medium", "low"]
"""How much depends on a service."""


class Demand(State[UUID], by="demand"):
    """A need from first contact to the value that came of it; in exactly one state at any time."""

    status: DemandStatus | None = None
    """None: Engage has never heard of it."""
    reason: str = ""
    """Why it is in this state."""
    kind: str = "unclassified"
    service: str | None = None
    title: str = ""
    text: str = ""
    requester: str = ""
    requester_name: str = ""
    segment: str = ""
    channel: Channel = "api"
    desk: str = ""
    """The desk whose ticket it is; empty if it came in another way."""
    ticket: str = ""
    url: str = ""
    ticket_status: str = ""
    """The desk's own status of the ticket, recorded only."""
    users: int = 1
    harm_in_hours: float | None = None
    wanted_priority: int | None = None
    value: int | None = None
    budget: int | None = None
    sponsor: str | None = None
    wanted_by: datetime | None = None
    facts: tuple[Fact, ...] = ()
    """What was read out of it, each with the rule that did: the basis of later decisions."""
    stream: str = ""
    owner: str = ""
    """The role that answers for its value stream."""
    captured_at: datetime | None = None
    contacted_at: datetime | None = None
    """First contact, or the reply that reopened it: the requester waits from then on."""
    promised_by: datetime | None = None
    priority: int | None = None
    escalated_to: str = ""
    """The role that must act because work has ended without a result; empty while work goes on."""
    delivered: str = ""
    delivered_at: datetime | None = None
    closed_at: datetime | None = None
    verdict: Verdict | None = None
    reopened: int = 0
    replies: int = 0
    last_reply: str = ""
    follows: UUID | None = None
    """The closed demand that this one takes up again."""
    followed_by: UUID | None = None
    """The demand that takes this closed one up again; what its ticket says from then on is said about that one."""
    notices: int = 0
    """How often the requester was told something."""
    told: str = ""
    """What they were told last."""
    notice_failed: str = ""
    """Why the last notice did not reach the desk; empty if it did."""

    @property
    def need(self) -> str:
        """The need in the requester's words, with what they said when it came back."""
        return f"{self.text}\n\n{self.last_reply}" if self.reopened else self.text


class KnownService(Data):
    """A service as people name it."""

    service: Slug
    names: tuple[str, ...] = ()
    """What people call it, besides its own name."""
    criticality: Criticality | None = None
    """None: nobody has said."""


class KnownServices(State[str], by=ONE):
    """The services that Engage recognises in what people write; one row, written by the lane of one case."""

    services: tuple[KnownService, ...] = ()

    def get(self, service: str | None) -> KnownService | None:
        """What is known of it."""
        return next((known for known in self.services if known.service == service), None)


class Statement(Data):
    """What a segment requires of one service, or of all."""

    service: str | None
    requirements: tuple[Requirement, ...]
    preferences: tuple[Preference, ...]
    customer: str
    """Who said so for the segment."""


class Segment(State[str], by="segment"):
    """A customer segment and what it has stated; the latest statement on a service replaces the one before."""

    statements: tuple[Statement, ...] = ()

    def on(self, service: str | None) -> tuple[Statement, ...]:
        """What holds for a service: first the statement on all services, then its own, which goes before."""
        holding = [stated for stated in self.statements if stated.service in (None, service)]
        return tuple(sorted(holding, key=lambda stated: stated.service is not None))


class DemandAccepted(Command):
    """A demand is understood and has a value stream: its first step may take it up."""

    demand: UUID
    segment: str = ""


class DemandClassified(Command):
    """Somebody at the desk says what a demand is that no rule could place, or on which work ended without a result."""

    demand: UUID
    kind: Kind
    service: Slug | None = None
    """The service it is about; None to leave it as it is."""
    by: str
    """Who says so."""
    reason: str


class TicketFollowed(Command):
    """A reply came to the ticket of a closed demand: it is a new one, linked to it."""

    demand: UUID
    """The new demand."""
    follows: UUID
    pushed: TicketPushed


class ConfirmationOverdue(Command):
    """The time in which a consumer may say what a delivery was worth to them is over."""

    demand: UUID
    delivered_at: AwareDatetime
    """Which delivery; a demand that was reopened meanwhile has another one, or none."""


class RequesterNotified(Command):
    """A notice has reached the requester's desk, or was given up."""

    demand: UUID
    number: int
    failed: str = ""
    """Why it was given up; empty if it has arrived."""


class ServiceDescribed(Command, case="kept_in"):
    """Somebody describes a service to Engage, or a service has gone live."""

    kept_in: Literal["known services"] = "known services"  # one case for all: its lane alone writes the row
    service: Slug
    names: tuple[str, ...] = ()
    criticality: Criticality | None = None
