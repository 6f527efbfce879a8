"""Taking demand in: a need is captured once, classified and given to the value stream that fits, or else triaged."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import uuid5

from contracts.event import Fact
from contracts.outside import DemandSubmitted, TicketPushed
from contracts.stream import Streams
from services.chassis.outputs import Answer, Begin, refusal
from services.chassis.state import Read
from services.engage import triage
from services.engage.desks.text import own_words
from services.engage.ledgers import Tally
from services.engage.model import (
    FINAL,
    Demand,
    DemandAccepted,
    DemandClassified,
    KnownServices,
    TicketFollowed,
    TriageNeeded,
    TriageOver,
)
from services.engage.notices import Told, tell, unknown
from services.engage.relationship_management import Closing, close, known_as
from services.engage.reports import period_of
from services.engage.views import DemandView

Capturing = Begin | Told | Tally | TriageNeeded
"""What it takes to capture a demand: its value stream begins or its requester is told that it waits, and it counts."""


def take_ticket(
    ticket: TicketPushed, demand: Demand, services: Read[KnownServices], streams: Streams
) -> list[Capturing | Closing | TicketFollowed | TicketPushed]:
    """A ticket becomes demand once; what happens to it later reopens that, begins a linked one, or is recorded."""
    if demand.followed_by:
        return [ticket.model_copy(update={"demand": demand.followed_by})]
    before = demand.ticket_done
    newest = note_ticket(ticket, demand)
    if demand.status is None:
        if ticket.kind == "status_changed" or demand.ticket_status.lower() in triage.DESK_WITHDRAWN:
            return []  # says nothing of a need; a reply does, also when the making of its ticket never reached us
        if ticket.kind == "replied" and not ticket.by_requester and (ticket.status or "").lower() in triage.DESK_CLOSED:
            return []  # its people have answered what we have never heard of
        return [*capture_ticket(ticket, demand, ticket.time, services, streams)]
    if newest and demand.ticket_status.lower() in triage.DESK_WITHDRAWN and demand.status not in (*FINAL, "delivered"):
        gone = f"its ticket was {demand.ticket_status.lower()} in the desk"
        return [*close(demand, "withdrawn", ticket.time, gone, f"We do no more about it, because {gone}.")]
    # The desk pushes back what Engage has told the requester; taken for a reply, that would reopen the demand for ever.
    if any(said in own_words(ticket.text) for said in demand.said):
        return []
    if ticket.kind == "replied":
        note_reply(ticket, demand, newest=newest)
    if not takes_up(ticket, demand, before, newest=newest):
        return []
    if demand.status == "delivered":
        return [*reopen(demand, ticket, services, streams)]
    if demand.escalated_to and demand.service is None and demand.status not in FINAL:
        return [*name_service(demand, ticket, services, streams)]
    if demand.status in FINAL and ticket.kind == "replied":
        demand.followed_by = uuid5(demand.id, ticket.delivery)
        return [TicketFollowed(demand=demand.followed_by, follows=demand.id, pushed=ticket)]
    return []


def note_ticket(ticket: TicketPushed, demand: Demand) -> bool:
    """Know how the ticket stands by its desk's own order; says whether nothing newer was heard of it before."""
    newest = ticket.order >= demand.ticket_order or not ticket.order
    if newest:
        demand.ticket_order = ticket.order or demand.ticket_order
        demand.ticket_status = ticket.status or demand.ticket_status
    # A reply of the requester is only found done: it was not it that has done the ticket.
    if not ticket.by_requester and (ticket.status or "").lower() in triage.DESK_CLOSED:
        demand.ticket_done = max(demand.ticket_done, ticket.order)
    return newest


def note_reply(ticket: TicketPushed, demand: Demand, *, newest: bool) -> None:
    """Keep what was said last; words, even late ones, say more than that the ticket was reopened without any."""
    wordless = ticket.text == triage.REOPENED
    if wordless and demand.status not in (*FINAL, "delivered"):
        return
    demand.replies += 1
    if newest or demand.last_reply in ("", triage.REOPENED):
        demand.last_reply = ticket.text


