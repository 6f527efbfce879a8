"""A desk's API, as its profile describes it: a ticket read back, what has changed since, an outcome written.

No desk takes an idempotency key for a comment, so each text carries a marker, which is looked for before it is written
again: an answer that was lost, or a desk that failed after doing it, makes no second comment.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx
from pydantic import JsonValue

from contracts.event import Data
from services.engage.desks.connector import Connector
from services.engage.desks.events import DeskEvent, DeskTicket, Outcome, Receipt, Received
from services.engage.desks.mapping import elements
from services.engage.desks.profile import Api, Call, Poll, Step
from services.engage.desks.reading import HOLE, Place
from services.engage.desks.signature import Proof
from services.engage.desks.text import marker, plain

PATIENCE = 10.0
"""Seconds that a desk may take to answer."""
OVERLAP = timedelta(minutes=2)
"""So much of what was asked for before is asked for again: clocks differ, and a second has many changes."""
PAGES = 1000
"""Pages that one poll reads, at most; the next one goes on from there."""
RACES = 3
"""How often a ticket is moved again that somebody else has changed at the same moment."""
LATER = frozenset({408, 409, 412, 423, 425, 429})
"""Answers that say: not now. All others from 400 to 499 say: not at all."""


UNREACHABLE = (httpx.HTTPError, OSError)
"""What it raises if a desk cannot be reached, or fails by itself: to be tried again."""


class Declined(Exception):  # noqa: N818 - it is the desk that declines
    """The desk will never do it; says what it answered."""


class Overtaken(Exception):  # noqa: N818 - it is no error: somebody was quicker
    """The ticket has changed since the outcome was decided, so it was not moved."""


class Access(Data):
    """Where a desk's API is, and who we are there."""

    base: str
    """Its address, as in `https://desk.example`."""
    user: str = ""
    """Our account."""
    secret: str = ""
    """Its password or token."""
    outgoing: str = ""
    """Of a mailbox: the server that takes our answers, as in `smtps://mail.example`."""
    sender: str = ""
    """Of a mailbox: its own address, if that is not `user`."""


class Page(NamedTuple):
    """Some of what has changed in a desk."""

    events: list[DeskEvent]
    newest: str
    """Where the next poll begins, by what was told so far."""
    next: int | None = None
    """The number of the next page; None if this was the last one."""
    unread: tuple[str, ...] = ()
    """What could not be read and was passed over, and why."""


class Paged(ABC):
    """A desk that tells page by page what has changed."""

    @abstractmethod
    async def page(self, cursor: str, number: int | None = None, newest: str = "") -> Page:
        """One page of what has changed since `cursor`, oldest first: the first one, or by what the one before says."""

    async def poll(self, cursor: str) -> tuple[list[DeskEvent], str]:
        """What has changed since, in the order of the desk, and where the next poll begins.

        What was told before comes again for an overlap: events are known by their `dedupe_key`.
        """
        page = await self.page(cursor)
        found = page.events
        while page.next is not None:
            page = await self.page(cursor, page.next, page.newest)
            found += page.events
        found.sort(key=lambda event: event.order_key)
        return found, page.newest


