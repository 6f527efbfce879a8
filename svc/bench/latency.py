"""`svc bench latency`: how long an event takes through one hop when there is hardly anything else to do.

Events are sent at a fixed rate, and each is awaited in the topic on which the worker tells what came of it. No form
lingers to fill a batch. The forms take turns.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from statistics import median, quantiles

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rich.box import SIMPLE
from rich.table import Table

from contracts.envelope import record_headers
from services.chassis.runtime import _partition as partition_of
from svc.bench.arena import GLANCE, Arena, Backlog
from svc.bench.backlog import TOPIC, releases, value
from svc.bench.hop import OURS, SERVICES
from svc.bench.workers import TOLD
from svc.terminal import Terminal

ROUNDS, EVENTS, RATE = 5, 200, 20.0
FIRST = 20
"""Events of a run that are not counted: connections are made, caches filled."""
FORMS = ("naive", OURS, "relay")


async def run(terminal: Terminal, *, quick: bool, json: bool) -> int:
    """Measure and show; exit code 0."""
    rounds, events = (1, 40) if quick else (ROUNDS, EVENTS)
    found: dict[str, list[list[float]]] = {form: [] for form in FORMS}
    with terminal.working():
        async with Arena(terminal.say) as arena:
            backlog = await arena.backlog(FIRST + events, SERVICES)
            for number in range(1, rounds + 1):
                for form in FORMS:
                    terminal.say(f"round {number} of {rounds}: {form} at {RATE:.0f} events a second")
                    found[form].append(await waits(arena, form, backlog))
    over = [median(ours) / median(naive) for ours, naive in zip(found[OURS], found["naive"], strict=True)]
    result = {
        "rate": RATE,
        "events": events,
        "rounds": rounds,
        "milliseconds": {form: percentiles([one for run in runs for one in run]) for form, runs in found.items()},
        "p50_over_naive": median(over),
    }
    shown = Table(title=f"One hop at {RATE:.0f} events a second, milliseconds", box=SIMPLE)
    for heading in ("form", "p50", "p95", "p99"):
        shown.add_column(heading, justify="left" if heading == "form" else "right")
    for form, of in result["milliseconds"].items():  # type: ignore[attr-defined]
        shown.add_row(form, *(f"{of[name]:.1f}" for name in ("p50", "p95", "p99")))
    terminal.show(shown)
    terminal.show(f"the chassis's p50 over naive's, median of the rounds: {median(over):.2f}")
    if json:
        terminal.result(result)
    return 0


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
        await arena.begin(database, begins)
        listening = asyncio.create_task(listen(ears, came))
        stack.callback(listening.cancel)
        await stack.enter_async_context(arena.workers(form, database, await arena.group(begins)))
        begin = time.perf_counter()
        for number, release in enumerate(releases(backlog.size, SERVICES)):
            await asyncio.sleep(max(0.0, begin + number / RATE - time.perf_counter()))
            key = str(release.demand)
            place = {"key": key.encode(), "partition": partition_of(key, arena.partitions)}
            sent[key] = time.perf_counter()
            await producer.send_and_wait(TOPIC, value(release), **place, headers=record_headers(""))
            if number == 0:  # when it has come back, the worker is there
                await until_all(sent, came)
                begin = time.perf_counter()
        await until_all(sent, came)
    return [1000 * (came[key] - at) for key, at in list(sent.items())[FIRST:]]


async def listen(ears: AIOKafkaConsumer, came: dict[str, float]) -> None:
    """Note when something about each demand came first."""
    async for record in ears:
        came.setdefault(record.key.decode(), time.perf_counter())


async def until_all(sent: dict[str, float], came: dict[str, float]) -> None:
    """Wait until something has come about every demand that was sent; `TimeoutError` after a minute."""
    async with asyncio.timeout(60):
        while True:
            if sent.keys() <= came.keys():
                return
            await asyncio.sleep(GLANCE)
