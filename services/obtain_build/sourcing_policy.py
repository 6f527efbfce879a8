"""The policy on sourcing, edition by edition: make or buy, at which rates and limits."""

from datetime import datetime
from typing import Annotated, Literal, Never

from pydantic import AwareDatetime, Field, ValidationError

from contracts.event import Data
from contracts.plan import PolicyIssued
from contracts.values import Euros, Hours, Share
from services.chassis.state import ONE, State

SOURCING = "sourcing"
"""The policy that Obtain/build reads, by its id."""
EDITIONS_KEPT = 50
"""So many editions are kept, those that were told last: more do not bind or wait for their day at a time."""


class SourcingRules(Data):
    """The parameters that Obtain/build reads, and what holds when an edition does not name one."""

    hourly_rate: Annotated[Euros, Field(le=100_000)] = 75
    """What an hour of building costs, in euros."""
    hours_per_part: Annotated[Hours, Field(le=10_000)] = 40
    """Hours that any part takes to build."""
    units_per_hour: Annotated[float, Field(gt=0)] = 100
    """Capacity that one further hour of building adds."""
    rework_share: Share = 0.3
    """What building a part again costs of building it first."""
    preferred: Literal["build", "buy", "none"] = "none"
    """The way that is taken although it costs more."""
    premium: Share = 0.2
    """By how much of its cost the preferred way may be dearer."""
    contract_from: Euros = 50_000
    """From this price on nothing is bought without a contract in force."""
    contract_wait_hours: Annotated[Hours, Field(le=8_760)] = 24
    """How long an order waits for a contract, if only that lets its parts be had; after that they cannot be had."""
    restock_up_to: Annotated[Euros, Field(le=1_000_000_000)] = 50_000
    """What may be spent at once on what operation needs again; beyond that a portfolio decision is needed."""


class Edition(Data):
    """One edition of the policy, and when it binds."""

    number: int
    rules: SourcingRules
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None

    def binds(self, time: datetime) -> bool:
        """Whether it is in force at `time`."""
        return self.valid_from <= time and (self.valid_until is None or time < self.valid_until)


class SourcingPolicy(State[str], by=ONE, shared=True):
    """All editions that bind or will."""

    editions: tuple[Edition, ...] = ()
    misread: str = ""
    """What is wrong with an edition that was left out; empty if none was."""

    def at(self, time: datetime) -> tuple[SourcingRules, str]:
        """The rules in force, and where they come from."""
        in_force = [edition for edition in self.editions if edition.binds(time)]
        if not in_force:
            return SourcingRules(), "usual rates: no sourcing policy is in force"
        newest = max(in_force, key=lambda edition: edition.number)
        return newest.rules, f"policy {SOURCING} v{newest.number}"


def note_policy(issued: PolicyIssued, policy: SourcingPolicy) -> list[Never]:
    """Keep an edition of the sourcing policy beside those that bind until it does; drop what has run out."""
    if issued.policy != SOURCING or any(known.number == issued.version for known in policy.editions):
        return []
    try:
        values = {parameter.name: parameter.value for parameter in issued.parameters}
        rules = SourcingRules.model_validate(values, extra="ignore")
    except ValidationError as error:
        first = error.errors()[0]
        policy.misread = f"v{issued.version} is left out: {first['loc'][0]}: {first['msg']}"
        return []
    new = Edition(number=issued.version, rules=rules, valid_from=issued.valid_from, valid_until=issued.valid_until)
    running = [known for known in policy.editions if known.valid_until is None or known.valid_until > issued.time]
    policy.editions = (*running, new)[-EDITIONS_KEPT:]
    return []
