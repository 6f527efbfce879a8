"""Our proof of a push against the official library, and against pushes of a real desk."""

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
import standardwebhooks.webhooks
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from services.engage.desks.standard_webhooks import Delivery, Refused, check_secrets, sign, verify
from svc.desk_replay import RECORDINGS

ROUNDUP = Path(__file__).parents[1] / "data" / "desks" / "roundup"
RECORDED_SECRET = (ROUNDUP / "secret.txt").read_text().strip()
RECORDED = sorted(
    Path(str(folder), name.removesuffix(".http.json"))
    for folder in (RECORDINGS, ROUNDUP)
    for name in (file.name for file in folder.iterdir())
    if name.endswith(".http.json")
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BODY = '{"type": "issue.created", "data": {"title": "Größe 🚗"}}'.encode()
SECRET, OLD, FOREIGN = (f"whsec_{b64encode(bytes([n]) * 32).decode()}" for n in (1, 2, 3))

GOOD = sign(SECRET, delivery="issue1-4711", timestamp=NOW, body=BODY)
BY_OLD = sign(OLD, delivery="issue1-4711", timestamp=NOW, body=BODY)
BY_FOREIGN = sign(FOREIGN, delivery="issue1-4711", timestamp=NOW, body=BODY)


def at(offset: timedelta) -> dict[str, str]:
    return sign(SECRET, delivery="issue1-4711", timestamp=NOW + offset, body=BODY)


def signatures(*several: str) -> dict[str, str]:
    return GOOD | {"webhook-signature": " ".join(several)}


V1, V1_OLD, V1_FOREIGN = (signed["webhook-signature"] for signed in (GOOD, BY_OLD, BY_FOREIGN))
ASYMMETRIC = "v1a," + b64encode(bytes(64)).decode()
SECOND = timedelta(seconds=1)
FIVE_MINUTES = timedelta(minutes=5)

ACCEPTED = {
    "valid": ([SECRET], GOOD, BODY),
    "header names in capitals": ([SECRET], {k.upper(): v for k, v in GOOD.items()}, BODY),
    "signed with the new secret of two": ([OLD, SECRET], GOOD, BODY),
    "signed with the old secret of two": ([SECRET, OLD], BY_OLD, BODY),
    "several signatures, the first fits": ([SECRET], signatures(V1, V1_FOREIGN), BODY),
    "several signatures, the last fits": ([SECRET], signatures(V1_FOREIGN, V1), BODY),
    "an asymmetric signature beside it": ([SECRET], signatures(ASYMMETRIC, V1), BODY),
    "as old as allowed": ([SECRET], at(-FIVE_MINUTES), BODY),
    "as far ahead as allowed": ([SECRET], at(FIVE_MINUTES), BODY),
    "secret without padding": ([SECRET.rstrip("=")], GOOD, BODY),
}
REFUSED = {
    "wrong secret": ([FOREIGN], GOOD, BODY, "no signature matches"),
    "signed with a retired secret": ([SECRET], BY_OLD, BODY, "no signature matches"),
    "stale": ([SECRET], at(-FIVE_MINUTES - SECOND), BODY, "stale: 0:05:01 old"),
    "future": ([SECRET], at(FIVE_MINUTES + SECOND), BODY, "future: 0:05:01 ahead"),
    "altered body": ([SECRET], GOOD, BODY + b" ", "no signature matches"),
    "body of another character": ([SECRET], GOOD, BODY.lower(), "no signature matches"),
    "another id": ([SECRET], GOOD | {"webhook-id": "issue2"}, BODY, "no signature matches"),
    "a fresher time than signed": (
        [SECRET],
        GOOD | {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        BODY,
        "no signature matches",
    ),
    "signed as v1, offered as v2": (
        [SECRET],
        signatures(V1.replace("v1,", "v2,")),
        BODY,
        "no v1 signature",
    ),
    "only asymmetric": ([SECRET], signatures(ASYMMETRIC), BODY, "no v1 signature"),
    **{
        f"without {name}": (
            [SECRET],
            {k: v for k, v in GOOD.items() if k != name},
            BODY,
            f"header {name} is missing",
        )
        for name in GOOD
    },
    **{f"empty {name}": ([SECRET], GOOD | {name: ""}, BODY, f"header {name} is missing") for name in GOOD},
    **{
        f"time {text!r}": (
            [SECRET],
            GOOD | {"webhook-timestamp": text},
            BODY,
            "not a number of unix seconds",
        )
        for text in ("soon", "-1", "١٢٣", "0x10", "9" * 5000)
    },
}


def library_accepts(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> bool:
    """What the official library says; it knows one secret at a time."""
    for secret in secrets:
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
        except WebhookVerificationError:
            continue
        return True
    return False


@pytest.fixture
def library_clock(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The time that the official library believes it is: `library_clock.now.return_value`."""
    clock = Mock(wraps=datetime)
    clock.now.return_value = NOW
    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", clock)
    return clock


@pytest.mark.usefixtures("library_clock")
@pytest.mark.parametrize(("secrets", "headers", "body"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepts_what_the_official_library_accepts(secrets: list[str], headers: dict[str, str], body: bytes) -> None:
    assert library_accepts(secrets, headers, body)

    seconds = next(v for k, v in headers.items() if k.lower() == "webhook-timestamp")
    sent = datetime.fromtimestamp(int(seconds), UTC)
    assert verify(secrets, headers, body, NOW) == Delivery("issue1-4711", sent)


@pytest.mark.usefixtures("library_clock")
@pytest.mark.parametrize(("secrets", "headers", "body", "reason"), REFUSED.values(), ids=REFUSED)
def test_refuses_what_the_official_library_refuses_and_says_why(
    secrets: list[str], headers: dict[str, str], body: bytes, reason: str
) -> None:
    assert not library_accepts(secrets, headers, body)

    with pytest.raises(Refused) as refused:
        verify(secrets, headers, body, NOW)
    assert reason in str(refused.value)


@given(id=st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1), body=st.text())
def test_signs_what_the_official_library_accepts(id: str, body: str) -> None:
    now = datetime.now(UTC)
    headers = sign(SECRET, delivery=id, timestamp=now, body=body.encode())
    assert library_accepts([SECRET], headers, body.encode())


@given(id=st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1), body=st.text())
def test_accepts_what_the_official_library_signs(id: str, body: str) -> None:
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(id, NOW, body),
    }
    assert verify([SECRET], headers, body.encode(), NOW) == Delivery(id, NOW)


@given(body=st.binary(min_size=1), data=st.data())
def test_any_other_byte_breaks_the_signature_also_of_a_body_that_is_no_text(body: bytes, data: st.DataObject) -> None:
    headers = sign(SECRET, delivery="issue1", timestamp=NOW, body=body)
    verify([SECRET], headers, body, NOW)

    place = data.draw(st.integers(0, len(body) - 1))
    altered = bytearray(body)
    altered[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Refused, match="no signature matches"):
        verify([SECRET], headers, bytes(altered), NOW)


@given(headers=st.fixed_dictionaries({name: st.text() for name in GOOD}), body=st.binary())
def test_refuses_whatever_was_not_signed_whatever_it_looks_like(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Refused):
        verify([SECRET], headers, body, NOW)


def test_compares_every_signature_with_every_secret_also_after_one_has_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    in_constant_time = hmac.compare_digest

    def watched(expected: bytes, offered: bytes) -> bool:
        compared.append((expected, offered))
        return in_constant_time(expected, offered)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    verify([SECRET, OLD], signatures(V1, V1_FOREIGN), BODY, NOW)
    assert len(compared) == 4


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.name)
def test_a_push_of_a_real_desk_proves_itself_at_the_time_it_came(recording: Path, library_clock: Mock) -> None:
    http = json.loads(Path(f"{recording}.http.json").read_text())
    body = Path(f"{recording}.body.json").read_bytes()
    came = datetime.fromisoformat(http["received_at"])

    delivery = verify([RECORDED_SECRET], http["headers"], body, came)
    assert delivery.id == http["headers"]["Webhook-Id"]
    assert abs(delivery.timestamp - came) < timedelta(seconds=3)
    library_clock.now.return_value = came
    assert library_accepts([RECORDED_SECRET], http["headers"], body)

    with pytest.raises(Refused, match="stale"):
        verify([RECORDED_SECRET], http["headers"], body, came + timedelta(minutes=6))


def test_a_real_push_read_and_written_again_no_longer_proves_itself() -> None:
    assert RECORDED
    http = json.loads(Path(f"{RECORDED[0]}.http.json").read_text())
    body = Path(f"{RECORDED[0]}.body.json").read_bytes()
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert json.loads(again) == json.loads(body)

    with pytest.raises(Refused, match="the body is not as it was sent"):
        verify([RECORDED_SECRET], http["headers"], again, datetime.fromisoformat(http["received_at"]))


def test_secrets_in_order_pass_the_check() -> None:
    check_secrets([RECORDED_SECRET, SECRET.rstrip("=")])


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        ("", "does not begin with `whsec_`"),
        (SECRET.removeprefix("whsec_"), "does not begin with `whsec_`"),
        ("whsk_" + SECRET.removeprefix("whsec_"), "does not begin with `whsec_`"),
        ("whsec_", "too short to be safe: 0 bytes"),
        ("whsec_" + b64encode(bytes(23)).decode(), "too short to be safe: 23 bytes"),
        ("whsec_not/base64!" + "A" * 32, "is not base64"),
        (SECRET + "\n", "is not base64"),
        ("whsec_ä" + "A" * 32, "is not base64"),
    ],
)
def test_a_faulty_secret_is_an_error_at_start_that_names_its_place_and_never_its_value(secret: str, fault: str) -> None:
    with pytest.raises(ValueError, match="webhook secret 2 of 2 ") as error:
        check_secrets([SECRET, secret])
    assert fault in str(error.value)
    text = secret.removeprefix("whsec_").strip()
    assert not text or text not in str(error.value)


def test_no_secret_at_all_is_an_error_at_start() -> None:
    with pytest.raises(ValueError, match="no webhook secret is configured"):
        check_secrets([])
