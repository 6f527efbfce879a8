"""From a desk's events to what Engage decides about: only what is true goes on, and only what a demand needs."""

import hmac
import re
from collections.abc import Collection
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.outside import TicketPushed
from services.engage.desks.client import Client, Declined
from services.engage.desks.events import DONE, DeskEvent
from services.engage.desks.mailbox import Mailbox
from services.engage.desks.text import is_marked
from services.engage.triage import DESK_CLOSED, DESK_PRIORITIES, DESK_WITHDRAWN, GONE, REOPENED

PRIORITIES = {1: "critical", 2: "high", 3: "normal", 4: "low", 5: "wish"}
"""What Engage calls the priority of a desk whose own word it does not know."""


ADDRESSES = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w.])(?:\+|00?)\d[\d ()/.-]{5,}\d")
"""E-mail addresses, and telephone numbers that begin with `+` or `0`."""
WITHHELD = "[withheld]"


def demand_of(desk: str, ticket: str) -> UUID:
    """The demand that a ticket is: the same for every push about it."""
    return uuid5(NAMESPACE_URL, f"desk:{desk}:{ticket}")


def delivery_of(desk: str, event: DeskEvent) -> UUID:
    """The id of the record of an event: the same when the desk tells it again."""
    return uuid5(NAMESPACE_URL, f"delivery:{desk}:{event.dedupe_key}")


async def confirmed(event: DeskEvent, client: Client | Mailbox) -> DeskEvent | None:
    """What the desk itself says of an event that nothing proves; None if it never happened."""
    if event.external_id is None:
        return event
    try:
        ticket = await client.fetch(event.external_id)
    except Declined:
        return None
    now = ticket.event
    if event.kind == "created":
        return now.model_copy(update={"kind": "created", "dedupe_key": event.dedupe_key, "is_demand": event.is_demand})
    if event.text and event.text not in ticket.texts:
        return None
    return event.model_copy(update={"status": now.status, "status_raw": now.status_raw, "requester": now.requester})


def ticket_pushed(desk: str, event: DeskEvent, received_at: datetime) -> TicketPushed | None:
    """The command that an event is; None if no demand is opened or changed by it.

    Of our own answer, which is known by the marker in it and not by who seems to have written it, only the ticket's new
    status goes on. Notes, bounces and what machines write do not.
    """
    if event.external_id is None or event.itil_type == "problem" or event.visibility == "internal":
        return None
    ours = is_marked(event.text)
    says = event.kind in ("reply", "reply+status", "reopened") and not ours
    if event.kind == "created" and not ours:
        kind = "created"
    elif says:
        kind = "replied"
    elif event.kind in ("status", "reply", "reply+status", "reopened", "deleted"):
        kind = "status_changed"
    else:
        return None
    text = event.text or (REOPENED if event.kind == "reopened" else "")
    return TicketPushed.model_validate(
        {
            "demand": demand_of(desk, event.external_id),
            "desk": desk,
            "delivery": event.dedupe_key,
            "ticket": event.external_id,
            "url": event.url or "",
            "kind": kind,
            "title": event.title or "",
            "text": text if says or kind == "created" else "",
            "ticket_type": _type(event),
            "priority": _priority(event),
            "status": GONE if event.kind == "deleted" else _status(event),
            "requester_name": event.requester_name or "",
            "requester_email": event.requester or "",
            "service": slug(event.service or ""),
            "users_affected": event.users_affected,
            "occurred_at": event.occurred_at or received_at,
            "order": event.order_key,
            "by_requester": _by_requester(event),
        }
    )


def withheld(pushed: TicketPushed, personal: Collection[str], key: str) -> TicketPushed:
    """What goes on of a person, less what is to be withheld: `name`, `address`, `addresses in text`.

    In the place of an address stands one that nobody can write to, which is the same for the same person and `key`.
    """
    instead: dict[str, str] = {}
    if "name" in personal:
        instead["requester_name"] = ""
    if "address" in personal and pushed.requester_email:
        person = hmac.digest(key.encode(), pushed.requester_email.lower().encode(), "sha256").hex()[:20]
        instead["requester_email"] = f"{person}@{pushed.desk}.invalid"
    if "addresses in text" in personal:
        instead |= {name: ADDRESSES.sub(WITHHELD, getattr(pushed, name)) for name in ("title", "text")}
    return pushed.model_copy(update=instead) if instead else pushed


def slug(name: str) -> str | None:
    """`in-car video games` as `in-car-video-games`; None if nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or None


def _type(event: DeskEvent) -> str | None:
    """The desk's own type if it names the sort of demand, else what the profile makes of it."""
    said = re.sub(r"[^a-z]+", "_", (event.desk_type or "").lower()).strip("_")
    return event.desk_type if event.itil_type in (said, "unclassified") else event.itil_type


def _priority(event: DeskEvent) -> str | None:
    if event.priority is None or DESK_PRIORITIES.get((event.priority_raw or "").lower()) == event.priority:
        return event.priority_raw
    return PRIORITIES[event.priority]


def _by_requester(event: DeskEvent) -> bool | None:
    if event.actor is None or event.requester is None:
        return None
    return event.actor.lower() in (event.requester.lower(), (event.requester_name or event.requester).lower())


def _status(event: DeskEvent) -> str | None:
    if (event.status_raw or "").lower() in DESK_WITHDRAWN:
        return event.status_raw
    known = (event.status_raw or "").lower() in DESK_CLOSED
    return event.status if event.status is not None and known != (event.status in DONE) else event.status_raw
