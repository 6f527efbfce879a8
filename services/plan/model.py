"""What Plan keeps of policies, budgets, portfolio and performance, and what it tells itself."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.event import Command, Data
from contracts.plan import PortfolioOption, PortfolioVerdict, Principle
from contracts.values import (
    Amount,
    Count,
    DimensionAssessment,
    Euros,
    Hours,
    Kind,
    Kpi,
    PolicyParameter,
    Quarter,
    Share,
    Slug,
    Version,
)
from services.chassis.state import ONE, State

WATCHED = ("satisfaction", "value_realised", "time_to_restore")
"""The key figures that tell whether consumers are served as promised."""
FUNDING = "funding"
"""The policy that portfolio and improvement decisions go by."""
STRATEGY = "strategy"
"""The policy that says how much governance wants to reach; its parameters are the ambitions behind the plans."""
IMPROVEMENTS = "improvements"
"""The policy that keeps what improvements have proved."""
BUILT_IN = 1
"""The edition of a policy that holds until governance directs otherwise: the values Plan itself goes by."""
MOST_WAITING = 100
"""How many deferred demands a budget wakes; any others are weighed again when the next quarter begins."""
MOST_PROPOSALS = 50
"""How many deferred initiatives a budget wakes; it has a tenth of the money, so half as many is plenty."""
MOST_EDITIONS = 100
"""How many editions of a policy are kept: the newest bind, and years of them can still be looked up."""
MOST_CHANCES = 50
"""How many opportunities count for a service: sales pursues no more at once."""
MOST_TROUBLES = 20
"""How many troubles of a service are kept: more of them within a month make it no riskier."""
MONTH = timedelta(days=30)
"""For how long a trouble speaks against extending a service."""


def quarter_of(time: datetime) -> str:
    """The quarter of a moment in UTC: `2026-Q4`."""
    return f"{time.year}-Q{(time.month + 2) // 3}"


def day_of(time: datetime) -> str:
    """The day of a moment in UTC, the period of a planning report: `2026-11-24`."""
    return time.date().isoformat()


def next_day(time: datetime) -> datetime:
    """The moment in UTC at which the next day begins."""
    return datetime(time.year, time.month, time.day, tzinfo=UTC) + timedelta(days=1)


def plan_of(level: str, quarter: str) -> str:
    """The id of the plan of a level: only that of the portfolio is made anew for each quarter."""
    return {"strategic": "strategy", "tactical": f"portfolio-{quarter.lower()}"}.get(level, "operations")


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
    constrained: tuple[str, ...] = ()
    """The parameters that it fixes for every later edition: those of a constraint."""

    def binds(self, at: datetime) -> bool:
        """Whether it holds at this moment, unless a later one does as well."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


class Policy(State[str], by="policy"):
    """A policy with everything that was directed or proved about it."""

    editions: tuple[PolicyEdition, ...] = ()

    @property
    def next_edition(self) -> int:
        """The number of the edition that comes next."""
        return self.editions[-1].edition + 1 if self.editions else BUILT_IN + 1

    def add(self, edition: PolicyEdition) -> None:
        """Keep an edition; the oldest drop out."""
        self.editions = (*self.editions, edition)[-MOST_EDITIONS:]

    def constraints(self, at: datetime) -> dict[str, tuple[PolicyParameter, PolicyEdition]]:
        """The parameters that a constraint fixes at this moment, each with the edition that fixes it last."""
        return {
            parameter.name: (parameter, edition)
            for edition in self.editions
            if edition.binds(at)
            for parameter in edition.parameters
            if parameter.name in edition.constrained
        }

    def in_force(self, at: datetime) -> PolicyEdition | None:
        """The latest edition that binds at this moment; None while governance has not directed anything."""
        binding = [edition for edition in self.editions if edition.binds(at)]
        return max(binding, key=lambda e: e.edition, default=None)


class Waiting(Data):
    """A deferred demand, its place in the ranking, and what it would take."""

    demand: UUID
    score: float
    claim: int = 0
    """The euros it takes as soon as they are there; 0 if it waits for something else than money."""

    @property
    def place(self) -> tuple[float, str]:
        """Sorts the best first; the id makes the order the same everywhere."""
        return -self.score, str(self.demand)


class Proposal(Data):
    """A deferred initiative, how much it brings a year for each euro, and what it would take."""

    initiative: str
    score: float
    claim: int = 0
    """The euros it takes as soon as they are there; 0 if it waits for something else than money."""

    @property
    def place(self) -> tuple[float, str]:
        """Sorts the best first; the id makes the order the same everywhere."""
        return -self.score, self.initiative


