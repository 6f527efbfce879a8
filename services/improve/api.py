"""The improvement register over HTTP, and the figures, targets and flow it works from."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select

from contracts.values import Slug
from services.chassis.commands import AS_PROBLEM, Commanding, problem
from services.chassis.service import PROBLEMS, Reading
from services.chassis.state import ONE_ROW
from services.improve.figures import Targets, Week
from services.improve.flow import Flow
from services.improve.model import (
    Initiative,
    InitiativeEntered,
    InitiativeHeld,
    InitiativeResumed,
    InitiativeState,
    Subject,
)
from services.improve.supplier_management import Supplier
from services.improve.views import FlowView, InitiativeView, SupplierView, TargetsView, WeekOfFigures

router = APIRouter()

Line = Annotated[str, Field(min_length=1, max_length=200)]
Prose = Annotated[str, Field(min_length=1, max_length=4_000)]
Money = Annotated[int, Field(ge=0, le=10**12)]
NOW: dict[int | str, dict[str, Any]] = {
    409: AS_PROBLEM | {"description": "It does not go with how the register stands; `detail` says why"}
}


class InitiativeBody(BaseModel):
    """What a review or an audit wants to become better."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    title: Line
    """What is to become better, in one line."""
    subject: Subject
    """What it changes: how products are designed, how services are delivered, or how the chain works."""
    measure: Line
    """The key figure that shows it, by its name in `GET /kpis`."""
    service: Annotated[Slug | None, Field(max_length=100)] = None
    """The service it is about; leave it out for the chain."""
    hypothesis: Prose
    """What is to be done, and why that is expected to help."""
    target: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
    """The value to reach, in the unit of the figure."""
    source: Literal["review", "audit"]
    owner: Line
    """The role that would answer for it."""
    value: Money
    """What it is expected to bring, euros a year."""
    cost: Money
    """What it is expected to cost, euros in all."""


class ReasonBody(BaseModel):
    """Who wants it so, and why."""

    model_config = ConfigDict(extra="forbid")

    by: Line
    reason: Prose


InitiativeId = Annotated[Slug, Field(max_length=200)]


@router.get("/kpis", tags=["key figures"])
async def kpis(
    request: Request,
    session: Reading,
    service: Annotated[Slug | None, Query(description="Only those of this service; else those of the chain.")] = None,
    weeks: Annotated[int, Query(ge=1, le=520, description="How many weeks to look back.")] = 12,
) -> list[WeekOfFigures]:
    """Satisfaction, value, service levels and flow of the last weeks, the latest first."""
    table, now = Week.rows(), request.app.state.runtime.clock.now()
    of = col(table.id).endswith(f"/{service}", autoescape=True) if service else ~col(table.id).contains("/")
    async with session:
        latest = await session.exec(select(table).where(of).order_by(col(table.id).desc()).limit(weeks))
        stored = [Week.model_validate(row, from_attributes=True) for row in latest]
        targets = await session.get(Targets.rows(), ONE_ROW)
        known = Targets.model_validate(targets, from_attributes=True) if targets else Targets(id=ONE_ROW)
    return [
        WeekOfFigures(
            period=week.id.partition("/")[0],
            service=service,
            reports=week.reports,
            bottleneck=week.bottleneck,
            kpis=week.kpis(known.at(now)),
        )
        for week in stored
    ]


@router.get("/targets", tags=["key figures"])
async def targets(session: Reading) -> TargetsView:
    """The newest version of each plan, as far as it sets targets; a figure that none names has one of its own."""
    async with session:
        row = await session.get(Targets.rows(), ONE_ROW)
    return TargetsView.model_validate({"plans": row.plans if row else ()})


@router.get("/flow", tags=["key figures"])
async def flow(request: Request, session: Reading) -> FlowView:
    """What is under way, where it waits, and which activity holds it up."""
    async with session:
        row = await session.get(Flow.rows(), ONE_ROW)
    known = Flow.model_validate(row, from_attributes=True) if row else Flow(id=ONE_ROW)
    return FlowView.of(known, request.app.state.runtime.clock.now())


@router.get("/suppliers", tags=["key figures"])
async def suppliers(
    session: Reading, limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100
) -> list[SupplierView]:
    """How the services of suppliers stood when last told of, by supplier."""
    async with session:
        rows = await session.exec(select(Supplier.rows()).order_by(col(Supplier.rows().id)).limit(limit))
        return [SupplierView.model_validate({"supplier": row.id, "services": row.services}) for row in rows]


@router.get("/initiatives", tags=["improvement register"])
async def initiatives(
    session: Reading,
    state: Annotated[InitiativeState | None, Query(description="Only those in this state.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100,
) -> list[InitiativeView]:
    """The improvement register, the newest entries first."""
    table = Initiative.rows()
    query = select(table).where(col(table.state) == state if state else col(table.state).is_not(None))
    async with session:
        rows = await session.exec(query.order_by(col(table.entered_at).desc(), col(table.id)).limit(limit))
        return [InitiativeView.of(Initiative.model_validate(row, from_attributes=True)) for row in rows]


@router.post(
    "/initiatives/{initiative}",
    tags=["improvement register"],
    status_code=201,
    response_model=InitiativeView,
    responses=PROBLEMS | NOW,
)
async def enter(initiative: InitiativeId, body: InitiativeBody, door: Commanding) -> Response:
    """Enter what a review or an audit proposes; it goes to Plan once its figure shows where it starts from."""
    return await door.ask(InitiativeEntered(initiative=initiative, **body.model_dump()))


@router.get(
    "/initiatives/{initiative}", tags=["improvement register"], response_model=InitiativeView, responses=PROBLEMS
)
async def one_initiative(initiative: InitiativeId, session: Reading) -> InitiativeView | Response:
    """An initiative as it stands now."""
    async with session:
        row = await session.get(Initiative.rows(), initiative)
    if row is None or row.state is None:
        return problem(404, "There is no such initiative", "`GET /initiatives` lists the improvement register.")
    return InitiativeView.of(Initiative.model_validate(row, from_attributes=True))


@router.post(
    "/initiatives/{initiative}/hold",
    tags=["improvement register"],
    response_model=InitiativeView,
    responses=PROBLEMS | NOW,
)
async def hold(initiative: InitiativeId, body: ReasonBody, door: Commanding) -> Response:
    """Stop an initiative for now; nothing is measured for it until it is resumed."""
    return await door.ask(InitiativeHeld(initiative=initiative, **body.model_dump()))


@router.post(
    "/initiatives/{initiative}/resume",
    tags=["improvement register"],
    response_model=InitiativeView,
    responses=PROBLEMS | NOW,
)
async def resume(initiative: InitiativeId, body: ReasonBody, door: Commanding) -> Response:
    """Let an initiative go on that somebody holds."""
    return await door.ask(InitiativeResumed(initiative=initiative, **body.model_dump()))
