"""The doors to the registers: stakeholders, suppliers, agreements, opportunities, and what Engage has counted."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.outside import MarketingOpportunityReported, StakeholderKind
from contracts.service_hours import ServiceHours
from contracts.values import AgreementKind, Share, Term
from services.chassis.commands import AS_PROBLEM, Commanding
from services.chassis.service import PROBLEMS, database_session
from services.engage.ledgers import Day as EngagementDay
from services.engage.ledgers import Direction, Initiative, Opportunity, OpportunityEnded, Voices
from services.engage.model import Need
from services.engage.registers import (
    MOST_DEPENDANTS,
    MOST_SERVICES,
    Agreement,
    AgreementStated,
    AgreementTerminated,
    Stakeholder,
    StakeholderStated,
    Supplier,
    SupplierServiceStated,
    SupplierStatus,
)
from services.engage.relationship_management import known_as
from services.engage.views import (
    AgreementView,
    InitiativeView,
    NeedView,
    OpportunityView,
    ReportView,
    StakeholderView,
    SupplierView,
    TargetView,
    VoicesView,
)

YEARS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
"""A day outside of these is a slip of the pen."""


def within_years(day: datetime) -> datetime:
    """A day that a calendar, and a database, can work with."""
    if not YEARS[0] <= day < YEARS[1]:
        raise ValueError(f"must be between the years {YEARS[0].year} and {YEARS[1].year}")
    return day.astimezone(UTC)  # PostgreSQL knows no offsets of 16 hours and more


Name = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[str, Field(max_length=20_000)]
Money = Annotated[int, Field(ge=0, le=10**12)]
Number = Annotated[int, Field(ge=0, le=10**10)]
Several = Annotated[int, Field(ge=1, le=10**6)]
Duration = Annotated[FiniteFloat, Field(ge=0, le=10**6)]
Day = Annotated[AwareDatetime, AfterValidator(within_years)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
"""An id in a register: lower-case words joined by dashes."""
AgreementId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+([-/._:][A-Za-z0-9]+)*$", max_length=200)]
"""An id of an agreement: words joined by dashes, dots or slashes, as in `cloud-ag/storage/video-games`."""
AgreementPath = Annotated[AgreementId, Path()]
Reading = Annotated[AsyncSession, Depends(database_session)]
Most = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
STATE: dict[int | str, dict[str, Any]] = {409: AS_PROBLEM | {"description": "Its state does not allow it"}}

registers = APIRouter()


class Body(BaseModel):
    """What a caller sends; a field that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class TermBody(Body):
    """One promise."""

    name: Name
    """What is promised, for example `resolve`, `availability`, `delivery`, `price`."""
    value: Annotated[FiniteFloat, Field(ge=0, le=10**12)]
    """How much, in `unit`."""
    unit: Annotated[str, Field(max_length=50)]
    """For example `hours`, `%`, `euros`."""

    def term(self) -> Term:
        """As the register keeps it."""
        return Term(name=self.name, value=self.value, unit=self.unit)


Terms = Annotated[tuple[TermBody, ...], Field(max_length=30)]


class StakeholderBody(Body):
    """Who somebody is, and what they may."""

    name: Name
    """What they are called."""
    kind: StakeholderKind = "consumer"
    """Whose value they perceive."""
    roles: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=50)], ...], Field(max_length=20)] = ()
    """Their roles. Open; known: `customer`, `user`, `sponsor`. Only a `sponsor` authorises a budget."""
    segment: Annotated[str, Field(max_length=100)] = ""
    """Their customer segment: it stands in for one that they do not name."""
    organisation: Annotated[str, Field(max_length=200)] = ""
    """Whom they speak for."""


class SupplierServiceBody(Body):
    """How one service of a supplier stands, as the supplier says."""

    name: Name
    """What the supplier is called."""
    title: Name
    """What the service is."""
    status: SupplierStatus = "offered"
    """How it stands; the register says otherwise if its contract or its last day do."""
    terms: Terms = ()
    """What is promised: service levels, `delivery`, `price`."""
    support_hours: Annotated[str, Field(max_length=200)] = ""
    """When its support can be reached."""
    supports: Annotated[tuple[Id, ...], Field(max_length=MOST_SERVICES)] = ()
    """Services of ours that depend on it."""
    agreement: AgreementId | None = None
    """The contract that underpins it; it counts unless the register knows that it does not hold."""
    valid_from: Day
    """From when it stands so."""
    valid_until: Day | None = None
    """Its last day; leave it out if none is known."""


