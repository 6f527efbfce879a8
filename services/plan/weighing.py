"""Weighing a demand: the rules by which the best way is funded, put off or rejected."""

from collections.abc import Iterable
from typing import NamedTuple

from contracts.event import Fact
from contracts.plan import PortfolioOption, PortfolioVerdict, Principle
from contracts.values import DimensionAssessment
from services.plan.dimensions import failing
from services.plan.funding import WEIGHED
from services.plan.model import WATCHED, PortfolioItem, Waiting
from services.plan.options import (
    EXTEND,
    FIRST_PART,
    MARKET,
    BusinessCase,
    Candidate,
    Known,
    added_risks,
    case_of,
    ways,
    yearly_return,
)

DO_NOTHING = PortfolioOption(name="do nothing", value=0, cost=0, risk=0, score=0)
NEARLY = 0.9
"""What is live is preferred when it scores at least this share of the best way."""


class Weighing(NamedTuple):
    """What came of weighing a demand."""

    decision: PortfolioVerdict
    options: tuple[PortfolioOption, ...]
    """Everything that was weighed, the best first."""
    chosen: Candidate | None
    reasons: tuple[str, ...]
    principles: tuple[Principle, ...]
    dimensions: tuple[DimensionAssessment, ...]
    basis: tuple[Fact, ...]
    rank: float
    claim: int
    """What it takes as soon as that is there; 0 if it waits for something else than money, or for nothing."""


def weigh(item: PortfolioItem, known: Known) -> Weighing:
    """Fund the best way that is worth it and within reach; put the demand off if only money, leave or time is missing.

    A demand without value, or of which no way is worth it, is rejected.
    """
    case = case_of(item, known)
    candidates = sorted(ways(case), key=lambda one: (-one.option.score, one.option.name))
    if case.value == 0:
        why = "Nobody has said what it would bring: say so and ask again."
        return decide(case, "reject", [why], candidates, "focus on value")
    sound = [one for one in candidates if not one.objection]
    if not sound:
        reasons = [f"To {one.option.name}: {one.objection}" for one in candidates]
        return decide(case, "reject", [*reasons, *absent(case)], candidates)
    whole = [one for one in sound if not failing(one.dimensions)]
    if not whole:
        reasons = [f"To {one.option.name}: {why}" for one in sound for why in failing(one.dimensions)]
        return decide(case, "defer", reasons, candidates, "think and work holistically")
    missed, worthwhile = known.performance.missed(*WATCHED), whole
    if missed:
        caution = known.limit("min_value_cost_ratio") * known.limit("caution_factor")
        worthwhile = [one for one in whole if one.approach is EXTEND or yearly_return(one.option, known) >= caution]
        if not worthwhile:
            figures = ", ".join(f"{k.name} is {k.value:g}, not {k.target} {k.unit}".rstrip() for k in missed)
            best = max(yearly_return(one.option, known) for one in whole)
            short = f"it must bring {caution:g} euros a year for each euro and brings {best:.2f}"
            why = f"Consumers are not served as promised ({figures}): until then, {short}."
            return decide(case, "defer", [why], candidates)
    return fund(case, candidates, worthwhile)


def fund(case: BusinessCase, candidates: list[Candidate], worthwhile: list[Candidate]) -> Weighing:
    """Take the best way that the money and the approval threshold allow; better ranked demands come first."""
    known, threshold = case.known, round(case.known.limit("approval_threshold"))
    ahead = known.budget.better(case.item.id, case.rank(worthwhile[0]))
    free = known.budget.left - sum(one.claim for one in ahead)
    within = [one for one in worthwhile if one.cost <= min(threshold, free)]
    if not within:
        allowed = [one.cost for one in worthwhile if one.cost <= threshold]
        claim = min(allowed, default=0)
        return decide(case, "defer", missing(case, worthwhile, ahead), candidates, best=worthwhile[0], claim=claim)
    chosen = within[0]
    principles: list[Principle] = []
    reused = next((one for one in within if one.approach is EXTEND), None)
    if reused is not None and reused.option.score >= NEARLY * chosen.option.score:
        chosen = reused
        principles.append("start where you are")
    reasons = [
        f"To {chosen.option.name} is expected to bring {chosen.option.value} euros a year for {chosen.cost} euros,"
        f" and {known.budget.left} euros are left in the budget of {known.budget.id}."
    ]
    if chosen.option.name.endswith(FIRST_PART):
        principles.append("progress iteratively with feedback")
        limit = known.limit("split_above")
        reasons.append(f"The whole costs more than {limit:g} euros: the rest is asked for when this has proved itself.")
    if worthwhile[0] not in within:
        principles.append("keep it simple and practical")
        best = worthwhile[0]
        reasons.append(f"To {best.option.name} would bring more, but its {best.cost} euros are out of reach.")
    passed_over = (one for one in candidates if one not in worthwhile and failing(one.dimensions))
    if holistic := [f"Not to {one.option.name}: {failing(one.dimensions)[0]}" for one in passed_over]:
        principles.append("think and work holistically")
        reasons += holistic
    reasons += [*absent(case), *risks(case)]
    return decide(case, "approve", reasons, candidates, *principles, chosen=chosen)


