from datetime import timedelta
from uuid import UUID

import pytest

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import ChangeProposed, SpecificationIssued
from contracts.engage import ThirdPartyServiceReported
from contracts.event import Message
from contracts.obtain_build import (
    ChangedServiceReported,
    ComponentProvided,
    ObtainPerformanceReported,
    SupplierAgreementReported,
)
from contracts.plan import PolicyIssued
from contracts.stream import Streams
from contracts.values import PolicyParameter, Requirement, Term
from services.chassis.outputs import Answer, Later, Problem, Work
from services.obtain_build.component_register import ComponentView, gain_component, return_capacity
from services.obtain_build.handlers import handles
from services.obtain_build.measuring import measure
from services.obtain_build.model import (
    BuildingDone,
    CapacityReturned,
    Component,
    ComponentGained,
    ObtainParts,
    OfferHeard,
    PartDelivered,
)
from services.obtain_build.ordering import hear_change, hear_specification
from services.obtain_build.sourcing_policy import EDITIONS_KEPT, SourcingPolicy, SourcingRules, note_policy
from services.obtain_build.supplier_management import (
    Supplier,
    SupplierAgreement,
    SupplierAnswered,
    hear_supplier,
    note_offer,
    report_agreement,
)
from tests.obtain_build.workshop import MORNING, THE_DEMAND, Workshop, of, offer

# --- the wiring


def test_obtain_build_can_do_its_part_in_every_shipped_stream(streams: Streams) -> None:
    handles.follow(streams)
    does = [step.does for stream in streams for step in stream.steps if step.activity == handles.activity]
    assert set(does) == {"obtain components"}


@pytest.mark.parametrize(
    ("message", "told_by"),
    [
        (SpecificationIssued, "design"),
        (SpecificationIssued, "validate"),
        (ChangeProposed, "design"),
        (ObtainParts, "obtain"),
        (BuildingDone, "obtain"),
        (BuildingDone, ""),
        (PartDelivered, "obtain"),
    ],
)
def test_the_step_obtain_hears_what_it_works_by(streams: Streams, message: type[Message], told_by: str) -> None:
    handles.follow(streams)
    route = handles.route(message.type, "create-a-new-product-or-service", told_by)
    assert route
    assert route.step
    assert route.step.step == "obtain"


@pytest.mark.parametrize(
    ("message", "told_by"),
    [(PolicyIssued, ""), (ThirdPartyServiceReported, ""), (ServiceDelivered, "put-live"), (SupplierAnswered, "obtain")],
)
def test_what_concerns_no_order_alone_is_heard_as_well(streams: Streams, message: type[Message], told_by: str) -> None:
    handles.follow(streams)
    route = handles.route(message.type, "create-a-new-product-or-service" if told_by else "", told_by)
    assert route
    assert route.handler is handles.registered[message.type, ""], "no handler of a step"


def test_everything_that_is_told_to_obtain_build_is_heard() -> None:
    heard = {handler.message for handler in handles.registered.values()}
    assert set(handles.hears) <= heard


def test_every_decision_outside_of_a_stream_names_its_practices() -> None:
    plain = {name: handler for (name, step), handler in handles.registered.items() if not step}
    assert all(handler.practices for name, handler in plain.items() if name != handles.redrive.type)


# --- authorisation


def test_a_specification_alone_is_not_built(workshop: Workshop) -> None:
    assert hear_specification(workshop.specification("store"), workshop.order) == []


def test_a_change_alone_is_not_built(workshop: Workshop) -> None:
    assert hear_change(workshop.change(), workshop.order) == []


def test_specification_and_change_together_are_obtained_in_any_order(workshop: Workshop) -> None:
    wanted = ObtainParts(demand=THE_DEMAND, components=("store", "pad"))
    other = Workshop()
    hear_specification(workshop.specification("store", "pad"), workshop.order)
    assert hear_change(workshop.change(), workshop.order) == [wanted]
    hear_change(other.change(), other.order)
    assert hear_specification(other.specification("store", "pad"), other.order) == [wanted]


def test_rework_that_no_change_has_authorised_is_not_begun(workshop: Workshop) -> None:
    assert hear_specification(workshop.specification("store", rework_of="too slow"), workshop.order) == []


def test_a_second_design_needs_a_change_of_its_own(workshop: Workshop) -> None:
    workshop.obtain("store")
    workshop.built()
    assert hear_specification(workshop.specification("store", iteration=2), workshop.order) == []
    (wanted,) = hear_change(workshop.change("CHG-2"), workshop.order)
    workshop.choose(wanted)
    assert workshop.order.change == "CHG-2"
    assert [part.attempt for part in workshop.order.parts] == [1]


