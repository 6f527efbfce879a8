"""What Deliver and support decides: how an incident ends, whether a change is taken into operation, what is live."""

from datetime import datetime, timedelta
from typing import Never

from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportEscalated,
    SupportTaskCompleted,
)
from contracts.design_transition import DeploymentPlanned, ServiceReleased
from contracts.engage import ServiceRequirementsStated, SupportTaskRequested
from contracts.obtain_build import ComponentProvided
from contracts.value_chain import DELIVER_SUPPORT
from contracts.values import Measure
from services.chassis.handlers import Handlers
from services.chassis.outputs import Answer, Later, Work, refusal
from services.chassis.state import Read
from services.deliver_support.deployment import install_when_ready, objections
from services.deliver_support.incident import (
    EFFORT,
    TAKING_UP,
    escalated_to,
    not_restoring,
    owner_of,
    released_errors,
    restore,
)
from services.deliver_support.model import (
    Deployment,
    DeploymentDone,
    DeploymentDue,
    KnownErrorRecorded,
    LiveService,
    ProvidedPart,
    Resolution,
    ResolutionDone,
    ServiceTakenOver,
    SupportTaskTakenUp,
    TargetPassed,
)

handles = Handlers(DELIVER_SUPPORT)

MOST_KNOWN_ERRORS = 100


@handles
def take_over_service(taken: ServiceTakenOver, service: LiveService) -> list[Answer]:
    """Enter a service that is live already into the register, or correct its entry; known errors stay."""
    status = 200 if service.live else 201
    service.live_since = service.live_since or taken.live_since or taken.time
    service.title, service.criticality, service.owner = taken.title, taken.criticality, taken.owner
    service.requirements = taken.requirements
    return [Answer(status, taken)]


@handles
def record_known_error(recorded: KnownErrorRecorded, service: LiveService) -> list[Answer]:
    """Keep how an error of a live service shows and what helps; recording the same error again corrects it."""
    if not service.live:
        detail = f"{service.id} is not in the register; `POST /services` takes over what is live already."
        return [refusal(404, "There is no such service", detail)]
    others = tuple(known for known in service.known_errors if known.error != recorded.known_error.error)
    if len(others) >= MOST_KNOWN_ERRORS:
        detail = f"{service.id} has {len(others)} known errors: correct one that is there, or change the service."
        return [refusal(409, "Too many known errors", detail)]
    service.known_errors = (*others, recorded.known_error)
    return [Answer(200, recorded)]


@handles.step("resolve incident")
def take_support_task(task: SupportTaskRequested, resolution: Resolution) -> list[SupportTaskCompleted | Work | Later]:
    """Open the work of restoring the service and watch its targets; what is no restoring is refused."""
    if task.task != "resolve":
        return [not_restoring(task)]
    resolution.title, resolution.text, resolution.service = task.title, task.text, task.service or ""
    resolution.priority, resolution.reopened, resolution.respond_by = task.priority, task.reopened, task.respond_by
    resolution.taken_up_at, resolution.taken_up_by, resolution.escalations = None, "", 0
    owner, service = owner_of(task.priority), resolution.service
    restoring = resolution.begin(
        task,
        owner=owner,
        promised_by=task.resolve_by,
        effort=EFFORT[task.priority],
        done=ResolutionDone(demand=task.demand, service=service),
    )
    passed = TargetPassed(demand=task.demand, service=service, target="respond", round=resolution.round)
    return [
        Work(TAKING_UP[task.priority], SupportTaskTakenUp(demand=task.demand, by=owner)),
        restoring,
        Later(task.respond_by, passed),
        Later(task.resolve_by, passed.model_copy(update={"target": "resolve"})),
    ]


@handles
def take_up_support_task(taken: SupportTaskTakenUp, resolution: Resolution) -> list[Answer]:
    """Note who has taken the task up and when; the first one counts."""
    if resolution.status != "open":
        return [refusal(409, "No such support task is open", "`GET /work` lists what is open.")]
    if resolution.taken_up_at is None:
        resolution.taken_up_at, resolution.taken_up_by = taken.time, taken.by
    return [Answer(200, taken.model_copy(update={"by": resolution.taken_up_by}))]


