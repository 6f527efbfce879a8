"""The AsyncAPI document as AsyncAPI's own parser reads it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contracts import render
from contracts.value_chain import FLOWS, TOPICS

HERE = Path(__file__).parent / "asyncapi"
KEPT = render.ROOT / ".svc" / "asyncapi"

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")), reason="AsyncAPI's parser needs node and npm"
    ),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="session")
def parser() -> Path:
    """The folder with the installed parser, as its lock file says; kept between runs."""
    same = (KEPT / "installed-lock.json").exists() and (KEPT / "installed-lock.json").read_bytes() == (
        HERE / "package-lock.json"
    ).read_bytes()
    if not same:
        shutil.copytree(HERE, KEPT, dirs_exist_ok=True)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        installed = subprocess.run(npm, cwd=KEPT, capture_output=True, text=True, check=False)
        assert installed.returncode == 0, f"npm could not install the parser:\n{installed.stderr}"
        shutil.copy(HERE / "package-lock.json", KEPT / "installed-lock.json")
    shutil.copy(HERE / "check.js", KEPT)
    return KEPT


def parse(parser: Path, document: Path) -> dict[str, Any]:
    run = subprocess.run(["node", "check.js", document], cwd=parser, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_the_parser_finds_no_error_and_every_channel_and_message(parser: Path) -> None:
    found = parse(parser, render.ASYNCAPI)
    assert found["errors"] == []
    assert found["channels"] == len(TOPICS)
    assert found["messages"] == len(FLOWS)
    assert found["operations"] == len(render.asyncapi()["operations"])


def test_the_parser_does_find_an_error(parser: Path, tmp_path: Path) -> None:
    broken = render.asyncapi()
    del broken["channels"]["svc.plan.plans"]
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert any("svc.plan.plans" in error for error in parse(parser, tmp_path / "broken.json")["errors"])
