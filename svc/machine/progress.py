"""Telling a person what takes a moment."""

import sys
from collections.abc import Callable

Say = Callable[[str], None]
"""Told one short sentence before each step that may take over a second."""


def to_stderr(text: str) -> None:
    """Say it where it does not mix with a program's output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
