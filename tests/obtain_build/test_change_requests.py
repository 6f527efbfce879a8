from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from contracts.design_transition import ChangeProposed, ComponentSpecification
from contracts.engage import ChangeInitiationRequested, DemandConsolidated
from contracts.event import Message
from contracts.obtain_build import ChangedServiceReported, ComponentProvided, ObtainPerformanceReported
from contracts.values import Term
from services.chassis.outputs import Work
from services.obtain_build.bounds import ALTERATIONS_KEPT
from services.obtain_build.change_requests import (
    hear_alteration,
    hear_demand,
    hear_initiation,
    hear_request,
    note_request,
    restock,
)
from services.obtain_build.model import ChangeHeard, ObtainParts, Order, PartDelivered, Restock, demand_of
from services.obtain_build.ordering import hear_change, hear_specification
from services.obtain_build.supplier_management import SupplierAnswered
from tests.obtain_build.news import altered, initiated, needed, requested
from tests.obtain_build.workshop import MORNING, THE_DEMAND, Workshop, of, offer

PADS = ComponentSpecification(component="pad", description="Pads again", capacity=200, unit="pieces", acceptance=())


def dear_but_swift() -> Workshop:
    """Building costs 3,075 euros and takes 123 hours, buying 5,000 and 48; the change names no day."""
    workshop = Workshop()
    workshop.stocked("store", 0, 0, offer(price=5_000))
    return workshop


def begin(workshop: Workshop, *news: Message, day: float | None = None) -> list[object]:
    """Hear it, then obtain the store; `day` is what the change names, in hours."""
    for one in news:
        match one:
            case DemandConsolidated():
                hear_demand(one, workshop.order)
            case ChangeInitiationRequested():
                hear_initiation(one, workshop.order)
    hear_specification(workshop.specification("store"), workshop.order)
    day_named = None if day is None else MORNING + timedelta(hours=day)
    change = workshop.change().model_copy(update={"wanted_by": day_named})
    (wanted,) = hear_change(change.at(MORNING), workshop.order)
    return workshop.choose(wanted)


def reasons_of(workshop: Workshop) -> tuple[str, ...]:
    return workshop.order.parts[0].choice.reasons


# --- specifications and changes: without both nothing is obtained


def test_a_specification_that_changed_on_the_way_is_obtained_as_it_is_now(workshop: Workshop) -> None:
    hear_specification(workshop.specification("store"), workshop.order)
    (early,) = hear_change(workshop.change(), workshop.order)
    hear_specification(workshop.specification("pad", iteration=2), workshop.order)
    (again,) = workshop.choose(early)
    assert again == ObtainParts(demand=THE_DEMAND, components=("pad",))
    assert isinstance(again, ObtainParts)
    workshop.choose(again)
    assert workshop.way("pad") == ("build", None)


# --- the demand behind an order


def test_the_demands_day_bounds_an_order_whose_change_names_none() -> None:
    withheld, told = dear_but_swift(), dear_but_swift()
    begin(withheld)
    begin(told, needed(wanted_in=60))
    assert withheld.way("store") == ("build", None)
    assert told.way("store") == ("buy", "cloudy")
    assert "The change names no day, the demand does: 2026-11-26 20:00." in reasons_of(told)


def test_the_day_that_a_change_names_goes_before_the_demands() -> None:
    workshop = dear_but_swift()
    begin(workshop, needed(wanted_in=60), day=500)
    assert workshop.way("store") == ("build", None)


@pytest.mark.parametrize(("users", "way"), [(0, "buy"), (800, "build")])
def test_the_demands_users_size_a_part_that_is_not_sized(users: int, way: str) -> None:
    workshop = Workshop()
    workshop.stocked("store", 0, 0, offer(most=500))
    hear_demand(needed(users=users), workshop.order)
    specification = workshop.specification("store")
    unsized = specification.components[0].model_copy(update={"capacity": 0})
    hear_specification(specification.model_copy(update={"components": (unsized,)}).at(MORNING), workshop.order)
    (wanted,) = hear_change(workshop.change(), workshop.order)
    workshop.choose(wanted)
    assert workshop.way("store")[0] == way
    note = "It is to bear the demand's 800 users: its specification does not say how many."
    assert (note in reasons_of(workshop)) == (users == 800)


