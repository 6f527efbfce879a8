"""Onboarding: a consumer sees the terms and accepts them, then is taught; without their answer the stream waits."""

from contracts.engage import SupportTaskRequested
from contracts.stream import Streams
from contracts.values import Requirement
from services.chassis.outputs import Answer, refusal
from services.chassis.state import Read
from services.engage.model import FINAL, Demand, DemandAccepted, KnownServices, Segment, TermsAnswered
from services.engage.notices import Told, tell, unknown
from services.engage.registers import Stakeholder
from services.engage.relationship_management import Closing, close, is_requester, known_as
from services.engage.service_level_management import ask_support, in_their_segment, requirements_on
from services.engage.views import DemandView


def onboard_consumer(
    accepted: DemandAccepted,
    demand: Demand,
    services: Read[KnownServices],
    segment: Read[Segment],
    stakeholder: Read[Stakeholder],
    streams: Streams,
) -> list[SupportTaskRequested | Told | DemandAccepted]:
    """Offer what the service keeps for their segment; who has accepted that is trained."""
    if demand.status in FINAL:
        return []
    if again := in_their_segment(accepted, demand, stakeholder):
        return [*again]
    if demand.accepted_at:
        return [*ask_support(accepted, demand, services, segment, streams)]
    demand.status, demand.reason = "waiting_for_consumer", "the consumer has not accepted the terms yet"
    terms = "; ".join(spelled(one.requirement) for one in requirements_on(demand, segment, services))
    whom = f"for the segment {demand.segment}" if demand.segment else "for everybody"
    return [*tell(demand, f"Welcome. What we keep {whom}: {terms}. Please accept it or say no; until then we wait.")]


def take_answer(answered: TermsAnswered, demand: Demand) -> list[Answer | DemandAccepted | Closing]:
    """The consumer's own step: a yes lets the stream go on, with the promise counted from now; a no ends it."""
    if demand.status is None:
        return [unknown()]
    if not is_requester(answered.stakeholder, demand):
        return [refusal(403, "It is not yours to accept", "Only the requester of a demand accepts its terms.")]
    if demand.status != "waiting_for_consumer":
        hint = f"It is {demand.status}; terms are accepted while the demand waits for its consumer."
        return [refusal(409, "Nothing is offered", hint)]
    if not answered.accepted:
        why = f": {answered.remark}" if answered.remark else ""
        told = close(demand, "rejected", answered.time, f"the consumer does not accept the terms{why}", NOT_ACCEPTED)
        return [Answer(200, DemandView.of(demand)), *told]
    waited = answered.time - (demand.contacted_at or answered.time)
    demand.promised_by = demand.promised_by + waited if demand.promised_by else None
    demand.accepted_at = demand.contacted_at = answered.time
    demand.status, demand.reason = "in_progress", "the consumer has accepted the terms"
    goes_on = DemandAccepted(demand=demand.id, segment=demand.segment, stakeholder=known_as(demand.requester))
    return [Answer(200, DemandView.of(demand)), goes_on]


NOT_ACCEPTED = "You have not accepted the terms, so we stop here; ask again whenever you like."


def spelled(requirement: Requirement) -> str:
    """A requirement as a consumer reads it."""
    least = "at least" if requirement.better == "higher" else "at most"
    return f"{requirement.measure}, {least} {requirement.target:g} {requirement.unit}".strip()