def missing(case: BusinessCase, worthwhile: list[Candidate], ahead: list[Waiting]) -> list[str]:
    """What a demand waits for: governance, money, or that better ranked ones are served."""
    budget, threshold = case.known.budget, round(case.known.limit("approval_threshold"))
    cheapest = min(one.cost for one in worthwhile)
    reasons = []
    if cheapest > threshold:
        reasons.append(f"It costs {cheapest} euros at least; above {threshold} governance has to allow it.")
    if cheapest > budget.left:
        granted = f"{budget.left} of {budget.total} euros are left" if budget.total else "nothing was granted"
        reasons.append(f"It costs {cheapest} euros at least; in the budget of {budget.id} {granted}.")
    elif ahead and cheapest <= threshold:
        rank = case.rank(worthwhile[0])
        reasons.append(
            f"It costs {cheapest} euros at least, and {len(ahead)} waiting demands that bring more than its {rank:g}"
            f" euros for each euro come first: they take what is left in the budget of {budget.id}."
        )
    return reasons or [f"What is left of {budget.id} and the threshold of {threshold} euros allow none of its ways."]


def decide(
    case: BusinessCase,
    decision: PortfolioVerdict,
    reasons: Iterable[str],
    candidates: list[Candidate],
    *principles: Principle,
    chosen: Candidate | None = None,
    best: Candidate | None = None,
    claim: int = 0,
) -> Weighing:
    """The outcome, with everything that led to it; without `best`, it is ranked by the way with the top score."""
    options = sorted((*(one.option for one in candidates), DO_NOTHING), key=lambda option: -option.score)
    best = chosen or best or candidates[0]
    return Weighing(
        decision, tuple(options), chosen, tuple(reasons), principles, best.dimensions, facts(case),
        case.rank(best), claim,
    )  # fmt: skip


def risks(case: BusinessCase) -> list[str]:
    """Why what is live is riskier to extend than usual, as a reason of the decision."""
    if not case.known.entry.live:
        return []
    return [f"To {EXTEND.name} is riskier than usual: {why}." for _, why in added_risks(case, EXTEND)]


def absent(case: BusinessCase) -> list[str]:
    """That the market has nothing for it, as a reason of the decision."""
    return [] if case.offers else [f"Not to {MARKET.name}: no supplier offers anything for {case.item.service} now."]


def facts(case: BusinessCase) -> tuple[Fact, ...]:
    """Every value that the weighing used, with its source."""
    item, known = case.item, case.known
    demand, money, entry = f"demand {item.id}", f"budget {known.budget.id}", known.entry
    estimate = f"Plan's estimate for {item.users} users" if item.effort is None else demand
    catalogue, performance = f"catalogue {entry.id}", known.performance
    report = f"chain performance {performance.period} report {performance.report}"
    values: list[tuple[str, str | int | float | bool | None, str]] = [
        ("value", item.value, demand),
        ("effort", case.effort, estimate),
        ("users", item.users, demand),
        ("budget total", known.budget.total, money),
        ("budget left", known.budget.left, money),
        ("service is live", entry.live, catalogue),
        ("sponsor's budget", item.sponsor_budget, demand),
        ("value of opportunities", sum(chance.expected for chance in entry.chances) or None, catalogue),
        ("cost of delay", case.delay or None, demand),
        ("restored in 30 days", entry.recent("supported", known.at) or None, catalogue),
        ("deployments refused in 30 days", entry.recent("deployment_refused", known.at) or None, catalogue),
        ("bottleneck", performance.bottleneck or None, report),
        ("waiting at the bottleneck", performance.bottleneck_waiting or None, report),
    ]
    values += [
        (name, value, f"supplier {offer.supplier} v{offer.edition}")
        for offer in (*case.offers[:1], *case.shaky[:1])
        for name, value in ((f"{offer.service} is", offer.status), (f"price of {offer.service}", offer.price))
    ]
    values += [
        (name, value, report)
        for kpi in performance.kpis
        if kpi.name in (*WATCHED, "change_success")
        for name, value in ((kpi.name, kpi.value), (f"{kpi.name} misses its target", kpi.met is False))
    ]
    told = tuple(Fact(name=name, value=value, source=source) for name, value, source in values if value is not None)
    return (*told, *known.rules.facts(WEIGHED))