def takes_up(ticket: TicketPushed, demand: Demand, done: str, *, newest: bool) -> bool:
    """Whether what was done is to be taken up again; `done`: the order key of what had found the ticket done before.

    It goes by what the ticket and its demand are, not by who has pushed: a desk opens a ticket by itself when we write
    on it, and its people answer as they close it.
    """
    if ticket.order and ticket.order < demand.ticket_done:
        return False  # what was written before the ticket was done is answered by that
    if ticket.kind == "replied" and ticket.by_requester and ticket.text != triage.REOPENED:
        return True
    if demand.untold or demand.ticket_status.lower() in triage.DESK_CLOSED:
        return False  # while we write on the ticket, others than the requester move it because of that
    # Of a ticket that was found by asking nobody has told that it was opened again.
    return ticket.kind == "replied" or (ticket.kind == "created" and newest and "" < done < ticket.order)


def take_followed_ticket(
    followed: TicketFollowed, demand: Demand, services: Read[KnownServices], streams: Streams
) -> list[Capturing]:
    """A reply to a closed demand is a new one, linked to it."""
    if demand.status is not None:
        return []
    demand.follows = followed.follows
    note_ticket(followed.pushed, demand)
    return capture_ticket(followed.pushed, demand, followed.time, services, streams)


def take_demand(
    submitted: DemandSubmitted, demand: Demand, services: Read[KnownServices], streams: Streams
) -> list[Answer | Capturing]:
    """A customer's demand; the same one again finds it as it stands."""
    if demand.status is not None:
        return [Answer(200, DemandView.of(demand))]
    demand.requester, demand.requester_name = submitted.requester, submitted.requester_name
    demand.segment, demand.channel = submitted.segment, submitted.channel
    demand.title, demand.text = submitted.title, submitted.text
    demand.users, demand.harm_in_hours = submitted.users_affected, submitted.harm_in_hours
    demand.wanted_priority, demand.wanted_by = submitted.wanted_priority, submitted.wanted_by
    demand.value, demand.budget, demand.sponsor = submitted.value, submitted.budget, submitted.sponsor
    demand.offering, demand.quantity = submitted.offering, submitted.quantity
    stated = {"users": demand.users, "harm in hours": demand.harm_in_hours, "value": demand.value}
    demand.facts = facts_of({name: (value, "the requester") for name, value in stated.items()})
    told = capture(demand, submitted.time, submitted.kind, submitted.service, services, streams)
    return [Answer(201, DemandView.of(demand)), *told]


def classify_demand(
    classified: DemandClassified, demand: Demand, streams: Streams
) -> list[Answer | Capturing | TriageOver]:
    """A person decides what a demand is that no rule could place, or on which work has ended without a result."""
    if demand.status is None:
        return [unknown()]
    if demand.status != "unclassified" and not demand.escalated_to:
        detail = f"It is {demand.status}: only a demand that is unclassified or escalated is."
        return [refusal(409, "It is not to be classified", detail)]
    service = classified.service or demand.service
    if streams.taking(classified.kind, service, f"{demand.title} {demand.text}") is None:
        taken = ", ".join(sorted({stream.trigger.kind for stream in streams}))
        detail = (
            f"None takes a demand of the kind {classified.kind!r} that reads like this one. Kinds they take: {taken}."
        )
        return [refusal(422, "No value stream takes it", detail)]
    newly = classified.kind == "complaint" != demand.kind
    complaint = [Tally(period=period_of(classified.time), complaints=1)] if newly else []
    over = [TriageOver(demand=demand.id, by=classified.by)] if demand.status == "unclassified" else []
    demand.status, demand.kind, demand.service = "captured", classified.kind, service
    source = f"{classified.by} decided: {classified.reason}"
    decided = {"kind": demand.kind} | ({"service": classified.service} if classified.service else {})
    kept = (fact for fact in demand.facts if fact.name not in decided)
    demand.facts = (*(Fact(name=name, value=value, source=source) for name, value in decided.items()), *kept)
    told = begin(demand, demand.contacted_at or classified.time, streams)
    return [Answer(200, DemandView.of(demand)), *told, *complaint, *over]


