"""Access to resources: granted for a time, for longer when that is asked for, and ended."""

import re
from datetime import timedelta

from contracts.deliver_support import ServiceDelivered
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.deliver_support.request_model import (
    Access,
    AccessEnds,
    Fulfilment,
    FulfilmentDone,
    Offering,
    RequestWeighed,
)
from services.deliver_support.request_report import delivered

RENEWING = frozenset({"renew", "renewal", "extend", "extension", "prolong", "prolongation"})
"""Words by which somebody asks to have access for longer."""
LAST_PART = 4
"""In the last quarter of the time, asking again is asking to have it for longer."""


def renews(weighed: RequestWeighed, request: Fulfilment, access: Access) -> bool:
    """Whether a request wants access for longer: in its words, or because what is held ends soon."""
    words = set(re.findall(r"\w+", f"{request.title} {request.text}".lower()))
    if words & RENEWING or access.granted_at is None or access.until is None:
        return True
    return (access.until - weighed.time) * LAST_PART <= access.until - access.granted_at


def grant_access(done: FulfilmentDone, request: Fulfilment, access: Access, offering: Offering | None) -> list[Later]:
    """Grant access from now on, or for longer, and see to it that it ends."""
    if offering is None or offering.access is None:
        return []
    held = access.until is not None and access.held(done.time)
    begins = access.until if held and access.until else done.time
    access.holder, access.service, access.title = request.requester, request.service, offering.title
    access.resource, access.demand, access.ended_at = offering.access.resource, request.id, None
    access.granted_at, access.until = begins, begins + timedelta(hours=offering.access.hours)
    return [Later(access.until, AccessEnds(demand=request.id, access=request.access))]


def end_access(ends: AccessEnds, request: Read[Fulfilment], access: Access) -> list[ServiceDelivered]:
    """End access when its time is over, unless it was granted for longer."""
    if access.demand != ends.demand or access.until is None or access.ended_at or access.until > ends.time:
        return []
    access.ended_at = access.until
    what = f"nothing more of {access.resource}: the time is over for which {access.holder} could use it"
    reasons = (f"It was granted until {access.until:%d %B %Y %H:%M} UTC, and not for longer since.",)
    return [delivered(request, access.until, "access_ended", what, reasons)]
