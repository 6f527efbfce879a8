"""What parties outside say to the chain.

Engage is the door; governance alone speaks to Plan.
"""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Command, Data, Verdict
from contracts.values import (
    Channel,
    Count,
    Euros,
    Hours,
    Kind,
    PolicyParameter,
    Priority,
    Quarter,
    Rating,
    Requirement,
    Share,
    Slug,
    Version,
)

StakeholderKind = Literal["consumer", "provider", "employee", "society", "shareholder", "supplier"]
"""Whose value it is: each kind perceives another."""


class TicketPushed(Command, activity="engage"):
    """A user's ticket in a service desk was made, answered or moved.

    The desk's adapter in Engage says so.
    """

    demand: UUID
    """The demand that the ticket is: derived from desk and ticket, so a repeat meets the same one."""
    desk: Slug
    """The configured desk it comes from."""
    delivery: str
    """The desk's id of this push; the same on every retry."""
    ticket: str
    """The ticket's number in the desk."""
    url: str
    """Where a person opens the ticket."""
    kind: Literal["created", "replied", "status_changed"]
    """What happened to the ticket."""
    title: str
    """Its subject."""
    text: str
    """The text of the ticket or of the reply, as plain text; empty for a mere change of status."""
    ticket_type: str | None = None
    """The desk's own type, for example `Incident`; None if it has none."""
    priority: str | None = None
    """The desk's own priority, in its words: what the requester wants, not what the chain gives."""
    status: str | None = None
    """The desk's own status, in its words."""
    requester_name: str
    """Who asks, as the desk knows them."""
    requester_email: str
    """The address of who asks; the stakeholder is found by it."""
    service: Slug | None = None
    """The service that the ticket names; None if the desk does not say."""
    users_affected: Count | None = None
    """How many people are hindered or would use it, as the ticket says; None if it has no such field."""
    occurred_at: AwareDatetime
    """When it happened in the desk."""
    order: str = ""
    """Sorts what happened to the ticket as its desk did it, whatever arrives first; empty if the desk does not say."""
    by_requester: bool | None = None
    """Whether the requester did it; None if the desk does not say who did."""
    push: UUID | None = None
    """The push that it was read from, which Engage keeps for a time as it came in; None if none is kept."""


class DemandSubmitted(Command, activity="engage"):
    """A customer brings demand.

    Over the API, by phone, in a chat, the portal, by mail or from the car.
    """

    demand: UUID
    """The new demand: derived from the caller and its idempotency key."""
    requester: str
    """Who asks: an e-mail address or an id of the stakeholder."""
    requester_name: str = ""
    """Their name, as they gave it."""
    segment: str = ""
    """The customer segment they say they belong to; empty if Engage is to know."""
    title: str
    """The need in one line."""
    text: str
    """The need in their words."""
    kind: Kind | None = None
    """What sort of demand it is; None if Engage is to classify it."""
    service: Slug | None = None
    """The service it is about; None if they do not know or there is none yet."""
    wanted_priority: Priority | None = None
    """How urgent they think it is; kept apart from the priority that policy gives."""
    users_affected: Count = 1
    """How many people are hindered or would use it."""
    harm_in_hours: Hours | None = None
    """Hours until harm is done if nothing happens; None if none is foreseen."""
    value: Euros | None = None
    """What they expect to gain, euros a year; None without a value hypothesis."""
    budget: Euros | None = None
    """What their sponsor is ready to spend, euros in all; None if not said."""
    sponsor: str | None = None
    """Who authorises that budget."""
    wanted_by: AwareDatetime | None = None
    """When they need it."""
    offering: Slug | None = None
    """The service offering they ask for; None if they ask in words."""
    quantity: Version = 1
    """How many of it."""
    channel: Channel = "api"
    """Where they asked."""


