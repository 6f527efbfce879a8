"""The door for customers, users and their service desks."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.engage import DemandStatus
from contracts.outside import (
    DemandSubmitted,
    DemandWithdrawn,
    Judgement,
    Preference,
    RequirementsStated,
    ValueConfirmed,
)
from contracts.values import Channel, Kind, Priority, Requirement
from services.chassis.commands import AS_PROBLEM, Commanding, problem
from services.chassis.service import PROBLEMS, database_session
from services.engage.channels import Alike, alike
from services.engage.desks.client import UNREACHABLE
from services.engage.desks.events import Received, Unreadable
from services.engage.desks.intake import confirmed, delivery_of, ticket_pushed, withheld
from services.engage.desks.signature import Refused, challenge
from services.engage.desks_view import DeskView, how_desks_stand
from services.engage.model import (
    Criticality,
    Demand,
    DemandAltered,
    DemandClassified,
    KnownServices,
    MergeAsked,
    Segment,
    ServiceDescribed,
    TermsAnswered,
)
from services.engage.notices import DESKS
from services.engage.pushes import Keeping, Pushes, one_place
from services.engage.registers_api import Body, Day, Duration, Id, Money, Name, Number, Several, Words, registers
from services.engage.relationship_management import known_as
from services.engage.views import DemandView, SegmentView, ServiceView

router = APIRouter(lifespan=one_place)
Reading = Annotated[AsyncSession, Depends(database_session)]
Sort = Annotated[Kind, Field(max_length=100)]
Remarks = Annotated[tuple[Annotated[str, Field(max_length=2_000)], ...], Field(max_length=50)]
STATE: dict[int | str, dict[str, Any]] = {409: AS_PROBLEM | {"description": "Its state does not allow it"}}
YOURS = STATE | {403: AS_PROBLEM | {"description": "The demand is somebody else's"}}


class DemandBody(Body):
    """A demand as a customer brings it."""

    requester: Name
    """Who asks: an e-mail address or an id. Only they can say later what it was worth."""
    requester_name: Annotated[str, Field(max_length=200)] = ""
    """Their name."""
    segment: Annotated[str, Field(max_length=100)] = ""
    """The customer segment they belong to."""
    title: Annotated[Words, Field(min_length=1)]
    """The need in one line."""
    text: Words
    """The need in their words."""
    kind: Sort | None = None
    """What sort of demand it is; leave it out, and Engage classifies it by its words."""
    service: Id | None = None
    """The service it is about; leave it out, and Engage looks for a known one in the words."""
    wanted_priority: Priority | None = None
    """How urgent they think it is, 1 to 5; the priority it gets comes from impact and urgency."""
    users_affected: Number = 1
    """How many people are hindered or would use it."""
    harm_in_hours: Duration | None = None
    """Hours until harm is done if nothing happens."""
    value: Money | None = None
    """What they expect to gain, euros a year; without it nothing new is funded."""
    budget: Money | None = None
    """What their sponsor is ready to spend, euros in all."""
    sponsor: Name | None = None
    """Who authorises that budget."""
    wanted_by: Day | None = None
    """When they need it."""
    offering: Id | None = None
    """The service offering they ask for; leave it out, and it is looked for in the words."""
    quantity: Several = 1
    """How many of it."""
    channel: Channel = "api"
    """Where they asked."""


class WithdrawalBody(Body):
    """The requester no longer needs it."""

    stakeholder: Name
    """Who withdraws it: its requester."""
    reason: Words
    """Why."""


class ClassificationBody(Body):
    """What a person at the desk decides about a demand."""

    kind: Sort
    """What sort of demand it is; one that a value stream takes."""
    service: Id | None = None
    """The service it is about; leave it out to keep the one it has."""
    by: Name
    """Who decides."""
    reason: Words
    """Why."""


class MergerBody(Body):
    """A person decides that two demands of one requester are one."""

    into: UUID
    """The open demand that is to stand for both."""
    by: Name
    """Who decides."""
    reason: Words
    """Why."""


class AlterationBody(Body):
    """What is to be altered about a demand that waits for its decision, or about the work under way for it."""

    stakeholder: Name
    """Who asks: its requester, or the sponsor it names."""
    change: Name | None = None
    """The project or change under way; leave it out if you do not know it."""
    title: Name
    """What is to be altered, in one line."""
    scope: Words
    """What is added or left out, in words."""
    more_budget: Money = 0
    """What is added to the budget, euros; it counts only if who asks is registered as a sponsor."""
    wanted_by: Day | None = None
    """The new day it is needed; leave it out if that stays."""


class AcceptanceBody(Body):
    """The consumer's answer to the terms that were offered."""

    stakeholder: Name
    """Who answers: the requester."""
    accepted: bool
    """Whether they accept the terms."""
    remark: Words = ""
    """In their own words."""


