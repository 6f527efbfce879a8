from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest

from contracts.engage import AgreementConcluded, ThirdPartyServiceReported
from contracts.obtain_build import ChangedServiceReported, ObtainPerformanceReported, SupplierAgreementReported
from contracts.values import Term
from services.chassis.outputs import Later
from services.obtain_build.measuring import delivery_hours
from services.obtain_build.model import WAITING_LIMIT, Component, ContractMissed, ObtainParts
from services.obtain_build.offers import Contract
from services.obtain_build.ordering import stop_waiting
from services.obtain_build.supplier_management import (
    COMPONENTS_KEPT,
    CONTRACTS_KEPT,
    Supplier,
    SupplierAgreement,
    SupplierAnswered,
    hear_agreement,
    hear_supplier,
    note_contract,
    note_contracts,
    note_offer,
    report_agreement,
)
from services.obtain_build.supplier_management import (
    delivery_hours as understood,
)
from tests.obtain_build.news import TERMS, concluded, offered
from tests.obtain_build.workshop import MORNING, THE_DEMAND, Workshop, of, offer


class Market:
    """A workshop, and what Engage tells of its one supplier: commands go their ways at once."""

    def __init__(self, **rules: object) -> None:
        self.workshop, self.supplier = Workshop(), Supplier(id="cloudy")
        self.store = self.workshop.stocked("store", 0)
        self.workshop.rules(**{"contract_from": 900, **rules})

    def tell(self, *news: ThirdPartyServiceReported | AgreementConcluded) -> list[ObtainParts]:
        """Hear it; returns which orders look again."""
        woken = list[ObtainParts]()
        for one in news:
            if isinstance(one, ThirdPartyServiceReported):
                for heard in hear_supplier(one, self.supplier):
                    woken += note_offer(heard.at(one.time), self.store)
            else:
                for contract in (heard for heard in hear_agreement(one) if heard.supplier == self.supplier.id):
                    for told in note_contract(contract.at(one.time), self.supplier):
                        woken += note_contracts(told.at(one.time), self.store)
        return woken

    def answers(self) -> list[SupplierAgreementReported]:
        """What the supplier says about the store."""
        told = self.workshop.obtain("store")
        return [event for one in of(SupplierAnswered, told) for event in reported(one)]


def reported(answered: SupplierAnswered) -> list[SupplierAgreementReported]:
    return report_agreement(answered.at(MORNING), SupplierAgreement(id=answered.agreement))


# --- contracts in force decide what may be bought


@pytest.mark.row("obtain_build.in.third_party", "engage")
def test_without_the_suppliers_offer_a_part_is_built() -> None:
    withheld, told = Market(contract_from=5_000), Market(contract_from=5_000)
    told.tell(offered())
    withheld.workshop.obtain("store")
    told.workshop.obtain("store")
    assert withheld.workshop.way("store") == ("build", None)
    assert told.workshop.way("store") == ("buy", "cloudy")


@pytest.mark.row("obtain_build.in.agreements", "engage")
def test_a_contract_in_force_lets_a_part_be_bought() -> None:
    for order in permutations((offered(), concluded())):
        market = Market()
        market.tell(*order)
        market.workshop.obtain("store")
        assert market.workshop.way("store") == ("buy", "cloudy")
        assert market.workshop.order.parts[0].choice.agreement == "UC-7"
    withheld = Market()
    withheld.tell(offered())
    withheld.workshop.obtain("store")
    assert withheld.workshop.way("store") == ("build", None)
    assert (
        "There is no contract with cloudy, and 1000 euros need one." in withheld.workshop.order.parts[0].choice.reasons
    )


@pytest.mark.parametrize("state", ["expired", "terminated"])
def test_a_contract_that_has_ended_unmakes_what_the_register_of_third_parties_says(state: str) -> None:
    said = (offered(agreement="UC-7"), concluded(1), concluded(2, state=state))
    for order in permutations(said):
        market = Market()
        market.tell(*order)
        market.workshop.obtain("store")
        assert market.workshop.way("store") == ("build", None)


@pytest.mark.parametrize(
    ("said", "way"),
    [
        ({}, "buy"),
        ({"valid_from": MORNING + timedelta(days=1)}, "build"),
        ({"valid_until": MORNING}, "build"),
        ({"terms": (Term(name="price", value=999, unit="euros"),)}, "build"),
        ({"terms": (Term(name="price", value=1000, unit="euros"),)}, "buy"),
        ({"kind": "statement_of_work"}, "buy"),
        ({"kind": "statement_of_work", "service": "other-service"}, "build"),
        ({"kind": "service_level"}, "build"),
        ({"counterparty": "other"}, "build"),
    ],
)
def test_a_contract_covers_what_it_is_for_on_the_days_it_holds(said: dict[str, object], way: str) -> None:
    market = Market()
    market.tell(offered(), concluded(**said))
    market.workshop.obtain("store")
    assert market.workshop.way("store")[0] == way


def test_what_is_known_already_changes_nothing() -> None:
    market = Market()
    market.tell(offered(), concluded(2))
    before = market.store.model_copy()
    assert note_contract(hear_agreement(concluded(1, state="expired"))[0].at(MORNING), market.supplier) == []
    market.tell(offered(), concluded(2))
    assert market.store == before