class Client(Paged):
    """The API of one desk. Errors of the network and of the desk (5xx) are the caller's to repeat."""

    def __init__(self, connector: Connector, access: Access, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`transport` takes the place of the network in tests."""
        if connector.profile.api is None:
            raise ValueError(
                f"the profile {connector.profile.desk!r} has no `api`: its desk cannot be asked or answered"
            )
        self.connector, self.access = connector, access
        self.api: Api = connector.profile.api
        basic = httpx.BasicAuth(access.user, access.secret) if self.api.auth.kind == "basic" else None
        self.http = httpx.AsyncClient(
            base_url=access.base.rstrip("/"), timeout=PATIENCE, auth=basic, transport=transport,
            headers={"accept": "application/json"},
        )  # fmt: skip

    async def __aenter__(self) -> "Client":
        """Open connections; those of `oauth` fetch their token first."""
        auth = self.api.auth
        if auth.kind == "header":
            self.http.headers[auth.header] = auth.value.replace("{secret}", self.access.secret)
        elif auth.kind == "oauth":
            form = {
                "grant_type": "client_credentials",
                "client_id": self.access.user,
                "client_secret": self.access.secret,
            }
            answer = await self.http.post(auth.token, data=form)
            self.http.headers["Authorization"] = f"Bearer {_body(_accepted(answer), 'access_token')}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self.http.aclose()

    async def fetch(self, ticket: str) -> DeskTicket:
        """The ticket as the desk knows it now; `Declined` if it has none."""
        if self.api.fetch is None:
            raise Declined(f"{self.connector.profile.desk} cannot be asked for one ticket")
        answer = await self._call(self.api.fetch, {"ticket": ticket})
        event = next((one for one in self._events(answer) if one.kind in ("created", "status", "deleted")), None)
        if event is None:
            raise Declined(f"what {self.connector.profile.desk} tells of ticket {ticket} is not understood")
        version = answer.headers.get("etag", "") or (event.occurred_at.isoformat() if event.occurred_at else "")
        return DeskTicket(event=event, version=version, texts=tuple(await self.texts(ticket)))

    async def page(self, cursor: str, number: int | None = None, newest: str = "") -> Page:
        """As `Paged` says; nothing, if its profile does not say how it is asked."""
        poll = self.api.poll
        if poll is None:
            return Page([], cursor)
        number = poll.first if number is None else number
        answer = await self._call(poll, {"since": _since(poll, cursor), "page": str(number)})
        events = self._events(answer)
        newest = _cursor(poll, newest or cursor, events)
        if poll.cursor == "time" and cursor:  # a desk that cannot be asked for a time tells everything
            since = datetime.fromisoformat(cursor) - OVERLAP
            events = [event for event in events if event.occurred_at is None or event.occurred_at >= since]
        events.sort(key=lambda event: event.order_key)
        full = elements(self.connector.profile, self._received(answer)) >= poll.size
        following = number + poll.by
        return Page(events, newest, following if full and following < poll.first + PAGES * poll.by else None)

    async def texts(self, ticket: str) -> list[str]:
        """What is written on a ticket, by anybody."""
        call = self.api.comments
        if call is None:
            return []
        answer = await self._call(call, {"ticket": ticket})
        place = Place(answer.json(), None, {})
        return [plain(text) for text in place.several(call.pick)]

    async def write_back(self, outcome: Outcome) -> Receipt:
        """Write an outcome on its ticket, each part once however often this is called.

        `Declined` if the desk will never take it, `Overtaken` if the ticket has changed since `outcome.version`.
        """
        written = "\n".join(await self.texts(outcome.external_id))
        receipt = Receipt(done=())
        for step in self.api.steps:
            sign = marker(outcome.demand, outcome.number, note=step.step == "note")
            text = outcome.internal if step.step == "note" else outcome.public
            wanted = self._status(outcome) if step.step == "status" else text
            if not wanted:
                continue
            if sign in written if step.step != "status" else await self._stands(outcome):
                receipt = receipt.model_copy(update={"found": (*receipt.found, step.step)})
                continue
            values = {"ticket": outcome.external_id, "text": f"{text}\n\n{sign}", "status": self._status(outcome)}
            answer = await self._step(step, outcome, values)
            comment = _body(answer, "id") if step.step == "comment" else receipt.comment_id
            receipt = receipt.model_copy(
                update={
                    "done": (*receipt.done, step.step),
                    "comment_id": comment,
                    "version": answer.headers.get("etag", "") or receipt.version,
                }
            )
        return receipt

    async def _step(self, step: Step, outcome: Outcome, values: dict[str, str | int | None]) -> httpx.Response:
        for _ in range(RACES):
            if step.first:
                answer = await self._call(step.first, values)
                values = values | {"picked": Place(answer.json(), None, {}).text(_filled(step.first.pick, values))}
                if values["picked"] is None:
                    raise Declined(f"{step.step}: the desk offers no way there from where the ticket stands")
            headers = {"if-match": outcome.version or await self._version(outcome)} if step.conditional else {}
            answer = await self._call(step, values, headers, accepts=412 if step.conditional else 0)
            if answer.status_code != 412:
                return answer
            if outcome.version:
                raise Overtaken(f"ticket {outcome.external_id} is no longer {outcome.version}")
        raise Overtaken(f"ticket {outcome.external_id} changes faster than it can be moved")

    async def _version(self, outcome: Outcome) -> str:
        if self.api.fetch is None:
            return "*"
        answer = await self._call(self.api.fetch, {"ticket": outcome.external_id})
        return str(answer.headers.get("etag", "*"))

    def _status(self, outcome: Outcome) -> str | int | None:
        return self.api.statuses.get(outcome.status) if outcome.status else None

    async def _stands(self, outcome: Outcome) -> bool:
        """Whether the ticket stands already as it shall; a desk that has one status for two counts for both."""
        if self.api.fetch is None:
            return False
        answer = await self._call(self.api.fetch, {"ticket": outcome.external_id})
        now = next((event.status for event in self._events(answer)), None)
        return now is not None and self.api.statuses.get(now) == self._status(outcome)

    async def _call(
        self,
        call: Call,
        values: Mapping[str, str | int | None],
        headers: Mapping[str, str] | None = None,
        accepts: int = 0,
    ) -> httpx.Response:
        ticket = str(values.get("ticket") or "")
        project, _, number = ticket.rpartition("#")
        way = ticket.replace("#", "/issues/") if "/" in ticket else self.api.bare.replace("{ticket}", ticket)
        values = {"user": self.access.user, "ticket_path": way, "project": project, "number": number, **values}
        path = HOLE.sub(lambda hole: _quoted(hole[1], values), call.path)
        body = _fill(call.body, values)
        sent = {"data": body} if call.form and isinstance(body, dict) else {"json": body} if body is not None else {}
        answer = await self.http.request(call.method, path, headers=dict(headers or {}), **sent)
        return answer if answer.status_code == accepts else _accepted(answer)

    def _received(self, answer: httpx.Response) -> Received:
        return Received(headers=dict(answer.headers), body=answer.content, received_at=datetime.now(UTC))

    def _events(self, answer: httpx.Response) -> list[DeskEvent]:
        # We have asked the desk itself, so what it says is its own.
        return self.connector.events(self._received(answer), Proof("valid"))


def _accepted(answer: httpx.Response) -> httpx.Response:
    if 300 <= answer.status_code < 500 and answer.status_code not in LATER:
        where = f"{answer.request.method} {answer.request.url.path}"
        raise Declined(f"{where} was answered {answer.status_code} {answer.reason_phrase}: {_hint(answer)}")
    return answer.raise_for_status()


def _hint(answer: httpx.Response) -> str:
    if answer.status_code in (401, 403):
        return "check the account and its token, and what the account may do"
    if answer.status_code in (404, 410):
        return "the ticket is gone, or the address of the desk is another"
    if answer.status_code < 400:
        return "the address of the desk is another: give the one that it points to"
    return re.sub(r"\s+", " ", answer.text)[:200]


def _body(answer: httpx.Response, path: str) -> str:
    if "json" not in answer.headers.get("content-type", ""):
        return ""
    return Place(answer.json(), None, {}).text(path) or ""


def _quoted(name: str, values: Mapping[str, str | int | None]) -> str:
    return quote(str(values.get(name) or ""), safe="" if name == "project" else ":/")


def _filled(text: str, values: Mapping[str, str | int | None]) -> str:
    return HOLE.sub(lambda hole: str(values.get(hole[1]) or ""), text)


def _fill(body: JsonValue, values: Mapping[str, str | int | None]) -> JsonValue:
    """The body with its braces filled; what is a brace alone keeps the value's type, and goes if there is none."""
    if isinstance(body, dict):
        filled = {name: _fill(value, values) for name, value in body.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if isinstance(body, list):
        return [_fill(value, values) for value in body]
    if isinstance(body, str):
        alone = HOLE.fullmatch(body)
        return values.get(alone[1]) if alone else _filled(body, values)
    return body


def _since(poll: Poll, cursor: str) -> str:
    if poll.cursor == "id":
        return cursor or "0"
    since = datetime.fromisoformat(cursor) - OVERLAP if cursor else datetime(1971, 1, 1, tzinfo=UTC)
    if poll.stamp == "%s":
        return str(int(since.timestamp()))
    return since.astimezone(ZoneInfo(poll.zone)).strftime(poll.stamp)


def _cursor(poll: Poll, before: str, found: list[DeskEvent]) -> str:
    if poll.cursor == "id":
        numbers = [int(event.external_id) for event in found if event.external_id and event.external_id.isdecimal()]
        return str(max([*numbers, int(before or 0)]))
    times = [event.occurred_at for event in found if event.occurred_at]
    newest = max(times).isoformat() if times else ""
    return max(newest, before)
