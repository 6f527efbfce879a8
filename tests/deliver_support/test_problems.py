"""From what monitoring sees and what keeps coming to a problem, its change, and its proof."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from contracts.deliver_support import ChangeRequested, ServiceDelivered, ServicePerformanceReported
from contracts.design_transition import DeploymentPlanned, ServiceReleased
from contracts.engage import DemandConsolidated, SupportTaskRequested
from contracts.event import Message
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.obtain_build import ChangedServiceReported
from contracts.plan import Objective, PlanPublished
from services.chassis.outputs import Answer, Later, Problem, Work
from services.deliver_support.handlers import (
    ask_for_change,
    close_problem,
    complete_alarm,
    complete_support_task,
    count_incident,
    end_problem_change,
    end_waiting,
    expect_change,
    follow_initiative,
    follow_plan,
    hear_demand,
    note_initiative,
    plan_deployment,
    prove_change,
    raise_incident,
    record_known_error,
    review_problems,
    settle_problem,
    take_live,
    take_monitoring_event,
    take_support_task,
)
from services.deliver_support.model import (
    Deployment,
    KnownErrorRecorded,
    LiveService,
    Outlook,
    Resolution,
    ResolutionDone,
)
from services.deliver_support.problem import MOST_INCIDENTS, MOST_PROBLEMS, PROVING
from services.deliver_support.problem_model import (
    IncidentCounted,
    IncidentRaised,
    MonitoringReported,
    ProblemChangeEnded,
    ProblemSettled,
    ProblemsReviewed,
    ProblemWeighed,
    ProvingOver,
    ServiceChanged,
    Trend,
)

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GAMES = "in-car-video-games"


class Desk:
    """A service with its row, its trend and the outlook: hands commands to whom they are for, as the lanes do."""

    def __init__(self, criticality: Literal[1, 2, 3] = 2) -> None:
        self.service = LiveService(id=GAMES, title="In-car video games", live_since=NOW, owner="games owner")
        self.service.criticality = criticality
        self.trend, self.outlook = Trend(id=GAMES), Outlook(id="the")
        self.asked: list[ChangeRequested] = []
        self.timers: list[Later] = []
        self.number = 0

    def pass_on(self, told: list[Any], time: datetime) -> None:
        """Each command to its handler; what is told outside is kept."""
        for one in told:
            if isinstance(one, ChangeRequested):
                self.asked.append(one)
            elif isinstance(one, Later):
                self.timers.append(one)
            elif isinstance(one, Message):
                self.pass_on(self.decide(one.at(time)), time)

    def decide(self, message: Message) -> list[Any]:
        match message:
            case IncidentCounted():
                return [*count_incident(message, self.trend, self.outlook)]
            case KnownErrorRecorded():
                return [*record_known_error(message, self.service)]
            case ProblemWeighed():
                return [*ask_for_change(message, self.service, self.outlook)]
            case ProblemSettled():
                return [*settle_problem(message, self.trend, self.service)]
            case ProblemsReviewed():
                return [*review_problems(message, self.trend, self.outlook)]
            case ServiceChanged():
                return [*prove_change(message, self.trend, self.outlook)]
            case ProvingOver():
                return [*close_problem(message, self.trend, self.service)]
            case ProblemChangeEnded():
                return [*end_problem_change(message, self.trend, self.service)]
        return []

    def incident(
        self, title: str = "Black screen", after: timedelta = timedelta(0), priority: int = 3, users: int = 50
    ) -> str:
        """An incident from its request to its end, six hours later; says which known error it was matched with."""
        self.number += 1
        demand, time = UUID(int=self.number), NOW + after
        resolution = Resolution(id=demand)
        take_support_task(asked(demand, title, priority, users, time), resolution, self.outlook)
        done = ResolutionDone(demand=demand, service=GAMES).at(time + 6 * HOUR)
        completed, _, delivered, counted = complete_support_task(done, resolution, self.service)
        assert isinstance(delivered, ServiceDelivered)
        assert delivered.outcome == "supported"
        self.pass_on([counted], done.time)
        return getattr(completed, "problem", None) or ""

    def incidents(self, count: int, **how: Any) -> None:
        for number in range(count):
            self.incident(after=number * HOUR, **how)


def asked(demand: UUID, title: str, priority: int, users: int, time: datetime) -> SupportTaskRequested:
    return SupportTaskRequested(
        reasons=("It hinders.",), basis=(), demand=demand, task="resolve", title=title, text="...", service=GAMES,
        kind="incident", requester="ada@example.org", impact=2, urgency=2, priority=priority, wanted_priority=None,
        respond_by=time + 8 * HOUR, resolve_by=time + 24 * HOUR, users_affected=users,
    ).at(time)  # fmt: skip


def plan(recurrence: float) -> PlanPublished:
    often = Objective(
        objective="recurrence", statement="...", measure="recurrence", target=recurrence, unit="incidents", due_at=NOW
    )
    return PlanPublished(
        reasons=("...",), basis=(), plan="operations", version=1, level="operational", title="...", vision="...",
        status="...", direction="...", objectives=(often,), valid_from=NOW,
    ).at(NOW)  # fmt: skip


def initiated() -> ImprovementInitiated:
    return ImprovementInitiated(
        reasons=("...",), basis=(), initiative="sla-met-games-1", title="...", subject="services", hypothesis="...",
        measure="sla_met", baseline=0.8, target=0.95, unit="share", service=GAMES, source="performance", owner="...",
        value=1, cost=1,
    ).at(NOW)  # fmt: skip


def reverted() -> InitiativeStatusReported:
    return InitiativeStatusReported(
        initiative="sla-met-games-1", title="...", status="closed", result="reverted", target=0.95, unit="share",
        text="...", measure="sla_met", service=GAMES,
    ).at(NOW + DAY)  # fmt: skip


def wish(kind: str = "change_request", demand: UUID = UUID(int=99)) -> DemandConsolidated:  # noqa: B008 - a value
    return DemandConsolidated(
        demand=demand, title="...", text="...", kind=kind, requester="ada@example.org", segment="", service=GAMES,
        tickets=(), users=1, value=1, effort=None, wanted_by=None, promise_by=NOW + 30 * DAY, channel="api",
    ).at(NOW)  # fmt: skip


def test_what_keeps_coming_becomes_a_problem_whose_workaround_later_incidents_meet() -> None:
    desk = Desk()
    desk.incidents(4)
    assert desk.trend.problems == ()
    assert desk.incident() == ""
    (problem,) = desk.trend.problems
    assert (problem.problem, problem.count) == (f"problem-{GAMES}-1", 5)
    assert desk.service.known_errors[0].error == problem.problem
    assert desk.incident() == problem.problem, "the next one is matched with it"
    assert desk.service.known_errors[0].workaround.startswith("What has helped before: ")


def test_a_plan_says_how_often_makes_a_problem() -> None:
    desk = Desk()
    follow_plan(plan(2), desk.outlook)
    desk.incidents(2)
    assert len(desk.trend.problems) == 1
    patient = Desk()
    follow_plan(plan(9), patient.outlook)
    patient.incidents(8)
    assert patient.trend.problems == ()


def test_incidents_of_other_kinds_or_long_ago_make_no_problem_together() -> None:
    desk = Desk()
    for title in ("Black screen", "No sound", "Controller lost", "Login fails", "Store empty"):
        desk.incident(title)
    for days in range(0, 160, 40):
        desk.incident("Steering wheel vibrates", after=days * DAY)
    assert desk.trend.problems == ()


def test_a_major_incident_is_looked_into_at_once() -> None:
    desk = Desk()
    desk.incident(priority=1)
    assert [one.reason for one in desk.trend.problems] != []
    assert desk.trend.numbered == 1


def test_the_same_incident_is_counted_once() -> None:
    desk = Desk()
    desk.incident()
    (incident,) = desk.trend.incidents
    again = IncidentCounted(service=GAMES, incident=incident, resolution="...", major=True)
    assert count_incident(again.at(NOW), desk.trend, desk.outlook) == []


def test_a_problem_that_pays_asks_for_a_change_and_one_that_does_not_lives_with_its_workaround() -> None:
    desk, cheap, vital = Desk(), Desk(), Desk(criticality=1)
    desk.incidents(5)
    (change,) = desk.asked
    assert (change.origin, change.problem, change.urgency) == ("problem", f"problem-{GAMES}-1", 3)
    assert change.benefit > (change.effort or 0) == 10_000
    assert len(change.demands) == 5
    assert desk.trend.problems[0].state == "change_requested"
    assert desk.service.pending[0].demand == uuid5(NAMESPACE_URL, change.change)
    cheap.incidents(5, users=0)
    assert cheap.asked == []
    assert "It does not pay" in cheap.trend.problems[0].reason
    assert cheap.trend.problems[0].state == "known_error"
    vital.incidents(5)
    assert vital.asked[0].urgency == 1


def test_one_change_is_asked_for_however_often_it_comes_meanwhile() -> None:
    desk = Desk()
    desk.incidents(20)
    assert len(desk.asked) == 1


@pytest.mark.row("deliver_support.out.change_requests")
def test_an_open_initiative_about_the_service_holds_the_change_back_until_it_has_failed() -> None:
    desk = Desk()
    note_initiative(initiated(), desk.outlook)
    desk.incidents(5)
    assert desk.asked == []
    assert "sla-met-games-1 improves In-car video games already" in desk.trend.problems[0].reason
    desk.pass_on([*follow_initiative(reverted(), desk.outlook)], NOW + DAY)
    assert len(desk.asked) == 1


def test_a_customers_demand_for_a_change_holds_the_change_back_while_it_is_pending() -> None:
    desk = Desk()
    for wanted in hear_demand(wish(), Deployment(id=UUID(int=99))):
        expect_change(wanted.at(NOW), desk.service)
    desk.incidents(5)
    assert desk.asked == []
    assert "is being changed already (demand 00000000-0000-0000-0000-000000000063)" in desk.trend.problems[0].reason
    desk.incidents(5)
    assert desk.asked == []
    later = 31 * DAY
    for number in range(5):
        desk.incident(after=later + number * HOUR)
    assert len(desk.asked) == 1, "the promise of that demand is over"


@pytest.mark.parametrize("heard", [wish("new_product_or_service"), wish("incident")])
def test_other_demand_holds_nothing_back(heard: DemandConsolidated) -> None:
    assert hear_demand(heard, Deployment(id=UUID(int=99))) == []


def test_a_demand_whose_change_is_live_already_is_not_waited_for() -> None:
    assert hear_demand(wish(), Deployment(id=UUID(int=99), stage="live")) == []


def released(change: str) -> ServiceReleased:
    demand = uuid5(NAMESPACE_URL, change)
    return ServiceReleased(
        demand=demand, change=change, service=GAMES, title="In-car video games", version=2, released_at=NOW
    ).at(NOW + 9 * DAY)


def goes_live(desk: Desk) -> None:
    release = released(desk.asked[-1].change)
    deployment = Deployment(id=release.demand, stage="accepted", change=release.change)
    told = take_live(release, deployment, desk.service)
    assert [type(one) for one in told] == [ServiceDelivered, ServiceChanged]
    assert take_live(release, deployment, desk.service) == []
    desk.pass_on([*told], release.time)


def over(desk: Desk) -> ProvingOver:
    (command,) = [one.message for one in desk.timers if isinstance(one.message, ProvingOver)]
    return command.at(NOW + 9 * DAY + PROVING)


def test_a_problem_is_closed_when_no_incident_comes_after_its_change_is_live() -> None:
    desk = Desk()
    desk.incidents(5)
    goes_live(desk)
    assert desk.trend.problems[0].state == "proving"
    assert desk.service.pending == ()
    close_problem(over(desk), desk.trend, desk.service)
    assert desk.trend.problems[0].state == "closed"
    assert desk.service.known_errors == (), "its cause is gone"
    assert desk.incident(after=60 * DAY) == ""


def test_a_problem_whose_incident_comes_back_is_opened_again_and_asks_more_urgently() -> None:
    desk = Desk()
    desk.incidents(5)
    goes_live(desk)
    desk.incident(after=8 * DAY)
    assert desk.trend.problems[0].state == "proving", "that one was there before the change"
    desk.incident(after=10 * DAY)
    (problem,) = desk.trend.problems
    assert (problem.state, problem.reopened) == ("change_requested", 1)
    assert len({change.change for change in desk.asked}) == 2
    assert desk.asked[1].urgency == 1
    assert "has not removed the cause" in desk.asked[1].text
    close_problem(over(desk), desk.trend, desk.service)
    assert desk.trend.problems[0].state == "change_requested", "the time of the first change is over for nothing"


def test_a_change_that_is_live_before_it_was_noted_as_asked_for_is_proved_all_the_same() -> None:
    desk = Desk()
    desk.incidents(4)
    desk.service.change = f"problem-{GAMES}-1-change-1"
    desk.incident()
    assert desk.trend.problems[0].state == "proving"


def not_obtainable(change: str) -> ChangedServiceReported:
    return ChangedServiceReported(
        demand=uuid5(NAMESPACE_URL, change), service=GAMES, change=change, components=(), outcome="not_obtainable",
        reasons=("No supplier offers it.",),
    ).at(NOW + 2 * DAY)  # fmt: skip


def test_a_problem_whose_change_cannot_be_had_is_taken_up_again() -> None:
    desk = Desk()
    desk.incidents(5)
    reported = not_obtainable(desk.asked[0].change)
    told = end_waiting(reported, Deployment(id=reported.demand), desk.service)
    desk.pass_on([*told], reported.time)
    (problem,) = desk.trend.problems
    assert (problem.state, desk.service.pending) == ("known_error", ())
    assert "No supplier offers it." in problem.reason
    desk.incident(after=3 * DAY)
    assert len(desk.asked) == 2


def test_a_change_that_never_comes_is_not_waited_for_for_ever() -> None:
    desk = Desk()
    desk.incidents(5)
    ((at, command),) = desk.timers
    assert isinstance(command, ProblemChangeEnded)
    desk.pass_on([command], at)
    assert desk.trend.problems[0].state == "known_error"
    goes_live_late = ProblemChangeEnded(service=GAMES, problem=f"problem-{GAMES}-1", change="x", reason="...")
    assert end_problem_change(goes_live_late.at(at), desk.trend, desk.service) == []


def planned(change: str, demand: UUID) -> DeploymentPlanned:
    return DeploymentPlanned(
        reasons=("...",), basis=(), demand=demand, change=change, service=GAMES, title="Games", change_type="normal",
        risk="low", authority="peer", approved_by="peer", scheduled_at=NOW, back_out_plan="Back.",
        components=("engine",),
    ).at(NOW)  # fmt: skip


def test_a_deployment_whose_parts_cannot_be_had_is_refused_whatever_comes_first() -> None:
    reported = not_obtainable("c1")
    for first in ("plan", "report"):
        deployment, service = Deployment(id=reported.demand), LiveService(id=GAMES)
        if first == "plan":
            (waiting,) = plan_deployment(planned("c1", reported.demand), deployment)
            assert isinstance(waiting, Later)
            (refused,) = end_waiting(reported, deployment, service)
        else:
            assert end_waiting(reported, deployment, service) == []
            (refused,) = plan_deployment(planned("c1", reported.demand), deployment)
        assert isinstance(refused, ServiceDelivered)
        assert refused.outcome == "deployment_refused"
        assert refused.reasons == ("engine cannot be had.", "No supplier offers it.")
        assert end_waiting(reported, deployment, service) == []


def seen(event: str = "e1", severity: str = "exception", signal: str = "frame-rate", **at: Any) -> MonitoringReported:
    data = {
        "service": GAMES, "event": event, "signal": signal, "value": 3, "threshold": 24, "unit": "fps",
        "severity": severity,
    }  # fmt: skip
    return MonitoringReported.model_validate(data).at(at.get("time", NOW))


def reported(desk: Desk, told: MonitoringReported) -> tuple[Answer, list[Any]]:
    answer, *rest = take_monitoring_event(told, desk.trend, desk.service, desk.outlook)
    assert isinstance(answer, Answer)
    return answer, rest


def test_information_is_kept_a_warning_counts_and_an_exception_raises_an_incident_by_itself() -> None:
    desk = Desk()
    for severity, raised in (("info", 0), ("warning", 0), ("exception", 1)):
        answer, rest = reported(desk, seen(severity, severity))
        assert (answer.status, len(rest)) == (201, raised)
    assert [one.severity for one in desk.trend.events] == ["info", "warning", "exception"]


def test_an_alarm_is_restored_and_told_without_anybody_having_asked() -> None:
    desk = Desk(criticality=1)
    _, (raised,) = reported(desk, seen())
    assert isinstance(raised, IncidentRaised)
    assert raised.demand == uuid5(NAMESPACE_URL, f"monitoring:{GAMES}:e1")
    resolution = Resolution(id=raised.demand)
    work, *timers = raise_incident(raised.at(NOW), resolution, desk.outlook)
    assert isinstance(work, Work)
    assert len(timers) == 3
    assert resolution.priority == 2, "more depends on it than on others"
    assert raise_incident(raised.at(NOW), resolution, desk.outlook) == []
    done = ResolutionDone(demand=raised.demand, service=GAMES).at(NOW + HOUR)
    told = complete_alarm(done, resolution, desk.service)
    assert [type(one) for one in told] == [ServicePerformanceReported, ServiceDelivered, IncidentCounted]


def test_one_signal_has_one_incident_at_a_time() -> None:
    desk = Desk()
    _, (raised,) = reported(desk, seen("e1"))
    answer, rest = reported(desk, seen("e2"))
    assert (rest, answer.body.model_dump()["incident"]) == ([], raised.demand)
    resolution = Resolution(id=raised.demand)
    raise_incident(raised.at(NOW), resolution, desk.outlook)
    done = ResolutionDone(demand=raised.demand, service=GAMES).at(NOW + HOUR)
    desk.pass_on([*complete_alarm(done, resolution, desk.service)], done.time)
    _, (anew,) = reported(desk, seen("e3", time=NOW + 2 * HOUR))
    assert anew.demand != raised.demand


def test_the_same_event_again_raises_nothing_again() -> None:
    desk = Desk()
    reported(desk, seen())
    answer, rest = reported(desk, seen())
    assert (answer.status, rest, len(desk.trend.events)) == (200, [], 1)


def test_warnings_become_a_problem_before_users_see_it() -> None:
    desk = Desk()
    follow_plan(plan(2), desk.outlook)
    told = [rest for number in range(6) for _, rest in [reported(desk, seen(f"w{number}", "warning"))]]
    assert [len(rest) for rest in told] == [0, 0, 0, 0, 0, 2]
    assert desk.trend.problems[0].title == "Alarm: frame rate"
    quiet = Desk()
    assert [rest for number in range(6) for _, rest in [reported(quiet, seen(f"w{number}", "warning"))] if rest] == []


def test_alarms_of_different_signals_are_not_of_one_kind() -> None:
    desk = Desk()
    follow_plan(plan(2), desk.outlook)
    for number, signal in enumerate(("frame-rate", "battery-load", "disk-space", "door-lock")):
        _, (raised,) = reported(desk, seen(f"e{number}", signal=signal))
        resolution = Resolution(id=raised.demand)
        raise_incident(raised.at(NOW), resolution, desk.outlook)
        done = ResolutionDone(demand=raised.demand, service=GAMES).at(NOW + HOUR)
        desk.pass_on([*complete_alarm(done, resolution, desk.service)], done.time)
    assert desk.trend.problems == ()


def test_what_is_not_live_is_not_monitored() -> None:
    trend = Trend(id="x")
    told = seen().model_copy(update={"service": "x"}).at(NOW)
    (answer,) = take_monitoring_event(told, trend, LiveService(id="x"), Outlook(id="the"))
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, Problem)
    assert (answer.status, trend.events) == (404, ())


def test_what_a_service_keeps_is_bounded() -> None:
    desk = Desk()
    for number in range(MOST_INCIDENTS + 50):
        letters = "".join(chr(97 + int(digit)) for digit in f"{number:04}")
        desk.incident(f"{letters} zz", priority=1, users=0)
    assert len(desk.trend.incidents) == MOST_INCIDENTS
    assert len(desk.trend.problems) == MOST_PROBLEMS


@pytest.mark.row("deliver_support.in.support_tasks", "engage")
@pytest.mark.parametrize("told", [4, 5], ids=["one withheld", "all told"])
def test_without_one_of_the_tasks_that_make_a_problem_no_change_is_asked_for(told: int) -> None:
    desk = Desk()
    desk.incidents(told)
    assert (len(desk.trend.problems), len(desk.asked)) == ((1, 1) if told == 5 else (0, 0))
