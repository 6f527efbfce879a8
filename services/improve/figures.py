"""The key figures of the chain: how each is computed from cases, judged by targets of plans, and kept by week."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime

from contracts.event import Command, Data, dashed
from contracts.values import Count, Kpi, Share, Slug, Version
from services.chassis.state import ONE, State

ENOUGH = 3
"""Cases from which on a figure says something: one or two may be chance."""

MOST_PLANS = 12
"""The newest plans that are kept: the strategy, operations, and the portfolios of two years."""
MOST_DAYS = 14
"""Reports of a day that a week keeps, to take the newer version for the older one: two for each of its days."""


class Figure(NamedTuple):
    """How one key figure is computed and judged."""

    unit: str
    target: float | None = None
    """Holds while no plan says otherwise; None: each case brings its own, or none is set."""
    better: Literal["higher", "lower"] = "higher"
    over: Literal["cases", "period"] = "cases"
    """A mean over the cases, or the sum of the period."""

    def reached(self, value: float, target: float) -> bool:
        """Whether a value is as good as the target."""
        return value >= target if self.better == "higher" else value <= target


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
    "complaints": Figure("share of demands", 0.05, "lower"),
    "decisions_waiting": Figure("share of decisions", 0.5, "lower"),
    "flow_time": Figure("hours", better="lower"),
}
"""The key figures, in the order in which they are told."""


def week_of(time: datetime) -> str:
    """The ISO week of a moment: `2026-W48`."""
    year, week, _ = time.isocalendar()
    return f"{year}-W{week:02}"


def place_of(period: str, service: str | None) -> str:
    """Where the measures of a period stand: those of the chain, or those of one service."""
    return f"{period}/{service}" if service else period


def scope_of(measure: str, service: str | None) -> str:
    """A key figure of one service, or of the chain: what no two initiatives work on at once."""
    return f"{dashed(measure)}-{service or 'chain'}"


class Tally(Data):
    """The measures of one key figure so far."""

    figure: str
    count: Count
    total: float
    targets: float | None = None
    """The sum of the targets that the cases brought; None if they bring none."""

    def add(self, count: int, total: float, target: float | None = None) -> "Tally":
        """The same with so many cases more, and what they add up to; `target` is that of one case."""
        targets = self.targets if target is None else (self.targets or 0.0) + target * count
        return Tally(figure=self.figure, count=self.count + count, total=self.total + total, targets=targets)

    @property
    def value(self) -> float:
        """The figure: the sum of the period, or the mean of its cases."""
        over_cases = FIGURES[self.figure].over == "cases"
        return round(self.total / self.count if over_cases else self.total, 4)

    def target(self, planned: float | None) -> float | None:
        """What it is judged by: a plan's target goes before what the cases brought, and that before the usual one."""
        usual = FIGURES[self.figure].target if self.targets is None else self.targets / self.count
        return usual if planned is None else planned

    def met(self, planned: float | None) -> bool | None:
        """Whether it is as good as its target; None without one."""
        target = self.target(planned)
        return None if target is None else FIGURES[self.figure].reached(self.value, target)

    def kpi(self, planned: float | None = None) -> Kpi:
        """The key figure, judged; `planned` is a plan's target."""
        unit, target = FIGURES[self.figure].unit, self.target(planned)
        return Kpi(
            name=self.figure, value=self.value, unit=unit, target=target, met=self.met(planned), count=self.count
        )


class Aim(Data):
    """What a plan wants a key figure to be."""

    objective: Slug
    target: float


class KnownPlan(Data):
    """The newest version of a plan, as far as it sets targets."""

    plan: Slug
    version: Version
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None
    aims: tuple[Aim, ...]

    def holds(self, time: datetime) -> bool:
        """Whether the plan is in force at `time`."""
        return self.valid_from <= time and (self.valid_until is None or time < self.valid_until)


Aims = Mapping[str, tuple[float, str]]
"""By key figure: the target that a plan sets, and which plan that is."""
NO_PLAN = None, "Improve's own target: no plan in force sets one"
"""What stands in the place of a plan's target, and of the plan."""


