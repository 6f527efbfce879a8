"""An answer of ours as a mail: in the thread of the mail that it answers, and known again by its headers and text."""

import re
from email import message_from_bytes
from email.charset import QP, Charset
from email.header import Header
from email.mime.text import MIMEText
from email.utils import formatdate, getaddresses
from typing import NamedTuple
from uuid import UUID

from services.engage.desks.events import DeskEvent, Outcome
from services.engage.desks.text import marker

ADDRESS = re.compile(r"[!#-'*+/-9=?^-~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""An address that every server takes; nothing else can stand beside it in a header."""
NOTICE = re.compile(r"svc\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9})@")
"""The Message-ID of an answer: its demand and number."""
ABOVE = "Reply above this line, please."
"""Programs quote in many ways: what stands below this line is not the words of who answers."""
IN_A_SUBJECT = re.compile(r"[!-\\^-~]{1,200}")
"""A ticket that can be read again from a subject."""
CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
READABLE = Charset("utf-8")
READABLE.body_encoding = QP


class Letter(NamedTuple):
    """An answer, ready to be sent."""

    id: str
    """Its Message-ID: the same for the same demand and number."""
    to: str
    raw: bytes


def id_of(outcome: Outcome, address: str) -> str:
    """The Message-ID of an answer from that address."""
    return f"svc.{outcome.demand}.{outcome.number}@{address.rpartition('@')[2]}"


def notice_of(message_id: str) -> tuple[UUID, int] | None:
    """The demand and number of an answer of ours, by its Message-ID; None if it is none."""
    found = NOTICE.match(message_id)
    return (UUID(found[1]), int(found[2])) if found else None


def addressee(raw: bytes) -> str:
    """Whom to answer to a mail; empty if there is nobody."""
    mail = message_from_bytes(raw)
    said = [str(value) for name in ("reply-to", "from") for value in mail.get_all(name, [])]
    return next((address for _, address in getaddresses(said) if ADDRESS.fullmatch(address)), "")


def letter(outcome: Outcome, asked: DeskEvent, address: str, to: str) -> Letter:
    """The answer to the mail that asked, from our address; no text from outside can add a header to it."""
    ticket, mark = outcome.external_id, marker(outcome.demand, outcome.number)
    answered = asked.comment_id or ticket
    token = f" [svc:{ticket}]" if IN_A_SUBJECT.fullmatch(ticket) else ""
    mail = MIMEText(f"{ABOVE} {mark}\n\n{outcome.public}\n", "plain", READABLE)  # type: ignore[arg-type]
    mail["From"], mail["To"] = address, to
    subject = f"Re: {CONTROLS.sub(' ', asked.title or '')[:200]}{token}"
    mail["Subject"] = Header(subject, header_name="Subject").encode()
    mail["Date"], mail["Message-ID"] = formatdate(), f"<{id_of(outcome, address)}>"
    mail["In-Reply-To"] = f"<{answered}>"
    mail["References"] = " ".join(f"<{one}>" for one in dict.fromkeys((ticket, answered)))
    mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"] = "auto-generated", "All"
    mail["X-SVC-Demand"] = mark
    return Letter(id_of(outcome, address), to, mail.as_bytes())
