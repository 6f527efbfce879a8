"""Real servers for the suites that need them."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from svc.machine import Home, Machine


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """An empty home that shares the downloads with the project's own."""
    folder = Path(tempfile.mkdtemp(prefix="svc-"))
    yield Home(folder, downloads=Home().downloads)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def machine(home: Home) -> AsyncIterator[Machine]:
    """Kafka and PostgreSQL, for all suites of this run: make your own topics and databases."""
    async with Machine(home) as started:
        yield started
