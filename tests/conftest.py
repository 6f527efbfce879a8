"""Real servers for the suites that need them, and what a run says at its end."""

import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from svc.machine import Home, Machine


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a run can have more of."""
    text = "how many tickets a real desk gets while Engage is killed (tests/desks/test_kill.py)"
    parser.addoption("--tickets", type=int, default=30, help=text)


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each suite's share of the time, and which check has caught which mutant (`record_property("caught", ...)`)."""
    seconds: Counter[str] = Counter()
    caught: list[str] = []
    for outcome in ("passed", "failed", "skipped", "error", ""):
        for report in terminalreporter.getreports(outcome):
            if not isinstance(report, pytest.TestReport):
                continue  # a file that could not be collected took no time
            seconds[Path(report.nodeid.partition("::")[0]).parent.name or "tests"] += report.duration
            if report.when == "call":
                caught += [str(text) for name, text in report.user_properties if name == "caught"]
    if caught:
        terminalreporter.section("mutants")
        for line in caught:
            terminalreporter.line(line)
    whole = sum(seconds.values())
    if whole:
        terminalreporter.section("each suite's share of the time")
        for suite, spent in seconds.most_common():
            terminalreporter.line(f"{suite:<20} {spent:7.1f} s  {spent / whole:4.0%}")
