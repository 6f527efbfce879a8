"""Whether a push is genuine: one verifier over the bytes as they travelled, and a table of what desks sign.

Verify before anything parses: JSON read and written again no longer fits its signature.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from services.engage.desks.events import Signature, by_name

TOLERANCE = timedelta(minutes=5)
"""How far a push's time may be from ours, before or after, where a desk signs the time at which it sends."""
SHORTEST_KEY = 24
"""Bytes of a Standard Webhooks secret, at least: what the specification asks for."""
LONGEST_TIME = 12
"""Digits of a time in unix seconds, at most: enough for thirty thousand years."""


class Refused(Exception):  # noqa: N818 - it is the push that is at fault
    """A push that does not prove where it comes from, or when; says which proof is missing."""

    def __init__(self, reason: str, signature: Signature = "invalid") -> None:
        super().__init__(reason)
        self.signature = signature


class Proof(NamedTuple):
    """What a push has proved."""

    signature: Signature
    """`valid`; or `unsigned`, if nothing in it is signed."""
    id: str = ""
    """The sender's id of the push, if it is part of what is signed."""
    sent_at: datetime | None = None
    """When it was sent, if that is part of what is signed."""


def plain_key(secret: str) -> list[bytes]:
    """The secret as it is."""
    return [secret.encode()]


def standard_key(secret: str) -> list[bytes]:
    """The bytes behind `whsec_`; `ValueError` says what is wrong with them."""
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
    return [key]


def freescout_key(secret: str) -> list[bytes]:
    """The key that FreeScout shows; or, if its APP_KEY was given, the key that it makes of that."""
    derived = hashlib.md5(f"{secret}webhook_key".encode(), usedforsecurity=False).hexdigest()
    return [secret.encode(), derived.encode()]


class Scheme(NamedTuple):
    """What is signed, how, and where it stands."""

    header: str
    """The header with the signature, or with the token itself if nothing is signed."""
    signed: str = "{body}"
    """What is signed, of `{id}`, `{timestamp}` and `{body}`; empty if the header is a token that signs nothing."""
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    """Before each signature; one without it is of another version, and is passed over."""
    many: bool = False
    """Whether the header may hold several, apart by blanks."""
    timestamp: str = ""
    """The header with the time that is signed."""
    id: str = ""
    """The header with the id that is signed."""
    iso: bool = False
    """Whether that time is written as ISO 8601 has it, and not in unix seconds."""
    tolerance: timedelta | None = None
    """How far its time may be from ours; None if the desk signs none, or one that a late retry repeats."""
    keys: Callable[[str], list[bytes]] = plain_key
    """The keys that a secret stands for."""
    proves: Signature = "valid"
    """What it amounts to if it fits: a token that anybody who sees a log can copy proves little."""


SCHEMES: Mapping[str, Scheme] = {
    "standard-webhooks": Scheme(
        "webhook-signature", "{id}.{timestamp}.{body}", encoding="base64", prefix="v1,", many=True, tolerance=TOLERANCE,
        timestamp="webhook-timestamp", id="webhook-id", keys=standard_key),
    "hub-sha1": Scheme("x-hub-signature", algorithm="sha1", prefix="sha1="),
    "hub-sha256": Scheme("x-hub-signature", prefix="sha256="),
    "github": Scheme("x-hub-signature-256", prefix="sha256="),
    "redmine": Scheme("x-redmine-signature-256", prefix="sha256="),
    "glpi": Scheme("x-glpi-signature", "{body}{timestamp}", timestamp="x-glpi-timestamp"),
    "zendesk": Scheme(
        "x-zendesk-webhook-signature", "{timestamp}{body}", encoding="base64", tolerance=TOLERANCE,
        timestamp="x-zendesk-webhook-signature-timestamp", iso=True),
    "freescout": Scheme("x-freescout-signature", algorithm="sha1", encoding="base64", keys=freescout_key),
    "gitlab-token": Scheme("x-gitlab-token", ""),
    "token": Scheme("x-webhook-token", "", proves="unsigned"),
    "bearer": Scheme("authorization", "", prefix="Bearer ", proves="unsigned"),
    "secret-header": Scheme("x-webhook-secret", "", proves="unsigned"),
    "query-token": Scheme("?token", "", proves="unsigned"),
}  # fmt: skip
"""The ways in which desks prove a push. A name that begins with `?` is a part of the query, not a header."""


def check_secrets(schemes: Sequence[str], secrets: Sequence[str]) -> None:
    """Check secrets as configured, at start.

    `ValueError` names the faulty one by its place, never by its value.
    """
    if not secrets:
        raise ValueError("no webhook secret is configured, so every push would be refused")
    for place, secret in enumerate(secrets, start=1):
        faults = [fault for name in schemes if (fault := _fault(SCHEMES[name], secret))]
        if len(faults) == len(schemes) and faults:
            raise ValueError(f"webhook secret {place} of {len(secrets)} {faults[0]}")


