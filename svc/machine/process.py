"""Child processes that end with this one, however it ends."""

import asyncio
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal, NamedTuple, Protocol

import psutil

from svc.machine.errors import MachineError

_PATIENCE = 15.0
"""Seconds that a process left over by an earlier run has to end by itself."""

_LAUNCH = Path(__file__).with_name("launch.py")


class User(NamedTuple):
    """Another user to run a child as; only root can."""

    uid: int
    gid: int


class Running(Protocol):
    """What a child needs of its process; an `asyncio.subprocess.Process` has it."""

    @property
    def pid(self) -> int:
        """Its id, which is also its group's."""

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while it runs."""

    def send_signal(self, signal: int) -> None:
        """Signal it, if it runs."""

    async def wait(self) -> int:
        """Its exit code, once it has ended."""


class Child:
    """A running program in a session of its own, with its output in a file."""

    def __init__(
        self,
        process: Running,
        *,
        name: str,
        log: Path,
        ending: signal.Signals,
        patience: float,
        lifeline: int | None,
    ) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._ending = ending
        self._patience = patience
        self._lifeline = lifeline

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        ending: signal.Signals = signal.SIGTERM,
        patience: float = 10.0,
        user: User | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        held_by: Literal["kernel", "pipe"] | None = None,
    ) -> "Child":
        """Start a program; it gets `ending` when this process dies, even by `kill -9`.

        Args:
            name: what people call it, for messages.
            command: the program's full path and its arguments.
            log: file its output is appended to; a previous one is kept with the suffix `.1`.
            ending: the signal that makes it end in good order.
            patience: seconds it has for that, before it is killed.
            user: run it as this user (root only).
            env: its whole environment; ours if not given.
            cwd: the folder it runs in.
            held_by: what ends it with us: the kernel (Linux, and only while the thread that started it
                lives), or a guard process at a pipe. Chosen if not given.
        """
        if held_by is None:
            of_kernel = sys.platform == "linux"
            in_main = threading.current_thread() is threading.main_thread()
            held_by = "kernel" if of_kernel and in_main else "pipe"
        theirs, ours = os.pipe() if held_by == "pipe" else (None, None)
        try:
            with _fresh(log) as output:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", _LAUNCH),
                    *(str(os.getpid()), str(int(ending))),
                    f"{user.uid}:{user.gid}" if user else "-",
                    "-" if theirs is None else str(theirs),
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=() if theirs is None else (theirs,),
                    env=env,
                    cwd=cwd,
                )
        except BaseException:
            if ours is not None:
                os.close(ours)
            raise
        finally:
            if theirs is not None:
                os.close(theirs)
        return cls(process, name=name, log=log, ending=ending, patience=patience, lifeline=ours)

    @property
    def pid(self) -> int:
        """Its process id, which is also the id of its session."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, minus the signal's number if one ended it; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        code = await self._process.wait()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        return code

    async def stop(self, patience: float | None = None) -> int:
        """End it in good order, or by force when it takes longer than its patience; its exit code."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(self._ending)
            try:
                return await asyncio.wait_for(self.wait(), patience or self._patience)
            except TimeoutError:
                await self.kill()
        return await self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Signal it, if it still runs."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def kill(self) -> None:
        """End it and all of its session at once."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self.wait()

    def last_words(self, lines: int = 15) -> str:
        """The end of its output, for a message about its death."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def death(self) -> MachineError:
        """That it ended by itself, with its last words."""
        code = self.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        words = self.last_words()
        full = "No space left on device" in words or shutil.disk_usage(self.log.parent).free < 2**20
        return MachineError(
            f"{self.name} ended by itself ({how})."
            + (" The disk is full: make room on it." if full else "")
            + f" The end of {self.log}:\n{words}"
        )


class Leftover:
    """A note of which process runs, so that the next start can wait for one that is still ending."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, child: Child) -> None:
        """Remember this process by its id and its time of birth: ids are used again, pairs are not."""
        with suppress(psutil.NoSuchProcess):
            born = psutil.Process(child.pid).create_time()
            self._file.write_text(json.dumps([child.pid, born]))

    def forget(self) -> None:
        """It has ended in good order."""
        self._file.unlink(missing_ok=True)

    async def end(self, ending: signal.Signals) -> None:
        """End the noted process if it still lives, in good order if that is possible."""
        if process := self._alive():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(ending)
            gone = await asyncio.to_thread(_gone, process, _PATIENCE)
            if not gone:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
                await asyncio.to_thread(_gone, process, _PATIENCE)
        self.forget()

    def _alive(self) -> psutil.Process | None:
        with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            pid, born = json.loads(self._file.read_text())
            process = psutil.Process(pid)
            if abs(process.create_time() - born) < 1.0 and _lives(process):
                return process
        return None


def _fresh(log: Path) -> IO[bytes]:
    """An empty log file; the previous one is kept beside it."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    return log.open("ab")


def _gone(process: psutil.Process, patience: float) -> bool:
    """Whether a process that is not our child ends in time."""
    deadline = time.monotonic() + patience
    while _lives(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended and waits for its parent to notice does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
