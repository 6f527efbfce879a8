"""What bounds an order beside the change that authorises it: the need, the sponsor, what was altered, who asked."""

from typing import Literal, Self
from uuid import UUID

from pydantic import AwareDatetime

from contracts.deliver_support import ChangeRequested
from contracts.engage import ChangeInitiationRequested, DemandConsolidated, ProjectChangeRequested
from contracts.event import Data
from contracts.values import Count, Euros, Level

ALTERATIONS_KEPT = 50
"""So many alterations of an order are told apart from copies: nobody alters one more often within days."""


class Need(Data):
    """The demand that the order is for, as Engage consolidated it."""

    users: Count
    wanted_by: AwareDatetime | None

    @classmethod
    def of(cls, demand: DemandConsolidated) -> Self:
        """What of a demand bounds its order."""
        return cls(users=demand.users, wanted_by=demand.wanted_by)


class Sponsorship(Data):
    """Who pays for the change, how much at most, and by when."""

    sponsor: str
    budget: Euros | None
    wanted_by: AwareDatetime | None

    @classmethod
    def of(cls, asked: ChangeInitiationRequested) -> Self:
        """What of a customer's request bounds the order; who names no sponsor pays themselves."""
        return cls(sponsor=asked.sponsor or asked.requester, budget=asked.budget, wanted_by=asked.wanted_by)


class Alterations(Data):
    """All that was altered while the order was under way."""

    more_budget: Euros = 0
    """What was added in all, euros."""
    wanted_by: AwareDatetime | None = None
    """The last day that was named; None while it stays."""
    heard: tuple[UUID, ...] = ()
    """The requests that are in it, by their message's id: the newest ones."""

    def with_one(self, asked: ProjectChangeRequested) -> "Alterations":
        """These and one more; the same request again changes nothing."""
        if asked.id in self.heard:
            return self
        return Alterations(
            more_budget=self.more_budget + asked.more_budget,
            wanted_by=asked.wanted_by or self.wanted_by,
            heard=(*self.heard, asked.id)[-ALTERATIONS_KEPT:],
        )


class Request(Data):
    """The change of a live service that Deliver and support asked for."""

    change: str
    origin: Literal["incident", "problem", "request", "operation"]
    urgency: Level
    title: str

    @classmethod
    def of(cls, asked: ChangeRequested) -> Self:
        """What of a request for a change bounds its order."""
        return cls(change=asked.change, origin=asked.origin, urgency=asked.urgency, title=asked.title)
