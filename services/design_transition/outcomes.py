"""What a design tells: the specification of its parts, how its stages came out, and how it ended."""

from datetime import datetime

from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported, SpecificationIssued
from contracts.event import Fact
from services.design_transition.model import Design, DesignOutcome


def issue(
    design: Design, reasons: tuple[str, ...], basis: tuple[Fact, ...], rework_of: str | None = None
) -> SpecificationIssued:
    """The specification of every part that is awaited now."""
    return SpecificationIssued(
        demand=design.id,
        service=design.service,
        iteration=design.iteration,
        components=tuple(part.specification for part in design.parts if part.result == "awaited"),
        requirements=design.requirements,
        dimensions=design.dimensions,
        rework_of=rework_of,
        reasons=reasons,
        basis=basis,
    )


def transition(design: Design, reasons: tuple[str, ...]) -> ServiceTransitionReported:
    """The end of a design, as its status says it: released or refused."""
    return ServiceTransitionReported(
        demand=design.id,
        service=design.service,
        title=design.title,
        change=design.change or None,
        outcome="released" if design.status == "released" else "refused",
        reasons=reasons,
    )


def performance(
    design: Design,
    outcome: DesignOutcome,
    reasons: tuple[str, ...],
    basis: tuple[Fact, ...],
    *,
    taken_hours: float,
    promised_hours: float | None = None,
    opportunity: str = "",
) -> DesignPerformanceReported:
    """How a stage of the design came out, and how long it took."""
    return DesignPerformanceReported(
        demand=design.id,
        service=design.service,
        outcome=outcome,
        iteration=max(1, design.iteration),
        promised_hours=promised_hours,
        taken_hours=taken_hours,
        opportunity=opportunity,
        reasons=reasons,
        basis=basis,
    )


def refuse(
    design: Design, time: datetime, outcome: DesignOutcome, reasons: tuple[str, ...], basis: tuple[Fact, ...]
) -> list[ServiceTransitionReported | DesignPerformanceReported]:
    """End a design: the service will not come, and these are the reasons."""
    taken = design.move("refused", time)
    return [transition(design, reasons), performance(design, outcome, reasons, basis, taken_hours=taken)]
