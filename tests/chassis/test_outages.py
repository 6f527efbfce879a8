"""The broker or the database is killed while events are told, and comes back; effects outside fail; a worker breaks."""

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from contracts.engage import DemandConsolidated
from contracts.plan import PortfolioDecisionMade
from services.chassis import lane, worker
from services.chassis.lane import Lane
from services.chassis.store import AWAY
from tests.chassis import ledger
from tests.chassis.conftest import Bench, demand
from tests.chassis.ledger import Mail, Mailed
from tests.chassis.test_crashes import process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.envelope import Record
    from services.chassis.fold import Output
    from svc.machine import Machine


async def tell_slowly(bench: Bench, case: UUID, number: int) -> None:
    """Tell events of one case, one after the other."""
    for n in range(number):
        await bench.tell(demand(case, f"n{n}"))
        await asyncio.sleep(0.1)


async def missing(client: httpx.AsyncClient, what: str) -> bool:
    """Whether `/readyz` says that `what` is missing."""
    answer = await client.get("/readyz")
    return answer.status_code == 503 and any(name.startswith(what) for name in answer.json()["missing"])


@pytest.mark.parametrize("server", ["broker", "database"])
async def test_a_server_killed_and_back_costs_nothing(bench: Bench, machine: "Machine", server: str) -> None:
    killed = machine.kafka if server == "broker" else machine.postgres
    assert killed is not None
    assert killed.child is not None
    case = uuid4()
    async with bench.running() as client:
        telling = asyncio.create_task(tell_slowly(bench, case, 12))
        await bench.until(bench.entries, what="the first event is decided")
        await killed.child.kill()
        await bench.until(lambda: missing(client, server), what=f"/readyz says that the {server} is missing")
        post = client.post(f"/deposits/{uuid4()}", json={"euros": 1}, headers={"Idempotency-Key": "meanwhile"})
        refused = await post
        assert refused.status_code in (201, 503), refused.text
        if refused.status_code == 503:
            assert (refused.headers["retry-after"], refused.json()["title"]) == ("2", "Not ready")
        await telling
        await bench.until(lambda: answers(bench), what="the database answers")
        await bench.settled()
        await bench.until(lambda: ready(client), what="it is ready again")
        await bench.until(lambda: bench.published(12), what="everything is published")
    entries = await bench.entries()
    assert entries.pop(case) == tuple(f"n{n}" for n in range(12))
    told = {event["id"]: event["sequence"] for event in await bench.told()}
    assert list(told.values()) == [str(n + 1) for n in range(12)]


async def answers(bench: Bench) -> bool:
    """Whether the database answers."""
    try:
        return bool(await bench.rows("SELECT 1"))
    except AWAY:
        return False


async def ready(client: httpx.AsyncClient) -> bool:
    """Whether the service is ready."""
    return (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(("failures", "outcome"), [(2, "arrived"), (9, "given up: ConnectionError: no post today")])
async def test_an_effect_outside_is_repeated_under_one_id_and_at_last_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failures: int, outcome: str
) -> None:
    monkeypatch.setattr(worker, "uniform", lambda low, high: 0.02)
    monkeypatch.setattr(worker, "MOST_ATTEMPTS", 3)
    case, tried = uuid4(), list[UUID]()

    async def post(mail: Mail, id: UUID) -> Mailed:
        tried.append(id)
        if len(tried) <= failures:
            raise ConnectionError("no post today")
        return Mailed(demand=mail.demand, outcome="arrived")

    async with bench.running({Mail: post}) as client:
        await bench.tell(demand(case, "mail"))
        await bench.until(lambda: bench.rows("SELECT 1 FROM entry WHERE titles::text LIKE '%,%'"), what="it came back")
        await bench.until(lambda: bench.none("SELECT 1 FROM pending"), what="nothing is left to do")
        assert await ready(client)
    assert await bench.entries() == {case: ("mail", outcome)}
    assert tried == [tried[0]] * 3


async def test_a_timer_that_this_version_does_not_know_stays_and_hinders_nobody(bench: Bench) -> None:
    case = uuid4()
    async with bench.running() as client:
        await bench.rows(
            "INSERT INTO pending (id, due, attempts, case_id, type, data, context)"
            " VALUES ($1, now(), 0, 'c', 'svc.plan.inbox.from-the-future.v9', '{}', '{}') RETURNING 1",
            uuid4(),
        )
        await bench.until(lambda: bench.rows("SELECT 1 FROM pending WHERE error IS NOT NULL"), what="it says why")
        await bench.tell(demand(case, "on"))
        await bench.settled()
        assert await ready(client)


