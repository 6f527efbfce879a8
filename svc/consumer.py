"""A consumer outside of the chain: hears the notices on their tickets and says what a delivery was worth.

They know only what anybody outside can: the notice, the demand as Engage shows it, and what is live. They judge by
measured facts, so the verdict can come out each way.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from contracts.value_chain import DELIVER_SUPPORT, ENGAGE
from services.engage.desks.standard_webhooks import Refused, verify
from svc.services import Services

Json = dict[str, Any]


class Facts(NamedTuple):
    """What a consumer can measure of a delivery."""

    asked: str
    delivered: str
    usable: bool
    """What was asked for runs: the service is live, and not merely got round."""
    promised_by: datetime | None
    delivered_at: datetime

    @property
    def in_time(self) -> bool:
        """Whether the promise was kept; without one nobody was kept waiting."""
        return self.promised_by is None or self.delivered_at <= self.promised_by


def facts(demand: Json, live: set[str]) -> Facts:
    """From a delivered demand as Engage shows it, and the services in the register."""
    return Facts(
        asked=demand["title"],
        delivered=demand["delivered"],
        usable=demand["service"] in live and "workaround" not in demand["delivered"].lower(),
        promised_by=datetime.fromisoformat(demand["promised_by"]) if demand["promised_by"] else None,
        delivered_at=datetime.fromisoformat(demand["delivered_at"]),
    )


def judge(found: Facts) -> Json:
    """Fully: usable, and when it was promised. Partly: one of both. Not: neither."""
    verdict = ("not", "partly", "fully")[found.usable + found.in_time]
    return {
        "verdict": verdict,
        "utility": found.usable,
        "warranty": found.in_time,
        "benefits": [f"I have what I asked for: {found.asked}"] if found.usable else [],
        "satisfaction": {"fully": 5, "partly": 3, "not": 1}[verdict],
        "remark": ("I can use it" if found.usable else "I cannot use it")
        + (", in time" if found.in_time else ", late"),
    }


class Consumer:
    """The people behind the tickets of one desk; `app` is the desk's side that takes notices."""

    def __init__(self, secret: str) -> None:
        self.notices: dict[UUID, Json] = {}
        """The newest notice on each demand."""
        self._secret = secret
        self.routes = [
            Route("/notices", self._hear, methods=["POST"]),
            Route("/notices/{demand:uuid}", self._tell, methods=["GET"]),
        ]
        self.app = Starlette(routes=self.routes)

    async def _hear(self, request: Request) -> Response:
        try:
            body = await request.body()
            verify([self._secret], request.headers, body, datetime.now(UTC))
        except Refused as refused:
            return PlainTextResponse(str(refused), 401)
        except ClientDisconnect:
            return PlainTextResponse("whoever told it is gone, and tells it again", 400)
        notice = await request.json()
        demand = UUID(notice["demand"])
        if notice["number"] > self.notices.get(demand, {"number": 0})["number"]:
            self.notices[demand] = notice
        return PlainTextResponse("taken", 202)

    async def _tell(self, request: Request) -> Response:
        notice = self.notices.get(request.path_params["demand"])
        return JSONResponse(notice) if notice else PlainTextResponse("there was no notice on it", 404)

    async def look(self, desk: str, demand: UUID) -> None:
        """See the newest notice on a demand at a desk elsewhere, which has this consumer's routes."""
        async with httpx.AsyncClient(timeout=5) as client:
            with suppress(httpx.HTTPError):  # a desk that is away for a moment is as one that has heard nothing yet
                answer = await client.get(f"{desk}/notices/{demand}")
                if answer.is_success:
                    self.notices[demand] = answer.json()

    def asked(self, demand: UUID) -> bool:
        """Whether the newest notice on this demand asks what it was worth."""
        return bool(self.notices.get(demand, {}).get("asks_confirmation"))

    async def answer(self, services: Services, demand: Json) -> Json:
        """Say what a delivered demand was worth; it counts once, however often it is said."""
        live = {service["id"] for service in (await services.ask(DELIVER_SUPPORT, "GET", "/services")).json()}
        judgement = {"stakeholder": demand["requester"], **judge(facts(demand, live))}
        key = f"value of {demand['id']} as delivered at {demand['delivered_at']}"
        await services.command(ENGAGE, f"/demands/{demand['id']}/value", judgement, key=key)
        return judgement
