"""Bringing a scenario into the chain that runs: by the front doors, one call after the other."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Group
from rich.text import Text

from contracts.clock import Clock
from svc import running
from svc.looking import Seen
from svc.machine.home import default_path
from svc.scenario.say import Say
from svc.scenario.scenario import Scenario
from svc.services import Services
from svc.trouble import Trouble

AT_ONCE = 8
"""Calls about different things that are under way at the same time."""


class Loaded(NamedTuple):
    """What came of it."""

    said: int
    refused: tuple[str, ...]
    """What the services did not take, each with the reason."""


async def load_into_running(scenario: Scenario) -> Seen:
    """Bring it into the chain that runs in this home; `Trouble` if none does, or if something was refused."""
    chain = running.find(default_path())
    now = Clock.parse(chain.clock).now() if chain.clock else datetime.now(UTC)
    async with Services(chain.services) as services:
        loaded = await load(services, scenario.setup(now))
    if loaded.refused:
        wrong = "\n".join(f"  {one}" for one in loaded.refused)
        raise Trouble(f"{loaded.said} things were said, and {len(loaded.refused)} were refused:\n{wrong}")
    text = Text(f"{scenario.title} is set up: {loaded.said} things were said through the front doors.", style="bold")
    hint = Text("Loading it again changes nothing. Its demand: `svc simulate` plays it.", style="dim")
    return Seen(Group(text, hint), {"scenario": scenario.scenario, "said": loaded.said, "refused": []})


async def load(services: Services, said: Sequence[Say]) -> Loaded:
    """Make the calls in order, those about things of one sort side by side; made again, they change nothing."""
    refused: list[str] = []
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(say: Say) -> None:
        async with limit:
            try:
                await services.command(say.activity, say.path, say.body, key=say.key, method=say.method)
            except Trouble as trouble:
                refused.append(str(trouble))

    for calls in in_order(said):
        await asyncio.gather(*map(one, calls))
    return Loaded(len(said) - len(refused), tuple(sorted(refused)))


def in_order(said: Sequence[Say]) -> list[list[Say]]:
    """The calls in groups that may be made side by side: those at one door, which are about things of one sort."""
    groups: list[list[Say]] = []
    doors: list[tuple[str, str]] = []
    for say in said:
        door = (say.activity, say.path.split("/")[1])
        if not doors or doors[-1] != door or door[1] == "agreements":
            groups.append([])
            doors.append(door)
        groups[-1].append(say)
    return groups
