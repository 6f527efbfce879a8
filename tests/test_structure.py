"""What the layout of the project promises. That activities do not import each other is checked in `make lint`."""

import ast
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from contracts.stream import read_stream
from contracts.value_chain import ACTIVITIES
from svc.migrations import UNDECLARED, migrate, run_on, tables

if TYPE_CHECKING:
    from svc.machine import Machine

ROOT = Path(__file__).parents[1]
SERVICES = ROOT / "services"
CHASSIS = SERVICES / "chassis"
FOLDERS = ("contracts", "services", "svc", "tests", "docs")
NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
BUILD = """
import sys
from pathlib import Path
from services.{activity}.app import app
here = Path.cwd()
ours = [m for name, m in sys.modules.items() if name.partition(".")[0] in ("contracts", "services", "svc")]
strangers = [m.__name__ for m in ours if m.__file__ and here not in Path(m.__file__).parents]
assert not strangers, f"not of this folder: {{strangers}}"
sys.stdout.write(" ".join(app.openapi()["paths"]))
"""

BOUNDS = text("""
SELECT relname, conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'c' AND connamespace = CAST(:schema AS regnamespace)""")


def lines_of_code(source: str) -> int:
    """Lines that hold code: blank lines, comments and docstrings (texts that stand as statements) are not counted."""
    docs = {
        number
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {n for token in tokens if token.type not in NO_CODE for n in range(token.start[0], token.end[0] + 1)}
    return len(code - docs)


def test_blank_lines_comments_and_docstrings_are_no_code() -> None:
    assert (
        lines_of_code(
            '"""What.\n\nMore."""\n\n# why\nx = """a\nb"""\n"""What x is."""\n\ndef f():\n    return 1  # why\n'
        )
        == 4
    )


def test_the_life_of_a_batch_can_be_read_in_one_sitting() -> None:
    assert len((CHASSIS / "lane.py").read_text().splitlines()) <= 250


def test_the_chassis_does_not_grow() -> None:
    """At most 1,500 lines of code: it is to be read in one sitting (`docs/decisions.md`).

    Blank lines, comments and docstrings are not counted, and neither are the migrations, which Alembic writes.
    """
    sizes = {path.name: lines_of_code(path.read_text()) for path in CHASSIS.glob("*.py")}
    assert sum(sizes.values()) <= 1500, sizes


@pytest.mark.parametrize("activity", ACTIVITIES)
@pytest.mark.parametrize("name", ["__init__.py", "app.py", "api.py", "handlers.py", "model.py"])
def test_every_activity_has_the_same_file_names(activity: str, name: str) -> None:
    assert (SERVICES / activity / name).is_file()


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_an_activity_starts_with_contracts_and_chassis_alone(activity: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    for folder in ("chassis", activity):
        shutil.copytree(SERVICES / folder, tmp_path / "services" / folder)
    shutil.copy(SERVICES / "__init__.py", tmp_path / "services")
    # what this shell configures for a chain of its own is not to be found here
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SVC_")}
    built = subprocess.run(
        [sys.executable, "-c", BUILD.format(activity=activity)],
        cwd=tmp_path, env=environment | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert "/trail/{case}" in built.stdout.split()


@pytest.mark.parametrize("activity", ACTIVITIES)
async def test_migrations_make_the_schema_that_the_models_declare(activity: str, machine: "Machine") -> None:
    server = await asyncpg.connect(machine.admin_url)
    name = f"structure_{activity}_{uuid4().hex[:8]}"
    url = f"{machine.admin_url.rpartition('/')[0]}/{name}"
    await server.execute(f"CREATE DATABASE {name}")
    try:
        await migrate(activity, url)
        wrong = await run_on(url, differences, activity)
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()
    assert not wrong, f'write the next migration: python -m svc.migrations new {activity} "why"'


def differences(connection: Connection, activity: str) -> list[Any]:
    """What only the migrated database has, or only the models. Bounds (`check`) too, which Alembic passes over."""
    declared: Any = tables(activity)  # Alembic takes several, and does not say so
    options = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or name not in UNDECLARED}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), declared)
    connection.execute(text("CREATE SCHEMA declared"))
    connection.execute(text("SET LOCAL search_path = declared, public"))
    declared[1].create_all(connection, checkfirst=False)
    return [*found, *(bounds(connection, "public") ^ bounds(connection, "declared"))]


def bounds(connection: Connection, schema: str) -> set[Any]:
    """Table, name and text of every bound in a schema."""
    return set(connection.execute(BOUNDS, {"schema": schema}))


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md", "docs/decisions.md", "docs/reliability.md"])
def test_what_a_document_names_is_there(document: str) -> None:
    """Files and folders (`<activity>` stands for any of the six), and `Class.method`."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / document).read_text(), flags=re.M | re.S)
    named = {re.sub(r"<\w+>", "*", name) for name in re.findall(r"`([^`\s]+)`", text)}
    ours = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    source = "\n".join(path.read_text() for path in ours if path.suffix == ".py")
    for name in sorted(named):
        method = re.fullmatch(r"([A-Z][a-z]\w*)\.(\w+)", name)
        if name.partition("/")[0] in FOLDERS:
            assert list(ROOT.glob(name)), name
        elif re.fullmatch(r"\w+\.py", name):
            assert any(path.name == name for path in ours), name
        elif method:
            body = re.search(rf"^class {method[1]}\b.*?(?=^\S)", source, re.M | re.S)
            assert body, name
            assert re.search(rf"^    (async )?def {method[2]}\b", body[0], re.M), name


def test_the_value_stream_in_the_readme_is_one_that_the_activities_can_do() -> None:
    example = re.search(r"```yaml\nstream: (\S+).*?```", (ROOT / "README.md").read_text(), re.S)
    assert example
    stream = read_stream(example[0].removeprefix("```yaml").removesuffix("```"), example[1])
    for step in stream.steps:
        offers = {
            capability for _, capability in import_module(f"services.{step.activity}.handlers").handles.registered
        }
        assert step.does in offers, step.step
