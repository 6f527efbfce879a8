"""One run of the value chain for people to watch: two real tickets come in, and value comes out."""

import asyncio
import os
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import BaseModel
from rich.rule import Rule
from rich.text import Text

from contracts.engage import DemandStatusReported
from contracts.event import dashed
from contracts.value_chain import ACTIVITIES, ENGAGE
from svc import coverage, edges, journeys, running, show, trace, words
from svc.chain import Chain, Way
from svc.consumer import Consumer
from svc.desk_replay import INCIDENT, NEW_SERVICE, recorded, replay
from svc.elsewhere import Elsewhere, known_desk_secret
from svc.governance import prepare
from svc.loopback import serve
from svc.machine import Home
from svc.machine.home import write_private
from svc.services import Services
from svc.spans import tree
from svc.terminal import Terminal
from svc.timeline import TERMINAL, moment, open_ends
from svc.topics import until_consumed
from svc.trails import Journey, follow
from svc.trouble import Trouble

Json = dict[str, Any]
GLANCE, CALM = 0.4, 1.5
"""Seconds between two looks at a demand, and how long nothing must happen after its end."""
NO_NOTICE = 5.0
"""Seconds after a delivery at which its consumer answers although no notice has reached them."""
ALL_SPANS = 15.0
"""Seconds that spans may take to come in."""
MEMORY_AFTER = 10.0
"""Seconds after the last demand's end at which memory is measured: nothing is busy any more."""


class Sent(BaseModel):
    """A ticket that the desk has pushed."""

    recording: str
    ticket: str
    delivery: str
    demand: UUID | None = None
    """The demand that it is, once Engage has said so."""


class Kept(BaseModel):
    """What a home keeps of its demonstrations."""

    secret: str
    """What the desk signs its pushes with."""
    sent: list[Sent] = []
    """The tickets of the last one."""


class Outcome(NamedTuple):
    """How one demand ended, or how far it came."""

    demand: UUID
    about: Json
    journey: Journey
    waits: list[str]
    """Where it waits, if it has not ended."""

    @property
    def ended(self) -> bool:
        """Whether it is in a final state."""
        return self.about.get("status") in TERMINAL

    @property
    def seconds(self) -> float:
        """Wall seconds from the ticket to the state it is in now."""
        told = [
            entry.at
            for entry in self.journey.entries
            for event in entry.outputs
            if event.type == DemandStatusReported.type and event.data["status"] == self.about.get("status")
        ]
        return round((told[0] - self.journey.entries[0].at).total_seconds(), 1) if told else 0.0


class Traces(NamedTuple):
    """The spans of one demand."""

    live: list[Json]
    journey: list[Json]
    """In chain time."""


async def run(
    terminal: Terminal, *, once: bool, again: bool, json: bool, speed: float, work: Way, limit: float,
    port: int | None, epoch: datetime | None, began: float, interrupted: Callable[[], Any],
) -> int:  # fmt: skip
    """The whole demonstration; 0 if both demands came to an end, else 1.

    A chain that runs elsewhere (`SVC_SERVICES`) is shown as it is: its speed and its way of work are its own.
    """
    home = Home()
    home.prepare()
    if running.SERVICES in os.environ:
        return await _run_elsewhere(terminal, home, again, limit, json)
    kept = _kept(home.path)
    tickets = _tickets(kept, again)
    consumer = Consumer(kept.secret)
    with terminal.working():
        async with serve(consumer.app) as outside:
            desks = {"roundup": {"secrets": [kept.secret], "reply_url": f"{outside}/notices"}}
            chain = Chain(
                home,
                speed=speed,
                work=work,
                desks=orjson.dumps(desks).decode(),
                port=port,
                say=terminal.say,
                began=began,
                epoch=epoch,
            )
            async with chain:
                code = await chain.run(_demonstrate(terminal, chain, consumer, kept, tickets, limit, json))
                if not once:
                    terminal.rest()
                    terminal.say(f"the chain runs on at {chain.page} until Ctrl-C")
                    await chain.run(interrupted())
    return code


async def _run_elsewhere(terminal: Terminal, home: Home, again: bool, limit: float, json: bool) -> int:
    """The same with a chain that runs already; the notices of its desk are looked at on its page."""
    kept = _kept(home.path).model_copy(update={"secret": known_desk_secret()})
    with terminal.working():
        async with Elsewhere(home) as chain:
            return await _demonstrate(terminal, chain, Consumer(kept.secret), kept, _tickets(kept, again), limit, json)


