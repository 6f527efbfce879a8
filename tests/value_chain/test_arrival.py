"""Messages come in any order over topics, come twice, or cannot be read; each demand comes to the same end."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson
import pytest

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import (
    ChangeProposed,
    DeploymentPlanned,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.engage import DemandConsolidated, DemandStatusReported, ServiceRequirementsStated, SupportTaskRequested
from contracts.event import Message
from contracts.obtain_build import ChangedServiceReported, ComponentProvided
from contracts.plan import PortfolioDecisionMade
from contracts.value_chain import DELIVER_SUPPORT, DESIGN_TRANSITION, ENGAGE, OBTAIN_BUILD, PLAN, flow_of
from svc.chaos.chain import Chain, about, partition_of, until
from svc.desk_replay import INCIDENT, recorded
from svc.log import Logged

DESK = Path(__file__).parents[1] / "data" / "desks" / "roundup"


class Held(NamedTuple):
    """An activity does not hear `late` before it has taken up `first`."""

    activity: str
    late: type[Message]
    first: type[Message]


ORDERS = {
    "usual things late": [
        Held(DESIGN_TRANSITION, ServiceRequirementsStated, PortfolioDecisionMade),
        Held(OBTAIN_BUILD, SpecificationIssued, ChangeProposed),
        Held(DELIVER_SUPPORT, ComponentProvided, DeploymentPlanned),
        Held(PLAN, ChangedServiceReported, ServiceTransitionReported),
        Held(ENGAGE, PortfolioDecisionMade, ServiceDelivered),
    ],
    "the other way round": [
        Held(DESIGN_TRANSITION, DemandConsolidated, PortfolioDecisionMade),
        Held(OBTAIN_BUILD, ChangeProposed, SpecificationIssued),
        Held(DELIVER_SUPPORT, ServiceRequirementsStated, ComponentProvided),
    ],
}


@pytest.mark.parametrize("order", ORDERS)
async def test_it_does_not_matter_in_which_order_topics_are_heard(chain: Chain, order: str) -> None:
    held = ORDERS[order]
    await asyncio.gather(*(chain.hold(one.activity, flow_of(one.late).topic) for one in held))
    demand = await chain.wish()
    for one in held:
        await until(partial(chain.taken, one.activity, demand, one.first.type), what=f"{one.activity} has {one.first}")
        assert not await chain.taken(one.activity, demand, one.late.type), "it was not held up"
        await chain.restart(one.activity)
    await chain.realise([demand])
    await chain.balanced()


async def test_a_part_that_failed_is_not_installed_where_the_plan_overtakes_the_one_that_passed(chain: Chain) -> None:
    topic = flow_of(ComponentProvided).topic
    await chain.hold(DESIGN_TRANSITION, topic)
    demands = await asyncio.gather(*(chain.wish(key=f"racing game {number}") for number in range(6)))
    for demand in demands:
        provided = partial(chain.taken, DELIVER_SUPPORT, demand, ComponentProvided.type)
        await until(provided, what="the first parts are there, the failing ones too")
    await chain.hold(DELIVER_SUPPORT, topic)
    await chain.restart(DESIGN_TRANSITION)
    for demand in demands:
        planned = partial(chain.taken, DELIVER_SUPPORT, demand, DeploymentPlanned.type)
        await until(planned, what="the deployment is planned, and no reworked part is there")
    await chain.restart(DELIVER_SUPPORT)
    await chain.realise(demands)
    log = [record.event for demand in demands for record in about(await chain.balanced(), demand)]
    assert any(event["type"] == ComponentProvided.type and event["data"]["iteration"] > 1 for event in log)


async def test_all_messages_of_a_demand_again_at_new_offsets_change_nothing(chain: Chain) -> None:
    demands = await asyncio.gather(chain.wish(), chain.incident())
    await chain.realise(demands)
    before = await chain.balanced()
    again = [record for demand in demands for record in about(before, demand)]
    assert len(again) > 30
    for record in again:
        await chain.producer.send(
            record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
        )
    await chain.producer.flush()
    after = await chain.balanced()
    assert len(after.log) == len(before.log) + len(again), "a copy has told something"
    assert after.receipts == before.receipts
    assert after.demands == before.demands
    assert (after.items, after.budgets) == (before.items, before.budgets)


def forged(message_type: str, demand: UUID) -> bytes:
    """A record that looks like an event of somebody else's, with nothing in it."""
    envelope = {"specversion": "1.0", "type": message_type, "id": str(uuid4()), "source": "/elsewhere"}
    return orjson.dumps({**envelope, "time": "2026-11-24T12:00:00Z", "correlationid": str(demand), "data": {}})


POISON: dict[str, Any] = {
    "no JSON": lambda demand: b"{not JSON",
    "a type that nobody knows": partial(forged, "svc.engage.nonsense.v1"),
    "a known type without its data": partial(forged, SupportTaskRequested.type),
}


@pytest.mark.parametrize("kind", POISON)
async def test_poison_sets_one_demand_aside_and_a_redrive_takes_it_up_in_order(chain: Chain, kind: str) -> None:
    ticket = str(200 + list(POISON).index(kind))
    sick = await chain.push(recorded(INCIDENT), ticket, f"issue{ticket}-1")
    await chain.until_all("delivered", [sick])
    home = partition_of(sick)
    topic = flow_of(SupportTaskRequested).topic
    put = await chain.producer.send_and_wait(topic, POISON[kind](sick), key=str(sick).encode(), partition=home)
    poison = Logged(topic, put.partition, put.offset, None, None).undecodable_id
    chain.by_hand.add(poison)
    await until(partial(chain.waiting, DELIVER_SUPPORT, sick, 1), what="the poison is set aside")

    await chain.push(recorded("07-incident-reply", DESK), ticket, f"issue{ticket}-2")
    await until(partial(chain.waiting, DELIVER_SUPPORT, sick, 2), what="the reopened task waits behind it")
    neighbour = next(key for key in iter(lambda: uuid4().hex, "") if partition_of(chain.id_of(key)) == home)
    well = await asyncio.gather(chain.incident(key=neighbour), chain.incident(), chain.wish())
    await chain.realise(well)
    assert (await chain.demand(sick))["status"] == "in_progress"

    order = {"discard": str(poison), "reason": "it was put there by hand"}
    assert (await chain.post(DELIVER_SUPPORT, f"/dlq/{sick}/redrive", order)).status_code == 200
    await chain.realise([sick])
    assert await chain.aside() == []
    records = [
        record for record in about(await chain.balanced(), sick) if record.event["type"] == DemandStatusReported.type
    ]
    told = [record.event["data"]["status"] for record in records]
    assert told == ["in_progress", "delivered", "in_progress", "delivered", "value_realised"]
