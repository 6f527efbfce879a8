"""What an improvement is guessed to bring and to cost, and how it is proposed: from one table, so that all are alike."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from contracts.event import Fact, dashed
from contracts.values import Kpi
from services.improve.figures import FIGURES, Targets
from services.improve.model import NeedFound, Proposal, Remark, Subject


class Lever(NamedTuple):
    """How a key figure is moved: by whom, by what, and what that brings and costs."""

    label: str
    objective: str
    """The objective of the strategy that the figure serves, if no plan has one of its own for it."""
    subject: Subject
    owner: str
    hypothesis: str
    worth: int
    """What one case of a week that goes right instead of wrong is worth, euros a year."""
    cost: int
    """What such an initiative has to do costs, euros in all."""


# ruff: noqa: E501 - a row is read across
# fmt: off
LEVERS: Mapping[str, Lever] = {
    "satisfaction": Lever("Satisfaction", "satisfaction", "services", "service owner", "If what most of the dissatisfied name is mended first, they are content again", 2_000, 5_000),
    "value_realised": Lever("Realised value", "value-realised", "products", "product manager", "If the outcome is agreed with the consumer before the design, more of what is delivered is of value", 3_000, 8_000),
    "sla_met": Lever("Targets met", "satisfaction", "services", "service level manager", "If whoever stands behind the service promises what we promise, its targets are kept", 2_000, 6_000),
    "time_to_restore": Lever("Time to restore", "satisfaction", "services", "incident manager", "If known errors are at hand and work is taken up sooner, the service is back sooner", 2_000, 6_000),
    "change_success": Lever("Change success", "value-realised", "chain", "change manager", "If normal changes are looked at one authority higher, fewer of them fail", 3_000, 8_000),
    "design_right_first_time": Lever("Designs right first time", "value-realised", "products", "design lead", "If parts are tested early, fewer designs come back", 3_000, 8_000),
    "obtained_in_time": Lever("Components in time", "value-realised", "chain", "supplier manager", "If lead times are counted with a reserve for their risk, parts are there when they are needed", 2_500, 6_000),
    "obtaining_cost": Lever("Cost of components", "value-realised", "chain", "sourcing manager", "If risk weighs more where parts are chosen, they cost what they were to cost", 2_000, 4_000),
    "complaints": Lever("Complaints", "satisfaction", "services", "service desk manager", "If what people complain of most is mended at its cause, fewer complain", 2_000, 5_000),
    "decisions_waiting": Lever("Waiting decisions", "value-realised", "chain", "portfolio manager", "If small demands are decided by rule, those that wait are fewer", 1_500, 4_000),
    "flow_time": Lever("Flow time", "value-realised", "chain", "value stream owner", "If the work that waits at the bottleneck is limited, demands flow through sooner", 4_000, 10_000),
}
# fmt: on
"""The figures that an initiative may work on. A sum, as of escalations, is none: it hangs on how long one counts."""

RATING_WORTH: Mapping[int, int] = {1: 10_000, 2: 6_000, 3: 3_000, 4: 0, 5: 0}
"""What it is worth to act on a remark, euros a year, by the satisfaction it stands for: behind one who is dissatisfied
and says so stand many who leave."""


def gap(kpi: Kpi) -> float:
    """How far a figure is from its target, as a share of the larger of both: 0 (met) to 1."""
    if kpi.met is not False or kpi.target is None:
        return 0.0
    return min(1.0, abs(kpi.target - kpi.value) / max(abs(kpi.target), abs(kpi.value)))


def name_of(measure: str, service: str | None) -> str:
    """A figure in words: `Satisfaction of games`."""
    return f"{LEVERS[measure].label} of {service or 'the chain'}"


def objective_of(measure: str, targets: Targets, time: datetime) -> tuple[str, Fact]:
    """The objective that a figure serves: its own if a plan in force has one, else one of the strategy."""
    target, source = targets.of(measure, time)
    objective = LEVERS[measure].objective if target is None else dashed(measure)
    fallback = "strategy, which every figure serves: no plan in force names this one"
    return objective, Fact(name="objective", value=objective, source=fallback if target is None else source)


def propose(need: NeedFound, kpi: Kpi | None, remarks: tuple[Remark, ...], targets: Targets) -> Proposal:
    """The initiative that answers a need, with what was said about the same figure.

    What was not measured yet stands at its target: then the initiative is to keep it there.
    """
    lever, rule = LEVERS[need.measure], FIGURES[need.measure]
    planned, source = targets.of(need.measure, need.time)
    usual = rule.target if kpi is None or kpi.target is None else kpi.target
    wanted = next(value for value in (need.target, planned, usual, 0.0) if value is not None)
    found = (need.baseline, kpi.value if kpi else None, need.said)
    measured = next((value for value in found if value is not None), None)
    objective, linked = objective_of(need.measure, targets, need.time)
    value = round(lever.worth * need.weight) + sum(remark.worth for remark in remarks)
    why = f"{lever.owner.capitalize()} would act on it: {value} euros a year against a cost of {lever.cost} euros."
    return Proposal(
        title=f"{name_of(need.measure, need.service)} is to become better",
        subject=lever.subject,
        objective=objective,
        hypothesis=f"{lever.hypothesis}.",
        measure=need.measure,
        baseline=wanted if measured is None else measured,
        target=wanted,
        unit=rule.unit,
        service=need.service,
        bottleneck=need.bottleneck,
        source=need.source,
        owner=lever.owner,
        value=value,
        cost=lever.cost,
        demands=tuple(demand for remark in remarks for demand in remark.demands),
        reasons=(need.why, why),
        basis=(
            *need.facts,
            Fact(name="baseline", value="not measured yet" if measured is None else measured, source="key figures"),
            Fact(name="target", value=wanted, source="half of the waiting" if need.bottleneck else source),
            linked,
            Fact(name="cases", value=need.weight, source="what was found"),
            Fact(name="worth of a case", value=lever.worth, source="Improve's table of levers"),
        ),
        supplier=need.supplier,
    )
