"""Service design: a funded need becomes a design that holds in the four dimensions, or is refused with the reasons."""

from datetime import datetime, timedelta
from typing import Literal

from contracts.design_transition import (
    ChangeProposed,
    ComponentSpecification,
    DesignPerformanceReported,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.engage import DemandConsolidated, ServiceRequirementsStated
from contracts.event import Fact, Message
from contracts.initiative import Standing
from contracts.obtain_build import ChangedServiceReported
from contracts.plan import ComponentNeed, PortfolioDecisionMade
from contracts.stream import Streams
from services.chassis.outputs import Answer, Work
from services.chassis.state import Read
from services.design_transition.continual_improvement import RIGHT_FIRST_TIME, ChainHealth
from services.design_transition.dimensions import assess
from services.design_transition.model import AgreementWanted, Brief, Design, Designing, DesigningDone, Part
from services.design_transition.outcomes import issue, performance, refuse
from services.design_transition.registers import wanted_of
from services.design_transition.service_configuration import ServiceRecord

DESIGN_SHARE = 0.2
"""The share of the blueprint's lead time that designing may take."""
PARTS_SHARE = 0.8
"""The share of the blueprint's lead time after which the parts are needed: the rest is to validate and deploy them."""
EARLY_TEST = "a first piece is tested before the rest is made"
"""What parts are tested for as well while more designs are to be right the first time."""


def take_demand(demand: DemandConsolidated, brief: Brief, design: Design, designing: Designing) -> list[Work]:
    """Note whom the service is for and when they need it."""
    brief.demand = demand
    return begin_design(demand, brief, design, designing)


def take_requirements(
    stated: ServiceRequirementsStated, brief: Brief, design: Design, designing: Designing
) -> list[Work]:
    """Note what the service must reach."""
    brief.requirements = stated
    return begin_design(stated, brief, design, designing)


def take_decision(decision: PortfolioDecisionMade, brief: Brief, design: Design, designing: Designing) -> list[Work]:
    """Note that the service is funded; what is deferred or rejected is not designed."""
    if decision.decision != "approve" or decision.blueprint is None:
        return []
    brief.decision, brief.decision_id = decision, decision.id
    return begin_design(decision, brief, design, designing)


def begin_design(message: Message, brief: Brief, design: Design, designing: Designing) -> list[Work]:
    """Begin as soon as demand, requirements and decision are all here, whichever came last."""
    demand, stated, decision = brief.demand, brief.requirements, brief.decision
    if demand is None or stated is None or decision is None or decision.blueprint is None or design.under_way:
        return []
    design.title, design.service, design.stream = decision.title, decision.service, message.stream
    design.needs, design.lead_time_hours = decision.blueprint.components, decision.blueprint.lead_time_hours
    design.requirements, design.users, design.wanted_by = stated.requirements, demand.users, demand.wanted_by
    design.budget, design.authorised_by, design.request, design.change = decision.cost, brief.decision_id, None, ""
    brief.demand = brief.requirements = brief.decision = brief.decision_id = None
    return [draw(message, design, designing)]


def draw(message: Message, design: Design, designing: Designing) -> Work:
    """Have the design drawn, with nothing left of an earlier one for the same demand."""
    design.rounds, design.parts, design.dimensions = 0, (), ()
    design.risk, design.reviewed_at, design.review = "low", None, "none"
    design.move("designing", message.time)
    effort = timedelta(hours=design.lead_time_hours * DESIGN_SHARE)
    done = DesigningDone(demand=design.id, service=design.service)
    promised_by = message.time + effort
    return designing.begin(message, owner="service designer", promised_by=promised_by, effort=effort, done=done)


def assess_design(
    done: DesigningDone,
    design: Design,
    designing: Designing,
    record: Read[ServiceRecord],
    health: Read[ChainHealth],
    streams: Streams,
) -> list[
    SpecificationIssued
    | ChangeProposed
    | DesignPerformanceReported
    | ServiceTransitionReported
    | AgreementWanted
    | Answer
]:
    """Specify the parts and propose the change if the design holds in all four dimensions; else refuse it."""
    refused = designing.finish(done)
    if refused:
        return [refused]
    released_at = done.time + timedelta(hours=design.lead_time_hours * (1 - DESIGN_SHARE))
    findings = assess(design, record, streams.get(design.stream), released_at)
    design.dimensions = tuple(finding.dimension for finding in findings)
    design.author, design.iteration = done.by, design.iteration + 1
    basis = tuple(fact for finding in findings for fact in finding.facts)
    failing = tuple(dimension.reason for dimension in design.dimensions if not dimension.passed)
    if failing:
        wanted = wanted_of(record.contracts, design.service, design.requirements, design.id, released_at)
        return [*refuse(design, done.time, "design_refused", failing, basis), *wanted]

    improving = health.improving(RIGHT_FIRST_TIME, design.service, done.time)
    specified = [specify(need, design, improving) for need in design.needs]
    design.rounds, design.parts = 1, tuple(Part(specification=s, iteration=design.iteration) for s in specified)
    reasons = tuple(dimension.reason for dimension in design.dimensions)
    if improving:
        reasons += (f"{improving.initiative} is to make more designs right the first time: each part is tested early.",)
        basis += (Fact(name="initiative", value=improving.initiative, source="improvement register"),)
    taken, promised = design.move("obtaining", done.time), design.lead_time_hours * DESIGN_SHARE
    designed = performance(design, "designed", reasons, basis, taken_hours=taken, promised_hours=promised)
    return [propose(design, done.time), issue(design, reasons, basis), designed]


def propose(design: Design, time: datetime) -> ChangeProposed:
    """The change that is authorised: one that was asked for, or one numbered after its portfolio decision."""
    assert design.authorised_by is not None, "a design begins with what authorises it"
    origin: Literal["portfolio_decision", "problem", "change_request"] = "portfolio_decision"
    if design.request:
        origin = "change_request" if design.request.origin == "request" else "problem"
    else:
        design.change = f"CHG-{design.authorised_by.hex[:12].upper()}"
    return ChangeProposed(
        demand=design.id,
        change=design.change,
        service=design.service,
        title=design.title,
        origin=origin,
        authorised_by=design.authorised_by,
        budget=design.budget,
        wanted_by=time + timedelta(hours=design.lead_time_hours * (PARTS_SHARE - DESIGN_SHARE)),
        reasons=(f"The {design.authority.rpartition(' ')[0]} funds {design.service} with {design.budget} euros.",),
        basis=(
            Fact(name="authorised cost", value=design.budget, source=design.authority),
            Fact(name="lead time (hours)", value=design.lead_time_hours, source=design.authority),
        ),
    )


def specify(need: ComponentNeed, design: Design, improving: Standing | None) -> ComponentSpecification:
    """One part of the blueprint and what it is tested for.

    A requirement counted in the unit of some parts (users, pieces) is tested on those; any other one on every part.
    """
    counted = {other.unit for other in design.needs} - {need.unit}
    tested = tuple(requirement.name for requirement in design.requirements if requirement.unit not in counted)
    return ComponentSpecification(
        component=need.component,
        description=need.description,
        capacity=need.capacity,
        unit=need.unit,
        acceptance=(*tested, EARLY_TEST) if improving else tested,
    )


def hear_that_parts_cannot_be_had(changed: ChangedServiceReported, design: Design) -> list[DesignPerformanceReported]:
    """Close a design whose parts cannot be had. Plan hears of it from Obtain/build itself."""
    if changed.outcome != "not_obtainable" or design.status != "obtaining" or changed.change != design.change:
        return []
    basis = (Fact(name="parts", value=changed.outcome, source=f"changed service {changed.service}"),)
    taken = design.move("refused", changed.time)
    return [performance(design, "design_refused", changed.reasons, basis, taken_hours=taken)]
