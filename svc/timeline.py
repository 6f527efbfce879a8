"""A journey as a timeline: moment by moment, who heard what, did what, told what, and what is waited for."""

from datetime import datetime
from typing import NamedTuple

from contracts.event import Decision
from svc import words
from svc.sentences import sentence
from svc.trails import Entry, Event, Journey

TERMINAL = ("value_realised", "denied", "assumed", "rejected", "withdrawn", "merged")
"""The states of a demand that are final."""


class Moment(NamedTuple):
    """One message taken up by one activity."""

    time: datetime
    """When it was decided, in chain time."""
    activity: str
    does: str
    """What the activity does there: the capability that its value stream asks for, else the name of its handler."""
    heard: str
    """`SupportTaskRequested from Engage`."""
    said: tuple[str, ...]
    """What came of it, sentence by sentence, each with the event it is from."""
    quiet: bool
    """Whether it is mere bookkeeping: nothing was told or asked, and the demand itself waits for nothing."""


def timeline(journey: Journey) -> list[Moment]:
    """Every moment of the journey, in order."""
    return [moment(entry, str(journey.demand)) for entry in journey.entries]


def moment(entry: Entry, demand: str) -> Moment:
    """What came of one message, in the journey of this demand."""
    own = entry.teller == entry.activity
    heard = f"{entry.name}{'' if own else f' from {words.activity(entry.teller)}'}"
    said = _said(entry.heard) if entry.heard and not own else []
    said += [line for event in entry.outputs if event.case == entry.case for line in _said(event)]
    waits = any(wait.outside or entry.case == demand for wait in entry.waits)
    quiet = not (said or waits or entry.discarded or entry.edited)
    said += [f"Hands on {event.name} to {event.case}." for event in entry.outputs if event.case != entry.case]
    said += [f"Asks outside: {wait.name}." for wait in entry.waits if wait.outside]
    said += [f"Waits for {wait.name} until {words.at(wait.due)}." for wait in entry.waits if not wait.outside]
    if entry.discarded:
        said.append(f"Given up: {entry.discarded}")
    if entry.edited:
        said.append(f"Corrected before it was taken up: {entry.edited}")
    does = entry.does or words.spoken(entry.handler)
    return Moment(entry.decided_at, entry.activity, does, heard, tuple(said), quiet)


def open_ends(journey: Journey, status: str) -> list[str]:
    """What the demand still waits for, as far as its journey shows; timers that outlive one that has ended are not."""
    if status in TERMINAL:
        return []
    return [
        f"{words.activity(entry.activity)} ({entry.does or words.spoken(entry.handler)}) waits for {wait.name}, "
        f"due {words.at(wait.due)}"
        for entry, wait in journey.open_waits
    ]


def _said(event: Event) -> list[str]:
    """What an event says, and why; nothing of a command to itself: that is seen when it is heard."""
    message = event.message
    if message is None:
        return []
    reasons = message.reasons if isinstance(message, Decision) else ()
    return [f"{sentence(message)} [{words.short(event.id)}]", *(f"  because: {words.plain(why)}" for why in reasons)]
