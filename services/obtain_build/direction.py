"""What plans and improvement initiatives direct about obtaining, and how ways are weighed by it."""

from datetime import datetime
from typing import NamedTuple, Never, Self

from pydantic import AwareDatetime

from contracts.event import Data, Fact
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.initiative import Standing, standing
from contracts.plan import ImprovementPlanned, PlanPublished
from contracts.values import Version
from services.chassis.state import ONE, State
from services.obtain_build.sourcing_policy import SourcingPolicy, SourcingRules

OBJECTIVE = "obtained-in-time"
"""The objective that Obtain/build reads, by its id."""
USUAL_TARGET = 0.9
"""The share of parts to be had in time while no plan says another."""
RESERVE_FROM = 0.95
"""From this target on lead times are counted with a reserve: without one, a risk of one in twenty misses it."""
IN_TIME, COST = "obtained_in_time", "obtaining_cost"
"""The key figures whose initiatives change how ways are weighed."""
PLANS_KEPT = 12
"""So many plans are kept, those that begin last: three years of quarters."""
INITIATIVES_KEPT = 100
"""So many initiatives are kept, those heard last; what never had an effect falls out first."""
REGISTER = "register of initiatives"


class Target(Data):
    """What a plan says of the objective."""

    plan: str
    edition: Version
    share: float | None
    """Its target; None if the plan does not name it (any longer)."""
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None

    def holds(self, time: datetime) -> bool:
        """Whether it is to be reached at `time`."""
        in_force = self.valid_from <= time and (self.valid_until is None or time < self.valid_until)
        return self.share is not None and in_force


class Direction(State[str], by=ONE, shared=True):
    """What is to be reached in obtaining, and which initiatives are about it."""

    targets: tuple[Target, ...] = ()
    initiatives: tuple[Standing, ...] = ()

    def target(self, time: datetime) -> tuple[float, str]:
        """The share of parts to be had in time, and which plan says so."""
        holding = [target for target in self.targets if target.holds(time)]
        if not holding:
            return USUAL_TARGET, "usual target: no plan names one"
        newest = max(holding, key=lambda target: (target.valid_from, target.plan))
        return newest.share or 0, f"plan {newest.plan} v{newest.edition}"

    def about(self, measure: str, service: str) -> list[Standing]:
        """The initiatives about a key figure that concern a service."""
        return [one for one in self.initiatives if one.measure == measure and one.service in (None, service)]

    def note(self, new: Standing | None) -> None:
        """Keep an initiative about obtaining, in its latest stage."""
        if new is None or new.measure not in (IN_TIME, COST):
            return
        known = next((one for one in self.initiatives if one.initiative == new.initiative), None)
        if known and not new.follows(known):
            return
        others = [one for one in self.initiatives if one.initiative != new.initiative]
        others.sort(key=lambda one: one.open or one.stage == "kept")
        self.initiatives = (*others, new)[-INITIATIVES_KEPT:]


class Weighing(NamedTuple):
    """By what the ways to have a part are compared."""

    rules: SourcingRules
    ordered_by: str
    """Where the rules come from."""
    reserve: bool = False
    """Whether lead times are counted with a reserve for their risk."""
    risk_counts: int = 1
    """How many times the risk of a way counts."""
    notes: tuple[str, ...] = ()
    """What of plans and initiatives turns it, as sentences."""
    facts: tuple[Fact, ...] = ()

    @classmethod
    def by(cls, policy: SourcingPolicy, direction: Direction, service: str, time: datetime) -> Self:
        """The policy in force, and what plans and initiatives make of it for a service."""
        rules, ordered_by = policy.at(time)
        share, planned_by = direction.target(time)
        in_time, cost = direction.about(IN_TIME, service), direction.about(COST, service)
        reserve, risk, premium = "", "", ""
        for one in in_time + cost:
            if one.binds(time) and one.measure == IN_TIME:
                reserve = f"Lead times have a reserve: initiative {one.initiative} is to have parts in time."
            elif one.binds(time):
                risk = f"Risk counts double: initiative {one.initiative} is to save what failures cost."
            elif one.undecided and rules.preferred != "none":
                premium = f"No way is preferred while initiative {one.initiative} is undecided."
        if share >= RESERVE_FROM:
            reserve = f"Lead times have a reserve: by {planned_by} {share:.0%} of parts are to be had in time."
        if premium:
            rules = rules.model_copy(update={"premium": 0})
        notes = tuple(filter(None, (reserve, risk, premium)))
        facts = [Fact(name=f"initiative {one.initiative}", value=one.stage, source=REGISTER) for one in in_time + cost]
        target = Fact(name="obtained-in-time target", value=share, source=planned_by)
        return cls(rules, ordered_by, bool(reserve), 2 if risk else 1, notes, (target, *facts))


def note_objectives(published: PlanPublished, direction: Direction) -> list[Never]:
    """Keep what the newest version of each plan says of the parts to be had in time."""
    if any(known.plan == published.plan and known.edition >= published.version for known in direction.targets):
        return []
    named = [one.target for one in published.objectives if one.objective == OBJECTIVE]
    others = [known for known in direction.targets if known.plan != published.plan]
    new = Target(
        plan=published.plan,
        edition=published.version,
        share=named[0] if named else None,
        valid_from=published.valid_from,
        valid_until=published.valid_until,
    )
    direction.targets = tuple(sorted((*others, new), key=lambda target: target.valid_from)[-PLANS_KEPT:])
    return []


def note_proposal(proposed: ImprovementInitiated, direction: Direction) -> list[Never]:
    """While an initiative about obtaining is undecided, no way of obtaining is preferred."""
    direction.note(standing(proposed))
    return []


def note_improvement(planned: ImprovementPlanned, direction: Direction) -> list[Never]:
    """An approved initiative changes how ways are weighed, from its beginning on; a refused one changes nothing."""
    direction.note(standing(planned))
    return []


def note_result(reported: InitiativeStatusReported, direction: Direction) -> list[Never]:
    """What an initiative changed ends with it, unless its effect is kept."""
    direction.note(standing(reported))
    return []
