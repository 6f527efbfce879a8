"""One verifier, many desks: against what each vendor documents, against the official library, and against the clock."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engage.desks.signature import SCHEMES, Proof, Refused, challenge, check_secrets, sign, verify
from tests.desks.conformance.kits import STANDARD_SECRET

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = '{"a": "Größe"}'.encode()


class Vector(NamedTuple):
    """What a desk sends with `BODY`, computed here as its vendor says, without the code that is tested."""

    scheme: str
    secret: str
    headers: dict[str, str]


def mac(algorithm: str, key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, getattr(hashlib, algorithm)).digest()


VECTORS = [
    Vector("hub-sha1", "s", {"X-Hub-Signature": "sha1=" + mac("sha1", b"s", BODY).hex()}),
    Vector("hub-sha256", "s", {"X-Hub-Signature": "sha256=" + mac("sha256", b"s", BODY).hex()}),
    Vector("github", "s", {"X-Hub-Signature-256": "sha256=" + mac("sha256", b"s", BODY).hex()}),
    Vector(
        "glpi", "s", {"X-GLPI-signature": mac("sha256", b"s", BODY + STAMP.encode()).hex(), "X-GLPI-timestamp": STAMP}
    ),
    Vector(
        "zendesk",
        "s",
        {
            "X-Zendesk-Webhook-Signature": b64encode(mac("sha256", b"s", b"2026-11-24T12:00:00Z" + BODY)).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": "2026-11-24T12:00:00Z",
        },
    ),
    Vector(
        "freescout",
        "base64:APPKEY",
        {
            "X-FreeScout-Signature": b64encode(
                mac("sha1", hashlib.md5(b"base64:APPKEYwebhook_key").hexdigest().encode(), BODY)
            ).decode()
        },
    ),
    Vector("freescout", "k", {"X-FreeScout-Signature": b64encode(mac("sha1", b"k", BODY)).decode()}),
    Vector("gitlab-token", "s", {"X-Gitlab-Token": "s"}),
]


def test_github_s_own_example_is_accepted() -> None:
    # From GitHub's "Validating webhook deliveries".
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    proof = verify(
        ["github"], ["It's a Secret to Everybody"], {"X-Hub-Signature-256": signature}, b"Hello, World!", NOW
    )
    assert proof.signature == "valid"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.scheme)
def test_what_a_vendor_documents_is_accepted_and_nothing_else(vector: Vector) -> None:
    def verdict(body: bytes = BODY, secrets: tuple[str, ...] = (vector.secret,), **changed: str) -> str:
        try:
            return verify([vector.scheme], secrets, vector.headers | changed, body, NOW).signature
        except Refused as refused:
            return refused.signature

    assert verdict() == "valid"
    assert verdict(secrets=("another", vector.secret)) == "valid"
    assert verdict(secrets=("another",)) == "invalid"
    header = next(iter(vector.headers))
    assert verdict(**{header: ""}) == "unsigned"
    assert verdict(**{header: vector.headers[header] + "0"}) == "invalid"
    if SCHEMES[vector.scheme].signed:
        assert verdict(body=BODY + b" ") == "invalid"
        assert verdict(body=json.dumps(json.loads(BODY)).encode()) == "invalid"
    else:
        assert verdict(body=BODY + b" ") == "valid"


def test_a_version_that_is_not_known_proves_nothing() -> None:
    with pytest.raises(Refused, match="no sha256 signature"):
        verify(["github"], ["s"], {"X-Hub-Signature-256": "sha512=00"}, BODY, NOW)


@pytest.mark.parametrize(("name", "seconds", "verdict"), [
    ("zendesk", 300, "valid"), ("zendesk", 301, "stale"), ("zendesk", -300, "valid"), ("zendesk", -301, "stale"),
    ("standard-webhooks", 301, "stale"), ("glpi", 86_400, "valid"),
])  # fmt: skip
def test_a_desk_is_late_or_early_within_bounds(name: str, seconds: int, verdict: str) -> None:
    secret = STANDARD_SECRET if name == "standard-webhooks" else "s"
    scheme = SCHEMES[name]
    headers = sign(name, secret, BODY, id="m", timestamp=NOW.isoformat() if scheme.iso else STAMP)
    try:
        found: str = verify([name], [secret], headers, BODY, NOW + timedelta(seconds=seconds)).signature
    except Refused as refused:
        found = refused.signature
    assert found == verdict


def test_what_is_both_forged_and_old_is_called_forged() -> None:
    headers = sign("zendesk", "another", BODY, timestamp=NOW.isoformat())
    with pytest.raises(Refused) as refused:
        verify(["zendesk"], ["s"], headers, BODY, NOW + timedelta(days=1))
    assert refused.value.signature == "invalid"


def test_a_token_in_the_address_is_checked_where_the_address_is_known() -> None:
    def look(query: dict[str, str] | None) -> Proof:
        return verify(["query-token", "token"], ["s"], {}, BODY, NOW, query)

    assert look({"token": "s"}).signature == "unsigned"
    assert look(None).signature == "unsigned"
    for query, reason in (({"token": "t"}, "not the token"), ({}, "token=` of the address is missing")):
        with pytest.raises(Refused, match=reason):
            look(query)


def test_without_a_secret_nothing_is_proved() -> None:
    assert verify(["github"], [], {"X-Hub-Signature-256": "sha256=00"}, BODY, NOW) == Proof("unsigned")
    assert verify([], ["s"], {}, BODY, NOW) == Proof("unsigned")


def test_the_first_way_that_a_push_makes_use_of_counts() -> None:
    ways = ["standard-webhooks", "gitlab-token"]
    assert verify(ways, ["s"], {"X-Gitlab-Token": "s"}, BODY, NOW).signature == "valid"
    signed = sign("standard-webhooks", STANDARD_SECRET, BODY, id="m", timestamp=STAMP)
    assert verify(ways, [STANDARD_SECRET], signed, BODY, NOW) == Proof("valid", "m", NOW)
    with pytest.raises(Refused):  # a good token does not help a bad signature
        verify(ways, [STANDARD_SECRET], signed | {"X-Gitlab-Token": STANDARD_SECRET}, BODY + b"!", NOW)


def test_glpi_hears_that_we_know_the_secret() -> None:
    assert challenge("s", "abc") == mac("sha256", b"s", b"abc").hex()


def test_a_secret_that_no_way_can_use_is_an_error_at_start_that_does_not_show_it() -> None:
    check_secrets(["standard-webhooks", "gitlab-token"], ["short"])
    with pytest.raises(ValueError, match="webhook secret 2 of 2 is empty"):
        check_secrets(["github"], ["s", ""])
    with pytest.raises(ValueError, match="no webhook secret"):
        check_secrets(["github"], [])


@given(scheme=st.sampled_from(sorted(SCHEMES)), value=st.text(), body=st.binary(), stamp=st.text())
def test_whatever_was_not_signed_is_refused_whatever_it_looks_like(
    scheme: str, value: str, body: bytes, stamp: str
) -> None:
    known = SCHEMES[scheme]
    headers = {known.header: value, known.timestamp: stamp, known.id: "m"}
    query = {"token": value} if known.header.startswith("?") else {}
    with pytest.raises(Refused):
        verify([scheme], [STANDARD_SECRET], headers, body, NOW, query)


@given(scheme=st.sampled_from(sorted(SCHEMES)), body=st.binary())
def test_what_is_signed_is_accepted(scheme: str, body: bytes) -> None:
    time = NOW.isoformat() if SCHEMES[scheme].iso else STAMP
    headers = sign(scheme, STANDARD_SECRET, body, id="m", timestamp=time)
    query = {name[1:]: value for name, value in headers.items() if name.startswith("?")}
    assert verify([scheme], [STANDARD_SECRET], headers, body, NOW, query).signature in ("valid", "unsigned")
