"""A mail as it travelled (RFC 5322), as JSON for a profile: who writes, in which thread, and whether a machine did.

Machines answer machines for ever, so what none of the headers for that purpose gives away is looked for in others: RT
marks its first answer with `Auto-Submitted`, but neither its replies nor its "Resolved".
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from pydantic import JsonValue

from services.engage.desks.events import Unreadable
from services.engage.desks.text import own_words, plain

ID = re.compile(r"<([^<>\s]+)>")
TOKEN = re.compile(r"\[svc:([^\]\s]+)\]")
"""In the subject of what we have sent: the ticket."""
PREFIX = re.compile(r"^\s*((re|aw|antw|sv|vs|fwd?|wg|tr)(\[\d+\])?\s*:\s*)+", re.I)
ANSWERS = re.compile(
    r"^\s*(auto(matic)?[ -]?(reply|response)|out of (the )?office|abwesenheit|automatische antwort|réponse automatique"
    r"|autoreply|vacation|respuesta automática)", re.I)  # fmt: skip
"""How a subject begins that an absent person's program has written."""
DAEMON = re.compile(r"^(mailer-daemon|postmaster|mail-daemon|bounces?)([+-].*)?@", re.I)
MACHINE = re.compile(r"^(no-?reply|do-?not-?reply)([+-].*)?@", re.I)
MANY_HOPS = 30
"""Stations that no mail passes unless it goes in circles."""
PRIORITIES = {"1": "1 highest", "2": "2 high", "3": "3 normal", "4": "4 low", "5": "5 lowest"}


def read_mail(raw: bytes, envelope: Mapping[str, str]) -> JsonValue:
    """The mail as JSON; what the envelope knows counts where the mail says nothing. `Unreadable` if it is no mail."""
    mail = message_from_bytes(raw)
    sender = _addresses(mail, "from")
    message_id = _id(mail, "message-id")
    if not sender and not message_id and not envelope.get("return-path"):
        raise Unreadable("it is no mail: it has neither From nor Message-ID; give it as it travelled, headers first")
    parts = list(_parts(mail))
    text = _text(parts)
    subject = _header(mail, "subject")
    references = ID.findall(_header(mail, "references"))
    answered = _id(mail, "in-reply-to")
    token = TOKEN.search(subject)
    bounce = _is_bounce(mail, sender, raw)
    returned = _returned(parts) if bounce else ""
    root = token[1] if token else next(iter(references), "") or answered or returned
    is_reply = bool(root)
    key = message_id or f"sha256:{hashlib.sha256(raw).hexdigest()[:32]}"
    words = own_words(text)
    return {
        "message_id": key,
        "ticket": root or key,
        "is_reply": is_reply,
        "bounce": bounce,
        "automatic": _is_automatic(mail, sender, subject, envelope),
        "from": {"email": sender[0][1].lower() if sender else None, "name": sender[0][0] if sender else None},
        "queue": next((address.split("@")[0].lower() for _, address in _addresses(mail, "to", "delivered-to")), None),
        "subject": PREFIX.sub("", TOKEN.sub("", subject)).strip() or None,
        "text": (words or text) if is_reply else text,
        "date": _header(mail, "date") or None,
        "priority": _priority(mail),
        "ours": "engage-bot" if mail.get("x-svc-demand") else None,
        "attachments": [name for part in parts if (name := _filename(part))],
    }


def _is_bounce(mail: Message, sender: list[tuple[str, str]], raw: bytes) -> bool:
    if mail.get_content_type() == "multipart/report":
        report = mail.get_param("report-type", "delivery-status")
        return report == "delivery-status" and b"action: delayed" not in raw.lower()
    if any(DAEMON.match(address) for _, address in sender):
        return True
    return bool(_header(mail, "x-failed-recipients"))


def _is_automatic(mail: Message, sender: list[tuple[str, str]], subject: str, envelope: Mapping[str, str]) -> bool:
    submitted = _header(mail, "auto-submitted").split(";")[0].strip().lower()
    returns = (_header(mail, "return-path") or envelope.get("return-path", "")).strip()
    present = ("list-id", "x-rt-loop-prevention", "x-loop", "x-autoreply", "x-autorespond", "x-autoresponder",
               "x-auto-reply", "feedback-id")  # fmt: skip
    return (
        submitted not in ("", "no")
        or _header(mail, "precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply")
        or any(_header(mail, name) for name in present)
        or returns == "<>"
        or mail.get_content_type() == "multipart/report"
        or bool(ANSWERS.match(subject))
        or any(MACHINE.match(address) for _, address in sender)
        or len(mail.get_all("received", [])) > MANY_HOPS
    )


def _returned(parts: list[Message]) -> str:
    """The id of the mail that came back: of what is enclosed, whole or only its headers."""
    for part in parts:
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            inside = part.get_payload()
            text = "\n".join(map(str, inside)) if isinstance(inside, list) else _decoded(part)
            if found := re.search(r"^message-id:\s*<([^<>\s]+)>", text, re.I | re.M):
                return found[1]
    return ""


def _parts(mail: Message) -> Iterator[Message]:
    """The parts that are no envelope of others; what is enclosed as a mail stays one part."""
    inside = mail.get_payload()
    if mail.get_content_type() == "message/rfc822" or not isinstance(inside, list):
        yield mail
        return
    for part in inside:
        if isinstance(part, Message):
            yield from _parts(part)


def _text(parts: list[Message]) -> str:
    """What a person reads: the plain text, else that of the HTML."""
    for kind in ("text/plain", "text/html"):
        shown = [_decoded(part) for part in parts if part.get_content_type() == kind and not _filename(part)]
        if any(text.strip() for text in shown):
            return "\n".join(plain(text) if kind == "text/html" else text.strip() for text in shown).strip()
    return ""


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return raw.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("cp1252", "replace")


def _header(mail: Message, name: str) -> str:
    """A header without its encoding and folding; empty if there is none."""
    value = mail.get(name)
    if value is None:
        return ""
    try:
        pieces = decode_header(value)
    except ValueError:
        return str(value)
    text = "".join(piece if isinstance(piece, str) else _piece(piece, charset) for piece, charset in pieces)
    return re.sub(r"\s*[\r\n]+\s*", " ", text).strip()


def _piece(piece: bytes, charset: str | None) -> str:
    for name in (charset or "utf-8", "utf-8"):
        try:
            return piece.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return piece.decode("cp1252", "replace")


def _addresses(mail: Message, *names: str) -> list[tuple[str, str]]:
    found = getaddresses([str(value) for name in names for value in mail.get_all(name, [])])
    return [(_name(name), address) for name, address in found if "@" in address]


def _name(name: str) -> str:
    try:
        return "".join(
            piece if isinstance(piece, str) else _piece(piece, charset) for piece, charset in decode_header(name)
        )
    except ValueError:
        return name


def _id(mail: Message, name: str) -> str:
    found = ID.search(_header(mail, name))
    return found[1] if found else ""


def _filename(part: Message) -> str:
    name = part.get_filename()
    if name is None:
        return "attachment" if part.get_content_disposition() == "attachment" else ""
    return _name(name)


def _priority(mail: Message) -> str | None:
    number = _header(mail, "x-priority")[:1]
    said = PRIORITIES.get(number) or _header(mail, "importance") or _header(mail, "priority")
    return said.lower() or None
