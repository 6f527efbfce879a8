from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

import contracts
from contracts.deliver_support import (
    ServiceDelivered,
    ServicePerformanceReported,
    SupportEscalated,
    SupportTaskCompleted,
)
from contracts.design_transition import DeploymentPlanned, ServiceReleased
from contracts.engage import ServiceRequirementsStated, SupportTaskRequested
from contracts.event import Message
from contracts.obtain_build import ComponentProvided, TestResult
from contracts.stream import Streams, read_stream, read_streams
from contracts.values import Requirement
from services.chassis.outputs import Answer, Later, Problem, Work
from services.deliver_support.deployment import PATIENCE
from services.deliver_support.handlers import (
    complete_support_task,
    finish_deployment,
    handles,
    note_requirements,
    plan_deployment,
    put_live,
    receive_component,
    record_known_error,
    start_deployment,
    take_over_service,
    take_support_task,
    take_up_support_task,
    watch_target,
)
from services.deliver_support.model import (
    Deployment,
    DeploymentDone,
    DeploymentDue,
    KnownError,
    KnownErrorRecorded,
    LiveService,
    Outlook,
    Resolution,
    ResolutionDone,
    ServiceTakenOver,
    SupportTaskTakenUp,
    TargetPassed,
)
from services.deliver_support.request_model import AccessEnds, ApprovalGiven, FulfilmentDone, RequestWeighed

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEMAND = UUID(int=7)
GAMES = "in-car-video-games"
HOUR = timedelta(hours=1)
NOTHING = Outlook(id="the")
"""No plan, improvement or agreement says anything of support."""


def asked(**changes: Any) -> SupportTaskRequested:
    task = SupportTaskRequested(
        reasons=("A game does not start.",),
        basis=(),
        demand=DEMAND,
        task="resolve",
        title="Black screen",
        text="The racing game shows a black screen",
        service=GAMES,
        kind="incident",
        requester="ada@example.org",
        impact=2,
        urgency=2,
        priority=3,
        wanted_priority=1,
        respond_by=NOW + 8 * HOUR,
        resolve_by=NOW + 24 * HOUR,
    )
    return task.model_copy(update=changes).at(NOW)


def live(**changes: Any) -> LiveService:
    service = LiveService(id=GAMES, title="In-car video games", live_since=NOW, owner="games owner")
    return service.model_copy(update=changes)


def freeze(**changes: str) -> KnownError:
    error = KnownError(
        error="gpu-driver", symptoms=("freeze", "black screen"), workaround="Park, then restart the screen."
    )
    return error.model_copy(update=changes)


def opened(**changes: Any) -> Resolution:
    resolution = Resolution(id=DEMAND)
    take_support_task(asked(**changes), resolution, NOTHING)
    return resolution


def done(service: str = GAMES, after: timedelta = HOUR) -> ResolutionDone:
    return ResolutionDone(demand=DEMAND, service=service).at(NOW + after)


def ended(resolution: Resolution, service: LiveService, after: timedelta = HOUR) -> SupportTaskCompleted:
    completed, *_ = complete_support_task(done(after=after), resolution, service)
    assert isinstance(completed, SupportTaskCompleted)
    return completed


def detail_of(outputs: list[Any]) -> tuple[int, str]:
    (answer,) = outputs
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, Problem)
    return answer.status, answer.body.detail


def test_a_support_task_is_work_with_an_owner_and_its_targets_are_watched() -> None:
    resolution = Resolution(id=DEMAND)
    taking_up, *watched = take_support_task(asked(), resolution, NOTHING)
    assert isinstance(taking_up, Work)
    taken = SupportTaskTakenUp(demand=DEMAND, by="service desk", service=GAMES, round=1)
    assert taking_up == Work(2 * HOUR, taken)
    _, restoring = take_up_support_task(taken.at(NOW + 2 * HOUR), resolution.model_copy(), live())
    assert restoring == Work(6 * HOUR, ResolutionDone(demand=DEMAND, service=GAMES), "service desk")
    assert (resolution.status, resolution.owner, resolution.promised_by) == ("open", "service desk", NOW + 24 * HOUR)
    respond_by, resolve_by = NOW + 8 * HOUR, NOW + 24 * HOUR
    passed = TargetPassed(demand=DEMAND, service=GAMES, target="resolve", round=1, due_at=resolve_by)
    assert watched == [
        Later(respond_by, passed.model_copy(update={"target": "respond", "due_at": respond_by})),
        Later(resolve_by - 4 * HOUR, passed.model_copy(update={"warning": True})),
        Later(resolve_by, passed),
    ]


