"""What a service desk says, in words that all desks share; and what it is told in return."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from contracts.event import Data
from contracts.values import Count, Kind, Priority

EventKind = Literal[
    "created", "reply", "note", "status", "reply+status", "reopened", "deleted", "bounce", "auto_reply", "unknown"
]
"""What happened to a ticket; `unknown` is a push that is understood to be none of the others."""
Signature = Literal["valid", "invalid", "stale", "unsigned"]
"""How far a push proves where it comes from; what is `unsigned` is only a hint, and fetched back before it counts."""
Status = Literal["new", "open", "waiting", "resolved", "closed"]
"""Where a ticket stands, in the desk."""
DeskChannel = Literal["web", "email", "phone", "chat", "api", "monitoring"]
"""How the requester reached the desk."""
Decider = Literal["field", "queue", "tag", "default"]
"""What told the sort of demand: a field of the ticket, its queue, a tag; or nothing did."""
QUIET: frozenset[EventKind] = frozenset({"note", "bounce", "auto_reply", "unknown"})
"""Kinds that open no demand and change none."""
OutcomeKind = Literal["progress", "completed", "rejected", "needs_information"]
"""What an outcome tells the requester."""
DONE: frozenset[Status] = frozenset({"resolved", "closed"})
"""A ticket that its desk holds to be done."""


def storable(text: str) -> str:
    """The text without what no database or no UTF-8 can keep: NUL, and half of a surrogate pair."""
    if text.isascii() and "\0" not in text:
        return text
    mended = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return mended.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


Text = Annotated[str, AfterValidator(storable)]


class Unreadable(Exception):  # noqa: N818 - it is the push that is at fault
    """A push that says nothing of a ticket; the message says why, without quoting from it."""


class DeskEvent(Data):
    """One thing that happened to one ticket."""

    desk: Text
    """The name of the desk's connector."""
    kind: EventKind
    """What happened."""
    is_demand: bool
    """Whether it opens a demand, or changes one."""
    external_id: Text | None
    """The ticket, by the id under which the desk's API knows it; None if the push is about no ticket."""
    url: Text | None
    """Where a person opens the ticket; None if the desk does not say."""
    dedupe_key: Text
    """Names this event: a push that comes again has the same."""
    order_key: Text
    """Sorts the events of a ticket as the desk made them, whatever the order in which they arrive."""
    occurred_at: AwareDatetime | None
    """When it happened, by the desk's clock; None if the desk does not say."""
    actor: Text | None
    """Who did it, as the desk names them."""
    is_echo: bool
    """Whether it is our own doing coming back."""
    visibility: Literal["public", "internal"]
    """`internal` is what the requester must not see."""
    desk_type: Text | None
    """The desk's own type of the ticket."""
    itil_type: Kind
    """The sort of demand that it is; `unclassified` if nothing tells."""
    decided_by: Decider
    """What told it."""
    priority_raw: Text | None
    """The desk's own priority."""
    priority: Priority | None
    """The same from 1 (first) to 5 (last)."""
    status_raw: Text | None
    """The desk's own status."""
    status: Status | None
    """The same in the words of all desks."""
    requester: Text | None
    """Who asks: an e-mail address, else the desk's id of them, else a name."""
    title: Text | None
    """The ticket's subject."""
    channel: DeskChannel | None
    """How the requester reached the desk."""
    signature: Signature
    """How far the push proves where it comes from."""
    rule: Text
    """The rule behind `decided_by`, in words."""
    text: Text
    """What was written, as plain text; empty if nothing was, or if it is internal."""
    requester_name: Text | None = None
    """The requester's name."""
    queue: Text | None = None
    """The desk's own queue, group or project."""
    service: Text | None = None
    """The service that the ticket names, in the desk's words."""
    users_affected: Count | None = None
    """How many people are hindered, as the ticket says."""
    comment_id: Text | None = None
    """The reply or note, by the desk's id of it."""
    attachments: tuple[Text, ...] = ()
    """Where the attached files are, or what they are called: the files stay in the desk."""


class DeskTicket(Data):
    """A ticket as its desk knows it now."""

    event: DeskEvent
    """All that it says of itself."""
    version: str = ""
    """What a conditional update quotes (an ETag, or the time of the last change); empty if the desk has none."""
    texts: tuple[Text, ...] = ()
    """The comments on it, so far as the desk tells them along."""


class Outcome(Data):
    """What a requester and the people at the desk are to read on a ticket, and how it is to stand."""

    demand: UUID
    """The demand that the ticket is."""
    number: Annotated[int, Field(ge=1)]
    """Counts the outcomes of this demand: demand and number are the marker by which a repetition is known."""
    external_id: str
    """The ticket."""
    kind: OutcomeKind
    """What it tells."""
    public: str
    """For the requester."""
    internal: str = ""
    """For the people at the desk; nobody else sees it."""
    status: Status | None = None
    """How the ticket is to stand; None to leave it."""
    version: str = ""
    """The version that this answers: a ticket that has changed since is not moved. Empty if that does not matter."""


class Receipt(Data):
    """What became of an outcome at the desk."""

    done: tuple[Literal["note", "comment", "status"], ...]
    """The steps that were done now."""
    found: tuple[Literal["note", "comment", "status"], ...] = ()
    """The steps that were found done by an earlier attempt, which had not come to its end."""
    comment_id: str = ""
    """The comment, by the desk's id of it, if the desk says so."""
    version: str = ""
    """The ticket's version afterwards, if the desk says so."""


class Capabilities(Data):
    """What a desk can do, so far as a connector makes use of it."""

    push: bool
    """It tells of events by itself."""
    signed: bool
    """It proves what it pushes."""
    poll: bool
    """It can be asked what has changed: what a push lost is found again."""
    fetch: bool
    """One ticket can be read back."""
    public_comment: bool
    """A requester can be answered on the ticket."""
    internal_note: bool
    """The people at the desk can be told something that requesters do not see."""
    status: bool
    """The ticket can be moved."""
    conditional: bool
    """A change can be refused if somebody else has changed the ticket meanwhile."""


class Received(NamedTuple):
    """A push, a page or a mail as it came in."""

    headers: Mapping[str, str]
    """The headers, by name."""
    body: bytes
    """The bytes as they travelled."""
    received_at: datetime
    """When it came, by our clock."""
    query: Mapping[str, str] | None = None
    """The query of the address it was pushed to; None if it is not known."""


def by_name(headers: Mapping[str, str], query: Mapping[str, str] | None) -> dict[str, str]:
    """Headers by their names in lower case, and the parts of the query by theirs after a question mark."""
    parts = {f"?{name}": value for name, value in (query or {}).items()}
    return {name.lower(): value for name, value in headers.items()} | parts
