"""What many ask for at the same time is done for all of them at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Found = TypeVar("Found")
MOST = 100
"""Who goes together at most: what they bring has to fit into one statement."""


class Together(Generic[Asked, Found]):
    """Runs `do` for whoever waits; those who come while it runs go together with the next one, and wait no longer."""

    def __init__(self, do: Callable[[Sequence[Asked]], Awaitable[Found]]) -> None:
        self._do = do
        self._waiting: list[tuple[Asked, asyncio.Future[Found]]] = []
        self._doing: asyncio.Task[None] | None = None

    async def ask(self, what: Asked) -> Found:
        """What `do` finds for all with whom this goes; its error is that of all of them."""
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, future))
        if self._doing is None or self._doing.done():
            self._doing = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            these, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            futures = [future for _, future in these]
            try:
                found = await self._do([what for what, _ in these])
            except Exception as error:  # noqa: BLE001 - it is told to those who asked
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            else:
                for future in futures:
                    if not future.done():  # its caller may have gone
                        future.set_result(found)
