"""Deployment management: what has to be right before Deliver and support answers for a service."""

from collections.abc import Iterator
from datetime import timedelta

from contracts.event import Message
from services.chassis.outputs import Later, Work
from services.deliver_support.model import Deployment, DeploymentDone, DeploymentDue

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
