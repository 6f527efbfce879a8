"""What is taken up again: parked records, and what a database that was replaced by an older copy does not know."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.envelope import Arrival, Codec
from services.chassis.handlers import Redrive


def parked_again(rows: Iterable[asyncpg.Record], redrive: Redrive, codec: Codec) -> list[Arrival]:
    """The parked records of a case; one is marked as given up perhaps, or comes as it was corrected."""
    arrivals, key = [], redrive.parked_case.encode()
    said = redrive.reason or "no reason given"
    for id, topic, partition, offset, value in rows:
        taken = orjson.dumps(redrive.value) if id == redrive.edit else value
        record = ConsumerRecord(topic, partition, offset, 0, 0, key, taken, None, len(key), len(taken), ())
        if arrival := codec.receive(record):
            arrival.parked, arrival.discarded = True, said if id == redrive.discard else ""
            if redrive.edit == id:
                arrival.id, arrival.edited = redrive.edit, said
            arrivals.append(arrival)
    return arrivals


async def in_order_of_time(
    broker: Mapping[str, object], stretch: Mapping[TopicPartition, tuple[int, int]], size: int
) -> AsyncIterator[list[ConsumerRecord]]:
    """The records from one offset up to another of each partition, at most `size` at a time.

    In the order in which they came to the broker, over all partitions: what was told because of an earlier record does
    not come before it, as it did not the first time.
    """
    if not stretch:
        return
    waiting: dict[TopicPartition, deque[ConsumerRecord]] = {place: deque() for place in stretch}
    async with AIOKafkaConsumer(**broker, auto_offset_reset="earliest") as consumer:
        consumer.assign(list(stretch))
        for place, (begin, _) in stretch.items():
            consumer.seek(place, begin)
        while waiting:
            empty = [place for place, records in waiting.items() if not records]
            fetched = await consumer.getmany(*empty, timeout_ms=200, max_records=size)
            for place in empty:
                waiting[place].extend(r for r in fetched.get(place, ()) if r.offset < stretch[place][1])
                if not waiting[place] and await consumer.position(place) >= stretch[place][1]:
                    del waiting[place]
            batch: list[ConsumerRecord] = []
            while waiting and all(waiting.values()) and len(batch) < size:
                batch.append(min(waiting.values(), key=lambda records: records[0].timestamp).popleft())
            if batch:
                yield batch
