"""Measurement and reporting: a day's demand, complaints and value, judged by what plans want, as soon as that turns."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from contracts.engage import EngagementPerformanceReported
from contracts.values import Kpi
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.engage.ledgers import (
    MOST_DAYS,
    Balance,
    BalanceKept,
    BalanceTold,
    Book,
    Day,
    DayEnded,
    Direction,
    Judged,
    Tally,
)

LEAST_CASES = 5
"""A verdict before the day is over needs at least so many cases: one complaint among two demands says nothing yet."""


class Figure(NamedTuple):
    """A key figure of the relationship: its objective, and what is aimed at while no plan says so."""

    name: str
    unit: str
    usual: float
    better: Literal["higher", "lower"]

    @property
    def objective(self) -> str:
        """The objective of the plans that sets its target."""
        return self.name.replace("_", "-")


FIGURES = (
    Figure("satisfaction", "of 5", 4.0, "higher"),
    Figure("value_realised", "share", 0.75, "higher"),
    Figure("complaints", "share", 0.1, "lower"),
)
Counting = BalanceKept | Later | EngagementPerformanceReported
OBJECTIVES = frozenset(figure.objective for figure in FIGURES)


def period_of(time: datetime) -> str:
    """The day of the chain that a time belongs to."""
    return f"{time:%Y-%m-%d}"


def count(tally: Tally, day: Day, direction: Read[Direction]) -> list[Counting]:
    """Count what happened, and report at once when a figure begins to miss its target, or meets it again."""
    if not add(tally, day) and not day.begun:
        return []  # a target has changed, and there is nothing yet to judge by it
    if day.ended:
        return [keep_balance(day)]
    outputs: list[Counting] = []
    if not day.begun:
        day.begun = True
        outputs = [keep_balance(day), Later(midnight_after(day.id), DayEnded(period=day.id))]
    before = {judged.name: judged.met for judged in day.judged}
    judged = [kpi for kpi in figures(day, direction, tally.time) if kpi.count >= LEAST_CASES]
    if any(kpi.met != before.get(kpi.name, True) for kpi in judged):
        outputs.append(report(day, direction, tally.time))
    return outputs


def end_day(ended: DayEnded, day: Day) -> list[BalanceKept]:
    """A day is over: its report waits for what was open when it began."""
    if day.ended:
        return []
    day.ended = True
    return [keep_balance(day)]


def carry_over(kept: BalanceKept, book: Book) -> list[BalanceTold]:
    """Add the days up: what was open when this one began is what all days before it have left."""
    others = (balance for balance in book.balances if balance.period != kept.balance.period)
    *older, newest = sorted((*others, kept.balance), key=lambda balance: balance.period)
    gone = older[: -MOST_DAYS + 1]
    book.before += sum(balance.net for balance in gone)
    book.balances = (*older[len(gone) :], newest)
    earlier = sum(balance.net for balance in book.balances if balance.period < kept.balance.period)
    return [BalanceTold(period=kept.balance.period, opening=book.before + earlier)]


def close_day(told: BalanceTold, day: Day, direction: Read[Direction]) -> list[EngagementPerformanceReported]:
    """Tell the report of a day that is over; again, as a later version, if something was counted after its end."""
    day.opening = told.opening
    return [report(day, direction, told.time)] if day.ended else []


def add(tally: Tally, day: Day) -> bool:
    """Add to a day; says whether there was anything to add."""
    day.demands, day.complaints = day.demands + tally.demands, day.complaints + tally.complaints
    day.closed, day.answers, day.realised = (
        day.closed + tally.closed,
        day.answers + tally.answers,
        day.realised + tally.realised,
    )
    if tally.satisfaction is not None:
        day.ratings, day.rated = day.ratings + 1, day.rated + tally.satisfaction
    return bool(tally.demands or tally.complaints or tally.closed or tally.answers)


def report(day: Day, direction: Direction, time: datetime) -> EngagementPerformanceReported:
    """The report of a day as it stands, as the next version."""
    kpis = figures(day, direction, time)
    day.edition, day.told_at = day.edition + 1, time
    day.judged = tuple(Judged(name=kpi.name, met=kpi.met) for kpi in kpis if kpi.met is not None)
    return EngagementPerformanceReported(
        period=day.id,
        version=day.edition,
        kpis=kpis,
        demands=day.demands,
        open_demands=day.open_demands,
        complaints=day.complaints,
        answers=day.answers,
        realised=day.realised,
        reasons=tuple(kpi.judged_by(source_of(kpi, direction, time)) for kpi in kpis if kpi.met is not None),
    )


def source_of(kpi: Kpi, direction: Direction, time: datetime) -> str:
    """Whose target a figure is judged by."""
    wanted = direction.target(kpi.name.replace("_", "-"), time)
    return f"plan {wanted.plan} v{wanted.edition}" if wanted else "usual: no plan sets a target"


def figures(day: Day, direction: Direction, time: datetime) -> tuple[Kpi, ...]:
    """The key figures of a day, each against what the plans want of it."""
    sums = {
        "satisfaction": (day.rated, day.ratings),
        "value_realised": (day.realised, day.answers),
        "complaints": (day.complaints, day.demands),
    }
    return tuple(judge(figure, *sums[figure.name], direction, time) for figure in FIGURES)


def judge(figure: Figure, sum: int, cases: int, direction: Direction, time: datetime) -> Kpi:
    """One figure; without a case there is no verdict."""
    wanted = direction.target(figure.objective, time)
    target = wanted.target if wanted else figure.usual
    value = sum / cases if cases else 0.0
    met = value >= target if figure.better == "higher" else value <= target
    return Kpi(
        name=figure.name,
        value=round(value, 4),
        unit=figure.unit,
        target=target,
        met=met if cases else None,
        count=cases,
    )


def keep_balance(day: Day) -> BalanceKept:
    """What the book is to know of a day."""
    return BalanceKept(balance=Balance(period=day.id, net=day.balance))


def midnight_after(period: str) -> datetime:
    """The end of a day."""
    return datetime.fromisoformat(f"{period}T00:00:00+00:00") + timedelta(days=1)
