import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from svc.cli import app

COMMANDS = (
    ["up"], ["demo"], ["demand"], ["show"], ["explain"], ["trace"], ["coverage"], ["version"],
    ["dlq", "list"], ["dlq", "show"], ["dlq", "redrive"], ["dlq", "discard"], ["dlq", "edit"],
    ["work", "list"], ["work", "done"], ["bench", "intake"],
    ["desk", "demo"], ["desk", "add"], ["desk", "test"], ["desk", "remove"],
)  # fmt: skip
LOOKING = (
    ["show"], ["show", "1f3a"], ["explain", "1f3a"], ["trace", "1f3a"], ["coverage"], ["dlq", "list"],
    ["dlq", "show", "1f3a"], ["dlq", "redrive", "1f3a"], ["dlq", "discard", "1f3a", "--reason", "wrong"],
    ["work", "list"], ["work", "done", "1f3a", "--by", "Priya"],
    ["dlq", "edit", "1f3a", "contracts/asyncapi.json", "--reason", "wrong"],
    ["demand", "It is broken", "--requester", "emily@fleet.example"],
)  # fmt: skip


@pytest.fixture
def svc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("SVC_HOME", str(tmp_path / "home"))
    return CliRunner()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_teaches_itself_with_an_example_and_speaks_to_scripts(svc: CliRunner, command: list[str]):
    told = svc.invoke(app, [*command, "--help"], env={"COLUMNS": "160"})
    assert told.exit_code == 0
    assert f"svc {' '.join(command)}" in told.output.partition("xample")[2]
    assert "--json" in told.output


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_without_a_running_chain_one_sentence_says_how_to_start_one(svc: CliRunner, command: list[str]):
    told = svc.invoke(app, command)
    assert told.exit_code == 2
    assert told.stderr.startswith("svc: No chain is running in ")
    assert "`svc up`" in told.stderr
    assert len(told.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [["up", "--speed", "0"], ["up", "--work", "never"], ["up", "--port", "80"], ["demo", "--limit", "x"],
     ["show", "a", "b"], ["demand", "no requester"], ["dlq", "discard", "1f3a"], ["nothing"]],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_argument_is_named_and_nothing_is_started(svc: CliRunner, wrong: list[str], tmp_path: Path):
    assert svc.invoke(app, wrong).exit_code == 2
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_home_that_cannot_be_written_is_named(svc: CliRunner, command: str, tmp_path: Path):
    (tmp_path / "file").touch()
    told = svc.invoke(app, [command], env={"SVC_HOME": str(tmp_path / "file" / "home")})
    assert told.exit_code == 2
    assert "SVC_HOME" in told.stderr


def test_a_stream_file_that_is_wrong_is_said_before_anything_starts(svc: CliRunner, tmp_path: Path):
    (tmp_path / "odd.yaml").write_text("stream: odd\ntitle: Odd\n")
    told = svc.invoke(app, ["up", "--streams", str(tmp_path)])
    assert told.exit_code == 2
    assert "odd: owner: Field required" in told.stderr
    assert not (tmp_path / "home").exists()


def test_a_folder_without_stream_files_is_said_to_be_one(svc: CliRunner, tmp_path: Path):
    told = svc.invoke(app, ["up", "--streams", str(tmp_path / "nowhere")])
    assert told.exit_code == 2
    assert "no value stream file" in told.stderr


def test_there_is_nothing_to_do_again_before_the_first_time(svc: CliRunner):
    told = svc.invoke(app, ["demo", "--again"])
    assert told.exit_code == 2
    assert "without --again" in told.stderr


def test_the_version_is_one_line_for_people_and_one_for_scripts(svc: CliRunner):
    assert json.loads(svc.invoke(app, ["version", "--json"]).output)["version"] in svc.invoke(app, ["version"]).output


def test_help_loads_nothing_that_only_a_running_chain_needs():
    heavy = ("pydantic", "sqlalchemy", "aiokafka", "httpx", "opentelemetry", "uvicorn", "jinja2", "contracts")
    listing = f"import sys, svc.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
