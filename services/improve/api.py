"""The key figures over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.values import Kpi
from services.chassis.service import database_session
from services.improve.model import Week

router = APIRouter(tags=["key figures"])


class WeekOfFigures(BaseModel):
    """The key figures of a week, as far as they were measured."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    period: str
    """The ISO week, in chain time."""
    reports: int
    """How often they were told to the other activities."""
    kpis: tuple[Kpi, ...]


@router.get("/kpis")
async def kpis(
    session: Annotated[AsyncSession, Depends(database_session)],
    weeks: Annotated[int, Query(ge=1, le=520, description="How many weeks to look back.")] = 12,
) -> list[WeekOfFigures]:
    """Satisfaction, value, service levels and flow of the last weeks, the latest first."""
    table = Week.rows()
    async with session:
        latest = await session.exec(select(table).order_by(col(table.id).desc()).limit(weeks))
        stored = [Week.model_validate(row, from_attributes=True) for row in latest]
    return [WeekOfFigures(period=week.id, reports=week.reports, kpis=week.kpis) for week in stored]
