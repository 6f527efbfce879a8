"""The shipped value streams, and a design that nothing has happened to yet."""

from pathlib import Path

import pytest

import contracts
from contracts.stream import Streams, read_streams
from tests.design_transition.bench import Bench


@pytest.fixture(scope="session")
def streams() -> Streams:
    """The shipped value streams."""
    return read_streams(Path(contracts.__path__[0]) / "value_streams")


@pytest.fixture
def bench(streams: Streams) -> Bench:
    """A demand of which Design and transition has heard nothing yet."""
    return Bench(streams)
