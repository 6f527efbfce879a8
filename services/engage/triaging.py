"""Triage as work: a demand that no rule can place is open work of the service desk until somebody says what it is."""

from datetime import timedelta
from typing import Never

from services.chassis.outputs import Answer, refusal
from services.engage.model import Triage, TriageNeeded, TriageOver, TriageReported

OWNER = "service desk"
TIME_TO_TRIAGE = timedelta(hours=8)
"""By when somebody has said what it is: its requester waits meanwhile."""


def open_triage(needed: TriageNeeded, triage: Triage) -> list[Never]:
    """Open the work; however work is done here, nobody but a person does this, so nothing is set in motion."""
    triage.title, triage.reason = needed.title, needed.reason
    done = TriageReported(demand=needed.demand)
    triage.begin(needed, owner=OWNER, promised_by=needed.time + TIME_TO_TRIAGE, effort=timedelta(0), done=done)
    return []


def end_triage(over: TriageOver, triage: Triage) -> list[Never]:
    """Close the work, by whom it was decided."""
    if triage.status == "open":
        triage.status, triage.done_at, triage.done_by = "done", over.time, over.by
    return []


def ask_what_it_is(reported: TriageReported, triage: Triage) -> list[Answer]:
    """A report that says nothing of what the demand is does not end it."""
    detail = f"`POST /demands/{triage.id}/classification` says what it is, and ends this work."
    return [refusal(409, "Say what it is", detail)]
