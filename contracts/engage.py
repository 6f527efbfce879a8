"""What Engage tells: demand and feedback inward; status, agreements and performance outward."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Decision, Event
from contracts.outside import Judgement, StakeholderKind
from contracts.service_hours import ServiceHours
from contracts.values import (
    AgreementKind,
    Channel,
    Count,
    Euros,
    Kind,
    Level,
    PeriodReport,
    Priority,
    Rating,
    Requirement,
    Share,
    Slug,
    Term,
    Version,
)

DemandStatus = Literal[
    "captured",
    "unclassified",
    "consolidated",
    "deferred",
    "in_progress",
    "waiting_for_consumer",
    "delivered",
    "value_realised",
    "denied",
    "assumed",
    "rejected",
    "withdrawn",
    "merged",
]
"""The one state a demand is in; the first seven are open, the others final.

`value_realised` (fully or partly) and `denied` are the consumer's own answer, `assumed` is their
silence.
"""


class DemandConsolidated(Event):
    """Engage tells everybody a need it has understood: all that asks for the same, as one."""

    demand: UUID
    """The demand."""
    title: str
    """The need in one line."""
    text: str
    """The need in the requester's words."""
    kind: Kind
    """What sort of demand it is."""
    requester: str
    """Who asked first: an e-mail address or an id."""
    segment: str
    """The customer segment of the requester; empty if they belong to none."""
    service: Slug | None
    """The service it is about; None if there is none yet."""
    tickets: tuple[str, ...]
    """The tickets that ask for it, as `desk/ticket`."""
    merged: tuple[UUID, ...] = ()
    """Other demands on the same need that it stands for."""
    users: Count
    """How many people are hindered or would use it."""
    value: Euros
    """What it is expected to bring, euros a year; 0 without a value hypothesis."""
    effort: Euros | None
    """What it is expected to cost, euros in all; None if Plan is to estimate it."""
    budget: Euros | None = None
    """What a sponsor is ready to spend, euros in all; None if nobody said."""
    wanted_priority: Priority | None = None
    """How urgent the requester thinks it is."""
    wanted_by: AwareDatetime | None
    """When the requester needs it; None if they did not say."""
    promise_by: AwareDatetime
    """When the value stream promises it."""
    channel: Channel
    """Where it came in."""


class OpportunityIdentified(Event, case="opportunity"):
    """Engage tells everybody a chance to win or keep business.

    As it stands in the sales pipeline.
    """

    opportunity: str
    """Its id."""
    title: str
    """The chance in one line."""
    text: str
    """The chance in words."""
    customer: str
    """The customer or prospect: an e-mail address or an id."""
    segment: str
    """Their customer segment; empty if unknown."""
    service: Slug | None
    """The service it is about; None if there is none yet."""
    stage: Literal["identified", "qualified", "won", "lost"]
    """How far it has come."""
    value: Euros
    """What it would bring, euros a year."""
    probability: Share
    """How likely it is to come true."""
    closes_at: AwareDatetime | None = None
    """When the chance is gone."""


class ServiceRequirementsStated(Event):
    """Engage says what the requester's segment requires of the service.

    From its segmentation, to those who design and deliver.
    """

    demand: UUID
    """The demand that the requirements belong to."""
    service: Slug | None
    """The service that has to meet them; None if it has no name yet."""
    segment: str
    """The customer segment; empty if the requester belongs to none."""
    requirements: tuple[Requirement, ...]
    """What it must do, and how well."""
    reasons: tuple[str, ...] = ()
    """Whose word each requirement is, as sentences."""


class ValueJudged(Event, Judgement):
    """Engage passes on what a stakeholder answered about the value.

    Beside it stands what was asked, promised and delivered.
    """

    demand: UUID
    """The demand that was judged."""
    service: Slug | None = None
    """The service it was about, if there is one."""
    kind: Kind
    """What sort of demand it was."""
    asked: str
    """What was asked for."""
    delivered: str
    """What was delivered."""
    promised_by: AwareDatetime | None
    """When it was promised."""
    delivered_at: AwareDatetime | None
    """When it was delivered; None if they judged without a delivery."""


class ImprovementOpportunityIdentified(Event):
    """Engage hands feedback to Improve in which somebody sees what could be better."""

    demand: UUID
    """The feedback or complaint."""
    title: str
    """What could be better, in one line."""
    text: str
    """In the words of who said it."""
    source: Literal["feedback", "complaint", "review", "supplier", "trend"]
    """How it came to light."""
    stakeholder: str
    """Who said it: an e-mail address or an id."""
    stakeholder_kind: StakeholderKind
    """In which role."""
    service: Slug | None
    """The service it is about; None for the organisation as such."""
    demands: tuple[UUID, ...] = ()
    """Other demands that say the same."""
    satisfaction: Rating | None = None
    """How satisfied they are; None if they did not say."""
    reasons: tuple[str, ...] = ()
    """Why it is taken for what `source` says, as sentences."""


