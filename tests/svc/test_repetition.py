from pathlib import Path

import pytest

from svc.repetition import SERVICES, main

WEIGHED = """
def weigh_demand(demand, budget):
    left = budget.total - budget.spent
    for need in demand.needs:
        if need.cost > left:
            return refused(f"{need.name} costs {need.cost}")
        left -= need.cost
    return approved(demand, left)
"""
RENAMED = '''
import math

# what comes before it does not matter
LIMIT = math.inf


@handles
def plan_work(task, team):
    """Say whether a team can do a task."""
    free = team.hours - team.planned

    for part in task.parts:
        # a part at a time
        if part.hours > free:
            return declined(f"{part.title} takes {part.hours:.1f} h")
        free -= part.hours
    return accepted(task, free)
'''


def written(folder: Path, files: dict[str, str]) -> list[str]:
    """The files below `services` in a folder, and that folder as the arguments of the command line."""
    for name, source in files.items():
        path = folder / "services" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return [str(folder / "services")]


def test_what_two_services_say_in_the_same_words_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(written(tmp_path, {"plan/handlers.py": WEIGHED, "engage/triage.py": WEIGHED})) == 1
    said = capsys.readouterr().out
    assert "plan/handlers.py:2-8" in said
    assert "engage/triage.py:2-8" in said
    assert "7 lines" in said
    assert "chassis" in said


def test_other_names_texts_comments_and_spaces_do_not_hide_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(written(tmp_path, {"plan/handlers.py": WEIGHED, "improve/handlers.py": RENAMED})) == 1
    said = capsys.readouterr().out
    assert "plan/handlers.py:2-8" in said
    assert "improve/handlers.py:9-18" in said


def test_it_is_told_once_although_more_than_six_lines_are_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(written(tmp_path, {"plan/handlers.py": WEIGHED * 2, "engage/triage.py": "x = 1\n" + WEIGHED * 2}))
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "14 lines" in line] == said[:1]


def test_five_lines_may_be_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    five = "\n".join(WEIGHED.splitlines()[:6])
    assert main(written(tmp_path, {"plan/handlers.py": five + "\nplan()", "engage/triage.py": five + "\n1 + 1"})) == 0
    assert capsys.readouterr().out == ""


def test_a_service_may_repeat_itself(tmp_path: Path) -> None:
    assert main(written(tmp_path, {"plan/handlers.py": WEIGHED * 2, "plan/portfolio.py": WEIGHED})) == 0


def test_imports_decorators_docstrings_and_closing_brackets_do_not_count(tmp_path: Path) -> None:
    framed = """
import a
from b import (
    c,
    d,
)
@handles
@twice(
    3
)
def f(x):
    'What.'
    g(
        x
    )
"""
    assert main(written(tmp_path, {"plan/handlers.py": framed, "engage/triage.py": framed})) == 0


def test_tables_and_lists_of_calls_do_not_count_line_by_line(tmp_path: Path) -> None:
    rows = "".join(f'    "{name}": (1, {name}.cost),\n' for name in "abcdefghij")
    wiring = "".join(f"handles({name})\n" for name in "abcdefghij")
    arguments = "".join(f"    {name}=demand.{name},\n" for name in "abcdefghij")
    tables = f"TABLE = {{\n{rows}}}\n{wiring}\nmake(\n{arguments})\n"
    assert main(written(tmp_path, {"plan/model.py": tables, "engage/model.py": tables})) == 0


def test_two_records_look_alike_unless_their_fields_have_the_same_names(tmp_path: Path) -> None:
    def record(*names: str) -> str:
        return f"class {names[0]}(Data):\n" + "".join(f'    {name}: str = ""\n    """What."""\n' for name in names[1:])

    budget = record("Budget", "quarter", "total", "spent", "owner", "reason")
    ticket = record("Ticket", "title", "text", "status", "requester", "desk")
    assert main(written(tmp_path, {"plan/model.py": budget, "engage/model.py": ticket})) == 0
    assert main(written(tmp_path, {"improve/model.py": ticket})) == 1


def test_assignments_are_no_table(tmp_path: Path) -> None:
    copied = "".join(f"{name} = told.{name}\n" for name in "abcdef")
    assert main(written(tmp_path, {"plan/handlers.py": copied, "engage/handlers.py": copied})) == 1


def test_what_alembic_has_written_is_passed_over(tmp_path: Path) -> None:
    generated = {"plan/migrations/plan_0001.py": WEIGHED, "engage/migrations/engage_0001.py": WEIGHED}
    assert main(written(tmp_path, {**generated, "plan/model.py": "x = 1\n"})) == 0


def test_looking_through_nothing_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no file of a service" in capsys.readouterr().out


def test_it_looks_through_the_services_of_the_project() -> None:
    assert {path.name for path in SERVICES.iterdir()} >= {"chassis", "plan", "engage"}


def test_lists_of_registrations_are_no_repetition(tmp_path: Path) -> None:
    lists = [
        "\n".join(f'handles.{way}("a{number}"{more})(f{number})' for number, (way, more) in enumerate(ways))
        for ways in ([("step", ""), ("draws_on", ', "b"')] * 4, [("step", ""), ("draws_on", ', "c"')] * 4)
    ]
    assert main(written(tmp_path, dict(zip(["plan/handlers.py", "improve/handlers.py"], lists, strict=True)))) == 0
