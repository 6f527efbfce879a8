"""The people of a scenario at a chain under fire: its day comes by the clock, and they react to what they are told.

What they say hangs on the scenario and the seed alone; when it gets through hangs on what is up just then.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from contracts.engage import DemandStatusReported
from contracts.value_chain import flow_of
from services.engage.model import FINAL
from svc.chaos.chain import Chain, until
from svc.log import Logged, logged
from svc.scenario.say import Say
from svc.scenario.scenario import Scenario
from svc.simulation.run import DAY

AT_ONCE = 12
"""Calls that are under way at the same time."""
GLANCE = 0.02
BUSY = timedelta(hours=12)
"""How long after the day's beginning all that the file tells of has been said; the rest of it comes at random."""
FAST = 86_400.0
"""How many times faster than the wall's the clock runs when nobody brings anything new any more: a day a second."""
SILENCE = 30.0
"""Wall seconds, a month then, after which nothing more will come if nobody was told anything."""


def brings_demand(say: Say) -> bool:
    """Whether somebody asks for something new by it."""
    return say.path == "/demands" or say.body.get("type") == "issue.created"


class People:
    """Who asks a chain for something, and answers it. What they have been told last is in `status`."""

    def __init__(self, chain: Chain, scenario: Scenario, seed: int) -> None:
        self._chain, self._scenario, self._seed = chain, scenario, seed
        self._start = DAY + scenario.begins
        self._react = scenario.react(seed)
        self._queue: list[tuple[float, int, Say]] = []
        self._numbers, self._room = count(), asyncio.Semaphore(AT_ONCE)
        self._about: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._calls: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._hurried, self._heard_at = False, 0.0
        self._over = asyncio.Event()
        self.demands: set[str] = set()
        """Demands that they have brought, or were told of."""
        self.status: dict[str, tuple[int, str]] = {}
        """By demand: the newest notice's number, and the state that it tells."""
        self.answers: Counter[int] = Counter()
        """How their calls were answered, by HTTP status."""

    @asynccontextmanager
    async def there(self) -> AsyncIterator["People"]:
        """Their day begins, and they listen."""
        async with AIOKafkaConsumer(bootstrap_servers=self._chain.bootstrap, enable_auto_commit=False) as self._ears:
            topic = flow_of(DemandStatusReported).topic
            places = [place for place in self._chain.since if place.topic == topic]
            self._ears.assign(places)
            for place in places:
                self._ears.seek(place, self._chain.since[place])
            self._begin(self._scenario.day(self._start, self._seed))
            tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._speak())]
            for task in tasks:
                task.add_done_callback(self._ended)
            try:
                yield self
            finally:
                for task in (*tasks, *self._calls):
                    task.cancel()
                await asyncio.gather(*tasks, *self._calls, return_exceptions=True)

    async def until_all_is_said(self) -> None:
        """Wait until all that the file tells of has been said; afterwards nobody brings anything new."""
        await asyncio.sleep(self._chain.clock.seconds_until(self._start + BUSY))
        self._over.set()

    async def see_through(self) -> None:
        """Time flies and who is asked answers at once, until all demands have ended; then rest.

        One that does not come to its end is for the books to tell: they have the reason.
        """
        self._hurried = True
        await self._chain.turn(FAST)
        self._heard_at = time.monotonic()
        await until(self._all_over, what="all demands have ended")
        await self._chain.turn(1.0)
        await self._until_calm()
        self._chain.ended.update(map(UUID, self.demands))

    @property
    def waiting(self) -> list[str]:
        """Demands of whose end nobody was told, with the state that was told last."""
        told = ((demand, self.status.get(demand, (0, "not answered"))[1]) for demand in sorted(self.demands))
        return [f"{demand} is {status}" for demand, status in told if status not in FINAL]

    async def _all_over(self) -> bool:
        return not self.waiting or time.monotonic() > self._heard_at + SILENCE

    def _begin(self, said: Iterable[Say]) -> None:
        for say in said:
            heappush(self._queue, (say.at.timestamp(), next(self._numbers), say))

    async def _hear(self) -> None:
        while True:
            try:
                fetched = await self._ears.getmany(timeout_ms=100)
            except KafkaError:
                await asyncio.sleep(GLANCE)  # it is away: it comes back
                continue
            for records in fetched.values():
                for record in map(logged, records):
                    self.hear(record)

    def hear(self, record: Logged) -> None:
        """Be told of a demand by a record, and plan what to do about it; other reports on the topic are not to them."""
        if record.event.get("type") != DemandStatusReported.type:
            return
        demand, status = record.event["data"]["demand"], record.event["data"]["status"]
        self.demands.add(demand)
        self._heard_at = time.monotonic()
        if record.sequence > self.status.get(demand, (0, ""))[0]:
            self.status[demand] = record.sequence, status
        self._begin(self._react(record.event))

    async def _speak(self) -> None:
        while True:
            now = self._chain.clock.now()
            while self._queue and (self._hurried or self._queue[0][2].at <= now):
                say = heappop(self._queue)[2]
                if not (self._over.is_set() and say.at >= self._start + BUSY and brings_demand(say)):
                    call = asyncio.create_task(self._say(say))
                    self._calls.add(call)
                    call.add_done_callback(self._ended)
            await asyncio.sleep(GLANCE)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failure = error

    async def _say(self, say: Say) -> None:
        """One call; those about the same thing one after the other."""
        thing = say.path.split("/")[1:3]  # /demands brings a new one, which is about nothing else
        async with self._about[say.activity, *(thing if len(thing) > 1 else (say.key,))], self._room:
            answer = await self._chain.say(say)
            self.answers[answer.status_code] += 1
            if answer.is_success and brings_demand(say):
                self.demands.add(str(say.demand))

    async def _until_calm(self) -> None:
        """Wait until nothing is on its way, nor said, nor waits to be heard or said."""

        async def calm() -> bool:
            if self._failure:
                raise self._failure
            said = sum(self.answers.values())
            await self._chain.at_rest()
            ends = await self._ears.end_offsets(self._ears.assignment())
            heard = [await self._ears.position(place) >= end for place, end in ends.items()]
            return all(heard) and not self._queue and not self._calls and said == sum(self.answers.values())

        await until(calm, what="everybody has said what they had to say")
