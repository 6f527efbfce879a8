"""A real django-helpdesk for a test, as `svc.desks` runs it, and a receiver that keeps what it pushes."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx

from services.engage.desks.events import Received
from svc.desks import django_helpdesk
from svc.desks.django_helpdesk import Ticket
from svc.machine import Home, to_stderr
from svc.machine.ports import free

TOKEN = "t0ken"


class Receiver:
    """Where the desk pushes to: keeps what comes."""

    def __init__(self) -> None:
        self.pushes: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                query = dict(parse_qsl(urlsplit(self.path).query))
                receiver.pushes.append(
                    Received(headers=dict(self.headers), body=body, query=query, received_at=datetime.now(UTC))
                )
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Desk(NamedTuple):
    """A django-helpdesk that runs."""

    real: django_helpdesk.Desk
    receiver: Receiver

    @property
    def url(self) -> str:
        return self.real.url

    def submit(self, title: str, body: str, type: str = "", email: str = "emily@example.com") -> Ticket:
        """Make a ticket by the form that everybody can reach."""
        return self.real.submit(title, body, type, email)

    def follow_up(self, ticket: str, comment: str, **fields: object) -> None:
        """Write on a ticket, as somebody at the desk."""
        said = {"ticket": ticket, "comment": comment, "public": True} | fields
        api, root = f"{self.url}/api/followups/", ("root", self.real.root)
        httpx.post(api, json=said, auth=root, timeout=30).raise_for_status()

    def page(self, ticket: Ticket) -> str:
        """What its requester sees of a ticket."""
        return self.real.read(ticket)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Desk]:
    """Run it with its data in that folder; it is installed where the project keeps its downloads."""
    home = Home(folder, downloads=Home().downloads)
    home.prepare()
    receiver = Receiver()
    real = django_helpdesk.placed(home, free(1)[0])._replace(token=TOKEN)
    try:
        async with django_helpdesk.running(real, home, real.hook(f"http://127.0.0.1:{receiver.port}"), to_stderr):
            yield Desk(real, receiver)
    finally:
        receiver.close()
