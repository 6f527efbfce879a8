"""The doors of a simulation are the real ones: what they refuse changes nothing, and a key means one call."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.value_chain import ENGAGE, PLAN
from services.engage import notices
from services.engage.notices import Desk
from svc.governance import SERVICE
from svc.scenario.say import Say
from svc.simulation.chain import nobody_reacts
from svc.simulation.outside import SECRET

WISH: dict[str, Any] = {"requester": "emily", "title": "Games stop", "text": "It is broken.", "kind": "incident"}


def says(outside, body: dict[str, Any], key: str = "one", path: str = "/demands", *, after: int = 1) -> Say:
    return Say(outside.start + timedelta(hours=after), ENGAGE, "POST", path, body, key)


@pytest.mark.parametrize(
    ("body", "path", "status"),
    [
        ({"title": "No requester", "text": ""}, "/demands", 422),
        (WISH | {"colour": "red"}, "/demands", 422),
        (WISH | {"title": "a\0b"}, "/demands", 422),
        (WISH | {"text": "x" * 300_000}, "/demands", 413),
        (WISH, "/nowhere", 404),
        ({"stakeholder": "emily", "reason": ""}, "/demands/11111111-1111-4111-8111-111111111111/withdrawal", 404),
        ({"type": "issue.created"}, "/desks/roundup", 422),
    ],
)
async def test_what_a_door_refuses_changes_nothing(simulate, outside, body, path: str, status: int) -> None:
    nothing = await simulate(said=[], days=1)
    chain = await simulate(said=[says(outside, body, path=path)], days=1)
    assert chain.answers["one"] == status
    assert [(one.say.path, one.status) for one in chain.refused] == [(path, status)]
    assert chain.refused[0].detail.count(":")
    assert chain.history.demands == {}
    assert [one.id for one in nothing.told] == [one.id for one in chain.told]


async def test_one_key_is_one_call(simulate, outside) -> None:
    again, other, without = (
        says(outside, WISH, after=2), says(outside, WISH | {"title": "Another"}, after=3), says(outside, WISH, key="")
    )  # fmt: skip
    chain = await simulate(said=[says(outside, WISH), again, other, without], days=1)
    assert len(chain.history.demands) == 1
    assert chain.statuses[422] == 1, "the same key with another body"
    assert chain.answers[""] == 400, "no key"
    assert not chain.aside


async def test_an_answer_is_the_handlers_own(simulate, outside) -> None:
    described = Say(outside.start, ENGAGE, "POST", "/services/a-new-one", {"names": ["the new one"]}, "described")
    overdrawn = Say(outside.start, PLAN, "POST", "/budgets/2026-Q9", {"total": 1}, "no such quarter")
    chain = await simulate(said=[described, overdrawn, says(outside, WISH)], days=1)
    assert chain.answers["described"] == 200
    assert chain.answers["one"] == 201
    assert chain.answers["no such quarter"] == 422


async def test_a_desk_pushes_signed_and_takes_notices(simulate, outside) -> None:
    ticket = {
        "id": "7", "url": "https://desk.example/7", "title": "Games stop", "status": "unread", "type": "Incident",
        "priority": "bug", "service": "in-car video games", "users_affected": 4,
        "requester": {"name": "Emily", "email": "emily@fleet.example"},
    }  # fmt: skip
    data = {"ticket": ticket, "message": {"text": "It shows a black screen."}}
    push = {"type": "issue.created", "timestamp": "2026-10-01T01:00:00Z", "data": data}
    before = dict(notices.DESKS)
    chain = await simulate(said=[says(outside, push, "push-1", "/desks/roundup")], react=nobody_reacts)
    (demand,) = chain.history.demands.values()
    assert (demand.desk, demand.ticket, demand.service) == ("roundup", "7", SERVICE)
    assert demand.notices >= 2
    assert demand.notice_failed == "", "the desk has taken each"
    assert chain.answers["push-1"] == 202
    assert before == notices.DESKS, "as they were before"
    assert Desk(secrets=(SECRET,)).reply_url is None


async def test_a_view_is_for_people(simulate, outside) -> None:
    look = Say(outside.start, ENGAGE, "GET", "/demands?limit=5", {}, "look")
    chain = await simulate(said=[look], days=1)
    assert chain.answers["look"] == 501
