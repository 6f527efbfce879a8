"""One start of the six services for all of these tests."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from tests.api.six import Six

if TYPE_CHECKING:
    from svc.machine import Machine


@pytest.fixture(scope="package")
async def six(machine: "Machine") -> AsyncIterator[Six]:
    """The six services, running."""
    async with Six(machine).running() as six:
        yield six
