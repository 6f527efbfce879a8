"""A mailbox as a desk: its mails are read by IMAP, and answers to them go out by SMTP.

An answer has two recipients in one SMTP transaction, its requester and the mailbox itself: so a copy comes into the
mailbox if, and only if, the server has taken the answer. The copy is looked for before anything is sent again.
"""

import asyncio
import imaplib
import smtplib
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NamedTuple, ParamSpec, TypeVar

from services.engage.desks.client import Access, Client, Declined, Page, Paged
from services.engage.desks.connector import Connector
from services.engage.desks.events import DeskEvent, DeskTicket, Outcome, Receipt, Received, Unreadable
from services.engage.desks.letter import Letter, addressee, id_of, letter
from services.engage.desks.mail_servers import day, in_thread, named, quoted, servers, taken
from services.engage.desks.signature import Proof
from services.engage.desks.text import marker

PAGE, LARGEST, LONGEST_PAGE = 50, 512 * 1024, 5.0
"""Mails of one page, at most; bytes that are read of one mail; and seconds after which a page ends early."""
FIRST_ROUND = timedelta(days=1)
"""How old a mail may be that lies in a mailbox when it is asked for the first time: what is older was for others."""
UNSURE_FOR = 120.0
"""Seconds for which an answer is not sent again of which nobody knows whether the server has taken it."""
MOST_ANSWERS = 20
"""Answers to one mail within two days, at most: who makes us write more is a machine."""
THREADS = ThreadPoolExecutor(16, "mailbox")
"""Of their own, so that a mail server that hangs keeps nobody else waiting."""
UNSURE: dict[str, float] = {}
"""Answers of which nobody knows it, by their Message-ID, and since when, by this process's clock."""
Given = ParamSpec("Given")
Found = TypeVar("Found")


class Cursor(NamedTuple):
    """How far a mailbox is read; as text `validity:uid:since`."""

    validity: int
    """Which numbering of its mails the server had (UIDVALIDITY): under another one, all are read again."""
    uid: int
    """The last mail that was read."""
    since: date
    """The day from which on its mails concern us."""

    @classmethod
    def of(cls, text: str) -> "Cursor":
        """From its text; empty is the beginning."""
        if not text:
            return cls(0, 0, (datetime.now(UTC) - FIRST_ROUND).date())
        validity, uid, since = text.split(":")
        return cls(int(validity), int(uid), date.fromisoformat(since))

    def __str__(self) -> str:
        return f"{self.validity}:{self.uid}:{self.since}"


