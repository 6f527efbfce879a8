"""Organisations played as simulations: a day as their files tell it, or what a test has people say in its place."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.value_chain import ACTIVITIES
from svc.scenario import Say, read
from svc.simulation.chain import Simulation

SCENARIOS = Path(__file__).parents[2] / "scenarios"
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)
Play = Callable[..., Awaitable[Simulation]]
Saying = Callable[[Iterable[Say]], Iterable[Say]]


@pytest.fixture(scope="session")
def play() -> Play:
    """Plays the day of an organisation, each activity working as the file says."""

    async def run(
        name: str = "carcachin", *, saying: Saying = list, days: float = 1, seed: int = 7, **options: Any
    ) -> Simulation:
        """`saying`: what is said of the day, or instead of it; `days`: how long the run goes on."""
        scenario = read(SCENARIOS / f"{name}.yaml")
        start = TUESDAY + scenario.begins
        chain = Simulation(
            start, seed=seed, work=scenario.work, react=scenario.react(seed),
            centres={activity: scenario.centres(activity) for activity in ACTIVITIES},
            minutes={activity: scenario.minutes(activity) for activity in ACTIVITIES}, **options,
        )  # fmt: skip
        chain.say(scenario.setup(start))
        chain.say(saying(scenario.day(start, seed)))
        await chain.run(start + timedelta(days=days))
        return chain

    return run


@pytest.fixture(scope="session")
async def day(play: Play) -> Simulation:
    """The day of Carcachin, as its file tells it."""
    return await play()
