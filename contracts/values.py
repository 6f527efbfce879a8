"""Value types that messages of several tellers carry, and the units they count in.

A type that one teller alone uses stands in that teller's file.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, FiniteFloat

from contracts.event import Data

Euros = Annotated[int, Field(ge=0)]
"""Money: whole euros."""
Count = Annotated[int, Field(ge=0)]
"""How many."""
Version = Annotated[int, Field(ge=1)]
"""Of something kept over time, counted from 1: who hears of several keeps the highest."""
Amount = Annotated[FiniteFloat, Field(ge=0)]
"""How much of a unit that stands beside it."""
Hours = Annotated[FiniteFloat, Field(ge=0)]
"""A duration in hours of chain time."""
Seconds = Annotated[FiniteFloat, Field(ge=0)]
"""A duration in seconds of chain time."""
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
"""A part of the whole, or a probability: 0 to 1."""
Priority = Annotated[int, Field(ge=1, le=5)]
"""1 (first) to 5 (last)."""
Level = Annotated[int, Field(ge=1, le=3)]
"""Of impact or urgency: 1 (high) to 3 (low)."""
Rating = Annotated[int, Field(ge=1, le=5)]
"""How satisfied: 1 (very dissatisfied) to 5 (very satisfied)."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""The id of something that a scenario or a register names: lower-case words joined by dashes, as in `video-games`."""
Quarter = Annotated[str, Field(pattern=r"^[0-9]{4}-Q[1-4]$")]
"""A quarter of a year, as in `2026-Q4`."""
Kind = Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$")]
"""What sort of demand it is. Open, because a value stream may be triggered by a sort of its own.

Known: `incident`, `service_request`, `feedback`, `complaint`, `change_request`,
`new_product_or_service`, `marketing_opportunity`, `unclassified`.
"""

Channel = Literal["api", "phone", "chat", "portal", "email", "car", "desk"]
"""Where a demand came in; `desk` is a ticket of a service desk, `car` the screen of the car itself."""
Way = Literal["reuse", "build", "buy"]
"""How a component is had: one that is there already, one made in the organisation, one from a supplier."""
Risk = Literal["low", "medium", "high"]
"""How likely and how bad it is that a change goes wrong."""
AgreementKind = Literal["service_level", "operational_level", "underpinning_contract", "statement_of_work"]
"""With a consumer, between activities, with a supplier, or for one piece of work by a supplier."""


class PolicyParameter(Data):
    """One value of a policy that a decision reads by its name."""

    name: str
    """The name that the decision looks for, for example `approval_threshold`."""
    value: int | float | str
    """The value, in `unit` if it is a quantity."""
    unit: str = ""
    """For example `euros`, `hours`; empty for text and plain numbers."""


class Requirement(Data):
    """What a service must do (utility) or how well (warranty), so that a test can tell."""

    name: Slug
    """Short name; the tests of components refer to it."""
    kind: Literal["utility", "warranty"]
    """`utility`: fit for purpose; `warranty`: fit for use (availability, capacity, security, continuity)."""
    measure: str
    """What is measured, in words, for example `titles that start within ten seconds`."""
    target: FiniteFloat
    """The value to reach, in `unit`."""
    unit: str = ""
    """Of the target, for example `%`, `s`, `titles`."""
    better: Literal["higher", "lower"] = "higher"
    """Whether the target is a least value (`higher`) or a greatest one (`lower`)."""


class Term(Data):
    """One promise of an agreement."""

    name: str
    """What is promised, for example `resolve`, `availability`, `delivery`."""
    value: FiniteFloat
    """How much, in `unit`."""
    unit: str
    """For example `hours`, `%`, `euros`."""


class AgreementNeed(Data):
    """An agreement that somebody in the chain needs Engage to reach."""

    agreement: str
    """The id under which all say what concerns it."""
    kind: AgreementKind
    """With whom: a consumer, another activity or a supplier."""
    title: str
    """What it is called."""
    service: Slug
    """The service it is for."""
    counterparty: str | None = None
    """The consumer, activity or supplier to agree with; None if Engage is to find one."""
    terms: tuple[Term, ...]
    """What must be promised at least."""
    purpose: str
    """Why it is needed, in words."""
    needed_by: AwareDatetime | None = None
    """When the work that rests on it begins to wait."""
    demand: UUID | None = None
    """The demand that made it necessary, if one did."""


class DimensionAssessment(Data):
    """How a decision or a design stands in one of the four dimensions of service management."""

    dimension: Literal[
        "organisations_and_people",
        "information_and_technology",
        "partners_and_suppliers",
        "value_streams_and_processes",
    ]
    """Which of the four."""
    passed: bool
    """False stops the release."""
    reason: str
    """The fact that decided it, in words."""


class Measure(Data):
    """One measured value."""

    name: str
    """What was measured."""
    value: FiniteFloat
    """The value, in `unit`."""
    unit: str
    """For example `hours`, `%`, `euros`."""


class Kpi(Measure):
    """A key performance indicator: a measured value against its target."""

    target: FiniteFloat | None = None
    """The value to reach, in the same unit; None if none is set."""
    met: bool | None = None
    """Whether the target is met; None without a target or without a case to measure."""
    count: Count
    """How many cases it was computed from."""

    def judged_by(self, source: str) -> str:
        """Its verdict as a sentence, with whose target it is; only where it has one."""
        return f"{self.name} is {self.value:g} and {'meets' if self.met else 'misses'} {self.target:g} ({source})."


class PeriodReport(Data):
    """Key figures of a stretch of time."""

    period: str
    """The stretch of chain time it covers, for example `2026-W48` (week), `2026-Q4` (quarter) or `2026-11-24` (day)."""
    version: Version = 1
    """Of the report on this period: a later one replaces an earlier one."""
    kpis: tuple[Kpi, ...]
    """The figures."""
    reasons: tuple[str, ...] = ()
    """For each figure with a verdict, whose target it was judged by."""
