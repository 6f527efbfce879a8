"""A workshop that has heard of nothing yet."""

from pathlib import Path

import pytest

from contracts import stream
from tests.obtain_build.workshop import Workshop


@pytest.fixture
def workshop() -> Workshop:
    """One demand's order and everything around it."""
    return Workshop()


@pytest.fixture(scope="module")
def streams() -> stream.Streams:
    """What `contracts/value_streams` ships."""
    shipped = (Path(stream.__file__).parent / "value_streams").iterdir()
    return stream.Streams(stream.read_stream(path.read_text(), path.stem) for path in sorted(shipped))
