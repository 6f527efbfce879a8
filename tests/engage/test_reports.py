"""A day's report: told when it ends, and at once when a verdict about a target turns."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from contracts.engage import EngagementPerformanceReported
from contracts.outside import DemandSubmitted, DemandWithdrawn, ValueConfirmed
from services.engage.ledgers import Book, Day, Tally
from services.engage.model import Demand
from tests.engage.house import EMILY, NOW, ONE, House, all_of, only
from tests.engage.test_opportunities import plan

MIDNIGHT = NOW.replace(hour=0, minute=0) + timedelta(days=1)
DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    return House()


def bring(house: House, number: int, kind: str = "incident") -> UUID:
    demand = uuid5(ONE, f"demand {number}")
    said: dict[str, Any] = {"demand": demand, "requester": EMILY, "title": f"No. {number}", "text": "", "kind": kind}
    house.hear(DemandSubmitted(**said))
    return demand


def judge(house: House, demand: UUID, verdict: Any, satisfaction: int) -> None:
    house.row(Demand, demand).status = "delivered"
    house.hear(
        ValueConfirmed(
            demand=demand, stakeholder=EMILY, verdict=verdict, utility=True, warranty=True, satisfaction=satisfaction
        )
    )


def reports(events: list[Any]) -> list[EngagementPerformanceReported]:
    return all_of(EngagementPerformanceReported, events)


def met(report: EngagementPerformanceReported) -> dict[str, bool | None]:
    return {kpi.name: kpi.met for kpi in report.kpis}


def test_a_day_is_reported_when_it_ends_with_all_that_it_counted(house: House) -> None:
    demands = [bring(house, number) for number in range(3)]
    bring(house, 9, kind="complaint")
    judge(house, demands[0], "fully", 5)
    judge(house, demands[1], "not", 2)
    house.hear(DemandWithdrawn(demand=demands[2], stakeholder=EMILY, reason=""))
    assert reports(house.events) == []
    report = only(EngagementPerformanceReported, house.pass_time(MIDNIGHT))
    assert (report.period, report.version) == ("2026-11-24", 1)
    assert (report.demands, report.complaints, report.answers, report.realised, report.open_demands) == (4, 1, 2, 1, 1)
    assert {kpi.name: (kpi.value, kpi.count) for kpi in report.kpis} == {
        "satisfaction": (3.5, 2), "value_realised": (0.5, 2), "complaints": (0.25, 4),
    }  # fmt: skip


def test_what_was_open_is_carried_over_days_on_which_nothing_happened(house: House) -> None:
    first = bring(house, 1)
    bring(house, 2)
    house.pass_time(MIDNIGHT + 3 * DAY)
    house.hear(DemandWithdrawn(demand=first, stakeholder=EMILY, reason=""))
    assert [report.open_demands for report in reports(house.pass_time(2 * DAY))] == [1]
    assert [report.period for report in reports(house.events)] == ["2026-11-24", "2026-11-28"]
    assert house.pass_time(100 * DAY) == []  # a day without demand is no report


def test_many_days_are_added_up(house: House) -> None:
    for number in range(70):
        bring(house, number)
        house.pass_time(DAY)
    assert reports(house.events)[-1].open_demands == 70
    assert len(house.row(Book).balances) == 60


def test_a_turn_of_the_verdict_is_told_at_once_and_once(house: House) -> None:
    for number in range(4):
        bring(house, number, kind="complaint")
    assert reports(house.events) == []  # four cases say nothing yet
    bring(house, 5)
    (turned,) = reports(house.events)
    assert (met(turned)["complaints"], turned.version) == (False, 1)
    bring(house, 6)
    assert len(reports(house.events)) == 1
    assert only(EngagementPerformanceReported, house.pass_time(MIDNIGHT)).version == 2


@pytest.mark.row("engage.out.performance_reports")
def test_what_the_plan_wants_decides_the_verdict_and_a_new_target_turns_it_at_once(house: House) -> None:
    for number in range(6):
        bring(house, number, kind="complaint" if number < 1 else "incident")
    (missed,) = reports(house.events)
    assert met(missed)["complaints"] is False  # a sixth is more than the usual tenth
    told = house.hear(plan(0.5, name="operations", objective="complaints"))
    report = only(EngagementPerformanceReported, told)
    (complaints,) = [kpi for kpi in report.kpis if kpi.name == "complaints"]
    assert (complaints.met, complaints.target) == (True, 0.5)
    assert missed.reasons[-1].endswith("misses 0.1 (usual: no plan sets a target).")
    assert report.reasons[-1].endswith("meets 0.5 (plan operations v1).")


@pytest.mark.parametrize(("target", "verdict"), [(None, False), (3.0, True), (4.5, False)])
def test_satisfaction_is_judged_by_the_strategy(house: House, target: float | None, verdict: bool) -> None:
    if target:
        house.hear(plan(target, name="strategy", objective="satisfaction"))
    judge(house, bring(house, 1), "fully", 3)
    assert met(only(EngagementPerformanceReported, house.pass_time(MIDNIGHT)))["satisfaction"] is verdict


def test_a_plan_alone_makes_no_report(house: House) -> None:
    assert house.hear(plan(0.5, name="operations", objective="complaints")) == []
    assert house.timers == []


def test_what_is_counted_after_the_end_is_told_as_a_later_version(house: House) -> None:
    bring(house, 1)
    house.pass_time(MIDNIGHT)
    report = only(EngagementPerformanceReported, house.hear(Tally(period="2026-11-24", demands=1)))
    assert (report.version, report.demands, report.open_demands) == (2, 2, 2)
    assert house.row(Day, "2026-11-24").edition == 2


def test_a_figure_without_a_case_has_no_verdict(house: House) -> None:
    bring(house, 1)
    assert met(only(EngagementPerformanceReported, house.pass_time(MIDNIGHT))) == {
        "satisfaction": None, "value_realised": None, "complaints": True,
    }  # fmt: skip
