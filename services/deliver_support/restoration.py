"""What restores a service, decided by the register of live services, its known errors and the suppliers it rests on."""

import re
from datetime import datetime
from typing import Literal, NamedTuple

from contracts.deliver_support import SupportTaskCompleted
from contracts.design_transition import ServiceReleased
from contracts.engage import SupportTaskRequested
from contracts.event import Fact
from services.deliver_support.model import KnownError, LiveService, Resolution, SupplierState


class Restoration(NamedTuple):
    """How an incident ended."""

    outcome: Literal["resolved", "workaround", "unresolved"]
    resolution: str
    """In words for the requester."""
    reasons: tuple[str, ...]
    basis: tuple[Fact, ...]
    problem: str | None = None


def restore(task: Resolution, service: LiveService, at: datetime) -> Restoration:
    """Remove the cause where it is known, restore the service where it is not, and say so where neither can be done.

    A service that runs again without the cause being removed has a workaround: that is so while a supplier fails it,
    for a known error without a fix, for an incident that came back, and for a major incident, whose cause is looked for
    after service is restored.
    """
    told = f"support task {task.id}"
    register = f"register of live services: {task.service or 'no service named'}"
    basis = [
        Fact(name="service", value=task.service, source=told),
        Fact(name="service is live", value=service.live, source=register),
    ]
    if not task.service:
        return Restoration(
            "unresolved",
            "We could not tell which service you mean: please name what you were using, or what its screen says.",
            ("Without knowing the service nobody can restore it.",),
            tuple(basis),
        )
    if not service.live:
        return Restoration(
            "unresolved",
            f"We do not run a service called {task.service}: please check its name. If we should run it, its provider"
            " first has to hand it over to our support.",
            (f"{task.service} is not in the register of live services.",),
            tuple(basis),
        )
    known, symptom = matching(task, service)
    supplier = service.failing(at)
    basis += [
        Fact(name="known error", value=known.error if known else "none fits", source=register),
        Fact(name="priority", value=task.priority, source=told),
        Fact(name="criticality", value=service.criticality, source=register),
        Fact(name="reopened", value=task.reopened, source=told),
        Fact(name="failing supplier", value=supplier.name if supplier else "none", source=register),
    ]
    if supplier is not None:
        return supplied_badly(supplier, known, service, tuple(basis))
    if known is not None:
        shows = f'"{symptom}" is a symptom of the known error {known.error}'
        if known.fix:
            return Restoration("resolved", known.fix, (f"{shows}, and its fix is known.",), tuple(basis), known.error)
        reasons = (f"{shows}; its cause has not been removed yet.",)
        return Restoration("workaround", known.workaround, reasons, tuple(basis), known.error)
    restored = f"{service.title} was restarted from its last good configuration and works again"
    if task.reopened:
        came_back = "It has come back before, so the cause is still there and is looked for."
        return Restoration("workaround", f"{restored}. {came_back}", (came_back,), tuple(basis))
    if task.priority == 1 and service.criticality == 1:
        major = "It was a major incident: service comes first, the cause is looked for afterwards."
        return Restoration("workaround", f"{restored}. {major}", (major,), tuple(basis))
    return Restoration(
        "resolved",
        f"{restored}.",
        (f"{service.title} is live and restarts cleanly; no known error fits.",),
        tuple(basis),
    )


def supplied_badly(
    supplier: SupplierState, known: KnownError | None, service: LiveService, basis: tuple[Fact, ...]
) -> Restoration:
    """The way around a supplier that fails the service: its cause is not ours to remove."""
    state = supplier.status if supplier.status == "degraded" else "not provided any more"
    why = f"The supplier's {supplier.offer} ({supplier.name}) is {state}, and {service.title} rests on it."
    text = known.workaround if known else f"{service.title} runs again without it, with what it can do by itself."
    return Restoration("workaround", f"{text} {why}", (why,), basis, known.error if known else None)


def not_restoring(task: SupportTaskRequested) -> SupportTaskCompleted:
    """The refusal of a task that restores nothing: requests and training have work of their own."""
    return SupportTaskCompleted(
        reasons=(f"This step restores services; to {task.task} is another kind of work.",),
        basis=(Fact(name="task", value=task.task, source=f"support task {task.demand}"),),
        demand=task.demand,
        task=task.task,
        service=task.service,
        outcome="refused",
        resolution="This cannot be done as an incident: please ask for it as a service request.",
        started_at=task.time,
        completed_at=task.time,
        respond_by=task.respond_by,
        resolve_by=task.resolve_by,
        responded_in_time=task.time <= task.respond_by,
        resolved_in_time=task.time <= task.resolve_by,
    )


def released_errors(released: ServiceReleased) -> list[KnownError]:
    """What a release is known not to do, as known errors: each text is `symptom: workaround`."""
    texts = [text.partition(":") for text in released.known_errors]
    return [
        KnownError(
            error=f"release-{released.version}-{number}",
            symptoms=(symptom.strip(),),
            workaround=workaround.strip() or f"{symptom.strip()} is known not to work; there is no workaround yet.",
        )
        for number, (symptom, _, workaround) in enumerate(texts, 1)
    ]


def matching(task: Resolution, service: LiveService) -> tuple[KnownError | None, str]:
    """The known error whose symptom the ticket shows in whole words, and that symptom; one with a fix comes first."""
    ticket = f"{task.title}\n{task.text}"
    for known in sorted(service.known_errors, key=lambda known: not known.fix):
        for symptom in known.symptoms:
            if re.search(rf"(?<!\w){re.escape(symptom)}(?!\w)", ticket, re.IGNORECASE):
                return known, symptom
    return None, ""
