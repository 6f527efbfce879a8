"""The HTTP side of Obtain/build: orders, and the register of components that looks for reuse start from."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.values import Amount, Slug
from services.chassis.commands import Door
from services.chassis.service import PROBLEMS, database_session
from services.obtain_build.model import Component, ComponentGained, Offer, Order, Part

router = APIRouter(tags=["obtain/build"])


class Stock(BaseModel):
    """What is there of a component."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    capacity: Amount
    """How much there is beside what is registered already, in `unit`."""
    used: Amount = 0
    """How much of that is in use."""
    unit: str
    """Of both, for example `users`."""


class RegisteredComponent(BaseModel):
    """A component and what suppliers offer of it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    component: str
    """Its id."""
    capacity: float
    """How much there is, in `unit`; 0 if it is offered only."""
    used: float
    """How much of it is promised to services."""
    unit: str
    """Of both."""
    offers: tuple[Offer, ...]
    """What suppliers ask for it."""


class OrderView(BaseModel):
    """What is obtained for one demand."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    demand: UUID
    """The demand it is for."""
    service: str
    """The service that the parts make up."""
    status: str
    """`awaited`, `obtaining`, `ready`, `live`, `not_obtainable` or `given_up`."""
    change: str
    """The change that authorises it; empty while none does."""
    budget: int
    """What it may cost, in euros."""
    wanted_by: datetime | None
    """When the parts are needed."""
    parts: tuple[Part, ...]
    """The parts: how each is had, and why."""


@router.post("/components/{component}", responses=PROBLEMS)
async def register_component(component: Slug, stock: Stock, door: Annotated[Door, Depends()]) -> Response:
    """Register what is there already, so that it is reused before anything is built or bought."""
    return await door.ask(ComponentGained(component=component, **stock.model_dump()))


@router.get("/components")
async def components(
    session: Annotated[AsyncSession, Depends(database_session)], limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[RegisteredComponent]:
    """The register of components, by id."""
    async with session:
        rows = (await session.exec(select(Component.rows()).order_by("id").limit(limit))).all()
    return [
        RegisteredComponent(component=row.id, capacity=row.capacity, used=row.used, unit=row.unit, offers=row.offers)
        for row in rows
    ]


@router.get("/orders/{demand}", responses=PROBLEMS)
async def order(demand: UUID, session: Annotated[AsyncSession, Depends(database_session)]) -> OrderView:
    """What is obtained for a demand, part by part."""
    async with session:
        row = await session.get(Order.rows(), demand)
    if row is None:
        raise HTTPException(404, "Nothing was specified for this demand; `GET /trail/{demand}` says what was heard.")
    return OrderView(
        demand=row.id,
        service=row.service,
        status=row.status,
        change=row.change,
        budget=row.budget,
        wanted_by=row.wanted_by,
        parts=row.parts,
    )
