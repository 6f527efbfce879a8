"""Who may do what at a Kafka that asks: each activity is a principal of its own, with exactly its rows of the table.

It reads what it hears and its inbox, writes what it tells, its inbox and its dead letters, and has its own consumer
group. Nobody but the administrator makes topics.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

from contracts.value_chain import ACTIVITIES, TOPICS, dead_letters, heard_by, inbox, told_by
from svc.broker import clients
from svc.journeys import GROUP as JOURNEYS
from svc.trouble import Trouble

ADMINISTRATOR, LOOKER = "admin", "svc"
"""Who makes topics and gives rights; and the commands that look into topics (`svc recover`, `svc journeys`)."""
PRINCIPALS = (*ACTIVITIES, LOOKER)
"""Those who have rights; the administrator needs none."""
MECHANISM = "SCRAM-SHA-512"
"""How they prove who they are; the administrator by PLAIN, since somebody must be known before anybody is made."""

TOPIC, GROUP = 2, 3
READ, WRITE, DESCRIBE = 3, 4, 8
ANY, LITERAL, ALLOW = 1, 3, 3
"""Numbers of Kafka's protocol: kinds of resources, operations, filters and patterns."""
SHA_512, ITERATIONS, SALT = 2, 8192, 24


class Right(NamedTuple):
    """One line of an access control list: this principal may do this to that, from any host."""

    principal: str
    resource: int
    name: str
    operation: int


def rights(principal: str) -> frozenset[Right]:
    """What a principal may do, by `contracts/value_chain.py`. Who may read or write a topic may also describe it."""
    if principal == LOOKER:
        reads, writes = set(TOPICS), set[str]()
        groups = {f"svc.{activity}": DESCRIBE for activity in ACTIVITIES} | {JOURNEYS: READ}
    else:
        own = inbox(principal)
        reads = {own} | {flow.topic for flow in heard_by(principal)}
        writes = {own, dead_letters(principal)} | {flow.topic for flow in told_by(principal)}
        groups = {f"svc.{principal}": READ}
    return frozenset(
        [Right(principal, TOPIC, topic, READ) for topic in reads]
        + [Right(principal, TOPIC, topic, WRITE) for topic in writes]
        + [Right(principal, GROUP, group, operation) for group, operation in groups.items()]
    )


def broker_settings(administrator: str, certificate: str, authority: str) -> dict[str, str]:
    """The properties of a broker that asks everybody who they are, over TLS, and lets them do what they may.

    Its listener is called CLIENTS, its controller's CONTROLLER. `administrator` is that one's password; the others name
    files in PEM: the broker's certificate with its key, and the authority that has signed it.
    """
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    admin = f'{plain} username="{ADMINISTRATOR}" password="{administrator}" user_{ADMINISTRATOR}="{administrator}";'
    return {
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": f"{MECHANISM},PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.clients.plain.sasl.jaas.config": admin,
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": admin,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMINISTRATOR}",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority,
    }


def client_settings(principal: str, password: str) -> dict[str, str]:
    """`SVC_KAFKA` of a principal."""
    return {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN" if principal == ADMINISTRATOR else MECHANISM,
        "sasl_plain_username": principal,
        "sasl_plain_password": password,
    }


async def grant(bootstrap: str, passwords: Mapping[str, str]) -> list[Right]:
    """Make each principal with its password and exactly its rights; returns the rights that were given or taken now.

    Whoever calls is the administrator, by `SVC_KAFKA`. What other principals may do is left as it is.
    """
    admin = AIOKafkaAdminClient(**clients(bootstrap))
    await admin.start()
    try:
        await _make_users(admin, passwords)
        changed: list[Right] = []
        for principal in passwords:
            there, due = await _rights_now(admin, principal), rights(principal)
            for right in sorted(due - there):
                answer = await _ask(admin, CreateAclsRequest(*_as_acl(right)))
                _refuse(answer.creation_responses, f"{right}")
            for right in sorted(there - due):
                answer = await _ask(admin, DeleteAclsRequest(*_as_acl(right)))
                _refuse([(code, why) for code, why, _ in answer.filter_responses], f"{right}")
            changed += sorted(due ^ there)
        return changed
    finally:
        await admin.close()


async def rights_now(bootstrap: str, principal: str) -> frozenset[Right]:
    """What a principal may do at this broker, as the broker says."""
    admin = AIOKafkaAdminClient(**clients(bootstrap))
    await admin.start()
    try:
        return await _rights_now(admin, principal)
    finally:
        await admin.close()


async def _rights_now(admin: AIOKafkaAdminClient, principal: str) -> frozenset[Right]:
    answer = await _ask(admin, DescribeAclsRequest(ANY, None, ANY, f"User:{principal}", None, ANY, ANY))
    _refuse([(answer.error_code, answer.error_message)], f"the rights of {principal}")
    return frozenset(
        Right(principal, resource, name, operation)
        for resource, name, _, entries in answer.resources
        for _, _, operation, _ in entries
    )


def _as_acl(right: Right) -> tuple[int, str, int, str, str, int, int]:
    """As requests write it: resource, name, pattern, principal, host, operation, permission."""
    return right.resource, right.name, LITERAL, f"User:{right.principal}", "*", right.operation, ALLOW


async def _make_users(admin: AIOKafkaAdminClient, passwords: Mapping[str, str]) -> None:
    answer = await _ask(admin, AlterUserScramCredentialsRequest(passwords))
    for user, code, why, _ in answer.results:
        _refuse([(code, why)], f"user {user}")


def _refuse(answers: list[tuple[int, str | None]], what: str) -> None:
    for code, why in answers:
        if code:
            raise Trouble(
                f"Kafka refuses {what}: {why or for_code(code).__name__}. It must have an authorizer, and SVC_KAFKA "
                "must name an administrator of it."
            )


async def _ask(admin: AIOKafkaAdminClient, request: Request[Any]) -> Any:
    """One request; aiokafka's administrator knows access control lists as requests, and not yet as methods."""
    return await admin._send_request(request)


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Alter(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUserScramCredentialsRequest(Request[_Alter]):  # type: ignore[misc]
    """Makes users, or gives them other passwords (KIP-554); aiokafka has no such request yet."""

    API_KEY = 51

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self.passwords = passwords

    def build(self, request_struct_class: type[_Alter]) -> _Alter:
        """With a salt of its own for each; the password itself does not go over the wire."""
        users: list[tuple[object, ...]] = []
        for name, password in self.passwords.items():
            salt = secrets.token_bytes(SALT)
            salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
            users.append((name, SHA_512, ITERATIONS, salt, salted, {}))
        return request_struct_class([], users, {})
