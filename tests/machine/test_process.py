import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psutil
import pytest

from svc.machine.process import Child, Leftover

PYTHON = sys.executable
SLEEPER = [PYTHON, "-c", "import time; print('awake', flush=True); time.sleep(60)"]
STUBBORN = [
    PYTHON,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('awake', flush=True); time.sleep(60)",
]

# Starts a child that reports its own and its guard's id, then waits to be killed.
PARENT = """
import asyncio, sys
from pathlib import Path
from svc.machine.process import Child

async def main(held_by, log):
    child = await Child.start("sleeper", [sys.executable, "-c", CHILD], log=log, held_by=held_by)
    while "awake" not in (log.read_text() if log.exists() else ""):
        await asyncio.sleep(0.01)
    print(child.pid, log.read_text().split()[1], flush=True)
    await asyncio.sleep(60)

CHILD = "import os, time; print('awake', os.getpid(), flush=True); time.sleep(60)"
asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
"""


def until(condition: Callable[[], bool], limit: float = 10.0) -> None:
    """Wait for what can only be looked at."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


async def awake(child: Child) -> None:
    await asyncio.to_thread(until, lambda: "awake" in child.log.read_text())


def until_gone(pid: int) -> None:
    """Wait for a process's end; nobody waits for an orphan here, so a zombie counts as ended."""

    def gone() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    until(gone)


@pytest.mark.parametrize(
    "held_by",
    [
        pytest.param(
            "kernel",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals orphans"),
        ),
        "pipe",
    ],
)
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path, held_by: Literal["kernel", "pipe"]) -> None:
    command = [PYTHON, "-c", PARENT, held_by, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        launched, child = map(int, parent.stdout.readline().split())
        assert (launched == child) == (held_by == "kernel")
        assert psutil.pid_exists(child)
        parent.kill()
    until_gone(child)
    until_gone(launched)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals orphans")
def test_a_child_whose_parent_died_before_it_could_ask_the_kernel_does_not_start() -> None:
    launch = Path(__file__).parents[2] / "svc" / "machine" / "launch.py"
    stranger = "1"
    ran = subprocess.run(
        [PYTHON, "-I", "-S", launch, stranger, str(int(signal.SIGTERM)), "-", "-", *SLEEPER],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert ran.returncode == 1
    assert "has ended" in ran.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_child_that_runs_as_another_user_still_ends_with_its_parent(tmp_path: Path) -> None:
    log = tmp_path / "log"
    # That user may not reach our Python.
    program = (
        PARENT.replace("import Child", "import Child, User")
        .replace("held_by=held_by", "user=User(65534, 65534)")
        .replace('[sys.executable, "-c", CHILD]', '["/bin/sh", "-c", "echo awake $$; exec sleep 60"]')
    )
    with subprocess.Popen([PYTHON, "-c", program, "kernel", str(log)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        _, child = map(int, parent.stdout.readline().split())
        assert psutil.Process(child).uids().effective == 65534
        parent.kill()
    until_gone(child)


@pytest.mark.parametrize("held_by", ["kernel", "pipe"])
async def test_a_child_is_asked_to_end(tmp_path: Path, held_by: Literal["kernel", "pipe"]) -> None:
    child = await Child.start("sleeper", SLEEPER, log=tmp_path / "log", held_by=held_by)
    await awake(child)
    assert await child.stop() == (-signal.SIGTERM if held_by == "kernel" else 128 + signal.SIGTERM)


@pytest.mark.parametrize("held_by", ["kernel", "pipe"])
async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, held_by: Literal["kernel", "pipe"]) -> None:
    child = await Child.start("stubborn", STUBBORN, log=tmp_path / "log", patience=0.2, held_by=held_by)
    await awake(child)
    below = [child.pid, *(each.pid for each in psutil.Process(child.pid).children())]
    assert await child.stop() == -signal.SIGKILL
    for pid in below:
        until_gone(pid)


async def test_a_death_is_told_with_the_last_words_and_the_log_before_is_kept(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    for word in ("first", "second"):
        child = await Child.start("Orator", [PYTHON, "-c", f"print('{word}'); raise SystemExit(3)"], log=log)
        assert await child.wait() == 3
    assert str(child.death()).startswith("Orator ended by itself (exit code 3).")
    assert "second" in str(child.death())
    assert "first" not in str(child.death())
    assert "first" in log.with_name("log.1").read_text()


async def test_a_death_for_want_of_room_says_so(tmp_path: Path) -> None:
    child = await Child.start("Writer", ["/bin/sh", "-c", "echo No space left on device; exit 1"], log=tmp_path / "log")
    await child.wait()
    assert "make room" in str(child.death())


def start_orphan() -> int:
    """Start a program whose parent ends at once; its id."""
    program = f"import subprocess; print(subprocess.Popen({SLEEPER!r}, stdout=subprocess.DEVNULL).pid)"
    return int(subprocess.run([PYTHON, "-c", program], stdout=subprocess.PIPE, check=True).stdout)


async def test_a_process_left_over_is_ended_and_a_stranger_with_its_id_is_not(tmp_path: Path) -> None:
    orphan = start_orphan()
    born = psutil.Process(orphan).create_time()
    note = tmp_path / "note.json"

    note.write_text(json.dumps([orphan, born - 100]))
    await Leftover(note).end(signal.SIGTERM)
    assert psutil.Process(orphan).status() != psutil.STATUS_ZOMBIE

    note.write_text(json.dumps([orphan, born]))
    await Leftover(note).end(signal.SIGTERM)
    assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE
    assert not note.exists()
    await Leftover(note).end(signal.SIGTERM)


async def test_the_note_is_of_the_process_as_it_was_born(tmp_path: Path) -> None:
    child = await Child.start("sleeper", SLEEPER, log=tmp_path / "log")
    Leftover(tmp_path / "note.json").note(child)
    assert json.loads((tmp_path / "note.json").read_text()) == [child.pid, psutil.Process(child.pid).create_time()]
    await child.stop()
