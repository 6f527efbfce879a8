"""A desk in memory, as its profile says that its API is; it can be down, be slow, and fail before or after doing."""

import copy
import re
from collections.abc import Callable
from typing import Any

import httpx

from services.engage.desks.profile import Api, Call, Profile, Step
from services.engage.desks.reading import HOLE

Fault = Callable[[httpx.Request], httpx.Response | None]


class FakeDesk(httpx.AsyncBaseTransport):
    """Keeps one ticket."""

    def __init__(self, profile: Profile, ticket: Any) -> None:
        assert profile.api
        self.api: Api = profile.api
        self.profile = profile
        self.ticket = copy.deepcopy(ticket)
        self.written: list[tuple[str, str]] = []
        """What was written: the step, and its text."""
        self.moved: list[str | int] = []
        self.version = 1
        self.before: list[Fault] = []
        """Each is asked once about a request that writes, before it is done; what it answers ends it."""
        self.after: list[Fault] = []
        """The same, after it is done."""
        self.steps = [step.step for step in self.api.steps if step.step != "status"]
        """What is written of an outcome."""
        self.parts = len(self.api.steps)
        """How many requests that takes."""
        self.moves = 1
        """How often it moves the ticket."""

    def is_down(self) -> None:
        """Be away for a request that writes."""

        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

        self.before = [refuse]

    def comes_back(self) -> None:
        """Be there again."""

    def is_slow(self, part: int) -> None:
        """Do that part, and answer too late."""

        def late(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("late", request=request)

        self.after = [lambda request: None] * part + [late]

    def fails_after(self, part: int) -> None:
        """Do that part, and answer that it failed."""
        self.after = [lambda request: None] * part + [lambda request: httpx.Response(500, request=request)]

    def declines(self) -> str:
        """Refuse for ever what is written now; gives how."""
        self.before = [lambda request: httpx.Response(403, request=request)]
        return "403"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        writes = request.method != "GET" and not request.url.path.endswith("/token")
        if writes and self.before and (answer := self.before.pop(0)(request)):
            return answer
        answer = self.write(request) if writes else self.read(request)
        if writes and self.after and (instead := self.after.pop(0)(request)):
            return instead
        return answer

    def read(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t"})
        for step in self.api.steps:
            if step.first and _same(step.first, request):
                return httpx.Response(200, json=self.ways())
        body = copy.deepcopy(self.ticket) if self.api.fetch and _same(self.api.fetch, request) else None
        if self.api.comments and _same(self.api.comments, request):
            texts = shaped(self.api.comments.pick.split("."), [text for _, text in self.written])
            body = merged(body, texts)
        assert body is not None, f"nobody expected {request.url}"
        return httpx.Response(200, json=body, headers={"etag": f'"{self.version}"'})

    def write(self, request: httpx.Request) -> httpx.Response:
        said = httpx.Response(200, content=request.content).json() if request.content else {}
        step, values = next(
            (step, found) for step in self.api.steps if (found := filled(step, request, said)) is not None
        )
        if step.conditional and request.headers.get("if-match") != f'"{self.version}"':
            return httpx.Response(412)
        if "text" in values:
            self.written.append((step.step, str(values["text"])))
        wanted = values.get("status", values.get("picked"))
        if wanted is not None:
            self.moved.append(wanted)
            self.move(next(status for status, code in self.api.statuses.items() if code == wanted))
        self.version += 1
        return httpx.Response(201, json={"id": 4711}, headers={"etag": f'"{self.version}"'})

    def move(self, status: str) -> None:
        """Put the ticket into a status, in words that the profile understands."""
        for path in STATUS_AT[self.profile.desk]:
            place = self.ticket
            *parents, last = path.split(".")
            for part in parents:
                place = place[part]
            if last in place:
                place[last] = next(
                    code
                    for code in (status, *_codes(self.profile, status))
                    if self.profile.statuses.get(code) == status
                )
                return
        raise AssertionError(f"the ticket of {self.profile.desk} has no status")

    def ways(self) -> Any:
        """Where the ticket can go, as Jira offers it."""
        return {
            "transitions": [
                {"id": code, "to": {"statusCategory": {"key": code}}} for code in set(self.api.statuses.values())
            ]
        }


STATUS_AT = {
    "django-helpdesk": ["status"],
    "rt": ["Status"],
    "zammad": ["state"],
    "glpi": ["status.id"],
    "jira": ["fields.status.name"],
    "zendesk": ["ticket.status"],
    "freshdesk": ["status"],
    "github": ["state"],
    "gitlab": ["state"],
    "freescout": ["status"],
    "redmine": ["issue.status.name"],
    "servicenow": ["result.state"],
}


def _codes(profile: Profile, status: str) -> list[str]:
    return [word for word, known in profile.statuses.items() if known == status]


def _same(call: Call, request: httpx.Request) -> bool:
    pattern = HOLE.sub("\0", call.path)
    wanted = re.escape(pattern).replace("\0", "[^?]+").replace(re.escape("\0"), "[^?]+")
    return call.method == request.method and bool(re.fullmatch(wanted, request.url.raw_path.decode()))


def filled(step: Step, request: httpx.Request, said: Any) -> dict[str, Any] | None:
    """What stands in the braces of a step, if a request is one of its."""
    return _holes(step.body, said) if _same(step, request) else None


def _holes(template: Any, said: Any) -> dict[str, Any] | None:
    if isinstance(template, dict):
        if not isinstance(said, dict) or set(said) - set(template):
            return None
        found: dict[str, Any] = {}
        for name, inner in template.items():
            if name not in said:
                if isinstance(inner, str) and HOLE.fullmatch(inner):
                    continue
                return None
            part = _holes(inner, said[name])
            if part is None:
                return None
            found |= part
        return found
    if isinstance(template, str) and (hole := HOLE.fullmatch(template)):
        return {hole[1]: said}
    return {} if template == said else None


def shaped(path: list[str], texts: list[str]) -> Any:
    """JSON in which that path finds those texts."""
    if not path:
        return texts[0]
    if path[0] == "*":
        return [shaped(path[1:], [text]) for text in texts]
    return {path[0]: shaped(path[1:], texts)}


def merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {name: merged(one.get(name), value) for name, value in other.items()}
    return other
