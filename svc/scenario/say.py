"""What a scenario says, when, and by which door: one HTTP call each, as anybody outside of the chain could make it."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from svc.services import CLIENT

Json = dict[str, Any]
DESKS = "/desks/"
"""A call below this path is a service desk's push: whoever makes it signs it, with its key as the push's id."""


class Say(NamedTuple):
    """A call that is made at a moment of chain time."""

    at: datetime
    """When, in UTC."""
    activity: str
    """Whose door."""
    method: str
    """`POST`, or `PUT` where a door has only that."""
    path: str
    """With ids in it quoted."""
    body: Json
    """As JSON."""
    key: str
    """Its idempotency key: the same call again has the same one, and so happens once."""

    @property
    def demand(self) -> UUID:
        """The demand that this call makes, if it is one that does (`/demands`, `/desks/...`)."""
        if self.path.startswith(DESKS):
            desk, ticket = self.path.removeprefix(DESKS), self.body["data"]["ticket"]["id"]
            return uuid5(NAMESPACE_URL, f"desk:{desk}:{ticket}")
        return uuid5(NAMESPACE_URL, f"svc:{CLIENT}:{self.key}")
