"""Partitions taken by hand: what a rebalance, or a paused machine that wakes up, can bring about for a moment."""

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.chassis.worker import Worker


def own(topics: list[str], partitions: int = 3) -> None:
    """Every consumer of this process owns all partitions of `topics`, whatever the group says."""
    places = [TopicPartition(topic, partition) for topic in topics for partition in range(partitions)]

    def take(self: AIOKafkaConsumer, topics: Any, listener: Any) -> None:
        self.assign(places)

    AIOKafkaConsumer.subscribe = take
    check = Worker.check_topics

    async def checked(self: Worker, producer: Any) -> None:
        await check(self, producer)
        self.runtime.missing.pop("assignment", None)

    Worker.check_topics = checked  # type: ignore[method-assign]