# --- waiting for a contract


def waiting_market() -> Market:
    """Only buying is within the budget, and that needs a contract."""
    market = Market()
    market.workshop.budget = 2_000
    market.tell(offered())
    return market


def test_an_order_that_only_lacks_a_contract_waits_for_it() -> None:
    market = waiting_market()
    told = market.workshop.obtain("store")
    (later,) = of(Later, told)
    assert later == Later(MORNING + timedelta(hours=24), ContractMissed(demand=THE_DEMAND, waits_until=later.at))
    assert market.workshop.order.status == "contract_awaited"
    assert of(ChangedServiceReported, told) == []
    (again,) = market.tell(concluded())
    market.workshop.choose(again)
    assert market.workshop.way("store") == ("buy", "cloudy")
    assert market.store.waiting == ()
    assert stop_waiting(later.message.at(later.at), market.workshop.order) == [], "it is no longer waited for"


def test_an_order_whose_contract_does_not_come_cannot_be_obtained() -> None:
    market = waiting_market()
    (later,) = of(Later, market.workshop.obtain("store"))
    (missed,) = stop_waiting(later.message.at(later.at), market.workshop.order)
    assert isinstance(missed, ChangedServiceReported)
    assert missed.outcome == "not_obtainable"
    assert "there is no contract with cloudy" in missed.reasons[0]
    assert missed.reasons[-1] == "No contract was concluded until 2026-11-25 08:00."
    (again,) = market.tell(concluded())
    assert market.workshop.choose(again) == [], "the demand has been told that it cannot be had"


def test_an_order_that_waits_does_not_wait_twice() -> None:
    market = waiting_market()
    market.workshop.obtain("store")
    (again,) = market.tell(offered(2, terms=(Term(name="price", value=1500, unit="euros"), TERMS[1])))
    told = market.workshop.choose(again)
    assert of(Later, told) == []
    assert market.store.waiting == (THE_DEMAND,)


def test_an_order_that_waits_for_a_supplier_who_ends_cannot_be_obtained() -> None:
    market = waiting_market()
    market.workshop.obtain("store")
    (again,) = market.tell(offered(2, status="ended"))
    (refused,) = of(ChangedServiceReported, market.workshop.choose(again))
    assert "cloudy supplies it no longer" in refused.reasons[0]


def test_a_woken_order_gets_the_rows_of_all_its_components() -> None:
    market = waiting_market()
    market.workshop.stocked("pad", 500)
    market.workshop.obtain("store", "pad")
    (again,) = market.tell(concluded())
    (all_of_them,) = market.workshop.choose(again)
    assert all_of_them == ObtainParts(demand=THE_DEMAND, components=("store", "pad"))
    market.workshop.choose(all_of_them)
    assert {market.workshop.way(name)[0] for name in ("store", "pad")} == {"buy", "reuse"}


def test_no_contract_is_waited_for_where_another_part_cannot_be_had_at_all() -> None:
    market = waiting_market()
    (refused,) = of(ChangedServiceReported, market.workshop.obtain("store", "pad"))
    assert refused.outcome == "not_obtainable"


# --- what suppliers say: offered, signed or refused, by what stands in contracts and offers


@pytest.mark.parametrize(
    ("news", "state", "reason"),
    [
        ((offered(),), "offered", "there is no contract with cloudy, and 1000 euros need one"),
        ((offered(), concluded()), "signed", "store from cloudy"),
        ((offered(status="ended"),), "refused", "cloudy supplies it no longer"),
        ((offered(status="ending"), concluded()), "refused", "cloudy supplies it no longer"),
        ((offered(terms=TERMS[:1]),), "refused", "cloudy has not said what it costs and when it is there"),
        (
            (offered(terms=(*TERMS, Term(name="capacity", value=99, unit="users"))),),
            "refused",
            "cloudy supplies at most 99 users",
        ),
        (
            (offered(terms=(*TERMS, Term(name="availability", value=95, unit="%"))),),
            "refused",
            "cloudy promises availability of 95 %, and 99 % are required",
        ),
        (
            (offered(terms=(*TERMS, Term(name="availability", value=99.5, unit="%"))), concluded()),
            "signed",
            "store from cloudy",
        ),
    ],
)
@pytest.mark.row("obtain_build.out.agreements")
def test_a_supplier_offers_signs_or_refuses_by_contract_and_offer(
    news: tuple[ThirdPartyServiceReported | AgreementConcluded, ...], state: str, reason: str
) -> None:
    market = Market()
    market.tell(*news)
    (answer,) = market.answers()
    assert (answer.state, answer.supplier, answer.component) == (state, "cloudy", "store")
    assert reason in answer.title
    assert answer.agreement == ("UC-7" if state == "signed" else "cloudy/store")
    assert answer.terms == news[0].terms  # type: ignore[union-attr]


def test_an_offer_that_would_not_be_taken_even_with_a_contract_is_not_asked_for() -> None:
    market = Market()
    market.tell(offered(terms=(Term(name="price", value=9_000, unit="euros"), TERMS[1])))
    assert market.answers() == []


