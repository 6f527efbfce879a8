"""What schemathesis does not think of: each value of a good command replaced by odd ones, and requests out of order."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.value_chain import ACTIVITIES
from tests.api.six import CLIENT, Six, id_of, wrong_with

Json = dict[str, Any]
DAY, LATER = "2026-12-01T00:00:00Z", "2027-12-01T00:00:00Z"
SERVICE, EMILY = "in-car-video-games", "emily@fleet.example"
NOBODY = UUID(int=0)
ENDLESS = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=10_000))
"""A slug that no index of PostgreSQL takes, not even compressed."""
TEXTS = ["\ud800", "a\0b", ENDLESS, "\u202e\U0001f600\uffff", " "]
DAYS = [
    "2026-12-01T00:00:00+23:59",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-12-01",
    253402300800,
]
NUMBERS = [-1, 2**63, 10**400, "!NaN", "!1e999", 5e-324, True, None]
TERM: Json = {"name": "resolve", "value": 4, "unit": "hours"}
REQUIREMENT: Json = {"name": "up", "kind": "utility", "measure": "m", "target": 4, "unit": "%"}
COMMANDS: list[tuple[str, str, str, Json]] = [
    ("plan", "POST", "/policies/{new}", {
        "title": "T", "statement": "S", "issued_by": "board", "valid_from": DAY, "valid_until": LATER,
        "parameters": [{"name": "n", "value": 5, "unit": "euros"}],
    }),
    ("plan", "POST", "/budgets/2031-Q1", {"total": 5, "granted_by": "board", "reason": "r"}),
    ("engage", "POST", "/demands", {
        "requester": EMILY, "requester_name": "E", "segment": "families", "title": "Games stop", "text": "x",
        "kind": "incident", "service": SERVICE, "users_affected": 4, "harm_in_hours": 4.0, "value": 3, "budget": 4,
        "sponsor": "s", "wanted_by": DAY, "offering": "pass", "quantity": 1, "wanted_priority": 1,
    }),
    ("engage", "POST", "/demands/{demand}/value", {
        "stakeholder": EMILY, "verdict": "fully", "utility": True, "warranty": True, "benefits": ["b"],
        "satisfaction": 5, "remark": "r",
    }),
    ("engage", "POST", "/demands/{demand}/withdrawal", {"stakeholder": EMILY, "reason": "r"}),
    ("engage", "POST", "/demands/{demand}/classification", {
        "kind": "incident", "service": SERVICE, "by": "p", "reason": "r",
    }),
    ("engage", "POST", "/demands/{demand}/alteration", {
        "stakeholder": EMILY, "change": "c", "title": "t", "scope": "s", "more_budget": 4, "wanted_by": DAY,
    }),
    ("engage", "POST", "/demands/{demand}/acceptance", {"stakeholder": EMILY, "accepted": True, "remark": "x"}),
    ("engage", "POST", "/services/{new}", {"names": ["a b"], "criticality": "high"}),
    ("engage", "POST", "/segments/{new}/requirements", {
        "customer": "c", "service": SERVICE, "requirements": [REQUIREMENT],
        "preferences": [{"kind": "incident", "wanted_priority": 1, "channel": "api"}],
    }),
    ("engage", "POST", "/stakeholders/{new}", {
        "name": "n", "kind": "consumer", "roles": ["sponsor"], "segment": "families", "organisation": "o",
    }),
    ("engage", "POST", "/suppliers/{new}/services/{new}", {
        "name": "n", "title": "t", "terms": [TERM], "support_hours": "x", "supports": [SERVICE], "agreement": "a/b",
        "valid_from": DAY, "valid_until": LATER,
    }),
    ("engage", "POST", "/agreements/{new}", {
        "kind": "service_level", "title": "t", "service": SERVICE, "counterparty": "c", "terms": [TERM],
        "service_hours": [{"days": ["mon"], "opens": "22:00", "closes": "06:00"}],
        "valid_from": DAY, "valid_until": LATER,
    }),
    ("engage", "POST", "/agreements/{new}/termination", {"by": "c", "reason": "r"}),
    ("engage", "POST", "/opportunities/{new}", {
        "customer": "c", "relationship": "current", "segment": "families", "signal": "wants_more", "title": "t",
        "text": "t", "service": SERVICE, "value": 5, "probability": 0.5, "closes_at": DAY,
    }),
    ("engage", "POST", "/opportunities/{new}/outcome", {"outcome": "won", "by": "c", "reason": "r"}),
    ("design_transition", "PUT", "/services/{new}/readiness", {
        "declared_by": "x", "roles": [{"role": "operator", "staffed": True, "trained": True}],
        "integrations": [{"system": "car", "available": True}], "replaces": "old",
        "factors": [{"kind": "legal", "fact": "f", "effect": "needed", "begins": DAY, "ends": LATER}],
    }),
    ("obtain_build", "POST", "/components/{new}", {"capacity": 5.0, "used": 1.0, "unit": "users"}),
    ("deliver_support", "POST", "/services", {
        "service": "{new}", "title": "t", "criticality": 1, "owner": "o", "live_since": "2026-10-01T00:00:00Z",
        "requirements": [REQUIREMENT],
    }),
    ("deliver_support", "POST", f"/services/{SERVICE}/known-errors", {
        "error": "{new}", "symptoms": ["green screen"], "workaround": "w", "fix": "f",
    }),
    ("deliver_support", "POST", "/support-tasks/{demand}/take-up", {"by": "x"}),
    ("deliver_support", "POST", "/support-tasks/{demand}/wait", {"by": "x", "asks": "y"}),
    ("deliver_support", "POST", f"/monitoring/{SERVICE}", {
        "event": "{new}", "signal": "heat", "value": 50, "threshold": 40, "unit": "C", "severity": "exception",
    }),
    ("deliver_support", "POST", "/offerings/{new}", {
        "title": "t", "service": SERVICE, "names": ["n"], "goods": {"item": "disc", "quantity": 1},
        "access": {"resource": "store", "hours": 4}, "action": {"what": "w", "hours": 1},
        "entitled_segments": ["families"], "approval_above": 4, "price": 5,
    }),
    ("deliver_support", "POST", "/stock/{new}", {
        "component": "disc", "unit": "pieces", "quantity": 5, "reorder_at": 2, "reorder_quantity": 4,
    }),
    ("deliver_support", "POST", "/requests/{demand}/approval", {"by": "m", "approved": True, "reason": "r"}),
    ("improve", "POST", "/initiatives/{new}", {
        "title": "t", "subject": "chain", "measure": "satisfaction", "service": SERVICE, "hypothesis": "h",
        "target": 4, "source": "review", "owner": "o", "value": 5, "cost": 4,
    }),
    ("improve", "POST", "/initiatives/{new}/hold", {"by": "o", "reason": "r"}),
]  # fmt: skip
"""A good command of each sort."""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A caller who keeps no idle connection: one that a service is just closing would be taken for its answer."""
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=60, limits=limits, headers={"Client-Id": CLIENT}) as client:
        yield client


