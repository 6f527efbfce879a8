"""The way back to the requester: every hand-over is told, on the ticket too if its desk takes notices."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import httpx
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.engage import DemandStatus, DemandStatusReported
from contracts.values import Slug
from services.chassis.outputs import Answer, Ask, Effect, refusal
from services.engage.desks.standard_webhooks import check_secrets, sign
from services.engage.model import Demand, RequesterNotified

PATIENCE = 10.0
"""Seconds that a desk may take to accept a notice."""


class Desk(BaseModel):
    """A service desk that pushes its tickets to Engage."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secrets: tuple[str, ...]
    """What it signs with; two while it changes from one to the other. Engage signs its notices with the first."""
    reply_url: AnyHttpUrl | None = None
    """Where notices to its requesters go; None if it takes none."""

    @field_validator("secrets")
    @classmethod
    def _usable(cls, secrets: tuple[str, ...]) -> tuple[str, ...]:
        check_secrets(secrets)
        return secrets


class DeskSettings(BaseSettings):
    """`SVC_DESKS`: the desks by name, as JSON: `{"roundup": {"secrets": ["whsec_..."], "reply_url": "https://..."}}`."""

    model_config = SettingsConfigDict(env_prefix="SVC_", extra="ignore", hide_input_in_errors=True)

    desks: dict[Slug, Desk] = {}


DESKS: Mapping[str, Desk] = DeskSettings().desks
"""Read once, when the service starts: the same for every decision of its life."""


class RequesterNotice(Effect):
    """What a requester is told on the ticket of their desk: posted there as JSON, signed as Standard Webhooks says."""

    demand: UUID
    desk: str
    ticket: str
    number: int
    """Counts the notices on this demand from 1: one that arrives after a higher one is out of date."""
    status: DemandStatus
    text: str
    asks_confirmation: bool
    """Whether the requester is asked to answer `POST /demands/{demand}/value`."""

    def failed(self, reason: str) -> RequesterNotified:
        """The notice was given up."""
        return RequesterNotified(demand=self.demand, number=self.number, failed=reason)


Told = DemandStatusReported | Ask
"""What telling a requester takes: the event, and the notice on their ticket."""


def tell(demand: Demand, text: str, *, asks_confirmation: bool = False) -> list[Told]:
    """Tell the requester how their demand stands: for all who listen, and on the ticket if its desk takes notices."""
    if demand.status is None:
        raise ValueError("there is nothing to tell of a demand that was never captured")
    demand.notices, demand.told = demand.notices + 1, text
    report = DemandStatusReported(
        demand=demand.id,
        title=demand.title,
        status=demand.status,
        requester=demand.requester,
        text=text,
        asks_confirmation=asks_confirmation,
        merged_into=demand.merged_into,
    )
    desk = DESKS.get(demand.desk)
    if desk is None or desk.reply_url is None:
        return [report]
    notice = RequesterNotice(
        demand=demand.id,
        desk=demand.desk,
        ticket=demand.ticket,
        number=demand.notices,
        status=demand.status,
        text=text,
        asks_confirmation=asks_confirmation,
    )
    return [report, Ask(notice)]


async def post_notice(notice: RequesterNotice, id: UUID) -> RequesterNotified:
    """Post a notice to its desk under `id`, which stays the same over repetitions; what is not accepted is repeated."""
    desk = DESKS.get(notice.desk)
    if desk is None or desk.reply_url is None:
        return notice.failed(f"the desk {notice.desk!r} is no longer configured with a reply_url in SVC_DESKS")
    body = notice.model_dump_json().encode()
    proof = sign(desk.secrets[0], delivery=str(id), timestamp=datetime.now(UTC), body=body)
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        headers = {"content-type": "application/json", **proof}
        answer = await client.post(str(desk.reply_url), content=body, headers=headers)
    answer.raise_for_status()
    return RequesterNotified(demand=notice.demand, number=notice.number)


def unknown() -> Answer:
    """The refusal to act on a demand that nobody has made."""
    detail = "`GET /demands` lists them; a demand is made by a ticket or by `POST /demands`."
    return refusal(404, "There is no such demand", detail)


def spoken(time: datetime) -> str:
    """A time as people are told it."""
    return f"{time:%Y-%m-%d %H:%M} UTC"
