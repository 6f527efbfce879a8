"""The register of live services over HTTP, the door for monitoring and for those who work on support tasks."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from sqlmodel import col, select

from contracts.values import Level, Requirement, Slug
from services.chassis.commands import AS_PROBLEM, Commanding
from services.chassis.service import PROBLEMS, Reading
from services.chassis.state import ONE_ROW
from services.deliver_support import request_api
from services.deliver_support.model import (
    Goal,
    Initiative,
    KnownError,
    KnownErrorRecorded,
    LiveService,
    NeededAgreement,
    Outlook,
    PendingChange,
    Promise,
    Resolution,
    ServiceTakenOver,
    SuppliedService,
    Supplier,
    SupplierState,
    SupportTaskPaused,
    SupportTaskResumed,
    SupportTaskTakenUp,
)
from services.deliver_support.monitoring import MonitoringTaken
from services.deliver_support.problem_model import MonitoredEvent, MonitoringReported, Problem, Trend
from services.deliver_support.request_model import Id

router = APIRouter()
router.include_router(request_api.router)


def within_years(moment: datetime) -> datetime:
    """A moment that a calendar, and a database, can work with."""
    if not 2000 <= moment.year < 2100:
        raise ValueError("say a moment of the years 2000 to 2099")
    return moment.astimezone(UTC)  # PostgreSQL knows no offsets of 16 hours and more


Moment = Annotated[AwareDatetime, AfterValidator(within_years)]
Number = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Named = Annotated[Id, Path()]
OfService = Annotated[Id | None, Query(description="Only those of this service.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Of at most so many services or suppliers.")]
NO_TASK: dict[int | str, dict[str, Any]] = {409: AS_PROBLEM | {"description": "No such task is open"}}


class RequirementBody(Requirement):
    """What a service must do, or how well."""

    name: Id
    measure: Line
    unit: Annotated[str, Field(max_length=50)] = ""


class ErrorBody(KnownError):  # noqa: N818 - ITIL's word
    """A known cause of incidents in one service."""

    error: Id
    symptoms: Annotated[tuple[Line, ...], Field(max_length=50)]
    workaround: Annotated[str, Field(max_length=2_000)]
    fix: Annotated[str, Field(max_length=2_000)] = ""


class ServiceBody(BaseModel):
    """A service that is live already."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    service: Id
    """Its id: demands name it by this."""
    title: Line
    criticality: Level
    """How much depends on it: 1 (most) to 3."""
    owner: Line
    """The role that answers for it; what misses its targets is escalated to them."""
    live_since: Moment | None = None
    """None: from now."""
    requirements: Annotated[tuple[RequirementBody, ...], Field(max_length=100)] = ()
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
    suppliers: tuple[SupplierState, ...]
    """What it rests on."""
    pending: tuple[PendingChange, ...]
    """The changes of it that are under way."""


class MonitoringBody(BaseModel):
    """Something that monitoring has seen of a service."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    event: Line
    """The monitoring's own id of it; the same again is harmless."""
    signal: Id
    """What is measured, as in `battery-temperature`."""
    value: Number
    """What was measured, in `unit`."""
    threshold: Number
    """From where on it is not well, in `unit`."""
    unit: Annotated[str, Field(max_length=50)] = ""
    """Of both."""
    severity: Literal["info", "warning", "exception"]
    """`info` is kept, a `warning` counts to the trend, an `exception` raises an incident."""


class Pause(BaseModel):
    """The user of a support task has to say or do something first."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    by: Line
    """Who works on it."""
    asks: Line
    """What the user is asked for."""


class GoOn(BaseModel):
    """The user has answered."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    by: Line
    """Who works on it."""


class ProblemView(BaseModel):
    """A problem of a service."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    service: Slug
    problem: Problem


class OutlookView(BaseModel):
    """What support goes by that others decide."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    goals: tuple[Goal, ...]
    """The targets of plans."""
    initiatives: tuple[Initiative, ...]
    """Improvements, as far as they have come."""
    promises: tuple[Promise, ...]
    """What agreements promise of support."""
    needed: tuple[NeededAgreement, ...]
    """The agreements that support has weighed; those with hours are needed."""


class SupplierView(BaseModel):
    """A supplier on whom services rest."""

    supplier: Slug
    offers: tuple[SuppliedService, ...]


class TakeUp(BaseModel):
    """Somebody takes a support task up."""

    by: Line


@router.get("/services", tags=["services"])
async def services(session: Reading) -> list[ServiceView]:
    """What is live, with what its support goes by."""
    live = LiveService.rows()
    async with session:
        rows = (await session.exec(select(live).where(col(live.live_since).is_not(None)).order_by(live.id))).all()
    return list(map(ServiceView.model_validate, rows))


