"""Every documented row is a decision: which test shows it for which row, and the table of them.

A test is marked with what it shows. `@pytest.mark.row("plan.out.plans")`: the same handler, in another state, decides
another value of this output, with a reason that names the state. `@pytest.mark.row("plan.in.demand", "engage")`: where
this input is withheld from this source, something later is decided otherwise.

    python -m tests.rows          # write docs/rows.md anew
    python -m tests.rows --json   # print what is marked
"""

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from contracts.event import Message
from contracts.rows import ROWS, End
from contracts.value_chain import ACTIVITIES, FLOWS, TITLES
from services.chassis.handlers import Handler, Rows

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "rows.md"
HEAD = """# Every row is a decision

All 27 documented outputs and all 47 ends of the 36 documented inputs, what decides each of them, and the tests that
show it. For an output a test gives the same handler another state and gets another decision, whose reason names that
state. For an input a test withholds it, and something later is decided otherwise. The functions and the states that
they read or change are those that the services register; the tests are those marked with `pytest.mark.row`.

Written by `.venv/bin/python -m tests.rows`; a test holds it current, and finds rows without a test.
"""
OUTPUTS = tuple(row.id for row in ROWS if row.is_output)
INPUTS = tuple(end for row in ROWS if not row.is_output for end in row.each_end())


class Shown(NamedTuple):
    """One test, and what it is marked with: a row; of an input, the source as well."""

    row: str
    source: str
    test: str
    """As `tests/plan/test_plans.py::test_a_target_follows_from_what_plan_knows`, without parameters."""


class Collector:
    """Notes the marks of every test that pytest collects."""

    def __init__(self) -> None:
        self.shown: dict[Shown, None] = {}
        self.objections: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the marks, those of parameters too."""
        for item in session.items:
            test = item.nodeid.partition("[")[0]
            for mark in item.iter_markers("row"):
                if objection := misread(mark.args, test):
                    self.objections.append(f"{test}: {objection}")
                else:
                    row, source = (*mark.args, "")[:2]
                    self.shown[Shown(row, source, test)] = None


def misread(args: Sequence[object], test: str) -> str:
    """Why a mark says nothing; empty if it is right."""
    row, source = (*args, "")[:2] if len(args) in (1, 2) else (None, "")
    if row in OUTPUTS:
        if source:
            return f"row({row!r}, {source!r}): an output is marked without a hearer"
    elif (row, source) not in INPUTS:
        sources = [end.other for end in INPUTS if end.row == row]
        known = f"give one of its sources: {', '.join(sources)}" if sources else "it is none of contracts/rows.py"
        return f"row{tuple(args)!r}: {known}"
    activity = str(row).partition(".")[0]
    return "" if test.startswith(f"tests/{activity}/") else f"{row} is shown by a test in tests/{activity}"


def collected() -> tuple[list[Shown], list[str]]:
    """What the tests of the six activities are marked with, and why marks are wrong."""
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main(
            ["--collect-only", "-q", *(f"tests/{activity}" for activity in ACTIVITIES)], plugins=[collector]
        )
    if status:
        raise RuntimeError(f"tests cannot be collected: {said.getvalue()}")
    return sorted(collector.shown), collector.objections


def missing(shown: Sequence[Shown]) -> list[str]:
    """Outputs, and ends of inputs, that no test shows."""
    marked = {(one.row, one.source) for one in shown}
    outputs = [row for row in OUTPUTS if (row, "") not in marked]
    return outputs + [f"{end.row} from {end.other}" for end in INPUTS if end not in marked]


def handlers_of(activity: str) -> list[Handler]:
    """Everything that an activity decides."""
    return list(import_module(f"services.{activity}.handlers").handles.registered.values())


def told_by(row: str) -> dict[str, list[str]]:
    """The events of an output, each with the functions that may tell it."""
    events = [flow.event for flow in FLOWS if flow.output == row]
    handlers = handlers_of(row.partition(".")[0])
    return {event.__name__: named(one for one in handlers if event in one.may_tell) for event in events}


def heard_from(end: End) -> dict[str, list[str]]:
    """The messages of an end of an input, each with the functions that decide on it."""
    activity = end.row.partition(".")[0]
    events: list[type[Message]] = [
        flow.event for flow in FLOWS if flow.teller == end.other and end.row in flow.hearers.get(activity, ())
    ]
    handlers = handlers_of(activity)
    return {event.__name__: named(one for one in handlers if one.message is event) for event in events}


def named(handlers: Iterator[Handler]) -> list[str]:
    """Functions with the states that they read or change, each once."""
    found = dict.fromkeys(
        f"`{one.decide.__name__}` ({', '.join(states)})" if (states := states_of(one)) else f"`{one.decide.__name__}`"
        for one in handlers
    )
    return sorted(found)


def states_of(handler: Handler) -> list[str]:
    """The names of the states of a function."""
    return [rows.state.__name__ for rows in handler.parameters if isinstance(rows, Rows)]


def page(shown: Sequence[Shown]) -> str:
    """The text of docs/rows.md."""
    lines = [HEAD]
    for activity in ACTIVITIES:
        lines += [f"## {TITLES[activity]}\n", "| Row | Told or heard | Decided by | Shown by |", "|---|---|---|---|"]
        for end in [end for end in INPUTS if end.row.startswith(f"{activity}.")]:
            source = TITLES.get(end.other, end.other.capitalize())
            lines.append(line(f"`{end.row}` from {source}", heard_from(end), end.row, end.other, shown))
        for row in [row for row in OUTPUTS if row.startswith(f"{activity}.")]:
            lines.append(line(f"`{row}`", told_by(row), row, "", shown))
        lines.append("")
    return "\n".join(lines)


def line(title: str, messages: dict[str, list[str]], row: str, source: str, shown: Sequence[Shown]) -> str:
    """One line of the table."""
    names = ", ".join(f"`{name}`" for name in messages)
    decided = ", ".join(dict.fromkeys(name for functions in messages.values() for name in functions))
    tests = "; ".join(link(one.test) for one in shown if (one.row, one.source) == (row, source))
    return f"| {title} | {names} | {decided} | {tests} |"


def link(test: str) -> str:
    """A test by its sentence, with the way to its file."""
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"


def main(arguments: Sequence[str]) -> None:
    """Write the page, or print the marks."""
    shown, objections = collected()
    if "--json" in arguments:
        sys.stdout.write(json.dumps({"shown": shown, "objections": objections}))
    else:
        PAGE.write_text(page(shown))
        sys.stdout.write("\n".join([*objections, *(f"no test shows {row}" for row in missing(shown))]))


if __name__ == "__main__":
    main(sys.argv[1:])
