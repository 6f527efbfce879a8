"""Who may do what at a Kafka that asks: tried on a real broker with TLS, SCRAM and access control lists."""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError, SaslAuthenticationFailed

from contracts.value_chain import ACTIVITIES, ENGAGE, FLOWS, PLAN, TOPICS
from svc.access import (
    ADMINISTRATOR,
    LOOKER,
    PRINCIPALS,
    TOPIC,
    WRITE,
    Right,
    broker_settings,
    client_settings,
    grant,
    rights,
    rights_now,
)
from svc.attempts import EVERYTHING, Attempt, allowed, try_everything
from svc.certificates import certify
from svc.log import handlers_of
from svc.machine import Home
from svc.machine.kafka import LocalKafka
from svc.topics import create_topics

Become = Callable[[str], None]


class Guarded:
    """A broker that asks everybody, with a chain's topics, principals and rights."""

    def __init__(self, bootstrap: str, authority: Path, passwords: dict[str, str]) -> None:
        self.bootstrap, self.authority, self.passwords = bootstrap, authority, passwords

    @contextmanager
    def as_(self, principal: str, password: str | None = None) -> Iterator[None]:
        """What this process asks of Kafka, it asks as this principal."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(self.authority))
            who = client_settings(principal, self.passwords[principal] if password is None else password)
            patch.setenv("SVC_KAFKA", json.dumps(who))
            yield


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    home = Home(folder / "home", downloads=Home().downloads)
    home.prepare()
    certificate, authority = folder / "broker.pem", folder / "ca.pem"
    certify(["localhost", "127.0.0.1"], certificate, authority)
    passwords = {principal: secrets.token_urlsafe(12) for principal in (*PRINCIPALS, ADMINISTRATOR)}
    settings = broker_settings(passwords[ADMINISTRATOR], str(certificate), str(authority)) | {
        "listeners": "CLIENTS://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": "CLIENTS://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
        "inter.broker.listener.name": "CLIENTS",
    }
    kafka = LocalKafka(home, settings=settings)
    guarded = Guarded("", authority, passwords)
    with guarded.as_(ADMINISTRATOR):
        try:
            guarded.bootstrap = await kafka.start()
            await create_topics(guarded.bootstrap)
            await grant(guarded.bootstrap, {name: passwords[name] for name in PRINCIPALS})
            yield guarded
        finally:
            await kafka.stop()


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_a_principal_can_do_exactly_what_the_table_of_flows_says(broker: Guarded, principal: str) -> None:
    with broker.as_(principal):
        can = await try_everything(broker.bootstrap)
    assert can == allowed(principal)


async def test_the_administrator_can_do_everything(broker: Guarded) -> None:
    assert await try_everything(broker.bootstrap) == EVERYTHING


async def test_who_does_not_know_the_password_is_not_let_in(broker: Guarded) -> None:
    with broker.as_(PLAN, password="a guess"), pytest.raises(KafkaError) as refused:
        await try_everything(broker.bootstrap)
    assert isinstance(refused.value, SaslAuthenticationFailed) or "bootstrap" in str(refused.value)


async def test_who_does_not_trust_the_authority_does_not_send_a_password(
    broker: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with broker.as_(PLAN):
        certify(["localhost"], tmp_path / "other.pem", tmp_path / "other-ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other-ca.pem"))
        with pytest.raises(KafkaError):
            await try_everything(broker.bootstrap)


async def test_a_right_that_is_not_in_the_table_is_found_by_trial_and_taken_by_the_next_grant(
    broker: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant of the matrix: it must fail for a right too many."""
    topic = next(flow.topic for flow in FLOWS if flow.teller == PLAN)
    extra = Right(ENGAGE, TOPIC, topic, WRITE)
    with monkeypatch.context() as patch:
        patch.setattr("svc.access.rights", lambda principal: rights(principal) | {extra})
        assert await grant(broker.bootstrap, {ENGAGE: broker.passwords[ENGAGE]}) == [extra]
    with broker.as_(ENGAGE):
        assert await try_everything(broker.bootstrap) == allowed(ENGAGE) | {Attempt("write", topic)}
    assert await grant(broker.bootstrap, {ENGAGE: broker.passwords[ENGAGE]}) == [extra]
    assert await rights_now(broker.bootstrap, ENGAGE) == rights(ENGAGE)
    with broker.as_(ENGAGE):
        assert await try_everything(broker.bootstrap) == allowed(ENGAGE)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_what_an_activity_hears_and_tells_by_its_code_it_may(activity: str) -> None:
    handles = handlers_of(activity)
    read = {one.name for one in allowed(activity) if one.operation == "read"}
    written = {one.name for one in allowed(activity) if one.operation == "write"}
    assert set(handles.topics) <= read
    assert {flow.topic for flow in handles.tells.values()} <= written


def test_only_its_teller_may_write_a_topic_of_events() -> None:
    for topic in {flow.topic for flow in FLOWS if flow.teller in ACTIVITIES}:
        tellers = {flow.teller for flow in FLOWS if flow.topic == topic}
        assert {who for who in PRINCIPALS if Attempt("write", topic) in allowed(who)} == tellers


def test_the_commands_that_look_may_read_everything_and_write_nothing() -> None:
    assert allowed(LOOKER) == {Attempt("read", topic) for topic in TOPICS} | {Attempt("join", "svc.journeys")}
