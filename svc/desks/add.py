"""`svc desk add` and `svc desk test`: a desk of one's own is wired to the chain, and each step is shown to work."""

import asyncio
import secrets
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import orjson
from prometheus_client.parser import text_string_to_metric_families
from rich.text import Text

from contracts.value_chain import ENGAGE
from services.engage.desks.client import UNREACHABLE, Access, Client, Declined
from services.engage.desks.connector import Connector
from services.engage.desks.events import DONE, Capabilities, Unreadable
from services.engage.desks.intake import demand_of
from services.engage.desks.letter import ABOVE, Letter
from services.engage.desks.mailbox import Mailbox
from services.engage.desks.mailbox import client as plugged_client
from services.engage.desks.signature import SCHEMES
from services.engage.desks.text import MARKED
from svc import desk, running
from svc.desks import known
from svc.looking import Seen
from svc.machine import Home
from svc.services import Services
from svc.terminal import Terminal
from svc.trouble import Trouble

Json = dict[str, Any]
ENGAGE_STARTS, PUSHED, ANSWERED, GLANCE, ASKED_EVERY = 60.0, 60.0, 60.0, 0.3, 30
"""Seconds: until Engage has read the settings anew; until a ticket must be a demand; until its desk must show our
answer; between two looks; and until a desk that pushes nothing is asked again."""
TITLE = "A test of the connection"
TEXT = "This ticket shows that the desk and the service value chain are connected. It is withdrawn at once."
EMAIL = "connection-test@example.com"
PUSHES = "http_server_request_duration_seconds_count"
BORN = "process_start_time_seconds"
ON_PUSH: Mapping[str, str] = {
    "401": "Engage has refused a push (401): what the desk signs with, or the token in its address, is not the secret "
    "that Engage knows. `svc desk add` with the same name and the right --push-secret mends it.",
    "404": "A push came to another address (404): it must end in /desks/{name}.",
    "422": "Engage could not read a push (422): `svc desk check` shows what the profile makes of a payload.",
    "503": "Engage has heard a push, and could not ask the desk about it (503): it must reach the desk's API, too.",
}
"""What it means if Engage has answered a push so, and no demand came of it."""


class Failed(Exception):  # noqa: N818 - it is the step that has failed
    """A step that did not work; says what to do."""


class Wanted(NamedTuple):
    """A desk as its user describes it."""

    name: str
    """What Engage shall call it; pushes come to `/desks/<name>`."""
    profile: str
    """What it is, as in `svc desk list`; or a profile of one's own, a .yaml file."""
    url: str = ""
    """Its address; empty if it cannot be asked or answered."""
    user: str = ""
    secret: str = ""
    """Of our account at it."""
    push_secret: str = ""
    """What it signs its pushes with; empty: one is made up."""
    reply_url: str = ""
    """Where notices go, if it has no API."""
    outgoing: str = ""
    """Of a mailbox: the server that takes our answers."""
    sender: str = ""
    """Of a mailbox: its address, if `user` is none."""

    def settings(self) -> Json:
        """As an entry of `SVC_DESKS`."""
        plugged = desk.plug(self.profile, [], "")
        made: Json = {
            "connector": self.profile,
            "secrets": [self.push_secret or secret_for(plugged)],
        }
        if self.url:
            made["api"] = {"base": self.url.rstrip("/"), "user": self.user, "secret": self.secret}
            made["api"] |= {name: text for name in ("outgoing", "sender") if (text := getattr(self, name))}
            made |= {} if plugged.capabilities.push else {"ask_every": ASKED_EVERY}
        return made | ({"reply_url": self.reply_url} if self.reply_url else {})


class Ticket(NamedTuple):
    """A ticket that goes through."""

    id: str
    ours: bool
    """Whether we have made it, and so take it back."""


def secret_for(plugged: Connector) -> str:
    """A random secret as that desk has them."""
    if plugged.profile.signature[:1] == ("standard-webhooks",):
        return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    return secrets.token_urlsafe(32)


