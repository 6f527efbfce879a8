"""One demand on its way through the chain: its milestones, where it waits now, and how long it took."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Command, Data
from contracts.value_chain import DELIVER_SUPPORT, DESIGN_TRANSITION, OBTAIN_BUILD, PLAN
from contracts.values import Hours, Version
from services.chassis.state import State
from services.improve.figures import MeasureTaken
from services.improve.measurement_and_reporting import measured

MOST_MILESTONES = 40
"""The newest milestones of a demand; one that is reworked more often than that is late anyhow."""

NEXT: Mapping[str, str] = {
    "consolidated": PLAN,
    "design_refused": PLAN,
    "designed": OBTAIN_BUILD,
    "validation_failed": OBTAIN_BUILD,
    "obtained": DESIGN_TRANSITION,
    "validated": DELIVER_SUPPORT,
    "change_refused": PLAN,
    "deployment_accepted": DESIGN_TRANSITION,
    "deployment_refused": DESIGN_TRANSITION,
    "released": DELIVER_SUPPORT,
}
"""Where a demand waits after each milestone."""
ENDS = ("live", "refused")
"""The milestones after which it waits no more."""
ORDER = (*NEXT, *ENDS)


class Milestone(Data):
    """A demand has come so far."""

    name: str
    at: AwareDatetime


class Journey(State[UUID], by="demand"):
    """One demand on its way through the chain; milestones may be heard of before the demand is."""

    kind: str = ""
    service: str | None = None
    begun_at: datetime | None = None
    promised_by: datetime | None = None
    milestones: tuple[Milestone, ...] = ()
    measured: bool = False
    """Its flow time was counted."""
    told: int = 0

    def reach(self, name: str, at: datetime) -> None:
        """Note a milestone."""
        self.milestones = (*self.milestones, Milestone(name=name, at=at))[-MOST_MILESTONES:]

    @property
    def way(self) -> tuple[Milestone, ...]:
        """Its milestones in the order in which they were reached; at one moment, in that of the table."""
        begun = [Milestone(name="consolidated", at=self.begun_at)] if self.begun_at else []
        return (*begun, *sorted(self.milestones, key=lambda one: (one.at, ORDER.index(one.name))))

    def hours_by_activity(self) -> dict[str, float]:
        """The hours it has waited at each activity, up to its last milestone."""
        hours: dict[str, float] = defaultdict(float)
        for one, following in pairwise(self.way):
            if one.name in NEXT:
                hours[NEXT[one.name]] += max(0.0, (following.at - one.at) / timedelta(hours=1))
        return hours


class Leg(Data):
    """How long a demand has waited at an activity."""

    activity: str
    hours: Hours


class Passage(Data):
    """A demand's journey as the flow is computed from it."""

    demand: UUID
    number: Version
    kind: str
    legs: tuple[Leg, ...]
    waits_at: str
    """The activity that has it now; empty when it is through."""
    since: AwareDatetime


class PassageSeen(Command, case="kept_in"):
    """A demand has come further."""

    kept_in: str = "flow"  # one case for all: its lane alone writes the row
    passage: Passage


def follow(journey: Journey) -> list[PassageSeen | MeasureTaken]:
    """Tell the flow how far a demand has come, and once it is live, how long that took; nothing before it is known."""
    if journey.begun_at is None:
        return []
    last = journey.way[-1]
    live = min((one.at for one in journey.milestones if one.name == "live"), default=None)
    ended = any(one.name in ENDS for one in journey.milestones)
    journey.told += 1
    passage = Passage(
        demand=journey.id,
        number=journey.told,
        kind=journey.kind,
        legs=legs_of(journey.hours_by_activity()),
        waits_at="" if ended else NEXT[last.name],
        since=last.at,
    )
    if live is None or journey.measured:
        return [PassageSeen(passage=passage)]
    journey.measured = True
    hours = max(0.0, (live - journey.begun_at) / timedelta(hours=1))
    promised = max(0.0, ((journey.promised_by or live) - journey.begun_at) / timedelta(hours=1))
    flow_time = measured(live, "flow_time", hours, service=journey.service, target=promised)
    return [PassageSeen(passage=passage), flow_time]


def legs_of(hours: Mapping[str, float]) -> tuple[Leg, ...]:
    """Hours by activity, as data."""
    return tuple(Leg(activity=activity, hours=round(hours[activity], 4)) for activity in sorted(hours))
