"""A chain of real processes to do things to: the six services, their desk, and who asks them for something."""

import asyncio
import os
import secrets
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from starlette.applications import Starlette

from contracts import partition, value_chain
from contracts.clock import Clock, Segment
from contracts.envelope import encode
from contracts.event import Message
from contracts.stream import read_streams
from contracts.value_chain import ACTIVITIES, ENGAGE, PLAN
from services.chassis.runtime import member_named
from services.engage.desks.standard_webhooks import sign
from svc import governance, log, migrations
from svc.chaos.books import Books, read
from svc.chaos.checks import violations
from svc.chaos.nursery import Nursery
from svc.consumer import Consumer
from svc.day import staffing
from svc.desk_replay import Recording, replay
from svc.invariants import Violation
from svc.loopback import serve
from svc.machine import Machine, ports, provision
from svc.machine.process import Child
from svc.scenario.loading import in_order
from svc.scenario.say import DESKS, Say
from svc.scenario.scenario import Scenario
from svc.services import CLIENT as PEOPLE
from svc.services import Services
from svc.simulation.run import DAY
from svc.telemetry import SpanStore, receiver
from svc.topics import PARTITIONS, create_topics

Json = dict[str, Any]
STREAMS = read_streams(Path(value_chain.__file__).parent / "value_streams")
CLIENT = "tests"
REQUESTER = "emily.carter@bluefleet.example"
FULLY: Json = {"verdict": "fully", "utility": True, "warranty": True, "satisfaction": 5}
EARLY, SPEED = timedelta(hours=1), 1440.0
"""How long before a scenario's day it is set up, and how many times faster than the wall's its clock runs then."""
PATIENCE = 120.0
"""Seconds that anything may take that is waited for."""


class Stuck(Exception):  # noqa: N818 - it says what the chain is
    """What was waited for has not come."""


def partition_of(case: UUID | str) -> int:
    """The partition of a case, in every topic."""
    return partition.partition_of(str(case), PARTITIONS)


