"""The chain by itself, for as long as somebody wants it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.text import Text

from svc import running, words
from svc.chain import Chain, Way
from svc.ending import interrupted
from svc.machine import Home
from svc.terminal import Terminal


async def run(
    terminal: Terminal, *, speed: float, work: Way, streams: Path | None, port: int | None, accept_loss: bool,
    days_ago: float, json: bool, began: float,
) -> int:  # fmt: skip
    """Start it, say where it is, and keep it until Ctrl-C."""
    home = Home()
    with terminal.working():
        async with Chain(
            home,
            speed=speed,
            work=work,
            streams=streams,
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
            await chain.run(interrupted())
    return 0


def epoch(days_ago: float) -> datetime | None:
    """When the chain time of a new home begins; None: now."""
    return datetime.now(UTC) - timedelta(days=days_ago) if days_ago else None
