"""`svc bench intake`, in little: what was taken while nothing was decided becomes demands."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from svc.bench import intake
from svc.bench.intake import Tickets
from svc.loopback import serve
from svc.terminal import Terminal
from svc.trouble import Trouble

SECRET = "whsec_" + "A" * 40


async def test_in_little_both_are_measured_and_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert await intake.run(Terminal(json=True), quick=True, json=True) == 0
    found: dict[str, Any] = orjson.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["rate"].keys() == found["milliseconds"].keys() == {"Engage", "bare"}
    assert found["ratio"] == pytest.approx(found["rate"]["Engage"] / found["rate"]["bare"])
    assert found["taken"] == 300 // 5 + 300 + 2 * intake.RATE
    assert all(0 < of["p50"] <= of["p99"] for of in found["milliseconds"].values())


def answering(answer: Callable[[Request], Awaitable[Response]]) -> Starlette:
    return Starlette(routes=[Route("/desks/roundup", answer, methods=["POST"])])


async def test_each_push_is_sent_once_and_is_a_ticket_of_its_own() -> None:
    came: list[Any] = []

    async def taken(request: Request) -> Response:
        came.append(await request.json())
        return PlainTextResponse("taken", 202)

    tickets = Tickets(SECRET)
    async with serve(answering(taken)) as url:
        await intake.pushed(url, tickets.some(40))
        waits, refused = await intake.at_rate(url, tickets.some(20))
    assert (len(waits), refused) == (20, 0)
    assert {push["data"]["ticket"]["id"] for push in came} == {str(number) for number in range(1, 61)}


async def test_a_push_that_is_refused_ends_the_measurement_and_says_why() -> None:
    async def refused(request: Request) -> Response:
        return PlainTextResponse("no such desk", 404)

    async with serve(answering(refused)) as url:
        assert await intake.at_rate(url, Tickets(SECRET).some(3)) == ([], 3), "at a rate they are counted"
        with pytest.raises(Trouble, match="404 Not Found no such desk"):
            await intake.pushed(url, Tickets(SECRET).some(1))
