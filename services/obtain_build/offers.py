"""What suppliers offer, and the contracts that allow to buy it."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from contracts.event import Data
from contracts.values import Amount, Euros, Hours, Slug, Term, Version


class Contract(Data):
    """A contract with a supplier, as Engage keeps it."""

    agreement: str
    edition: Version
    state: Literal["in_force", "expired", "terminated"]
    service: str = ""
    """The service of a statement of work, which covers nothing else; empty for a contract on all."""
    up_to: Euros | None = None
    """The price up to which one may buy under it; None without such a limit."""
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None

    def holds(self, time: datetime) -> bool:
        """Whether it is in force at `time`."""
        return (
            self.state == "in_force"
            and self.valid_from <= time
            and (self.valid_until is None or time < self.valid_until)
        )

    def covers(self, service: str, price: int) -> bool:
        """Whether something at this price may be bought under it for a service."""
        return self.service in ("", service) and (self.up_to is None or price <= self.up_to)


class Offer(Data):
    """What a supplier asks for a component, and how soon it is there."""

    supplier: Slug
    edition: Version
    """Counts what is told of this supplier; the highest holds."""
    status: Literal["offered", "changed", "degraded", "ending", "ended"]
    price: Euros | None
    """Euros in all; None if the supplier has not said: then nothing can be bought."""
    lead_time_hours: Hours | None
    most: Amount | None = None
    """The greatest capacity it is offered for; None without such a limit."""
    agreement: str | None = None
    """The contract that it is said to be bought under."""
    terms: tuple[Term, ...] = ()
    """What the supplier promises, in its own units."""
    contracts: tuple[Contract, ...] = ()
    """The contracts with this supplier, in force or ended."""

    def contract(self, service: str, time: datetime) -> str | None:
        """The contract in force under which it may be bought for a service; None if there is none."""
        price = self.price or 0
        holding = [one for one in self.contracts if one.holds(time)]
        covering = [one for one in holding if one.covers(service, price)]
        if covering:
            return max(covering, key=lambda one: (one.valid_from, one.agreement)).agreement
        known = any(one.agreement == self.agreement for one in self.contracts)
        return None if known else self.agreement
