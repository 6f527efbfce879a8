"""Demand becomes value over six processes, or ends with a reason that its requester understands."""

import asyncio
from functools import partial
from uuid import UUID

import pytest

from contracts.design_transition import SpecificationIssued
from contracts.plan import PortfolioDecisionMade
from contracts.value_chain import ACTIVITIES, ENGAGE, FLOWS
from svc.chaos.chain import REQUESTER, Chain, about, partition_of, until
from svc.desk_replay import INCIDENT, NEW_SERVICE, recorded
from svc.spans import Node, span_of, tree

EVENTS = {flow.event.type for flow in FLOWS if flow.teller in ACTIVITIES}
PRODUCER, CONSUMER = 4, 5
"""Kinds of spans, as OTLP numbers them."""


@pytest.fixture(scope="module")
async def realised(chain: Chain) -> list[UUID]:
    """Four demands that have become value: an incident and a wish from the desk, and one of each over HTTP."""
    demands = await asyncio.gather(
        chain.push(recorded(INCIDENT), "101", "issue101-1"),
        chain.push(recorded(NEW_SERVICE), "102", "issue102-1"),
        chain.incident(),
        chain.wish(),
    )
    await chain.until_all("delivered", demands)
    for ticket in demands[:2]:
        await until(partial(chain.asked, ticket), what="the desk was asked what its delivery was worth")
    await chain.realise(demands)
    return list(demands)


async def test_tickets_of_a_real_desk_and_demands_over_http_become_value(chain: Chain, realised: list[UUID]) -> None:
    shown = [await chain.demand(demand) for demand in realised]
    assert [one["stream"] for one in shown] == 2 * ["restore-a-live-service", "create-a-new-product-or-service"]
    assert {one["verdict"] for one in shown} == {"fully"}
    assert await chain.aside() == []
    await chain.balanced()


async def test_every_event_of_a_demand_carries_its_id_and_stands_on_its_partition(
    chain: Chain, realised: list[UUID]
) -> None:
    books = await chain.balanced()
    for demand in realised:
        records = about(books, demand)
        told = {record.teller for record in records if record.event["type"] in EVENTS}
        assert told >= {"engage", "deliver_support"}, "nothing was told of it"
        assert {record.case for record in records} == {str(demand)}
        assert {record.event["subject"] for record in records} == {str(demand)}
        assert {record.key for record in records} == {str(demand).encode()}
        assert {record.partition for record in records} == {partition_of(demand)}
    assert {record.teller for record in about(books, realised[1])} >= set(ACTIVITIES) - {"improve"}


async def test_a_new_service_is_one_trace_of_six_services_without_a_gap(chain: Chain, realised: list[UUID]) -> None:
    records = about(await chain.balanced(), realised[1])
    (trace,) = {str(record.event["traceparent"]).split("-")[1] for record in records}

    def roots() -> list[Node]:
        return tree(chain.spans.trace(trace))

    async def complete() -> bool:
        services = {node.service for root in roots() for node in root.walk()}
        return len(services) == len(ACTIVITIES) and len(roots()) == 1

    await until(complete, what=f"trace {trace} has come whole from all six: {[root.name for root in roots()]}")
    (root,) = roots()
    assert (root.parent_id, root.orphan) == ("", False)
    spans = {span["spanId"]: span for span in map(span_of, chain.spans.trace(trace))}
    consumed = [span for span in spans.values() if span["kind"] == CONSUMER]
    assert len(consumed) >= 20
    for span in consumed:
        assert spans[span["parentSpanId"]]["kind"] == PRODUCER, span["name"]
        assert [(link["traceId"], link["spanId"]) for link in span["links"]] == [(trace, span["parentSpanId"])]
    events = {str(record.event["id"]): str(record.event["traceparent"]).split("-")[2] for record in records}
    created = {
        attribute["value"]["stringValue"]: id
        for id, span in spans.items()
        if span["kind"] == PRODUCER
        for attribute in span["attributes"]
        if attribute["key"] == "messaging.message.id"
    }
    assert {id: created.get(id) for id in events} == events, "an event names a span that does not exist"


async def test_a_wish_that_brings_nothing_is_rejected_and_nothing_is_designed_for_it(chain: Chain) -> None:
    demand = await chain.wish(value=None)
    await chain.until_all("rejected", [demand])
    chain.ended.add(demand)
    shown = await chain.demand(demand)
    assert "Nobody has said what it would bring" in shown["reason"]
    assert shown["closed_at"]
    assert (await chain.confirm(demand)).status_code == 409
    records = about(await chain.balanced(), demand)
    (decision,) = [record.event for record in records if record.event["type"] == PortfolioDecisionMade.type]
    assert decision["data"]["decision"] == "reject"
    assert SpecificationIssued.type not in {record.event["type"] for record in records}


async def test_an_incident_of_a_service_that_is_not_live_is_escalated_and_no_value_is_claimed(chain: Chain) -> None:
    demand = await chain.incident(service="night-vision")

    async def escalated() -> bool:
        return bool((await chain.demand(demand))["escalated_to"])

    await until(escalated, what="somebody has to act on it")
    shown = await chain.demand(demand)
    assert (shown["status"], shown["escalated_to"]) == ("in_progress", "Service desk manager")
    assert "night-vision is not in the register of live services" in shown["reason"]
    refused = await chain.confirm(demand)
    assert (refused.status_code, refused.json()["title"]) == (409, "There is nothing to judge")
    withdrawal = {"stakeholder": REQUESTER, "reason": "I was mistaken about its name."}
    assert (await chain.post(ENGAGE, f"/demands/{demand}/withdrawal", withdrawal)).status_code == 200
    chain.ended.add(demand)
    assert (await chain.demand(demand))["status"] == "withdrawn"
    await chain.balanced()
