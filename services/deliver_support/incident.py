"""Incident management: from the request, or an alarm, to the restored service, against respond and resolve targets."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportEscalated,
    SupportTaskCompleted,
)
from contracts.engage import SupportTaskRequested
from contracts.event import Message
from services.chassis.outputs import Answer, Later, Work, refusal
from services.chassis.state import Read
from services.deliver_support.incident_report import completed_by, performance_of, restored
from services.deliver_support.model import (
    LiveService,
    Outlook,
    Resolution,
    ResolutionDone,
    SupportTaskPaused,
    SupportTaskResumed,
    SupportTaskTakenUp,
    TargetPassed,
)
from services.deliver_support.problem_model import IncidentCounted, IncidentRaised
from services.deliver_support.restoration import matching, not_restoring, restore

EFFORT: Mapping[int, timedelta] = {
    1: timedelta(hours=2),
    2: timedelta(hours=3),
    3: timedelta(hours=6),
    4: timedelta(hours=12),
    5: timedelta(hours=24),
}
"""How long restoring takes, by priority."""
KNOWN_ERROR_SHARE = 0.5
"""What of that it takes when the error is known: nobody has to look for it."""
TAKING_UP: Mapping[int, timedelta] = {
    1: timedelta(minutes=10),
    2: timedelta(minutes=30),
    3: timedelta(hours=2),
    4: timedelta(hours=6),
    5: timedelta(hours=12),
}
"""How long it takes until somebody has time for it, by priority."""
IMPROVED_SHARE = 0.75
"""What of that it takes where an improvement of the times of support is under way, or was kept."""
TARGETS: Mapping[int, tuple[timedelta, timedelta]] = {
    2: (timedelta(hours=4), timedelta(hours=24)),
    3: (timedelta(hours=8), timedelta(hours=24)),
    4: (timedelta(hours=16), timedelta(hours=72)),
}
"""To respond and to resolve what monitoring has noticed, by priority."""
WARNING_HOURS = 4.0
"""How long before a resolve target passes it is warned of, while no plan has set a time to restore."""
MOST_USERS = 1_000_000_000
"""More than live on a continent: so that sums stay within what a database can store."""
MAJOR_INCIDENT_MANAGER, SERVICE_DESK, DESK_MANAGER = "major incident manager", "service desk", "service desk manager"
HEAD = "head of service delivery"


class Targets(NamedTuple):
    """By when a task is to be taken up and done, and the agreement that says so, if one does."""

    respond_by: datetime
    resolve_by: datetime
    bound_by: str = ""


def take_support_task(
    task: SupportTaskRequested, resolution: Resolution, outlook: Read[Outlook]
) -> list[SupportTaskCompleted | Work | Later]:
    """Open the work of restoring the service and watch its targets; what is no restoring is refused."""
    if task.task != "resolve":
        return [not_restoring(task)]
    targets = tightened(Targets(task.respond_by, task.resolve_by), task, outlook)
    asked = (task.title, task.text, task.service or "", task.reopened)
    if resolution.status == "open" and asked == told_of(resolution):
        return []
    resolution.title, resolution.text, resolution.service, resolution.reopened = asked
    resolution.priority, resolution.users = task.priority, min(task.users_affected, MOST_USERS)
    return [*open_task(task, resolution, targets, outlook)]


def raise_incident(raised: IncidentRaised, resolution: Resolution, outlook: Read[Outlook]) -> list[Work | Later]:
    """Open the work on what monitoring has noticed before anybody complained."""
    if resolution.status != "none":
        return []
    resolution.title, resolution.text, resolution.service = raised.title, raised.text, raised.service
    resolution.priority, resolution.source = raised.priority, "monitoring"
    respond, resolve = TARGETS[raised.priority]
    return open_task(raised, resolution, Targets(raised.time + respond, raised.time + resolve), outlook)


def told_of(resolution: Resolution) -> tuple[str, str, str, int]:
    """What a task was asked for: the same once more opens nothing again."""
    return (resolution.title, resolution.text, resolution.service, resolution.reopened)


def tightened(targets: Targets, task: SupportTaskRequested, outlook: Outlook) -> Targets:
    """The targets, or the promises of an agreement with consumers where these are tighter."""
    for promise in outlook.promised(task.service, task.time):
        if promise.kind != "service_level":
            continue
        respond_by, resolve_by, _ = targets
        if promise.resolve is not None and task.time + timedelta(hours=promise.resolve) < resolve_by:
            resolve_by = task.time + timedelta(hours=promise.resolve)
        if promise.respond is not None and task.time + timedelta(hours=promise.respond) < respond_by:
            respond_by = task.time + timedelta(hours=promise.respond)
        if (respond_by, resolve_by) != targets[:2]:
            targets = Targets(min(respond_by, resolve_by), resolve_by, promise.agreement)
    return targets


def open_task(
    message: SupportTaskRequested | IncidentRaised, resolution: Resolution, targets: Targets, outlook: Outlook
) -> list[Work | Later]:
    """Begin a round of work: somebody takes it up, and its targets are watched from now on."""
    resolution.respond_by, resolution.bound_by = targets.respond_by, targets.bound_by
    resolution.taken_up_at, resolution.taken_up_by, resolution.escalations = None, "", 0
    resolution.waiting_since, resolution.waiting_for = None, ""
    owner = MAJOR_INCIDENT_MANAGER if resolution.priority == 1 else SERVICE_DESK
    done = ResolutionDone(demand=message.demand, service=resolution.service)
    effort = EFFORT[resolution.priority]
    resolution.begin(message, owner=owner, promised_by=targets.resolve_by, effort=effort, done=done)
    taken = SupportTaskTakenUp(demand=message.demand, by=owner, service=resolution.service, round=resolution.round)
    share = IMPROVED_SHARE if improved(resolution.service, message.time, outlook) else 1.0
    return [Work(TAKING_UP[resolution.priority] * share, taken), *watched(message, resolution, outlook)]


def improved(service: str, at: datetime, outlook: Outlook) -> bool:
    """Whether an initiative has tasks of this service taken up sooner."""
    return any(
        one.stage in ("approved", "kept")
        and one.measure in ("sla_met", "time_to_restore")
        and one.service in (None, service)
        and (one.starts_at is None or one.starts_at <= at)
        for one in outlook.initiatives
    )


def watched(message: Message, resolution: Resolution, outlook: Outlook) -> list[Later]:
    """The timers of a task's targets: to respond, a warning before it is too late, and to resolve."""
    respond_by, resolve_by = resolution.respond_by, resolution.promised_by
    if respond_by is None or resolve_by is None:
        raise ValueError(f"resolution {resolution.id} was begun without targets")
    passed = TargetPassed(
        demand=resolution.id,
        service=resolution.service,
        target="resolve",
        round=resolution.round,
        due_at=resolve_by,
    )
    timers = []
    if resolution.taken_up_at is None:
        respond = passed.model_copy(update={"target": "respond", "due_at": respond_by})
        timers.append(Later(respond_by, respond))
    half = (resolve_by - message.time) / timedelta(hours=1) / 2
    hours = min(outlook.goal("time-to-restore", WARNING_HOURS), half)
    if hours > 0:
        warning = passed.model_copy(update={"warning": True})
        timers.append(Later(resolve_by - timedelta(hours=hours), warning))
    return [*timers, Later(resolve_by, passed)]