# --- make or buy


def test_what_is_there_and_free_is_reused_at_once(workshop: Workshop) -> None:
    store = workshop.stocked("store", 150, 50, offer(price=0))
    told = workshop.obtain("store")
    (provided,) = of(ComponentProvided, told)
    assert (provided.way, provided.cost, provided.capacity) == ("reuse", 0, 100)
    assert provided.reasons == ("Enough of store is there and free: start where you are.",)
    assert {option.way for option in provided.options} == {"reuse", "build", "buy"}
    assert store.used == 150
    (complete,) = of(ChangedServiceReported, told)
    assert (complete.outcome, complete.components) == ("ready", ("store",))


@pytest.mark.parametrize(("capacity", "used", "unit"), [(150, 51, "users"), (99, 0, "users"), (150, 0, "pieces")])
def test_what_is_not_enough_or_counted_otherwise_is_not_reused(
    workshop: Workshop, capacity: float, used: float, unit: str
) -> None:
    store = workshop.stocked("store", capacity, used)
    store.unit = unit
    workshop.obtain("store")
    assert workshop.way("store") == ("build", None)
    assert store.used == used


def test_a_part_is_built_by_its_capacity_at_the_usual_rates_where_nobody_offers_it(workshop: Workshop) -> None:
    (work,) = workshop.obtain("store")
    assert isinstance(work, Work)
    assert work.effort == timedelta(hours=41 * 3)
    assert workshop.order.spent == 41 * 75
    assert workshop.building.promised_by == MORNING + work.effort
    (provided,) = of(ComponentProvided, workshop.built())
    facts = {fact.name: fact for fact in provided.basis}
    assert facts["hourly_rate"].source == "usual rates: no sourcing policy is in force"
    assert facts["euros left"].value == 20_000


def test_the_least_costly_way_is_taken_with_its_risk_counted(workshop: Workshop) -> None:
    workshop.stocked(
        "store", 0, 0, offer(price=3_350, supplier="dear"), offer(price=3_300, supplier="shaky", status="degraded")
    )
    workshop.obtain("store")
    assert workshop.way("store") == ("buy", "dear")  # 3,350 x 1.1 < 3,075 x 1.2 (to build it) < 3,300 x 1.4


def test_the_policy_prefers_a_way_up_to_its_premium(workshop: Workshop) -> None:
    workshop.stocked("store", 0, 0, offer(price=3_000))
    workshop.rules(preferred="build", premium=0.2)
    workshop.obtain("store")
    assert workshop.way("store") == ("build", None)
    other = Workshop()
    other.stocked("store", 0, 0, offer(price=2_000))
    other.rules(preferred="build", premium=0.2)
    other.obtain("store")
    assert other.way("store") == ("buy", "cloudy")


def test_what_comes_in_time_is_preferred_to_what_is_cheap(workshop: Workshop) -> None:
    workshop.hours = 47
    workshop.stocked("store", 0, 0, offer(price=10), offer(price=9_000, supplier="swift", lead_time_hours=1))
    workshop.obtain("store")
    assert workshop.way("store") == ("buy", "swift")


@pytest.mark.row("obtain_build.out.components")
@pytest.mark.parametrize(("euros", "way"), [(20_000, ("buy", "swift")), (5_000, ("build", None))])
def test_a_way_in_time_that_cannot_be_paid_is_not_taken(
    workshop: Workshop, euros: int, way: tuple[str, str | None]
) -> None:
    workshop.hours, workshop.budget = 47, euros  # to build it takes 123 hours and 3,075 euros
    workshop.stocked("store", 0, 0, offer(price=9_000, supplier="swift", lead_time_hours=1))
    workshop.obtain("store")
    assert workshop.way("store") == way


