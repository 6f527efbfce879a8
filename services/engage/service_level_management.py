"""What a demand may expect: support with priority and targets, and services that reach what segments require."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from contracts.engage import SupportTaskRequested
from contracts.event import Fact, Message
from contracts.outside import RequirementsStated
from contracts.service_hours import after
from contracts.service_hours import spoken as spoken_hours
from contracts.stream import Streams
from contracts.values import Requirement
from services.chassis.outputs import Answer
from services.chassis.state import Read
from services.engage.model import (
    FINAL,
    Criticality,
    Demand,
    DemandAccepted,
    KnownService,
    KnownServices,
    Segment,
    ServiceDescribed,
    Statement,
)
from services.engage.notices import Told, spoken, tell
from services.engage.registers import Stakeholder
from services.engage.triage import first_of
from services.engage.views import SegmentView, ServiceView

Task = Literal["resolve", "fulfil", "train"]
TASKS: Mapping[str, Task] = {"service_request": "fulfil", "onboarding": "train"}
"""What is asked of Deliver and support, by sort of demand; anything else is to be resolved."""
TEACHING = ("training", "teach", "show us how", "show me how", "how do we use", "how do i use")
"""Words by which a request without an offering asks to be taught."""
USUAL: Criticality = "medium"
USUALLY = "the usual: nobody has described the service"
"""How critical a service is as long as nobody has said, and what is said of it then."""
IMPACT: tuple[tuple[int, Mapping[Criticality, int]], ...] = (
    (100, {"high": 1, "medium": 1, "low": 2}),
    (10, {"high": 1, "medium": 2, "low": 3}),
    (0, {"high": 2, "medium": 3, "low": 3}),
)
"""Impact by users affected (at least so many) and the service's criticality."""
URGENCY: tuple[tuple[float, int], ...] = ((4, 1), (24, 2))
"""Urgency by hours to harm (at most so many)."""
LEAST_URGENT = 3
"""When harm is further away, or none is foreseen."""
PRIORITY: Mapping[tuple[int, int], int] = {
    (1, 1): 1, (1, 2): 2, (1, 3): 3,
    (2, 1): 2, (2, 2): 3, (2, 3): 4,
    (3, 1): 3, (3, 2): 4, (3, 3): 5,
}  # fmt: skip
"""Priority by impact and urgency."""


class Targets(NamedTuple):
    """How long a demand may wait, in hours of service: around the clock where no agreement says others."""

    respond: float
    resolve: float


TARGETS: Mapping[int, Targets] = {
    1: Targets(1, 8),
    2: Targets(4, 24),
    3: Targets(8, 24),
    4: Targets(16, 72),
    5: Targets(24, 120),
}
"""By priority."""
AVAILABILITY = Requirement(
    name="availability", kind="warranty", measure="share of the month in which it can be used", target=99, unit="%"
)
"""What every customer may expect of a service of medium criticality, unless their segment has stated something else."""
USUAL_AVAILABILITY: Mapping[Criticality, float] = {"high": 99.5, "medium": AVAILABILITY.target, "low": 98}
"""What they may expect by how critical the service is; what is of high criticality is not kept worse for anybody."""


def request_support(
    accepted: DemandAccepted,
    demand: Demand,
    services: Read[KnownServices],
    segment: Read[Segment],
    stakeholder: Read[Stakeholder],
    streams: Streams,
) -> list[SupportTaskRequested | Told | DemandAccepted]:
    """Ask for support with the priority that impact and urgency give, and targets that keep the stream's promise."""
    if demand.status in FINAL:
        return []
    if again := in_their_segment(accepted, demand, stakeholder):
        return [*again]
    return [*ask_support(accepted, demand, services, segment, streams)]


def in_their_segment(accepted: DemandAccepted, demand: Demand, stakeholder: Stakeholder) -> list[DemandAccepted]:
    """Who is registered in a segment is in that one, whatever they name: taken up again, with what it requires."""
    return [accepted.model_copy(update={"segment": demand.segment})] if put_in_segment(demand, stakeholder) else []


