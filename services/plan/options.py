"""The ways to meet a demand: extend what is live, make something new, use what the market offers, and their scores."""

from datetime import datetime, timedelta
from typing import NamedTuple

from contracts.plan import Blueprint, ComponentNeed, PortfolioOption
from contracts.values import DimensionAssessment
from services.plan.dimensions import dimensions_of
from services.plan.funding import FundingRules
from services.plan.market import Market, SupplierOffer
from services.plan.model import (
    WATCHED,
    Budget,
    CatalogueEntry,
    ChainPerformance,
    Chance,
    PortfolioItem,
    end_of,
    quarter_of,
)

FIRST_PART = ", a first part"
"""What the name of a way ends with, of which only a first part is funded."""
FIRST_PART_COST, FIRST_PART_VALUE = 0.5, 0.6
"""What a first part takes and brings of the whole: what is most useful comes first."""
INTEGRATION = 0.3
"""The share of the effort that it takes to fit in what is bought."""
INTEGRATION_TIME = timedelta(days=7)
SUPPORTED_OFTEN = 3
"""From so many restorations in a month on, a service is riskier to extend."""
MOST_LIKELY = 0.95
"""No risk is counted higher."""
STRATEGIC_FIT = 1.25
"""How much more a way counts in the ranking that does what the strategy puts first."""


class Approach(NamedTuple):
    """A way to meet a demand: what it takes beside the full effort, and what comes of it."""

    name: str
    fit: float
    """The share of the value that it brings."""
    cost: float
    """The share of the effort that it takes."""
    risk: float
    lead_time: timedelta
    design: str
    development: str
    deployment: str
    parts: tuple[tuple[str, str], ...]
    """Suffix and description of each component."""


EXTEND = Approach(
    "extend what is live", 0.9, 0.5, 0.1, timedelta(days=14),
    "Keep the architecture of the live service; design only what is added.",
    "Reuse what is there and add to it.",
    "Deploy to the users of the live service, with a way back to the present version.",
    (("extension", "adds to the live service what is asked for"),),
)  # fmt: skip
OWN = Approach(
    "make something new of our own", 1.0, 1.0, 0.25, timedelta(days=45),
    "Design it to measure, within the policies for solutions and information.",
    "Reuse, build or buy each part, as the sourcing policy says.",
    "Deploy to a first group of users, then to all.",
    (("application", "what users work with"), ("platform", "what the application runs on")),
)  # fmt: skip
MARKET = Approach(
    "use what the market offers", 0.8, 0.7, 0.15, timedelta(days=21),
    "Take what the market has as it is; design only how it fits in.",
    "Reuse, build or buy each part, as the sourcing policy says.",
    "Deploy with the supplier's support.",
    (("product", "is on the market"), ("integration", "connects the product to what is there")),
)  # fmt: skip
APPROACHES = {approach.name: approach for approach in (EXTEND, OWN, MARKET)}


class Known(NamedTuple):
    """All that a demand is weighed against."""

    budget: Budget
    rules: FundingRules
    entry: CatalogueEntry
    market: Market
    performance: ChainPerformance
    at: datetime

    def limit(self, name: str) -> float:
        """A value of the funding policy."""
        return self.rules.values[name]


class Candidate(NamedTuple):
    """One way to meet the demand, with what speaks against it."""

    approach: Approach
    option: PortfolioOption
    lead_time: timedelta
    objection: str
    """Why policy or the sponsor does not allow it; empty if they do."""
    dimensions: tuple[DimensionAssessment, ...]

    @property
    def cost(self) -> int:
        """Euros in all."""
        return self.option.cost


class BusinessCase(NamedTuple):
    """A demand with its figures: what is said about it, and what follows from what is known."""

    item: PortfolioItem
    known: Known
    value: int
    """Euros a year, the chances of the pipeline counted."""
    effort: int
    delay: int
    """Euros that are lost if it is not begun this quarter."""
    offers: list[SupplierOffer]
    shaky: list[SupplierOffer]

    def rank(self, one: Candidate) -> float:
        """Value over the time it counts and the cost of delay, by fit and chance of success, for each euro it takes."""
        strained = bool(self.known.performance.missed(*WATCHED))
        fit = STRATEGIC_FIT if (one.approach is EXTEND) == strained else 1
        worth = one.option.value * self.known.limit("horizon_years") * fit + self.delay
        return round(worth * (1 - one.option.risk) / max(one.cost, 1), 4)


