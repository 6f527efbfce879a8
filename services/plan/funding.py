"""The funding policy: what it may set, what holds until it does, and the values that decisions read from it."""

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import NamedTuple

from contracts.event import Fact
from contracts.values import PolicyParameter
from services.plan.model import BUILT_IN, FUNDING, STRATEGY, Policy

DEFAULTS: Mapping[str, float] = {
    "min_value_cost_ratio": 0.5,  # euros a year, by the chance of success, for each euro spent
    "approval_threshold": 250_000,  # euros; anything dearer is for governance to allow
    "max_risk": 0.5,
    "horizon_years": 3,  # for how long the value counts
    "caution_factor": 1.5,  # how much more something new must bring while consumers are not served as promised
    "estimate_base": 20_000,  # euros; cost of a demand that names none, and for each user
    "estimate_per_user": 150,
    "revenue_share": 0.8,  # how much of the value comes back as revenue: the profit zone
    "incentive_share": 0,  # how much of the cost is paid back from outside while the edition is in force
    "split_above": 500_000,  # euros; what costs more is begun with a first part
    "agreement_from": 100_000,  # euros; what costs as much needs a statement of work
    "improvement_share": 0.1,  # of a quarter's budget, for improvements
    "improvement_hours": 336,  # after which an improvement is measured
    "decision_hours": 24,  # within which a demand is to be decided
}
"""What the funding policy may set, and what holds for what it does not set."""
SHARES = frozenset({"max_risk", "revenue_share", "incentive_share", "improvement_share"})
"""Those of them that are a part of a whole."""
WEIGHED = tuple(DEFAULTS)[:10]
"""Those that a portfolio decision reads."""
PLANNED = ("min_value_cost_ratio", "approval_threshold", "improvement_share", "improvement_hours")
"""Those that a decision on an improvement reads."""
AMBITIONS: Mapping[str, float] = {
    "satisfaction": 4.0,
    "value_realised": 0.8,
    "opportunity_value": 10_000,
    "change_success": 0.9,
    "obtained_in_time": 0.9,
    "design_right_first_time": 0.8,
    "time_to_restore": 8,
    "sla_met": 0.95,
    "complaints": 0.05,
    "recurrence": 3,
}
"""What the strategy policy may set, and what Plan aims at itself."""
PARTS = frozenset(
    ("value_realised", "change_success", "obtained_in_time", "design_right_first_time", "sla_met", "complaints")
)
"""Those of the ambitions that are a part of a whole."""
MOST = 1e12
"""The greatest value that a policy may set: far above any budget, and safe to count with."""


class FundingRules(NamedTuple):
    """The funding policy at one moment, completed by Plan's own defaults."""

    edition: int
    values: Mapping[str, float]
    source: str
    own: frozenset[str]
    """The names of the values that are Plan's own defaults."""

    def facts(self, names: tuple[str, ...]) -> tuple[Fact, ...]:
        """The values of these names, each with where it comes from."""
        default = f"{self.source}: Plan's own default, governance has not set it"
        sources = {name: default if name in self.own else self.source for name in names}
        return tuple(Fact(name=name, value=self.values[name], source=sources[name]) for name in names)


def wrong_parameters(policy: str, parameters: tuple[PolicyParameter, ...]) -> str:
    """What is wrong with the parameters of a policy that Plan itself reads; empty if nothing is."""
    allowed, shares = {FUNDING: (DEFAULTS, SHARES), STRATEGY: (AMBITIONS, PARTS)}.get(policy, ({}, frozenset()))
    if not allowed:
        return ""
    unknown = [parameter.name for parameter in parameters if parameter.name not in allowed]
    known = [parameter for parameter in parameters if parameter.name in allowed]
    unusable = [p.name for p in known if not _usable(p.value, MOST)]
    above = [p.name for p in known if p.name in shares and p.name not in unusable and not _usable(p.value, 1)]
    wrong = [f"{', '.join(unknown)}: no such parameter; allowed: {', '.join(allowed)}"] if unknown else []
    wrong += [f"{', '.join(unusable)}: must be a number from 0 to {MOST:g}"] if unusable else []
    wrong += [f"{', '.join(above)}: must be a share from 0 to 1"] if above else []
    return "; ".join(wrong)


def _usable(value: int | float | str, most: float) -> bool:
    return not isinstance(value, str) and isfinite(value) and 0 <= value <= most


def funding_rules(policy: Policy, at: datetime) -> FundingRules:
    """The values that decisions go by at this moment."""
    binding = policy.in_force(at)
    directed = {p.name: float(p.value) for p in binding.parameters} if binding else {}
    edition = binding.edition if binding else BUILT_IN
    own = frozenset(DEFAULTS).difference(directed)
    return FundingRules(edition, {**DEFAULTS, **directed}, f"policy {policy.id} v{edition}", own)
