from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from contracts.outside import Judgement
from services.engage.desks.standard_webhooks import sign
from svc.consumer import Consumer, facts, judge
from svc.loopback import serve

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DEMAND = {
    "id": "d", "title": "Games stop", "delivered": "The display was reset.", "service": "games",
    "promised_by": "2026-11-24T12:00:00Z", "delivered_at": "2026-11-24T11:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("delivered", "live", "verdict"),
    [
        ({}, {"games"}, "fully"),
        ({"promised_by": None}, {"games"}, "fully"),
        ({"delivered_at": "2026-11-24T13:00:00Z"}, {"games"}, "partly"),
        ({"delivered": "This is a workaround: play later."}, {"games"}, "partly"),
        ({}, {"maps"}, "partly"),
        ({"delivered_at": "2026-11-24T13:00:00Z"}, set(), "not"),
    ],
)
def test_a_consumer_judges_by_what_is_usable_and_when_it_came(delivered: dict[str, Any], live: set[str], verdict: str):
    judgement = judge(facts({**DEMAND, **delivered}, live))
    assert judgement["verdict"] == verdict
    assert Judgement(stakeholder="emily@fleet.example", **judgement)


@pytest.fixture
def consumer() -> Consumer:
    return Consumer(SECRET)


async def notify(consumer: Consumer, number: int, *, asks: bool, secret: str = SECRET) -> int:
    notice = {"demand": str(UUID(int=1)), "number": number, "asks_confirmation": asks}
    body = orjson.dumps(notice)
    headers = sign(secret, delivery=str(number), timestamp=datetime.now(UTC), body=body)
    async with serve(consumer.app) as url, httpx.AsyncClient() as client:
        return (await client.post(f"{url}/notices", content=body, headers=headers)).status_code


async def test_the_newest_notice_counts_in_whichever_order_they_arrive(consumer: Consumer):
    assert await notify(consumer, 2, asks=True) == 202
    assert await notify(consumer, 1, asks=False) == 202
    assert consumer.asked(UUID(int=1))
    await notify(consumer, 3, asks=False)
    assert not consumer.asked(UUID(int=1))


async def test_a_notice_that_engage_has_not_signed_is_not_believed(consumer: Consumer):
    assert await notify(consumer, 1, asks=True, secret="whsec_" + "A" * 44) == 401
    assert not consumer.asked(UUID(int=1))
