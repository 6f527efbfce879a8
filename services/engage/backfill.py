"""What a desk did not push, or pushed while nobody listened, is asked of it: at every start, and again and again.

The wait between two rounds is a durable timer, and asking is an effect beside the lanes: a desk that is down or slow
holds up nobody else. What it tells becomes the same commands as if it had been pushed, under the same ids.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from aiokafka.errors import KafkaError
from fastapi import FastAPI
from opentelemetry.trace import SpanKind
from pydantic import AwareDatetime

from contracts.event import Command
from contracts.outside import TicketPushed
from contracts.values import Count, Slug
from services.chassis.commands import bring
from services.chassis.outputs import Ask, Effect, Later
from services.chassis.runtime import Runtime
from services.chassis.state import State
from services.chassis.store import AWAY
from services.engage.desks.client import UNREACHABLE, Declined
from services.engage.desks.events import DONE, DeskEvent, Unreadable
from services.engage.desks.intake import delivery_of, ticket_pushed, withheld
from services.engage.desks.letter import notice_of
from services.engage.model import RequesterNotified
from services.engage.notices import DESKS
from services.engage.pushes import count_refused, drop_expired


class DeskRound(State[str], by="desk"):
    """How far a desk has been asked what has happened in it."""

    round: int = 0
    """Counts the starts of Engage: what an earlier one has under way is not gone on with."""
    cursor: str = ""
    """Where the next round begins, as the desk counts; empty until the first one has come to its end."""
    asked_at: datetime | None = None
    """When it has answered last, by the wall's clock."""
    found: int = 0
    """What it told then, events that had been heard before among them."""
    failed: str = ""
    """Why it did not answer the last time; empty if it did."""


class DeskRoundDue(Command, case="desk"):
    """It is time to ask a desk."""

    desk: Slug
    round: int | None = None
    """None: Engage has just started, and whatever was under way before is over."""


class DeskAnswered(Command, case="desk"):
    """A desk has told a page of what has happened in it, or has not answered."""

    desk: Slug
    round: int
    newest: str = ""
    """Where the next round begins, by what it told so far."""
    next_page: int | None = None
    """The page to ask for now; None if that was the last one."""
    found: Count = 0
    """What it told in this round so far."""
    failed: str = ""
    asked_at: AwareDatetime | None = None
    """When, by the wall's clock."""
    again_at: AwareDatetime | None = None
    """When it is to be asked again, by the chain's clock; None: at once."""


class DeskAsked(Effect):
    """Ask a desk for a page of what has happened in it since."""

    desk: str
    round: int
    cursor: str
    newest: str = ""
    page: int | None = None
    found: int = 0

    def failed(self, reason: str) -> DeskAnswered:
        """What it told could not be put on the inbox, however often that was tried."""
        return DeskAnswered(desk=self.desk, round=self.round, failed=reason)


def ask_desk(due: DeskRoundDue, desk: DeskRound) -> list[Ask]:
    """Begin a round with the first page; a timer from before the last start begins none."""
    if due.desk not in DESKS or due.round not in (None, desk.round):
        return []
    desk.round += due.round is None
    return [Ask(DeskAsked(desk=due.desk, round=desk.round, cursor=desk.cursor))]


def hear_desk(answered: DeskAnswered, desk: DeskRound) -> list[Ask | Later]:
    """Go on to the next page, or put the next round off; it begins where this one has ended, or as this one if not."""
    if answered.round != desk.round:
        return []
    desk.failed = answered.failed
    if answered.next_page is not None:
        following = DeskAsked(
            desk=answered.desk,
            round=desk.round,
            cursor=desk.cursor,
            newest=answered.newest,
            page=answered.next_page,
            found=answered.found,
        )
        return [Ask(following)]
    if not answered.failed:
        desk.cursor, desk.asked_at, desk.found = answered.newest, answered.asked_at, answered.found
    return [Later(answered.again_at or answered.time, DeskRoundDue(desk=answered.desk, round=desk.round))]


