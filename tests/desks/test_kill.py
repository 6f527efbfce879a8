"""A real desk with many tickets, while Engage is killed again and again and pushes are lost: each ends as decided.

.venv/bin/python -m pytest tests/desks/test_kill.py --tickets 200
"""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest

from contracts.value_chain import ENGAGE
from services.engage.desks.intake import demand_of
from services.engage.desks.text import MARKED
from svc.chaos.chain import Chain, Stuck, until
from svc.chaos.nursery import Nursery, nursery
from tests.desks.django_helpdesk import Desk, running

if TYPE_CHECKING:
    from svc.machine import Machine

pytestmark = pytest.mark.timeout(3000)
NAME, SEED = "helpdesk", 20261127
LOST, ANSWERED_BADLY, HUNG_UP = 0.15, 0.1, 0.1
"""Of the pushes: those that nobody hears, those that are heard and answered 500, and those that get no answer."""
UP = (0.5, 4.0)
"""Seconds that Engage lives until it is killed, once it is ready."""
ENOUGH = 600.0
"""Seconds that the last ticket may take once nothing fails any more: what was claimed by who was killed waits 30."""
A_WHILE = 60.0
"""Seconds for which Engage is killed also once all tickets are made, at most."""
ROWS = """SELECT id, ticket, status, reason, notices, said, untold, reopened, replies FROM demand
WHERE desk = $1 AND status IS NOT NULL"""


class Sort(NamedTuple):
    """A sort of ticket, and how it must end."""

    type: str
    title: str
    body: str
    demand: str
    """The state of its demand."""
    ticket: int
    """The state of the ticket, as the desk counts: 1 open, 3 resolved, 4 closed."""
    answer: str
    """What its requester reads at last."""
    note: bool = False
    """Whether the people at the desk are told what they have to do."""


SOLVED = Sort("Incident", "Games stop", "The in-car video games show a black screen.", "delivered", 3,
              "We have switched off the display's power saving")  # fmt: skip
UNSOLVED = Sort("Incident", "It stopped", "It stopped working this morning.", "in_progress", 1,
                "We could not tell which service you mean", note=True)  # fmt: skip
UNKNOWN = Sort("", "Hello", "Is anybody there?", "unclassified", 1, "A person looks at it next", note=True)
DECLINED = Sort("", "A new game", "We would like a new game for the car.", "rejected", 4, "It will not be done")


