from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.deliver_support import ServiceDelivered
from contracts.engage import OpportunityIdentified, ThirdPartyServiceReported
from contracts.plan import PortfolioDecisionMade
from contracts.values import Kpi, Term
from services.plan.market import Market, note_supplier
from services.plan.model import (
    BudgetReviewed,
    CatalogueEntry,
    ChainPerformance,
    DemandReconsidered,
    Trouble,
    Waiting,
)
from services.plan.options import EXTEND, FIRST_PART, MARKET, OWN
from services.plan.pipeline import Opportunity, follow_opportunity, note_delivery, note_opportunity
from services.plan.portfolio import reconsider_demand
from tests.plan.office import DEMAND, NOW, Case, funding_policy, offer, performance

OTHER = UUID(int=8)


def failing(name: str, value: float, target: float) -> Kpi:
    return Kpi(name=name, value=value, unit="share", target=target, met=False, count=9)


def chance(stage: str = "qualified", **changes: Any) -> OpportunityIdentified:
    opportunity = OpportunityIdentified(
        opportunity="o1", title="Fleet wants games", text="", customer="fleet@example.org", segment="",
        service="new-video-games", stage="qualified", value=100_000, probability=0.5,
    )  # fmt: skip
    return opportunity.model_copy(update={"stage": stage, **changes}).at(NOW)


def pursue(told: OpportunityIdentified, opportunity: Opportunity, entry: CatalogueEntry) -> list[BudgetReviewed]:
    reviews: list[BudgetReviewed] = []
    for noted in follow_opportunity(told, opportunity):
        if noted.service == entry.id:
            reviews += note_opportunity(noted.at(NOW), entry)
    return reviews


def supplied(version: int = 1, status: str = "offered", **changes: Any) -> ThirdPartyServiceReported:
    report = ThirdPartyServiceReported(
        supplier="arcade", version=version, name="Arcade", service="video-games", title="Games for cars",
        status="offered", support_hours="",
        terms=(Term(name="price", value=10_000, unit="euros"), Term(name="delivery", value=3, unit="days")),
        valid_from=NOW,
    )  # fmt: skip
    return report.model_copy(update={"status": status, **changes}).at(NOW)


def delivered(outcome: str, day: int = 0, demand: int = 1, service: str = "new-video-games") -> ServiceDelivered:
    data = {"demand": UUID(int=demand), "service": service, "title": "Games", "outcome": outcome, "what": "games"}
    return ServiceDelivered.model_validate({**data, "delivered_at": NOW - timedelta(days=day)}).at(NOW)


def live(**changes: Any) -> Case:
    case = Case(**changes)
    case.entry.live_since = NOW - timedelta(days=90)
    return case


# --- what the market offers


@pytest.mark.row("plan.out.portfolio_decisions")
def test_without_a_supplier_buying_is_no_option_and_the_decision_says_so() -> None:
    bought, made = Case(), Case()
    made.market = Market(id="the")
    assert bought.decision().chosen == MARKET.name
    decision = made.decision()
    assert decision.chosen == OWN.name
    assert "no supplier offers anything for new-video-games now" in " ".join(decision.reasons)
    assert MARKET.name not in [option.name for option in decision.options]


@pytest.mark.parametrize(
    "gone",
    [offer(status="ending"), offer(status="ended"), offer(valid_until=NOW), offer(service="controllers")],
)
def test_an_ending_supplier_or_one_of_something_else_is_no_option(gone: Any) -> None:
    case = Case()
    case.market = Market(id="the", offers=(gone,))
    assert case.decision().chosen == OWN.name


def test_price_and_time_of_buying_are_what_the_supplier_really_offers() -> None:
    case = Case()
    case.market = Market(id="the")
    note_supplier(supplied(), case.market)
    decision = case.decision()
    bought = next(option for option in decision.options if option.name == MARKET.name)
    assert bought.cost == 10_000 + 15_000
    assert decision.blueprint is not None
    assert decision.blueprint.lead_time_hours == 24 * (3 + 7)
    dear = Case()
    dear.market = Market(id="the")
    note_supplier(supplied(terms=(Term(name="price", value=45_000, unit="euros"),)), dear.market)
    assert dear.decision().chosen == OWN.name


