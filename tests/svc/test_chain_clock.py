from datetime import UTC, datetime, timedelta

import pytest

from contracts.clock import Clock, Segment
from svc.chain_clock import resume

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_new_chain_begins_at_the_walls_time():
    assert resume([], None, NOON, 1800) == Segment(NOON, NOON, 1800)


@pytest.mark.parametrize("speed", [60, 1800, 0.5])
def test_chain_time_stands_still_while_a_fast_or_slow_chain_is_down(speed: float):
    ran = [Segment(NOON, NOON, speed)]
    stopped = Clock(ran).at(NOON + HOUR)
    assert resume(ran, NOON + HOUR, NOON + 5 * HOUR, speed).chain == stopped


def test_at_speed_1_chain_time_is_the_walls_again_after_a_pause():
    assert resume([Segment(NOON, NOON, 1)], NOON + HOUR, NOON + 5 * HOUR, 1).chain == NOON + 5 * HOUR


def test_at_speed_1_chain_time_catches_up_after_a_slow_run():
    assert resume([Segment(NOON, NOON, 0.5)], NOON + HOUR, NOON + HOUR, 1).chain == NOON + HOUR


def test_chain_time_ahead_of_the_wall_never_goes_back_to_it():
    fast = [Segment(NOON, NOON, 1800)]
    assert resume(fast, NOON + HOUR, NOON + 2 * HOUR, 1).chain == NOON + 1800 * HOUR


@pytest.mark.parametrize("speed", [1, 1800])
def test_chain_time_never_goes_back_when_the_wall_clock_is_set_back(speed: float):
    ran = [Segment(NOON, NOON, speed)]
    assert resume(ran, NOON + HOUR, NOON - HOUR, speed).chain >= Clock(ran).at(NOON + HOUR)


def test_over_many_restarts_chain_time_only_grows():
    segments: list[Segment] = []
    wall, ran_until, last = NOON, None, NOON
    for speed in (1800, 1, 60, 1, 0.1, 1800, 1):
        segments.append(resume(segments, ran_until, wall, speed))
        clock = Clock(segments)
        assert clock.at(wall) >= last
        ran_until = wall + HOUR
        last = clock.at(ran_until)
        wall = ran_until + HOUR