async def test_a_timer_of_a_parked_case_waits_behind_it_once(bench: Bench) -> None:
    case = uuid4()
    async with bench.running() as client:
        await bench.tell(demand(case, "remind"))
        await bench.tell(demand(case, "bang"))
        await bench.settled()
        await bench.until(lambda: bench.none("SELECT 1 FROM pending"), what="the timer was brought")
        await bench.until(lambda: bench.rows("SELECT 1 FROM parked OFFSET 1"), what="the timer waits")
        culprit = (await client.get("/dlq")).json()[0]["event_id"]
        body = {"discard": culprit, "reason": "no use"}
        await client.post(f"/dlq/{case}/redrive", json=body, headers={"Idempotency-Key": "away"})
    assert (await bench.rows("SELECT reminders FROM entry"))[0]["reminders"] == 1


async def test_what_a_redrive_tells_survives_a_broker_that_fails_before_it_is_published(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, publish, lost = uuid4(), Lane.publish, list[int]()

    async def failing(self: Lane, outputs: "Sequence[Output]") -> None:
        if any(output.topic == "svc.plan.portfolio-decisions" for output in outputs) and not lost:
            lost.append(len(outputs))
            raise KafkaError("away between write and publish")
        await publish(self, outputs)

    async with bench.running() as client:
        await bench.tell(demand(case, "bang"))
        await bench.tell(demand(case, "second"))
        await bench.settled()
        monkeypatch.setattr(ledger, "BUG", "")
        monkeypatch.setattr(Lane, "publish", failing)
        await client.post(f"/dlq/{case}/redrive", json={}, headers={"Idempotency-Key": "mended"})
        await bench.until(lambda: bench.published(2), what="both outputs are published")
        await bench.until(lambda: bench.none("SELECT 1 FROM parked"), what="nothing is parked")
    assert lost
    assert [event["data"]["title"] for event in await bench.told()] == ["bang", "second"]


async def test_a_record_set_aside_in_the_batch_of_a_redrive_is_taken_up_by_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, work = uuid4(), Lane.work
    async with bench.running():
        await bench.tell(demand(case, "bang"))
        await bench.settled()
    monkeypatch.setattr(ledger, "BUG", "")

    async def together(self: Lane, records: "Sequence[Record]") -> None:
        while len(records) + len(self.queue) < 2:
            await asyncio.sleep(0.01)
        batch = sorted([*records, *self.queue], key=lambda record: record.topic)
        self.queue.clear()
        await work(self, batch)

    monkeypatch.setattr(Lane, "work", together)
    await bench.tell(demand(case, "second"))
    await bench.tell(ledger.handles.redrive(parked_case=str(case)))
    async with bench.running():
        await bench.settled()
        await bench.until(lambda: bench.none("SELECT 1 FROM parked"), what="nothing is parked")
    assert await bench.entries() == {case: ("bang", "second")}


async def test_an_output_too_large_for_a_record_parks_its_case(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sick, well, decision = uuid4(), uuid4(), ledger.decision

    def verbose(about: DemandConsolidated, number: int, spent: int) -> PortfolioDecisionMade:
        reasons = ("x" * 1_100_000,) if about.demand == sick else ("short",)
        return decision(about, number, spent).model_copy(update={"reasons": reasons})

    monkeypatch.setattr(ledger, "decision", verbose)
    async with bench.running() as client:
        await bench.tell(demand(sick, "verbose"))
        await bench.put(b"x" * 1_030_000, str(sick))  # with what the dead-letter topic adds, too large for a record
        await bench.tell(demand(well, "brief"))
        await bench.settled()
        await bench.until(lambda: bench.rows("SELECT 1 FROM parked OFFSET 1"), what="both are parked")
        reasons = [row["reason"] for row in (await client.get("/dlq")).json()]
        assert "a record has at most" in reasons[0]
        assert await ready(client)
    assert await bench.entries() == {well: ("brief",)}
    assert len(await bench.told("svc.plan.dlq", raw=True)) == 2


async def test_a_nul_character_is_refused_at_the_door_and_set_aside_on_the_way(bench: Bench) -> None:
    async with bench.running() as client:
        body, key = {"reason": "a\0b"}, {"Idempotency-Key": "nul"}
        refused = await client.post("/dlq/some-case/redrive", json=body, headers=key)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
        assert "NUL" in refused.json()["detail"]
        taken = await client.post("/dlq/some-case/redrive", json={"reason": "a\\u0000b"}, headers=key)
        assert taken.status_code == 200, "six characters that look like one are no NUL"
        await bench.tell(demand(uuid4(), "a\0b"), key="key\0")
        await bench.put(b"garbage", "key\0")
        await bench.put(b"garbage", "")
        await bench.until(lambda: bench.rows("SELECT 1 FROM parked OFFSET 2"), what="all are parked")
        for row in (await client.get("/dlq")).json():
            body = {"discard": row["event_id"], "reason": "garbage"}
            gone = await client.post(
                f"/dlq/{row['case_id']}/redrive", json=body, headers={"Idempotency-Key": row["at"]}
            )
            assert gone.status_code == 200
        assert (await client.get("/dlq")).json() == []
        assert (await client.get("/trail/a%00b")).json()["status"] == 422


async def test_of_a_backlog_a_lane_holds_no_more_than_its_limit_and_one_fetch(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, most, work = [uuid4() for _ in range(30)], list[int](), Lane.work
    left_out, getmany = list[int](), AIOKafkaConsumer.getmany
    for number in range(10):
        await asyncio.gather(*(bench.tell(demand(case, f"n{number}")) for case in cases))

    async def slowly(self: Lane, records: "Sequence[Record]") -> None:
        most.append(len(self.queue))
        await asyncio.sleep(0.02)
        await work(self, records)

    async def watched(self: AIOKafkaConsumer, *places: TopicPartition, **limits: int) -> Any:
        left_out.append(len(self.assignment()) - len(places))
        return await getmany(self, *places, **limits)

    monkeypatch.setattr(Lane, "work", slowly)
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", watched)
    monkeypatch.setattr(worker, "FETCH", 5)
    async with bench.running(batch=5):
        await bench.settled()
    assert await bench.entries() == {case: tuple(f"n{n}" for n in range(10)) for case in cases}
    assert any(left_out), "the backlog was never larger than a lane may hold"
    assert max(most) <= 15, "a lane holds at most its limit and one more fetch"


async def test_how_much_waits_and_how_long_is_shown_by_topic_and_partition(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, going_on, work = uuid4(), asyncio.Event(), Lane.work

    async def held(self: Lane, records: "Sequence[Record]") -> None:
        await going_on.wait()
        await work(self, records)

    monkeypatch.setattr(Lane, "work", held)
    monkeypatch.setattr(worker, "WATCHING", 0.1)
    for number in range(3):
        await bench.tell(demand(case, f"n{number}"))
    name = f'svc_oldest_seconds{{partition="{bench.home(str(case))}",topic="svc.engage.demand"}}'
    async with bench.running(batch=1) as client:

        async def oldest() -> float:
            lines = (await client.get("/metrics")).text.splitlines()
            return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)

        async def old() -> bool:
            return await oldest() > 0.5

        await bench.until(old, what="what waits is half a second old")
        going_on.set()
        await bench.settled()

        async def none() -> bool:
            return await oldest() == 0

        await bench.until(none, what="nothing waits any more")


async def test_what_is_never_acknowledged_is_published_once_more_by_another_producer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, lost, send_batch = uuid4(), list[AIOKafkaProducer](), AIOKafkaProducer.send_batch

    async def sending(self: AIOKafkaProducer, *what: Any, **where: Any) -> Any:
        if not lost or self in lost:  # the first producer swallows what it gets
            lost.append(self)
            return asyncio.get_running_loop().create_future()
        return await send_batch(self, *what, **where)

    monkeypatch.setattr(lane, "UNACKNOWLEDGED", 0.3)
    monkeypatch.setattr(AIOKafkaProducer, "send_batch", sending)
    for number in range(3):
        await bench.tell(demand(case, f"n{number}"))
    async with bench.running():
        await bench.settled()
        await bench.until(lambda: bench.published(3), what="all decisions are published")
    assert lost
    told = [event["sequence"] for event in await bench.told()]
    assert told == ["1", "2", "3"], "each once, in order"


@pytest.mark.parametrize("fault", ["the lane is held up", "the client stands still"])
async def test_a_worker_connects_anew_if_its_client_stands_still_and_not_if_its_lane_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    case, mended, looks, sessions = uuid4(), asyncio.Event(), list[int](), list[int]()
    work, session = Lane.work, worker.Worker.session
    getmany, end_offsets = AIOKafkaConsumer.getmany, AIOKafkaConsumer.end_offsets

    async def held(self: Lane, records: "Sequence[Record]") -> None:
        await mended.wait()
        await work(self, records)

    async def nothing(self: AIOKafkaConsumer, *places: TopicPartition, **limits: int) -> Any:
        if mended.is_set():
            return await getmany(self, *places, **limits)
        await asyncio.sleep(0.01)
        return {}

    async def looked(self: AIOKafkaConsumer, places: list[TopicPartition]) -> Any:
        looks.append(len(places))
        return await end_offsets(self, places)

    async def begun(self: worker.Worker) -> None:
        sessions.append(len(looks))
        await session(self)

    monkeypatch.setattr(worker, "WATCHING", 0.02)
    monkeypatch.setattr(worker, "STALLED_AFTER", 0.3)
    monkeypatch.setattr(worker, "FETCH", 5)
    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", looked)
    monkeypatch.setattr(worker.Worker, "session", begun)
    if fault == "the lane is held up":
        monkeypatch.setattr(Lane, "work", held)
    else:
        monkeypatch.setattr(AIOKafkaConsumer, "getmany", nothing)
    for number in range(40):
        await bench.tell(demand(case, f"n{number}"))

    async def judged() -> bool:
        return len(sessions) > 1 or len(looks) > 50

    async with bench.running(batch=5):
        await bench.until(judged, what="the worker is judged by fifty looks, or has connected anew")
        assert (len(sessions) > 1) == (fault == "the client stands still")
        mended.set()
        await bench.settled()


async def test_a_worker_that_fails_ends_the_process_and_the_log_says_why_as_json(bench: Bench) -> None:
    async with process(bench, "--mutant", "broken") as running:
        await bench.tell(demand(uuid4(), "n0"))
        assert await asyncio.wait_for(running.wait(), 30) == 1
        said = running.log.read_text().splitlines()
    lines = [orjson.loads(line) for line in said]
    assert any("broken on purpose" in line.get("exception", "") and line["level"] == "error" for line in lines), said


async def test_a_consumer_that_never_joins_its_group_is_given_up_and_started_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, stuck = AIOKafkaConsumer.start, list[AIOKafkaConsumer]()

    async def starting(self: AIOKafkaConsumer) -> None:
        if self._group_id and not stuck:
            stuck.append(self)
            await asyncio.Event().wait()
        await start(self)

    monkeypatch.setattr(worker, "STARTING", 1.5)
    monkeypatch.setattr(AIOKafkaConsumer, "start", starting)
    async with bench.running():
        assert stuck


async def test_a_replica_that_comes_back_with_more_to_hear_hears_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, case = ledger.handles.topics, uuid4()
    with monkeypatch.context() as before:
        before.setattr(ledger.handles, "topics", ["svc.plan.inbox"])
        async with bench.running(instance="ledger-0"):
            await bench.tell(ledger.Corrected(demand=case, title="old"))
            await bench.settled()
    assert len(heard) > 1
    await bench.tell(demand(case, "new"))
    async with bench.running(instance="ledger-0"):
        await bench.settled()
    assert await bench.entries() == {case: ("old", "new")}


async def test_a_clean_stop_is_quick_and_repeats_nothing(bench: Bench) -> None:
    async with process(bench) as running:
        await bench.tell(demand(uuid4(), "n0"))
        await bench.until(bench.consumed, what="everything is consumed")
        assert await asyncio.wait_for(running.stop(), 10) in (0, -15)
    async with process(bench):  # the same member of the group again: it need not wait for the old one's time-out
        await bench.tell(demand(uuid4(), "n1"))
        await bench.settled()
        await bench.until(lambda: bench.published(2), what="the second event is published")
    assert len(await bench.told()) == 2
