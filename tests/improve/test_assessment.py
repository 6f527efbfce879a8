"""What is taken up of all that is found and said, and which state decides it."""

import random
from datetime import timedelta
from typing import Any

import pytest

from contracts.engage import ImprovementOpportunityIdentified
from contracts.improve import ChainPerformanceReported, ImprovementInitiated, InitiativeStatusReported
from services.chassis.handlers import Handlers
from services.improve.continual_improvement import KEPT_FOR
from services.improve.handlers import handles
from services.improve.model import REST, Scope
from tests.improve.office import (
    DAY,
    HOUR,
    NOW,
    Office,
    decision,
    demand,
    engagement,
    escalated,
    judged,
    plan,
    planning,
    remark,
    supplier,
    support,
)


@pytest.fixture
def office() -> Office:
    return Office()


def states(office: Office, initiative: str) -> list[str]:
    return [told.status for told in office.all(InitiativeStatusReported) if told.initiative == initiative]


def test_feedback_is_assessed_as_a_step_and_outside_of_streams() -> None:
    assert isinstance(handles, Handlers)
    assert (ImprovementOpportunityIdentified.type, "assess feedback") in handles.registered
    plain = handles.registered[ImprovementOpportunityIdentified.type, ""]
    assert "continual improvement" in plain.practices
    assert all(one.practices for (_, capability), one in handles.registered.items() if not capability and
               one.message is not handles.redrive)  # fmt: skip


def test_a_figure_that_misses_its_target_over_enough_cases_is_to_be_improved(office: Office) -> None:
    office.hear(support(1, met=False), support(2, met=True))
    assert not office.all(ImprovementInitiated)
    office.hear(support(3, met=False))
    initiated, assessed = office.told[-2:]
    assert isinstance(initiated, ImprovementInitiated)
    assert (initiated.initiative, initiated.measure, initiated.service) == ("sla-met-games-1", "sla_met", "games")
    assert (initiated.baseline, initiated.target, initiated.source) == (0.3333, 0.95, "performance")
    assert "Targets met of games is 0.3333" in initiated.reasons[0]
    assert isinstance(assessed, InitiativeStatusReported)
    assert assessed.status == "assessed"


@pytest.mark.row("improve.out.initiatives")
def test_the_target_of_a_plan_decides_whether_a_figure_is_to_be_improved(office: Office) -> None:
    content = Office()
    content.hear(plan("operations", sla_met=0.3))
    for chain in (office, content):
        chain.hear(support(1, met=False), support(2, met=True), support(3, met=False))
    (initiated,) = office.all(ImprovementInitiated)
    assert not content.all(ImprovementInitiated)
    assert "own target" in initiated.reasons[0]
    strict = Office()
    strict.hear(plan("operations", 4, sla_met=0.99), support(1, met=False), support(2, met=True), support(3, met=True))
    assert "beside a target of 0.99 (plan operations v4)" in strict.all(ImprovementInitiated)[0].reasons[0]


def test_an_initiative_serves_the_objective_of_its_figure_if_a_plan_has_it_else_one_of_the_strategy() -> None:
    linked = {}
    for published in ((), (plan("operations", sla_met=0.9),)):
        office = Office()
        office.hear(*published, *(support(number, met=False) for number in range(3)))
        (initiated,) = office.all(ImprovementInitiated)
        linked[initiated.objective] = next(fact.source for fact in initiated.basis if fact.name == "objective")
    assert linked["sla-met"] == "plan operations v1"
    assert "strategy" in linked["satisfaction"]


def test_more_missed_cases_are_worth_more(office: Office) -> None:
    many = Office()
    many.hear(*(support(number, met=True, service="maps") for number in range(1)))
    many.hear(*(support(number, met=False, service=None) for number in range(6)))
    office.hear(*(support(number, met=False) for number in range(3)))
    (few,) = office.all(ImprovementInitiated)
    (chain,) = many.all(ImprovementInitiated)
    assert (few.value, few.cost) == (6_000, 6_000)
    assert chain.initiative == "sla-met-chain-1"
    again = Office()
    again.hear(support(0, met=True), support(1, met=True), support(2, met=False))
    assert again.all(ImprovementInitiated)[0].value < few.value


def test_while_an_initiative_works_on_a_figure_no_second_one_begins(office: Office) -> None:
    office.hear(*(support(number, met=False) for number in range(30)), supplier("degraded"))
    assert [one.initiative for one in office.all(ImprovementInitiated)] == ["sla-met-games-1"]
    office.hear(*(support(number, met=False, service="maps") for number in range(30, 33)))
    assert [one.initiative for one in office.all(ImprovementInitiated)] == ["sla-met-games-1", "sla-met-maps-1"]


