"""Hours of service from a scenario's file to the report: what comes on a Friday evening is promised for Monday."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from contracts.deliver_support import ServicePerformanceReported, SupportTaskCompleted
from contracts.engage import SupportTaskRequested
from contracts.value_chain import ENGAGE
from svc.invariants import violations
from svc.scenario import Say

FRIDAY, MONDAY = datetime(2026, 11, 27, 17, 30, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
NO_MAIL = {
    "requester": "field-3@northmill.example", "channel": "phone", "kind": "incident", "service": "mobile-telephony",
    "title": "No mail on my phone", "text": "I get no mail.", "harm_in_hours": 20,
}  # fmt: skip


def on_friday(said: Iterable[Say]) -> list[Say]:
    """Two incidents in place of the day: half an hour before the desk closes, and at night."""
    late = [("late", FRIDAY, NO_MAIL), ("at night", FRIDAY + 6 * HOUR, NO_MAIL | {"title": "No calls on my phone"})]
    return [Say(at, ENGAGE, "POST", "/demands", body, key) for key, at, body in late]


async def test_what_is_promised_in_office_hours_is_due_kept_and_reported_in_office_hours(play) -> None:
    chain = await play("employee-phones", saying=on_friday, days=8)
    asked = {told.case: told.data for told in chain.history.events(SupportTaskRequested)}
    done = {told.case: told.data for told in chain.history.events(SupportTaskCompleted)}
    measured = {told.case: told.data for told in chain.history.events(ServicePerformanceReported)}
    late, night = sorted(asked, key=lambda case: asked[case]["resolve_by"])
    assert all(one["service_hours"][0]["opens"] == "07:00" for one in asked.values())
    due = [datetime.fromisoformat(done[case]["resolve_by"]) for case in (late, night)]
    assert due == [MONDAY + 14.5 * HOUR, MONDAY + 15 * HOUR], "eight hours of the agreement, by 11 hours a day"
    for case in (late, night):
        assert any("only these hours count" in why for why in asked[case]["reasons"])
        assert measured[case]["restore_target_seconds"] == 8 * 3600
        assert measured[case]["met"] is done[case]["resolved_in_time"]
    ended = datetime.fromisoformat(done[night]["completed_at"])
    assert ended < MONDAY, "somebody has worked at night"
    assert measured[night]["restore_seconds"] == 0, "none of its hours of service had gone by"
    assert violations(chain.history) == []


@pytest.mark.parametrize(
    ("name", "agreement"), [("carcachin", "premium-games"), ("employee-phones", "field-staff-reachable")]
)
async def test_both_organisations_promise_hours_of_service(play, name: str, agreement: str) -> None:
    chain = await play(name, saying=lambda said: [], days=0.1)
    (row,) = [one for one in chain.history.rows["engage"]["Agreement"] if one.id == agreement]
    assert (row.status, len(row.service_hours)) == ("in_force", 1)
    (outlook,) = chain.history.rows["deliver_support"]["Outlook"]
    assert {one.agreement: one.service_hours for one in outlook.promises}[agreement] == row.service_hours
