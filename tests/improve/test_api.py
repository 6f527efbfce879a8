"""The door of Improve, as far as it needs neither broker nor database."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi.responses import JSONResponse, Response

from contracts.event import Command
from services.chassis.commands import at_door
from services.chassis.runtime import Runtime
from services.chassis.service import create_app
from services.chassis.settings import Settings
from services.improve.api import router
from services.improve.handlers import handles
from services.improve.model import InitiativeEntered, InitiativeHeld, InitiativeResumed

ENTRY: dict[str, Any] = {
    "title": "Help sooner", "subject": "services", "measure": "sla_met", "service": "games",
    "hypothesis": "Two more people at the desk.", "target": 0.95, "source": "audit", "owner": "service desk manager",
    "value": 9000, "cost": 3000,
}  # fmt: skip
REASON = {"by": "Grace", "reason": "The people are ill."}


class Doorstep:
    """Takes commands where the inbox would be."""

    def __init__(self) -> None:
        self.runtime = Runtime(handles, Settings())
        self.taken: list[Command] = []

    async def ask(self, command: Command) -> Response:
        """What `Door.ask` does, without an answer."""
        self.taken.append(command)
        return JSONResponse({}, 202)


@pytest.fixture
def doorstep() -> Doorstep:
    return Doorstep()


@pytest.fixture
async def client(doorstep: Doorstep) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(handles, router)
    app.state.runtime, app.state.engine = doorstep.runtime, None
    app.dependency_overrides[at_door] = lambda: doorstep
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://improve") as caller:
        yield caller
    doorstep.runtime.tracer.processor.shutdown()


async def test_a_review_enters_an_initiative_under_the_id_of_the_address(
    client: httpx.AsyncClient, doorstep: Doorstep
) -> None:
    await client.post("/initiatives/faster-help", json=ENTRY)
    assert doorstep.taken == [InitiativeEntered(initiative="faster-help", **ENTRY)]


async def test_an_initiative_is_held_and_resumed_with_a_name_and_a_reason(
    client: httpx.AsyncClient, doorstep: Doorstep
) -> None:
    for way in ("hold", "resume"):
        await client.post(f"/initiatives/faster-help/{way}", json=REASON)
    assert doorstep.taken == [
        InitiativeHeld(initiative="faster-help", **REASON),
        InitiativeResumed(initiative="faster-help", **REASON),
    ]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("title", ""), ("title", "x" * 201), ("subject", "people"), ("service", "Video Games"), ("target", -1),
        ("target", 1e300), ("target", "much"), ("source", "feedback"), ("value", -1), ("cost", 10**19), ("owner", None),
        ("hypothesis", ""), ("colour", "red"),
    ],
)  # fmt: skip
async def test_a_bad_entry_is_refused_by_the_name_of_the_field(
    client: httpx.AsyncClient, doorstep: Doorstep, field: str, wrong: object
) -> None:
    answer = await client.post("/initiatives/faster-help", json=ENTRY | {field: wrong})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in answer.json()["detail"]
    assert doorstep.taken == []


@pytest.mark.parametrize("path", ["/initiatives/Faster%20help", "/initiatives/" + "x" * 201])
@pytest.mark.parametrize("way", ["", "/hold", "/resume"])
async def test_an_id_is_a_short_slug(client: httpx.AsyncClient, doorstep: Doorstep, path: str, way: str) -> None:
    answer = await client.post(path + way, json=REASON if way else ENTRY)
    assert (answer.status_code, doorstep.taken) == (422, [])


@pytest.mark.parametrize("body", [{}, {"by": "Grace"}, {"by": "", "reason": "x"}, REASON | {"until": "tomorrow"}])
@pytest.mark.parametrize("way", ["hold", "resume"])
async def test_nobody_holds_without_a_name_and_a_reason(
    client: httpx.AsyncClient, doorstep: Doorstep, way: str, body: dict[str, str]
) -> None:
    answer = await client.post(f"/initiatives/faster-help/{way}", json=body)
    assert (answer.status_code, doorstep.taken) == (422, [])


@pytest.mark.parametrize("query", ["state=open", "limit=0", "limit=1001"])
async def test_the_register_is_asked_for_known_states_and_bounded_numbers(
    client: httpx.AsyncClient, query: str
) -> None:
    assert (await client.get(f"/initiatives?{query}")).status_code == 422