def sorts(number: int, random: Random) -> list[Sort]:
    """A tenth of each of those that are not resolved, and the others are; in an order that the seed gives."""
    tenth = max(1, number // 10)
    others = [*[UNSOLVED] * tenth, *[UNKNOWN] * tenth, *[DECLINED] * tenth]
    mixed = [*others, *[SOLVED] * (number - len(others))]
    random.shuffle(mixed)
    return mixed


class Way:
    """The way of the desk's pushes to Engage, on which some are lost."""

    def __init__(self, random: Random) -> None:
        self.random, self.to, self.bad = random, "", True
        self.outcomes: Counter[str] = Counter()
        way = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = way.carry(self.path, self.rfile.read(int(self.headers["content-length"])))
                if answer:
                    self.send_response(answer)
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def carry(self, path: str, body: bytes) -> int:
        """Carry a push on, or do what networks do; the status of the answer, 0 for none."""
        chance = self.random.random() if self.bad else 1.0
        if chance < LOST:
            return self.count("lost", 500)
        if chance < LOST + HUNG_UP:
            return self.count("hung up", 0)
        headers = {"content-type": "application/json"}
        try:
            answer = httpx.post(f"{self.to}{path}", content=body, headers=headers, timeout=3)
        except httpx.TransportError:
            return self.count("Engage away", 502)
        if chance < LOST + HUNG_UP + ANSWERED_BADLY:
            return self.count("heard, and answered 500", 500)
        return self.count(f"answered {answer.status_code}", answer.status_code)

    def count(self, what: str, status: int) -> int:
        """Remember what became of a push."""
        self.outcomes[what] += 1
        return status

    def close(self) -> None:
        """Carry nothing any more."""
        self.server.shutdown()
        self.server.server_close()


class DeskChain(Chain):
    """A chain whose desk is a real one."""

    def __init__(self, machine: "Machine", folder: Path, parent: Nursery, desk: Desk) -> None:
        super().__init__(machine, folder, parent)
        self.real = desk

    async def _prepare(self, stack: AsyncExitStack) -> None:
        await super()._prepare(stack)
        api = {"base": self.real.url, "user": "engage-bot", "secret": "engage-bot-test"}
        desks = {NAME: {"connector": "django-helpdesk", "secrets": ["t0ken"], "api": api, "ask_every": 5}}
        self._environment["SVC_DESKS"] = orjson.dumps(desks).decode()

    async def tickets(self) -> list[dict[str, Any]]:
        """Every ticket of the desk, with what is written on it."""
        found: list[dict[str, Any]] = []
        async with httpx.AsyncClient(base_url=self.real.url, auth=("root", "root-test"), timeout=60) as desk:
            url = "/api/tickets/?page=1&page_size=100"
            while url:
                page = (await desk.get(url)).raise_for_status().json()
                found += page["results"]
                url = page["next"]
        return found

    async def demands(self) -> dict[UUID, asyncpg.Record]:
        """What Engage has made of the desk's tickets."""
        return {row["id"]: row for row in await self.rows(ENGAGE, ROWS, NAME)}


@pytest.fixture
def way() -> Iterator[Way]:
    found = Way(Random(SEED))
    yield found
    found.close()


@pytest.fixture
async def desk(tmp_path: Path, way: Way) -> AsyncIterator[Desk]:
    (folder := tmp_path / "desk").mkdir()
    async with running(folder, f"{way.url}/desks/{NAME}?token=t0ken") as found:
        yield found


@asynccontextmanager
async def killing(chain: Chain, random: Random) -> AsyncIterator[list[float]]:
    """While this lasts, Engage is killed again and again; gives how long it lived each time."""
    lives: list[float] = []
    ending = asyncio.Event()

    async def kill() -> None:
        while not ending.is_set():
            await chain.until_ready(ENGAGE)
            lives.append(random.uniform(*UP))
            try:
                await asyncio.wait_for(ending.wait(), lives[-1])
            except TimeoutError:
                await chain.kill(ENGAGE)
                await chain.launch(ENGAGE)

    task = asyncio.create_task(kill())
    try:
        yield lives
    finally:
        ending.set()
        await task


async def make(chain: DeskChain, sort: Sort, number: int) -> None:
    """Have a requester make a ticket by the desk's form, which fails for them while the desk's push does not arrive."""
    title = f"{sort.title} {number}"
    sent = await asyncio.to_thread(chain.real.submit, title, sort.body, sort.type, f"user{number}@example.com")
    if sent.status_code != 302:
        assert sent.status_code == 500
        assert [ticket for ticket in await chain.tickets() if ticket["title"] == title], "saved all the same"


async def test_every_ticket_is_answered_once_and_as_it_was_decided_whoever_is_killed_meanwhile(
    machine: "Machine", tmp_path: Path, desk: Desk, way: Way, pytestconfig: pytest.Config
) -> None:
    number, random = pytestconfig.getoption("--tickets"), Random(SEED)
    wanted = {f"{sort.title} {n}": sort for n, sort in enumerate(sorts(number, random), 1)}
    async with nursery(tmp_path) as parent, (chain := DeskChain(machine, tmp_path, parent, desk)).running():
        way.to = chain.urls[ENGAGE]
        async with killing(chain, random) as lives:
            for n, sort in enumerate(wanted.values(), 1):
                await make(chain, sort, n)

            async def half_told() -> bool:
                demands = await chain.demands()
                return 2 * sum(row["notices"] > 1 for row in demands.values()) > number

            with suppress(Stuck):  # of many tickets few are told before Engage is killed again
                await until(half_told, A_WHILE, what="half of the tickets are on their way, whoever is killed")
        way.bad = False

        async def all_told() -> bool:
            demands = await chain.demands()
            states = Counter(row["status"] for row in demands.values())
            ended = Counter(sort.demand for sort in wanted.values())
            return states == ended and all(row["untold"] in ("[]", b"[]") for row in demands.values())

        try:
            await until(all_told, ENOUGH, what="every ticket was told what was decided", glance=0.5)
        finally:
            found = Counter(row["status"] for row in (await chain.demands()).values())
            print(f"{number} tickets, {len(lives) - 1} kills, pushes: {dict(way.outcomes)}, demands: {dict(found)}")  # noqa: T201
        demands, tickets = await chain.demands(), await chain.tickets()
        wrong = [fault for ticket in tickets for fault in faults(ticket, wanted, demands)]
        assert not wrong, "\n".join(wrong)
        assert len(demands) == len(tickets) == number
        untold = {str(id) for id, row in demands.items() if row["status"] == UNKNOWN.demand}
        assert {one["id"] for one in await chain.get(ENGAGE, "/work") if one["kind"] == "triage"} == untold
        await reopened(chain, next(ticket["id"] for ticket in tickets if wanted[ticket["title"]] is SOLVED))
        assert await chain.aside() == []
        (stands,) = await chain.get(ENGAGE, "/desks/status")
        assert (stands["desk"], stands["tickets_waiting"], stands["asking_failed"]) == (NAME, 0, "")
        assert stands["pushes_taken"]
        assert stands["last_asked_at"]
    assert len(lives) > 1, "Engage was killed meanwhile, again and again"
    assert all(way.outcomes[one] for one in ("lost", "hung up", "heard, and answered 500", "answered 202"))


async def reopened(chain: DeskChain, ticket: int) -> None:
    """A requester calls the desk, which opens their ticket again: the demand is taken up again, and resolved again."""
    before = (await chain.demands())[demand_of(NAME, str(ticket))]
    await asyncio.to_thread(chain.real.follow_up, str(ticket), "Emily calls: it is black again.", new_status=2)

    async def again() -> bool:
        row = (await chain.demands())[before["id"]]
        return (row["reopened"], row["status"], row["untold"]) == (1, "delivered", "[]")

    await until(again, ENOUGH, what="the demand was delivered once more")
    after = (await chain.demands())[before["id"]]
    (found,) = [one for one in await chain.tickets() if one["id"] == ticket]
    marks = [int(mark[2]) for one in found["followup_set"] if (mark := MARKED.search(one["comment"] or ""))]
    assert (found["status"], sorted(marks)) == (3, [*range(1, after["notices"] + 1)])
    assert after["notices"] > before["notices"]


def faults(ticket: dict[str, Any], wanted: dict[str, Sort], demands: dict[UUID, asyncpg.Record]) -> Iterator[str]:
    """What is not as it must be about a ticket."""
    if (sort := wanted.get(ticket["title"])) is None:
        yield f"nobody has made a ticket {ticket['title']!r}"
        return
    id, about = demand_of(NAME, str(ticket["id"])), f"ticket {ticket['id']} ({ticket['title']})"
    row = demands.get(id)
    if row is None:
        yield f"{about} is forgotten"
        return
    if row["status"] != sort.demand:
        yield f"{about}: its demand is {row['status']} ({row['reason']}), not {sort.demand}"
    if ticket["status"] != sort.ticket:
        yield f"{about}: the ticket stands at {ticket['status']}, not {sort.ticket}"
    comments = sorted(ticket["followup_set"], key=lambda comment: int(comment["id"]))
    written = [(mark, comment) for comment in comments if (mark := MARKED.search(comment["comment"] or ""))]
    public = [(int(mark[2]), comment["comment"]) for mark, comment in written if not mark[3]]
    notes = [comment["comment"] for mark, comment in written if mark[3]]
    numbers = [one for one, _ in public]
    if numbers != [*range(1, row["notices"] + 1)]:
        yield f"{about}: {row['notices']} notices are the answers {numbers}"
    if any(UUID(mark[1]) != id for mark, _ in written):
        yield f"{about}: an answer belongs to another ticket"
    last = public[-1][1] if public else ""
    said = orjson.loads(row["said"])
    if re.sub(MARKED, "", last).strip() != said[-1] or sort.answer not in last:
        yield f"{about}: its last answer is {last!r}, and what was decided is {said[-1]!r}"
    if bool(notes) != sort.note or any(comment["public"] for mark, comment in written if mark[3]):
        yield f"{about}: the people at the desk read {notes}"
    if (row["reopened"], row["replies"]) != (0, 0):
        yield f"{about}: our own answers were taken for {row['replies']} replies"
