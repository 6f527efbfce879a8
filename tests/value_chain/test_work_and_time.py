"""Work that people report, and timers that come due while nobody is there to see it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import NamedTuple
from uuid import UUID

import pytest

from contracts.clock import Clock, Segment
from contracts.deliver_support import SupportEscalated
from contracts.engage import DemandStatusReported
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT
from svc import looking, running
from svc.chaos.chain import Chain, Json, about, until
from svc.trouble import Trouble

REPORT = {"by": "Priya, service desk"}
FAST = 1_000_000.0
"""Chain seconds a wall second: two weeks in 1.2 seconds."""


async def open_work(chain: Chain, demand: UUID) -> Json:
    """The open work of restoring a service for a demand, once it is there."""
    found: list[Json] = []

    async def there() -> bool:
        found[:] = [item for item in await chain.get(DELIVER_SUPPORT, "/work") if item["id"] == str(demand)]
        return bool(found)

    await until(there, what="`GET /work` shows the work on the incident")
    return found[0]


@pytest.fixture(scope="module")
async def by_hand(chain: Chain) -> AsyncIterator[Chain]:
    """Deliver and support waits for people to report their work."""
    await chain.restart(DELIVER_SUPPORT, work="manual")
    yield chain
    await chain.restart(DELIVER_SUPPORT)


async def test_work_that_somebody_does_is_shown_and_reported_once(by_hand: Chain) -> None:
    demand = await by_hand.incident()
    item = await open_work(by_hand, demand)
    assert (item["kind"], item["owner"], item["status"]) == ("resolution", "service desk", "open")
    assert item["promised_by"]
    assert (await by_hand.demand(demand))["status"] == "in_progress"

    done = f"/work/resolution/{demand}/done"
    assert (await by_hand.post(DELIVER_SUPPORT, done, REPORT, key="first")).status_code == 204
    assert (await by_hand.post(DELIVER_SUPPORT, done, REPORT, key="first")).status_code == 204, "the same report again"
    twice = await by_hand.post(DELIVER_SUPPORT, done, REPORT, key="second")
    assert (twice.status_code, twice.json()["title"]) == (409, "No such work is open")
    assert "Priya" in twice.json()["detail"]
    assert str(demand) not in {item["id"] for item in await by_hand.get(DELIVER_SUPPORT, "/work")}
    unknown = await by_hand.post(DELIVER_SUPPORT, f"/work/juggling/{demand}/done", REPORT)
    assert unknown.status_code == 404
    await by_hand.realise([demand])
    await by_hand.balanced()


async def test_a_support_task_is_taken_up_on_the_command_line(by_hand: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    services = {activity: by_hand.urls[activity] for activity in ACTIVITIES}
    monkeypatch.setattr(running, "find", lambda home: SimpleNamespace(services=services))
    demand = await by_hand.incident()
    await open_work(by_hand, demand)
    assert (await looking.work_taken(str(demand)[:8], "Priya")).json["by"] == "Priya"
    assert (await looking.work_taken(str(demand), "Sam")).json["by"] == "Priya", "who was first has it"
    taken = await by_hand.rows(DELIVER_SUPPORT, "SELECT taken_up_by FROM resolution WHERE id = $1", demand)
    assert [row["taken_up_by"] for row in taken] == ["Priya"]
    await looking.work_done(str(demand), "Priya")
    with pytest.raises(Trouble, match="svc work list"):
        await looking.work_taken(str(demand), "Sam")
    await by_hand.realise([demand])


class Slept(NamedTuple):
    """What stood open when the chain was stopped, and has come due before it was started again."""

    delivered: UUID
    """Its consumer has two weeks to say what it was worth."""
    delivered_at: datetime
    open: UUID
    """Nobody has taken it up, nor restored the service."""


@pytest.fixture(scope="module")
async def slept(by_hand: Chain) -> Slept:
    """Two weeks go by while the whole chain is down; its clock, which all services share, has gone on."""
    chain = by_hand
    delivered, open = await asyncio.gather(chain.incident(), chain.incident())
    await open_work(chain, delivered)
    await chain.post(DELIVER_SUPPORT, f"/work/resolution/{delivered}/done", REPORT)
    await chain.until_all("delivered", [delivered])
    await open_work(chain, open)
    delivered_at = datetime.fromisoformat((await chain.demand(delivered))["delivered_at"])

    await chain.stop(*ACTIVITIES)
    stopped = datetime.now(UTC)
    fast = Segment(stopped, chain.clock.at(stopped), FAST)
    clock = Clock([*chain.clock.segments, fast])

    async def over() -> bool:
        return clock.now() > delivered_at + timedelta(days=15)

    await until(over, what="two weeks have gone by")
    started = datetime.now(UTC)
    chain.clock = Clock([*clock.segments, Segment(started, clock.at(started), 1.0)])
    others = [activity for activity in ACTIVITIES if activity != DELIVER_SUPPORT]
    await asyncio.gather(chain.start(*others), chain.start(DELIVER_SUPPORT, work="manual"))
    await chain.grant(chain.clock.now())
    return Slept(delivered, delivered_at, open)


async def test_silence_that_became_too_long_while_the_chain_was_down_closes_the_demand(
    by_hand: Chain, slept: Slept
) -> None:
    await by_hand.until_all("assumed", [slept.delivered])
    by_hand.ended.add(slept.delivered)
    shown = await by_hand.demand(slept.delivered)
    assert datetime.fromisoformat(shown["closed_at"]) == slept.delivered_at + timedelta(days=14), "when it was due"
    records = [record.event for record in about(await by_hand.balanced(), slept.delivered)]
    told = [event["data"]["status"] for event in records if event["type"] == DemandStatusReported.type]
    assert told == ["in_progress", "delivered", "assumed"]
    assert (await by_hand.confirm(slept.delivered)).status_code == 409


async def test_targets_that_passed_while_the_service_was_down_are_escalated_once_each(
    by_hand: Chain, slept: Slept
) -> None:
    async def escalated() -> list[Json]:
        records = [record.event for record in about(await by_hand.balanced(), slept.open)]
        missed = (event["data"] for event in records if event["type"] == SupportEscalated.type)
        return [one for one in missed if one["breached"]]

    found = await escalated()
    assert [(one["target"], one["level"]) for one in found] == [("respond", 1), ("resolve", 2)]
    assert all(datetime.fromisoformat(one["due_at"]) < by_hand.clock.now() for one in found)

    await by_hand.kill(DELIVER_SUPPORT)
    await by_hand.start(DELIVER_SUPPORT, work="manual")
    await by_hand.post(DELIVER_SUPPORT, f"/work/resolution/{slept.open}/done", REPORT)
    await by_hand.realise([slept.open])
    assert await escalated() == found, "a timer has come twice"
