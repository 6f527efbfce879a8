"""The door of Obtain/build, as far as it needs neither broker nor database, and what it shows."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi.responses import JSONResponse, Response

from contracts.event import Command
from services.chassis.commands import at_door
from services.chassis.runtime import Runtime
from services.chassis.service import create_app, database_session
from services.chassis.settings import Settings
from services.chassis.state import State
from services.obtain_build.api import router
from services.obtain_build.change_requests import hear_alteration, hear_demand, hear_initiation
from services.obtain_build.direction import Direction, note_improvement, note_objectives
from services.obtain_build.handlers import handles
from services.obtain_build.model import ComponentGained
from services.obtain_build.offers import Contract
from services.obtain_build.supplier_management import (
    Supplier,
    SupplierAgreement,
    SupplierAnswered,
    hear_agreement,
    note_contract,
    report_agreement,
)
from services.obtain_build.views import (
    DirectionView,
    OrderView,
    RegisteredComponent,
    SupplierAgreementView,
    SupplierView,
    View,
)
from tests.obtain_build.news import altered, concluded, decided, initiated, needed, plan
from tests.obtain_build.workshop import MORNING, THE_DEMAND, Workshop, of, offer


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
    app.dependency_overrides |= {at_door: lambda: doorstep, database_session: lambda: None}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://obtain-build") as caller:
        yield caller
    doorstep.runtime.tracer.processor.shutdown()


async def test_a_component_is_registered(client: httpx.AsyncClient, doorstep: Doorstep) -> None:
    answer = await client.post("/components/store", json={"capacity": 10, "unit": "users"})
    assert answer.status_code == 202
    assert doorstep.taken == [ComponentGained(component="store", capacity=10, unit="users")]


@pytest.mark.parametrize(
    ("component", "body", "wrong"),
    [
        ("Store", {"capacity": 1, "unit": "users"}, "component"),
        ("s" * 201, {"capacity": 1, "unit": "users"}, "component"),
        ("store", {"capacity": -1, "unit": "users"}, "capacity"),
        ("store", {"capacity": 1e300, "unit": "users"}, "capacity"),
        ("store", {"capacity": 1, "used": 1e300, "unit": "users"}, "used"),
        ("store", {"capacity": 1, "unit": ""}, "unit"),
        ("store", {"capacity": 1, "unit": "u" * 101}, "unit"),
        ("store", {"capacity": 1}, "unit"),
        ("store", {"capacity": 1, "unit": "users", "colour": "red"}, "colour"),
    ],
)
async def test_bad_input_is_refused_with_what_is_wrong(
    client: httpx.AsyncClient, doorstep: Doorstep, component: str, body: dict[str, Any], wrong: str
) -> None:
    answer = await client.post(f"/components/{component}", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert wrong in answer.json()["detail"]
    assert doorstep.taken == []


@pytest.mark.parametrize(
    "path",
    ["/orders?limit=0", "/orders/none", "/components?limit=1001", "/suppliers?limit=x", "/orders?status=" + "x" * 99],
)
async def test_a_question_that_makes_no_sense_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def shown(kind: type[View], row: State[Any]) -> dict[str, Any]:
    """A row as it is kept as JSON, read again and shown as JSON."""
    (kept,) = type(row).load(type(row).dump([row])).values()
    assert kept == row
    return kind.model_validate(SimpleNamespace(**row.model_dump(mode="json"))).model_dump(mode="json")


def test_an_order_shows_all_that_bounds_it(workshop: Workshop) -> None:
    hear_demand(needed(users=40, wanted_in=60), workshop.order)
    hear_initiation(initiated(budget=9_000), workshop.order)
    hear_alteration(altered(more_budget=10), workshop.order)
    workshop.obtain("store")
    view = shown(OrderView, workshop.order)
    assert view["demand"] == str(THE_DEMAND)
    assert (view["need"]["users"], view["sponsorship"]["budget"], view["alterations"]["more_budget"]) == (40, 9_000, 10)
    assert view["parts"][0]["choice"]["option"]["way"] == "build"


def test_components_and_suppliers_show_offers_contracts_and_answers(workshop: Workshop) -> None:
    supplier = Supplier(id="cloudy", components=("store",))
    note_contract(hear_agreement(concluded())[0].at(MORNING), supplier)
    contracts: tuple[Contract, ...] = supplier.contracts
    store = workshop.stocked("store", 0, 0, offer(contracts=contracts))
    store.await_contract(THE_DEMAND)
    assert shown(RegisteredComponent, store)["offers"][0]["contracts"][0]["agreement"] == "UC-7"
    assert shown(SupplierView, supplier)["supplier"] == "cloudy"
    (answered,) = of(SupplierAnswered, workshop.obtain("store"))
    agreement = SupplierAgreement(id=answered.agreement)
    report_agreement(answered.at(MORNING), agreement)
    assert shown(SupplierAgreementView, agreement)["answer"]["state"] == "signed"


def test_what_directs_is_kept_and_shown() -> None:
    direction = Direction(id="the")
    note_objectives(plan(0.97), direction)
    note_improvement(decided("obtaining_cost"), direction)
    assert Direction.load(Direction.dump([direction])) == {"the": direction}
    words = direction.model_dump(mode="json")
    view = DirectionView(editions=(), misread="", targets=words["targets"], initiatives=words["initiatives"])
    assert (view.targets[0].share, view.initiatives[0].stage) == (0.97, "approved")