def test_after_an_initiative_its_figure_rests_until_the_effect_can_show(office: Office) -> None:
    office.hear(*(support(number, met=False) for number in range(3)))
    office.hear(decision("sla-met-games-1", "reject", reason="No money."))
    office.hear(*(support(number, met=False) for number in range(10, 20)))
    assert len(office.all(ImprovementInitiated)) == 1
    office.hear(*(support(number, met=False) for number in range(20, 26)), at=NOW + REST + DAY)
    assert [one.initiative for one in office.all(ImprovementInitiated)][-1] == "sla-met-games-2"


@pytest.mark.row("improve.in.chain_performance", "deliver_support")
def test_escalations_show_that_restoring_is_slow_before_its_mean_does(office: Office) -> None:
    office.hear(*(escalated(number, breached=False) for number in range(9)))
    office.hear(escalated(1), escalated(2), escalated(3, service="maps"), escalated(4, service=None))
    assert not office.all(ImprovementInitiated)
    office.hear(escalated(5))
    (initiated,) = office.all(ImprovementInitiated)
    assert initiated.initiative == "time-to-restore-games-1"
    assert "escalated 3 times" in initiated.reasons[0]


@pytest.mark.row("improve.in.feedback", "engage")
def test_a_single_mild_remark_is_kept_until_a_second_one_comes(office: Office) -> None:
    (kept,) = office.hear(remark(1))
    assert isinstance(kept, InitiativeStatusReported)
    assert (kept.status, kept.demands) == ("new", (demand(1),))
    assert "kept until more say so" in kept.text
    initiated, assessed = office.hear(remark(2))
    assert isinstance(initiated, ImprovementInitiated)
    assert (initiated.initiative, initiated.demands) == (kept.initiative, (demand(1), demand(2)))
    assert "2 said so" in initiated.reasons[0]
    assert isinstance(assessed, InitiativeStatusReported)
    assert assessed.demands == (demand(1), demand(2))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"satisfaction": 3}, "new"),
        ({"satisfaction": 2}, "assessed"),
        ({"source": "complaint"}, "assessed"),
        ({"demands": (demand(8), demand(9))}, "assessed"),
        ({"satisfaction": 5}, "closed"),
        ({"source": "complaint", "satisfaction": 3}, "new"),
    ],
)
def test_a_remark_is_weighed_by_satisfaction_and_repeats(office: Office, said: dict[str, Any], status: str) -> None:
    office.hear(remark(1, **said))
    assert office.all(InitiativeStatusReported)[-1].status == status


def test_feedback_that_is_not_taken_up_is_answered_with_the_reason(office: Office) -> None:
    (refused,) = office.hear(remark(1, satisfaction=5))
    assert isinstance(refused, InitiativeStatusReported)
    assert (refused.status, refused.result, refused.demands) == ("closed", None, (demand(1),))
    assert "is content (5 of 5)" in refused.text
    office.hear(remark(2, satisfaction=1))
    assert office.all(ImprovementInitiated)[0].initiative == "satisfaction-games-2"


@pytest.mark.row("improve.out.status")
def test_the_same_complaint_is_proposed_joined_or_refused_by_what_the_figure_stands_at() -> None:
    free, busy, resting = Office(), Office(), Office()
    for office in (busy, resting):
        office.hear(remark(1, satisfaction=1))
    resting.hear(decision("satisfaction-games-1", "reject", reason="No money."))
    ended = {
        name: office.hear(remark(2, satisfaction=1))[-1]
        for name, office in (("free", free), ("busy", busy), ("resting", resting))
    }
    told = {name: one for name, one in ended.items() if isinstance(one, InitiativeStatusReported)}
    assert {name: one.status for name, one in told.items()} == {
        "free": "assessed", "busy": "assessed", "resting": "closed"
    }  # fmt: skip
    assert told["busy"].demands == (demand(1), demand(2))
    assert "satisfaction-games-1, which is open already" in told["busy"].text
    assert "has just ended (not taken up)" in told["resting"].text
    assert told["resting"].demands == (demand(2),)
    assert len(busy.all(ImprovementInitiated)) == 1


def test_a_remark_that_too_few_repeat_is_answered_within_two_weeks_and_the_next_one_begins_anew(office: Office) -> None:
    office.hear(remark(1))
    assert office.until(NOW + KEPT_FOR - HOUR) == []
    (ended,) = office.until(NOW + KEPT_FOR)
    assert isinstance(ended, InitiativeStatusReported)
    assert (ended.status, ended.result, ended.demands) == ("closed", None, (demand(1),))
    assert "Too few have said so within 13 days" in ended.text
    (kept,) = office.hear(remark(2))
    assert isinstance(kept, InitiativeStatusReported)
    assert (kept.initiative, kept.status) == ("satisfaction-games-2", "new"), "nothing was done that has to show first"


