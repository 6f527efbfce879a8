"""Chain time: from segments, the same everywhere, and never back."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.clock import Clock, Segment

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_without_segments_chain_time_is_the_walls() -> None:
    assert Clock().at(NOON) == NOON
    assert Clock.parse("").segments == ()


def test_each_segment_runs_at_its_speed_from_where_it_began() -> None:
    clock = Clock([Segment(NOON, NOON, 60), Segment(NOON + HOUR, NOON + 60 * HOUR, 1)])
    assert clock.at(NOON - HOUR) == NOON - HOUR
    assert clock.at(NOON + timedelta(minutes=1)) == NOON + HOUR
    assert clock.at(NOON + 2 * HOUR) == NOON + 61 * HOUR


def test_what_is_written_is_read_again() -> None:
    clock = Clock([Segment(NOON, NOON + HOUR, 1800.5), Segment(NOON + HOUR, NOON + 9999 * HOUR, 1)])
    assert Clock.parse(str(clock)).segments == clock.segments


def test_a_due_time_is_as_far_away_as_the_speed_makes_it() -> None:
    clock = Clock([Segment(datetime.now(UTC), NOON, 3600)])
    assert clock.seconds_until(NOON + HOUR) == pytest.approx(1, abs=0.2)
    assert clock.seconds_until(NOON - HOUR) == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("yesterday", "a clock segment is 'wall,chain,speed'"),
        ("2026-03-02T12:00:00,2026-03-02T12:00:00,1", "a time without its offset from UTC"),
        ("2026-03-02T12:00:00Z,2026-03-02T12:00:00Z,fast", "could not convert string to float"),
        ("2026-03-02T12:00:00Z,2026-03-02T12:00:00Z,0", "speed is above 0, not 0.0"),
        ("2026-03-02T12:00:00Z,2026-03-02T12:00:00Z,nan", "speed is above 0, not nan"),
        (
            "2026-03-02T12:00:00Z,2026-03-02T12:00:00Z,60;2026-03-02T13:00:00Z,2026-03-02T13:00:00Z,1",
            "would jump back at 2026-03-02T13:00:00",
        ),
        (
            "2026-03-02T12:00:00Z,2026-03-02T12:00:00Z,1;2026-03-02T11:00:00Z,2026-03-02T18:00:00Z,1",
            "would jump back at 2026-03-02T11:00:00",
        ),
    ],
)
def test_a_clock_that_is_wrong_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Clock.parse(text)
