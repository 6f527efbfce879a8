"""What is read out of the words of a demand. Every rule is data, and every answer names the rule that gave it."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

from contracts.stream import Streams
from services.engage.model import KnownServices

Value = TypeVar("Value")


class Reading(NamedTuple, Generic[Value]):
    """What was read, and by which rule."""

    value: Value
    rule: str


KINDS = frozenset(
    {
        "incident",
        "service_request",
        "feedback",
        "complaint",
        "change_request",
        "new_product_or_service",
        "marketing_opportunity",
    }
)
"""The sorts of demand that Engage knows; a value stream may be triggered by others."""
WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("complaint", ("complaint", "complain", "unacceptable", "nobody called", "compensation")),
    ("onboarding", ("onboard us", "onboard me", "onboarding", "get us started", "we are new here")),
    ("incident", ("error", "broken", "outage", "crash", "crashes", "black screen", "does not work", "stopped working")),
    ("new_product_or_service", ("new product", "new service", "new game", "new games", "would like to order")),
    ("change_request", ("change request", "please change", "should be changed", "instead of")),
    ("service_request", ("please unlock", "please install", "please send", "access to", "password", "second profile")),
    ("feedback", ("feedback", "suggestion", "well done", "i like", "we like")),
)
"""Words by which a demand is known when nobody has said its kind; the first row with one of its words wins."""
DESK_PRIORITIES: Mapping[str, int] = {
    "critical": 1, "urgent": 2, "high": 2, "bug": 3, "normal": 3, "medium": 3, "feature": 4, "low": 4, "wish": 5,
}  # fmt: skip
"""What desks call a priority, from 1 (first) to 5 (last)."""
DESK_CLOSED = frozenset({"resolved", "closed", "done", "done-cbb", "solved"})
"""What desks call a ticket that is done."""
GONE = "deleted"
"""The status of a ticket that its desk has no more."""
DESK_WITHDRAWN = frozenset({GONE, "withdrawn", "cancelled", "canceled"})
"""What desks call a ticket that nobody wants any more."""
REOPENED = "The ticket was reopened in the desk."
"""What is heard of a ticket that is reopened without a word."""

NUMBER = r"(\d{1,3}(?:[,.]\d{3})+|\d+)"
USERS = re.compile(rf"\b{NUMBER}\s+(?:users|people|persons|customers|drivers|employees|colleagues)\b", re.IGNORECASE)
"""`40 users`, `1,200 people`: how many are hindered or would use it; of several the largest."""
HARM = re.compile(r"\b(?:within|in the next)\s+(\d+)\s+(minute|hour|day)s?\b", re.IGNORECASE)
"""`within 4 hours`: when it does harm; of several the soonest."""
HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
VALUE = re.compile(rf"\b{NUMBER}\s*(?:euros?|EUR|€)\s+(?:a|per)\s+year\b", re.IGNORECASE)
"""`43,200 euros a year`: what the requester expects to gain; of several the largest."""
WANTED_BY = re.compile(r"\bby (\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November"
                       r"|December) \d{4})\b")  # fmt: skip
"""`by 15 June 2027`: when it is needed; the first one named."""


def read_kind(said: str | None, text: str, streams: Streams) -> Reading[str]:
    """What sort of demand it is: as said, else by its words, else `unclassified`."""
    known = KINDS.union(stream.trigger.kind for stream in streams)
    if (kind := re.sub(r"[^a-z]+", "_", (said or "").lower()).strip("_")) in known:
        return Reading(kind, f"the requester or the desk says {said!r}")
    for kind, phrases in WORDS:
        if found := first_of(phrases, text):
            return Reading(kind, f"the words {found!r}")
    rule = f"the type {said!r} is unknown" if said else "no type is given"
    return Reading("unclassified", f"{rule}, and no words tell it")


def read_service(said: str | None, text: str, services: KnownServices) -> Reading[str | None]:
    """Which service it is about: as said, else the known one whose name stands in the text, the longest name first."""
    if said:
        return Reading(said, "the requester or the desk names it")
    names = {
        name.lower(): known.service
        for known in services.services
        for name in (known.service, known.service.replace("-", " "), *known.names)
    }
    found = first_of(sorted(names, key=lambda name: (-len(name), name)), text)
    return Reading(names[found] if found else None, f"the words {found!r}" if found else "")


def read_users(text: str) -> Reading[int]:
    """How many people are hindered or would use it."""
    found = [(_whole(match[1]), match[0]) for match in USERS.finditer(text)]
    return Reading(*_quoted(max(found))) if found else Reading(1, "nobody else is mentioned")


def read_harm(text: str) -> Reading[float | None]:
    """Hours until harm is done."""
    found = [(int(match[1]) * HOURS[match[2].lower()], match[0]) for match in HARM.finditer(text)]
    return Reading(*_quoted(min(found))) if found else Reading(None, "")


def read_value(text: str) -> Reading[int | None]:
    """What the requester expects to gain, euros a year."""
    found = [(_whole(match[1]), match[0]) for match in VALUE.finditer(text)]
    return Reading(*_quoted(max(found))) if found else Reading(None, "")


def read_wanted_by(text: str) -> Reading[datetime | None]:
    """The day it is needed by, as its first moment in UTC."""
    for match in WANTED_BY.finditer(text):
        try:
            day = datetime.strptime(match[1], "%d %B %Y").replace(tzinfo=UTC)
        except ValueError:
            continue  # there is no 31 June
        return Reading(day, f"the words {match[0]!r}")
    return Reading(None, "")


def first_of(phrases: Iterable[str], text: str) -> str:
    """The first of the phrases that the text has as whole words; empty if it has none."""
    lower = text.lower()
    return next((phrase for phrase in phrases if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", lower)), "")


def _whole(number: str) -> int:
    return int(number.replace(",", "").replace(".", ""))


def _quoted(found: tuple[Value, str]) -> Reading[Value]:
    return Reading(found[0], f"the words {found[1]!r}")
