"""The doors to the registers: what they take as a command, and what they refuse before anything is changed."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.responses import JSONResponse, Response

from contracts.event import Command
from contracts.outside import DemandSubmitted, MarketingOpportunityReported
from contracts.values import Term
from services.chassis.commands import at_door
from services.chassis.runtime import Runtime
from services.chassis.service import create_app, database_session
from services.chassis.settings import Settings
from services.engage.api import router
from services.engage.handlers import handles
from services.engage.ledgers import Day, Direction, Initiative, Opportunity, OpportunityEnded, Voices
from services.engage.model import Demand, DemandAltered, Need, TermsAnswered
from services.engage.registers import (
    Agreement,
    AgreementStated,
    AgreementTerminated,
    Stakeholder,
    StakeholderStated,
    Supplier,
    SupplierServiceStated,
)
from services.engage.views import (
    AgreementView,
    DemandView,
    InitiativeView,
    NeedView,
    OpportunityView,
    ReportView,
    StakeholderView,
    SupplierView,
    TargetView,
    VoicesView,
)
from tests.engage.house import EMILY, NOW, ONE, TWO, House
from tests.engage.test_agreements import NEEDS, agreed, hours, offers
from tests.engage.test_consolidation import wish
from tests.engage.test_feedback import planned, remark
from tests.engage.test_opportunities import chance, plan

DAY = "2026-11-24T00:00:00Z"
STAKEHOLDER: dict[str, Any] = {"name": "Emily", "kind": "consumer", "roles": ["customer", "sponsor"]}
SUPPLIER: dict[str, Any] = {"name": "Cloud AG", "title": "Storage", "valid_from": DAY, "supports": ["video-games"]}
AGREEMENT: dict[str, Any] = {
    "kind": "service_level", "title": "SLA", "service": "video-games", "counterparty": "bluefleet",
    "terms": [{"name": "resolve", "value": 8, "unit": "hours"}], "valid_from": DAY,
}  # fmt: skip
OPPORTUNITY: dict[str, Any] = {
    "customer": EMILY, "relationship": "current", "signal": "likely_to_leave", "title": "Stay", "value": 1,
    "probability": 0.5,
}  # fmt: skip
OUTCOME: dict[str, Any] = {"outcome": "won", "by": "sales", "reason": "Signed."}
END: dict[str, Any] = {"by": "bluefleet", "reason": "Over."}
ALTERATION: dict[str, Any] = {"stakeholder": EMILY.upper(), "title": "Four", "scope": "For four."}
ACCEPTANCE: dict[str, Any] = {"stakeholder": EMILY, "accepted": True}
DEMAND: dict[str, Any] = {"requester": EMILY, "title": "Two controllers", "text": "", "offering": "controller"}
DOORS: list[tuple[str, dict[str, Any], type[Command], str]] = [
    (f"/stakeholders/{EMILY.upper()}", STAKEHOLDER, StakeholderStated, EMILY),
    ("/suppliers/cloud-ag/services/storage", SUPPLIER, SupplierServiceStated, "cloud-ag"),
    ("/agreements/sla-1", AGREEMENT, AgreementStated, "sla-1"),
    ("/agreements/cloud-ag/storage/games", AGREEMENT, AgreementStated, "cloud-ag/storage/games"),
    ("/agreements/cloud-ag/storage/termination", END, AgreementTerminated, "cloud-ag/storage"),
    ("/opportunities/blue-fleet", OPPORTUNITY, MarketingOpportunityReported, "blue-fleet"),
    ("/opportunities/blue-fleet/outcome", OUTCOME, OpportunityEnded, "blue-fleet"),
    (f"/demands/{ONE}/alteration", ALTERATION, DemandAltered, str(ONE)),
    (f"/demands/{ONE}/acceptance", ACCEPTANCE, TermsAnswered, str(ONE)),
    ("/demands", DEMAND, DemandSubmitted, str(ONE)),
]
BAD: list[tuple[str, dict[str, Any]]] = [
    (f"/stakeholders/{EMILY}", STAKEHOLDER | {"kind": "alien"}),
    (f"/stakeholders/{EMILY}", STAKEHOLDER | {"roles": ["x"] * 21}),
    (f"/stakeholders/{EMILY}", STAKEHOLDER | {"rank": 1}),
    (f"/stakeholders/{'e' * 201}", STAKEHOLDER),
    ("/suppliers/Cloud%20AG/services/storage", SUPPLIER),
    ("/suppliers/cloud-ag/services/storage", SUPPLIER | {"valid_from": "soon"}),
    ("/suppliers/cloud-ag/services/storage", SUPPLIER | {"valid_until": "9999-12-31T23:59:59-14:00"}),
    ("/suppliers/cloud-ag/services/storage", SUPPLIER | {"valid_from": "2026-11-24T00:00:00"}),
    ("/suppliers/cloud-ag/services/storage", SUPPLIER | {"status": "fine"}),
    ("/suppliers/cloud-ag/services/storage", SUPPLIER | {"terms": [{"name": "price", "value": -1, "unit": "euros"}]}),
    ("/suppliers/cloud-ag/services/storage", SUPPLIER | {"terms": [{"name": "price", "value": 1e300, "unit": "e"}]}),
    ("/agreements/sla-1", AGREEMENT | {"kind": "handshake"}),
    ("/agreements/sla-1", AGREEMENT | {"depends_on": ["a b"]}),
    ("/agreements/sla-1", AGREEMENT | {"depends_on": [f"a-{n}" for n in range(101)]}),
    ("/agreements/-", AGREEMENT),
    ("/agreements/sla-1/termination", {"by": "", "reason": ""}),
    ("/opportunities/blue-fleet", OPPORTUNITY | {"probability": 1.5}),
    ("/opportunities/blue-fleet", OPPORTUNITY | {"value": 10**30}),
    ("/opportunities/Blue", OPPORTUNITY),
    ("/opportunities/blue-fleet/outcome", OUTCOME | {"outcome": "drawn"}),
    (f"/demands/{ONE}/alteration", ALTERATION | {"more_budget": -1}),
    (f"/demands/{ONE}/alteration", ALTERATION | {"more_budget": 10**30}),
    ("/demands/one/alteration", ALTERATION),
    (f"/demands/{ONE}/acceptance", {"stakeholder": EMILY}),
    (f"/demands/{ONE}/acceptance", ACCEPTANCE | {"accepted": "perhaps"}),
    ("/demands", DEMAND | {"quantity": 0}),
    ("/demands", DEMAND | {"quantity": 10**30}),
    ("/demands", DEMAND | {"value": 10**30}),
    ("/demands", DEMAND | {"users_affected": 10**30}),
]


class Doorstep:
    """Takes commands where the inbox would be."""

    id = ONE

    def __init__(self) -> None:
        self.runtime = Runtime(handles, Settings())
        self.taken: list[Command] = []

    async def ask(self, command: Command) -> Response:
        """What `Door.ask` does, without an answer."""
        self.taken.append(command)
        return JSONResponse({}, 202)


@pytest.fixture(scope="module")
def one_doorstep() -> Doorstep:
    return Doorstep()


@pytest.fixture
def doorstep(one_doorstep: Doorstep) -> Doorstep:
    one_doorstep.taken.clear()
    return one_doorstep


@pytest.fixture(scope="module")
async def client(one_doorstep: Doorstep) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(handles, router)
    app.state.runtime = one_doorstep.runtime
    app.dependency_overrides[at_door] = lambda: one_doorstep
    app.dependency_overrides[database_session] = lambda: None
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engage") as caller:
        yield caller
    one_doorstep.runtime.tracer.processor.shutdown()


@pytest.mark.parametrize(("path", "body", "command", "case"), DOORS)
async def test_a_door_brings_what_is_said_as_a_command_about_its_case(
    client: httpx.AsyncClient, doorstep: Doorstep, path: str, body: dict[str, Any], command: type[Command], case: str
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 202, answer.text
    (taken,) = doorstep.taken
    assert (type(taken), taken.case) == (command, case)


async def test_what_is_said_reaches_the_command_whole(client: httpx.AsyncClient, doorstep: Doorstep) -> None:
    await client.post("/agreements/sla-1", json=AGREEMENT)
    await client.post("/demands", json=DEMAND | {"quantity": 2})
    await client.post(f"/demands/{ONE}/alteration", json=ALTERATION)
    agreement, demand, altered = doorstep.taken
    assert isinstance(agreement, AgreementStated)
    assert agreement.terms == (Term(name="resolve", value=8, unit="hours"),)
    assert isinstance(demand, DemandSubmitted)
    assert (demand.offering, demand.quantity) == ("controller", 2)
    assert isinstance(altered, DemandAltered)
    assert altered.stakeholder == EMILY


@pytest.mark.parametrize(("path", "body"), BAD)
async def test_bad_input_is_refused_with_what_is_wrong_and_nothing_is_asked(
    client: httpx.AsyncClient, doorstep: Doorstep, path: str, body: dict[str, Any]
) -> None:
    answer = await client.post(path, json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"]) == (422, 422)
    assert answer.json()["detail"]
    assert doorstep.taken == []


@pytest.mark.parametrize("path", ["/agreements?status=lost", "/suppliers?limit=0", "/reports?limit=1001"])
async def test_a_list_that_cannot_be_is_refused(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 422


def as_read(row: Any) -> Any:
    """A row as the read side has it: what the database keeps as JSON comes as lists and objects."""
    values = json.loads(row.model_dump_json())
    dates = {name: value for name, value in row.model_dump().items() if isinstance(value, datetime)}
    return type(row).rows()(**(values | dates))


def test_every_register_can_be_shown_as_it_is_read() -> None:
    house = House()
    house.ask(StakeholderStated(stakeholder=EMILY, name="Emily", kind="consumer", roles=("sponsor",)))
    house.hear(offers(hours(4), valid_until=NOW + timedelta(days=90)))
    house.hear(NEEDS[0])
    house.hear(agreed("sla", hours(8)))
    house.hear(chance())
    house.hear(plan(20_000))
    house.hear(planned("defer", ONE))
    house.hear(remark())
    house.hear(wish(TWO))
    house.pass_time(timedelta(days=1))
    views: dict[type[Any], Any] = {
        Stakeholder: StakeholderView, Supplier: SupplierView, Agreement: AgreementView, Opportunity: OpportunityView,
        Initiative: InitiativeView, Voices: VoicesView, Need: NeedView, Demand: DemandView,
    }  # fmt: skip
    for state, view in views.items():
        rows = [row for (kept, _), row in house.rows.items() if kept is state]
        shown = [row for row in rows if state is not Agreement or row.status != "none"]
        assert shown, state
        for row in shown:
            assert view.of(as_read(row)).model_dump_json() == view.of(row).model_dump_json()
    direction = house.row(Direction)
    assert TargetView.model_validate(as_read(direction)).targets == direction.targets
    day = house.row(Day, "2026-11-24")
    again = Day.model_validate(as_read(day), from_attributes=True)
    assert ReportView.of(again) == ReportView.of(day)
