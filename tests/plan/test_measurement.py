from datetime import UTC, datetime
from typing import Any

from contracts.plan import PlanningPerformanceReported
from services.chassis.outputs import Later
from services.plan.measurement import PlanningDay, count_decision, report_day
from services.plan.model import DayEnded, DecisionCounted
from services.plan.strategy import DemandVolume
from tests.plan.office import NOW, Case

DAY = "2026-11-24"


def counted(**changes: Any) -> DecisionCounted:
    decision = DecisionCounted(
        period=DAY, quarter="2026-Q4", decision="approve", hours=1, limit=24, waiting=0, budget_total=100_000,
        budget_bound=35_000,
    )  # fmt: skip
    return decision.model_copy(update=changes).at(NOW)


def reports(*decisions: DecisionCounted, day: PlanningDay | None = None) -> list[Any]:
    day, volume = day or PlanningDay(id=DAY), DemandVolume(id="the")
    return [output for one in decisions for output in count_decision(one, day, volume)]


def verdicts(report: PlanningPerformanceReported) -> dict[str, bool | None]:
    return {kpi.name: kpi.met for kpi in report.kpis}


def test_a_day_is_reported_when_it_ends_and_once() -> None:
    day = PlanningDay(id=DAY)
    assert reports(counted(), counted(), day=day) == [
        Later(datetime(2026, 11, 25, tzinfo=UTC), DayEnded(period=DAY)),
    ]
    (report,) = report_day(DayEnded(period=DAY).at(NOW), day)
    assert (report.period, report.version, report.decided) == (DAY, 1, 2)
    assert verdicts(report) == {"decisions_in_time": True, "decisions_waiting": True, "budget_used": True}
    assert report_day(DayEnded(period=DAY).at(NOW), day) == []


def test_a_target_that_is_newly_missed_or_met_is_told_at_once() -> None:
    day = PlanningDay(id=DAY)
    reports(counted(), day=day)
    (missed,) = reports(counted(decision="defer", waiting=1), day=day)
    assert verdicts(missed)["decisions_waiting"] is False
    assert reports(counted(decision="defer", waiting=2), day=day) == []
    (met,) = reports(counted(waiting=0), day=day)
    assert (met.version, verdicts(met)["decisions_waiting"]) == (2, True)


def test_late_decisions_and_money_that_is_nearly_gone_miss_their_targets() -> None:
    late, *_ = reports(counted(hours=30))
    assert verdicts(late)["decisions_in_time"] is False
    gone, *_ = reports(counted(budget_bound=99_000))
    assert verdicts(gone)["budget_used"] is False
    assert (gone.budget_total, gone.budget_spent) == (100_000, 99_000)


def test_each_decision_of_plan_is_counted_with_the_time_it_took() -> None:
    case = Case(total=0)
    (deferred,) = [one for one in case.outputs() if isinstance(one, DecisionCounted)]
    assert (deferred.decision, deferred.waiting, deferred.hours) == ("defer", 1, 0)
    assert (deferred.period, deferred.limit) == (DAY, 24)
