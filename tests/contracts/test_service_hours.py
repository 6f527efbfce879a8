"""The clock of promises: it goes while a service is looked after, and stands still the rest of the time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.service_hours import (
    AROUND_THE_CLOCK,
    WEEKDAYS,
    Opening,
    ServiceHours,
    after,
    between,
    longest,
    spoken,
    together,
)

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
MOMENT = timedelta(microseconds=1)
OFFICE = (Opening(days=("mon", "tue", "wed", "thu", "fri"), opens="08:00", closes="18:00"),)
NIGHTS = (Opening(days=("fri", "sun"), opens="22:00", closes="06:00"),)
NOON = (
    Opening(days=("mon",), opens="08:00", closes="12:00"),
    Opening(days=("mon",), opens="13:00", closes="17:00"),
)
FRIDAY = datetime(2026, 11, 27, tzinfo=UTC)
MONDAY = FRIDAY + 3 * DAY

READ = TypeAdapter(ServiceHours).validate_python
clock = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.sampled_from([0, 1, 30, 59]))
days = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True).map(tuple)
opening = (
    st.tuples(days, clock, clock | st.just("24:00"))
    .filter(lambda said: said[1] != said[2])
    .map(lambda said: Opening(days=said[0], opens=said[1], closes=said[2]))
)


def long_enough(hours: tuple[Opening, ...]) -> bool:
    return between(MONDAY, MONDAY + WEEK, hours) >= HOUR


hours_of_service = st.lists(opening, max_size=4).map(tuple).filter(long_enough)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
efforts = st.timedeltas(-30 * DAY, 30 * DAY)


@pytest.mark.parametrize(
    ("start", "effort", "hours", "due"),
    [
        (FRIDAY + 17.5 * HOUR, 2 * HOUR, OFFICE, MONDAY + 9.5 * HOUR),
        (FRIDAY + 17.5 * HOUR, 0.5 * HOUR, OFFICE, FRIDAY + 18 * HOUR),
        (FRIDAY + DAY, 2 * HOUR, OFFICE, MONDAY + 10 * HOUR),
        (FRIDAY + 9 * HOUR, 24 * HOUR, OFFICE, MONDAY + DAY + 13 * HOUR),
        (FRIDAY + 23 * HOUR, 7 * HOUR, NIGHTS, FRIDAY + 30 * HOUR),
        (FRIDAY + 23 * HOUR, 8 * HOUR, NIGHTS, FRIDAY + 2 * DAY + 23 * HOUR),
        (FRIDAY + 5 * DAY, 10 * HOUR, NIGHTS, FRIDAY + 9 * DAY + 24 * HOUR),  # Wednesday
        (MONDAY + 11 * HOUR, 2 * HOUR, NOON, MONDAY + 14 * HOUR),
        (MONDAY + 9.5 * HOUR, -2 * HOUR, OFFICE, FRIDAY + 17.5 * HOUR),
        (MONDAY + 9.5 * HOUR, -1.5 * HOUR, OFFICE, MONDAY + 8 * HOUR),
        (FRIDAY + 17.5 * HOUR, 2 * HOUR, AROUND_THE_CLOCK, FRIDAY + 19.5 * HOUR),
    ],
)
def test_a_promise_is_due_when_so_much_of_its_hours_has_gone_by(
    start: datetime, effort: timedelta, hours: ServiceHours, due: datetime
) -> None:
    assert after(start, effort, hours) == due
    assert between(start, due, hours) == effort


@given(moments, efforts, hours_of_service)
def test_what_is_due_after_so_much_time_has_so_much_time_before_it(
    start: datetime, effort: timedelta, hours: ServiceHours
) -> None:
    assert between(start, after(start, effort, hours), hours) == effort


@given(moments, moments, hours_of_service)
def test_the_time_until_a_moment_ends_at_it_or_while_it_is_closed_before_it(
    begin: datetime, end: datetime, hours: ServiceHours
) -> None:
    begin, end = sorted((begin, end))
    found = after(begin, between(begin, end, hours), hours)
    assert begin <= found <= end
    assert between(found, end, hours) == timedelta(0)


@given(moments, efforts, efforts, hours_of_service)
def test_who_promises_less_has_it_due_no_later(
    start: datetime, one: timedelta, other: timedelta, hours: ServiceHours
) -> None:
    less, more = sorted((one, other))
    assert after(start, less, hours) <= after(start, more, hours)


@given(moments, moments, efforts, hours_of_service)
def test_who_is_asked_first_has_it_due_no_later(
    one: datetime, other: datetime, effort: timedelta, hours: ServiceHours
) -> None:
    first, second = sorted((one, other))
    assert after(first, effort, hours) <= after(second, effort, hours)


@given(moments, moments, moments, hours_of_service)
def test_parts_of_a_time_make_the_whole(one: datetime, two: datetime, three: datetime, hours: ServiceHours) -> None:
    assert between(one, two, hours) + between(two, three, hours) == between(one, three, hours)
    assert between(one, two, hours) == -between(two, one, hours)


@given(moments, moments, hours_of_service)
def test_it_never_goes_faster_than_the_wall(one: datetime, two: datetime, hours: ServiceHours) -> None:
    begin, end = sorted((one, two))
    assert timedelta(0) <= between(begin, end, hours) <= end - begin


@given(moments, st.timedeltas(timedelta(0), 20 * DAY), st.timedeltas(timedelta(0), 20 * DAY), hours_of_service)
def test_one_promise_after_the_other_takes_as_long_as_both(
    start: datetime, one: timedelta, other: timedelta, hours: ServiceHours
) -> None:
    assert after(after(start, one, hours), other, hours) == after(start, one + other, hours) or not one + other


@given(moments, moments, efforts)
def test_around_the_clock_is_plain_arithmetic(one: datetime, two: datetime, effort: timedelta) -> None:
    for hours in ((), (Opening(opens="00:00", closes="24:00"),), (Opening(opens="09:00", closes="08:59"),
                                                                 Opening(opens="08:30", closes="09:30"))):  # fmt: skip
        assert after(one, effort, hours) == one + effort
        assert between(one, two, hours) == two - one


@given(moments, moments)
def test_a_window_over_midnight_is_one_until_midnight_and_one_from_then_on(one: datetime, two: datetime) -> None:
    halves = (
        Opening(days=("fri", "sun"), opens="22:00", closes="24:00"),
        Opening(days=("sat", "mon"), opens="00:00", closes="06:00"),
    )
    assert between(one, two, NIGHTS) == between(one, two, halves)


@given(moments, moments, hours_of_service)
def test_hours_that_are_said_twice_count_once(one: datetime, two: datetime, hours: ServiceHours) -> None:
    assert between(one, two, (*hours, *hours)) == between(one, two, hours)
    assert between(one, two, together((hours, hours))) == between(one, two, hours)


@given(hours_of_service, hours_of_service, moments, moments)
def test_of_several_agreements_a_service_is_open_whenever_one_says_so(
    one: ServiceHours, other: ServiceHours, begin: datetime, end: datetime
) -> None:
    begin, end = sorted((begin, end))
    each = [between(begin, end, hours) for hours in (one, other)]
    assert max(each) <= between(begin, end, together((one, other))) <= sum(each, timedelta(0))
    assert together(()) == together((one, AROUND_THE_CLOCK)) == AROUND_THE_CLOCK


@given(hours_of_service, hours_of_service, moments, st.timedeltas(MOMENT, 10 * DAY))
def test_nobody_takes_longer_than_the_longest(
    theirs: ServiceHours, ours: ServiceHours, start: datetime, effort: timedelta
) -> None:
    assert between(start, after(start, effort, theirs), ours) <= longest(effort, theirs, ours)


def test_who_works_in_the_office_takes_longest_over_a_weekend() -> None:
    assert longest(4 * HOUR, OFFICE, AROUND_THE_CLOCK) == 66 * HOUR  # from right after Friday 14:00
    assert longest(4 * HOUR, OFFICE, OFFICE) == 4 * HOUR
    assert longest(4 * HOUR, AROUND_THE_CLOCK, OFFICE) == 4 * HOUR
    assert longest(4 * HOUR, AROUND_THE_CLOCK, AROUND_THE_CLOCK) == 4 * HOUR
    assert longest(10 * HOUR, OFFICE, AROUND_THE_CLOCK) == 72 * HOUR  # from right after Friday 08:00


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ([{"opens": "08:00", "closes": "08:00"}], "closes as it opens"),
        ([{"opens": "25:00", "closes": "08:00"}], "pattern"),
        ([{"days": [], "opens": "07:00", "closes": "08:00"}], "at least 1"),
        ([{"days": ["mon"], "opens": "07:00", "closes": "07:59"}], "less than 1 hour a week"),
    ],
)
def test_hours_that_cannot_be_are_refused(said: list[dict[str, object]], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        READ(said)


def test_hours_are_said_in_words() -> None:
    assert spoken(OFFICE) == "mon to fri from 08:00 to 18:00 UTC"
    assert spoken(NIGHTS) == "fri and sun from 22:00 to 06:00 UTC"
    assert spoken(AROUND_THE_CLOCK) == "around the clock"
