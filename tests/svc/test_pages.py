import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from contracts.value_chain import ACTIVITIES
from svc.loopback import serve
from svc.pages import page
from svc.services import Services
from svc.telemetry import SpanStore
from svc.trouble import Trouble

DEMAND = UUID("11111111-1111-4111-8111-111111111111")
ABOUT = {
    "id": str(DEMAND), "title": "Games <script>stop</script>", "status": "in_progress", "reason": "",
    "kind": "incident", "requester": "emily@fleet.example",
    "stream": "restore-a-live-service", "captured_at": "2026-11-24T12:00:00Z",
}  # fmt: skip


class Recorded(Services):
    """What the services said once."""

    def __init__(self, trails: dict[str, list[dict[str, Any]]]) -> None:
        self.urls = {activity: f"http://{activity}.example" for activity in ACTIVITIES}
        self.trails = trails

    async def demands(self, most: int = 100) -> list[dict[str, Any]]:
        return [ABOUT]

    async def demand(self, id: UUID | str) -> dict[str, Any]:
        if id != DEMAND:
            raise Trouble(f"Engage knows no demand {id}")
        return ABOUT

    async def trail(self, activity: str, case: str) -> list[dict[str, Any]]:
        return [receipt for receipt in self.trails.get(activity, []) if receipt["case"] == case]

    async def coverage(self) -> dict[str, dict[str, Any]]:
        return {activity: {"consumed": [], "told": []} for activity in ACTIVITIES}


@pytest.fixture
def app(trails: Any, tmp_path: Path) -> Starlette:
    return page(SpanStore(tmp_path), Recorded(trails.by_activity))


async def read(app: Starlette, path: str) -> httpx.Response:
    async with serve(app) as url, httpx.AsyncClient() as client:
        return await client.get(f"{url}{path}")


async def test_the_first_page_lists_the_demands_and_the_services(app: Starlette):
    text = (await read(app, "/")).text
    assert f'href="/demands/{DEMAND}"' in text
    assert 'href="http://obtain_build.example/docs">Obtain/build' in text


async def test_what_a_requester_writes_is_text_and_nothing_else(app: Starlette):
    for path in ("/", f"/demands/{DEMAND}"):
        text = (await read(app, path)).text
        assert "&lt;script&gt;stop" in text
        assert "<script" not in text


async def test_a_demand_has_its_timeline_its_reasons_and_its_trace(app: Starlette):
    text = (await read(app, f"/demands/{DEMAND}")).text
    assert "resolve incident" in text
    assert "Because: Nobody is in danger." in text
    assert "No spans have arrived." in text


async def test_everything_a_page_needs_comes_with_it(app: Starlette):
    text = (await read(app, f"/demands/{DEMAND}")).text
    assert not [part for part in ("<link", "src=", "@import", "url(") if part in text.replace("url(#", "")]


async def test_a_picture_leads_to_each_moment_of_the_timeline(app: Starlette):
    text = (await read(app, f"/demands/{DEMAND}")).text
    drawn = re.findall(r'<a href="#(m\d+)"', text)
    assert drawn == re.findall(r'<tr id="(m\d+)"', text)
    assert len(drawn) > 2
    assert "Engage → Deliver and support: 1" in text


async def test_coverage_says_what_has_not_been_seen(app: Starlette):
    text = (await read(app, "/coverage")).text
    assert "Inputs: 0 of 36" in text
    assert "plan.in.demand &lt;- engage" in text


async def test_what_is_not_there_is_said_in_words(app: Starlette):
    answer = await read(app, f"/demands/{UUID(int=5)}")
    assert answer.status_code == 503
    assert "Engage knows no demand" in answer.text
    assert (await read(app, f"/traces/{'0' * 32}")).status_code == 404
