"""What a Roundup desk pushes about a ticket, read into words that every desk shares.

Roundup itself pushes nothing: a detector in the tracker does, in this shape, and any other desk may
send the same. Unknown fields are passed over.

    {"type": "issue.created" | "issue.replied" | "issue.status_changed",
     "timestamp": "2026-11-24T03:01:02Z",
     "data": {"ticket": {"id": "1", "url": "https://...", "title": "...", "status": "unread",
                         "type": "Incident" | null, "priority": "bug" | null,
                         "service": "in-car video games" | null, "users_affected": 40 | null,
                         "requester": {"name": "..." | null, "email": "..." | null}},
              "message": {"text": "..."} | null}}
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError

from contracts.event import Data
from contracts.values import Count

Kind = Literal["created", "replied", "status_changed"]

KINDS: dict[str, Kind] = {
    "issue.created": "created",
    "issue.replied": "replied",
    "issue.status_changed": "status_changed",
}
"""The types of push that matter to Engage, and what has happened to the ticket."""
REASONS = 3
"""How many faults of a push are named, at most."""

# PostgreSQL stores no NUL in a text: let in, it would fail every write of its case.
Text = Annotated[str, AfterValidator(lambda text: text.replace("\0", "\N{REPLACEMENT CHARACTER}"))]
Name = Annotated[Text, Field(min_length=1)]


class DeskTicket(Data):
    """What happened to a ticket, in no particular desk's form."""

    kind: Kind
    """What happened."""
    ticket: Name
    """The ticket's number in the desk."""
    url: Name
    """Where a person opens the ticket."""
    title: Text
    """Its subject."""
    text: Text
    """The text of the ticket or of the reply; empty for a mere change of status."""
    type: Text | None
    """The desk's own type, for example `Incident`; None if it has none."""
    priority: Text | None
    """The desk's own priority, in its words."""
    status: Text | None
    """The desk's own status, in its words."""
    service: Text | None
    """The service that the ticket names, in the desk's words."""
    users_affected: Count | None
    """How many people are hindered or would use it, as the requester says; None if not said."""
    requester_name: Text
    """Who asks; empty if the desk does not say."""
    requester_email: Text
    """The address of who asks; empty if the desk does not say."""
    occurred_at: AwareDatetime
    """When it happened, by the desk's clock."""


class Unreadable(Exception):  # noqa: N818 - it is the push that is at fault
    """A push that is no ticket push; says what is wrong with it, without quoting from it."""


def parse(body: bytes) -> DeskTicket | None:
    """The ticket that a push is about; None if its type is none of `KINDS`.

    `Unreadable` if the push is not of the shape above.
    """
    try:
        kind = KINDS.get(_Type.model_validate_json(body, strict=True, extra="ignore").type)
        if not kind:
            return None
        push = _Push.model_validate_json(body, strict=True, extra="ignore")
    except ValidationError as error:
        raise Unreadable(_reasons(error)) from None
    ticket, message = push.data.ticket, push.data.message
    return DeskTicket(
        kind=kind,
        ticket=ticket.id,
        url=ticket.url,
        title=ticket.title,
        text=message.text if message else "",
        type=ticket.type,
        priority=ticket.priority,
        status=ticket.status,
        service=ticket.service,
        users_affected=ticket.users_affected,
        requester_name=ticket.requester.name or "",
        requester_email=ticket.requester.email or "",
        occurred_at=push.timestamp,
    )


class _Type(Data):
    type: str


class _Requester(Data):
    name: Text | None = None
    email: Text | None = None


class _Ticket(Data):
    id: Name
    url: Name
    title: Text
    type: Text | None = None
    priority: Text | None = None
    status: Text | None = None
    service: Text | None = None
    users_affected: Count | None = None
    requester: _Requester


class _Message(Data):
    text: Text


class _Data(Data):
    ticket: _Ticket
    message: _Message | None = None


class _Push(Data):
    timestamp: AwareDatetime
    data: _Data


def _reasons(error: ValidationError) -> str:
    """The first faults, each with the field it is in."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'the push'}: {fault['msg']}"
        for fault in error.errors()[:REASONS]
    )
