"""What is known of a service beside the demand for it: chances to sell it, and how it does in operation."""

import re
from typing import Never

from contracts.deliver_support import ServiceDelivered
from contracts.engage import OpportunityIdentified
from contracts.values import Slug
from services.chassis.state import State
from services.plan.model import (
    MOST_CHANCES,
    MOST_TROUBLES,
    BudgetReviewed,
    CatalogueEntry,
    Chance,
    OpportunityNoted,
    Trouble,
    quarter_of,
)


class Opportunity(State[str], by="opportunity"):
    """A chance to win or keep business: which service it counts for."""

    service: str = ""
    """Empty until it was told, and once it is lost."""
    stage: str = ""


def service_named(title: str) -> str:
    """The name in the portfolio of a service that has none yet; empty if the title has no words."""
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())[:6])


def follow_opportunity(told: OpportunityIdentified, opportunity: Opportunity) -> list[OpportunityNoted]:
    """Count it for the service that it is about, by how likely it is; a lost one, or one that moved, counts no more."""
    service: Slug = told.service or service_named(told.title)
    certain = told.stage == "won"
    chance = Chance(
        opportunity=told.opportunity,
        value=told.value,
        probability=1 if certain else told.probability,
        closes_at=None if certain else told.closes_at,
    )
    before, lost = opportunity.service, told.stage == "lost"
    opportunity.service, opportunity.stage = "" if lost else service, told.stage
    noted = []
    if before and (lost or before != service):
        noted.append(OpportunityNoted(service=before, opportunity=told.opportunity, chance=None))
    if service and not lost:
        noted.append(OpportunityNoted(service=service, opportunity=told.opportunity, chance=chance))
    return noted


def note_opportunity(noted: OpportunityNoted, entry: CatalogueEntry) -> list[BudgetReviewed]:
    """Put it into the pipeline of the service or take it out, and have deferred demand weighed again for it."""
    others = tuple(chance for chance in entry.chances if chance.opportunity != noted.opportunity)
    chances = (*others, noted.chance)[-MOST_CHANCES:] if noted.chance else others
    if set(chances) == set(entry.chances):
        return []
    entry.chances = chances
    return [BudgetReviewed(quarter=quarter_of(noted.time))]


def note_delivery(delivered: ServiceDelivered, entry: CatalogueEntry) -> list[Never]:
    """What is used is live, whoever brought it about; what is often restored or refused is riskier to extend."""
    if delivered.outcome in ("live", "supported", "fulfilled") and entry.live_since is None:
        entry.live_since = delivered.delivered_at
    if delivered.outcome in ("supported", "deployment_refused"):
        trouble = Trouble(demand=delivered.demand, outcome=delivered.outcome, at=delivered.delivered_at)
        if trouble not in entry.troubles:
            newest = sorted((*entry.troubles, trouble), key=lambda one: (one.at, str(one.demand), one.outcome))
            entry.troubles = tuple(newest[-MOST_TROUBLES:])
    return []
