"""The six services from outside: their HTTP APIs, as this machine's commands use them."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import httpx

from contracts.value_chain import ACTIVITIES, ENGAGE
from svc import words
from svc.trouble import Trouble

Json = dict[str, Any]
CLIENT = "svc"
"""What the command line calls itself: idempotency keys are looked up per client."""


class Services:
    """A client of all six; use it as `async with Services(running.services) as services`."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.urls = urls
        self._client = httpx.AsyncClient(timeout=30, headers={"Client-Id": CLIENT})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def trail(self, activity: str, case: str) -> list[Json]:
        """What an activity has heard, decided and told about a case."""
        return list((await self.ask(activity, "GET", f"/trail/{case}")).json())

    async def coverage(self) -> dict[str, Json]:
        """What each activity has consumed and told so far."""
        found = await asyncio.gather(*(self.ask(activity, "GET", "/coverage") for activity in ACTIVITIES))
        return {activity: answer.json() for activity, answer in zip(ACTIVITIES, found, strict=True)}

    async def demands(self, most: int = 100) -> list[Json]:
        """The newest demands, as Engage knows them; at most 1,000."""
        return list((await self.ask(ENGAGE, "GET", f"/demands?limit={most}")).json())

    async def demand(self, id: UUID | str) -> Json:
        """One demand; `Trouble` if Engage does not know it."""
        answer = await self.ask(ENGAGE, "GET", f"/demands/{id}", refused=(404, 422))
        if answer.is_error:
            raise Trouble(f"Engage knows no demand {id}: `svc show` lists those it knows, with their ids.")
        return dict(answer.json())

    async def find(self, beginning: str) -> UUID:
        """The demand whose id begins so (four characters at least); `Trouble` for none, or for several."""
        try:
            return UUID(str((await self.demand(UUID(beginning)))["id"]))
        except ValueError:
            pass
        ids = [str(demand["id"]) for demand in await self.demands(1000)]
        found = [id for id in ids if len(beginning) >= 4 and id.startswith(beginning.lower())]
        if len(found) > 1:
            raise Trouble(f"{len(found)} demands have an id that begins with {beginning}: give more of it.")
        if not found:
            raise Trouble(f"Engage knows no demand {beginning}: `svc show` lists those it knows, with their ids.")
        return UUID(found[0])

    async def command(self, activity: str, path: str, body: Json, *, key: str = "", method: str = "POST") -> Json:
        """Bring a command to its activity and get its answer; repeated under one key, it happens once.

        `Trouble` if it is refused, with the reason that the activity gives.
        """
        answer = await self.ask(activity, method, path, body=body, headers={"Idempotency-Key": key or str(uuid4())})
        while answer.status_code == 202 and "location" in answer.headers:
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            found = await self.ask(activity, "GET", answer.headers["location"], refused=(404,))
            if not found.is_error:
                answer = found
        return dict(answer.json()) if answer.content else {}

    async def ask(
        self, activity: str, method: str, path: str, *, body: Json | None = None, content: bytes | None = None,
        headers: Mapping[str, str] | None = None, refused: tuple[int, ...] = (),
    ) -> httpx.Response:  # fmt: skip
        """One request. `Trouble` if nobody answers, or with an error that is not among `refused`."""
        url = f"{self.urls[activity]}{path}"
        try:
            try:
                answer = await self._client.request(method, url, json=body, content=content, headers=headers)
            except (httpx.ReadError, httpx.RemoteProtocolError):  # the connection was closed while it was idle:
                # asked again, under the same key if it is a command
                answer = await self._client.request(method, url, json=body, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise Trouble(
                f"{words.activity(activity)} does not answer at {self.urls[activity]} ({type(error).__name__}): "
                "it may be starting again; repeat in a moment, or see its log in the home's folder `logs`."
            ) from error
        if answer.is_error and answer.status_code not in refused:
            raise Trouble(f"{words.activity(activity)} refused {method} {path}: {_reason(answer)}")
        return answer


def _reason(answer: httpx.Response) -> str:
    """What a service says about why not (RFC 9457), else the HTTP status."""
    try:
        problem = answer.json()
        return f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code} {answer.reason_phrase}"
