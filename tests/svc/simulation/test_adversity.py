"""Messages come as badly as Kafka allows, and no worse; and a handler that minds the order is caught."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Never

import pytest

from contracts.engage import DemandStatusReported
from contracts.plan import PortfolioDecisionMade
from contracts.value_chain import ENGAGE, PLAN
from services.chassis.handlers import Handlers
from services.chassis.outputs import Ask
from services.engage.model import Demand
from services.engage.notices import tell
from svc.governance import AT_ONCE
from svc.invariants import violations
from svc.log import handlers_of
from svc.scenario.say import Say
from svc.simulation.adversity import VERY_LATE, Adversity

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
END = NOON + timedelta(days=30)


def test_what_stands_in_one_topic_about_one_case_comes_in_order() -> None:
    badly = Adversity(1)
    firsts = [badly.arrivals(NOON + timedelta(seconds=n), END, "plan", "demand", "one")[0] for n in range(500)]
    assert firsts == sorted(firsts)


def test_across_topics_the_order_changes_and_some_come_twice_and_late() -> None:
    badly, told = Adversity(1), [NOON + timedelta(seconds=n) for n in range(500)]
    came = [badly.arrivals(at, END, "plan", f"topic {n}", "one") for n, at in enumerate(told)]
    firsts = [arrivals[0] for arrivals in came]
    assert firsts != sorted(firsts)
    assert 20 < sum(len(arrivals) == 2 for arrivals in came) < 100
    late = [first - at for first, at in zip(firsts, told, strict=True)]
    assert min(late) == timedelta(0)
    assert timedelta(hours=1) < max(late) < VERY_LATE


def test_what_is_told_before_the_end_has_come_by_then() -> None:
    badly, end = Adversity(1), NOON + timedelta(seconds=1)
    assert all(at <= end for n in range(500) for at in badly.arrivals(NOON, end, "plan", f"topic {n}", "one"))
    assert all(at == END for at in badly.arrivals(END, NOON, "plan", "topic", "one")), "told after the end: at once"


@pytest.mark.parametrize("seed", range(5))
async def test_the_invariants_hold_however_badly_messages_come(simulate, seed: int) -> None:
    chain = await simulate(seed, number=25, adverse=True)
    assert violations(chain.history) == []
    assert chain.aside == []
    assert chain.messages > len({one.id for one in chain.told})


def without_the(kind: str, capability: str) -> Handlers:
    """Engage with one handler less."""
    handles, own = Handlers(ENGAGE), handlers_of(ENGAGE)
    handles.registered |= {place: one for place, one in own.registered.items() if place != (kind, capability)}
    return handles


def minding_the_order() -> Handlers:
    """Engage with a handler that takes every decision of Plan for the newest thing that has happened."""
    handles = without_the(PortfolioDecisionMade.type, "confirm value")

    @handles.step("confirm value")
    def believe_decision(decision: PortfolioDecisionMade, demand: Demand) -> list[DemandStatusReported | Ask]:
        """A decision that comes after the end begins it anew."""
        if decision.decision == "defer":
            return []
        demand.status = "in_progress" if decision.decision == "approve" else "rejected"
        return tell(demand, "It is decided.")

    return handles


def wishes(outside) -> dict[str, Any]:
    """Many wishes for something new, which are brought about at once, and judged as soon."""
    at_once = Say(outside.start, PLAN, "POST", "/policies/change-authority", AT_ONCE, "at once")
    said = [at_once, *(say for say in outside(3).demand(600, 10) if say.body.get("value"))]
    people = outside(3)

    def judged_at_once(event: Mapping[str, Any]) -> list[Say]:
        return [say._replace(at=outside.start) for say in people.react(event)]

    return {"said": said, "days": 20, "work": "auto", "react": judged_at_once}


async def test_a_handler_that_minds_the_order_is_caught(simulate, outside) -> None:
    planted = {**wishes(outside), "handlers": {ENGAGE: minding_the_order()}}
    in_order = await simulate(3, **planted)
    assert violations(in_order.history) == [], "as long as messages come in order it is not to be seen"
    badly = await simulate(3, **planted, adverse=True)
    assert "a demand never leaves its final state" in {one.check for one in violations(badly.history)}


async def test_a_handler_that_cannot_take_another_order_is_caught(simulate, outside) -> None:
    handles = without_the(PortfolioDecisionMade.type, "confirm value")

    @handles.step("confirm value")
    def insist(decision: PortfolioDecisionMade, demand: Demand) -> list[Never]:
        """Nothing can have been delivered before it was decided."""
        if demand.status not in ("consolidated", "deferred"):
            raise ValueError(f"it is {demand.status} already")
        demand.status = demand.status
        return []

    planted = {**wishes(outside), "handlers": {ENGAGE: handles}}
    assert (await simulate(3, **planted)).aside == []
    assert any("already" in one.reason for one in (await simulate(3, **planted, adverse=True)).aside)
