from typing import Any

import pytest

from contracts.plan import AgreementRequired
from services.plan.agreements import RequiredAgreement, require_agreement
from services.plan.market import Market, SupplierOffer
from services.plan.model import AgreementToDecide
from tests.plan.office import DEMAND, NOW, Case, funding_policy, offer

AGREEMENT = "new-video-games-000000000000"


def asked(case: Case) -> list[AgreementToDecide]:
    return [one for one in case.outputs() if isinstance(one, AgreementToDecide)]


def decided(**changes: Any) -> AgreementToDecide:
    agreement = AgreementToDecide(
        agreement=AGREEMENT, demand=DEMAND, service="new-video-games", title="New video games", from_market=True,
        cost=35_000, lead_time_hours=504,
    )  # fmt: skip
    return agreement.model_copy(update=changes).at(NOW)


def required(*offers: SupplierOffer, **changes: Any) -> AgreementRequired:
    market = Market(id="the", offers=offers)
    (told,) = require_agreement(decided(**changes), RequiredAgreement(id=AGREEMENT), market)
    return told


def test_what_is_the_markets_needs_an_agreement_and_what_is_our_own_only_if_it_is_dear() -> None:
    assert [one.from_market for one in asked(Case())] == [True]
    own = Case()
    own.market = Market(id="the")
    assert asked(own) == []
    dear = Case()
    dear.market, dear.policy = Market(id="the"), funding_policy(agreement_from=50_000)
    assert [one.from_market for one in asked(dear)] == [False]


def test_a_demand_that_is_not_approved_needs_none() -> None:
    assert asked(Case(total=0)) == []


@pytest.mark.parametrize(
    ("offers", "kind", "counterparty", "purpose"),
    [
        ((offer(),), "underpinning_contract", "arcade", "there is no contract with Arcade yet"),
        ((offer(agreement="frame-7"),), "statement_of_work", "arcade", "under frame-7 already"),
        ((offer(status="ended"),), "underpinning_contract", None, "Nobody supplies it any more"),
        ((offer(price=9), offer(supplier="b", name="B", price=5)), "underpinning_contract", "b", "contract with B"),
    ],
)
@pytest.mark.row("plan.out.agreement_requirements")
def test_which_agreement_it_takes_follows_from_the_market(
    offers: tuple[SupplierOffer, ...], kind: str, counterparty: str | None, purpose: str
) -> None:
    told = required(*offers)
    assert (told.kind, told.counterparty, told.budget) == (kind, counterparty, 35_000)
    assert purpose in told.purpose


def test_dear_work_of_our_own_is_written_down() -> None:
    told = required(offer(), from_market=False, cost=120_000)
    assert (told.kind, told.counterparty) == ("statement_of_work", None)
    assert "120000 euros" in told.purpose


def test_a_supplier_is_held_to_what_it_promises_and_anybody_else_to_all_that_is_needed() -> None:
    assert [term.name for term in required(offer(delivery_hours=24)).terms] == ["delivery"]
    assert {term.name: term.value for term in required().terms} == {"delivery": 504, "price": 35_000}


def test_an_agreement_is_asked_for_once() -> None:
    row = RequiredAgreement(id=AGREEMENT)
    assert len(require_agreement(decided(), row, Market(id="the"))) == 1
    assert require_agreement(decided(), row, Market(id="the")) == []