class Steps:
    """What was tried: shown as it happens, and kept for scripts."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal, self.done = terminal, list[Json]()

    def passed(self, step: str, said: str) -> None:
        """It works."""
        self._show(step, said, passed=True)

    def failed(self, step: str, said: str) -> None:
        """It does not, and `said` is why."""
        self._show(step, said, passed=False)

    def _show(self, step: str, said: str, *, passed: bool) -> None:
        self.done.append({"step": step, "passed": passed, "said": said})
        mark, style = ("✓", "green") if passed else ("✗", "bold red")
        self._terminal.show(Text(f"{mark} ", style=style).append(f"{step}: ", style="bold").append(said, style=""))

    async def __call__(self, step: str, work: Awaitable[tuple[str, Any]]) -> Any:
        """Do one step, which gives what is said of it and its result."""
        self._terminal.moving(step)
        try:
            said, result = await work
        except Failed as failure:
            self.failed(step, str(failure))
            raise
        self.passed(step, said)
        return result


async def add(terminal: Terminal, wanted: Wanted, *, ticket: str, ask: Callable[[str], str] | None, json: bool) -> int:
    """Try the connection, keep the settings, and send a ticket through if a chain runs; 1 if a step fails.

    Args:
        terminal: where each step is shown.
        wanted: the desk.
        ticket: one that is in the desk already, to see it through; empty: one is made, if we know how.
        ask: asks a person something; None if nobody is there.
        json: whether the outcome goes to standard output, for scripts.
    """
    home, steps = Home(), Steps(terminal)
    plugged = desk.plug(wanted.profile, [], "")
    if not wanted.url and plugged.profile.api and not plugged.capabilities.signed:
        raise Trouble(
            f"What {wanted.profile} pushes proves nothing, so Engage must ask it what is true: give its address "
            "(--url), our account (--user) and its password or token (--secret)."
        )
    settings = wanted.settings()
    known.checked(orjson.dumps({wanted.name: settings}), f"The desk {wanted.name!r}")
    result: Json = {"desk": wanted.name, "settings": str(home.path / known.FILE)}
    with terminal.working():
        try:
            await steps("its profile", profiled(wanted.profile))
            await connect(steps, settings)
            born = 0.0
            if known.kept(home.path).get(wanted.name) != settings:
                born = await started(home)
                known.keep(home.path, wanted.name, settings)
            steps.passed("its settings", f"kept in {home.path / known.FILE}, which `svc up` reads")
            if plugged.capabilities.push:
                result["push_to"] = push_to(home, wanted.name, settings)
                terminal.show(Text(f"  Let the desk push to {result['push_to']}", style="bold"))
            if proof := proves(wanted.profile):
                terminal.show(Text(f"  and sign with the secret {settings['secrets'][0]} ({proof})", style="bold"))
            if runs(home):
                result |= await tested(steps, home, wanted.name, settings, ticket, ask, born)
            else:
                hint = f"No chain runs here: start `svc up --port 8800`, then `svc desk test {wanted.name}`."
                terminal.show(Text(hint))
        except Failed:
            return _told(terminal, result, steps, json, 1)
    return _told(terminal, result, steps, json, 0)


async def test(terminal: Terminal, name: str, *, ticket: str, ask: Callable[[str], str] | None, json: bool) -> int:
    """Send a ticket of a desk that is known already through the chain that runs; 1 if a step fails."""
    home, steps = Home(), Steps(terminal)
    desks = known.kept(home.path)
    if name not in desks:
        there = f"there are {', '.join(desks)}" if desks else "there is none"
        raise Trouble(f"{home.path / known.FILE} has no desk {name!r}, {there}: `svc desk add {name}` adds it.")
    running.find(home.path)
    result: Json = {"desk": name}
    if can(desks[name]).push:
        result["push_to"] = push_to(home, name, desks[name])
    with terminal.working():
        try:
            await connect(steps, desks[name])
            result |= await tested(steps, home, name, desks[name], ticket, ask, 0.0)
        except Failed:
            return _told(terminal, result, steps, json, 1)
    return _told(terminal, result, steps, json, 0)


async def remove(name: str) -> Seen:
    """Forget a desk; Engage takes no push of it any more, and its requesters are told nothing on their tickets."""
    home = Home()
    file = known.keep(home.path, name, None) if name in known.kept(home.path) else None
    if file is None:
        raise Trouble(f"{home.path / known.FILE} has no desk {name!r}.")
    return Seen(Text(f"{name} is forgotten: {file}"), {"desk": name, "settings": str(file)})


def _told(terminal: Terminal, result: Json, steps: Steps, json: bool, code: int) -> int:
    if json:
        terminal.result(result | {"steps": steps.done, "passed": code == 0})
    return code


async def profiled(profile: str) -> tuple[str, None]:
    """What is known of such a desk."""
    found = desk.plug(profile, [], "").profile
    return f"{found.title}. {found.note}".strip(), None


async def connect(steps: Steps, settings: Json) -> None:
    """Whether it lets us in, and, of a mailbox, whether mails go out."""
    await steps("the connection", connected(settings))
    if "outgoing" in settings.get("api", {}):
        await steps("the way out", open_to(settings))


async def open_to(settings: Json) -> tuple[str, None]:
    """Whether the outgoing server of a mailbox lets us in, and would take a mail for the mailbox; none is sent."""
    outgoing = settings["api"]["outgoing"]
    try:
        async with client(settings) as api:
            if isinstance(api, Mailbox):
                await api.send(None)
    except UNREACHABLE as error:
        raise Failed(f"{outgoing} takes no mail: {error}. Check --outgoing, --user and its password.") from None
    return f"{outgoing} takes mails of ours", None


async def connected(settings: Json) -> tuple[str, None]:
    """Whether its API lets us in: it is asked for what has changed since now, which is hardly anything."""
    if "api" not in settings:
        return "no address is given, so it can only push", None
    base = settings["api"]["base"]
    try:
        async with client(settings) as api:
            if isinstance(api, Mailbox):
                return f"{base} lets {settings['api']['user']} in", None
            poll = api.api.poll
            if poll is None:
                return f"{base} has nothing that could be asked for: nobody knows yet whether it lets us in", None
            await api.poll("9" * 9 if poll.cursor == "id" else datetime.now(UTC).isoformat())
    except Declined as declined:
        raise Failed(f"{base} declines. {declined}.") from None
    except Unreadable as unreadable:
        raise Failed(f"What answers at {base} is no such desk: {unreadable}. Check --url and --profile.") from None
    except httpx.ConnectError as error:
        raise Failed(
            f"Nobody answers at {base} ({error}). Check address and port, and whether this machine may go there."
        ) from None
    except httpx.TimeoutException:
        raise Failed(f"{base} does not answer in time: is there a firewall between it and this machine?") from None
    except httpx.HTTPStatusError as error:
        raise Failed(f"{base} fails by itself (HTTP {error.response.status_code}): see its own log.") from None
    except PermissionError as error:
        raise Failed(f"{error}. Check --user and its password; some servers want one made for a program.") from None
    except (*UNREACHABLE, ValueError) as error:
        raise Failed(f"{base} cannot be asked: {type(error).__name__}: {error}. Check --url.") from None
    return f"{base} lets {settings['api']['user'] or 'us'} in", None


async def tested(
    steps: Steps, home: Home, name: str, settings: Json, ticket: str, ask: Callable[[str], str] | None, born: float
) -> Json:
    """Send a ticket through the chain that runs; `born` is when the Engage began that had other settings."""
    async with Services(running.find(home.path).services) as services:
        await steps("Engage", knows(services, name, born))
        before = await pushes(services)
        made = await steps("a ticket", ticketed(name, settings, ticket, ask))
        demand = demand_of(name, made.id)
        if can(settings).push:
            about = await steps("the push", taken(services, name, demand, made, before))
        else:
            about = await steps("the demand", found(services, name, settings, demand, made))
        if "api" in settings:
            await steps("the reply", answered(settings, made.id, demand))
        if made.ours:
            await steps("the end", withdrawn(services, settings, made.id, about))
    return {"ticket": made.id, "demand": str(demand)}


async def started(home: Home) -> float:
    """When the Engage that runs now began, in seconds since 1970; 0 if none answers."""
    try:
        async with Services(running.find(home.path).services) as services:
            return (await measured(services, BORN))[()]
    except Trouble:
        return 0


async def knows(services: Services, name: str, born: float) -> tuple[str, None]:
    """Wait until another Engage answers than the one that began then, and knows the desk: its pushes must be proved."""
    deadline = time.monotonic() + ENGAGE_STARTS
    while time.monotonic() < deadline:
        try:
            answer = await services.ask(ENGAGE, "POST", f"/desks/{name}", content=b"", refused=(401, 404, 422, 503))
            if answer.status_code not in (404, 503) and (await measured(services, BORN))[()] != born:
                return f"it knows {name!r}, and refuses a push that proves nothing ({answer.status_code})", None
        except Trouble:
            pass  # it is starting just now
        await asyncio.sleep(GLANCE)
    raise Failed(
        f"Engage does not know {name!r} after {ENGAGE_STARTS:.0f} s. A chain that `svc up` has started reads the "
        "settings whenever they change; end any other, and start `svc up`."
    )


async def ticketed(name: str, settings: Json, ticket: str, ask: Callable[[str], str] | None) -> tuple[str, Ticket]:
    """A ticket in the desk: one that is there, one that we make, or one that a person makes now."""
    if ticket:
        return f"{ticket} is in the desk already", Ticket(ticket, ours=False)
    if desk.plug(settings["connector"], [], "").profile.reads == "mail":
        return await mailed(settings)
    if (make := MAKES.get(settings["connector"])) and "api" in settings:
        async with client(settings) as api:
            try:
                if isinstance(api, Mailbox):
                    raise ValueError("a mailbox takes no tickets")
                answer = await api.http.request("POST", **make)
                if answer.is_success:
                    id = str(answer.json()["id"])
                    return f"{id} is made in the desk: “{TITLE}”", Ticket(id, ours=True)
                reason = f"HTTP {answer.status_code}: {answer.text[:200]}"
            except (httpx.HTTPError, ValueError, KeyError) as error:
                reason = f"{type(error).__name__}: {error}"
        if ask is None:
            raise Failed(f"We could not make one ({reason}). Make one, then `svc desk test {name} --ticket <its id>`.")
    if ask is None:
        raise Failed(f"Make one in the desk, then say which it is: `svc desk test {name} --ticket <its id>`.")
    id = ask("Make a ticket in the desk now. Which id has it?")
    return f"{id} is made", Ticket(id, ours=False)


async def mailed(settings: Json) -> tuple[str, Ticket]:
    """A mail that the mailbox sends to itself: so what answers it is sent by the same way."""
    async with client(settings) as api:
        if not isinstance(api, Mailbox):
            raise ValueError(f"{settings['connector']} is no mailbox")
        address, mail = api.servers.address, EmailMessage()
        id = f"svc-test.{uuid4()}@{address.rpartition('@')[2]}"
        mail["From"], mail["To"], mail["Subject"], mail["Date"] = address, address, TITLE, datetime.now(UTC)
        mail["Message-ID"] = f"<{id}>"
        mail.set_content(TEXT.replace("ticket", "mail"))
        try:
            await api.send(Letter(id, address, mail.as_bytes()))
        except (*UNREACHABLE, Declined) as error:
            raise Failed(f"A mail to {address} could not be sent: {error}.") from None
    return f"a mail to {address} is sent: “{TITLE}”", Ticket(id, ours=True)


async def found(services: Services, name: str, settings: Json, demand: UUID, ticket: Ticket) -> tuple[str, Json]:
    """Wait until Engage has asked the desk, which pushes nothing, and has found the ticket."""
    seconds = PUSHED + settings.get("ask_every", 180)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = await services.ask(ENGAGE, "GET", f"/demands/{demand}", refused=(404,))
        if not answer.is_error:
            about: Json = answer.json()
            return f"ticket {ticket.id} is demand {demand} ({about['kind']}, {about['status']})", about
        await asyncio.sleep(GLANCE)
    raise Failed(
        f"Engage has not found ticket {ticket.id} in {seconds:.0f} s. `svc desk status` says whether {name} answers; "
        "look into a mailbox whether the mail has come into its folder."
    )


async def taken(
    services: Services, name: str, demand: UUID, ticket: Ticket, before: Mapping[str, float]
) -> tuple[str, Json]:
    """Wait until the ticket is a demand; else what Engage's answers to pushes tell of why not."""
    deadline = time.monotonic() + PUSHED
    came: dict[str, float] = {}
    refused: list[str] = []
    while time.monotonic() < deadline:
        came = {status: count - before.get(status, 0) for status, count in (await pushes(services)).items()}
        refused = [status for status in ON_PUSH if came.get(status)]
        if "401" in refused:  # to wait is of no use; that Engage may find the ticket by asking does not mend it
            break
        answer = await services.ask(ENGAGE, "GET", f"/demands/{demand}", refused=(404,))
        if not answer.is_error:
            about: Json = answer.json()
            return f"accepted, and ticket {ticket.id} is demand {demand} ({about['kind']}, {about['status']})", about
        await asyncio.sleep(GLANCE)
    if refused:
        raise Failed(ON_PUSH[refused[0]].format(name=name))
    if any(came.values()):
        raise Failed(f"A push came and was accepted, but it was not about ticket {ticket.id}: is that its id?")
    where = f"{services.urls[ENGAGE]}/desks/{name}"
    raise Failed(f"No push came in {PUSHED:.0f} s. Does the desk push to {where}, and can it reach that address?")


