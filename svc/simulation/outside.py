"""What is outside of a simulated chain: its doors, which are the real routes, and desks that push and take notices."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, cast, get_type_hints
from urllib.parse import unquote
from uuid import UUID

import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic import AnyHttpUrl, BaseModel, TypeAdapter, ValidationError
from starlette.routing import BaseRoute

from contracts.event import Command
from services.chassis.commands import Commanding, Door, at_door
from services.chassis.handlers import Handlers
from services.chassis.outputs import Effect
from services.chassis.service import create_app, database_session
from services.engage import notices
from services.engage.desks.standard_webhooks import sign
from services.engage.model import RequesterNotified
from services.engage.notices import Desk, RequesterNotice
from services.engage.pushes import Kept
from svc.scenario.say import DESKS, Json, Say
from svc.services import CLIENT
from svc.simulation.activity import SimulatedActivity

PERFORMED: Mapping[type[Effect], Callable[[Any], Command]] = {
    RequesterNotice: lambda notice: RequesterNotified(demand=notice.demand, number=notice.number)
}
"""What comes back from outside when it went well; nothing there fails in a simulation."""
SECRET = "whsec_" + "c2ltdWxhdGVkIGRlc2tzIHNpZ24gd2l0aCB0aGlzIG9uZQ=="
"""What simulated desks sign with: it guards nothing."""
NOTICES = AnyHttpUrl("https://desk.example/notices")
SMALL = 100_000
"""Bytes of a body that no application refuses for its size."""
TakeIn = Callable[[str, Command, UUID, str, str], None]
"""Puts a command on an activity's inbox: its id, the client that sends it, and the fingerprint of its request."""


class Memory:
    """What a route sees of the activity's rows, in place of a database session."""

    def __init__(self, activity: SimulatedActivity) -> None:
        self._rows = {state.rows(): rows for state, rows in activity.rows.items()}

    async def __aenter__(self) -> "Memory":
        return self

    async def __aexit__(self, *raised: object) -> None:
        return None

    async def get(self, table: Any, id: Any) -> Any:
        """One row, by its id."""
        return self._rows.get(table, {}).get(id)

    async def exec(self, query: object) -> Any:
        """Views are for people: nobody looks at them in a simulation."""
        raise HTTPException(501, "A simulation has no views: look at its rows when it has ended.")


class Unkept:
    """In place of what Engage keeps of pushes: a simulation looks at what they become."""

    def __init__(self, take_in: TakeIn) -> None:
        self._take_in = take_in

    def door(self, request: Request) -> Door:
        """Its inbox is the simulated one."""
        return Entrance(request, self._take_in)

    async def keep(self, *_: object) -> Kept:
        """Nothing is kept."""
        return Kept(None, {})

    async def refuse(self, *_: object) -> None:
        """Nothing is counted."""


class Receipts:
    """In place of the chassis's `Waiters`: a command that is not decided yet is not waited for, its answer comes."""

    def __init__(self, activity: SimulatedActivity) -> None:
        self._activity = activity

    async def find(self, *ids: UUID) -> dict[UUID, Json]:
        """The receipts of those commands that are done."""
        return {id: self._activity.answered[id] for id in ids if id in self._activity.answered}

    async def wait(self, id: UUID, seconds: float) -> Json | None:
        """None: what stands before it in its inbox comes first."""
        return (await self.find(id)).get(id)


class Entrance(Door):
    """The door of a simulated activity: all of the chassis's, but for Kafka behind it."""

    def __init__(self, request: Request, take_in: TakeIn) -> None:
        super().__init__(request, request.headers.get("idempotency-key"), request.headers["client-id"], "")
        self._take_in = take_in

    async def produce(self, command: Command, id: UUID, fingerprint: str = "", known: str | None = None) -> None:
        """Put a command on the inbox."""
        self._take_in(self.runtime.activity, command, id, self.source, fingerprint)


