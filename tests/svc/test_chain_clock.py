import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from contracts.clock import Clock, Segment
from svc.chain_clock import ChainClock, resume
from svc.machine import Home, Machine, provision

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_new_chain_begins_at_the_walls_time():
    assert resume(None, None, NOON, 1800) == Segment(NOON, NOON, 1800)


@pytest.mark.parametrize("speed", [60, 1800, 0.5])
def test_chain_time_stands_still_while_a_fast_or_slow_chain_is_down(speed: float):
    ran = Segment(NOON, NOON, speed)
    stopped = Clock([ran]).at(NOON + HOUR)
    assert resume(ran, NOON + HOUR, NOON + 5 * HOUR, speed).chain == stopped


def test_at_speed_1_chain_time_is_the_walls_again_after_a_pause():
    assert resume(Segment(NOON, NOON, 1), NOON + HOUR, NOON + 5 * HOUR, 1).chain == NOON + 5 * HOUR


def test_at_speed_1_chain_time_catches_up_after_a_slow_run():
    assert resume(Segment(NOON, NOON, 0.5), NOON + HOUR, NOON + HOUR, 1).chain == NOON + HOUR


def test_chain_time_ahead_of_the_wall_never_goes_back_to_it():
    fast = Segment(NOON, NOON, 1800)
    assert resume(fast, NOON + HOUR, NOON + 2 * HOUR, 1).chain == NOON + 1800 * HOUR


@pytest.mark.parametrize("speed", [1, 1800])
def test_chain_time_never_goes_back_when_the_wall_clock_is_set_back(speed: float):
    ran = Segment(NOON, NOON, speed)
    assert resume(ran, NOON + HOUR, NOON - HOUR, speed).chain >= Clock([ran]).at(NOON + HOUR)


def test_over_many_restarts_chain_time_only_grows():
    segment, wall, ran_until, seen = None, NOON, None, NOON
    for speed in (1800, 1, 60, 1, 0.1, 1800, 1):
        segment = resume(segment, ran_until, wall, speed)
        assert Clock([segment]).at(wall) >= seen
        ran_until = wall + HOUR
        seen = Clock([segment]).at(ran_until)
        wall = ran_until + HOUR


@pytest.fixture
async def database(machine: Machine, home: Home) -> str:
    return (await provision(machine.admin_url, home.passwords(["clock"])))["clock"]


async def test_a_chain_goes_on_where_it_stopped_and_its_clock_is_the_same_for_all(database: str):
    first = ChainClock(database)
    clock = await first.start(60)
    await first.stop()
    stopped = clock.now()
    again = await ChainClock(database).start(60)
    assert timedelta(0) <= stopped - again.segments[-1].chain < timedelta(hours=1)
    assert Clock.parse(str(again)).segments == again.segments


async def test_after_a_crash_chain_time_is_never_before_what_anybody_has_seen(database: str):
    crashed = ChainClock(database)
    clock = await crashed.start(3600)
    keeping = asyncio.create_task(crashed.keep())
    seen = clock.now()
    keeping.cancel()  # killed: it has not said when it stopped
    assert (await ChainClock(database).start(1)).now() >= seen
    assert (await ChainClock(database).start(60)).now() >= seen
