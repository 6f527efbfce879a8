"""How long the way through all six services takes: a wish is funded, designed, obtained, deployed, released, confirmed
as valuable, and learned from. Beside it the same way without databases: six echoes, which tell because of each record
what the service told because of it before, over topics of their own, and neither decide nor store.

Both are on the same servers and take turns, at the same low fixed rate, so that nothing waits for anything else.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from uuid import NAMESPACE_URL, uuid5

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.engage import DemandStatusReported
from contracts.improve import ChainPerformanceReported
from contracts.outside import DemandSubmitted, ValueConfirmed
from contracts.value_chain import ACTIVITIES, BY_TYPE, ENGAGE, PLAN, inbox
from svc.bench.echo import ECHO
from svc.chain import Chain
from svc.governance import AT_ONCE, PLENTY, prepare, quarter_of
from svc.log import Logged, ends_now, read_log
from svc.machine import Home, Say
from svc.machine.process import Child
from svc.services import CLIENT
from svc.topics import PARTITIONS

RATE, WARMING, GLANCE = 2.0, 5, 0.02
"""Wishes a second; those that only warm up; seconds between two looks at whether all have come through."""
LISTENED = sorted({flow.topic for flow in BY_TYPE.values()} | {inbox(activity) for activity in ACTIVITIES})
Thing = TypeVar("Thing")


class Told(NamedTuple):
    """A record that was heard: what it is, who told it, about what, because of which one."""

    type: str
    source: str
    about: str
    cause: str


class Way(NamedTuple):
    """One way through: how long it took, over how many decisions, which activities made them, and where it ended."""

    milliseconds: float
    hops: int
    activities: frozenset[str]
    delivered: str
    """The record that said that something is delivered: now its requester answers."""
    learned: str
    """The report of Improve's at its end."""


class Listener:
    """Hears everything that is told; confirms the value of what is delivered; notes when Improve has learned of it."""

    def __init__(self, chain: Chain, tasks: asyncio.TaskGroup) -> None:
        self.chain, self.tasks = chain, tasks
        self.told: dict[str, Told] = {}
        self.delivered: dict[str, str] = {}
        """By demand: the record that said so."""
        self.learned: dict[str, float] = {}
        """By report of Improve's: when it was heard; those of which the way is not known yet."""
        self.sent: dict[str, float] = {}
        self.ways: dict[str, Way] = {}

    async def listen(self, ears: AIOKafkaConsumer) -> None:
        """Until cancelled."""
        async for record in ears:
            event, now = orjson.loads(record.value), time.perf_counter()
            id, about = event["id"], event["correlationid"]
            self.told[id] = Told(event["type"], event["source"], about, event.get("causationid", ""))
            if event["type"] == DemandStatusReported.type and event["data"]["status"] == "delivered":
                self.delivered[about] = id
                self.tasks.create_task(self.confirm(about, event["data"]["requester"]))
            elif event["type"] == ChainPerformanceReported.type:
                self.learned[id] = now
            self.follow()

    def follow(self) -> None:
        """Note the ways that are known from end to end: topics are heard in any order, a cause after what it caused."""
        for id, now in list(self.learned.items()):
            learned = self.back(id)
            began = self.told[learned[-1]] if learned else None
            if began is None or began.type != ValueConfirmed.type:
                continue  # not known yet, or it has learned of something else
            demand = began.about
            if first := self.back(self.delivered[demand]):
                del self.learned[id]
                tellers = frozenset(self.told[one].source for one in (*first[:-1], *learned[:-1]))
                taken, hops = 1000 * (now - self.sent[demand]), len(first) + len(learned) - 2
                way = Way(taken, hops, tellers, self.delivered[demand], id)
                self.ways.setdefault(demand, way)

    def back(self, id: str) -> list[str]:
        """A record, what caused it, and so on, to the command from outside that began it; empty if one is not known."""
        way = [id]
        while told := self.told.get(way[-1]):
            if not told.cause:
                return way
            way.append(told.cause)
        return []

    async def confirm(self, demand: str, requester: str) -> None:
        """Say that it was worth it, as its requester does."""
        body = {"stakeholder": requester, "verdict": "fully", "utility": True, "warranty": True}
        await self.chain.client.command(ENGAGE, f"/demands/{demand}/value", body, key=f"{demand}-worth-it")

    async def submit(self, number: int) -> None:
        """Bring a wish for something new."""
        key = f"wish-{number}"
        demand = str(uuid5(NAMESPACE_URL, f"svc:{CLIENT}:{key}"))
        self.sent[demand] = time.perf_counter()
        body = {
            "requester": f"driver-{number}@example.org",
            "title": f"Game number {number}",
            "text": "",
            "kind": "new_product_or_service",
            "value": 900_000,
            "users_affected": 100,
        }
        await self.chain.client.command(ENGAGE, "/demands", body, key=key)


