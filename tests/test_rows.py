"""Every documented row is a decision, every hearer decides, and every decision draws on management practices."""

import json
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import contracts
from contracts.practices import PRACTICES
from contracts.rows import ROWS
from contracts.stream import read_streams
from contracts.value_chain import ACTIVITIES, FLOWS, heard_by, told_by
from services.chassis.handlers import Handler
from tests.rows import INPUTS, OUTPUTS, PAGE, ROOT, Shown, handlers_of, misread, missing, page

pytestmark = pytest.mark.timeout(600)  # all tests of the activities are collected in a process of their own
each_activity = pytest.mark.parametrize("activity", ACTIVITIES)


@cache
def marks() -> tuple[list[Shown], list[str]]:
    """What all tests of the activities are marked with, in a process of its own; and what is wrong with it."""
    printed = subprocess.run(
        [sys.executable, "-m", "tests.rows", "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert printed.returncode == 0, printed.stderr
    found = json.loads(printed.stdout)
    return [Shown(*one) for one in found["shown"]], found["objections"]


def test_every_output_and_every_end_of_an_input_is_shown_to_be_a_decision() -> None:
    shown, objections = marks()
    assert not objections
    assert not missing(shown)
    assert (len(OUTPUTS), len(INPUTS)) == (27, 47)


@pytest.mark.parametrize(
    ("args", "test", "objection"),
    [
        (("plan.out.plans",), "tests/plan/a.py::test_b", ""),
        (("plan.in.demand", "engage"), "tests/plan/a.py::test_b", ""),
        (("plan.out.plans", "engage"), "tests/plan/a.py::test_b", "an output is marked without a hearer"),
        (("plan.in.demand",), "tests/plan/a.py::test_b", "give one of its sources: engage"),
        (("plan.in.demand", "improve"), "tests/plan/a.py::test_b", "give one of its sources: engage"),
        (("plan.out.plan",), "tests/plan/a.py::test_b", "it is none of contracts/rows.py"),
        ((), "tests/plan/a.py::test_b", "it is none of contracts/rows.py"),
        (("plan.out.plans",), "tests/engage/a.py::test_b", "is shown by a test in tests/plan"),
    ],
)
def test_a_mark_that_names_no_row_is_refused(args: tuple[str, ...], test: str, objection: str) -> None:
    found = misread(args, test)
    assert objection in found
    assert bool(found) == bool(objection)


def test_a_row_without_a_test_is_found() -> None:
    shown, _ = marks()
    for gone in (("plan.out.plans", ""), ("engage.in.agreements", "improve")):
        rest = [one for one in shown if (one.row, one.source) != gone]
        assert missing(rest) == [" from ".join(part for part in gone if part)]


def test_the_page_of_rows_is_current() -> None:
    shown, _ = marks()
    assert PAGE.read_text() == page(shown), "write it anew: .venv/bin/python -m tests.rows"


def test_one_event_class_serves_one_output_row_and_every_output_row_has_one() -> None:
    rows = defaultdict(set)
    for flow in FLOWS:
        rows[flow.event].add(flow.output)
    assert {event.__name__: found for event, found in rows.items() if len(found) > 1} == {}
    assert {flow.output for flow in FLOWS if flow.output} == {row.id for row in ROWS if row.is_output}


@each_activity
def test_everything_that_is_told_to_an_activity_is_decided_on(activity: str) -> None:
    decided = {handler.message for handler in handlers_of(activity)}
    assert [flow.event.__name__ for flow in heard_by(activity) if flow.event not in decided] == []


@each_activity
def test_everything_that_an_activity_may_tell_some_decision_tells(activity: str) -> None:
    told = {output for handler in handlers_of(activity) for output in handler.may_tell}
    assert [flow.event.__name__ for flow in told_by(activity) if flow.event not in told] == []


@each_activity
def test_every_event_is_told_by_a_decision_that_looks_at_some_state(activity: str) -> None:
    """What no state can turn is a stamp."""
    stateful = {output for handler in handlers_of(activity) if handler.parameters for output in handler.may_tell}
    assert [flow.event.__name__ for flow in told_by(activity) if flow.event not in stateful] == []


@each_activity
def test_every_decision_draws_on_known_practices_by_its_own_word_or_by_its_steps(activity: str) -> None:
    """Taking up a parked case again is no decision of the field: the chassis does it."""
    streams = read_streams(Path(contracts.__file__).parent / "value_streams")
    by_step = {step.does: step.practices for stream in streams for step in stream.steps if step.activity == activity}
    unknown = {}
    for (_, capability), handler in registered(activity).items():
        practices = by_step.get(capability, ()) if capability else handler.practices
        if not practices or set(practices) - set(PRACTICES):
            unknown[handler.decide.__name__, capability] = practices
    assert unknown == {}


def registered(activity: str) -> dict[tuple[str, str], Handler]:
    """What an activity has registered, but for the redriving of the chassis."""
    handles = sys.modules[f"services.{activity}.handlers"].handles if handlers_of(activity) else None
    assert handles
    return {key: one for key, one in handles.registered.items() if one.message is not handles.redrive}
