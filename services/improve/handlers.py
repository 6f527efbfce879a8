"""What Improve decides: what counts as success in what it hears, and when the week's key figures are worth a report."""

from datetime import datetime, timedelta

from contracts.deliver_support import ServicePerformanceReported, SupportEscalated
from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.engage import ValueJudged
from contracts.improve import ChainPerformanceReported
from contracts.obtain_build import ObtainPerformanceReported
from contracts.value_chain import IMPROVE
from services.chassis.handlers import Handlers
from services.chassis.outputs import Later
from services.improve.model import MeasureTaken, ReportDue, Week, week_of

handles = Handlers(IMPROVE)

REPORT_WITHIN = timedelta(hours=1)
"""How long measures may wait before they are reported, if they change no verdict."""
HOUR = 3600.0


@handles.step("learn from feedback")
def learn_from_feedback(judged: ValueJudged) -> list[MeasureTaken]:
    """A stakeholder's answer is the measure of value; how satisfied they are counts only if they said so."""
    measures = [measured(judged.time, "value_realised", judged.verdict != "not", from_consumer=True)]
    if judged.satisfaction is not None:
        measures.append(measured(judged.time, "satisfaction", judged.satisfaction, from_consumer=True))
    return measures


@handles
def measure_service(performance: ServicePerformanceReported) -> list[MeasureTaken]:
    """Support kept its promise when both targets were met; restoring is measured against each case's own target."""
    return [
        measured(performance.time, "sla_met", performance.met),
        measured(
            performance.time,
            "time_to_restore",
            performance.restore_seconds / HOUR,
            target=performance.restore_target_seconds / HOUR,
        ),
    ]


@handles
def count_escalation(escalated: SupportEscalated) -> list[MeasureTaken]:
    """A missed target counts as an escalation; a warning before it is due does not."""
    return [measured(escalated.time, "escalations", 1)] if escalated.breached else []


@handles
def measure_transition(transition: ServiceTransitionReported) -> list[MeasureTaken]:
    """A change succeeds when its service is released, or retired as planned; a refused one has cost its effort."""
    return [measured(transition.time, "change_success", transition.outcome != "refused")]


@handles
def measure_design(design: DesignPerformanceReported) -> list[MeasureTaken]:
    """A design is right first time when its first iteration is validated; what is only designed is not judged yet."""
    if design.outcome in ("designed", "released"):
        return []
    return [measured(design.time, "design_right_first_time", design.outcome == "validated" and design.iteration == 1)]


@handles
def measure_obtaining(obtained: ObtainPerformanceReported) -> list[MeasureTaken]:
    """A component is in time when it took no longer than promised; its cost is held against its budget, if any."""
    in_time = measured(obtained.time, "obtained_in_time", obtained.taken_hours <= obtained.promised_hours)
    if obtained.budget is None:
        return [in_time]
    return [in_time, measured(obtained.time, "obtaining_cost", obtained.cost, target=obtained.budget)]


@handles
def take_measure(measure: MeasureTaken, week: Week) -> list[ChainPerformanceReported | Later]:
    """Add it to the week. A stakeholder's answer, and a target newly met or missed, go out at once, all else hourly."""
    missed_before = {kpi.name for kpi in week.kpis if kpi.met is False}
    week.add(measure)
    missed_now = {kpi.name for kpi in week.kpis if kpi.met is False}
    if measure.from_consumer or missed_now != missed_before:
        return [report(week)]
    if week.unreported:
        return []
    week.unreported = True
    return [Later(measure.time + REPORT_WITHIN, ReportDue(period=measure.period))]


@handles
def report_week(due: ReportDue, week: Week) -> list[ChainPerformanceReported]:
    """Tell what was measured since the last report."""
    return [report(week)] if week.unreported else []


def measured(
    time: datetime, figure: str, value: float, *, target: float | None = None, from_consumer: bool = False
) -> MeasureTaken:
    """One measure for the week of `time`; a success counts 1, a failure 0."""
    return MeasureTaken(
        period=week_of(time), figure=figure, value=float(value), target=target, from_consumer=from_consumer
    )


def report(week: Week) -> ChainPerformanceReported:
    """The week's next report: a later one replaces an earlier one."""
    week.reports, week.unreported = week.reports + 1, False
    return ChainPerformanceReported(period=week.id, version=week.reports, kpis=week.kpis)
