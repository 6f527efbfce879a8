"""What many ask for at once is done once, for all of them."""

import asyncio
from collections.abc import Sequence

import pytest

from services.engage.together import Together


class Slow:
    """Something that takes until it is let go, and fails when it is asked for a word that is too long."""

    def __init__(self) -> None:
        self.done: list[list[str]] = []
        self.gate = asyncio.Semaphore(0)

    async def __call__(self, words: Sequence[str]) -> str:
        self.done.append(list(words))
        await self.gate.acquire()
        if any(len(word) > 1 for word in words):
            raise ValueError("too long")
        return "".join(words)


async def started(together: Together[str, str], *words: str) -> list[asyncio.Task[str]]:
    """Ask, and let what can happen at once happen."""
    tasks = [asyncio.create_task(together.ask(word)) for word in words]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_the_first_waits_for_nobody_and_who_comes_meanwhile_goes_together() -> None:
    slow = Slow()
    together = Together(slow)
    first = await started(together, "a")
    others = await started(together, "b", "c")
    assert slow.done == [["a"]]
    slow.gate.release()
    slow.gate.release()
    assert await asyncio.gather(*first, *others) == ["a", "bc", "bc"]
    assert slow.done == [["a"], ["b", "c"]]


async def test_an_error_is_told_to_those_who_went_together_and_to_nobody_else() -> None:
    slow = Slow()
    together = Together(slow)
    tasks = await started(together, "long", "b")
    later = await started(together, "c")
    slow.gate.release()
    slow.gate.release()
    for task in tasks:
        with pytest.raises(ValueError, match="too long"):
            await task
    assert await later[0] == "c"


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    slow = Slow()
    together = Together(slow)
    gone, stays = await started(together, "a", "b")
    gone.cancel()
    slow.gate.release()
    assert await stays == "ab"
    with pytest.raises(asyncio.CancelledError):
        await gone
    again = await started(together, "c")
    slow.gate.release()
    assert await again[0] == "c"
