"""Continual improvement: how the chain's changes come out, what plans want of them, and what is just being improved."""

from datetime import datetime
from typing import Never

from contracts.event import Data, Fact
from contracts.improve import ChainPerformanceReported, ImprovementInitiated, InitiativeStatusReported
from contracts.initiative import Standing, standing
from contracts.plan import ImprovementPlanned, PlanPublished
from services.chassis.state import ONE, State

CHANGE_SUCCESS = "change_success"
RIGHT_FIRST_TIME = "design_right_first_time"
"""The key figures that an initiative improves by how Design and transition works."""
MOST_INITIATIVES = 100
"""Initiatives that are kept: those without an effect go first. Only one at a time is open for a figure of a service."""
MOST_TARGETS = 4
"""Plans whose target is kept: this quarter's, the next one's, and some that may have been told late."""


class Target(Data):
    """How large a share of changes a plan wants to succeed."""

    plan: str
    edition: int
    share: float | None
    """None: this edition says nothing about it."""
    valid_from: datetime
    valid_until: datetime | None

    def holds(self, time: datetime) -> bool:
        """Whether the plan says something, and is valid then."""
        over = self.valid_until is not None and self.valid_until <= time
        return self.share is not None and self.valid_from <= time and not over


class ChainHealth(State[str], by=ONE, shared=True):
    """How changes come out in the whole chain, what plans want of them, and what is being improved."""

    period: str = ""
    edition: int = 0
    change_success: float | None = None
    """The share of changes that succeeded, as Improve measures it."""
    change_success_met: bool | None = None
    """Whether Improve finds it enough; counts while no plan has set a target."""
    targets: tuple[Target, ...] = ()
    initiatives: tuple[Standing, ...] = ()

    def target(self, time: datetime) -> Target | None:
        """The target that holds: of the plan that began last."""
        return max((t for t in self.targets if t.holds(time)), key=lambda t: (t.valid_from, t.edition), default=None)

    def shortfall(self, time: datetime) -> str:
        """That too few changes succeed, in words; empty if enough do, or nobody has measured it."""
        target = self.target(time)
        if target is None or target.share is None:
            return f"too few changes succeeded in {self.period}" if self.change_success_met is False else ""
        if self.change_success is None or self.change_success >= target.share:
            return ""
        wanted = f"the plan {target.plan} wants {target.share:.0%}"
        return f"{self.change_success:.0%} of changes succeeded in {self.period} and {wanted}"

    def open_about(self, service: str) -> Standing | None:
        """The initiative that is open about this service."""
        return next((one for one in self.initiatives if one.open and one.service == service), None)

    def improving(self, measure: str, service: str, time: datetime) -> Standing | None:
        """The initiative for this figure that binds work on the service now."""
        here = (one for one in self.initiatives if one.measure == measure and one.service in (None, service))
        return next((one for one in here if one.binds(time)), None)

    def facts(self, service: str, time: datetime) -> tuple[Fact, ...]:
        """What a decision about the service uses of it."""
        target, about = self.target(time), self.open_about(service)
        wanted, source = ("not said", "default: no plan says") if target is None else (target.share, target.plan)
        return (
            Fact(name="change success", value=str(self.change_success), source=f"KPI {self.period}"),
            Fact(name="changes succeed often enough", value=str(self.change_success_met), source=f"KPI {self.period}"),
            Fact(name="change success wanted", value=str(wanted), source=source),
            Fact(name="open initiative", value=about.initiative if about else "none", source="improvement register"),
        )

    def note(self, new: Standing) -> None:
        """Keep how far an initiative is, unless something later in its life is known."""
        old = next((one for one in self.initiatives if one.initiative == new.initiative), None)
        if old and not new.follows(old):
            return
        others = [one for one in self.initiatives if one.initiative != new.initiative]
        if len(others) >= MOST_INITIATIVES:
            others.remove(min(others, key=lambda one: (one.open or one.stage == "kept", one.told_at)))
        self.initiatives = (*others, new)


def take_chain_performance(report: ChainPerformanceReported, health: ChainHealth) -> list[Never]:
    """Note how many changes succeed, by the latest report: it makes the next ones more or less risky."""
    success = next((kpi for kpi in report.kpis if figure(kpi.name) == CHANGE_SUCCESS and kpi.count), None)
    if success and (report.period, report.version) > (health.period, health.edition):
        health.period, health.edition = report.period, report.version
        health.change_success = success.value / 100 if success.unit == "%" else success.value
        health.change_success_met = success.met
    return []


def take_plan(published: PlanPublished, health: ChainHealth) -> list[Never]:
    """Note how many changes a plan wants to succeed; the newest edition of each plan counts."""
    known = next((target for target in health.targets if target.plan == published.plan), None)
    wanted = next((one for one in published.objectives if figure(one.objective) == CHANGE_SUCCESS), None)
    if (known is None and wanted is None) or (known and known.edition >= published.version):
        return []
    target = Target(
        plan=published.plan,
        edition=published.version,
        share=wanted.target if wanted else None,
        valid_from=published.valid_from,
        valid_until=published.valid_until,
    )
    others = (one for one in health.targets if one.plan != target.plan)
    health.targets = tuple(sorted((*others, target), key=lambda one: one.valid_from)[-MOST_TARGETS:])
    return []


def take_initiative(initiated: ImprovementInitiated, health: ChainHealth) -> list[Never]:
    """Note that something is proposed to be improved: a change of the same service is riskier meanwhile."""
    return take_standing(initiated, health)


def take_improvement_plan(planned: ImprovementPlanned, health: ChainHealth) -> list[Never]:
    """Note what Plan says about an initiative; an approved one may bind how we work, from the day it begins."""
    return take_standing(planned, health)


def take_initiative_status(status: InitiativeStatusReported, health: ChainHealth) -> list[Never]:
    """Note how an initiative was judged: what was kept stays, all else ends."""
    return take_standing(status, health)


def take_standing(
    told: ImprovementInitiated | ImprovementPlanned | InitiativeStatusReported, health: ChainHealth
) -> list[Never]:
    """Note how far an initiative is."""
    if new := standing(told):
        health.note(new.model_copy(update={"measure": figure(new.measure)}))
    return []


def figure(name: str) -> str:
    """The name of a key figure as Improve writes it, from an objective's id or from words."""
    return name.replace("-", "_").replace(" ", "_")
