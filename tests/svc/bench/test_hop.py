"""The bench, in little: every form does the same, and what is measured is what was done."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from svc.bench.arena import Arena
from svc.bench.hop import FORMS
from svc.bench.workers import TOLD
from svc.migrations import begin_at
from svc.terminal import Terminal

ROOT = Path(__file__).parents[3]
QUICK = [name for name, form in FORMS.items() if form.quick]
EVENTS = 60
WITH_A_STORE = [name for name in QUICK if name != "relay"]


async def quick(*arguments: str) -> dict[str, Any]:
    """What a quick run says to a script."""
    command = [sys.executable, "-m", "svc", "bench", *arguments, "--quick", "--json"]
    running = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, trouble = await running.communicate()
    assert running.returncode == 0, trouble.decode()
    result: dict[str, Any] = orjson.loads(said.splitlines()[-1])
    return result


@pytest.fixture(scope="module")
async def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    chart = tmp_path_factory.mktemp("bench") / "chart.png"
    result = await quick("--chart", str(chart))
    assert chart.read_bytes().startswith(b"\x89PNG")
    return result


async def test_every_form_stores_what_it_was_given(measured: dict[str, Any]) -> None:
    given = {name: min(FORMS[name].most or measured["backlog"], measured["backlog"]) for name in QUICK}
    assert measured["forms"].keys() == given.keys()
    for name in WITH_A_STORE:
        receipts = measured["forms"][name]["receipts"]
        assert all(count >= min(given[name], 100) for count in receipts), name
    assert measured["forms"]["relay"]["receipts"] == [0]


async def test_the_chassis_is_held_against_every_other_form(measured: dict[str, Any]) -> None:
    assert measured["ratios"].keys() == {"naive", "faststream", "faststream_batch", "relay"}
    assert all(ratio > 0 for ratio in measured["ratios"].values())


async def test_what_databases_count_tells_the_forms_apart(measured: dict[str, Any]) -> None:
    forms = measured["forms"]
    assert forms["naive"]["commits"] >= 1, "a transaction an event"
    assert forms["ours"]["commits"] < 0.1
    assert forms["ours"]["statements"] < forms["naive"]["statements"] / 10
    assert all(forms[name]["worker_us"] > 0 for name in QUICK)


async def test_every_form_leaves_the_same_behind() -> None:
    """The same rows, receipts and records for the same events: no form has less to do than the others."""
    left = {}
    async with Arena(Terminal()) as arena:
        backlog = await arena.backlog(EVENTS, 5, sampled=0)
        for form in WITH_A_STORE:
            async with arena.database(backlog.template) as database:
                await begin_at(arena.url(database), backlog.begins)
                begin = await ends(arena)
                group = await arena.group(backlog.begins)
                async with arena.workers(form, database, group) as children:
                    await arena.until(EVENTS, group, backlog, children)
                left[form] = await stored(arena.url(database)) | {"records": await told(arena, begin)}
    naive = left.pop("naive")
    assert len(naive["deployment"]) == len(naive["receipt"]) == len(naive["records"]) == EVENTS
    assert {row["stage"] for row in naive["deployment"]} == {"live"}
    assert len(naive["live_service"]) == 5
    for form, found in left.items():
        for what, of_naive in naive.items():
            assert found[what] == of_naive, f"{what} of {form}"


async def stored(database: str) -> dict[str, Any]:
    """The rows of a database. Of a shared row not what depends on the order in which its events came, or on batches."""
    connection = await asyncpg.connect(database)
    try:
        deployments = await connection.fetch("SELECT * FROM deployment ORDER BY id")
        services = await connection.fetch("SELECT * FROM live_service ORDER BY id")
        receipts = await connection.fetch("SELECT event_id, case_id, record->'outputs' AS told FROM receipt ORDER BY 1")
    finally:
        await connection.close()
    return {
        "deployment": [dict(row) for row in deployments],
        "live_service": [{k: v for k, v in row.items() if k not in ("version", "change")} for row in services],
        "receipt": [
            (row["event_id"], row["case_id"], list(map(timeless, orjson.loads(row["told"])))) for row in receipts
        ],
    }


async def ends(arena: Arena) -> dict[TopicPartition, int]:
    """Where the topic of what is told ends now."""
    async with AIOKafkaConsumer(bootstrap_servers=arena.machine.bootstrap) as consumer:
        places = [TopicPartition(TOLD, number) for number in range(arena.partitions)]
        return dict(await consumer.end_offsets(places))


async def told(arena: Arena, begin: dict[TopicPartition, int]) -> list[tuple[bytes, int, Any]]:
    """Key, partition and event of each record that was told since then."""
    found = []
    async with AIOKafkaConsumer(bootstrap_servers=arena.machine.bootstrap) as consumer:
        consumer.assign(list(begin))
        end = await consumer.end_offsets(list(begin))
        for place, offset in begin.items():
            consumer.seek(place, offset)
        while any([await consumer.position(place) < end[place] for place in begin]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(r.key, r.partition, timeless(orjson.loads(r.value))) for r in records]
    return sorted(found, key=lambda record: record[0])


def timeless(event: dict[str, Any]) -> dict[str, Any]:
    """An event without the time at which it was told."""
    return {name: value for name, value in event.items() if name != "time"}


@pytest.mark.timeout(300)  # it starts two Kafkas and fifteen workers, one after the other
async def test_an_event_comes_through_each_form_and_a_wish_through_all_six_services() -> None:
    result = await quick("latency")
    waits, journey = result["milliseconds"], result["journey"]
    assert waits.keys() == {"naive", "ours"}
    assert all(0 < of["p50"] <= of["p95"] <= of["p99"] for of in waits.values())
    assert len(journey["activities"]) == 6, "a wish that was worth it has been through all of them"
    assert journey["hops"]["min"] > 6
    assert journey["echoes"]["p50"] > 0
    assert journey["services"]["p50"] > 0
