"""The HTTP side of Obtain/build: orders, the register of components, suppliers, and what directs its choices."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.values import Slug
from services.chassis.commands import AS_PROBLEM, Commanding
from services.chassis.service import PROBLEMS, database_session
from services.obtain_build.direction import Direction
from services.obtain_build.model import Component, ComponentGained, Order
from services.obtain_build.sourcing_policy import SourcingPolicy
from services.obtain_build.supplier_management import Supplier, SupplierAgreement
from services.obtain_build.views import (
    DirectionView,
    OrderView,
    RegisteredComponent,
    SupplierAgreementView,
    SupplierView,
)

router = APIRouter(tags=["obtain/build"])
Reading = Annotated[AsyncSession, Depends(database_session)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
STATE: dict[int | str, dict[str, Any]] = {409: AS_PROBLEM | {"description": "What is registered does not allow it"}}
Quantity = Annotated[FiniteFloat, Field(ge=0, le=1e12)]
"""How much there is of something; nothing that is counted here is more."""


class Stock(BaseModel):
    """What is there of a component."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    capacity: Quantity
    """How much there is beside what is registered already, in `unit`."""
    used: Quantity = 0
    """How much of that is in use."""
    unit: Annotated[str, Field(min_length=1, max_length=100)]
    """Of both, for example `users`."""


@router.post("/components/{component}", responses=PROBLEMS | STATE)
async def register_component(
    component: Annotated[Slug, Path(max_length=200)], stock: Stock, door: Commanding
) -> Response:
    """Register what is there already, so that it is reused before anything is built or bought."""
    return await door.ask(ComponentGained(component=component, **stock.model_dump()))


@router.get("/components")
async def components(session: Reading, limit: Limit = 100) -> list[RegisteredComponent]:
    """The register of components, by id."""
    async with session:
        rows = (await session.exec(select(Component.rows()).order_by("id").limit(limit))).all()
    return [RegisteredComponent.model_validate(row) for row in rows]


@router.get("/orders")
async def orders(
    session: Reading, status: Annotated[str, Query(max_length=50)] = "", limit: Limit = 100
) -> list[OrderView]:
    """What is obtained, was, or is wanted, by demand; `status` picks the orders in one state."""
    order = Order.rows()
    wanted = select(order).order_by("id").limit(limit)
    async with session:
        rows = (await session.exec(wanted.where(col(order.status) == status) if status else wanted)).all()
    return [OrderView.model_validate(row) for row in rows]


@router.get("/orders/{demand}", responses=PROBLEMS)
async def order(demand: UUID, session: Reading) -> OrderView:
    """What is obtained for a demand, part by part."""
    async with session:
        row = await session.get(Order.rows(), demand)
    if row is None:
        raise HTTPException(404, "Nothing was specified for this demand; `GET /trail/{demand}` says what was heard.")
    return OrderView.model_validate(row)


@router.get("/suppliers")
async def suppliers(session: Reading, limit: Limit = 100) -> list[SupplierView]:
    """Suppliers, by id: what they offer, and the contracts with them."""
    async with session:
        rows = (await session.exec(select(Supplier.rows()).order_by("id").limit(limit))).all()
    return [SupplierView.model_validate(row) for row in rows]


@router.get("/supplier-agreements")
async def supplier_agreements(session: Reading, limit: Limit = 100) -> list[SupplierAgreementView]:
    """What suppliers have offered, signed or refused, by the id of the agreement."""
    async with session:
        rows = (await session.exec(select(SupplierAgreement.rows()).order_by("id").limit(limit))).all()
    return [SupplierAgreementView.model_validate(row) for row in rows]


@router.get("/direction")
async def direction(session: Reading) -> DirectionView:
    """What directs the choice between making and buying: the policy, the plans and the initiatives."""
    async with session:
        policy = (await session.exec(select(SourcingPolicy.rows()))).first()
        directed = (await session.exec(select(Direction.rows()))).first()
    return DirectionView(
        editions=policy.editions if policy else (),
        misread=policy.misread if policy else "",
        targets=directed.targets if directed else (),
        initiatives=directed.initiatives if directed else (),
    )
