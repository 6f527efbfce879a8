from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.outside import BudgetGranted, GovernanceDirected
from svc.governance import GRANT, LEFT_IN_BUDGET, POLICIES, SERVICE, prepare
from svc.services import Services

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LAST_DAY = datetime(2026, 12, 31, 12, tzinfo=UTC)


class Answer:
    """What a service answers."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def json(self) -> Any:
        """As it came."""
        return self.body


class Listening(Services):
    """Services that know what they were told."""

    def __init__(self, budgets: list[dict[str, Any]] | None = None) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.budgets = budgets or []

    async def ask(self, activity: str, method: str, path: str, **more: Any) -> Any:
        paths = [path for path, _ in self.told]
        return Answer(
            {
                "/policies": [{"policy": path.rpartition("/")[2]} for path in paths if path.startswith("/policies/")],
                "/budgets": self.budgets,
                "/services": [{"id": SERVICE, "known_errors": [1]}] if "/services" in paths else [],
            }[path]
        )

    async def command(self, activity: str, path: str, body: dict[str, Any], *, key: str = "") -> dict[str, Any]:
        self.told.append((path, body))
        if path.startswith("/budgets/"):
            quarter = path.rpartition("/")[2]
            self.budgets.append({"quarter": quarter, "total": body["total"], "reserved": 0, "spent": 0})
        return {}


async def test_everything_is_said_once_and_as_contracts_have_it():
    services = Listening()
    said = await prepare(services, NOW)
    assert len(said) == len(POLICIES) + 2
    for path, body in services.told:
        if path.startswith("/policies/"):
            assert GovernanceDirected(policy=path.rpartition("/")[2], **body)
        if path.startswith("/budgets/"):
            assert BudgetGranted(quarter=path.rpartition("/")[2], **body)
    before = len(services.told)
    assert await prepare(services, NOW) == []
    assert len(services.told) == before


@pytest.mark.parametrize(("left", "granted"), [(LEFT_IN_BUDGET, []), (LEFT_IN_BUDGET - 1, [70_000 + GRANT])])
async def test_money_is_granted_when_little_is_left_and_never_less_than_what_is_bound(left: int, granted: list[int]):
    services = Listening([{"quarter": "2026-Q4", "total": 70_000 + left, "reserved": 30_000, "spent": 40_000}])
    await prepare(services, NOW)
    assert [body["total"] for path, body in services.told if path == "/budgets/2026-Q4"] == granted


async def test_at_the_end_of_a_quarter_the_next_one_has_money_too():
    services = Listening()
    await prepare(services, LAST_DAY)
    assert [path for path, _ in services.told if "budgets" in path] == ["/budgets/2026-Q4", "/budgets/2027-Q1"]
