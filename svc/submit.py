"""Bringing demand from the command line: by the same door as everybody else."""

import asyncio
from typing import Any
from uuid import UUID

from rich.console import Group
from rich.text import Text

from contracts.value_chain import ENGAGE
from svc import show
from svc.looking import Seen, services
from svc.trails import follow

CALM, PATIENCE = 1.0, 10.0
"""Seconds in which nothing new must happen before it is told how far a demand has come; and at most so many."""


async def submit(body: dict[str, Any], key: str) -> Seen:
    """Bring it, see what happens in the first moments, and say so."""
    async with services() as six:
        brought = await six.command(ENGAGE, "/demands", body, key=key)
        demand, loop = UUID(str(brought["id"])), asyncio.get_running_loop()
        began = changed = loop.time()
        journey = await follow(six, demand)
        while loop.time() - changed < CALM and loop.time() - began < PATIENCE:
            await asyncio.sleep(0.2)
            newer = await follow(six, demand)
            changed = loop.time() if len(newer.entries) != len(journey.entries) else changed
            journey = newer
        about = await six.demand(demand)
    hint = Text(f"\nfollow it: svc show {demand}    why: svc explain {demand}", style="dim")
    return Seen(Group(show.demand(about, journey), hint), about)