def test_a_demand_that_says_neither_is_not_kept(workshop: Workshop) -> None:
    hear_demand(needed(), workshop.order)
    assert workshop.order == Order(id=THE_DEMAND)


# --- the sponsor


@pytest.mark.row("obtain_build.out.changed_services")
@pytest.mark.row("obtain_build.in.change_requests", "engage")
def test_the_sponsors_budget_bounds_an_order() -> None:
    withheld, told = dear_but_swift(), dear_but_swift()
    begin(withheld)
    (refused,) = of(ChangedServiceReported, begin(told, initiated(budget=3_000)))
    assert withheld.order.status == "obtaining"
    assert refused.outcome == "not_obtainable"
    assert refused.reasons[0].endswith("and 3000 euros are left.")
    assert refused.reasons[1] == "The sponsor's 3000 euros bound it, of 20000 that the change allows."


@pytest.mark.parametrize("budget", [None, 90_000])
def test_a_sponsor_who_pays_more_or_says_nothing_does_not_widen_the_change(budget: int | None) -> None:
    workshop = dear_but_swift()
    begin(workshop, initiated(budget=budget))
    assert workshop.order.euros == (20_000, "change CHG-1", "")


def test_the_sponsors_day_holds_if_it_comes_first() -> None:
    for day, way in ((500.0, "build"), (60.0, "buy")):
        workshop = dear_but_swift()
        begin(workshop, initiated(wanted_in=day), day=400)
        assert workshop.way("store")[0] == way


def test_the_sponsor_may_be_known_before_or_after_the_change() -> None:
    for late in (False, True):
        workshop = Workshop()
        if not late:
            hear_initiation(initiated(budget=3_000), workshop.order)
        assert hear_change(workshop.change(), workshop.order) == []
        if late:
            hear_initiation(initiated(budget=3_000), workshop.order)
        (wanted,) = hear_specification(workshop.specification("store"), workshop.order)
        workshop.choose(wanted)
        assert workshop.order.status == "not_obtainable"


# --- alterations under way


@pytest.mark.row("obtain_build.in.change_requests", "engage")
def test_what_could_not_be_had_is_tried_again_with_more_budget() -> None:
    workshop = Workshop()
    workshop.budget = 3_000
    workshop.obtain("store")
    assert workshop.order.status == "not_obtainable"
    (wanted,) = hear_alteration(altered(more_budget=100), workshop.order)
    (work,) = workshop.choose(wanted)
    assert isinstance(work, Work)
    assert workshop.order.status == "obtaining"
    assert "100 euros were added while it was under way." in reasons_of(workshop)
    performance = of(ObtainPerformanceReported, workshop.built())[0]
    assert performance.budget == 3_100


def test_what_still_cannot_be_had_is_told_again() -> None:
    workshop = Workshop()
    workshop.budget = 3_000
    workshop.obtain("store")
    (wanted,) = hear_alteration(altered(more_budget=50), workshop.order)
    (refused,) = workshop.choose(wanted)
    assert isinstance(refused, ChangedServiceReported)
    assert "3050 euros are left" in refused.reasons[0]


def test_the_same_alteration_counts_once() -> None:
    order = Order(id=THE_DEMAND)
    for number in (1, 1, 2, 1, 2):
        hear_alteration(altered(more_budget=100, number=number), order)
    assert order.alterations.more_budget == 200
    for number in range(3, 3 + 2 * ALTERATIONS_KEPT):
        hear_alteration(altered(number=number), order)
    assert len(order.alterations.heard) == ALTERATIONS_KEPT


