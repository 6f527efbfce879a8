"""The register of live services over HTTP, and the door for those who take a support task up."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.values import Level, Requirement, Slug
from services.chassis.commands import Door
from services.chassis.service import PROBLEMS, database_session
from services.deliver_support.model import (
    KnownError,
    KnownErrorRecorded,
    LiveService,
    ServiceTakenOver,
    SupportTaskTakenUp,
)

router = APIRouter()


class ServiceBody(BaseModel):
    """A service that is live already."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    service: Slug
    """Its id: demands name it by this."""
    title: str
    criticality: Level
    """How much depends on it: 1 (most) to 3."""
    owner: str
    """The role that answers for it; what misses its targets is escalated to them."""
    live_since: AwareDatetime | None = None
    """None: from now."""
    requirements: tuple[Requirement, ...] = ()
    """What it has to keep."""


class ServiceView(BaseModel):
    """A service in the register."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    id: Slug
    title: str
    live_since: datetime
    criticality: Level
    owner: str
    change: str
    """The change that brought its present release; empty if it was taken over."""
    release: int
    components: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    known_errors: tuple[KnownError, ...]


class TakeUp(BaseModel):
    """Somebody takes a support task up."""

    by: str


@router.get("/services", tags=["services"])
async def services(session: Annotated[AsyncSession, Depends(database_session)]) -> list[ServiceView]:
    """What is live, with what its support goes by."""
    live = LiveService.rows()
    async with session:
        rows = (await session.exec(select(live).where(col(live.live_since).is_not(None)).order_by(live.id))).all()
    return list(map(ServiceView.model_validate, rows))


@router.post("/services", tags=["services"], responses={**PROBLEMS, 201: {"model": ServiceTakenOver}})
async def take_over(body: ServiceBody, door: Annotated[Door, Depends()]) -> Response:
    """Take a service that is live already into the register, or correct its entry (200)."""
    return await door.ask(ServiceTakenOver(**dict(body)))


@router.post(
    "/services/{service}/known-errors", tags=["services"], responses={**PROBLEMS, 200: {"model": KnownErrorRecorded}}
)
async def record(service: Slug, body: KnownError, door: Annotated[Door, Depends()]) -> Response:
    """Record a known error: later incidents that show one of its symptoms are resolved by it."""
    return await door.ask(KnownErrorRecorded(service=service, known_error=body))


@router.post(
    "/support-tasks/{demand}/take-up",
    tags=["support"],
    responses={**PROBLEMS, 200: {"model": SupportTaskTakenUp}, 409: {"description": "No such task is open"}},
)
async def take_up(demand: UUID, body: TakeUp, door: Annotated[Door, Depends()]) -> Response:
    """Take a support task up, which meets its respond target; `POST /work/resolution/...` reports that it is done."""
    return await door.ask(SupportTaskTakenUp(demand=demand, by=body.by))
