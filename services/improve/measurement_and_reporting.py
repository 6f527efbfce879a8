"""What counts as success in what is heard, by which targets figures are judged, and when they are worth a report."""

from datetime import date, datetime, timedelta

from contracts.deliver_support import ServicePerformanceReported, SupportEscalated
from contracts.engage import EngagementPerformanceReported, ValueJudged
from contracts.event import Fact
from contracts.improve import ChainPerformanceReported
from contracts.plan import PlanningPerformanceReported, PlanPublished
from contracts.value_chain import TITLES
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.improve.business_case import LEVERS, gap, name_of
from services.improve.figures import (
    ENOUGH,
    FIGURES,
    MOST_DAYS,
    MOST_PLANS,
    NO_PLAN,
    Aim,
    Aims,
    BottleneckSeen,
    DayOfFigure,
    DayReported,
    KnownPlan,
    MeasureTaken,
    ReportDue,
    Targets,
    TargetsChanged,
    Week,
    place_of,
    scope_of,
    week_of,
)
from services.improve.model import EffectMeasured, NeedFound, Watchlist

REPORT_WITHIN = timedelta(hours=1)
"""How long measures may wait before they are reported, if they change no verdict."""
HOUR = 3600.0

Told = list[ChainPerformanceReported | Later]


def learn_from_feedback(judged: ValueJudged) -> list[MeasureTaken]:
    """A stakeholder's answer is the measure of value; how satisfied they are counts only if they said so."""
    answered = judged.verdict != "not"
    measures = [measured(judged.time, "value_realised", answered, service=judged.service, from_consumer=True)]
    if judged.satisfaction is not None:
        rating = measured(judged.time, "satisfaction", judged.satisfaction, service=judged.service, from_consumer=True)
        measures.append(rating)
    return measures


def measure_service(performance: ServicePerformanceReported) -> list[MeasureTaken]:
    """Support kept its promise when both targets were met; restoring is measured against each case's own target."""
    return [
        measured(performance.time, "sla_met", performance.met, service=performance.service),
        measured(
            performance.time,
            "time_to_restore",
            performance.restore_seconds / HOUR,
            service=performance.service,
            target=performance.restore_target_seconds / HOUR,
        ),
    ]


def count_escalation(escalated: SupportEscalated) -> list[MeasureTaken]:
    """A missed target counts as an escalation; a warning before it is due does not."""
    return [measured(escalated.time, "escalations", 1, service=escalated.service)] if escalated.breached else []


def follow_plan(plan: PlanPublished, targets: Targets) -> list[TargetsChanged]:
    """Keep what the newest version of a plan wants reached, and judge the week's figures by it at once."""
    if plan.version <= targets.version_of(plan.plan):
        return []
    known = KnownPlan(
        plan=plan.plan,
        version=plan.version,
        valid_from=plan.valid_from,
        valid_until=plan.valid_until,
        aims=tuple(Aim(objective=aim.objective, target=aim.target) for aim in plan.objectives),
    )
    others = [one for one in targets.plans if one.plan != plan.plan]
    targets.plans = tuple(sorted((*others, known), key=lambda one: one.valid_from)[-MOST_PLANS:])
    return [TargetsChanged(period=week_of(max(plan.time, plan.valid_from)))]


def hear_engagement(report: EngagementPerformanceReported) -> list[DayReported]:
    """Of the demands of a day, so many were complaints."""
    return [day_of(report, "complaints", report.demands, report.complaints)]


def take_measure(
    measure: MeasureTaken, weeks: dict[str, Week], targets: Read[Targets], watchlist: Read[Watchlist]
) -> list[ChainPerformanceReported | Later | NeedFound | EffectMeasured]:
    """Add it to the week of the chain and of its service; tell verdicts that turn, needs that show, effects watched."""
    for week in weeks.values():
        week.add(measure.figure, 1, measure.value, measure.target)
    told = publish(weeks[measure.period], targets, measure.time, at_once=measure.from_consumer)
    needs = find_need(measure, measure.service, weeks, targets, added=1)
    return [*told, *needs, *effects(measure.figure, measure.service, 1, measure.value, watchlist)]


def take_day(
    report: DayReported, week: Week, targets: Read[Targets], watchlist: Read[Watchlist]
) -> list[ChainPerformanceReported | Later | NeedFound | EffectMeasured]:
    """Count what the newest version of a day's report says, in the place of the one before."""
    known = [one for one in week.days if (one.day, one.figure) == (report.day, report.figure)]
    before = known[0] if known else None
    if before is not None and report.version <= before.version:
        return []
    cases = report.count - (before.count if before else 0)
    total = report.total - (before.total if before else 0.0)
    day = DayOfFigure.model_validate(report.model_dump(include=set(DayOfFigure.model_fields)))
    week.days = (*(one for one in week.days if one is not before), day)[-MOST_DAYS:]
    week.add(report.figure, cases, total)
    told = publish(week, targets, report.time)
    needs = find_need(report, None, {week.id: week}, targets, added=max(0, cases))
    return [*told, *needs, *effects(report.figure, None, max(0, cases), max(0.0, total), watchlist)]


def report_week(due: ReportDue, week: Week, targets: Read[Targets]) -> list[ChainPerformanceReported]:
    """Tell what was measured since the last report."""
    return [report(week, targets.at(due.time))] if week.unreported else []


