"""Agreements from need to end, and the register of third parties that they are held against."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.deliver_support import SupportAgreementNeeded
from contracts.design_transition import ContractualAgreementNeeded
from contracts.engage import AgreementConcluded, ThirdPartyServiceReported
from contracts.event import Event
from contracts.improve import ImprovementAgreementNeeded
from contracts.obtain_build import SupplierAgreementReported
from contracts.plan import AgreementRequired
from contracts.values import Term
from services.engage.promises import Promised, falls_short, overpromised, shortfalls, strictest
from services.engage.registers import (
    Agreement,
    AgreementStated,
    AgreementTerminated,
    Supplier,
    SupplierServiceStated,
    ThirdParties,
)
from tests.engage.house import NOW, House, all_of, only

DAY = timedelta(days=1)


@pytest.fixture
def house() -> House:
    return House()


def hours(value: float, name: str = "resolve") -> Term:
    return Term(name=name, value=value, unit="hours")


def percent(value: float, name: str = "availability") -> Term:
    return Term(name=name, value=value, unit="%")


def euros(value: float) -> Term:
    return Term(name="price", value=value, unit="euros")


def offers(*terms: Term, **fields: Any) -> SupplierServiceStated:
    said: dict[str, Any] = {
        "supplier": "cloud-ag", "service": "storage", "name": "Cloud AG", "title": "Rented storage",
        "status": "offered", "terms": terms, "valid_from": NOW, "supports": ("video-games",),
    }  # fmt: skip
    return SupplierServiceStated(**(said | fields))


def needed(kind: type[Any], *terms: Term, counterparty: str | None = "cloud-ag", **fields: Any) -> Any:
    said: dict[str, Any] = {
        "agreement": "storage-contract", "kind": "underpinning_contract", "title": "Storage", "service": "video-games",
        "counterparty": counterparty, "terms": terms, "purpose": "Games are kept there.",
    }  # fmt: skip
    return kind(**(said | fields))


def supplier_says(state: str, *terms: Term, **fields: Any) -> SupplierAgreementReported:
    said: dict[str, Any] = {
        "agreement": "storage-contract", "kind": "underpinning_contract", "state": state, "supplier": "cloud-ag",
        "title": "Storage", "service": "video-games", "component": "storage", "terms": terms, "cost": 100,
        "valid_from": NOW,
    }  # fmt: skip
    return SupplierAgreementReported(**(said | fields))


def agreed(name: str, *terms: Term, **fields: Any) -> AgreementStated:
    said: dict[str, Any] = {
        "agreement": name, "kind": "underpinning_contract", "title": name, "service": "video-games",
        "counterparty": "cloud-ag", "terms": terms, "valid_from": NOW,
    }  # fmt: skip
    return AgreementStated(**(said | fields))


def promised(name: str, *terms: Term, **fields: Any) -> AgreementStated:
    return agreed(name, *terms, **({"kind": "service_level", "counterparty": "bluefleet"} | fields))


NEEDS: list[Event] = [
    needed(AgreementRequired, hours(8), budget=5_000),
    needed(ContractualAgreementNeeded, hours(8)),
    needed(SupportAgreementNeeded, hours(8)),
    needed(ImprovementAgreementNeeded, hours(8)),
    supplier_says("offered", hours(8)),
]
"""What each activity may need of the same contract."""


# Needs


@pytest.mark.parametrize(
    "need", [pytest.param(need, marks=pytest.mark.row("engage.in.agreements", need.activity)) for need in NEEDS],
    ids=[need.activity for need in NEEDS],
)  # fmt: skip
def test_an_agreement_that_anybody_needs_is_concluded_on_an_offer_whichever_comes_first(need: Event) -> None:
    ends = []
    for first, second in ((need, offers(hours(4), euros(900))), (offers(hours(4), euros(900)), need)):
        house = House()
        assert all_of(AgreementConcluded, house.hear(first)) == []  # either alone concludes nothing
        concluded = only(AgreementConcluded, house.hear(second))
        ends.append(concluded.model_dump())
        assert (concluded.state, concluded.counterparty, concluded.version) == ("in_force", "cloud-ag", 1)
        assert house.hear(need) == []  # the same need again
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("need", "offer", "lacks"),
    [
        (needed(ContractualAgreementNeeded, hours(8)), offers(hours(12)), "resolve in 8 hours is needed, and resolve"),
        (needed(SupportAgreementNeeded, percent(99.9)), offers(hours(4)), "nothing is said about it"),
        (needed(ImprovementAgreementNeeded, percent(99.9)), offers(percent(99)), "availability of 99 % is promised"),
        (needed(AgreementRequired, hours(8), budget=500), offers(hours(4), euros(900)), "it costs 900 euros"),
        (needed(AgreementRequired, hours(8), budget=500), offers(hours(4)), "it names no price"),
        (needed(ContractualAgreementNeeded, hours(8)), offers(hours(4), status="degraded"), "it is degraded"),
        (needed(ContractualAgreementNeeded, hours(8)), offers(hours(4), supplier="depot"), "nothing is registered"),
    ],
)
def test_what_no_offer_covers_stays_wanted_says_what_it_lacks_and_is_looked_at_again(
    house: House, need: Event, offer: SupplierServiceStated, lacks: str
) -> None:
    house.hear(need)
    assert all_of(AgreementConcluded, house.hear(offer)) == []
    row = house.row(Agreement, "storage-contract")
    assert row.status == "wanted"
    assert lacks in row.reason
    better = offers(hours(2), percent(99.95), euros(100), title="Better storage")
    assert only(AgreementConcluded, house.hear(better)).terms == better.terms
    assert house.row(ThirdParties).wanted == ()


def test_any_supplier_of_the_service_will_do_if_none_is_named_and_the_cheapest_is_taken(house: House) -> None:
    house.hear(offers(hours(4), euros(900)))
    house.hear(offers(hours(4), euros(300), supplier="depot"))
    house.hear(offers(hours(4), euros(100), supplier="elsewhere", supports=()))
    concluded = only(AgreementConcluded, house.hear(needed(ContractualAgreementNeeded, hours(8), counterparty=None)))
    assert concluded.counterparty == "depot"


def test_what_several_activities_need_is_needed_together(house: House) -> None:
    house.hear(needed(ContractualAgreementNeeded, hours(8)))
    house.hear(needed(SupportAgreementNeeded, hours(4), percent(99)))
    assert all_of(AgreementConcluded, house.hear(offers(hours(6), percent(99)))) == []
    assert only(AgreementConcluded, house.hear(offers(hours(4), percent(99)))).state == "in_force"


def test_what_holds_and_is_not_enough_any_more_is_agreed_anew_once_an_offer_is(house: House) -> None:
    house.hear(offers(hours(8)))
    house.hear(needed(ContractualAgreementNeeded, hours(8)))
    assert house.hear(needed(ImprovementAgreementNeeded, hours(4))) == []
    assert "It holds, but is not enough: " in house.row(Agreement, "storage-contract").reason
    concluded = only(AgreementConcluded, house.hear(offers(hours(4))))
    assert (concluded.version, concluded.terms) == (2, (hours(4),))


# What suppliers sign and refuse


def test_what_a_supplier_signs_holds_without_an_offer_in_the_register(house: House) -> None:
    concluded = only(AgreementConcluded, house.hear(supplier_says("signed", hours(8, "delivery"))))
    assert (concluded.state, concluded.counterparty) == ("in_force", "cloud-ag")
    assert house.hear(supplier_says("signed", hours(9, "delivery"))) == []  # bought under it once more


def test_a_signature_does_not_revive_what_was_terminated_after_it(house: House) -> None:
    house.ask(agreed("storage-contract", hours(8)))
    house.now += DAY
    house.ask(AgreementTerminated(agreement="storage-contract", by="buyer", reason="Too dear."))
    assert house.hear(supplier_says("signed", hours(8))) == []
    assert house.row(Agreement, "storage-contract").status == "terminated"
    later = supplier_says("signed", hours(8), valid_from=house.now + DAY)
    assert only(AgreementConcluded, house.hear(later)).state == "in_force"


def test_a_supplier_that_refuses_is_passed_over_until_it_offers_something_new_whichever_is_heard_first() -> None:
    need, refusal = needed(ContractualAgreementNeeded, hours(8), counterparty=None), supplier_says("refused")
    for messages in ((refusal, need), (need, refusal)):
        house = House()
        house.hear(offers(hours(4), euros(100)))
        house.hear(offers(hours(4), euros(300), supplier="depot"))
        told = [event for message in messages for event in house.hear(message)]
        assert all_of(AgreementConcluded, told)[-1].counterparty == "depot"
        assert house.row(Agreement, "storage-contract").status == "in_force"
    without = House()
    without.hear(offers(hours(4), euros(100)))
    assert only(AgreementConcluded, without.hear(need)).counterparty == "cloud-ag"


def test_what_a_supplier_refuses_to_sign_after_all_ends_and_its_next_offer_is_looked_at(house: House) -> None:
    house.hear(offers(hours(4)))
    house.hear(needed(ContractualAgreementNeeded, hours(8)))
    told = house.hear(supplier_says("refused"))
    assert only(AgreementConcluded, told).state == "terminated"
    assert "its supplier has refused" in house.row(Agreement, "storage-contract").reason
    house.now += DAY
    assert all_of(AgreementConcluded, house.hear(offers(hours(3))))[-1].state == "in_force"


def test_a_supplier_that_offers_again_after_it_has_refused_is_looked_at_again(house: House) -> None:
    house.hear(offers(hours(4)))
    house.hear(supplier_says("refused"))
    assert only(AgreementConcluded, house.hear(supplier_says("offered", hours(8)))).state == "in_force"


# What the parties agree


def test_a_promise_shorter_than_what_it_rests_on_is_refused_with_the_reason(house: House) -> None:
    house.ask(agreed("network-ola", hours(4), percent(99.5), kind="operational_level"))
    house.ask(agreed("cloud-contract", hours(6), percent(99.5)))
    rests = {"depends_on": ("network-ola", "cloud-contract")}
    short = house.refused(promised("bluefleet-sla", hours(8), **rests))
    assert (short.status, "network-ola and cloud-contract take 10 hours together" in short.detail) == (409, True)
    assert "allow 99 % together" in house.refused(promised("bluefleet-sla", percent(99.4), **rests)).detail
    assert house.ask(promised("bluefleet-sla", hours(12), percent(99), **rests)).status == 200
    assert house.row(Agreement, "bluefleet-sla").status == "in_force"
    assert house.ask(promised("other-sla", hours(1))).status == 200  # it rests on nothing


def test_an_agreement_that_cannot_hold_is_refused(house: House) -> None:
    assert house.refused(promised("sla", depends_on=("nothing",))).status == 409
    assert house.refused(promised("sla", depends_on=("sla",))).status == 409
    assert house.refused(promised("sla", valid_until=NOW)).status == 422
    assert house.refused(promised("sla", valid_from=NOW - 9 * DAY, valid_until=NOW - DAY)).status == 422


def test_the_same_agreement_again_is_no_news_and_another_one_is_its_next_version(house: House) -> None:
    assert only(AgreementConcluded, house.hear(promised("sla", hours(8)))).version == 1
    assert house.hear(promised("sla", hours(8))) == []
    assert only(AgreementConcluded, house.hear(promised("sla", hours(4)))).version == 2


def test_what_the_parties_agree_may_lack_what_is_needed_and_the_search_goes_on(house: House) -> None:
    house.hear(needed(SupportAgreementNeeded, hours(4)))
    house.ask(agreed("storage-contract", hours(8)))
    assert "still, resolve in 4 hours is needed" in house.row(Agreement, "storage-contract").reason
    assert only(AgreementConcluded, house.hear(offers(hours(2)))).terms == (hours(2),)


def test_an_agreement_ends_with_its_last_day_and_is_agreed_anew_if_it_is_needed_and_offered(house: House) -> None:
    house.hear(offers(hours(4), valid_until=NOW + 90 * DAY))
    house.hear(needed(ContractualAgreementNeeded, hours(8)))
    expired = all_of(AgreementConcluded, house.pass_time(100 * DAY))
    assert [(one.state, one.version) for one in expired] == [("expired", 2)]
    renewed = offers(hours(4), valid_from=house.now, valid_until=house.now + 90 * DAY)
    assert all_of(AgreementConcluded, house.hear(renewed))[-1].state == "in_force"


def test_the_last_day_of_an_earlier_edition_does_not_end_a_later_one(house: House) -> None:
    house.ask(promised("sla", hours(8), valid_until=NOW + DAY))
    house.ask(promised("sla", hours(8), valid_until=NOW + 3 * DAY))
    assert house.pass_time(2 * DAY) == []
    assert only(AgreementConcluded, house.pass_time(2 * DAY)).state == "expired"


def test_only_what_is_in_force_is_terminated(house: House) -> None:
    end = AgreementTerminated(agreement="sla", by="bluefleet", reason="We leave.")
    assert house.refused(end).status == 404
    house.ask(promised("sla", hours(8)))
    assert only(AgreementConcluded, house.hear(end)).state == "terminated"
    assert house.refused(end).status == 409


def test_what_rests_on_an_agreement_that_ends_is_told_anew_without_it(house: House) -> None:
    house.ask(agreed("cloud-contract", hours(6)))
    house.ask(promised("sla", hours(8), depends_on=("cloud-contract",)))
    told = house.hear(AgreementTerminated(agreement="cloud-contract", by="cloud-ag", reason="Closed."))
    contract, sla = (next(one for one in all_of(AgreementConcluded, told) if one.agreement == name)
                     for name in ("cloud-contract", "sla"))  # fmt: skip
    assert (contract.state, sla.state, sla.version, sla.depends_on) == ("terminated", "in_force", 2, ())
    assert "Closed." in house.row(Agreement, "sla").reason


# The register of third parties


def told_of(house: House, message: Any) -> ThirdPartyServiceReported:
    return only(ThirdPartyServiceReported, house.hear(message))


def reason(house: House, supplier: str = "cloud-ag") -> str:
    return house.row(Supplier, supplier).services[0].reason


def test_what_a_supplier_says_is_told_once_and_counted(house: House) -> None:
    assert (told_of(house, offers(hours(4))).version, house.hear(offers(hours(4)))) == (1, [])
    changed = told_of(house, offers(hours(6)))
    assert (changed.status, changed.version) == ("changed", 2)
    assert house.hear(offers(hours(6))) == []
    assert told_of(house, offers(hours(6), status="degraded")).status == "degraded"


@pytest.mark.row("engage.out.third_party")
def test_an_offer_that_is_worse_than_the_contract_in_force_is_degraded(house: House) -> None:
    unbound = told_of(House(), offers(hours(12)))
    house.ask(agreed("cloud-contract", hours(8)))
    bound = told_of(house, offers(hours(12)))
    assert (unbound.status, bound.status, bound.agreement) == ("offered", "degraded", "cloud-contract")
    assert "resolve in 8 hours is promised in cloud-contract" in bound.reasons[0] == reason(house)
    assert unbound.reasons == ("It is offered as its supplier says.",)
    over = told_of(house, AgreementTerminated(agreement="cloud-contract", by="buyer", reason="Too slow."))
    assert (over.status, over.agreement) == ("offered", None)


def test_a_named_contract_counts_unless_the_register_knows_that_it_does_not_hold(house: House) -> None:
    assert told_of(house, offers(agreement="old-contract")).agreement == "old-contract"
    house.ask(agreed("old-contract"))
    ended = house.hear(AgreementTerminated(agreement="old-contract", by="buyer", reason="Over."))
    assert only(ThirdPartyServiceReported, ended).agreement is None
    assert "old-contract does not hold any more" in reason(house)


def test_a_service_is_ending_a_month_before_its_last_day_and_ends_on_it(house: House) -> None:
    near, far = NOW + 20 * DAY, NOW + 100 * DAY
    assert told_of(House(), offers(valid_until=near)).status == "ending"
    assert told_of(house, offers(valid_until=far)).status == "offered"
    assert only(ThirdPartyServiceReported, house.pass_time(75 * DAY)).status == "ending"
    assert f"{far:%Y-%m-%d}" in reason(house)
    assert only(ThirdPartyServiceReported, house.pass_time(30 * DAY)).status == "ended"
    assert house.pass_time(30 * DAY) == []


def test_a_service_that_ends_before_it_begins_is_refused(house: House) -> None:
    assert house.refused(offers(valid_until=NOW)).status == 422


def test_a_supplier_has_a_bounded_number_of_services(house: House) -> None:
    for number in range(50):
        house.ask(offers(service=f"service-{number}"))
    assert house.refused(offers(service="one-more")).status == 409
    assert house.ask(offers(hours(3), service="service-7")).status == 200


# Promises


def test_promises_are_compared_by_what_they_count() -> None:
    assert falls_short(Term(name="delivery", value=2, unit="days"), hours(47, "delivery"))
    assert not falls_short(Term(name="delivery", value=2, unit="days"), hours(48, "delivery"))
    assert falls_short(percent(99), percent(99.5))
    assert falls_short(euros(11), euros(10))
    assert falls_short(Term(name="users", value=9, unit="seats"), Term(name="users", value=1, unit="users"))
    assert shortfalls((hours(4),), (hours(4), percent(99))) == [
        "availability of 99 % is needed, and nothing is said about it"
    ]
    assert strictest((hours(8), hours(4), hours(6))) == (hours(4),)
    assert (
        overpromised(
            Promised((hours(8),)),
            {"a": Promised((hours(4),)), "b": Promised((hours(4),)), "c": Promised((percent(9),))},
        )
        == []
    )