class ServiceBody(Body):
    """How people speak of a service, and how much depends on it; what is left out stays as it was."""

    names: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    """What people call it, besides its id."""
    criticality: Criticality | None = None
    """How much depends on it: the higher, the higher the impact of an incident."""


class JudgementBody(Judgement):
    """What a delivery was worth to a stakeholder: only they can say."""

    stakeholder: Name
    benefits: Remarks = ()
    costs_removed: Remarks = ()
    costs_imposed: Remarks = ()
    risks_removed: Remarks = ()
    risks_imposed: Remarks = ()
    remark: Words = ""


class RequirementBody(Requirement):
    """What a service must do, or how well."""

    name: Id
    measure: Annotated[str, Field(max_length=500)]
    unit: Annotated[str, Field(max_length=50)] = ""


class PreferenceBody(Preference):
    """How a segment wants one sort of its demand to be treated."""

    kind: Sort


class RequirementsBody(Body):
    """What a customer segment requires and prefers."""

    customer: Name
    """Who speaks for the segment."""
    service: Id | None = None
    """The service it is about; leave it out for all they use."""
    requirements: Annotated[tuple[RequirementBody, ...], Field(max_length=100)] = ()
    """What the service must do, and how well."""
    preferences: Annotated[tuple[PreferenceBody, ...], Field(max_length=100)] = ()
    """How they want their demand to be treated."""


class PushTaken(BaseModel):
    """A desk's push is kept and will be worked on."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    demand: UUID | None
    """The demand that the ticket is; null for a push of another sort than Engage takes, which is passed over."""
    delivery: str
    """The desk's id of the push; the same push again is harmless."""


@router.post(
    "/desks/{desk}",
    tags=["desks"],
    status_code=202,
    response_model=PushTaken,
    responses=PROBLEMS | {401: AS_PROBLEM | {"description": "The push does not prove where it comes from"}},
)
async def take_push(desk: str, request: Request) -> Response:
    """A push of a service desk, verified as its connector says; acknowledged once it cannot be lost any more."""
    pushes: Pushes = request.app.state.pushes  # no dependencies: to resolve two is a good part of a push
    door = pushes.door(request)
    configured = DESKS.get(desk)
    if configured is None:
        return problem(
            404, "There is no such desk", f"{desk!r} is not configured: SVC_DESKS names each, with its secrets."
        )
    # The push is signed with the wall's time, whatever the chain's clock says.
    push = Received(
        headers=dict(reversed(request.headers.items())),  # of a header that comes twice the first counts
        body=await request.body(),
        query=dict(request.query_params),
        received_at=datetime.now(UTC),
    )
    try:
        events = configured.plugged.parse(push)
        if client := configured.client():
            async with client:
                asked = [await confirmed(one, client) if one.signature == "unsigned" else one for one in events]
            events = [event for event in asked if event is not None]
    except Refused as refused:
        await pushes.refuse(desk, f"{refused}")
        return problem(401, "The push is not proved to be the desk's", f"{refused}.")
    except Unreadable as unreadable:
        await pushes.refuse(desk, f"{unreadable}")
        return problem(422, "The push cannot be read", f"{unreadable}.")
    except UNREACHABLE as error:
        return problem(503, "The desk cannot be asked", f"Push it again later: {type(error).__name__}.")
    told = [(event, pushed) for event in events if (pushed := ticket_pushed(desk, event, push.received_at))]
    kept = await pushes.keep(desk, push, configured.keep_pushes, [pushed.case for _, pushed in told])
    for event, pushed in told:
        limited = withheld(pushed, configured.withhold, configured.secrets[0])
        command, trace = limited.model_copy(update={"push": kept.id}), kept.traces.get(pushed.case, "")
        await door.produce(command, delivery_of(desk, event), known=trace)
    demand = next((pushed.demand for _, pushed in told), None)
    return taken(PushTaken(demand=demand, delivery=next((event.dedupe_key for event in events), "")))