def test_the_fastest_way_is_taken_when_none_is_in_time(workshop: Workshop) -> None:
    workshop.hours = 10
    workshop.stocked("store", 0, 0, offer(price=4_000))
    workshop.obtain("store")
    assert workshop.way("store") == ("buy", "cloudy")
    (provided, *_) = workshop.delivered("store")
    assert isinstance(provided, ComponentProvided)
    assert provided.reasons[0] == "No way has store there in time; buying it from cloudy is the fastest."


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"status": "ending"}, "Cloudy supplies it no longer."),
        ({"price": None}, "Cloudy has not said what it costs and when it is there."),
        ({"lead_time_hours": None}, "Cloudy has not said what it costs and when it is there."),
        ({"most": 99}, "Cloudy supplies at most 99 users."),
        ({"price": 900}, "There is no contract with cloudy, and 900 euros need one."),
    ],
)
@pytest.mark.row("obtain_build.out.components")
def test_an_offer_that_cannot_be_taken_is_left_with_the_reason(
    workshop: Workshop, said: dict[str, object], reason: str
) -> None:
    workshop.rules(contract_from=900)
    workshop.stocked("store", 0, 0, offer(**{"price": 800, **said}))
    workshop.obtain("store")
    assert workshop.way("store") == ("build", None)
    (provided,) = of(ComponentProvided, workshop.built())
    assert reason in provided.reasons


def test_under_a_contract_in_force_anything_may_be_bought(workshop: Workshop) -> None:
    workshop.rules(contract_from=900)
    workshop.stocked("store", 0, 0, offer(agreement="UC-7"))
    workshop.obtain("store")
    (provided, *_) = workshop.delivered("store")
    assert isinstance(provided, ComponentProvided)
    assert (provided.way, provided.agreement, provided.supplier) == ("buy", "UC-7", "cloudy")


def test_parts_beyond_the_budget_cannot_be_had_and_nothing_is_begun(workshop: Workshop) -> None:
    workshop.budget = 6_000
    pad = workshop.stocked("pad", 500)
    (refused,) = workshop.obtain("pad", "store", "stick")
    assert isinstance(refused, ChangedServiceReported)
    assert (refused.outcome, refused.components, refused.cost) == ("not_obtainable", (), 0)
    assert refused.reasons == ("stick: building it costs 3075 euros, and 2925 euros are left.",)
    assert (pad.used, workshop.building.status) == (0, "none")
    assert workshop.order.status == "not_obtainable"


# --- building and buying


def test_parts_are_built_side_by_side_and_complete_the_service_together(workshop: Workshop) -> None:
    assert len(of(Work, workshop.obtain("store", "pad"))) == 1
    workshop.time += timedelta(hours=30)
    told = workshop.built(by="grace")
    assert [one.component for one in of(ComponentProvided, told)] == ["store", "pad"]
    (complete,) = of(ChangedServiceReported, told)
    assert (complete.outcome, complete.cost, complete.components) == ("ready", 2 * 41 * 75, ("store", "pad"))
    performance = of(ObtainPerformanceReported, told)[0]
    assert (performance.promised_hours, performance.taken_hours, performance.budget) == (123, 30, 20_000)


def test_building_cannot_be_reported_done_twice(workshop: Workshop) -> None:
    workshop.obtain("store")
    workshop.built()
    (answer,) = workshop.built()
    assert isinstance(answer, Answer)
    assert answer.status == 409


def test_what_is_bought_is_there_after_the_suppliers_time_under_a_signed_contract(workshop: Workshop) -> None:
    workshop.stocked("store", 0, 0, offer())
    delivery, signed = workshop.obtain("store")
    assert delivery == Later(
        MORNING + timedelta(hours=48), PartDelivered(demand=THE_DEMAND, component="store", iteration=1, taken_hours=48)
    )
    assert isinstance(signed, SupplierAnswered)
    (agreement,) = report_agreement(signed.at(MORNING), SupplierAgreement(id="cloudy/store"))
    assert isinstance(agreement, SupplierAgreementReported)
    assert (agreement.agreement, agreement.state, agreement.cost) == ("cloudy/store", "signed", 1_000)
    assert agreement.terms == (Term(name="delivery", value=48, unit="hours"),)
    provided = workshop.delivered("store")
    assert [type(one) for one in provided] == [ComponentProvided, ObtainPerformanceReported, ChangedServiceReported]
    assert workshop.delivered("store") == []


def test_a_service_is_complete_only_when_its_last_part_is_there(workshop: Workshop) -> None:
    workshop.stocked("store", 0, 0, offer())
    workshop.obtain("store", "pad")
    assert of(ChangedServiceReported, workshop.built()) == []
    assert len(of(ChangedServiceReported, workshop.delivered("store"))) == 1


def test_a_delivery_for_an_earlier_specification_is_not_taken(workshop: Workshop) -> None:
    workshop.stocked("store", 0, 0, offer())
    workshop.obtain("store")
    assert workshop.delivered("store", iteration=2) == []
    assert workshop.delivered("pad") == []


