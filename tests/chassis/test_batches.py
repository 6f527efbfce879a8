"""The life of a batch on the real broker and database: order, duplicates, poison, timers, commands."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import count, islice
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from services.chassis.lane import Lane
from tests.chassis import ledger
from tests.chassis.conftest import Bench, demand


async def test_each_event_is_decided_once_and_told_in_order_per_case(bench: Bench) -> None:
    cases = [uuid4() for _ in range(40)]
    async with bench.running():
        for number in range(5):
            await asyncio.gather(*(bench.tell(demand(case, f"n{number}")) for case in cases))
        await bench.settled()
    assert await bench.entries() == {case: tuple(f"n{i}" for i in range(5)) for case in cases}
    told = await bench.told()
    for case in cases:
        assert [(e["sequence"], e["data"]["title"]) for e in told if e["correlationid"] == str(case)] == [
            (str(i + 1), f"n{i}") for i in range(5)
        ]
    assert (await bench.rows("SELECT spent FROM purse"))[0]["spent"] == 200


async def test_a_copy_of_a_record_changes_nothing_and_tells_nothing(bench: Bench) -> None:
    case, id = uuid4(), uuid4()
    async with bench.running():
        await bench.tell(demand(case, "once"), id=id)
        await bench.settled()
        for _ in range(5):
            await bench.tell(demand(case, "once"), id=id)
        await bench.tell(demand(case, "after"))
        await bench.settled()
    assert await bench.entries() == {case: ("once", "after")}
    assert [e["data"]["title"] for e in await bench.told()] == ["once", "after"]


async def test_a_replay_publishes_again_only_what_was_written_last(bench: Bench) -> None:
    case = uuid4()
    async with bench.running(batch=1):
        await bench.tell(demand(case, "a"))
        await bench.tell(demand(case, "b"))
        await bench.settled()
    first = await bench.told()
    assert len(first) == 2
    await bench.forget_offsets()
    async with bench.running():
        await bench.until(bench.consumed, what="everything is consumed again")
    assert await bench.told() == [*first, first[1]]
    assert await bench.entries() == {case: ("a", "b")}


async def test_an_older_copy_of_the_database_is_brought_up_to_date_from_where_it_is(bench: Bench) -> None:
    cases = [uuid4() for _ in range(6)]
    for case in cases:
        await bench.tell(demand(case, "before"))
    async with bench.running():
        await bench.settled()
    copy = await bench.copied()
    async with bench.running():
        for number in range(3):  # over two topics, in turn
            for case in cases:
                await bench.tell(demand(case, f"n{number}"))
            await bench.settled()
            for case in cases:
                await bench.tell(ledger.Corrected(demand=case, title=f"corrected {number}"))
            await bench.settled()
        await bench.until(bench.consumed, what="everything is consumed")
    books, told = await bench.entries(), await bench.told()
    await bench.restored(copy)
    assert all(len(titles) == 1 for titles in (await bench.entries()).values())
    async with bench.running():
        await bench.settled()
        await bench.until(bench.consumed, what="everything is consumed again")
    assert await bench.entries() == books
    again = [event["id"] for event in await bench.told()]
    assert len(again) > len(told), "what the copy did not know is decided again"
    assert set(again) == {event["id"] for event in told}, "and told under the same ids"
    assert {(event["id"], event["sequence"]) for event in told} == {
        (event["id"], event["sequence"]) for event in await bench.told()
    }, "and in the same order"


async def test_an_event_on_a_foreign_producers_partition_is_brought_home(bench: Bench) -> None:
    case = uuid4()
    wrong = (bench.home(str(case)) + 1) % 3
    async with bench.running():
        await bench.tell(demand(case, "lost"), partition=wrong)
        await bench.settled()
    assert await bench.entries() == {case: ("lost",)}
    receipt = (await bench.rows("SELECT record->>'partition' AS partition FROM receipt"))[0]
    assert int(receipt["partition"]) == bench.home(str(case))


async def test_unknown_extra_fields_are_read_past(bench: Bench) -> None:
    case, id = uuid4(), uuid4()
    value = bench.encoded(demand(case, "newer"), id).replace(b'"title"', b'"invented":{"deep":[1]},"title"')
    async with bench.running():
        bench.sent.append(id)
        await bench.put(value, str(case))
        await bench.settled()
    assert await bench.entries() == {case: ("newer",)}


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (b"\xff\xfe not JSON", "not JSON"),
        (b'{"specversion":"1.0","type":"svc.engage.dream-dreamt.v1","id":"1"}', "unknown to contracts"),
        (b"[]", "it has no type"),
    ],
)
async def test_a_record_contracts_do_not_know_parks_its_case_alone(bench: Bench, poison: bytes, reason: str) -> None:
    sick, well = uuid4(), uuid4()
    async with bench.running() as client:
        await bench.tell(demand(sick, "before"))
        await bench.settled()
        await bench.put(poison, str(sick))
        await bench.tell(demand(sick, "behind"))
        await bench.tell(demand(well, "other"))
        await bench.settled()
        assert await bench.entries() == {sick: ("before",), well: ("other",)}
        culprit, behind = (await client.get("/dlq")).json()
        assert reason in culprit["reason"]
        assert behind["reason"] == f"waits behind {culprit['event_id']}"
        assert len(await bench.told("svc.plan.dlq", raw=True)) == 2
        body = {"discard": culprit["event_id"], "reason": "nobody can read it"}
        answer = await client.post(f"/dlq/{sick}/redrive", json=body, headers={"Idempotency-Key": "give it up"})
        assert answer.status_code == 200, answer.text
        assert await bench.entries() == {sick: ("before", "behind"), well: ("other",)}
        assert (await client.get("/dlq")).json() == []


async def test_a_missing_field_is_told_by_name(bench: Bench) -> None:
    case, id = uuid4(), uuid4()
    value = bench.encoded(demand(case, "no requester"), id).replace(b'"requester"', b'"asker"')
    async with bench.running() as client:
        await bench.put(value, str(case))
        await bench.until(lambda: bench.rows("SELECT 1 FROM parked"), what="it is parked")
        assert "requester" in (await client.get("/dlq")).json()[0]["reason"]


async def test_a_handler_that_raises_parks_its_case_and_a_redrive_restores_the_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick, well = uuid4(), uuid4()
    async with bench.running() as client:
        for title in ("bang", "second", "third"):
            await bench.tell(demand(sick, title, value=7))
        await bench.tell(demand(well, "other", value=5))
        await bench.settled()
        assert await bench.entries() == {well: ("other",)}
        assert (await bench.rows("SELECT spent FROM purse"))[0]["spent"] == 5, (
            "the purse keeps nothing of a fold that was discarded"
        )
        assert "ZeroDivisionError" in (await client.get("/dlq")).json()[0]["reason"]
        again = await client.post(f"/dlq/{sick}/redrive", json={}, headers={"Idempotency-Key": "too early"})
        assert again.status_code == 200
        assert len((await client.get("/dlq")).json()) == 3, "the bug is still there: parked again, in the same order"
        monkeypatch.setattr(ledger, "BUG", "")
        await client.post(f"/dlq/{sick}/redrive", json={}, headers={"Idempotency-Key": "mended"})
        assert await bench.entries() == {well: ("other",), sick: ("bang", "second", "third")}
        assert (await client.get("/dlq")).json() == []
        await bench.tell(demand(sick, "fourth"))
        await bench.settled()
    titles = [e["data"]["title"] for e in await bench.told() if e["correlationid"] == str(sick)]
    assert titles == ["bang", "second", "third", "fourth"]


@pytest.mark.parametrize("poison", [b"", b"{not JSON"])
async def test_a_parked_record_is_corrected_in_its_place_and_its_receipt_says_why(bench: Bench, poison: bytes) -> None:
    case, reason = uuid4(), "the desk wrote bang for mended"
    async with bench.running() as client:
        if poison:
            await bench.tell(demand(case, "first"))
            await bench.put(poison, str(case))
        else:
            await bench.tell(demand(case, "bang"))
        await bench.tell(demand(case, "second"))
        await bench.until(lambda: bench.rows("SELECT 1 FROM parked OFFSET 1"), what="both are parked")
        sick = str((await client.get("/dlq")).json()[0]["event_id"])

        async def edit(key: str, value: Any) -> httpx.Response:
            order = {"edit": sick, "value": value, "reason": reason}
            return await client.post(f"/dlq/{case}/redrive", json=order, headers={"Idempotency-Key": key})

        right = orjson.loads(bench.encoded(demand(case, "mended"), uuid4() if poison else UUID(sick)))
        others = orjson.loads(bench.encoded(demand(uuid4(), "mended"), uuid4()))
        for key, value in {"1": others, "2": right | {"data": {}}, "3": right | {"type": "x"}, "4": None}.items():
            refused = await edit(key, value)
            assert (refused.status_code, refused.json()["title"]) == (422, "It could not be used either")
        assert len(await bench.rows("SELECT 1 FROM parked")) == 2
        assert (await edit("right", right)).status_code == 200
        await bench.until(lambda: bench.none("SELECT 1 FROM parked"), what="nothing is parked")
        (entry,) = [one for one in (await client.get(f"/trail/{case}")).json() if one["id"] == sick]
    assert (await bench.entries())[case] == (("first", "mended", "second") if poison else ("mended", "second"))
    assert entry["edited"] == reason


async def test_simulated_work_waits_until_somebody_in_its_work_centre_is_free(bench: Bench) -> None:
    hours = 0.3 / 3600
    async with bench.running(work="simulated", centres={"auditors": 2}):
        for _ in range(6):
            await bench.tell(ledger.AuditWanted(demand=uuid4(), hours=hours))
        done = "SELECT 1 FROM audit WHERE status = 'done' OFFSET 5"
        await bench.until(lambda: bench.rows(done), what="all is looked through")
    ends = [row["done_at"] for row in await bench.rows("SELECT done_at FROM audit ORDER BY done_at")]
    shortest = timedelta(hours=hours * 0.7)
    assert all(third - first >= shortest for first, third in zip(ends, ends[2:], strict=False)), "two at a time"
    assert await bench.none("SELECT 1 FROM pending")


async def test_simulated_work_takes_the_minutes_of_its_work_centre_whatever_its_effort(bench: Bench) -> None:
    spread = (0.002, 0.003, 0.008)
    async with bench.running(work="simulated", minutes={"auditors": spread}):
        for _ in range(3):
            await bench.tell(ledger.AuditWanted(demand=uuid4(), hours=1000))
        done = "SELECT begun_at, done_at FROM audit WHERE status = 'done'"
        await bench.until(lambda: bench.rows(f"{done} OFFSET 2"), what="all is looked through")
    taken = [(row["done_at"] - row["begun_at"]) / timedelta(minutes=1) for row in await bench.rows(done)]
    assert all(spread[0] <= minutes <= spread[2] for minutes in taken)
    assert len(set(taken)) == 3, "each its own"


async def test_receipts_become_mere_trails_once_they_are_old(bench: Bench) -> None:
    old, new = uuid4(), uuid4()
    async with bench.running():
        await bench.tell(demand(old, "old"))
        await bench.settled()
    await bench.rows("UPDATE receipt SET at = now() - interval '3 days' RETURNING 1")
    async with bench.running(keep_receipts=2.0) as client:
        await bench.tell(demand(new, "new"))
        await bench.until(lambda: bench.rows("SELECT 1 FROM trail"), what="the old receipt is a trail")
        await bench.until(lambda: bench.rows("SELECT 1 FROM receipt"), what="the new demand is decided")
        assert [row["case_id"] for row in await bench.rows("SELECT case_id FROM receipt")] == [str(new)]
        (entry,) = (await client.get(f"/trail/{old}")).json()
        assert entry["outputs"][0]["data"]["title"] == "old"
        await bench.rows("UPDATE trail SET case_id = 'a supplier/its offer' RETURNING 1")
        assert len((await client.get("/trail/a supplier/its offer")).json()) == 1, "a case may have a slash"
        (heard,) = (await client.get("/coverage")).json()["consumed"]
        assert heard["count"] == 2, "what was shown stays shown"
        assert "known for 2 days" in (await client.get("/openapi.json")).json()["info"]["description"]


async def test_in_a_batch_of_500_only_what_is_poison_is_set_aside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = (uuid4() for _ in count())
    cases = [*islice((id for id in ids if bench.home(str(id)) == 0), 500)]  # of one partition, so they come together
    sizes, work = list[int](), Lane.work

    async def counted(self: Lane, records: Sequence[Any]) -> None:
        sizes.append(len(records))
        await work(self, records)

    monkeypatch.setattr(Lane, "work", counted)
    titles = {100: "overdraw", 200: ledger.BUG}
    for number, case in enumerate(cases):
        if number == 300:
            await bench.put(b"no JSON", str(case))
        else:
            await bench.tell(demand(case, titles.get(number, "fine")))
    async with bench.running(batch=500, lanes=1) as client:
        await bench.settled()
        await bench.until(lambda: bench.rows("SELECT 1 FROM parked OFFSET 2"), what="three are set aside")
        reasons = {row["case_id"]: row["reason"] for row in (await client.get("/dlq")).json()}
    assert reasons.keys() == {str(cases[number]) for number in (100, 200, 300)}
    assert len(await bench.entries()) == 497
    assert max(sizes) >= 400, "it was no batch of hundreds"


async def test_a_record_that_the_database_refuses_is_found_and_parked_alone(bench: Bench) -> None:
    cases = [uuid4() for _ in range(30)]
    for number, case in enumerate(cases):
        await bench.tell(demand(case, "overdraw" if number == 17 else "fine"))
    async with bench.running() as client:
        await bench.settled()
        parked = (await client.get("/dlq")).json()
    assert [row["case_id"] for row in parked] == [str(cases[17])]
    assert "the database refused it" in parked[0]["reason"]
    assert set(await bench.entries()) == set(cases) - {cases[17]}


async def test_a_timer_fires_once_although_the_service_was_down_when_it_was_due(bench: Bench) -> None:
    case = uuid4()
    async with bench.running():
        await bench.tell(demand(case, "remind"))
        await bench.settled()
    assert await bench.rows("SELECT 1 FROM pending")
    await bench.until(lambda: bench.rows("SELECT 1 FROM pending WHERE due < now()"), what="the timer is due")
    async with bench.running():
        await bench.until(lambda: bench.rows("SELECT 1 FROM entry WHERE reminders > 0"), what="the reminder came")
        await bench.until(lambda: bench.none("SELECT 1 FROM pending"), what="the timer is gone")
    await bench.forget_offsets()
    async with bench.running():
        await bench.until(bench.consumed, what="everything was consumed again")
    assert (await bench.rows("SELECT reminders FROM entry"))[0]["reminders"] == 1


async def test_the_same_key_gets_the_same_answer_and_nothing_happens_twice(bench: Bench) -> None:
    case = uuid4()
    async with bench.running() as client:
        key = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(
            *(client.post(f"/deposits/{case}", json={"euros": 5}, headers=key) for _ in range(20))
        )
        assert {(a.status_code, a.text) for a in answers} == {(201, answers[0].text)}
        assert answers[0].json() == {"demand": str(case), "euros": 5, "deposits": 1}
        other = await client.post(f"/deposits/{case}", json={"euros": 6}, headers=key)
        assert other.status_code == 422, other.text
        elsewhere = await client.post(f"/deposits/{uuid4()}", json={"euros": 5}, headers=key)
        assert elsewhere.status_code == 422
        stranger = await client.post(
            f"/deposits/{case}", json={"euros": 6}, headers=key | {"Client-Id": "somebody else"}
        )
        assert stranger.json()["deposits"] == 2
        missing = await client.post(f"/deposits/{case}", json={"euros": 5})
        assert missing.status_code == 400
        assert missing.headers["content-type"] == "application/problem+json"
    assert (await bench.rows("SELECT total FROM purse"))[0]["total"] == 1_000_011


async def test_two_bodies_under_one_key_at_once_leave_one_effect_and_one_refusal(bench: Bench) -> None:
    case = uuid4()
    async with bench.running() as client:
        posts = [
            client.post(f"/deposits/{case}", json={"euros": euros}, headers={"Idempotency-Key": "race"})
            for euros in (1, 2)
        ]
        answers = await asyncio.gather(*posts)
    assert sorted(a.status_code for a in answers) == [201, 422]
    assert await bench.entries() == {case: ("deposit",)}


async def test_a_command_that_takes_longer_than_the_wait_tells_where_to_look(bench: Bench) -> None:
    case = uuid4()
    async with bench.running() as client:
        await bench.tell(demand(case, "bang"))
        await bench.settled()  # the case is parked: a command about it waits behind
        slow = await client.post(
            f"/deposits/{case}",
            json={"euros": 5},
            headers={"Idempotency-Key": "slow", "Prefer": 'respond-async, wait="0"'},
        )
        assert slow.status_code == 202
        where = slow.headers["location"]
        assert (await client.get(where)).status_code == 404
        culprit = (await client.get("/dlq")).json()[0]["event_id"]
        await client.post(
            f"/dlq/{case}/redrive", json={"discard": culprit}, headers={"Idempotency-Key": "away with it"}
        )
        assert (await client.get(where)).status_code == 201


async def test_a_body_beyond_the_limit_and_garbage_get_a_clear_answer(bench: Bench) -> None:
    async with bench.running() as client:
        key = {"Idempotency-Key": "big"}
        large = await client.post(
            f"/deposits/{uuid4()}", content=b'{"euros": 1, "x": "' + b"x" * 2_000_000 + b'"}', headers=key
        )
        assert (large.status_code, "send less" in large.json()["detail"]) == (413, True)
        for body in (b"\xff\xfe", b'{"euros": "many"}', b"[]", b""):
            answer = await client.post(
                f"/deposits/{uuid4()}", content=body, headers=key | {"Content-Type": "application/json"}
            )
            assert answer.status_code in (400, 422), body
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.get("/nowhere")).json()["status"] == 404
    assert not await bench.rows("SELECT 1 FROM receipt")


async def test_a_service_at_rest_hardly_asks_its_database(bench: Bench) -> None:
    asked = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    async with bench.running():
        await asyncio.sleep(2)
        before = (await bench.rows(asked))[0]["xact_commit"]
        await asyncio.sleep(3)  # a stretch of rest is what is measured
        after = (await bench.rows(asked))[0]["xact_commit"]
    assert after - before < 60, "it asks again and again although nothing is due"