async def until(
    condition: Callable[[], Awaitable[object]], seconds: float = PATIENCE, *, what: str, glance: float = 0.05
) -> None:
    """Wait until `condition` is true; `Stuck` if it takes too long."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise Stuck(f"after {seconds:g} s it is still not so that {what}")
        await asyncio.sleep(glance)


class Chain:
    """The six services as processes of their own, which a test kills, holds up and starts again.

    Its databases and consumer groups are its own; its records begin in the topics where those ended before.
    With a scenario it is that organisation, which works as its file says, about to begin its day at `SPEED`.
    """

    def __init__(self, machine: Machine, folder: Path, nursery: Nursery, scenario: Scenario | None = None) -> None:
        self._nursery, self.scenario = nursery, scenario
        self.bootstrap, self.folder = machine.bootstrap, folder
        begins = [Segment(datetime.now(UTC), DAY + scenario.begins - EARLY, 1.0)] if scenario else []
        self.clock = Clock(begins)
        self._staffing = staffing(scenario) if scenario else {}
        self.spans, self.otlp = SpanStore(folder / "traces"), ""
        self.secret = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
        self.desk = Consumer(self.secret)
        self.databases: dict[str, str] = {}
        self.since: log.Offsets = {}
        self.ended: set[UUID] = set()
        """Demands of which tests know that they have ended."""
        self.by_hand: set[UUID] = set()
        """Records that tests have put into a topic themselves."""
        self.restored: dict[str, log.Offsets] = {}
        """Activities whose database was replaced by an older copy, and where the topics ended then."""
        suffix = secrets.token_hex(4)
        self.groups = {activity: f"svc.{activity}.{suffix}" for activity in ACTIVITIES}
        self.urls = {a: f"http://127.0.0.1:{p}" for a, p in zip(ACTIVITIES, ports.free(len(ACTIVITIES)), strict=True)}
        self._admin, self._names = machine.admin_url, {activity: f"{activity}_{suffix}" for activity in ACTIVITIES}
        self._environment: dict[str, str] = {}
        self.children: dict[str, Child] = {}
        """By activity; by activity and number where there are several."""
        self.always: dict[str, list[str]] = {}
        """How a service misbehaves however it is started, by activity."""
        self._locks = {activity: asyncio.Lock() for activity in ACTIVITIES}
        self._known: list[Violation] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Chain"]:
        """Everything up and ready, with its policies, its money and a live service."""
        async with AsyncExitStack() as stack:
            await self._prepare(stack)
            self._http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
            self.services = await stack.enter_async_context(Services(self.urls))
            self.producer = await stack.enter_async_context(AIOKafkaProducer(bootstrap_servers=self.bootstrap))
            self._engage = await stack.enter_async_context(asyncpg.create_pool(self.databases[ENGAGE], min_size=0))
            stack.push_async_callback(self.stop, *ACTIVITIES)
            await self.start(*ACTIVITIES)
            if self.scenario:
                await self._set_up(self.scenario)
            else:
                await self.post(PLAN, "/policies/change-authority", governance.AT_ONCE)
                await self.grant(self.clock.now())
                await governance.prepare(self.services, self.clock.now())
            yield self

    async def _set_up(self, scenario: Scenario) -> None:
        for calls in in_order(scenario.setup(self.clock.now())):
            refused = [answer.text for answer in await asyncio.gather(*map(self.say, calls)) if answer.is_error]
            if refused:
                raise Stuck(f"{scenario.scenario} cannot be set up: {'; '.join(refused[:3])}")
        await self.turn(SPEED)

    async def _prepare(self, stack: AsyncExitStack) -> None:
        urls = await provision(self._admin, {name: secrets.token_urlsafe(16) for name in self._names.values()})
        stack.push_async_callback(self._drop)
        self.databases = {activity: urls[name] for activity, name in self._names.items()}
        await create_topics(self.bootstrap)
        await migrations.migrate_all(self.databases)
        self.since = await log.ends_now(self.bootstrap)
        for activity, group in self.groups.items():
            await self.commit(group, self.since)
            await migrations.begin_at(self.databases[activity], self.since)
        self.otlp = await stack.enter_async_context(serve(Starlette(routes=[receiver(self.spans)])))
        outside = await stack.enter_async_context(serve(self.desk.app))
        desks = {"roundup": {"secrets": [self.secret], "reply_url": f"{outside}/notices"}}
        ours = {"SVC_BOOTSTRAP": self.bootstrap, "SVC_OTLP": self.otlp, "SVC_DESKS": orjson.dumps(desks).decode()}
        self._environment = {**os.environ, **ours}

    async def _drop(self) -> None:
        server = await asyncpg.connect(self._admin)
        for name in self._names.values():
            await server.execute(f"DROP DATABASE svc_{name} WITH (FORCE)")
            await server.execute(f"DROP ROLE svc_{name}")
        await server.close()

    async def rewind(self, activity: str) -> None:
        """Have a service, which is down, hear everything again that was ever told to it."""
        topics = log.handlers_of(activity).topics
        async with AIOKafkaConsumer(
            *topics, bootstrap_servers=self.bootstrap, group_id=self.groups[activity],
            group_instance_id=member_named(f"{activity}-0", topics), enable_auto_commit=False,
            partition_assignment_strategy=(RangePartitionAssignor,),
        ) as member:  # fmt: skip
            await member.commit({place: self.since[place] for place in member.assignment()})

    async def commit(self, group: str, offsets: log.Offsets) -> None:
        """Set where a group reads on."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False
        ) as consumer:
            consumer.assign(list(offsets))
            for tried in range(20):
                try:
                    await consumer.commit(dict(offsets))
                    break
                except AssertionError:  # aiokafka: for a moment it knows no broker
                    if tried == 19:
                        raise
                    await asyncio.sleep(0.5)

    # processes

    def alone(self, activity: str) -> asyncio.Lock:
        """Whoever ends and starts a service holds this meanwhile: of two who do it at once, one is forgotten."""
        return self._locks[activity]

    async def launch(self, activity: str, *misbehaving: str, number: int = 0, **settings: str) -> Child:
        """Begin to start a service, as it is, or as `svc.chaos.crashing` makes it misbehave by these arguments.

        `number` counts the processes of one activity; those from 1 on are there beside the usual one.
        """
        module, arguments = f"services.{activity}", [*self.always.get(activity, ()), *misbehaving]
        if arguments:
            module, arguments = "svc.chaos.crashing", [f"services.{activity}.app:app", *arguments]
        name = activity if number == 0 else f"{activity}-{number}"
        if number and name not in self.urls:
            self.urls[name] = f"http://127.0.0.1:{ports.free(1)[0]}"
        environment = {
            **self._environment,
            "SVC_DATABASE": self.databases[activity],
            "SVC_GROUP": self.groups[activity],
            "SVC_INSTANCE": f"{activity}-{number}",
            "SVC_PORT": self.urls[name].rpartition(":")[2],
            "SVC_CLOCK": str(self.clock),
            **self._staffing.get(activity, {}),
            **{f"SVC_{name.upper()}": value for name, value in settings.items()},
        }
        child = self.children[name] = await self._nursery.start(
            name, module, arguments, environment, self.folder / f"{name}.log"
        )
        return child

    async def turn(self, speed: float) -> None:
        """Have the clock run at another speed from now on: all six are ended first, so that time goes back for none."""
        await self.stop(*ACTIVITIES)
        now = datetime.now(UTC)
        self.clock = Clock([*self.clock.segments, Segment(now, self.clock.at(now), speed)])
        await self.start(*ACTIVITIES)

    async def start(self, *activities: str, **settings: str) -> None:
        """Start services and wait until they are ready."""
        await asyncio.gather(*(self.launch(activity, number=0, **settings) for activity in activities))
        await self.until_ready(*activities)

    async def until_ready(self, *activities: str) -> None:
        """Wait until services are ready for work; the error is the last words of one that has died."""

        async def ready() -> bool:
            for activity in activities:
                if self.children[activity].returncode is not None:
                    raise self.children[activity].death()
                try:
                    answer = await self._http.get(f"{self.urls[activity]}/readyz")
                except httpx.TransportError:
                    return False
                if answer.is_error:
                    return False
            return True

        await until(ready, what=f"{', '.join(activities)} are ready; their logs: {self.folder}")

    async def stop(self, *activities: str) -> None:
        """End services in good order."""
        await asyncio.gather(*(self.children[a].stop() for a in activities if a in self.children))

    async def kill(self, activity: str) -> None:
        """End a service as a power cut would."""
        await self.children[activity].kill()

    async def restart(self, activity: str, **settings: str) -> None:
        """End a service in good order and start it again."""
        await self.stop(activity)
        await self.start(activity, **settings)

    async def hold(self, activity: str, *topics: str) -> None:
        """Start a service again so that it does not hear these topics, until it is restarted."""
        assert set(log.handlers_of(activity).topics) > set(topics), f"{activity} does not hear {topics}"
        await self.stop(activity)
        await self.launch(activity, "--deaf", *topics)
        await self.until_ready(activity)

    # what is asked of it

    async def post(self, activity: str, path: str, body: Json, *, key: str = "") -> httpx.Response:
        """Send a command until it is answered, whatever happens to the service meanwhile."""
        headers = {"Client-Id": CLIENT, "Idempotency-Key": key or uuid4().hex}
        return await self._ask(activity, "POST", path, body, headers)

    async def say(self, say: Say) -> httpx.Response:
        """Make a call of a scenario's people until it is answered; a desk signs what it pushes."""
        headers = {"Client-Id": PEOPLE, "Idempotency-Key": say.key}
        if say.path.startswith(DESKS):
            now = datetime.now(UTC)
            headers = sign(self.secret, delivery=say.key, timestamp=now, body=orjson.dumps(say.body))
        return await self._ask(say.activity, say.method, say.path, say.body, headers)

    async def _ask(
        self, activity: str, method: str, path: str, body: Json, headers: Mapping[str, str]
    ) -> httpx.Response:
        """The answer; asked again while there is none (202: still running, 503), which under one key does it once."""
        url, content = self.urls[activity] + path, orjson.dumps(body)
        headers = {"Content-Type": "application/json", **headers}
        again = {202, 503} if "Idempotency-Key" in headers else {503}
        while True:
            with suppress(httpx.TransportError):
                answer = await self._http.request(method, url, content=content, headers=headers)
                if answer.status_code not in again:
                    return answer
            await asyncio.sleep(0.05)

    @staticmethod
    def id_of(key: str) -> UUID:
        """The id of a command, and of the demand that it makes."""
        return uuid5(NAMESPACE_URL, f"svc:{CLIENT}:{key}")

    async def put(self, command: Message) -> None:
        """Put a command from outside on the inbox of its activity, as its HTTP side does."""
        value = encode(command, id=uuid4(), source=f"/client/{CLIENT}", time=self.clock.now())
        key, topic = command.case.encode(), value_chain.inbox(command.activity)
        await self.producer.send_and_wait(topic, value, key=key, partition=partition_of(command.case))

    async def grant(self, time: datetime) -> None:
        """More money than the demands of a test run can bind, in the quarter of `time`."""
        answer = await self.post(PLAN, f"/budgets/{governance.quarter_of(time)}", {"total": governance.PLENTY})
        assert answer.status_code == 200, answer.text

    async def submit(self, *, key: str = "", **body: object) -> UUID:
        """Bring demand by `POST /demands`."""
        answer = await self.post(ENGAGE, "/demands", {"requester": REQUESTER, "text": "", **body}, key=key)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def incident(self, *, service: str = governance.SERVICE, key: str = "") -> UUID:
        """An incident, of the service that is live unless another one is named."""
        return await self.submit(key=key, kind="incident", service=service, title="Games stop", text="A black screen")

    async def wish(self, *, value: int | None = 900_000, key: str = "") -> UUID:
        """Demand for something new, which is worth its money many times over unless `value` says otherwise."""
        kind = "new_product_or_service"
        return await self.submit(key=key, kind=kind, title="A racing game", value=value, users_affected=100)

    async def push(self, recording: Recording, ticket: str, delivery: str) -> UUID:
        """Push a recorded ticket as its desk did."""
        headers, body = replay(recording, ticket=ticket, delivery=delivery, secret=self.secret, now=datetime.now(UTC))
        answer = await self._http.post(f"{self.urls[ENGAGE]}/desks/roundup", content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["demand"])

    async def confirm(self, demand: UUID, requester: str = REQUESTER, **body: object) -> httpx.Response:
        """Say what a delivery was worth: fully, unless `body` says otherwise."""
        return await self.post(ENGAGE, f"/demands/{demand}/value", {"stakeholder": requester, **FULLY, **body})

    # what can be seen of it

    async def get(self, activity: str, path: str) -> Any:
        """What a service shows."""
        answer = await self._http.get(self.urls[activity] + path)
        answer.raise_for_status()
        return answer.json()

    async def demand(self, demand: UUID) -> Json:
        """A demand as Engage shows it."""
        return dict(await self.get(ENGAGE, f"/demands/{demand}"))

    async def until_all(self, status: str, demands: Collection[UUID], *, confirming: bool = False) -> None:
        """Wait until demands are in a state; meanwhile, confirm the value of each that is delivered."""
        query = "SELECT id, requester, status, reason FROM demand WHERE id = ANY($1::uuid[])"
        rows: list[asyncpg.Record] = []

        async def done() -> bool:
            try:
                rows[:] = await self._engage.fetch(query, list(demands))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return False  # PostgreSQL is away, too, when it is killed
            delivered = [row for row in rows if row["status"] == "delivered" != status]
            if confirming and delivered:
                answers = await asyncio.gather(*(self.confirm(row["id"], row["requester"]) for row in delivered))
                assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
            return [row["status"] for row in rows] == [status] * len(set(demands))

        try:
            await until(done, what=f"all of {len(demands)} demands are {status}", glance=0.1)
        except Stuck as still:
            others = [(str(row["id"]), row["status"], row["reason"]) for row in rows if row["status"] != status]
            raise Stuck(f"{still}: {others}") from None

    async def realise(self, demands: Collection[UUID]) -> None:
        """See demands through to their value, which their requester confirms as soon as something is delivered."""
        await self.until_all("value_realised", demands, confirming=True)
        self.ended.update(demands)

    async def asked(self, demand: UUID) -> bool:
        """Whether the desk was asked what a delivery was worth."""
        return self.desk.asked(demand)

    async def rows(self, activity: str, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask a service's database."""
        connection = await asyncpg.connect(self.databases[activity])
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    async def taken(self, activity: str, case: UUID, *types: str) -> bool:
        """Whether an activity has a receipt of each of these types about a case."""
        found = await self.rows(activity, "SELECT record->>'type' FROM receipt WHERE case_id = $1", str(case))
        return set(types) <= {row[0] for row in found}

    async def waiting(self, activity: str, case: UUID, number: int) -> bool:
        """Whether an activity has set so many records of a case aside."""
        return [letter["case_id"] for letter in await self.get(activity, "/dlq")].count(str(case)) == number

    async def aside(self) -> list[Json]:
        """Everything that any activity has set aside."""
        return [letter for activity in ACTIVITIES for letter in await self.get(activity, "/dlq")]

    async def at_rest(self) -> None:
        """Wait until nothing is on its way any more."""
        waiting = log.until_at_rest(self.databases, self.bootstrap, self.clock, groups=self.groups, since=self.since)
        await asyncio.wait_for(waiting, 60)

    async def books(self) -> Books:
        """The books, once the chain has come to rest."""
        until = self.clock.now()
        await self.at_rest()
        return await read(
            self.databases,
            self.bootstrap,
            streams=STREAMS,
            since=self.since,
            ended=self.ended,
            by_hand=self.by_hand,
            restored=self.restored,
            until=until,
        )

    async def damage(self) -> set[str]:
        """The checks that the books do not pass now; what a mutant has done is no fault of later tests."""
        found = violations(await self.books())
        self._known += found
        return {violation.check for violation in found}

    async def balanced(self) -> Books:
        """The books, which must pass every check; what an earlier test has met is not this one's fault."""
        found = await self.books()
        wrong = [one for one in violations(found) if one not in self._known]
        self._known += wrong
        assert not wrong, "\n".join(f"{check}: {story}" for check, story in wrong)
        return found


def about(found: Books, demand: UUID) -> list[log.Logged]:
    """Every record about a demand, in the topics' order."""
    return [record for record in found.log if record.event.get("data", {}).get("demand") == str(demand)]


def types(records: Sequence[log.Logged]) -> set[str]:
    """The classes of what is told, as they are called: `svc.plan.portfolio-decision-made.v1`."""
    return {str(record.event["type"]) for record in records}