class AgreementBody(Body):
    """What both sides have agreed."""

    kind: AgreementKind
    """With a consumer, between activities, with a supplier, or for one piece of work."""
    title: Name
    """What it is called."""
    service: Id
    """The service it is about."""
    counterparty: Name
    """The other side: of a contract the supplier, by its id."""
    terms: Terms = ()
    """What is promised."""
    depends_on: Annotated[tuple[AgreementId, ...], Field(max_length=MOST_DEPENDANTS)] = ()
    """The agreements in force that its promises rest on."""
    service_hours: ServiceHours = ()
    """When the service is looked after, UTC: the times that are promised count these hours only. Left out: always."""
    valid_from: Day
    """From when it holds."""
    valid_until: Day | None = None
    """Its last day; leave it out if it holds until somebody ends it."""


class TerminationBody(Body):
    """One side ends an agreement."""

    by: Name
    """Who ends it."""
    reason: Words
    """Why."""


class OpportunityBody(Body):
    """A chance to win or keep business."""

    customer: Name
    """The customer or prospect: an e-mail address or an id."""
    relationship: Literal["current", "potential"]
    """Whether they are a customer already."""
    segment: Annotated[str, Field(max_length=100)] = ""
    """Their customer segment, if known."""
    signal: Annotated[str, Field(min_length=1, max_length=100)]
    """What was noticed. Open; known: `likely_to_leave`, `wants_more`, `wants_first`, `renewal_due`."""
    title: Name
    """The chance in one line."""
    text: Words = ""
    """The chance in words."""
    service: Id | None = None
    """The service it is about, if there is one."""
    value: Money
    """What it would bring, euros a year."""
    probability: Share
    """How likely it is to come true."""
    closes_at: Day | None = None
    """When the chance is gone."""


class OutcomeBody(Body):
    """How an opportunity came out."""

    outcome: Literal["won", "lost"]
    """Whether the business was won."""
    by: Name
    """Who says so."""
    reason: Words
    """Why."""


@registers.post(
    "/stakeholders/{stakeholder}", tags=["stakeholders"], response_model=StakeholderView, responses=PROBLEMS
)
async def state_stakeholder(stakeholder: Annotated[Name, Path()], body: StakeholderBody, door: Commanding) -> Response:
    """Say who a stakeholder is, under their address or id; replaces what was said before."""
    return await door.ask(StakeholderStated(stakeholder=known_as(stakeholder), **body.model_dump()))


@registers.get("/stakeholders", tags=["stakeholders"], response_model=list[StakeholderView])
async def stakeholders(session: Reading, limit: Most = 100) -> list[StakeholderView]:
    """The register of stakeholders, by id."""
    table = Stakeholder.rows()
    async with session:
        rows = await session.exec(select(table).where(col(table.name) != "").order_by(col(table.id)).limit(limit))
        return [StakeholderView.of(row) for row in rows]


@registers.post(
    "/suppliers/{supplier}/services/{service}",
    tags=["suppliers"], response_model=SupplierView, responses=PROBLEMS | STATE,
)  # fmt: skip
async def state_supplier_service(
    supplier: Annotated[Id, Path()], service: Annotated[Id, Path()], body: SupplierServiceBody, door: Commanding
) -> Response:
    """Say how a supplier's service stands; everybody is told, if that is news."""
    said = body.model_dump() | {"terms": tuple(term.term() for term in body.terms)}
    return await door.ask(SupplierServiceStated(supplier=supplier, service=service, **said))


@registers.get("/suppliers", tags=["suppliers"], response_model=list[SupplierView])
async def suppliers(session: Reading, limit: Most = 100) -> list[SupplierView]:
    """The register of third parties, by id."""
    table = Supplier.rows()
    async with session:
        rows = await session.exec(select(table).where(col(table.name) != "").order_by(col(table.id)).limit(limit))
        return [SupplierView.of(row) for row in rows]


@registers.post(
    "/agreements/{agreement:path}/termination",
    tags=["agreements"], response_model=AgreementView, responses=PROBLEMS | STATE,
)  # fmt: skip
async def terminate_agreement(agreement: AgreementPath, body: TerminationBody, door: Commanding) -> Response:
    """End an agreement that is in force; what rests on it loses its support."""
    return await door.ask(AgreementTerminated(agreement=agreement, **body.model_dump()))


