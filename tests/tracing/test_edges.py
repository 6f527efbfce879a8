"""What a trace has wrong, edge by edge: first on spans made by hand, then on those of six real services."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest

from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, ENGAGE, FLOWS
from svc.chaos.chain import Chain, Stuck, until
from svc.desk_replay import INCIDENT, NEW_SERVICE, recorded
from svc.edges import Crossing, Edge, by_edge, crossings, each_alone, expected, red, trace_ids, whole
from svc.spans import Json, span_of, told
from svc.trails import Journey, follow, merge

TABLE = {Edge(flow.teller, flow.event.__name__, flow.topic, hearer) for flow in FLOWS for hearer in flow.hearers}
HEARD = "SELECT DISTINCT record->>'type' FROM receipt WHERE case_id = ANY($1)"


async def traced(chain: Chain, demand: UUID) -> tuple[Journey, list[Json]]:
    """The journey of a demand, and all spans that its messages name."""
    journey = await follow(chain.services, demand)
    return journey, [span for id in trace_ids(journey) for span in chain.spans.trace(id)]


async def settled(chain: Chain, demand: UUID, as_wanted: Callable[[list[Crossing]], bool]) -> list[Crossing]:
    """The crossings of a demand once they are as wanted: spans arrive a moment after their records."""
    found: list[Crossing] = []

    async def arrived() -> bool:
        found[:] = crossings(*await traced(chain, demand))
        return as_wanted(found)

    await chain.at_rest()
    try:
        await until(arrived, 30, what="the trace is as it should be")
    except Stuck as stuck:
        raise AssertionError(f"{stuck}: {red(found)}") from None
    return found


@pytest.fixture(scope="module")
async def realised(chain: Chain) -> list[UUID]:
    """An incident and a wish that a desk has pushed, and one of each over HTTP, all of them worth something at last."""
    demands = [
        await chain.push(recorded(INCIDENT), "201", "issue201-1"),
        await chain.push(recorded(NEW_SERVICE), "202", "issue202-1"),
        await chain.incident(),
        await chain.wish(),
    ]
    await chain.realise(demands)
    return demands


async def test_every_message_of_every_demand_is_a_span_of_its_teller_and_one_of_its_hearer(
    chain: Chain, realised: list[UUID]
) -> None:
    for demand in realised:
        found = await settled(chain, demand, whole)
        assert red(found) == {}
        assert not any(crossing.dark for crossing in found)
        assert len(found) > 10


async def test_every_flow_of_the_table_that_these_demands_have_run_is_an_edge(
    chain: Chain, realised: list[UUID]
) -> None:
    """What they have run is asked of the six databases, which know nothing of spans."""
    run = set()
    for activity in ACTIVITIES:
        heard = await chain.rows(activity, HEARD, [str(demand) for demand in realised])
        flows = [flow for flow in FLOWS if flow.event.type in {row[0] for row in heard} and activity in flow.hearers]
        run |= {Edge(flow.teller, flow.event.__name__, flow.topic, activity) for flow in flows}
    edges = {edge for demand in realised for edge in by_edge(await settled(chain, demand, whole))}
    assert run == edges & TABLE
    assert len(run) >= 30, "the table's greater part is not run at all"


async def test_a_traceparent_that_one_service_forgets_turns_exactly_that_edge_red(chain: Chain) -> None:
    """What lies behind it is in the dark, and is not called wrong."""
    await chain.stop(ENGAGE)
    await chain.launch(ENGAGE, "--untraced", "SupportTaskRequested")
    await chain.until_ready(ENGAGE)
    try:
        demand = await chain.incident()
        await chain.realise([demand])
        broken = Edge(ENGAGE, "SupportTaskRequested", "svc.engage.support-tasks", DELIVER_SUPPORT)
        found = await settled(chain, demand, lambda found: list(red(found)) == [broken])
    finally:
        await chain.restart(ENGAGE)
    assert red(found) == {broken: ["Deliver and support has no span of it"]}
    dark = {crossing.message_id: crossing.edge for crossing in found if crossing.dark}
    assert Edge(DELIVER_SUPPORT, "SupportTaskCompleted", "svc.deliver-support.completion", ENGAGE) in dark.values()
    behind = {crossing.message_id for crossing in found if crossing.faults and not crossing.dark}
    for entry in (await follow(chain.services, demand)).entries:  # causes come before what they cause
        if str(entry.id) in behind:
            behind |= {str(told.id) for told in entry.outputs} | {str(wait.id) for wait in entry.waits}
    assert set(dark) <= behind, "something is dark that does not lie behind the break"


# spans made by hand

TELLER, HEARER = UUID(int=1), UUID(int=2)


@pytest.fixture
def small() -> tuple[Journey, list[Json]]:
    """A demand of one edge: Engage has asked Deliver and support for something."""
    case, about = UUID(int=9), "svc.engage.support-task-requested.v1"
    noon = "2026-11-27T12:00:00+00:00"
    said = {"id": str(HEARER), "type": about, "source": "/svc/engage", "time": noon, "correlationid": str(case)}
    receipt = {"at": noon, "decided_at": noon, "time": noon, "case": str(case), "type": about, "source": "/svc/engage"}
    journey = merge(case, {DELIVER_SUPPORT: [{**receipt, "id": str(HEARER), "cause": str(TELLER)}]})
    assert said["type"] in {flow.event.type for flow in FLOWS}

    def span(id: str, kind: int, activity: str, **more: Any) -> Json:
        words = {
            "svc.activity": activity,
            "messaging.destination.name": "svc.engage.support-tasks",
            "messaging.message.id": str(HEARER),
        }
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in words.items()]
        times = {"startTimeUnixNano": "1", "endTimeUnixNano": "2"}
        body = {"traceId": "a" * 32, "spanId": id, "name": id, "kind": kind, **times, "attributes": attributes, **more}
        return {"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": [body]}]}

    link = {"traceId": "a" * 32, "spanId": "b" * 16}
    return journey, [
        span("b" * 16, 4, "engage"),
        span("c" * 16, 5, "deliver_support", parentSpanId="b" * 16, links=[link]),
    ]


def test_two_spans_that_are_right_are_an_edge_without_a_fault(small: tuple[Journey, list[Json]]) -> None:
    journey, spans = small
    (found,) = crossings(journey, spans)
    assert found.edge == Edge(ENGAGE, "SupportTaskRequested", "svc.engage.support-tasks", DELIVER_SUPPORT)
    assert (found.faults, found.dark) == ((), False)
    assert list(expected(journey)) == [(DELIVER_SUPPORT, str(HEARER))]
    assert not whole([]), "nothing at all is not whole"


def remove_hearer(spans: list[Json]) -> None:
    del spans[1]


def remove_teller(spans: list[Json]) -> None:
    del spans[0]


def unlink(spans: list[Json]) -> None:
    del span_of(spans[1])["links"]


def adopt(spans: list[Json]) -> None:
    span_of(spans[1])["parentSpanId"] = "d" * 16


def move(spans: list[Json]) -> None:
    span_of(spans[1])["traceId"] = "e" * 32


def fail(spans: list[Json]) -> None:
    span_of(spans[1])["status"] = {"code": "STATUS_CODE_ERROR", "message": "no budget"}


def rename(spans: list[Json]) -> None:
    span_of(spans[0])["attributes"][1]["value"] = {"stringValue": "svc.engage.demand"}


def claim(spans: list[Json]) -> None:
    span_of(spans[0])["attributes"][0]["value"] = {"stringValue": "plan"}


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (remove_hearer, "Deliver and support has no span of it"),
        (remove_teller, "Engage has no span of it"),
        (unlink, "Deliver and support's span has no link to who told it"),
        (adopt, "is an orphan"),
        (move, "is in another trace than who told it"),
        (fail, "has failed: no budget"),
        (rename, "is not about svc.engage.support-tasks"),
        (claim, "it is told by Plan"),
    ],
)
def test_each_fault_of_a_trace_is_found_and_named(
    small: tuple[Journey, list[Json]], wrong: Callable[[list[Json]], None], fault: str
) -> None:
    journey, spans = small
    spans = deepcopy(spans)
    wrong(spans)
    checked = crossings(journey, spans)
    ((edge, faults),) = red(checked).items()
    assert edge.message == "SupportTaskRequested"
    assert any(fault in one for one in faults), faults


def test_a_message_without_any_span_is_dark_and_not_red(small: tuple[Journey, list[Json]]) -> None:
    checked = crossings(small[0], [])
    assert [crossing.dark for crossing in checked] == [True]
    assert red(checked) == {}
    assert not whole(checked)


def test_spans_are_read_alike_from_our_receiver_and_from_jaeger(small: tuple[Journey, list[Json]]) -> None:
    """Jaeger names enumerations, puts spans of a service together, and leaves out what is empty or came twice."""
    journey, spans = small
    of_jaeger = deepcopy(spans)
    for one, kind in zip(of_jaeger, ("SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"), strict=True):
        span_of(one)["kind"] = kind
        del one["scopeSpans"][0]["scope"], one["resource"]["attributes"]
    scoped = [one["scopeSpans"][0] for one in of_jaeger]
    twice = [{"resource": {}, "scopeSpans": [{}]}, {"resource": {}}]
    document = {"resourceSpans": [{"resource": {}, "scopeSpans": scoped}, *twice]}
    assert list(map(told, each_alone(document))) == list(map(told, spans))
    assert whole(crossings(journey, each_alone(document)))