async def ask(runtime: Runtime, asked: DeskAsked) -> DeskAnswered:
    """Ask for the page, and put what it tells on the inbox; a desk that does not answer is asked again in its time."""
    answered, now = DeskAnswered(desk=asked.desk, round=asked.round), datetime.now(UTC)
    await drop_expired(runtime.pool)
    desk = DESKS.get(asked.desk)
    client = desk.client() if desk else None
    if desk is None or client is None:
        return answered.model_copy(update={"failed": "it is no longer configured with an `api` in SVC_DESKS"})
    again_at = runtime.clock.at(now + timedelta(seconds=desk.ask_every))
    try:
        async with client:
            page = await client.page(asked.cursor, asked.page, asked.newest)
    except (*UNREACHABLE, Declined, Unreadable, ValueError) as error:
        failed = f"{type(error).__name__}: {error}" if str(error) else f"{type(error).__name__}: no answer in time"
        return answered.model_copy(update={"failed": failed, "again_at": again_at})
    for event in as_found(page.events, first=not asked.cursor):
        if pushed := ticket_pushed(asked.desk, event, now):
            limited = withheld(pushed, desk.withhold, desk.secrets[0])
            await deliver(runtime, asked.desk, limited, delivery_of(asked.desk, event))
        elif lost := came_back(event):
            await deliver(runtime, asked.desk, lost, delivery_of(asked.desk, event))
    for reason in page.unread:
        runtime.log.warning("a mail cannot be read", desk=asked.desk, reason=reason)
        await count_refused(runtime.pool, asked.desk, reason)
    return answered.model_copy(
        update={
            "newest": page.newest,
            "next_page": page.next,
            "found": asked.found + len(page.events),
            "asked_at": now,
            "again_at": again_at,
        }
    )


def as_found(events: list[DeskEvent], *, first: bool) -> list[DeskEvent]:
    """What events are that nobody has pushed: a ticket that is not done is a demand, also if it has changed since.

    What is done already when a desk is asked for the `first` time is no concern of ours.
    """
    whole = [one for one in events if one.kind in ("created", "status") and one.title and not one.comment_id]
    done = {one.external_id for one in whole if one.status in DONE}
    meant = {one.dedupe_key: "status" if one.external_id in done else "created" for one in whole}
    return [
        one.model_copy(update={"kind": meant.get(one.dedupe_key, one.kind)})
        for one in events
        if not (first and one.external_id in done)
    ]


def came_back(event: DeskEvent) -> RequesterNotified | None:
    """That a requester was not reached, if a mail to them has come back."""
    if event.kind != "bounce" or (told := notice_of(event.external_id or "")) is None:
        return None
    demand, number = told
    return RequesterNotified(demand=demand, number=number, failed=f"the mail to them has come back: {event.title}")


async def deliver(runtime: Runtime, desk: str, found: TicketPushed | RequesterNotified, id: UUID) -> None:
    """Put a ticket on the inbox as its push would have been, within the trace of its demand, or as its beginning."""
    started = time.time_ns()
    asked = await bring(runtime, found, None, id, source=f"/client/{desk}")
    runtime.tracer.export(f"ask {desk}", SpanKind.CLIENT, asked, None, started, runtime.tracer.about(found.case))


@asynccontextmanager
async def asking(app: FastAPI) -> AsyncIterator[None]:
    """From its start on, and while it runs, Engage asks the desks that answer."""
    beginning = asyncio.create_task(begin(app.state.runtime))
    yield
    beginning.cancel()
    await asyncio.gather(beginning, return_exceptions=True)


async def begin(runtime: Runtime) -> None:
    """Have each desk asked, once the broker is there to hear of it; its timers go on from there."""
    waiting = [DeskRoundDue(desk=name) for name, desk in DESKS.items() if desk.answers]
    while waiting:
        due = waiting[0]
        try:
            if not runtime.missing:
                source = f"/client/{due.desk}"
                await runtime.to_inbox(due, "", id=uuid4(), source=source, time=runtime.clock.now())
                waiting.pop(0)
                continue
        except (KafkaError, *AWAY) as error:
            runtime.log.warning("a desk could not be asked yet", desk=due.desk, reason=f"{type(error).__name__}")
        await asyncio.sleep(0.2)
