"""What the command line shows while it works."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console, RenderableType
from rich.status import Status

UNWATCHED = 240
"""Columns where nobody watches: in a file or a pipe, where a long line is better than a broken one."""


class Terminal:
    """Where people read. Results for scripts go to standard output, all else to standard error if `json` is wanted."""

    def __init__(self, *, json: bool = False) -> None:
        watched = (sys.stderr if json else sys.stdout).isatty()
        self.console = Console(stderr=json, highlight=False, width=None if watched else UNWATCHED)
        self._status: Status | None = None
        self._said = ""

    def show(self, what: RenderableType = "") -> None:
        """Something to read, in full."""
        self.console.print(what)

    def say(self, text: str) -> None:
        """What goes on just now: in place of what went on before, where the terminal can; else as a line of its own."""
        if text != self._said:
            self._said = text
            if self._status:
                self._status.update(text)
            elif text:
                self.console.print(text, markup=False)

    def moving(self, text: str) -> None:
        """What changes all the time: only where one line can stand for it."""
        if self._status:
            self._status.update(text)

    def result(self, json: Any) -> None:
        """What a script reads, as one line on standard output."""
        sys.stdout.write(f"{orjson.dumps(json, default=str).decode()}\n")
        sys.stdout.flush()

    def rest(self) -> None:
        """Nothing moves any more."""
        if self._status:
            self._status.stop()
            self._status = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """While this lasts, what is said stands in one moving line at the bottom of a terminal."""
        if not self.console.is_terminal:
            yield
            return
        self._status = self.console.status("")
        self._status.start()
        try:
            yield
        finally:
            self.rest()
