"""What Improve shows of what it keeps."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from contracts.values import Kpi
from services.improve.figures import KnownPlan
from services.improve.flow import Flow
from services.improve.journey import Leg, legs_of
from services.improve.model import Initiative, InitiativeState, Proposal, Result
from services.improve.supplier_management import SupplierService


class WeekOfFigures(BaseModel):
    """The key figures of a week, as far as they were measured."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    period: str
    """The ISO week, in chain time."""
    service: str | None
    """The service they were measured on; null for the whole chain."""
    reports: int
    """How often they were told to the other activities."""
    bottleneck: str | None
    """The activity that holds the flow up most; null if none stands out."""
    kpis: tuple[Kpi, ...]


class InitiativeView(BaseModel):
    """An entry of the improvement register."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    initiative: str
    """Its id."""
    state: InitiativeState
    """How far it has come."""
    result: Result | None
    """How it was judged by its measured effect; null until then, and if it was refused."""
    reason: str
    """Why it is in this state."""
    proposal: Proposal
    """What is to become better, from where to where, and what that is worth."""
    cases: int
    """Cases measured for its baseline, or since it has begun."""
    measured: float | None
    """Their mean; null without a case."""
    starts_at: datetime | None
    due_at: datetime | None
    """When its effect is measured."""
    held_by: str
    """Who holds it; empty if nobody does."""
    entered_at: datetime | None

    @classmethod
    def of(cls, initiative: Initiative) -> Self:
        """How an initiative stands. `LookupError` for one that is not in the register."""
        if initiative.state is None or initiative.proposal is None:
            raise LookupError(f"{initiative.id} is not in the register")
        return cls(
            initiative=initiative.id,
            state=initiative.state,
            result=initiative.result,
            reason=initiative.reason,
            proposal=initiative.proposal,
            cases=initiative.cases,
            measured=initiative.measured,
            starts_at=initiative.starts_at,
            due_at=initiative.due_at,
            held_by=initiative.held_by,
            entered_at=initiative.entered_at,
        )


class Load(BaseModel):
    """Demands of one kind that are under way."""

    kind: str
    demands: int


class FlowView(BaseModel):
    """How the newest demands flow through the chain."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    demands: int
    """How many it is computed from."""
    load: tuple[Load, ...]
    """Those that are under way, by kind."""
    queues: tuple[Load, ...]
    """How many wait at each activity, which stands as `kind`."""
    hours: tuple[Leg, ...]
    """How long they have waited at each activity in all, up to now."""
    bottleneck: str | None
    """The activity that holds them up most; null if none stands out."""
    bottleneck_waiting: float | None
    """The share of all time that they wait there."""

    @classmethod
    def of(cls, flow: Flow, now: datetime) -> Self:
        """The flow at a moment."""
        bottleneck, share = flow.find_bottleneck(now)
        queues = {leg.activity: sum(flow.under_way(leg.activity).values()) for leg in legs_of(flow.hours(now))}
        return cls(
            demands=len(flow.passages),
            load=tuple(Load(kind=kind, demands=number) for kind, number in sorted(flow.under_way().items())),
            queues=tuple(Load(kind=activity, demands=number) for activity, number in queues.items() if number),
            hours=legs_of(flow.hours(now)),
            bottleneck=bottleneck,
            bottleneck_waiting=share,
        )


class TargetsView(BaseModel):
    """The plans whose targets the key figures are judged by."""

    plans: tuple[KnownPlan, ...]


class SupplierView(BaseModel):
    """A supplier as Improve follows it."""

    supplier: str
    services: tuple[SupplierService, ...]
