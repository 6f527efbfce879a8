"""What governance asks of Plan over HTTP, and what it can look at."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from contracts.outside import BudgetGranted, GovernanceDirected
from contracts.plan import Objective, PolicyIssued, PortfolioOption, Principle
from contracts.values import DimensionAssessment, Euros, Kpi, PolicyParameter, Slug
from services.chassis.commands import AS_PROBLEM, Commanding
from services.chassis.service import PROBLEMS, database_session
from services.plan.agreements import RequiredAgreement
from services.plan.improvement import Initiative
from services.plan.market import Market, SupplierOffer
from services.plan.measurement import PlanningDay
from services.plan.model import (
    Budget,
    BudgetStatus,
    CatalogueEntry,
    Chance,
    Policy,
    PolicyEdition,
    PortfolioItem,
    Trouble,
)
from services.plan.planning import PublishedPlan
from services.plan.strategy import DemandVolume, KindVolume

router = APIRouter(tags=["governance"])
View = TypeVar("View", bound=BaseModel)

MOST_EUROS = 10**15
"""No budget is greater: a thousand times what any organisation spends, and far from where counting ends."""


def in_our_time(moment: datetime) -> datetime:
    """A moment that calendars and timers can count with."""
    if not 2000 <= moment.year < 2100:
        raise ValueError("say a moment of the years 2000 to 2099")
    return moment.astimezone(UTC)  # PostgreSQL knows no offsets of 16 hours and more


Moment = Annotated[AwareDatetime, AfterValidator(in_our_time)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[Slug, Path(max_length=100)]
Budgeted = Annotated[str, Path(pattern=r"^20[0-9]{2}-Q[1-4]$", examples=["2026-Q4"])]
Database = Annotated[AsyncSession, Depends(database_session)]
Most = Annotated[int, Query(ge=1, le=1000)]
BOUND: dict[int | str, dict[str, Any]] = {409: AS_PROBLEM | {"description": "More than that is bound already"}}


class ParameterBody(PolicyParameter):
    """One value of a policy that decisions read by its name."""

    name: Line
    value: Annotated[int, Field(ge=-MOST_EUROS, le=MOST_EUROS)] | FiniteFloat | Annotated[str, Field(max_length=2000)]
    unit: Annotated[str, Field(max_length=200)] = ""


class PolicyBody(BaseModel):
    """A direction of the governing body."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    kind: Literal["policy", "constraint", "requirement"] = "policy"
    """A `constraint` fixes its parameters for all later editions, until a later constraint does."""
    title: Line
    statement: Annotated[str, Field(min_length=1, max_length=5000)]
    """What must be kept, in words."""
    parameters: Annotated[tuple[ParameterBody, ...], Field(max_length=100)] = ()
    """The values that decisions read from it."""
    issued_by: Line = "governance"
    """The body or role that directs."""
    valid_from: Moment
    valid_until: Moment | None = None
    """Until when it binds; none for as long as nothing replaces it."""


class BudgetBody(BaseModel):
    """The money of a quarter."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    total: Annotated[Euros, Field(le=MOST_EUROS)]
    """All that may be spent in the quarter, euros; replaces what was granted before."""
    granted_by: Line = "governance"
    reason: Annotated[str, Field(max_length=5000)] = ""


class PolicyView(BaseModel):
    """A policy and all its editions, oldest first."""

    policy: Slug
    editions: tuple[PolicyEdition, ...]


class RowView(BaseModel):
    """What is kept, as it is read."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)


class PortfolioView(RowView):
    """A demand in the portfolio, and what was decided about it."""

    id: UUID
    """The demand."""
    stage: str
    """`weighing`, `deferred`, `approved`: the pipeline; `live`: the catalogue; `rejected`; `retired`."""
    title: str
    requester: str
    service: str
    value: Euros
    """What it is expected to bring, euros a year."""
    quarter: str
    """Whose budget it draws on; empty until weighed."""
    reserved: Euros
    obtained_for: Euros
    """What its parts cost, as Obtain/build reported."""
    options: tuple[PortfolioOption, ...]
    """The ways that were weighed, the best first."""
    chosen: str | None
    rank: float
    """What it brings for each euro; the higher the sooner it is funded."""
    dimensions: tuple[DimensionAssessment, ...]
    principles: tuple[Principle, ...]
    policy_edition: int
    """The edition of the funding policy it was decided by."""
    reasons: tuple[str, ...]
    decided_at: datetime | None


class PlanView(RowView):
    """A plan as it was told last."""

    id: str
    edition: int
    level: str
    vision: str
    status: str
    direction: str
    objectives: tuple[Objective, ...]
    reasons: tuple[str, ...]
    """Why it looks as it does."""
    published_at: datetime | None
    next_review_at: datetime | None


class InitiativeView(RowView):
    """An initiative of Improve, and what was decided about it."""

    id: str
    stage: str
    title: str
    objective: str
    measure: str
    service: str | None
    value: Euros
    cost: Euros
    quarter: str
    reserved: Euros
    result: str
    """How it was judged in the end."""
    reasons: tuple[str, ...]
    decided_at: datetime | None