@router.post("/services", tags=["services"], responses={**PROBLEMS, 201: {"model": ServiceTakenOver}})
async def take_over(body: ServiceBody, door: Commanding) -> Response:
    """Take a service that is live already into the register, or correct its entry (200)."""
    return await door.ask(ServiceTakenOver(**dict(body)))


@router.post(
    "/services/{service}/known-errors", tags=["services"], responses={**PROBLEMS, 200: {"model": KnownErrorRecorded}}
)
async def record(service: Named, body: ErrorBody, door: Commanding) -> Response:
    """Record a known error: later incidents that show one of its symptoms are resolved by it."""
    return await door.ask(KnownErrorRecorded(service=service, known_error=body))


@router.post(
    "/support-tasks/{demand}/take-up",
    tags=["support"],
    responses={**PROBLEMS, 200: {"model": SupportTaskTakenUp}, **NO_TASK},
)
async def take_up(demand: UUID, body: TakeUp, door: Commanding, session: Reading) -> Response:
    """Take a support task up, which meets its respond target; `POST /work/resolution/...` reports that it is done."""
    async with session:
        row = await session.get(Resolution.rows(), demand)
    service = row.service if row else ""
    return await door.ask(SupportTaskTakenUp(demand=demand, by=body.by, service=service))


@router.post(
    "/support-tasks/{demand}/wait",
    tags=["support"],
    responses={**PROBLEMS, 200: {"model": SupportTaskPaused}, **NO_TASK},
)
async def wait(demand: UUID, body: Pause, door: Commanding) -> Response:
    """Stop the clock of a support task, because its user is asked for something."""
    return await door.ask(SupportTaskPaused(demand=demand, **body.model_dump()))


@router.post(
    "/support-tasks/{demand}/resume",
    tags=["support"],
    responses={**PROBLEMS, 200: {"model": SupportTaskResumed}, **NO_TASK},
)
async def resume(demand: UUID, body: GoOn, door: Commanding) -> Response:
    """Let the clock of a support task go on: what was left of its targets, in hours of service, is left still."""
    return await door.ask(SupportTaskResumed(demand=demand, by=body.by))


@router.post("/monitoring/{service}", tags=["monitoring"], responses={**PROBLEMS, 201: {"model": MonitoringTaken}})
async def monitor(service: Named, body: MonitoringBody, door: Commanding) -> Response:
    """Report what monitoring has seen; an exception raises an incident by itself, one for each signal at a time."""
    return await door.ask(MonitoringReported(service=service, **body.model_dump()))


@router.get("/monitoring/{service}", tags=["monitoring"])
async def monitored(service: Named, session: Reading) -> list[MonitoredEvent]:
    """The newest events of a service, the newest last."""
    async with session:
        row = await session.get(Trend.rows(), service)
    return [MonitoredEvent.model_validate(one) for one in row.events] if row else []


@router.get("/problems", tags=["problems"])
async def problems(session: Reading, service: OfService = None, limit: Limit = 100) -> list[ProblemView]:
    """Problems, with what is known of them and whether a change was asked for, by service."""
    table = Trend.rows()
    query = select(table).order_by(table.id).limit(limit)
    if service:
        query = query.where(col(table.id) == service)
    async with session:
        rows = (await session.exec(query)).all()
    return [ProblemView(service=row.id, problem=Problem.model_validate(one)) for row in rows for one in row.problems]


@router.get("/outlook", tags=["agreements"])
async def outlook(session: Reading) -> OutlookView:
    """What support goes by: targets of plans, improvements, agreements that hold, and those that it needs."""
    async with session:
        row = await session.get(Outlook.rows(), ONE_ROW)
        needs = (await session.exec(select(NeededAgreement.rows()).order_by("id").limit(1000))).all()
    needed = tuple(NeededAgreement.model_validate(one, from_attributes=True) for one in needs)
    kept = row or Outlook(id=ONE_ROW)
    told = {"goals": kept.goals, "initiatives": kept.initiatives, "promises": kept.promises, "needed": needed}
    return OutlookView.model_validate(told)


@router.get("/suppliers", tags=["agreements"])
async def suppliers(session: Reading, limit: Limit = 100) -> list[SupplierView]:
    """The suppliers that were heard of, and which of our services rest on what they offer."""
    async with session:
        rows = (await session.exec(select(Supplier.rows()).order_by("id").limit(limit))).all()
    return [SupplierView.model_validate({"supplier": row.id, "offers": row.offers}) for row in rows]
