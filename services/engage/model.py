"""What Engage knows of demand: from first contact to value, the services people name, and what segments require.

Parties and agreements stand in `registers.py`, what is counted, weighed and passed on in `ledgers.py`.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.engage import DemandStatus
from contracts.event import Command, Data, Fact, Verdict
from contracts.outside import Preference, StakeholderKind, TicketPushed
from contracts.service_hours import ServiceHours, together
from contracts.values import Channel, Count, Euros, Kind, Requirement, Slug, Version
from services.chassis.state import ONE, State
from services.chassis.work import WorkDone, WorkItem

FINAL: frozenset[DemandStatus | None] = frozenset(
    {"value_realised", "denied", "assumed", "rejected", "withdrawn", "merged"}
)
"""The states that a demand never leaves."""
Criticality = Literal["high", "medium", "low"]
"""How much depends on a service."""


Stage = Literal["proposed", "deferred", "approved", "refused", "kept", "reverted", "inconclusive"]
"""How far an improvement has come: a later one wins, whichever was heard first."""


class Joined(Data):
    """A later demand on the same need, as the one that stands for it counts it."""

    demand: UUID
    requester: str
    users: Count
    value: Euros
    tickets: tuple[str, ...] = ()


class Notice(Data):
    """What is to be told on a ticket."""

    number: int
    """Counts the notices on a demand from 1."""
    status: DemandStatus
    text: str
    asks_confirmation: bool = False
    internal: str = ""
    """What the people at the desk have to do; the requester does not see it."""
    reopens: bool = False
    """Whether the ticket, which is done, has to be opened again: its demand is not."""


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
    """The desk's own status of the ticket: the newest by the desk's own order, whatever has arrived last."""
    ticket_order: str = ""
    """The order key of what was heard of it, or of what is newest."""
    ticket_done: str = ""
    """The order key of the newest thing that found the ticket done; what was written before that is answered by it."""
    users: int = 1
    harm_in_hours: float | None = None
    wanted_priority: int | None = None
    value: int | None = None
    budget: int | None = None
    sponsor: str | None = None
    wanted_by: datetime | None = None
    offering: str | None = None
    """The service offering that is asked for; None if it was asked for in words."""
    quantity: int = 1
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
    merged: tuple[Joined, ...] = ()
    """Later demands on the same need that this one stands for."""
    merged_into: UUID | None = None
    """The demand that stands for this one."""
    weighed: bool = False
    """Whether it goes to Plan: what is decided there can be altered before and after."""
    accepted_at: datetime | None = None
    """When its requester accepted the terms that were offered; None if they have not, or need not."""
    notices: int = 0
    """How often the requester was told something."""
    said: tuple[str, ...] = ()
    """What they were told lately, the newest last: what comes back of it is no reply."""
    untold: tuple[Notice, ...] = ()
    """What their ticket has still to be told, one after the other: the first is being written."""
    notice_failed: str = ""
    """Why the last notice did not reach the desk; empty if it did."""

    @property
    def need(self) -> str:
        """The need in the requester's words, with what they said when it came back."""
        return f"{self.text}\n\n{self.last_reply}" if self.reopened else self.text

    @property
    def all_users(self) -> int:
        """How many people are behind it, those of merged demands among them."""
        return self.users + sum(joined.users for joined in self.merged)

    @property
    def all_value(self) -> int:
        """What it is expected to bring, euros a year, with what merged demands expect."""
        return (self.value or 0) + sum(joined.value for joined in self.merged)

    @property
    def tickets(self) -> tuple[str, ...]:
        """Its own ticket, if a desk has one."""
        return (f"{self.desk}/{self.ticket}",) if self.desk else ()

    @property
    def all_tickets(self) -> tuple[str, ...]:
        """Every ticket that asks for it."""
        return (*self.tickets, *(ticket for joined in self.merged for ticket in joined.tickets))


class KnownService(Data):
    """A service as people name it."""

    service: Slug
    names: tuple[str, ...] = ()
    """What people call it, besides its own name."""
    criticality: Criticality | None = None
    """None: nobody has said."""


class AgreedHours(Data):
    """The hours of service that an agreement with consumers says."""

    agreement: str
    edition: Version
    """Of the agreement: the highest holds."""
    in_force: bool
    service: Slug
    hours: ServiceHours
    valid_from: datetime


class KnownServices(State[str], by=ONE):
    """The services that Engage recognises in what people write; one row, written by the lane of one case."""

    services: tuple[KnownService, ...] = ()
    agreed: tuple[AgreedHours, ...] = ()
    """One of each agreement with consumers."""

    def hours(self, service: str | None, at: datetime) -> ServiceHours:
        """When a service is looked after: whenever an agreement that holds says so; around the clock without one."""
        holding = (one for one in self.agreed if one.service == service and one.in_force and one.valid_from <= at)
        return together(one.hours for one in holding)

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