def test_an_incident_of_first_priority_belongs_to_the_major_incident_manager() -> None:
    assert opened(priority=1).owner == "major incident manager"


@pytest.mark.parametrize("task", ["fulfil", "train"])
def test_what_is_no_restoring_is_refused_and_opens_no_work(task: str) -> None:
    resolution = Resolution(id=DEMAND)
    (refused,) = take_support_task(asked(task=task), resolution, NOTHING)
    assert isinstance(refused, SupportTaskCompleted)
    assert (refused.outcome, refused.task, resolution.status) == ("refused", task, "none")


def test_an_incident_of_a_live_service_is_resolved() -> None:
    completed, performance, *_ = complete_support_task(done(), opened(), live())
    assert isinstance(completed, SupportTaskCompleted)
    assert (completed.outcome, completed.problem, completed.service) == ("resolved", None, GAMES)
    assert "works again" in completed.resolution
    assert isinstance(performance, ServicePerformanceReported)
    assert performance.met


def test_a_known_error_with_a_fix_is_resolved_by_it() -> None:
    completed = ended(opened(), live(known_errors=(freeze(fix="We updated the driver."),)))
    assert (completed.outcome, completed.resolution, completed.problem) == (
        "resolved", "We updated the driver.", "gpu-driver",
    )  # fmt: skip
    assert '"black screen" is a symptom' in completed.reasons[0]


def test_a_known_error_without_a_fix_gives_its_workaround() -> None:
    completed = ended(opened(), live(known_errors=(freeze(),)))
    assert (completed.outcome, completed.resolution) == ("workaround", "Park, then restart the screen.")


def test_of_two_known_errors_that_fit_the_one_with_a_fix_is_used() -> None:
    errors = (freeze(), freeze(error="loose-cable", fix="We plugged it in."))
    assert ended(opened(), live(known_errors=errors)).problem == "loose-cable"


def test_a_symptom_is_matched_as_a_whole_word_only() -> None:
    ticket = opened(title="Antifreeze", text="The freezer game is gone")
    assert ended(ticket, live(known_errors=(freeze(),))).problem is None


def test_a_major_incident_ends_with_a_workaround_because_service_comes_first() -> None:
    assert ended(opened(priority=1), live(criticality=1)).outcome == "workaround"
    assert ended(opened(priority=1), live(criticality=2)).outcome == "resolved"
    assert ended(opened(priority=2), live(criticality=1)).outcome == "resolved"


def test_an_incident_that_came_back_is_not_resolved_by_another_restart() -> None:
    completed = ended(opened(reopened=1), live())
    assert completed.outcome == "workaround"
    assert "come back" in completed.reasons[0]


def test_what_is_not_in_the_register_stays_unresolved_and_misses_its_promise() -> None:
    completed, performance, *_ = complete_support_task(done(), opened(), LiveService(id=GAMES))
    assert isinstance(completed, SupportTaskCompleted)
    assert (completed.outcome, completed.resolved_in_time) == ("unresolved", True)
    assert f"do not run a service called {GAMES}" in completed.resolution
    assert isinstance(performance, ServicePerformanceReported)
    assert not performance.met


def test_without_a_service_the_requester_is_asked_to_name_it() -> None:
    resolution = opened(service=None)
    completed, *_ = complete_support_task(done(service=""), resolution, LiveService(id=""))
    assert isinstance(completed, SupportTaskCompleted)
    assert (completed.outcome, completed.service) == ("unresolved", None)
    assert "please name what you were using" in completed.resolution


def test_every_value_that_decided_is_in_the_basis() -> None:
    basis = {fact.name: fact.value for fact in ended(opened(), live(known_errors=(freeze(),))).basis}
    assert basis == {
        "service": GAMES, "service is live": True, "known error": "gpu-driver", "priority": 3, "criticality": 2,
        "reopened": 0, "failing supplier": "none",
    }  # fmt: skip