def put_in_segment(demand: Demand, stakeholder: Stakeholder) -> bool:
    """What somebody is entitled to hangs on the segment they are registered in; says whether that is another one."""
    if stakeholder.segment in ("", demand.segment):
        return False
    demand.segment = stakeholder.segment
    kept = (fact for fact in demand.facts if fact.name != "segment")
    demand.facts = (*kept, Fact(name="segment", value=demand.segment, source="register of stakeholders"))
    return True


def ask_support(
    message: Message, demand: Demand, services: KnownServices, segment: Segment, streams: Streams
) -> list[SupportTaskRequested | Told]:
    """The task for Deliver and support, and what its requester is told of it.

    What priority and stream promise is counted in the hours of the service.
    """
    ranking = prioritise(demand, services)
    wanted = wanted_priority(demand, segment)
    since, stream = demand.contacted_at or message.time, streams.get(demand.stream)
    hours = services.hours(demand.service, message.time)
    due = after(since, ranking.resolve, hours)
    promised_by = after(since, timedelta(hours=stream.promise.hours), hours) if stream else due
    resolve_by = min(due, promised_by)
    harm = "at no known time" if demand.harm_in_hours is None else f"within {demand.harm_in_hours:g} hours"
    reasons = [
        f"Users affected: {demand.users}, criticality: {ranking.criticality}. So its impact is {ranking.impact}.",
        f"Harm is done {harm}. So its urgency is {ranking.urgency}.",
    ]
    if wanted and wanted != ranking.priority:
        reasons.append(f"Priority {wanted} was wanted; impact and urgency give {ranking.priority}.")
    if resolve_by < due:
        reasons.append("The value stream promises it sooner than this priority does: the promise holds.")
    if hours:
        reasons.append(f"{demand.service} is looked after {spoken_hours(hours)}: only these hours count.")
    if demand.reopened:
        reasons.append(f"It was done before and came back ({demand.reopened}).")
    wish = (Fact(name="wanted priority", value=wanted, source="requester or segment"),) if wanted else ()
    promise = Fact(name="promised by", value=promised_by.isoformat(), source=f"value stream {demand.stream}")
    counted = Fact(name="service hours", value=spoken_hours(hours), source=f"agreements on {demand.service}")
    demand.status, demand.priority, demand.promised_by = "in_progress", ranking.priority, resolve_by
    demand.reason = "support is asked to work on it"
    requested = SupportTaskRequested(
        demand=demand.id,
        task=task_of(demand),
        title=demand.title,
        text=demand.need,
        service=demand.service,
        kind=demand.kind,
        requester=demand.requester,
        segment=demand.segment,
        users_affected=demand.users,
        impact=ranking.impact,
        urgency=ranking.urgency,
        priority=ranking.priority,
        wanted_priority=wanted,
        respond_by=min(after(since, ranking.respond, hours), resolve_by),
        resolve_by=resolve_by,
        service_hours=hours,
        reopened=demand.reopened,
        offering=demand.offering,
        quantity=demand.quantity,
        reasons=tuple(reasons),
        basis=(*demand.facts, *ranking.basis, *wish, promise, *([counted] if hours else [])),
    )
    by = f"Somebody takes it up by {spoken(requested.respond_by)}, and it is to be done by {spoken(resolve_by)}."
    return [requested, *tell(demand, " ".join([f"It is in work with priority {ranking.priority}.", by, *reasons]))]


def describe_service(described: ServiceDescribed, services: KnownServices) -> list[Answer]:
    """Know a service by its names and its criticality; what is left out stays as it was."""
    old = services.get(described.service) or KnownService(service=described.service)
    new = KnownService(
        service=described.service,
        names=described.names or old.names,
        criticality=described.criticality or old.criticality,
    )
    others = (known for known in services.services if known.service != new.service)
    services.services = tuple(sorted((*others, new), key=lambda known: known.service))
    return [Answer(200, ServiceView.model_validate(new))]


