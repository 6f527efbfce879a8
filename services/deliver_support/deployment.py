"""Deployment management: what has to be right before Deliver and support answers for a service."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Never

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import DeploymentPlanned, ServiceReleased
from contracts.engage import ServiceRequirementsStated
from contracts.event import Message
from contracts.obtain_build import ChangedServiceReported, ComponentProvided
from contracts.values import Measure
from services.chassis.outputs import Answer, Later, Work
from services.chassis.state import Read
from services.deliver_support.model import Deployment, DeploymentDone, DeploymentDue, LiveService, ProvidedPart
from services.deliver_support.problem_model import ProblemChangeEnded, ServiceChanged
from services.deliver_support.register import MOST_KNOWN_ERRORS
from services.deliver_support.restoration import released_errors

EFFORT = timedelta(hours=2)
"""How long installing takes."""
PATIENCE = timedelta(hours=24)
"""How long after the scheduled time a component is waited for."""
OWNER = "deployment team"


def install_when_ready(message: Message, deployment: Deployment, *, last_call: bool = False) -> list[Work | Later]:
    """Begin to install at the scheduled time; a component that is missing then is waited for, but not for ever."""
    due = DeploymentDue(demand=deployment.id, change=deployment.change)
    if deployment.scheduled_at is not None and deployment.scheduled_at > message.time:
        return [Later(deployment.scheduled_at, due)]
    if deployment.missing and not last_call:
        return [Later(message.time + PATIENCE, due.model_copy(update={"last_call": True}))]
    deployment.stage = "installing"
    done = DeploymentDone(demand=deployment.id)
    return [deployment.begin(message, owner=OWNER, promised_by=message.time + EFFORT, effort=EFFORT, done=done)]


def objections(deployment: Deployment) -> Iterator[str]:
    """Why this change is not taken into operation, as sentences; none if it is."""
    for component in deployment.missing:
        yield f"{component} was not provided within {PATIENCE // timedelta(hours=1)} hours of the scheduled time."
    if not deployment.back_out_plan.strip():
        yield "There is no back-out plan: nobody could get back if it goes wrong."
    if deployment.author and deployment.author == deployment.approved_by:
        yield f"{deployment.author} has approved their own change; somebody else has to."
    required = {requirement.name: requirement for requirement in deployment.requirements}
    for part in deployment.parts:
        if part.component not in deployment.components:
            continue
        for test in part.tests:
            if not test.passed:
                yield f"{part.component} failed the test {test.name} with {test.measured:g} {test.unit}".rstrip() + "."
            elif (need := required.get(test.name)) is not None and test.unit == need.unit:
                enough = test.measured >= need.target if need.better == "higher" else test.measured <= need.target
                if not enough:
                    wanted = f"{need.target:g} {need.unit}".rstrip()
                    yield f"{part.component} reaches {test.measured:g} in {need.name}; {wanted} is required."


def note_requirements(stated: ServiceRequirementsStated, deployment: Deployment) -> list[Never]:
    """Keep what the segment requires: it is held against the tests at installation, and kept by the live service."""
    deployment.requirements = stated.requirements
    return []


def plan_deployment(plan: DeploymentPlanned, deployment: Deployment) -> list[Work | Later | ServiceDelivered]:
    """Install an approved change at its scheduled time, once all of its components are there, if they can be had."""
    if plan.change == deployment.change:
        return []
    deployment.stage, deployment.change = "planned", plan.change
    deployment.service, deployment.title = plan.service, plan.title
    deployment.components, deployment.iterations = plan.components, plan.iterations
    deployment.author, deployment.approved_by = plan.author, plan.approved_by
    deployment.back_out_plan, deployment.scheduled_at = plan.back_out_plan, plan.scheduled_at
    if deployment.missing and deployment.not_obtainable:
        return [refuse_waiting(plan, deployment)]
    return [*install_when_ready(plan, deployment)]


def receive_component(part: ComponentProvided, deployment: Deployment) -> list[Work | Later]:
    """Take a component in, in its newest iteration; the last missing one starts work whose time has come."""
    known = next((one for one in deployment.parts if one.component == part.component), None)
    if known is not None and known.iteration >= part.iteration:
        return []
    provided = ProvidedPart(
        component=part.component, iteration=part.iteration, capacity=part.capacity, unit=part.unit, tests=part.tests
    )
    deployment.parts = (*(one for one in deployment.parts if one is not known), provided)
    due = deployment.scheduled_at is not None and deployment.scheduled_at <= part.time
    ready = deployment.stage == "planned" and due and not deployment.missing
    return install_when_ready(part, deployment) if ready else []


def end_waiting(
    reported: ChangedServiceReported, deployment: Deployment, service: Read[LiveService]
) -> list[ServiceDelivered | ProblemChangeEnded]:
    """Refuse a deployment whose parts cannot be had instead of waiting; a problem is without its change then."""
    missing = reported.outcome == "not_obtainable"
    deployment.not_obtainable = reported.reasons if missing else ()
    if not missing:
        return []
    why = f"The parts of its change cannot be had: {' '.join(reported.reasons)}"
    asked = [one for one in service.pending if one.demand == reported.demand and one.problem]
    told: list[ServiceDelivered | ProblemChangeEnded] = [
        ProblemChangeEnded(service=service.id, problem=one.problem, change=one.change, reason=why) for one in asked
    ]
    if deployment.stage == "planned" and deployment.missing:
        told.append(refuse_waiting(reported, deployment))
    return told


def refuse_waiting(message: ChangedServiceReported | DeploymentPlanned, deployment: Deployment) -> ServiceDelivered:
    """The refusal of a deployment that waits for parts that cannot be had."""
    deployment.stage = "refused"
    return ServiceDelivered(
        demand=message.demand,
        service=deployment.service,
        title=deployment.title,
        change=deployment.change,
        outcome="deployment_refused",
        what="nothing: the change was not installed",
        delivered_at=message.time,
        reasons=(f"{', '.join(deployment.missing)} cannot be had.", *deployment.not_obtainable),
    )


def start_deployment(due: DeploymentDue, deployment: Deployment) -> list[Work | Later]:
    """Begin to install what is scheduled for now, or give a missing component its last chance."""
    if deployment.stage != "planned" or deployment.change != due.change:
        return []
    return install_when_ready(due, deployment, last_call=due.last_call)


def finish_deployment(done: DeploymentDone, deployment: Deployment) -> list[ServiceDelivered | Answer]:
    """Accept what is installed, or refuse it with the reasons: from here on Deliver and support answers for it."""
    refused = deployment.finish(done)
    if refused:
        return [refused]
    against = tuple(objections(deployment))
    deployment.stage = "refused" if against else "accepted"
    installed = [part.component for part in deployment.parts if part.component in deployment.components]
    what = f"{deployment.title} is installed and not yet usable: {', '.join(installed)}"
    hours = (done.time - deployment.begun_at) / timedelta(hours=1) if deployment.begun_at else 0.0
    return [
        ServiceDelivered(
            demand=done.demand,
            service=deployment.service,
            title=deployment.title,
            change=deployment.change,
            outcome="deployment_refused" if against else "deployment_accepted",
            what="nothing: the change was not taken into operation" if against else what,
            delivered_at=done.time,
            reasons=against,
            measures=(
                Measure(name="components installed", value=len(installed), unit="components"),
                Measure(name="installation", value=round(hours, 2), unit="hours"),
            ),
        )
    ]


def take_live(
    released: ServiceReleased, deployment: Deployment, service: LiveService
) -> list[ServiceDelivered | ServiceChanged]:
    """Put a released service live; a change of it that was under way is no longer, and a problem behind it is told."""
    delivered = put_live(released, deployment, service)
    waited_for = [one for one in service.pending if one.demand == released.demand]
    if not waited_for or not delivered or delivered[0].outcome != "live":
        return [*delivered]
    service.pending = tuple(one for one in service.pending if one.demand != released.demand)
    changed = (ServiceChanged(service=service.id, change=released.change, problem=one.problem) for one in waited_for)
    return [*delivered, *changed]


def put_live(released: ServiceReleased, deployment: Deployment, service: LiveService) -> list[ServiceDelivered]:
    """Enter a released service into the register, so that users can have it; it must have been accepted before."""
    if deployment.change == released.change and deployment.stage == "live":
        return []
    if deployment.change != released.change or deployment.stage != "accepted":
        return [
            ServiceDelivered(
                demand=released.demand,
                service=released.service,
                title=released.title,
                change=released.change,
                outcome="deployment_refused",
                what="nothing: the release was not taken into operation",
                delivered_at=released.time,
                reasons=(f"The change {released.change} was released, but never accepted for operation.",),
            )
        ]
    deployment.stage = "live"
    service.title, service.change, service.release = released.title, released.change, released.version
    service.live_since = service.live_since or released.time
    service.owner = service.owner or f"owner of {released.title}"
    service.components = released.components or deployment.components
    service.requirements = released.requirements or deployment.requirements
    service.known_errors = (*released_errors(released), *service.known_errors)[:MOST_KNOWN_ERRORS]
    return [
        ServiceDelivered(
            demand=released.demand,
            service=released.service,
            title=released.title,
            change=released.change,
            outcome="live",
            what=f"{released.title}, ready to be used",
            delivered_at=released.time,
            measures=tuple(
                Measure(name=f"capacity of {part.component}", value=part.capacity, unit=part.unit)
                for part in deployment.parts
                if part.component in service.components
            ),
        )
    ]
