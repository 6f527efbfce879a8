"""One person, two channels: what looks like the same need is offered for merging, and a person decides.

A call about what was mailed an hour ago is mostly the same need, and sometimes is not: nothing is merged silently.
"""

from datetime import timedelta
from typing import Never
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.event import Fact
from services.chassis.outputs import Answer, refusal
from services.engage.business_analysis import MOST_MERGED, joining, need_stated
from services.engage.model import (
    FINAL,
    Demand,
    MergeAccepted,
    MergeAsked,
    MergeDeclined,
    NeedStated,
    StandingAsked,
)
from services.engage.notices import unknown
from services.engage.relationship_management import known_as
from services.engage.views import DemandView

NEAR = timedelta(hours=24)
"""What one person says about one service within this time is looked at together."""
MOST_OFFERED = 20
DECLINED = "not merged"
"""The fact that says which demand has not taken another one in."""


class Alike(BaseModel):
    """An open demand of the same requester on the same service, which came in by another channel at nearly the time."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    demand: DemandView
    """The other demand."""
    channel: str
    """Where it came in: a desk's name, or how it was said."""
    why: str
    """Why it is offered."""
    merge: str
    """Where to say that both are one: `POST` there with `into`, who decides, and why."""
    into: UUID
    """The earlier one of both, which is to stand for them."""


async def alike(demand: Demand, session: AsyncSession) -> list[Alike]:
    """What is offered for merging with an open demand, the oldest first."""
    if demand.status in FINAL or demand.service is None or demand.captured_at is None:
        return []
    row, since = Demand.rows(), demand.captured_at
    query = select(row).where(
        func.lower(col(row.requester)) == demand.requester.strip().lower(),
        col(row.service) == demand.service,
        col(row.captured_at).between(since - NEAR, since + NEAR),
        col(row.status).not_in([*FINAL]),
        col(row.id) != demand.id,
    )
    found = await session.exec(query.order_by(col(row.captured_at), col(row.id)).limit(MOST_OFFERED))
    return [offered(other, demand) for other in found if channel(other) != channel(demand)]


def offered(other: Demand, demand: Demand) -> Alike:
    """One of them, with the later one to be merged into the earlier one."""
    first, later = sorted((other, demand), key=lambda one: (one.captured_at, one.id))
    assert other.captured_at
    assert demand.captured_at
    apart = abs(other.captured_at - demand.captured_at) / timedelta(hours=1)
    return Alike(
        demand=DemandView.of(other),
        channel=channel(other),
        why=f"{demand.requester} asks about {demand.service} by {channel(demand)} too, {apart:.1f} hours apart.",
        merge=f"/demands/{later.id}/merger",
        into=first.id,
    )


def channel(demand: Demand) -> str:
    """Where a demand came in: two desks are two channels."""
    return demand.desk or demand.channel


def ask_merge(asked: MergeAsked, demand: Demand) -> list[Answer | StandingAsked]:
    """Somebody decides that a demand is the same as another one: that one is asked to stand for it."""
    if demand.status is None:
        return [unknown()]
    if asked.into == demand.id:
        return [refusal(422, "It cannot be merged into itself", "`into` names the demand that is to stand for it.")]
    if demand.status in FINAL:
        return [refusal(409, "It is closed", f"It is {demand.status}, which is final: only an open demand is merged.")]
    standing = StandingAsked(demand=asked.into, joining=joining(demand), by=asked.by, reason=asked.reason)
    return [Answer(200, DemandView.of(demand)), standing]


def stand_for(asked: StandingAsked, demand: Demand) -> list[MergeAccepted | MergeDeclined | NeedStated]:
    """Stand for another demand of the same person, as long as one is open; what is not decided is weighed anew."""
    other = asked.joining
    if other.demand in {joined.demand for joined in demand.merged}:
        return []
    why = ""
    if demand.status is None or demand.status in FINAL:
        why = f"it is {(demand.status or 'unknown').replace('_', ' ')}"
    elif known_as(other.requester) != known_as(demand.requester):
        why = "somebody else has asked for it"
    elif len(demand.merged) >= MOST_MERGED:
        why = f"it stands for {MOST_MERGED} already"
    if why:
        return [MergeDeclined(demand=other.demand, into=demand.id, why=why)]
    demand.merged = (*demand.merged, other)
    accepted = MergeAccepted(
        demand=other.demand, first=demand.id, title=demand.title, decided=f"{asked.by} decided: {asked.reason}"
    )
    waits = demand.status in ("consolidated", "deferred")
    return [accepted, *([need_stated(demand, again=True)] if waits else [])]


def stay_apart(declined: MergeDeclined, demand: Demand) -> list[Never]:
    """The other demand does not stand for this one, which goes on by itself; why is kept with it."""
    fact = Fact(name=DECLINED, value=str(declined.into), source=declined.why)
    demand.facts = (*(one for one in demand.facts if one.name != DECLINED), fact)
    return []
