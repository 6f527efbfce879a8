"""The policy on changes: what it may order, the edition that binds, and how a new one comes into force."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal, Never, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from contracts.event import Command, Data
from contracts.plan import PolicyIssued
from contracts.values import Euros, PolicyParameter, Slug, Version
from services.chassis.outputs import Later
from services.chassis.state import ONE, State

Authority = Literal["peer", "manager", "board", "emergency_authority"]
"""Who may approve a change that is not pre-authorised, lowest first."""
CHANGE_AUTHORITY = "change-authority"
"""The policy that Design and transition reads, by its id."""


class ChangeRules(Data):
    """What the policy `change-authority` orders; a parameter that it does not name has the value that stands here."""

    manager_from: Euros = 10_000
    """From this cost on, in euros, the impact of a change is at least medium."""
    board_from: Euros = 100_000
    """From this cost on, in euros, the impact of a change is high."""
    many_users: Annotated[int, Field(ge=1)] = 100
    """From so many users on the impact is at least medium; from ten times as many it is high."""
    standard_up_to: Annotated[int, Field(ge=0, le=10**12)] = 5_000
    """The most that a pre-authorised change may cost, in euros."""
    notice_hours: Annotated[float, Field(ge=0, le=8760)] = 24
    """How long before its installation a normal change is announced."""
    review_after_hours: Annotated[float, Field(ge=0, le=8760)] = 168
    """How long after its installation a change is reviewed."""
    retirement_notice_hours: Annotated[float, Field(ge=0, le=87600)] = 2160
    """How long before its end a service that has a successor is announced to end: 90 days."""
    freeze_from: AwareDatetime | None = None
    """Begin of the next freeze (ISO 8601 with offset); only emergency changes are installed in it."""
    freeze_until: AwareDatetime | None = None
    """End of that freeze."""
    peer: str = "solution architect"
    manager: str = "change manager"
    board: str = "change advisory board"
    emergency_authority: str = "emergency change authority"

    @model_validator(mode="after")
    def _freeze_has_two_ends(self) -> Self:
        if (self.freeze_from is None) != (self.freeze_until is None):
            raise ValueError("freeze_from and freeze_until belong together")
        return self

    def approver(self, authority: Authority) -> str:
        """The person or body that has this authority."""
        return {
            "peer": self.peer,
            "manager": self.manager,
            "board": self.board,
            "emergency_authority": self.emergency_authority,
        }[authority]

    def outside_of_freeze(self, time: datetime) -> datetime:
        """The first moment from `time` on in which nothing is frozen."""
        if self.freeze_from and self.freeze_until and self.freeze_from <= time < self.freeze_until:
            return self.freeze_until
        return time


class ChangePolicy(State[str], by=ONE, shared=True):
    """The edition of the policy `change-authority` that binds now."""

    edition: int = 0
    """0 while Plan has issued none: the rules are then the defaults of `ChangeRules`."""
    rules: ChangeRules = ChangeRules()
    valid_until: datetime | None = None
    unreadable: str = ""
    """Why the newest edition could not be used; empty if it could."""

    def at(self, time: datetime) -> tuple[ChangeRules, str]:
        """The rules that bind at `time`, and the source that a decision cites for them."""
        if self.edition == 0 or (self.valid_until and time >= self.valid_until):
            return ChangeRules(), f"default: no policy {CHANGE_AUTHORITY} binds"
        return self.rules, f"policy {CHANGE_AUTHORITY} v{self.edition}"


class PolicyDue(Command, case="policy"):
    """An edition of a policy that was issued ahead binds from now on."""

    policy: Slug
    edition: Version
    parameters: tuple[PolicyParameter, ...]
    valid_until: AwareDatetime | None = None


def take_policy(issued: PolicyIssued, policy: ChangePolicy) -> list[Later]:
    """Be bound by a new edition of the policy on changes, from the day it is valid."""
    if issued.policy != CHANGE_AUTHORITY or issued.version <= policy.edition:
        return []
    if issued.valid_from > issued.time:
        due = PolicyDue(
            policy=issued.policy, edition=issued.version, parameters=issued.parameters, valid_until=issued.valid_until
        )
        return [Later(issued.valid_from, due)]
    adopt(policy, issued.version, issued.parameters, issued.valid_until)
    return []


def take_policy_that_is_due(due: PolicyDue, policy: ChangePolicy) -> list[Never]:
    """The day has come; an edition that was overtaken meanwhile stays aside."""
    if due.edition > policy.edition:
        adopt(policy, due.edition, due.parameters, due.valid_until)
    return []


def adopt(
    policy: ChangePolicy, edition: int, parameters: Iterable[PolicyParameter], valid_until: datetime | None
) -> None:
    """Take the rules from an edition's parameters; one that cannot be read leaves the old rules in force."""
    try:
        rules = ChangeRules.model_validate({p.name: p.value for p in parameters}, extra="ignore")
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'rules'}: {e['msg']}" for e in error.errors())
        policy.unreadable = f"edition {edition}: {wrong}"
        return
    policy.edition, policy.rules, policy.valid_until, policy.unreadable = edition, rules, valid_until, ""