def test_times_are_measured_from_the_request_to_taking_up_and_to_the_end() -> None:
    resolution = opened()
    take_up_support_task(SupportTaskTakenUp(demand=DEMAND, by="Grace").at(NOW + 2 * HOUR), resolution, live())
    completed, performance, *_ = complete_support_task(done(after=30 * HOUR), resolution, live())
    assert isinstance(completed, SupportTaskCompleted)
    assert (completed.responded_in_time, completed.resolved_in_time) == (True, False)
    assert isinstance(performance, ServicePerformanceReported)
    assert (performance.respond_seconds, performance.respond_target_seconds) == (7_200, 28_800)
    assert (performance.restore_seconds, performance.restore_target_seconds) == (108_000, 86_400)
    assert not performance.met


def test_a_target_that_had_passed_before_the_task_was_asked_for_left_no_time() -> None:
    late = opened(respond_by=NOW - HOUR, resolve_by=NOW - HOUR)
    completed, performance, *_ = complete_support_task(done(), late, live())
    assert isinstance(completed, SupportTaskCompleted)
    assert (completed.responded_in_time, completed.resolved_in_time) == (False, False)
    assert isinstance(performance, ServicePerformanceReported)
    assert (performance.respond_target_seconds, performance.restore_target_seconds, performance.met) == (0, 0, False)


def test_what_nobody_took_up_was_responded_to_when_it_ended() -> None:
    completed = ended(opened(), live(), after=9 * HOUR)
    assert (completed.started_at, completed.responded_in_time) == (NOW + 9 * HOUR, False)


def test_what_is_done_by_a_clock_that_is_behind_ends_when_it_was_taken_up() -> None:
    resolution = opened()
    take_up_support_task(SupportTaskTakenUp(demand=DEMAND, by="Grace").at(NOW + 2 * HOUR), resolution, live())
    completed = ended(resolution, live(), after=HOUR)
    assert completed.started_at == completed.completed_at == NOW + 2 * HOUR


def test_the_first_to_take_a_task_up_counts() -> None:
    resolution = opened()
    for by, after in (("Grace", 1), ("Linus", 2)):
        answer, *_ = take_up_support_task(
            SupportTaskTakenUp(demand=DEMAND, by=by).at(NOW + after * HOUR), resolution, live()
        )
        assert (answer.status, answer.body.model_dump()["by"]) == (200, "Grace")
    assert resolution.taken_up_at == NOW + HOUR


def test_a_task_that_is_not_open_can_neither_be_taken_up_nor_done_twice() -> None:
    resolution = opened()
    ended(resolution, live())
    status, _ = detail_of(complete_support_task(done(), resolution, live()))
    assert status == 409
    status, _ = detail_of(
        take_up_support_task(SupportTaskTakenUp(demand=DEMAND, by="Grace").at(NOW), resolution, live())
    )
    assert status == 409


def passed(target: str, of_round: int = 1) -> TargetPassed:
    data = {"demand": DEMAND, "service": GAMES, "target": target, "round": of_round}
    return TargetPassed.model_validate(data).at(NOW + 24 * HOUR)


def test_a_missed_target_is_escalated_one_level_higher_each_time() -> None:
    resolution = opened()
    (first,) = watch_target(passed("respond"), resolution, live())
    (second,) = watch_target(passed("resolve"), resolution, live())
    assert isinstance(first, SupportEscalated)
    assert (first.level, first.to, first.due_at) == (1, "service desk manager", NOW + 8 * HOUR)
    assert (second.level, second.to, second.due_at) == (2, "games owner", NOW + 24 * HOUR)
    assert ended(resolution, live()).escalations == 2


def test_a_service_without_an_owner_escalates_to_the_head_of_service_delivery() -> None:
    resolution = opened()
    watch_target(passed("respond"), resolution, live())
    (second,) = watch_target(passed("resolve"), resolution, LiveService(id=GAMES))
    assert second.to == "head of service delivery"


def test_a_target_that_was_kept_escalates_nothing() -> None:
    taken = opened()
    take_up_support_task(SupportTaskTakenUp(demand=DEMAND, by="Grace").at(NOW), taken, live())
    assert watch_target(passed("respond"), taken, live()) == []
    finished = opened()
    ended(finished, live())
    assert watch_target(passed("resolve"), finished, live()) == []


def test_a_reopened_task_has_new_targets_and_the_old_ones_escalate_nothing() -> None:
    resolution = opened()
    ended(resolution, live())
    take_support_task(asked(reopened=1), resolution, NOTHING)
    assert watch_target(passed("resolve", of_round=1), resolution, live()) == []
    assert len(watch_target(passed("resolve", of_round=2), resolution, live())) == 1