def capture_ticket(
    ticket: TicketPushed, demand: Demand, time: datetime, services: KnownServices, streams: Streams
) -> list[Capturing]:
    """Fill a demand with what its ticket says, and with what its text says where the ticket has no field for it."""
    demand.desk, demand.ticket, demand.url, demand.channel = ticket.desk, ticket.ticket, ticket.url, "desk"
    demand.requester_name = ticket.requester_name
    demand.requester = ticket.requester_email or ticket.requester_name or f"{ticket.desk}/{ticket.ticket}"
    demand.title, demand.text = ticket.title, ticket.text
    words = f"{ticket.title}\n{ticket.text}"
    users, harm, value = triage.read_users(words), triage.read_harm(words), triage.read_value(words)
    if ticket.users_affected is not None:
        users = triage.Reading(ticket.users_affected, "the ticket's own field")
    demand.users, demand.harm_in_hours, demand.value = users.value, harm.value, value.value
    demand.wanted_by = triage.read_wanted_by(words).value
    demand.wanted_priority = triage.DESK_PRIORITIES.get((ticket.priority or "").lower())
    demand.facts = facts_of({"users": users, "harm in hours": harm, "value": value})
    return capture(demand, time, ticket.ticket_type, ticket.service, services, streams)


def capture(
    demand: Demand, time: datetime, kind: str | None, service: str | None, services: KnownServices, streams: Streams
) -> list[Capturing]:
    """Classify a new demand by what was said (`kind`, `service`) or by its words, and let its value stream begin."""
    words = f"{demand.title}\n{demand.text}"
    sort, about = triage.read_kind(kind, words, streams), triage.read_service(service, words, services)
    demand.status, demand.captured_at, demand.contacted_at = "captured", time, time
    demand.kind, demand.service = sort.value, about.value
    demand.facts = (*facts_of({"kind": sort, "service": about}), *demand.facts)
    return [*begin(demand, time, streams), counted(demand, time)]


def counted(demand: Demand, time: datetime) -> Tally:
    """A new demand, as the day counts it."""
    return Tally(period=period_of(time), demands=1, complaints=int(demand.kind == "complaint"))


def begin(demand: Demand, since: datetime, streams: Streams) -> list[Capturing]:
    """Begin the value stream that fits best; without one the demand waits for triage, and the requester is told so."""
    stream = streams.taking(demand.kind, demand.service, f"{demand.title} {demand.text}")
    if stream is None:
        demand.status = "unclassified"
        demand.reason = f"no value stream takes a demand of the kind {demand.kind!r} that reads like this one"
        if demand.kind == "unclassified":
            rule = next((fact.source for fact in demand.facts if fact.name == "kind"), "nobody has said")
            demand.reason = f"what sort of demand it is cannot be told: {rule}"
        told = tell(demand, f"We have received it. A person looks at it next, because {demand.reason}.")
        return [*told, TriageNeeded(demand=demand.id, title=demand.title, reason=demand.reason)]
    demand.reason, demand.escalated_to = f"it goes the way {stream.title!r}", ""
    demand.stream, demand.owner = stream.stream, stream.owner
    demand.contacted_at, demand.promised_by = since, since + timedelta(hours=stream.promise.hours)
    accepted = DemandAccepted(demand=demand.id, segment=demand.segment, stakeholder=known_as(demand.requester))
    return [Begin(stream.stream, accepted)]


def reopen(demand: Demand, ticket: TicketPushed, services: KnownServices, streams: Streams) -> list[Capturing]:
    """What was delivered did not last or did not help: its value stream begins again, and its promise with it.

    The reply may say which service is meant, if nobody knew before.
    """
    demand.service = demand.service or triage.read_service(None, ticket.text, services).value
    demand.status, demand.delivered, demand.delivered_at = "in_progress", "", None
    demand.reopened += 1
    return begin(demand, ticket.time, streams)


def name_service(demand: Demand, ticket: TicketPushed, services: KnownServices, streams: Streams) -> list[Capturing]:
    """The requester was asked which service they mean: once they name one that is known, its value stream goes on."""
    found = triage.read_service(None, ticket.text, services)
    if found.value is None:
        return []
    demand.service, demand.facts = found.value, (*demand.facts, *facts_of({"service": found}))
    return begin(demand, ticket.time, streams)


def facts_of(readings: Mapping[str, tuple[str | float | None, str]]) -> tuple[Fact, ...]:
    """What is known of a demand, each with the rule or person that said so."""
    return tuple(
        Fact(name=name, value=value, source=rule) for name, (value, rule) in readings.items() if value is not None
    )