async def _demonstrate(
    terminal: Terminal, chain: Chain | Elsewhere, consumer: Consumer, kept: Kept, tickets: list[Sent], limit: float,
    json: bool,
) -> int:  # fmt: skip
    terminal.moving("ready")
    if isinstance(chain, Chain):
        terminal.show(Text(f"Ready after {chain.start_seconds} s: {chain.page}", style="bold"))
    said = await prepare(chain.client, chain.clock.now())
    terminal.show(
        Text(f"Said through the front doors: {words.listed(said)}." if said else "All policies stand.", "dim")
    )
    sent = [await _push(terminal, chain, kept.secret, ticket) for ticket in tickets]
    write_private(chain.home.path / "demo.json", kept.model_copy(update={"sent": sent}).model_dump_json())

    async def hears(demand: UUID) -> bool:
        if isinstance(chain, Elsewhere):
            await consumer.look(chain.page, demand)
        return consumer.asked(demand)

    watched = [(ticket.demand, ticket.ticket) for ticket in sent if ticket.demand]
    outcomes = await asyncio.gather(
        *(watch(terminal, chain, consumer, demand, ticket, limit, hears) for demand, ticket in watched)
    )
    costs: Json = {}
    if isinstance(chain, Chain):
        terminal.say("measuring memory at rest")
        await asyncio.sleep(MEMORY_AFTER)
        costs = {"start_seconds": chain.start_seconds, "memory_mib": round(chain.memory_mib(), 1)}
    found = coverage.coverage(await chain.client.coverage())
    traces = {outcome.demand: await traces_of(terminal, chain.page, outcome) for outcome in outcomes}
    for outcome in outcomes:
        _tell(terminal, outcome, traces[outcome.demand])
    terminal.show(Rule("what this chain has shown of the documented value chain"))
    terminal.show(coverage.render(found))
    if isinstance(chain, Chain):
        cost = f"started in {costs['start_seconds']} s, {costs['memory_mib']:.0f} MiB of memory at rest"
        terminal.show(Text(f"\n{cost}", style="dim"))
        for name, url in {"page": chain.page, **{a: f"{chain.services[a]}/docs" for a in ACTIVITIES}}.items():
            terminal.show(Text(f"  {words.activity(name):<22}{url}", style="dim"))
    if json:
        demands = [_as_json(outcome, traces[outcome.demand]) for outcome in outcomes]
        terminal.result({"demands": demands, "coverage": found, **costs})
    return 0 if all(outcome.ended for outcome in outcomes) else 1


async def _push(terminal: Terminal, chain: Chain | Elsewhere, secret: str, sent: Sent) -> Sent:
    """Push a recorded ticket as the desk did, signed now. If it was pushed before, show that nothing comes of it."""
    before = await follow(chain.client, sent.demand) if sent.demand else None
    headers, body = replay(
        recorded(sent.recording), ticket=sent.ticket, delivery=sent.delivery, secret=secret, now=datetime.now(UTC)
    )
    answer = await chain.client.ask(ENGAGE, "POST", "/desks/roundup", content=body, headers=headers)
    demand = UUID(answer.json()["demand"])
    if before:
        await until_consumed(chain.kafka, ENGAGE)
        new = len((await follow(chain.client, demand)).entries) - len(before.entries)
        came = f"{new} new" if new else "no new"
        terminal.show(Text(f"Ticket {sent.ticket} was pushed again: {came} messages about demand {demand}.", "bold"))
    return sent.model_copy(update={"demand": demand})


async def watch(
    terminal: Terminal, chain: Chain | Elsewhere, consumer: Consumer, demand: UUID, ticket: str, limit: float,
    hears: Callable[[UUID], Awaitable[bool]],
) -> Outcome:  # fmt: skip
    """Show what happens to a demand, let its consumer answer, and stop when it has ended and all is calm.

    Args:
        terminal: where it is shown.
        chain: the one that it is in.
        consumer: who says what a delivery was worth.
        demand: its id.
        ticket: what people call it.
        limit: seconds that it may take to end.
        hears: whether its consumer has heard by now that it is delivered.
    """
    loop = asyncio.get_running_loop()
    shown: set[tuple[str, UUID]] = set()
    deadline, calm_since = loop.time() + limit, loop.time()
    about: Json = {}
    while True:
        journey = await follow(chain.client, demand)
        for entry in journey.entries:
            if (entry.activity, entry.id) not in shown:
                shown.add((entry.activity, entry.id))
                calm_since = loop.time()
                if not (one := moment(entry, str(demand))).quiet:
                    terminal.show(show.moment(one, f"ticket {ticket}  "))
        about = await look(chain.client, demand) or about
        if about.get("status") == "delivered" and (await hears(demand) or loop.time() - calm_since > NO_NOTICE):
            await consumer.answer(chain.client, about)
        ended, waits = about.get("status") in TERMINAL, open_ends(journey, about.get("status", ""))
        if ended and loop.time() - calm_since > CALM:
            return Outcome(demand, about, journey, [])
        if loop.time() > deadline:
            return Outcome(demand, about, journey, [*waits, *await _held_up(chain.client, demand)])
        if not ended and waits:
            terminal.moving(f"{words.at(chain.clock.now())}  ticket {ticket}: {waits[0]}")
        await asyncio.sleep(GLANCE)