class Targets(State[str], by=ONE, shared=True):
    """What the plans in force want reached."""

    plans: tuple[KnownPlan, ...] = ()

    def version_of(self, plan: str) -> int:
        """The version of a plan that is known; 0 if it is not."""
        return next((known.version for known in self.plans if known.plan == plan), 0)

    def at(self, time: datetime) -> Aims:
        """What is aimed at by the plans that hold at `time`; of two the one that holds since last."""
        found: dict[str, tuple[float, str]] = {}
        holding = [known for known in self.plans if known.holds(time)]
        for known in sorted(holding, key=lambda known: known.valid_from, reverse=True):
            for aim in known.aims:
                found.setdefault(aim.objective.replace("-", "_"), (aim.target, f"plan {known.plan} v{known.version}"))
        return found

    def of(self, measure: str, time: datetime) -> tuple[float | None, str]:
        """The target of a key figure and the plan that sets it; else None."""
        return self.at(time).get(measure, NO_PLAN)


class DayOfFigure(Data):
    """What one activity reported of a day: its newest version, and what that added to a key figure."""

    day: str
    figure: str
    version: Version
    count: Count
    total: float


class Week(State[str], by="place"):
    """What was measured in a week, of the chain or of one service, and what was told of it."""

    tallies: tuple[Tally, ...] = ()
    days: tuple[DayOfFigure, ...] = ()
    missed: tuple[str, ...] = ()
    """The key figures that were last judged to miss their targets."""
    bottleneck: str | None = None
    bottleneck_waiting: float | None = None
    reports: int = 0
    unreported: bool = False
    """Something was measured since the last report, and a report is due within the hour."""

    def tally(self, figure: str) -> Tally | None:
        """What was measured of a key figure; None if nothing was."""
        return next((tally for tally in self.tallies if tally.figure == figure and tally.count), None)

    def kpi(self, figure: str, targets: Targets, time: datetime) -> Kpi | None:
        """The key figure, judged by the target that holds at `time`; None if nothing was measured."""
        tally = self.tally(figure)
        return tally.kpi(targets.of(figure, time)[0]) if tally else None

    def measured(self, aims: Aims) -> list[tuple[Tally, float | None]]:
        """What was measured, in the order in which figures are told, each with the target that a plan sets."""
        tallies = {tally.figure: tally for tally in self.tallies if tally.count}
        return [(tallies[name], aims.get(name, NO_PLAN)[0]) for name in FIGURES if name in tallies]

    def kpis(self, aims: Aims) -> tuple[Kpi, ...]:
        """The key figures that have been measured, judged."""
        return tuple(tally.kpi(planned) for tally, planned in self.measured(aims))

    def missing(self, aims: Aims) -> tuple[str, ...]:
        """The key figures that miss their targets: the names, for who needs no more of `kpis`."""
        return tuple(tally.figure for tally, planned in self.measured(aims) if tally.met(planned) is False)

    def add(self, figure: str, count: int, total: float, target: float | None = None) -> None:
        """Count so many more cases, and what they add up to."""
        before = next((tally for tally in self.tallies if tally.figure == figure), None)
        added = (before or Tally(figure=figure, count=0, total=0.0)).add(count, total, target)
        self.tallies = (*(tally for tally in self.tallies if tally is not before), added)


class MeasureTaken(Command, case="period"):
    """One case has shown a value that counts for a key figure of its week."""

    period: str
    figure: str
    value: float
    service: str | None = None
    """The service it was measured on; None if it is of the chain."""
    target: float | None = None
    """What this case should have reached, for figures whose cases bring their own."""
    from_consumer: bool = False
    """It is what a stakeholder said: reported at once."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it counts: in the week of the chain, and in that of its service."""
        return tuple(dict.fromkeys((self.period, place_of(self.period, self.service))))


class DayReported(Command, case="period"):
    """An activity has reported a day of its own: so many cases of a key figure, and what they add up to."""

    period: str
    """The week of the day."""
    day: str
    figure: str
    version: Version
    count: Count
    total: float

    @property
    def place(self) -> str:
        """The week of the chain."""
        return self.period


class ReportDue(Command, case="period"):
    """Measures of the week have waited long enough to be reported."""

    period: str

    @property
    def place(self) -> str:
        """The week of the chain."""
        return self.period


class TargetsChanged(Command, case="period"):
    """A plan has changed what the figures of the week are judged by."""

    period: str

    @property
    def place(self) -> str:
        """The week of the chain."""
        return self.period


class BottleneckSeen(Command, case="period"):
    """The activity that holds the flow up most is another one now, or none."""

    period: str
    bottleneck: str | None
    waiting: Share | None

    @property
    def place(self) -> str:
        """The week of the chain."""
        return self.period
