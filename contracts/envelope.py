"""Messages as records: CloudEvents 1.0 in structured mode, in both directions, and where a record belongs.

The value of a record is the whole event; `content-type` and `traceparent` are its only Kafka headers (seven `ce_*`
headers would cost a third of a worker's CPU). Binary mode is accepted from others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NotRequired, Protocol, Union
from uuid import UUID, uuid5

import orjson
from pydantic import AwareDatetime, Discriminator, TypeAdapter
from typing_extensions import TypedDict

from contracts import value_chain
from contracts.event import Message, Told, dashed

_LAST_SECOND = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
MOST_BYTES = 1_000_000
"""Largest value of a record: with key and headers it must fit into the 1 MiB that Kafka takes."""
MOST_CASE = 255
"""Characters of a case: it stands in indexes of the databases, which take no text of any length."""
Headers = Sequence[tuple[str, bytes]]
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Record(Protocol):
    """What a broker hands over (an aiokafka `ConsumerRecord`)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Undecodable(ValueError):  # noqa: N818 - it says what the record is
    """A record that contracts do not know or that is invalid; the text says why."""


class Attributes(TypedDict):
    """The CloudEvents attributes of a message, as decoded."""

    id: UUID
    source: str
    time: AwareDatetime
    correlationid: NotRequired[str]
    causationid: NotRequired[str]
    valuestream: NotRequired[str]
    streamstep: NotRequired[str]
    traceparent: NotRequired[str]
    fingerprint: NotRequired[str]


@dataclass(slots=True)
class Arrival:
    """A record on its way through a batch."""

    id: UUID
    case: str
    record: Record
    attributes: Attributes
    message: Message | None
    """None when it cannot be decoded; `error` says why."""
    error: str = ""
    parked: bool = False
    """It comes from the parked records of its case, not from the log."""
    discarded: str = ""
    """Who gives it up, and why; empty: nobody."""
    edited: str = ""
    """Who has corrected it, and why; empty: nobody."""

    @property
    def value(self) -> bytes:
        """What it says, in structured mode."""
        return _structured(self.record.value or b"", self.record.headers)


class Codec:
    """Decodes what one activity hears (message classes by type); envelope and data are validated in one call."""

    def __init__(self, hears: Mapping[str, type[Message]]) -> None:
        self._hears = hears
        kinds = [
            TypedDict(f"Envelope{i}", {**Attributes.__annotations__, "type": Literal[name], "data": message})  # type: ignore[operator]
            for i, (name, message) in enumerate(self._hears.items())
        ]
        whole: Any = Annotated[Union[tuple(kinds)], Discriminator("type")] if len(kinds) > 1 else kinds[0]  # noqa: UP007
        self._adapter = TypeAdapter(whole)
        self._known = set(value_chain.BY_TYPE) | set(self._hears)

    def receive(self, record: Record) -> Arrival | None:
        """The record as an arrival; None for a type that this activity does not hear.

        What cannot be decoded has an id from its place, and its key as its case; without a key it is its own case.
        """
        try:
            decoded = self.decode(record.value or b"", record.headers)
        except Undecodable as error:
            id = uuid5(UUID(int=0), f"{record.topic}/{record.partition}/{record.offset}")
            case = (record.key or b"").decode(errors="replace").replace("\0", "\ufffd")[:MOST_CASE] or str(id)
            seconds = min(max(record.timestamp, 0) / 1000, _LAST_SECOND)
            unread = Attributes(id=id, source="", time=datetime.fromtimestamp(seconds, UTC))
            return Arrival(id, case, record, unread, None, str(error))
        if decoded is None:
            return None
        attributes, message = decoded
        return Arrival(message.id, message.case, record, attributes, message)

    def objection(self, value: bytes, case: str) -> str:
        """Why this is no message about `case` that is heard here; empty if it is one."""
        try:
            decoded = self.decode(value)
        except Undecodable as error:
            return str(error)
        if decoded is None:
            return f"type {_type_of(value)!r} is not heard here"
        return "" if decoded[1].case == case else f"it is about {decoded[1].case}, not about {case}"

    def decode(self, value: bytes, headers: Headers = ()) -> tuple[Attributes, Message] | None:
        """Attributes and message; None for a type that is not heard here.

        `Undecodable` for what contracts do not know, or is invalid.
        """
        value = _structured(value, headers)
        found = _type_of(value)
        if found not in self._hears:
            if found in self._known:
                return None
            raise Undecodable(
                f"type {found!r} is unknown to contracts" if found else "not a CloudEvent: it has no type"
            )
        if has_nul(value):
            raise Undecodable("a text has a NUL character (\\u0000), which PostgreSQL cannot store")
        try:
            envelope: Any = self._adapter.validator.validate_json(value, extra="ignore")
            time = envelope["time"].astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Undecodable(" ".join(str(error).split())[:1000]) from None
        message: Message = envelope["data"]
        if len(message.case) > MOST_CASE:
            raise Undecodable(f"its case has {len(message.case)} characters; a case has at most {MOST_CASE}")
        stream, step = envelope.get("valuestream", ""), envelope.get("streamstep", "")
        message.tell(Told(envelope["id"], time, stream, step))
        return envelope, message


