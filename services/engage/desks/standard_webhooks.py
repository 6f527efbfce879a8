"""Who sent a push, and when, proved by a shared secret: https://www.standardwebhooks.com, 1.0."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.engage.desks import signature
from services.engage.desks.signature import TOLERANCE, Refused

__all__ = ["TOLERANCE", "Delivery", "Refused", "check_secrets", "sign", "verify"]
SCHEME = ("standard-webhooks",)


class Delivery(NamedTuple):
    """A push whose signature fits."""

    id: str
    """The sender's id of it; the same on every retry."""
    timestamp: datetime
    """When it was sent, in UTC; a retry has its own."""


def check_secrets(secrets: Sequence[str]) -> None:
    """Check secrets as configured, at start.

    `ValueError` names the faulty one by its place, never by its value.
    """
    signature.check_secrets(SCHEME, secrets)


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Delivery:
    """Which delivery a push is, if a `v1` signature of its fits one of `secrets`; else `Refused`."""
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if not any(header.lower() == name and value for header, value in headers.items()):
            raise Refused(f"header {name} is missing", "unsigned")
    proof = signature.verify(SCHEME, secrets, headers, body, now, tolerance=tolerance)
    if proof.sent_at is None:
        raise Refused("no secret is configured, so nothing proves it", "unsigned")
    return Delivery(proof.id, proof.sent_at)


def sign(secret: str, *, delivery: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The three headers that prove a push of `body`, sent at `timestamp` (aware)."""
    return signature.sign(SCHEME[0], secret, body, id=delivery, timestamp=str(int(timestamp.timestamp())))
