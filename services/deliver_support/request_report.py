"""Measurement and reporting: how a request ended, what its requester has now, and how fast that was."""

from datetime import datetime
from typing import Literal

from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportTaskCompleted,
)
from contracts.event import Fact, Message
from services.deliver_support.incident_report import seconds, verdict_of
from services.deliver_support.request_model import (
    Access,
    Fulfilment,
    Offering,
)


def refuse(message: Message, request: Fulfilment, why: str, facts: tuple[Fact, ...]) -> SupportTaskCompleted:
    """Close a request that is not fulfilled, with the reason."""
    request.stage, request.reason, request.done_at = "refused", why, message.time
    return report(message, request, "refused", f"It is not fulfilled: {why}", (why,), facts)


def report(
    message: Message,
    request: Fulfilment,
    outcome: Literal["fulfilled", "refused"],
    resolution: str,
    reasons: tuple[str, ...],
    facts: tuple[Fact, ...],
) -> SupportTaskCompleted:
    """How a request has ended, beside its targets."""
    started_at = request.taken_up_at or message.time
    completed_at = max(message.time, started_at)  # whoever says that it is done may have a clock that is behind
    respond_by, resolve_by = request.respond_by or message.time, request.resolve_by or message.time
    return SupportTaskCompleted(
        reasons=reasons,
        basis=facts,
        demand=request.id,
        task=request.task,
        service=request.service or None,
        outcome=outcome,
        resolution=resolution,
        started_at=started_at,
        completed_at=completed_at,
        respond_by=respond_by,
        resolve_by=resolve_by,
        responded_in_time=started_at <= respond_by,
        resolved_in_time=completed_at <= resolve_by,
        escalations=request.escalations,
    )


def delivered(
    request: Fulfilment, at: datetime, outcome: Literal["fulfilled", "access_ended"], what: str, why: tuple[str, ...]
) -> ServiceDelivered:
    """What the consumer has of it now."""
    return ServiceDelivered(
        demand=request.id,
        service=request.service,
        title=request.title,
        outcome=outcome,
        what=what,
        delivered_at=at,
        reasons=why,
    )


def speed(request: Fulfilment, completed: SupportTaskCompleted) -> ServicePerformanceReported:
    """How fast a request was fulfilled, beside its targets."""
    asked_at, hours = request.asked_at or completed.started_at, request.service_hours
    return ServicePerformanceReported(
        demand=request.id,
        service=completed.service,
        priority=request.priority,
        respond_seconds=seconds(asked_at, completed.started_at, hours),
        respond_target_seconds=seconds(asked_at, completed.respond_by, hours),
        restore_seconds=seconds(asked_at, completed.completed_at, hours),
        restore_target_seconds=seconds(asked_at, completed.resolve_by, hours),
        met=completed.responded_in_time and completed.resolved_in_time,
        reasons=verdict_of(completed, "its priority"),
    )


def handed_over(request: Fulfilment, offering: Offering | None, access: Access, *, first: bool) -> str:
    """What the consumer has now, in words."""
    if not first:
        return f"{request.title} was looked at again, and put right."
    if offering is None:
        return f"You were trained for {request.service}."
    has = []
    if request.item:
        has.append(f"{request.goods} {request.unit} of {request.item} are yours")
    if offering.access and access.until:
        has.append(f"you may use {offering.access.resource} until {access.until:%d %B %Y %H:%M} UTC")
    if offering.action:
        has.append(f"done: {offering.action.what}")
    price = f" Price: {offering.price * request.quantity} euros." if offering.price else ""
    return f"{offering.title}: {'; '.join(has)}.{price}"


def approval_of(request: Fulfilment) -> tuple[str, ...]:
    """Who has approved it, as a sentence."""
    return (f"{request.approved_by} has approved it.",) if request.approved_by else ()
