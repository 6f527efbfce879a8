"""A ticket of a real desk, seen through: from the desk's own form to our answer on the ticket's page."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import httpx
import orjson
from rich.text import Text

from contracts.value_chain import ACTIVITIES, ENGAGE
from services.engage.desks.client import Access, Client
from services.engage.desks.connector import connector
from services.engage.desks.intake import demand_of
from services.engage.desks.text import MARKED, plain
from services.engage.model import RequesterNotified
from svc import demo, edges, running, trace, words
from svc.chain import Chain, Way
from svc.consumer import Consumer
from svc.desks import django_helpdesk, rt
from svc.desks.hosting import Desk, Ticket
from svc.elsewhere import Elsewhere
from svc.governance import prepare
from svc.machine import Home, Say, ports
from svc.machine.process import Child
from svc.spans import told, tree
from svc.terminal import Terminal
from svc.trouble import Trouble

Json = dict[str, Any]
Result = TypeVar("Result")
PLACED: Mapping[str, Callable[[Home, int, Say], Awaitable[Desk]]] = {
    django_helpdesk.NAME: django_helpdesk.placed,
    rt.NAME: rt.placed,
}
"""The desks that there is a demonstration with."""
TITLE, TEXT, TYPE = (
    "The games go black while charging",
    "Since this morning the in-car video games show a black screen while a car is charging. 40 users are affected.",
    "Incident",
)
TAKEN, WRITTEN, GLANCE = 60.0, 60.0, 0.3
"""Seconds until Engage must have a ticket; until the desk must show our last answer; and between two looks."""


class Shown(NamedTuple):
    """What a ticket's page shows of ours."""

    replies: list[str]
    """Our answers, the first first."""
    status: str
    """How the ticket stands, as the desk's API says."""


async def run(
    terminal: Terminal, kind: str, *, once: bool, json: bool, speed: float, work: Way, limit: float, port: int | None,
    began: float, interrupted: Callable[[], Coroutine[Any, Any, None]],
) -> int:  # fmt: skip
    """Start the chain and the desk, wired both ways, and see one ticket through; 0 if all of it was seen, else 1.

    A chain that runs elsewhere (`SVC_SERVICES`) has a desk that runs beside it, too (`SVC_DESK_URL`).
    """
    home = Home()
    home.prepare()
    if running.SERVICES in os.environ:
        with terminal.working():
            async with Elsewhere(home) as there:
                return await seen_through(terminal, there, elsewhere(), limit, json)
    with terminal.working():
        after = port + 1 + len(ACTIVITIES) if port else None
        site = ports.configured(str(after), "--port") if after else ports.free(1)[0]
        desk = await PLACED[kind](home, site, terminal.say)
        known = orjson.dumps({desk.name: desk.known}).decode()
        async with Chain(home, speed=speed, work=work, desks=known, port=port, say=terminal.say, began=began) as chain:
            hook = desk.hook(chain.services[ENGAGE])
            async with desk.running(home, hook, terminal.say) as child:
                code = await chain.run(while_it_runs(child, seen_through(terminal, chain, desk, limit, json)))
                if not once:
                    terminal.rest()
                    invite(terminal, chain, desk)
                    await chain.run(while_it_runs(child, interrupted()))
    return code


def elsewhere() -> Desk:
    """The django-helpdesk that runs beside a chain elsewhere; `Trouble` if it is not said where."""
    settings = {name: os.environ.get(f"SVC_DESK_{name}", "") for name in ("URL", "PASSWORD", "TOKEN")}
    if missing := [f"SVC_DESK_{name}" for name, value in settings.items() if not value]:
        raise Trouble(f"{words.listed(missing)} must say where the desk is and how we are let in; see compose.yaml.")
    return django_helpdesk.Desk(settings["URL"], "", settings["PASSWORD"], settings["TOKEN"])


