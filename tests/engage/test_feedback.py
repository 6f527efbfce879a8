"""Feedback is answered at once or passed on, and whoever gave it hears what becomes of the improvement."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid5

import pytest

from contracts.engage import DemandStatusReported, ImprovementOpportunityIdentified, ValueJudged
from contracts.event import Command
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.outside import DemandSubmitted, TicketPushed, ValueConfirmed
from contracts.plan import ImprovementPlanned
from services.engage.handlers import handles
from services.engage.model import Demand, FeedbackAnswered, FeedbackWeighed, ServiceDescribed
from services.engage.registers import StakeholderStated
from tests.engage.house import EMILY, NOW, ONE, PAUL, TWO, House, all_of, only

STREAM = "act-on-feedback"


@pytest.fixture
def house() -> House:
    return House()


def remark(demand: UUID = ONE, requester: str = EMILY, **fields: Any) -> DemandSubmitted:
    said: dict[str, Any] = {
        "demand": demand, "requester": requester, "title": "Too many steps", "text": "It could be shorter.",
        "kind": "feedback", "service": "video-games",
    }  # fmt: skip
    return DemandSubmitted(**(said | fields))


def proposed(*demands: UUID) -> ImprovementInitiated:
    return ImprovementInitiated(
        initiative="satisfaction-video-games-1", title="Fewer steps", subject="services", hypothesis="Two will do.",
        measure="satisfaction", baseline=3, target=4, unit="of 5", source="feedback", owner="product manager",
        value=1, cost=1, reasons=("Many say so.",), basis=(), demands=demands,
    )  # fmt: skip


def planned(decision: Any, *demands: UUID) -> ImprovementPlanned:
    return ImprovementPlanned(
        initiative="satisfaction-video-games-1", title="Fewer steps", decision=decision, subject="services",
        owner="product manager", cost=0, quarter="2026-Q4", reasons=("The money is there or not.",), basis=(),
        demands=demands,
    )  # fmt: skip


def judged(result: Any, *demands: UUID, status: Any = "closed") -> InitiativeStatusReported:
    return InitiativeStatusReported(
        initiative="satisfaction-video-games-1", title="Fewer steps", status=status, result=result, measured=4.2,
        target=4, unit="of 5", text="It was measured.", demands=demands,
    )  # fmt: skip


def status_of(house: House, demand: UUID = ONE) -> str | None:
    return house.row(Demand, demand).status


# Passing on


@pytest.mark.row("engage.out.improvement_opportunities")
def test_one_remark_is_feedback_and_the_third_on_one_service_within_months_is_a_trend(house: House) -> None:
    told = [only(ImprovementOpportunityIdentified, house.hear(remark(uuid5(ONE, str(n))))) for n in range(3)]
    assert [one.source for one in told] == ["feedback", "feedback", "trend"]
    assert [len(one.demands) for one in told] == [0, 0, 2]
    assert [one.reasons[0].partition(" have")[0] for one in told] == ["0 others", "1 others", "2 others"]
    assert "2 others" in house.events[-1].text
    other = only(ImprovementOpportunityIdentified, house.hear(remark(TWO, service="radio")))
    assert other.source == "feedback"
    house.now += timedelta(days=91)
    assert only(ImprovementOpportunityIdentified, house.hear(remark())).source == "feedback"


def test_a_complaint_is_always_passed_on_as_one_and_about_the_organisation_if_it_names_no_service(house: House) -> None:
    told = house.hear(remark(kind="complaint", service=None, text="Nobody called. We like you, though."))
    passed_on = only(ImprovementOpportunityIdentified, told)
    assert (passed_on.source, passed_on.service) == ("complaint", None)
    assert "sorry" in only(DemandStatusReported, told).text
    assert status_of(house) == "consolidated"


@pytest.mark.row("engage.in.tickets", "users")
def test_feedback_without_a_service_is_answered_at_once_and_passed_on_when_the_reply_names_one(house: House) -> None:
    pushed: dict[str, Any] = {
        "demand": ONE, "desk": "roundup", "delivery": "1", "ticket": "7", "url": "", "title": "Too many steps",
        "ticket_type": "Feedback", "requester_name": "Emily", "requester_email": EMILY, "occurred_at": NOW,
    }  # fmt: skip
    told = house.hear(TicketPushed(**pushed, kind="created", text="It should be shorter."))
    assert all_of(ImprovementOpportunityIdentified, told) == []
    assert (only(DemandStatusReported, told).status, status_of(house)) == ("delivered", "delivered")
    house.hear(ServiceDescribed(service="video-games"))
    reply = house.hear(TicketPushed(**(pushed | {"delivery": "2"}), kind="replied", text="The video games, of course."))
    assert only(ImprovementOpportunityIdentified, reply).service == "video-games"


def test_mere_praise_is_answered_at_once_and_praise_with_a_wish_is_passed_on(house: House) -> None:
    told = house.hear(remark(title="Well done", text="We like it."))
    assert only(DemandStatusReported, told).asks_confirmation
    wishing = remark(TWO, title="Well done", text="We like it, but it is slow.")
    assert only(ImprovementOpportunityIdentified, house.hear(wishing)).demand == TWO


def test_the_register_says_in_which_role_somebody_speaks(house: House) -> None:
    house.ask(StakeholderStated(stakeholder=EMILY, name="Emily", kind="employee"))
    kinds = [
        only(ImprovementOpportunityIdentified, house.hear(remark(demand, who))).stakeholder_kind
        for demand, who in ((ONE, EMILY), (TWO, PAUL))
    ]
    assert kinds == ["employee", "consumer"]


# Answering


@pytest.mark.parametrize(
    ("messages", "end", "says"),
    [
        ([], "consolidated", "weighed next"),
        ([proposed(ONE)], "in_progress", "an improvement is proposed: Fewer steps"),
        ([proposed(ONE), planned("approve", ONE)], "in_progress", "is approved"),
        ([proposed(ONE), planned("defer", ONE)], "deferred", "has to wait"),
        ([proposed(ONE), planned("reject", ONE)], "rejected", "The money is there or not."),
        ([planned("approve", ONE), judged("kept", ONE)], "delivered", "4.2 of 5 was measured"),
        ([planned("approve", ONE), judged("reverted", ONE)], "rejected", "was taken back"),
        ([planned("approve", ONE), judged("inconclusive", ONE)], "rejected", "4 was aimed at"),
        ([planned("approve", ONE), judged(None, ONE, status="in_progress")], "in_progress", "is approved"),
        ([judged(None, ONE)], "rejected", "No improvement is made"),
    ],
)
@pytest.mark.row("engage.in.improvement_plans", "plan")
def test_who_gave_feedback_hears_each_stage_of_the_improvement(
    house: House, messages: list[Any], end: str, says: str
) -> None:
    house.hear(remark())
    for message in messages:
        house.hear(message)
    report = all_of(DemandStatusReported, house.events)[-1]
    assert (report.status, status_of(house)) == (end, end)
    assert says in report.text


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize(("result", "end"), [("kept", "delivered"), ("reverted", "rejected")])
def test_the_latest_stage_wins_whatever_is_heard_first(
    house: House, order: tuple[int, ...], result: str, end: str
) -> None:
    house.hear(remark())
    messages = [proposed(ONE), planned("approve", ONE), judged(result, ONE)]
    for number in order:
        house.hear(messages[number])
        assert house.hear(messages[number]) == []  # the same again
    assert status_of(house) == end


def test_who_is_named_by_one_of_the_messages_only_hears_the_stage_that_it_has_come_to(house: House) -> None:
    house.hear(remark())
    house.hear(remark(TWO, PAUL))
    house.hear(proposed(ONE, TWO))
    house.hear(planned("reject", ONE))  # without the proposal, nobody would know of the second
    assert status_of(house, TWO) == "rejected"
    late = House()
    late.hear(remark())
    late.hear(planned("defer"))
    late.hear(proposed(ONE))
    assert status_of(late) == "deferred"


def test_a_decision_that_is_put_off_may_be_taken_later(house: House) -> None:
    house.hear(remark())
    house.hear(planned("defer", ONE))
    house.hear(planned("approve", ONE))
    assert status_of(house) == "in_progress"


def test_a_kept_improvement_is_judged_by_who_asked_for_it(house: House) -> None:
    house.hear(remark())
    house.hear(judged("kept", ONE))
    answer = ValueConfirmed(demand=ONE, stakeholder=EMILY, verdict="fully", utility=True, warranty=True)
    assert only(ValueJudged, house.hear(answer)).delivered.startswith("Fewer steps has helped and stays")
    assert house.hear(judged("kept", ONE)) == []
    assert status_of(house) == "value_realised"


def test_what_is_answered_twice_or_belongs_to_nobody_changes_nothing(house: House) -> None:
    assert house.hear(planned("reject", ONE)) == []
    assert status_of(house) is None


def test_the_step_that_answers_is_one_of_the_stream(house: House) -> None:
    steps: list[tuple[type[Command], str, str]] = [
        (FeedbackWeighed, "pass-on", "pass-on"), (FeedbackAnswered, "", "answer"), (ValueConfirmed, "", "answer"),
    ]  # fmt: skip
    for message, told_by, step in steps:
        route = handles.route(message.type, STREAM, told_by)
        assert route
        assert route.step
        assert route.step.step == step