def take_up_support_task(
    taken: SupportTaskTakenUp, resolution: Resolution, service: Read[LiveService]
) -> list[Answer | Work]:
    """Note who has taken the task up and when; the first one counts. A known error is not looked for again."""
    if resolution.status != "open" or taken.round not in (0, resolution.round):
        return [refusal(409, "No such support task is open", "`GET /work` lists what is open.")]
    answer = Answer(200, taken.model_copy(update={"by": resolution.taken_up_by or taken.by}))
    if resolution.taken_up_at is not None:
        return [answer]
    resolution.taken_up_at, resolution.taken_up_by = taken.time, taken.by
    known, _ = matching(resolution, service)
    effort = EFFORT[resolution.priority] * (KNOWN_ERROR_SHARE if known else 1.0)
    done = ResolutionDone(demand=taken.demand, service=resolution.service)
    return [answer, Work(effort, done, resolution.owner)]


def pause_support_task(paused: SupportTaskPaused, resolution: Resolution) -> list[Answer]:
    """Stop the clock, because the user is waited for."""
    if resolution.status != "open":
        return [refusal(409, "No such support task is open", "`GET /work` lists what is open.")]
    if resolution.waiting_since is not None:
        detail = f"The user is asked already: {resolution.waiting_for} Resume it when they have answered."
        return [refusal(409, "Its clock stands still already", detail)]
    resolution.waiting_since, resolution.waiting_for = paused.time, paused.asks
    return [Answer(200, paused)]


