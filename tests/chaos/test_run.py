"""Kills and other faults under load, as `make chaos` runs them, in little."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from svc.chaos import run
from svc.chaos.checks import CHECKS
from svc.invariants import sentence

ROOT = Path(__file__).parents[2]
FIRST = 0
"""The seed with which the round begins whose only fault is the kills; each of the next has another one."""


@pytest.mark.timeout(400)
async def test_sixty_kills_lose_double_and_disorder_nothing_and_mutants_are_caught(
    record_property: Callable[[str, object], None],
) -> None:
    command = [sys.executable, "-m", "svc", "chaos", "--kills", "60", "--seed", str(FIRST), "--quick", "--json"]
    running = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await running.communicate()
    assert running.returncode == 0, told.decode()
    result = orjson.loads(said.splitlines()[-1])
    assert result["kills"] == 60
    assert (result["lost"], result["doubled"], result["out_of_order"]) == (0, 0, 0), told.decode()
    assert result["rounds"] == len(result["faults"]) == 2
    assert result["demands"] > 12, "hardly anything was on its way"
    assert result["streams"].keys() == {"restore-a-live-service", "create-a-new-product-or-service"}
    assert result["ends"].keys() == {"value_realised"}
    assert result["caught_by"].keys() == run.MUTANTS.keys()
    for mutant, check in result["caught_by"].items():
        assert check, f"mutant {mutant} was not caught"
        record_property("caught", f"mutant {mutant} of the whole chain: caught by '{check}'")


def test_every_check_says_whether_something_is_lost_doubled_or_out_of_order() -> None:
    assert run.KINDS.keys() <= {sentence(check) for check in CHECKS}
    assert set(run.KINDS.values()) == {"doubled", "out_of_order"}
