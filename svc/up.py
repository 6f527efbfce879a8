"""The chain by itself, for as long as somebody wants it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.text import Text

from svc import running, words
from svc.chain import Chain, Way
from svc.desks import known
from svc.ending import interrupted
from svc.machine import Home
from svc.terminal import Terminal
from svc.trouble import Trouble

GLANCE = 1.0
"""Seconds between two looks at whether the desks of the home have changed."""


async def run(
    terminal: Terminal, *, speed: float, work: Way, streams: Path | None, port: int | None, accept_loss: bool,
    days_ago: float, json: bool, began: float,
) -> int:  # fmt: skip
    """Start it, say where it is, and keep it until Ctrl-C."""
    home = Home()
    desks = known.known(home.path)
    with terminal.working():
        async with Chain(
            home,
            speed=speed,
            work=work,
            streams=streams,
            desks=desks,
            port=port,
            say=terminal.say,
            began=began,
            accept_loss=accept_loss,
            epoch=epoch(days_ago),
        ) as chain:
            found = running.find(home.path)
            terminal.show(Text(f"Ready after {found.start_seconds} s. Ctrl-C ends it.", style="bold"))
            terminal.show(Text(f"  {'page':<22}{found.page}"))
            for activity, url in found.services.items():
                terminal.show(Text(f"  {words.activity(activity):<22}{url}/docs"))
            terminal.show(Text(f"  {'Kafka':<22}{found.kafka}"))
            terminal.rest()
            if json:
                terminal.result(found.model_dump(mode="json"))
            await chain.run(rest(chain, terminal))
    return 0


async def rest(chain: Chain, terminal: Terminal) -> None:
    """Wait for Ctrl-C; meanwhile Engage is to know the desks of the home whenever their file changes."""
    before, ending = known.stamp(chain.home.path), asyncio.create_task(interrupted())
    try:
        while not ending.done():
            await asyncio.wait({ending}, timeout=GLANCE)
            if (now := known.stamp(chain.home.path)) != before:
                before = now
                try:
                    await chain.know(known.known(chain.home.path))
                except Trouble as trouble:  # whoever edits the file may go on
                    terminal.show(Text(f"{trouble}", style="bold red"))
    finally:
        ending.cancel()


def epoch(days_ago: float) -> datetime | None:
    """When the chain time of a new home begins; None: now."""
    return datetime.now(UTC) - timedelta(days=days_ago) if days_ago else None
