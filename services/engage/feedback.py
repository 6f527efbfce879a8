"""Feedback and complaints: what somebody could make better is passed on, and who said it hears what becomes of it."""

from datetime import timedelta
from uuid import UUID

from contracts.engage import ImprovementOpportunityIdentified
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.engage.ledgers import MOST_DEMANDS, MOST_VOICES, Initiative, Voice, Voices
from services.engage.model import FINAL, Demand, DemandAccepted, FeedbackAnswered, FeedbackWeighed, Stage
from services.engage.notices import Told, spoken, tell
from services.engage.registers import Stakeholder
from services.engage.relationship_management import Closing, close, hand_over
from services.engage.service_level_management import put_in_segment
from services.engage.triage import first_of

TREND = 3
"""So much feedback on one service within the time of a trend is a trend."""
TIME_OF_TREND = timedelta(days=90)
PRAISE = ("well done", "thank you", "i like", "we like", "great", "i love", "we love")
WISH = ("but", "better", "should", "could", "wish", "would be", "please", "missing", "instead", "suggestion", "more")
"""Words by which praise that asks for nothing is told from what wants something to be better."""
LASTING: dict[Stage, str] = {
    "kept": "has helped and stays",
    "reverted": "was taken back",
    "inconclusive": "cannot be told to help",
}
"""What is said of an improvement that was judged."""


def pass_on_feedback(
    accepted: DemandAccepted, demand: Demand, stakeholder: Read[Stakeholder]
) -> list[FeedbackWeighed | Closing | Later]:
    """Answer praise, and feedback that names no service, at once; hold everything else against what others have said.

    A complaint is always passed on: if it names no service, it is about the organisation.
    """
    if demand.status in FINAL:
        return []
    put_in_segment(demand, stakeholder)
    if demand.kind != "complaint" and demand.service is None:
        return [
            *hand_over(demand, "Thank you. Which of our services do you mean? We then look into it.", accepted.time)
        ]
    if demand.kind != "complaint" and first_of(PRAISE, demand.need) and not first_of(WISH, demand.need):
        thanks = f"Thank you. We tell those who make {demand.service} what you like about it."
        return [*hand_over(demand, thanks, accepted.time)]
    kind = stakeholder.kind or "consumer"
    return [FeedbackWeighed(demand=demand.id, service=demand.service or "", stakeholder_kind=kind)]


def weigh_feedback(
    weighed: FeedbackWeighed, demand: Demand, voices: Voices
) -> list[ImprovementOpportunityIdentified | Told]:
    """Pass on what could be better; what several people say about one service within some months is a trend."""
    if demand.status in FINAL:
        return []
    recent = [voice for voice in voices.voices if weighed.time - voice.at <= TIME_OF_TREND]
    others = tuple(voice.demand for voice in recent if voice.demand != demand.id)
    kept = (voice for voice in recent if voice.demand != demand.id)
    voices.voices = (*kept, Voice(demand=demand.id, at=weighed.time))[-MOST_VOICES:]
    trend = len(others) + 1 >= TREND
    said = f"{len(others)} others have said something about it within {TIME_OF_TREND.days} days; {TREND} make a trend."
    about = demand.service or "us"
    many = f", as {len(others)} others have said within {TIME_OF_TREND.days} days" if trend else ""
    demand.status, demand.reason = "consolidated", f"what could be better about {about} is weighed{many}"
    passed_on = ImprovementOpportunityIdentified(
        demand=demand.id,
        title=demand.title,
        text=demand.need,
        source="complaint" if demand.kind == "complaint" else "trend" if trend else "feedback",
        stakeholder=demand.requester,
        stakeholder_kind=weighed.stakeholder_kind,
        service=demand.service,
        demands=others if trend else (),
        reasons=(said,),
    )
    sorry = "We are sorry. " if demand.kind == "complaint" else "Thank you. "
    return [passed_on, *tell(demand, f"{sorry}What could be better about {about} is weighed next{many}.")]


def hear_initiative(initiated: ImprovementInitiated, initiative: Initiative) -> list[FeedbackAnswered]:
    """An improvement is proposed: those whose feedback is behind it are told."""
    text = f"Because of what you said, an improvement is proposed: {initiated.title}. {initiated.hypothesis}"
    return follow(initiative, "proposed", initiated.title, text, initiated.demands)


def hear_improvement_plan(planned: ImprovementPlanned, initiative: Initiative) -> list[FeedbackAnswered]:
    """Plan has decided on an improvement: those whose feedback is behind it hear it with the reasons."""
    why = " ".join(planned.reasons)
    due = f" Its effect is measured on {spoken(planned.due_at)}." if planned.due_at else ""
    match planned.decision:
        case "approve":
            text = f"The improvement is approved: {planned.title}. {why}{due}"
            return follow(initiative, "approved", planned.title, text, planned.demands)
        case "defer":
            text = f"The improvement has to wait: {planned.title}. {why}"
            return follow(initiative, "deferred", planned.title, text, planned.demands)
        case "reject":
            text = f"The improvement will not be made: {planned.title}. {why}"
            return follow(initiative, "refused", planned.title, text, planned.demands)


def hear_initiative_status(status: InitiativeStatusReported, initiative: Initiative) -> list[FeedbackAnswered]:
    """An improvement was judged by its measured effect, or was not taken up: that answers the feedback behind it."""
    if status.status != "closed":
        return []
    if status.result is None:
        text = f"No improvement is made: {status.title}. {status.text}"
        return follow(initiative, "refused", status.title, text, status.demands, closed=True)
    measured = "nothing" if status.measured is None else f"{status.measured:g} {status.unit}"
    result = f"{status.title} {LASTING[status.result]}: {measured} was measured, {status.target:g} was aimed at."
    return follow(initiative, status.result, status.title, f"{result} {status.text}", status.demands, closed=True)


def answer_feedback(answered: FeedbackAnswered, demand: Demand) -> list[Closing | Later]:
    """Tell who gave feedback how the improvement stands: one that is kept is what they asked for, and they judge it."""
    if demand.status not in ("consolidated", "deferred", "in_progress"):
        return []
    match answered.stage:
        case "kept":
            return [*hand_over(demand, answered.text, answered.time)]
        case "refused" | "reverted" | "inconclusive":
            return [*close(demand, "rejected", answered.time, answered.text, answered.text)]
        case "deferred":
            demand.status = "deferred"
        case "proposed" | "approved":
            demand.status = "in_progress"
    demand.reason = f"an improvement is {answered.stage}"
    return [*tell(demand, answered.text)]


def follow(
    initiative: Initiative, stage: Stage, title: str, text: str, demands: tuple[UUID, ...], *, closed: bool = False
) -> list[FeedbackAnswered]:
    """Keep the latest stage of an improvement, whichever was heard first; who is behind it hears it once."""
    new = [demand for demand in demands if demand not in initiative.demands]
    later = closed or initiative.stage is None or initiative.stage == "proposed" or stage != "proposed"
    moved = later and stage != initiative.stage and not initiative.closed
    if moved:
        initiative.stage, initiative.title, initiative.text, initiative.closed = stage, title, text, closed
    initiative.demands = (*initiative.demands, *new)[-MOST_DEMANDS:]
    latest, told = initiative.stage, initiative.demands if moved else new
    return [FeedbackAnswered(demand=one, stage=latest, text=initiative.text) for one in told] if latest else []
