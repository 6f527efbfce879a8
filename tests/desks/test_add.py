"""`svc desk add` and `svc desk test`: a real django-helpdesk, plugged into a chain that runs; each step is told."""

import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from typer.testing import CliRunner

from contracts.value_chain import ENGAGE
from services.engage.desks.client import Access, Client
from services.engage.desks.connector import connector
from svc.cli import app
from svc.desks import django_helpdesk, known
from svc.desks.django_helpdesk import BOT, Desk
from svc.machine import Home, to_stderr
from svc.machine.ports import free
from svc.trouble import Trouble
from tests.demo.calls import finish, svc, until_up
from tests.desks import mail_server
from tests.desks.mail_server import SUPPORT

pytestmark = pytest.mark.timeout(600)
STEPS = ["its profile", "the connection", "its settings", "Engage", "a ticket", "the push", "the reply", "the end"]


class Plugged(NamedTuple):
    """A chain that runs, and a desk that pushes to it."""

    place: Path
    engage: str
    desk: Desk

    def said(self, password: str = "", token: str = "") -> dict[str, str]:
        return {"SVC_DESK_PASSWORD": password or self.desk.bot, "SVC_DESK_PUSH_SECRET": token or self.desk.token}


@pytest.fixture(scope="module")
async def plugged(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plugged]:
    place = tmp_path_factory.mktemp("plugged")
    Home().downloads.mkdir(parents=True, exist_ok=True)
    (place / "downloads").symlink_to(Home().downloads)
    async with svc(place, "up") as up:
        engage = (await until_up(up, place))["services"][ENGAGE]
        home = Home(tmp_path_factory.mktemp("its desk"), downloads=Home().downloads)
        home.prepare()
        desk = await django_helpdesk.placed(home, free(1)[0], to_stderr)
        async with desk.running(home, desk.hook(engage, "help"), to_stderr):
            yield Plugged(place, engage, desk)


