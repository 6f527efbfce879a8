"""One chain for all of these tests: a start of six processes costs more than what most tests do with them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from svc.chaos.chain import Chain
from svc.chaos.nursery import nursery

if TYPE_CHECKING:
    from svc.machine import Machine


@pytest.fixture(scope="package")
async def chain(machine: "Machine", tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    """The six services, running; a test that ends or holds up some of them starts them again."""
    folder: Path = tmp_path_factory.mktemp("chain")
    async with nursery(folder) as parent, Chain(machine, folder, parent).running() as chain:
        yield chain