def taken_over(**changes: Any) -> ServiceTakenOver:
    taken = ServiceTakenOver(
        service=GAMES, title="In-car video games", criticality=1, owner="games owner", live_since=None, requirements=()
    )
    return taken.model_copy(update=changes).at(NOW)


def test_a_service_that_is_live_already_is_taken_over_once_and_corrected_later() -> None:
    service = LiveService(id=GAMES, known_errors=())
    (created,) = take_over_service(taken_over(), service)
    record_known_error(KnownErrorRecorded(service=GAMES, known_error=freeze()).at(NOW), service)
    (corrected,) = take_over_service(taken_over(owner="new owner"), service)
    assert (created.status, corrected.status) == (201, 200)
    assert (service.live_since, service.criticality, service.owner) == (NOW, 1, "new owner")
    assert service.known_errors == (freeze(),)


def test_a_known_error_replaces_its_earlier_record_and_needs_a_live_service() -> None:
    service = live()
    for error in (freeze(), freeze(error="other"), freeze(fix="We updated the driver.")):
        record_known_error(KnownErrorRecorded(service=GAMES, known_error=error).at(NOW), service)
    assert [(one.error, one.fix) for one in service.known_errors] == [
        ("other", ""), ("gpu-driver", "We updated the driver."),
    ]  # fmt: skip
    unknown = record_known_error(KnownErrorRecorded(service="x", known_error=freeze()).at(NOW), LiveService(id="x"))
    assert detail_of(unknown)[0] == 404


def test_known_errors_are_limited_but_can_always_be_corrected() -> None:
    service = live(known_errors=tuple(freeze(error=f"e{number}") for number in range(100)))
    status, _ = detail_of(record_known_error(KnownErrorRecorded(service=GAMES, known_error=freeze()).at(NOW), service))
    assert status == 409
    corrected = KnownErrorRecorded(service=GAMES, known_error=freeze(error="e7", fix="Done."))
    assert record_known_error(corrected.at(NOW), service)[0].status == 200


def planned(**changes: Any) -> DeploymentPlanned:
    plan = DeploymentPlanned(
        reasons=("Low risk.",),
        basis=(),
        demand=DEMAND,
        change="c1",
        service=GAMES,
        title="In-car video games",
        change_type="normal",
        risk="low",
        authority="peer",
        author="design",
        approved_by="peer",
        scheduled_at=NOW,
        back_out_plan="Go back to release 1.",
        components=("store", "engine"),
    )
    return plan.model_copy(update=changes).at(NOW)


def provided(
    component: str, iteration: int = 1, passed: bool = True, measured: float = 9, **at: Any
) -> ComponentProvided:
    part = ComponentProvided(
        reasons=("It was there.",),
        basis=(),
        demand=DEMAND,
        service=GAMES,
        component=component,
        iteration=iteration,
        way="reuse",
        cost=0,
        capacity=40,
        unit="users",
        tests=(TestResult(name="start-time", passed=passed, measured=measured, unit="s"),),
        ready_at=NOW,
    )
    return part.at(at.get("time", NOW))


def with_parts(*parts: ComponentProvided) -> Deployment:
    deployment = Deployment(id=DEMAND)
    for part in parts or (provided("store"), provided("engine")):
        assert receive_component(part, deployment) == []
    return deployment


def installed(deployment: Deployment) -> ServiceDelivered:
    (delivered,) = finish_deployment(DeploymentDone(demand=DEMAND).at(NOW + 2 * HOUR), deployment)
    assert isinstance(delivered, ServiceDelivered)
    return delivered


def test_a_change_whose_parts_are_there_is_installed_at_once_when_it_is_due() -> None:
    deployment = with_parts()
    (work,) = plan_deployment(planned(), deployment)
    assert isinstance(work, Work)
    assert work.done == DeploymentDone(demand=DEMAND)
    assert (deployment.stage, deployment.status, deployment.owner) == ("installing", "open", "deployment team")


def test_the_last_part_to_come_after_the_scheduled_time_starts_the_work_whatever_the_order() -> None:
    deployment = Deployment(id=DEMAND)
    due = DeploymentDue(demand=DEMAND, change="c1", last_call=True)
    assert plan_deployment(planned(), deployment) == [Later(NOW + PATIENCE, due)]
    assert receive_component(provided("engine"), deployment) == []
    (work,) = receive_component(provided("store"), deployment)
    assert isinstance(work, Work)
    assert start_deployment(due.at(NOW + PATIENCE), deployment) == []


