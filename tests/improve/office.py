"""Improve as it works: every handler of it, its rows and its timers, in memory and in order."""

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from contracts.deliver_support import ServicePerformanceReported, SupportEscalated
from contracts.engage import (
    DemandConsolidated,
    EngagementPerformanceReported,
    ImprovementOpportunityIdentified,
    ThirdPartyServiceReported,
    ValueJudged,
)
from contracts.event import Command, Event, Message
from contracts.plan import ImprovementPlanned, PlanningPerformanceReported, PlanPublished
from services.chassis.handlers import Rows
from services.chassis.outputs import Answer, Later
from services.chassis.state import State
from services.improve.handlers import handles
from services.improve.model import Initiative, InitiativeEntered

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Told = TypeVar("Told", bound=Message)


class Office:
    """Hears messages, follows its own commands at once and its timers when `until` says so."""

    def __init__(self) -> None:
        self.rows: dict[tuple[type[State[Any]], Any], State[Any]] = {}
        self.told: list[Event] = []
        self.answers: list[Answer] = []
        self.timers: list[tuple[datetime, int, Command]] = []
        self.numbers = count(1)
        self.now = NOW

    def hear(self, *messages: Message, at: datetime | None = None) -> list[Event]:
        """What is told because of these messages, told at `at`, by the commands that follow from them as well."""
        self.now = at or self.now
        before = len(self.told)
        for message in messages:
            self.take(message.at(self.now, id=UUID(int=next(self.numbers))))
        return self.told[before:]

    def until(self, time: datetime) -> list[Event]:
        """What is told by timers that are due up to `time`."""
        before = len(self.told)
        while self.timers and self.timers[0][0] <= time:
            due, _, command = heappop(self.timers)
            self.hear(command, at=max(due, self.now))
        self.now = time
        return self.told[before:]

    def take(self, message: Message) -> None:
        """Let the handler decide: it tells of its own case only, and changes nothing that it reads."""
        handler = next(one for (kind, _), one in handles.registered.items() if kind == message.type)
        arguments: list[Any] = []
        read: list[tuple[State[Any], str]] = []
        for parameter in handler.parameters:
            assert isinstance(parameter, Rows)
            found = {key: self.row(parameter.state, key) for key in parameter.wanted(message)}
            read += [(row, row.model_dump_json()) for row in found.values() if parameter.read]
            arguments.append(found if parameter.many else next(iter(found.values())))
        outputs = handler.decide(message, *arguments)
        assert all(row.model_dump_json() == was for row, was in read)
        for output in outputs:
            assert type(output) in handler.may_tell
            match output:
                case Answer():
                    self.answers.append(output)
                case Later(due, command):
                    heappush(self.timers, (due, next(self.numbers), command))
                case Command():
                    self.take(output.at(message.time, id=UUID(int=next(self.numbers))))
                case Event():
                    assert output.case == message.case
                    self.told.append(type(output).model_validate_json(output.model_dump_json()))

    def row(self, state: type[State[Any]], key: Any) -> Any:
        """The row with this id, which survives being stored; one with defaults when there is none."""
        row = self.rows.setdefault((state, key), state(id=key))
        stored = state.load(state.dump([row]))[key]
        assert stored == row
        return row

    def all(self, kind: type[Told]) -> list[Told]:
        """Everything of a kind that was told."""
        return [event for event in self.told if isinstance(event, kind)]

    def initiative(self, name: str) -> Initiative:
        """An entry of the register."""
        row = self.row(Initiative, name)
        assert isinstance(row, Initiative)
        return row


def demand(number: int) -> UUID:
    """The id of a demand."""
    return UUID(int=1_000 + number)


def support(number: int, *, met: bool, service: str | None = "games", hours: float = 2) -> ServicePerformanceReported:
    """A case of support that kept its targets, or did not."""
    return ServicePerformanceReported(
        demand=demand(number), service=service, priority=3, respond_seconds=60, respond_target_seconds=3600,
        restore_seconds=hours * 3600, restore_target_seconds=4 * 3600, met=met,
    )  # fmt: skip


def escalated(number: int, *, breached: bool = True, service: str | None = "games") -> SupportEscalated:
    """A target that is missed, or in danger."""
    return SupportEscalated(
        demand=demand(number), service=service, target="resolve", due_at=NOW, breached=breached, level=1, to="manager"
    )


