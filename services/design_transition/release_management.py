"""Release management: what is installed and accepted may be used; what was refused does not come."""

from datetime import timedelta

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import DesignPerformanceReported, ServiceReleased, ServiceTransitionReported
from contracts.event import Fact
from services.design_transition.model import Design, ServiceRecord
from services.design_transition.outcomes import performance, refuse, transition

EARLY_SUPPORT = timedelta(days=14)
"""How long the makers of a release stand by."""


def release_service(
    delivered: ServiceDelivered, design: Design, record: ServiceRecord
) -> list[ServiceReleased | ServiceTransitionReported | DesignPerformanceReported]:
    """Let users have what Deliver and support has accepted; what it refused does not come."""
    if design.status != "deploying" or delivered.change != design.change:
        return []
    source = f"deployment of {delivered.change}"
    measures = (Fact(name=m.name, value=m.value, source=source) for m in delivered.measures)
    basis = (Fact(name="outcome", value=delivered.outcome, source=source), *measures)
    if delivered.outcome == "deployment_refused":
        return [*refuse(design, delivered.time, "change_refused", delivered.reasons, basis)]
    if delivered.outcome != "deployment_accepted":
        return []
    record.releases += 1
    released = ServiceReleased(
        demand=design.id,
        change=design.change,
        service=design.service,
        title=design.title,
        version=record.releases,
        released_at=delivered.time,
        components=design.components,
        requirements=design.requirements,
        early_support_until=delivered.time + EARLY_SUPPORT,
    )
    reasons = (f"Release {record.releases} of {design.service} is installed and accepted.",)
    taken = design.move("released", delivered.time)
    told = performance(design, "released", reasons, basis, taken_hours=taken)
    return [released, transition(design, reasons), told]
