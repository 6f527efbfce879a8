"""Many who need the same are one demand, budgets take a sponsor, and what is altered is weighed again or passed on."""

from typing import Any
from uuid import UUID

import pytest

from contracts.deliver_support import ServiceDelivered
from contracts.engage import (
    ChangeInitiationRequested,
    DemandConsolidated,
    DemandStatusReported,
    ProjectChangeRequested,
    ServiceRequirementsStated,
    SupportTaskRequested,
)
from contracts.outside import DemandSubmitted, DemandWithdrawn, RequirementsStated
from contracts.plan import PortfolioDecisionMade, PortfolioVerdict
from contracts.values import Requirement
from services.engage.business_analysis import join_need, settle_merge
from services.engage.model import Demand, DemandAltered, Joined, MergeAccepted, MergeProposed, NeedStated
from services.engage.registers import StakeholderStated
from tests.engage.house import CFO, EMILY, NOW, ONE, PAUL, TWO, House, all_of, only

THREE = UUID("9e0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e")


@pytest.fixture
def house() -> House:
    return House()


def wish(demand: UUID = ONE, requester: str = EMILY, **fields: Any) -> DemandSubmitted:
    said: dict[str, Any] = {
        "demand": demand, "requester": requester, "title": "A racing game for two", "text": "",
        "kind": "new_product_or_service", "value": 40_000, "users_affected": 100,
    }  # fmt: skip
    return DemandSubmitted(**(said | fields))


def change(demand: UUID = ONE, requester: str = EMILY, **fields: Any) -> DemandSubmitted:
    return wish(demand, requester, **({"kind": "change_request", "service": "video-games", "title": "Mute"} | fields))


def decided(verdict: PortfolioVerdict, demand: UUID = ONE) -> PortfolioDecisionMade:
    return PortfolioDecisionMade(
        demand=demand, title="A racing game", requester=EMILY, service="racing-game", decision=verdict, options=(),
        chosen=None, value=0, cost=0, quarter="2026-Q4", budget_left=0, policy="funding", policy_version=1,
        blueprint=None, reasons=("The budget says so.",), basis=(),
    )  # fmt: skip


def decide(house: House, verdict: PortfolioVerdict) -> list[Any]:
    return house.hear(decided(verdict), stream="create-a-new-product-or-service", step="weigh-demand")


def sponsor(house: House, who: str = CFO) -> None:
    house.ask(StakeholderStated(stakeholder=who, name="CFO", kind="consumer", roles=("customer", "sponsor")))


def test_a_second_demand_on_the_same_need_becomes_part_of_the_first_with_links_both_ways(house: House) -> None:
    first = only(DemandConsolidated, house.hear(wish()))
    told = house.hear(wish(TWO, PAUL, title="Please, a game for two: racing!", value=20_000, users_affected=50))
    again = only(DemandConsolidated, told)
    assert (first.users, first.value, first.merged) == (100, 40_000, ())
    assert (again.demand, again.users, again.value, again.merged) == (ONE, 150, 60_000, (TWO,))
    (served,) = [r for r in only(ServiceRequirementsStated, told).requirements if r.name == "users-served"]
    assert served.target == 150
    report = next(one for one in all_of(DemandStatusReported, told) if one.demand == TWO)
    assert (report.status, report.merged_into, report.requester) == ("merged", ONE, PAUL)
    assert "A racing game for two" in report.text
    rows = house.row(Demand, ONE), house.row(Demand, TWO)
    assert ([joined.demand for joined in rows[0].merged], rows[1].merged_into) == ([TWO], ONE)


def test_without_the_first_one_the_second_stands_for_itself(house: House) -> None:
    assert only(DemandConsolidated, house.hear(wish(TWO, PAUL))).demand == TWO


@pytest.mark.parametrize(
    "fields",
    [{"title": "A quiz game for two"}, {"service": "video-games"}, {"kind": "change_request", "service": "radio"}],
)
def test_another_need_is_another_demand(house: House, fields: dict[str, Any]) -> None:
    house.hear(wish())
    assert only(DemandConsolidated, house.hear(wish(TWO, PAUL, **fields))).merged == ()
    assert house.row(Demand, TWO).status == "consolidated"


def test_who_asks_for_the_same_again_wants_another_one(house: House) -> None:
    house.hear(wish())
    assert only(DemandConsolidated, house.hear(wish(TWO, EMILY.upper()))).demand == TWO