@registers.post(
    "/agreements/{agreement:path}", tags=["agreements"], response_model=AgreementView, responses=PROBLEMS | STATE
)
async def conclude_agreement(agreement: AgreementPath, body: AgreementBody, door: Commanding) -> Response:
    """Conclude an agreement, or change one; refused if its promise is shorter than what it rests on takes together."""
    said = dict(body) | {"terms": tuple(term.term() for term in body.terms)}
    return await door.ask(AgreementStated(agreement=agreement, **said))


@registers.get("/agreements", tags=["agreements"], response_model=list[AgreementView])
async def agreements(
    session: Reading,
    status: Annotated[
        Literal["wanted", "in_force", "expired", "terminated"] | None, Query(description="Only those in this state.")
    ] = None,
    limit: Most = 100,
) -> list[AgreementView]:
    """The register of agreements, by id."""
    table = Agreement.rows()
    query = select(table).order_by(col(table.id)).limit(limit)
    query = query.where(col(table.status) == status if status else col(table.status) != "none")
    async with session:
        return [AgreementView.of(row) for row in await session.exec(query)]


@registers.post(
    "/opportunities/{opportunity}", tags=["opportunities"], response_model=OpportunityView, responses=PROBLEMS | STATE
)
async def report_opportunity(opportunity: Annotated[Id, Path()], body: OpportunityBody, door: Commanding) -> Response:
    """Report a chance to win or keep business, or what has become of it; it is weighed against the portfolio's plan."""
    return await door.ask(MarketingOpportunityReported(opportunity=opportunity, **body.model_dump()))


@registers.post(
    "/opportunities/{opportunity}/outcome",
    tags=["opportunities"], response_model=OpportunityView, responses=PROBLEMS | STATE,
)  # fmt: skip
async def end_opportunity(opportunity: Annotated[Id, Path()], body: OutcomeBody, door: Commanding) -> Response:
    """Say that an opportunity was won or lost; this is final."""
    return await door.ask(OpportunityEnded(opportunity=opportunity, **body.model_dump()))


@registers.get("/opportunities", tags=["opportunities"], response_model=list[OpportunityView])
async def opportunities(session: Reading, limit: Most = 100) -> list[OpportunityView]:
    """Opportunities, by id."""
    table = Opportunity.rows()
    async with session:
        rows = await session.exec(
            select(table).where(col(table.stage).is_not(None)).order_by(col(table.id)).limit(limit)
        )
        return [OpportunityView.of(row) for row in rows]


@registers.get("/initiatives", tags=["feedback"], response_model=list[InitiativeView])
async def initiatives(session: Reading, limit: Most = 100) -> list[InitiativeView]:
    """Improvements, as those whose feedback is behind them are told of them."""
    table = Initiative.rows()
    async with session:
        rows = await session.exec(
            select(table).where(col(table.stage).is_not(None)).order_by(col(table.id)).limit(limit)
        )
        return [InitiativeView.of(row) for row in rows]


@registers.get("/feedback", tags=["feedback"], response_model=list[VoicesView])
async def feedback(session: Reading, limit: Most = 100) -> list[VoicesView]:
    """What people have said lately, by service; the organisation as such has no name."""
    table = Voices.rows()
    async with session:
        rows = await session.exec(select(table).order_by(col(table.id)).limit(limit))
        return [VoicesView.of(row) for row in rows]


@registers.get("/needs", tags=["demands"], response_model=list[NeedView])
async def needs(session: Reading, limit: Most = 100) -> list[NeedView]:
    """Needs, and the demand that stands for later ones."""
    table = Need.rows()
    async with session:
        rows = await session.exec(
            select(table).where(col(table.first).is_not(None)).order_by(col(table.id)).limit(limit)
        )
        return [NeedView.of(row) for row in rows]


@registers.get("/targets", tags=["reports"], response_model=list[TargetView])
async def targets(session: Reading) -> list[TargetView]:
    """What plans want of the relationship with those served."""
    async with session:
        return [TargetView.model_validate(row) for row in await session.exec(select(Direction.rows()))]


@registers.get("/reports", tags=["reports"], response_model=list[ReportView])
async def reports(session: Reading, limit: Most = 100) -> list[ReportView]:
    """How the relationship stood, day by day, the newest first."""
    table = EngagementDay.rows()
    async with session:
        rows = await session.exec(select(table).order_by(col(table.id).desc()).limit(limit))
        return [ReportView.of(EngagementDay.model_validate(row, from_attributes=True)) for row in rows]
