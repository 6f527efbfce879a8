"""Problem management: incidents that keep coming become a problem, and a problem that pays a change."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Never
from uuid import NAMESPACE_URL, uuid5

from contracts.deliver_support import ChangeRequested
from contracts.event import Message
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.deliver_support.model import KnownError, KnownErrorRecorded, LiveService, Outlook, PendingChange
from services.deliver_support.problem_model import (
    Incident,
    IncidentCounted,
    Problem,
    ProblemChangeEnded,
    ProblemSettled,
    ProblemsReviewed,
    ProblemWeighed,
    ProvingOver,
    ServiceChanged,
    Trend,
)

RECURRENCE = 5
"""So many incidents of one kind in one service make a problem, while no plan says otherwise."""
WINDOW = timedelta(days=30)
"""Within which they are counted."""
WARNINGS_PER_INCIDENT = 3
"""So many warnings of one kind weigh as much as an incident."""
PROVING = timedelta(days=30)
"""How long no further incident may come until a problem is closed whose change is live."""
CHANGE_PATIENCE = timedelta(days=90)
"""How long a change that was asked for is reckoned with."""
MOST_INCIDENTS, MOST_PROBLEMS, MOST_DEMANDS, MOST_SYMPTOMS = 200, 50, 20, 5
"""Of a service, and of a problem: the newest say how it runs, and its row stays small."""
EUROS_PER_USER_HOUR, EUROS_PER_INCIDENT = 30, 60
"""What an hour without the service costs a user, and what an incident costs the desk."""
EFFORT_OF_CHANGE = {1: 20_000, 2: 10_000, 3: 5_000}
"""What a change is guessed to cost, euros in all, by the criticality of the service."""
MANY = 10
"""So many incidents a month make a change pressing."""
HELPED = "What has helped before: "
LEAST_WORD = 4
"""Letters that a word needs to tell incidents apart."""
SAYS_NOTHING = frozenset(
    (
        "this",
        "that",
        "with",
        "from",
        "when",
        "while",
        "does",
        "have",
        "been",
        "doesn",
        "cannot",
        "after",
        "again",
        "alarm",
    )
)
"""Words that are in any ticket."""


def words_of(title: str) -> tuple[str, ...]:
    """The words that tell one incident from another, in order of the alphabet."""
    words = {word for word in re.findall(r"\w+", title.casefold().replace("_", " ")) if len(word) >= LEAST_WORD}
    return tuple(sorted(words - SAYS_NOTHING)[:10])


def alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two incidents are of one kind: half of their words are the same."""
    return 2 * len(set(one) & set(other)) >= max(len(one), len(other), 1)


def count_incident(
    counted: IncidentCounted, trend: Trend, outlook: Read[Outlook]
) -> list[KnownErrorRecorded | ProblemWeighed]:
    """See whether an incident belongs to a problem, or makes one; a major incident always does."""
    incident = counted.incident
    if any((one.demand, one.round) == (incident.demand, incident.round) for one in trend.incidents):
        return []
    trend.incidents = (*trend.incidents, incident)[-MOST_INCIDENTS:]
    over = {"restored": True}
    trend.events = tuple(
        one.model_copy(update=over) if one.incident == incident.demand else one for one in trend.events
    )
    problem = problem_of(trend, incident.words, incident.known_error)
    if problem is None:
        return recognise(counted, trend, incident, outlook, counted.resolution, major=counted.major)
    came_back = problem.live_at is not None and problem.state == "proving" and incident.begun_at > problem.live_at
    problem = problem.model_copy(
        update={"count": problem.count + 1, "demands": (*problem.demands, incident.demand)[-MOST_DEMANDS:]}
    )
    if came_back:
        reason = "An incident came although its change is live: it has not removed the cause."
        told = {"state": "known_error", "live_at": None, "reopened": problem.reopened + 1, "reason": reason}
        problem = problem.model_copy(update={**told, "weighed_at": problem.count})
    keep(trend, problem)
    return [*weigh(trend, problem, outlook, counted)]


