"""How well Plan plans: decisions in time, demands that wait, and how much of the budget is bound."""

from contracts.plan import PlanningPerformanceReported
from contracts.values import Kpi
from services.chassis.outputs import Later
from services.chassis.state import State
from services.plan.model import DayEnded, DecisionCounted, next_day
from services.plan.strategy import DemandVolume

IN_TIME = 0.9
"""The share of approvals and rejections that is to be made within the time that the funding policy sets."""
WAITING = 0.25
"""The share of the demands weighed that may wait at the end of a day."""
BUDGET_USED = 0.9
"""The share of the money that may be bound: the rest is for what nobody has foreseen."""


class PlanningDay(State[str], by="period"):
    """The decisions of a day, and how its quarter stood after the last of them."""

    decided: int = 0
    """Approvals and rejections."""
    in_time: int = 0
    put_off: int = 0
    waiting: int = 0
    budget_total: int = 0
    budget_bound: int = 0
    reports: int = 0
    unreported: bool = False

    @property
    def kpis(self) -> tuple[Kpi, ...]:
        """What was measured so far, each against its target."""
        weighed = self.decided + self.waiting
        figures = [
            ("decisions_in_time", self.in_time, self.decided, IN_TIME),
            ("decisions_waiting", self.waiting, weighed, WAITING),
            ("budget_used", self.budget_bound, self.budget_total, BUDGET_USED),
        ]
        return tuple(
            Kpi(
                name=name,
                value=round(part / whole, 4),
                unit="share",
                target=target,
                met=part / whole >= target if name == "decisions_in_time" else part / whole <= target,
                count=self.decided + self.put_off if name == "budget_used" else whole,
            )
            for name, part, whole, target in figures
            if whole
        )

    def report(self) -> PlanningPerformanceReported:
        """The day's next report: a later one replaces an earlier one."""
        self.reports, self.unreported = self.reports + 1, False
        return PlanningPerformanceReported(
            period=self.id,
            version=self.reports,
            kpis=self.kpis,
            decided=self.decided,
            waiting=self.waiting,
            budget_total=self.budget_total,
            budget_spent=self.budget_bound,
            reasons=tuple(kpi.judged_by("Plan's own target") for kpi in self.kpis),
        )


def count_decision(
    counted: DecisionCounted, day: PlanningDay, volume: DemandVolume
) -> list[PlanningPerformanceReported | Later]:
    """Add a decision to its day; a target newly missed or met is told at once, all else when the day ends."""
    if counted.kind is not None:
        volume.add(counted.quarter, counted.kind)
    missed_before = {kpi.name for kpi in day.kpis if kpi.met is False}
    begins = day.decided + day.put_off == 0
    if counted.decision == "defer":
        day.put_off += 1
    else:
        day.decided += 1
        day.in_time += counted.hours <= counted.limit
    day.waiting, day.budget_total, day.budget_bound = counted.waiting, counted.budget_total, counted.budget_bound
    day.unreported = True
    ending: list[PlanningPerformanceReported | Later] = (
        [Later(next_day(counted.time), DayEnded(period=counted.period))] if begins else []
    )
    turned = missed_before != {kpi.name for kpi in day.kpis if kpi.met is False}
    return [day.report(), *ending] if turned else ending


def report_day(ended: DayEnded, day: PlanningDay) -> list[PlanningPerformanceReported]:
    """Tell how planning went, if not all of it was told already."""
    return [day.report()] if day.unreported else []
