"""Messages as records: CloudEvents 1.0 in structured mode, in both directions, and where a record belongs.

The value of a record is the whole event; `content-type` and `traceparent` are its only Kafka headers (seven `ce_*` headers would cost a
third of a worker's CPU). Binary mode is accepted from others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NotRequired, Protocol, Union
from uuid import UUID, uuid5

import orjson
from pydantic import Discriminator, TypeAdapter
from typing_extensions import TypedDict

from contracts import value_chain
from contracts.event import Message, Told, dashed

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """What a broker hands over (an aiokafka `ConsumerRecord`)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Undecodable(ValueError):
    """A record that contracts do not know or that is invalid; the text says why."""


class Attributes(TypedDict):
    """The CloudEvents attributes of a message, as decoded."""

    id: UUID
    source: str
    time: datetime
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
        """The record as an arrival; None for a type that this activity does not hear."""
        try:
            decoded = self.decode(record.value or b"", record.headers)
        except Undecodable as error:
            nowhere = uuid5(UUID(int=0), f"{record.topic}/{record.partition}/{record.offset}")
            unread = Attributes(
                id=nowhere, source="", time=datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
            )
            return Arrival(nowhere, (record.key or b"").decode(errors="replace"), record, unread, None, str(error))
        if decoded is None:
            return None
        attributes, message = decoded
        return Arrival(message.id, message.case, record, attributes, message)

    def decode(self, value: bytes, headers: Headers = ()) -> tuple[Attributes, Message] | None:
        """Attributes and message; None for a type that is not heard here. `Undecodable` for what contracts do not know, or is invalid."""
        if any(name.lower() == "ce_specversion" for name, _ in headers):
            value = _structured(value, headers)
        found = _type_of(value)
        if found not in self._hears:
            if found in self._known:
                return None
            raise Undecodable(
                f"type {found!r} is unknown to contracts" if found else "not a CloudEvent: it has no type"
            )
        try:
            envelope: Any = self._adapter.validator.validate_json(value, extra="ignore")
        except ValueError as error:
            raise Undecodable(" ".join(str(error).split())[:1000]) from None
        message: Message = envelope["data"]
        message._told = Told(
            envelope["id"], envelope["time"], envelope.get("valuestream", ""), envelope.get("streamstep", "")
        )
        return envelope, message


def encode(
    message: Message, *, id: UUID, source: str, time: datetime, cause: str = "", sequence: int = 0, stream: str = "", step: str = "",
    traceparent: str = "", fingerprint: str = "",
) -> bytes:  # fmt: skip
    """The value of a record. `type` stands first behind `specversion`, so a reader finds it without decoding the rest."""
    case = message.case
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "type": message.type,
        "id": str(id),
        "source": source,
        "subject": case,
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": "urn:schema:" + message.type,
        "correlationid": case,
        "causationid": cause,
        "sequence": str(sequence) if sequence else "",
        "valuestream": stream,
        "streamstep": step,
        "traceparent": traceparent,
        "fingerprint": fingerprint,
    }
    present = {name: value for name, value in envelope.items() if value != ""}
    present["data"] = orjson.Fragment(message.__pydantic_serializer__.to_json(message))
    return orjson.dumps(present)


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


def _structured(data: bytes, headers: Headers) -> bytes:
    """A binary-mode event in structured mode."""
    names = {name.lower(): text.decode(errors="replace") for name, text in headers}
    attributes = {name[3:]: text for name, text in names.items() if name.startswith("ce_")}
    try:
        return orjson.dumps({**attributes, "data": orjson.Fragment(data or b"null")})
    except orjson.JSONEncodeError as error:
        raise Undecodable(f"not JSON: {error}") from None