def recognise(
    message: Message, trend: Trend, incident: Incident, outlook: Outlook, helped: str, *, major: bool = False
) -> list[KnownErrorRecorded | ProblemWeighed]:
    """Open a problem when what is alike has come often enough: a known error from now on, with what has helped."""
    alike_ones = recent(trend, incident.words, message)
    warnings = sum(
        one.severity == "warning" and one.at > message.time - WINDOW and alike(words_of(one.signal), incident.words)
        for one in trend.events
    )
    weight = len(alike_ones) + warnings // WARNINGS_PER_INCIDENT
    if not incident.words or (weight < outlook.goal("recurrence", RECURRENCE) and not major):
        return []
    trend.numbered += 1
    seen = f"{len(alike_ones)} incidents and {warnings} warnings of this kind in {WINDOW.days} days."
    problem = Problem(
        problem=f"problem-{trend.id}-{trend.numbered}",
        state="known_error",
        title=incident.title,
        words=incident.words,
        workaround=f"{HELPED}{helped.removeprefix(HELPED)}",
        demands=tuple(one.demand for one in alike_ones)[-MOST_DEMANDS:],
        count=len(alike_ones),
        weighed_at=len(alike_ones),
        reason="It was a major incident." if major else seen,
    )
    keep(trend, problem)
    symptoms = dict.fromkeys([incident.title, *(one.title for one in reversed(alike_ones))])
    known = KnownError(error=problem.problem, symptoms=tuple(symptoms)[:MOST_SYMPTOMS], workaround=problem.workaround)
    return [KnownErrorRecorded(service=trend.id, known_error=known), *weigh(trend, problem, outlook, message)]


def recent(trend: Trend, words: tuple[str, ...], message: Message) -> list[Incident]:
    """The incidents of one kind within the window."""
    since = message.time - WINDOW
    return [one for one in trend.incidents if one.ended_at > since and alike(one.words, words)]


def problem_of(trend: Trend, words: tuple[str, ...], known_error: str = "") -> Problem | None:
    """The problem, still open, that an incident belongs to."""
    still = [one for one in trend.problems if one.state != "closed"]
    named = next((one for one in still if one.problem == known_error), None)
    return named or next((one for one in still if words and alike(one.words, words)), None)


def keep(trend: Trend, problem: Problem) -> None:
    """Put a problem into its row; of too many, a closed one goes first."""
    others = [one for one in trend.problems if one.problem != problem.problem]
    if len(others) >= MOST_PROBLEMS:
        others.remove(next((one for one in others if one.state == "closed"), others[0]))
    trend.problems = (*others, problem)


def weigh(trend: Trend, problem: Problem, outlook: Outlook, message: Message) -> list[ProblemWeighed]:
    """Have it decided whether a change pays, if that is open and enough has come since it was decided last."""
    if problem.state != "known_error" or problem.count < problem.weighed_at:
        return []
    incidents = recent(trend, problem.words, message)
    number = max(len(incidents), 1)
    step = max(int(min(outlook.goal("recurrence", RECURRENCE), MOST_INCIDENTS)), 1)
    weighed = {"state": "weighing", "changes": problem.changes + 1, "weighed_at": problem.count + step}
    keep(trend, problem := problem.model_copy(update=weighed))
    return [
        ProblemWeighed(
            change=change_of(problem),
            service=trend.id,
            problem=problem,
            incidents=len(incidents),
            hours=sum(one.hours for one in incidents) / number,
            users=sum(one.users for one in incidents) // number,
        )
    ]


def ask_for_change(
    weighed: ProblemWeighed, service: Read[LiveService], outlook: Read[Outlook]
) -> list[ChangeRequested | ProblemSettled]:
    """Ask for a change where it saves more in a year than it is guessed to cost, and nobody else changes it."""
    problem, effort = weighed.problem, EFFORT_OF_CHANGE[service.criticality]
    each = weighed.hours * weighed.users * EUROS_PER_USER_HOUR + EUROS_PER_INCIDENT
    benefit = round(weighed.incidents * timedelta(days=365) / WINDOW * each)
    why = (
        f"{weighed.incidents} incidents in {WINDOW.days} days, each of {weighed.hours:.1f} hours for {weighed.users}"
        f" users, cost {benefit} euros a year; a change is guessed at {effort} euros."
    )
    against = "; ".join(reasons_against(weighed, service, outlook, benefit - effort))
    settled = ProblemSettled(
        service=weighed.service, problem=problem.problem, change=weighed.change, asked=not against,
        reason=f"{why} {against}".strip(),
    )  # fmt: skip
    if against:
        return [settled]
    urgency = 1 if service.criticality == 1 or problem.reopened else 2 if weighed.incidents >= MANY else 3
    asked = ChangeRequested(
        change=weighed.change,
        service=weighed.service,
        title=f"Remove the cause of: {problem.title}",
        text=f"{why} {problem.reason}",
        origin="problem",
        problem=problem.problem,
        demands=problem.demands,
        urgency=urgency,
        benefit=benefit,
        effort=effort,
        workaround=problem.workaround,
    )
    return [asked, settled]


