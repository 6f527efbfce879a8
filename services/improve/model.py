"""What Improve keeps: the measures of each week, and the key figures that they add up to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from contracts.event import Command, Data
from contracts.values import Count, Kpi
from services.chassis.state import State


class Figure(NamedTuple):
    """How one key figure is computed and judged."""

    unit: str
    target: float | None = None
    """None: each case brings its own target, or none is set."""
    better: Literal["higher", "lower"] = "higher"
    over: Literal["cases", "period"] = "cases"
    """A mean over the cases, or the sum of the period."""


FIGURES: Mapping[str, Figure] = {
    "satisfaction": Figure("of 5", 4.0),
    "value_realised": Figure("share of answers", 0.8),
    "sla_met": Figure("share of cases", 0.95),
    "time_to_restore": Figure("hours", better="lower"),
    "escalations": Figure("escalations", over="period"),
    "change_success": Figure("share of transitions", 0.9),
    "design_right_first_time": Figure("share of designs", 0.8),
    "obtained_in_time": Figure("share of components", 0.9),
    "obtaining_cost": Figure("euros", better="lower"),
}
"""The key figures, in the order in which they are told."""


def week_of(time: datetime) -> str:
    """The ISO week of a moment: `2026-W48`."""
    year, week, _ = time.isocalendar()
    return f"{year}-W{week:02}"


class Tally(Data):
    """The measures of one key figure so far."""

    figure: str
    count: Count
    total: float
    targets: float | None
    """The sum of the targets that the cases brought; None if they bring none."""

    @property
    def kpi(self) -> Kpi:
        """The key figure, judged against its target."""
        rule = FIGURES[self.figure]
        value = self.total if rule.over == "period" else self.total / self.count
        target = rule.target if self.targets is None else self.targets / self.count
        met = None if target is None else value >= target if rule.better == "higher" else value <= target
        return Kpi(name=self.figure, value=round(value, 4), unit=rule.unit, target=target, met=met, count=self.count)


class Week(State[str], by="period"):
    """What was measured in a week, and what was told of it."""

    tallies: tuple[Tally, ...] = ()
    reports: int = 0
    unreported: bool = False
    """Something was measured since the last report, and a report is due within the hour."""

    @property
    def kpis(self) -> tuple[Kpi, ...]:
        """The key figures that have been measured."""
        by_name = {tally.figure: tally for tally in self.tallies}
        return tuple(by_name[name].kpi for name in FIGURES if name in by_name)

    def add(self, measure: "MeasureTaken") -> None:
        """Count one more case."""
        before = next((tally for tally in self.tallies if tally.figure == measure.figure), None)
        known = before or Tally(figure=measure.figure, count=0, total=0.0, targets=None)
        targets = known.targets if measure.target is None else (known.targets or 0.0) + measure.target
        added = Tally(figure=measure.figure, count=known.count + 1, total=known.total + measure.value, targets=targets)
        self.tallies = (*(tally for tally in self.tallies if tally is not before), added)


class MeasureTaken(Command, case="period"):
    """One case has shown a value that counts for a key figure of its week."""

    period: str
    figure: str
    value: float
    target: float | None = None
    """What this case should have reached, for figures whose cases bring their own."""
    from_consumer: bool = False
    """It is what a stakeholder said: reported at once."""


class ReportDue(Command, case="period"):
    """Measures of the week have waited long enough to be reported."""

    period: str