# --- tests of components


@pytest.mark.parametrize("passes", [True, False])
def test_a_built_part_comes_out_good_or_bad_and_says_what_was_measured(*, passes: bool) -> None:
    workshop = Workshop.where(passes=passes)
    workshop.obtain("store")
    told = workshop.built()
    (provided,) = of(ComponentProvided, told)
    assert [test.name for test in provided.tests] == ["capacity", "availability"]
    assert provided.capacity == provided.tests[0].measured
    (performance,) = of(ObtainPerformanceReported, told)
    assert (performance.tests_failed == 0) == passes
    assert bool(performance.opportunity) != passes
    again = Workshop(workshop.demand)
    again.obtain("store")
    assert of(ComponentProvided, again.built()) == [provided]


def test_every_further_attempt_comes_closer_to_what_is_wanted(workshop: Workshop) -> None:
    workshop.obtain("store")
    first = workshop.order.parts[0]
    failures = []
    for attempt in (1, 2, 3):
        part = first.model_copy(update={"attempt": attempt})
        results = [measure(part, workshop.order.requirements, UUID(int=seed)) for seed in range(300)]
        failures.append(sum(not test.passed for tests in results for test in tests))
        assert all(test.measured <= 100 for tests in results for test in tests if test.unit == "%")
    assert failures[0] > failures[1] > failures[2]


def test_a_greatest_value_is_kept_when_less_is_measured(workshop: Workshop) -> None:
    workshop.obtain("store")
    delay = Requirement(name="availability", kind="warranty", measure="delay", target=10, unit="s", better="lower")
    results = [measure(workshop.order.parts[0], (delay,), UUID(int=seed))[1] for seed in range(100)]
    assert {test.passed for test in results} == {True, False}
    assert all(test.passed == (test.measured <= 10) for test in results)


# --- rework


def test_what_was_built_is_mended_at_a_share_of_its_cost(workshop: Workshop) -> None:
    workshop.obtain("store", "pad")
    workshop.built()
    (work,) = workshop.rework("store")
    assert isinstance(work, Work)
    assert work.effort == timedelta(hours=41 * 3 * 0.3)
    (provided,) = of(ComponentProvided, workshop.built())
    assert (provided.component, provided.iteration, provided.cost) == ("store", 2, 3_075 + 923)
    store = workshop.order.part("store")
    assert store
    assert store.attempt == 2
    assert workshop.order.status == "ready"


def test_a_supplier_replaces_what_failed_at_its_own_cost(workshop: Workshop) -> None:
    workshop.stocked("store", 0, 0, offer())
    workshop.obtain("store")
    workshop.delivered("store")
    workshop.rework("store")
    assert workshop.way("store") == ("buy", "cloudy")
    (provided, *_) = workshop.delivered("store", iteration=2)
    assert isinstance(provided, ComponentProvided)
    assert provided.cost == 1_000


def test_what_was_reused_and_failed_is_given_back_and_had_otherwise(workshop: Workshop) -> None:
    workshop.stocked("store", 1_000)
    workshop.obtain("store")
    told = workshop.rework("store")
    assert of(CapacityReturned, told) == [CapacityReturned(component="store", capacity=100)]
    assert workshop.way("store") == ("build", None)


def test_rework_beyond_the_budget_ends_the_order_and_gives_back_what_was_reserved(workshop: Workshop) -> None:
    workshop.budget = 3_500
    workshop.stocked("pad", 100)
    workshop.obtain("store", "pad")
    workshop.built()
    refused, returned = workshop.rework("store")
    assert isinstance(refused, ChangedServiceReported)
    assert (refused.outcome, refused.cost) == ("not_obtainable", 3_075)
    assert returned == CapacityReturned(component="pad", capacity=100)


# --- the register of components


def test_what_was_made_for_a_service_is_registered_once_it_is_live(workshop: Workshop) -> None:
    workshop.stocked("pad", 100)
    workshop.obtain("store", "pad")
    workshop.built()
    capacity = next(part.capacity for part in workshop.order.parts if part.component == "store")
    (gained,) = workshop.service("live")
    assert gained == ComponentGained(component="store", capacity=capacity, used=min(100, capacity), unit="users")
    assert workshop.service("live") == []


def test_what_was_reserved_for_a_refused_deployment_is_free_again(workshop: Workshop) -> None:
    pad = workshop.stocked("pad", 100)
    workshop.obtain("pad")
    (returned,) = workshop.service("deployment_refused")
    assert isinstance(returned, CapacityReturned)
    return_capacity(returned.at(MORNING), pad)
    assert pad.used == 0


