"""Handing over what was done, and asking what it was worth: the requester alone says whether value came of it."""

from datetime import datetime, timedelta
from typing import Never

from contracts.deliver_support import ServiceDelivered, SupportTaskCompleted
from contracts.engage import DemandStatusReported, ValueJudged
from contracts.outside import DemandWithdrawn, Judgement, ValueConfirmed
from contracts.plan import PortfolioDecisionMade
from services.chassis.outputs import Answer, Ask, Later, refusal
from services.engage.model import (
    FINAL,
    ConfirmationOverdue,
    Demand,
    RequesterNotified,
    ServiceDescribed,
)
from services.engage.notices import spoken, tell, unknown
from services.engage.views import DemandView

TIME_TO_CONFIRM = timedelta(days=14)
"""How long a consumer may take to say what a delivery was worth; then their silence is taken for what it is."""


def pass_on_decision(decision: PortfolioDecisionMade, demand: Demand) -> list[DemandStatusReported | Ask]:
    """Tell the requester what Plan has decided, and why."""
    # Order across topics is not assumed: an approval that arrives after the delivery has nothing to say any more.
    if demand.status not in ("consolidated", "deferred", "in_progress"):
        return []
    why = " ".join(decision.reasons)
    demand.reason = f"the portfolio decision: {why}"
    match decision.decision:
        case "approve":
            demand.status = "in_progress"
            told = f"It is approved: {why}"
        case "defer":
            demand.status = "deferred"
            told = f"It has to wait: {why}"
        case "reject":
            demand.status, demand.closed_at = "rejected", decision.time
            told = f"It will not be done: {why}"
    return tell(demand, told)


def hand_over_support(completed: SupportTaskCompleted, demand: Demand) -> list[DemandStatusReported | Ask | Later]:
    """Hand over what support has done. What it could not resolve stays open, and the owner of the stream has to act."""
    if demand.status != "in_progress":
        return []
    why = " ".join(completed.reasons)
    match completed.outcome:
        case "resolved" | "fulfilled":
            return hand_over(demand, completed.resolution, completed.time)
        case "workaround":
            what = f"{completed.resolution} This is a workaround: the cause is still there."
            return hand_over(demand, what, completed.time)
        case "refused":
            demand.status, demand.closed_at, demand.reason = "rejected", completed.time, why
            return [*tell(demand, f"It will not be done: {why}")]
        case "unresolved":
            # The same task would end the same way, so it is not asked again: somebody decides what has to be different.
            demand.escalated_to = demand.owner
            demand.reason = f"support could not resolve it: {why}"
            sorry = f"We could not solve it: {why} {completed.resolution}"
            return [*tell(demand, f"{sorry} The {demand.owner.lower()} decides how it goes on, and you will be told.")]


def hand_over_service(
    delivered: ServiceDelivered, demand: Demand
) -> list[DemandStatusReported | Ask | Later | ServiceDescribed]:
    """Hand over a service that has gone live, and know it by its name from now on."""
    if delivered.outcome != "live" or demand.status not in ("consolidated", "deferred", "in_progress"):
        return []
    demand.service = delivered.service
    return [*hand_over(demand, delivered.what, delivered.time), ServiceDescribed(service=delivered.service)]


def judge_value(confirmed: ValueConfirmed, demand: Demand) -> list[Answer | ValueJudged | DemandStatusReported | Ask]:
    """The requester alone says whether value came of it; their word is final."""
    if demand.status is None:
        return [unknown()]
    if not is_requester(confirmed.stakeholder, demand):
        return [refusal(403, "It is not yours to judge", "Only its requester says what a demand was worth to them.")]
    if demand.status != "delivered":
        detail = f"It is {demand.status}; its value can be judged while it is delivered, and once."
        return [refusal(409, "There is nothing to judge", detail)]
    demand.status = "denied" if confirmed.verdict == "not" else "value_realised"
    demand.verdict, demand.closed_at = confirmed.verdict, confirmed.time
    demand.reason = f"the requester says that its value was realised: {confirmed.verdict}"
    judged = ValueJudged(
        demand=demand.id,
        service=demand.service,
        kind=demand.kind,
        asked=demand.title,
        delivered=demand.delivered,
        promised_by=demand.promised_by,
        delivered_at=demand.delivered_at,
        **{name: getattr(confirmed, name) for name in Judgement.model_fields},
    )
    regret = " We are sorry; a reply takes it up again." if confirmed.verdict == "not" else ""
    told = tell(demand, f"Thank you for telling us what it was worth to you: {confirmed.verdict}.{regret}")
    return [Answer(200, DemandView.of(demand)), judged, *told]


def assume_value(overdue: ConfirmationOverdue, demand: Demand) -> list[DemandStatusReported | Ask]:
    """Silence closes a delivered demand, and never counts as realised value."""
    if demand.status != "delivered" or demand.delivered_at != overdue.delivered_at:
        return []
    demand.status, demand.closed_at = "assumed", overdue.time
    demand.reason = f"nobody has answered for {TIME_TO_CONFIRM.days} days"
    return tell(
        demand, f"We have heard nothing for {TIME_TO_CONFIRM.days} days and close it; a reply takes it up again."
    )


def withdraw_demand(withdrawn: DemandWithdrawn, demand: Demand) -> list[Answer | DemandStatusReported | Ask]:
    """The requester no longer needs it: whatever comes of work under way is not handed over any more."""
    if demand.status is None:
        return [unknown()]
    if not is_requester(withdrawn.stakeholder, demand):
        return [refusal(403, "It is not yours to withdraw", "Only the requester of a demand withdraws it.")]
    if demand.status in FINAL:
        return [
            refusal(409, "It is closed", f"It is {demand.status}, which is final: only an open demand is withdrawn.")
        ]
    demand.status, demand.closed_at, demand.escalated_to = "withdrawn", withdrawn.time, ""
    demand.reason = f"the requester: {withdrawn.reason}"
    told = tell(demand, "You have withdrawn it; we do no more about it.")
    return [Answer(200, DemandView.of(demand)), *told]


def note_notice(notified: RequesterNotified, demand: Demand) -> list[Never]:
    """Keep whether the last notice has reached the requester's desk."""
    if notified.number == demand.notices:
        demand.notice_failed = notified.failed
    return []


def hand_over(demand: Demand, what: str, time: datetime) -> list[DemandStatusReported | Ask | Later]:
    """Work is done, value is not yet: the requester is told what they have, and asked what it is worth to them."""
    demand.status, demand.delivered, demand.delivered_at, demand.escalated_to = "delivered", what, time, ""
    demand.reason = "the requester is asked whether it is of value to them"
    asked = f"{what} Is it what you needed? Please tell us by {spoken(time + TIME_TO_CONFIRM)}; a reply reopens it."
    overdue = ConfirmationOverdue(demand=demand.id, delivered_at=time)
    return [*tell(demand, asked, asks_confirmation=True), Later(time + TIME_TO_CONFIRM, overdue)]


def is_requester(stakeholder: str, demand: Demand) -> bool:
    """Whether the demand is theirs; addresses differ in case only by accident."""
    return stakeholder.strip().casefold() == demand.requester.strip().casefold()
