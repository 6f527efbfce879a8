"""Portfolio management: the ways to meet a demand, how they are scored, and by which rules one is funded."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from contracts.event import Fact
from contracts.plan import Blueprint, ComponentNeed, PortfolioOption, PortfolioVerdict, Principle
from contracts.values import PolicyParameter
from services.plan.model import BUILT_IN, Budget, CatalogueEntry, ChainPerformance, Policy, PortfolioItem

DEFAULTS: Mapping[str, float] = {
    "min_value_cost_ratio": 0.5,  # euros a year, by the chance of success, for each euro spent
    "approval_threshold": 250_000,  # euros; anything dearer is for governance to allow
    "max_risk": 0.5,
    "horizon_years": 3,  # for how long the value counts
    "caution_factor": 1.5,  # how much more something new must bring while consumers are not served as promised
    "estimate_base": 20_000,  # euros; cost of a demand that names none, and for each user
    "estimate_per_user": 150,
}
"""What the funding policy may set, and what holds for what it does not set."""

WATCHED = ("satisfaction", "value_realised", "time_to_restore")
"""The key figures that tell whether consumers are served as promised."""


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
    "Reuse the live components and make the addition.",
    "Deploy to the users of the live service, with a way back to the present version.",
    (("extension", "adds to the live service what is asked for"),),
)  # fmt: skip
BUILD = Approach(
    "build it", 1.0, 1.0, 0.25, timedelta(days=45),
    "Design it to measure, within the policies for solutions and information.",
    "Develop it in the organisation.",
    "Deploy to a first group of users, then to all.",
    (("application", "what users work with"), ("platform", "what the application runs on")),
)  # fmt: skip
BUY = Approach(
    "buy it", 0.8, 0.7, 0.15, timedelta(days=21),
    "Choose what the market has; design only how it is integrated.",
    "Procure it from a supplier and integrate it.",
    "Deploy with the supplier's support.",
    (("product", "bought from a supplier"), ("integration", "connects the product to what is there")),
)  # fmt: skip
DO_NOTHING = PortfolioOption(name="do nothing", value=0, cost=0, risk=0, score=0)


class FundingRules(NamedTuple):
    """The funding policy at one moment, completed by Plan's own defaults."""

    edition: int
    values: Mapping[str, float]
    facts: tuple[Fact, ...]


class Weighing(NamedTuple):
    """What came of weighing a demand."""

    decision: PortfolioVerdict
    options: tuple[PortfolioOption, ...]
    """Everything that was weighed, the best first."""
    chosen: PortfolioOption | None
    reasons: tuple[str, ...]
    principles: tuple[Principle, ...]
    basis: tuple[Fact, ...]


def wrong_parameters(parameters: tuple[PolicyParameter, ...]) -> str:
    """What is wrong with a funding policy's parameters; empty if nothing is."""
    unknown = [parameter.name for parameter in parameters if parameter.name not in DEFAULTS]
    unusable = [p.name for p in parameters if p.name in DEFAULTS and (isinstance(p.value, str) or p.value < 0)]
    wrong = [f"{', '.join(unknown)}: no such parameter; allowed: {', '.join(DEFAULTS)}"] if unknown else []
    wrong += [f"{', '.join(unusable)}: must be a number from 0"] if unusable else []
    return "; ".join(wrong)


def funding_rules(policy: Policy, at: datetime) -> FundingRules:
    """The values that decisions go by at this moment, each with where it comes from."""
    binding = policy.in_force(at)
    directed = {p.name: float(p.value) for p in binding.parameters} if binding else {}
    values = {**DEFAULTS, **directed}
    source = f"policy {policy.id} v{binding.edition if binding else BUILT_IN}"
    own = f"{source}: Plan's own default, governance has not set it"
    facts = tuple(Fact(name=n, value=values[n], source=source if n in directed else own) for n in DEFAULTS)
    return FundingRules(binding.edition if binding else BUILT_IN, values, facts)


