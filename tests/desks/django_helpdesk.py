"""A real django-helpdesk for a test, as `svc.desks` runs it, with a receiver of what it pushes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from svc.desks import django_helpdesk
from svc.desks.hosting import Ticket
from svc.machine import Home, to_stderr
from svc.machine.ports import free
from tests.desks.receiver import Receiver

TOKEN = "t0ken"
SECRETS = {"root": "root-test", "bot": "engage-bot-test", "token": TOKEN}


class Desk(NamedTuple):
    """A django-helpdesk that runs."""

    real: django_helpdesk.Desk
    receiver: Receiver

    @property
    def url(self) -> str:
        return self.real.url

    def submit(self, title: str, body: str, type: str = "", email: str = "emily@example.com") -> httpx.Response:
        """Make a ticket by the form that everybody can reach."""
        return self.real.fill_in(title, body, type, email)

    def follow_up(self, ticket: str, comment: str, **fields: object) -> None:
        """Write on a ticket, as somebody at the desk."""
        said = {"ticket": ticket, "comment": comment, "public": True} | fields
        api, root = f"{self.url}/api/followups/", ("root", self.real.root)
        httpx.post(api, json=said, auth=root, timeout=30).raise_for_status()

    def page(self, submitted: httpx.Response) -> str:
        """What its requester sees of a ticket, at the address to which the form has sent them."""
        return self.real.read(Ticket("", f"{self.url}{submitted.headers['location']}"))


@asynccontextmanager
async def running(folder: Path, hook: str = "") -> AsyncIterator[Desk]:
    """Run it with its data in that folder, installed where the project keeps its downloads.

    It pushes to `hook`, else to a receiver of its own.
    """
    home = Home(folder, downloads=Home().downloads)
    home.prepare()
    receiver = Receiver()
    real = (await django_helpdesk.placed(home, free(1)[0], to_stderr))._replace(**SECRETS)
    try:
        async with real.running(home, hook or real.hook(receiver.url), to_stderr):
            yield Desk(real, receiver)
    finally:
        receiver.close()
