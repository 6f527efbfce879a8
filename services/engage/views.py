"""What Engage shows of what it knows."""

from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.engage import DemandStatus
from contracts.event import Fact, Verdict
from services.engage.model import Criticality, Demand, Statement


class ServiceView(BaseModel):
    """A service as Engage recognises it."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    service: str
    """Its id."""
    names: tuple[str, ...]
    """What people call it, besides its id."""
    criticality: Criticality | None
    """How much depends on it; null if nobody has said."""


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
    followed_by: UUID | None
    """The demand that takes this closed one up again."""
    notice_failed: str
    """Why the last notice did not reach the requester's desk; empty if it did."""

    @classmethod
    def of(cls, demand: Demand) -> Self:
        """A demand, or its row on the read side."""
        return cls.model_validate(demand)
