"""`svc bench latency`: how long an event takes through one hop, and a wish through all six services, at a low rate.

Events are sent at a fixed rate, and each is awaited in the topic on which the worker tells what came of it. No form
lingers to fill a batch. The forms take turns.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median, quantiles
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rich.box import SIMPLE
from rich.table import Table

from contracts.envelope import record_headers
from contracts.partition import partition_of
from contracts.value_chain import ACTIVITIES
from svc.bench.arena import Arena, Backlog
from svc.bench.backlog import TOPIC, releases, value
from svc.bench.hop import OURS, SERVICES, spread
from svc.bench.journey import RATE as PACE
from svc.bench.journey import Way, journeys, paced, until_all
from svc.bench.workers import TOLD
from svc.migrations import begin_at
from svc.terminal import Terminal

ROUNDS, EVENTS, RATE = 5, 200, 20.0
JOURNEYS, WISHES = 3, 40
FIRST = 20
"""Events of a run that are not counted: connections are made, caches filled."""
FORMS = ("naive", OURS, "relay")


async def run(terminal: Terminal, *, quick: bool, json: bool) -> int:
    """Measure and show; exit code 0."""
    rounds, events, forms = (1, 20, FORMS[:2]) if quick else (ROUNDS, EVENTS, FORMS)
    found: dict[str, list[list[float]]] = {form: [] for form in forms}
    with terminal.working():
        async with Arena(terminal) as arena:
            backlog = await arena.backlog(FIRST + events, SERVICES)
            for number in range(1, rounds + 1):
                for form in forms:
                    terminal.say(f"round {number} of {rounds}: {form} at {RATE:.0f} events a second")
                    found[form].append(await waits(arena, form, backlog))
        times, wishes = (1, 4) if quick else (JOURNEYS, WISHES)
        ways, echoed = await journeys(terminal.say, rounds=times, wishes=wishes)
    over = [median(ours) / median(naive) for ours, naive in zip(found[OURS], found["naive"], strict=True)]
    result: dict[str, Any] = {
        "rate": RATE,
        "events": events,
        "rounds": rounds,
        "milliseconds": {form: percentiles([one for run in runs for one in run]) for form, runs in found.items()},
        "p50_over_naive": median(over),
        "journey": journey(ways, echoed),
    }
    shown = Table(title=f"One hop at {RATE:.0f} events a second, milliseconds", box=SIMPLE)
    for heading in ("form", "p50", "p95", "p99"):
        shown.add_column(heading, justify="left" if heading == "form" else "right")
    for form, of in result["milliseconds"].items():
        shown.add_row(form, *(f"{of[name]:.1f}" for name in ("p50", "p95", "p99")))
    terminal.show(shown)
    terminal.show(f"the chassis's p50 over naive's, median of the rounds: {median(over):.2f}")
    terminal.show(journey_table(result["journey"]))
    if json:
        terminal.result(result)
    return 0


def journey(ways: list[list[Way]], echoed: list[list[float]]) -> dict[str, Any]:
    """The whole way through the services, six hops of it on average, and the same ways through echoes."""
    all_ways = [way for of_round in ways for way in of_round]
    all_echoed = [one for of_round in echoed for one in of_round]
    hops = len(ACTIVITIES)
    return {
        "wishes": len(all_ways),
        "wishes_a_second": PACE,
        "activities": sorted(frozenset().union(*(way.activities for way in all_ways))),
        "hops": spread([way.hops for way in all_ways]),
        "services": percentiles([way.milliseconds for way in all_ways]),
        "services_six_hops": percentiles([way.milliseconds / way.hops * hops for way in all_ways]),
        "echoes": percentiles(all_echoed),
        "p50_over_echoes": median(
            median(way.milliseconds for way in of_round) / median(echo)
            for of_round, echo in zip(ways, echoed, strict=True)
        ),
    }


def journey_table(result: dict[str, Any]) -> Table:
    """The whole way, six hops of it, and the whole way without databases."""
    hops = result["hops"]
    shown = Table(
        title=f"{result['wishes']} wishes through {len(result['activities'])} services, {PACE:g} a second, in ms",
        caption="From the wish at Engage's door to Improve's report on its value, its requester's answer included. "
        f"Services over echoes, p50: {result['p50_over_echoes']:.2f}.",
        box=SIMPLE,
    )
    for heading in ("", "p50", "p95", "p99"):
        shown.add_column(heading, justify="right" if heading else "left")
    rows = {
        f"all {hops['min']:.0f} to {hops['max']:.0f} hops": "services",
        "six hops of these, on average": "services_six_hops",
        "all of them through echoes, without decisions and databases": "echoes",
    }
    for name, of in rows.items():
        shown.add_row(name, *(f"{result[of][cut]:.1f}" for cut in ("p50", "p95", "p99")))
    return shown


def percentiles(values: list[float]) -> dict[str, float]:
    """What half, 95 and 99 of a hundred stay below."""
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


async def waits(arena: Arena, form: str, backlog: Backlog) -> list[float]:
    """Milliseconds from sending each event to having what came of it."""
    numbers, server = range(arena.partitions), {"bootstrap_servers": arena.machine.bootstrap}
    sent: dict[str, float] = {}
    came: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(arena.database(backlog.template))
        producer = await stack.enter_async_context(AIOKafkaProducer(**server))
        ears = await stack.enter_async_context(AIOKafkaConsumer(**server, fetch_max_wait_ms=100))
        ears.assign([TopicPartition(TOLD, number) for number in numbers])
        await ears.seek_to_end()
        begins = await ears.end_offsets([TopicPartition(TOPIC, number) for number in numbers])
        await begin_at(arena.url(database), begins)
        listening = asyncio.create_task(listen(ears, came))
        stack.callback(listening.cancel)
        await stack.enter_async_context(arena.workers(form, database, await arena.group(begins)))
        first, *others = releases(backlog.size, SERVICES)
        for some in ([first], others):  # when the first has come back, the worker is there
            async for release in paced(some, RATE):
                key = str(release.demand)
                place = {"key": key.encode(), "partition": partition_of(key, arena.partitions)}
                sent[key] = time.perf_counter()
                await producer.send_and_wait(TOPIC, value(release), **place, headers=record_headers(""))
            await until_all(sent, came, len(some))
    return [1000 * (came[key] - at) for key, at in list(sent.items())[FIRST:]]


async def listen(ears: AIOKafkaConsumer, came: dict[str, float]) -> None:
    """Note when something about each case came first."""
    async for record in ears:
        came.setdefault(record.key.decode(), time.perf_counter())
