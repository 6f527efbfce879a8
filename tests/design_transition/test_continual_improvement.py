"""What plans, the chain's performance and initiatives turn in designs and changes."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from contracts.design_transition import DeploymentPlanned, SpecificationIssued
from contracts.improve import ChainPerformanceReported, ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned, Objective, PlanPublished
from contracts.values import Kpi
from services.design_transition.continual_improvement import (
    MOST_INITIATIVES,
    ChainHealth,
    take_chain_performance,
    take_improvement_plan,
    take_initiative,
    take_initiative_status,
    take_plan,
)
from services.design_transition.service_design import EARLY_TEST
from tests.design_transition.bench import NOW, SERVICE, Bench, only

BEFORE = NOW - timedelta(days=30)


def measure_changes(health: ChainHealth, share: float, *, met: bool | None = None, version: int = 1) -> None:
    kpi = Kpi(name="change_success", value=share, unit="share", met=met, count=10)
    told = ChainPerformanceReported(period="2026-W47", version=version, kpis=(kpi,)).at(BEFORE)
    take_chain_performance(told, health)


def publish_plan(
    health: ChainHealth,
    share: float | None,
    version: int = 1,
    plan: str = "portfolio-2026-q4",
    begins: datetime = BEFORE,
    ends: datetime | None = None,
) -> None:
    wanted = Objective(
        objective="change-success", statement="", measure="change_success", target=share or 0, unit="share", due_at=NOW
    )
    told = PlanPublished(
        plan=plan, version=version, level="tactical", title="", vision="", status="", direction="",
        objectives=() if share is None else (wanted,), valid_from=begins, valid_until=ends, reasons=("So.",), basis=(),
    )  # fmt: skip
    take_plan(told.at(BEFORE), health)


def propose(health: ChainHealth, measure: str, service: str | None = SERVICE, name: str = "better") -> None:
    data = {"initiative": name, "title": "", "subject": "chain", "hypothesis": "", "measure": measure, "baseline": 0,
            "target": 1, "unit": "share", "service": service, "source": "performance", "owner": "", "value": 1,
            "cost": 1, "reasons": ("So.",), "basis": ()}  # fmt: skip
    take_initiative(ImprovementInitiated.model_validate(data).at(BEFORE), health)


def decide(
    health: ChainHealth,
    measure: str,
    decision: str = "approve",
    service: str | None = SERVICE,
    begins: datetime = BEFORE,
    told_at: datetime = BEFORE,
) -> None:
    data = {"initiative": "better", "title": "", "decision": decision, "subject": "chain", "owner": "", "cost": 0,
            "quarter": "2026-Q4", "starts_at": begins, "measure": measure, "service": service, "reasons": ("So.",),
            "basis": ()}  # fmt: skip
    take_improvement_plan(ImprovementPlanned.model_validate(data).at(told_at), health)


def close(
    health: ChainHealth, measure: str, result: str | None, service: str | None = SERVICE, status: str = "closed"
) -> None:
    data = {"initiative": "better", "title": "", "status": status, "result": result, "target": 1, "unit": "share",
            "text": "", "measure": measure, "service": service}  # fmt: skip
    take_initiative_status(InitiativeStatusReported.model_validate(data).at(BEFORE), health)


# --- the target of the plan, and what is measured against it


def plan_a_change(bench: Bench) -> DeploymentPlanned:
    return only(DeploymentPlanned, bench.designed().validated())


def test_without_the_plan_a_change_is_judged_by_improve_and_with_it_by_its_target(bench: Bench) -> None:
    measure_changes(bench.health, 0.9, met=True)
    publish_plan(bench.health, 0.95)
    planned = plan_a_change(bench)
    assert (planned.risk, planned.authority) == ("high", "manager")
    wanted = "90% of changes succeeded in 2026-W47 and the plan portfolio-2026-q4 wants 95%"
    assert f"It is riskier because {wanted}." in planned.reasons


def test_withheld_the_plan_the_same_change_is_of_medium_risk(bench: Bench) -> None:
    measure_changes(bench.health, 0.9, met=True)
    planned = plan_a_change(bench)
    assert (planned.risk, planned.authority) == ("medium", "peer")


def test_withheld_the_chains_performance_a_plan_alone_makes_nothing_riskier(bench: Bench) -> None:
    publish_plan(bench.health, 0.95)
    assert plan_a_change(bench).risk == "medium"


def test_a_plan_that_wants_less_than_improve_does_lets_a_change_pass(bench: Bench) -> None:
    measure_changes(bench.health, 0.9, met=False)
    publish_plan(bench.health, 0.8)
    assert plan_a_change(bench).risk == "medium"


def test_the_newest_edition_of_a_plan_holds_and_one_without_the_target_takes_it_back() -> None:
    health = ChainHealth(id="the")
    publish_plan(health, None)
    assert health.targets == ()
    publish_plan(health, 0.7, version=3)
    publish_plan(health, 0.9, version=2)
    assert [target.share for target in health.targets] == [0.7]
    publish_plan(health, None, version=4)
    assert health.target(NOW) is None


def test_the_plan_of_the_next_quarter_holds_from_its_first_day() -> None:
    health, day = ChainHealth(id="the"), NOW + timedelta(days=37)
    publish_plan(health, 0.7, plan="portfolio-2027-q1", begins=day)
    publish_plan(health, 0.9, ends=day)
    shares = [target.share for time in (NOW, day) if (target := health.target(time))]
    assert shares == [0.9, 0.7]
    for quarter in range(1, 5):
        publish_plan(health, 0.5, plan=f"portfolio-2028-q{quarter}", begins=day + timedelta(days=365 + quarter))
    assert len(health.targets) == 4


def test_what_nobody_has_measured_yet_is_no_measure() -> None:
    health = ChainHealth(id="the")
    none = Kpi(name="change_success", value=0, unit="share", met=None, count=0)
    take_chain_performance(ChainPerformanceReported(period="2026-W47", kpis=(none,)).at(NOW), health)
    assert health.change_success is None


# --- initiatives


def test_a_service_that_is_being_improved_is_riskier_to_change(bench: Bench) -> None:
    propose(bench.health, "sla_met")
    planned = plan_a_change(bench)
    assert planned.risk == "high"
    assert "It is riskier because it is being improved just now (better)." in planned.reasons


@pytest.mark.parametrize("service", [None, "test-drives"])
def test_what_is_improved_elsewhere_makes_no_change_riskier(bench: Bench, service: str | None) -> None:
    propose(bench.health, "sla_met", service)
    assert plan_a_change(bench).risk == "medium"


@pytest.mark.parametrize("decision", ["reject", "defer", "approve"])
def test_only_a_refusal_ends_that_risk(bench: Bench, decision: str) -> None:
    propose(bench.health, "sla_met")
    decide(bench.health, "sla_met", decision)
    assert plan_a_change(bench).risk == ("medium" if decision == "reject" else "high")


def test_word_that_it_is_closed_ends_that_risk_and_word_of_a_state_before_does_not(bench: Bench) -> None:
    propose(bench.health, "sla_met")
    close(bench.health, "sla_met", None, status="accepted")
    assert bench.health.open_about(SERVICE) is not None
    close(bench.health, "sla_met", "inconclusive")
    assert plan_a_change(bench).risk == "medium"


@pytest.mark.parametrize("service", [SERVICE, None])
def test_while_more_changes_are_to_succeed_a_higher_authority_decides(bench: Bench, service: str | None) -> None:
    decide(bench.health, "change_success", service=service)
    planned = plan_a_change(bench)
    authority = "board" if service else "manager"  # the service itself is being improved: that is riskier, too
    assert planned.authority == authority
    assert f"better is to make more changes succeed: the {authority} decides." in planned.reasons[0]


@pytest.mark.parametrize("withheld", ["the decision", "the scope", "the beginning"])
def test_without_an_approved_initiative_of_its_scope_that_has_begun_the_peer_decides(
    bench: Bench, withheld: str
) -> None:
    if withheld == "the scope":
        decide(bench.health, "change_success", service="test-drives")
    if withheld == "the beginning":
        decide(bench.health, "change_success", service=None, begins=NOW + timedelta(days=30))
    assert plan_a_change(bench).authority == "peer"


def test_a_board_stays_the_highest_authority_of_a_normal_change(bench: Bench) -> None:
    decide(bench.health, "change_success", service=None)
    bench.users = 1_000
    assert plan_a_change(bench).authority == "board"


@pytest.mark.parametrize(("result", "authority"), [("kept", "manager"), ("reverted", "peer"), ("inconclusive", "peer")])
def test_what_was_kept_stays_and_what_was_not_ends(bench: Bench, result: str, authority: str) -> None:
    decide(bench.health, "change_success", service=None)
    close(bench.health, "change_success", result, service=None)
    assert plan_a_change(bench).authority == authority


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.row("design_transition.out.specifications")
def test_while_designs_are_to_be_right_the_first_time_parts_are_tested_early(bench: Bench, approved: bool) -> None:
    if approved:
        decide(bench.health, "design-right-first-time")
    bench.start()
    issued = only(SpecificationIssued, bench.finish_design())
    assert [EARLY_TEST in part.acceptance for part in issued.components] == [approved, approved]
    assert any("better is to make more designs right" in reason for reason in issued.reasons) == approved


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("result", ["kept", "reverted"])
def test_what_comes_later_in_the_life_of_an_initiative_wins_in_any_order(order: tuple[int, ...], result: str) -> None:
    health = ChainHealth(id="the")
    told: list[Any] = [propose, decide, lambda health, measure: close(health, measure, result)]
    for index in (*order, *order):  # and each of them twice
        told[index](health, "change_success")
    (initiative,) = health.initiatives
    assert initiative.stage == ("kept" if result == "kept" else "ended")
    assert (health.improving("change_success", SERVICE, NOW) is not None) == (result == "kept")


def test_of_two_decisions_the_later_one_counts() -> None:
    health = ChainHealth(id="the")
    decide(health, "change_success", told_at=NOW)
    decide(health, "change_success", "defer", told_at=NOW - timedelta(days=1))
    assert health.improving("change_success", SERVICE, NOW) is not None


def test_of_very_many_initiatives_those_without_an_effect_go_first() -> None:
    health = ChainHealth(id="the")
    decide(health, "change_success", service=None)
    propose(health, "change_success", name="refused")
    data = {"initiative": "refused", "title": "", "status": "closed", "target": 1, "unit": "", "text": ""}
    take_initiative_status(InitiativeStatusReported.model_validate(data).at(NOW), health)
    for number in range(MOST_INITIATIVES - 1):
        propose(health, "sla_met", name=f"new-{number}")
    assert len(health.initiatives) == MOST_INITIATIVES
    assert "refused" not in {one.initiative for one in health.initiatives}
    assert health.improving("change_success", SERVICE, NOW) is not None
