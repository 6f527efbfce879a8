"""The four dimensions of service management: the facts in each that a way to meet a demand can fail by."""

from datetime import datetime

from contracts.value_chain import DESIGN_TRANSITION, OBTAIN_BUILD, TITLES
from contracts.values import DimensionAssessment
from services.plan.market import SupplierOffer
from services.plan.model import CatalogueEntry, ChainPerformance

OVERLOADED = 0.5
"""From this share of all lead time on, the activity where cases wait has nobody for something new."""
UNSTABLE = 10
"""A service that had to be restored so often in a month is mended before anything is added to it."""
REFUSED_AGAIN = 2
"""So many refused deployments in a month say that the way into operation does not work."""
MAKERS = (DESIGN_TRANSITION, OBTAIN_BUILD)
"""The activities whose people make something new."""


def dimensions_of(
    *,
    extends: bool,
    own: bool,
    offers: list[SupplierOffer],
    shaky: list[SupplierOffer],
    entry: CatalogueEntry,
    performance: ChainPerformance,
    at: datetime,
) -> tuple[DimensionAssessment, ...]:
    """How a way stands in each of the four: people, technology, partners, and the streams that bring it about."""
    busy, waiting = performance.bottleneck, performance.bottleneck_waiting
    overloaded = own and busy in MAKERS and waiting >= OVERLOADED
    restored = entry.recent("supported", at) if extends else 0
    gone = next((offer for offer in shaky if offer.status == "ended"), None) if extends else None
    refused = entry.recent("deployment_refused", at) if extends else 0
    partner = "It rests on no supplier." if extends or own or not offers else f"{offers[0].name} supplies it."
    return (
        DimensionAssessment(
            dimension="organisations_and_people",
            passed=not overloaded,
            reason=f"{TITLES.get(busy, busy)} is where {waiting:.0%} of all time is spent waiting: it has nobody free."
            if overloaded
            else "Those who would make it are not where everything waits.",
        ),
        DimensionAssessment(
            dimension="information_and_technology",
            passed=restored < UNSTABLE,
            reason=f"It was restored {restored} times in 30 days."
            if restored
            else "Nothing it builds on had to be restored in 30 days.",
        ),
        DimensionAssessment(
            dimension="partners_and_suppliers",
            passed=gone is None,
            reason=f"It rests on {gone.service} of {gone.name}, which has ended." if gone else partner,
        ),
        DimensionAssessment(
            dimension="value_streams_and_processes",
            passed=refused < REFUSED_AGAIN,
            reason=f"Operation refused {refused} deployments to it in 30 days."
            if refused
            else "Operation has refused no deployment to it in 30 days.",
        ),
    )


def failing(dimensions: tuple[DimensionAssessment, ...]) -> list[str]:
    """The facts by which a way fails; none if it stands in all four."""
    return [assessment.reason for assessment in dimensions if not assessment.passed]
