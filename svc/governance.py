"""What an organisation says before any demand comes: its policies, its budget, and what is live already.

It goes in through the front doors, like anything from outside, and only what has not been said yet.
"""

from datetime import datetime, timedelta
from typing import Any

from contracts.value_chain import DELIVER_SUPPORT, ENGAGE, PLAN
from svc.services import Services

POLICIES: dict[str, dict[str, Any]] = {
    "funding": {
        "title": "Funding of products and services",
        "statement": "Fund what brings half a euro a year for each euro spent, while the quarter's budget lasts.",
        "parameters": [
            {"name": "min_value_cost_ratio", "value": 0.5},
            {"name": "approval_threshold", "value": 150_000, "unit": "euros"},
            {"name": "estimate_base", "value": 20_000, "unit": "euros"},
            {"name": "estimate_per_user", "value": 20, "unit": "euros"},
        ],
    },
    "change-authority": {
        "title": "Who approves a change",
        "statement": "Nobody approves their own change; the dearer it is and the more users it has, the higher up.",
        "parameters": [
            {"name": "manager_from", "value": 10_000, "unit": "euros"},
            {"name": "board_from", "value": 100_000, "unit": "euros"},
            {"name": "notice_hours", "value": 24, "unit": "hours"},
        ],
    },
    "sourcing": {
        "title": "Make or buy",
        "statement": "Reuse what is there; else take the least costly way that is there in time, its risk counted.",
        "parameters": [
            {"name": "hourly_rate", "value": 75, "unit": "euros"},
            {"name": "hours_per_part", "value": 40, "unit": "hours"},
        ],
    },
}
LEFT_IN_BUDGET, GRANT = 100_000, 250_000
"""Euros: with less than the first left in the quarter, so much is granted beyond what is bound."""
AT_ONCE: dict[str, Any] = {
    "title": "Who approves a change",
    "statement": "A normal change needs no notice.",
    "issued_by": "whoever tries the chain out",
    "parameters": [{"name": "notice_hours", "value": 0, "unit": "hours"}],
    "valid_from": "2026-01-01T00:00:00Z",
}
"""Where a new service must not wait for a day: with the usual notice it is deployed a day later."""
PLENTY = 50_000_000
"""Euros: more than the demands of a test or of a measurement can bind in a quarter."""
SERVICE = "in-car-video-games"
LIVE = {"service": SERVICE, "title": "In-car video games", "criticality": 2, "owner": "head of in-car entertainment"}
NAMES = {"names": ["in-car video games", "video games"], "criticality": "medium"}
KNOWN_ERROR = {
    "error": "display-sleeps-while-charging",
    "symptoms": ["black screen"],
    "workaround": "Play before or after charging.",
    "fix": "We have switched off the display's power saving while the car is charging: the picture stays on.",
}


async def prepare(services: Services, now: datetime) -> list[str]:
    """Say all of it that is not known yet, at chain time `now`; returns what was said, in words."""
    said = []
    known = {policy["policy"] for policy in (await services.ask(PLAN, "GET", "/policies")).json()}
    for policy, body in POLICIES.items():
        if policy not in known:
            about = {**body, "issued_by": "the governing body", "valid_from": now.isoformat()}
            await services.command(PLAN, f"/policies/{policy}", about)
            said.append(f"policy “{body['title']}”")
    budgets = {budget["quarter"]: budget for budget in (await services.ask(PLAN, "GET", "/budgets")).json()}
    # at speed, a quarter that is all but over is over before a demand is weighed
    for quarter in sorted({quarter_of(now), quarter_of(now + timedelta(days=2))}):
        budget = budgets.get(quarter, {"total": 0, "reserved": 0, "spent": 0})
        bound = budget["reserved"] + budget["spent"]
        if budget["total"] - bound < LEFT_IN_BUDGET:
            grant = {"total": bound + GRANT, "reason": "The portfolio needs it."}
            await services.command(PLAN, f"/budgets/{quarter}", grant)
            said.append(f"{bound + GRANT:,} euros for {quarter}")
    live = {service["id"]: service for service in (await services.ask(DELIVER_SUPPORT, "GET", "/services")).json()}
    if SERVICE not in live:
        await services.command(DELIVER_SUPPORT, "/services", LIVE)
        await services.command(ENGAGE, f"/services/{SERVICE}", NAMES)
        said.append(f"“{LIVE['title']}” is live")
    if not live.get(SERVICE, {}).get("known_errors"):
        await services.command(DELIVER_SUPPORT, f"/services/{SERVICE}/known-errors", KNOWN_ERROR)
    return said


def quarter_of(time: datetime) -> str:
    """The name of a quarter, as Plan's budgets have it: `2026-Q4`."""
    return f"{time.year}-Q{(time.month + 2) // 3}"
