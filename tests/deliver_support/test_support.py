"""What bounds and speeds a support task: plans, agreements, improvements, suppliers, and the user who is waited for."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import pytest

from contracts.deliver_support import ServicePerformanceReported, SupportAgreementNeeded, SupportTaskCompleted
from contracts.engage import AgreementConcluded, SupportTaskRequested, ThirdPartyServiceReported
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned, Objective, PlanPublished
from contracts.service_hours import Opening
from contracts.values import Term
from services.chassis.outputs import Answer, Later, Problem, Work
from services.deliver_support.handlers import (
    complete_support_task,
    follow_improvement_plan,
    follow_initiative,
    follow_plan,
    follow_supplier,
    keep_promise,
    note_initiative,
    pause_support_task,
    raise_incident,
    rest_on_supplier,
    resume_support_task,
    take_support_task,
    take_up_support_task,
    watch_target,
    weigh_support,
)
from services.deliver_support.model import (
    KnownError,
    LiveService,
    NeededAgreement,
    Outlook,
    Resolution,
    ResolutionDone,
    Supplier,
    SupportTaskPaused,
    SupportTaskResumed,
    SupportTaskTakenUp,
    SupportWeighed,
    TargetPassed,
)
from services.deliver_support.problem_model import IncidentRaised

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEMAND = UUID(int=7)
GAMES = "in-car-video-games"


def asked(**changes: Any) -> SupportTaskRequested:
    task = SupportTaskRequested(
        reasons=("A game does not start.",), basis=(), demand=DEMAND, task="resolve", title="Black screen",
        text="The racing game shows a black screen", service=GAMES, kind="incident", requester="ada@example.org",
        impact=2, urgency=2, priority=3, wanted_priority=None, respond_by=NOW + 8 * HOUR, resolve_by=NOW + 24 * HOUR,
    )  # fmt: skip
    return task.model_copy(update=changes).at(NOW)


def live(**changes: Any) -> LiveService:
    service = LiveService(id=GAMES, title="In-car video games", live_since=NOW, owner="games owner")
    return service.model_copy(update=changes)


def outlook() -> Outlook:
    return Outlook(id="the")


def opened(known: Outlook, **changes: Any) -> tuple[Resolution, Work, list[Later]]:
    resolution = Resolution(id=DEMAND)
    taking_up, *timers = take_support_task(asked(**changes), resolution, known)
    assert isinstance(taking_up, Work)
    return resolution, taking_up, [timer for timer in timers if isinstance(timer, Later)]


def warned_at(timers: list[Later]) -> datetime:
    (at,) = [at for at, passed in timers if isinstance(passed, TargetPassed) and passed.warning]
    return at


def ended(resolution: Resolution, service: LiveService, after: timedelta) -> SupportTaskCompleted:
    done = ResolutionDone(demand=DEMAND, service=GAMES).at(NOW + after)
    completed, *_ = complete_support_task(done, resolution, service)
    assert isinstance(completed, SupportTaskCompleted)
    return completed


def plan(version: int = 1, **targets: float) -> PlanPublished:
    objectives = tuple(
        Objective(
            objective=name.replace("_", "-"), statement="...", measure=name, target=target, unit="hours", due_at=NOW
        )
        for name, target in targets.items()
    )
    published = PlanPublished(
        reasons=("...",), basis=(), plan="operations", version=version, level="operational", title="Operations",
        vision="...", status="...", direction="...", objectives=objectives, valid_from=NOW,
    )  # fmt: skip
    return published.at(NOW)


def agreement(
    *, name: str = "sla-games", kind: str = "service_level", state: str = "in_force", version: int = 1,
    counterparty: str = "Carcachin Club", until: datetime | None = None, **terms: float,
) -> AgreementConcluded:  # fmt: skip
    words = {
        "agreement": name, "version": version, "kind": kind, "state": state, "title": name, "service": GAMES,
        "counterparty": counterparty, "valid_from": NOW - DAY, "valid_until": until,
        "terms": tuple(Term(name=term, value=value, unit="hours") for term, value in terms.items()),
    }  # fmt: skip
    return AgreementConcluded.model_validate(words).at(NOW)


def initiated(service: str | None = GAMES, measure: str = "sla_met") -> ImprovementInitiated:
    return ImprovementInitiated(
        reasons=("...",), basis=(), initiative="sla-met-games-1", title="Sooner", subject="services",
        hypothesis="...", measure=measure, baseline=0.8, target=0.95, unit="share", service=service,
        source="performance", owner="games owner", value=1, cost=1,
    ).at(NOW)  # fmt: skip


def planned(
    decision: Literal["approve", "defer", "reject"] = "approve", starts_at: datetime | None = NOW,
    service: str | None = GAMES, measure: str = "sla_met",
) -> ImprovementPlanned:  # fmt: skip
    return ImprovementPlanned(
        reasons=("...",), basis=(), initiative="sla-met-games-1", title="Sooner", decision=decision,
        subject="services", owner="games owner", cost=1, quarter="2026-Q4", starts_at=starts_at, measure=measure,
        service=service,
    ).at(NOW)  # fmt: skip


def closed(result: Literal["kept", "reverted", "inconclusive"] | None) -> InitiativeStatusReported:
    return InitiativeStatusReported(
        initiative="sla-met-games-1", title="Sooner", status="closed", result=result, target=0.95, unit="share",
        text="...", measure="sla_met", service=GAMES,
    ).at(NOW)  # fmt: skip


def test_a_plan_says_how_long_before_a_missed_target_somebody_is_warned() -> None:
    known = outlook()
    assert warned_at(opened(known)[2]) == NOW + 20 * HOUR, "without a plan by our own four hours"
    follow_plan(plan(time_to_restore=6), known)
    assert warned_at(opened(known)[2]) == NOW + 18 * HOUR
    follow_plan(plan(version=2, time_to_restore=30), known)
    assert warned_at(opened(known)[2]) == NOW + 12 * HOUR, "never before half of the time is over"


def test_the_newest_version_of_a_plan_holds_whatever_comes_first() -> None:
    known = outlook()
    follow_plan(plan(version=2, time_to_restore=2), known)
    assert follow_plan(plan(version=1, time_to_restore=9), known) == []
    assert follow_plan(plan(version=2, time_to_restore=9), known) == []
    assert [(goal.objective, goal.target) for goal in known.goals] == [("time-to-restore", 2)]
    follow_plan(plan(version=3, satisfaction=4), known)
    assert known.goals == (), "an objective that the new version has no more does not hold"


def test_a_warning_goes_to_who_works_on_it_and_is_no_breach() -> None:
    resolution, _, timers = opened(outlook())
    (warning,) = [passed for _, passed in timers if isinstance(passed, TargetPassed) and passed.warning]
    (warned,) = watch_target(warning.at(NOW + 20 * HOUR), resolution, live())
    assert (warned.breached, warned.to, warned.level, warned.target) == (False, "service desk", 1, "resolve")
    (missed,) = watch_target(warning.model_copy(update={"warning": False}).at(NOW + 24 * HOUR), resolution, live())
    assert (missed.breached, missed.to, missed.level) == (True, "service desk manager", 1)
    ended(resolution, live(), 25 * HOUR)
    assert watch_target(warning.at(NOW + 26 * HOUR), resolution, live()) == []


def test_a_missed_target_of_a_major_incident_goes_straight_to_the_owner_of_the_service() -> None:
    resolution, _, _ = opened(outlook(), priority=1)
    passed = TargetPassed(demand=DEMAND, service=GAMES, target="resolve", round=1)
    told = []
    for hours in (24, 25, 26):  # put off again and again
        resolution.promised_by = NOW + hours * HOUR
        told += [one.to for one in watch_target(passed.at(NOW + hours * HOUR), resolution, live())]
    assert told == ["games owner", "head of service delivery", "head of service delivery"]


@pytest.mark.row("deliver_support.in.agreements", "engage")
def test_the_promise_of_an_agreement_binds_a_task_and_makes_the_same_end_too_late() -> None:
    known = outlook()
    free = ended(opened(known)[0], live(), 6 * HOUR)
    keep_promise(agreement(respond=1, resolve=4), known, live())
    bound = ended(opened(known)[0], live(), 6 * HOUR)
    assert (free.resolve_by, free.resolved_in_time) == (NOW + 24 * HOUR, True)
    assert (bound.respond_by, bound.resolve_by) == (NOW + HOUR, NOW + 4 * HOUR)
    assert (bound.resolved_in_time, bound.responded_in_time) == (False, False)
    assert bound.reasons[-1] == "The agreement sla-games promises it by 24 November 13:00 UTC."
    assert bound.basis[-1].value == "sla-games"


@pytest.mark.parametrize(
    "other",
    [
        agreement(resolve=48), agreement(resolve=4, kind="operational_level"), agreement(resolve=4, until=NOW),
        agreement(resolve=4, state="terminated"), agreement(resolve=-4), agreement(resolve=1e300),
    ],
    ids=["slower", "not with a consumer", "over", "terminated", "negative", "absurd"],
)  # fmt: skip
def test_an_agreement_that_is_slower_or_does_not_hold_binds_nothing(other: AgreementConcluded) -> None:
    known = outlook()
    keep_promise(other, known, live())
    assert opened(known)[0].promised_by == NOW + 24 * HOUR


def test_an_agreement_binds_until_it_expires_and_an_older_word_of_it_does_not_revive_it() -> None:
    known = outlook()
    keep_promise(agreement(resolve=4), known, live())
    assert keep_promise(agreement(resolve=1), known, live()) == [], "the same version again"
    assert opened(known)[0].promised_by == NOW + 4 * HOUR
    keep_promise(agreement(resolve=4, version=3, state="expired"), known, live())
    keep_promise(agreement(resolve=4, version=2), known, live())
    assert opened(known)[0].promised_by == NOW + 24 * HOUR


def test_the_same_task_again_opens_nothing_again() -> None:
    resolution, _, _ = opened(outlook())
    assert take_support_task(asked(), resolution, outlook()) == []
    assert resolution.round == 1


def taken_up_after(known: Outlook) -> timedelta:
    return opened(known)[1].effort


def test_an_approved_improvement_of_the_times_has_tasks_taken_up_sooner_from_its_start() -> None:
    known = outlook()
    note_initiative(initiated(), known)
    assert taken_up_after(known) == 2 * HOUR, "it is proposed only"
    follow_improvement_plan(planned(starts_at=NOW + HOUR), known)
    assert taken_up_after(known) == 2 * HOUR, "it has not begun"
    begun = outlook()
    follow_improvement_plan(planned(), begun)
    assert taken_up_after(begun) == 1.5 * HOUR


@pytest.mark.parametrize(
    "told",
    [planned("defer"), planned("reject"), planned(service="other"), planned(measure="satisfaction")],
    ids=["deferred", "rejected", "of another service", "of another key figure"],
)
def test_any_other_improvement_leaves_the_times_as_they_are(told: ImprovementPlanned) -> None:
    known = outlook()
    follow_improvement_plan(told, known)
    assert taken_up_after(known) == 2 * HOUR


@pytest.mark.parametrize(("result", "hours"), [("kept", 1.5), ("reverted", 2), ("inconclusive", 2), (None, 2)])
def test_what_was_kept_stays_and_what_was_not_is_as_before_whatever_is_heard_first(
    result: Literal["kept", "reverted", "inconclusive"] | None, hours: float
) -> None:
    for order in ((planned(), closed(result)), (closed(result), planned())):
        known = outlook()
        for told in order:
            if isinstance(told, ImprovementPlanned):
                follow_improvement_plan(told, known)
            else:
                follow_initiative(told, known)
        note_initiative(initiated(), known)
        assert taken_up_after(known) == hours * HOUR
        assert len(known.initiatives) == 1


def test_a_known_error_is_restored_in_half_of_the_time() -> None:
    taken = SupportTaskTakenUp(demand=DEMAND, by="Grace", service=GAMES).at(NOW + HOUR)
    efforts = []
    error = KnownError(error="gpu", symptoms=("black screen",), workaround="Restart it.")
    for service in (live(), live(known_errors=(error,))):
        _, work = take_up_support_task(taken, opened(outlook())[0], service)
        assert isinstance(work, Work)
        efforts.append(work.effort * work.share)
    assert efforts == [6 * HOUR, 3 * HOUR]


def test_taking_up_twice_begins_the_work_once() -> None:
    resolution, _, _ = opened(outlook())
    taken = SupportTaskTakenUp(demand=DEMAND, by="Grace", service=GAMES).at(NOW + HOUR)
    assert len(take_up_support_task(taken, resolution, live())) == 2
    assert len(take_up_support_task(taken, resolution, live())) == 1
    stale = taken.model_copy(update={"round": 9}).at(NOW)
    assert status_of(take_up_support_task(stale, resolution, live())) == 409


def status_of(outputs: list[Any]) -> int:
    (answer,) = outputs
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, Problem)
    assert answer.body.detail
    return answer.status


def test_the_clock_stands_still_while_the_user_is_waited_for_and_only_then() -> None:
    resolution, _, timers = opened(outlook())
    take_up_support_task(SupportTaskTakenUp(demand=DEMAND, by="Grace", service=GAMES).at(NOW), resolution, live())
    pause_support_task(SupportTaskPaused(demand=DEMAND, by="Grace", asks="Which game?").at(NOW + HOUR), resolution)
    (passed,) = [one for _, one in timers if isinstance(one, TargetPassed) and not one.warning][1:]
    assert watch_target(passed.at(NOW + 24 * HOUR), resolution, live()) == [], "the user is waited for"
    resumed = SupportTaskResumed(demand=DEMAND, by="Grace").at(NOW + 31 * HOUR)
    answer, *anew = resume_support_task(resumed, resolution, outlook())
    assert isinstance(answer, Answer)
    assert resolution.promised_by == NOW + 54 * HOUR
    assert watch_target(passed.at(NOW + 32 * HOUR), resolution, live()) == [], "that target was put off"
    assert [timer.at for timer in anew if isinstance(timer, Later)] == [NOW + 50 * HOUR, NOW + 54 * HOUR]
    completed = ended(resolution, live(), 53 * HOUR)
    assert (completed.resolved_in_time, completed.resolve_by) == (True, NOW + 54 * HOUR)


def test_without_waiting_the_same_end_is_too_late() -> None:
    assert not ended(opened(outlook())[0], live(), 53 * HOUR).resolved_in_time


def test_a_clock_that_does_not_run_is_not_stopped_and_one_that_runs_does_not_go_on() -> None:
    resolution = Resolution(id=DEMAND)
    paused = SupportTaskPaused(demand=DEMAND, by="Grace", asks="Which game?").at(NOW)
    resumed = SupportTaskResumed(demand=DEMAND, by="Grace").at(NOW)
    assert status_of(pause_support_task(paused, resolution)) == 409
    resolution, _, _ = opened(outlook())
    assert status_of(resume_support_task(resumed, resolution, outlook())) == 409
    pause_support_task(paused, resolution)
    before = resolution.model_copy()
    assert status_of(pause_support_task(paused, resolution)) == 409
    assert resolution == before


def third_party(**changes: Any) -> ThirdPartyServiceReported:
    reported = ThirdPartyServiceReported(
        supplier="cloud-nine", version=1, name="Cloud Nine", service="streaming", title="Streaming", status="offered",
        terms=(Term(name="resolve", value=48, unit="hours"),), support_hours="", supports=(GAMES,), valid_from=NOW,
    )  # fmt: skip
    return reported.model_copy(update=changes).at(NOW)


def resting_on(*told: ThirdPartyServiceReported) -> tuple[LiveService, list[SupportWeighed]]:
    supplier, service, weighed = Supplier(id="cloud-nine"), live(), list[SupportWeighed]()
    for reported in told:
        for concerned in follow_supplier(reported, supplier):
            weighed += rest_on_supplier(concerned.at(NOW), service)
    return service, weighed


@pytest.mark.row("deliver_support.out.completion")
@pytest.mark.row("deliver_support.in.third_party", "engage")
def test_a_service_whose_supplier_fails_is_restored_by_a_workaround_only() -> None:
    fix = KnownError(error="gpu", symptoms=("black screen",), workaround="Restart it.", fix="We updated it.")
    well, badly = resting_on(third_party())[0], resting_on(third_party(status="degraded"))[0]
    well.known_errors = badly.known_errors = (fix,)
    assert ended(opened(outlook())[0], well, HOUR).outcome == "resolved"
    completed = ended(opened(outlook())[0], badly, HOUR)
    assert (completed.outcome, completed.problem) == ("workaround", "gpu")
    assert completed.reasons[0].startswith("The supplier's streaming (Cloud Nine) is degraded")
    over, _ = resting_on(third_party(status="ending", valid_until=NOW + HOUR))
    assert ended(opened(outlook())[0], over, HOUR / 2).outcome == "resolved"
    assert ended(opened(outlook())[0], over, 2 * HOUR).outcome == "workaround"


def test_the_newest_word_of_a_supplier_holds_and_what_no_longer_rests_on_it_is_free() -> None:
    service, _ = resting_on(third_party(version=2, status="degraded"), third_party(version=1))
    assert service.failing(NOW)
    service, _ = resting_on(third_party(status="degraded"), third_party(version=2, supports=()))
    assert service.suppliers == ()
    service, weighed = resting_on(third_party(), third_party())
    assert len(weighed) == 1, "the same again"


def needed(
    told: list[SupportWeighed], service: LiveService, known: Outlook, need: NeededAgreement | None = None
) -> list[SupportAgreementNeeded]:
    need = need or NeededAgreement(id="support-in-car-video-games-cloud-nine")
    return [event for one in told for event in weigh_support(one.at(NOW), need, service, known)]


def test_a_supplier_slower_than_our_own_target_needs_an_agreement() -> None:
    service, weighed = resting_on(third_party())
    (event,) = needed(weighed, service, outlook())
    assert (event.kind, event.counterparty, event.case) == (
        "underpinning_contract", "cloud-nine", "support-in-car-video-games-cloud-nine",
    )  # fmt: skip
    assert [(term.name, term.value, term.unit) for term in event.terms] == [("resolve", 24, "hours")]
    assert "within 48 hours only" in event.purpose
    relaxed = outlook()
    follow_plan(plan(time_to_restore=72), relaxed)
    assert needed(weighed, service, relaxed) == [], "the plan allows for more time"
    fast, weighed = resting_on(third_party(terms=(Term(name="resolve", value=90, unit="minutes"),)))
    assert needed(weighed, fast, outlook()) == []
    silent, weighed = resting_on(third_party(terms=()))
    assert needed(weighed, silent, outlook()) == []


def test_a_promise_to_consumers_that_supplier_or_colleagues_cannot_hold_needs_agreements_asked_for_once() -> None:
    known, need = outlook(), NeededAgreement(id="a")
    service, weighed = resting_on(third_party(terms=(Term(name="resolve", value=12, unit="hours"),)))
    assert needed(weighed, service, known, need) == [], "fast enough for our own target"
    weighed = keep_promise(agreement(resolve=4), known, service)
    (event,) = needed(weighed, service, known, need)
    assert event.terms[0].value == 4
    assert "sla-games promises that incidents are resolved within 4 hours" in event.purpose
    assert needed(weighed, service, known, need) == [], "asked for already"
    contract = agreement(name="support-x", kind="underpinning_contract", counterparty="cloud-nine", resolve=3)
    assert needed(keep_promise(contract, known, service), service, known, need) == []
    assert need.hours is None
    inside = agreement(name="ola", kind="operational_level", counterparty="Obtain/build", resolve=8)
    (event,) = [
        told for one in keep_promise(inside, known, live())
        for told in weigh_support(one.at(NOW), NeededAgreement(id="b"), live(), known)
    ]  # fmt: skip
    assert (event.kind, event.agreement) == ("operational_level", "support-in-car-video-games-obtain-build")


@pytest.mark.row("deliver_support.out.performance")
@pytest.mark.parametrize(
    ("known", "met", "source"),
    [((), True, "its priority"), ((agreement(resolve=4),), False, "agreement sla-games")],
    ids=["no agreement", "an agreement in force"],
)
def test_the_same_time_meets_the_targets_or_misses_them_by_the_agreement_in_force(
    known: tuple[AgreementConcluded, ...], met: bool, source: str
) -> None:
    heard = outlook()
    for one in known:
        keep_promise(one, heard, live())
    done = ResolutionDone(demand=DEMAND, service=GAMES).at(NOW + 6 * HOUR)
    _, performance, *_ = complete_support_task(done, opened(heard)[0], live())
    assert isinstance(performance, ServicePerformanceReported)
    assert performance.met is met
    assert performance.restore_target_seconds == (24 if met else 4) * 3600
    assert [why.endswith(f"the target of {source}.") for why in performance.reasons] == [True, True]
    assert ("It was not done by 24 November 13:00" in performance.reasons[1]) != met


# Hours of service

OFFICE = (Opening(days=("mon", "tue", "wed", "thu", "fri"), opens="08:00", closes="18:00"),)
FRIDAY, MONDAY = datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
"""Midnight of both."""
LATE = FRIDAY + 17.5 * HOUR


def in_office_hours(**terms: float) -> Outlook:
    """What support goes by where consumers were promised office hours."""
    known = outlook()
    agreed = agreement(**terms).model_copy(update={"service_hours": OFFICE})
    keep_promise(agreed.at(NOW), known, live())
    return known


def late_on_friday(known: Outlook, **changes: Any) -> tuple[Resolution, list[Later]]:
    """A task that comes on Friday at half past five; its priority gives it ten hours of service."""
    targets = {"respond_by": MONDAY + 8.5 * HOUR, "resolve_by": MONDAY + 17.5 * HOUR, "service_hours": OFFICE}
    task = asked(**(targets | changes)).at(LATE)
    resolution = Resolution(id=DEMAND)
    return resolution, [one for one in take_support_task(task, resolution, known) if isinstance(one, Later)]


def passing(timers: list[Later], resolution: Resolution) -> list[tuple[datetime, str, bool]]:
    """What is told when every timer has come at its time: when, which target, and whether it is missed."""
    found = []
    for at, passed in sorted(timers, key=lambda timer: timer.at):
        assert isinstance(passed, TargetPassed)
        found += [(at, one.target, one.breached) for one in watch_target(passed.at(at), resolution, live())]
    return found


def test_what_comes_late_on_friday_with_two_hours_to_resolve_is_due_on_monday() -> None:
    resolution, timers = late_on_friday(in_office_hours(resolve=2))
    assert resolution.promised_by == MONDAY + 9.5 * HOUR
    assert (resolution.bound_by, resolution.resolve_hours) == ("sla-games", OFFICE)
    assert passing(timers, resolution) == [
        (MONDAY + 8.5 * HOUR, "respond", True),
        (MONDAY + 8.5 * HOUR, "resolve", False),
        (MONDAY + 9.5 * HOUR, "resolve", True),
    ], "warned of in the last half of its time, an hour of service before it is due"
    assert passing(timers, resolution) == [], "each once"


def test_a_warning_comes_so_many_hours_of_service_before() -> None:
    known = in_office_hours()
    follow_plan(plan(time_to_restore=3), known)
    _, timers = late_on_friday(known, resolve_by=MONDAY + 10 * HOUR)
    assert warned_at(timers) == MONDAY + 8.75 * HOUR, "half of the two hours and a half that there are"
    _, timers = late_on_friday(known, resolve_by=MONDAY + DAY + 10 * HOUR)
    assert warned_at(timers) == MONDAY + 17 * HOUR, "an hour on Monday and two on Tuesday"


def test_of_two_agreements_the_one_that_is_due_first_binds_whatever_its_hours() -> None:
    known = in_office_hours(resolve=2)
    keep_promise(agreement(name="always", resolve=12), known, live())
    resolution, _ = late_on_friday(known)
    assert (resolution.promised_by, resolution.bound_by, resolution.resolve_hours) == (LATE + 12 * HOUR, "always", ())
    assert (resolution.respond_by, resolution.respond_hours) == (LATE + 12 * HOUR, ()), "to respond is never due later"


@pytest.mark.parametrize(
    ("since", "until", "due"),
    [
        (FRIDAY + 18.5 * HOUR, MONDAY + 7 * HOUR, MONDAY + 17.5 * HOUR),
        (FRIDAY + 17.75 * HOUR, MONDAY + 9 * HOUR, MONDAY + DAY + 8.75 * HOUR),
        (MONDAY + 9 * HOUR, MONDAY + 11 * HOUR, MONDAY + DAY + 9.5 * HOUR),
        (MONDAY + 20 * HOUR, MONDAY + DAY + 7 * HOUR, MONDAY + 17.5 * HOUR),
    ],
    ids=["over the weekend", "over the weekend and an hour of each day", "in the day", "after it was missed"],
)
def test_while_the_user_is_waited_for_only_hours_of_service_are_added(
    since: datetime, until: datetime, due: datetime
) -> None:
    resolution, _ = late_on_friday(outlook())
    pause_support_task(SupportTaskPaused(demand=DEMAND, by="Grace", asks="Which game?").at(since), resolution)
    resume_support_task(SupportTaskResumed(demand=DEMAND, by="Grace").at(until), resolution, outlook())
    assert resolution.promised_by == due
    assert resolution.respond_by is not None
    assert resolution.respond_by <= due


def test_what_was_missed_as_the_day_ended_is_not_due_anew_after_a_pause() -> None:
    resolution, _ = late_on_friday(outlook(), resolve_by=FRIDAY + 18 * HOUR, respond_by=FRIDAY + 18 * HOUR)
    pause_support_task(SupportTaskPaused(demand=DEMAND, by="Grace", asks="?").at(FRIDAY + 20 * HOUR), resolution)
    resume_support_task(SupportTaskResumed(demand=DEMAND, by="Grace").at(FRIDAY + DAY), resolution, outlook())
    assert resolution.promised_by == resolution.respond_by == FRIDAY + 18 * HOUR


def test_a_pause_in_which_the_service_was_closed_makes_nobody_escalate_twice() -> None:
    known = in_office_hours(resolve=2)
    resolution, timers = late_on_friday(known)
    asks = SupportTaskPaused(demand=DEMAND, by="Grace", asks="Which game?").at(FRIDAY + 19 * HOUR)
    pause_support_task(asks, resolution)
    resumed = SupportTaskResumed(demand=DEMAND, by="Grace").at(FRIDAY + DAY)
    _, *anew = resume_support_task(resumed, resolution, known)
    told = passing([*timers, *(one for one in anew if isinstance(one, Later))], resolution)
    assert sorted(told) == sorted(set(told))
    assert [one for one in told if one[2]] == [
        (MONDAY + 8.5 * HOUR, "respond", True),
        (MONDAY + 9.5 * HOUR, "resolve", True),
    ]


def test_reports_count_the_same_clock_as_the_targets() -> None:
    measured = []
    for ends in (MONDAY + 9 * HOUR, MONDAY + 10 * HOUR):
        resolution, _ = late_on_friday(in_office_hours(respond=1, resolve=2))
        taken = SupportTaskTakenUp(demand=DEMAND, by="Grace", service=GAMES).at(MONDAY + 8.25 * HOUR)
        take_up_support_task(taken, resolution, live())
        done = ResolutionDone(demand=DEMAND, service=GAMES).at(ends)
        completed, performance, *_ = complete_support_task(done, resolution, live())
        assert isinstance(completed, SupportTaskCompleted)
        assert isinstance(performance, ServicePerformanceReported)
        assert completed.responded_in_time
        assert completed.resolved_in_time is performance.met
        in_hours = (performance.respond_seconds, performance.restore_seconds, performance.restore_target_seconds)
        measured.append((performance.met, *(one / 3600 for one in in_hours)))
    assert measured == [(True, 0.75, 1.5, 2), (False, 0.75, 2.5, 2)]


def test_what_monitoring_notices_is_due_in_the_hours_of_the_service() -> None:
    raised = IncidentRaised(demand=DEMAND, service=GAMES, title="Slow", text="It is slow.", priority=3).at(LATE)
    due = []
    for known in (in_office_hours(), outlook()):
        resolution = Resolution(id=DEMAND)
        raise_incident(raised, resolution, known)
        due.append((resolution.respond_by, resolution.promised_by))
    assert due == [
        (MONDAY + 15.5 * HOUR, MONDAY + 2 * DAY + 11.5 * HOUR), (LATE + 8 * HOUR, LATE + 24 * HOUR)
    ]  # fmt: skip


def test_who_is_away_at_the_weekend_is_too_slow_for_a_promise_around_the_clock() -> None:
    told = []
    for hours in ((), OFFICE):
        known = outlook()
        inside = agreement(name="ola", kind="operational_level", counterparty="Obtain/build", resolve=4)
        keep_promise(inside.model_copy(update={"service_hours": OFFICE}).at(NOW), known, live())
        sla = agreement(resolve=8).model_copy(update={"service_hours": hours}).at(NOW)
        told.append(needed(keep_promise(sla, known, live()), live(), known, NeededAgreement(id="b")))
    (event,), same_hours = told
    assert "Obtain/build, on whom it rests, resolves within 66 hours only" in event.purpose
    assert same_hours == []
