"""`svc demo --day`: the day of a scenario, live over Kafka, its hours in about a minute, and what has come of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from rich.text import Text

from contracts.clock import Clock
from contracts.engage import DemandStatusReported
from contracts.value_chain import ACTIVITIES, flow_of
from services.engage.desks.standard_webhooks import sign
from svc import coverage, words
from svc.chain import Chain
from svc.consumer import Consumer
from svc.demo import MEMORY_AFTER, kept_secret
from svc.history import read_history
from svc.log import until_at_rest
from svc.loopback import serve
from svc.machine import Home
from svc.scenario.loading import load
from svc.scenario.say import DESKS, Say
from svc.scenario.scenario import Scenario
from svc.services import CLIENT, Services
from svc.simulation import result
from svc.terminal import Terminal
from svc.trouble import Trouble

Json = dict[str, Any]
DAY = timedelta(days=1)
LEAD = timedelta(hours=10)
"""Chain time between the start of the clock and the day's first demand: about what starting takes."""
AT_ONCE = 16
"""Calls from outside that are under way at the same time."""
READINGS = 4
"""How often topics and databases are read before a rule counts as broken."""


class Outside:
    """Everybody outside of the chain on that day: they call when it is their time, and react to what they are told."""

    def __init__(self, services: Services, clock: Clock, secret: str, until: datetime) -> None:
        self.answers: Counter[str] = Counter()
        """How often a call was taken (`done`), or refused with which reason's beginning."""
        self.refused: list[Json] = []
        self._services, self._clock, self._secret, self._until = services, clock, secret, until
        self._due: list[tuple[datetime, int, Say]] = []
        self._number, self._news = count(), asyncio.Event()

    def plan(self, said: Iterable[Say]) -> None:
        """Make these calls at their times; what is due after the day is over is not made any more."""
        for say in said:
            if say.at < self._until:
                heappush(self._due, (say.at, next(self._number), say))
        self._news.set()

    async def act(self) -> None:
        """Make each call when it is its time, until the day is over."""
        limit = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as calls:
            while (now := self._clock.now()) < self._until:
                self._news.clear()
                while self._due and self._due[0][0] <= now:
                    calls.create_task(self._make(heappop(self._due)[2], limit))
                next_time = min(self._due[0][0] if self._due else self._until, self._until)
                try:
                    await asyncio.wait_for(self._news.wait(), self._clock.seconds_until(next_time))
                except TimeoutError:
                    continue

    async def _make(self, say: Say, limit: asyncio.Semaphore) -> None:
        async with limit:
            try:
                if say.path.startswith(DESKS):
                    body = orjson.dumps(say.body)
                    signed = sign(self._secret, delivery=say.key, timestamp=datetime.now(UTC), body=body)
                    headers = {**signed, "content-type": "application/json"}
                    await self._services.ask(say.activity, say.method, say.path, content=body, headers=headers)
                else:
                    await self._services.command(say.activity, say.path, say.body, key=say.key, method=say.method)
                self.answers["done"] += 1
            except Trouble as trouble:  # people ask for what cannot be had, too
                self.answers["refused"] += 1
                self.refused.append(
                    {"activity": say.activity, "path": say.path, "status": "no", "detail": str(trouble)}
                )


async def run(
    terminal: Terminal, scenario: Scenario, *, seed: int, once: bool, json: bool, speed: float, port: int | None,
    began: float, interrupted: Callable[[], Any],
) -> int:  # fmt: skip
    """The whole day; 0 if every invariant holds and nothing was set aside."""
    home = Home()
    home.prepare()
    secret = kept_secret(home.path)
    consumer = Consumer(secret)
    with terminal.working():
        async with serve(consumer.app) as desk:
            desks = {"roundup": {"secrets": [secret], "reply_url": f"{desk}/notices"}}
            chain = Chain(
                home, speed=speed, desks=orjson.dumps(desks).decode(), port=port, say=terminal.say, began=began,
                from_time=(scenario.begins - LEAD) % DAY, staffing=staffing(scenario),
            )  # fmt: skip
            async with chain:
                code = await chain.run(_day(terminal, chain, scenario, secret, seed, json))
                if not once:
                    terminal.rest()
                    terminal.say(f"the chain runs on at {chain.page} until Ctrl-C")
                    await chain.run(interrupted())
    return code


