"""Handing over what was done, and asking what it was worth: the requester alone says whether value came of it."""

from datetime import datetime, timedelta

from contracts.deliver_support import ServiceDelivered, SupportTaskCompleted
from contracts.engage import DemandStatus, ValueJudged
from contracts.outside import DemandWithdrawn, Judgement, ValueConfirmed
from contracts.plan import PortfolioDecisionMade
from services.chassis.outputs import Answer, Later, refusal
from services.engage.ledgers import Tally
from services.engage.model import (
    FINAL,
    AnswerOverdue,
    ConfirmationOverdue,
    Demand,
    FirstEnded,
    ServiceDescribed,
    TriageOver,
)
from services.engage.notices import Told, spoken, tell, unknown
from services.engage.registers import Stakeholder, StakeholderStated
from services.engage.reports import period_of
from services.engage.views import DemandView, StakeholderView

TIME_TO_CONFIRM = timedelta(days=14)
"""How long a consumer may take to say what a delivery was worth; then their silence is taken for what it is.

So long an unresolved demand waits for somebody to say how it goes on, too.
"""


Closing = Told | Tally | FirstEnded | TriageOver
"""What it takes to close a demand: its requester is told, it is counted, and so are told those it stood for."""


def pass_on_decision(decision: PortfolioDecisionMade, demand: Demand) -> list[Closing]:
    """Tell the requester what Plan has decided, and why."""
    # Order across topics is not assumed: an approval that arrives after the delivery has nothing to say any more.
    if demand.status not in ("consolidated", "deferred", "in_progress"):
        return []
    why = " ".join(decision.reasons)
    reason = f"the portfolio decision: {why}"
    if decision.decision == "reject":
        return close(demand, "rejected", decision.time, reason, f"It will not be done: {why}")
    demand.reason = reason
    if decision.decision == "approve":
        demand.status = "in_progress"
        return [*tell(demand, f"It is approved: {why}")]
    demand.status = "deferred"
    return [*tell(demand, f"It has to wait: {why}")]


def hand_over_support(completed: SupportTaskCompleted, demand: Demand) -> list[Closing | Later]:
    """Hand over what support has done. What it could not resolve stays open, and the owner of the stream has to act."""
    if demand.status != "in_progress":
        return []
    why = " ".join(completed.reasons)
    match completed.outcome:
        case "resolved" | "fulfilled":
            return [*hand_over(demand, completed.resolution, completed.time)]
        case "workaround":
            what = f"{completed.resolution} This is a workaround: the cause is still there."
            return [*hand_over(demand, what, completed.time)]
        case "refused":
            return [*close(demand, "rejected", completed.time, why, f"It will not be done: {why}")]
        case "unresolved":
            # The same task would end the same way, so it is not asked again: somebody decides what has to be different.
            demand.escalated_to = demand.owner
            demand.reason = f"support could not resolve it: {why}"
            by = completed.time + TIME_TO_CONFIRM
            sorry = f"We could not solve it: {why} {completed.resolution}"
            goes_on = f"The {demand.owner.lower()} decides how it goes on, and you will be told."
            told = tell(demand, f"{sorry} {goes_on} If nothing is said by {spoken(by)}, we close it.")
            return [*told, Later(by, AnswerOverdue(demand=demand.id, notices=demand.notices))]


def hand_over_service(delivered: ServiceDelivered, demand: Demand) -> list[Closing | Later | ServiceDescribed]:
    """Hand over a service that has gone live, and know it by its name from now on; say when granted access is over."""
    if delivered.outcome == "access_ended" and demand.status in ("delivered", "value_realised", "assumed"):
        return [*tell(demand, f"{delivered.what} Ask again if you still need it.")]
    if delivered.outcome != "live" or demand.status not in ("consolidated", "deferred", "in_progress"):
        return []
    demand.service = delivered.service
    return [*hand_over(demand, delivered.what, delivered.time), ServiceDescribed(service=delivered.service)]


def judge_value(confirmed: ValueConfirmed, demand: Demand) -> list[Answer | ValueJudged | Closing]:
    """The requester alone says whether value came of it; their word is final."""
    if demand.status is None:
        return [unknown()]
    if not is_requester(confirmed.stakeholder, demand):
        return [refusal(403, "It is not yours to judge", "Only its requester says what a demand was worth to them.")]
    if demand.status != "delivered":
        detail = f"It is {demand.status}; its value can be judged while it is delivered, and once."
        return [refusal(409, "There is nothing to judge", detail)]
    demand.verdict = confirmed.verdict
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
    realised, satisfaction = int(confirmed.verdict != "not"), confirmed.satisfaction
    regret = " We are sorry; a reply takes it up again." if confirmed.verdict == "not" else ""
    told = close(
        demand,
        "denied" if confirmed.verdict == "not" else "value_realised",
        confirmed.time,
        f"the requester says that its value was realised: {confirmed.verdict}",
        f"Thank you for telling us what it was worth to you: {confirmed.verdict}.{regret}",
        Tally(period=period_of(confirmed.time), closed=1, answers=1, realised=realised, satisfaction=satisfaction),
    )
    return [Answer(200, DemandView.of(demand)), judged, *told]