class Caller:
    """Sends commands to one service and notes what is wrong with the answers."""

    def __init__(self, six: Six, client: httpx.AsyncClient) -> None:
        self.six, self.client = six, client
        self.faults: list[str] = []
        self.few = asyncio.Semaphore(8)

    async def send(self, activity: str, method: str, path: str, what: str, **request: Any) -> int:
        """The status of the answer; a command that was taken is waited for until it is decided about."""
        key = uuid4().hex
        request["headers"] = {"Idempotency-Key": key} | request.get("headers", {})
        async with self.few:
            answer = await self.client.request(method, self.six.urls[activity] + path, **request)
            wrong = ""
            if answer.status_code == 202 and "look_at" in answer.text:
                wrong = await self.six.settled(activity, id_of(key))
            elif answer.is_error:
                wrong = wrong_with(answer.status_code, answer.headers.get("content-type", ""), answer.content)
        if wrong:
            self.faults.append(f"{activity} {method} {path[:60]}, {what}: {wrong[:500]}")
        return answer.status_code

    async def nothing_is_broken(self) -> None:
        """All services are ready, nothing is parked, and no answer was improper."""
        assert not self.faults, "\n".join(self.faults)
        for activity in ACTIVITIES:
            answer = await self.client.get(f"{self.six.urls[activity]}/readyz")
            assert answer.status_code == 200, f"{activity}: {answer.text}"
            assert not await self.six.parked(activity)


def odd_bodies(body: Any, whole: Json | None = None, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, bytes]]:
    """The body with one value replaced by an odd one, for each value and each odd one."""
    whole = body if whole is None else whole
    for place, value in body.items() if isinstance(body, dict) else enumerate(body):
        here = (*path, place)
        if isinstance(value, dict | list):
            yield from odd_bodies(value, whole, here)
            continue
        for odd in NUMBERS if not isinstance(value, str) else DAYS if value[:2] == "20" else TEXTS:
            changed = json.loads(json.dumps(whole))
            inner = changed
            for step in here[:-1]:
                inner = inner[step]
            inner[place] = odd
            text = json.dumps(changed)
            for constant in ("NaN", "1e999"):  # which JSON does not have, and Python reads
                text = text.replace(f'"!{constant}"', constant)
            yield f"{'.'.join(map(str, here))} = {str(odd)[:30]!r}", text.encode()


