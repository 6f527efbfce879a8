"""`svc desk demo` as a person runs it: a real desk beside the chain, tickets by its form, and nothing left behind."""

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.value_chain import ENGAGE
from services.engage.desks.intake import demand_of
from services.engage.desks.text import marker
from svc.desks.django_helpdesk import NAME, Desk
from svc.machine import Home
from tests.demo.calls import finish, nothing_left, svc, until_up

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a space in its name, shared by the tests of this file; only the downloads are there."""
    path = tmp_path_factory.mktemp("a desk's home")
    Home().downloads.mkdir(parents=True, exist_ok=True)
    (path / "downloads").symlink_to(Home().downloads)
    return path


@pytest.fixture(scope="module")
async def shown(place: Path) -> dict[str, Any]:
    """The last line of `svc desk demo --once --json`, after a run that left nothing behind."""
    async with svc(place, "desk", "demo", "--once", "--json") as demo:
        code, output = await finish(demo, 500)
        assert code == 0, demo.said
        assert len(demo.started) >= 9, "Kafka, PostgreSQL, six services and the desk were seen"
        await nothing_left(demo)
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


async def test_a_ticket_of_the_desks_own_form_becomes_value_and_is_answered_on_its_page(shown: dict[str, Any]) -> None:
    assert shown["desk"] == NAME
    assert shown["demand"] == str(demand_of(NAME, shown["ticket"]))
    assert (shown["status"], shown["status_in_desk"]) == ("value_realised", "resolved")
    assert shown["reply_seen"]
    assert all(reply.strip() for reply in shown["replies"])
    assert 0 < shown["seconds"] < 120


async def test_it_is_one_trace_from_the_push_to_the_write_back(shown: dict[str, Any]) -> None:
    assert shown["push_to_write_back"]
    assert re.fullmatch(r"[0-9a-f]{32}", shown["trace_id"])
    assert {"svc-engage", "svc-deliver-support"} <= set(shown["services_in_trace"])


async def test_without_once_it_can_be_clicked_through_and_ctrl_c_leaves_nothing(
    place: Path, shown: dict[str, Any]
) -> None:
    """In the same home: ticket numbers go on, so no demand is taken for an earlier one."""
    async with svc(place, "desk", "demo", "--json") as demo:
        engage = (await until_up(demo, place))["services"][ENGAGE]
        said = await until_said(demo.errors, "work in the desk")
        demo.look()
        found = re.search(r"make a ticket +(http://[^/]+)", said)
        password = re.search(r"as root, password (\S+)", said)
        assert found
        assert password
        desk = Desk(found[1], password[1], "", "")
        ticket = await asyncio.to_thread(desk.submit, "Hello", "I do not know where to begin.")
        assert int(ticket.id) > int(shown["ticket"]) + 1
        demand = demand_of(NAME, ticket.id)
        async with asyncio.timeout(60):
            while marker(demand, 1) not in desk.read(ticket):
                await asyncio.sleep(0.2)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{engage}/demands/{demand}")).json()["status"] == "unclassified"
        with httpx.Client(base_url=desk.url, follow_redirects=True) as browser:
            assert "Hello" in worked_in(browser, password[1], ticket.id)
        demo.process.send_signal(signal.SIGINT)
        code, _ = await finish(demo, 60)
        assert code == 0, demo.said
        await nothing_left(demo)


def worked_in(browser: httpx.Client, password: str, ticket: str) -> str:
    """The page of a ticket for those who work in the desk, after they have logged in; with its style sheet."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get("/login/").text)
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "username": "root", "password": password}
    browser.post("/login/", data=fields, headers={"referer": f"{browser.base_url}/login/"}).raise_for_status()
    page = browser.get(f"/tickets/{ticket}/").raise_for_status().text
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert sheet
    browser.get(sheet[1]).raise_for_status()
    return page


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_however_it_ends_the_desk_ends_with_it(place: Path, shown: dict[str, Any], how: signal.Signals) -> None:
    async with svc(place, "desk", "demo", "--json") as demo:
        await until_said(demo.errors, "is ticket")
        demo.look()
        assert any("helpdesk_site.py" in " ".join(one.cmdline()) for one in demo.started.values())
        demo.process.send_signal(how)
        await demo.process.wait()
        await nothing_left(demo, 40)


async def until_said(file: Path, words: str) -> str:
    """Wait until it has said this; all that it has said."""
    async with asyncio.timeout(240):
        while words not in (said := file.read_text()):
            await asyncio.sleep(0.1)
    return said
