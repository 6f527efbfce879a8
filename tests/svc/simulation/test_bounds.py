"""A state's bound is evaluated as PostgreSQL would."""

import pytest

from services.chassis.state import State
from services.obtain_build.model import Component
from services.plan.model import Budget
from svc.simulation.bounds import Bound, bounds_of


class Shelf(State[str]):
    quantity: int = 0
    most: int | None = None
    reserved: int = 0
    kind: str = "open"


@pytest.mark.parametrize(
    ("sql", "row", "held"),
    [
        ("quantity >= 0", {"quantity": 0}, True),
        ("quantity >= 0", {"quantity": -1}, False),
        ("quantity - reserved >= 0 AND reserved >= 0", {"quantity": 2, "reserved": 3}, False),
        ("quantity * 2 <= 4 or reserved / 2 = 1", {"quantity": 3, "reserved": 2}, True),
        ("quantity <= most", {"quantity": 5}, True),
        ("quantity <= most AND quantity >= 0", {"quantity": -5}, False),
        ("NOT quantity <= most", {"quantity": 5}, True),
        ("most IS NULL OR quantity <= most", {"quantity": 5, "most": 4}, False),
        ("most IS NOT NULL", {}, False),
        ("kind IN ('open', 'and not so') AND kind <> 'shut'", {}, True),
        ("kind = 'AND'", {"kind": "AND"}, True),
        ("quantity > -1", {}, True),
    ],
)
def test_a_row_keeps_its_bound_or_does_not(sql: str, row: dict[str, object], held: bool) -> None:
    assert Bound(Shelf, sql).holds(Shelf(id="a", **row)) is held


@pytest.mark.parametrize("sql", ["length(kind) > 0", "__import__('os')", "price > 0", "quantity >=", "kind.x = 1"])
def test_what_cannot_be_read_is_refused_when_the_simulation_starts(sql: str) -> None:
    with pytest.raises(ValueError, match="Shelf: the bound"):
        Bound(Shelf, sql)


def test_bounds_are_found_with_the_states_of_the_activities() -> None:
    (budget,) = bounds_of(Budget)
    assert budget.holds(Budget(id="2026-Q4", total=2, reserved=1, spent=1))
    assert not budget.holds(Budget(id="2026-Q4", total=1, reserved=1, spent=1))
    assert len(bounds_of(Component)) == 1