class Way(NamedTuple):
    """A route by which commands come: its endpoint takes words of the path, a body, and the door, and nothing else."""

    endpoint: Callable[..., Awaitable[Response]]
    words: Mapping[str, TypeAdapter[Any]]
    body: tuple[str, TypeAdapter[Any]]
    door: str

    @classmethod
    def of(cls, route: APIRoute) -> "Way | None":
        """None for a route that takes something else: its calls go through the whole application."""
        hints = get_type_hints(route.endpoint, include_extras=True)
        hints.pop("return", None)
        doors = [name for name, hint in hints.items() if hint == Commanding]
        words = {name: TypeAdapter(hint) for name, hint in hints.items() if name in route.param_convertors}
        bodies = [
            (name, TypeAdapter(hint))
            for name, hint in hints.items()
            if name not in words and isinstance(hint, type) and issubclass(hint, BaseModel)
        ]
        plain = len(doors) == len(bodies) == 1 and len(words) + 2 == len(hints)
        return cls(route.endpoint, words, bodies[0], doors[0]) if plain else None

    async def go(self, words: Mapping[str, str], content: bytes, door: Door) -> tuple[int, Json] | None:
        """Make a call. None for one that is refused before it is a command: the application says in which words."""
        name, body = self.body
        try:
            arguments = {word: adapter.validate_python(words[word]) for word, adapter in self.words.items()}
            arguments |= {name: body.validate_python(orjson.loads(content)), self.door: door}
            answer = await self.endpoint(**arguments)
        except (ValidationError, HTTPException):
            return None
        return answer.status_code, orjson.loads(answer.body) if answer.body else {}


Ways = list[tuple[set[str], re.Pattern[str], Way | None]]
"""The routes of an application, in their order."""


class Doors:
    """The six services' own applications, routes and validation and all, without a network before them."""

    def __init__(
        self, activities: Mapping[str, SimulatedActivity], handlers: Mapping[str, Handlers], take_in: TakeIn
    ) -> None:
        self._behind = {
            name: {
                "runtime": one.runtime,
                "waiters": Receipts(one),
                "memory": Memory(one),
                "take_in": take_in,
                "pushes": Unkept(take_in),
            }
            for name, one in activities.items()
        }
        self._apps = {name: _application(handles) for name, handles in handlers.items()}

    async def call(self, say: Say) -> tuple[int, Json]:
        """Make one call; HTTP status and body (202: its command is on the inbox)."""
        content = orjson.dumps(say.body)
        path, _, query = say.path.partition("?")
        headers = {"content-type": "application/json", "content-length": str(len(content)), "client-id": CLIENT}
        if path.startswith(DESKS):
            _desks().setdefault(path.removeprefix(DESKS), Desk(secrets=(SECRET,), reply_url=NOTICES))
            headers |= sign(SECRET, delivery=say.key, timestamp=datetime.now(UTC), body=content)
        elif say.key:
            headers["idempotency-key"] = say.key
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
            "method": say.method, "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": None, "server": (say.activity, 80),
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Json:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        app, ways = self._apps[say.activity]
        for what, mine in self._behind[say.activity].items():
            setattr(app.state, what, mine)
        if (found := _way(ways, say)) and not query and len(content) <= SMALL:
            way, parts = found
            door = Entrance(Request(scope | {"app": app}, receive), app.state.take_in)
            if answer := await way.go(parts, content, door):
                return answer
        await app(scope, receive, send)
        said = b"".join(part.get("body", b"") for part in sent[1:])
        return int(sent[0]["status"]), orjson.loads(said) if said else {}


@contextmanager
def simulated_desks() -> Iterator[None]:
    """While this lasts, Engage knows those desks only that push something; then those that it knew before."""
    desks = _desks()
    before = dict(desks)
    desks.clear()
    try:
        yield
    finally:
        desks.clear()
        desks.update(before)


def _way(ways: Ways, say: Say) -> tuple[Way, Mapping[str, str]] | None:
    """By which way a call comes, and the words of its path; None if it goes through the whole application."""
    for methods, route, way in ways:
        if say.method in methods and (match := route.match(unquote(say.path))):
            return (way, match.groupdict()) if way else None
    return None


def _desks() -> dict[str, Desk]:
    return cast("dict[str, Desk]", notices.DESKS)


@lru_cache(maxsize=32)
def _application(handlers: Handlers) -> tuple[FastAPI, Ways]:
    """The application of an activity: many simulations in one process share it, each call has its own behind it."""
    app = create_app(handlers, import_module(f"services.{handlers.activity}.api").router)

    async def entrance(request: Request) -> Door:
        return Entrance(request, request.app.state.take_in)

    async def reading(request: Request) -> Any:
        return request.app.state.memory

    app.dependency_overrides |= {at_door: entrance, database_session: reading}
    return app, [(route.methods or set(), route.path_regex, Way.of(route)) for route in _routes(app.routes)]


def _routes(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """All of them in their order, those of routers within routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from _routes(inner.routes)