def resume_support_task(
    resumed: SupportTaskResumed, resolution: Resolution, outlook: Read[Outlook]
) -> list[Answer | Later]:
    """Let the clock go on: what was left of the targets is left still."""
    if resolution.status != "open" or resolution.waiting_since is None:
        detail = "Only a task whose user is waited for goes on; `POST /support-tasks/{demand}/wait` stops its clock."
        return [refusal(409, "Its clock is not stopped", detail)]
    go_on(resolution, resumed.time)
    return [Answer(200, resumed), *watched(resumed, resolution, outlook)]


def go_on(resolution: Resolution, time: datetime) -> None:
    """Put the targets off by the time that the user was waited for."""
    if resolution.waiting_since is None or resolution.promised_by is None or resolution.respond_by is None:
        return
    waited = max(time - resolution.waiting_since, timedelta(0))
    resolution.promised_by += waited
    if resolution.taken_up_at is None:
        resolution.respond_by += waited
    resolution.waiting_since, resolution.waiting_for = None, ""


def watch_target(passed: TargetPassed, resolution: Resolution, service: Read[LiveService]) -> list[SupportEscalated]:
    """Warn of a target that is near, and escalate a missed one, one level higher each time; a kept one is fine."""
    kept = resolution.status != "open" or (passed.target == "respond" and resolution.taken_up_at is not None)
    due_at = resolution.respond_by if passed.target == "respond" else resolution.promised_by
    if kept or passed.round != resolution.round or due_at is None or resolution.waiting_since is not None:
        return []
    if passed.due_at not in (None, due_at):
        return []  # it was put off while the user was waited for
    if not passed.warning:
        resolution.escalations += 1
    level = max(resolution.escalations, 1)
    return [
        SupportEscalated(
            demand=passed.demand,
            service=passed.service or None,
            priority=resolution.priority,
            target=passed.target,
            due_at=due_at,
            breached=not passed.warning,
            level=level,
            to=resolution.owner if passed.warning else escalated_to(level, resolution.priority, service),
        )
    ]


def escalated_to(level: int, priority: int, service: LiveService) -> str:
    """The role that has to act after a missed target; a major incident goes past the desk manager."""
    steps = (service.owner or HEAD, HEAD) if priority == 1 else (DESK_MANAGER, service.owner or HEAD)
    return steps[min(level, len(steps)) - 1]


def complete_support_task(
    done: ResolutionDone, resolution: Resolution, service: Read[LiveService]
) -> list[SupportTaskCompleted | ServicePerformanceReported | ServiceDelivered | IncidentCounted | Answer]:
    """Say how the incident ended, by the register and its known errors, and how that compares with the targets."""
    refused = resolution.finish(done)
    if refused:
        return [refused]
    go_on(resolution, done.time)
    restoration = restore(resolution, service, done.time)
    completed = completed_by(done, resolution, restoration)
    told = (performance_of(done, resolution, completed), *restored(done, resolution, service, restoration))
    return [completed, *told]


def complete_alarm(
    done: ResolutionDone, resolution: Resolution, service: Read[LiveService]
) -> list[ServicePerformanceReported | ServiceDelivered | IncidentCounted | Answer]:
    """Say how an incident ended that monitoring has raised: nobody waits for an answer, so none is given."""
    return [
        one for one in complete_support_task(done, resolution, service) if not isinstance(one, SupportTaskCompleted)
    ]