def case_of(item: PortfolioItem, known: Known) -> BusinessCase:
    """The figures of a demand: its own value with the chances behind it, its effort, and what waiting would cost."""
    effort = item.effort
    if effort is None:
        effort = round(known.limit("estimate_base") + known.limit("estimate_per_user") * item.users)
    value = item.value + sum(chance.expected for chance in known.entry.chances)
    begin_of_next = end_of(quarter_of(known.at))
    urgent = item.wanted_by is not None and item.wanted_by < begin_of_next
    delay = sum(chance.expected for chance in closing(known.entry, begin_of_next)) + (item.value // 4 if urgent else 0)
    offers = known.market.for_need(item.service, item.title, known.at)
    return BusinessCase(item, known, value, effort, delay, offers, known.market.shaky_under(item.service))


def closing(entry: CatalogueEntry, by: datetime) -> list[Chance]:
    """The chances that are gone if nothing is begun before."""
    return [chance for chance in entry.chances if chance.closes_at is not None and chance.closes_at < by]


def ways(case: BusinessCase) -> list[Candidate]:
    """Every way there is: extending needs something live, buying needs somebody who sells it."""
    approaches = [OWN]
    if case.known.entry.live:
        approaches.append(EXTEND)
    if case.offers:
        approaches.append(MARKET)
    return [candidate(case, approach) for approach in approaches]


def candidate(case: BusinessCase, approach: Approach) -> Candidate:
    """A way with its figures; of one that is large only a first part is taken."""
    value, cost, lead_time = round(case.value * approach.fit), case.effort * approach.cost, approach.lead_time
    if approach is MARKET and (price := case.offers[0].price) is not None:
        cost = price + case.effort * INTEGRATION
    if approach is MARKET and (hours := case.offers[0].delivery_hours) is not None:
        lead_time = INTEGRATION_TIME + timedelta(hours=min(hours, 24 * 3650))
    name = approach.name
    if cost > case.known.limit("split_above"):
        name, cost, value = name + FIRST_PART, cost * FIRST_PART_COST, round(value * FIRST_PART_VALUE)
    risk = min(MOST_LIKELY, round(approach.risk + sum(more for more, _ in added_risks(case, approach)), 4))
    option = PortfolioOption(name=name, value=value, cost=round(cost), risk=risk, score=0)
    net = option.cost * (1 - case.known.limit("incentive_share"))
    score = round(value * case.known.limit("horizon_years") * (1 - risk) - net, 2)
    option = option.model_copy(update={"score": score})
    dimensions = dimensions_of(
        extends=approach is EXTEND, own=approach is OWN, offers=case.offers, shaky=case.shaky,
        entry=case.known.entry, performance=case.known.performance, at=case.known.at,
    )  # fmt: skip
    return Candidate(approach, option, lead_time, objection(option, case), dimensions)


def added_risks(case: BusinessCase, approach: Approach) -> list[tuple[float, str]]:
    """What makes a way riskier than it usually is, each with the sentence that says so."""
    entry, at, found = case.known.entry, case.known.at, list[tuple[float, str]]()
    if approach is EXTEND:
        if (often := entry.recent("supported", at)) >= SUPPORTED_OFTEN:
            found.append((0.05 * min(often, 8), f"it had to be restored {often} times in 30 days"))
        if refused := entry.recent("deployment_refused", at):
            found.append((0.2 * min(refused, 2), f"operation refused {refused} deployments to it in 30 days"))
        if case.shaky:
            worst = case.shaky[0]
            found.append((0.25, f"it rests on {worst.service} of {worst.name}, which is {worst.status}"))
    if approach is MARKET and case.offers[0].status == "degraded":
        found.append((0.2, f"{case.offers[0].name} supplies it in degraded quality"))
    if case.known.performance.missed("change_success"):
        found.append((0.05, "fewer changes succeed than planned"))
    return found


def yearly_return(way: PortfolioOption, known: Known) -> float:
    """Euros a year for each euro spent and not paid back from outside, by the chance of success."""
    return way.value * (1 - way.risk) / max(way.cost * (1 - known.limit("incentive_share")), 1)


def objection(way: PortfolioOption, case: BusinessCase) -> str:
    """Why policy, the profit zone or the sponsor does not allow this way; empty if they do."""
    known, sponsor = case.known, case.item.sponsor_budget
    if yearly_return(way, known) < known.limit("min_value_cost_ratio"):
        expected = f"{way.value} euros a year for {way.cost} euros at a risk of {way.risk:.0%}"
        return f"{expected} is less than {known.limit('min_value_cost_ratio'):g} euros a year for each euro."
    years, share = known.limit("horizon_years"), known.limit("revenue_share")
    revenue = way.value * share * years * (1 - way.risk)
    if revenue < way.cost * (1 - known.limit("incentive_share")):
        return (
            f"it is outside the profit zone: {share:.0%} of its value comes back as {round(revenue)} euros of revenue"
            f" in {years:g} years, for {way.cost} euros."
        )
    if way.risk > known.limit("max_risk"):
        return f"a risk of {way.risk:.0%} is more than the {known.limit('max_risk'):.0%} that governance accepts."
    if sponsor is not None and way.cost > sponsor:
        return f"{way.cost} euros are more than the {sponsor} that the sponsor is ready to spend."
    return ""


def blueprint_for(item: PortfolioItem, chosen: Candidate, now: datetime) -> Blueprint:
    """How the chosen way is to come about, within what the consumer was promised."""
    approach = chosen.approach
    promised = max(item.promise_by - now, timedelta()) if item.promise_by else chosen.lead_time
    parts = [(f"{item.service}-{suffix}", f"{item.title}: {description}") for suffix, description in approach.parts]
    return Blueprint(
        design=approach.design,
        development=approach.development,
        deployment=approach.deployment,
        components=tuple(
            ComponentNeed(component=name, description=description, capacity=max(item.users, 1), unit="users")
            for name, description in parts
        ),
        lead_time_hours=min(chosen.lead_time, promised) / timedelta(hours=1),
    )
