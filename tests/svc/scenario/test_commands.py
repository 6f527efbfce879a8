"""The commands about scenarios and streams."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from svc.cli import app

ROOT = Path(__file__).parents[3]
CARCACHIN = str(ROOT / "scenarios" / "carcachin.yaml")
COMMANDS = (
    ["scenario", "check"], ["scenario", "load"], ["scenario", "draw"], ["streams", "check"], ["streams", "draw"],
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


def test_a_scenario_that_holds_is_said_to_do_so(svc: CliRunner):
    told = svc.invoke(app, ["scenario", "check", CARCACHIN])
    assert (told.exit_code, "holds: " in told.output) == (0, True)
    said = json.loads(svc.invoke(app, ["scenario", "check", CARCACHIN, "--json"]).output)
    assert (said["scenario"], said["mistakes"]) == ("carcachin", [])


def test_mistakes_in_a_scenario_are_listed_for_people_and_for_scripts(svc: CliRunner, small: str, tmp_path: Path):
    (tmp_path / "bakery.yaml").write_text(small.replace("item: loaf}}", "item: bun}}"))
    told = svc.invoke(app, ["scenario", "check", str(tmp_path / "bakery.yaml")])
    assert told.exit_code == 1
    assert "bakery.yaml:28:70: offerings.1.goods.item: there is no item 'bun'" in told.output
    said = json.loads(svc.invoke(app, ["scenario", "check", str(tmp_path / "bakery.yaml"), "--json"]).output)
    (mistake,) = said["mistakes"]
    assert (mistake["line"], mistake["column"], mistake["field"]) == (28, 70, "offerings.1.goods.item")


@pytest.mark.parametrize("command", [["scenario", "check"], ["scenario", "load"], ["streams", "check"]], ids=" ".join)
def test_a_file_that_is_not_there_is_one_sentence(svc: CliRunner, command: list[str]):
    told = svc.invoke(app, [*command, "nowhere.yaml"])
    assert told.exit_code == 2
    assert told.stderr.startswith("svc: nowhere.yaml cannot be read")


def test_nothing_is_loaded_where_no_chain_runs(svc: CliRunner):
    told = svc.invoke(app, ["scenario", "load", CARCACHIN])
    assert told.exit_code == 2
    assert "No chain is running" in told.stderr


def test_a_scenario_is_drawn_as_a_business_model_and_a_day(svc: CliRunner):
    told = svc.invoke(app, ["scenario", "draw", CARCACHIN])
    assert told.exit_code == 0
    for words in ("value propositions", "profit zone: 3,900,000 euros", "New video games", "9 a day: incident"):
        assert words in told.output


def test_streams_are_drawn_as_mermaid_into_a_file_and_as_a_picture_on_demand(svc: CliRunner):
    text = svc.invoke(app, ["streams", "draw"]).output
    assert text.startswith("flowchart TD\n")
    assert "restore-a-live-service-request-support -->|SupportTaskRequested| restore-a-live-service-restore" in text
    picture = svc.invoke(app, ["streams", "draw", "--no-mermaid"]).output
    assert "● restore" in picture
    assert "→ confirm-value  SupportTaskCompleted" in picture
    assert "→ back obtain  SpecificationIssued" in picture
    assert json.loads(svc.invoke(app, ["streams", "draw", "--json"]).output)["mermaid"] in text
