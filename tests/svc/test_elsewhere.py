"""A chain that runs elsewhere: found by address, seen through its page; its desk and a Jaeger that may be away."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.value_chain import ACTIVITIES
from services.engage.desks.standard_webhooks import sign
from svc import running
from svc.consumer import Consumer
from svc.edges import spans_from
from svc.elsewhere import Elsewhere, known_desk_secret
from svc.jaeger import Jaeger
from svc.loopback import serve
from svc.machine import Home
from svc.pages import page
from svc.services import Services
from svc.spans import span_of, tree
from svc.trouble import Trouble

DEMAND = UUID(int=7)
SECRET = "whsec_b25seSBmb3IgdGVzdHMgb2YgdGhlIGNvbnN1bWVy"
CLOCK = "2026-11-24T12:00:00+00:00,2026-11-12T12:00:00+00:00,14400.0"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVC_SERVICES", "http://{activity}.example:8000")
    monkeypatch.setenv("SVC_PAGE", "http://page.example")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    monkeypatch.setenv("SVC_CLOCK", CLOCK)


def test_a_chain_is_found_by_the_address_of_its_services(elsewhere: None, tmp_path: Path) -> None:
    found = running.find(tmp_path)
    assert found.services["deliver_support"] == "http://deliver-support.example:8000"
    assert list(found.services) == list(ACTIVITIES)
    assert (found.page, found.kafka, found.speed) == ("http://page.example", "kafka.example:9092", 14_400)
    assert Elsewhere(Home(tmp_path)).clock.at(datetime(2026, 11, 24, 12, tzinfo=UTC)).day == 12


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("SVC_SERVICES", "http://engage:8000", "write {activity} where the six differ"),
        ("SVC_CLOCK", "now", "SVC_CLOCK cannot be read"),
    ],
)
def test_an_address_of_no_use_is_refused(
    elsewhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, said: str
) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(Trouble, match=said):
        running.find(tmp_path)


def test_without_an_address_the_chain_of_the_home_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SVC_SERVICES", raising=False)
    with pytest.raises(Trouble, match="No chain is running"):
        running.find(tmp_path)


def test_the_secret_of_the_desk_must_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SVC_DESK_SECRET", raising=False)
    with pytest.raises(Trouble, match="SVC_DESK_SECRET is not set"):
        known_desk_secret()


async def test_a_consumer_sees_the_notices_that_came_to_the_desk_of_another_process() -> None:
    desk, consumer = Consumer(SECRET), Consumer(SECRET)
    notice = orjson.dumps({"demand": str(DEMAND), "number": 1, "asks_confirmation": True})
    async with serve(Starlette(routes=desk.routes)) as there, httpx.AsyncClient() as client:
        await consumer.look(there, DEMAND)
        assert not consumer.asked(DEMAND)
        proof = sign(SECRET, delivery="1", timestamp=datetime.now(UTC), body=notice)
        assert (await client.post(f"{there}/notices", content=notice, headers=proof)).status_code == 202
        await consumer.look(there, DEMAND)
        assert consumer.asked(DEMAND)
    await consumer.look(there, DEMAND)  # the desk is away: what was heard stays
    assert consumer.asked(DEMAND)


def exported(name: str, span: str, start: int, **more: str) -> dict[str, object]:
    """A span as Jaeger gives it: what is empty it leaves out."""
    of = {"traceId": TRACE, "spanId": span, "name": name, "kind": 2, "attributes": [], **more}
    told = {**of, "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 5)}
    service = [{"key": "service.name", "value": {"stringValue": "svc-engage"}}]
    return {"resource": {"attributes": service}, "scopeSpans": [{"scope": {"name": "x"}, "spans": [told]}]}


async def test_spans_come_from_jaeger_each_once_and_in_order() -> None:
    root, child = exported("first", "a" * 16, 10), exported("second", "b" * 16, 20, parentSpanId="a" * 16)

    async def answer(request: Request) -> Response:
        if request.path_params["id"] != TRACE:
            return Response(status_code=404)
        return JSONResponse({"result": {"resourceSpans": [child, root, child]}})

    async with serve(Starlette(routes=[Route("/api/v3/traces/{id}", answer)])) as there:
        found = await Jaeger(there).find(TRACE)
        assert [span_of(span)["name"] for span in found] == ["first", "second"]
        (whole,) = tree(found)
        assert [node.name for node in whole.walk()] == ["first", "second"]
        assert await Jaeger(there).find("0" * 32) == []


async def test_a_jaeger_that_is_away_is_told_and_the_rest_goes_on() -> None:
    away = Jaeger("http://127.0.0.1:1")
    with pytest.raises(Trouble, match=r"127\.0\.0\.1:1"):
        await away.find(TRACE)
    async with Services({}) as services, serve(page(away, services)) as there:
        with pytest.raises(Trouble, match="HTTP 503"):
            await spans_from(f"{there}/traces", [TRACE])
