"""The registers of parties: stakeholders, suppliers with what they offer, and the agreements with all of them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from contracts.event import Command, Data
from contracts.outside import StakeholderKind
from contracts.service_hours import ServiceHours
from contracts.values import AgreementKind, Euros, Slug, Term, Version
from services.chassis.state import ONE, State

SupplierStatus = Literal["offered", "changed", "degraded", "ending", "ended"]
"""How a supplier's service stands."""
MOST_SERVICES = 50
"""Services of one supplier: who offers more is two suppliers in the register."""
MOST_OFFERS = 300
"""Offers of all suppliers that are looked through; the newest are kept, because the row is read as a whole."""
MOST_WANTED = 200
"""Agreements that wait for an offer; beyond, the oldest is looked at again only when it is asked for again."""
MOST_CONTRACTS = 50
"""Contracts with one supplier that its offers are held against; the newest are kept."""
MOST_DEPENDANTS = 100
"""Agreements that rest on one other; the newest are kept."""


class Stakeholder(State[str], by="stakeholder"):
    """A person or organisation in one or more roles, under their address or id in lower case."""

    name: str = ""
    """Empty: nobody has registered them."""
    kind: StakeholderKind | None = None
    roles: tuple[str, ...] = ()
    segment: str = ""
    organisation: str = ""


class StakeholderStated(Command, case="stakeholder"):
    """Somebody says who a stakeholder is."""

    stakeholder: str
    name: str
    kind: StakeholderKind
    roles: tuple[str, ...] = ()
    segment: str = ""
    organisation: str = ""


class SupplierService(Data):
    """One service of a supplier: what they say of it, and how it stands by the register."""

    service: Slug
    title: str
    stated: SupplierStatus
    """What they say; `changed` also if they only say other terms than before."""
    status: SupplierStatus
    reason: str
    terms: tuple[Term, ...]
    support_hours: str
    supports: tuple[Slug, ...]
    named_agreement: str | None
    agreement: str | None
    """The contract that underpins it, as far as the register of agreements knows that it holds."""
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None


class Contract(Data):
    """A contract with a supplier, as the register of agreements keeps it."""

    agreement: str
    edition: Version
    in_force: bool
    service: Slug
    """The service of ours that it is about."""
    offering: str | None
    """The supplier's service that it was concluded on; None if it was not by an offer."""
    terms: tuple[Term, ...]


class Supplier(State[str], by="supplier"):
    """A third party and what it offers."""

    name: str = ""
    edition: int = 0
    """Counts what was told of it."""
    services: tuple[SupplierService, ...] = ()
    contracts: tuple[Contract, ...] = ()


class SupplierServiceStated(Command, case="supplier"):
    """A supplier, or who looks after them, says how one of its services stands."""

    supplier: Slug
    service: Slug
    name: str
    title: str
    status: SupplierStatus
    terms: tuple[Term, ...] = ()
    support_hours: str = ""
    supports: tuple[Slug, ...] = ()
    agreement: str | None = None
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None


class SupplierServiceDue(Command, case="supplier"):
    """The end of a supplier's service is near, or has come."""

    supplier: str
    service: Slug


class ContractNoted(Command, case="supplier"):
    """A contract with a supplier has come into force, was changed or has ended."""

    supplier: str
    contract: Contract


class Offer(Data):
    """What can be agreed with a supplier now."""

    supplier: Slug
    edition: Version
    told_at: AwareDatetime
    offering: Slug
    status: SupplierStatus
    terms: tuple[Term, ...]
    supports: tuple[Slug, ...]
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None


class Wanted(Data):
    """An agreement that somebody needs, and whose offer would do."""

    agreement: str
    counterparty: str | None
    """None: any supplier that offers the service, or whose offer supports it."""
    service: str

    def fits(self, offer: Offer) -> bool:
        """Whether the offer is one of those it waits for."""
        if self.counterparty:
            return offer.supplier == self.counterparty
        return self.service == offer.offering or self.service in offer.supports


class ThirdParties(State[str], by=ONE):
    """All offers, and the agreements that wait for a better one; one row, written by the lane of one case."""

    offers: tuple[Offer, ...] = ()
    wanted: tuple[Wanted, ...] = ()


class OfferListed(Command, case="kept_in"):
    """What a supplier offers has changed."""

    kept_in: Literal["third parties"] = "third parties"  # one case for all: its lane alone writes the row
    offer: Offer


class PartnerSought(Command, case="kept_in"):
    """An agreement is needed: who offers what it needs?"""

    kept_in: Literal["third parties"] = "third parties"
    wanted: Wanted


class SearchEnded(Command, case="kept_in"):
    """An agreement has what it needs."""

    kept_in: Literal["third parties"] = "third parties"
    agreement: str


class NeedOfAgreement(Data):
    """What one activity needs of an agreement at least."""

    by: str
    counterparty: str | None
    terms: tuple[Term, ...]
    purpose: str
    budget: Euros | None = None
    demand: UUID | None = None
    needed_by: AwareDatetime | None = None


class Refusal(Data):
    """A supplier does not sign; an offer of a later day is looked at again."""

    supplier: str
    at: AwareDatetime


class Agreement(State[str], by="agreement"):
    """An agreement from the need for it to its end."""

    status: Literal["none", "wanted", "in_force", "expired", "terminated"] = "none"
    reason: str = ""
    """Why it stands so, or what it lacks."""
    edition: int = 0
    kind: AgreementKind | None = None
    title: str = ""
    service: str = ""
    counterparty: str | None = None
    offering: str | None = None
    terms: tuple[Term, ...] = ()
    depends_on: tuple[str, ...] = ()
    relied_on_by: tuple[str, ...] = ()
    service_hours: ServiceHours = ()
    """Its times count these hours only; empty: around the clock."""
    signed_by: str = ""
    """Who brought it into force: `the register`, `obtain_build` or `the parties`."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    ended_at: datetime | None = None
    needs: tuple[NeedOfAgreement, ...] = ()
    """One of each activity that needs it; the newest holds."""
    refusals: tuple[Refusal, ...] = ()


class AgreementStated(Command, case="agreement"):
    """Both sides have agreed."""

    agreement: str
    kind: AgreementKind
    title: str
    service: Slug
    counterparty: str
    terms: tuple[Term, ...]
    depends_on: tuple[str, ...] = ()
    service_hours: ServiceHours = ()
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None

    @property
    def agreements(self) -> tuple[str, ...]:
        """The other agreements that it rests on."""
        return tuple(name for name in self.depends_on if name != self.agreement)


class AgreementTerminated(Command, case="agreement"):
    """One side ends an agreement."""

    agreement: str
    by: str
    reason: str


class AgreementLapsed(Command, case="agreement"):
    """The last day of an agreement is over."""

    agreement: str
    valid_until: AwareDatetime


class PartnersFound(Command, case="agreement"):
    """What suppliers offer now of what an agreement needs."""

    agreement: str
    offers: tuple[Offer, ...]


class ReliedUpon(Command, case="agreement"):
    """Another agreement rests on this one."""

    agreement: str
    by: str


class SupportLost(Command, case="agreement"):
    """An agreement that this one rests on has ended."""

    agreement: str
    lost: str
    why: str