class Budget(State[str], by="quarter", shared=True, check="reserved + spent <= total"):
    """The money of a quarter: granted by governance, reserved by an approval, spent by a release."""

    total: int = 0
    reserved: int = 0
    spent: int = 0
    improving: int = 0
    """What of both is for improvements."""
    waiting: tuple[Waiting, ...] = ()
    """The demands deferred in this quarter, the best first."""
    proposals: tuple[Proposal, ...] = ()
    """The initiatives deferred in this quarter, the best first."""

    @property
    def left(self) -> int:
        """What can still be reserved."""
        return self.total - self.reserved - self.spent

    @property
    def scarcity(self) -> int:
        """0 while half of the money is left, 1 while a quarter is, 2 after that or if nothing was granted."""
        return 0 if self.left * 2 >= self.total > 0 else 1 if self.left * 4 >= self.total > 0 else 2

    @property
    def status(self) -> "BudgetStatus":
        """How the quarter stands, for governance."""
        return BudgetStatus(
            quarter=self.id,
            total=self.total,
            reserved=self.reserved,
            spent=self.spent,
            improving=self.improving,
            waiting=len(self.waiting),
            proposals=len(self.proposals),
        )

    def put_off(self, demand: UUID, score: float, claim: int = 0) -> None:
        """Keep a demand in mind for when money or the rules change; beyond the limit the lowest scores drop out."""
        others = [one for one in self.waiting if one.demand != demand]
        ranked = sorted([*others, Waiting(demand=demand, score=score, claim=claim)], key=lambda one: one.place)
        self.waiting = tuple(ranked[:MOST_WAITING])

    def better(self, demand: UUID, score: float) -> list[Waiting]:
        """The waiting demands that rank higher and whose claims what is left can meet, from the top."""
        place, left, served = Waiting(demand=demand, score=score).place, self.left, []
        for one in self.waiting:
            if one.place < place and one.demand != demand and 0 < one.claim <= left:
                left -= one.claim
                served.append(one)
        return served

    def place_of(self, demand: UUID) -> Waiting | None:
        """How a demand waits; None if it does not."""
        return next((one for one in self.waiting if one.demand == demand), None)

    def decided(self, demand: UUID) -> None:
        """The demand waits no longer."""
        self.waiting = tuple(one for one in self.waiting if one.demand != demand)

    def put_off_initiative(self, proposal: Proposal) -> None:
        """Keep an initiative in mind for when money, rules or plans change; the lowest scores drop out."""
        others = [one for one in self.proposals if one.initiative != proposal.initiative]
        self.proposals = tuple(sorted([*others, proposal], key=lambda one: one.place)[:MOST_PROPOSALS])

    def better_initiatives(self, proposal: Proposal, left: int) -> list[Proposal]:
        """The waiting initiatives that rank higher and whose claims `left` euros can meet, from the top."""
        served = []
        for one in self.proposals:
            if one.place < proposal.place and 0 < one.claim <= left:
                left -= one.claim
                served.append(one)
        return served

    def initiative_decided(self, initiative: str) -> None:
        """The initiative waits no longer."""
        self.proposals = tuple(one for one in self.proposals if one.initiative != initiative)

    def woken(self) -> list["DemandReconsidered | InitiativeReconsidered"]:
        """Ask for every waiting demand and initiative to be weighed again, the best first."""
        return [
            *(DemandReconsidered(demand=one.demand) for one in self.waiting),
            *(InitiativeReconsidered(initiative=one.initiative) for one in self.proposals),
        ]


