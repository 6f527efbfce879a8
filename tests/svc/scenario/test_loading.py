"""A scenario comes in by the front doors, in order, and a second time changes nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.value_chain import ACTIVITIES
from svc.loopback import serve
from svc.scenario import Scenario
from svc.scenario.loading import in_order, load
from svc.services import Services

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Six:
    """Six services in one that take each key once, as the chassis does, and refuse one path."""

    def __init__(self) -> None:
        self.taken: dict[str, tuple[str, str, bytes]] = {}
        self.changes = 0
        self.refuses = ""
        self.app = Starlette(routes=[Route("/{path:path}", self.take, methods=["POST", "PUT"])])

    async def take(self, request: Request) -> Response:
        if request.url.path == self.refuses:
            return JSONResponse({"title": "No", "detail": "Not like this.", "status": 422}, 422)
        key, said = request.headers["idempotency-key"], (request.method, request.url.path, await request.body())
        if key not in self.taken:
            self.changes += 1
        assert self.taken.setdefault(key, said) == said
        return JSONResponse({})


@pytest.fixture
async def six() -> Six:
    return Six()


@pytest.fixture
async def services(six: Six) -> AsyncIterator[Services]:
    async with serve(six.app) as url, Services(dict.fromkeys(ACTIVITIES, url)) as found:
        yield found


async def test_a_second_load_changes_nothing(bakery: Scenario, services: Services, six: Six):
    said = bakery.setup(NOW)
    assert await load(services, said) == (len(said), ())
    assert six.changes == len(said)
    assert await load(services, bakery.setup(NOW)) == (len(said), ())
    assert six.changes == len(said)


async def test_what_is_refused_is_told_with_the_reason_and_the_rest_is_said(
    bakery: Scenario, services: Services, six: Six
):
    six.refuses = "/offerings/loaf"
    loaded = await load(services, bakery.setup(NOW))
    assert loaded.said == len(bakery.setup(NOW)) - 1
    (refused,) = loaded.refused
    assert "refused POST /offerings/loaf: No: Not like this." in refused


def test_only_calls_about_things_of_one_sort_are_made_side_by_side(bakery: Scenario):
    groups = in_order(bakery.setup(NOW))
    assert [say for group in groups for say in group] == bakery.setup(NOW)
    assert [len(group) for group in groups if "stakeholders" in group[0].path] == [4]
