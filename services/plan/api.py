"""What governance asks of Plan over HTTP, and what it can look at."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.outside import BudgetGranted, GovernanceDirected
from contracts.plan import PolicyIssued, PortfolioOption
from contracts.values import Euros, PolicyParameter, Quarter, Slug
from services.chassis.commands import Door
from services.chassis.service import PROBLEMS, database_session
from services.plan.model import Budget, BudgetStatus, Policy, PolicyEdition, PortfolioItem

router = APIRouter(tags=["governance"])


class PolicyBody(BaseModel):
    """A direction of the governing body."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    kind: Literal["policy", "constraint", "requirement"] = "policy"
    title: str
    statement: str
    """What must be kept, in words."""
    parameters: tuple[PolicyParameter, ...] = ()
    """The values that decisions read from it."""
    issued_by: str = "governance"
    """The body or role that directs."""
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None
    """Until when it binds; none for as long as nothing replaces it."""


class BudgetBody(BaseModel):
    """The money of a quarter."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    total: Euros
    """All that may be spent in the quarter, euros; replaces what was granted before."""
    granted_by: str = "governance"
    reason: str = ""


class PolicyView(BaseModel):
    """A policy and all its editions, oldest first."""

    policy: Slug
    editions: tuple[PolicyEdition, ...]


class PortfolioView(BaseModel):
    """A demand in the portfolio, and what was decided about it."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

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
    policy_edition: int
    """The edition of the funding policy it was decided by."""
    reasons: tuple[str, ...]
    decided_at: datetime | None


@router.post("/policies/{policy}", status_code=201, responses={**PROBLEMS, 201: {"model": PolicyIssued}})
async def direct(policy: Slug, body: PolicyBody, door: Annotated[Door, Depends()]) -> Response:
    """Direct a policy, a constraint or a requirement: it becomes the policy's next edition."""
    return await door.ask(GovernanceDirected(policy=policy, **dict(body)))


@router.post("/budgets/{quarter}", responses={**PROBLEMS, 200: {"model": BudgetStatus}})
async def grant(quarter: Quarter, body: BudgetBody, door: Annotated[Door, Depends()]) -> Response:
    """Grant the money of a quarter; deferred demands are weighed again."""
    return await door.ask(BudgetGranted(quarter=quarter, **dict(body)))


@router.get("/policies")
async def policies(session: Annotated[AsyncSession, Depends(database_session)]) -> list[PolicyView]:
    """The policies that governance has directed, with all their editions."""
    async with session:
        known = await session.exec(select(Policy.rows()).order_by(col(Policy.rows().id)))
        return [PolicyView(policy=row.id, editions=row.editions) for row in known if row.editions]


@router.get("/budgets")
async def budgets(session: Annotated[AsyncSession, Depends(database_session)]) -> list[BudgetStatus]:
    """The budgets by quarter: granted, reserved and spent."""
    async with session:
        return [
            BudgetStatus(
                quarter=row.id, total=row.total, reserved=row.reserved, spent=row.spent, waiting=len(row.waiting)
            )
            for row in await session.exec(select(Budget.rows()).order_by(col(Budget.rows().id)))
        ]


@router.get("/portfolio")
async def portfolio(
    session: Annotated[AsyncSession, Depends(database_session)], stage: str | None = None, limit: int = 100
) -> list[PortfolioView]:
    """Demands in the portfolio, the latest decision first; `stage` picks those in one stage."""
    item = PortfolioItem.rows()
    wanted = select(item).order_by(col(item.decided_at).desc().nulls_last()).limit(min(limit, 1000))
    async with session:
        found = await session.exec(wanted.where(item.stage == stage) if stage else wanted)
        return [PortfolioView.model_validate(row) for row in found]
