"""Kill -9 of each service at each step of a batch, with demands in flight: nothing lost or doubled, order kept."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from signal import SIGKILL
from uuid import UUID

import pytest

from contracts.deliver_support import SupportTaskCompleted
from contracts.outside import ValueConfirmed
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, ENGAGE, PLAN, flow_of
from services.deliver_support.model import ResolutionDone
from svc.chaos.chain import FULLY, REQUESTER, Chain, until
from svc.chaos.crashing import STEPS

WISHES, INCIDENTS = {PLAN: 4}, {PLAN: 0}
"""How many of each are in flight at each kill; Plan, which tells one thing a message, has to meet two in one batch."""
PATIENCE = 10.0
"""Seconds after which more demands are sent, if a service has not met what it is to die at."""


async def in_flight(chain: Chain, activity: str) -> list[UUID]:
    """Demands of both streams, which are seen through to their value while the service dies."""
    wishes = [chain.wish() for _ in range(WISHES.get(activity, 2))]
    demands = await asyncio.gather(*wishes, *(chain.incident() for _ in range(INCIDENTS.get(activity, 2))))
    await chain.realise(demands)
    return list(demands)


@pytest.mark.parametrize("activity", ACTIVITIES)
async def test_a_service_killed_at_each_step_of_a_batch_loses_and_doubles_nothing(
    chain: Chain, activity: str, tmp_path: Path
) -> None:
    flying: list[asyncio.Task[list[UUID]]] = []
    await chain.stop(activity)
    for step in STEPS:
        proof = tmp_path / step.replace(" ", "-")
        dying = await chain.launch(activity, "--die", step, "--proof", str(proof))
        death = asyncio.create_task(dying.wait())
        while not death.done():
            flying.append(asyncio.create_task(in_flight(chain, activity)))
            await asyncio.wait({death}, timeout=PATIENCE)
            assert len(flying) <= 3 * len(STEPS), f"{activity} does not die {step}: {dying.last_words()}"
        assert death.result() == -SIGKILL, dying.last_words()
        assert proof.read_text() == step, "it died somewhere else"
    await chain.start(activity)
    demands = [demand for some in await asyncio.gather(*flying) for demand in some]
    assert len(demands) >= 4 * len(STEPS)
    assert await chain.aside() == []
    await chain.balanced()


async def test_a_mutant_that_tells_nothing_again_is_caught(
    chain: Chain, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    mutant, check = ("--mutant", "no_republish"), "everything told stands in its topic"
    await chain.stop(DELIVER_SUPPORT)
    await asyncio.gather(*(chain.incident() for _ in range(3)))
    dying = await chain.launch(DELIVER_SUPPORT, "--die", "after write", "--proof", str(tmp_path / "proof"), *mutant)
    assert await dying.wait() == -SIGKILL, dying.last_words()
    await chain.launch(DELIVER_SUPPORT, *mutant)
    await chain.until_ready(DELIVER_SUPPORT)
    assert check in await chain.damage(), "the mutant was not caught"
    record_property("caught", f"mutant no_republish of Deliver and support: caught by '{check}'")
    await chain.restart(DELIVER_SUPPORT)


async def test_what_was_decided_before_a_crash_is_told_before_what_has_come_meanwhile(
    chain: Chain, tmp_path: Path
) -> None:
    """Engage dies with deliveries decided and not told; their consumers' answers wait on another topic."""
    await chain.stop(DELIVER_SUPPORT)
    demands = await asyncio.gather(*(chain.incident() for _ in range(12)))
    await chain.stop(ENGAGE)
    await chain.start(DELIVER_SUPPORT)
    for demand in demands:
        done = partial(chain.taken, DELIVER_SUPPORT, demand, ResolutionDone.type)
        await until(done, what="all are restored, and Engage has not heard of it")
    dying = await chain.launch(ENGAGE, "--die", "after write", "--proof", str(tmp_path / "proof"))
    assert await dying.wait() == -SIGKILL, dying.last_words()
    for demand in demands:
        await chain.put(ValueConfirmed(demand=demand, stakeholder=REQUESTER, **FULLY))
    await chain.hold(ENGAGE, flow_of(SupportTaskCompleted).topic)
    for demand in demands:
        told = partial(chain.taken, ENGAGE, demand, ValueConfirmed.type)
        await until(told, what="the answers are heard first")
    await chain.restart(ENGAGE)
    await chain.realise(demands)
    await chain.balanced()
