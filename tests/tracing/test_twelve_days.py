"""A demand that takes twelve days, over two restarts of everything: its journey is one whole trace of those days."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.clock import Clock, Segment
from contracts.engage import DemandStatusReported
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, flow_of
from svc import log
from svc.chaos.chain import Chain, partition_of, until
from svc.journeys import GROUP, keep, spans, trace_id, write
from svc.spans import Json, Node, span_of, tree
from svc.trails import follow
from svc.trouble import Trouble
from tests.tracing.conftest import DAYS

FAST = 1_000_000.0
"""Chain seconds a wall second: six days in half a second."""
TOPIC = flow_of(DemandStatusReported).topic


async def sleep_through(chain: Chain, until_time: datetime) -> None:
    """End all six services, let chain time run until then, and start them again."""
    await chain.stop(*ACTIVITIES)
    now = datetime.now(UTC)
    clock = Clock([*chain.clock.segments, Segment(now, chain.clock.at(now), FAST)])

    async def there() -> bool:
        return clock.now() >= until_time

    await until(there, what=f"it is {until_time}", glance=0.001)
    now = datetime.now(UTC)
    chain.clock = Clock([*clock.segments, Segment(now, clock.at(now), 1.0)])
    others = [activity for activity in ACTIVITIES if activity != DELIVER_SUPPORT]
    await asyncio.gather(chain.start(*others), chain.start(DELIVER_SUPPORT, work="manual"))


@pytest.fixture(scope="module")
async def slow(chain: Chain) -> AsyncIterator[UUID]:
    """An incident on which Priya works six days later, and of which its consumer speaks after twelve."""
    await chain.restart(DELIVER_SUPPORT, work="manual")
    demand, began = await chain.incident(), chain.clock.now()
    await until(
        lambda: chain.taken(DELIVER_SUPPORT, demand, "svc.engage.support-task-requested.v1"), what="it is there"
    )
    await sleep_through(chain, began + DAYS / 2)
    answer = await chain.post(DELIVER_SUPPORT, f"/work/resolution/{demand}/done", {"by": "Priya"})
    assert answer.status_code == 204, answer.text
    await chain.until_all("delivered", [demand])
    await sleep_through(chain, began + DAYS - timedelta(hours=1))
    await chain.realise([demand])
    yield demand
    await chain.restart(DELIVER_SUPPORT)


@asynccontextmanager
async def kept(chain: Chain) -> AsyncIterator[asyncio.Task[None]]:
    """Journeys are written while this lasts."""
    task = asyncio.create_task(keep(chain.services, chain.bootstrap, chain.otlp, print))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def lines(chain: Chain, demand: UUID) -> list[bytes]:
    """Each span of the journey as often as it was sent, as it stands in the store's file."""
    id = trace_id(demand)
    file = chain.folder / "traces" / f"{id[:2]}.jsonl"
    return [line for line in file.read_bytes().split(b"\n") if id.encode() in line] if file.exists() else []


async def all_read(chain: Chain) -> bool:
    """Whether the writer of journeys has nothing before it."""
    async with AIOKafkaConsumer(
        bootstrap_servers=chain.bootstrap, group_id=GROUP, enable_auto_commit=False
    ) as reader:  # fmt: skip
        ends = {place: end for place, end in (await log.ends_now(chain.bootstrap)).items() if place.topic == TOPIC}
        reader.assign(list(ends))
        return all([(await reader.committed(place) or 0) >= end for place, end in ends.items()])


async def test_the_journey_of_twelve_days_is_one_tree_in_those_days(chain: Chain, slow: UUID) -> None:
    await chain.at_rest()
    async with kept(chain):
        await until(lambda: all_read(chain), what="all journeys are written")
    found = chain.spans.trace(trace_id(slow))
    (root,) = tree(found)
    assert not root.orphan
    now = datetime.now(UTC)
    begin, end = times(root)
    assert now - DAYS - timedelta(minutes=30) < begin, "chain time began twelve days ago"
    assert end < now
    assert DAYS - timedelta(hours=2) < end - begin < DAYS
    for node in root.walk():
        assert begin <= times(node)[0] <= times(node)[1] <= end, node.name
    waits = {node.name: times(node)[1] - times(node)[0] for node in root.walk() if node.name.startswith("waiting ")}
    assert waits["waiting for somebody: resolution done"] > DAYS / 2 - timedelta(hours=1)
    assert waits["waiting for Users: value confirmed"] > DAYS / 2 - timedelta(hours=2)
    assert root.attributes["svc.waited.ms"] > 0.99 * root.attributes["svc.lead_time.ms"], (
        "it was worked on for a moment"
    )
    steps = {node.attributes.get("svc.step") for node in root.children}
    assert {"request-support", "restore", "confirm-value"} <= steps


def times(node: Node) -> tuple[datetime, datetime]:
    """When a span begins and ends."""
    return datetime.fromtimestamp(node.start / 1e9, UTC), datetime.fromtimestamp(node.end / 1e9, UTC)


async def test_the_live_trace_has_a_hole_of_days_where_the_journey_says_what_was_waited_for(
    chain: Chain, slow: UUID
) -> None:
    journey = await follow(chain.services, slow)
    (root,) = [span_of(one) for one in chain.spans.trace(trace_id(slow)) if "parentSpanId" not in span_of(one)]
    assert [link["traceId"] for link in root["links"]] == [journey.trace_id], "from the journey one gets there"
    live = tree(chain.spans.trace(journey.trace_id))
    worked = sum(node.end - node.start for one in live for node in one.walk() if node.name.startswith("process "))
    assert worked < 60e9, "what was done took seconds"


async def test_a_journey_is_written_once_and_after_a_crash_again_with_the_same_spans(chain: Chain, slow: UUID) -> None:
    async with kept(chain):
        await until(lambda: all_read(chain), what="all journeys are written")
    once = lines(chain, slow)
    assert len(once) == len(set(once)) == len(spans(await follow(chain.services, slow)))
    place = TopicPartition(TOPIC, partition_of(slow))
    await chain.commit(GROUP, {place: chain.since[place]})  # as if it had died before it said how far it is
    async with kept(chain):
        await until(lambda: all_read(chain), what="all journeys are written again")
    again = lines(chain, slow)
    assert len(again) == 2 * len(once)
    assert set(again) == set(once), "a span was sent that differs from the first one of its id"
    assert await write(chain.services, slow, chain.otlp) == trace_id(slow)
    assert set(lines(chain, slow)) == set(once), "neither does it differ when it is asked for"


async def test_while_nobody_takes_spans_journeys_wait_and_none_is_left_out(chain: Chain, slow: UUID) -> None:
    said: list[str] = []
    place = TopicPartition(TOPIC, partition_of(slow))
    await chain.commit(GROUP, {place: chain.since[place]})
    task = asyncio.create_task(keep(chain.services, chain.bootstrap, "http://127.0.0.1:1", said.append))

    async def tried() -> bool:
        return len(said) >= 2

    await until(tried, what="it has been tried twice")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert all("Spans are not taken at http://127.0.0.1:1" in one for one in said)
    assert not await all_read(chain), "what was not taken is not done"
    before: list[Json] = chain.spans.trace(trace_id(slow))
    async with kept(chain):
        await until(lambda: all_read(chain), what="all journeys are written")
    assert chain.spans.trace(trace_id(slow)) == before
    with pytest.raises(Trouble, match="Nothing has happened to demand"):
        await write(chain.services, UUID(int=7), chain.otlp)
