"""What must hold in the domain whatever has happened: each a sentence, looked at after simulated and live runs alike.

They read the events in the order in which they were told, and the rows of all activities, by the names of their states:
while an activity does not have a state, there is nothing to say about it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, get_args
from uuid import UUID

import orjson

from contracts.deliver_support import SupportEscalated, SupportTaskCompleted
from contracts.engage import DemandStatus, DemandStatusReported
from contracts.envelope import source_of
from contracts.event import Message
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, ENGAGE, OBTAIN_BUILD, PLAN
from services.chassis.state import State
from services.engage.model import FINAL

Rows = Mapping[str, Mapping[str, Sequence[State[Any]]]]
"""The rows of the activities, by the name of their state's class."""
TELLERS = {source_of(activity): activity for activity in ACTIVITIES}
STORIES = 3
"""How many cases of a violation are told."""


class Violation(NamedTuple):
    """A check that was not passed."""

    check: str
    """What must hold, as a sentence."""
    story: str
    """What shows that it does not: the first cases, and how many more there are."""


@dataclass(slots=True)
class Told:
    """An event that an activity has told; its data is read only by who asks for it."""

    activity: str
    type: str
    id: str
    case: str
    cause: str
    sequence: int
    time: datetime
    value: bytes
    """The whole event."""

    @property
    def data(self) -> Mapping[str, Any]:
        """What it says."""
        found: Mapping[str, Any] = orjson.loads(self.value)["data"]
        return found

    @classmethod
    def read(cls, event: Mapping[str, Any], value: bytes) -> "Told":
        """From its envelope as JSON, and the same as bytes."""
        return cls(
            TELLERS.get(str(event.get("source")), ""), event["type"], str(event["id"]), event["correlationid"],
            event.get("causationid", ""), int(event.get("sequence", 0)), datetime.fromisoformat(event["time"]), value,
        )  # fmt: skip


@dataclass(frozen=True)
class History:
    """A run of the chain, as it stands at its end."""

    told: Sequence[Told]
    """Every event of the six activities once, in the order in which they were told."""
    rows: Rows
    """By activity, and by the name of the state's class."""
    taken: Mapping[str, Collection[UUID]]
    """The ids of what each activity has taken up."""
    until: datetime
    """Chain time at its end."""
    otherwise: Collection[tuple[str, str]] = field(default=())
    """Activity and case of what is not decided any more as it was told, because a database was replaced."""

    def of(self, activity: str, state: str) -> Sequence[Any]:
        """The rows of a state; none while the activity does not have it."""
        return self.rows.get(activity, {}).get(state, ())

    def events(self, *kinds: type[Message]) -> Iterator[Told]:
        """The events of these kinds, in order."""
        return (told for told in self.told if any(told.type == kind.type for kind in kinds))

    @cached_property
    def demands(self) -> Mapping[str, Any]:
        """Engage's rows of demands, by id."""
        return {str(row.id): row for row in self.of(ENGAGE, "Demand")}

    @cached_property
    def told_states(self) -> Mapping[str, Sequence[str]]:
        """The states that the requester of each demand was told, as Engage has numbered what it told them."""
        reports = (told for told in self.events(DemandStatusReported) if told.activity == ENGAGE)
        states: dict[str, list[str]] = {}
        for report in sorted(reports, key=lambda told: told.sequence):
            states.setdefault(report.case, []).append(report.data["status"])
        return states


def every_demand_that_was_told_of_is_in_one_state(history: History) -> Iterator[str]:
    """In one that there is; whoever was told of a demand can ask how it stands."""
    for id in history.told_states:
        status = getattr(history.demands.get(id), "status", None)
        if status not in get_args(DemandStatus):
            yield f"the requester was told of demand {id}, and it is {status}"


def a_demand_is_in_the_state_its_requester_was_told_last(history: History) -> Iterator[str]:
    """What is told and what is kept come from the same decision."""
    for id, told in history.told_states.items():
        status = history.demands[id].status if id in history.demands else None
        if told[-1] != status:
            yield f"the requester of demand {id} was told that it is {told[-1]}, and it is {status}"


def a_demand_never_leaves_its_final_state(history: History) -> Iterator[str]:
    """A requester who comes back begins a new, linked one."""
    for id, told in history.told_states.items():
        for before, after in pairwise(told):
            if before in FINAL and after != before:
                yield f"the requester of demand {id} was told that it is {before}, and then that it is {after}"


def nothing_shared_is_overdrawn(history: History) -> Iterator[str]:
    """Neither below zero nor above what there is: no budget, no component, no stock."""
    for budget in history.of(PLAN, "Budget"):
        if min(budget.total, budget.reserved, budget.spent, budget.left) < 0:
            yield f"of {budget.total} euros of {budget.id}, {budget.reserved} are reserved and {budget.spent} spent"
    for component in history.of(OBTAIN_BUILD, "Component"):
        if min(component.used, component.capacity - component.used) < 0:
            yield f"of {component.capacity:g} {component.unit} of {component.id}, {component.used:g} are used"
    for stock in history.of(DELIVER_SUPPORT, "Stock"):
        for name, value in stock:
            if isinstance(value, (int, float)) and value < 0:
                yield f"the stock of {stock.id} has {value:g} as its {name}"