def test_nothing_is_installed_before_its_scheduled_time() -> None:
    tonight = NOW + 12 * HOUR
    due = DeploymentDue(demand=DEMAND, change="c1")
    deployment = with_parts(provided("store"))
    assert plan_deployment(planned(scheduled_at=tonight), deployment) == [Later(tonight, due)]
    assert receive_component(provided("engine"), deployment) == []
    (work,) = start_deployment(due.at(tonight), deployment)
    assert isinstance(work, Work)


def test_the_same_plan_again_starts_nothing_again() -> None:
    deployment = with_parts()
    plan_deployment(planned(), deployment)
    assert plan_deployment(planned(), deployment) == []


def test_a_timer_of_another_change_starts_nothing() -> None:
    deployment = Deployment(id=DEMAND)
    plan_deployment(planned(), deployment)
    stale = DeploymentDue(demand=DEMAND, change="c0", last_call=True)
    assert start_deployment(stale.at(NOW), deployment) == []


def test_an_installed_change_is_accepted() -> None:
    deployment = with_parts()
    plan_deployment(planned(), deployment)
    delivered = installed(deployment)
    assert (delivered.outcome, delivered.reasons, deployment.stage) == ("deployment_accepted", (), "accepted")
    assert {measure.name: measure.value for measure in delivered.measures} == {
        "components installed": 2, "installation": 2,
    }  # fmt: skip


def test_a_part_that_the_plan_does_not_name_is_neither_installed_nor_judged() -> None:
    deployment = with_parts(provided("store"), provided("engine"), provided("spare", passed=False))
    plan_deployment(planned(), deployment)
    delivered = installed(deployment)
    assert (delivered.outcome, delivered.measures[0].value) == ("deployment_accepted", 2)


def test_a_part_that_never_came_is_a_reason_to_refuse() -> None:
    deployment = with_parts(provided("store"))
    plan_deployment(planned(), deployment)
    last_call = DeploymentDue(demand=DEMAND, change="c1", last_call=True).at(NOW + PATIENCE)
    assert isinstance(start_deployment(last_call, deployment)[0], Work)
    delivered = installed(deployment)
    assert (delivered.outcome, deployment.stage) == ("deployment_refused", "refused")
    assert delivered.reasons == ("engine was not provided within 24 hours of the scheduled time.",)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ({"back_out_plan": " "}, "There is no back-out plan"),
        ({"approved_by": "design"}, "design has approved their own change"),
    ],
)
def test_a_change_that_is_not_safe_to_install_is_refused(flaw: dict[str, str], reason: str) -> None:
    deployment = with_parts()
    plan_deployment(planned(**flaw), deployment)
    delivered = installed(deployment)
    assert delivered.outcome == "deployment_refused"
    assert delivered.reasons[0].startswith(reason)


def test_a_part_that_failed_its_test_is_refused_until_a_newer_one_passes() -> None:
    failed = with_parts(provided("store", passed=False), provided("engine"))
    plan_deployment(planned(), failed)
    assert installed(failed).reasons == ("store failed the test start-time with 9 s.",)
    mended = with_parts(
        provided("store", passed=False), provided("engine"), provided("store", iteration=2),
        provided("store", passed=False),
    )  # fmt: skip
    plan_deployment(planned(), mended)
    assert installed(mended).outcome == "deployment_accepted"


def test_a_plan_that_overtakes_the_reworked_part_waits_for_it_instead_of_installing_the_failed_one() -> None:
    deployment = with_parts(provided("store", passed=False), provided("engine"))
    due = DeploymentDue(demand=DEMAND, change="c1", last_call=True)
    assert plan_deployment(planned(iterations=(2, 1)), deployment) == [Later(NOW + PATIENCE, due)]
    assert deployment.missing == ("store",)
    (work,) = receive_component(provided("store", iteration=2), deployment)
    assert isinstance(work, Work)
    assert installed(deployment).outcome == "deployment_accepted"
    in_order = with_parts(provided("store", passed=False), provided("engine"), provided("store", iteration=2))
    plan_deployment(planned(iterations=(2, 1)), in_order)
    assert installed(in_order).outcome == "deployment_accepted"


def test_a_reworked_part_that_never_came_is_a_reason_to_refuse() -> None:
    deployment = with_parts(provided("store"), provided("engine"))
    plan_deployment(planned(iterations=(2, 1)), deployment)
    last_call = DeploymentDue(demand=DEMAND, change="c1", last_call=True).at(NOW + PATIENCE)
    assert isinstance(start_deployment(last_call, deployment)[0], Work)
    assert installed(deployment).reasons == ("store was not provided within 24 hours of the scheduled time.",)