@handles.step("resolve incident")
def watch_target(passed: TargetPassed, resolution: Resolution, service: Read[LiveService]) -> list[SupportEscalated]:
    """Escalate a task that missed its target, one level higher each time; a target that was kept needs nothing."""
    kept = resolution.status != "open" or (passed.target == "respond" and resolution.taken_up_at is not None)
    due_at = resolution.respond_by if passed.target == "respond" else resolution.promised_by
    if kept or passed.round != resolution.round or due_at is None:
        return []
    resolution.escalations += 1
    return [
        SupportEscalated(
            demand=passed.demand,
            service=passed.service or None,
            priority=resolution.priority,
            target=passed.target,
            due_at=due_at,
            level=resolution.escalations,
            to=escalated_to(resolution.escalations, service),
        )
    ]


@handles.step("resolve incident")
def complete_support_task(
    done: ResolutionDone, resolution: Resolution, service: Read[LiveService]
) -> list[SupportTaskCompleted | ServicePerformanceReported | Answer]:
    """Say how the incident ended, by the register and its known errors, and how that compares with the targets."""
    refused = resolution.finish(done)
    if refused:
        return [refused]
    begun_at, respond_by, resolve_by = resolution.begun_at, resolution.respond_by, resolution.promised_by
    if begun_at is None or respond_by is None or resolve_by is None:
        raise ValueError(f"resolution {resolution.id} was begun without a time or a target")
    started_at = resolution.taken_up_at or done.time
    restoration = restore(resolution, service)
    completed = SupportTaskCompleted(
        reasons=restoration.reasons,
        basis=restoration.basis,
        demand=done.demand,
        task="resolve",
        service=resolution.service or None,
        outcome=restoration.outcome,
        resolution=restoration.resolution,
        problem=restoration.problem,
        started_at=started_at,
        completed_at=done.time,
        respond_by=respond_by,
        resolve_by=resolve_by,
        responded_in_time=started_at <= respond_by,
        resolved_in_time=done.time <= resolve_by,
        escalations=resolution.escalations,
    )
    performance = ServicePerformanceReported(
        demand=done.demand,
        service=completed.service,
        priority=resolution.priority,
        respond_seconds=seconds(begun_at, started_at),
        respond_target_seconds=seconds(begun_at, respond_by),
        restore_seconds=seconds(begun_at, done.time),
        restore_target_seconds=seconds(begun_at, resolve_by),
        met=completed.responded_in_time and completed.resolved_in_time and completed.outcome != "unresolved",
    )
    return [completed, performance]


def seconds(begin: datetime, end: datetime) -> float:
    """Between two moments; none where the end came first: a target that had passed before the task was asked for."""
    return max(0.0, (end - begin).total_seconds())


@handles
def note_requirements(stated: ServiceRequirementsStated, deployment: Deployment) -> list[Never]:
    """Keep what the segment requires: it is held against the tests at installation, and kept by the live service."""
    deployment.requirements = stated.requirements
    return []


@handles.step("deploy service")
def plan_deployment(plan: DeploymentPlanned, deployment: Deployment) -> list[Work | Later]:
    """Install an approved change at its scheduled time, once all of its components are there."""
    if plan.change == deployment.change:
        return []
    deployment.stage, deployment.change = "planned", plan.change
    deployment.service, deployment.title = plan.service, plan.title
    deployment.components, deployment.iterations = plan.components, plan.iterations
    deployment.author, deployment.approved_by = plan.author, plan.approved_by
    deployment.back_out_plan, deployment.scheduled_at = plan.back_out_plan, plan.scheduled_at
    return install_when_ready(plan, deployment)


@handles.step("deploy service")
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


@handles.step("deploy service")
def start_deployment(due: DeploymentDue, deployment: Deployment) -> list[Work | Later]:
    """Begin to install what is scheduled for now, or give a missing component its last chance."""
    if deployment.stage != "planned" or deployment.change != due.change:
        return []
    return install_when_ready(due, deployment, last_call=due.last_call)


@handles.step("deploy service")
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


@handles.step("put live")
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
