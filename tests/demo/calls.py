"""One call of `svc` for a test, with all that it has started."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from svc.running import FILE

NOTHING: Mapping[str, str] = {}


class Svc:
    """One call of `svc`, with all that it has started."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self.process, self.errors = process, errors
        self.started: dict[int, psutil.Process] = {}

    def look(self) -> None:
        """Remember the processes below it."""
        try:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                self.started[child.pid] = child
        except psutil.NoSuchProcess:
            pass

    @property
    def said(self) -> str:
        """What it has said for people."""
        return self.errors.read_text()

    def left(self) -> list[str]:
        """What it has started and is still alive, or listens."""
        alive: list[str] = []
        for child in self.started.values():
            with suppress(psutil.NoSuchProcess):  # it ends just now
                if child.is_running() and child.status() != "zombie":
                    alive.append(" ".join(child.cmdline()[:3]))
        return alive


@asynccontextmanager
async def svc(place: Path, *arguments: str, environment: Mapping[str, str] = NOTHING) -> AsyncIterator[Svc]:
    """Run `svc` in that home; killed at the end if it still runs."""
    errors = place / f"{arguments[0]}.err"
    with errors.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "svc", *arguments,
            env={**os.environ, **environment, "SVC_HOME": str(place)}, stdout=asyncio.subprocess.PIPE, stderr=file,
        )  # fmt: skip
        one = Svc(process, errors)
        try:
            yield one
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def finish(one: Svc, seconds: float = 300) -> tuple[int, str]:
    """Wait for its end: exit code and output; all that it starts meanwhile is remembered."""

    async def watch() -> None:
        while True:
            one.look()
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        output, _ = await asyncio.wait_for(one.process.communicate(), seconds)
    finally:
        watching.cancel()
    assert one.process.returncode is not None
    return one.process.returncode, output.decode()


async def until_up(one: Svc, place: Path) -> dict[str, Any]:
    """Wait until its chain runs."""
    async with asyncio.timeout(120):
        while not (place / FILE).exists():
            assert one.process.returncode is None, one.said
            await asyncio.sleep(0.1)
    one.look()
    found: dict[str, Any] = json.loads((place / FILE).read_text())
    return found


async def nothing_left(one: Svc, seconds: float = 20) -> None:
    """Wait until all that it started is gone."""
    async with asyncio.timeout(seconds):
        while one.left():
            await asyncio.sleep(0.1)
