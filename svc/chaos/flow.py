"""Demand of two value streams at a chain under fire, one after the other: less than a scenario brings, and quick."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID

from svc.chaos.chain import Chain

AT_ONCE = 6
"""Demands that are on their way at the same time."""


class Flow:
    """Incidents and wishes, each confirmed by its requester, who then brings the next one."""

    def __init__(self, chain: Chain, seed: int) -> None:
        self._chain, self._seed = chain, seed
        self._over = asyncio.Event()
        self._flowing: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> list[str]:
        """None: whoever waits too long says so."""
        return []

    @asynccontextmanager
    async def there(self) -> AsyncIterator["Flow"]:
        """They begin to ask."""
        self._flowing = [asyncio.create_task(self._ask(Random(f"{self._seed} {n}"))) for n in range(AT_ONCE)]
        try:
            yield self
        finally:
            for task in self._flowing:
                task.cancel()
            await asyncio.gather(*self._flowing, return_exceptions=True)

    async def until_all_is_said(self) -> None:
        """From now on nobody brings anything new."""
        self._over.set()

    async def see_through(self) -> None:
        """Wait until all have what they asked for, and have said so."""
        await asyncio.gather(*self._flowing)

    async def _ask(self, random: Random) -> None:
        while not self._over.is_set():
            demand: UUID = await (self._chain.wish() if random.random() < 0.3 else self._chain.incident())
            await self._chain.realise([demand])
