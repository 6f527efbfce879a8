"""The improvement register (initiatives, figures worked on, suppliers) and what Improve tells itself about it."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Command, Data, Fact
from contracts.plan import PortfolioVerdict
from contracts.values import Count, Euros, Rating, Slug
from services.chassis.state import ONE, State
from services.improve.figures import place_of, scope_of, week_of

MOST_WATCHED = 50
"""Initiatives that are measured at once; more cannot be led at a time, and every measure looks through them."""
MOST_HEARD = 100
"""The newest remarks on a figure that are known again when they come twice."""
REST = timedelta(days=28)
"""For so long after an initiative no figure, supplier or remark begins the next one: its effect has to show first."""

InitiativeState = Literal["new", "accepted", "assessed", "approved", "in_progress", "on_hold", "under_review", "closed"]
Result = Literal["kept", "reverted", "inconclusive"]
Source = Literal["complaint", "feedback", "review", "supplier", "performance", "audit"]
Stage = Literal["kept", "proposed", "joined", "refused"]
"""What becomes of something that was found or said."""
Subject = Literal["products", "services", "chain"]


class Watched(Data):
    """An initiative whose figure is measured: for its baseline, or for its effect."""

    initiative: str
    measure: str
    service: str | None


class Watchlist(State[str], by=ONE, shared=True):
    """The initiatives that each measure of their figure is handed to."""

    watched: tuple[Watched, ...] = ()

    def watch(self, initiative: "Initiative") -> None:
        """Measure an initiative from now on."""
        self.leave(initiative.id)
        plan = initiative.proposal
        if plan is not None:
            one = Watched(initiative=initiative.id, measure=plan.measure, service=plan.service)
            self.watched = (*self.watched, one)[-MOST_WATCHED:]

    def leave(self, initiative: str) -> None:
        """Measure it no longer."""
        if any(one.initiative == initiative for one in self.watched):
            self.watched = tuple(one for one in self.watched if one.initiative != initiative)


class Remark(Data):
    """What somebody said of a service, and what it is worth to act on it."""

    demands: tuple[UUID, ...]
    rating: Rating
    """How satisfied they are, or what their complaint stands for."""
    worth: Euros


class Scope(State[str], by="scope", shared=True):
    """A key figure of one service or of the chain: at most one initiative works on it, so that none sets off itself."""

    numbered: int = 0
    """How many entries of the register it has had."""
    initiative: str = ""
    """The one that is kept or open; empty while it is free."""
    stage: Literal["free", "kept", "open"] = "free"
    """`kept`: remarks wait in the register for more of the same; `open`: it is proposed or under way."""
    remarks: tuple[Remark, ...] = ()
    heard: tuple[UUID, ...] = ()
    """The demands whose remarks were weighed."""
    closed_at: datetime | None = None
    closed_as: str = ""
    """How the last one ended, in words."""

    def rests(self, time: datetime) -> bool:
        """Whether the last initiative ended so lately that its effect has yet to show."""
        return self.closed_at is not None and time < self.closed_at + REST

    def take(self, stage: Stage, remarks: tuple[Remark, ...] = ()) -> str:
        """The entry that something goes to, a new one if none is kept or open; what is refused has one of its own."""
        if stage == "joined":
            return self.initiative
        if stage == "refused" or not self.initiative:
            self.numbered += 1
        name = f"{self.id}-{self.numbered}"
        if stage == "refused":
            return name
        self.initiative = self.initiative or name
        self.stage, self.remarks = ("open", ()) if stage == "proposed" else ("kept", remarks)
        return self.initiative


class Proposal(Data):
    """An initiative as it stands in the register and as Plan gets it."""

    title: str
    subject: Subject
    objective: Slug | None
    hypothesis: str
    measure: str
    baseline: float
    target: float
    unit: str
    service: Slug | None
    bottleneck: str | None = None
    source: Source
    owner: str
    value: Euros
    cost: Euros
    demands: tuple[UUID, ...] = ()
    reasons: tuple[str, ...]
    basis: tuple[Fact, ...]
    supplier: Slug | None = None
    """The supplier whose service gave rise to it."""


class PlanVerdict(Data):
    """What Plan decided about an initiative."""

    decision: PortfolioVerdict
    reason: str
    starts_at: AwareDatetime | None
    due_at: AwareDatetime | None


class Initiative(State[str], by="initiative"):
    """One entry of the improvement register."""

    state: InitiativeState | None = None
    """None: it is not known here."""
    result: Result | None = None
    reason: str = ""
    """Why it is in this state."""
    proposal: Proposal | None = None
    verdict: PlanVerdict | None = None
    """Plan's decision, kept until the initiative is known and not held."""
    cases: int = 0
    total: float = 0.0
    """What was measured: before it is assessed for the baseline, from its beginning on for its effect."""
    starts_at: datetime | None = None
    due_at: datetime | None = None
    held_from: InitiativeState | None = None
    held_by: str = ""
    held_at: datetime | None = None
    entered_at: datetime | None = None

    @property
    def measured(self) -> float | None:
        """The mean of what was measured; None without a case."""
        return round(self.total / self.cases, 4) if self.cases else None

    @property
    def scope(self) -> str:
        """The figure it works on."""
        return scope_of(self.proposal.measure, self.proposal.service) if self.proposal else ""