def reasons_against(weighed: ProblemWeighed, service: LiveService, outlook: Outlook, gain: int) -> Iterable[str]:
    """Why a problem does not ask for a change now, as sentences."""
    if gain <= 0:
        yield "It does not pay: users go on with the workaround"
    if pending := service.pending_at(weighed.time):
        yield f"{service.title} is being changed already ({pending.change or f'demand {pending.demand}'})"
    if initiative := outlook.improving(weighed.service):
        yield f"The initiative {initiative.initiative} improves {service.title} already: it would be done twice"


def settle_problem(settled: ProblemSettled, trend: Trend, service: LiveService) -> list[Later]:
    """Note what was decided about a problem; a change that was asked for is reckoned with for a while."""
    problem = named(trend, settled.problem)
    if problem is None or problem.state != "weighing":
        return []
    state = "change_requested" if settled.asked else "known_error"
    keep(trend, problem := problem.model_copy(update={"state": state, "reason": settled.reason}))
    if not settled.asked:
        return []
    if service.change == settled.change:  # it is live already: the word of it was faster
        return prove(trend, problem, settled)
    until, demand = settled.time + CHANGE_PATIENCE, uuid5(NAMESPACE_URL, settled.change)
    pending = PendingChange(demand=demand, until=until, change=settled.change, problem=settled.problem)
    await_change(service, pending)
    reason = f"The change {settled.change} is not live after {CHANGE_PATIENCE.days} days."
    ended = ProblemChangeEnded(service=settled.service, problem=settled.problem, change=settled.change, reason=reason)
    return [Later(until, ended)]


def await_change(service: LiveService, pending: PendingChange) -> None:
    """Reckon with a change that is under way; of too many, the oldest is forgotten."""
    others = (one for one in service.pending if one.demand != pending.demand)
    service.pending = (*others, pending)[-MOST_DEMANDS:]


def named(trend: Trend, problem: str) -> Problem | None:
    """The problem with this id."""
    return next((one for one in trend.problems if one.problem == problem), None)


def review_problems(review: ProblemsReviewed, trend: Trend, outlook: Read[Outlook]) -> list[ProblemWeighed]:
    """Weigh again what was held back, because what held it back may be gone."""
    held = [one for one in trend.problems if one.state == "known_error" and one.changes]
    again = [one.model_copy(update={"weighed_at": one.count}) for one in held]
    return [weighed for problem in again for weighed in weigh(trend, problem, outlook, review)]


def prove_change(changed: ServiceChanged, trend: Trend, outlook: Read[Outlook]) -> list[Later | ProblemWeighed]:
    """A problem whose change is live has to stay away for a while; what waited for another change is weighed again."""
    problem = named(trend, changed.problem)
    if problem is None or problem.state != "change_requested":
        return [*review_problems(ProblemsReviewed(service=changed.service).at(changed.time), trend, outlook)]
    return [*prove(trend, problem, changed)]


def prove(trend: Trend, problem: Problem, message: Message) -> list[Later]:
    """From now on a problem has to stay away."""
    reason = f"Its change is live; it is closed when no incident comes for {PROVING.days} days."
    keep(trend, problem.model_copy(update={"state": "proving", "live_at": message.time, "reason": reason}))
    over = ProvingOver(service=trend.id, problem=problem.problem, live_at=message.time)
    return [Later(message.time + PROVING, over)]


def close_problem(over: ProvingOver, trend: Trend, service: LiveService) -> list[Never]:
    """Close a problem that has stayed away, and forget its known error: its cause is gone."""
    problem = named(trend, over.problem)
    if problem is None or problem.state != "proving" or problem.live_at != over.live_at:
        return []
    reason = f"No incident came for {PROVING.days} days after its change went live."
    keep(trend, problem.model_copy(update={"state": "closed", "reason": reason}))
    trend.incidents = tuple(one for one in trend.incidents if not alike(one.words, problem.words))
    service.known_errors = tuple(one for one in service.known_errors if one.error != over.problem)
    return []


def end_problem_change(ended: ProblemChangeEnded, trend: Trend, service: LiveService) -> list[Never]:
    """Take a problem up again whose change does not come; its next incident has it weighed anew."""
    problem = named(trend, ended.problem)
    if problem is None or problem.state != "change_requested" or ended.change != change_of(problem):
        return []
    told = {"state": "known_error", "reason": ended.reason, "weighed_at": problem.count + 1}
    keep(trend, problem.model_copy(update=told))
    service.pending = tuple(one for one in service.pending if one.change != ended.change)
    return []


def change_of(problem: Problem) -> str:
    """The change that a problem has asked for last."""
    return f"{problem.problem}-change-{problem.changes}"
