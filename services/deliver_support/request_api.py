"""The catalogue, the stock, and what was requested, over HTTP: who owns what, and who has access to what."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select

from contracts.values import Euros, Slug
from services.chassis.commands import AS_PROBLEM, Commanding
from services.chassis.service import PROBLEMS, Reading
from services.chassis.state import ONE_ROW
from services.deliver_support.request_model import (
    Access,
    Action,
    ApprovalGiven,
    Catalogue,
    Fulfilment,
    Goods,
    Grant,
    Id,
    Offering,
    OfferingPublished,
    Pieces,
    Stock,
    StockSet,
    Text,
    Waiting,
)

router = APIRouter()
Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Stage = Literal["asked", "approving", "waiting", "working", "fulfilled", "refused"]
NOT_NOW: dict[int | str, dict[str, Any]] = {409: AS_PROBLEM | {"description": "Its state does not allow it"}}


class Body(BaseModel):
    """What a caller sends; a field that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class OfferingBody(Body):
    """A service offering: any mix of goods, access and action."""

    title: Text
    """What it is, in one line."""
    service: Id
    """The live service it belongs to."""
    names: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    """What people call it, besides its title."""
    goods: Goods | None = None
    """What becomes the requester's own."""
    access: Grant | None = None
    """What the requester may use for a time."""
    action: Action | None = None
    """What is done for the requester."""
    entitled_segments: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    """Who may have it; empty for everybody."""
    approval: Literal["none", "manager"] = "none"
    """Whether a manager has to approve it."""
    approval_above: Pieces = 0
    """More than so many need that approval."""
    price: Annotated[Euros, Field(le=1_000_000_000)] = 0
    """Of one, whole euros."""
    available: bool = True
    """False withdraws it."""


class StockBody(Body):
    """What was counted of one sort of goods, and when it is ordered again."""

    component: Id
    """What it is ordered as."""
    unit: Annotated[str, Field(max_length=50)] = "pieces"
    """What is counted."""
    quantity: Pieces
    """How many are there."""
    reorder_at: Pieces = 0
    """At this level it is ordered again."""
    reorder_quantity: Pieces = 0
    """How many then; 0 if it is not ordered again."""


class ApprovalBody(Body):
    """A manager says whether a request may be fulfilled."""

    by: Text
    """Who decides; never who asked."""
    approved: bool
    """Whether it may."""
    reason: Annotated[str, Field(max_length=2000)] = ""
    """Why."""


class View(BaseModel):
    """What is shown of a row."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class StockView(View):
    """The goods of one sort."""

    id: Slug
    component: str
    unit: str
    quantity: int
    reorder_at: int
    reorder_quantity: int
    reorder: str
    """The order under way; empty if there is none."""
    not_obtainable: str
    """Why the last order failed; empty if it did not."""
    waiting: tuple[Waiting, ...]
    """The requests that wait for it."""


class AssetView(View):
    """Goods that have become somebody's own."""

    id: UUID
    """The request by which they did."""
    requester: str
    """Whose they are."""
    service: str
    offering: str
    item: str
    goods: int
    """How many, in `unit`."""
    unit: str
    handed_over_at: datetime


class AccessView(View):
    """What somebody may use, until when."""

    resource: str
    holder: str
    service: str
    demand: UUID | None
    """The request that it was granted for last."""
    granted_at: datetime | None
    until: datetime | None
    ended_at: datetime | None
    """When it ended; null while it may be used."""


class RequestView(View):
    """A request and how far it is."""

    id: UUID
    stage: str
    reason: str
    """Why it is there."""
    task: str
    title: str
    requester: str
    segment: str
    service: str
    offering: str
    quantity: int
    asked_at: datetime | None
    resolve_by: datetime | None
    approved_by: str
    handed_over_at: datetime | None


@router.post("/offerings/{offering}", tags=["catalogue"], responses={**PROBLEMS, 201: {"model": Offering}, **NOT_NOW})
async def publish(offering: Annotated[Id, Path()], body: OfferingBody, door: Commanding) -> Response:
    """Enter an offering into the service catalogue, or change it there (200)."""
    return await door.ask(OfferingPublished(offering=Offering(offering=offering, **dict(body))))


@router.get("/offerings", tags=["catalogue"])
async def offerings(session: Reading) -> list[Offering]:
    """The service catalogue: what can be requested, and what was withdrawn."""
    async with session:
        row = await session.get(Catalogue.rows(), ONE_ROW)
    return [Offering.model_validate(one) for one in row.offerings] if row else []


@router.post("/stock/{item}", tags=["stock"], responses={**PROBLEMS, 201: {"model": StockSet}, **NOT_NOW})
async def count(item: Annotated[Id, Path()], body: StockBody, door: Commanding) -> Response:
    """Say what was counted of one sort of goods (200 if it is kept already); who waits for it is served."""
    return await door.ask(StockSet(item=item, **body.model_dump()))


@router.get("/stock", tags=["stock"])
async def stock(session: Reading, limit: Limit = 100) -> list[StockView]:
    """What is in stock, what is on order, and who waits for it."""
    async with session:
        rows = (await session.exec(select(Stock.rows()).order_by("id").limit(limit))).all()
    return list(map(StockView.model_validate, rows))


@router.get("/assets", tags=["stock"])
async def assets(
    session: Reading,
    owner: Annotated[str | None, Query(description="Only those of this owner.", max_length=500)] = None,
    limit: Limit = 100,
) -> list[AssetView]:
    """Who owns which goods, by the requests that handed them over, the newest first."""
    table = Fulfilment.rows()
    query = select(table).where(col(table.handed_over_at).is_not(None), col(table.item) != "")
    if owner:
        query = query.where(col(table.requester) == owner)
    async with session:
        rows = (await session.exec(query.order_by(col(table.handed_over_at).desc()).limit(limit))).all()
    return list(map(AssetView.model_validate, rows))


@router.get("/access", tags=["access"])
async def access(
    session: Reading,
    holder: Annotated[str | None, Query(description="Only what this holder has.", max_length=500)] = None,
    limit: Limit = 100,
) -> list[AccessView]:
    """Who may use what until when, and what has ended, the latest end first."""
    table = Access.rows()
    query = select(table).where(col(table.until).is_not(None))
    if holder:
        query = query.where(col(table.holder) == holder)
    async with session:
        rows = (await session.exec(query.order_by(col(table.until).desc()).limit(limit))).all()
    return list(map(AccessView.model_validate, rows))


@router.get("/requests", tags=["requests"])
async def requests(
    session: Reading,
    stage: Annotated[Stage | None, Query(description="Only those that are so far.")] = None,
    limit: Limit = 100,
) -> list[RequestView]:
    """Requests and what each waits for, the newest first."""
    table = Fulfilment.rows()
    query = select(table).order_by(col(table.asked_at).desc()).limit(limit)
    if stage:
        query = query.where(col(table.stage) == stage)
    async with session:
        rows = (await session.exec(query)).all()
    return list(map(RequestView.model_validate, rows))


@router.post(
    "/requests/{demand}/approval", tags=["requests"], responses={**PROBLEMS, 200: {"model": ApprovalGiven}, **NOT_NOW}
)
async def approve(demand: UUID, body: ApprovalBody, door: Commanding) -> Response:
    """Say as a manager whether a request that waits for it may be fulfilled."""
    return await door.ask(ApprovalGiven(demand=demand, **body.model_dump()))