def staffing(scenario: Scenario) -> dict[str, dict[str, str]]:
    """How each activity does its work in a scenario, as settings of its service."""
    return {
        activity: {
            "SVC_WORK": scenario.work.get(activity, "auto"),
            "SVC_CENTRES": orjson.dumps(scenario.centres(activity)).decode(),
            "SVC_MINUTES": orjson.dumps(scenario.minutes(activity)).decode(),
        }
        for activity in ACTIVITIES
    }


async def _day(terminal: Terminal, chain: Chain, scenario: Scenario, secret: str, seed: int, json: bool) -> int:
    terminal.moving("ready")
    terminal.show(Text(f"Ready after {chain.start_seconds} s: {chain.page}", style="bold"))
    topic = flow_of(DemandStatusReported).topic
    async with AIOKafkaConsumer(topic, bootstrap_servers=chain.kafka, auto_offset_reset="latest") as notices:
        await notices.seek_to_end()
        loaded = await load(chain.client, scenario.setup(chain.clock.now()))
        if loaded.refused:
            wrong = "\n".join(f"  {one}" for one in loaded.refused)
            raise Trouble(f"{scenario.title} could not be set up; refused were:\n{wrong}")
        start = _beginning(chain.clock.now(), scenario.begins)
        outside = Outside(chain.client, chain.clock, secret, start + DAY)
        day = scenario.day(start, seed)
        outside.plan(day)
        react = scenario.react(seed)
        said = f"{loaded.said} things are set up; {len(day)} calls on the day that begins {words.at(start)}."
        terminal.show(Text(f"{scenario.title}: {said}", "bold"))

        async def listen() -> None:
            async for record in notices:
                outside.plan(react(orjson.loads(record.value)))

        async def show() -> None:
            while True:
                await asyncio.sleep(1)
                terminal.moving(f"{words.at(chain.clock.now())}  {_count(outside)}")

        beside = [asyncio.create_task(job()) for job in (listen, show)]
        try:
            await outside.act()
        finally:
            for job in beside:
                job.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
    return await _result(terminal, chain, outside, json)


async def _result(terminal: Terminal, chain: Chain, outside: Outside, json: bool) -> int:
    """Let come to rest what is on its way, and say what has come of the day."""
    terminal.say("the day is over; waiting until nothing is on its way any more")
    groups = {activity: f"svc.{activity}" for activity in ACTIVITIES}
    for _ in range(READINGS):  # work comes due while topics and databases are read: a rule that is broken stays so
        await until_at_rest(chain.databases, chain.kafka, chain.clock, groups=groups, since={})
        history = await read_history(chain.databases, chain.kafka, until=chain.clock.now())
        if not (outcome := result.outcome(history))["violations"]:
            break
    aside = [one | {"activity": a} for a in ACTIVITIES for one in (await chain.client.ask(a, "GET", "/dlq")).json()]
    found: Json = {
        **outcome,
        "coverage": coverage.coverage(await chain.client.coverage()),
        "messages": sum(map(len, history.taken.values())),
        "events": len(history.told),
        "calls": dict(sorted(outside.answers.items())),
        "refused": outside.refused,
        "errors": len(aside),
        "set_aside": [{"activity": one["activity"], "type": one["topic"], "reason": one["reason"]} for one in aside],
        "client": CLIENT,
    }
    terminal.say("measuring memory at rest")
    await asyncio.sleep(MEMORY_AFTER)
    memory = round(chain.memory_mib(), 1)
    terminal.show(result.render(found))
    terminal.show(Text(f"\nstarted in {chain.start_seconds} s, {memory:.0f} MiB of memory at rest", style="dim"))
    if json:
        terminal.result({**found, "start_seconds": chain.start_seconds, "memory_mib": memory})
    return 0 if result.holds(found) else 1


def _beginning(now: datetime, begins: timedelta) -> datetime:
    """When the day begins: at its own time of day if that is still ahead and near, else now."""
    literal = datetime.combine(now, datetime.min.time(), UTC) + begins
    return literal if now <= literal < now + LEAD else now


def _count(outside: Outside) -> str:
    return f"{outside.answers['done']} calls taken, {outside.answers['refused']} refused"
