"""What Obtain/build tells: components, how they were had, and which services change by them."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, FiniteFloat

from contracts.event import Data, Decision, Event
from contracts.values import (
    AgreementKind,
    Amount,
    Count,
    Euros,
    Hours,
    Share,
    Slug,
    Term,
    Version,
    Way,
)


class SupplierAgreementReported(Event, case="agreement"):
    """Obtain/build says what a supplier offers, signs or refuses.

    Engage keeps the agreement and what depends on it.
    """

    agreement: str
    """Its id."""
    kind: AgreementKind
    """What sort of agreement it is."""
    state: Literal["offered", "signed", "refused"]
    """How far it has come."""
    supplier: Slug
    """The supplier."""
    title: str
    """What it is called."""
    service: Slug
    """The service of ours that depends on it."""
    component: Slug | None = None
    """The part that is bought under it; None for a service as a whole."""
    terms: tuple[Term, ...]
    """What the supplier promises."""
    cost: Euros
    """What it costs, euros a year."""
    valid_from: AwareDatetime
    """From when it is to hold."""
    valid_until: AwareDatetime | None = None
    """When it ends; None until somebody terminates it."""


class ObtainPerformanceReported(Event):
    """Obtain/build says how long a component took and what it cost, beside what was promised."""

    demand: UUID
    """The demand it was for."""
    component: Slug
    """The component."""
    way: Way
    """How it was had."""
    supplier: Slug | None = None
    """The supplier, if it was bought."""
    promised_hours: Hours
    """How long it was to take."""
    taken_hours: Hours
    """How long it took."""
    cost: Euros
    """What it cost, euros in all."""
    budget: Euros | None = None
    """What it was allowed to cost; None if no limit was set."""
    tests_failed: Count = 0
    """Tests it failed before it was provided."""
    opportunity: str = ""
    """What could be better, in words; empty if nothing was seen."""


class SourcingOption(Data):
    """One way to have a component, as it was weighed."""

    way: Way
    """Reuse, build or buy."""
    supplier: Slug | None = None
    """Who would supply it, if bought."""
    cost: Euros
    """What it would cost, euros in all."""
    lead_time_hours: Hours
    """How long it would take."""
    risk: Share
    """How likely it is to fail."""


class TestResult(Data):
    """What came out of one test of a component."""

    __test__: ClassVar[bool] = False  # its name makes pytest look for tests in it

    name: str
    """What was tested: the name of a requirement or the criterion in words."""
    passed: bool
    """Whether it is good enough."""
    measured: FiniteFloat
    """What was measured, in `unit`."""
    unit: str = ""
    """Of the measured value."""


class ComponentProvided(Decision):
    """Obtain/build provides a tested part, and says why it was reused, built or bought."""

    demand: UUID
    """The demand it is for."""
    service: Slug
    """The service it is a part of."""
    component: Slug
    """The component."""
    iteration: Version
    """The specification it answers."""
    way: Way
    """How it was had."""
    options: tuple[SourcingOption, ...] = ()
    """The ways that were weighed, the chosen one among them."""
    supplier: Slug | None = None
    """The supplier, if it was bought."""
    agreement: str | None = None
    """The contract it was bought under, if one was needed."""
    cost: Euros
    """What it cost, euros in all."""
    capacity: Amount
    """How much it bears, in `unit`."""
    unit: str
    """Of the capacity."""
    tests: tuple[TestResult, ...]
    """What came out of its tests."""
    ready_at: AwareDatetime
    """When it is there."""


class ChangedServiceReported(Event):
    """Obtain/build says that all parts of a service are there, or cannot be had."""

    demand: UUID
    """The demand behind it."""
    service: Slug
    """The service."""
    change: str
    """The change that was proposed."""
    components: tuple[Slug, ...]
    """The parts that are there."""
    outcome: Literal["ready", "not_obtainable"]
    """Whether all of them are."""
    cost: Euros = 0
    """What all of them cost, whole euros."""
    reasons: tuple[str, ...]
    """Why, as sentences a requester understands."""