def service_for(title: str, demand: UUID) -> str:
    """The name in the portfolio of a service that has none yet, from the title of the demand for it."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    return "-".join(words[:6]) or f"service-{demand.hex[:8]}"


def weigh(
    item: PortfolioItem, budget: Budget, rules: FundingRules, entry: CatalogueEntry, performance: ChainPerformance
) -> Weighing:
    """Fund the best way that is worth it and within reach; put the demand off if only money, leave or time is missing.

    A demand without value, or of which no way is worth it, is rejected.
    """
    limits = rules.values
    effort = item.effort
    if effort is None:
        effort = round(limits["estimate_base"] + limits["estimate_per_user"] * item.users)
    approaches = [EXTEND, BUILD, BUY] if entry.live else [BUILD, BUY]
    ways = sorted((_option(a, item.value, effort, limits) for a in approaches), key=lambda o: (-o.score, o.name))
    missed = [kpi for kpi in performance.kpis if kpi.name in WATCHED and kpi.met is False]
    options = tuple(sorted((*ways, DO_NOTHING), key=lambda o: -o.score))
    facts = _facts(item, effort, budget, rules, entry, performance)

    def weighed(
        decision: PortfolioVerdict, reasons: list[str], *principles: Principle, chosen: PortfolioOption | None = None
    ) -> Weighing:
        return Weighing(decision, options, chosen, tuple(reasons), principles, facts)

    if item.value == 0:
        return weighed("reject", ["Nobody has said what it would bring: say so and ask again."], "focus on value")
    objections = {way.name: _objection(way, item, limits) for way in ways}
    sound = [way for way in ways if not objections[way.name]]
    if not sound:
        return weighed("reject", [f"To {name}: {objection}" for name, objection in objections.items()])
    caution = limits["min_value_cost_ratio"] * limits["caution_factor"]
    worthwhile = [way for way in sound if not missed or way.name == EXTEND.name or _return(way) >= caution]
    if not worthwhile:
        figures = ", ".join(f"{kpi.name} is {kpi.value:g}, not {kpi.target} {kpi.unit}".rstrip() for kpi in missed)
        short = f"it must bring {caution:g} euros a year for each euro and brings {max(map(_return, sound)):.2f}"
        return weighed("defer", [f"Consumers are not served as promised ({figures}): until then, {short}."])
    threshold = round(limits["approval_threshold"])
    chosen = next((way for way in worthwhile if way.cost <= min(threshold, budget.left)), None)
    if chosen is None:
        cheapest = min(way.cost for way in worthwhile)
        reasons = []
        if cheapest > threshold:
            reasons.append(f"It costs {cheapest} euros at least; above {threshold} governance has to allow it.")
        if cheapest > budget.left:
            granted = f"{budget.left} of {budget.total} euros are left" if budget.total else "nothing was granted"
            reasons.append(f"It costs {cheapest} euros at least; in the budget of {budget.id} {granted}.")
        return weighed("defer", reasons)
    reasons = [
        f"To {chosen.name} is expected to bring {chosen.value} euros a year for {chosen.cost} euros,"
        f" and {budget.left} euros are left in the budget of {budget.id}."
    ]
    principles: list[Principle] = ["start where you are"] if chosen.name == EXTEND.name else []
    if chosen != worthwhile[0]:
        principles.append("keep it simple and practical")
        best = worthwhile[0]
        reasons.append(f"To {best.name} would bring more, but its {best.cost} euros are out of reach.")
    return weighed("approve", reasons, *principles, chosen=chosen)


def blueprint_for(item: PortfolioItem, chosen: PortfolioOption, now: datetime) -> Blueprint:
    """How the chosen way is to come about, within what the consumer was promised."""
    approach = next(a for a in (EXTEND, BUILD, BUY) if a.name == chosen.name)
    promised = max(item.promise_by - now, timedelta()) if item.promise_by else approach.lead_time
    parts = [(f"{item.service}-{suffix}", f"{item.title}: {description}") for suffix, description in approach.parts]
    return Blueprint(
        design=approach.design,
        development=approach.development,
        deployment=approach.deployment,
        components=tuple(
            ComponentNeed(component=name, description=description, capacity=max(item.users, 1), unit="users")
            for name, description in parts
        ),
        lead_time_hours=min(approach.lead_time, promised) / timedelta(hours=1),
    )


def _option(approach: Approach, value: int, effort: int, limits: Mapping[str, float]) -> PortfolioOption:
    value, cost = round(value * approach.fit), round(effort * approach.cost)
    score = value * limits["horizon_years"] * (1 - approach.risk) - cost
    return PortfolioOption(name=approach.name, value=value, cost=cost, risk=approach.risk, score=round(score, 2))


def _return(way: PortfolioOption) -> float:
    """Euros a year for each euro spent, by the chance of success."""
    return way.value * (1 - way.risk) / max(way.cost, 1)


def _objection(way: PortfolioOption, item: PortfolioItem, limits: Mapping[str, float]) -> str:
    """Why policy, or the sponsor, does not allow this way; empty if they do."""
    if _return(way) < limits["min_value_cost_ratio"]:
        expected = f"{way.value} euros a year for {way.cost} euros at a risk of {way.risk:.0%}"
        return f"{expected} is less than {limits['min_value_cost_ratio']:g} euros a year for each euro."
    if way.risk > limits["max_risk"]:
        return f"a risk of {way.risk:.0%} is more than the {limits['max_risk']:.0%} that governance accepts."
    if item.sponsor_budget is not None and way.cost > item.sponsor_budget:
        return f"{way.cost} euros are more than the {item.sponsor_budget} that the sponsor is ready to spend."
    return ""


def _facts(
    item: PortfolioItem,
    effort: int,
    budget: Budget,
    rules: FundingRules,
    entry: CatalogueEntry,
    performance: ChainPerformance,
) -> tuple[Fact, ...]:
    demand, money = f"demand {item.id}", f"budget {budget.id}"
    estimate = f"Plan's estimate for {item.users} users" if item.effort is None else demand
    facts = [
        Fact(name="value", value=item.value, source=demand),
        Fact(name="effort", value=effort, source=estimate),
        Fact(name="users", value=item.users, source=demand),
        Fact(name="budget total", value=budget.total, source=money),
        Fact(name="budget left", value=budget.left, source=money),
        Fact(name="service is live", value=entry.live, source=f"catalogue {entry.id}"),
    ]
    if item.sponsor_budget is not None:
        facts.append(Fact(name="sponsor's budget", value=item.sponsor_budget, source=demand))
    period = f"chain performance {performance.period} report {performance.report}"
    facts += [
        Fact(name=name, value=value, source=period)
        for kpi in performance.kpis
        if kpi.name in WATCHED
        for name, value in ((kpi.name, kpi.value), (f"{kpi.name} misses its target", kpi.met is False))
    ]
    return (*facts, *rules.facts)