@pytest.mark.parametrize("activity", ACTIVITIES)
async def test_an_odd_value_is_refused_or_worked_with_and_never_breaks_anything(
    six: Six, client: httpx.AsyncClient, activity: str
) -> None:
    caller = Caller(six, client)
    statuses: set[int] = set()
    number = 0
    for owner, method, path, body in COMMANDS:
        if owner != activity:
            continue
        sending = []
        for what, text in odd_bodies(body):
            number += 1
            words = {"{new}": f"new-{number}", "{demand}": str(id_of(f"{number}"))}
            address, content = path, text.decode()
            for word, name in words.items():
                address, content = address.replace(word, name), content.replace(word, name)
            headers = {"Content-Type": "application/json"}
            sending.append(caller.send(owner, method, address, what, content=content.encode(), headers=headers))
        statuses.update(await asyncio.gather(*sending))
    assert 422 in statuses
    await caller.nothing_is_broken()


async def test_an_address_that_cannot_be_is_refused(six: Six, client: httpx.AsyncClient) -> None:
    caller = Caller(six, client)
    for activity, method, path, body in COMMANDS:
        for odd in (ENDLESS, "%00", "%ED%A0%80", "%20"):
            address = path.replace("{new}", odd).replace("{demand}", odd)
            if address != path:
                status = await caller.send(activity, method, address, f"address {odd[:20]}", json=body)
                good = len(odd) < 20 and odd != "%00" and path.startswith("/stakeholders")  # known by any text
                assert good or status in (404, 422), f"{activity} {method} {address[:60]}: {status}"
        slashed = path.replace("{new}", "a%2Fb")
        status = await caller.send(activity, method, slashed, "%2F", json={})
        assert status in (404, 405, 422), f"{activity} {method} {slashed}: {status}"
    await caller.nothing_is_broken()


async def test_a_command_without_a_key_or_of_another_sort_than_json_is_refused_and_changes_nothing(
    six: Six, client: httpx.AsyncClient
) -> None:
    caller = Caller(six, client)
    judged: set[str] = set()
    for activity, method, path, body in COMMANDS:
        new = f"new-{uuid4()}"
        address = path.replace("{new}", new).replace("{demand}", str(uuid4()))
        content = json.dumps(body).replace("{new}", new)
        as_json = {"Content-Type": "application/json"}
        before = await six.picture(activity, NOBODY)
        refused = {
            "no key": await caller.send(
                activity, method, address, "no key", content=content, headers={"Idempotency-Key": "", **as_json}
            ),
            "a long key": await caller.send(
                activity,
                method,
                address,
                "long key",
                content=content,
                headers={"Idempotency-Key": "k" * 300, **as_json},
            ),
            "text": await caller.send(
                activity, method, address, "text", content=content, headers={"Content-Type": "text/plain"}
            ),
            "a form": await caller.send(activity, method, address, "form", data={"a": "b"}),
            "broken": await caller.send(activity, method, address, "broken", content=content[:-1], headers=as_json),
            "binary": await caller.send(activity, method, address, "binary", content=b"\xff\xfe{", headers=as_json),
            "deep": await caller.send(activity, method, address, "deep", content=b"[" * 100_000, headers=as_json),
            "large": await caller.send(activity, method, address, "large", json={"a": "x" * 300_000}),
        }
        after = await six.picture(activity, NOBODY)
        if after.receipts == before.receipts:  # nothing else was decided about meanwhile
            judged.add(activity)
            assert after.rows == before.rows, f"{activity} {method} {path}"
        expected = dict.fromkeys(refused, 422) | {"no key": 400, "large": 413}
        assert {k: 422 if k in ("broken", "binary", "deep") and v == 400 else v for k, v in refused.items()} == expected
    await caller.nothing_is_broken()
    assert judged == set(ACTIVITIES)


async def test_a_view_refuses_a_limit_or_a_state_that_cannot_be(six: Six, client: httpx.AsyncClient) -> None:
    caller = Caller(six, client)
    refused = 0
    for activity in ACTIVITIES:
        paths = (await client.get(f"{six.urls[activity]}/openapi.json")).json()["paths"]
        for path, operations in paths.items():
            if "{" in path or "get" not in operations:
                continue
            assert await caller.send(activity, "GET", path, "as it is") == 200, path
            for parameter in operations["get"].get("parameters", []):
                if parameter["in"] == "query":
                    odd = ("-1", "0", "1001", "9" * 30, "x") if parameter["name"] == "limit" else ("%00", "%ED%A0%80")
                    for value in odd:
                        status = await caller.send(activity, "GET", f"{path}?{parameter['name']}={value}", "query")
                        refused += status == 422
                        assert status == 422 or parameter["name"] != "limit", f"{activity} {path} {value}"
    assert refused > 50
    await caller.nothing_is_broken()