def test_the_newest_of_a_suppliers_service_holds_and_what_is_said_twice_wakes_nobody() -> None:
    market = Market(id="the")
    review = [BudgetReviewed(quarter="2026-Q4")]
    assert note_supplier(supplied(1), market) == review
    assert note_supplier(supplied(3, "ending"), market) == review
    assert note_supplier(supplied(2), market) == []
    assert note_supplier(supplied(4, "ending"), market) == []
    assert [one.status for one in market.offers] == ["ending"]


def test_a_price_that_cannot_be_read_is_no_price() -> None:
    market = Market(id="the")
    note_supplier(supplied(terms=(Term(name="price", value=-1, unit="euros"),)), market)
    assert market.offers[0].price is None


# --- how live services do


def test_what_support_keeps_alive_can_be_extended() -> None:
    unknown, known = Case(), Case()
    note_delivery(delivered("supported"), known.entry)
    assert unknown.decision().chosen == MARKET.name
    assert known.decision().chosen == EXTEND.name


def test_a_service_that_is_restored_again_and_again_is_not_extended_any_more() -> None:
    case = live(effort=40_000)
    assert case.decision().chosen == EXTEND.name
    shaky = live(effort=40_000)
    for number in range(8):
        note_delivery(delivered("supported", day=number, demand=number), shaky.entry)
    decision = shaky.decision()
    assert decision.chosen == OWN.name
    assert "it had to be restored 8 times in 30 days" in " ".join(decision.reasons)


def test_refused_deployments_make_extending_riskier_and_two_of_them_rule_it_out() -> None:
    case = live()
    note_delivery(delivered("deployment_refused"), case.entry)
    extended = next(option for option in case.decision().options if option.name == EXTEND.name)
    assert extended.risk == pytest.approx(0.3)
    again = live()
    for number in (1, 2):
        note_delivery(delivered("deployment_refused", demand=number), again.entry)
    decision = again.decision()
    assert decision.chosen != EXTEND.name
    assert "think and work holistically" in decision.principles
    assert "Operation refused 2 deployments to it" in " ".join(decision.reasons)


def test_troubles_count_once_for_a_month_whatever_order_they_come_in() -> None:
    first, second = CatalogueEntry(id="games"), CatalogueEntry(id="games")
    told = [delivered("supported", day=day, demand=day) for day in (1, 2, 40)]
    for event in told:
        note_delivery(event, first)
    for event in [*reversed(told), told[0]]:
        note_delivery(event, second)
    assert first.troubles == second.troubles
    assert second.recent("supported", NOW) == 2


@pytest.mark.row("plan.in.third_party", "engage")
def test_a_live_service_on_a_failing_supplier_is_riskier_to_extend_and_on_an_ended_one_not_extended() -> None:
    case = live(value=100_000, effort=90_000)
    assert case.decision().chosen == EXTEND.name
    degraded = live(value=100_000, effort=90_000)
    degraded.market = Market(id="the")
    note_supplier(supplied(1, "degraded", service="engine", supports=("new-video-games",)), degraded.market)
    extended = next(option for option in degraded.decision().options if option.name == EXTEND.name)
    assert extended.risk == pytest.approx(0.35)
    ended = live()
    note_supplier(supplied(1, "ended", service="engine", supports=("new-video-games",)), ended.market)
    decision = ended.decision()
    assert decision.chosen != EXTEND.name
    assert "It rests on engine of Arcade, which has ended." in " ".join(decision.reasons)


# --- the pipeline of opportunities


