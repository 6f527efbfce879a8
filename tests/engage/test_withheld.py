"""Every input matters: the same is decided with and without one message, and it comes out otherwise."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.deliver_support import ServiceDelivered, SupportTaskCompleted
from contracts.engage import DemandStatusReported, ServiceRequirementsStated, ValueJudged
from contracts.outside import DemandWithdrawn, RequirementsStated, ValueConfirmed
from contracts.values import Requirement
from services.engage.ledgers import Opportunity
from services.engage.model import Demand, ServiceDescribed
from tests.engage.house import EMILY, NOW, ONE, PAUL, TWO, House, all_of, only
from tests.engage.test_consolidation import change, decide, wish
from tests.engage.test_opportunities import chance

DAY = timedelta(days=1)
each_way = pytest.mark.parametrize("told", [False, True], ids=["withheld", "told"])


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.row("engage.in.demand", "customers")
@pytest.mark.row("engage.out.performance_reports")
@each_way
def test_without_the_first_demand_on_a_need_the_next_one_goes_on_by_itself(house: House, told: bool) -> None:
    if told:
        house.hear(wish())
    reports = all_of(DemandStatusReported, house.hear(wish(TWO, PAUL)))
    report = next(one for one in reports if one.demand == TWO)
    assert (report.status, report.merged_into) == (("merged", ONE) if told else ("consolidated", None))
    assert ("Somebody has asked for the same before (A racing game for two)" in report.text) == told


@pytest.mark.row("engage.in.tickets", "users")
@each_way
def test_a_demand_that_was_withdrawn_stands_for_nobody(house: House, told: bool) -> None:
    house.hear(wish())
    if told:
        house.hear(DemandWithdrawn(demand=ONE, stakeholder=EMILY, reason="We sold the cars."))
    house.hear(wish(TWO, PAUL))
    assert house.row(Demand, TWO).status == ("consolidated" if told else "merged")


def answer() -> ValueConfirmed:
    return ValueConfirmed(demand=ONE, stakeholder=EMILY, verdict="fully", utility=True, warranty=True)


@pytest.mark.row("engage.in.tickets", "users")
@each_way
def test_without_the_requesters_word_nothing_is_value(house: House, told: bool) -> None:
    house.hear(wish())
    decide(house, "approve")
    live = ServiceDelivered(demand=ONE, service="game", title="", outcome="live", what="Play.", delivered_at=NOW)
    house.hear(live, stream="create-a-new-product-or-service", step="put-live")
    judged = all_of(ValueJudged, house.hear(answer()) if told else [])
    house.pass_time(15 * DAY)
    assert house.row(Demand, ONE).status == ("value_realised" if told else "assumed")
    assert len(judged) == told


@pytest.mark.row("engage.in.support_completion", "deliver_support")
@each_way
def test_what_support_has_not_reported_done_cannot_be_of_value(house: House, told: bool) -> None:
    house.hear(wish(kind="incident", service="video-games"))
    done = SupportTaskCompleted(
        demand=ONE, task="resolve", service="video-games", outcome="resolved", resolution="It was restarted.",
        started_at=NOW, completed_at=NOW, respond_by=NOW, resolve_by=NOW, responded_in_time=True, resolved_in_time=True,
        reasons=("It restarts cleanly.",), basis=(),
    )  # fmt: skip
    if told:
        house.hear(done, stream="restore-a-live-service", step="restore")
    assert house.ask(answer()).status == (200 if told else 409)
    assert house.row(Demand, ONE).status == ("value_realised" if told else "in_progress")


@pytest.mark.row("engage.in.marketing", "customers")
@each_way
def test_a_chance_whose_day_is_not_reported_to_have_moved_is_lost(house: House, told: bool) -> None:
    house.hear(chance(closes_at=NOW + DAY))
    if told:
        house.hear(chance(closes_at=NOW + 3 * DAY))
    house.pass_time(2 * DAY)
    assert house.row(Opportunity, "blue-fleet").stage == ("qualified" if told else "lost")


def available(share: float) -> Requirement:
    return Requirement(name="availability", kind="warranty", measure="share", target=share, unit="%")


@pytest.mark.row("engage.out.service_requirements")
@pytest.mark.parametrize(
    ("criticality", "stated", "target", "reason"),
    [
        (None, None, 99, "the criticality of video-games is medium (the usual: nobody has described the service)."),
        ("low", None, 98, "the criticality of video-games is low (description of video-games)."),
        ("high", None, 99.5, "the criticality of video-games is high (description of video-games)."),
        ("low", 97, 97, f"availability is as {EMILY} states for fleets."),
        ("high", 99.9, 99.9, f"availability is as {EMILY} states for fleets."),
        ("high", 97, 99.5, "is high, so that 97 % is not enough for fleets either."),
    ],
)
def test_what_a_service_must_reach_follows_from_how_critical_it_is_and_what_its_segment_has_stated(
    house: House, criticality: Any, stated: float | None, target: float, reason: str
) -> None:
    if criticality:
        house.hear(ServiceDescribed(service="video-games", criticality=criticality))
    if stated:
        house.hear(RequirementsStated(segment="fleets", customer=EMILY, requirements=(available(stated),)))
    told = only(ServiceRequirementsStated, house.hear(change(segment="fleets")))
    assert {one.name: one.target for one in told.requirements}["availability"] == target
    assert any(why.endswith(reason) for why in told.reasons)


@pytest.mark.row("engage.in.requirements", "customers")
@each_way
def test_a_consumer_is_offered_what_their_segment_has_stated(house: House, told: bool) -> None:
    said = RequirementsStated(segment="fleets", customer=EMILY, requirements=(available(97),))
    if told:
        house.hear(said)
    offered = house.hear(wish(kind="onboarding", service="video-games", segment="fleets"))
    assert ("at least 97 %" in only(DemandStatusReported, offered).text) == told