def assume_value(overdue: ConfirmationOverdue, demand: Demand) -> list[Closing]:
    """Silence closes a delivered demand, and never counts as realised value."""
    if demand.status != "delivered" or demand.delivered_at != overdue.delivered_at:
        return []
    days = TIME_TO_CONFIRM.days
    text = f"We have heard nothing for {days} days and close it; a reply takes it up again."
    return close(demand, "assumed", overdue.time, f"nobody has answered for {days} days", text)


def give_up_demand(overdue: AnswerOverdue, demand: Demand) -> list[Closing]:
    """Where neither the requester nor the owner has said how it goes on, it ends, and says why."""
    if not demand.escalated_to or demand.notices != overdue.notices:
        return []
    days = TIME_TO_CONFIRM.days
    reason = f"{demand.reason} Nobody has said for {days} days how it is to go on."
    text = f"We have heard nothing for {days} days and close it unsolved; a reply takes it up again."
    return close(demand, "rejected", overdue.time, reason, text)


def withdraw_demand(withdrawn: DemandWithdrawn, demand: Demand) -> list[Answer | Closing]:
    """The requester no longer needs it: whatever comes of work under way is not handed over any more."""
    if demand.status is None:
        return [unknown()]
    if not is_requester(withdrawn.stakeholder, demand):
        return [refusal(403, "It is not yours to withdraw", "Only the requester of a demand withdraws it.")]
    if demand.status in FINAL:
        return [
            refusal(409, "It is closed", f"It is {demand.status}, which is final: only an open demand is withdrawn.")
        ]
    text = "You have withdrawn it; we do no more about it."
    told = close(demand, "withdrawn", withdrawn.time, f"the requester: {withdrawn.reason}", text)
    return [Answer(200, DemandView.of(demand)), *told]


def state_stakeholder(stated: StakeholderStated, stakeholder: Stakeholder) -> list[Answer]:
    """Know who somebody is: their segment stands in for one that they do not name, their roles say what they may."""
    stakeholder.name, stakeholder.kind, stakeholder.roles = stated.name, stated.kind, stated.roles
    stakeholder.segment, stakeholder.organisation = stated.segment, stated.organisation
    return [Answer(200, StakeholderView.model_validate(stakeholder))]


def hand_over(demand: Demand, what: str, time: datetime) -> list[Told | Later | Tally | FirstEnded]:
    """Work is done, value is not yet: the requester is told what they have, and asked what it is worth to them."""
    demand.status, demand.delivered, demand.delivered_at, demand.escalated_to = "delivered", what, time, ""
    demand.reason = "the requester is asked whether it is of value to them"
    asked = f"{what} Is it what you needed? Please tell us by {spoken(time + TIME_TO_CONFIRM)}; a reply reopens it."
    overdue = ConfirmationOverdue(demand=demand.id, delivered_at=time)
    told = tell(demand, asked, asks_confirmation=True)
    return [*told, Later(time + TIME_TO_CONFIRM, overdue), *tell_merged(demand, what)]


def close(
    demand: Demand, status: DemandStatus, time: datetime, reason: str, text: str, tally: Tally | None = None
) -> list[Closing]:
    """Bring a demand to a final state; `tally` is what the day counts, if that is more than its end."""
    over = [TriageOver(demand=demand.id, by=f"its end: {reason}")] if demand.status == "unclassified" else []
    demand.status, demand.closed_at, demand.reason, demand.escalated_to = status, time, reason, ""
    merged = tell_merged(demand, reason) if status in ("rejected", "withdrawn") else []
    return [*tell(demand, text), tally or Tally(period=period_of(time), closed=1), *merged, *over]


def tell_merged(demand: Demand, what: str) -> list[FirstEnded]:
    """Have those told whose demand this one stands for."""
    assert demand.status, "a demand that stands for others has a state"
    again = " Ask again, and yours is taken up by itself." if demand.status == "withdrawn" else ""
    text = f"The demand that stands for yours ({demand.title}) is {demand.status.replace('_', ' ')}: {what}{again}"
    return [FirstEnded(demand=joined.demand, text=text) for joined in demand.merged]


def is_requester(stakeholder: str, demand: Demand) -> bool:
    """Whether the demand is theirs."""
    return known_as(stakeholder) == known_as(demand.requester)


def known_as(stakeholder: str) -> str:
    """The id of a person or organisation in the register; addresses differ in case only by accident."""
    return stakeholder.strip().casefold()
