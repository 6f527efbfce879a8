"""What people ask Design and transition over HTTP: how designs stand, and what designs are assessed by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.initiative import Standing
from contracts.values import DimensionAssessment, Requirement, Slug
from services.chassis.commands import Commanding
from services.chassis.service import PROBLEMS, database_session
from services.design_transition.change_policy import ChangePolicy, ChangeRules
from services.design_transition.continual_improvement import ChainHealth, Target
from services.design_transition.model import AskedAgreement, Design, Part, ReadinessDeclared
from services.design_transition.service_configuration import (
    Contract,
    DataClass,
    Incident,
    Integration,
    Notice,
    OutsideFactor,
    Role,
    ServiceRecord,
)

router = APIRouter(tags=["design and transition"], responses=PROBLEMS)
Session = Annotated[AsyncSession, Depends(database_session)]
Id = Annotated[Slug, Field(max_length=100)]
"""A slug from outside: short enough for the index of a database."""
Named = Annotated[Id, Path()]
MOST_ENTRIES = 100
"""Roles, integrations or factors of one service."""


class Readiness(BaseModel):
    """What a design of the service is assessed by in the dimensions of people and of technology, and from outside."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    declared_by: Annotated[str, Field(min_length=1, max_length=200)]
    """Who answers for it."""
    roles: Annotated[tuple[Role, ...], Field(max_length=MOST_ENTRIES)] = ()
    """The roles it takes to run the service."""
    data_class: DataClass = "internal"
    """The most sensitive data it holds."""
    integrations: Annotated[tuple[Integration, ...], Field(max_length=MOST_ENTRIES)] = ()
    """The systems it exchanges data with."""
    factors: Annotated[tuple[OutsideFactor, ...], Field(max_length=MOST_ENTRIES)] = ()
    """Dated facts of the world around that it needs, or that forbid it while they hold."""
    replaces: Id | None = None
    """The service that is retired, after a notice, once this one is released; None if it replaces none."""


class DesignView(BaseModel):
    """A design as it stands."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    id: UUID
    """The demand it is for."""
    title: str
    """The need in one line."""
    service: str
    """The service designed."""
    status: str
    """`awaited`, `designing`, `obtaining`, `deploying`, `released` or `refused`."""
    since: datetime | None
    """When it came into this status, in chain time."""
    change: str
    """The change it is carried out by; empty before the design holds."""
    rounds: int
    """How many times its parts were specified."""
    dimensions: tuple[DimensionAssessment, ...]
    """How it stands in the four dimensions; empty before it was assessed."""
    parts: tuple[Part, ...]
    """Its parts, and what was found on them."""
    risk: str
    """Of its change, as it was approved: `low`, `medium` or `high`."""
    reviewed_at: datetime | None
    """When its change is to be reviewed after the installation; None before it was approved."""
    review: str
    """What that found: `none` (yet), `succeeded` or `failed`."""


class ServiceView(BaseModel):
    """What is known about a service, by which its designs and releases are decided."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    id: str
    releases: int
    """How often it was released."""
    declared_by: str
    """Who declared its readiness; empty if nobody has."""
    roles: tuple[Role, ...]
    data_class: str
    integrations: tuple[Integration, ...]
    factors: tuple[OutsideFactor, ...]
    replaces: str
    """The service that is retired once it is released; empty if it replaces none."""
    contracts: tuple[Contract, ...]
    """What suppliers promise behind it."""
    change: str
    """The change of its last release."""
    early_support_until: datetime | None
    """Until when the makers of that stand by."""
    incidents: tuple[Incident, ...]
    """What users had to be helped with in early life, not removed since; what came back is a known error."""
    review: str
    """What the last review of a change of it found: `none`, `succeeded` or `failed`."""
    notice: Notice | None
    """Its retirement, as far as it is announced."""
    retired_at: datetime | None


class HealthView(BaseModel):
    """How changes come out in the whole chain, and what is being improved."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    period: str = ""
    """What Improve's latest report covers."""
    change_success: float | None = None
    """The share of changes that succeeded."""
    change_success_met: bool | None = None
    """Whether Improve finds it enough."""
    targets: tuple[Target, ...] = ()
    """What plans want of it."""
    initiatives: tuple[Standing, ...] = ()
    """The initiatives that were proposed, approved or judged."""


class AskedView(BaseModel):
    """A contract that Engage was asked to reach."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    id: str
    """The id of the agreement."""
    requirements: tuple[Requirement, ...]
    """What must be promised at least."""
    times: int
    """How often it was asked for, each time for more."""


class BindingPolicy(BaseModel):
    """The policy on changes as it is applied."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    edition: int
    """The edition that binds; 0 while Plan has issued none."""
    rules: ChangeRules
    """Its rules; what it does not say has the default."""
    unreadable: str
    """Why the newest edition is not applied; empty if it is."""


@router.get("/designs", response_model=list[DesignView])
async def designs(session: Session, status: str = "") -> Sequence[Design]:
    """Designs, the latest first; at most 1,000."""
    table = Design.rows()
    query = select(table).where(table.status == status) if status else select(table)
    async with session:
        return (await session.exec(query.order_by(table.since.desc().nulls_last()).limit(1000))).all()  # type: ignore[union-attr]  # a column here


@router.get("/designs/{demand}", response_model=DesignView)
async def design(demand: UUID, session: Session) -> Design:
    """The design for one demand."""
    async with session:
        found = await session.get(Design.rows(), demand)
    if found is None:
        raise HTTPException(404, "Nothing was designed for this demand; `GET /designs` lists what was.")
    return found


@router.get("/services", response_model=list[ServiceView])
async def services(session: Session) -> Sequence[ServiceRecord]:
    """Services, by their ids; at most 1,000."""
    table = ServiceRecord.rows()
    async with session:
        return (await session.exec(select(table).order_by(table.id).limit(1000))).all()


@router.get("/services/{service}", response_model=ServiceView)
async def service(service: Named, session: Session) -> ServiceRecord:
    """What is known about one service."""
    async with session:
        found = await session.get(ServiceRecord.rows(), service)
    if found is None:
        raise HTTPException(404, "Nothing is known about this service; `GET /services` lists what is known.")
    return found


@router.get("/agreements-needed", response_model=list[AskedView])
async def agreements_needed(session: Session) -> Sequence[AskedAgreement]:
    """The contracts that Engage was asked to reach, by their ids; at most 1,000."""
    table = AskedAgreement.rows()
    async with session:
        return (await session.exec(select(table).order_by(table.id).limit(1000))).all()


@router.get("/chain-health", response_model=HealthView)
async def chain_health(session: Session) -> ChainHealth | HealthView:
    """How changes come out, what plans want of them, and what is being improved."""
    async with session:
        return (await session.exec(select(ChainHealth.rows()))).first() or HealthView()


@router.put("/services/{service}/readiness")
async def declare_readiness(service: Named, readiness: Readiness, door: Commanding) -> Response:
    """Say who can run a service, which data it holds and what it is connected to; it replaces what was said before."""
    return await door.ask(ReadinessDeclared(service=service, **dict(readiness)))


@router.get("/change-policy")
async def change_policy(session: Session) -> BindingPolicy:
    """The rules by which changes are approved."""
    async with session:
        row = (await session.exec(select(ChangePolicy.rows()))).first()
    if row is None:
        return BindingPolicy(edition=0, rules=ChangeRules(), unreadable="")
    return BindingPolicy(edition=row.edition, rules=ChangeRules.model_validate(row.rules), unreadable=row.unreadable)
