"""What Plan tells: plans, portfolio decisions, policies, and what these need."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, FiniteFloat

from contracts.event import Data, Decision, Event
from contracts.values import (
    AgreementNeed,
    Amount,
    Count,
    DimensionAssessment,
    Euros,
    Hours,
    PeriodReport,
    PolicyParameter,
    Quarter,
    Share,
    Slug,
    Version,
)

PortfolioVerdict = Literal["approve", "defer", "reject"]
"""Do it, weigh it again later, or do not do it."""
Principle = Literal[
    "focus on value",
    "start where you are",
    "progress iteratively with feedback",
    "collaborate and promote visibility",
    "think and work holistically",
    "keep it simple and practical",
    "optimise and automate",
]
"""The seven guiding principles."""


class Objective(Data):
    """Something to reach by a day, so that one can tell."""

    objective: Slug
    """Its id; improvement initiatives refer to it."""
    statement: str
    """What is to be reached, in words."""
    measure: str
    """What is measured."""
    baseline: FiniteFloat | None = None
    """The value when it was set, in `unit`; None if it was not measured."""
    target: FiniteFloat
    """The value to reach, in `unit`."""
    unit: str
    """Of baseline and target."""
    due_at: AwareDatetime
    """When it is to be reached."""


class PlanPublished(Decision, case="plan"):
    """Plan tells everybody where the organisation goes.

    Derived from demand, portfolio, budget and performance.
    """

    plan: Slug
    """Its id."""
    version: Version
    """Counts its editions."""
    level: Literal["strategic", "tactical", "operational"]
    """How far it looks: years, quarters or weeks."""
    title: str
    """What it is called."""
    vision: str
    """Where the organisation wants to be."""
    status: str
    """Where it is now."""
    direction: str
    """How it gets there."""
    objectives: tuple[Objective, ...]
    """What is to be reached on the way."""
    valid_from: AwareDatetime
    """From when it holds."""
    valid_until: AwareDatetime | None = None
    """Until when it holds; None for as long as no version replaces it."""


class PortfolioOption(Data):
    """One way to meet a demand, as it was scored."""

    name: str
    """Names it within its decision, for example `reuse the game store`."""
    value: Euros
    """What it is expected to bring, euros a year."""
    cost: Euros
    """What it is expected to cost, euros in all."""
    risk: Share
    """How likely it is to fail."""
    score: FiniteFloat
    """What the options were ranked by; higher is better."""


class ComponentNeed(Data):
    """A part that a service needs, as far as the decision knows it."""

    component: Slug
    """Its id."""
    description: str
    """What it is and does."""
    capacity: Amount
    """How much is needed, in `unit`."""
    unit: str
    """Of the capacity, for example `users`, `pieces`."""


class Blueprint(Data):
    """How an approved product or service is to come about."""

    design: str
    """What to design, and within which limits."""
    development: str
    """How the parts are to be had."""
    deployment: str
    """How and to whom it is to be brought."""
    components: tuple[ComponentNeed, ...]
    """The parts it needs."""
    lead_time_hours: Hours
    """How long all of it may take."""


class PortfolioDecisionMade(Decision):
    """Plan says whether a demand is funded.

    Design and transition starts by it, Engage tells the requester.
    """

    demand: UUID
    """The demand decided on."""
    title: str
    """The need in one line."""
    requester: str
    """Who asked."""
    service: Slug
    """The product or service of the portfolio that it creates or changes."""
    decision: PortfolioVerdict
    """Fund it now, weigh it again, or refuse it."""
    options: tuple[PortfolioOption, ...]
    """The ways that were weighed, the best first."""
    chosen: str | None
    """The name of the option that is funded; None if none is."""
    value: Euros
    """What is expected, euros a year."""
    cost: Euros
    """What is reserved of the budget, euros in all; 0 unless approved."""
    quarter: Quarter
    """Whose budget was looked at."""
    budget_left: Euros
    """What remains of that budget after this decision."""
    policy: Slug
    """The policy it was decided by."""
    policy_version: Version
    """The version of that policy."""
    principles: tuple[Principle, ...] = ()
    """The guiding principles that turned the decision."""
    dimensions: tuple[DimensionAssessment, ...] = ()
    """How it stands in the four dimensions."""
    weighed_again_at: AwareDatetime | None = None
    """When a deferred demand is weighed again; None if it waits for an event instead."""
    blueprint: Blueprint | None
    """How it is to come about; None unless approved."""


class PolicyIssued(Decision, case="policy"):
    """Plan issues a policy: what governance directs, or what an improvement has proved.

    It binds designing and changing, obtaining and building.
    """

    policy: Slug
    """Its id."""
    version: Version
    """Counts its editions; the highest binds."""
    title: str
    """What it is called."""
    statement: str
    """What must be kept, in words."""
    subject: str
    """What it orders. Open; known: `finance`, `solutions`, `information_and_tools`, `processes`,
    `people`, `change`, `suppliers`."""
    parameters: tuple[PolicyParameter, ...] = ()
    """The values that decisions read from it."""
    valid_from: AwareDatetime
    """From when it binds."""
    valid_until: AwareDatetime | None = None
    """Until when it binds; None for as long as nothing replaces it."""


class ImprovementPlanned(Decision, case="initiative"):
    """Plan takes an initiative of Improve into its plans, puts it off or refuses it.

    Everybody hears it, because anybody may have to act.
    """

    initiative: str
    """The initiative decided on."""
    title: str
    """What is to become better."""
    decision: PortfolioVerdict
    """Do it, later, or not."""
    subject: Literal["products", "services", "chain"]
    """What it changes: how products are designed, how services are delivered, or how the chain works."""
    objective: Slug | None = None
    """The objective it serves; None if none was found, which is a reason to refuse."""
    owner: str
    """The role that answers for it."""
    cost: Euros
    """What is reserved for it, euros in all; 0 unless approved."""
    quarter: Quarter
    """Whose budget was looked at."""
    starts_at: AwareDatetime | None = None
    """When it begins; None unless approved."""
    due_at: AwareDatetime | None = None
    """When its effect is to be measured; None unless approved."""
    measure: str = ""
    """What will be measured: the name of a key figure."""
    service: Slug | None = None
    """The service it is about; None for more than one."""
    demands: tuple[UUID, ...] = ()
    """The feedback that gave rise to it."""


class AgreementRequired(Event, AgreementNeed, case="agreement"):
    """Plan says which agreement a portfolio decision rests on.

    A contract or a statement of work, perhaps; Engage is to reach it.
    """

    budget: Euros
    """What it may cost at most, euros in all."""


class PlanningPerformanceReported(Event, PeriodReport, case="period"):
    """Plan says how well it planned: decisions in time, budget used, value that came true."""

    decided: Count
    """Portfolio decisions made in the period."""
    waiting: Count
    """Demands that wait for a decision at its end."""
    budget_total: Euros
    """Granted for the quarter that the period ends in."""
    budget_spent: Euros
    """Reserved or spent of it at the end of the period."""
