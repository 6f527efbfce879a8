"""What it takes to have a real desk run beside a chain, whichever it is."""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx

from svc.machine import Home, Say
from svc.machine.errors import MachineError
from svc.machine.process import Child

EMAIL = "emily@fleet.example"
"""The customer of a demonstration."""
START, PATIENCE, GLANCE = 120.0, 30.0, 0.1
"""Seconds that it may take to answer first (it makes its tables); that one page may take; and between two looks."""


class Ticket(NamedTuple):
    """A ticket that its requester has made."""

    id: str
    page: str
    """The address of the page on which they follow it."""


class Desk(Protocol):
    """A desk of our own: where it is, what opens it, and how a customer uses it."""

    @property
    def name(self) -> str:
        """What its profile is called."""

    @property
    def form(self) -> str:
        """The page on which its customers make tickets."""

    @property
    def known(self) -> dict[str, Any]:
        """What Engage must know of it, as an entry of `SVC_DESKS`."""

    @property
    def places(self) -> dict[str, str]:
        """Where a person finds what in it, and with which password."""

    def hook(self, engage: str, name: str = "") -> str:
        """The address that it pushes to, below Engage's own; `name` is what Engage calls it, if not as its profile."""

    def running(self, home: Home, hook: str, say: Say) -> AbstractAsyncContextManager[Child]:
        """Have it run for as long as the block; it also ends with this process.

        What it knows stays in the folder `desks` of the home, as what the chain knows does: the number of a ticket is
        part of its demand's name.
        """

    def submit(self, title: str, text: str, type: str = "", email: str = EMAIL) -> Ticket:
        """Make a ticket by its own form, as a customer's browser does; `MachineError` says what is wrong."""

    def read(self, ticket: Ticket) -> str:
        """The page of a ticket as its requester sees it, HTML."""


async def finished(
    what: str,
    *command: str | Path,
    log: Path,
    env: dict[str, str] | None = None,
    advice: str = "",
    patience: float = 10,
) -> None:
    """Run a command to its end; `MachineError` with its last words and the advice if it fails."""
    child = await Child.start(what, command, log=log, env=env, patience=patience)
    try:
        code = await child.wait()
    finally:
        await child.stop()
    if code:
        raise MachineError(f"{what} has failed (exit code {code}). {advice} The end of {log}:\n{child.last_words()}")


async def answers(url: str, child: Child) -> None:
    """Wait until it does; `MachineError` if its process ends, or if it takes too long."""
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            async with asyncio.timeout(START):
                while child.returncode is None:
                    try:
                        await client.get(url)
                    except httpx.TransportError:
                        await asyncio.sleep(GLANCE)
                    else:
                        return
        except TimeoutError:
            words = child.last_words()
            raise MachineError(f"{child.name} does not answer at {url} after {START:.0f} s:\n{words}") from None
    raise child.death()


def bare() -> dict[str, str]:
    """An environment in which nothing of ours is set."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
