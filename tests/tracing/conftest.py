"""One chain of six real processes for all trace tests; its chain time began twelve days ago."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.clock import Clock, Segment
from svc.chaos.chain import Chain
from svc.chaos.nursery import nursery

if TYPE_CHECKING:
    from svc.machine import Machine

DAYS = timedelta(days=12)


@pytest.fixture(scope="package")
async def chain(machine: "Machine", tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    """The six services, running; a test that ends some of them, or starts them otherwise, starts them again."""
    folder: Path = tmp_path_factory.mktemp("chain")
    async with nursery(folder) as parent:
        chain, now = Chain(machine, folder, parent), datetime.now(UTC)
        chain.clock = Clock([Segment(now, now - DAYS, 1.0)])
        async with chain.running():
            yield chain