def test_incidents_are_never_merged(house: House) -> None:
    for demand, requester in ((ONE, EMILY), (TWO, PAUL)):
        told = house.hear(wish(demand, requester, kind="incident", service="video-games"))
        assert only(SupportTaskRequested, told).demand == demand


@pytest.mark.parametrize(("verdict", "merges"), [("approve", False), ("reject", False), ("defer", True), (None, True)])
@pytest.mark.row("engage.in.portfolio", "plan")
def test_once_the_first_is_decided_the_next_stands_for_itself_and_for_those_that_follow(
    house: House, verdict: PortfolioVerdict | None, merges: bool
) -> None:
    house.hear(wish())
    if verdict:
        decide(house, verdict)
    only(DemandConsolidated, house.hear(wish(TWO, PAUL)))
    assert (house.row(Demand, TWO).status == "merged") == merges
    house.hear(wish(THREE, CFO))
    assert house.row(Demand, THREE).merged_into == (ONE if merges else TWO)


@pytest.mark.parametrize("end", ["rejected", "withdrawn", "delivered"])
def test_the_requester_of_a_merged_demand_hears_how_the_first_came_out_and_theirs_stays_merged(
    house: House, end: str
) -> None:
    house.hear(wish())
    house.hear(wish(TWO, PAUL))
    if end == "rejected":
        told = decide(house, "reject")
    elif end == "withdrawn":
        told = house.hear(DemandWithdrawn(demand=ONE, stakeholder=EMILY, reason="We sold the cars."))
    else:
        live = ServiceDelivered(
            demand=ONE, service="racing-game", title="", outcome="live", what="It is live.", delivered_at=NOW
        )
        told = house.hear(live, stream="create-a-new-product-or-service", step="put-live")
    (report,) = [one for one in all_of(DemandStatusReported, told) if one.demand == TWO]
    assert (report.status, report.requester) == ("merged", PAUL)
    assert end in report.text


def test_a_demand_that_ended_before_it_could_be_merged_is_taken_out_again() -> None:
    joined = Joined(demand=TWO, requester=PAUL, users=50, value=0)
    first = Demand(id=ONE, status="consolidated", title="A game", merged=(joined,))
    stated = NeedStated(demand=TWO, need="game")
    proposed = MergeProposed(demand=ONE, joining=joined, stated=stated).at(NOW)
    assert join_need(proposed, first) == []  # it counts once
    withdrawn = Demand(id=TWO, status="withdrawn")
    (left,) = settle_merge(MergeAccepted(demand=TWO, first=ONE, title="A game").at(NOW), withdrawn)
    house = House()
    house.rows[Demand, ONE] = first
    house.streams[str(ONE)] = "create-a-new-product-or-service"
    assert only(DemandConsolidated, house.hear(left)).merged == ()  # type: ignore[arg-type]
    assert withdrawn.status == "withdrawn"


def test_what_is_consolidated_again_too_late_is_not_put_back() -> None:
    house = House()
    house.hear(wish())
    decide(house, "approve")
    late = NeedStated(demand=ONE, need="game racing", again=True)
    assert house.hear(late) == []
    assert house.row(Demand, ONE).status == "in_progress"


# What a sponsor's say is worth


@pytest.mark.row("engage.out.demand")
@pytest.mark.row("engage.out.change_requests")
def test_a_budget_counts_only_with_the_say_of_a_registered_sponsor(house: House) -> None:
    without = house.hear(change(budget=9_000, sponsor=CFO))
    sponsor(house)
    within = house.hear(change(TWO, PAUL, title="Louder", budget=9_000, sponsor=CFO.upper()))
    for told, budget, reason in ((without, None, "is not registered as a sponsor"), (within, 9_000, "pays up to 9000")):
        initiated = only(ChangeInitiationRequested, told)
        assert (initiated.budget, only(DemandConsolidated, told).budget) == (budget, budget)
        assert reason in initiated.justification
        assert any(reason in report.text for report in all_of(DemandStatusReported, told))
    assert only(ChangeInitiationRequested, without).sponsor is None


def test_a_change_begins_for_all_who_ask_for_it_and_names_them(house: House) -> None:
    house.hear(change())
    told = house.hear(change(TWO, PAUL))
    initiated = only(ChangeInitiationRequested, told)
    assert (initiated.demand, initiated.service) == (ONE, "video-games")
    assert "200 users" in initiated.justification
    assert "1 more" in initiated.justification


