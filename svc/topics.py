"""The topics of the chain on a broker: made as the contracts say, kept as they are found."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from contracts.value_chain import ACTIVITIES, TOPICS, dead_letters, inbox
from svc.broker import clients
from svc.trouble import Trouble

PARTITIONS = 3
"""Of every topic on one machine: a case is on the same partition number in all of them, and one lane has them all."""
FOR_EVER = "-1"
THIRTY_DAYS = str(30 * 24 * 3600 * 1000)
"""How long a dead letter is kept, in milliseconds; the databases keep what was parked until somebody has seen to it."""
COORDINATION = 10.0
"""Seconds that a new broker has to find coordinators for the consumer groups."""
LONGEST_OUTAGE = timedelta(days=7)
"""For so long a service may be away without losing a record."""
MOST_REPLICAS = 3
"""Of a topic on a cluster; our own broker is alone and keeps the only one."""


async def create_topics(bootstrap: str, partitions: int = PARTITIONS) -> list[str]:
    """Make those that are missing, and return them. `Trouble` if one is refused, or has other partitions."""
    admin = AIOKafkaAdminClient(**clients(bootstrap))
    await admin.start()
    try:
        there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
        for topic in TOPICS:
            if there.get(topic, partitions) != partitions:
                raise Trouble(
                    f"Topic {topic} has {there[topic]} partitions and must have {partitions}, like all the others: "
                    "give the chain a Kafka of its own, or remove this topic if nobody needs it."
                )
        missing = [topic for topic in TOPICS if topic not in there]
        if missing:
            replicas = min(MOST_REPLICAS, len((await admin.describe_cluster())["brokers"]))
            answer = await admin.create_topics([_new(topic, partitions, replicas) for topic in missing])
            for topic, code, *reason in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise Trouble(
                        f"Topic {topic} cannot be made: {' '.join(map(str, reason)) or for_code(code).__name__}."
                    )
        await _until_there(admin, missing)
        if missing:
            with suppress(TimeoutError):  # the services can do without: they start anew when the broker is not ready
                await asyncio.wait_for(_until_coordinated(admin), COORDINATION)
        return missing
    finally:
        await admin.close()


async def check_retention(bootstrap: str, keep_receipts: float = 0) -> list[str]:
    """What an outage has cost, in sentences: records that were deleted before an activity had read them.

    `Trouble` if a topic keeps its records for less time than an outage may take, or for longer than receipts are kept
    (`keep_receipts` in days; 0: for ever): a replay would do again what has no receipt any more.
    """
    admin = AIOKafkaAdminClient(**clients(bootstrap))
    await admin.start()
    try:
        events = [topic for topic in TOPICS if topic not in map(dead_letters, ACTIVITIES)]
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in events])
        for _, _, _, topic, entries in (resource for answer in answers for resource in answer.resources):
            kept = {name: value for name, value, *_ in entries}["retention.ms"]
            if 0 <= int(kept) < LONGEST_OUTAGE / timedelta(milliseconds=1):
                raise Trouble(
                    f"Topic {topic} keeps records for {timedelta(milliseconds=int(kept))} only: what a service has not "
                    f"read by then is lost. Set its retention.ms to {LONGEST_OUTAGE // timedelta(milliseconds=1)} "
                    f"({LONGEST_OUTAGE.days} days) at least, or to -1."
                )
            if keep_receipts and not 0 <= int(kept) < timedelta(days=keep_receipts) / timedelta(milliseconds=1):
                long = "for ever" if int(kept) < 0 else f"for {timedelta(milliseconds=int(kept))}"
                raise Trouble(
                    f"Topic {topic} keeps records {long}, and receipts are kept for {keep_receipts:g} days: what comes "
                    "again later would be done again. Raise SVC_KEEP_RECEIPTS, or set it to 0: then all are kept."
                )
        reached = {activity: await admin.list_consumer_group_offsets(f"svc.{activity}") for activity in ACTIVITIES}
    finally:
        await admin.close()
    places = {place for of in reached.values() for place in of}
    if not places:
        return []  # nobody has read anything yet
    async with AIOKafkaConsumer(**clients(bootstrap)) as consumer:
        begins = await consumer.beginning_offsets(sorted(places))
    return [
        f"{begins[place] - at.offset} records of {place.topic}, partition {place.partition}, were deleted before "
        f"{activity} had read them."
        for activity, of in reached.items()
        for place, at in of.items()
        if 0 <= at.offset < begins[place]
    ]


async def _until_coordinated(admin: AIOKafkaAdminClient) -> None:
    """Wait until each activity's consumer group has its coordinator, whose topic a new broker makes on first use."""
    for activity in ACTIVITIES:
        while True:
            try:
                await admin.list_consumer_group_offsets(f"svc.{activity}")
            except KafkaError:
                await asyncio.sleep(0.05)
            else:
                break


async def _until_there(admin: AIOKafkaAdminClient, topics: list[str]) -> None:
    """Wait until the broker shows topics that it has just made."""
    while True:
        if {topic["topic"] for topic in await admin.describe_topics()}.issuperset(topics):
            return
        await asyncio.sleep(0.02)


def _new(topic: str, partitions: int, replicas: int) -> NewTopic:
    kept = THIRTY_DAYS if topic in map(dead_letters, ACTIVITIES) else FOR_EVER
    words = {"retention.ms": kept, "message.timestamp.type": "LogAppendTime"}  # one clock for all who produce
    return NewTopic(topic, partitions, replicas, topic_configs=words)


async def until_consumed(bootstrap: str, activity: str) -> None:
    """Wait until an activity has taken up everything that is on its inbox now."""
    topic, group = inbox(activity), f"svc.{activity}"
    places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    async with AIOKafkaConsumer(**clients(bootstrap)) as consumer:
        ends = await consumer.end_offsets(places)
    admin = AIOKafkaAdminClient(**clients(bootstrap))
    await admin.start()
    try:
        while True:
            taken = await admin.list_consumer_group_offsets(group, partitions=places)
            if all(taken[place].offset >= ends[place] for place in places if ends[place]):
                return
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
