"""Change enablement: what operation asks to change is judged by what it saves and costs, and how soon it does harm."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from contracts.deliver_support import ChangeRequested
from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.event import Fact
from contracts.plan import ComponentNeed
from contracts.values import Level
from services.chassis.outputs import Begin, Later, Work
from services.chassis.state import Read
from services.design_transition.change_policy import ChangePolicy, ChangeRules
from services.design_transition.model import ChangeAsked, Design, Designing
from services.design_transition.outcomes import refuse
from services.design_transition.service_configuration import ServiceRecord
from services.design_transition.service_design import draw

STREAM = "change-a-live-service"
"""The value stream of a change that needs no decision of the portfolio."""
YEARS: Mapping[Level, int] = {1: 3, 2: 2, 3: 1}
"""Within how many years a change has to save what it costs, by its urgency: for one that can wait it is one."""
HOURS: Mapping[Level, float] = {1: 24.0, 2: 72.0, 3: 168.0}
"""How long such a change may take, by its urgency."""


class Case(NamedTuple):
    """What a request is judged by."""

    urgency: Level
    worth: int
    """What it saves within the years that count, in euros."""
    effort: int
    """What it is guessed to cost; without a guess, the most that it may."""


def hear_change_request(request: ChangeRequested) -> list[Begin]:
    """Take up what incidents, problems and requests ask for; what operation re-orders is Obtain/build's."""
    if request.origin == "operation":
        return []
    asked = ChangeAsked(
        demand=uuid5(NAMESPACE_URL, request.change), service=request.service, request=request, request_id=request.id
    )
    return [Begin(STREAM, asked)]


def weigh_change_request(
    asked: ChangeAsked, design: Design, designing: Designing, record: Read[ServiceRecord], policy: Read[ChangePolicy]
) -> list[Work | Later | ServiceTransitionReported | DesignPerformanceReported]:
    """Design a change that pays within the limit, refuse another; in a freeze only what is urgent is judged."""
    if design.under_way or design.status == "released" or design.request == asked.request:
        return []
    request, (rules, ordered_by) = asked.request, policy.at(asked.time)
    case = case_for(request, rules)
    thawed_at = rules.outside_of_freeze(asked.time)
    if case.urgency > 1 and thawed_at > asked.time:
        return [Later(thawed_at, asked)]

    source = f"change request {request.change}"
    basis = (
        Fact(name="benefit (euros a year)", value=request.benefit, source=source),
        Fact(name="effort (euros)", value=case.effort, source=source if request.effort is not None else ordered_by),
        Fact(name="urgency", value=request.urgency, source=source),
        Fact(name="workaround", value=request.workaround or "none", source=source),
        Fact(name="standard_up_to", value=rules.standard_up_to, source=ordered_by),
        Fact(name="retired", value=record.retired_at is not None, source=f"record of {request.service}"),
    )
    design.request, design.authorised_by, design.change = request, asked.request_id, request.change
    design.title, design.service, design.stream = request.title, request.service, asked.stream
    if objections := objections_to(case, record, rules):
        return [*refuse(design, asked.time, "change_refused", objections, basis)]
    part = request.component or f"{request.service}-correction"
    amount, unit = request.quantity or 1.0, request.unit or "pieces"
    design.needs = (ComponentNeed(component=part, description=request.title, capacity=amount, unit=unit),)
    design.requirements = tuple(one for one in record.requirements if one.kind == "warranty" and one.unit != unit)
    design.budget, design.users = min(rules.standard_up_to, case.worth), max(1, len(request.demands))
    design.lead_time_hours = HOURS[case.urgency]
    design.wanted_by = asked.time + timedelta(hours=design.lead_time_hours) if case.urgency == 1 else None
    return [draw(asked, design, designing)]


def case_for(request: ChangeRequested, rules: ChangeRules) -> Case:
    """What it is worth. Where users have a workaround it is less urgent."""
    urgency: Level = min(3, request.urgency + 1) if request.workaround else request.urgency
    effort = rules.standard_up_to if request.effort is None else request.effort
    return Case(urgency, request.benefit * YEARS[urgency], effort)


def objections_to(case: Case, record: ServiceRecord, rules: ChangeRules) -> tuple[str, ...]:
    """Why a change is not made; empty if it is."""
    found = []
    if record.retired_at:
        found.append(f"{record.id} was retired on {record.retired_at:%Y-%m-%d}.")
    if case.effort > rules.standard_up_to:
        limit = f"without a decision of the portfolio {rules.standard_up_to} may be spent"
        found.append(f"It is guessed to cost {case.effort} euros, and {limit}.")
    if case.worth <= case.effort:
        years = "1 year" if YEARS[case.urgency] == 1 else f"{YEARS[case.urgency]} years"
        found.append(f"Within {years} it would save {case.worth} euros and cost {case.effort}.")
    return tuple(found)