class ServiceView(RowView):
    """A service of the portfolio, beside the demand for it."""

    id: str
    live_since: datetime | None
    retired_at: datetime | None
    chances: tuple[Chance, ...]
    """The opportunities that it would help to win."""
    troubles: tuple[Trouble, ...]
    """What went wrong with it lately."""


class AgreementView(RowView):
    """An agreement that Plan has asked Engage for."""

    id: str
    kind: str
    demand: UUID | None
    service: str
    counterparty: str | None
    purpose: str
    budget: Euros


class PlanningDayView(RowView):
    """How planning went on a day."""

    id: str
    """The day."""
    decided: int
    put_off: int
    waiting: int
    budget_total: int
    budget_bound: int
    kpis: tuple[Kpi, ...]


@router.post("/policies/{policy}", status_code=201, responses={**PROBLEMS, 201: {"model": PolicyIssued}})
async def direct(policy: Name, body: PolicyBody, door: Commanding) -> Response:
    """Direct a policy, a constraint or a requirement: it becomes the policy's next edition."""
    return await door.ask(GovernanceDirected(policy=policy, **dict(body)))


@router.post("/budgets/{quarter}", responses={**PROBLEMS, **BOUND, 200: {"model": BudgetStatus}})
async def grant(quarter: Budgeted, body: BudgetBody, door: Commanding) -> Response:
    """Grant the money of a quarter; deferred demands are weighed again."""
    return await door.ask(BudgetGranted(quarter=quarter, **dict(body)))


@router.get("/policies")
async def policies(session: Database) -> list[PolicyView]:
    """The policies that were directed or proved, with their editions."""
    async with session:
        known = await session.exec(select(Policy.rows()).order_by(col(Policy.rows().id)))
        return [PolicyView(policy=row.id, editions=row.editions) for row in known if row.editions]


@router.get("/budgets")
async def budgets(session: Database) -> list[BudgetStatus]:
    """The budgets by quarter: granted, reserved and spent."""
    async with session:
        found = await session.exec(select(Budget.rows()).order_by(col(Budget.rows().id)))
        return [Budget.model_validate(row, from_attributes=True).status for row in found]


@router.get("/portfolio")
async def portfolio(
    session: Database,
    stage: Literal["weighing", "deferred", "approved", "rejected", "live", "retired"] | None = None,
    limit: Most = 100,
) -> list[PortfolioView]:
    """Demands in the portfolio, the latest decision first; `stage` picks those in one stage."""
    item = PortfolioItem.rows()
    wanted = select(item).order_by(col(item.decided_at).desc().nulls_last()).limit(limit)
    async with session:
        found = await session.exec(wanted.where(item.stage == stage) if stage else wanted)
        return [PortfolioView.model_validate(row) for row in found]


@router.get("/plans")
async def plans(session: Database) -> list[PlanView]:
    """The plans of the three levels, as they were told last."""
    row = PublishedPlan.rows()
    return await _views(PlanView, session, select(row).where(row.edition > 0).order_by(col(row.id)))


@router.get("/improvements")
async def improvements(session: Database, limit: Most = 100) -> list[InitiativeView]:
    """The initiatives of Improve that Plan has decided on, the latest decision first."""
    row = Initiative.rows()
    wanted = select(row).order_by(col(row.decided_at).desc().nulls_last()).limit(limit)
    return await _views(InitiativeView, session, wanted)


@router.get("/services")
async def services(session: Database, limit: Most = 100) -> list[ServiceView]:
    """The services of the portfolio: since when they are live, what they could win, and what troubles them."""
    row = CatalogueEntry.rows()
    return await _views(ServiceView, session, select(row).order_by(col(row.id)).limit(limit))


@router.get("/required-agreements")
async def required_agreements(session: Database, limit: Most = 100) -> list[AgreementView]:
    """The agreements that approved demands rest on, by id."""
    row = RequiredAgreement.rows()
    return await _views(AgreementView, session, select(row).order_by(col(row.id)).limit(limit))


@router.get("/market")
async def market(session: Database) -> list[SupplierOffer]:
    """What suppliers offer and provide, as Engage has told it."""
    async with session:
        return [offer for row in await session.exec(select(Market.rows())) for offer in row.offers]


@router.get("/demand")
async def demand(session: Database) -> list[KindVolume]:
    """The demand of the quarter by kind, most first."""
    async with session:
        return [volume for row in await session.exec(select(DemandVolume.rows())) for volume in row.kinds]


@router.get("/performance")
async def performance(session: Database, limit: Most = 100) -> list[PlanningDayView]:
    """How planning went, day by day, the latest first."""
    row = PlanningDay.rows()
    async with session:
        found = await session.exec(select(row).order_by(col(row.id).desc()).limit(limit))
        days = [PlanningDay.model_validate(day, from_attributes=True) for day in found]
        return [PlanningDayView.model_validate(day) for day in days]


async def _views(view: type[View], session: AsyncSession, wanted: SelectOfScalar[Any]) -> list[View]:
    async with session:
        return [view.model_validate(row) for row in await session.exec(wanted)]
