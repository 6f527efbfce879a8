"""The doors of Deliver and support: what is not valid is refused with the reason, and reaches no lane."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.responses import JSONResponse, Response

from contracts.event import Command
from services.chassis.commands import at_door
from services.chassis.runtime import Runtime
from services.chassis.service import create_app
from services.chassis.settings import Settings
from services.deliver_support.api import router
from services.deliver_support.handlers import handles
from services.deliver_support.model import SupportTaskPaused, SupportTaskResumed
from services.deliver_support.problem_model import MonitoringReported
from services.deliver_support.request_model import ApprovalGiven, OfferingPublished, StockSet

DEMAND = UUID(int=7)


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
    app.state.runtime = doorstep.runtime
    app.dependency_overrides[at_door] = lambda: doorstep
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://support") as caller:
        yield caller
    doorstep.runtime.tracer.processor.shutdown()


OFFERING: dict[str, Any] = {"title": "Arcade pass", "service": "games", "access": {"resource": "arcade", "hours": 8}}
STOCK: dict[str, Any] = {"component": "controller", "quantity": 5, "reorder_at": 2, "reorder_quantity": 10}
SEEN: dict[str, Any] = {
    "event": "e1", "signal": "frame-rate", "value": 3, "threshold": 24, "unit": "fps", "severity": "exception",
}  # fmt: skip
PAUSE, RESUME = {"by": "Grace", "asks": "Which game?"}, {"by": "Grace"}
APPROVAL: dict[str, Any] = {"by": "boss@example.org", "approved": True}
DOORS: list[tuple[str, dict[str, Any], type[Command]]] = [
    ("/offerings/arcade-pass", OFFERING, OfferingPublished),
    ("/stock/pad", STOCK, StockSet),
    ("/monitoring/games", SEEN, MonitoringReported),
    (f"/support-tasks/{DEMAND}/wait", PAUSE, SupportTaskPaused),
    (f"/support-tasks/{DEMAND}/resume", RESUME, SupportTaskResumed),
    (f"/requests/{DEMAND}/approval", APPROVAL, ApprovalGiven),
]


@pytest.mark.parametrize(("path", "body", "command"), DOORS)
async def test_each_door_takes_what_is_valid(
    client: httpx.AsyncClient, doorstep: Doorstep, path: str, body: dict[str, Any], command: type[Command]
) -> None:
    assert (await client.post(path, json=body)).status_code == 202
    assert [type(one) for one in doorstep.taken] == [command]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("/offerings/Arcade Pass", OFFERING, "offering"),
    ("/offerings/arcade-pass", OFFERING | {"access": {"resource": "arcade", "hours": 0}}, "access.hours"),
    ("/offerings/arcade-pass", OFFERING | {"access": {"resource": "arcade", "hours": 1e9}}, "access.hours"),
    ("/offerings/arcade-pass", OFFERING | {"goods": {"item": "pad", "quantity": 10**30}}, "goods.quantity"),
    ("/offerings/arcade-pass", OFFERING | {"price": -1}, "price"),
    ("/offerings/arcade-pass", OFFERING | {"approval": "king"}, "approval"),
    ("/stock/pad", STOCK | {"quantity": -1}, "quantity"),
    ("/stock/pad", STOCK | {"quantity": 10**30}, "quantity"),
    ("/stock/pad", STOCK | {"reorder_at": "many"}, "reorder_at"),
    ("/monitoring/games", SEEN | {"severity": "bad"}, "severity"),
    ("/monitoring/games", SEEN | {"value": 1e300}, "value"),
    ("/monitoring/games", SEEN | {"event": ""}, "event"),
    ("/monitoring/Games!", SEEN, "service"),
    (f"/support-tasks/{DEMAND}/wait", {"by": "Grace"}, "asks"),
    ("/support-tasks/seven/wait", PAUSE, "demand"),
    (f"/support-tasks/{DEMAND}/resume", {"by": ""}, "by"),
    (f"/requests/{DEMAND}/approval", APPROVAL | {"approved": "perhaps"}, "approved"),
    (f"/requests/{DEMAND}/approval", {"approved": True}, "by"),
    *((path, body | {"colour": "red"}, "colour") for path, body, _ in DOORS),
]


@pytest.mark.parametrize(("path", "body", "names"), WRONG)
async def test_what_is_not_valid_is_refused_by_its_name_and_reaches_no_lane(
    client: httpx.AsyncClient, doorstep: Doorstep, path: str, body: dict[str, Any], names: str
) -> None:
    answer = await client.post(path, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (422, 422)
    assert problem["title"]
    assert names in problem["detail"]
    assert doorstep.taken == []
