"""How a command that runs on is ended: by Ctrl-C, or by being told to."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any


async def interrupted() -> None:
    """Wait for Ctrl-C, or to be told to end; then all ends in good order."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    before: dict[signal.Signals, Callable[..., Any] | int | None] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.getsignal(number)
        loop.add_signal_handler(number, ending.set)
    try:
        await ending.wait()
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
