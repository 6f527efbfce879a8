"""A demand on its way through Plan, and what others tell of: the furniture of Plan's tests."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.design_transition import ServiceTransitionReported
from contracts.engage import DemandConsolidated
from contracts.outside import GovernanceDirected
from contracts.plan import PortfolioDecisionMade
from contracts.values import Kpi, PolicyParameter
from services.plan.governance import issue_policy
from services.plan.market import Market, SupplierOffer
from services.plan.model import (
    Budget,
    CatalogueEntry,
    ChainPerformance,
    DemandToWeigh,
    FundingSettled,
    Policy,
    PortfolioItem,
)
from services.plan.portfolio import settle_funding, take_up_demand, weigh_demand

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEMAND = UUID(int=7)


def consolidated(**changes: Any) -> DemandConsolidated:
    demand = DemandConsolidated(
        demand=DEMAND,
        title="New video games",
        text="Games to play while the car charges",
        kind="new_product_or_service",
        requester="ada@example.org",
        segment="",
        service=None,
        tickets=("roundup/5",),
        users=40,
        value=60_000,
        effort=50_000,
        wanted_by=None,
        promise_by=NOW + timedelta(days=90),
        channel="desk",
    )
    return demand.model_copy(update=changes).at(NOW)


def funding_policy(**parameters: float) -> Policy:
    policy = Policy(id="funding")
    issue_policy(directed(parameters=tuple(PolicyParameter(name=n, value=v) for n, v in parameters.items())), policy)
    return policy


def directed(**changes: Any) -> GovernanceDirected:
    direction = GovernanceDirected(
        policy="funding", title="Funding", statement="Fund what pays back", issued_by="board", valid_from=NOW
    )
    return direction.model_copy(update=changes).at(NOW)


def performance(satisfaction: float) -> ChainPerformance:
    met = satisfaction >= 4
    kpi = Kpi(name="satisfaction", value=satisfaction, unit="of 5", target=4, met=met, count=9)
    return ChainPerformance(id="the", period="2026-W47", report=3, kpis=(kpi,))


def offer(**changes: Any) -> SupplierOffer:
    """What a supplier has for the need, at no stated price."""
    said = SupplierOffer(
        supplier="arcade", name="Arcade", service="video-games", edition=1, status="offered", price=None,
        delivery_hours=None, supports=(), agreement=None, valid_until=None,
    )  # fmt: skip
    return said.model_copy(update=changes)


class Case:
    """One demand on its way through Plan, with the rows that its weighing touches."""

    def __init__(self, total: int = 100_000, **demand: Any) -> None:
        self.item = PortfolioItem(id=DEMAND)
        self.budget = Budget(id="2026-Q4", total=total)
        self.policy = Policy(id="funding")
        self.entry = CatalogueEntry(id="new-video-games")
        self.performance = ChainPerformance(id="the")
        self.market = Market(id="the", offers=(offer(),))
        self.demand = consolidated(**demand)

    def taken_up(self) -> DemandToWeigh:
        (to_weigh,) = take_up_demand(self.demand, self.item)
        return to_weigh.at(NOW)

    def outputs(self, to_weigh: DemandToWeigh | None = None) -> list[Any]:
        weighing = to_weigh or self.taken_up()
        return weigh_demand(weighing, self.item, self.budget, self.policy, self.entry, self.performance, self.market)

    def decision(self) -> PortfolioDecisionMade:
        decision = self.outputs()[0]
        assert isinstance(decision, PortfolioDecisionMade)
        return decision

    def settle(self, settled: list[FundingSettled]) -> list[Any]:
        (one,) = settled
        return settle_funding(one.at(NOW), self.item, self.budget)


def value_of(decision: PortfolioDecisionMade, fact: str) -> object:
    return {f.name: f.value for f in decision.basis}[fact]


def source_of(decision: PortfolioDecisionMade, fact: str) -> str:
    return {f.name: f.source for f in decision.basis}[fact]


def transition(outcome: str, *reasons: str) -> ServiceTransitionReported:
    data = {"demand": DEMAND, "service": "new-video-games", "title": "Games", "outcome": outcome, "reasons": reasons}
    return ServiceTransitionReported.model_validate(data).at(NOW)
