from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.value_chain import ACTIVITIES
from svc.loopback import serve
from svc.machine import ports
from svc.services import Services
from svc.trouble import Trouble

KNOWN = ["1f3a52e0-7d5c-5b6e-9d3c-0a8f6c1f2b11", "1f3a99e0-7d5c-5b6e-9d3c-0a8f6c1f2b12"]


class Engage:
    """A service that answers as the chassis does."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.looked_for_answer = 0
        self.app = Starlette(
            routes=[
                Route("/demands", self.demands),
                Route("/demands/{id}", self.demand),
                Route("/slow", self.slow, methods=["POST"]),
                Route("/commands/1", self.answer),
                Route("/refused", self.refused, methods=["POST"]),
            ]
        )

    async def demands(self, request: Request) -> Response:
        return JSONResponse([{"id": id} for id in KNOWN])

    async def demand(self, request: Request) -> Response:
        known = request.path_params["id"] in KNOWN
        return JSONResponse({"id": request.path_params["id"]}, 200 if known else 404)

    async def slow(self, request: Request) -> Response:
        self.keys.append(request.headers["idempotency-key"])
        return JSONResponse({}, 202, {"Location": "/commands/1", "Retry-After": "0"})

    async def answer(self, request: Request) -> Response:
        self.looked_for_answer += 1
        return JSONResponse({"done": True}, 404 if self.looked_for_answer < 3 else 200)

    async def refused(self, request: Request) -> Response:
        return JSONResponse({"title": "Not yours", "detail": "Ask its requester.", "status": 403}, 403)


@pytest.fixture
async def engage() -> Engage:
    return Engage()


@pytest.fixture
async def services(engage: Engage) -> AsyncIterator[Services]:
    async with serve(engage.app) as url, Services(dict.fromkeys(ACTIVITIES, url)) as found:
        yield found


@pytest.mark.parametrize(("said", "found"), [(KNOWN[0], 0), ("1f3a52", 0), ("1F3A99", 1)])
async def test_a_demand_is_found_by_its_id_or_the_beginning_of_it(services: Services, said: str, found: int):
    assert str(await services.find(said)) == KNOWN[found]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("1f3a", "2 demands have an id that begins with 1f3a"),
        ("1f3", "no demand 1f3"),
        ("ffff", "no demand ffff"),
        ("00000000-0000-4000-8000-000000000000", "no demand 00000000"),
    ],
)
async def test_a_demand_that_is_unknown_or_could_be_several_is_said_to_be_so(services: Services, said: str, why: str):
    with pytest.raises(Trouble, match=why):
        await services.find(said)


async def test_a_command_that_takes_long_is_waited_for_under_one_key(services: Services, engage: Engage):
    assert await services.command("engage", "/slow", {}, key="mine") == {"done": True}
    assert (engage.keys, engage.looked_for_answer) == (["mine"], 3)


async def test_a_refusal_says_who_refused_what_and_why(services: Services):
    with pytest.raises(Trouble, match=r"Engage refused POST /refused: Not yours: Ask its requester\."):
        await services.command("engage", "/refused", {})


async def test_a_service_that_does_not_answer_is_named():
    nobody: dict[str, Any] = {"plan": f"http://127.0.0.1:{ports.free(1)[0]}"}
    async with Services(nobody) as services:
        with pytest.raises(Trouble, match=r"Plan does not answer at http://127\.0\.0\.1"):
            await services.ask("plan", "GET", "/policies")
