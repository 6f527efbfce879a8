"""What Engage counts, weighs and passes on: plans' targets, opportunities, feedback, improvements, and its own days."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, FiniteFloat

from contracts.event import Command, Data
from contracts.values import Count, Rating, Slug, Version
from services.chassis.state import ONE, State
from services.engage.model import Stage

MOST_PLANS = 20
"""Plans whose targets are kept; the newest, because older ones no longer hold."""
MOST_OPEN = 200
"""Open opportunities that a new target weighs anew; older ones are weighed when they are reported again."""
MOST_VOICES = 50
"""Feedback on one service that is held against new one; older voices no longer make a trend."""
MOST_DEMANDS = 100
"""Demands behind one improvement that are told how it goes on."""
MOST_DAYS = 60
"""Days whose balance is kept one by one; older ones are added up."""


class Target(Data):
    """What a plan wants to be reached."""

    plan: Slug
    edition: Version
    objective: Slug
    target: FiniteFloat
    unit: str
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None

    def holds(self, time: datetime) -> bool:
        """Whether the plan is in its time."""
        return self.valid_from <= time and (self.valid_until is None or time < self.valid_until)


class PlanEdition(Data):
    """The newest edition of a plan that was heard."""

    plan: Slug
    edition: Version


class Direction(State[str], by=ONE, shared=True):
    """Where plans want Engage to go, and the open opportunities that are weighed anew when that changes."""

    plans: tuple[PlanEdition, ...] = ()
    targets: tuple[Target, ...] = ()
    open: tuple[str, ...] = ()

    def target(self, objective: str, time: datetime) -> Target | None:
        """What holds now; of several plans the one that has begun last."""
        holding = [one for one in self.targets if one.objective == objective and one.holds(time)]
        return max(holding, key=lambda one: (one.valid_from, one.plan), default=None)


class Opportunity(State[str], by="opportunity"):
    """A chance to win or keep business."""

    stage: Literal["identified", "qualified", "won", "lost"] | None = None
    """None: nobody has reported it."""
    reason: str = ""
    customer: str = ""
    relationship: Literal["current", "potential"] = "potential"
    segment: str = ""
    signal: str = ""
    title: str = ""
    text: str = ""
    service: str | None = None
    value: int = 0
    probability: float = 0
    closes_at: datetime | None = None


class OpportunityWeighed(Command, case="opportunity"):
    """An open opportunity is weighed anew: what a plan wants has changed."""

    opportunity: str


class OpportunityEnded(Command, case="opportunity"):
    """An opportunity was won or lost."""

    opportunity: str
    outcome: Literal["won", "lost"]
    by: str
    reason: str


class OpportunityLapsed(Command, case="opportunity"):
    """The day on which an opportunity is gone has come."""

    opportunity: str
    closes_at: AwareDatetime


class Voice(Data):
    """One feedback or complaint."""

    demand: UUID
    at: AwareDatetime


class Voices(State[str], by="service", shared=True):
    """What people say about one service, or about the organisation as such."""

    voices: tuple[Voice, ...] = ()


class Initiative(State[str], by="initiative"):
    """An improvement, and the feedback behind it."""

    stage: Stage | None = None
    """None: nothing has been heard of it."""
    title: str = ""
    text: str = ""
    """What those who gave the feedback were told last."""
    closed: bool = False
    """It was judged or dropped: what is heard of earlier stages after that is out of date."""
    demands: tuple[UUID, ...] = ()


class Tally(Command, case="period"):
    """Something that the report of a day counts; without anything, its targets have changed."""

    period: str
    demands: Count = 0
    complaints: Count = 0
    closed: Count = 0
    answers: Count = 0
    realised: Count = 0
    satisfaction: Rating | None = None


class Judged(Data):
    """Whether a key figure met its target when it was told last."""

    name: str
    met: bool


class Day(State[str], by="period"):
    """What happened in the relationship with those served, on one day of the chain (UTC)."""

    table: ClassVar[str] = "engagement_day"

    demands: int = 0
    complaints: int = 0
    closed: int = 0
    answers: int = 0
    realised: int = 0
    ratings: int = 0
    """How many answers had a rating, and their sum."""
    rated: int = 0
    opening: int = 0
    """Open demands when it began."""
    begun: bool = False
    ended: bool = False
    edition: int = 0
    """Of its report."""
    judged: tuple[Judged, ...] = ()
    told_at: datetime | None = None

    @property
    def balance(self) -> int:
        """By how many the open demands have grown."""
        return self.demands - self.closed

    @property
    def open_demands(self) -> int:
        """What is open at its end, or now."""
        return max(0, self.opening + self.balance)

    @property
    def satisfaction(self) -> float | None:
        """What was answered on average; None if nobody said."""
        return self.rated / self.ratings if self.ratings else None


class Balance(Data):
    """By how many the open demands have grown on a day."""

    period: str
    net: int


class Book(State[str], by=ONE):
    """The balance of every day: what was open when a day began; one row, written by the lane of one case."""

    before: int = 0
    """The sum of all days that are no longer kept one by one."""
    balances: tuple[Balance, ...] = ()


class BalanceKept(Command, case="kept_in"):
    """A day has begun, ended, or changed after its end."""

    kept_in: Literal["engagement book"] = "engagement book"  # one case for all: its lane alone writes the row
    balance: Balance


class BalanceTold(Command, case="period"):
    """What was open when a day began."""

    period: str
    opening: int


class DayEnded(Command, case="period"):
    """A day is over: its report is told."""

    period: str