def verify(
    schemes: Sequence[str],
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    query: Mapping[str, str] | None = None,
    tolerance: timedelta | None = None,
) -> Proof:
    """What a push proves by the first of `schemes` that it makes use of; else `Refused`.

    Several secrets: the old and the new one, while the sender changes over. Header names fit in any case. Without
    secrets, or where a desk has nothing to prove with, it proves nothing: `unsigned`. `query` is None if nobody knows
    to which address it was pushed; a token that would stand there is then not missed.
    """
    if not secrets or not schemes:
        return Proof("unsigned")
    sent = by_name(headers, query)
    used = next((SCHEMES[name] for name in schemes if sent.get(SCHEMES[name].header)), None)
    if used is None:
        wanted = [SCHEMES[name].header for name in schemes]
        if query is None and any(header.startswith("?") for header in wanted):
            return Proof("unsigned")
        first = SCHEMES[schemes[0]]
        missing = next(name for name in (first.id, first.timestamp, first.header) if name and not sent.get(name))
        raise Refused(f"{_named(missing)} is missing, and a secret is set for this desk", "unsigned")
    return _verify(used, secrets, sent, body, now, used.tolerance if tolerance is None else tolerance)


def sign(name: str, secret: str, body: bytes, *, id: str = "", timestamp: str = "") -> dict[str, str]:
    """The headers that prove a push of `body`, as a desk of that scheme would send them."""
    scheme = SCHEMES[name]
    key = scheme.keys(secret)[0]
    made = _signature(scheme, key, id, timestamp, body).decode() if scheme.signed else secret
    headers = {scheme.id: id, scheme.timestamp: timestamp, scheme.header: f"{scheme.prefix}{made}"}
    return {header: value for header, value in headers.items() if header}


def challenge(secret: str, token: str) -> str:
    """What GLPI wants to hear when it asks, by `GET ?crc_token=<token>`, whether we know the secret."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _verify(
    scheme: Scheme,
    secrets: Sequence[str],
    sent: Mapping[str, str],
    body: bytes,
    now: datetime,
    tolerance: timedelta | None,
) -> Proof:
    id, timestamp = (_value(sent, name) for name in (scheme.id, scheme.timestamp))
    sent_at = _time(scheme, timestamp) if scheme.timestamp else None
    value = sent[scheme.header]
    offered = [
        part.removeprefix(scheme.prefix).encode(errors="replace")
        for part in (value.split() if scheme.many else [value.strip()])
        if part.startswith(scheme.prefix)
    ]
    if not offered:
        kind = scheme.prefix.rstrip("=, ")
        raise Refused(f"{scheme.header} has no {kind} signature, the only version that is known here")
    matches = False
    for secret in secrets:
        for key in _keys(scheme, secret):
            expected = _signature(scheme, key, id, timestamp, body) if scheme.signed else key
            for signature in offered:
                # All of them, each in constant time: the time taken tells nobody which one fits.
                matches |= hmac.compare_digest(expected, signature)
    if not matches and scheme.signed:
        raise Refused("no signature matches: another secret, or the body is not as it was sent")
    if not matches:
        raise Refused(f"{_named(scheme.header)} is not the token of this desk")
    if sent_at and tolerance is not None:
        _check_time(sent_at, now, tolerance)
    return Proof(scheme.proves, id, sent_at)


def _signature(scheme: Scheme, key: bytes, id: str, timestamp: str, body: bytes) -> bytes:
    before, _, after = scheme.signed.partition("{body}")
    parts = {"id": id, "timestamp": timestamp}
    signed = before.format(**parts).encode(errors="replace") + body + after.format(**parts).encode(errors="replace")
    digest = hmac.digest(key, signed, scheme.algorithm)
    return b64encode(digest) if scheme.encoding == "base64" else digest.hex().encode()


@lru_cache
def _keys(scheme: Scheme, secret: str) -> tuple[bytes, ...]:
    return () if _fault(scheme, secret) else tuple(scheme.keys(secret))


def _fault(scheme: Scheme, secret: str) -> str:
    try:
        scheme.keys(secret)
    except ValueError as error:
        return str(error)
    return "" if secret else "is empty"


def _value(sent: Mapping[str, str], name: str) -> str:
    if not name:
        return ""
    value = sent.get(name, "")
    if not value:
        raise Refused(f"{_named(name)} is missing")
    return value


def _named(name: str) -> str:
    return f"`{name}=` of the address" if name.startswith("?") else f"header {name}"


def _time(scheme: Scheme, value: str) -> datetime:
    try:
        if scheme.iso:
            if (time := datetime.fromisoformat(value)).tzinfo:
                return time
        elif value.isascii() and value.isdigit() and len(value) <= LONGEST_TIME:
            return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    wanted = "an ISO 8601 time with its zone" if scheme.iso else "a number of unix seconds"
    raise Refused(f"{scheme.timestamp} is not {wanted}")


def _check_time(sent_at: datetime, now: datetime, tolerance: timedelta) -> None:
    ahead = sent_at - now
    if ahead < -tolerance:
        raise Refused(f"stale: {-ahead} old, {tolerance} is allowed: compare the two clocks", "stale")
    if ahead > tolerance:
        raise Refused(f"future: {ahead} ahead, {tolerance} is allowed: compare the two clocks", "stale")
