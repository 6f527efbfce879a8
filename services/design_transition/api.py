"""What people ask Design and transition over HTTP: how designs stand, and what designs are assessed by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel, ConfigDict
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.values import DimensionAssessment, Slug
from services.chassis.commands import Door
from services.chassis.service import PROBLEMS, database_session
from services.design_transition.change_policy import ChangePolicy, ChangeRules
from services.design_transition.model import (
    DataClass,
    Design,
    Integration,
    Part,
    ReadinessDeclared,
    Role,
)

router = APIRouter(tags=["design and transition"], responses=PROBLEMS)
Session = Annotated[AsyncSession, Depends(database_session)]


class Readiness(BaseModel):
    """What a design of the service is assessed by in the dimensions of people and of technology."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    declared_by: str
    """Who answers for it."""
    roles: tuple[Role, ...] = ()
    """The roles it takes to run the service."""
    data_class: DataClass = "internal"
    """The most sensitive data it holds."""
    integrations: tuple[Integration, ...] = ()
    """The systems it exchanges data with."""


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


@router.put("/services/{service}/readiness")
async def declare_readiness(service: Slug, readiness: Readiness, door: Annotated[Door, Depends()]) -> Response:
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
