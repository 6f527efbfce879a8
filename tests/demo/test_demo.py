"""`svc` as a person runs it: the demo with its promises, a second start, and nothing left behind however it ends."""

import asyncio
import json
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from contracts.value_chain import ACTIVITIES
from svc.machine import Home
from svc.running import find
from tests.demo.calls import finish, nothing_left, svc, until_up

SERVICES = {f"svc-{activity.replace('_', '-')}" for activity in ACTIVITIES}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a space in its name, shared by the tests of this file; only the downloads are there."""
    path = tmp_path_factory.mktemp("a home")
    (path / "downloads").symlink_to(Home().downloads)
    return path


@pytest.fixture(scope="module")
async def shown(place: Path) -> dict[str, Any]:
    """The last line of `svc demo --once --json`, after a run that left nothing behind."""
    async with svc(place, "demo", "--once", "--speed", "28800", "--json") as demo:  # twice as fast as people like it
        code, output = await finish(demo)
        assert code == 0, demo.said
        assert len(demo.started) >= 8, "Kafka, PostgreSQL and six services were seen"
        await nothing_left(demo)
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


async def test_both_tickets_become_value(shown: dict[str, Any]) -> None:
    by_stream = {demand["stream"]: demand for demand in shown["demands"]}
    assert set(by_stream) == {"restore-a-live-service", "create-a-new-product-or-service"}
    for demand in shown["demands"]:
        assert demand["status"] == "value_realised"
        assert demand["spans"] > 10
    product = by_stream["create-a-new-product-or-service"]
    assert set(product["services_in_trace"]) == SERVICES
    assert set(product["activities"]) == set(ACTIVITIES)
    assert product["activities"][0] == "engage"
    assert by_stream["restore-a-live-service"]["activities"][:2] == ["engage", "deliver_support"]


async def test_the_demo_says_what_it_has_shown_and_what_it_takes(shown: dict[str, Any]) -> None:
    coverage = shown["coverage"]
    assert [coverage[part]["total"] for part in ("inputs", "outputs", "arrows", "ends")] == [36, 27, 30, 112]
    assert coverage["inputs"]["consumed"] + len(coverage["inputs"]["missing"]) == 36
    assert coverage["outputs"]["produced"] + len(coverage["outputs"]["missing"]) == 27
    assert coverage["inputs"]["consumed"] >= 20
    assert coverage["outputs"]["produced"] >= 15
    assert 0 < shown["memory_mib"] <= 1400
    assert shown["start_seconds"] > 0


async def test_a_second_start_shows_the_earlier_demands_and_again_changes_nothing(
    place: Path, shown: dict[str, Any]
) -> None:
    async with svc(place, "demo", "--once", "--again", "--json") as again:
        code, output = await finish(again)
        assert code == 0, again.said
        await nothing_left(again)
    repeated = json.loads(output.splitlines()[-1])
    before = {demand["id"]: demand for demand in shown["demands"]}
    after = {demand["id"]: demand for demand in repeated["demands"]}
    assert {id: demand["status"] for id, demand in after.items()} == dict.fromkeys(before, "value_realised")
    assert {id: demand["trace_id"] for id, demand in after.items()} == {
        id: demand["trace_id"] for id, demand in before.items()
    }
    assert "no new messages" in again.said


async def test_the_commands_show_one_demand_from_all_sides_and_ctrl_c_leaves_nothing(
    place: Path, shown: dict[str, Any]
) -> None:
    id = next(d["id"] for d in shown["demands"] if d["stream"].startswith("create"))
    async with svc(place, "up", "--work", "auto") as up:
        await until_up(up, place)

        async def ask(*arguments: str, code: int = 0) -> str:
            async with svc(place, *arguments) as asked:
                found, output = await finish(asked, 60)
                assert found == code, asked.said
                return output if code == 0 else asked.said

        demands = json.loads(await ask("show", "--json"))
        assert id in json.dumps(demands)
        assert "Plan" in await ask("show", id)
        explained = await ask("explain", id)
        assert "because" in explained
        spans = spans_of(json.loads(await ask("trace", id, "--json")))
        check_trace(spans, id)
        assert json.loads(await ask("coverage", "--json"))["ends"]["total"] == 112
        assert json.loads(await ask("recover", "--json")) == []
        assert json.loads(await ask("dlq", "list", "--json")) == []
        async with AIOKafkaProducer(bootstrap_servers=find(place).kafka) as producer:
            await producer.send_and_wait("svc.engage.support-tasks", b"no JSON", key=id.encode())
        while not (aside := json.loads(await ask("dlq", "list", "--json"))):
            await asyncio.sleep(0.1)
        event = aside[0]["event_id"]
        assert "not JSON" in await ask("dlq", "show", event)
        assert json.loads(await ask("dlq", "redrive", "--all", "--json"))["left"] == 1
        await ask("dlq", "discard", event, "--reason", "it was put there by hand")
        assert json.loads(await ask("dlq", "list", "--json")) == []
        unknown = await ask("show", "00000000-0000-0000-0000-000000000000", code=2)
        assert "Traceback" not in unknown
        up.look()
        up.process.send_signal(signal.SIGINT)
        await finish(up, 60)
        await nothing_left(up)


async def test_a_kill_of_svc_itself_takes_everything_down_with_it(place: Path, shown: dict[str, Any]) -> None:
    async with svc(place, "up") as up:
        await until_up(up, place)
        assert len(up.started) >= 8
        up.process.kill()
        await up.process.wait()
        await nothing_left(up, 30)


def spans_of(exported: dict[str, Any]) -> list[dict[str, Any]]:
    """The spans of an OTLP JSON document, each with its service."""
    found = []
    for resource in exported["resourceSpans"]:
        names = {a["key"]: a["value"].get("stringValue") for a in resource["resource"]["attributes"]}
        for scope in resource["scopeSpans"]:
            found += [{**span, "service": names["service.name"]} for span in scope["spans"]]
    return found


def check_trace(spans: list[dict[str, Any]], demand: str) -> None:
    """One trace; six services; each consumer below its producer and linked to it; nobody orphaned."""
    by_id = {span["spanId"]: span for span in spans}
    assert len({span["traceId"] for span in spans}) == 1
    assert {span["service"] for span in spans} == SERVICES
    consumers = [span for span in spans if span["kind"] in (5, "SPAN_KIND_CONSUMER")]
    assert len(consumers) > 20
    for span in consumers:
        parent = by_id[span["parentSpanId"]]
        assert parent["kind"] in (4, "SPAN_KIND_PRODUCER")
        assert [link["spanId"] for link in span["links"]] == [parent["spanId"]]
    roots = [span for span in spans if not span.get("parentSpanId")]
    assert len(roots) == 1
    orphans = [span["name"] for span in spans if span.get("parentSpanId") and span["parentSpanId"] not in by_id]
    assert orphans == []
    assert all(first["spanId"] != second["spanId"] for first, second in pairwise(spans))


@pytest.mark.timeout(400)  # a day in a minute, after a start in a new home
async def test_a_day_shows_every_row_arrow_and_end_by_six_streams_and_its_invariants_hold(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("a day")
    (home / "downloads").symlink_to(Home().downloads)
    async with svc(home, "demo", "--day", "--once", "--json") as day:
        code, output = await finish(day, 380)
        await nothing_left(day)
    found = json.loads(output.splitlines()[-1])
    assert code == 0, day.said
    assert (found["violations"], found["set_aside"]) == ([], [])
    shown = {name: found["coverage"][name] for name in ("inputs", "outputs", "arrows", "ends")}
    assert {name: part["missing"] for name, part in shown.items()} == {name: [] for name in shown}
    assert [part["total"] for part in shown.values()] == [36, 27, 30, 112]
    assert len(found["streams"]) == 6
    for stream, states in found["streams"].items():
        assert states.keys() & {"value_realised", "delivered"}, f"{stream} has no yes"
        assert states.keys() & {"rejected", "denied", "withdrawn", "merged"}, f"{stream} has no no"
    assert sum(sum(states.values()) for states in found["streams"].values()) == found["demands"] > 60