async def told(plugged: Plugged, *arguments: str, environment: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The exit code and the last line of `svc desk ... --json`."""
    async with svc(plugged.place, "desk", *arguments, "--json", environment=environment) as command:
        code, output = await finish(command, 200)
    assert output, command.said
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return code, result


def options(desk: Desk) -> list[str]:
    return ["--profile", "django-helpdesk", "--url", desk.url, "--user", BOT]


async def test_a_desk_is_added_to_a_chain_that_runs_and_a_ticket_goes_through(plugged: Plugged) -> None:
    code, result = await told(plugged, "add", "help", *options(plugged.desk), environment=plugged.said())
    assert [step["step"] for step in result["steps"]] == STEPS
    assert [step["step"] for step in result["steps"] if not step["passed"]] == []
    assert (code, result["passed"]) == (0, True)
    assert result["push_to"] == plugged.desk.hook(plugged.engage, "help")
    file = plugged.place / known.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {"help": plugged.desk.known}
    async with httpx.AsyncClient() as client:
        demand = (await client.get(f"{plugged.engage}/demands/{result['demand']}")).json()
    assert demand["status"] == "withdrawn"
    async with Client(connector("django-helpdesk"), Access(**plugged.desk.known["api"])) as api:
        assert (await api.fetch(result["ticket"])).event.status == "closed"


async def test_a_desk_that_was_added_can_be_tested_again_also_with_a_ticket_of_its_own(plugged: Plugged) -> None:
    code, result = await told(plugged, "test", "help", environment={})
    assert (code, [step["step"] for step in result["steps"]]) == (0, ["the connection", *STEPS[3:]])
    theirs = plugged.desk.submit("Hello", "I do not know where to begin.")
    code, result = await told(plugged, "test", "help", "--ticket", theirs.id, environment={})
    assert (code, result["steps"][-1]["step"]) == (0, "the reply"), "what is theirs is not withdrawn"


async def test_a_mailbox_is_added_and_a_mail_goes_through_both_ways(plugged: Plugged, tmp_path: Path) -> None:
    async with mail_server.running(tmp_path) as server:
        access = server.access()
        said = ["--profile", "email", "--url", access.base, "--outgoing", access.outgoing, "--user", access.user]
        words = {"SVC_DESK_PASSWORD": "wrong", "SVC_DESK_PUSH_SECRET": ""}
        code, result = await told(plugged, "add", "post", *said, environment=words)
        assert (code, result["steps"][-1]["step"], result["steps"][-1]["passed"]) == (1, "the connection", False)
        assert f"does not let {SUPPORT} in" in result["steps"][-1]["said"]
        nowhere = [*said[:4], "--outgoing", f"smtp://127.0.0.1:{free(1)[0]}", *said[6:]]
        words["SVC_DESK_PASSWORD"] = access.secret
        code, result = await told(plugged, "add", "post", *nowhere, environment=words)
        assert (code, result["steps"][-1]["step"], result["steps"][-1]["passed"]) == (1, "the way out", False)
        code, result = await told(plugged, "add", "post", *said, environment=words)
        assert [step["step"] for step in result["steps"] if not step["passed"]] == []
        steps = ["its profile", "the connection", "the way out", "its settings", "Engage", "a ticket", "the demand"]
        assert [step["step"] for step in result["steps"]] == [*steps, "the reply", "the end"]
        assert (code, "push_to" in result) == (0, False)
        assert "We have received it." in result["steps"][-2]["said"]
        async with svc(plugged.place, "desk", "status", "--json") as command:
            code, output = await finish(command, 60)
        stands = {desk["desk"]: desk for desk in json.loads(output)}
        assert (code, stands["post"]["asking_failed"], stands["post"]["asked"]) == (0, "", True)
        async with svc(plugged.place, "desk", "remove", "post") as command:
            assert (await finish(command, 60))[0] == 0


async def test_another_secret_than_the_desks_is_found_by_the_push_that_is_refused(plugged: Plugged) -> None:
    code, result = await told(plugged, "add", "help", *options(plugged.desk), environment=plugged.said(token="wrong"))
    assert (code, result["passed"]) == (1, False)
    last = result["steps"][-1]
    assert (last["step"], last["passed"]) == ("the push", False)
    assert "--push-secret" in last["said"]


async def test_a_wrong_password_is_found_before_anything_is_kept(plugged: Plugged) -> None:
    before = (plugged.place / known.FILE).read_bytes()
    code, result = await told(plugged, "add", "help", *options(plugged.desk), environment=plugged.said("wrong"))
    assert (code, result["steps"][-1]["step"]) == (1, "the connection")
    assert "check the account and its token" in result["steps"][-1]["said"]
    assert (plugged.place / known.FILE).read_bytes() == before


async def test_a_page_that_is_no_desk_is_said_to_be_none(plugged: Plugged) -> None:
    other = plugged.desk._replace(url=plugged.engage)
    code, result = await told(plugged, "add", "help", *options(other), environment=plugged.said())
    assert (code, result["steps"][-1]["step"]) == (1, "the connection")
    assert plugged.engage in result["steps"][-1]["said"]


def added(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """`svc desk add` where no chain runs."""
    environment = {"SVC_HOME": str(tmp_path), "SVC_DESK_PASSWORD": "s3cret", "SVC_DESK_PUSH_SECRET": ""}
    found = CliRunner().invoke(app, ["desk", "add", *arguments, "--json"], env=environment)
    return found.exit_code, json.loads(found.stdout.splitlines()[-1]) if found.stdout else {"said": found.stderr}


def test_where_nobody_answers_it_is_said_and_nothing_is_kept(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free(1)[0]}"
    code, result = added(tmp_path, "help", "--profile", "zammad", "--url", url)
    assert code == 1
    assert f"Nobody answers at {url}" in result["steps"][-1]["said"]
    assert not (tmp_path / known.FILE).exists()


def test_without_a_chain_the_settings_are_kept_and_a_secret_is_made_up(tmp_path: Path) -> None:
    code, result = added(tmp_path, "roundup", "--profile", "roundup")
    assert (code, result["push_to"]) == (0, "http://127.0.0.1:8802/desks/roundup")
    secret = known.kept(tmp_path)["roundup"]["secrets"][0]
    assert secret.startswith("whsec_")
    assert secret not in json.dumps(result), "a script's log is no place for it"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["help", "--profile", "zamad"], "there is no desk 'zamad'"),
        (["help", "--profile", "freshdesk"], "give its address (--url)"),
        (["help", "--profile", "itop"], "proves nothing that it pushes"),
        (["post", "--profile", "email", "--url", "imaps://mail.example"], "`outgoing`"),
        (["post", "--profile", "email"], "proves nothing that it pushes"),
        (["Help!", "--profile", "zammad"], "Help!"),
        (["help"], "svc desk list"),
    ],
)
def test_what_engage_would_not_take_is_refused_before_anything_is_tried(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    code, result = added(tmp_path, *arguments)
    assert code == 2
    assert said in result["said"]


def test_a_desk_that_nobody_has_added_cannot_be_tested(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["desk", "test", "help"], env={"SVC_HOME": str(tmp_path)})
    assert found.exit_code == 2
    assert "`svc desk add help` adds it" in found.stderr


def test_a_desk_that_is_removed_is_forgotten(tmp_path: Path) -> None:
    added(tmp_path, "roundup", "--profile", "roundup")
    for code, said in ((0, "roundup is forgotten"), (2, "has no desk 'roundup'")):
        found = CliRunner().invoke(app, ["desk", "remove", "roundup"], env={"SVC_HOME": str(tmp_path)})
        assert found.exit_code == code
        assert said in found.output
        assert known.kept(tmp_path) == {}


def test_desks_of_the_environment_win_over_those_that_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, said = ({"connector": "zammad", "secrets": [secret]} for secret in ("kept", "said"))
    monkeypatch.delenv("SVC_DESKS", raising=False)
    assert known.known(tmp_path) == ""
    known.keep(tmp_path, "help", kept)
    known.keep(tmp_path, "more", kept)
    monkeypatch.setenv("SVC_DESKS", json.dumps({"help": said}))
    assert json.loads(known.known(tmp_path)) == {"help": said, "more": kept}
    known.keep(tmp_path, "more", None)
    assert list(known.kept(tmp_path)) == ["help"]


def test_a_file_that_was_edited_wrongly_is_named_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / known.FILE).write_text('{"help": {"connector": "roundup", "secrets": ["t0p"]}}')
    with pytest.raises(Trouble, match=r"desks\.json is of no use to Engage: help: webhook secret 1 of 1") as trouble:
        known.known(tmp_path)
    assert "t0p" not in str(trouble.value)
    assert os.environ.get("SVC_DESKS") is None
