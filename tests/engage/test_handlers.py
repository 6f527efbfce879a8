"""What Engage decides, case by case."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

import pytest

from contracts.deliver_support import ServiceDelivered, SupportTaskCompleted
from contracts.engage import (
    DemandConsolidated,
    DemandStatus,
    DemandStatusReported,
    ServiceRequirementsStated,
    SupportTaskRequested,
    ValueJudged,
)
from contracts.event import Command, Event, Fact, Verdict
from contracts.outside import (
    DemandSubmitted,
    DemandWithdrawn,
    Preference,
    RequirementsStated,
    TicketPushed,
    ValueConfirmed,
)
from contracts.plan import PortfolioDecisionMade, PortfolioVerdict
from contracts.stream import Streams, read_streams
from contracts.values import Requirement
from services.chassis.outputs import Answer, Ask, Begin, Later, Problem
from services.chassis.settings import Settings
from services.engage import notices
from services.engage.business_analysis import consolidate_demand, seek_need
from services.engage.handlers import handles
from services.engage.ledgers import Tally
from services.engage.model import (
    FINAL,
    AnswerOverdue,
    ConfirmationOverdue,
    Demand,
    DemandAccepted,
    DemandClassified,
    KnownService,
    KnownServices,
    Need,
    NeedStated,
    RequesterNotified,
    Segment,
    ServiceDescribed,
    Statement,
    TicketFollowed,
)
from services.engage.notices import Desk, RequesterNotice, note_notice
from services.engage.registers import Stakeholder
from services.engage.relationship_management import (
    TIME_TO_CONFIRM,
    assume_value,
    give_up_demand,
    hand_over_service,
    hand_over_support,
    judge_value,
    pass_on_decision,
    withdraw_demand,
)
from services.engage.service_desk import classify_demand, take_demand, take_followed_ticket, take_ticket
from services.engage.service_level_management import (
    AVAILABILITY,
    PRIORITY,
    TARGETS,
    describe_service,
    request_support,
    state_requirements,
)

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)
ID = UUID("5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e")
EMILY = "emily.carter@bluefleet.example"
RESTORE, CREATE = "restore-a-live-service", "create-a-new-product-or-service"
STREAMS = Streams(stream for stream in read_streams(Settings().streams) if stream.stream in (RESTORE, CREATE))
NONE_KNOWN = KnownServices(id="the")
GAMES = KnownServices(
    id="the", services=(KnownService(service="video-games", names=("the games",), criticality="high"),)
)
NO_SEGMENT = Segment(id="")
NOBODY = Stakeholder(id="")
COUNTED = Tally(period="2026-11-24", demands=1)
Kind = TypeVar("Kind")


def ticket(**fields: Any) -> TicketPushed:
    pushed: dict[str, Any] = {
        "demand": ID, "desk": "roundup", "delivery": "d-1", "ticket": "7", "url": "https://desk.example/issue7",
        "kind": "created", "title": "Video games go black", "text": "About 40 users are affected.",
        "ticket_type": "Incident", "priority": "bug", "status": "unread", "requester_name": "Emily Carter",
        "requester_email": EMILY, "service": "video-games", "occurred_at": NOW,
    }  # fmt: skip
    return TicketPushed(**(pushed | fields)).at(LATER if fields.get("kind", "created") != "created" else NOW)


def submitted(**fields: Any) -> DemandSubmitted:
    stated: dict[str, Any] = {"demand": ID, "requester": EMILY, "title": "A racing game", "text": "For two, please."}
    return DemandSubmitted(**(stated | fields)).at(NOW)


def begun(stream: str = RESTORE, demand: UUID = ID, **fields: Any) -> Begin:
    return Begin(stream, DemandAccepted(demand=demand, stakeholder=EMILY, **fields))


def consolidated(row: Demand, segment: Segment = NO_SEGMENT) -> list[Any]:
    """What comes of a demand that nobody else has."""
    stated = only(NeedStated, seek_need(accepted(CREATE), row, NOBODY))
    return [*consolidate_demand(stated.at(NOW, stream=CREATE), row, segment, Need(id=stated.need), {}, NONE_KNOWN)]


def accepted(stream: str = RESTORE) -> DemandAccepted:
    return DemandAccepted(demand=ID).at(NOW, stream=stream)


def demand(status: DemandStatus | None = "captured", **fields: Any) -> Demand:
    row: dict[str, Any] = {
        "id": ID, "status": status, "kind": "incident", "title": "Video games go black", "text": "They go black.",
        "requester": EMILY, "desk": "roundup", "ticket": "7", "captured_at": NOW, "contacted_at": NOW,
        "promised_by": NOW + timedelta(hours=72), "stream": RESTORE, "owner": "Service desk manager",
    }  # fmt: skip
    return Demand(**(row | fields))


def asked_for(row: Demand, services: KnownServices = NONE_KNOWN, segment: Segment = NO_SEGMENT) -> list[Any]:
    """What comes of it when support is asked to work on a demand."""
    return [*request_support(accepted(), row, services, segment, NOBODY, STREAMS)]


def delivered(**fields: Any) -> Demand:
    row: dict[str, Any] = {"status": "delivered", "delivered": "An update was installed.", "delivered_at": NOW}
    return demand(**(row | fields))


def decision(verdict: PortfolioVerdict) -> PortfolioDecisionMade:
    return PortfolioDecisionMade(
        demand=ID, title="A racing game", requester=EMILY, service="racing-game", decision=verdict, options=(),
        chosen=None, value=0, cost=0, quarter="2026-Q4", budget_left=0, policy="funding", policy_version=1,
        blueprint=None, reasons=("The budget of the quarter says so.",), basis=(),
    ).at(LATER, stream=CREATE, step="weigh-demand")  # fmt: skip


def completed(outcome: str) -> SupportTaskCompleted:
    return SupportTaskCompleted.model_validate(
        {
            "demand": ID, "task": "resolve", "service": "video-games", "outcome": outcome,
            "resolution": "The update 4.2.1 was installed.", "started_at": NOW, "completed_at": LATER,
            "respond_by": LATER, "resolve_by": LATER, "responded_in_time": True, "resolved_in_time": True,
            "reasons": ["The error is known."], "basis": [],
        }
    ).at(LATER, stream=RESTORE, step="restore")  # fmt: skip


def live(outcome: str = "live") -> ServiceDelivered:
    return ServiceDelivered.model_validate(
        {
            "demand": ID, "service": "racing-game", "title": "Racing game", "outcome": outcome,
            "what": "The racing game is in your cars.", "delivered_at": LATER,
        }
    ).at(LATER, stream=CREATE, step="put-live")  # fmt: skip


def confirmed(verdict: Verdict = "fully", stakeholder: str = EMILY) -> ValueConfirmed:
    return ValueConfirmed(
        demand=ID, stakeholder=stakeholder, verdict=verdict, utility=True, warranty=False, satisfaction=4
    ).at(LATER)


def only(kind: type[Kind], outputs: list[Any]) -> Kind:
    (found,) = [output for output in outputs if isinstance(output, kind)]
    return found


def told(outputs: list[Any]) -> DemandStatusReported:
    return only(DemandStatusReported, outputs)


def refused(outputs: list[Any]) -> int:
    """The status of an answer that is all there is, and says what to do."""
    (answer,) = outputs
    assert isinstance(answer.body, Problem)
    assert answer.body.detail
    return int(answer.status)


def fact(facts: tuple[Fact, ...], name: str) -> Fact:
    (found,) = [fact for fact in facts if fact.name == name]
    return found


# Taking demand in


def test_a_ticket_of_a_known_type_begins_the_stream_of_its_kind_and_the_rule_is_kept() -> None:
    row = Demand(id=ID)
    assert take_ticket(ticket(), row, NONE_KNOWN, STREAMS) == [begun(), COUNTED]
    assert (row.status, row.kind, row.service, row.stream) == ("captured", "incident", "video-games", RESTORE)
    assert row.promised_by == NOW + timedelta(hours=72)
    assert "'Incident'" in fact(row.facts, "kind").source


def test_what_the_text_says_is_read_where_the_ticket_has_no_field_for_it() -> None:
    row = Demand(id=ID)
    text = "1,200 people want it, 30 users within 2 days; it is worth 43,200 euros a year. We need it by 15 June 2027."
    take_ticket(ticket(ticket_type="New Product or Service", text=text, priority="wish"), row, NONE_KNOWN, STREAMS)
    assert (row.users, row.harm_in_hours, row.value, row.wanted_priority) == (1200, 48, 43_200, 5)
    assert row.wanted_by == datetime(2027, 6, 15, tzinfo=UTC)
    assert (row.kind, row.stream) == ("new_product_or_service", CREATE)
    assert fact(row.facts, "value").source == "the words '43,200 euros a year'"


def test_a_day_that_does_not_exist_is_not_wanted() -> None:
    row = Demand(id=ID)
    take_ticket(ticket(text="by 31 June 2027"), row, NONE_KNOWN, STREAMS)
    assert row.wanted_by is None


def test_without_a_type_the_words_decide_and_name_the_service_as_people_call_it() -> None:
    row = Demand(id=ID)
    untyped = ticket(ticket_type=None, service=None, text="The games end with an error.")
    assert take_ticket(untyped, row, GAMES, STREAMS)[0] == begun()
    assert (row.kind, row.service) == ("incident", "video-games")
    assert fact(row.facts, "kind").source == "the words 'error'"
    assert fact(row.facts, "service").source == "the words 'video games'"


def test_a_word_inside_of_another_word_says_nothing() -> None:
    row = Demand(id=ID)
    take_ticket(ticket(ticket_type=None, title="Terrorism", text="terrors"), row, NONE_KNOWN, STREAMS)
    assert row.kind == "unclassified"


def test_what_nobody_can_place_waits_for_triage_and_its_requester_is_told() -> None:
    row = Demand(id=ID)
    outputs = take_ticket(ticket(ticket_type=None, title="Hello?", text="Anybody there?"), row, NONE_KNOWN, STREAMS)
    assert told(outputs).status == row.status == "unclassified"
    assert "no type is given" in row.reason
    assert row.reason in told(outputs).text


def test_a_kind_that_no_value_stream_takes_waits_for_triage_with_its_kind() -> None:
    row = Demand(id=ID)
    outputs = take_ticket(ticket(ticket_type="Complaint"), row, NONE_KNOWN, STREAMS)
    assert (told(outputs).status, row.kind) == ("unclassified", "complaint")
    assert "'complaint'" in row.reason


def test_the_same_ticket_again_changes_nothing() -> None:
    row = demand("in_progress")
    before = row.model_copy()
    assert take_ticket(ticket(status=None), row, NONE_KNOWN, STREAMS) == []
    assert row == before


def test_a_change_of_status_in_the_desk_is_recorded_and_no_more() -> None:
    row = delivered()
    assert take_ticket(ticket(kind="status_changed", status="chatting", text=""), row, NONE_KNOWN, STREAMS) == []
    assert (row.status, row.ticket_status) == ("delivered", "chatting")


def test_a_change_of_status_of_an_unknown_ticket_is_no_demand_but_a_reply_to_one_is() -> None:
    row = Demand(id=ID)
    assert take_ticket(ticket(kind="status_changed", text=""), row, NONE_KNOWN, STREAMS) == []
    assert row.status is None
    assert take_ticket(ticket(kind="replied"), row, NONE_KNOWN, STREAMS) == [begun(), COUNTED]


def test_a_reply_to_open_work_is_recorded() -> None:
    row = demand("in_progress")
    assert take_ticket(ticket(kind="replied", text="42 users now."), row, NONE_KNOWN, STREAMS) == []
    assert (row.status, row.replies, row.last_reply) == ("in_progress", 1, "42 users now.")


def test_a_reply_to_a_delivered_demand_reopens_it_and_its_promise_begins_again() -> None:
    row = delivered(service="video-games")
    black_again = ticket(kind="replied", status="chatting", text="Black again.")
    assert take_ticket(black_again, row, NONE_KNOWN, STREAMS) == [begun()]
    assert (row.status, row.reopened, row.delivered_at) == ("in_progress", 1, None)
    assert row.promised_by == LATER + timedelta(hours=72)
    requested = only(SupportTaskRequested, asked_for(row))
    assert (requested.reopened, requested.text) == (1, "They go black.\n\nBlack again.")


@pytest.mark.parametrize("status", ["delivered", "value_realised"])
def test_the_desks_own_answer_as_it_closes_the_ticket_neither_reopens_nor_renews(status: DemandStatus) -> None:
    row = delivered(status=status)
    assert take_ticket(ticket(kind="replied", status="resolved", text="Fixed."), row, NONE_KNOWN, STREAMS) == []
    assert row.status == status


def test_what_engage_has_said_itself_is_not_taken_for_a_reply() -> None:
    row = demand("in_progress")
    text = told(hand_over_support(completed("resolved"), row)).text
    echo = ticket(kind="replied", text=f"From the value chain:\n{text}\n")
    assert take_ticket(echo, row, NONE_KNOWN, STREAMS) == []
    assert (row.status, row.replies) == ("delivered", 0)


@pytest.mark.parametrize("status", sorted(str(status) for status in FINAL))
def test_a_reply_after_the_end_is_a_new_linked_demand_and_the_old_one_stays_closed(status: DemandStatus) -> None:
    row, reply = demand(status), ticket(kind="replied", delivery="d-9", text="It is broken again.")
    followed = only(TicketFollowed, take_ticket(reply, row, NONE_KNOWN, STREAMS))
    assert (row.status, row.followed_by) == (status, uuid5(ID, "d-9"))
    new = Demand(id=followed.demand)
    captured = take_followed_ticket(followed.at(LATER), new, NONE_KNOWN, STREAMS)
    assert captured == [begun(demand=new.id), COUNTED]
    assert (new.follows, new.status, new.text) == (ID, "captured", "It is broken again.")
    assert take_followed_ticket(followed.at(LATER), new, NONE_KNOWN, STREAMS) == []


def test_what_the_ticket_says_after_that_is_said_about_the_new_demand() -> None:
    new = uuid5(ID, "d-9")
    row = demand("assumed", followed_by=new)
    forwarded = only(TicketPushed, take_ticket(ticket(kind="replied", text="Hello?"), row, NONE_KNOWN, STREAMS))
    assert (forwarded.demand, forwarded.text, row.replies) == (new, "Hello?", 0)


def test_a_submitted_demand_is_answered_as_made_with_what_its_requester_stated() -> None:
    row = Demand(id=ID)
    wish = submitted(kind="new_product_or_service", value=43_200, users_affected=900, segment="families")
    outputs = take_demand(wish, row, NONE_KNOWN, STREAMS)
    assert only(Answer, outputs).status == 201
    assert only(Begin, outputs) == begun(CREATE, segment="families")
    assert (row.value, row.users) == (43_200, 900)
    assert fact(row.facts, "value").source == "the requester"


def test_the_same_demand_again_is_answered_as_it_stands() -> None:
    row = demand("in_progress")
    (answer,) = take_demand(submitted(), row, NONE_KNOWN, STREAMS)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body.model_dump()["status"]) == (200, "in_progress")


def classified(**fields: Any) -> DemandClassified:
    said: dict[str, Any] = {"demand": ID, "kind": "incident", "by": "Priya", "reason": "It is."}
    return DemandClassified(**(said | fields)).at(LATER)


def test_a_person_classifies_what_no_rule_could_and_the_requester_has_waited_since_first_contact() -> None:
    row = demand("unclassified", kind="unclassified", facts=(Fact(name="kind", value="unclassified", source="words"),))
    outputs = classify_demand(classified(service="video-games"), row, STREAMS)
    assert only(Answer, outputs).status == 200
    assert only(Begin, outputs).stream == RESTORE
    assert (row.kind, row.service, row.contacted_at) == ("incident", "video-games", NOW)
    assert fact(row.facts, "kind").source == fact(row.facts, "service").source == "Priya decided: It is."


def test_what_work_ended_on_without_a_result_is_classified_anew() -> None:
    row = demand("in_progress", escalated_to="Service desk manager", service="video-games")
    outputs = classify_demand(classified(kind="new_product_or_service"), row, STREAMS)
    assert only(Begin, outputs).stream == row.stream == CREATE
    assert (row.escalated_to, row.service) == ("", "video-games")


def test_only_what_is_unclassified_or_escalated_is_classified_and_only_as_a_stream_takes_it() -> None:
    assert refused(classify_demand(classified(), Demand(id=ID), STREAMS)) == 404
    assert refused(classify_demand(classified(), demand("in_progress"), STREAMS)) == 409
    row = demand("unclassified")
    before = row.model_copy()
    assert refused(classify_demand(classified(kind="complaint"), row, STREAMS)) == 422
    assert row == before


# Handing it on


@pytest.mark.parametrize(
    ("users", "criticality", "harm", "priority"),
    [
        (500, "high", 2, 1), (500, "low", 30, 4), (40, "medium", 2, 2), (40, "medium", 24, 3), (40, None, None, 4),
        (1, "low", None, 5), (1, "high", 4, 2), (0, "medium", 24.5, 5),
    ],
)  # fmt: skip
def test_priority_comes_from_impact_and_urgency(
    users: int, criticality: Any, harm: float | None, priority: int
) -> None:
    known = KnownServices(id="the", services=(KnownService(service="video-games", criticality=criticality),))
    row = demand(users=users, harm_in_hours=harm, service="video-games", wanted_priority=1)
    requested = only(SupportTaskRequested, asked_for(row, known))
    assert requested.priority == row.priority == priority == PRIORITY[requested.impact, requested.urgency]
    assert requested.wanted_priority == 1
    assert any("wanted" in reason for reason in requested.reasons) == (priority != 1)


def test_the_more_harm_the_earlier_and_every_value_used_is_named() -> None:
    row = demand(users=40, harm_in_hours=2.0, facts=(Fact(name="users", value=40, source="the words '40 users'"),))
    outputs = asked_for(row)
    requested = only(SupportTaskRequested, outputs)
    assert (requested.respond_by, requested.resolve_by) == (NOW + timedelta(hours=4), NOW + timedelta(hours=24))
    assert row.status == told(outputs).status == "in_progress"
    assert row.promised_by == requested.resolve_by
    assert "2026-11-25 08:30 UTC" in told(outputs).text
    assert {"users", "criticality", "impact", "urgency", "priority", "promised by"} <= {f.name for f in requested.basis}
    assert "nobody has described" in fact(requested.basis, "criticality").source
    respond, resolve = zip(*TARGETS.values(), strict=True)
    assert list(respond) == sorted(respond)
    assert list(resolve) == sorted(resolve)


def test_a_target_never_breaks_the_promise_of_the_stream() -> None:
    row = demand(users=1, harm_in_hours=None)
    requested = only(SupportTaskRequested, asked_for(row))
    assert (requested.priority, requested.resolve_by) == (5, NOW + timedelta(hours=72))
    assert any("promise" in reason for reason in requested.reasons)


def test_a_service_request_is_to_be_fulfilled_and_an_incident_to_be_resolved() -> None:
    tasks = {
        kind: only(SupportTaskRequested, asked_for(demand(kind=kind))).task for kind in ("incident", "service_request")
    }
    assert tasks == {"incident": "resolve", "service_request": "fulfil"}


def test_a_segments_preference_stands_in_for_a_wish_that_nobody_uttered() -> None:
    prefers = (Preference(kind="incident", wanted_priority=2),)
    segment = Segment(
        id="fleets", statements=(Statement(service=None, requirements=(), preferences=prefers, customer=EMILY),)
    )
    unsaid, said = demand(), demand(wanted_priority=4)
    wanted = [only(SupportTaskRequested, asked_for(row, segment=segment)).wanted_priority for row in (unsaid, said)]
    assert wanted == [2, 4]


def test_a_consolidated_demand_is_told_with_its_promise_and_what_the_service_must_reach() -> None:
    row = demand(
        kind="new_product_or_service", users=900, value=43_200, service="video-games", segment="families",
        promised_by=NOW + timedelta(hours=2160),
    )  # fmt: skip
    quick = Requirement(
        name="start-time", kind="warranty", measure="until a title starts", target=10, unit="s", better="lower"
    )
    always = AVAILABILITY.model_copy(update={"target": 99.9})
    other = quick.model_copy(update={"name": "range"})
    statements = (
        Statement(service="video-games", requirements=(always,), preferences=(), customer=EMILY),
        Statement(service=None, requirements=(quick, AVAILABILITY), preferences=(), customer=EMILY),
        Statement(service="charging", requirements=(other,), preferences=(), customer=EMILY),
    )
    outputs = consolidated(row, Segment(id="families", statements=statements))
    need = only(DemandConsolidated, outputs)
    assert (need.promise_by, need.value, need.users) == (row.promised_by, 43_200, 900)
    assert need.tickets == ("roundup/7",)
    stated = {r.name: r.target for r in only(ServiceRequirementsStated, outputs).requirements}
    assert stated == {"users-served": 900, "availability": 99.9, "start-time": 10}
    assert told(outputs).status == row.status == "consolidated"


def test_a_demand_without_a_value_hypothesis_is_told_as_bringing_nothing() -> None:
    outputs = consolidated(demand(desk="", ticket=""))
    assert only(DemandConsolidated, outputs).value == 0
    assert only(DemandConsolidated, outputs).tickets == ()


@pytest.mark.parametrize(
    ("verdict", "status"), [("approve", "in_progress"), ("defer", "deferred"), ("reject", "rejected")]
)
def test_the_requester_is_told_what_plan_decided_and_why(verdict: PortfolioVerdict, status: DemandStatus) -> None:
    row = demand("consolidated")
    outputs = pass_on_decision(decision(verdict), row)
    assert told(outputs).status == row.status == status
    assert "The budget of the quarter says so." in told(outputs).text
    assert (row.closed_at == LATER) == (status == "rejected")


def test_a_deferred_demand_may_be_approved_and_an_approved_one_rejected_when_it_cannot_be_had() -> None:
    row = demand("deferred")
    statuses = [told(pass_on_decision(decision(verdict), row)).status for verdict in ("approve", "reject")]
    assert statuses == ["in_progress", "rejected"]


# Handing it over


@pytest.mark.parametrize("outcome", ["resolved", "fulfilled", "workaround"])
def test_done_work_is_delivered_and_the_requester_is_asked_what_it_is_worth(outcome: str) -> None:
    row = demand("in_progress")
    outputs = hand_over_support(completed(outcome), row)
    assert told(outputs).status == row.status == "delivered"
    assert told(outputs).asks_confirmation
    assert ("workaround" in told(outputs).text) == (outcome == "workaround")
    overdue = ConfirmationOverdue(demand=ID, delivered_at=LATER)
    assert only(Later, outputs) == Later(LATER + timedelta(days=14), overdue)


def test_what_support_refuses_is_rejected_with_the_reasons() -> None:
    row = demand("in_progress")
    outputs = hand_over_support(completed("refused"), row)
    assert (row.status, row.closed_at) == ("rejected", LATER)
    assert "The error is known." in told(outputs).text


def test_what_support_cannot_resolve_stays_open_with_the_owner_of_the_stream_and_its_requester_knows() -> None:
    row = demand("in_progress")
    outputs = hand_over_support(completed("unresolved"), row)
    assert (row.status, row.escalated_to) == ("in_progress", "Service desk manager")
    assert "could not solve it" in told(outputs).text
    assert not told(outputs).asks_confirmation
    overdue = AnswerOverdue(demand=ID, notices=row.notices)
    assert outputs == [told(outputs), Later(LATER + TIME_TO_CONFIRM, overdue)]


def test_what_support_cannot_resolve_ends_if_nobody_says_how_it_goes_on() -> None:
    row = demand("in_progress", service=None)
    overdue = only(Later, hand_over_support(completed("unresolved"), row)).message
    outputs = give_up_demand(overdue.at(LATER + TIME_TO_CONFIRM), row)
    assert told(outputs).status == row.status == "rejected"
    assert (row.closed_at, row.escalated_to) == (LATER + TIME_TO_CONFIRM, "")
    assert "The error is known." in row.reason
    assert "Nobody has said for 14 days" in row.reason


def test_what_was_settled_in_time_is_not_given_up() -> None:
    row = demand("in_progress")
    first = only(Later, hand_over_support(completed("unresolved"), row)).message
    classify_demand(classified(), row, STREAMS)
    assert give_up_demand(first.at(LATER), row) == [], "somebody has decided, and work goes on"
    row.status = "in_progress"
    again = only(Later, hand_over_support(completed("unresolved"), row)).message
    assert give_up_demand(first.at(LATER), row) == [], "the second question has a time of its own"
    assert give_up_demand(again.at(LATER), row) != []


def test_a_reply_that_names_the_service_lets_work_go_on() -> None:
    row = demand("in_progress", service=None)
    hand_over_support(completed("unresolved"), row)
    assert take_ticket(ticket(kind="replied", text="In the car."), row, GAMES, STREAMS) == []
    named = ticket(kind="replied", delivery="d-9", text="It is the video games.")
    assert take_ticket(named, row, GAMES, STREAMS) == [begun()]
    assert (row.service, row.escalated_to, row.contacted_at) == ("video-games", "", named.time)
    assert fact(row.facts, "service").value == "video-games"


def test_a_live_service_is_delivered_and_known_from_then_on() -> None:
    row = demand("in_progress", service=None)
    outputs = hand_over_service(live(), row)
    assert (row.status, row.service, row.delivered) == ("delivered", "racing-game", "The racing game is in your cars.")
    assert only(ServiceDescribed, outputs) == ServiceDescribed(service="racing-game")
    assert only(Later, outputs).at == LATER + TIME_TO_CONFIRM


def test_an_installed_service_that_nobody_can_use_yet_is_not_delivered() -> None:
    row = demand("in_progress")
    assert hand_over_service(live("deployment_accepted"), row) == []
    assert row.status == "in_progress"


def test_an_approval_that_arrives_after_the_delivery_changes_nothing() -> None:
    row = demand("consolidated")
    hand_over_service(live(), row)
    assert pass_on_decision(decision("approve"), row) == []
    assert row.status == "delivered"


# Value


@pytest.mark.parametrize(
    ("verdict", "status"), [("fully", "value_realised"), ("partly", "value_realised"), ("not", "denied")]
)
def test_the_requesters_own_word_says_whether_value_came_of_it(verdict: Verdict, status: DemandStatus) -> None:
    row = delivered(service="video-games")
    outputs = judge_value(confirmed(verdict, stakeholder=EMILY.upper()), row)
    assert only(Answer, outputs).status == 200
    assert told(outputs).status == row.status == status
    assert (row.verdict, row.closed_at) == (verdict, LATER)
    judged = only(ValueJudged, outputs)
    assert (judged.asked, judged.delivered) == ("Video games go black", "An update was installed.")
    assert (judged.promised_by, judged.delivered_at) == (NOW + timedelta(hours=72), NOW)
    assert (judged.verdict, judged.utility, judged.warranty, judged.satisfaction) == (verdict, True, False, 4)


def test_value_is_judged_by_its_requester_alone_once_and_only_when_something_was_delivered() -> None:
    assert refused(judge_value(confirmed(), Demand(id=ID))) == 404
    assert refused(judge_value(confirmed(stakeholder="priya@carcachin.example"), delivered())) == 403
    assert refused(judge_value(confirmed(), demand("in_progress"))) == 409
    row = delivered()
    judge_value(confirmed(), row)
    assert refused(judge_value(confirmed("not"), row)) == 409
    assert (row.status, row.verdict) == ("value_realised", "fully")


def test_silence_is_assumed_and_no_value() -> None:
    row = delivered()
    outputs = assume_value(ConfirmationOverdue(demand=ID, delivered_at=NOW).at(LATER), row)
    assert told(outputs).status == row.status == "assumed"
    assert (row.verdict, row.closed_at) == (None, LATER)


def test_the_time_to_confirm_an_earlier_delivery_does_not_close_a_later_one() -> None:
    row = delivered(delivered_at=LATER)
    assert assume_value(ConfirmationOverdue(demand=ID, delivered_at=NOW).at(LATER), row) == []
    assert row.status == "delivered"


def withdrawn(stakeholder: str = EMILY) -> DemandWithdrawn:
    return DemandWithdrawn(demand=ID, stakeholder=stakeholder, reason="We sold the cars.").at(LATER)


@pytest.mark.parametrize("status", ["unclassified", "consolidated", "deferred", "in_progress", "delivered"])
def test_an_open_demand_is_withdrawn_by_its_requester(status: DemandStatus) -> None:
    row = demand(status, escalated_to="Service desk manager")
    outputs = withdraw_demand(withdrawn(), row)
    assert only(Answer, outputs).status == 200
    assert told(outputs).status == row.status == "withdrawn"
    assert (row.closed_at, row.escalated_to) == (LATER, "")
    assert "We sold the cars." in row.reason


def test_a_demand_is_withdrawn_by_nobody_else_and_not_when_it_is_closed_or_unknown() -> None:
    assert refused(withdraw_demand(withdrawn(), Demand(id=ID))) == 404
    assert refused(withdraw_demand(withdrawn("priya@carcachin.example"), demand("in_progress"))) == 403
    assert refused(withdraw_demand(withdrawn(), demand("assumed"))) == 409


@pytest.mark.parametrize("status", sorted(str(status) for status in FINAL))
def test_a_final_state_is_never_left(status: DemandStatus) -> None:
    overdue = ConfirmationOverdue(demand=ID, delivered_at=NOW).at(LATER)
    row = demand(status, delivered_at=NOW)
    before = row.model_copy()
    silent: list[list[Any]] = [
        asked_for(row),
        [*seek_need(accepted(CREATE), row, NOBODY)],
        *(pass_on_decision(decision(verdict), row) for verdict in ("approve", "defer", "reject")),
        *(hand_over_support(completed(outcome), row) for outcome in ("resolved", "unresolved", "refused")),
        hand_over_service(live(), row),
        assume_value(overdue, row),
        give_up_demand(AnswerOverdue(demand=ID, notices=row.notices).at(LATER), row),
    ]
    assert silent == [[]] * len(silent)
    assert refused(judge_value(confirmed(), row)) == 409
    assert refused(withdraw_demand(withdrawn(), row)) == 409
    assert refused(classify_demand(classified(), row, STREAMS)) == 409
    assert row == before


# Telling the requester


def test_a_requester_is_told_on_the_ticket_where_its_desk_takes_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "whsec_" + "Y2FyY2FjaGlu" * 3
    desk = Desk.model_validate({"secrets": [secret], "reply_url": "https://desk.example/notices"})
    monkeypatch.setattr(notices, "DESKS", {"roundup": desk})
    row = demand("consolidated")
    report, ask = pass_on_decision(decision("approve"), row)
    assert isinstance(report, DemandStatusReported)
    assert isinstance(ask, Ask)
    notice = ask.effect
    assert notice == RequesterNotice(
        demand=ID, desk="roundup", ticket="7", number=1, status="in_progress", text=report.text, asks_confirmation=False
    )
    assert notice.refused("gone") == RequesterNotified(demand=ID, number=1, failed="gone")
    assert notice.failed("away") == RequesterNotified(demand=ID, number=1, failed="away", again=True)


def test_whether_the_last_notice_arrived_is_kept_and_older_ones_say_nothing() -> None:
    row = demand("in_progress", notices=2)
    assert note_notice(RequesterNotified(demand=ID, number=2, failed="gone").at(LATER), row) == []
    assert row.notice_failed == "gone"
    note_notice(RequesterNotified(demand=ID, number=1).at(LATER), row)
    assert row.notice_failed == "gone"
    note_notice(RequesterNotified(demand=ID, number=2).at(LATER), row)
    assert row.notice_failed == ""


# What Engage knows of services and segments


def test_a_described_service_keeps_what_is_left_out() -> None:
    services = KnownServices(id="the")
    describe_service(ServiceDescribed(service="video-games", criticality="high").at(NOW), services)
    (answer,) = describe_service(ServiceDescribed(service="video-games", names=("the games",)).at(NOW), services)
    assert answer.status == 200
    describe_service(ServiceDescribed(service="charging").at(NOW), services)
    assert services.services == (KnownService(service="charging"), GAMES.services[0])


def test_a_segments_latest_statement_on_a_service_replaces_the_one_before() -> None:
    segment = Segment(id="fleets")
    for customer, service in (("a", None), ("b", "video-games"), ("c", None)):
        (answer,) = state_requirements(
            RequirementsStated(segment="fleets", customer=customer, service=service).at(NOW), segment
        )
        assert answer.status == 200
    assert {(stated.service, stated.customer) for stated in segment.statements} == {(None, "c"), ("video-games", "b")}


# Value streams


def route(message: type[Event | Command], stream: str, step: str = "") -> tuple[str, str] | None:
    found = handles.route(message.type, stream, step)
    return (found.handler.decide.__name__, found.step.step if found.step else "") if found else None


def test_the_shipped_value_streams_can_be_followed() -> None:
    handles.follow(STREAMS)
    assert route(DemandAccepted, RESTORE) == ("request_support", "request-support")
    assert route(DemandAccepted, CREATE) == ("seek_need", "consolidate-demand")
    assert route(NeedStated, CREATE, "consolidate-demand") == ("consolidate_demand", "consolidate-demand")
    assert route(SupportTaskCompleted, RESTORE, "restore") == ("hand_over_support", "confirm-value")
    assert route(PortfolioDecisionMade, CREATE, "weigh-demand") == ("pass_on_decision", "confirm-value")
    assert route(ServiceDelivered, CREATE, "put-live") == ("hand_over_service", "confirm-value")
    assert route(ServiceDelivered, CREATE, "deploy") is None
    for stream in (RESTORE, CREATE):
        assert route(ValueConfirmed, stream) == ("judge_value", "confirm-value")
        assert route(ConfirmationOverdue, stream, "confirm-value") == ("assume_value", "confirm-value")


def test_what_comes_from_outside_is_heard_without_a_value_stream() -> None:
    handles.follow(STREAMS)
    outside = (TicketPushed, DemandSubmitted, DemandClassified, DemandWithdrawn, ValueConfirmed, RequirementsStated)
    own = (TicketFollowed, RequesterNotified, ServiceDescribed)
    assert [message.__name__ for message in (*outside, *own) if route(message, "") is None] == []