class BudgetStatus(BaseModel):
    """The money of a quarter, euros."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    quarter: Quarter
    total: int
    """What governance granted."""
    reserved: int
    """What approved demands may still spend."""
    spent: int
    """What was spent on released services and kept improvements."""
    improving: int = 0
    """What of both is for improvements."""
    waiting: int = 0
    """How many deferred demands are weighed again when it changes."""
    proposals: int = 0
    """How many deferred initiatives are weighed again when it changes."""


class PortfolioItem(State[UUID], by="demand"):
    """A demand as the portfolio knows it: its business case and what was decided."""

    stage: Literal["unknown", "weighing", "deferred", "approved", "rejected", "live", "retired"] = "unknown"
    """`weighing`, `deferred` and `approved` are the pipeline, `live` is the catalogue."""
    kind: str = ""
    title: str = ""
    requester: str = ""
    service: str = ""
    users: int = 0
    value: int = 0
    """Euros a year; 0 without a value hypothesis."""
    effort: int | None = None
    """Euros in all, as the demand says; None if Plan is to estimate."""
    sponsor_budget: int | None = None
    wanted_by: datetime | None = None
    promise_by: datetime | None = None
    asked_at: datetime | None = None
    """When it was taken up last: how long a decision takes is counted from then."""
    quarter: str = ""
    """Whose budget it draws on."""
    reserved: int = 0
    obtained_for: int = 0
    """What obtaining and building reported as the cost of its parts, euros."""
    options: tuple[PortfolioOption, ...] = ()
    chosen: str | None = None
    rank: float = 0
    """What it brings by then for each euro; the higher the sooner it is funded."""
    dimensions: tuple[DimensionAssessment, ...] = ()
    principles: tuple[Principle, ...] = ()
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


class Chance(Data):
    """An opportunity of the sales pipeline, as Engage told it last."""

    opportunity: str
    value: Euros
    """Euros a year, if it comes true."""
    probability: Share
    closes_at: AwareDatetime | None

    @property
    def expected(self) -> int:
        """Euros a year, by how likely they are."""
        return round(self.value * self.probability)


class Trouble(Data):
    """A sign that a live service is not easily changed: support had to restore it, or refused to deploy to it."""

    demand: UUID
    outcome: Literal["supported", "deployment_refused"]
    at: AwareDatetime


class CatalogueEntry(State[str], by="service", shared=True):
    """A service of the portfolio, across all demands for it: what is live can be extended instead of made anew."""

    live_since: datetime | None = None
    retired_at: datetime | None = None
    chances: tuple[Chance, ...] = ()
    """The opportunities that the service would help to win, newest last."""
    troubles: tuple[Trouble, ...] = ()
    """What went wrong with it lately, newest last."""

    @property
    def live(self) -> bool:
        """Whether it can be requested."""
        return self.live_since is not None and self.retired_at is None

    def recent(self, outcome: str, at: datetime) -> int:
        """How often it had such a trouble in the month before."""
        return sum(one.outcome == outcome and one.at > at - MONTH for one in self.troubles)


class ChainPerformance(State[str], by=ONE, shared=True):
    """How the whole chain performs, as Improve told last."""

    period: str = ""
    report: int = 0
    """Counts the reports on the period."""
    kpis: tuple[Kpi, ...] = ()
    bottleneck: str = ""
    """The activity that holds the flow up most; empty if none stands out."""
    bottleneck_waiting: float = 0
    """The share of all lead time that cases wait there."""

    def figure(self, name: str) -> Kpi | None:
        """The key figure of this name; None if nothing was measured."""
        return next((kpi for kpi in self.kpis if kpi.name == name and kpi.count), None)

    def missed(self, *names: str) -> list[Kpi]:
        """Those of the named figures that miss their targets."""
        return [kpi for kpi in self.kpis if kpi.name in names and kpi.met is False]


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


class InitiativeToWeigh(Command, case="initiative"):
    """Weigh an initiative against the improvement share of a quarter and the plan that has its objective."""

    initiative: str
    quarter: Quarter
    plan: Slug
    """The plan of the level that such an objective belongs to."""
    policy: Slug = FUNDING


class InitiativeReconsidered(Command, case="initiative"):
    """Money, rules or plans have changed, or a quarter has begun: weigh a deferred initiative again."""

    initiative: str


class InitiativeSettled(Command, case="initiative"):
    """An initiative is over: what was reserved for it is spent, or free again."""

    initiative: str
    quarter: Quarter
    amount: Euros
    """What was reserved."""
    spent: Euros
    """What of it was used."""


class ImprovementProved(Command, case="policy"):
    """An initiative was kept: what it reached is to become policy."""

    policy: Slug = IMPROVEMENTS
    initiative: str
    title: str
    subject: Literal["products", "services", "chain"]
    measure: str
    service: Slug | None
    reached: float
    unit: str


class OpportunityNoted(Command, case="service"):
    """The pipeline of a service has changed; without a chance, the opportunity is no longer in it."""

    service: Slug
    opportunity: str
    chance: Chance | None


class AgreementToDecide(Command, case="agreement"):
    """A demand was approved in a way that may need an agreement."""

    agreement: str
    demand: UUID
    service: Slug
    title: str
    from_market: bool
    """Whether the way is the market's; else it is dear."""
    cost: Euros
    lead_time_hours: Hours


class DemandNoticed(Command, case="period"):
    """A demand has come in, of whatever kind: the volumes that plans are derived from."""

    period: str
    quarter: Quarter
    kind: Kind


class DecisionCounted(Command, case="period"):
    """A portfolio decision was made, and how the quarter stands after it."""

    period: str
    quarter: Quarter
    decision: PortfolioVerdict
    hours: Amount
    """How long the demand waited for it."""
    limit: Hours
    """How long it may take."""
    waiting: Count
    budget_total: Euros
    budget_bound: Euros
    kind: Kind | None = None
    """The kind of the demand, if it is decided on for the first time: it counts as demand of the quarter."""


class DayEnded(Command, case="period"):
    """A day is over: tell how planning went."""

    period: str


class PlanReviewed(Command, case="plan"):
    """Look at a plan again: something that it is derived from has changed, or a day has begun."""

    plan: Slug
    level: Literal["strategic", "tactical", "operational"]
    quarter: Quarter
    policy: Slug = STRATEGY


def plan_reviews(quarter: str) -> list[PlanReviewed]:
    """Have the plans of all three levels looked at again."""
    levels: tuple[Literal["strategic", "tactical", "operational"], ...] = ("strategic", "tactical", "operational")
    return [PlanReviewed(plan=plan_of(level, quarter), level=level, quarter=quarter) for level in levels]