def access_that_was_granted_has_ended(history: History) -> Iterator[str]:
    """None is open past its end, whatever was down over that moment."""
    for access in history.of(DELIVER_SUPPORT, "Access"):
        end, ended = getattr(access, "until", None), getattr(access, "ended_at", None)
        if end is not None and end < history.until and ended is None:
            yield f"the access {access.id} was granted until {end.isoformat()}, and is open"


def every_event_names_the_cause_that_its_teller_took_up(history: History) -> Iterator[str]:
    """So that whatever happens can be followed back to somebody outside."""
    taken = {activity: {str(id) for id in ids} for activity, ids in history.taken.items()}
    for told in history.told:
        if told.cause not in taken.get(told.activity, ()):
            what = f"{told.type} {told.id} about {told.case}"
            yield f"{what} names {told.cause or 'nothing'} as its cause, which {told.activity} knows nothing of"


def an_id_names_one_event(history: History) -> Iterator[str]:
    """Whoever hears two under one id takes the second for a copy of the first."""
    seen: dict[str, str] = {}
    for told in history.told:
        if told.id in seen:
            yield f"{told.id} is {seen[told.id]}, and {told.type}"
        seen[told.id] = told.type


def events_about_a_case_are_numbered_without_a_gap(history: History) -> Iterator[str]:
    """By each activity that tells of it, from 1."""
    numbers: dict[tuple[str, str], list[int]] = {}
    for told in history.told:
        numbers.setdefault((told.activity, told.case), []).append(told.sequence)
    for (activity, case), found in numbers.items():
        if sorted(found) != list(range(1, len(found) + 1)) and (activity, case) not in history.otherwise:
            yield f"{activity} has numbered its events about {case} so: {sorted(found)}"


def an_sla_clock_says_what_the_times_say(history: History) -> Iterator[str]:
    """In time is what began and ended by its targets, and nothing ends before it has begun."""
    for told in history.events(SupportTaskCompleted):
        data = told.data
        times = ("started_at", "completed_at", "respond_by", "resolve_by")
        started, completed, respond_by, resolve_by = (datetime.fromisoformat(data[name]) for name in times)
        if started > completed:
            yield f"the task of demand {told.case} ended at {completed.isoformat()}, before it was taken up"
        for word, kept, at, due in (
            ("taken up", data["responded_in_time"], started, respond_by),
            ("ended", data["resolved_in_time"], completed, resolve_by),
        ):
            if kept != (at <= due):
                said = "in time" if kept else "late"
                yield f"the task of demand {told.case} was {word} at {at.isoformat()}, {said} for {due.isoformat()}"


def a_target_is_escalated_once(history: History) -> Iterator[str]:
    """Each is warned of once before it is due, and escalated once after: not again after a restart, nor too soon."""
    seen: set[tuple[object, ...]] = set()
    for told in history.events(SupportEscalated):
        data = told.data
        target = (told.case, data["target"], data["due_at"], data["breached"])
        if target in seen:
            yield f"the {data['target']} target of demand {told.case}, due at {data['due_at']}, is escalated again"
        seen.add(target)
        if data["breached"] and told.time < datetime.fromisoformat(data["due_at"]):
            yield f"the {data['target']} target of demand {told.case} is missed at {told.time}, before {data['due_at']}"


def one_initiative_at_a_time_improves_a_key_figure_of_a_service(history: History) -> Iterator[str]:
    """What is being improved already does not set off another improvement."""
    running: dict[tuple[str, str | None], str] = {}
    about: dict[str, tuple[str, str | None]] = {}
    for told in history.events(ImprovementInitiated, InitiativeStatusReported):
        data = told.data
        if told.type == ImprovementInitiated.type:
            place = about[told.case] = data["measure"], data.get("service")
            other = running.setdefault(place, told.case)
            if other != told.case:
                yield f"{told.case} begins while {other} is open: both are to improve {place[0]} of {place[1] or 'all'}"
        elif data["status"] == "closed" and running.get(about.get(told.case, ("", None))) == told.case:
            del running[about[told.case]]


Check = Callable[[History], Iterator[str]]
INVARIANTS: tuple[Check, ...] = (
    every_demand_that_was_told_of_is_in_one_state,
    a_demand_is_in_the_state_its_requester_was_told_last,
    a_demand_never_leaves_its_final_state,
    nothing_shared_is_overdrawn,
    access_that_was_granted_has_ended,
    every_event_names_the_cause_that_its_teller_took_up,
    an_id_names_one_event,
    events_about_a_case_are_numbered_without_a_gap,
    an_sla_clock_says_what_the_times_say,
    a_target_is_escalated_once,
    one_initiative_at_a_time_improves_a_key_figure_of_a_service,
)


def sentence(check: Callable[..., object]) -> str:
    """What must hold by a check: its name, as its violations have it."""
    return check.__name__.replace("_", " ")


def violations(history: History) -> list[Violation]:
    """The invariants that a run does not keep, each with its first cases."""
    return [found for check in INVARIANTS if (found := violation(check, check(history)))]


def violation(check: Callable[..., object], stories: Iterable[str]) -> Violation | None:
    """What a check has to say; None if it was passed."""
    told = list(stories)
    more = f"; and {len(told) - STORIES} more" if len(told) > STORIES else ""
    return Violation(sentence(check), "; ".join(told[:STORIES]) + more) if told else None