class OfScope(Command, case="scope"):
    """Something to weigh about a key figure of one service or of the chain."""

    scope: str
    measure: str
    service: str | None

    @property
    def place(self) -> str:
        """The week in which the figure is looked up."""
        return place_of(week_of(self.time), self.service)


class NeedFound(OfScope, case="scope"):
    """A figure misses its target, a supplier fails, or an activity holds the flow up: weigh whether to improve it."""

    source: Source
    why: str
    """What was found, as a sentence."""
    facts: tuple[Fact, ...] = ()
    weight: float
    """How many cases of the worst kind it comes to: what its value is guessed by."""
    baseline: float | None = None
    """None: what the week has measured."""
    said: float | None = None
    """What those who spoke say themselves, if the week has measured nothing."""
    target: float | None = None
    """None: what the plans want."""
    bottleneck: str | None = None
    supplier: str | None = None


class RemarkMade(OfScope, case="scope"):
    """Somebody has said what could be better: weigh it beside what others say of the same service."""

    source: Source
    title: str
    demands: tuple[UUID, ...]
    """The remark itself, then others that say the same."""
    satisfaction: Rating | None


class ScopeFreed(Command, case="scope"):
    """The initiative on a figure is closed: after a rest the next one may begin."""

    scope: str
    initiative: str
    closed_as: str
    rests: bool = True
    """Whether something was done or decided that has to show first."""


class EntryLapses(Command, case="initiative"):
    """An entry was kept for as long as those whose remarks it holds may be left without an answer."""

    initiative: str


class InitiativeRaised(Command, case="initiative"):
    """Something enters the register: to be kept for now, proposed, joined to what is there, or refused."""

    initiative: str
    stage: Stage
    proposal: Proposal


class InitiativeEntered(Command, case="initiative"):
    """A review or an audit enters an initiative into the register."""

    initiative: Slug
    title: str
    subject: Subject
    measure: str
    service: Slug | None = None
    hypothesis: str
    target: float
    source: Literal["review", "audit"]
    owner: str
    value: Euros
    cost: Euros

    @property
    def scope(self) -> str:
        """The figure it is about."""
        return scope_of(self.measure, self.service)

    @property
    def place(self) -> str:
        """The week in which its baseline is looked up."""
        return place_of(week_of(self.time), self.service)


class EffectMeasured(Command, case="initiative"):
    """Cases have shown a value of the figure that a watched initiative works on."""

    initiative: str
    cases: Count
    total: float


class InitiativeBegins(Command, case="initiative"):
    """The planned beginning has come."""

    initiative: str
    starts_at: AwareDatetime


class EffectDue(Command, case="initiative"):
    """The day has come on which the effect is to be measured."""

    initiative: str
    due_at: AwareDatetime


class ReviewDue(Command, case="initiative"):
    """The review is over: judge by what was measured."""

    initiative: str
    due_at: AwareDatetime


class InitiativeHeld(Command, case="initiative"):
    """Somebody stops an initiative for now."""

    initiative: Slug
    by: str
    reason: str


class InitiativeResumed(Command, case="initiative"):
    """Somebody lets an initiative go on that was stopped."""

    initiative: Slug
    by: str
    reason: str


class AgreementWanted(Command, case="agreement"):
    """An approved initiative needs a promise that somebody has yet to make."""

    agreement: str
    title: str
    service: Slug
    supplier: Slug | None
    needed_by: AwareDatetime | None
