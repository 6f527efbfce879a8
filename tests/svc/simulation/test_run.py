"""`svc simulate` says what came of a day, a quarter, or many seeds; and its exit code whether all is as it must be."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
from typer.testing import CliRunner

from contracts.value_chain import ACTIVITIES
from svc.cli import app
from svc.scenario.say import Say
from svc.scenario.scenario import React


@pytest.fixture
def little(outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """A little scenario in the place of a file's."""

    class Little:
        begins = timedelta(hours=1)
        work = dict.fromkeys(ACTIVITIES, "simulated")
        quarter_of_demand = SimpleNamespace(days=90)

        def setup(self, now: datetime) -> Iterable[Say]:
            return [say._replace(at=now) for say in outside(0).setup()]

        def day(self, start: datetime, seed: int) -> Iterable[Say]:
            return [say._replace(at=say.at - outside.start + start) for say in outside(seed).demand(15, 0.5)]

        def quarter(self, start: datetime, seed: int) -> Iterable[Say]:
            return outside(seed).demand(30, 60)

        def react(self, seed: int) -> React:
            return outside(seed).react

        def centres(self, activity: str) -> Mapping[str, int]:
            return {}

        def minutes(self, activity: str) -> Mapping[str, tuple[float, float, float]]:
            return {}

    monkeypatch.setattr("svc.scenario.read", lambda file: Little())


def said(*arguments: str) -> tuple[int, str, str]:
    told = CliRunner().invoke(app, ["simulate", *arguments], env={"COLUMNS": "160"})
    return told.exit_code, told.stdout, told.stderr


def test_a_day_as_people_read_it(little) -> None:
    code, told, _ = said("--day")
    assert code == 0, told
    assert "15 demands until 2026-11-25T01:00" in told
    assert "restore a live service" in told
    assert "budget 2026-Q4" in told
    assert "inputs" in told
    assert "invariants hold" in told
    assert "open work" in told, "what is not done yet is not told as done"


def test_a_quarter_as_a_script_reads_it(little) -> None:
    code, told, _ = said("--quarter", "--seed", "3", "--json")
    found = orjson.loads(told.splitlines()[-1])
    assert code == 0
    assert (found["seed"], found["quarter"], found["demands"]) == (3, True, 30)
    assert sum(sum(states.values()) for states in found["streams"].values()) == 30
    assert found["lead_times"]["restore-a-live-service"]["median_hours"] > 0
    assert found["kpis"]
    assert found["coverage"]["inputs"]["total"] == 36
    assert found["budgets"][0]["total"] == 2_000_000
    assert found["calls"]["201"] >= 30
    assert found["violations"] == found["set_aside"] == found["refused"] == []
    assert len(found["digest"]) == 64


def test_many_seeds_badly_one_line_each(little) -> None:
    code, told, lines = said("--adverse", "--seeds", "3", "--seed", "11", "--json")
    found = orjson.loads(told.splitlines()[-1])
    assert code == 0
    assert (found["seeds"], found["good"]) == (3, 3)
    assert [one["seed"] for one in found["runs"]] == [11, 12, 13]
    assert len({one["digest"] for one in found["runs"]}) == 3
    assert lines.count("all invariants hold") == 3


def test_what_is_not_as_it_must_be_is_said_and_ends_with_1(little, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svc.invariants.FINAL", frozenset({"delivered"}))
    code, told, _ = said("--quarter")
    assert code == 1
    assert "broken: a demand never leaves its final state: the requester of demand" in told
    code, told, _ = said("--quarter", "--seeds", "2")
    assert code == 1
    assert "seed 8: 30 demands" in told


def test_without_a_scenario_one_sentence_says_so(tmp_path: Path) -> None:
    code, _, wrong = said("--scenario", str(tmp_path / "none.yaml"))
    assert code == 2
    assert "cannot be read" in wrong


def test_it_teaches_itself() -> None:
    code, told, _ = said("--help")
    assert code == 0
    assert "svc simulate --quarter --seed 7" in told
