"""What the parts of a running service share: handlers, clients, clock, tracer, log, metrics, what is missing now."""

import asyncio
from random import uniform
from typing import Any
from zlib import crc32

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import Counter, Gauge, Histogram

from contracts import value_chain
from contracts.clock import Clock
from contracts.envelope import Codec, encode, record_headers
from contracts.event import Command
from contracts.partition import partition_of
from services.chassis.handlers import Handlers
from services.chassis.settings import Settings
from services.chassis.tracing import Tracer

MESSAGES = Counter("svc_messages", "Messages and what became of them", ["type", "result"])
BATCHES = Histogram("svc_batch_messages", "Messages in a batch", buckets=(1, 5, 20, 100, 500))
LAG = Gauge("svc_consumer_lag", "Records not yet fetched", ["topic", "partition"])
OLDEST = Gauge("svc_oldest_seconds", "Age of the oldest fetched record that waits", ["topic", "partition"])


class Runtime:
    """One service as it runs."""

    producer: AIOKafkaProducer
    consumer: AIOKafkaConsumer
    pool: asyncpg.Pool
    """Connections for whatever is not a lane: timers, effects, waiting callers, and the views of the chassis."""

    def __init__(self, handlers: Handlers, settings: Settings) -> None:
        self.activity, self.group = handlers.activity, settings.group or f"svc.{handlers.activity}"
        self.handlers, self.settings = handlers, settings
        self.member = member_named(settings.instance, handlers.topics)
        self.codec, self.clock = Codec(handlers.messages), Clock.parse(settings.clock)
        self.tracer = Tracer(self.activity, self.group, settings)
        self.log: Any = structlog.get_logger().bind(activity=handlers.activity)
        self.missing = {"broker": "not connected yet", "database": "not connected yet", "assignment": "none yet"}
        self.timers_changed = asyncio.Event()

    def partition_of(self, case: str) -> int:
        """The partition number of a case: murmur2 as Kafka's own clients do, the same in every topic."""
        return partition_of(case, self.settings.partitions)

    async def to_inbox(self, command: Command, traceparent: str, **words: Any) -> None:
        """Produce a command to the own inbox, with the words of `encode`; returns once it is acknowledged."""
        value = encode(command, case=(case := command.case), traceparent=traceparent, **words)
        place = {"key": case.encode(), "partition": self.partition_of(case), "headers": record_headers(traceparent)}
        await self.producer.send_and_wait(value_chain.inbox(self.activity), value, **place)

    async def database_away(self, who: str, error: BaseException) -> None:
        """Say what is wrong with the database for one of its users, once, and wait a moment."""
        if (task := asyncio.current_task()) and task.cancelling():  # asyncpg puts its error in the place of a cancel
            raise asyncio.CancelledError
        reason = f"{type(error).__name__}: {error}"
        if self.missing.get(f"database of {who}") != reason:
            self.missing[f"database of {who}"] = reason
            self.log.warning("the database cannot be used; waiting for it", who=who, reason=reason)
        await asyncio.sleep(uniform(0.1, 0.5))

    def database_here(self, who: str) -> None:
        """The database has answered."""
        self.missing.pop("database", None)
        if self.missing.pop(f"database of {who}", None):
            self.log.info("the database answers again", who=who)


def member_named(instance: str, topics: list[str]) -> str | None:
    """The `group.instance.id`, None without a stable name.

    One that hears other topics is another member, or the broker would leave it what it had.
    """
    return f"{instance}-{crc32(' '.join(topics).encode()):08x}" if instance else None