async def answered(settings: Json, ticket: str, demand: UUID) -> tuple[str, None]:
    """Wait until the desk shows our answer on the ticket."""
    async with client(settings) as api:
        deadline = time.monotonic() + ANSWERED
        while time.monotonic() < deadline:
            for text in await api.texts(ticket):
                if (found := MARKED.search(text)) and found[1] == str(demand) and not found[3]:  # no internal note
                    said = MARKED.sub("", text).strip().removeprefix(ABOVE).strip()
                    return f"written on the ticket: “{said}”", None
            await asyncio.sleep(GLANCE)
    raise Failed(
        f"Ticket {ticket} shows no answer of ours after {ANSWERED:.0f} s. May our account write on tickets? "
        f"`notice_failed` of GET /demands/{demand} of Engage says why, else its log."
    )


async def withdrawn(services: Services, settings: Json, ticket: str, about: Json) -> tuple[str, None]:
    """Take the test back: its demand is withdrawn, and the desk must show that the ticket is done."""
    body = {"stakeholder": about["requester"], "reason": "It was a test of the connection."}
    await services.command(ENGAGE, f"/demands/{about['id']}/withdrawal", body, key=str(uuid4()))
    if not can(settings).status:
        return "its demand is withdrawn", None
    async with client(settings) as api:
        deadline = time.monotonic() + ANSWERED
        status = None
        while time.monotonic() < deadline:
            status = (await api.fetch(ticket)).event.status
            if status in DONE:
                return f"its demand is withdrawn, and in the desk the ticket is {status}", None
            await asyncio.sleep(GLANCE)
    raise Failed(f"The demand is withdrawn, and the ticket is still {status}: may our account close tickets?")