def test_a_change_of_no_known_service_waits_for_a_person(house: House) -> None:
    told = house.hear(change(service=None))
    assert only(DemandStatusReported, told).status == "unclassified"
    assert "does not say of which service" in only(DemandStatusReported, told).text


# Altering


def altered(stakeholder: str = EMILY, **fields: Any) -> DemandAltered:
    said: dict[str, Any] = {"demand": ONE, "stakeholder": stakeholder, "title": "Four players", "scope": "For four."}
    return DemandAltered(**(said | fields))


@pytest.mark.row("engage.in.portfolio", "plan")
def test_an_alteration_is_weighed_before_the_decision_and_asked_of_the_project_after_it(house: House) -> None:
    house.hear(wish())
    before = house.hear(altered())
    assert "For four." in only(DemandConsolidated, before).text
    assert all_of(ProjectChangeRequested, before) == []
    decide(house, "approve")
    after = house.hear(altered(change="CHG-1"))
    assert (only(ProjectChangeRequested, after).change, all_of(DemandConsolidated, after)) == ("CHG-1", [])


@pytest.mark.row("engage.out.change_requests")
def test_more_money_counts_only_if_a_sponsor_adds_it(house: House) -> None:
    house.hear(wish(budget=5_000, sponsor=CFO))
    decide(house, "approve")
    without = only(ProjectChangeRequested, house.hear(altered(CFO, more_budget=4_000)))
    sponsor(house)
    within = only(ProjectChangeRequested, house.hear(altered(CFO, more_budget=4_000)))
    assert (without.more_budget, within.more_budget) == (0, 4_000)
    assert "is not registered as a sponsor" in without.scope
    assert house.row(Demand, ONE).budget == 9_000


def test_an_alteration_is_refused_to_strangers_and_where_there_is_nothing_to_alter(house: House) -> None:
    assert house.refused(altered()).status == 404
    house.hear(wish())
    assert house.refused(altered(PAUL)).status == 403
    decide(house, "reject")
    assert house.refused(altered()).status == 409
    house.hear(wish(TWO, kind="incident"))
    assert house.refused(altered(demand=TWO)).status == 409


# Segments


@pytest.mark.row("engage.in.requirements", "customers")
def test_what_a_segment_has_stated_decides_what_the_service_must_reach(house: House) -> None:
    always = Requirement(name="availability", kind="warranty", measure="share", target=99.9, unit="%")
    usual = only(ServiceRequirementsStated, house.hear(wish(segment="fleets")))
    house.ask(RequirementsStated(segment="fleets", customer=EMILY, requirements=(always,)))
    stated = only(ServiceRequirementsStated, house.hear(wish(TWO, PAUL, title="A quiz", segment="fleets")))
    targets = [{one.name: one.target for one in told.requirements}["availability"] for told in (usual, stated)]
    assert targets == [99, 99.9]


def test_the_register_says_in_which_segment_somebody_is_whatever_they_claim(house: House) -> None:
    claimed = wish(kind="incident", service="video-games", segment="fleets")
    assert only(SupportTaskRequested, house.hear(claimed)).segment == "fleets"
    house.ask(StakeholderStated(stakeholder=EMILY, name="Emily", kind="consumer", segment="families"))
    requested = only(SupportTaskRequested, house.hear(wish(TWO, kind="incident", segment="fleets")))
    assert requested.segment == "families"
    assert any(fact.source == "register of stakeholders" for fact in requested.basis)


def test_a_request_names_its_offering_and_one_that_asks_to_be_taught_is_training(house: House) -> None:
    order = only(SupportTaskRequested, house.hear(wish(kind="service_request", offering="controller", quantity=2)))
    assert (order.task, order.offering, order.quantity) == ("fulfil", "controller", 2)
    taught = wish(TWO, kind="service_request", title="Training for our drivers")
    assert only(SupportTaskRequested, house.hear(taught)).task == "train"


def test_who_had_access_hears_when_it_has_ended_and_the_demand_keeps_its_state(house: House) -> None:
    house.hear(wish())
    row = house.row(Demand, ONE)
    over = ServiceDelivered(
        demand=ONE, service="games", title="", outcome="access_ended", what="Your access is over.", delivered_at=NOW
    )
    slip = {"stream": "create-a-new-product-or-service", "step": "put-live"}
    assert house.hear(over, **slip) == []
    row.status = "value_realised"
    assert only(DemandStatusReported, house.hear(over, **slip)).status == "value_realised"
