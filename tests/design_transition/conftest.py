"""The shipped value streams, and a design that nothing has happened to yet."""

from pathlib import Path

import pytest

import contracts
from contracts.stream import Streams, read_stream
from tests.design_transition.bench import Bench


@pytest.fixture(scope="session")
def streams() -> Streams:
    """The shipped value streams."""
    folder = Path(contracts.__path__[0]) / "value_streams"
    return Streams(read_stream(file.read_text(), file.stem) for file in folder.glob("*.yaml"))


@pytest.fixture
def bench(streams: Streams) -> Bench:
    """A demand of which Design and transition has heard nothing yet."""
    return Bench(streams)
