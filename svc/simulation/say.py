"""What somebody outside says to the chain, and when: an HTTP call at a moment of chain time."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]


class Say(NamedTuple):
    """A call of one activity's door."""

    at: datetime
    """When, in chain time."""
    activity: str
    """Whose door."""
    method: str
    """`POST` or `PUT`."""
    path: str
    """With its query, if it has one. Below `/desks/` it is a desk's push, which is signed on its way."""
    body: Json
    """As JSON."""
    key: str
    """Its idempotency key; of a desk's push, the desk's id of it."""


React: TypeAlias = Callable[[Mapping[str, Any]], Iterable[Any]]
"""What people outside say because of an event that they were told (its envelope, with `data`): each a `Say`."""


def nobody_reacts(event: Mapping[str, Any]) -> Iterable[Say]:
    """Nobody outside answers."""
    return ()
