"""Who sent a push, and when, proved by a shared secret: https://www.standardwebhooks.com, 1.0.

The sender signs `id.timestamp.body` with HMAC-SHA256, over the bytes of the body as they travel. So
verify them before anything parses them: JSON read and written again no longer fits its signature.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

TOLERANCE = timedelta(minutes=5)
"""How far a push's time may be from ours, before or after; its own libraries allow as much."""
SHORTEST_KEY = 24
"""Bytes of a secret, at least: what the specification asks for."""
LONGEST_TIME = 12
"""Digits of a time in unix seconds, at most: enough for thirty thousand years."""


class Delivery(NamedTuple):
    """A push whose signature fits."""

    id: str
    """The sender's id of it; the same on every retry."""
    timestamp: datetime
    """When it was sent, in UTC; a retry has its own."""


class Refused(Exception):  # noqa: N818 - it is the push that is at fault
    """A push that does not prove where it comes from, or when; says which proof is missing."""


def check_secrets(secrets: Sequence[str]) -> None:
    """Check secrets as configured, at start.

    `ValueError` names the faulty one by its place, never by its value.
    """
    if not secrets:
        raise ValueError("no webhook secret is configured, so every push would be refused")
    for place, secret in enumerate(secrets, start=1):
        try:
            _key(secret)
        except ValueError as error:
            raise ValueError(f"webhook secret {place} of {len(secrets)} {error}") from None


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Delivery:
    """Which delivery a push is, if a `v1` signature of its fits one of `secrets`; else `Refused`.

    Several secrets: the old and the new one, while the sender changes over. Several signatures:
    the sender signs with both meanwhile. Header names fit in any case.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    id, seconds, signatures = (_header(sent, name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature"))
    timestamp = _timely(seconds, now, tolerance)
    offered = [
        signature.encode(errors="replace")
        for version, _, signature in (part.partition(",") for part in signatures.split())
        if version == "v1"
    ]
    if not offered:
        raise Refused("webhook-signature has no v1 signature, the only version that is known here")
    matches = False
    for secret in secrets:
        expected = _signature(secret, id, seconds, body)
        for signature in offered:
            # All of them, each in constant time: the time taken tells nobody which one fits.
            matches |= hmac.compare_digest(expected, signature)
    if not matches:
        raise Refused("no signature matches: another secret, or the body is not as it was sent")
    return Delivery(id, timestamp)


def sign(secret: str, *, delivery: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The three headers that prove a push of `body`, sent at `timestamp` (aware)."""
    seconds = str(int(timestamp.timestamp()))
    return {
        "webhook-id": delivery,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{_signature(secret, delivery, seconds, body).decode()}",
    }


def _signature(secret: str, id: str, seconds: str, body: bytes) -> bytes:
    signed = f"{id}.{seconds}.".encode(errors="replace") + body
    return b64encode(hmac.digest(_key(secret), signed, hashlib.sha256))


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        raise ValueError("does not begin with `whsec_`: copy it whole from the desk's settings")
    text = secret.removeprefix("whsec_")
    try:
        # Some senders show it without the padding.
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise ValueError("is not base64 after `whsec_`: copy it whole, without blanks") from None
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"is too short to be safe: {len(key)} bytes, make it {SHORTEST_KEY} to 64")
    return key


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise Refused(f"header {name} is missing")
    return value


def _timely(seconds: str, now: datetime, tolerance: timedelta) -> datetime:
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= LONGEST_TIME):
        raise Refused("webhook-timestamp is not a number of unix seconds")
    ahead = timedelta(seconds=int(seconds) - now.timestamp())
    if ahead < -tolerance:
        raise Refused(f"stale: {-ahead} old, {tolerance} is allowed: compare the two clocks")
    if ahead > tolerance:
        raise Refused(f"future: {ahead} ahead, {tolerance} is allowed: compare the two clocks")
    return datetime.fromtimestamp(int(seconds), UTC)