def test_a_supplier_that_cannot_do_this_once_is_not_refused_its_contract() -> None:
    market = Market()
    market.tell(offered(terms=(*TERMS, Term(name="capacity", value=99, unit="users"))), concluded())
    assert market.answers() == []


def test_suppliers_are_not_asked_for_what_is_there() -> None:
    market = Market()
    market.store.capacity = 500
    market.tell(offered(status="ended"))
    assert market.answers() == []


def test_the_same_answer_is_told_once_and_another_one_again() -> None:
    market = Market()
    market.tell(offered())
    (first,) = of(SupplierAnswered, market.workshop.obtain("store"))
    known = SupplierAgreement(id=first.agreement)
    assert len(report_agreement(first.at(MORNING), known)) == 1
    assert report_agreement(first.at(MORNING), known) == []
    market.tell(offered(2, status="ended"))
    other = Workshop(UUID(int=12))
    other.register, other.policy = market.workshop.register, market.workshop.policy
    (second,) = of(SupplierAnswered, other.obtain("store"))
    (refused,) = report_agreement(second.at(MORNING), known)
    assert refused.state == "refused"


def test_what_a_supplier_replaces_is_not_signed_again(workshop: Workshop) -> None:
    workshop.stocked("store", 0, 0, offer())
    assert len(of(SupplierAnswered, workshop.obtain("store"))) == 1
    workshop.delivered("store")
    assert of(SupplierAnswered, workshop.rework("store")) == []


# --- performance


@pytest.mark.parametrize(
    ("said", "seen"), [({}, "A contract with cloudy would save 2075 euros."), ({"status": "ended"}, "")]
)
@pytest.mark.row("obtain_build.out.performance")
def test_a_contract_that_would_have_helped_is_an_opportunity(said: dict[str, object], seen: str) -> None:
    market = Market()
    market.tell(offered(**said))
    market.workshop.obtain("store")
    (performance,) = of(ObtainPerformanceReported, market.workshop.built())
    assert (performance.tests_failed, performance.opportunity) == (0, seen)


def test_a_degraded_supplier_is_late_more_often_and_that_is_an_opportunity() -> None:
    late = {}
    for status in ("offered", "degraded"):
        workshop = Workshop()
        workshop.stocked("store", 0, 0, offer(price=1, status=status))
        workshop.obtain("store")
        part = workshop.order.parts[0]
        late[status] = sum(delivery_hours(part, UUID(int=number)) > 48 for number in range(300))
    assert 10 < late["offered"] < 60 < late["degraded"] < 180


@pytest.mark.parametrize(
    ("taken", "seen"), [(48.1, ""), (67.2, "Count a reserve: buying it from cloudy took 19 hours")]
)
def test_late_is_what_took_longer_than_promised(workshop: Workshop, taken: float, seen: str) -> None:
    workshop.stocked("store", 0, 0, offer())
    workshop.obtain("store")
    _, performance, _ = workshop.delivered("store", taken_hours=taken)
    assert isinstance(performance, ObtainPerformanceReported)
    assert performance.taken_hours == taken
    assert seen in performance.opportunity
    assert ("reserve" in performance.opportunity) == bool(seen)


# --- what is kept is bounded


def test_only_so_much_of_a_supplier_is_kept() -> None:
    supplier = Supplier(id="cloudy")
    note_contract(hear_agreement(concluded())[0].at(MORNING), supplier)
    for number in range(COMPONENTS_KEPT + 5):
        hear_supplier(offered(service=f"part-{number}"), supplier)
        ended = concluded(agreement=f"OLD-{number}", state="expired")
        note_contract(hear_agreement(ended)[0].at(MORNING), supplier)
    assert len(supplier.components) == COMPONENTS_KEPT
    assert len(supplier.contracts) == CONTRACTS_KEPT
    assert "UC-7" in {contract.agreement for contract in supplier.contracts}, "the ended ones fall out first"


def test_only_so_many_orders_wait() -> None:
    store = Component(id="store")
    for number in range(WAITING_LIMIT + 5):
        store.await_contract(UUID(int=number))
    store.await_contract(UUID(int=50))
    assert len(store.waiting) == WAITING_LIMIT
    assert store.waiting[-1] == UUID(int=50)


@pytest.mark.parametrize(("value", "unit", "hours"), [(2, "days", 48), (1e300, "weeks", None), (-1, "hours", None)])
def test_a_time_of_delivery_is_understood_or_left_out(value: float, unit: str, hours: float | None) -> None:
    assert understood(Term(name="delivery", value=value, unit=unit)) == hours


def test_of_contracts_in_force_the_last_to_begin_is_bought_under() -> None:
    days = {"UC-1": 9, "UC-2": 2}
    contracts = tuple(
        Contract(
            agreement=name, edition=1, state="in_force", valid_from=MORNING - timedelta(days=ago), valid_until=None
        )
        for name, ago in days.items()
    )
    assert offer(contracts=contracts).contract("video-games", MORNING) == "UC-2"
