"""Our envelope against the CloudEvents SDK, which knows nothing of us: both directions, both modes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
import pytest
from asyncpg.pgproto import pgproto
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from contracts.envelope import CONTENT_TYPE, Codec, Undecodable, encode, record_headers
from contracts.outside import DemandWithdrawn, RequirementsStated

NOW = datetime(2026, 11, 24, 8, 30, 15, 123456, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CODEC = Codec({DemandWithdrawn.type: DemandWithdrawn})


@dataclass
class Record:
    """A record as a broker hands it over."""

    value: bytes
    headers: list[tuple[str, bytes]]
    key: bytes = b"case"
    topic: str = "svc.engage.inbox"
    partition: int = 0
    offset: int = 7
    timestamp: int = 1_795_000_000_000


@dataclass
class Told:
    """A message and all that its envelope says."""

    demand: UUID = field(default_factory=uuid4)
    id: UUID = field(default_factory=uuid4)

    @property
    def message(self) -> DemandWithdrawn:
        """The message."""
        return DemandWithdrawn(demand=self.demand, stakeholder="emily@fleet.example", reason="no longer needed")

    @property
    def value(self) -> bytes:
        """The record's value."""
        return encode(
            self.message, id=self.id, source="/svc/engage", time=NOW, cause=str(uuid4()), sequence=3,
            stream="restore-a-live-service", step="restore", traceparent=TRACE,
        )  # fmt: skip


def test_the_sdk_reads_what_we_write() -> None:
    told = Told()
    headers = dict(record_headers(TRACE))
    event = from_structured(KafkaMessage(headers=headers, key=str(told.demand), value=told.value), JSONFormat())
    assert event.get_id() == str(told.id)
    assert event.get_source() == "/svc/engage"
    assert event.get_type() == DemandWithdrawn.type
    assert event.get_time() == NOW
    assert event.get_subject() == str(told.demand)
    assert event.get_extension("correlationid") == str(told.demand)
    assert event.get_extension("sequence") == "3"
    assert event.get_extension("valuestream") == "restore-a-live-service"
    assert event.get_extension("traceparent") == TRACE
    assert event.get_data() == orjson.loads(told.message.model_dump_json())


@pytest.mark.parametrize("binding", [to_structured, to_binary])
def test_we_read_what_the_sdk_writes_in_either_mode(binding: object) -> None:
    told = Told()
    attributes = {
        "specversion": "1.0", "id": str(told.id), "source": "/elsewhere", "type": DemandWithdrawn.type, "time": NOW,
        "datacontenttype": "application/json", "correlationid": str(told.demand), "traceparent": TRACE,
    }  # fmt: skip
    event = CloudEvent(attributes=attributes, data=orjson.loads(told.message.model_dump_json()))
    written = binding(event, JSONFormat())  # type: ignore[operator]
    headers = [(name, text if isinstance(text, bytes) else text.encode()) for name, text in written.headers.items()]
    arrival = CODEC.receive(Record(written.value, headers))
    assert arrival is not None
    assert arrival.error == ""
    assert arrival.message == told.message.at(NOW, id=told.id)
    assert arrival.attributes["traceparent"] == TRACE


def test_the_only_kafka_headers_are_content_type_and_traceparent() -> None:
    assert record_headers(TRACE) == [("content-type", CONTENT_TYPE), ("traceparent", TRACE.encode())]


def test_the_id_of_a_row_is_written_as_any_other() -> None:
    """A timer is told under the id of its row, which asyncpg gives as a UUID of its own kind."""
    told = Told()
    value = encode(told.message, id=pgproto.UUID(str(told.id)), source="/svc/engage", time=NOW)
    assert orjson.loads(value)["id"] == str(told.id)


@pytest.mark.parametrize("value", [b"", b"null", b"{}", b'{"type": 5}', b"\xff", b'{"type":"svc.nobody.knows.v1"}'])
def test_what_contracts_do_not_know_is_undecodable_and_says_why(value: bytes) -> None:
    with pytest.raises(Undecodable, match=r"\w"):
        CODEC.decode(value)


def test_a_message_of_a_case_that_no_index_takes_is_set_aside_under_the_beginning_of_its_key() -> None:
    codec = Codec({RequirementsStated.type: RequirementsStated})
    arrivals = []
    for length in (255, 256):
        segment = "s" * length
        value = encode(
            RequirementsStated(segment=segment, customer="Emily"), id=uuid4(), source="/client/x", time=NOW, sequence=1
        )
        arrivals.append(codec.receive(Record(value, record_headers(TRACE), key=segment.encode())))
    good, long = arrivals
    assert good is not None
    assert long is not None
    assert good.message is not None
    assert (long.message, long.case) == (None, "s" * 255)
    assert "at most 255" in long.error
