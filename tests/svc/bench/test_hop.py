"""The bench, in little: every form does the same, and what is measured is what was done."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from svc.bench.hop import FORMS

ROOT = Path(__file__).parents[3]
QUICK = [name for name, form in FORMS.items() if form.quick]
WITH_A_STORE = [name for name in QUICK if name != "relay"]


async def quick(*arguments: str) -> dict[str, Any]:
    """What a quick run says to a script."""
    command = [sys.executable, "-m", "svc", "bench", *arguments, "--quick", "--json"]
    running = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, trouble = await running.communicate()
    assert running.returncode == 0, trouble.decode()
    result: dict[str, Any] = orjson.loads(said.splitlines()[-1])
    return result


@pytest.fixture(scope="module")
async def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    chart = tmp_path_factory.mktemp("bench") / "chart.png"
    result = await quick("--chart", str(chart))
    assert chart.read_bytes().startswith(b"\x89PNG")
    return result


async def test_every_form_stores_what_it_was_given(measured: dict[str, Any]) -> None:
    given = {name: min(FORMS[name].most or measured["backlog"], measured["backlog"]) for name in QUICK}
    assert measured["forms"].keys() == given.keys()
    for name in WITH_A_STORE:
        receipts = measured["forms"][name]["receipts"]
        assert all(count >= min(given[name], 100) for count in receipts), name
    assert measured["forms"]["relay"]["receipts"] == [0]


async def test_the_chassis_is_held_against_every_other_form(measured: dict[str, Any]) -> None:
    assert measured["ratios"].keys() == {"naive", "faststream", "faststream_batch", "relay"}
    assert all(ratio > 0 for ratio in measured["ratios"].values())


async def test_what_databases_count_tells_the_forms_apart(measured: dict[str, Any]) -> None:
    forms = measured["forms"]
    assert forms["naive"]["commits"] >= 1, "a transaction an event"
    assert forms["ours"]["commits"] < 0.1
    assert forms["ours"]["statements"] < forms["naive"]["statements"] / 10
    assert all(forms[name]["worker_us"] > 0 for name in QUICK)


async def test_an_event_comes_through_each_form_when_there_is_little_to_do() -> None:
    waits = (await quick("latency"))["milliseconds"]
    assert waits.keys() == {"naive", "ours", "relay"}
    assert all(0 < of["p50"] <= of["p95"] <= of["p99"] for of in waits.values())
