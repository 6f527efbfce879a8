"""Strategy management: what the plans of the three levels aim at, derived from what Plan knows."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from contracts.event import Data, Fact
from contracts.plan import Objective
from contracts.value_chain import TITLES
from contracts.values import Count, Kind
from services.chassis.state import ONE, State
from services.plan.funding import AMBITIONS
from services.plan.model import BUILT_IN, WATCHED, Budget, ChainPerformance, PlanReviewed, Policy, end_of

Level = Literal["strategic", "tactical", "operational"]
MOST_KINDS = 20
"""How many kinds of demand are counted: those that come most; the chain knows eight."""
MANY = 10
"""From so many demands in a quarter on, their kinds say where the work is."""
FASTER = 0.75
"""By this much restoring has to become faster while there is pressure on it."""
FEWEST = 2
"""A problem is something that recurs: fewer incidents than that are none."""


class KindVolume(Data):
    """How many demands of a kind came in."""

    kind: Kind
    count: Count


class DemandVolume(State[str], by=ONE, shared=True):
    """The demand of the quarter, by kind."""

    quarter: str = ""
    kinds: tuple[KindVolume, ...] = ()

    @property
    def total(self) -> int:
        """All of it."""
        return sum(volume.count for volume in self.kinds)

    def add(self, quarter: str, kind: str) -> None:
        """Count one more; a new quarter begins at nothing, and what is late for an old one counts no more."""
        if quarter < self.quarter:
            return
        known = self.kinds if quarter == self.quarter else ()
        counts = {volume.kind: volume.count for volume in known}
        counts[kind] = counts.get(kind, 0) + 1
        volumes = [KindVolume(kind=name, count=count) for name, count in counts.items()]
        self.quarter = quarter
        self.kinds = tuple(sorted(volumes, key=lambda volume: (-volume.count, volume.kind))[:MOST_KINDS])

    @property
    def leading(self) -> str:
        """The kind that makes up half of the demand or more; empty while there is little demand, or no such kind."""
        most = max(self.kinds, key=lambda volume: (volume.count, volume.kind), default=None)
        return most.kind if most and self.total >= MANY and most.count * 2 >= self.total else ""


class Knowledge(NamedTuple):
    """All that a plan is derived from."""

    policy: Policy
    budget: Budget
    performance: ChainPerformance
    volume: DemandVolume
    at: datetime

    def ambition(self, name: str) -> tuple[float, str]:
        """What governance wants to reach, or Plan itself while governance has not said so; and who says it."""
        edition = self.policy.in_force(self.at)
        said = {p.name: float(p.value) for p in edition.parameters} if edition else {}
        if edition and name in said:
            return said[name], f"policy {self.policy.id} v{edition.edition}"
        return AMBITIONS[name], f"policy {self.policy.id} v{BUILT_IN}: Plan's own default, governance has not set it"

    def misses(self, *names: str) -> str:
        """What is measured and misses its target, in words; empty if nothing does."""
        missed = self.performance.missed(*names)
        return ", ".join(f"{kpi.name} is {kpi.value:g}, not {kpi.target:g}" for kpi in missed if kpi.target is not None)


Rule = Callable[[Knowledge, float], tuple[float, str]]
"""From an ambition to the target, with the reason why it differs; empty if it does not."""


def as_directed(known: Knowledge, ambition: float) -> tuple[float, str]:
    """What governance wants is the target."""
    return ambition, ""


def after_misses(*figures: str) -> Rule:
    """While the figures miss their targets, half of what is missing to the best there is is asked for on top."""

    def raised(known: Knowledge, ambition: float) -> tuple[float, str]:
        missed = known.misses(*figures)
        return ((1 + ambition) / 2, f"it is raised until that is mended: {missed}") if missed else (ambition, "")

    return raised


def scarce_money_comes_true(known: Knowledge, ambition: float) -> tuple[float, str]:
    """The scarcer the money, the more of what it was spent on has to come true."""
    if known.budget.scarcity < 2:
        return ambition, ""
    return (1 + ambition) / 2, f"money is scarce: {_money(known.budget)}"


def scarce_money_is_for_more(known: Knowledge, ambition: float) -> tuple[float, str]:
    """The scarcer the money, the more an opportunity has to bring: twice, then four times as much."""
    scarcity = known.budget.scarcity
    return ambition * 2**scarcity, f"money is scarce: {_money(known.budget)}" if scarcity else ""


def restored_faster(known: Knowledge, ambition: float) -> tuple[float, str]:
    """Restoring has to become faster while consumers are dissatisfied, or most demand is incidents."""
    if missed := known.misses("satisfaction"):
        return ambition * FASTER, f"consumers wait too long: {missed}"
    if known.volume.leading == "incident":
        return ambition * FASTER, f"at least half of {known.volume.total} demands are incidents"
    return ambition, ""


def fewer_complaints(known: Knowledge, ambition: float) -> tuple[float, str]:
    """Half as many complaints are accepted while consumers are dissatisfied."""
    missed = known.misses("satisfaction")
    return (ambition / 2, f"it is halved until that is mended: {missed}") if missed else (ambition, "")


def sooner_a_problem(known: Knowledge, ambition: float) -> tuple[float, str]:
    """One incident less makes a problem while support misses its targets: causes are removed, not only symptoms."""
    missed = known.misses("sla_met")
    if not missed or ambition <= FEWEST:
        return ambition, ""
    return max(FEWEST, ambition - 1), f"causes are looked for sooner: {missed}"


class Aim(NamedTuple):
    """An objective of a plan: how it is measured, and how its target follows from the ambition."""

    level: Level
    unit: str
    statement: str
    rule: Rule


AIMS: Mapping[str, Aim] = {
    "satisfaction": Aim("strategic", "of 5", "Those we serve are satisfied.", as_directed),
    "value_realised": Aim("strategic", "share", "What we deliver is of value.", scarce_money_comes_true),
    "opportunity_value": Aim("tactical", "euros a year", "We pursue what is worth it.", scarce_money_is_for_more),
    "change_success": Aim("tactical", "share", "Changes succeed.", after_misses("change_success")),
    "obtained_in_time": Aim("tactical", "share", "Parts are there in time.", after_misses("obtained_in_time")),
    "design_right_first_time": Aim(
        "tactical", "share", "Designs are right at once.", after_misses("design_right_first_time")
    ),
    "time_to_restore": Aim("operational", "hours", "Services are restored quickly.", restored_faster),
    "sla_met": Aim("operational", "share", "Support keeps its promises.", after_misses("complaints")),
    "complaints": Aim("operational", "share", "Few have reason to complain.", fewer_complaints),
    "recurrence": Aim("operational", "incidents in 30 days", "What recurs is removed for good.", sooner_a_problem),
}
"""The objectives of the plans, by the key figure that measures them."""
LEADING: Mapping[str, str] = {
    "incident": "Prevent: most demand is for what does not work, so causes come before more hands.",
    "service_request": "Simplify, then automate: most demand is for what is in the catalogue already.",
    "complaint": "Listen: most demand is complaints, so what they name comes first.",
    "feedback": "Listen: most demand is feedback, so what it names comes first.",
    "change_request": "Change in small steps: most demand is for changes of what is live.",
    "new_product_or_service": "Keep hands free for what is new: most demand is for it.",
}
"""The direction of operations, by the kind of demand that leads."""
TITLE_OF: Mapping[str, str] = {
    "strategic": "Where the organisation goes",
    "tactical": "What the portfolio is to reach",
    "operational": "How operation keeps its promises",
}


def objective_id(measure: str) -> str:
    """The id of the objective of a key figure."""
    return measure.replace("_", "-")


def objectives_for(review: PlanReviewed, known: Knowledge) -> tuple[tuple[Objective, ...], tuple[str, ...]]:
    """The objectives of a plan, and why each target is not what was wanted at first."""
    objectives, reasons = [], []
    for measure, aim in AIMS.items():
        if aim.level != review.level:
            continue
        target, why = aim.rule(known, known.ambition(measure)[0])
        target = round(target, 4)
        kpi = known.performance.figure(measure)
        if why:
            reasons.append(f"{objective_id(measure)} is {target:g} {aim.unit}: {why}.")
        objectives.append(
            Objective(
                objective=objective_id(measure),
                statement=aim.statement,
                measure=measure,
                baseline=kpi.value if kpi else None,
                target=target,
                unit=aim.unit,
                due_at=due(review, known.at),
            )
        )
    return tuple(objectives), tuple(reasons)


def due(review: PlanReviewed, now: datetime) -> datetime:
    """When the objectives of a plan are to be reached: in a year, with the quarter, in four weeks."""
    spans = {"strategic": now + timedelta(days=365), "tactical": end_of(review.quarter)}
    return spans.get(review.level, now + timedelta(days=28))


def direction_for(level: str, known: Knowledge) -> tuple[str, str]:
    """How the objectives are reached, and the state that says so."""
    if level == "strategic":
        return _strategic(known)
    if level == "tactical":
        return _tactical(known)
    leading = known.volume.leading
    if leading in LEADING:
        return LEADING[leading], f"At least half of {known.volume.total} demands are of the kind {leading}."
    return "Keep a hand for every kind of demand.", f"No kind leads among {known.volume.total} demands."


def _strategic(known: Knowledge) -> tuple[str, str]:
    if missed := known.misses(*WATCHED):
        serve = "Serve those well who are served already, before anything new is begun."
        return serve, f"Targets are missed: {missed}."
    if known.budget.scarcity == 2:
        return "Choose: begin only what nobody wants to miss.", f"Money is scarce: {_money(known.budget)}."
    why = f"Targets are met or not measured yet, and {_money(known.budget)}."
    return "Grow: begin what brings most for its money.", why


def _tactical(known: Knowledge) -> tuple[str, str]:
    busy = known.performance.bottleneck
    if busy:
        name, waiting = TITLES.get(busy, busy), known.performance.bottleneck_waiting
        relieve = f"Relieve {name}: begin no more at once than it can finish."
        return relieve, f"{waiting:.0%} of all time is spent waiting at {name}."
    if known.budget.waiting:
        why = f"{len(known.budget.waiting)} demands wait for a decision, and {_money(known.budget)}."
        return "Fund from the top of the ranking; the rest waits.", why
    return "Fund every demand that is worth it.", f"No demand waits, and {_money(known.budget)}."


def status_of(known: Knowledge) -> str:
    """Where the organisation is now, in words."""
    figures = [f"{kpi.name} is {kpi.value:g} {kpi.unit}" for kpi in known.performance.kpis if kpi.name in AIMS]
    measured = "; ".join(figures) if figures else "nothing was measured yet"
    demand = f"{known.volume.total} demands came in this quarter, {len(known.budget.waiting)} wait for a decision"
    return f"Of the budget of {known.budget.id} {_money(known.budget)}; {demand}; {measured}."


def vision_of(known: Knowledge) -> str:
    """Where the organisation wants to be, from what governance wants to reach."""
    satisfied, realised = known.ambition("satisfaction")[0], known.ambition("value_realised")[0]
    return f"Those we serve give us {satisfied:g} of 5, and {realised:.0%} of what they get is of value to them."


def facts_for(review: PlanReviewed, known: Knowledge) -> tuple[Fact, ...]:
    """Every value that a plan was derived from, with its source."""
    money, report = f"budget {known.budget.id}", f"chain performance {known.performance.period}"
    ambitions = [(name, known.ambition(name)) for name, aim in AIMS.items() if aim.level == review.level]
    return (
        *(Fact(name=f"ambition: {name}", value=value, source=source) for name, (value, source) in ambitions),
        Fact(name="budget total", value=known.budget.total, source=money),
        Fact(name="budget left", value=known.budget.left, source=money),
        Fact(name="demands waiting", value=len(known.budget.waiting), source=money),
        Fact(name="bottleneck", value=known.performance.bottleneck or "none", source=report),
        *(Fact(name=kpi.name, value=kpi.value, source=report) for kpi in known.performance.kpis),
        *(Fact(name=f"demands: {v.kind}", value=v.count, source="demand consolidated") for v in known.volume.kinds),
    )


def _money(budget: Budget) -> str:
    return f"{budget.left} of {budget.total} euros are left" if budget.total else f"nothing was granted for {budget.id}"
