"""What the books of a chain must say, each a sentence: the name of a check is what must hold.

Every message was told by a receipt or came from outside, and whoever hears it has a receipt of it or has set it aside.
So the books can be balanced after anything that has happened.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from uuid import UUID

from contracts.envelope import Arrival
from contracts.event import Command
from contracts.outside import DemandSubmitted, TicketPushed
from contracts.value_chain import ENGAGE, PLAN, inbox
from services.engage.model import FINAL
from services.plan.model import FundingSettled, InitiativeSettled
from svc import invariants
from svc.chaos.books import Books, topic_of
from svc.history import INBOXES
from svc.invariants import Violation, violation
from svc.log import Logged, handlers_of

Check = Callable[[Books], Iterator[str]]


def of_the_domain(invariant: invariants.Check) -> Check:
    """An invariant of the domain, as a check of the books."""

    @wraps(invariant)
    def looked_at(books: Books) -> Iterator[str]:
        return invariant(books.history)

    return looked_at


OF_EVENTS = (invariants.every_event_names_the_cause_that_its_teller_took_up, invariants.an_id_names_one_event)
"""Of every message, not of events alone, the books have checks of their own."""
OF_THE_DOMAIN = tuple(of_the_domain(invariant) for invariant in invariants.INVARIANTS if invariant not in OF_EVENTS)


def every_demand_that_came_in_is_in_a_state(books: Books) -> Iterator[str]:
    """And if the reader knows that it has ended, in a final one."""
    came = {
        UUID(receipt["data"]["demand"])
        for receipt in books.receipts[ENGAGE].values()
        if receipt.get("type") in (DemandSubmitted.type, TicketPushed.type) and receipt.get("effect")
    }
    for id in came.union(books.ended):
        status = books.demands[id].status if id in books.demands else None
        if status is None:
            yield f"demand {id} came in, and Engage has no state of it"
        elif id in books.ended and status not in FINAL:
            yield f"demand {id} has ended, and is {status}"


def everything_told_stands_in_its_topic(books: Books) -> Iterator[str]:
    """Nothing that was decided is lost on the way to the broker."""
    for activity, receipts in books.receipts.items():
        for id, receipt in receipts.items():
            for told in receipt["outputs"]:
                topic = topic_of(activity, told["type"])
                if (topic, told["id"]) not in books.first:
                    yield f"{activity} told {told['type']} {told['id']} because of {id}, and {topic} has it not"


def nothing_stands_in_a_topic_that_nobody_told(books: Books) -> Iterator[str]:
    """Commands from outside stand in inboxes; everything else is told by the receipt of the activity it names."""
    put = set(map(str, books.by_hand))
    for record in books.log:
        tellers = {(origin.activity, origin.topic) for origin in books.origins.get(record.id, ())}
        from_outside = record.topic in INBOXES and record.id and not record.teller
        as_told = (record.teller, record.topic) in tellers or (record.teller, record.case) in books.decided_otherwise
        if not from_outside and not as_told and record.id not in put and str(record.undecodable_id) not in put:
            yield f"{record} is told by no receipt"


def everything_heard_is_taken_up_or_set_aside(books: Books) -> Iterator[str]:
    """By each activity whose handlers a message reaches in its value stream, once, and not both."""
    for activity, arrivals in books.heard.items():
        receipts, aside = books.receipts[activity], books.aside[activity]
        for id, arrival in arrivals.items():
            what = f"{arrival.message.type if arrival.message else 'an unreadable record'} {id} of case {arrival.case}"
            if id in receipts and id in aside:
                yield f"{activity} has taken up {what}, and set it aside"
            elif id not in receipts and id not in aside and _reaches(books, activity, arrival):
                yield f"{activity} has neither taken up {what} nor set it aside"


def nothing_is_taken_up_that_stands_in_no_topic(books: Books) -> Iterator[str]:
    """A receipt is of a record."""
    for activity, receipts in books.receipts.items():
        for id, receipt in receipts.items():
            if id not in books.heard[activity]:
                what = f"{receipt.get('type', 'a record')} {id}"
                yield f"{activity} has taken up {what}, which stands in no topic that it hears"


def every_message_names_the_cause_that_its_teller_took_up(books: Books) -> Iterator[str]:
    """So that whatever happens can be followed back to somebody outside."""
    for record in books.first.values():
        if record.teller:
            cause, tellers = record.event.get("causationid"), books.origins.get(record.id, ())
            causes = [origin.receipt for origin in tellers if origin.activity == record.teller]
            if str(cause) not in map(str, causes or books.receipts[record.teller]):
                yield f"{record} names {cause} as its cause, which {record.teller} knows nothing of"


def an_id_names_one_message(books: Books) -> Iterator[str]:
    """Whoever hears two messages under one id takes the second for a copy of the first."""
    for id, tellers in books.origins.items():
        if len(tellers) > 1:
            yield f"{id} is told by {' and by '.join(f'{o.activity} on {o.topic}' for o in sorted(tellers))}"


def events_about_a_case_stand_in_their_topic_in_order(books: Books) -> Iterator[str]:
    """Each where it stands first: a repeat after a crash may come at any time."""
    last: dict[tuple[str, str, str], Logged] = {}
    for record in books.first.values():
        if record.teller and record.topic not in INBOXES:
            before = last.get(place := (record.topic, record.teller, record.case))
            listed = (record.teller, record.case) in books.decided_otherwise
            if before and before.sequence > record.sequence and not listed:
                yield f"number {record.sequence}, {record}, stands behind number {before.sequence}, {before}"
            last[place] = record


def everything_put_off_is_pending_or_has_come(books: Books) -> Iterator[str]:
    """Timers, and effects outside, whose result comes as a command."""
    for activity, receipts in books.receipts.items():
        for id, receipt in receipts.items():
            for wait in receipt.get("waits", ()):
                there = UUID(wait["id"]) in books.pending[activity]
                came = (inbox(activity), wait["id"]) in books.first
                if there == came:
                    how = "is pending and has come" if there else "is not pending and has never come"
                    yield f"{wait['type']} {wait['id']}, which {activity} put off because of {id}, {how}"


def a_budget_has_bound_what_its_demands_and_initiatives_have_bound(books: Books) -> Iterator[str]:
    """Reserved by those that are approved, spent by demands that were released and by initiatives that are over."""
    spent: Counter[str] = Counter()
    for receipt in books.receipts[PLAN].values():
        match receipt:
            case {
                "type": FundingSettled.type,
                "effect": True,
                "data": {"spent": True, "quarter": str(quarter)} as settled,
            }:
                spent[quarter] += settled["amount"]
            case {"type": InitiativeSettled.type, "effect": True, "data": {"quarter": str(quarter)} as settled}:
                spent[quarter] += settled["spent"]
    for budget in books.budgets:
        bound = sum(item.reserved for item in books.items if item.quarter == budget.id)
        bound += sum(one.reserved for one in books.initiatives if one.quarter == budget.id)
        if (budget.reserved, budget.spent) != (bound, spent[budget.id]):
            yield (
                f"the budget {budget.id} has {budget.reserved} reserved and {budget.spent} spent,"
                f" its demands and initiatives {bound} and {spent[budget.id]}"
            )


CHECKS: tuple[Check, ...] = (
    every_demand_that_came_in_is_in_a_state,
    everything_told_stands_in_its_topic,
    nothing_stands_in_a_topic_that_nobody_told,
    everything_heard_is_taken_up_or_set_aside,
    nothing_is_taken_up_that_stands_in_no_topic,
    every_message_names_the_cause_that_its_teller_took_up,
    an_id_names_one_message,
    events_about_a_case_stand_in_their_topic_in_order,
    everything_put_off_is_pending_or_has_come,
    a_budget_has_bound_what_its_demands_and_initiatives_have_bound,
    *OF_THE_DOMAIN,
)


def violations(books: Books) -> list[Violation]:
    """The checks that the books do not pass, each with its first cases."""
    return [found for check in CHECKS if (found := violation(check, check(books)))]


def _reaches(books: Books, activity: str, arrival: Arrival) -> bool:
    """Whether an activity must have taken up, or set aside, what has come to it."""
    message = arrival.message
    if message is None or isinstance(message, Command):
        return True  # who cannot be read is set aside; who asks is answered
    handles = handlers_of(activity)
    if handles.streams is not books.streams:
        handles.follow(books.streams)
    try:
        return handles.route(message.type, message.stream, message.step) is not None
    except LookupError:
        return True  # a stream that nobody knows: set aside
