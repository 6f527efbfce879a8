"""The door of Plan, as far as it needs neither broker nor database."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.responses import JSONResponse, Response

from contracts.event import Command
from contracts.outside import BudgetGranted, GovernanceDirected
from services.chassis.commands import at_door
from services.chassis.runtime import Runtime
from services.chassis.service import create_app
from services.chassis.settings import Settings
from services.plan.agreements import RequiredAgreement
from services.plan.api import (
    AgreementView,
    InitiativeView,
    PlanningDayView,
    PlanView,
    PortfolioView,
    ServiceView,
    router,
)
from services.plan.handlers import handles
from services.plan.improvement import Initiative
from services.plan.measurement import PlanningDay
from services.plan.model import Budget, CatalogueEntry, PortfolioItem
from services.plan.planning import PublishedPlan
from tests.plan.office import NOW, Case

POLICY: dict[str, Any] = {"title": "Funding", "statement": "Fund what pays back", "valid_from": NOW.isoformat()}


class Doorstep:
    """Takes commands where the inbox would be."""

    def __init__(self) -> None:
        self.taken: list[Command] = []

    async def ask(self, command: Command) -> Response:
        """What `Door.ask` does, without an answer."""
        self.taken.append(command)
        return JSONResponse({}, 202)


@pytest.fixture
def doorstep() -> Doorstep:
    return Doorstep()


@pytest.fixture
async def governance(doorstep: Doorstep) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(handles, router)
    app.state.runtime, app.state.engine = Runtime(handles, Settings()), None
    app.dependency_overrides[at_door] = lambda: doorstep
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://plan") as caller:
        yield caller
    app.state.runtime.tracer.processor.shutdown()


async def test_governance_directs_and_grants(governance: httpx.AsyncClient, doorstep: Doorstep) -> None:
    parameters = [{"name": "max_risk", "value": 0.2}, {"name": "horizon_years", "value": 4}]
    await governance.post("/policies/funding", json={**POLICY, "kind": "constraint", "parameters": parameters})
    await governance.post("/budgets/2026-Q4", json={"total": 5})
    directed, granted = doorstep.taken
    assert isinstance(directed, GovernanceDirected)
    assert [(one.name, one.value) for one in directed.parameters] == [("max_risk", 0.2), ("horizon_years", 4)]
    assert isinstance(granted, BudgetGranted)
    assert (granted.quarter, granted.total) == ("2026-Q4", 5)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/policies/funding", {**POLICY, "colour": "red"}),
        ("/policies/funding", {**POLICY, "title": "x" * 201}),
        ("/policies/funding", {**POLICY, "valid_from": "9999-12-31T00:00:00Z"}),
        ("/policies/funding", {**POLICY, "valid_until": "0001-01-01T00:00:00Z"}),
        ("/policies/funding", {**POLICY, "parameters": [{"name": "max_risk"}]}),
        ("/policies/" + "x" * 101, POLICY),
        ("/policies/Funding", POLICY),
        ("/budgets/2026-Q5", {"total": 1}),
        ("/budgets/9999-Q4", {"total": 1}),
        ("/budgets/2026-Q4", {"total": -1}),
        ("/budgets/2026-Q4", {"total": 10**16}),
        ("/budgets/2026-Q4", {}),
    ],
)
async def test_what_cannot_be_read_is_refused_and_changes_nothing(
    governance: httpx.AsyncClient, doorstep: Doorstep, path: str, body: dict[str, Any]
) -> None:
    answer = await governance.post(path, json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert doorstep.taken == []


async def test_a_number_without_an_end_is_no_parameter(governance: httpx.AsyncClient, doorstep: Doorstep) -> None:
    start = POLICY["valid_from"]
    text = f'{{"title":"a","statement":"b","valid_from":"{start}","parameters":[{{"name":"max_risk","value":1e999}}]}}'
    headers = {"content-type": "application/json"}
    assert (await governance.post("/policies/funding", content=text, headers=headers)).status_code == 422
    assert doorstep.taken == []


@pytest.mark.parametrize("path", ["/portfolio?limit=0", "/portfolio?limit=-1", "/portfolio?stage=lost", "/plans/none"])
async def test_what_cannot_be_shown_is_refused(governance: httpx.AsyncClient, path: str) -> None:
    assert (await governance.get(path)).status_code in (404, 422)


def test_everything_that_is_kept_can_be_looked_at() -> None:
    case = Case()
    case.decision()
    kept: list[tuple[Any, Any]] = [
        (PortfolioView, case.item),
        (PortfolioView, PortfolioItem(id=UUID(int=1))),
        (PlanView, PublishedPlan(id="operations")),
        (InitiativeView, Initiative(id="sla-met-games-1")),
        (ServiceView, CatalogueEntry(id="games")),
        (AgreementView, RequiredAgreement(id="games-1")),
        (PlanningDayView, PlanningDay(id="2026-11-24", decided=2, in_time=1, budget_total=10)),
    ]
    for view, row in kept:
        assert view.model_validate(row).id == row.id
    assert Budget.model_validate(case.budget, from_attributes=True).status.reserved == 35_000
