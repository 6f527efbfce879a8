"""Hours of service: when a service is looked after, and the clock of promises, which stands still the rest of the time.

All times are UTC, so that no hour is missing or comes twice: who has other hours in summer than in winter agrees on
them anew. No hours at all mean around the clock.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from contracts.event import Data

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY, WEEK, NOTHING, MOMENT = timedelta(days=1), timedelta(days=7), timedelta(0), timedelta.resolution
LEAST = timedelta(hours=1)
"""Of a week: else a promise of years would be due when no calendar reaches."""
MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
"""Any Monday: from it all weeks are counted."""

Spans = Sequence[tuple[timedelta, timedelta]]
"""When it is open in a week, from Monday on: in order, and without overlaps."""


class Opening(Data):
    """A stretch of hours on some days of the week."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = WEEKDAYS
    """The days on which it begins."""
    opens: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    """When it begins, UTC, as in `07:00`."""
    closes: Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
    """When it ends, UTC; on the next day if that is earlier than it begins, as in `22:00` to `06:00`."""

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        if self.opens == self.closes:
            raise ValueError(f"it closes as it opens, at {self.opens}: a whole day is from 00:00 to 24:00")
        return self

    @property
    def length(self) -> timedelta:
        """From its beginning to its end."""
        return (_of_day(self.closes) - _of_day(self.opens)) % DAY or DAY


def long_enough(hours: tuple[Opening, ...]) -> tuple[Opening, ...]:
    """Check that a clock with these hours comes forward."""
    if hours and sum((closes - opens for opens, closes in spans(hours)), NOTHING) < LEAST:
        raise ValueError(f"open for less than {LEAST / timedelta(hours=1):g} hour a week: leave it out for all hours")
    return hours


ServiceHours = Annotated[tuple[Opening, ...], Field(max_length=50), AfterValidator(long_enough)]
"""When a service is looked after; empty: around the clock."""
AROUND_THE_CLOCK: ServiceHours = ()


def after(start: datetime, effort: timedelta, hours: ServiceHours) -> datetime:
    """The moment at which so much time of service has gone by since `start`; before it, for an effort below zero.

    Where it is closed at that moment it is the one closest to `start`: what must be done within the last hour of a
    Friday is due on Friday evening and not on Monday morning.
    """
    if not hours or not effort:
        return start + effort
    return _reached(_counted(start, hours) + effort, hours, late=effort < NOTHING)


def between(begin: datetime, end: datetime, hours: ServiceHours) -> timedelta:
    """How much time of service lies between two moments; below zero if the end comes first."""
    return _counted(end, hours) - _counted(begin, hours) if hours else end - begin


def together(several: Iterable[ServiceHours]) -> ServiceHours:
    """The hours of a service that several have agreed on: open whenever one of them says so."""
    found = tuple(several)
    return tuple(dict.fromkeys(one for hours in found for one in hours)) if all(found) else AROUND_THE_CLOCK


def longest(effort: timedelta, theirs: ServiceHours, ours: ServiceHours) -> timedelta:
    """How much of our time of service can go by at most while others work so much of theirs, whenever they begin.

    That time is linear between the moments at which one of both opens or closes as they begin or end, and it may jump
    right after these.
    """
    if theirs == ours:
        return effort
    edges = [MONDAY + edge for hours in (theirs, ours) for span in spans(hours) for edge in span]
    edges += [after(edge, -effort, theirs) for edge in edges]
    starts = (at for edge in edges for at in (edge, edge + MOMENT))
    return max((between(at, after(at, effort, theirs), ours) for at in starts), default=effort)


def spoken(hours: ServiceHours) -> str:
    """`mon to fri from 07:00 to 18:00 UTC`."""
    return ", ".join(f"{_days(one.days)} from {one.opens} to {one.closes} UTC" for one in hours) or "around the clock"


@lru_cache(1000)
def spans(hours: tuple[Opening, ...]) -> Spans:
    """When it is open in a week; what goes on over its end goes on at its beginning."""
    found: list[tuple[timedelta, timedelta]] = []
    for one in hours:
        for day in one.days:
            opens = WEEKDAYS.index(day) * DAY + _of_day(one.opens)
            closes = opens + one.length
            found += [(opens, min(closes, WEEK)), *([(NOTHING, closes - WEEK)] if closes > WEEK else [])]
    merged: list[tuple[timedelta, timedelta]] = []
    for opens, closes in sorted(found):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return merged


def _counted(at: datetime, hours: tuple[Opening, ...]) -> timedelta:
    """The time of service from the Monday that all is counted from."""
    weeks, rest = divmod(at - MONDAY, WEEK)
    open_spans = spans(hours)
    whole = sum((closes - opens for opens, closes in open_spans), NOTHING)
    return weeks * whole + sum((max(min(rest, closes) - opens, NOTHING) for opens, closes in open_spans), NOTHING)


def _reached(counted: timedelta, hours: tuple[Opening, ...], *, late: bool) -> datetime:
    """The first moment with this time of service, or with `late` the last one."""
    open_spans = spans(hours)
    weeks, rest = divmod(counted, sum((closes - opens for opens, closes in open_spans), NOTHING))
    if not rest and not late:
        weeks, rest = weeks - 1, sum((closes - opens for opens, closes in open_spans), NOTHING)
    for opens, closes in open_spans:
        if rest < closes - opens or (rest == closes - opens and not late):
            return MONDAY + weeks * WEEK + opens + rest
        rest -= closes - opens
    raise AssertionError("what is left of a week is less than the week has")


def _of_day(time: str) -> timedelta:
    hours, minutes = time.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _days(days: tuple[Weekday, ...]) -> str:
    numbers = sorted({WEEKDAYS.index(day) for day in days})
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{WEEKDAYS[numbers[0]]} to {WEEKDAYS[numbers[-1]]}"
    return " and ".join(WEEKDAYS[number] for number in numbers)
