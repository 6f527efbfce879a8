from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from contracts.deliver_support import ChangeRequested, ServiceDelivered
from contracts.design_transition import (
    ChangeProposed,
    ComponentSpecification,
    ContractualAgreementNeeded,
    DeploymentPlanned,
    DesignPerformanceReported,
    ServiceReleased,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.engage import ThirdPartyServiceReported
from contracts.event import Message
from contracts.improve import ChainPerformanceReported, ImprovementInitiated, InitiativeStatusReported
from contracts.obtain_build import ChangedServiceReported, TestResult
from contracts.plan import ComponentNeed, ImprovementPlanned, PlanPublished, PolicyIssued, PortfolioVerdict
from contracts.stream import Streams
from contracts.values import Kpi, PolicyParameter, Requirement, Term
from services.chassis.outputs import Answer, Later, Work
from services.design_transition.change_enablement import AUTHORITIES
from services.design_transition.change_policy import (
    ChangePolicy,
    ChangeRules,
    PolicyDue,
    take_policy,
    take_policy_that_is_due,
)
from services.design_transition.continual_improvement import ChainHealth, take_chain_performance
from services.design_transition.handlers import handles
from services.design_transition.model import (
    AgreementWanted,
    AskedAgreement,
    ContractHeard,
    DesigningDone,
    ReadinessDeclared,
)
from services.design_transition.registers import ask_for_agreement, hear_third_party, take_contract, take_readiness
from services.design_transition.service_configuration import Contract, Integration, Role, ServiceRecord
from services.design_transition.service_design import hear_that_parts_cannot_be_had, take_decision
from tests.design_transition.bench import DECISION, DEMAND, NOW, SERVICE, STREAM, Bench, only

# --- the wiring


def test_the_shipped_streams_can_be_followed(streams: Streams) -> None:
    handles.follow(streams)
    assert {"create-a-new-product-or-service", "restore-a-live-service"} <= {stream.stream for stream in streams}


def test_every_decision_outside_of_streams_names_the_practices_it_draws_on() -> None:
    plain = [h for (kind, step), h in handles.registered.items() if not step and kind != handles.redrive.type]
    assert all(handler.practices for handler in plain if handler.decide.__name__ != "redrive")


@pytest.mark.parametrize(
    ("message", "told_by", "step", "handler"),
    [
        ("svc.engage.demand-consolidated.v1", "consolidate-demand", "design", "take_demand"),
        ("svc.engage.service-requirements-stated.v1", "consolidate-demand", "design", "take_requirements"),
        ("svc.plan.portfolio-decision-made.v1", "weigh-demand", "design", "take_decision"),
        (DesigningDone.type, "design", "design", "assess_design"),
        ("svc.obtain-build.component-provided.v1", "obtain", "validate", "validate_component"),
        ("svc.obtain-build.changed-service-reported.v1", "obtain", "validate", "hear_that_parts_cannot_be_had"),
        ("svc.deliver-support.service-delivered.v1", "deploy", "release", "release_service"),
    ],
)
def test_each_step_of_a_new_service_finds_its_handler(
    streams: Streams, message: str, told_by: str, step: str, handler: str
) -> None:
    handles.follow(streams)
    route = handles.route(message, STREAM, told_by)
    assert route is not None
    assert route.step is not None
    assert (route.handler.decide.__name__, route.step.step) == (handler, step)


def test_a_service_that_is_live_is_not_released_again(streams: Streams) -> None:
    handles.follow(streams)
    route = handles.route(ServiceDelivered.type, STREAM, "put-live")
    assert route is not None
    assert (route.handler.decide.__name__, route.step) == ("hear_delivery", None)


@pytest.mark.parametrize(
    "message",
    [PolicyIssued, PolicyDue, ReadinessDeclared, ThirdPartyServiceReported, ContractHeard, AgreementWanted,
     ChainPerformanceReported, PlanPublished, ImprovementInitiated, ImprovementPlanned, InitiativeStatusReported,
     ChangeRequested],
)  # fmt: skip
def test_registers_hear_whatever_the_stream(streams: Streams, message: type[Message]) -> None:
    handles.follow(streams)
    route = handles.route(message.type, "", "")
    assert route is not None
    assert route.step is None


# --- service design


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_design_begins_when_demand_requirements_and_decision_are_here_in_any_order(
    bench: Bench, order: tuple[int, ...]
) -> None:
    tell = list(bench.inputs())
    first, second, last = order
    assert [*tell[first](), *tell[second]()] == []
    (work,) = tell[last]()
    assert work == Work(timedelta(hours=20), DesigningDone(demand=DEMAND, service=SERVICE), "service designer")
    assert bench.design.status == "designing"
    assert bench.designing.promised_by == NOW + timedelta(hours=20)
    assert bench.brief.decision is None


@pytest.mark.parametrize("verdict", ["defer", "reject"])
def test_nothing_is_designed_that_is_not_funded(bench: Bench, verdict: PortfolioVerdict) -> None:
    take_all_but_the_decision = list(bench.inputs())[:2]
    for tell in take_all_but_the_decision:
        tell()
    decision = bench.decision(verdict).at(NOW, stream=STREAM, step="weigh-demand")
    assert take_decision(decision, bench.brief, bench.design, bench.designing) == []
    assert bench.design.status == "awaited"


def test_a_decision_while_the_design_is_under_way_does_not_begin_it_again(bench: Bench) -> None:
    bench.start()
    assert [output for tell in bench.inputs() for output in tell()] == []


def test_a_design_that_holds_in_four_dimensions_is_specified_and_proposed_as_a_change(bench: Bench) -> None:
    bench.start()
    told = bench.finish_design(by="grace")
    proposed, issued = only(ChangeProposed, told), only(SpecificationIssued, told)
    assert (proposed.authorised_by, proposed.budget) == (DECISION, 9_000)
    assert proposed.change == "CHG-C0FFEE000000"
    assert proposed.wanted_by == NOW + timedelta(hours=10 + 60)
    assert [c.component for c in issued.components] == ["game-store", "game-pad"]
    assert all(dimension.passed for dimension in issued.dimensions)
    assert len({dimension.dimension for dimension in issued.dimensions}) == 4
    assert issued.iteration == 1
    assert issued.rework_of is None
    reported = only(DesignPerformanceReported, told)
    assert (reported.outcome, reported.promised_hours, reported.taken_hours) == ("designed", 20, 10)
    assert bench.design.author == "grace"


def test_a_requirement_counted_in_the_unit_of_a_part_is_tested_on_that_part_and_others_on_all(bench: Bench) -> None:
    store, pad = (part.specification for part in bench.designed().design.parts)
    assert isinstance(store, ComponentSpecification)
    assert store.acceptance == ("availability", "players")
    assert pad.acceptance == ("availability",)


def test_a_design_cannot_be_reported_done_twice(bench: Bench) -> None:
    bench.designed()
    answer = only(Answer, bench.finish_design())
    assert answer.status == 409
    assert bench.design.iteration == 1


def vacant(bench: Bench) -> None:
    bench.record.roles = (Role(role="game-operator", staffed=False, trained=False),)


def untrained(bench: Bench) -> None:
    bench.record.roles = (Role(role="game-operator", staffed=True, trained=False),)


def without_parts(bench: Bench) -> None:
    bench.needs = ()


def a_part_twice(bench: Bench) -> None:
    bench.needs = (bench.needs[0], bench.needs[0])


def too_small(bench: Bench) -> None:
    bench.needs = (ComponentNeed(component="game-store", description="", capacity=49, unit="users"),)


def unguarded(bench: Bench) -> None:
    bench.record.data_class = "confidential"


def not_connected(bench: Bench) -> None:
    bench.record.integrations = (Integration(system="car-screen", available=False),)


def supplied(bench: Bench, status: str, availability: float) -> None:
    terms = (Term(name="availability", value=availability, unit="%"), Term(name="delivery", value=1, unit="hours"))
    contract = {"supplier": "cloudy", "offering": "hosting", "edition": 1, "status": status, "terms": terms}
    bench.record.contracts = (Contract.model_validate(contract),)


def ending_contract(bench: Bench) -> None:
    supplied(bench, "ending", 99.9)


def weak_contract(bench: Bench) -> None:
    supplied(bench, "offered", 98.5)


def too_slow(bench: Bench) -> None:
    bench.lead_time_hours = 2161


@pytest.mark.parametrize(
    ("flaw", "dimension", "reason"),
    [
        (vacant, "organisations_and_people", "Nobody has the role game-operator."),
        (untrained, "organisations_and_people", "Nobody in the role game-operator is trained."),
        (without_parts, "information_and_technology", "The blueprint names no part, so"),
        (a_part_twice, "information_and_technology", "The blueprint names game-store more than once."),
        (too_small, "information_and_technology", "49 users where at least 50 users is required (players)"),
        (unguarded, "information_and_technology", "Its data is confidential, and no requirement on security"),
        (not_connected, "information_and_technology", "Car-screen cannot be connected to."),
        (ending_contract, "partners_and_suppliers", "The service of cloudy is ending."),
        (weak_contract, "partners_and_suppliers", "Cloudy promises 98.5 % where at least 99 % is required."),
        (too_slow, "value_streams_and_processes", "It takes 2161 hours, and the stream promises 2160."),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.row("design_transition.out.specifications")
@pytest.mark.row("design_transition.out.performance")
def test_a_design_with_one_failing_dimension_is_refused_with_the_fact(
    bench: Bench, flaw: Any, dimension: str, reason: str
) -> None:
    flaw(bench)
    bench.start()
    told = bench.finish_design()
    refused, reported = only(ServiceTransitionReported, told), only(DesignPerformanceReported, told)
    assert (refused.outcome, refused.change) == ("refused", None)
    assert len(refused.reasons) == 1
    assert reason in refused.reasons[0]
    assert [d.dimension for d in bench.design.dimensions if not d.passed] == [dimension]
    assert (reported.outcome, reported.reasons) == ("design_refused", refused.reasons)
    assert reported.basis
    assert bench.design.status == "refused"


def test_a_stream_in_which_nobody_obtains_parts_fails_the_dimension_of_processes(bench: Bench) -> None:
    bench.start()
    bench.design.stream = "restore-a-live-service"
    bench.design.lead_time_hours = 1
    refused = only(ServiceTransitionReported, bench.finish_design())
    assert refused.reasons == ("No step is done by Obtain/build.",)


def test_a_stream_that_nobody_knows_fails_the_dimension_of_processes(bench: Bench) -> None:
    bench.start()
    bench.design.stream = "unheard-of"
    refused = only(ServiceTransitionReported, bench.finish_design())
    assert refused.reasons == ("The value stream unheard-of is not known.",)


def test_guarded_data_with_a_security_requirement_and_a_contract_that_covers_the_promise_pass(bench: Bench) -> None:
    unguarded(bench)
    supplied(bench, "offered", 99.5)
    bench.requirements = (
        *bench.requirements,
        Requirement(name="data-security", kind="warranty", measure="open findings", target=0, better="lower"),
    )
    assert all(dimension.passed for dimension in bench.designed().design.dimensions)


def test_a_contract_that_promises_too_little_is_to_be_agreed_anew(bench: Bench) -> None:
    weak_contract(bench)
    bench.start()
    wanted = only(AgreementWanted, bench.finish_design())
    (needed,) = ask_for_agreement(wanted.at(NOW), AskedAgreement(id=wanted.agreement))
    assert isinstance(needed, ContractualAgreementNeeded)
    assert (needed.counterparty, needed.service, needed.demand) == ("cloudy", SERVICE, DEMAND)
    assert needed.terms == (Term(name="availability", value=99, unit="%"),)


def test_a_refused_service_may_be_funded_and_designed_anew(bench: Bench) -> None:
    vacant(bench)
    bench.start()
    bench.finish_design()
    bench.record.roles = ()
    bench.designed()
    assert bench.design.iteration == 2
    assert bench.design.rounds == 1


# --- validation


def test_a_deployment_is_planned_once_every_part_is_there_and_good(bench: Bench) -> None:
    bench.designed()
    assert bench.provide("game-pad") == []
    told = bench.provide("game-store")
    planned = only(DeploymentPlanned, told)
    assert planned.components == ("game-store", "game-pad")
    assert only(DesignPerformanceReported, told).outcome == "validated"
    assert bench.design.status == "deploying"


@pytest.mark.parametrize(
    ("different", "reason"),
    [
        ({"capacity": 59}, "it bears 59 users where 60 users are specified"),
        ({"unit": "pieces"}, "it bears 60 pieces where 60 users are specified"),
        ({"tests": ()}, "it was not tested for availability"),
        (
            {"tests": (TestResult(name="availability", passed=True, measured=98, unit="%"),
                       TestResult(name="players", passed=True, measured=50, unit="users"))},
            "availability is 98 % where at least 99 % is required",
        ),
    ],
)  # fmt: skip
def test_a_part_that_fails_goes_back_with_the_reason_and_a_good_one_stays(
    bench: Bench, different: dict[str, object], reason: str
) -> None:
    bench.designed()
    bench.provide("game-store", **different)
    told = bench.provide("game-pad")
    again = only(SpecificationIssued, told)
    assert [c.component for c in again.components] == ["game-store"]
    assert again.iteration == 2
    assert again.rework_of is not None
    assert reason in again.rework_of
    assert again.basis
    reported = only(DesignPerformanceReported, told)
    assert (reported.outcome, reported.iteration) == ("validation_failed", 1)
    only(DeploymentPlanned, bench.provide("game-store"))


def test_a_requirement_with_a_greatest_value_fails_when_more_is_measured(bench: Bench) -> None:
    delay = Requirement(
        name="start-time", kind="warranty", measure="until it starts", target=10, unit="s", better="lower"
    )
    bench.requirements = (delay,)
    bench.designed()
    bench.provide("game-pad")
    late = (TestResult(name="start-time", passed=True, measured=10.5, unit="s"),)
    again = only(SpecificationIssued, bench.provide("game-store", tests=late))
    assert again.rework_of == "game-store: start-time is 10.5 s where at most 10 s is required."


def test_a_criterion_in_words_is_believed(bench: Bench) -> None:
    bench.designed()
    first = bench.design.parts[0]
    in_words = first.specification.model_copy(update={"acceptance": ("looks good",)})
    bench.design.replace(first.model_copy(update={"specification": in_words}))
    bench.provide("game-pad")
    ugly = (TestResult(name="looks good", passed=False, measured=0),)
    again = only(SpecificationIssued, bench.provide("game-store", tests=ugly))
    assert again.rework_of == "game-store: it did not pass the test for looks good."


def test_after_the_third_round_a_service_is_given_up(bench: Bench) -> None:
    bench.designed()
    bench.provide("game-pad")
    for _ in range(2):
        only(SpecificationIssued, bench.provide("game-store", capacity=1))
    told = bench.provide("game-store", capacity=1)
    refused = only(ServiceTransitionReported, told)
    assert refused.outcome == "refused"
    assert refused.reasons[0] == "After 3 rounds parts of it still fail."
    assert only(DesignPerformanceReported, told).outcome == "validation_failed"
    assert bench.design.status == "refused"


def test_a_part_of_another_iteration_or_one_that_nobody_asked_for_is_not_judged(bench: Bench) -> None:
    bench.designed()
    assert bench.provide("game-store", iteration=2) == []
    assert bench.provide("game-store", component="steering-wheel") == []
    assert [part.result for part in bench.design.parts] == ["awaited", "awaited"]


def report_parts(bench: Bench, outcome: str, change: str | None = None) -> list[DesignPerformanceReported]:
    data = {"demand": DEMAND, "service": SERVICE, "change": change or bench.design.change, "components": (),
            "outcome": outcome, "reasons": ("Too dear.",)}  # fmt: skip
    return hear_that_parts_cannot_be_had(ChangedServiceReported.model_validate(data).at(NOW), bench.design)


def test_a_design_whose_parts_cannot_be_had_is_closed(bench: Bench) -> None:
    bench.designed()
    (reported,) = report_parts(bench, "not_obtainable")
    assert (reported.outcome, reported.reasons) == ("design_refused", ("Too dear.",))
    assert bench.design.status == "refused"
    assert bench.provide("game-store") == []


def test_parts_that_are_ready_or_belong_to_another_change_do_not_close_a_design(bench: Bench) -> None:
    bench.designed()
    assert report_parts(bench, "ready") == []
    assert report_parts(bench, "not_obtainable", "CHG-OTHER") == []
    assert bench.design.status == "obtaining"


# --- change enablement


def test_a_new_part_makes_a_change_normal_and_the_manager_approves_it_a_day_ahead(bench: Bench) -> None:
    bench.users = 200
    planned = only(DeploymentPlanned, bench.designed().validated())
    assert (planned.change_type, planned.risk, planned.authority) == ("normal", "medium", "manager")
    assert planned.approved_by == "change manager"
    assert planned.scheduled_at == bench.time + timedelta(hours=24)
    assert planned.reviewed_at == planned.scheduled_at + timedelta(hours=168)
    assert planned.back_out_plan.endswith("in-car-video-games has no users yet, so nobody loses anything.")
    assert {"cost of the parts", "authorised cost", "users", "manager_from"} <= {fact.name for fact in planned.basis}


def test_reused_parts_of_low_cost_are_a_standard_change_that_nobody_need_approve(bench: Bench) -> None:
    bench.designed().provide("game-pad", way="reuse", cost=0)
    planned = only(DeploymentPlanned, bench.provide("game-store", way="reuse", cost=0))
    assert (planned.change_type, planned.model, planned.authority) == ("standard", "proven-parts", "pre_authorised")
    assert planned.scheduled_at == bench.time


def test_reused_parts_for_very_many_users_are_beyond_the_standard_model(bench: Bench) -> None:
    bench.users = 1_000
    bench.designed().provide("game-pad", way="reuse", cost=0)
    planned = only(DeploymentPlanned, bench.provide("game-store", way="reuse", cost=0))
    assert (planned.change_type, planned.risk, planned.authority) == ("normal", "low", "manager")


def test_a_part_that_failed_before_makes_a_change_riskier(bench: Bench) -> None:
    bench.designed().provide("game-pad", capacity=1)
    bench.provide("game-store")
    planned = only(DeploymentPlanned, bench.provide("game-pad"))
    assert (planned.risk, planned.authority) == ("high", "manager")


def test_too_few_successful_changes_make_the_next_one_riskier(bench: Bench) -> None:
    bench.health.period, bench.health.change_success_met = "2026-W47", False
    planned = only(DeploymentPlanned, bench.designed().validated())
    assert planned.risk == "high"
    assert "It is riskier because too few changes succeeded in 2026-W47." in planned.reasons


def test_many_users_who_need_it_sooner_than_a_normal_change_make_an_emergency(bench: Bench) -> None:
    bench.users, bench.wanted_by = 100, NOW + timedelta(hours=33)
    planned = only(DeploymentPlanned, bench.designed().validated())
    assert (planned.change_type, planned.authority) == ("emergency", "emergency_authority")
    assert planned.scheduled_at == bench.time


def test_few_users_in_a_hurry_are_no_emergency(bench: Bench) -> None:
    bench.users, bench.wanted_by = 99, NOW + timedelta(hours=33)
    assert only(DeploymentPlanned, bench.designed().validated()).change_type == "normal"


def freeze(bench: Bench) -> datetime:
    """A freeze around the day on which a normal change would be installed; returns its end."""
    end = NOW + timedelta(days=5)
    rules = {"freeze_from": NOW + timedelta(hours=5), "freeze_until": end}
    bench.policy.edition, bench.policy.rules = 1, ChangeRules.model_validate(rules)
    return end


def test_nothing_normal_is_installed_in_a_freeze(bench: Bench) -> None:
    end = freeze(bench)
    planned = only(DeploymentPlanned, bench.designed().validated())
    assert planned.scheduled_at == end


def test_an_emergency_is_installed_in_a_freeze(bench: Bench) -> None:
    freeze(bench)
    bench.users, bench.wanted_by = 100, NOW + timedelta(days=4)
    assert only(DeploymentPlanned, bench.designed().validated()).scheduled_at == bench.time


def test_nobody_approves_their_own_change(bench: Bench) -> None:
    bench.start()
    bench.finish_design(by="solution architect")
    planned = only(DeploymentPlanned, bench.validated())
    assert (planned.authority, planned.approved_by) == ("manager", "change manager")
    assert planned.author == "solution architect"


def test_a_change_that_only_its_author_could_approve_is_refused(bench: Bench) -> None:
    everybody = dict.fromkeys(("peer", "manager", "board", "emergency_authority"), "ada")
    bench.policy.edition, bench.policy.rules = 1, ChangeRules.model_validate(everybody)
    bench.start()
    bench.finish_design(by="ada")
    told = bench.validated()
    assert "Only its author, ada, could approve it" in only(ServiceTransitionReported, told).reasons[0]
    assert only(DesignPerformanceReported, told).outcome == "change_refused"


def test_parts_that_cost_more_than_is_authorised_are_not_deployed(bench: Bench) -> None:
    bench.cost = 5_999
    refused = only(ServiceTransitionReported, bench.designed().validated())
    assert refused.reasons[0] == "Its parts cost 6000 euros, and 5999 are authorised."
    assert refused.change == bench.design.change


def test_more_risk_or_impact_never_asks_a_lower_authority() -> None:
    rank = ("peer", "manager", "board").index
    for risk, lower in (("high", "medium"), ("medium", "low")):
        for impact in (1, 2, 3):
            assert rank(AUTHORITIES[risk, impact]) >= rank(AUTHORITIES[lower, impact])  # type: ignore[index]
    for risk in ("low", "medium", "high"):
        for impact in (1, 2):
            assert rank(AUTHORITIES[risk, impact]) >= rank(AUTHORITIES[risk, impact + 1])  # type: ignore[index]


# --- release management


def test_an_accepted_deployment_is_released_for_use(bench: Bench) -> None:
    bench.designed().validated()
    bench.record.releases = 4
    told = bench.deliver("deployment_accepted")
    released = only(ServiceReleased, told)
    assert (released.version, released.components) == (5, ("game-store", "game-pad"))
    assert released.requirements == bench.requirements
    assert released.early_support_until == released.released_at + timedelta(days=14)
    assert only(ServiceTransitionReported, told).outcome == "released"
    reported = only(DesignPerformanceReported, told)
    assert (reported.outcome, reported.taken_hours) == ("released", 24)
    assert bench.record.releases == 5


def test_the_way_back_of_a_later_release_is_the_one_before(bench: Bench) -> None:
    bench.record.releases = 4
    planned = only(DeploymentPlanned, bench.designed().validated())
    assert planned.back_out_plan.endswith("install release 4 of in-car-video-games again.")


def test_a_refused_deployment_does_not_come(bench: Bench) -> None:
    bench.designed().validated()
    told = bench.deliver("deployment_refused")
    refused = only(ServiceTransitionReported, told)
    assert (refused.outcome, refused.reasons) == ("refused", ("No way back.",))
    assert only(DesignPerformanceReported, told).outcome == "change_refused"
    assert bench.record.releases == 0


def test_a_delivery_of_another_change_or_of_nothing_deployed_releases_nothing(bench: Bench) -> None:
    assert bench.designed().deliver("deployment_accepted") == []
    bench.validated()
    assert bench.deliver("deployment_accepted", "CHG-OTHER") == []
    assert bench.deliver("supported") == []
    assert bench.design.status == "deploying"


# --- registers


def policy_issued(
    version: int = 1, policy: str = "change-authority", begin: datetime = NOW, **values: str | int
) -> PolicyIssued:
    parameters = tuple(PolicyParameter(name=name, value=value) for name, value in values.items())
    return PolicyIssued(
        policy=policy, version=version, title="", statement="", subject="change", parameters=parameters,
        valid_from=begin, reasons=("Directed.",), basis=(),
    ).at(NOW)  # fmt: skip


def test_the_newest_edition_of_the_policy_on_changes_binds() -> None:
    policy = ChangePolicy(id="the")
    assert policy.at(NOW) == (ChangeRules(), "default: no policy change-authority binds")
    take_policy(policy_issued(2, board_from=7, other="ignored"), policy)
    take_policy(policy_issued(1, board_from=8), policy)
    take_policy(policy_issued(3, policy="funding", board_from=9), policy)
    assert policy.at(NOW) == (ChangeRules(board_from=7), "policy change-authority v2")


def test_a_policy_issued_ahead_binds_from_its_day() -> None:
    policy, day = ChangePolicy(id="the"), NOW + timedelta(days=3)
    (later,) = take_policy(policy_issued(begin=day, notice_hours=48), policy)
    assert isinstance(later, Later)
    assert (later.at, policy.edition) == (day, 0)
    assert isinstance(later.message, PolicyDue)
    take_policy_that_is_due(later.message.at(day), policy)
    assert policy.rules.notice_hours == 48


def test_a_policy_that_was_overtaken_before_its_day_stays_aside() -> None:
    policy = ChangePolicy(id="the", edition=2)
    take_policy_that_is_due(PolicyDue(policy="change-authority", edition=1, parameters=()).at(NOW), policy)
    assert policy.edition == 2


def test_a_policy_that_has_run_out_gives_way_to_the_defaults() -> None:
    policy = ChangePolicy(id="the", edition=1, rules=ChangeRules(board_from=7), valid_until=NOW)
    assert policy.at(NOW - timedelta(seconds=1))[0].board_from == 7
    assert policy.at(NOW)[0] == ChangeRules()


@pytest.mark.parametrize(
    ("parameter", "value", "reason"),
    [("board_from", "much", "board_from: Input"), ("freeze_from", "2026-12-20T00:00:00Z", "belong together")],
)
def test_a_policy_that_cannot_be_read_leaves_the_rules_in_force_and_says_why(
    parameter: str, value: str, reason: str
) -> None:
    policy = ChangePolicy(id="the", edition=1, rules=ChangeRules(manager_from=5))
    take_policy(policy_issued(2, begin=NOW, **{parameter: value}), policy)
    assert policy.rules.manager_from == 5
    assert policy.edition == 1
    assert reason in policy.unreadable


def test_declared_readiness_replaces_what_was_known() -> None:
    record = ServiceRecord(id=SERVICE, roles=(Role(role="old", staffed=False, trained=False),))
    declared = ReadinessDeclared(service=SERVICE, declared_by="ada", data_class="secret").at(NOW)
    (answer,) = take_readiness(declared, record)
    assert answer.status == 200
    assert (record.roles, record.data_class, record.declared_by) == ((), "secret", "ada")


def third_party(version: int, status: str) -> ThirdPartyServiceReported:
    data = {"supplier": "cloudy", "version": version, "name": "Cloudy", "service": "hosting", "title": "", "terms": (),
            "status": status, "support_hours": "", "supports": (SERVICE, "test-drives"), "valid_from": NOW}  # fmt: skip
    return ThirdPartyServiceReported.model_validate(data).at(NOW)


def test_every_service_that_rests_on_a_supplier_learns_how_it_stands_and_keeps_the_newest() -> None:
    record = ServiceRecord(id=SERVICE)
    newer, other = hear_third_party(third_party(2, "degraded"))
    assert (newer.service, other.service) == (SERVICE, "test-drives")
    older, _ = hear_third_party(third_party(1, "offered"))
    take_contract(newer.at(NOW), record)
    take_contract(older.at(NOW), record)
    assert [contract.status for contract in record.contracts] == ["degraded"]
    newest, _ = hear_third_party(third_party(3, "changed"))
    take_contract(newest.at(NOW), record)
    assert [contract.status for contract in record.contracts] == ["changed"]


def test_the_latest_report_on_the_chain_says_how_many_changes_succeed() -> None:
    health = ChainHealth(id="the")

    def report(period: str, met: bool | None) -> None:
        kpi = Kpi(name="change_success", value=0.5, unit="%", met=met, count=2)
        take_chain_performance(ChainPerformanceReported(period=period, kpis=(kpi,)).at(NOW), health)

    report("2026-W48", met=False)
    report("2026-W47", met=True)
    assert (health.period, health.change_success_met) == ("2026-W48", False)
    take_chain_performance(ChainPerformanceReported(period="2026-W49", kpis=()).at(NOW), health)
    assert health.period == "2026-W48"