class Mailbox(Paged):
    """One folder of a mailbox, with what `Client` has. Errors of the network and of its servers are `OSError`."""

    def __init__(self, connector: Connector, access: Access) -> None:
        """`ValueError` says what is missing in the settings."""
        self.connector, self.servers = connector, servers(access)
        self.imap: imaplib.IMAP4
        self.smtp: smtplib.SMTP | None = None
        self.validity, self.left = 0, False

    async def __aenter__(self) -> "Mailbox":
        """Log in, and open the folder for reading only."""
        self.imap = await _aside(self.servers.imap)
        self.validity = int(self.imap.response("UIDVALIDITY")[1][0] or 0)
        return self

    async def __aexit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Log out; if something failed or takes too long, cut the connections, so that no thread goes on with them."""
        self.left = True
        for server in (self.imap, self.smtp) if failed else ():
            if server is not None and server.sock is not None:
                with suppress(OSError):
                    server.sock.shutdown(socket.SHUT_RDWR)  # a thread that waits there wakes up
        if self.smtp is not None:
            await _aside(self.smtp.close)
        with suppress(OSError):
            await _aside(self.imap.shutdown if failed else self.imap.logout)

    async def fetch(self, ticket: str) -> DeskTicket:
        """The mail that began a thread, and what is written in it; `Declined` if the folder does not have it."""
        event, _ = await _aside(self._asked, ticket)
        return DeskTicket(event=event, texts=tuple(await self.texts(ticket)))

    async def texts(self, ticket: str) -> list[str]:
        """What is written in the thread, by anybody."""
        return [event.text for event, _ in await _aside(self._mails, in_thread(ticket))]

    async def page(self, cursor: str, number: int | None = None, newest: str = "") -> Page:
        """Some mails since `cursor` (empty: of the last day), or those that follow them, since `newest`.

        None of them is marked as read.
        """
        return await _aside(self._page, Cursor.of(newest or cursor), number or 1)

    async def write_back(self, outcome: Outcome) -> Receipt:
        """Answer the requester, once however often this is called. There is nobody to whom a note could go.

        `Declined` if the mail is gone, or if the server says that its sender can never be reached.
        """
        if not outcome.public:
            return Receipt(done=())
        return await _aside(self._answer, outcome)

    async def send(self, mail: Letter | None) -> None:
        """Send a mail to whom it is for and to the mailbox; without one, only try whether the way out is open."""
        await _aside(self._send, mail)

    def _search(self, criteria: str) -> list[int]:
        """The numbers of the mails that fit, the oldest first; also of those that have come just now."""
        self.imap.noop()
        answer, found = self.imap.uid("SEARCH", criteria)
        if answer != "OK":
            raise ConnectionError(f"{self.servers.incoming.hostname} does not search: {found!r}")
        return sorted(int(number) for line in found for number in (line or b"").split())

    def _raw(self, uid: int) -> bytes:
        """A mail as it travelled, or its beginning; empty if it is gone, `Unreadable` if its server cannot read it."""
        answer, found = self.imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{LARGEST}>)")
        if answer != "OK":
            raise Unreadable(f"its server does not give it: {found!r}")
        return next((bytes(part[1]) for part in found if isinstance(part, tuple)), b"")

    def _event(self, raw: bytes) -> DeskEvent:
        """What a mail tells; `Unreadable` if it tells nothing."""
        mail = Received(headers={}, body=raw, received_at=datetime.now(UTC))
        try:
            (event,) = self.connector.events(mail, Proof("valid"))
        except (ValueError, LookupError, RecursionError) as error:
            raise Unreadable(f"{type(error).__name__} in a mail of {len(raw)} bytes") from None
        if event.kind == "reply" and event.actor == self.servers.address.lower():  # somebody at the desk writes
            return event.model_copy(update={"kind": "note", "is_demand": False})
        return event

    def _page(self, at: Cursor, number: int) -> Page:
        if at.validity != self.validity:
            at = Cursor(self.validity, 0, at.since)
        # `n:*` always has the last mail in it, also where its number is lower.
        left = [uid for uid in self._search(f"UID {at.uid + 1}:* SINCE {day(at.since)}") if uid > at.uid]
        events: list[DeskEvent] = []
        unread: list[str] = []
        deadline = time.monotonic() + LONGEST_PAGE
        for uid in left[:PAGE]:
            at = at._replace(uid=uid)
            try:
                if raw := self._raw(uid):
                    events.append(self._event(raw))
            except Unreadable as unreadable:
                unread.append(f"mail {uid}: {unreadable}")
            if time.monotonic() > deadline:
                break
        return Page(events, str(at), number + 1 if left and at.uid < left[-1] else None, tuple(unread))

    def _mails(self, criteria: str) -> list[tuple[DeskEvent, bytes]]:
        """The mails that fit, the oldest first; without those that cannot be read."""
        found = []
        for uid in self._search(criteria):
            with suppress(Unreadable):
                raw = self._raw(uid)
                found.append((self._event(raw), raw))
        return found

    def _asked(self, ticket: str) -> tuple[DeskEvent, bytes]:
        """The mail that asks for something: which began the thread; if that is elsewhere, the first answer to it."""
        found = self._mails(named("Message-ID", ticket)) or self._mails(in_thread(ticket))
        asked = next((one for one in found if one[0].kind in ("created", "reply")), None)
        if asked is None:
            raise Declined(f"the mail {ticket} is not in the folder any more, so nobody knows whom to answer")
        return asked

    def _answer(self, outcome: Outcome) -> Receipt:
        id, mark = id_of(outcome, self.servers.address), marker(outcome.demand, outcome.number)
        # A server may give it another Message-ID; our own header stays.
        if self._search(f"OR {named('Message-ID', id)} HEADER X-SVC-Demand {quoted(mark)}"):
            UNSURE.pop(id, None)
            return Receipt(done=(), found=("comment",), comment_id=id)
        if time.monotonic() < UNSURE.get(id, float("-inf")) + UNSURE_FOR:
            raise ConnectionError("nobody knows whether the outgoing server has taken it: its copy is waited for")
        asked, raw = self._asked(outcome.external_id)
        if not (to := addressee(raw)):
            raise Declined("the mail says no address to which it could be answered")
        yesterday = day((datetime.now(UTC) - timedelta(days=1)).date())
        ours = f"{named('In-Reply-To', asked.comment_id or '')} HEADER X-SVC-Demand {quoted('[svc:')}"
        if len(self._search(f"SINCE {yesterday} {ours}")) >= MOST_ANSWERS:
            raise Declined(f"it has had {MOST_ANSWERS} answers within two days: a machine seems to answer them")
        self._send(letter(outcome, asked, self.servers.address, to))
        return Receipt(done=("comment",), comment_id=id)

    def _send(self, mail: Letter | None) -> None:
        self.smtp = smtp = self.servers.smtp()
        ours = self.servers.address
        taken(smtp.mail(ours), f"takes no mail from {ours}", repeats=True)
        taken(smtp.rcpt(ours), f"takes no mail for {ours}", repeats=True)
        if mail is not None:
            if mail.to != ours:
                taken(smtp.rcpt(mail.to), "takes no mail for its requester")
            if self.left:
                raise ConnectionError("it took too long")  # somebody else may be sending it already
            UNSURE[mail.id] = time.monotonic()
            try:
                answer: tuple[int, bytes | str] = smtp.data(mail.raw)
            except smtplib.SMTPDataError as refusal:  # before anything of it was sent
                answer = refusal.smtp_code, refusal.smtp_error
            del UNSURE[mail.id]
            taken(answer, "does not take the mail")
        with suppress(OSError):
            smtp.quit()


def client(connector: Connector, access: Access) -> Client | Mailbox:
    """The desk, ready to be asked and answered: a mailbox, or an API. `ValueError` says what is missing."""
    return Mailbox(connector, access) if connector.profile.reads == "mail" else Client(connector, access)


async def _aside(work: Callable[Given, Found], *given: Given.args, **named: Given.kwargs) -> Found:
    """Have a thread do what waits for a server."""
    try:
        return await asyncio.get_running_loop().run_in_executor(THREADS, partial(work, *given, **named))
    except imaplib.IMAP4.error as error:
        raise ConnectionError(f"the mailbox fails: {error}") from None
