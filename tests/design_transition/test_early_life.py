"""What follows a release: early life, the review of its change, and the end of what it replaces."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import (
    DeploymentPlanned,
    DesignPerformanceReported,
    ServiceReleased,
    ServiceTransitionReported,
)
from services.chassis.outputs import Later
from services.design_transition.change_policy import ChangePolicy, ChangeRules
from services.design_transition.early_life_support import (
    MOST_HELD_BACK,
    give_notice,
    hear_delivery,
    retire_service,
    review_change,
)
from services.design_transition.model import AgreementWanted, NoticeGiven, RetirementDue, ReviewDue
from services.design_transition.service_configuration import (
    MOST_INCIDENTS,
    MOST_SERVED,
    Contract,
    Incident,
    OutsideFactor,
    Role,
    ServiceRecord,
)
from tests.design_transition.bench import DEMAND, NOW, SERVICE, Bench, only
from tests.design_transition.test_change_requests import request

OLD = "board-games"


def supported(record: ServiceRecord, number: int, title: str = "No sound", after: float = 24) -> None:
    """A user was helped."""
    data = {"demand": UUID(int=number), "service": SERVICE, "title": title, "outcome": "supported",
            "what": "turn it up", "delivered_at": NOW + timedelta(hours=after)}  # fmt: skip
    told = ServiceDelivered.model_validate(data).at(NOW + timedelta(hours=after))
    assert hear_delivery(told, record) == []


def fulfilled(record: ServiceRecord, number: int) -> None:
    """Somebody was newly served."""
    data = {"demand": UUID(int=number), "service": OLD, "title": "", "outcome": "fulfilled", "what": "",
            "delivered_at": NOW}  # fmt: skip
    hear_delivery(ServiceDelivered.model_validate(data).at(NOW), record)


def review(bench: Bench, change: str | None = None) -> list[DesignPerformanceReported]:
    due = ReviewDue(demand=DEMAND, service=SERVICE, change=change or bench.design.change)
    return review_change(due.at(NOW + timedelta(days=10)), bench.design, bench.record)


# --- release on its own day


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.row("design_transition.out.services")
def test_a_design_that_held_is_not_released_when_a_dimension_fails_on_the_day(bench: Bench, trained: bool) -> None:
    bench.designed().validated()
    bench.record.roles = (Role(role="game-operator", staffed=True, trained=trained),)
    told = bench.deliver("deployment_accepted")
    ended, reported = only(ServiceTransitionReported, told), only(DesignPerformanceReported, told)
    if trained:
        assert (ended.outcome, reported.outcome) == ("released", "released")
    else:
        assert (ended.outcome, reported.outcome) == ("refused", "change_refused")
        assert ended.reasons == ("Nobody in the role game-operator is trained.",)
        assert not [one for one in told if isinstance(one, ServiceReleased)]
        assert bench.record.releases == 0


def test_a_supplier_who_fails_before_the_release_stops_it_and_another_one_is_wanted(bench: Bench) -> None:
    bench.designed().validated()
    ending = {"supplier": "cloudy", "offering": "hosting", "edition": 1, "status": "ending", "terms": ()}
    bench.record.contracts = (Contract.model_validate(ending),)
    told = bench.deliver("deployment_accepted")
    assert only(ServiceTransitionReported, told).reasons == ("The service of cloudy is ending.",)
    assert only(AgreementWanted, told).replaced


def credit(**different: object) -> tuple[OutsideFactor, ...]:
    data = {"kind": "economic", "fact": "the tax credit", "effect": "needed", **different}
    return (OutsideFactor.model_validate(data),)


LATE = NOW + timedelta(hours=50)
"""After the design is on paper, and before the day of release: 10 hours and 80 % of 100 later."""


@pytest.mark.parametrize(
    ("factors", "reason"),
    [
        (credit(ends=LATE), "The tax credit is needed and has ended on 2026-11-26, before the release on 2026-11-28."),
        (credit(begins=NOW + timedelta(days=30)), "The tax credit is needed and begins after 2026-11-28 only."),
        (credit(effect="forbids"), "The tax credit forbids a release on 2026-11-28."),
        (credit(ends=NOW + timedelta(days=30)), ""),
        (credit(effect="forbids", ends=LATE), ""),
        (credit(effect="forbids", begins=NOW + timedelta(days=30)), ""),
    ],
)
def test_a_dated_fact_of_the_world_outside_decides_a_design(
    bench: Bench, factors: tuple[OutsideFactor, ...], reason: str
) -> None:
    bench.record.factors = factors
    bench.start()
    told = bench.finish_design()
    if not reason:
        assert bench.design.status == "obtaining"
        return
    assert only(ServiceTransitionReported, told).reasons == (reason,)
    failing = [dimension.dimension for dimension in bench.design.dimensions if not dimension.passed]
    assert failing == ["value_streams_and_processes"]
    used = {fact.name for fact in only(DesignPerformanceReported, told).basis}
    assert {f"economic factor: the tax credit {factors[0].effect}", "day of release"} <= used


def test_a_dimension_that_fails_inside_and_outside_says_both(bench: Bench) -> None:
    bench.record.factors = credit(kind="social", fact="the strike", effect="forbids")
    bench.record.roles = (Role(role="game-operator", staffed=False, trained=False),)
    bench.start()
    (reason,) = only(ServiceTransitionReported, bench.finish_design()).reasons
    assert reason == "Nobody has the role game-operator. The strike forbids a release on 2026-11-28."


def test_a_tax_credit_that_ends_before_the_release_stops_it(bench: Bench) -> None:
    bench.record.factors = credit(ends=NOW + timedelta(days=5))
    bench.designed().validated()
    bench.time = NOW + timedelta(days=6)
    assert "has ended on 2026-11-29" in only(ServiceTransitionReported, bench.deliver("deployment_accepted")).reasons[0]


def test_a_factor_ends_after_it_begins() -> None:
    with pytest.raises(ValueError, match="ends after it begins"):
        credit(begins=NOW, ends=NOW)


# --- early life


def test_every_incident_in_early_life_makes_it_longer_and_later_ones_do_not_count(bench: Bench) -> None:
    released = only(ServiceReleased, bench.released())
    until = released.early_support_until
    assert until is not None
    supported(bench.record, 1, after=24)
    assert bench.record.early_support_until == until
    supported(bench.record, 2, after=14 * 24)
    assert bench.record.early_support_until == NOW + timedelta(days=21)
    supported(bench.record, 3, after=22 * 24)
    assert len(bench.record.incidents) == 2


def test_an_incident_is_noted_once_and_the_newest_are_kept(bench: Bench) -> None:
    bench.released()
    for number in (1, 1, *range(MOST_INCIDENTS + 5)):
        supported(bench.record, number)
    assert len(bench.record.incidents) == MOST_INCIDENTS
    assert bench.record.incidents[-1].demand == UUID(int=MOST_INCIDENTS + 4)


def test_before_any_release_there_is_no_early_life() -> None:
    record = ServiceRecord(id=SERVICE)
    supported(record, 1)
    assert record.incidents == ()


def known(bench: Bench, *titles: str) -> None:
    bench.record.incidents = tuple(
        Incident(change="CHG-OLD", demand=UUID(int=number), title=title, what="turn it up", at=NOW)
        for number, title in enumerate(titles)
    )


def test_what_came_back_in_early_life_is_a_known_error_of_the_next_release(bench: Bench) -> None:
    known(bench, "No sound", "No sound", "No picture")
    told = bench.released()
    released = only(ServiceReleased, told)
    assert released.known_errors == ("No sound (until then: turn it up)",)
    assert released.early_support_until == released.released_at + timedelta(days=28)
    assert only(ServiceTransitionReported, told).reasons[1] == (
        "Its makers stand by for 28 days, because a known error is left."
    )


def test_a_change_that_was_asked_for_because_of_it_removes_a_known_error(bench: Bench) -> None:
    known(bench, "No sound", "No sound", "No picture")
    bench.designed().validated()
    bench.design.request = request(demands=(UUID(int=1),))
    released = only(ServiceReleased, bench.deliver("deployment_accepted"))
    assert released.known_errors == ()
    assert [incident.title for incident in bench.record.incidents] == ["No picture"]
    assert released.early_support_until == released.released_at + timedelta(days=14)


def test_a_risky_change_is_stood_by_for_longer(bench: Bench) -> None:
    bench.record.review = "failed"
    released = only(ServiceReleased, bench.released())
    assert released.early_support_until == released.released_at + timedelta(days=28)
    assert bench.design.risk == "high"


# --- review


def test_a_change_is_reviewed_when_its_time_has_come(bench: Bench) -> None:
    later = only(Later, bench.released())
    assert later.message == ReviewDue(demand=DEMAND, service=SERVICE, change=bench.design.change)
    assert later.at == bench.design.reviewed_at


@pytest.mark.parametrize(
    ("titles", "reason"),
    [
        (("a", "b"), ""),
        (("a", "b", "c"), "3 incidents followed the change, and 2 are tolerated."),
        (("a", "a"), "It came back: a"),
    ],
)
@pytest.mark.row("design_transition.out.performance")
def test_what_users_met_since_decides_the_review(bench: Bench, titles: tuple[str, ...], reason: str) -> None:
    bench.released()
    for number, title in enumerate(titles):
        supported(bench.record, number, title, after=48 + number)
    told = review(bench)
    if not reason:
        assert (told, bench.design.review, bench.record.review) == ([], "succeeded", "succeeded")
        return
    (reported,) = told
    assert (reported.outcome, bench.record.review) == ("validation_failed", "failed")
    assert reason in reported.reasons
    assert reported.opportunity
    assert review(bench) == []


def test_a_review_of_another_change_or_of_a_design_that_was_not_released_says_nothing(bench: Bench) -> None:
    assert review(bench.designed()) == []
    bench.validated()
    bench.deliver("deployment_accepted")
    assert review(bench, "CHG-OTHER") == []
    assert bench.design.review == "none"


def test_the_review_of_a_change_that_was_overtaken_says_nothing_about_the_newer_release(bench: Bench) -> None:
    bench.released()
    bench.record.change = "CHG-NEWER"
    review(bench)
    assert (bench.design.review, bench.record.review) == ("succeeded", "none")


@pytest.mark.parametrize("incidents", [0, 3])
@pytest.mark.row("design_transition.out.services")
def test_a_failed_review_makes_the_next_change_riskier(bench: Bench, incidents: int) -> None:
    bench.released()
    for number in range(incidents):
        supported(bench.record, number, f"Error {number}", after=48)
    review(bench)
    later = Bench(bench.streams)
    later.record = bench.record
    planned = only(DeploymentPlanned, later.designed().validated())
    assert planned.risk == ("high" if incidents else "medium")
    sign = "It is riskier because the last change of the service failed its review."
    assert (sign in planned.reasons) == bool(incidents)


# --- retirement


def notice_given(record: ServiceRecord, hours: float = 48, time: datetime = NOW) -> tuple[list[Later], ChangePolicy]:
    policy = ChangePolicy(id="the", edition=1, rules=ChangeRules(retirement_notice_hours=hours))
    return give_notice(NoticeGiven(service=OLD, replaced_by=SERVICE).at(time), record, policy), policy


def end(record: ServiceRecord, days: float) -> list[ServiceTransitionReported | Later]:
    due = RetirementDue(demand=record.case_of_its_end, service=OLD)
    return retire_service(due.at(NOW + timedelta(days=days)), record)


@pytest.mark.parametrize("replaces", ["", OLD])
def test_a_release_gives_notice_to_the_service_that_it_replaces(bench: Bench, replaces: str) -> None:
    bench.record.replaces = replaces
    given = [one for one in bench.released() if isinstance(one, NoticeGiven)]
    assert given == ([NoticeGiven(service=OLD, replaced_by=SERVICE)] if replaces else [])


def test_a_service_is_retired_when_its_notice_is_over() -> None:
    record = ServiceRecord(id=OLD, demand=DEMAND, change="CHG-1")
    ((later,), _) = notice_given(record)
    assert later.at == NOW + timedelta(hours=48)
    assert notice_given(record)[0] == []
    assert end(record, 1) == []
    retired = only(ServiceTransitionReported, [*end(record, 2)])
    assert (retired.outcome, retired.replaced_by, retired.demand) == ("retired", SERVICE, DEMAND)
    assert retired.reasons == (f"{SERVICE} has taken its place, and the notice of 48 hours is over.",)
    assert end(record, 2) == []
    assert notice_given(record)[0] == []


def test_the_policy_says_how_long_a_notice_is() -> None:
    by_default = give_notice(
        NoticeGiven(service=OLD, replaced_by=SERVICE).at(NOW), ServiceRecord(id=OLD), ChangePolicy(id="the")
    )
    assert by_default[0].at == NOW + timedelta(days=90)


def test_who_was_newly_served_holds_a_retirement_back_but_not_for_ever() -> None:
    record = ServiceRecord(id=OLD)
    fulfilled(record, 0)  # before the notice: it counts for nothing
    notice_given(record)
    for round in range(MOST_HELD_BACK):
        for number in (1, 1, *range(MOST_SERVED + 5)):
            fulfilled(record, number)
        assert record.notice is not None
        assert len(record.notice.served) == MOST_SERVED
        (later,) = end(record, 2 * (round + 1))
        assert isinstance(later, Later)
        assert later.at == NOW + timedelta(days=2 * (round + 2))
    fulfilled(record, 1)
    retired = only(ServiceTransitionReported, [*end(record, 2 * (MOST_HELD_BACK + 1))])
    assert "It was held back 3 times" in retired.reasons[0]


def test_a_service_that_is_released_again_is_not_retired(bench: Bench) -> None:
    notice_given(bench.record)
    bench.released()
    assert end(bench.record, 2) == []
    assert bench.record.retired_at is None