def stated(target: float, unit: str = "s") -> ServiceRequirementsStated:
    start = Requirement(name="start-time", kind="warranty", measure="start", target=target, unit=unit, better="lower")
    return ServiceRequirementsStated(demand=DEMAND, service=GAMES, segment="", requirements=(start,)).at(NOW)


@pytest.mark.parametrize(
    ("target", "unit", "outcome"),
    [(8, "s", "deployment_refused"), (9, "s", "deployment_accepted"), (8, "ms", "deployment_accepted")],
)
@pytest.mark.row("deliver_support.out.delivered")
def test_a_part_that_misses_what_the_segment_requires_is_refused(target: float, unit: str, outcome: str) -> None:
    deployment = with_parts()
    assert note_requirements(stated(target, unit), deployment) == []
    plan_deployment(planned(), deployment)
    delivered = installed(deployment)
    assert delivered.outcome == outcome
    missed = f"reaches 9 in start-time; {target:g} {unit} is required."
    assert [missed in why for why in delivered.reasons] == [True, True] * (outcome == "deployment_refused")


def test_work_that_was_not_begun_cannot_be_reported_as_done() -> None:
    deployment = Deployment(id=DEMAND)
    status, _ = detail_of(finish_deployment(DeploymentDone(demand=DEMAND).at(NOW), deployment))
    assert (status, deployment.stage) == (409, "awaited")


def released(**changes: Any) -> ServiceReleased:
    release = ServiceReleased(demand=DEMAND, change="c1", service=GAMES, title="In-car video games", released_at=NOW)
    return release.model_copy(update=changes).at(NOW + 3 * HOUR)


def accepted() -> Deployment:
    deployment = with_parts()
    note_requirements(stated(9), deployment)
    plan_deployment(planned(), deployment)
    installed(deployment)
    return deployment


def test_a_released_service_enters_the_register_and_is_live() -> None:
    deployment, service = accepted(), LiveService(id=GAMES)
    (delivered,) = put_live(released(known_errors=("black screen: restart the screen",)), deployment, service)
    assert (delivered.outcome, delivered.delivered_at) == ("live", NOW + 3 * HOUR)
    assert {(m.name, m.value, m.unit) for m in delivered.measures} == {
        ("capacity of store", 40, "users"), ("capacity of engine", 40, "users"),
    }  # fmt: skip
    assert service.live
    assert (service.owner, service.components) == ("owner of In-car video games", ("store", "engine"))
    assert [one.name for one in service.requirements] == ["start-time"]
    assert ended(opened(), service).resolution == "restart the screen"


def test_a_release_keeps_owner_criticality_and_age_of_a_service_that_was_live() -> None:
    service = live(criticality=1, live_since=NOW - 99 * HOUR)
    put_live(released(version=2), accepted(), service)
    assert (service.owner, service.criticality, service.live_since) == ("games owner", 1, NOW - 99 * HOUR)
    assert (service.release, service.change) == (2, "c1")


def test_the_same_release_again_tells_nothing_new() -> None:
    deployment, service = accepted(), LiveService(id=GAMES)
    put_live(released(), deployment, service)
    assert put_live(released(), deployment, service) == []


def test_what_was_never_accepted_is_not_put_live() -> None:
    service = LiveService(id=GAMES)
    (delivered,) = put_live(released(), with_parts(), service)
    assert delivered.outcome == "deployment_refused"
    assert "never accepted" in delivered.reasons[0]
    assert not service.live


STEPS: list[tuple[str, str, type[Message], str]] = [
    ("restore-a-live-service", "request-support", SupportTaskRequested, "restore"),
    ("restore-a-live-service", "restore", ResolutionDone, "restore"),
    ("restore-a-live-service", "restore", TargetPassed, "restore"),
    ("create-a-new-product-or-service", "obtain", ComponentProvided, "deploy"),
    ("create-a-new-product-or-service", "validate", DeploymentPlanned, "deploy"),
    ("create-a-new-product-or-service", "deploy", DeploymentDue, "deploy"),
    ("create-a-new-product-or-service", "", DeploymentDone, "deploy"),
    ("create-a-new-product-or-service", "release", ServiceReleased, "put-live"),
]


