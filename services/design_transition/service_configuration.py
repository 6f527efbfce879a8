"""Service configuration management: what is known about one service, whichever demand it is designed for."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AwareDatetime, Field, model_validator

from contracts.event import Data
from contracts.values import Requirement, Slug, Term, Version
from services.chassis.state import State

DataClass = Literal["public", "internal", "confidential", "secret"]
"""How much harm the service's data can do in the wrong hands, least first."""
FactorKind = Literal["political", "economic", "social", "technological", "legal", "environmental"]
"""Where an outside factor comes from."""
MOST_INCIDENTS = 50
"""Incidents of early life that are kept of a service: far more than make a release fail its review."""
MOST_CONTRACTS = 50
"""Supplied services that are kept behind one of ours: the newest; nobody reads a longer list."""
MOST_SERVED = 20
"""Consumers that are noted as newly served during a notice: one is enough to hold a retirement back."""


class Role(Data):
    """A role that a service needs, and whether somebody can fill it."""

    role: Slug
    """Its name, for example `game-operator`."""
    staffed: bool
    """Whether somebody has it."""
    trained: bool
    """Whether they are trained for this service."""


class Integration(Data):
    """Another system that a service exchanges data with."""

    system: Slug
    """Its name."""
    available: bool
    """Whether it can be connected to today."""


class OutsideFactor(Data):
    """A dated fact of the world around, which a service needs, or which forbids it while it holds."""

    kind: FactorKind
    """Where it comes from."""
    fact: Annotated[str, Field(min_length=1, max_length=200)]
    """What it is, as the subject of a sentence, for example `the tax credit for chargers`."""
    effect: Literal["needed", "forbids"]
    """Whether the service rests on it, or may not be released while it holds."""
    begins: AwareDatetime | None = None
    """From when it holds; None if it does already."""
    ends: AwareDatetime | None = None
    """Until when it holds; None if no end is known."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.begins and self.ends and self.ends <= self.begins:
            raise ValueError("a factor ends after it begins")
        return self

    @property
    def period(self) -> str:
        """From when until when it holds."""
        return f"{self.begins or 'before now'} until {self.ends or 'no end is known'}"

    def obstacle(self, day: datetime) -> str:
        """Why nothing may be released on that day because of it; empty if it may."""
        holds = (self.begins is None or self.begins <= day) and (self.ends is None or day < self.ends)
        if holds == (self.effect == "needed"):
            return ""
        if holds:
            return f"{self.fact} forbids a release on {day:%Y-%m-%d}"
        if self.ends and self.ends <= day:
            return f"{self.fact} is needed and has ended on {self.ends:%Y-%m-%d}, before the release on {day:%Y-%m-%d}"
        return f"{self.fact} is needed and begins after {day:%Y-%m-%d} only"


class Contract(Data):
    """What a supplier promises behind one of our services."""

    supplier: Slug
    offering: Slug
    """The supplier's own id of what it supplies."""
    edition: Version
    """Counts what is told of this supplier; the highest holds."""
    status: Literal["offered", "changed", "degraded", "ending", "ended"]
    terms: tuple[Term, ...]


class Incident(Data):
    """What users were helped with while the makers of a release stood by."""

    change: str
    """The change that had brought the release."""
    demand: UUID
    title: str
    what: str
    """What users have now: the workaround, perhaps."""
    at: datetime


class Notice(Data):
    """A service is to be retired when its notice is over."""

    until: datetime
    hours: float
    """How long it is, and how much longer it gets each time it is held back."""
    replaced_by: str
    held_back: int = 0
    """How often it was held back because somebody was still newly served."""
    served: tuple[UUID, ...] = ()
    """The demands that were fulfilled with it since."""


class ServiceRecord(State[str], by="service", shared=True):
    """What is known about one service, whichever demand it is designed for."""

    releases: int = 0
    declared_by: str = ""
    """Who declared roles, data class, integrations and factors; empty if nobody has."""
    roles: tuple[Role, ...] = ()
    data_class: DataClass = "internal"
    integrations: tuple[Integration, ...] = ()
    factors: tuple[OutsideFactor, ...] = ()
    replaces: str = ""
    """The service that is retired once this one is released; empty if it replaces none."""
    contracts: tuple[Contract, ...] = ()
    demand: UUID | None = None
    """The demand of its last release."""
    change: str = ""
    """The change that brought it."""
    requirements: tuple[Requirement, ...] = ()
    """What it was validated for, and has to keep."""
    early_support_until: datetime | None = None
    """Until when its makers stand by; every incident makes that longer."""
    incidents: tuple[Incident, ...] = ()
    """Of the early life of its releases, and not removed by a change since."""
    review: Literal["none", "succeeded", "failed"] = "none"
    """What the review of the last reviewed change found."""
    notice: Notice | None = None
    retired_at: datetime | None = None

    def add(self, contract: Contract) -> bool:
        """Take up what a supplier promises now, unless something as new about it is known."""

        def same(known: Contract) -> bool:
            return (known.supplier, known.offering) == (contract.supplier, contract.offering)

        if any(same(known) and known.edition >= contract.edition for known in self.contracts):
            return False
        others = (known for known in self.contracts if not same(known))
        self.contracts = (*others, contract)[-MOST_CONTRACTS:]
        return True

    def note(self, incident: Incident) -> bool:
        """Keep an incident of its early life, once."""
        if incident in self.incidents:
            return False
        self.incidents = (*self.incidents, incident)[-MOST_INCIDENTS:]
        return True

    def remove_errors(self, demands: Iterable[UUID]) -> None:
        """Forget what a change has removed: the incidents that showed the need for it, and others of their titles."""
        showed = set(demands)
        titles = {incident.title for incident in self.incidents if incident.demand in showed}
        self.incidents = tuple(incident for incident in self.incidents if incident.title not in titles)

    @property
    def known_errors(self) -> tuple[str, ...]:
        """What has come back in early life, with what users do about it."""
        latest = {incident.title: incident.what for incident in self.incidents}
        often = {title for title in latest if [i.title for i in self.incidents].count(title) > 1}
        return tuple(f"{title} (until then: {what})" for title, what in latest.items() if title in often)

    @property
    def case_of_its_end(self) -> UUID:
        """The demand that its retirement belongs to; one of its own, if it was not released here."""
        return self.demand or uuid5(NAMESPACE_URL, f"service:{self.id}")
