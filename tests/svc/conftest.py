"""A small journey as the services' trails tell it: an incident, from its ticket to the week's figures."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson
import pytest

from contracts.deliver_support import SupportTaskCompleted
from contracts.engage import DemandStatusReported, SupportTaskRequested
from contracts.envelope import encode, source_of
from contracts.event import Command, Fact, Message
from contracts.improve import ChainPerformanceReported
from contracts.outside import TicketPushed
from contracts.value_chain import IMPROVE
from contracts.values import Kpi

DEMAND = UUID("11111111-1111-4111-8111-111111111111")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-03"


class ResolutionDone(Command, activity="deliver_support"):
    """A command that Deliver and support gives itself."""

    demand: UUID


class MeasureTaken(Command, activity="improve", case="period"):
    """A command that Improve gives itself about another case."""

    period: str


class Trails:
    """The trails of the six services, as they grow."""

    def __init__(self) -> None:
        self.by_activity: dict[str, list[dict[str, Any]]] = {}
        self.minutes = 0

    def add(
        self, activity: str, heard: Message, id: UUID, *, teller: str = "", cause: UUID | None = None,
        told: Sequence[Message] = (), waits: Sequence[dict[str, Any]] = (), at: int | None = None, **more: object,
    ) -> list[UUID]:  # fmt: skip
        """A receipt of `heard`; returns the ids of what was told."""
        self.minutes += 1
        time = NOON + timedelta(minutes=self.minutes if at is None else at)
        ids = [uuid5(id, f"{activity}{index}") for index in range(len(told))]
        outputs = [
            encode(
                one, id=out, source=source_of(activity), time=time, cause=str(id), sequence=1, traceparent=TRACEPARENT
            )
            for one, out in zip(told, ids, strict=True)
        ]
        self.by_activity.setdefault(activity, []).append(
            {
                "id": str(id), "at": time.isoformat(), "case": heard.case, "type": heard.type,
                "source": source_of(teller) if teller else "/client/local", "time": time.isoformat(),
                "decided_at": time.isoformat(), "cause": str(cause) if cause else None, "effect": True,
                "outputs": [orjson.loads(value) for value in outputs], "waits": list(waits),
                **({"data": orjson.loads(heard.model_dump_json())} if isinstance(heard, Command) else {}), **more,
            }
        )  # fmt: skip
        return ids


@pytest.fixture
def trails() -> Trails:
    """An incident's journey; its receipts stand in no useful order."""
    found = Trails()
    ticket = TicketPushed(
        demand=DEMAND, desk="roundup", delivery="d1", ticket="7", url="https://desk/7", kind="created",
        title="Games stop", text="They go black", requester_name="Emily", requester_email="emily@fleet.example",
        occurred_at=NOON,
    )  # fmt: skip
    task = SupportTaskRequested(
        demand=DEMAND, task="resolve", title="Games stop", text="They go black", service="in-car-video-games",
        kind="incident", requester="emily@fleet.example", impact=2, urgency=3, priority=4, wanted_priority=3,
        respond_by=NOON + timedelta(hours=16), resolve_by=NOON + timedelta(hours=72),
        reasons=("It hinders 40 people.", "Nobody is in danger."),
        basis=(Fact(name="users", value=40, source="the words '40 users'"), Fact(name="impact", value=2)),
    )  # fmt: skip
    status = DemandStatusReported(
        demand=DEMAND, status="in_progress", requester="emily@fleet.example", text="It is in work.",
        asks_confirmation=False,
    )  # fmt: skip
    completed = SupportTaskCompleted(
        demand=DEMAND, task="resolve", service="in-car-video-games", outcome="resolved",
        resolution="Reset the display.",
        started_at=NOON, completed_at=NOON + timedelta(hours=5), respond_by=NOON + timedelta(hours=16),
        resolve_by=NOON + timedelta(hours=72), responded_in_time=True, resolved_in_time=True,
        reasons=("A known fix helped.",), basis=(Fact(name="fix", value="reset", source="known errors"),),
    )  # fmt: skip
    figures = ChainPerformanceReported(
        period="2026-W48", kpis=(Kpi(name="sla_met", value=100, unit="%", target=95, met=True, count=1),)
    )  # fmt: skip
    done, measured = ResolutionDone(demand=DEMAND), MeasureTaken(period="2026-W48")
    first, timer = uuid5(DEMAND, "push"), uuid5(DEMAND, "timer")

    requested, _ = found.add("engage", ticket, first, told=(task, status), handler="take_ticket")
    waits = [{"id": str(timer), "type": done.type, "due": (NOON + timedelta(hours=5)).isoformat()}]
    found.add("deliver_support", task, requested, teller="engage", cause=first, waits=waits, does="resolve incident")
    (end,) = found.add("deliver_support", done, timer, teller="deliver_support", cause=requested, told=(completed,))
    overdue = [{"id": str(uuid5(end, "late")), "type": done.type, "due": (NOON + timedelta(days=14)).isoformat()}]
    found.add("engage", completed, end, teller="deliver_support", cause=timer, waits=overdue)
    (period,) = found.add("improve", completed, end, teller="deliver_support", cause=timer, told=(measured,))
    found.add(IMPROVE, measured, period, teller="improve", cause=end, told=(figures,))
    for trail in found.by_activity.values():
        trail.reverse()
    return found
