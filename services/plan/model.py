"""What Plan keeps (policies, budgets, the portfolio, the chain's performance as last told) and what it tells itself."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.event import Command, Data
from contracts.plan import PortfolioOption
from contracts.values import Euros, Kpi, PolicyParameter, Quarter, Slug, Version
from services.chassis.state import ONE, State

FUNDING = "funding"
"""The policy that portfolio decisions go by."""
BUILT_IN = 1
"""The edition of a policy that holds until governance directs otherwise: the values Plan itself goes by."""
MOST_WAITING = 100
"""How many deferred demands a budget wakes; any others are weighed again when the next quarter begins."""


def quarter_of(time: datetime) -> str:
    """The quarter of a moment in UTC: `2026-Q4`."""
    return f"{time.year}-Q{(time.month + 2) // 3}"


def end_of(quarter: str) -> datetime:
    """The moment at which the next quarter begins."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return datetime(year + number // 4, number % 4 * 3 + 1, 1, tzinfo=UTC)


class PolicyEdition(Data):
    """What governance directed at one time."""

    edition: Version
    title: str
    statement: str
    parameters: tuple[PolicyParameter, ...]
    issued_by: str
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None


class Policy(State[str], by="policy"):
    """A policy with everything governance has directed about it."""

    editions: tuple[PolicyEdition, ...] = ()

    def in_force(self, at: datetime) -> PolicyEdition | None:
        """The latest edition that binds at this moment; None while governance has not directed anything."""
        binding = [e for e in self.editions if e.valid_from <= at and (e.valid_until is None or at < e.valid_until)]
        return max(binding, key=lambda e: e.edition, default=None)


class Waiting(Data):
    """A deferred demand, and how it was scored."""

    demand: UUID
    score: float


class Budget(State[str], by="quarter", shared=True, check="reserved + spent <= total"):
    """The money of a quarter: granted by governance, reserved by an approval, spent by a release."""

    total: int = 0
    reserved: int = 0
    spent: int = 0
    waiting: tuple[Waiting, ...] = ()
    """The demands deferred in this quarter, the best first."""

    @property
    def left(self) -> int:
        """What can still be reserved."""
        return self.total - self.reserved - self.spent

    @property
    def status(self) -> "BudgetStatus":
        """How the quarter stands, for governance."""
        return BudgetStatus(
            quarter=self.id, total=self.total, reserved=self.reserved, spent=self.spent, waiting=len(self.waiting)
        )

    def put_off(self, demand: UUID, score: float) -> None:
        """Keep a demand in mind for when money or the rules change; beyond the limit the lowest scores drop out."""
        others = [one for one in self.waiting if one.demand != demand]
        ranked = sorted([*others, Waiting(demand=demand, score=score)], key=lambda one: -one.score)
        self.waiting = tuple(ranked[:MOST_WAITING])

    def decided(self, demand: UUID) -> None:
        """The demand waits no longer."""
        self.waiting = tuple(one for one in self.waiting if one.demand != demand)

    def woken(self) -> list["DemandReconsidered"]:
        """Ask for every waiting demand to be weighed again, the best first."""
        return [DemandReconsidered(demand=one.demand) for one in self.waiting]


class BudgetStatus(BaseModel):
    """The money of a quarter, euros."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    quarter: Quarter
    total: int
    """What governance granted."""
    reserved: int
    """What approved demands may still spend."""
    spent: int
    """What was spent on released services."""
    waiting: int
    """How many deferred demands are weighed again when it changes."""


class PortfolioItem(State[UUID], by="demand"):
    """A demand as the portfolio knows it: its business case and what was decided."""

    stage: Literal["unknown", "weighing", "deferred", "approved", "rejected", "live", "retired"] = "unknown"
    """`weighing`, `deferred` and `approved` are the pipeline, `live` is the catalogue."""
    title: str = ""
    requester: str = ""
    service: str = ""
    users: int = 0
    value: int = 0
    """Euros a year; 0 without a value hypothesis."""
    effort: int | None = None
    """Euros in all, as the demand says; None if Plan is to estimate."""
    sponsor_budget: int | None = None
    promise_by: datetime | None = None
    quarter: str = ""
    """Whose budget it draws on."""
    reserved: int = 0
    obtained_for: int = 0
    """What obtaining and building reported as the cost of its parts, euros."""
    options: tuple[PortfolioOption, ...] = ()
    chosen: str | None = None
    policy_edition: int = BUILT_IN
    reasons: tuple[str, ...] = ()
    decided_at: datetime | None = None

    def settle(self, stage: Literal["live", "rejected"], told_by: str, reasons: tuple[str, ...]) -> "FundingSettled":
        """End an approval: what was reserved is spent, or free again. It leaves the item, so it is settled once."""
        amount, self.reserved, self.stage = self.reserved, 0, stage
        if stage == "rejected":
            self.chosen, self.reasons = None, reasons
        return FundingSettled(
            demand=self.id, quarter=self.quarter, amount=amount, spent=stage == "live", told_by=told_by, reasons=reasons
        )


class CatalogueEntry(State[str], by="service", shared=True):
    """A service of the portfolio, across all demands for it: live services can be extended instead of made anew."""

    live_since: datetime | None = None
    retired_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it can be requested."""
        return self.live_since is not None and self.retired_at is None


class ChainPerformance(State[str], by=ONE, shared=True):
    """How the whole chain performs, as Improve told last."""

    period: str = ""
    report: int = 0
    """Counts the reports on the period."""
    kpis: tuple[Kpi, ...] = ()


class DemandToWeigh(Command):
    """Weigh a demand of the portfolio against the budget of a quarter."""

    demand: UUID
    service: Slug
    quarter: Quarter
    policy: Slug = FUNDING


class DemandReconsidered(Command):
    """Money, rules or performance have changed, or a quarter has begun: weigh a deferred demand again."""

    demand: UUID


class BudgetReviewed(Command, case="quarter"):
    """Something that deferred demands of a quarter wait for has changed."""

    quarter: Quarter


class FundingSettled(Command):
    """What was reserved for a demand is spent, or free again because the service will not come."""

    demand: UUID
    quarter: Quarter
    amount: Euros
    spent: bool
    """False: it is free again, and the demand is rejected."""
    told_by: str
    """The activity whose event settled it."""
    reasons: tuple[str, ...]