def encode(
    message: Message,
    *,
    case: str = "",
    id: UUID,
    source: str,
    time: datetime,
    cause: str = "",
    sequence: int = 0,
    stream: str = "",
    step: str = "",
    traceparent: str = "",
    fingerprint: str = "",
) -> bytes:
    """The value of a record; `ValueError` when it is too large for one. `case` spares a look if it is at hand.

    `type` stands first behind `specversion`, so a reader finds it without decoding the rest.
    """
    case = case or message.case
    present: dict[str, Any] = {
        "specversion": "1.0",
        "type": message.type,
        "id": str(id),  # of a row it is asyncpg's own kind of UUID, which orjson does not know
        "source": source,
        "subject": case,
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": "urn:schema:" + message.type,
        "correlationid": case,
    }
    if cause:
        present["causationid"] = cause
    if sequence:
        present["sequence"] = str(sequence)
    if stream:
        present["valuestream"] = stream
    if step:
        present["streamstep"] = step
    if traceparent:
        present["traceparent"] = traceparent
    if fingerprint:
        present["fingerprint"] = fingerprint
    present["data"] = orjson.Fragment(message.__pydantic_serializer__.to_json(message))
    value = orjson.dumps(present)
    if len(value) > MOST_BYTES:
        raise ValueError(f"{message.type} would have {len(value)} bytes; a record has at most {MOST_BYTES}")
    return value


def has_nul(value: bytes) -> bool:
    """Whether a text in this JSON has a NUL character: JSON knows it, PostgreSQL cannot store it."""
    return b"\\u0000" in value and _NUL.search(value) is not None


def source_of(activity: str) -> str:
    """CloudEvents `source` of an activity: `/svc/design-transition`."""
    return "/svc/" + dashed(activity)


def record_headers(traceparent: str) -> list[tuple[str, bytes]]:
    """The Kafka headers of a record that we produce."""
    headers = [("content-type", CONTENT_TYPE)]
    return [*headers, ("traceparent", traceparent.encode())] if traceparent else headers


def _type_of(value: bytes) -> str:
    start = value.find(b'"type":"', 0, 64)
    if start >= 0 and (end := value.find(b'"', start + 8, start + 300)) >= 0:
        return value[start + 8 : end].decode(errors="replace")
    try:
        whole = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"not JSON: {error}") from None
    return str(whole.get("type", "")) if isinstance(whole, dict) else ""


def _structured(value: bytes, headers: Headers) -> bytes:
    """An event in structured mode; one that is in binary mode is put into it."""
    if not any(name.lower() == "ce_specversion" for name, _ in headers):
        return value
    attributes = {
        name[3:].lower(): (text or b"").decode(errors="replace") for name, text in headers if name[:3].lower() == "ce_"
    }
    return orjson.dumps({**attributes, "data": orjson.Fragment(value or b"null")})