class Need(State[str], by="need", shared=True):
    """One need of one kind, whoever has it: the first demand on it stands for those that come later."""

    first: UUID | None = None
    requester: str = ""
    """Who asked first: what they ask for again is wanted again, and not the same."""


class DemandAccepted(Command):
    """A demand is understood and has a value stream: its first step may take it up."""

    demand: UUID
    segment: str = ""
    stakeholder: str = ""
    """The requester, as the register of stakeholders has them."""


class NeedStated(Command):
    """A demand is to be consolidated: on its own, or merged into an earlier one on the same need."""

    demand: UUID
    need: str
    """What makes two demands one: the kind, the service and the words of the title that carry meaning."""
    segment: str = ""
    stakeholders: tuple[str, ...] = ()
    """The requester and the sponsor it names, as the register of stakeholders has them."""
    alone: bool = False
    """The earlier demand does not take it in: it stands for itself."""
    again: bool = False
    """It was consolidated before and has changed since: that counts only until it is decided."""


class MergeProposed(Command):
    """A later demand on the same need asks the first one to stand for it."""

    demand: UUID
    """The first one."""
    joining: Joined
    stated: NeedStated
    """How the later one is consolidated if the first does not take it in."""


class MergeAccepted(Command):
    """The first demand stands for this one from now on."""

    demand: UUID
    first: UUID
    title: str
    """Of the first one."""
    decided: str = ""
    """Who says so, and why; empty if it was seen that both need the same."""


class MergeAsked(Command):
    """Somebody decides that two demands of one person are one."""

    demand: UUID
    """The later one."""
    into: UUID
    """The one that is to stand for both."""
    by: str
    """Who says so."""
    reason: str


class StandingAsked(Command):
    """A demand is to stand for another one of the same person."""

    demand: UUID
    joining: Joined
    by: str
    reason: str


class MergeDeclined(Command):
    """A demand does not stand for this one."""

    demand: UUID
    into: UUID
    """The other one."""
    why: str


class MergeLeft(Command):
    """A demand ended before it could be merged."""

    demand: UUID
    """The first one."""
    other: UUID


class FirstEnded(Command):
    """The demand that stands for this one was handed over or has ended."""

    demand: UUID
    text: str


class DemandAltered(Command):
    """The requester or sponsor alters what a demand asks for, before or after it is decided."""

    demand: UUID
    stakeholder: str
    change: str | None = None
    title: str
    scope: str
    more_budget: Euros = 0
    wanted_by: AwareDatetime | None = None


class TermsAnswered(Command):
    """A consumer accepts the terms that were offered to them, or does not."""

    demand: UUID
    stakeholder: str
    accepted: bool
    remark: str = ""


class FeedbackWeighed(Command):
    """Feedback is held against what others have said about the same service."""

    demand: UUID
    service: str
    """Empty for the organisation as such."""
    stakeholder_kind: StakeholderKind = "consumer"


class FeedbackAnswered(Command):
    """An improvement that feedback gave rise to has come further: who gave it is told."""

    demand: UUID
    stage: Stage
    text: str


class DemandClassified(Command):
    """Somebody at the desk says what a demand is that no rule could place, or on which work ended without a result."""

    demand: UUID
    kind: Kind
    service: Slug | None = None
    """The service it is about; None to leave it as it is."""
    by: str
    """Who says so."""
    reason: str


class TriageNeeded(Command):
    """No rule can place a demand: somebody at the desk has to say what it is."""

    demand: UUID
    title: str
    reason: str


class TriageOver(Command):
    """Somebody has said what a demand is, or it has ended before anybody did."""

    demand: UUID
    by: str


class TriageReported(WorkDone):
    """Somebody reports that they have triaged a demand, and does not say what it is."""


class Triage(WorkItem, by="demand"):
    """The work of saying what a demand is that no rule could place."""

    title: str = ""
    reason: str = ""
    """Why no rule could."""


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


class AnswerOverdue(Command):
    """The time in which it had to be said how a demand goes on that support could not resolve is over."""

    demand: UUID
    notices: int
    """How often its requester had been told something: one more, and it has gone on since."""


class RequesterNotified(Command):
    """A notice has reached the requester's desk, or was given up."""

    demand: UUID
    number: int
    failed: str = ""
    """Why it was given up; empty if it has arrived."""
    again: bool = False
    """Whether it was given up only for now, because the desk cannot be reached."""


class HoursAgreed(Command, case="kept_in"):
    """An agreement with consumers, and with it hours of a service, has come into force, was changed or has ended."""

    kept_in: Literal["known services"] = "known services"  # as of `ServiceDescribed`
    agreed: AgreedHours


class ServiceDescribed(Command, case="kept_in"):
    """Somebody describes a service to Engage, or a service has gone live."""

    kept_in: Literal["known services"] = "known services"  # one case for all: its lane alone writes the row
    service: Slug
    names: tuple[str, ...] = ()
    criticality: Criticality | None = None
