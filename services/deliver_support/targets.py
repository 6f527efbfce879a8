"""Service level management: the targets of a task, counted in hours of service, and who acts when they pass."""

from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.deliver_support import SupportEscalated
from contracts.engage import SupportTaskRequested
from contracts.event import Message
from contracts.service_hours import AROUND_THE_CLOCK, ServiceHours, after, between
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.deliver_support.model import LiveService, Outlook, Promise, Resolution, TargetPassed

WARNING_HOURS = 4.0
"""How long before a resolve target passes it is warned of, while no plan has set a time to restore."""
MOST_PASSED = 50
"""Targets of one round that are kept as passed: each pause may put them off."""
DESK_MANAGER, HEAD = "service desk manager", "head of service delivery"


class Target(NamedTuple):
    """By when something is to be, the hours of service that count until then, and the agreement that says so."""

    due_at: datetime
    hours: ServiceHours = AROUND_THE_CLOCK
    bound_by: str = ""


class Targets(NamedTuple):
    """By when a task is to be taken up, and by when it is to be done."""

    respond: Target
    resolve: Target


def tightened(targets: Targets, task: SupportTaskRequested, outlook: Outlook) -> Targets:
    """The targets, or the promises of an agreement with consumers where these are tighter."""
    respond, resolve = targets
    for promise in outlook.promised(task.service, task.time):
        if promise.kind == "service_level":
            respond = sooner(respond, promise.respond, promise, task.time)
            resolve = sooner(resolve, promise.resolve, promise, task.time)
    return Targets(min(respond, resolve, key=lambda one: one.due_at), resolve)


def sooner(target: Target, promised: float | None, promise: Promise, since: datetime) -> Target:
    """The target, or what an agreement promises in its own hours of service if that is due before it."""
    if promised is None:
        return target
    due_at = after(since, timedelta(hours=promised), promise.service_hours)
    return Target(due_at, promise.service_hours, promise.agreement) if due_at < target.due_at else target


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
    half = between(message.time, resolve_by, resolution.resolve_hours) / timedelta(hours=1) / 2
    ahead = min(outlook.goal("time-to-restore", WARNING_HOURS), half)
    if ahead > 0:
        warning = passed.model_copy(update={"warning": True})
        timers.append(Later(after(resolve_by, timedelta(hours=-ahead), resolution.resolve_hours), warning))
    return [*timers, Later(resolve_by, passed)]


def go_on(resolution: Resolution, time: datetime) -> None:
    """Put the targets off by the hours of service in which the user was waited for: what was left of them is left."""
    if resolution.waiting_since is None or resolution.promised_by is None or resolution.respond_by is None:
        return
    since, until = resolution.waiting_since, max(time, resolution.waiting_since)
    resolution.promised_by = put_off(resolution.promised_by, since, until, resolution.resolve_hours)
    if resolution.taken_up_at is None:
        resolution.respond_by = put_off(resolution.respond_by, since, until, resolution.respond_hours)
    resolution.waiting_since, resolution.waiting_for = None, ""


def put_off(due_at: datetime, since: datetime, until: datetime, hours: ServiceHours) -> datetime:
    """When a target is due whose clock has stood still for a time; what was missed at the end of a day stays so."""
    left = between(since, due_at, hours)
    return after(until, left, hours) if left or due_at >= since else due_at


def watch_target(passed: TargetPassed, resolution: Resolution, service: Read[LiveService]) -> list[SupportEscalated]:
    """Warn of a target that is near, and escalate a missed one, one level higher each time; a kept one is fine."""
    kept = resolution.status != "open" or (passed.target == "respond" and resolution.taken_up_at is not None)
    due_at = resolution.respond_by if passed.target == "respond" else resolution.promised_by
    if kept or passed.round != resolution.round or due_at is None or resolution.waiting_since is not None:
        return []
    if passed.due_at not in (None, due_at):
        return []  # it was put off while the user was waited for
    what = f"{passed.target} {due_at.isoformat()}{' is near' * passed.warning}"
    if what in resolution.passed:
        return []  # the user was waited for while the service was closed, so it has a second timer
    resolution.passed = (*resolution.passed, what)[-MOST_PASSED:]
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