@router.get("/desks/status", tags=["desks"], response_model=list[DeskView])
async def desks(session: Reading, pushes: Keeping) -> list[DeskView]:
    """How each configured desk stands: what it pushed, what it has still to be told, and when it was asked last."""
    return await how_desks_stand(session, pushes)


@router.get("/desks/{desk}", tags=["desks"], responses=PROBLEMS)
async def take_challenge(desk: str, crc_token: str) -> Response:
    """What GLPI asks before it pushes: whether we know the secret."""
    configured = DESKS.get(desk)
    if configured is None:
        return problem(404, "There is no such desk", f"{desk!r} is not configured: SVC_DESKS names each.")
    return PlainTextResponse(challenge(configured.secrets[0], crc_token))


def taken(push: PushTaken) -> Response:
    """The acknowledgement of a push."""
    return Response(push.model_dump_json(), 202, media_type="application/json")


@router.post("/demands", tags=["demands"], status_code=201, response_model=DemandView, responses=PROBLEMS)
async def submit(body: DemandBody, door: Commanding) -> Response:
    """Bring demand; it is named after the caller and the idempotency key, so a repeat makes no second one."""
    return await door.ask(DemandSubmitted(demand=door.id, **body.model_dump()))


@router.get("/demands", tags=["demands"], response_model=list[DemandView])
async def demands(
    session: Reading,
    status: Annotated[DemandStatus | None, Query(description="Only those in this state.")] = None,
    escalated: Annotated[bool, Query(description="Only those on which somebody must act.")] = False,
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100,
) -> list[DemandView]:
    """Demands, the newest first."""
    table = Demand.rows()
    query = select(table).order_by(col(table.captured_at).desc(), col(table.id)).limit(limit)
    query = query.where(col(table.status) == status if status else col(table.status).is_not(None))
    if escalated:
        query = query.where(col(table.escalated_to) != "")
    async with session:
        return [DemandView.of(row) for row in await session.exec(query)]


@router.get("/demands/{demand}", tags=["demands"], response_model=DemandView, responses=PROBLEMS)
async def one_demand(demand: UUID, session: Reading) -> DemandView | Response:
    """A demand as it stands now; `GET /trail/{demand}` says how it came there."""
    async with session:
        row = await session.get(Demand.rows(), demand)
    if row is None or row.status is None:
        return problem(404, "There is no such demand", "`GET /demands` lists them.")
    return DemandView.of(row)


@router.post("/demands/{demand}/value", tags=["demands"], response_model=DemandView, responses=PROBLEMS | YOURS)
async def confirm_value(demand: UUID, judgement: JudgementBody, door: Commanding) -> Response:
    """The requester says what a delivery was worth to them: fully, partly or not; this is final."""
    return await door.ask(ValueConfirmed(demand=demand, **judgement.model_dump()))