@pytest.mark.row("plan.in.demand", "engage")
def test_an_opportunity_gives_value_to_a_demand_without_any_and_a_lost_one_takes_it_back() -> None:
    without, opportunity = Case(value=0), Opportunity(id="o1")
    assert without.decision().decision == "reject"
    behind = Case(value=0)
    assert pursue(chance(), opportunity, behind.entry) == [BudgetReviewed(quarter="2026-Q4")]
    decision = behind.decision()
    assert decision.decision == "approve"
    assert {fact.name: fact.value for fact in decision.basis}["value of opportunities"] == 50_000
    again = Case(value=0)
    again.entry = behind.entry
    pursue(chance("lost"), opportunity, again.entry)
    assert again.decision().decision == "reject"


def test_a_won_opportunity_is_certain_and_one_that_moves_counts_once() -> None:
    opportunity, games, seats = Opportunity(id="o1"), CatalogueEntry(id="games"), CatalogueEntry(id="seats")
    for told in (chance(service="games"), chance("won", service="seats")):
        for entry in (games, seats):
            for noted in follow_opportunity(told, opportunity.model_copy()):
                if noted.service == entry.id:
                    note_opportunity(noted.at(NOW), entry)
        follow_opportunity(told, opportunity)
    assert games.chances == ()
    assert [one.expected for one in seats.chances] == [100_000]


def test_an_opportunity_said_twice_wakes_nobody_the_second_time() -> None:
    opportunity, entry = Opportunity(id="o1"), CatalogueEntry(id="new-video-games")
    assert len(pursue(chance(), opportunity, entry)) == 1
    assert pursue(chance(), opportunity, entry) == []


def test_a_chance_that_closes_soon_moves_a_demand_up_in_the_ranking() -> None:
    calm, urgent = Case(), Case()
    for case, closes in ((calm, None), (urgent, NOW + timedelta(days=7))):
        pursue(chance(closes_at=closes), Opportunity(id="o1"), case.entry)
        case.decision()
    assert urgent.item.rank > calm.item.rank


# --- ranking


@pytest.mark.row("plan.out.portfolio_decisions")
def test_what_ranks_higher_and_waits_is_served_first() -> None:
    alone, behind = Case(), Case()
    behind.budget.put_off(OTHER, 99, claim=80_000)
    assert alone.decision().decision == "approve"
    decision = behind.decision()
    assert decision.decision == "defer"
    assert "1 waiting demands that bring more" in decision.reasons[0]
    ahead = Case()
    ahead.budget.put_off(OTHER, 0.5, claim=80_000)
    assert ahead.decision().decision == "approve"


def test_a_better_demand_that_the_money_cannot_meet_or_that_waits_for_governance_holds_nobody_up() -> None:
    for claim in (0, 200_000):
        case = Case()
        case.budget.put_off(OTHER, 99, claim=claim)
        assert case.decision().decision == "approve"


def test_whichever_of_two_is_woken_first_the_better_one_gets_the_money() -> None:
    funded = []
    for first in ("good", "best"):
        budget = Case(total=0).budget
        cases = {"good": Case(value=60_000), "best": Case(value=70_000)}
        cases["best"].item = cases["best"].item.model_copy(update={"id": OTHER})
        cases["best"].demand = cases["best"].demand.model_copy(update={"demand": OTHER}).at(NOW)
        for case in cases.values():
            case.budget = budget
            case.decision()
        budget.total = 40_000
        for name in sorted(cases, key=lambda one: one != first):
            (again,) = reconsider_demand(DemandReconsidered(demand=cases[name].item.id).at(NOW), cases[name].item)
            cases[name].outputs(again.at(NOW))
        funded.append({name: case.item.stage for name, case in cases.items()})
    assert funded == [{"good": "deferred", "best": "approved"}] * 2


def test_a_demand_that_no_longer_needs_its_place_lets_the_others_be_weighed_again() -> None:
    case = Case(total=0)
    case.decision()
    case.budget.put_off(OTHER, 0.1, claim=1_000)
    case.policy = funding_policy(max_risk=0.1)
    (again,) = reconsider_demand(DemandReconsidered(demand=DEMAND).at(NOW), case.item)
    decision, *others = case.outputs(again.at(NOW))
    assert decision.decision == "reject"
    assert DemandReconsidered(demand=OTHER) in others


