"""Early life: what users had to be helped with after a release; the review of its change; and the end of a service."""

from datetime import timedelta
from typing import Never

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.event import Fact
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.design_transition.change_policy import ChangePolicy
from services.design_transition.model import Design, NoticeGiven, RetirementDue, ReviewDue
from services.design_transition.outcomes import performance
from services.design_transition.service_configuration import MOST_SERVED, Incident, Notice, ServiceRecord

QUIET = timedelta(days=7)
"""How long a release must have been without an incident before its makers leave it."""
MOST_EARLY_INCIDENTS = 2
"""Incidents of early life with which a change still passes its review."""
MOST_HELD_BACK = 3
"""How often a retirement is held back before it comes in spite of those who were newly served."""


def hear_delivery(delivered: ServiceDelivered, record: ServiceRecord) -> list[Never]:
    """An incident lengthens the early life of a release; who is newly served holds back a retirement."""
    early = record.early_support_until
    if delivered.outcome == "supported" and early and delivered.time < early:
        incident = Incident(
            change=record.change,
            demand=delivered.demand,
            title=delivered.title,
            what=delivered.what,
            at=delivered.delivered_at,
        )
        if record.note(incident):
            record.early_support_until = max(early, delivered.time + QUIET)
    notice = record.notice
    if delivered.outcome == "fulfilled" and notice and delivered.demand not in notice.served:
        served = (*notice.served, delivered.demand)[-MOST_SERVED:]
        record.notice = notice.model_copy(update={"served": served})
    return []


def review_change(due: ReviewDue, design: Design, record: ServiceRecord) -> list[DesignPerformanceReported]:
    """A change has failed after which users needed help often, or for the same twice; the next is riskier."""
    if design.status != "released" or design.change != due.change or design.review != "none":
        return []
    incidents = [incident for incident in record.incidents if incident.change == due.change]
    titles = [incident.title for incident in incidents]
    repeated = sorted({title for title in titles if titles.count(title) > 1})
    failed = len(incidents) > MOST_EARLY_INCIDENTS or bool(repeated)
    design.review = "failed" if failed else "succeeded"
    if record.change == due.change:
        record.review = design.review
    if not failed:
        return []
    reasons = (
        f"{len(incidents)} incidents followed the change, and {MOST_EARLY_INCIDENTS} are tolerated.",
        *(f"It came back: {title}" for title in repeated),
    )
    known = f"record of {due.service}"
    basis = (
        Fact(name="incidents in early life", value=len(incidents), source=known),
        Fact(name="most incidents in early life", value=MOST_EARLY_INCIDENTS, source="rule of Design and transition"),
        Fact(name="incidents that came back", value=len(repeated), source=known),
    )
    taken = (due.time - design.since) / timedelta(hours=1) if design.since else 0.0
    lesson = f"Test {design.service} for what users met in its early life: {', '.join(dict.fromkeys(titles))}."
    return [performance(design, "validation_failed", reasons, basis, taken_hours=max(0.0, taken), opportunity=lesson)]


def give_notice(given: NoticeGiven, record: ServiceRecord, policy: Read[ChangePolicy]) -> list[Later]:
    """Announce the end of a service that has a successor, as long ahead as the policy orders."""
    if record.notice or record.retired_at:
        return []
    hours = policy.at(given.time)[0].retirement_notice_hours
    until = given.time + timedelta(hours=hours)
    record.notice = Notice(until=until, hours=hours, replaced_by=given.replaced_by)
    return [Later(until, RetirementDue(demand=record.case_of_its_end, service=given.service))]


def retire_service(due: RetirementDue, record: ServiceRecord) -> list[ServiceTransitionReported | Later]:
    """Retire a service after its notice; hold that back while somebody is still newly served by it."""
    notice = record.notice
    if notice is None or due.time < notice.until:
        return []
    if notice.served and notice.held_back < MOST_HELD_BACK:
        until = due.time + timedelta(hours=notice.hours)
        later = {"until": until, "held_back": notice.held_back + 1, "served": ()}
        record.notice = notice.model_copy(update=later)
        return [Later(until, due)]
    record.notice, record.retired_at = None, due.time
    held_back = f" It was held back {notice.held_back} times for those who were newly served." * (notice.held_back > 0)
    reasons = (
        f"{notice.replaced_by} has taken its place, and the notice of {notice.hours:g} hours is over.{held_back}",
    )
    return [
        ServiceTransitionReported(
            demand=due.demand,
            service=due.service,
            title=f"End of {due.service}",
            change=record.change or None,
            outcome="retired",
            replaced_by=notice.replaced_by,
            reasons=reasons,
        )
    ]
