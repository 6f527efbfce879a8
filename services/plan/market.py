"""What the market offers: suppliers, their prices and times, and which live services rest on them."""

import re
from datetime import datetime

from pydantic import AwareDatetime

from contracts.engage import ThirdPartyServiceReported
from contracts.event import Data
from contracts.values import Euros, Hours, Slug, Version
from services.chassis.state import ONE, State
from services.plan.model import BudgetReviewed, quarter_of

MOST_OFFERS = 200
"""How many suppliers' services are kept: each weighing looks through all of them. Those told last stay."""
BUYABLE = ("offered", "changed", "degraded")
"""The states in which a supplier's service can be bought; one that is ending is no option any more."""
SHAKY = ("degraded", "ending", "ended")
"""The states in which a live service that rests on it is riskier to extend."""
HOURS_OF = {"hour": 1.0, "day": 24.0, "week": 168.0}
"""The units in which a supplier may promise its time, without their plural."""


class SupplierOffer(Data):
    """A supplier's service, as Engage told it last."""

    supplier: Slug
    name: str
    service: Slug
    edition: Version
    status: str
    price: Euros | None
    """Euros; None if the supplier names none."""
    delivery_hours: Hours | None
    supports: tuple[Slug, ...]
    agreement: str | None
    """The contract under which it can be had already."""
    valid_until: AwareDatetime | None

    def buyable(self, at: datetime) -> bool:
        """Whether it can be bought at this moment."""
        return self.status in BUYABLE and (self.valid_until is None or at < self.valid_until)

    def meets(self, service: str, title: str) -> bool:
        """Whether it is for this need: it names the service, or everything it is called is in what is asked for."""
        need, own = _words(f"{service} {title}"), _words(self.service)
        return service in self.supports or own <= need or _words(service) <= own


class Market(State[str], by=ONE, shared=True):
    """All that suppliers offer and provide."""

    offers: tuple[SupplierOffer, ...] = ()

    def for_need(self, service: str, title: str, at: datetime) -> list[SupplierOffer]:
        """What can be bought for a need, the cheapest first; one without a price comes last."""
        found = [offer for offer in self.offers if offer.buyable(at) and offer.meets(service, title)]
        return sorted(found, key=lambda o: (o.price is None, o.price or 0, o.supplier, o.service))

    def shaky_under(self, service: str) -> list[SupplierOffer]:
        """What a service of ours rests on and cannot rely on, the worst first."""
        found = [offer for offer in self.offers if service in offer.supports and offer.status in SHAKY]
        return sorted(found, key=lambda o: (-SHAKY.index(o.status), o.supplier, o.service))


def note_supplier(report: ThirdPartyServiceReported, market: Market) -> list[BudgetReviewed]:
    """Keep the newest of each supplier's services; what it changes for buying may be what a deferred demand needs."""
    terms = {term.name: term for term in report.terms}
    price, delivery = terms.get("price"), terms.get("delivery") or terms.get("lead_time")
    unit = HOURS_OF.get(delivery.unit.removesuffix("s")) if delivery else None
    offer = SupplierOffer(
        supplier=report.supplier,
        name=report.name,
        service=report.service,
        edition=report.version,
        status=report.status,
        price=round(price.value) if price and price.unit.startswith("euro") and price.value >= 0 else None,
        delivery_hours=delivery.value * unit if delivery and unit and delivery.value >= 0 else None,
        supports=report.supports,
        agreement=report.agreement,
        valid_until=report.valid_until,
    )
    others = [one for one in market.offers if (one.supplier, one.service) != (offer.supplier, offer.service)]
    before = next((one for one in market.offers if one not in others), None)
    if before is not None and before.edition >= offer.edition:
        return []
    market.offers = (*others, offer)[-MOST_OFFERS:]
    unchanged = before is not None and before.model_copy(update={"edition": offer.edition}) == offer
    return [] if unchanged else [BudgetReviewed(quarter=quarter_of(report.time))]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))
