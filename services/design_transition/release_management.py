"""Release management: what is installed, accepted and still holds may be used; what was refused does not come."""

from datetime import datetime, timedelta

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import DesignPerformanceReported, ServiceReleased, ServiceTransitionReported
from contracts.event import Fact
from contracts.stream import Streams
from services.chassis.outputs import Later
from services.design_transition.dimensions import assess
from services.design_transition.model import AgreementWanted, Design, NoticeGiven, ReviewDue
from services.design_transition.outcomes import performance, refuse, transition
from services.design_transition.registers import wanted_of
from services.design_transition.service_configuration import ServiceRecord

EARLY_SUPPORT = timedelta(days=14)
"""How long the makers of a release stand by; twice as long for one that is risky."""


def release_service(
    delivered: ServiceDelivered, design: Design, record: ServiceRecord, streams: Streams
) -> list[
    ServiceReleased | ServiceTransitionReported | DesignPerformanceReported | AgreementWanted | NoticeGiven | Later
]:
    """Let users have what was accepted and holds in all four dimensions today; what does not is refused."""
    if design.status != "deploying" or delivered.change != design.change:
        return []
    source = f"deployment of {delivered.change}"
    measures = (Fact(name=m.name, value=m.value, source=source) for m in delivered.measures)
    basis = (Fact(name="outcome", value=delivered.outcome, source=source), *measures)
    if delivered.outcome == "deployment_refused":
        return [*refuse(design, delivered.time, "change_refused", delivered.reasons, basis)]
    if delivered.outcome != "deployment_accepted":
        return []
    findings = assess(design, record, streams.get(design.stream), delivered.time)
    design.dimensions = tuple(finding.dimension for finding in findings)
    if failing := tuple(dimension.reason for dimension in design.dimensions if not dimension.passed):
        basis += tuple(fact for finding in findings for fact in finding.facts)
        wanted = wanted_of(record.contracts, design.service, design.requirements, design.id, delivered.time)
        return [*refuse(design, delivered.time, "change_refused", failing, basis), *wanted]
    return [*release(design, record, delivered.time, basis), *what_follows(design, record, delivered.time)]


def release(
    design: Design, record: ServiceRecord, time: datetime, basis: tuple[Fact, ...]
) -> list[ServiceReleased | ServiceTransitionReported | DesignPerformanceReported]:
    """Say that it may be used, what is known not to work, and until when its makers stand by."""
    if design.request:
        record.remove_errors(design.request.demands)
    errors, known = record.known_errors, f"record of {design.service}"
    worries = ["its change was of high risk"] if design.risk == "high" else []
    if record.review == "failed":
        worries.append("the change before failed its review")
    if errors:
        worries.append("a known error is left" if len(errors) == 1 else f"{len(errors)} known errors are left")
    support = EARLY_SUPPORT * (2 if worries else 1)
    stand_by = f"Its makers stand by for {support.days} days"
    reasons = (
        f"Release {record.releases + 1} of {design.service} is installed and accepted.",
        f"{stand_by}, because {' and '.join(worries)}." if worries else f"{stand_by}.",
    )
    basis += (
        Fact(name="risk", value=design.risk, source=f"change {design.change}"),
        Fact(name="last review", value=record.review, source=known),
        Fact(name="known errors", value=len(errors), source=known),
    )
    record.releases, record.demand, record.change = record.releases + 1, design.id, design.change
    record.requirements, record.early_support_until = design.requirements, time + support
    record.notice = record.retired_at = None
    released = ServiceReleased(
        demand=design.id,
        change=design.change,
        service=design.service,
        title=design.title,
        version=record.releases,
        released_at=time,
        components=design.components,
        requirements=design.requirements,
        known_errors=errors,
        early_support_until=record.early_support_until,
    )
    taken = design.move("released", time)
    return [released, transition(design, reasons), performance(design, "released", reasons, basis, taken_hours=taken)]


def what_follows(design: Design, record: ServiceRecord, time: datetime) -> list[Later | NoticeGiven]:
    """The change is reviewed afterwards; the service that it replaces is given notice."""
    due = ReviewDue(demand=design.id, service=design.service, change=design.change)
    follows: list[Later | NoticeGiven] = [Later(max(time, design.reviewed_at or time), due)]
    if record.replaces:
        follows.append(NoticeGiven(service=record.replaces, replaced_by=design.service))
    return follows
