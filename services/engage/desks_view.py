"""How desks stand, for who connects them: what they pushed, what they have still to be told, when they were asked."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import Text, cast, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.engage.backfill import DeskRound
from services.engage.model import Demand, Notice
from services.engage.notices import DESKS, RequesterNotice
from services.engage.pushes import DeskDoor, Pushes, RawPush, drop_expired

MOST_SHOWN = 100
"""Tickets of one desk that are shown with what they have still to be told."""


class WriteBack(BaseModel):
    """A ticket that has still to be told something."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    demand: UUID
    ticket: str
    waiting: int
    """So many notices, one after the other."""
    status: str
    """What the first of them tells of the demand."""
    attempts: int
    """How often the desk was asked to take the first one, since it was given up last."""
    last_error: str
    """Why it did not; empty if it was not asked yet."""


class DeskView(BaseModel):
    """A configured desk; times are the wall's."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    desk: str
    """Its name in `SVC_DESKS`."""
    connector: str
    """What it is, as in `svc desk list`."""
    pushes_taken: int = 0
    """Genuine pushes; one that is kept counts once, however often it is repeated."""
    last_push_at: AwareDatetime | None = None
    pushes_refused: int = 0
    """Pushes that did not prove where they came from, or could not be read."""
    last_refused_at: AwareDatetime | None = None
    last_refusal: str = ""
    """Why the last of them was refused."""
    asked: bool
    """Whether it is asked what it did not push."""
    last_asked_at: AwareDatetime | None = None
    """When it has answered last."""
    last_found: int = 0
    """How many events it told then; those that were heard before change nothing."""
    asking_failed: str = ""
    """Why it did not answer the last time; empty if it did."""
    tickets_waiting: int = 0
    """How many tickets have still to be told something."""
    write_backs: tuple[WriteBack, ...] = ()
    """The first 100 of them, the oldest demand first."""


async def how_desks_stand(session: AsyncSession, pushes: Pushes) -> list[DeskView]:
    """Every desk of `SVC_DESKS`, by name."""
    await drop_expired(pushes.pool)
    demand, push = Demand.rows(), RawPush.rows()
    async with session:
        doors = {row.id: row for row in await session.exec(select(DeskDoor.rows()))}
        counted = select(push.desk, func.count(), func.max(col(push.received_at))).group_by(push.desk)
        kept = {desk: (number, last) for desk, number, last in await session.exec(counted)}
        rounds = {row.id: row for row in await session.exec(select(DeskRound.rows()))}
        query = select(demand).where(cast(col(demand.untold), Text) != "[]")
        waiting = [*await session.exec(query.order_by(col(demand.captured_at), col(demand.id)))]
    tried = await pushes.attempts(RequesterNotice.name, [str(row.id) for row in waiting])
    found = []
    for name, desk in sorted(DESKS.items()):
        door, round = doors.get(name) or DeskDoor(id=name), rounds.get(name) or DeskRound(id=name)
        number, last = kept.get(name, (0, None))
        mine = [row for row in waiting if row.desk == name]
        view = DeskView(
            desk=name,
            connector=desk.connector,
            pushes_taken=door.taken + number,
            last_push_at=max((at for at in (last, door.last_at) if at), default=None),
            pushes_refused=door.refused,
            last_refused_at=door.refused_at,
            last_refusal=door.refusal,
            asked=desk.answers,
            last_asked_at=round.asked_at,
            last_found=round.found,
            asking_failed=round.failed,
            tickets_waiting=len(mine),
            write_backs=tuple(write_back(row, *tried.get(str(row.id), (0, ""))) for row in mine[:MOST_SHOWN]),
        )
        found.append(view)
    return found


def write_back(demand: Demand, attempts: int, error: str) -> WriteBack:
    """What a ticket has still to be told, as it is shown."""
    return WriteBack(
        demand=demand.id,
        ticket=demand.ticket,
        waiting=len(demand.untold),
        status=Notice.model_validate(demand.untold[0]).status,  # a row of the read side holds what its JSON says
        attempts=attempts,
        last_error=error or demand.notice_failed,
    )
