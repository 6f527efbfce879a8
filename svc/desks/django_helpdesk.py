"""A real django-helpdesk on this machine: installed from PyPI into an environment of its own, started, used, ended."""

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

from svc.desks.hosting import EMAIL, PATIENCE, Ticket, answers, bare, finished
from svc.machine import Home, Say
from svc.machine.errors import MachineError
from svc.machine.process import Child

NAME, BOT = "django-helpdesk", "engage-bot"
"""The name of its profile, and our account at it."""
SITE = Path(__file__).with_name("helpdesk_site.py")
LOCK = Path(__file__).with_name("helpdesk.lock")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
QUEUE = re.compile(r'<option value="(\d+)"[^>]*>Support')
SUBMITTED = re.compile(r"[?&]ticket=[\w-]*?(\d+)(?:&|$)")
ERRORS = re.compile(r'class="(?:errorlist|invalid-feedback)[^>]*>\s*(?:<li>)?([^<]+)')


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
    def name(self) -> str:
        """What its profile is called."""
        return NAME

    @property
    def form(self) -> str:
        """The page on which anybody makes a ticket."""
        return f"{self.url}/tickets/submit/"

    @property
    def known(self) -> dict[str, Any]:
        """What Engage must know of it, as an entry of `SVC_DESKS`."""
        api = {"base": self.url, "user": BOT, "secret": self.bot}
        return {"connector": NAME, "secrets": [self.token], "api": api}

    @property
    def places(self) -> dict[str, str]:
        """Where a person finds what in it, and with which password."""
        return {"make a ticket": self.form, "work in the desk": f"{self.url}/login/ as root, password {self.root}"}

    def hook(self, engage: str, name: str = "") -> str:
        """The address that it pushes to; it signs nothing, so a token stands in it."""
        return f"{engage}/desks/{name or NAME}?token={self.token}"

    @asynccontextmanager
    async def running(self, home: Home, hook: str, say: Say) -> AsyncIterator[Child]:
        """Have it run for as long as the block, and push to `hook`."""
        python = await install(home, say)
        folder = home.path / "desks" / NAME
        folder.mkdir(parents=True, exist_ok=True)
        say(f"starting {NAME} at {self.url}")
        child = await Child.start(
            NAME, [python, "-P", SITE, self.url.partition("//")[2]], log=home.logs / f"{NAME}.log",
            env={
                **bare(), "DESK_HOME": str(folder), "DESK_ROOT_PASSWORD": self.root, "DESK_BOT_PASSWORD": self.bot,
                "HELPDESK_NEW_TICKET_WEBHOOK_URLS": hook, "HELPDESK_FOLLOWUP_WEBHOOK_URLS": hook,
            },
        )  # fmt: skip
        try:
            await answers(self.form, child)
            yield child
        finally:
            await child.stop()

    def submit(self, title: str, text: str, type: str = "", email: str = EMAIL) -> Ticket:
        """Make a ticket by the form that everybody can reach, as a browser does; `MachineError` says what is wrong."""
        answer = self.fill_in(title, text, type, email)
        sent_to = answer.headers.get("location", "")
        if (found := SUBMITTED.search(sent_to)) is None:
            wrong = ", ".join(text.strip() for text in ERRORS.findall(answer.text)) or f"HTTP {answer.status_code}"
            raise MachineError(f"The form at {self.form} was not taken: {wrong}.")
        return Ticket(found[1], f"{self.url}{sent_to}")

    def fill_in(self, title: str, text: str, type: str, email: str) -> httpx.Response:
        """Fill the form in and send it off; what it answers: it sends on to the ticket's page if all is well."""
        with httpx.Client(timeout=PATIENCE) as browser:
            page = browser.get(self.form).text
            token, queue = TOKEN.search(page), QUEUE.search(page)
            if token is None or queue is None:
                raise MachineError(f"{self.form} is not the form of a django-helpdesk with a queue named Support.")
            fields = {
                "csrfmiddlewaretoken": token[1], "queue": queue[1], "title": title, "body": text,
                "submitter_email": email, "priority": "2", "custom_ticket_type": type,
            }  # fmt: skip
            return browser.post(self.form, data=fields, headers={"referer": self.form})

    def read(self, ticket: Ticket) -> str:
        """The page of a ticket as its requester sees it, HTML."""
        return httpx.get(ticket.page, follow_redirects=True, timeout=PATIENCE).raise_for_status().text


async def placed(home: Home, port: int, say: Say) -> Desk:
    """The desk of this home, installed, to listen at that port of 127.0.0.1; the home keeps its random passwords."""
    await install(home, say)
    secrets = home.passwords([f"{NAME}-{what}" for what in ("root", BOT, "token")])
    return Desk(f"http://127.0.0.1:{port}", *secrets.values())


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
    shutil.rmtree(new, ignore_errors=True)
    environment = dict(os.environ)
    if mirror := environment.get("PIP_INDEX_URL"):  # uv does not read what pip does
        environment.setdefault("UV_DEFAULT_INDEX", mirror)
    uv, log = (sys.executable, "-m", "uv", "--quiet"), home.logs / f"{NAME}-install.log"
    packages = ("--python", new / "bin" / "python", "--require-hashes", "--requirements", LOCK)
    advice = "Check the network, or set PIP_INDEX_URL to a mirror of PyPI that you reach."
    try:
        await finished(f"making a place for {NAME}", *uv, "venv", "--python", sys.executable, new, log=log)
        await finished(f"installing {NAME}", *uv, "pip", "install", *packages, log=log, env=environment, advice=advice)
        try:
            new.rename(place)
        except OSError:
            if not place.exists():  # else another process was first
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return place / "bin" / "python"