async def journeys(say: Say, *, rounds: int, wishes: int) -> tuple[list[list[Way]], list[list[float]]]:
    """The ways of each round's wishes through the six services, and milliseconds of the same ways through echoes."""
    folder = Path(tempfile.mkdtemp(prefix="svc-bench-"))
    try:
        async with Chain(Home(folder, downloads=Home().downloads), say=say) as chain:
            await chain.run(permit(chain))
            ways: list[list[Way]] = []
            echoed: list[list[float]] = []
            async with Echoes(chain) as echoes:
                for number in range(rounds + 1):
                    round = f"round {number} of {rounds}" if number else "warming up"
                    begin = WARMING + (number - 1) * wishes
                    numbers = range(begin, begin + wishes) if number else range(WARMING)
                    say(f"{round}: {len(numbers)} wishes through six services")
                    since = await ends_now(chain.kafka)
                    ways.append(await chain.run(through_services(chain, numbers)))
                    say(f"{round}: the same records through six echoes")
                    echoed.append(await chain.run(echoes.through(ways[-1], await read_log(chain.kafka, since))))
            return ways[1:], echoed[1:]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def permit(chain: Chain) -> None:
    """What governance has to say before any wish comes: plenty of money, and no notice before a change."""
    now = chain.clock.now()
    await chain.client.command(PLAN, "/policies/change-authority", AT_ONCE)
    grant = {"total": PLENTY, "reason": "The bench has many wishes."}
    await chain.client.command(PLAN, f"/budgets/{quarter_of(now)}", grant)
    await prepare(chain.client, now)


async def through_services(chain: Chain, numbers: Sequence[int]) -> list[Way]:
    """Bring wishes at a fixed rate, and see each through."""
    async with AIOKafkaConsumer(bootstrap_servers=chain.kafka, fetch_max_wait_ms=100) as ears:
        ears.assign([TopicPartition(topic, part) for topic in LISTENED for part in range(PARTITIONS)])
        await ears.seek_to_end()
        async with asyncio.TaskGroup() as tasks:
            listener = Listener(chain, tasks)
            listening = tasks.create_task(listener.listen(ears))
            async for number in paced(numbers, RATE):
                tasks.create_task(listener.submit(number))
            await until_all(listener.sent, listener.ways, len(numbers))
            listening.cancel()
    return [listener.ways[demand] for demand in listener.sent]


class Echoes:
    """Six processes that tell what the services told, by a script: what each told because of which record."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.stack, self.script = chain, AsyncExitStack(), chain.home.path / "script.json"

    async def __aenter__(self) -> "Echoes":
        admin = AIOKafkaAdminClient(bootstrap_servers=self.chain.kafka)
        await admin.start()
        await admin.create_topics([NewTopic(f"{ECHO}{topic}", PARTITIONS, 1) for topic in LISTENED])
        await admin.close()
        for activity in ACTIVITIES:
            ours = {"SVC_BOOTSTRAP": self.chain.kafka, "SVC_GROUP": f"{ECHO}{activity}"}
            log = self.chain.home.logs / f"echo-{activity}.log"
            command = [sys.executable, "-m", "svc.bench.echo", activity, str(self.script)]
            child = await Child.start(f"echo-{activity}", command, log=log, env={**os.environ, **ours})
            self.stack.push_async_callback(child.stop)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stack.aclose()

    async def through(self, ways: Sequence[Way], log: Sequence[Logged]) -> list[float]:
        """Milliseconds of each way, begun at the same rate with the same records, its requester's answer included."""
        records = {record.id: record for record in log}
        told: dict[str, list[tuple[str, str, str]]] = {}
        for record in log:
            cause = f"{record.teller} {record.event.get('causationid')}"
            if record.teller:
                text = (record.value or b"").decode()
                told.setdefault(cause, []).append((f"{ECHO}{record.topic}", (record.key or b"").decode(), text))
        self.script.write_bytes(orjson.dumps(told))
        answers = {record.case: record for record in log if record.event["type"] == ValueConfirmed.type}
        submitted = {record.case: record for record in log if record.event["type"] == DemandSubmitted.type}
        delivered = {way.delivered: answers[records[way.delivered].case] for way in ways}
        ends = {way.learned: records[way.delivered].case for way in ways}
        sent: dict[str, float] = {}
        came: dict[str, float] = {}
        server = {"bootstrap_servers": self.chain.kafka}
        async with (
            AIOKafkaProducer(**server) as producer,
            AIOKafkaConsumer(**server, fetch_max_wait_ms=100) as ears,
        ):

            async def put(record: Logged) -> None:
                await producer.send_and_wait(f"{ECHO}{record.topic}", record.value, key=record.key)

            async def listening() -> None:
                async for heard in ears:
                    id = orjson.loads(heard.value)["id"]
                    if id in delivered:
                        await put(delivered.pop(id))
                    elif id in ends:
                        came[ends.pop(id)] = time.perf_counter()

            ears.assign([TopicPartition(f"{ECHO}{topic}", part) for topic in LISTENED for part in range(PARTITIONS)])
            await ears.seek_to_end()
            task = asyncio.create_task(listening())
            cases = [records[way.delivered].case for way in ways]
            async for case in paced(cases, RATE):
                sent[case] = time.perf_counter()
                await put(submitted[case])
            await until_all(sent, came, len(cases))
            task.cancel()
        return [1000 * (came[case] - at) for case, at in sent.items()]


async def paced(things: Sequence[Thing], rate: float) -> AsyncIterator[Thing]:
    """One after the other, so many a second, however long the caller takes for one."""
    begin = time.perf_counter()
    for number, thing in enumerate(things):
        await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        yield thing


async def until_all(sent: dict[str, float], came: dict[str, Any], count: int) -> None:
    """Wait until `count` were sent, and something has come of each; `TimeoutError` after a minute."""
    async with asyncio.timeout(60):
        while True:
            if len(sent) >= count and sent.keys() <= came.keys():
                return
            await asyncio.sleep(GLANCE)