def state_requirements(stated: RequirementsStated, segment: Segment) -> list[Answer]:
    """Keep what a segment requires: the latest statement on a service replaces the one before."""
    new = Statement(
        service=stated.service,
        requirements=stated.requirements,
        preferences=stated.preferences,
        customer=stated.customer,
    )
    segment.statements = (*(old for old in segment.statements if old.service != new.service), new)
    return [Answer(200, SegmentView.model_validate(segment))]


def task_of(demand: Demand) -> Task:
    """What support is asked to do: by the sort of demand, and by its words if a request asks to be taught."""
    task = TASKS.get(demand.kind, "resolve")
    if task == "fulfil" and demand.offering is None and first_of(TEACHING, f"{demand.title}\n{demand.text}"):
        return "train"
    return task


class Ranking(NamedTuple):
    """How a demand is to be served, and the facts that say so."""

    criticality: Criticality
    impact: int
    urgency: int
    priority: int
    respond: timedelta
    resolve: timedelta
    basis: tuple[Fact, ...]


def prioritise(demand: Demand, services: KnownServices) -> Ranking:
    """Priority from impact and urgency; what the requester wants does not enter."""
    criticality, said = criticality_of(demand.service, services)
    impact = next(by[criticality] for least, by in IMPACT if demand.users >= least)
    harm = demand.harm_in_hours
    urgency = next((level for most, level in URGENCY if harm is not None and harm <= most), LEAST_URGENT)
    priority = PRIORITY[impact, urgency]
    targets = TARGETS[priority]
    basis = (
        Fact(name="criticality", value=criticality, source=said),
        Fact(name="impact", value=impact, source="table of users affected and criticality"),
        Fact(name="urgency", value=urgency, source="table of hours to harm"),
        Fact(name="priority", value=priority, source="matrix of impact and urgency"),
        Fact(name="respond target in hours", value=targets.respond, source=f"targets of priority {priority}"),
        Fact(name="resolve target in hours", value=targets.resolve, source=f"targets of priority {priority}"),
    )
    respond, resolve = timedelta(hours=targets.respond), timedelta(hours=targets.resolve)
    return Ranking(criticality, impact, urgency, priority, respond, resolve, basis)


def wanted_priority(demand: Demand, segment: Segment) -> int | None:
    """What the requester wants, else what their segment prefers for this sort of demand."""
    wishes = (wish for stated in segment.on(demand.service) for wish in stated.preferences)
    return demand.wanted_priority or {wish.kind: wish.wanted_priority for wish in wishes}.get(demand.kind)


def criticality_of(service: str | None, services: KnownServices) -> tuple[Criticality, str]:
    """How critical a service is, and who says so."""
    known = services.get(service)
    described = known.criticality if known else None
    return described or USUAL, f"description of {service}" if described else USUALLY


class Required(NamedTuple):
    """A requirement on a service, and whose word it is."""

    requirement: Requirement
    reason: str


def requirements_on(demand: Demand, segment: Segment, services: KnownServices) -> tuple[Required, ...]:
    """What the service must reach: enough users, and what the segment has stated, else what is usual for it."""
    users = Requirement(
        name="users-served",
        kind="utility",
        measure="people who can use it at the same time",
        target=demand.all_users,
        unit="users",
    )
    criticality, source = criticality_of(demand.service, services)
    usual = AVAILABILITY.model_copy(update={"target": float(USUAL_AVAILABILITY[criticality])})
    why = f"availability is to be {usual.target:g} %: the criticality of {demand.service or 'it'} is {criticality}"
    found = {
        users.name: Required(users, f"users-served is {demand.all_users}: so many want to use it."),
        usual.name: Required(usual, f"{why} ({source})."),
    }
    for statement in segment.on(demand.service):
        for stated in statement.requirements:
            found[stated.name] = Required(stated, f"{stated.name} is as {statement.customer} states for {segment.id}.")
    asked = found[usual.name].requirement
    if criticality == "high" and asked.unit == usual.unit and asked.target < usual.target:
        found[usual.name] = Required(usual, f"{why}, so that {asked.target:g} % is not enough for {segment.id} either.")
    return tuple(found.values())