class Judgement(Data):
    """What value a stakeholder perceived: only they can say."""

    stakeholder: str
    """Who judges: an e-mail address or an id."""
    stakeholder_kind: StakeholderKind = "consumer"
    """In which role."""
    verdict: Verdict
    """How far the value was realised."""
    utility: bool
    """Whether it does what they need (fit for purpose)."""
    warranty: bool
    """Whether it does so well enough (fit for use)."""
    benefits: tuple[str, ...] = ()
    """What they gained."""
    costs_removed: tuple[str, ...] = ()
    """What they no longer have to pay or do."""
    costs_imposed: tuple[str, ...] = ()
    """What they have to pay or do now."""
    risks_removed: tuple[str, ...] = ()
    """What they no longer have to fear."""
    risks_imposed: tuple[str, ...] = ()
    """What they have to fear now."""
    satisfaction: Rating | None = None
    """How satisfied they are; None if they did not say."""
    remark: str = ""
    """In their own words."""


class ValueConfirmed(Command, Judgement, activity="engage"):
    """A stakeholder answers whether what was delivered is of value to them.

    Without such an answer no value counts as realised.
    """

    demand: UUID
    """The delivered demand."""


class DemandWithdrawn(Command, activity="engage"):
    """The requester no longer needs it."""

    demand: UUID
    """The demand to stop."""
    stakeholder: str
    """Who withdraws it."""
    reason: str
    """Why, in their words."""


class Preference(Data):
    """How a segment wants one sort of its demand to be treated."""

    kind: Kind
    """The sort of demand."""
    wanted_priority: Priority
    """The priority they want it to have."""
    channel: Channel | None = None
    """Where they want to be answered; None for where they asked."""


class RequirementsStated(Command, activity="engage", case="segment"):
    """A customer states what their segment requires and prefers."""

    segment: Slug
    """The customer segment."""
    customer: str
    """Who speaks for it: an e-mail address or an id."""
    service: Slug | None = None
    """The service it is about; None for all they use."""
    requirements: tuple[Requirement, ...] = ()
    """What the service must do, and how well."""
    preferences: tuple[Preference, ...] = ()
    """How they want their demand to be treated."""


class MarketingOpportunityReported(Command, activity="engage", case="opportunity"):
    """A current or potential customer gives a chance to win or keep business."""

    opportunity: str
    """Its id."""
    customer: str
    """The customer or prospect: an e-mail address or an id."""
    relationship: Literal["current", "potential"]
    """Whether they are a customer already."""
    segment: str = ""
    """The customer segment, if known."""
    signal: str
    """What was noticed. Open; known: `likely_to_leave`, `wants_more`, `wants_first`, `renewal_due`."""
    title: str
    """The chance in one line."""
    text: str
    """The chance in words."""
    service: Slug | None = None
    """The service it is about, if there is one."""
    value: Euros
    """What it would bring, euros a year."""
    probability: Share
    """How likely it is to come true."""
    closes_at: AwareDatetime | None = None
    """When the chance is gone."""


class GovernanceDirected(Command, activity="plan", case="policy"):
    """The governing body sets a policy, a constraint or a requirement that binds the chain."""

    policy: Slug
    """The policy it sets or replaces."""
    kind: Literal["policy", "constraint", "requirement"] = "policy"
    """What sort of direction it is."""
    title: str
    """What it is called."""
    statement: str
    """What must be kept, in words."""
    parameters: tuple[PolicyParameter, ...] = ()
    """The values that decisions read from it."""
    issued_by: str
    """The body or role that directs."""
    valid_from: AwareDatetime
    """From when it binds."""
    valid_until: AwareDatetime | None = None
    """Until when it binds; None for as long as nothing replaces it."""


class BudgetGranted(Command, activity="plan", case="quarter"):
    """The governing body grants the money of a quarter."""

    quarter: Quarter
    """The quarter it may be spent in."""
    total: Euros
    """All that may be spent in the quarter; replaces what was granted before."""
    granted_by: str = "governance"
    """The body or role that grants it."""
    reason: str = ""
    """Why this much, in words."""