@pytest.mark.parametrize("first", ["alteration", "change"])
def test_a_day_that_was_moved_goes_before_all_others(first: str) -> None:
    workshop = dear_but_swift()
    if first == "alteration":
        assert hear_alteration(altered(wanted_in=60), workshop.order) == []
    hear_specification(workshop.specification("store"), workshop.order)
    (wanted,) = hear_change(workshop.change(), workshop.order)
    if first == "change":
        assert hear_alteration(altered(wanted_in=60), workshop.order) == [wanted]
    workshop.choose(wanted)
    assert workshop.choose(wanted) == [], "what is obtained is not obtained again"
    assert workshop.way("store") == ("buy", "cloudy")
    assert "It was altered to be there by 2026-11-26 20:00." in reasons_of(workshop)


def test_more_budget_is_there_for_rework() -> None:
    workshop = Workshop()
    workshop.budget = 3_500
    workshop.obtain("store")
    workshop.built()
    assert hear_alteration(altered(more_budget=1_000), workshop.order) == []
    (work,) = workshop.rework("store")
    assert isinstance(work, Work)


def test_rework_that_gave_back_what_was_reserved_is_not_tried_again() -> None:
    workshop = Workshop()
    workshop.budget = 3_500
    workshop.stocked("pad", 100)
    workshop.obtain("store", "pad")
    workshop.built()
    workshop.rework("store")
    assert hear_alteration(altered(more_budget=1_000), workshop.order) == []


# --- changes that Deliver and support asks for


def problem_change(workshop: Workshop) -> ChangeProposed:
    """Design and transition proposes the change of a problem."""
    return workshop.change("CR-1").model_copy(update={"origin": "problem"}).at(MORNING)


@pytest.mark.parametrize(("urgency", "way"), [(1, "buy"), (2, "build")])
@pytest.mark.row("obtain_build.in.change_requests", "deliver_support")
def test_an_urgent_change_takes_the_fastest_way_that_can_be_paid(urgency: int, way: str) -> None:
    (heard,) = hear_request(requested(urgency=urgency))
    assert isinstance(heard, ChangeHeard)
    for order in permutations(("request", "change", "specification")):
        workshop = Workshop(demand_of("CR-1"))
        workshop.stocked("store", 0, 0, offer(price=5_000))
        told = {
            "request": lambda w=workshop: note_request(heard.at(MORNING), w.order),
            "change": lambda w=workshop: hear_change(problem_change(w), w.order),
            "specification": lambda w=workshop: hear_specification(w.specification("store"), w.order),
        }
        wanted = [one for name in order for one in told[name]()]
        assert wanted == [ObtainParts(demand=workshop.demand, components=("store",))], "once all three are known"
        workshop.choose(wanted[0])
        assert workshop.way("store")[0] == way
        urgent = "The change is urgent, says its request CR-1: the fastest way counts."
        assert (urgent in reasons_of(workshop)) == (urgency == 1)


@pytest.mark.row("obtain_build.in.change_requests", "deliver_support")
def test_a_problems_change_is_not_begun_without_its_request() -> None:
    workshop = Workshop(demand_of("CR-1"))
    hear_specification(workshop.specification("store"), workshop.order)
    assert hear_change(problem_change(workshop), workshop.order) == []


def test_the_fastest_way_beyond_the_budget_is_not_taken() -> None:
    workshop = Workshop(demand_of("CR-1"))
    workshop.stocked("store", 0, 0, offer(price=50_000, agreement="UC-7"))
    (heard,) = hear_request(requested(urgency=1))
    assert isinstance(heard, ChangeHeard)
    note_request(heard.at(MORNING), workshop.order)
    workshop.obtain("store")
    assert workshop.way("store") == ("build", None)


# --- what operation needs again


def operation(**said: object) -> Restock:
    (needed_again,) = hear_request(
        requested("operation", **{"component": "pad", "quantity": 200, "unit": "pieces", **said})
    )
    assert isinstance(needed_again, Restock)
    return needed_again.at(MORNING)


def stocking(*offers: object, **rules: object) -> Workshop:
    workshop = Workshop(demand_of("CR-1"))
    workshop.stocked("pad", 900, 0, *offers)  # type: ignore[arg-type]
    workshop.register["pad"].unit = "pieces"
    workshop.rules(**rules)
    return workshop


