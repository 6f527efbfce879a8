"""The supervisor over six real processes, as a person starts, disturbs and ends it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from contracts.value_chain import ACTIVITIES
from svc.machine import Home

pytestmark = pytest.mark.timeout(300)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="svc-") as name:
        home = Path(name)
        Home().downloads.mkdir(parents=True, exist_ok=True)
        (home / "downloads").symlink_to(Home().downloads)
        yield home


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "SVC_HOME": str(folder)}


@contextmanager
def up(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """`svc up` in a process of its own, and what it says when it is ready."""
    command = [sys.executable, "-m", "svc", "up", "--json", *options]
    with (folder / "up.log").open("a") as log:
        process = subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout
    try:
        ready = process.stdout.readline()
        assert ready, (folder / "up.log").read_text()
        yield process, json.loads(ready)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def svc(folder: Path, *command: str) -> Any:
    """What a command says to a script in another terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "svc", *command, "--json"], env=environment(folder), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def soon(holds: Callable[[], bool]) -> bool:
    """Whether it holds within the patience of a test."""
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def process_of(svc: "subprocess.Popen[str]", activity: str) -> psutil.Process:
    for child in psutil.Process(svc.pid).children():
        with suppress(psutil.NoSuchProcess):  # one that was killed is on its way out
            if f"services.{activity}" in child.cmdline():
                return child
    raise LookupError(f"svc runs no {activity}")


def chain_time(folder: Path) -> datetime:
    """A moment of chain time: when a demand was taken."""
    taken = svc(folder, "demand", "what is this", "--requester", "somebody@example.org")
    return datetime.fromisoformat(taken["captured_at"])


def test_a_service_that_is_killed_works_again_and_a_killed_chain_leaves_nothing_behind(folder: Path):
    with up(folder, "--speed", "3600") as (process, ready):
        assert set(ready["services"]) == set(ACTIVITIES)
        assert svc(folder, "show") == []
        before = process_of(process, "plan")
        before.kill()
        assert soon(lambda: not before.is_running() and is_ready(ready["services"]["plan"]))
        assert process_of(process, "plan").pid != before.pid
        first = chain_time(folder)
        assert len(svc(folder, "show")) == 1
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) > len(ACTIVITIES)
        process.kill()
        process.wait()
        assert soon(lambda: not any(child.is_running() for child in children))
    with up(folder, "--speed", "3600") as (process, _):
        assert len(svc(folder, "show")) == 1
        assert chain_time(folder) > first
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert not any(child.is_running() for child in children)
        assert not (folder / "running.json").exists()
