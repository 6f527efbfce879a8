"""Opportunities are weighed against what the portfolio's plan asks of one, whenever either changes."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.engage import OpportunityIdentified
from contracts.outside import MarketingOpportunityReported
from contracts.plan import Objective, PlanPublished
from services.engage.ledgers import Direction, Opportunity, OpportunityEnded
from tests.engage.house import EMILY, NOW, House, only

DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    return House()


def chance(**fields: Any) -> MarketingOpportunityReported:
    said: dict[str, Any] = {
        "opportunity": "blue-fleet", "customer": EMILY, "relationship": "potential", "signal": "wants_first",
        "title": "Games for a fleet", "text": "They asked at the fair.", "value": 30_000, "probability": 0.5,
    }  # fmt: skip
    return MarketingOpportunityReported(**(said | fields))


def plan(target: float, version: int = 1, name: str = "portfolio-2026-q4", **fields: Any) -> PlanPublished:
    objective = Objective(
        objective=fields.pop("objective", "opportunity-value"), statement="", measure="", target=target, unit="euros",
        due_at=NOW + 30 * DAY,
    )  # fmt: skip
    said: dict[str, Any] = {
        "plan": name, "version": version, "level": "tactical", "title": "", "vision": "", "status": "", "direction": "",
        "objectives": (objective,), "valid_from": NOW, "reasons": ("It is so.",), "basis": (),
    }  # fmt: skip
    return PlanPublished(**(said | fields))


@pytest.mark.row("engage.out.demand")
def test_a_chance_is_qualified_by_what_the_plan_asks_and_the_reason_names_the_plan() -> None:
    stages = []
    for heard in ((), (plan(20_000),)):
        house = House()
        for message in heard:
            house.hear(message)
        stages.append(only(OpportunityIdentified, house.hear(chance())))
    assert [one.stage for one in stages] == ["qualified", "identified"]
    assert "no plan says otherwise" in stages[0].text
    assert "plan portfolio-2026-q4 (edition 1) asks: 20,000" in stages[1].text


def test_an_open_chance_is_weighed_anew_when_the_plan_changes_and_told_only_if_its_stage_turns(house: House) -> None:
    house.hear(chance())
    assert only(OpportunityIdentified, house.hear(plan(20_000))).stage == "identified"
    assert house.hear(plan(18_000, version=2)) == []
    assert house.hear(plan(1_000, version=2)) == []  # the same edition again
    assert only(OpportunityIdentified, house.hear(plan(12_000, version=3))).stage == "qualified"
    assert house.hear(plan(90_000, version=1)) == []  # an older edition comes late


def test_of_several_plans_the_one_that_began_last_holds_within_its_time(house: House) -> None:
    house.hear(plan(20_000))
    house.hear(plan(1_000, name="portfolio-2026-q3", valid_from=NOW - 90 * DAY))
    assert only(OpportunityIdentified, house.hear(chance())).stage == "identified"
    house.hear(plan(50_000, version=2, valid_until=NOW))
    assert only(OpportunityIdentified, house.hear(chance(title="Again"))).stage == "qualified"


def test_to_keep_a_customer_takes_half_the_worth(house: House) -> None:
    house.hear(plan(20_000))
    leaving = chance(relationship="current", signal="likely_to_leave")
    assert only(OpportunityIdentified, house.hear(leaving)).stage == "qualified"
    assert "to keep a customer" in house.row(Opportunity, "blue-fleet").reason
    assert (
        only(OpportunityIdentified, house.hear(chance(opportunity="other", signal="likely_to_leave"))).stage
        == "identified"
    )


def test_the_same_report_again_is_no_news(house: House) -> None:
    assert len(house.hear(chance())) == 1
    assert house.hear(chance()) == []
    assert house.row(Direction).open == ("blue-fleet",)


def test_a_chance_is_lost_on_its_day_unless_it_was_won_or_the_day_was_moved(house: House) -> None:
    house.hear(chance(closes_at=NOW + DAY))
    house.hear(chance(closes_at=NOW + 3 * DAY))
    assert house.pass_time(2 * DAY) == []
    assert only(OpportunityIdentified, house.pass_time(2 * DAY)).stage == "lost"
    assert house.row(Direction).open == ()
    won = House()
    won.hear(chance(closes_at=NOW + DAY))
    won.ask(OpportunityEnded(opportunity="blue-fleet", outcome="won", by="sales", reason="Signed."))
    assert won.pass_time(3 * DAY) == []
    assert won.row(Opportunity, "blue-fleet").stage == "won"


def test_an_outcome_is_final_and_a_plan_does_not_change_it(house: House) -> None:
    end = OpportunityEnded(opportunity="blue-fleet", outcome="lost", by="sales", reason="Too dear.")
    assert house.refused(end).status == 404
    house.hear(chance())
    assert only(OpportunityIdentified, house.hear(end)).stage == "lost"
    assert house.refused(end).status == 409
    assert house.refused(chance()).status == 409
    assert house.hear(plan(1)) == []


def test_a_chance_that_is_gone_already_is_refused(house: House) -> None:
    assert house.refused(chance(closes_at=NOW)).status == 422