def judged(number: int, satisfaction: int | None = None, verdict: str = "fully", service: str = "games") -> ValueJudged:
    """What a consumer answered."""
    answer = {
        "demand": demand(number), "stakeholder": "ada@example.org", "verdict": verdict, "utility": True,
        "warranty": True, "satisfaction": satisfaction, "kind": "incident", "asked": "games", "delivered": "games",
        "promised_by": None, "delivered_at": None, "service": service,
    }  # fmt: skip
    return ValueJudged.model_validate(answer)


def remark(
    number: int, satisfaction: int | None = None, source: str = "feedback", service: str | None = "games", **more: Any
) -> ImprovementOpportunityIdentified:
    """What somebody says could be better."""
    said = {
        "demand": demand(number), "title": "Starting a game takes long", "text": "It takes long.", "source": source,
        "stakeholder": "ada@example.org", "stakeholder_kind": "consumer", "service": service,
        "satisfaction": satisfaction,
    }  # fmt: skip
    return ImprovementOpportunityIdentified.model_validate(said | more)


def plan(
    plan_id: str, version: int = 1, *, since: datetime = NOW - DAY, until: datetime | None = None, **targets: float
) -> PlanPublished:
    """A plan with targets by objective, written with underscores."""
    objectives = [
        {
            "objective": name.replace("_", "-"), "statement": "Better", "measure": name, "target": target, "unit": "",
            "due_at": NOW + 90 * DAY,
        }
        for name, target in targets.items()
    ]  # fmt: skip
    published = {
        "plan": plan_id, "version": version, "level": "operational", "title": plan_id, "vision": "", "status": "",
        "direction": "", "objectives": objectives, "valid_from": since, "valid_until": until, "reasons": ("So it is.",),
        "basis": (),
    }  # fmt: skip
    return PlanPublished.model_validate(published)


def decision(initiative: str, verdict: str = "approve", *, starts: datetime | None = NOW, due: datetime | None = None,
             reason: str = "It pays.") -> ImprovementPlanned:  # fmt: skip
    """Plan's decision about an initiative."""
    decided = {
        "initiative": initiative, "title": "Better", "decision": verdict, "subject": "services",
        "objective": "satisfaction", "owner": "service owner", "cost": 5_000, "quarter": "2026-Q4",
        "starts_at": starts if verdict == "approve" else None, "reasons": (reason,), "basis": (),
        "due_at": (due or NOW + 7 * DAY) if verdict == "approve" else None,
    }  # fmt: skip
    return ImprovementPlanned.model_validate(decided)


def supplier(status: str, version: int = 1, supports: tuple[str, ...] = ("games",)) -> ThirdPartyServiceReported:
    """How a supplier's service stands."""
    return ThirdPartyServiceReported.model_validate(
        {
            "supplier": "cloud-ltd", "version": version, "name": "Cloud Ltd", "service": "streaming",
            "title": "Streaming", "status": status, "terms": (), "support_hours": "", "supports": supports,
            "valid_from": NOW,
        }
    )  # fmt: skip


def engagement(day: str, demands: int, complaints: int, version: int = 1) -> EngagementPerformanceReported:
    """Engage's report of a day."""
    return EngagementPerformanceReported(
        period=day, version=version, kpis=(), demands=demands, open_demands=0, complaints=complaints, answers=0,
        realised=0,
    )  # fmt: skip


def planning(day: str, decided: int, waiting: int, version: int = 1) -> PlanningPerformanceReported:
    """Plan's report of a day."""
    return PlanningPerformanceReported(
        period=day, version=version, kpis=(), decided=decided, waiting=waiting, budget_total=0, budget_spent=0
    )


def consolidated(number: int, kind: str = "change_request", *, promise: timedelta = 10 * DAY) -> DemandConsolidated:
    """A demand that Engage has understood."""
    return DemandConsolidated(
        demand=demand(number), title="More games", text="More games", kind=kind, requester="ada@example.org",
        segment="", service="games", tickets=(), users=1, value=1, effort=None, wanted_by=None,
        promise_by=NOW + promise, channel="api",
    )  # fmt: skip


def entered(initiative: str = "faster-help", **changes: Any) -> InitiativeEntered:
    """What an audit proposes."""
    return InitiativeEntered(
        initiative=initiative, title="Help sooner", subject="services", measure="sla_met", service="games",
        hypothesis="Two more people at the desk.", target=0.95, source="audit", owner="service desk manager",
        value=9_000, cost=3_000,
    ).model_copy(update=changes)  # fmt: skip