@router.post("/demands/{demand}/withdrawal", tags=["demands"], response_model=DemandView, responses=PROBLEMS | YOURS)
async def withdraw(demand: UUID, body: WithdrawalBody, door: Commanding) -> Response:
    """The requester no longer needs an open demand; this is final."""
    return await door.ask(DemandWithdrawn(demand=demand, **body.model_dump()))


@router.post(
    "/demands/{demand}/classification", tags=["demands"], response_model=DemandView, responses=PROBLEMS | STATE
)
async def classify(demand: UUID, body: ClassificationBody, door: Commanding) -> Response:
    """A person says what an unclassified or escalated demand is, and its value stream begins."""
    return await door.ask(DemandClassified(demand=demand, **body.model_dump()))


@router.get("/demands/{demand}/alike", tags=["demands"], response_model=list[Alike], responses=PROBLEMS)
async def offers(demand: UUID, session: Reading) -> list[Alike] | Response:
    """What the same person has asked by another channel at nearly the same time: perhaps it is one need."""
    async with session:
        row = await session.get(Demand.rows(), demand)
        if row is None or row.status is None:
            return problem(404, "There is no such demand", "`GET /demands` lists them.")
        return await alike(row, session)


@router.post("/demands/{demand}/merger", tags=["demands"], response_model=DemandView, responses=PROBLEMS | STATE)
async def merge(demand: UUID, body: MergerBody, door: Commanding) -> Response:
    """Say that a demand is the same as an open one of the same person, which then stands for both."""
    return await door.ask(MergeAsked(demand=demand, **body.model_dump()))


@router.post("/demands/{demand}/alteration", tags=["demands"], response_model=DemandView, responses=PROBLEMS | YOURS)
async def alter(demand: UUID, body: AlterationBody, door: Commanding) -> Response:
    """Alter what a demand asks for: weighed with it before it is decided, asked of those who work on it afterwards."""
    said = body.model_dump() | {"stakeholder": known_as(body.stakeholder)}
    return await door.ask(DemandAltered(demand=demand, **said))


@router.post("/demands/{demand}/acceptance", tags=["demands"], response_model=DemandView, responses=PROBLEMS | YOURS)
async def accept_terms(demand: UUID, body: AcceptanceBody, door: Commanding) -> Response:
    """Accept the terms that were offered, or not: a demand that waits for its consumer goes on, or ends."""
    return await door.ask(TermsAnswered(demand=demand, **body.model_dump()))


@router.post("/services/{service}", tags=["services"], response_model=ServiceView, responses=PROBLEMS)
async def describe(service: Annotated[Id, Path()], body: ServiceBody, door: Commanding) -> Response:
    """Say how people speak of a service and how critical it is, so that Engage knows it in their words."""
    return await door.ask(ServiceDescribed(service=service, **body.model_dump()))


@router.get("/services", tags=["services"], response_model=list[ServiceView])
async def services(session: Reading) -> list[ServiceView]:
    """The services that Engage knows by name."""
    async with session:
        rows = await session.exec(select(KnownServices.rows()))
        return [ServiceView.model_validate(known) for row in rows for known in row.services]


@router.post("/segments/{segment}/requirements", tags=["segments"], response_model=SegmentView, responses=PROBLEMS)
async def state_requirements(segment: Annotated[Id, Path()], body: RequirementsBody, door: Commanding) -> Response:
    """State what a customer segment requires and prefers; replaces its last statement on the same service."""
    return await door.ask(RequirementsStated(segment=segment, **body.model_dump()))


@router.get("/segments", tags=["segments"], response_model=list[SegmentView])
async def segments(session: Reading) -> list[SegmentView]:
    """What the customer segments have stated."""
    async with session:
        rows = await session.exec(select(Segment.rows()).order_by(col(Segment.rows().id)))
        return [SegmentView.model_validate(row) for row in rows]


router.include_router(registers)  # after the push of a desk: routes are tried in their order