@pytest.mark.parametrize(("stream", "told_by", "message", "step"), STEPS)
def test_each_message_of_a_shipped_stream_meets_its_handler(
    stream: str, told_by: str, message: type[Message], step: str
) -> None:
    handles.follow(read_streams(Path(contracts.__file__).parent / "value_streams"))
    route = handles.route(message.type, stream, told_by)
    assert route is not None
    assert route.step is not None
    assert (route.handler.message, route.step.step) == (message, step)


@pytest.mark.parametrize(
    "message", [ServiceTakenOver, KnownErrorRecorded, ServiceRequirementsStated, SupportTaskTakenUp]
)
def test_what_is_only_noted_belongs_to_no_step(message: type[Message]) -> None:
    route = handles.route(message.type, "", "")
    assert route is not None
    assert route.step is None
    assert issubclass(route.handler.message, BaseModel)


FULFIL = """
stream: borrow-a-car
title: Borrow a car
owner: Fleet manager
trigger: {kind: service_request}
promise: {hours: 72}
improvement_target: Every car is ready in time
steps:
  - step: ask
    activity: engage
    does: request support
    practices: [service desk]
    hands_on: [SupportTaskRequested]
  - step: hand-over
    activity: deliver_support
    does: fulfil request
    practices: [service request management]
    hands_on: [SupportTaskCompleted, ServiceDelivered, ServicePerformanceReported]
    after: [ask]
"""


@pytest.mark.parametrize(
    ("message", "told_by", "decide"),
    [
        (SupportTaskRequested, "ask", "take_request"), (RequestWeighed, "hand-over", "weigh_request"),
        (RequestWeighed, "", "weigh_request"), (FulfilmentDone, "", "finish_request"),
        (AccessEnds, "hand-over", "end_access"), (ApprovalGiven, "", "decide_approval"),
    ],
)  # fmt: skip
def test_a_request_keeps_its_step_also_when_word_of_it_comes_from_the_stock_or_over_the_door(
    message: type[Message], told_by: str, decide: str
) -> None:
    before = handles.streams
    handles.follow(Streams([read_stream(FULFIL, "borrow-a-car")]))
    route = handles.route(message.type, "borrow-a-car", told_by)
    handles.follow(before)
    assert route is not None
    assert route.step is not None
    assert (route.handler.decide.__name__, route.step.step) == (decide, "hand-over")


def test_everything_that_is_heard_is_decided_on_and_outside_of_streams_by_named_practices() -> None:
    decided = {handler.message for handler in handles.registered.values()}
    assert set(handles.hears) <= decided
    for (_, capability), handler in handles.registered.items():
        assert capability or handler.practices or handler.decide.__name__ == "redrive", handler.decide.__name__


def test_everything_that_may_be_told_is_told_by_some_decision() -> None:
    told = {output for handler in handles.registered.values() for output in handler.may_tell}
    assert set(handles.tells) - told == set()


each_way = pytest.mark.parametrize("told", [False, True], ids=["withheld", "told"])


@pytest.mark.row("deliver_support.in.services", "design_transition")
@each_way
def test_without_the_plan_of_a_deployment_its_release_is_refused(told: bool) -> None:
    deployment = with_parts()
    if told:
        plan_deployment(planned(), deployment)
        installed(deployment)
    (delivered,) = put_live(released(), deployment, LiveService(id=GAMES))
    assert delivered.outcome == ("live" if told else "deployment_refused")


@pytest.mark.row("deliver_support.in.services", "design_transition")
@each_way
def test_what_was_not_released_is_not_restored(told: bool) -> None:
    service = LiveService(id=GAMES)
    if told:
        put_live(released(), accepted(), service)
    assert ended(opened(), service).outcome == ("resolved" if told else "unresolved")


@pytest.mark.row("deliver_support.in.components", "obtain_build")
@each_way
def test_without_a_part_the_deployment_is_refused(told: bool) -> None:
    deployment = with_parts(provided("store"))
    plan_deployment(planned(), deployment)
    if told:
        receive_component(provided("engine"), deployment)
    last_call = DeploymentDue(demand=DEMAND, change="c1", last_call=True).at(NOW + PATIENCE)
    start_deployment(last_call, deployment)
    delivered = installed(deployment)
    assert delivered.outcome == ("deployment_accepted" if told else "deployment_refused")
    assert ("engine was not provided" in " ".join(delivered.reasons)) != told