async def look(services: Services, demand: UUID) -> Json:
    """The demand as Engage shows it; empty until Engage has taken it up."""
    answer = await services.ask(ENGAGE, "GET", f"/demands/{demand}", refused=(404,))
    return {} if answer.is_error else dict(answer.json())


async def _held_up(services: Services, demand: UUID) -> list[str]:
    """Work that somebody has to report, records that were set aside, and activities that cannot say."""
    found = []
    for activity in ACTIVITIES:
        try:
            work = (await services.ask(activity, "GET", "/work")).json()
            aside = (await services.ask(activity, "GET", "/dlq")).json()
        except Trouble as trouble:
            found.append(str(trouble))
            continue
        name = words.activity(activity)
        found += [
            f"{name}: {words.spoken(item['kind'])} by {item['owner']} is open (`GET /work`)"
            for item in work
            if item["id"] == str(demand)
        ]
        found += [
            f"{name} has set {one['event_id']} aside: {one['reason']} (`svc dlq`)"
            for one in aside
            if one["case_id"] == str(demand)
        ]
    return found


async def traces_of(terminal: Terminal, page: str, outcome: Outcome) -> Traces:
    """The spans of a demand and of its journey, once all have come in; what there is after a while."""
    deadline = asyncio.get_running_loop().time() + ALL_SPANS
    wanted = {f"svc-{dashed(activity)}" for activity in outcome.journey.activities}
    ids = outcome.journey.trace_id or "none", journeys.trace_id(outcome.demand)
    while True:
        try:
            live, journey = [await edges.spans_from(f"{page}/traces", [id]) for id in ids]
        except Trouble as trouble:  # the demands have come to their end without spans, too
            terminal.show(Text(str(trouble), style="yellow"))
            return Traces([], [])
        complete = wanted <= set(trace.services_in(live)) and not any(root.orphan for root in tree(live))
        if (complete and journey) or asyncio.get_running_loop().time() > deadline:
            return Traces(live, journey)
        await asyncio.sleep(GLANCE)


def _tell(terminal: Terminal, outcome: Outcome, traces: Traces) -> None:
    terminal.show(Rule(f"demand {outcome.demand}"))
    if not outcome.about:
        terminal.show(Text("Engage has not taken it up.", style="bold red"))
        return
    terminal.show(show.heading(outcome.about))
    for wait in outcome.waits:
        terminal.show(Text(f"it has not ended: {wait}", style="bold red"))
    told = f"One trace, {len(traces.live)} spans over {words.listed(trace.services_in(traces.live))}."
    id = words.short(outcome.demand)
    terminal.show(Text(f"{told} `svc show {id}`, `svc explain {id}` and `svc trace {id}` tell it all.", style="dim"))
    terminal.show(Text("\nits journey, in chain time", style="bold"))
    terminal.show(trace.render_journey(traces.journey))


def _as_json(outcome: Outcome, traces: Traces) -> Json:
    told = {
        "id": str(outcome.demand),
        "stream": outcome.about.get("stream", ""),
        "status": outcome.about.get("status", "unknown"),
        "activities": outcome.journey.activities,
        "trace_id": outcome.journey.trace_id,
        "services_in_trace": trace.services_in(traces.live),
        "spans": len(traces.live),
        "journey": journeys.trace_id(outcome.demand) if traces.journey else "",
        "seconds": outcome.seconds,
    }
    return told if outcome.ended else {**told, "waits": outcome.waits}


def kept_secret(home: Path) -> str:
    """What the desk of this home signs its pushes with."""
    kept = _kept(home)
    write_private(home / "demo.json", kept.model_dump_json())
    return kept.secret


def _kept(home: Path) -> Kept:
    file = home / "demo.json"
    if file.exists():
        return Kept.model_validate_json(file.read_bytes())
    return Kept(secret=f"whsec_{b64encode(secrets.token_bytes(32)).decode()}")


def _tickets(kept: Kept, again: bool) -> list[Sent]:
    """New tickets under new numbers; or, again, the last ones, as a desk repeats a push that it is not sure of."""
    if again:
        if not kept.sent:
            raise Trouble("There is no earlier run to repeat in this home: run `svc demo` without --again first.")
        return kept.sent
    return [
        Sent(
            recording=recording, ticket=str(number := 1000 + secrets.randbelow(9_000_000)), delivery=f"issue{number}-1"
        )
        for recording in (INCIDENT, NEW_SERVICE)
    ]