def judge_again(changed: TargetsChanged, week: Week, targets: Read[Targets]) -> list[ChainPerformanceReported]:
    """Tell the week's figures anew where a plan's target turns a verdict."""
    aims = targets.at(changed.time)
    return [report(week, aims)] if week.missing(aims) != week.missed else []


def take_bottleneck(seen: BottleneckSeen, week: Week, targets: Read[Targets]) -> list[ChainPerformanceReported]:
    """Tell at once which activity holds the flow up now, or that none does any more."""
    if (week.bottleneck, week.bottleneck_waiting) == (seen.bottleneck, seen.waiting):
        return []
    week.bottleneck, week.bottleneck_waiting = seen.bottleneck, seen.waiting
    return [report(week, targets.at(seen.time))]


def measured(
    time: datetime,
    figure: str,
    value: float,
    *,
    service: str | None = None,
    target: float | None = None,
    from_consumer: bool = False,
) -> MeasureTaken:
    """One measure for the week of `time`; a success counts 1, a failure 0."""
    return MeasureTaken(
        period=week_of(time),
        figure=figure,
        value=float(value),
        service=service,
        target=target,
        from_consumer=from_consumer,
    )


def day_of(
    report: EngagementPerformanceReported | PlanningPerformanceReported, figure: str, count: int, total: int
) -> DayReported:
    """What a report of a day says about a key figure, for the week of that day; else for the week it was told in."""
    try:
        period = week_of(datetime.combine(date.fromisoformat(report.period), datetime.min.time()))
    except ValueError:
        period = week_of(report.time)
    return DayReported(
        period=period, day=report.period, figure=figure, version=report.version, count=count, total=float(total)
    )


def publish(week: Week, targets: Targets, time: datetime, *, at_once: bool = False) -> Told:
    """Report at once what a consumer said and a target newly missed or met, all else within the hour."""
    aims = targets.at(time)
    if at_once or week.missing(aims) != week.missed:
        return [report(week, aims)]
    if week.unreported:
        return []
    week.unreported = True
    return [Later(time + REPORT_WITHIN, ReportDue(period=week.id))]


def report(week: Week, aims: Aims) -> ChainPerformanceReported:
    """The week's next report: a later one replaces an earlier one."""
    kpis = week.kpis(aims)
    week.reports, week.unreported = week.reports + 1, False
    week.missed = tuple(kpi.name for kpi in kpis if kpi.met is False)
    verdicts = tuple(kpi.judged_by(source_of(kpi.name, aims)) for kpi in kpis if kpi.met is not None)
    return ChainPerformanceReported(
        period=week.id,
        version=week.reports,
        kpis=kpis,
        bottleneck=week.bottleneck,
        bottleneck_waiting=week.bottleneck_waiting,
        reasons=(*verdicts, *waited_at(week)),
    )


def waited_at(week: Week) -> tuple[str, ...]:
    """Which activity holds the flow up, as a sentence, if one does."""
    if week.bottleneck is None or week.bottleneck_waiting is None:
        return ()
    return (f"Of all lead time {week.bottleneck_waiting:.0%} is waited at {TITLES[week.bottleneck]}.",)


def source_of(figure: str, aims: Aims) -> str:
    """Whose target a key figure is judged by."""
    by_cases = figure not in aims and FIGURES[figure].target is None
    return "that of its cases" if by_cases else aims.get(figure, NO_PLAN)[1]


def find_need(
    measure: MeasureTaken | DayReported, service: str | None, weeks: dict[str, Week], targets: Targets, *, added: int
) -> list[NeedFound]:
    """Whether so many cases miss a target that it is no chance: of the service, else of the chain."""
    figure, time = measure.figure, measure.time
    for about in dict.fromkeys((service, None)):
        place = place_of(measure.period, about)
        tally = weeks[place].tally(figure)
        if tally is None or tally.count // ENOUGH == max(0, tally.count - added) // ENOUGH:
            continue
        if figure == "escalations" and about is not None:
            return [of_escalations(about, tally.count)]
        kpi = weeks[place].kpi(figure, targets, time)
        if figure in LEVERS and kpi is not None and kpi.met is False:
            plan = targets.of(figure, time)[1]
            why = f"{name_of(figure, about)} is {kpi.value:g} {kpi.unit} over {kpi.count} cases, beside a target of "
            need = NeedFound(
                scope=scope_of(figure, about),
                measure=figure,
                service=about,
                source="performance",
                why=f"{why}{kpi.target:g} ({plan}).",
                weight=round(gap(kpi) * kpi.count, 4),
                baseline=kpi.value,
                target=kpi.target,
            )
            return [need]
    return []


def of_escalations(service: str, count: int) -> NeedFound:
    """Targets of one service are missed again and again: its restoring is too slow, before its mean shows it."""
    return NeedFound(
        scope=scope_of("time_to_restore", service),
        measure="time_to_restore",
        service=service,
        source="performance",
        why=f"Support for {service} was escalated {count} times in a week because a target had been missed.",
        facts=(Fact(name="escalations", value=count, source=TITLES["deliver_support"]),),
        weight=count,
    )


def effects(figure: str, service: str | None, cases: int, total: float, watchlist: Watchlist) -> list[EffectMeasured]:
    """Hand the measure to each initiative that works on this figure, of this service or of the chain."""
    return [
        EffectMeasured(initiative=one.initiative, cases=cases, total=total)
        for one in watchlist.watched
        if one.measure == figure and one.service in (None, service)
    ]