def test_equal_ranks_are_ordered_by_id_everywhere() -> None:
    budget = Case().budget
    for demand in (OTHER, DEMAND):
        budget.put_off(demand, 1)
    assert budget.waiting == (Waiting(demand=DEMAND, score=1), Waiting(demand=OTHER, score=1))


# --- profit zone, incentives, first parts


def test_outside_the_profit_zone_nothing_is_funded() -> None:
    case = Case(value=30_000)
    assert case.decision().decision == "approve"
    outside = Case(value=30_000)
    outside.policy = funding_policy(revenue_share=0.1)
    decision = outside.decision()
    assert decision.decision == "reject"
    assert "outside the profit zone" in decision.reasons[0]


def test_an_incentive_flips_a_decision_until_the_day_it_ends() -> None:
    paid, alone = Case(value=20_000), Case(value=20_000)
    assert alone.decision().decision == "reject"
    paid.policy = funding_policy(incentive_share=0.5)
    assert paid.decision().decision == "approve"
    over = Case(value=20_000)
    over.policy = funding_policy(incentive_share=0.5)
    ended = over.policy.editions[0].model_copy(update={"valid_until": NOW, "valid_from": NOW - timedelta(days=9)})
    over.policy.editions = (ended,)
    assert over.decision().decision == "reject"


def test_what_is_large_is_begun_with_a_first_part() -> None:
    case = Case(total=100_000)
    case.policy = funding_policy(split_above=30_000)
    decision = case.decision()
    assert Case(total=100_000).decision().chosen == MARKET.name
    assert decision.chosen == OWN.name + FIRST_PART
    assert decision.cost == 25_000
    assert "progress iteratively with feedback" in decision.principles
    assert decision.blueprint is not None


# --- the four dimensions


@pytest.mark.row("plan.out.portfolio_decisions")
def test_nothing_new_of_our_own_is_begun_where_everything_waits() -> None:
    case, busy = Case(), Case()
    case.market = busy.market = Market(id="the")
    busy.performance = ChainPerformance(id="the", bottleneck="obtain_build", bottleneck_waiting=0.6)
    assert case.decision().decision == "approve"
    decision = busy.decision()
    assert (decision.decision, decision.principles) == ("defer", ("think and work holistically",))
    assert "Obtain/build is where 60% of all time is spent waiting" in decision.reasons[0]
    assert [one.dimension for one in decision.dimensions if not one.passed] == ["organisations_and_people"]


def test_a_decision_stands_in_all_four_dimensions() -> None:
    dimensions = Case().decision().dimensions
    assert len({one.dimension for one in dimensions}) == 4
    assert all(one.passed and one.reason for one in dimensions)


def test_a_service_that_breaks_down_all_the_time_is_mended_first() -> None:
    case = live(value=200_000)
    troubles = [Trouble(demand=UUID(int=n), outcome="supported", at=NOW - timedelta(days=n)) for n in range(10)]
    case.entry.troubles = tuple(troubles)
    decision = case.decision()
    assert decision.chosen != EXTEND.name
    assert "It was restored 10 times in 30 days." in " ".join(decision.reasons)


def test_changes_that_fail_make_every_way_riskier() -> None:
    case, failed = Case(), Case()
    failed.performance = ChainPerformance(id="the", kpis=(failing("change_success", 0.5, 0.9),))
    assert [one.risk for one in failed.decision().options[:2]] > [one.risk for one in case.decision().options[:2]]
    strict = Case()
    strict.policy, strict.performance = funding_policy(max_risk=0.15), failed.performance
    assert strict.decision().decision == "reject"


def test_strained_consumers_change_what_ranks_higher() -> None:
    calm, strained = live(), live()
    strained.performance = performance(3.1)
    for case in (calm, strained):
        assert isinstance(case.decision(), PortfolioDecisionMade)
    assert strained.item.rank > calm.item.rank
