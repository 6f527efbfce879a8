"""A chain that runs already, somewhere else than in this process: in containers, or on a cluster."""

import os
from types import TracebackType
from typing import Self

from rich.text import Text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from svc import running
from svc.consumer import Consumer
from svc.ending import interrupted
from svc.jaeger import Jaeger
from svc.loopback import serve
from svc.machine.home import Home
from svc.pages import page
from svc.services import Services
from svc.terminal import Terminal
from svc.trouble import Trouble

DESK_SECRET = "SVC_DESK_SECRET"
"""The setting with what the desk of the demonstration signs with, as Engage knows it by `SVC_DESKS`."""


class Elsewhere:
    """What the commands need of it, by the names that `svc.chain.Chain` has."""

    def __init__(self, home: Home) -> None:
        found = running.find(home.path)
        self.home = home
        self.services, self.page, self.kafka = found.services, found.page, found.kafka
        self.clock = running.clock()
        self.client = Services(found.services)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.__aexit__(kind, error, trace)


def known_desk_secret() -> str:
    """What the desk of the demonstration signs with; `Trouble` if it is not set."""
    if secret := os.environ.get(DESK_SECRET):
        return secret
    raise Trouble(f"{DESK_SECRET} is not set: what Engage knows as the secret of the desk roundup (SVC_DESKS).")


async def _alive(request: Request) -> Response:
    return PlainTextResponse("alive")


async def serve_page(terminal: Terminal, host: str, port: int) -> int:
    """The page of a chain that runs elsewhere, until told to end."""
    chain = running.find(Home().path)
    spans = Jaeger(os.environ.get("SVC_JAEGER", "http://127.0.0.1:16686"))
    desk = Consumer(known_desk_secret())
    async with Services(chain.services) as services:
        app = page(spans, services, None, Route("/livez", _alive), *desk.routes)
        async with serve(app, port, host) as url:
            terminal.show(Text(f"the page is at {url}"))
            await interrupted()
    return 0
