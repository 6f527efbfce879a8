"""What Engage shows of what it knows."""

from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.engage import DemandStatus
from contracts.event import Fact, Verdict
from contracts.outside import StakeholderKind
from contracts.service_hours import ServiceHours
from contracts.values import AgreementKind, Term
from services.engage.ledgers import Target, Voice
from services.engage.model import Criticality, Demand, Joined, Stage, Statement
from services.engage.registers import NeedOfAgreement, SupplierService


class ServiceView(BaseModel):
    """A service as Engage recognises it."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    service: str
    """Its id."""
    names: tuple[str, ...]
    """What people call it, besides its id."""
    criticality: Criticality | None
    """How much depends on it; null if nobody has said."""


class Kept(BaseModel):
    """A row of a register as it is shown."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    id: str
    """What it is about."""

    @classmethod
    def of(cls, row: object) -> Self:
        """A row of a handler, or of the read side."""
        return cls.model_validate(row)


class StakeholderView(Kept):
    """A person or organisation, and what they are to us."""

    name: str
    """What they are called."""
    kind: StakeholderKind | None
    """Whose value they perceive."""
    roles: tuple[str, ...]
    """Their roles, for example `customer`, `user`, `sponsor`."""
    segment: str
    """Their customer segment; empty if they belong to none."""
    organisation: str
    """Whom they speak for; empty if for themselves."""


class SupplierView(Kept):
    """A supplier and its services, as the register of third parties has them."""

    name: str
    """What it is called."""
    edition: int
    """How often something was told of it."""
    services: tuple[SupplierService, ...]
    """Its services: what it says of each, how it stands, and why."""


class AgreementView(Kept):
    """An agreement, from the need for it to its end."""

    status: str
    """`wanted`, `in_force`, `expired` or `terminated`."""
    reason: str
    """Why it stands so, or what it lacks."""
    edition: int
    """How often it was told."""
    kind: AgreementKind | None
    """With whom it is; null while nobody has said."""
    title: str
    """What it is called."""
    service: str
    """The service it is about."""
    counterparty: str | None
    """The other side; null while none is found."""
    terms: tuple[Term, ...]
    """What is promised."""
    depends_on: tuple[str, ...]
    """The agreements it rests on."""
    relied_on_by: tuple[str, ...]
    """The agreements that rest on it."""
    service_hours: ServiceHours
    """The hours that its times count; empty: around the clock."""
    signed_by: str
    """Who brought it into force."""
    valid_from: AwareDatetime | None
    """From when it holds."""
    valid_until: AwareDatetime | None
    """Until when it holds; null until somebody ends it."""
    needs: tuple[NeedOfAgreement, ...]
    """Who needs it, and what of it."""


class OpportunityView(Kept):
    """A chance to win or keep business."""

    stage: str
    """`identified`, `qualified`, `won` or `lost`."""
    reason: str
    """Why it has come so far."""
    customer: str
    """The customer or prospect."""
    signal: str
    """What was noticed."""
    title: str
    """The chance in one line."""
    service: str | None
    """The service it is about."""
    value: int
    """What it would bring, euros a year."""
    probability: float
    """How likely it is to come true."""
    closes_at: AwareDatetime | None
    """When the chance is gone."""


class InitiativeView(Kept):
    """An improvement, as those whose feedback is behind it are told of it."""

    stage: Stage
    """How far it has come."""
    title: str
    """What is to become better."""
    text: str
    """What they were told last."""
    demands: tuple[UUID, ...]
    """The feedback behind it."""


class VoicesView(Kept):
    """What people have said lately about one service."""

    voices: tuple[Voice, ...]
    """Each feedback or complaint, the oldest first."""


class NeedView(Kept):
    """A need, and who had it first."""

    first: UUID
    """The demand that stands for later ones while nothing is decided on it."""
    requester: str
    """Who asked first."""


class TargetView(BaseModel):
    """What a plan wants of the relationship with those served."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    targets: tuple[Target, ...]
    """The targets of the newest edition of each plan."""


class ReportView(Kept):
    """How the relationship stood on a day of the chain, as far as it is counted."""

    edition: int
    """How often it was told."""
    told_at: AwareDatetime | None
    """When it was told last; null if not yet."""
    ended: bool
    """Whether the day is over."""
    demands: int
    """Demands that came in."""
    closed: int
    """Demands that came to a final state."""
    open_demands: int
    """Demands that are open at its end, or now."""
    complaints: int
    """Complaints among those that came in."""
    answers: int
    """Answers about value."""
    realised: int
    """Those of the answers that said fully or partly."""
    satisfaction: float | None
    """What was answered on average, of 5; null if nobody said."""


class SegmentView(BaseModel):
    """What a customer segment has stated."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    id: str
    """The segment."""
    statements: tuple[Statement, ...]
    """The latest statement on each service, and on all."""


class DemandView(BaseModel):
    """A demand as Engage knows it."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    id: UUID
    """The demand: under this id all six activities tell what concerns it."""
    status: DemandStatus
    """The one state it is in."""
    reason: str
    """Why it is in this state."""
    kind: str
    """What sort of demand it is."""
    title: str
    """The need in one line."""
    requester: str
    """Who asks: an e-mail address or an id. Only they can say what it was worth."""
    service: str | None
    """The service it is about; null if there is none, or none is known."""
    stream: str
    """The value stream it takes; empty until it has one."""
    url: str
    """Where a person opens its ticket; empty if it came in another way."""
    facts: tuple[Fact, ...]
    """What was read out of it, each with the rule that did."""
    priority: int | None
    """The priority that policy gives; null before it is known, and without support."""
    wanted_priority: int | None
    """The priority that the requester wants; null if they did not say."""
    escalated_to: str
    """The role that must act now; empty while work goes on."""
    captured_at: AwareDatetime
    """First contact."""
    promised_by: AwareDatetime | None
    """When it is promised."""
    delivered: str
    """What was delivered; empty before."""
    delivered_at: AwareDatetime | None
    """When it was delivered last; null if it never was."""
    closed_at: AwareDatetime | None
    """When it came to its final state."""
    verdict: Verdict | None
    """How far the value was realised, by the requester's own word; null without it."""
    reopened: int
    """How often it was delivered and came back."""
    follows: UUID | None
    """The closed demand that this one takes up again."""
    merged: tuple[Joined, ...]
    """Later demands on the same need that it stands for."""
    merged_into: UUID | None
    """The demand that stands for this one; null unless it was merged."""
    followed_by: UUID | None
    """The demand that takes this closed one up again."""
    notice_failed: str
    """Why the last notice did not reach the requester's desk; empty if it did."""

    @classmethod
    def of(cls, demand: Demand) -> Self:
        """A demand, or its row on the read side."""
        return cls.model_validate(demand)
