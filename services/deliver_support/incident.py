"""Incident management: from the request, or an alarm, to the restored service, against respond and resolve targets."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportTaskCompleted,
)
from contracts.engage import SupportTaskRequested
from contracts.service_hours import after
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
)
from services.deliver_support.problem_model import IncidentCounted, IncidentRaised
from services.deliver_support.restoration import matching, not_restoring, restore
from services.deliver_support.targets import Target, Targets, go_on, tightened, watched

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
MOST_USERS = 1_000_000_000
"""More than live on a continent: so that sums stay within what a database can store."""
MAJOR_INCIDENT_MANAGER, SERVICE_DESK = "major incident manager", "service desk"


def take_support_task(
    task: SupportTaskRequested, resolution: Resolution, outlook: Read[Outlook]
) -> list[SupportTaskCompleted | Work | Later]:
    """Open the work of restoring the service and watch its targets; what is no restoring is refused."""
    if task.task != "resolve":
        return [not_restoring(task)]
    hours = task.service_hours
    targets = tightened(Targets(Target(task.respond_by, hours), Target(task.resolve_by, hours)), task, outlook)
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
    hours = outlook.hours(raised.service, raised.time)
    respond, resolve = (Target(after(raised.time, effort, hours), hours) for effort in TARGETS[raised.priority])
    return open_task(raised, resolution, Targets(respond, resolve), outlook)


def told_of(resolution: Resolution) -> tuple[str, str, str, int]:
    """What a task was asked for: the same once more opens nothing again."""
    return (resolution.title, resolution.text, resolution.service, resolution.reopened)


def open_task(
    message: SupportTaskRequested | IncidentRaised, resolution: Resolution, targets: Targets, outlook: Outlook
) -> list[Work | Later]:
    """Begin a round of work: somebody takes it up, and its targets are watched from now on."""
    respond, resolve = targets
    resolution.respond_by, resolution.respond_hours = respond.due_at, respond.hours
    resolution.resolve_hours, resolution.bound_by = resolve.hours, resolve.bound_by or respond.bound_by
    resolution.taken_up_at, resolution.taken_up_by, resolution.escalations = None, "", 0
    resolution.waiting_since, resolution.waiting_for, resolution.passed = None, "", ()
    owner = MAJOR_INCIDENT_MANAGER if resolution.priority == 1 else SERVICE_DESK
    done = ResolutionDone(demand=message.demand, service=resolution.service)
    effort = EFFORT[resolution.priority]
    resolution.begin(message, owner=owner, promised_by=resolve.due_at, effort=effort, done=done)
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
    share = KNOWN_ERROR_SHARE if known else 1.0
    done = ResolutionDone(demand=taken.demand, service=resolution.service)
    return [answer, Work(EFFORT[resolution.priority], done, resolution.owner, share)]


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
