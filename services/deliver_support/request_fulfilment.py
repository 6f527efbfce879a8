"""Service request management: what the catalogue offers is handed over, granted or done for those who are entitled."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportEscalated,
    SupportTaskCompleted,
)
from contracts.engage import SupportTaskRequested
from contracts.event import Fact
from services.chassis.outputs import Answer, Later, Work, refusal
from services.chassis.state import Read
from services.deliver_support.access import grant_access, renews
from services.deliver_support.asset_management import reorder_if_low, take_from_stock, waits_in
from services.deliver_support.model import LiveService
from services.deliver_support.request_model import (
    Access,
    ApprovalGiven,
    ApprovalOverdue,
    Catalogue,
    Fulfilment,
    FulfilmentDone,
    GoodsArrived,
    Offering,
    OfferingPublished,
    ReorderWanted,
    RequestOverdue,
    RequestWeighed,
    Stock,
)
from services.deliver_support.request_report import approval_of, delivered, handed_over, refuse, report, speed
from services.deliver_support.targets import DESK_MANAGER

MOST_OFFERINGS = 500
"""In one row: more would be several catalogues."""
HANDING_OVER, GRANTING, TRAINING = timedelta(hours=1), timedelta(minutes=15), timedelta(hours=2)
"""How long it takes to hand goods over, to grant access, and to train somebody."""
TIME_TO_APPROVE = timedelta(days=7)
"""How long a manager may take; then it is not approved."""
MOST_PIECES = 1_000_000
"""Of one request; who needs more asks for something else than a catalogue."""
OWNER = "service request desk"

Told = SupportTaskCompleted | ServicePerformanceReported | ServiceDelivered
Decided = SupportTaskCompleted | Work | Later | ReorderWanted | GoodsArrived


def publish_offering(published: OfferingPublished, catalogue: Catalogue) -> list[Answer]:
    """Enter an offering into the catalogue, or change it there; what is not in it cannot be requested."""
    offering = published.offering
    known = catalogue.get(offering.offering)
    if not (offering.goods or offering.access or offering.action):
        detail = "Say what is handed over (goods), granted (access) or done (action): any mix of them."
        return [refusal(422, "It offers nothing", detail)]
    if known is None and len(catalogue.offerings) >= MOST_OFFERINGS:
        return [refusal(409, "The catalogue is full", f"It has {MOST_OFFERINGS} offerings: change one of them.")]
    others = (one for one in catalogue.offerings if one is not known)
    catalogue.offerings = tuple(sorted((*others, offering), key=lambda one: one.offering))
    return [Answer(200 if known else 201, offering)]


def take_request(
    task: SupportTaskRequested, request: Fulfilment, catalogue: Read[Catalogue]
) -> list[SupportTaskCompleted | RequestWeighed | Later]:
    """Find what is requested in the catalogue, and have it decided on; what the catalogue lacks is refused."""
    if request.stage in ("asked", "approving", "waiting", "working") or is_known(request, task):
        return []
    asked = task.offering or (request.offering if request.handed_over_at else "")
    offering = catalogue.get(asked) if asked else named_in(f"{task.title}\n{task.text}", catalogue)
    note(task, request, offering)
    if task.task == "resolve":
        return [refuse(task, request, "This step fulfils requests; a service is restored by another one.", ())]
    service = request.service
    if (offering is None and (task.task == "fulfil" or task.offering)) or not service:
        missing = f"{task.offering} is not" if task.offering else "Nothing that you name is"
        why = f"{missing} in the catalogue: `GET /offerings` lists what can be requested."
        if task.task == "train" and not task.offering:
            why = "We could not tell which service you want to be trained for: please name it."
        facts = (Fact(name="offering", value=task.offering or "none found", source="service catalogue"),)
        return [refuse(task, request, why, facts)]
    weighed = weighed_again(request)
    return [weighed, Later(task.resolve_by, RequestOverdue(demand=request.id, reopened=task.reopened))]


def is_known(request: Fulfilment, task: SupportTaskRequested) -> bool:
    """Whether it was decided on already as it stands."""
    same = (request.title, request.text, request.reopened) == (task.title, task.text, task.reopened)
    return request.stage != "none" and same


def note(task: SupportTaskRequested, request: Fulfilment, offering: Offering | None) -> None:
    """Keep what is asked for, and what it takes."""
    request.stage, request.reason, request.task = "asked", "it is being decided on", task.task
    request.title, request.text, request.requester = task.title, task.text, task.requester
    request.segment, request.priority, request.reopened = task.segment, task.priority, task.reopened
    request.asked_at, request.respond_by, request.resolve_by = task.time, task.respond_by, task.resolve_by
    request.service_hours = task.service_hours
    request.quantity, request.escalations, request.taken_up_at = min(task.quantity, MOST_PIECES), 0, None
    request.service = offering.service if offering else task.service or ""
    request.offering = offering.offering if offering else ""
    goods, grant = (offering.goods, offering.access) if offering else (None, None)
    request.item, request.goods = (goods.item, goods.quantity * request.quantity) if goods else ("", 0)
    request.access = f"{grant.resource}:{task.requester.strip().casefold()}" if grant else ""


def named_in(text: str, catalogue: Catalogue) -> Offering | None:
    """The offering whose title or name stands in the text, in whole words; the longest name found counts."""
    text = text.casefold()
    names = [(name.casefold(), one) for one in catalogue.offerings for name in (one.title, *one.names) if one.available]
    found = [
        (len(name), one.offering)
        for name, one in names
        if name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    ]
    return catalogue.get(max(found)[1]) if found else None


def weighed_again(request: Fulfilment, **changes: object) -> RequestWeighed:
    """Have a request decided on, with the rows that it needs."""
    weighed = RequestWeighed(
        demand=request.id,
        service=request.service,
        offering=request.offering,
        item=request.item,
        access=request.access,
    )
    return weighed.model_copy(update=changes)


class Around(NamedTuple):
    """What a request is decided by."""

    offering: Offering | None
    service: LiveService
    stock: Stock
    access: Access

    def facts(self, request: Fulfilment, at: datetime) -> tuple[Fact, ...]:
        """Each value, with where it stands."""
        until = self.access.until.isoformat() if self.access.until and self.access.held(at) else "not held"
        catalogue, register = f"catalogue: {request.offering}", f"register of live services: {request.service}"
        return (
            Fact(name="offering", value=request.offering or "training", source=f"support task {request.id}"),
            Fact(name="segment", value=request.segment, source=f"support task {request.id}"),
            Fact(name="quantity", value=request.quantity, source=f"support task {request.id}"),
            Fact(name="available", value=bool(self.offering and self.offering.available), source=catalogue),
            Fact(name="service is live", value=self.service.live, source=register),
            Fact(name="in stock", value=self.stock.quantity, source=f"stock: {request.item or 'no goods'}"),
            Fact(name="access until", value=until, source=f"access: {request.access or 'none'}"),
        )


def weigh_request(
    weighed: RequestWeighed,
    request: Fulfilment,
    catalogue: Read[Catalogue],
    service: Read[LiveService],
    stock: Stock,
    access: Access,
) -> list[Decided]:
    """Refuse, have approved, let wait or begin: by entitlement, what the requester has already, and the stock."""
    around = Around(catalogue.get(weighed.offering), service, stock, access)
    if request.stage not in ("asked", "approving", "waiting"):
        return [*give_back(weighed, request)]
    request.taken_up_at = request.taken_up_at or weighed.time
    facts = around.facts(request, weighed.time)
    if why := objection(weighed, request, around):
        return [*give_back(weighed, request), refuse(weighed, request, why, facts)]
    if needs_approval(request, around.offering):
        return ask_for_approval(weighed, request)
    taking = request.item and not weighed.allocated and request.handed_over_at is None
    why = take_from_stock(request, stock) if taking else ""
    if why:
        return [refuse(weighed, request, why, facts)]
    price = around.offering.price if around.offering else 0
    reorder = reorder_if_low(stock, request.service, price) if taking else []
    if taking and waits_in(request, stock):
        request.stage = "waiting"
        request.reason = f"{request.item} is on order ({stock.reorder}): {request.goods} are needed"
        return [*reorder]
    return [*reorder, begin(weighed, request, around)]


def objection(weighed: RequestWeighed, request: Fulfilment, around: Around) -> str:
    """Why a request is not fulfilled, as a sentence; empty if nothing speaks against it."""
    offering, access, until = around.offering, around.access, around.access.until
    if request.offering and (offering is None or not offering.available):
        return f"{request.offering} has been withdrawn from the catalogue."
    if not around.service.live:
        return f"{request.service} is not live: what belongs to it cannot be had yet."
    if offering and offering.entitled_segments and request.segment not in offering.entitled_segments:
        who = ", ".join(offering.entitled_segments)
        return f"{offering.title} is for {who} only; you belong to {request.segment or 'no segment'}."
    if weighed.not_obtainable:
        return f"{request.item} is out of stock and cannot be had: {weighed.not_obtainable}"
    if access.reserved_by not in (None, request.id):
        return f"{access.resource} is being granted to you under another request already."
    if until and access.held(weighed.time) and request.handed_over_at is None and not renews(weighed, request, access):
        return f"You have {access.resource} until {until:%d %B %Y %H:%M} UTC; ask to renew it to have it for longer."
    return ""


def needs_approval(request: Fulfilment, offering: Offering | None) -> bool:
    """Whether a manager has to say yes first."""
    asked = offering is not None and offering.approval == "manager" and request.quantity > offering.approval_above
    return asked and not request.approved_by and request.handed_over_at is None


def ask_for_approval(weighed: RequestWeighed, request: Fulfilment) -> list[Decided]:
    """Let a request wait for its manager, but not for ever."""
    if request.stage == "approving" or request.asked_at is None:
        return []
    request.stage = "approving"
    request.reason = f"{request.quantity} of {request.offering} need the manager's approval"
    overdue = ApprovalOverdue(demand=request.id, asked_at=request.asked_at)
    return [Later(weighed.time + TIME_TO_APPROVE, overdue)]


def decide_approval(given: ApprovalGiven, request: Fulfilment) -> list[Answer | RequestWeighed | SupportTaskCompleted]:
    """A manager, who is not the requester, says whether a request goes on."""
    if request.stage != "approving":
        return [refusal(409, "It waits for no approval", "`GET /requests?stage=approving` lists those that do.")]
    if given.by.strip().casefold() == request.requester.strip().casefold():
        return [refusal(403, "It is your own request", "Somebody else has to approve it.")]
    if not given.approved:
        why = f"{given.by} has not approved it: {given.reason or 'without a reason'}"
        return [Answer(200, given), refuse(given, request, why, approved_by(given.by))]
    request.stage, request.approved_by = "asked", given.by
    return [Answer(200, given), weighed_again(request)]


def approved_by(whom: str) -> tuple[Fact, ...]:
    """The fact that somebody has decided."""
    return (Fact(name="decided by", value=whom, source="approval of the request"),)


def miss_approval(overdue: ApprovalOverdue, request: Fulfilment) -> list[SupportTaskCompleted]:
    """A request that nobody has approved in time is not fulfilled."""
    if request.stage != "approving" or request.asked_at != overdue.asked_at:
        return []
    why = f"No manager has approved it within {TIME_TO_APPROVE.days} days."
    return [refuse(overdue, request, why, approved_by("nobody"))]


def begin(weighed: RequestWeighed, request: Fulfilment, around: Around) -> Work:
    """Begin the work of handing over; what is about to be granted is not granted to another request."""
    if request.access:
        around.access.reserved_by = request.id
        grant = around.offering.access if around.offering else None
        around.access.resource = grant.resource if grant else around.access.resource
    request.unit = around.stock.unit
    action = around.offering.action if around.offering else None
    effort = timedelta(hours=action.hours) if action else timedelta(0)
    effort += (HANDING_OVER if request.item else timedelta(0)) + (GRANTING if request.access else timedelta(0))
    if request.task == "train":
        effort = max(effort, TRAINING)
    request.stage, request.reason = "working", "it is being fulfilled"
    done = FulfilmentDone(demand=request.id, access=request.access)
    promised_by = request.resolve_by or weighed.time
    return request.begin(weighed, owner=OWNER, promised_by=promised_by, effort=effort, done=done)


def finish_request(
    done: FulfilmentDone, request: Fulfilment, catalogue: Read[Catalogue], access: Access
) -> list[Told | Later | Answer | GoodsArrived]:
    """Hand over goods, grant access and report what was done; what was withdrawn meanwhile is not handed over."""
    refused = request.finish(done)
    if refused:
        return [refused]
    offering = catalogue.get(request.offering)
    first = request.handed_over_at is None
    if access.reserved_by == request.id:
        access.reserved_by = None
    if first and request.offering and (offering is None or not offering.available):
        withdrawn = (Fact(name="available", value=False, source=f"catalogue: {request.offering}"),)
        why = f"{request.offering} was withdrawn from the catalogue while it was being fulfilled."
        back = [GoodsArrived(item=request.item, change="", quantity=request.goods)] if request.item else []
        return [*back, refuse(done, request, why, withdrawn)]
    request.stage, request.reason = "fulfilled", "it is fulfilled"
    timers = grant_access(done, request, access, offering) if first else []
    request.handed_over_at = request.handed_over_at or done.time
    what = handed_over(request, offering, access, first=first)
    facts = (
        Fact(name="access until", value=access.until.isoformat() if access.until else "none", source=request.access),
        Fact(name="goods", value=request.goods, source=f"stock: {request.item or 'no goods'}"),
    )
    reasons = (f"{request.title} is in the catalogue, and you are entitled to it.", *approval_of(request))
    completed = report(done, request, "fulfilled", what, reasons, facts)
    return [completed, delivered(request, done.time, "fulfilled", what, reasons), speed(request, completed), *timers]


def watch_request(overdue: RequestOverdue, request: Fulfilment) -> list[SupportEscalated]:
    """Escalate a request that is not fulfilled in time, whatever it waits for."""
    over = request.stage in ("none", "fulfilled", "refused") or request.reopened != overdue.reopened
    if over or request.resolve_by is None:
        return []
    request.escalations += 1
    return [
        SupportEscalated(
            demand=request.id,
            service=request.service or None,
            priority=request.priority,
            target="resolve",
            due_at=request.resolve_by,
            level=request.escalations,
            to=DESK_MANAGER if request.stage != "approving" else "manager who is to approve it",
        )
    ]


def give_back(weighed: RequestWeighed, request: Fulfilment) -> list[GoodsArrived]:
    """Goods that were put aside for a request that does not need them go back."""
    return [GoodsArrived(item=weighed.item, change="", quantity=request.goods)] if weighed.allocated else []