async def pushes(services: Services) -> dict[str, float]:
    """How many pushes Engage has answered since it started, by the status of the answer."""
    found = await measured(services, PUSHES, "http_response_status_code", http_route="/desks/{desk}")
    return {labels[0]: count for labels, count in found.items()}


async def measured(services: Services, name: str, *by: str, **where: str) -> dict[tuple[str, ...], float]:
    """What Engage measures under a name, by these labels."""
    text = (await services.ask(ENGAGE, "GET", "/metrics")).text
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name]
    return {
        tuple(one.labels[label] for label in by): one.value
        for one in samples
        if all(one.labels.get(label) == value for label, value in where.items())
    }


def client(settings: Json) -> Client | Mailbox:
    """The desk's API, or its mailbox."""
    return plugged_client(desk.plug(settings["connector"], [], ""), Access(**settings["api"]))


def can(settings: Json) -> Capabilities:
    """What such a desk can do."""
    return desk.plug(settings["connector"], [], "").capabilities


def proves(profile: str) -> str:
    """How it proves its pushes, in words; empty if the proof is a part of the address."""
    scheme = next(iter(desk.plug(profile, [], "").profile.signature), "")
    return "" if not scheme or SCHEMES[scheme].header.startswith("?") else f"in the header {SCHEMES[scheme].header}"


def push_to(home: Home, name: str, settings: Json) -> str:
    """The address that the desk must push to."""
    engage = running.find(home.path).services[ENGAGE] if runs(home) else "http://127.0.0.1:8802"
    token = "" if proves(settings["connector"]) else f"?token={settings['secrets'][0]}"
    return f"{engage}/desks/{name}{token}"


def runs(home: Home) -> bool:
    """Whether a chain runs in this home."""
    try:
        running.find(home.path)
    except Trouble:
        return False
    return True


MAKES: Mapping[str, Json] = {
    "django-helpdesk": {
        "url": "/api/tickets/",
        "json": {"queue": 1, "title": TITLE, "description": TEXT, "submitter_email": EMAIL, "priority": 3},
    },
    "rt": {
        "url": "/REST/2.0/ticket",
        "json": {
            "Queue": "General", "Subject": TITLE, "Content": TEXT, "ContentType": "text/plain", "Requestor": EMAIL,
        },
    },
}  # fmt: skip
"""How a ticket is made, at those desks where it was tried; at any other its user makes one."""