def test_a_remark_that_was_taken_up_does_not_lapse(office: Office) -> None:
    office.hear(remark(1))
    office.hear(remark(2))
    assert office.until(NOW + KEPT_FOR) == []
    assert office.initiative("satisfaction-games-1").state == "assessed"


def test_the_same_remark_twice_is_one(office: Office) -> None:
    office.hear(remark(1))
    assert office.hear(remark(1)) == []
    assert office.row(Scope, "satisfaction-games").stage == "kept"


def test_a_remark_that_was_kept_goes_with_the_initiative_that_a_figure_sets_off(office: Office) -> None:
    office.hear(remark(1))
    office.hear(*(judged(number, 2) for number in range(5, 8)))
    (initiated,) = office.all(ImprovementInitiated)
    assert (initiated.initiative, initiated.demands, initiated.source) == (
        "satisfaction-games-1", (demand(1),), "performance"
    )  # fmt: skip


def test_what_was_measured_is_the_baseline_of_a_complaint_else_what_they_say_themselves(office: Office) -> None:
    office.hear(judged(5, 3), judged(6, 4), remark(1, satisfaction=1))
    assert office.all(ImprovementInitiated)[0].baseline == 3.5
    unmeasured = Office()
    unmeasured.hear(remark(1, satisfaction=1))
    assert unmeasured.all(ImprovementInitiated)[0].baseline == 1


def test_a_remark_of_a_supplier_is_about_targets_and_one_without_a_service_about_the_chain(office: Office) -> None:
    office.hear(remark(1, 1, "supplier"), remark(2, 1, service=None))
    assert [one.initiative for one in office.all(ImprovementInitiated)] == ["sla-met-games-1", "satisfaction-chain-1"]


def test_complaints_of_a_day_count_once_by_the_newest_version_of_its_report(office: Office) -> None:
    office.hear(engagement("2026-11-23", 40, 1))
    assert not office.all(ImprovementInitiated)
    office.hear(engagement("2026-11-23", 40, 20, version=3), engagement("2026-11-23", 40, 0, version=2))
    report = office.all(ChainPerformanceReported)[-1]
    (complaints,) = report.kpis
    assert (complaints.name, complaints.value, complaints.count, complaints.met) == ("complaints", 0.5, 40, False)
    office.hear(engagement("2026-11-24", 40, 21))
    assert office.all(ImprovementInitiated)[0].initiative == "complaints-chain-1"


@pytest.mark.row("improve.in.chain_performance", "engage")
def test_without_the_report_of_engage_nobody_complains_too_much(office: Office) -> None:
    withheld = Office()
    office.hear(engagement("2026-11-23", 40, 20))
    assert [one.measure for one in office.all(ImprovementInitiated)] == ["complaints"]
    assert not withheld.told


def test_decisions_that_wait_are_an_initiative_unless_the_plan_allows_it(office: Office) -> None:
    allowed = Office()
    allowed.hear(plan("operations", decisions_waiting=0.9))
    for chain in (office, allowed):
        chain.hear(planning("2026-11-23", decided=1, waiting=4))
    (initiated,) = office.all(ImprovementInitiated)
    assert (initiated.measure, initiated.baseline) == ("decisions_waiting", 0.8)
    assert not allowed.all(ImprovementInitiated)


def test_no_order_of_remarks_and_figures_loses_or_doubles_anything() -> None:
    said = [remark(number, 3) for number in range(4)] + [judged(number, 2) for number in range(10, 14)]
    for seed in range(20):
        office = Office()
        random.Random(seed).shuffle(said)
        office.hear(*said)
        (initiated,) = office.all(ImprovementInitiated)
        proposal = office.initiative(initiated.initiative).proposal
        assert proposal
        assert sorted(proposal.demands) == [demand(number) for number in range(4)]
        assert {one.initiative for one in office.all(InitiativeStatusReported)} == {"satisfaction-games-1"}


def test_a_week_is_not_over_when_it_ends_for_reports_of_its_last_day(office: Office) -> None:
    office.hear(engagement("2026-11-29", 40, 20), at=NOW + timedelta(days=6))
    assert office.all(ChainPerformanceReported)[0].period == "2026-W48"
    (initiated,) = office.all(ImprovementInitiated)
    assert (initiated.baseline, initiated.target) == (0.5, 0.05)
