"""What a message says, as one sentence for a person who does not know its class."""

from datetime import datetime, timedelta

from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportEscalated,
    SupportTaskCompleted,
)
from contracts.design_transition import (
    ChangeProposed,
    DeploymentPlanned,
    DesignPerformanceReported,
    ServiceReleased,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.engage import (
    DemandConsolidated,
    DemandStatusReported,
    ServiceRequirementsStated,
    SupportTaskRequested,
    ValueJudged,
)
from contracts.event import Message
from contracts.improve import ChainPerformanceReported
from contracts.obtain_build import ChangedServiceReported, ComponentProvided, ObtainPerformanceReported
from contracts.outside import (
    BudgetGranted,
    DemandSubmitted,
    DemandWithdrawn,
    GovernanceDirected,
    Judgement,
    TicketPushed,
    ValueConfirmed,
)
from contracts.plan import PolicyIssued, PortfolioDecisionMade
from contracts.values import Kpi, Requirement
from svc.words import at, listed, plain, span, spoken

DECIDED = {"approve": "approves", "defer": "defers", "reject": "rejects"}
HAPPENED = {"created": "made", "replied": "answered", "status_changed": "moved"}
TASKED = {"resolve": "resolve", "fulfil": "fulfil", "train": "give training on"}
HAD = {"reuse": "reused", "build": "built", "buy": "bought"}


def sentence(message: Message) -> str:
    """One sentence, from the message's data alone."""
    return plain(_sentence(message))


def _sentence(message: Message) -> str:
    match message:
        case TicketPushed():
            return (
                f"{message.requester_name or message.requester_email} has {HAPPENED[message.kind]} ticket "
                f"{message.ticket} in the desk {message.desk}: “{message.title}”."
            )
        case DemandSubmitted():
            return (
                f"{message.requester_name or message.requester} brings demand ({message.channel}): “{message.title}”."
            )
        case ValueConfirmed():
            return f"{message.stakeholder} says what it was worth to them: {_judged(message)}."
        case DemandWithdrawn():
            return f"{message.stakeholder} withdraws it: {message.reason}"
        case GovernanceDirected():
            return f"{message.issued_by} directs “{message.title}”: {message.statement}"
        case BudgetGranted():
            return f"{message.granted_by} grants {_euros(message.total)} for {message.quarter}."

        case DemandConsolidated():
            return (
                f"The need is understood: “{message.title}” ({spoken(message.kind)}) for {message.users} users, "
                f"worth {_euros(message.value)} a year, promised by {at(message.promise_by)}."
            )
        case ServiceRequirementsStated():
            wanted = listed([_requirement(one) for one in message.requirements]) or "nothing in particular"
            return f"{message.service or 'The service'} must reach: {wanted}."
        case SupportTaskRequested():
            return (
                f"Deliver and support is to {TASKED[message.task]} “{message.title}” with priority {message.priority} "
                f"(impact {message.impact}, urgency {message.urgency}): taken up by {at(message.respond_by)}, "
                f"done by {at(message.resolve_by)}."
            )
        case DemandStatusReported():
            asks = " Was it of value?" if message.asks_confirmation else ""
            return f"{message.requester} is told ({spoken(message.status)}): {message.text}{asks}"
        case ValueJudged():
            return (
                f"Value: {message.stakeholder} says {_judged(message)}. Asked: {_clause(message.asked)}. Delivered: "
                f"{_clause(message.delivered)}, {_in_time(message.delivered_at, message.promised_by)}."
            )

        case PortfolioDecisionMade():
            chosen = f" by “{message.chosen}”" if message.chosen else ""
            money = f" for {_euros(message.cost)}" if message.cost else ""
            return (
                f"Plan {DECIDED[message.decision]} “{message.title}”{chosen}{money} "
                f"(worth {_euros(message.value)} a year; {_euros(message.budget_left)} of {message.quarter} left)."
            )
        case PolicyIssued():
            return f"Policy {message.policy} version {message.version} binds: {message.statement}"

        case SpecificationIssued():
            parts = listed([one.component for one in message.components]) or "no part"
            again = f" again, because {_clause(message.rework_of)}" if message.rework_of else ""
            return f"Design {message.iteration} of {message.service} needs {parts}{again}."
        case ChangeProposed():
            return f"Change {message.change} to {message.service} is proposed, for at most {_euros(message.budget)}."
        case DeploymentPlanned():
            return (
                f"The {message.change_type} change {message.change} ({message.risk} risk) is approved by "
                f"{message.approved_by} and scheduled for {at(message.scheduled_at)}; "
                f"back-out: {message.back_out_plan}"
            )
        case ServiceReleased():
            return f"{message.service} is released: it may be used from {at(message.released_at)}."
        case ServiceTransitionReported():
            return f"{message.service} is {message.outcome}: {' '.join(message.reasons)}"
        case DesignPerformanceReported():
            taken = f" in {_hours(message.taken_hours)}" if message.taken_hours is not None else ""
            return f"Work on {message.service} has come out as {spoken(message.outcome)}{taken}."

        case ComponentProvided():
            failed = [test.name for test in message.tests if not test.passed]
            tests = f"failed at {listed(failed)}" if failed else f"passed all {len(message.tests)} tests"
            return (
                f"{message.component} is {HAD[message.way]} for {_euros(message.cost)}, bears "
                f"{message.capacity:g} {message.unit}, and has {tests}."
            )
        case ChangedServiceReported():
            what = "all its parts are there" if message.outcome == "ready" else "its parts cannot be had"
            return f"{message.service}: {what}. {' '.join(message.reasons)}".strip()
        case ObtainPerformanceReported():
            return (
                f"{message.component} took {_hours(message.taken_hours)} of the promised "
                f"{_hours(message.promised_hours)} and cost {_euros(message.cost)}."
            )

        case ServiceDelivered():
            why = f" {' '.join(message.reasons)}" if message.reasons else ""
            return f"{message.service} is {spoken(message.outcome)}: {message.what}{why}"
        case SupportTaskCompleted():
            when = _in_time(message.completed_at, message.resolve_by)
            return f"The task ends {message.outcome}, {when}: {message.resolution}"
        case ServicePerformanceReported():
            met = "met" if message.met else "not met"
            return (
                f"It was taken up in {span(timedelta(seconds=message.respond_seconds))} and ended in "
                f"{span(timedelta(seconds=message.restore_seconds))}; its targets are {met}."
            )
        case SupportEscalated():
            missed = "is missed" if message.breached else "is in danger"
            return (
                f"The target to {message.target} by {at(message.due_at)} {missed}: "
                f"{message.to} has to act (level {message.level})."
            )

        case ChainPerformanceReported():
            figures = listed([_kpi(one) for one in message.kpis]) or "nothing measured yet"
            return f"The chain in {message.period}: {figures}."
        case _:
            title = getattr(message, "title", "")
            return (
                f"{spoken(type(message).__name__).capitalize()}: “{title}”." if title else f"{type(message).__name__}."
            )


def _clause(text: str) -> str:
    """A sentence as a part of another one."""
    return text.rstrip(" .")


def _euros(amount: int) -> str:
    return f"{amount:,} euros"


def _hours(hours: float) -> str:
    return span(timedelta(hours=hours))


def _in_time(done: datetime | None, promised: datetime | None) -> str:
    if done is None or promised is None:
        return "with no time promised" if promised is None else "not delivered"
    late = done - promised
    return f"{span(late)} too late" if late > timedelta(0) else f"{span(-late)} before its time"


def _judged(judgement: Judgement) -> str:
    use = listed(["fit for purpose" if judgement.utility else "not fit for purpose",
                  "fit for use" if judgement.warranty else "not fit for use"])  # fmt: skip
    remark = f" (“{judgement.remark}”)" if judgement.remark else ""
    return f"{judgement.verdict} realised, {use}{remark}"


def _requirement(requirement: Requirement) -> str:
    bound = "at least" if requirement.better == "higher" else "at most"
    return f"{requirement.measure} {bound} {requirement.target:g} {requirement.unit}".strip()


def _kpi(kpi: Kpi) -> str:
    target = f" (target {kpi.target:g})" if kpi.target is not None else ""
    return f"{spoken(kpi.name)} {kpi.value:g} {kpi.unit}{target} from {kpi.count} cases"
