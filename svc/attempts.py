"""What somebody can really do at a Kafka: each thing is tried, and nothing changes by it."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.produce import ProduceRequest
from rich import box
from rich.table import Table

from contracts.value_chain import ACTIVITIES, TOPICS
from svc import running
from svc.access import GROUP, PRINCIPALS, READ, TOPIC, WRITE, rights
from svc.broker import clients
from svc.journeys import GROUP as JOURNEYS
from svc.looking import Seen
from svc.prepare import required
from svc.trouble import Trouble

NOWHERE = 1_000_000
"""A partition that no topic has: who may write is told so, and nothing is written."""
NEW = "svc.made-by-a-trial"
"""A topic that is asked for, and not made even if it may be."""
OPERATIONS = ("read", "write", "create", "join")
GROUPS = (*(f"svc.{activity}" for activity in ACTIVITIES), JOURNEYS)


class Attempt(NamedTuple):
    """One thing that can be tried: read, write or create a topic, or join a group."""

    operation: str
    name: str


EVERYTHING = frozenset(
    [Attempt(operation, topic) for operation in ("read", "write") for topic in TOPICS]
    + [Attempt("join", group) for group in GROUPS]
    + [Attempt("create", NEW)]
)


def allowed(principal: str) -> frozenset[Attempt]:
    """What a principal may do by the table of flows, of all that is tried."""
    words = {(TOPIC, READ): "read", (TOPIC, WRITE): "write", (GROUP, READ): "join"}
    may = ((words.get((right.resource, right.operation)), right.name) for right in rights(principal))
    return frozenset(Attempt(word, name) for word, name in may if word)


async def try_everything(bootstrap: str) -> frozenset[Attempt]:
    """What succeeds for whom `SVC_KAFKA` names; `KafkaError` if it is not let in at all."""
    admin = AIOKafkaAdminClient(**clients(bootstrap))
    await admin.start()
    try:
        done = [Attempt("read", topic) for topic in TOPICS if await _read(admin, topic)]
        done += [Attempt("write", topic) for topic in TOPICS if await _write(admin, topic)]
        done += [Attempt("join", group) for group in GROUPS if await _join(admin, group)]
        done += [Attempt("create", NEW)] if await _create(admin) else []
        return frozenset(done)
    finally:
        await admin.close()


async def _read(admin: AIOKafkaAdminClient, topic: str) -> bool:
    answer = await admin._send_request(FetchRequest(100, 0, 1024, 0, [(topic, [(0, 0, 1024)])]))
    ((_, ((_, code, *_),)),) = answer.topics
    return _let(code, TopicAuthorizationFailedError, expected=0)


async def _write(admin: AIOKafkaAdminClient, topic: str) -> bool:
    answer = await admin._send_request(ProduceRequest(None, -1, 5000, [(topic, [(NOWHERE, b"")])]))
    ((_, ((_, code, *_),)),) = answer.topics
    return _let(code, TopicAuthorizationFailedError, expected=UnknownTopicOrPartitionError.errno)


async def _join(admin: AIOKafkaAdminClient, group: str) -> bool:
    found = await admin._send_request(FindCoordinatorRequest(group, 0))
    if found.error_code == GroupAuthorizationFailedError.errno:
        return False
    answer = await admin._send_request(HeartbeatRequest(group, 1, "nobody"))
    return _let(answer.error_code, GroupAuthorizationFailedError, expected=UnknownMemberIdError.errno)


async def _create(admin: AIOKafkaAdminClient) -> bool:
    answer = await admin.create_topics([NewTopic(NEW, 1, 1)], validate_only=True)
    ((_, code, *_),) = answer.topic_errors
    refused = code in (TopicAuthorizationFailedError.errno, ClusterAuthorizationFailedError.errno)
    return not refused and _let(code, TopicAuthorizationFailedError, expected=0)


def _let(code: int, refusal: Any, *, expected: int) -> bool:
    """Whether it was let; `Trouble` for an answer that says neither."""
    if code not in (refusal.errno, expected):
        raise Trouble(f"Kafka answers neither yes nor no, but with error {code}: repeat when the chain is ready.")
    return bool(code == expected)


async def compare(principal: str) -> Seen:
    """What a principal can do beside what it may; `Trouble` if it is not the same."""
    if principal not in PRINCIPALS:
        raise Trouble(f"{principal} is no principal of the chain: {', '.join(PRINCIPALS)}.")
    try:
        can, may = await try_everything(bootstrap := required(running.KAFKA)), allowed(principal)
    except KafkaError as error:
        raise Trouble(
            f"Kafka at {bootstrap} does not let {principal} in ({type(error).__name__}): is the password in SVC_KAFKA "
            "the right one, and is the authority of its certificate trusted (SSL_CERT_FILE)?"
        ) from error
    if can != may:
        found = as_json(can, may)
        more, less = found["too_much"] or "nothing", found["too_little"] or "nothing"
        raise Trouble(f"{principal} can do too much: {more}; and too little: {less}. `svc prepare --grant` mends it.")
    return Seen(render(principal, can), {"principal": principal, **as_json(can, may)})


def as_json(can: Collection[Attempt], may: Collection[Attempt]) -> Mapping[str, object]:
    """For scripts: how much was tried, what succeeded, and what should not or should have."""
    return {
        "tried": len(EVERYTHING),
        "can": [f"{one.operation} {one.name}" for one in sorted(can)],
        "too_much": [f"{one.operation} {one.name}" for one in sorted(set(can) - set(may))],
        "too_little": [f"{one.operation} {one.name}" for one in sorted(set(may) - set(can))],
    }


def render(principal: str, can: Collection[Attempt]) -> Any:
    """A row for each topic and group that the principal can do anything with."""
    shown = Table(title=f"What {principal} can do, and may", box=box.SIMPLE, pad_edge=False)
    for heading in ("", *OPERATIONS):
        shown.add_column(heading)
    for name in sorted({one.name for one in can}):
        shown.add_row(name, *("yes" if Attempt(operation, name) in can else "" for operation in OPERATIONS))
    return shown
