"""What counts as success, and when the week's key figures are worth a report."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import contracts
from contracts.deliver_support import ServiceDelivered, ServicePerformanceReported, SupportEscalated
from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.engage import (
    DemandConsolidated,
    EngagementPerformanceReported,
    ImprovementOpportunityIdentified,
    ThirdPartyServiceReported,
    ValueJudged,
)
from contracts.improve import ChainPerformanceReported
from contracts.obtain_build import ObtainPerformanceReported
from contracts.plan import ImprovementPlanned, PlanningPerformanceReported, PlanPublished
from contracts.stream import read_streams
from contracts.values import Kpi
from services.chassis.outputs import Later
from services.chassis.state import ONE_ROW
from services.improve.figures import FIGURES, MeasureTaken, ReportDue, Targets, Week, week_of
from services.improve.flow import measure_design, measure_obtaining, measure_transition
from services.improve.handlers import handles
from services.improve.journey import Journey
from services.improve.measurement_and_reporting import (
    count_escalation,
    learn_from_feedback,
    measure_service,
    report_week,
    take_measure,
)
from services.improve.model import Watchlist

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEMAND = UUID(int=7)
NO_PLAN, NOTHING_WATCHED = Targets(id=ONE_ROW), Watchlist(id=ONE_ROW)


def take(measure: MeasureTaken, week: Week) -> list[Any]:
    """Take a measure into the week of the chain, without a plan."""
    return take_measure(measure, {week.id: week}, NO_PLAN, NOTHING_WATCHED)


def reported(week: Week) -> list[ChainPerformanceReported]:
    return report_week(ReportDue(period=week.id).at(NOW), week, NO_PLAN)


def judged(verdict: str = "fully", satisfaction: int | None = None) -> ValueJudged:
    answer = {
        "demand": DEMAND, "stakeholder": "ada@example.org", "verdict": verdict, "utility": True, "warranty": True,
        "satisfaction": satisfaction, "kind": "incident", "asked": "games", "delivered": "games", "promised_by": None,
        "delivered_at": None,
    }  # fmt: skip
    return ValueJudged.model_validate(answer).at(NOW)


def taken(measures: list[Any]) -> dict[str, float]:
    return {measure.figure: measure.value for measure in measures}


def week_with(*measures: tuple[str, float]) -> Week:
    week = Week(id="2026-W48")
    for figure, value in measures:
        week.add(figure, 1, value)
    return week


def kpi_of(week: Week, name: str) -> Kpi:
    return next(kpi for kpi in week.kpis(NO_PLAN.at(NOW)) if kpi.name == name)


def test_weeks_are_those_of_the_calendar_also_around_new_year() -> None:
    assert week_of(NOW) == "2026-W48"
    assert week_of(datetime(2027, 1, 1, tzinfo=UTC)) == "2026-W53"
    assert week_of(datetime(2026, 1, 5, tzinfo=UTC)) == "2026-W02"


@pytest.mark.parametrize(("verdict", "value"), [("fully", 1), ("partly", 1), ("not", 0)])
def test_only_the_answer_that_it_was_of_value_counts_as_realised(verdict: str, value: float) -> None:
    assert taken(learn_from_feedback(judged(verdict))) == {"value_realised": value}


def test_satisfaction_is_measured_only_where_somebody_said_it() -> None:
    assert taken(learn_from_feedback(judged(satisfaction=2))) == {"value_realised": 1, "satisfaction": 2}


def test_restoring_is_measured_against_the_target_of_the_case() -> None:
    performance = ServicePerformanceReported(
        demand=DEMAND, service=None, priority=3, respond_seconds=60, respond_target_seconds=3600, restore_seconds=7200,
        restore_target_seconds=86_400, met=False,
    )  # fmt: skip
    level, restore = measure_service(performance.at(NOW))
    assert (level.figure, level.value, level.period) == ("sla_met", 0, "2026-W48")
    assert (restore.figure, restore.value, restore.target) == ("time_to_restore", 2, 24)


@pytest.mark.parametrize(("breached", "measures"), [(True, {"escalations": 1}), (False, {})])
def test_a_missed_target_counts_as_an_escalation_and_a_warning_does_not(
    breached: bool, measures: dict[str, float]
) -> None:
    escalated = SupportEscalated(
        demand=DEMAND, service=None, target="resolve", due_at=NOW, breached=breached, level=1, to="manager"
    )
    assert taken(count_escalation(escalated.at(NOW))) == measures


@pytest.mark.parametrize(("outcome", "value"), [("released", 1), ("retired", 1), ("refused", 0)])
def test_a_refused_transition_is_a_change_that_failed(outcome: str, value: float) -> None:
    data = {"demand": DEMAND, "service": "games", "title": "Games", "outcome": outcome, "reasons": ()}
    transition = ServiceTransitionReported.model_validate(data).at(NOW)
    assert taken(measure_transition(transition, Journey(id=DEMAND))) == {"change_success": value}


@pytest.mark.parametrize(
    ("outcome", "iteration", "expected"),
    [
        ("validated", 1, {"design_right_first_time": 1}),
        ("validated", 2, {"design_right_first_time": 0}),
        ("validation_failed", 1, {"design_right_first_time": 0}),
        ("design_refused", 1, {"design_right_first_time": 0}),
        ("designed", 1, {}),
        ("released", 1, {}),
    ],
)
def test_a_design_is_right_first_time_when_its_first_iteration_is_validated(
    outcome: str, iteration: int, expected: dict[str, float]
) -> None:
    data = {"demand": DEMAND, "service": "games", "outcome": outcome, "iteration": iteration}
    design = DesignPerformanceReported.model_validate({**data, "reasons": (), "basis": ()}).at(NOW)
    assert taken(measure_design(design, Journey(id=DEMAND))) == expected


def obtained(**changes: Any) -> ObtainPerformanceReported:
    performance = ObtainPerformanceReported(
        demand=DEMAND, component="engine", way="buy", promised_hours=10, taken_hours=10, cost=900, budget=None
    )
    return performance.model_copy(update=changes).at(NOW)


def measure_obtaining_of(performance: ObtainPerformanceReported) -> list[Any]:
    return measure_obtaining(performance, Journey(id=DEMAND))


def test_a_component_is_in_time_when_it_took_no_longer_than_promised() -> None:
    assert taken(measure_obtaining_of(obtained())) == {"obtained_in_time": 1}
    assert taken(measure_obtaining_of(obtained(taken_hours=10.5))) == {"obtained_in_time": 0}


def test_the_cost_of_a_component_is_held_against_its_budget_if_it_has_one() -> None:
    _, cost = measure_obtaining_of(obtained(budget=800))
    assert (cost.figure, cost.value, cost.target) == ("obtaining_cost", 900, 800)


def test_key_figures_are_means_judged_by_target_and_told_in_one_order() -> None:
    week = week_with(("sla_met", 1), ("satisfaction", 5), ("sla_met", 0), ("satisfaction", 3))
    assert [kpi.name for kpi in week.kpis(NO_PLAN.at(NOW))] == ["satisfaction", "sla_met"]
    satisfaction, level = week.kpis(NO_PLAN.at(NOW))
    assert (satisfaction.value, satisfaction.met, satisfaction.count) == (4, True, 2)
    assert (level.value, level.met, level.target) == (0.5, False, 0.95)


@pytest.mark.parametrize(("hours", "met"), [(24, True), (25, False)])
def test_time_to_restore_is_met_up_to_the_mean_of_the_targets(hours: float, met: bool) -> None:
    week = Week(id="2026-W48")
    for value, target in ((hours, 8), (8, 24)):
        week.add("time_to_restore", 1, value, target)
    restore = kpi_of(week, "time_to_restore")
    assert (restore.target, restore.met, restore.value) == (16, met, (hours + 8) / 2)


def test_escalations_add_up_and_have_no_target() -> None:
    escalations = kpi_of(week_with(("escalations", 1), ("escalations", 1)), "escalations")
    assert (escalations.value, escalations.target, escalations.met) == (2, None, None)


def measure(figure: str, value: float, *, from_consumer: bool = False) -> MeasureTaken:
    assert figure in FIGURES
    return MeasureTaken(period="2026-W48", figure=figure, value=value, from_consumer=from_consumer).at(NOW)


def test_what_a_consumer_says_is_reported_at_once() -> None:
    week = Week(id="2026-W48")
    for number in (1, 2):
        (report,) = take(measure("value_realised", 1, from_consumer=True), week)
        assert isinstance(report, ChainPerformanceReported)
        assert (report.period, report.version, report.kpis[0].count) == ("2026-W48", number, number)


def test_a_target_newly_missed_or_met_again_is_reported_at_once() -> None:
    week = Week(id="2026-W48")
    (missed,) = take(measure("change_success", 0), week)
    assert isinstance(missed, ChainPerformanceReported)
    assert missed.kpis[0].met is False
    for _ in range(8):
        take(measure("change_success", 1), week)
    (met,) = take(measure("change_success", 1), week)
    assert isinstance(met, ChainPerformanceReported)
    assert (met.version, met.kpis[0].met) == (2, True)


def test_measures_that_change_no_verdict_are_reported_together_within_the_hour() -> None:
    week = Week(id="2026-W48")
    assert take(measure("sla_met", 1), week) == [Later(NOW + timedelta(hours=1), ReportDue(period="2026-W48"))]
    assert take(measure("sla_met", 1), week) == []
    (report,) = reported(week)
    assert report.kpis[0].count == 2
    assert reported(week) == []


def test_an_early_report_takes_the_waiting_measures_along() -> None:
    week = Week(id="2026-W48")
    take(measure("sla_met", 1), week)
    take(measure("value_realised", 1, from_consumer=True), week)
    assert reported(week) == []


def test_improve_learns_in_every_shipped_stream_and_hears_the_rest_outside_of_steps() -> None:
    streams = read_streams(Path(contracts.__file__).parent / "value_streams")
    handles.follow(streams)
    for stream in streams:
        (before,) = stream["learn"].after
        learning = handles.route(ValueJudged.type, stream.stream, before)
        assert learning is not None
        assert learning.step == stream["learn"]
        telling = handles.route(MeasureTaken.type, stream.stream, "learn")
        assert telling is not None
        assert telling.step == stream["learn"]
    heard = (
        ServicePerformanceReported, SupportEscalated, ServiceTransitionReported, DesignPerformanceReported,
        ObtainPerformanceReported, MeasureTaken, ReportDue, PlanPublished, ImprovementPlanned,
        PlanningPerformanceReported, DemandConsolidated, ImprovementOpportunityIdentified, ThirdPartyServiceReported,
        EngagementPerformanceReported, ServiceDelivered,
    )  # fmt: skip
    assert all(handles.route(message.type, "", "") for message in heard)