@pytest.mark.parametrize(
    ("outcome", "change"), [("deployment_accepted", "CHG-1"), ("supported", "CHG-1"), ("live", "CHG-0")]
)
def test_other_news_of_a_service_leave_the_register_alone(workshop: Workshop, outcome: str, change: str) -> None:
    workshop.stocked("pad", 100)
    workshop.obtain("pad")
    assert workshop.service(outcome, change) == []
    assert workshop.order.status == "ready"


def test_what_is_there_already_is_added_to_the_register() -> None:
    component = Component(id="store", capacity=10, used=5, unit="users")
    (answer,) = gain_component(ComponentGained(component="store", capacity=90, unit="users").at(MORNING), component)
    assert answer == Answer(200, ComponentView(component="store", capacity=100, used=5, unit="users"))


@pytest.mark.parametrize(
    ("used", "unit", "detail"), [(91, "users", "At most 90 users"), (0, "pieces", "counted in users")]
)
def test_a_component_in_another_unit_or_more_than_used_up_is_refused(used: float, unit: str, detail: str) -> None:
    component = Component(id="store", capacity=10, used=5, unit="users")
    gained = ComponentGained(component="store", capacity=90, used=used, unit=unit)
    (answer,) = gain_component(gained.at(MORNING), component)
    assert answer.status == 409
    assert isinstance(answer.body, Problem)
    assert detail in answer.body.detail
    assert component.capacity == 10


def supplier_says(version: int, *terms: Term) -> OfferHeard:
    report = ThirdPartyServiceReported(
        supplier="cloudy",
        version=version,
        name="Cloudy",
        service="store",
        title="A store",
        status="offered",
        terms=terms,
        support_hours="",
        valid_from=MORNING,
    )
    (heard,) = hear_supplier(report.at(MORNING), Supplier(id="cloudy"))
    return heard.at(MORNING)


def test_a_suppliers_terms_are_an_offer_of_the_component() -> None:
    terms = (
        Term(name="price", value=999.5, unit="euros"),
        Term(name="delivery", value=3, unit="days"),
        Term(name="capacity", value=500, unit="users"),
    )
    heard = supplier_says(1, *terms)
    assert heard.component == "store"
    assert heard.offer == offer(price=1000, lead_time_hours=72, most=500, terms=terms)


@pytest.mark.parametrize("delivery", [(), (Term(name="delivery", value=3, unit="moons"),)])
def test_an_offer_without_terms_that_can_be_understood_says_neither_price_nor_time(delivery: tuple[Term, ...]) -> None:
    heard = supplier_says(1, Term(name="price", value=9, unit="shells"), *delivery)
    assert (heard.offer.price, heard.offer.lead_time_hours) == (None, None)


def test_the_newest_offer_of_each_supplier_is_kept() -> None:
    component = Component(id="store", offers=(offer(supplier="other"),))
    note_offer(supplier_says(2), component)
    note_offer(supplier_says(1), component)
    assert [(known.supplier, known.edition) for known in component.offers] == [("other", 1), ("cloudy", 2)]


def test_what_a_live_service_left_over_is_reused_by_the_next_one() -> None:
    withheld, heard = Workshop(UUID(int=12)), Workshop(UUID(int=13))
    for live, later in ((False, withheld), (True, heard)):
        first = Workshop()
        first.obtain("store")
        first.built()
        first.order.parts = tuple(part.model_copy(update={"capacity": 300}) for part in first.order.parts)
        for gained in first.service("live") if live else []:
            assert isinstance(gained, ComponentGained)
            gain_component(gained.at(MORNING), later.stocked("store", 0))
        later.obtain("store")
    assert withheld.way("store") == ("build", None)
    assert heard.way("store") == ("reuse", None)


# --- the sourcing policy


@pytest.mark.row("obtain_build.in.policies", "plan")
def test_the_policy_decides_between_making_and_buying() -> None:
    withheld, heard = Workshop(), Workshop()
    for workshop in (withheld, heard):
        workshop.stocked("store", 0, 0, offer(price=3_000))
    note_policy(edition(1, 50), heard.policy)
    withheld.obtain("store")
    heard.obtain("store")
    assert withheld.way("store") == ("buy", "cloudy")
    assert heard.way("store") == ("build", None), "an hour costs 50 euros, not 75"


