"""Onboarding waits for the consumer's own answer."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.deliver_support import SupportTaskCompleted
from contracts.engage import DemandStatusReported, SupportTaskRequested
from contracts.outside import DemandSubmitted, RequirementsStated
from contracts.values import Requirement
from services.engage.model import Demand, TermsAnswered
from tests.engage.house import EMILY, NOW, ONE, PAUL, House, all_of, only


@pytest.fixture
def house() -> House:
    return House()


def joins(**fields: Any) -> DemandSubmitted:
    said: dict[str, Any] = {
        "demand": ONE, "requester": EMILY, "title": "Our fleet joins", "text": "", "kind": "onboarding",
        "service": "video-games", "segment": "fleets",
    }  # fmt: skip
    return DemandSubmitted(**(said | fields))


def answer(accepted: bool = True, stakeholder: str = EMILY, remark: str = "") -> TermsAnswered:
    return TermsAnswered(demand=ONE, stakeholder=stakeholder, accepted=accepted, remark=remark)


def test_nothing_is_asked_of_support_before_the_consumer_accepts(house: House) -> None:
    told = house.hear(joins())
    assert all_of(SupportTaskRequested, told) == []
    assert only(DemandStatusReported, told).status == "waiting_for_consumer"
    assert all_of(SupportTaskRequested, house.pass_time(timedelta(days=300))) == []
    assert house.row(Demand, ONE).status == "waiting_for_consumer"


def test_a_yes_is_followed_by_training_and_the_promise_counts_from_then(house: House) -> None:
    house.hear(joins())
    before = house.row(Demand, ONE).promised_by
    assert before == NOW + timedelta(hours=100)
    house.now += timedelta(hours=30)
    requested = only(SupportTaskRequested, house.hear(answer()))
    assert (requested.task, requested.segment) == ("train", "fleets")
    assert house.now < requested.resolve_by <= house.now + timedelta(hours=100)
    assert house.row(Demand, ONE).status == "in_progress"
    assert house.refused(answer()).status == 409


def test_a_no_ends_it_with_the_remark(house: House) -> None:
    house.hear(joins())
    told = house.hear(answer(accepted=False, remark="Too slow for us."))
    assert (only(DemandStatusReported, told).status, all_of(SupportTaskRequested, told)) == ("rejected", [])
    assert "Too slow for us." in house.row(Demand, ONE).reason


def test_what_is_offered_is_what_their_segment_has_stated(house: House) -> None:
    quick = Requirement(
        name="start", kind="warranty", measure="until a title starts", target=10, unit="s", better="lower"
    )
    house.ask(RequirementsStated(segment="fleets", customer=EMILY, requirements=(quick,)))
    text = only(DemandStatusReported, house.hear(joins())).text
    assert "until a title starts, at most 10 s" in text
    assert "fleets" in text
    assert "until a title starts" not in only(DemandStatusReported, House().hear(joins())).text


def test_only_the_requester_answers_and_only_what_was_offered(house: House) -> None:
    assert house.refused(answer()).status == 404
    house.hear(joins())
    assert house.refused(answer(stakeholder=PAUL)).status == 403
    incident = House()
    incident.hear(joins(kind="incident"))
    assert incident.refused(answer()).status == 409


def test_who_was_trained_is_asked_what_it_was_worth(house: House) -> None:
    house.hear(joins())
    house.hear(answer())
    done = SupportTaskCompleted(
        demand=ONE, task="train", service="video-games", outcome="fulfilled", resolution="All drivers were taught.",
        started_at=NOW, completed_at=NOW, respond_by=NOW, resolve_by=NOW, responded_in_time=True, resolved_in_time=True,
        reasons=("It was held.",), basis=(),
    )  # fmt: skip
    told = house.hear(done, stream="onboard-a-consumer", step="train")
    assert only(DemandStatusReported, told).asks_confirmation
