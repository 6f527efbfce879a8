"""What a network, a broker and a machine's clock may do to a service, done to it from outside."""

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.clock import Clock

Fetched = dict[TopicPartition, list[Any]]


def late(topics: set[str]) -> None:
    """Put the records of these topics behind all others that are fetched with them."""
    getmany = AIOKafkaConsumer.getmany

    async def sorted_getmany(self: AIOKafkaConsumer, *places: Any, **limits: Any) -> Fetched:
        fetched = await getmany(self, *places, **limits)
        return dict(sorted(fetched.items(), key=lambda entry: entry[0].topic in topics))

    AIOKafkaConsumer.getmany = sorted_getmany


def deaf(topics: set[str]) -> None:
    """Leave the records of these topics to the next process of the group: nothing of them is handed over.

    The group is joined with all topics: a broker gives a static member that it knows its old partitions, whatever it
    subscribes to.
    """
    getmany = AIOKafkaConsumer.getmany

    async def fewer(self: AIOKafkaConsumer, *places: Any, **limits: Any) -> Fetched:
        fetched = await getmany(self, *places, **limits)
        return {place: records for place, records in fetched.items() if place.topic not in topics}

    AIOKafkaConsumer.getmany = fewer


def shuffled(seed: int) -> None:
    """Hold each partition's records back for a while that is its own, so that topics overtake each other."""
    getmany, chance = AIOKafkaConsumer.getmany, Random(seed)

    async def any_order(self: AIOKafkaConsumer, *places: Any, **limits: Any) -> Fetched:
        held: dict[TopicPartition, deque[Any]] = self.__dict__.setdefault("_held_back", {})
        for place, records in (await getmany(self, *places, **limits)).items():
            held.setdefault(place, deque()).extend(records)
        owned = self.assignment()
        order = [place for place in held if held[place]]
        chance.shuffle(order)
        given: Fetched = {}
        for place in order:
            if place not in owned:
                held[place].clear()  # its next owner gets them
            elif chance.random() < 0.3:
                given[place] = [held[place].popleft() for _ in range(chance.randint(1, len(held[place])))]
        return given

    AIOKafkaConsumer.getmany = any_order


def linked(ports: dict[int, int]) -> None:
    """Go to another port of this machine instead of these: a link that can be slow, or cut."""
    connect = asyncio.BaseEventLoop.create_connection

    async def by_link(self: Any, factory: Any, host: Any = None, port: Any = None, **others: Any) -> Any:
        return await connect(self, factory, host, ports.get(port, port), **others)

    asyncio.BaseEventLoop.create_connection = by_link  # type: ignore[method-assign, assignment]


def skewed(seconds: float) -> None:
    """A machine whose clock is wrong."""

    def wrong(self: Clock) -> datetime:
        return self.at(datetime.now(UTC) + timedelta(seconds=seconds))

    Clock.now = wrong  # type: ignore[method-assign]
