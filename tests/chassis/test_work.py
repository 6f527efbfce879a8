"""How long simulated work takes: drawn from what its message says, and from nothing else."""

from datetime import timedelta
from statistics import mean
from uuid import UUID

from services.chassis.outputs import Work
from services.chassis.work import WorkDone

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MINUTES = (10.0, 20.0, 60.0)


class Swept(WorkDone, activity="plan"):
    """Somebody has swept the floor."""


def taken(minutes: tuple[float, float, float] | None, effort: timedelta = HOUR, share: float = 1.0) -> list[float]:
    """In minutes, what a thousand pieces of work take."""
    work = Work(effort, Swept(demand=UUID(int=1)), "sweepers", share)
    return [work.takes(seed, minutes) / MINUTE for seed in range(1000)]


def test_work_takes_its_effort_more_or_less_where_its_centre_says_nothing() -> None:
    found = taken(None)
    assert 42 <= min(found) < 45
    assert 75 < max(found) <= 78
    assert taken(None) == found, "the same message, the same time"


def test_work_takes_what_its_centre_says_whatever_its_effort() -> None:
    found = taken(MINUTES)
    assert 10 <= min(found) < 15
    assert 50 < max(found) <= 60
    assert abs(mean(found) - 30) < 1, "the mean of a triangle"
    assert taken(MINUTES, effort=99 * HOUR) == found
    assert set(taken((5, 5, 5))) == {5.0}


def test_what_is_known_already_takes_its_share_of_either() -> None:
    for minutes in (None, MINUTES):
        halves = [round(2 * one, 3) for one in taken(minutes, share=0.5)]
        assert halves == [round(one, 3) for one in taken(minutes)]
