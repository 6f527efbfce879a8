"""Partitions taken by hand: what a rebalance, or a paused machine that wakes up, can bring about for a moment."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.chassis.worker import Worker


def own(topics: list[str], partitions: int = 3) -> None:
    """Every consumer of this process owns all partitions of `topics`, whatever the group says."""
    assigned: list[asyncio.Future[None]] = []
    places = [TopicPartition(topic, partition) for topic in topics for partition in range(partitions)]

    def take(self: AIOKafkaConsumer, topics: Any, listener: Worker) -> None:
        self.assign(places)
        assigned.append(asyncio.ensure_future(listener.on_partitions_assigned(set(places))))

    AIOKafkaConsumer.subscribe = take