async def while_it_runs(child: Child, work: Coroutine[Any, Any, Result]) -> Result:
    """Do this while the desk runs; raises why it has ended, if it ends meanwhile."""
    working, ending = asyncio.create_task(work), asyncio.create_task(child.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise child.death()
        return working.result()
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.gather(working, ending, return_exceptions=True)


async def seen_through(terminal: Terminal, chain: Chain | Elsewhere, desk: Desk, limit: float, json: bool) -> int:
    """See one ticket through; `Trouble` if the desk does not answer meanwhile."""
    try:
        return await demonstrate(terminal, chain, desk, limit, json)
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise Trouble(f"{desk.name} does not answer as it should ({reason}): {logs(chain, desk)}") from error


def logs(chain: Chain | Elsewhere, desk: Desk) -> str:
    """Where to look when something has gone wrong."""
    if isinstance(chain, Elsewhere):
        return "`docker compose logs desk engage` says more."
    return f"{chain.home.logs / desk.name}.log says more, and engage.log beside it."


async def demonstrate(terminal: Terminal, chain: Chain | Elsewhere, desk: Desk, limit: float, json: bool) -> int:
    """See one ticket through, step by step."""
    step = Steps(terminal)
    said = await prepare(chain.client, chain.clock.now())
    step(f"The chain and {desk.name} run." + (f" Said first: {words.listed(said)}." if said else ""))
    step(f"A customer fills in the desk's form at {desk.form}: “{TITLE}”.")
    began = time.monotonic()
    ticket = await asyncio.to_thread(desk.submit, TITLE, TEXT, TYPE)
    step(f"It is ticket {ticket.id} of the desk; the customer follows it at {ticket.page}")
    demand = demand_of(desk.name, ticket.id)
    await until_taken(chain, desk, demand)
    proved = (
        "signed" if connector(desk.known["connector"]).capabilities.signed else "Engage has asked it what is true of it"
    )
    step(f"The desk has pushed it, {proved}, and it is demand {demand}.")
    consumer = Consumer("")

    async def hears(_: UUID) -> bool:
        return (await look(desk, ticket, demand)).status == "resolved"

    outcome = await demo.watch(terminal, chain, consumer, demand, ticket.id, limit, hears)
    shown = await until_written(desk, ticket, demand)
    seconds = round(time.monotonic() - began, 1)
    for reply in shown.replies:
        step(f"The customer reads on the ticket's page: “{reply}”")
    step(f"In the desk the ticket is {shown.status}; in the chain the demand is {outcome.about.get('status')}.")
    trace_id = outcome.journey.trace_id
    spans, complete = await spans_of(chain.page, trace_id, len(shown.replies))
    whole = "from the push to the write-back" if complete else "but not from the push to the write-back"
    step(f"All of it is one trace, {whole}: {trace_id}, {len(spans)} spans.")
    terminal.show(trace.render(spans))
    passed = outcome.ended and bool(shown.replies) and shown.status == "resolved" and complete
    for wait in outcome.waits:
        terminal.show(Text(f"it has not ended: {wait}", style="bold red"))
    if json:
        terminal.result({
            "desk": desk.name, "ticket": ticket.id, "demand": str(demand),
            "status": outcome.about.get("status", "unknown"), "status_in_desk": shown.status,
            "reply_seen": bool(shown.replies), "replies": shown.replies, "trace_id": trace_id,
            "services_in_trace": trace.services_in(spans), "push_to_write_back": complete, "seconds": seconds,
            "page": f"{chain.page}/demands/{demand}", "ticket_page": ticket.page,
        })  # fmt: skip
    return 0 if passed else 1


class Steps:
    """Says each step of the demonstration under its number."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal, self.number = terminal, 0

    def __call__(self, text: str) -> None:
        """The next step."""
        self.number += 1
        self.terminal.show(Text(f"{self.number:>2}  {text}", style="bold"))


async def until_taken(chain: Chain | Elsewhere, desk: Desk, demand: UUID) -> Json:
    """Wait until Engage has taken the ticket up; `Trouble` says what to look at if it does not."""
    deadline = time.monotonic() + TAKEN
    while not (about := await demo.look(chain.client, demand)):
        if time.monotonic() > deadline:
            raise Trouble(f"Engage has not taken the ticket up after {TAKEN:.0f} s: {logs(chain, desk)}")
        await asyncio.sleep(GLANCE)
    return about


async def until_written(desk: Desk, ticket: Ticket, demand: UUID) -> Shown:
    """Wait until the desk shows an answer of ours and the ticket is resolved; what it shows after a while."""
    deadline = time.monotonic() + WRITTEN
    while True:
        shown = await look(desk, ticket, demand)
        if (shown.replies and shown.status == "resolved") or time.monotonic() > deadline:
            return shown
        await asyncio.sleep(GLANCE)


async def look(desk: Desk, ticket: Ticket, demand: UUID) -> Shown:
    """What the requester's page shows of ours, and how the ticket stands."""
    lines = [line for line in plain(await asyncio.to_thread(desk.read, ticket)).splitlines() if line]
    replies: dict[int, str] = {}  # by their number: a desk may show one as its resolution, too
    for before, line in pairwise(lines):
        if (found := MARKED.search(line)) and found[1] == str(demand):
            replies[int(found[2])] = before
    known = desk.known
    async with Client(connector(known["connector"], known["secrets"]), Access(**known["api"])) as api:
        status = (await api.fetch(ticket.id)).event.status or ""
    return Shown([text for _, text in sorted(replies.items())], status)


async def spans_of(page: str, trace_id: str, replies: int) -> tuple[list[Json], bool]:
    """The spans of a trace, and whether it begins with the push and has each reply's writing; what is there in time."""
    deadline = time.monotonic() + demo.ALL_SPANS
    while True:
        spans = await edges.spans_from(f"{page}/traces", [trace_id or "none"])
        pushed = [root.name for root in tree(spans)] == ["POST /desks/{desk}"]
        heard = [told(span).attributes.get("cloudevents.event_type") for span in spans]
        complete = pushed and heard.count(RequesterNotified.type) >= max(replies, 1)
        if complete or time.monotonic() > deadline:
            return spans, complete
        await asyncio.sleep(GLANCE)


def invite(terminal: Terminal, chain: Chain | Elsewhere, desk: Desk) -> None:
    """Say where to click."""
    terminal.show(Text("\nNow you: everything runs until Ctrl-C.", style="bold"))
    places = {
        **desk.places,
        "the chain's page": chain.page,
        **{words.activity(activity): f"{url}/docs" for activity, url in chain.services.items()},
    }
    for name, place in places.items():
        terminal.show(Text(f"  {name:<22}{place}"))
