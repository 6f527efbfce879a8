"""The day of a scenario, run through the six activities as a simulation: it shows the whole documented value chain."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.value_chain import ACTIVITIES
from svc.scenario import Scenario, read

pytest.importorskip("svc.simulation", reason="without `svc simulate` a day cannot be run here")
SCENARIOS = Path(__file__).parents[3] / "scenarios"
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)
YES, NO = {"value_realised", "delivered"}, {"rejected", "denied"}


async def run(scenario: Scenario, seed: int) -> dict[str, Any]:
    """What came of its day, each activity working as the scenario says."""
    from svc.simulation import result  # noqa: PLC0415 - it may be missing
    from svc.simulation.chain import Simulation  # noqa: PLC0415

    start = TUESDAY + scenario.begins
    centres = {name: scenario.centres(name) for name in ACTIVITIES}
    minutes = {name: scenario.minutes(name) for name in ACTIVITIES}
    simulation = Simulation(start, seed=seed, work="auto", react=scenario.react(seed), centres=centres, minutes=minutes)
    for name, activity in simulation.activities.items():
        own = {"work": scenario.work.get(name, "auto")}
        activity.runtime.settings = activity.runtime.settings.model_copy(update=own)
    simulation.say(scenario.setup(start))
    simulation.say(scenario.day(start, seed))
    await simulation.run(start + timedelta(days=1))
    return dict(result.result(simulation))


@pytest.mark.parametrize("seed", [1, 7])
async def test_a_day_of_carcachin_shows_every_row_and_arrow_and_each_stream_says_yes_and_no(seed: int):
    found = await run(read(SCENARIOS / "carcachin.yaml"), seed)
    assert (found["errors"], found["violations"]) == (0, [])
    assert {what: found["coverage"][what]["missing"] for what in ("inputs", "outputs", "arrows", "ends")} == {
        "inputs": [], "outputs": [], "arrows": [], "ends": [],
    }  # fmt: skip
    assert len(found["streams"]) == 6
    for stream, states in found["streams"].items():
        assert YES & set(states), stream
        assert NO & set(states), stream


async def test_only_what_the_day_wants_to_be_refused_is_refused():
    found = await run(read(SCENARIOS / "carcachin.yaml"), 7)
    assert Counter((one["path"], one["status"]) for one in found["refused"]) == {
        ("/agreements/green-cabs-in-an-hour", 409): 1
    }


async def test_another_organisation_runs_without_code():
    scenario = read(SCENARIOS / "employee-phones.yaml")
    found = await run(scenario, 7)
    assert (found["errors"], found["violations"], found["refused"]) == (0, [], [])
    assert set(found["streams"]) == set(scenario.value_streams)
    assert {stream for stream, states in found["streams"].items() if YES & set(states) and NO & set(states)} >= {
        "restore-a-live-service", "fulfil-a-service-request", "change-a-live-service", "onboard-a-consumer",
    }  # fmt: skip
