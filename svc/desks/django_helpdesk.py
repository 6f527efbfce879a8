"""A real django-helpdesk on this machine: installed from PyPI into an environment of its own, started, used, ended."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from svc.machine import Home, Say
from svc.machine.errors import MachineError
from svc.machine.process import Child

NAME, BOT = "django-helpdesk", "engage-bot"
"""The name of its profile, and our account at it."""
SITE = Path(__file__).with_name("helpdesk_site.py")
LOCK = Path(__file__).with_name("helpdesk.lock")
START = 120.0
"""Seconds that it may take to answer: the first time it makes its tables."""
PATIENCE = 30.0
"""Seconds that one page of it may take."""
GLANCE = 0.1
"""Seconds between two looks at whether it answers."""
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
QUEUE = re.compile(r'<option value="(\d+)"[^>]*>Support')
SUBMITTED = re.compile(r"[?&]ticket=[\w-]*?(\d+)(?:&|$)")
ERRORS = re.compile(r'class="(?:errorlist|invalid-feedback)[^>]*>\s*(?:<li>)?([^<]+)')


class Ticket(NamedTuple):
    """A ticket that its requester has made."""

    id: str
    page: str
    """The address of the page on which they follow it."""


class Desk(NamedTuple):
    """A django-helpdesk: where it is, and what opens it."""

    url: str
    root: str
    """The password of `root`."""
    bot: str
    """The password of our account."""
    token: str
    """What it proves its pushes with."""

    @property
    def form(self) -> str:
        """The page on which anybody makes a ticket."""
        return f"{self.url}/tickets/submit/"

    @property
    def known(self) -> dict[str, Any]:
        """What Engage must know of it, as an entry of `SVC_DESKS`."""
        api = {"base": self.url, "user": BOT, "secret": self.bot}
        return {"connector": NAME, "secrets": [self.token], "api": api}

    def hook(self, engage: str, name: str = NAME) -> str:
        """The address that it pushes to, if Engage calls it so."""
        return f"{engage}/desks/{name}?token={self.token}"

    def submit(self, title: str, text: str, type: str = "", email: str = "emily@example.com") -> Ticket:
        """Make a ticket by the form that everybody can reach, as a browser does; `MachineError` says what is wrong."""
        with httpx.Client(timeout=PATIENCE) as browser:
            page = browser.get(self.form).text
            token, queue = TOKEN.search(page), QUEUE.search(page)
            if token is None or queue is None:
                raise MachineError(f"{self.form} is not the form of a django-helpdesk with a queue named Support.")
            fields = {
                "csrfmiddlewaretoken": token[1], "queue": queue[1], "title": title, "body": text,
                "submitter_email": email, "priority": "2", "custom_ticket_type": type,
            }  # fmt: skip
            answer = browser.post(self.form, data=fields, headers={"referer": self.form})
        sent_to = answer.headers.get("location", "")
        if (found := SUBMITTED.search(sent_to)) is None:
            wrong = ", ".join(text.strip() for text in ERRORS.findall(answer.text)) or f"HTTP {answer.status_code}"
            raise MachineError(f"The form at {self.form} was not taken: {wrong}.")
        return Ticket(found[1], f"{self.url}{sent_to}")

    def read(self, ticket: Ticket) -> str:
        """The page of a ticket as its requester sees it, HTML."""
        return httpx.get(ticket.page, follow_redirects=True, timeout=PATIENCE).raise_for_status().text


def placed(home: Home, port: int) -> Desk:
    """Where the desk of this home is to listen, with random passwords that the home keeps."""
    secrets = home.passwords([f"{NAME}-{what}" for what in ("root", BOT, "token")])
    return Desk(f"http://127.0.0.1:{port}", *secrets.values())


@asynccontextmanager
async def running(desk: Desk, home: Home, hook: str, say: Say) -> AsyncIterator[Child]:
    """Install it if it is not there, start it, and end it with the block; it also ends with this process.

    What it knows stays in the folder `desks` of the home, as what the chain knows does: the number of a ticket is part
    of its demand's name. `hook` is the address that it pushes to.
    """
    python = await install(home, say)
    folder = home.path / "desks" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    say(f"starting {NAME} at {desk.url}")
    child = await Child.start(
        NAME, [python, "-P", SITE, desk.url.partition("//")[2]], log=home.logs / f"{NAME}.log",
        env={
            "PATH": os.environ.get("PATH", os.defpath), "DESK_HOME": str(folder), "DESK_ROOT_PASSWORD": desk.root,
            "DESK_BOT_PASSWORD": desk.bot,
            "HELPDESK_NEW_TICKET_WEBHOOK_URLS": hook, "HELPDESK_FOLLOWUP_WEBHOOK_URLS": hook,
        },
    )  # fmt: skip
    try:
        await answers(desk.form, child)
        yield child
    finally:
        await child.stop()


async def install(home: Home, say: Say) -> Path:
    """The Python of an environment with it, made once; several processes may do this at once.

    The environment is named after what is in it and gets its name when all of it is there. `MachineError` if it cannot
    be made.
    """
    wanted = sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    place = home.downloads / f"{NAME}-{wanted}"
    if place.exists():
        return place / "bin" / "python"
    if find_spec("uv") is None:
        raise MachineError("django-helpdesk is installed by uv, which is not here: `make install` brings it.")
    say(f"installing {NAME} from PyPI, once (100 MB, in {home.downloads})")
    new = home.downloads / f".{NAME}-{os.getpid()}"
    uv, log = (sys.executable, "-m", "uv", "--quiet"), home.logs / f"{NAME}-install.log"
    try:
        await ends(
            f"making an environment for {NAME}", *uv, "venv", "--clear", "--python", sys.executable, new, log=log
        )
        packages = ("--python", new / "bin" / "python", "--require-hashes", "--requirements", LOCK)
        await ends(f"installing {NAME}", *uv, "pip", "install", *packages, log=log)
        try:
            new.rename(place)
        except OSError:
            if not place.exists():  # else another process was first
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return place / "bin" / "python"


async def ends(what: str, *command: str | Path, log: Path) -> None:
    """Run a command to its end; `MachineError` with its last words if it fails."""
    environment = dict(os.environ)
    if mirror := environment.get("PIP_INDEX_URL"):  # uv does not read what pip does
        environment.setdefault("UV_DEFAULT_INDEX", mirror)
    child = await Child.start(what, command, log=log, env=environment)
    try:
        code = await child.wait()
    finally:
        await child.stop()
    if code:
        advice = "Check the network, or set PIP_INDEX_URL to a mirror of PyPI that you reach."
        raise MachineError(f"{what} has failed (exit code {code}). {advice} The end of {log}:\n{child.last_words()}")


async def answers(url: str, child: Child) -> None:
    """Wait until it does; `MachineError` if its process ends, or if it takes too long."""
    async with httpx.AsyncClient(timeout=5) as client:
        try:
            async with asyncio.timeout(START):
                while child.returncode is None:
                    try:
                        await client.get(url)
                    except httpx.TransportError:
                        await asyncio.sleep(GLANCE)
                    else:
                        return
        except TimeoutError:
            words = child.last_words()
            raise MachineError(f"{child.name} does not answer at {url} after {START:.0f} s:\n{words}") from None
    raise child.death()
