"""Measurement and reporting: how an incident ended, and how fast that was beside its targets."""

from datetime import datetime

from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportTaskCompleted,
)
from contracts.event import Fact
from contracts.service_hours import AROUND_THE_CLOCK, ServiceHours, between
from services.deliver_support.model import (
    LiveService,
    Resolution,
    ResolutionDone,
)
from services.deliver_support.problem import words_of
from services.deliver_support.problem_model import Incident, IncidentCounted
from services.deliver_support.restoration import Restoration


def completed_by(done: ResolutionDone, resolution: Resolution, restoration: Restoration) -> SupportTaskCompleted:
    """The report on a task, with the agreement that its targets came from."""
    _, respond_by, resolve_by = times_of(resolution)
    started_at = resolution.taken_up_at or done.time
    completed_at = max(done.time, started_at)  # whoever says that it is done may have a clock that is behind
    bound = f"The agreement {resolution.bound_by} promises it by {resolve_by:%d %B %H:%M} UTC."
    promised = Fact(name="bound by", value=resolution.bound_by, source="agreement in force when it was asked for")
    return SupportTaskCompleted(
        reasons=(*restoration.reasons, *([bound] if resolution.bound_by else [])),
        basis=(*restoration.basis, *([promised] if resolution.bound_by else [])),
        demand=done.demand,
        task="resolve",
        service=resolution.service or None,
        outcome=restoration.outcome,
        resolution=restoration.resolution,
        problem=restoration.problem,
        started_at=started_at,
        completed_at=completed_at,
        respond_by=respond_by,
        resolve_by=resolve_by,
        responded_in_time=started_at <= respond_by,
        resolved_in_time=completed_at <= resolve_by,
        escalations=resolution.escalations,
    )


def performance_of(
    done: ResolutionDone, resolution: Resolution, completed: SupportTaskCompleted
) -> ServicePerformanceReported:
    """How fast the service was restored, beside its targets, by the clock of its hours of service."""
    begun_at, respond_by, resolve_by = times_of(resolution)
    return ServicePerformanceReported(
        demand=done.demand,
        service=completed.service,
        priority=resolution.priority,
        respond_seconds=seconds(begun_at, completed.started_at, resolution.respond_hours),
        respond_target_seconds=seconds(begun_at, respond_by, resolution.respond_hours),
        restore_seconds=seconds(begun_at, done.time, resolution.resolve_hours),
        restore_target_seconds=seconds(begun_at, resolve_by, resolution.resolve_hours),
        met=completed.responded_in_time and completed.resolved_in_time and completed.outcome != "unresolved",
        reasons=verdict_of(completed, f"agreement {resolution.bound_by}" if resolution.bound_by else "its priority"),
    )


def verdict_of(completed: SupportTaskCompleted, source: str) -> tuple[str, ...]:
    """Which of the targets were kept, and where they come from."""
    kept = {
        f"taken up by {completed.respond_by:%d %B %H:%M}": completed.responded_in_time,
        f"done by {completed.resolve_by:%d %B %H:%M}": completed.resolved_in_time,
    }
    verdicts = tuple(f"It was {'' if met else 'not '}{what} UTC, the target of {source}." for what, met in kept.items())
    return (*verdicts, "It was not resolved.") if completed.outcome == "unresolved" else verdicts


def restored(
    done: ResolutionDone, resolution: Resolution, service: LiveService, restoration: Restoration
) -> list[ServiceDelivered | IncidentCounted]:
    """Tell that the service is usable again, and count the incident; nothing if it is not."""
    if restoration.outcome == "unresolved":
        return []
    begun_at, _, _ = times_of(resolution)
    hours = seconds(begun_at, done.time) / 3600  # whoever was hindered was so around the clock
    incident = Incident(
        demand=done.demand,
        round=resolution.round,
        title=resolution.title,
        words=words_of(resolution.title),
        begun_at=begun_at,
        ended_at=done.time,
        hours=hours,
        users=resolution.users,
        known_error=restoration.problem or "",
    )
    delivered = ServiceDelivered(
        demand=done.demand,
        service=service.id,
        title=service.title,
        outcome="supported",
        what=restoration.resolution,
        delivered_at=done.time,
        reasons=restoration.reasons,
    )
    major = resolution.priority == 1
    counted = IncidentCounted(service=service.id, incident=incident, resolution=restoration.resolution, major=major)
    return [delivered, counted]


def times_of(resolution: Resolution) -> tuple[datetime, datetime, datetime]:
    """When a task was begun, and its targets."""
    begun_at, respond_by, resolve_by = resolution.begun_at, resolution.respond_by, resolution.promised_by
    if begun_at is None or respond_by is None or resolve_by is None:
        raise ValueError(f"resolution {resolution.id} was begun without a time or a target")
    return begun_at, respond_by, resolve_by


def seconds(begin: datetime, end: datetime, hours: ServiceHours = AROUND_THE_CLOCK) -> float:
    """Between two moments; none where the end came first: a target that had passed before the task was asked for."""
    return max(0.0, between(begin, end, hours).total_seconds())