def test_what_operation_needs_is_bought_and_not_taken_from_what_is_there() -> None:
    workshop = stocking(offer(price=2_000))
    assert operation().component == PADS
    (wanted,) = restock(operation(), workshop.order, workshop.policy)
    assert isinstance(wanted, ObtainParts)
    told = workshop.choose(wanted)
    assert [type(one) for one in of(SupplierAnswered, told)] == [SupplierAnswered]
    assert workshop.way("pad") == ("buy", "cloudy")
    provided, _, ready = workshop.delivered("pad")
    assert isinstance(provided, ComponentProvided)
    assert (provided.demand, provided.component, provided.unit) == (demand_of("CR-1"), "pad", "pieces")
    assert provided.capacity <= 200
    assert provided.capacity.is_integer()
    assert isinstance(ready, ChangedServiceReported)
    assert (ready.outcome, ready.change) == ("ready", "CR-1")


def test_pieces_that_fail_are_not_counted() -> None:
    seen = set()
    for number in range(30):
        workshop = stocking(offer(price=2_000, status="degraded"))
        workshop.order = Order(id=UUID(int=number))
        (wanted,) = restock(operation(), workshop.order, workshop.policy)
        workshop.choose(wanted)  # type: ignore[arg-type]
        provided, *_ = workshop.delivered("pad")
        assert isinstance(provided, ComponentProvided)
        assert (provided.capacity == 200) == provided.tests[0].passed
        seen.add(provided.tests[0].passed)
    assert seen == {True, False}


def test_what_operation_needs_urgently_comes_the_fastest_way() -> None:
    for urgency, way in ((1, "buy"), (3, "build")):
        workshop = stocking(offer(price=9_000))
        (wanted,) = restock(operation(urgency=urgency), workshop.order, workshop.policy)
        workshop.choose(wanted)  # type: ignore[arg-type]
        assert workshop.way("pad")[0] == way


def test_what_operation_needs_beyond_the_policy_cannot_be_had() -> None:
    workshop = stocking(offer(price=2_000), restock_up_to=1_999)
    (wanted,) = restock(operation(), workshop.order, workshop.policy)
    (refused,) = of(ChangedServiceReported, workshop.choose(wanted))  # type: ignore[arg-type]
    assert (refused.outcome, refused.change, refused.demand) == ("not_obtainable", "CR-1", demand_of("CR-1"))
    assert "buying it from cloudy costs 2000 euros" in refused.reasons[0]
    assert "1999 euros are left" in refused.reasons[0]


def test_a_request_that_names_no_part_is_refused() -> None:
    workshop = stocking()
    (refused,) = restock(operation(component=None), workshop.order, workshop.policy)
    assert isinstance(refused, ChangedServiceReported)
    assert refused.outcome == "not_obtainable"


def test_the_same_request_is_had_once() -> None:
    workshop = stocking(offer())
    (wanted,) = restock(operation(), workshop.order, workshop.policy)
    assert restock(operation(), workshop.order, workshop.policy) == []
    workshop.choose(wanted)  # type: ignore[arg-type]
    assert workshop.choose(wanted) == []  # type: ignore[arg-type]


# --- how it went


@pytest.mark.parametrize(("hours", "seen"), [(100.0, True), (200.0, False)])
def test_what_is_there_after_its_day_is_to_be_asked_for_earlier(hours: float, *, seen: bool) -> None:
    workshop = Workshop.where(passes=True)
    workshop.hours = hours
    workshop.obtain("store")
    workshop.time += timedelta(hours=123)
    (performance,) = of(ObtainPerformanceReported, workshop.built())
    assert ("Ask for store earlier" in performance.opportunity) == seen


def test_a_delivery_whose_timer_says_nothing_else_took_until_now(workshop: Workshop) -> None:
    workshop.stocked("store", 0, 0, offer(terms=(Term(name="price", value=1, unit="euros"),)))
    workshop.obtain("store")
    workshop.time += timedelta(hours=50)
    assert PartDelivered(demand=THE_DEMAND, component="store", iteration=1).taken_hours is None
    _, performance, _ = workshop.delivered("store")
    assert isinstance(performance, ObtainPerformanceReported)
    assert performance.taken_hours == 50