@pytest.mark.parametrize("rate", [10**30, -1])
def test_a_rate_that_nobody_means_is_left_out(rate: int) -> None:
    policy = SourcingPolicy(id="the")
    note_policy(edition(1, rate), policy)
    assert policy.editions == ()
    assert policy.misread


def test_of_many_editions_the_newest_are_kept() -> None:
    policy = SourcingPolicy(id="the")
    for number in range(1, EDITIONS_KEPT + 5):
        note_policy(edition(number, 50), policy)
    assert len(policy.editions) == EDITIONS_KEPT


def edition(
    number: int, rate: str | int, start: float = 0, end: float | None = None, policy: str = "sourcing"
) -> PolicyIssued:
    issued = PolicyIssued(
        policy=policy,
        version=number,
        title="",
        statement="",
        subject="suppliers",
        parameters=(PolicyParameter(name="hourly_rate", value=rate), PolicyParameter(name="unheard_of", value=1)),
        valid_from=MORNING + timedelta(days=start),
        valid_until=None if end is None else MORNING + timedelta(days=end),
        reasons=("Directed.",),
        basis=(),
    )
    return issued.at(MORNING)


def rate_on(policy: SourcingPolicy, day: float) -> tuple[int, str]:
    rules, source = policy.at(MORNING + timedelta(days=day))
    return rules.hourly_rate, source


def test_the_highest_edition_in_force_on_the_day_is_applied() -> None:
    policy = SourcingPolicy(id="the")
    for issued in (
        edition(1, 50),
        edition(3, 70, start=2, end=4),
        edition(2, 60),
        edition(2, 61),
        edition(9, 90, policy="funding"),
    ):
        note_policy(issued, policy)
    assert rate_on(policy, 0) == (60, "policy sourcing v2")
    assert rate_on(policy, 2) == (70, "policy sourcing v3")
    assert rate_on(policy, 4) == (60, "policy sourcing v2")


def test_an_edition_that_has_run_out_is_dropped_when_the_next_one_comes() -> None:
    policy = SourcingPolicy(id="the")
    note_policy(edition(1, 50, start=-9, end=-1), policy)
    note_policy(edition(2, 60), policy)
    assert [known.number for known in policy.editions] == [2]


def test_without_a_policy_in_force_the_usual_rates_hold() -> None:
    policy = SourcingPolicy(id="the")
    note_policy(edition(1, 50, start=1), policy)
    assert rate_on(policy, 0) == (SourcingRules().hourly_rate, "usual rates: no sourcing policy is in force")


def test_an_edition_that_cannot_be_understood_is_left_out_and_says_why() -> None:
    policy = SourcingPolicy(id="the")
    note_policy(edition(1, 50), policy)
    note_policy(edition(2, "a lot"), policy)
    assert rate_on(policy, 0) == (50, "policy sourcing v1")
    assert policy.misread.startswith("v2 is left out: hourly_rate: ")


@pytest.mark.row("obtain_build.out.components")
@pytest.mark.parametrize(
    ("agreement", "way", "reason"),
    [
        (None, "build", "There is no contract with cloudy, and 1000 euros need one."),
        ("UC-7", "buy", "Buying it from cloudy is the least costly way in time"),
    ],
)
def test_the_same_part_is_bought_or_built_by_the_contract_there_is(
    workshop: Workshop, agreement: str | None, way: str, reason: str
) -> None:
    workshop.rules(contract_from=900)
    workshop.stocked("store", 0, 0, offer(agreement=agreement))
    workshop.obtain("store")
    (provided,) = of(ComponentProvided, workshop.built() if way == "build" else workshop.delivered("store"))
    assert (provided.way, provided.agreement) == (way, agreement)
    assert any(why.startswith(reason) for why in provided.reasons)


@pytest.mark.row("obtain_build.in.specifications", "design_transition")
@pytest.mark.row("obtain_build.in.change_requests", "design_transition")
@pytest.mark.parametrize("withheld", ["nothing", "specification", "change"])
def test_nothing_is_begun_without_both_a_specification_and_a_change(workshop: Workshop, withheld: str) -> None:
    wanted: list[ObtainParts] = []
    if withheld != "specification":
        wanted += hear_specification(workshop.specification("store"), workshop.order)
    if withheld != "change":
        wanted += hear_change(workshop.change(), workshop.order)
    begun = [output for one in wanted for output in workshop.choose(one)]
    assert len(of(Work, begun)) == (withheld == "nothing")
    assert (workshop.order.status == "obtaining") == (withheld == "nothing")