class ThirdPartyServiceReported(Event, case="supplier"):
    """Engage tells everybody what a supplier offers or changes.

    From its register of third parties.
    """

    supplier: Slug
    """The supplier."""
    version: Version
    """Counts what is told of this supplier; the highest holds."""
    name: str
    """What the supplier is called."""
    service: Slug
    """The service it offers, under the supplier's own id."""
    title: str
    """What that service is."""
    status: Literal["offered", "changed", "degraded", "ending", "ended"]
    """How it stands."""
    terms: tuple[Term, ...]
    """What the supplier promises: its service levels, lead time and price."""
    support_hours: str
    """When its support can be reached, in words; empty if it has none."""
    supports: tuple[Slug, ...] = ()
    """Services of our own that depend on it."""
    agreement: str | None = None
    """The contract that underpins it; None if there is none."""
    valid_from: AwareDatetime
    """From when it stands so."""
    valid_until: AwareDatetime | None = None
    """When it ends; None if no end is known."""
    reasons: tuple[str, ...] = ()
    """Why it stands so, as sentences."""


class ChangeInitiationRequested(Event):
    """Engage asks Obtain/build, for a customer, to begin a project or a change."""

    demand: UUID
    """The demand that asks for it."""
    title: str
    """What is to begin, in one line."""
    service: Slug | None
    """The service it would change; None for a new one."""
    justification: str
    """Why it is worth it, in words."""
    requester: str
    """Who asks: an e-mail address or an id."""
    sponsor: str | None = None
    """Who would pay for it, if anybody said so."""
    budget: Euros | None = None
    """What the sponsor is ready to spend, euros in all."""
    wanted_by: AwareDatetime | None = None
    """When it is needed."""


class ProjectChangeRequested(Event):
    """Engage asks Obtain/build, for a customer, to alter a project or change that is under way."""

    demand: UUID
    """The demand whose work is to be altered."""
    change: str
    """The project or change under way."""
    title: str
    """What is to be altered, in one line."""
    scope: str
    """What is added or left out, in words."""
    requester: str
    """Who asks: an e-mail address or an id."""
    more_budget: Euros = 0
    """What the sponsor adds for it, whole euros."""
    wanted_by: AwareDatetime | None = None
    """The new day it is needed; None if that stays."""


class DemandStatusReported(Event):
    """Engage tells the requester how their demand stands and what they are asked for.

    It is also the answer on the ticket of the desk.
    """

    demand: UUID
    """The demand."""
    title: str = ""
    """The need in one line."""
    status: DemandStatus
    """The state it is in now."""
    requester: str
    """Who is told: an e-mail address or an id."""
    text: str
    """What the requester is told, in their language."""
    asks_confirmation: bool
    """Whether they are asked to say if it was of value."""
    merged_into: UUID | None = None
    """The demand that stands for this one; None unless merged."""


class EngagementPerformanceReported(Event, PeriodReport, case="period"):
    """Engage reports how the relationship stands.

    To customers, other stakeholders and governance; Improve hears it too.
    """

    demands: Count
    """Demands that came in during the period."""
    open_demands: Count
    """Demands in an open state at its end."""
    complaints: Count
    """Complaints that came in during the period."""
    answers: Count
    """Answers about value in the period."""
    realised: Count
    """Those of the answers that said fully or partly."""


class AgreementConcluded(Event, case="agreement"):
    """Engage says that an agreement holds, was changed or has ended.

    To those who deliver under it or build on it.
    """

    agreement: str
    """Its id."""
    version: Version
    """Counts its changes; the highest holds."""
    kind: AgreementKind
    """With whom: a consumer, another activity or a supplier."""
    state: Literal["in_force", "expired", "terminated"]
    """Whether it holds."""
    title: str
    """What it is called."""
    service: Slug
    """The service it is about."""
    counterparty: str
    """The consumer, activity or supplier on the other side."""
    terms: tuple[Term, ...]
    """What is promised."""
    depends_on: tuple[str, ...] = ()
    """The agreements that its promises rest on."""
    service_hours: ServiceHours = ()
    """When its service is looked after: its times count these hours only; empty: around the clock."""
    valid_from: AwareDatetime
    """From when it holds."""
    valid_until: AwareDatetime | None = None
    """When it ends; None until somebody terminates it."""


class SupportTaskRequested(Decision):
    """Engage asks Deliver and support to resolve, fulfil or train.

    With the priority that policy gives, and the targets that follow from it.
    """

    demand: UUID
    """The demand it answers."""
    task: Literal["resolve", "fulfil", "train"]
    """What is to be done: restore a service, fulfil a request, or teach."""
    title: str
    """The need in one line."""
    text: str
    """The need in the requester's words."""
    service: Slug | None
    """The service it is about; None if it could not be told."""
    kind: Kind
    """What sort of demand it is."""
    requester: str
    """Who asked: an e-mail address or an id."""
    segment: str = ""
    """The customer segment of the requester; empty if they belong to none."""
    users_affected: Count = 1
    """How many people are hindered."""
    impact: Level
    """How much it hinders: from how critical the service is and how many are affected."""
    urgency: Level
    """How soon it does harm."""
    priority: Priority
    """What the matrix of impact and urgency says."""
    wanted_priority: Priority | None
    """What the requester wanted; None if they did not say."""
    respond_by: AwareDatetime
    """When somebody must have taken it up."""
    resolve_by: AwareDatetime
    """When it must be done."""
    service_hours: ServiceHours = ()
    """The hours of service that its targets were counted in; empty: around the clock."""
    reopened: Count = 0
    """How often it was done before and came back."""
    offering: Slug | None = None
    """The service offering that is requested; None if it was asked for in words."""
    quantity: Version = 1
    """How many of it."""
