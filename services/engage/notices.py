"""The way back to the requester: every hand-over is told, on the ticket too if its desk takes notices."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Literal
from uuid import UUID, uuid5

import httpx
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.engage import DemandStatus, DemandStatusReported
from contracts.values import Slug
from services.chassis.outputs import Answer, Ask, Effect, refusal
from services.engage.desks import signature
from services.engage.desks.client import Access, Client, Declined, Overtaken
from services.engage.desks.connector import Connector, connector
from services.engage.desks.events import Outcome, OutcomeKind, Status
from services.engage.desks.mail_servers import servers
from services.engage.desks.mailbox import Mailbox, client
from services.engage.desks.profile import load
from services.engage.desks.standard_webhooks import check_secrets, sign
from services.engage.model import Demand, Notice, RequesterNotified
from services.engage.triage import DESK_CLOSED, GONE

PATIENCE = 10.0
"""Seconds that a desk may take to accept a notice."""
AT_ONCE = 4
"""Notices that one desk is told at the same time: desks are small, and their customers want something of them, too."""
MOST_SAID = 10
"""Notices of which the desk may still push back the words."""


Personal = Literal["name", "address", "addresses in text"]
"""What can be withheld of a requester; in place of an address stands a name that is always the same for it."""


class Desk(BaseModel):
    """A service desk that pushes its tickets to Engage."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    connector: str = "roundup"
    """What it is, as in `svc desk list`; or a profile of one's own, a .yaml file."""
    secrets: tuple[str, ...]
    """What it signs with; two while it changes from one to the other. Engage signs its notices with the first."""
    api: Access | None = None
    """Where it is read back and answered; a desk that signs nothing must have it, since its pushes are only hints."""
    reply_url: AnyHttpUrl | None = None
    """Where notices to its requesters go, if it is not answered by its API; None if it takes none."""
    ask_every: Annotated[float, Field(ge=1, le=86_400)] = 180
    """Seconds until it is asked again what it did not push; not used if it has no `api`, or cannot be asked."""
    keep_pushes: Annotated[float, Field(ge=0, le=366)] = 7
    """Days for which what it pushes is kept as it came in; 0: not at all."""
    withhold: tuple[Personal, ...] = ()
    """What of a person stays in the desk: it goes into no topic and no row."""

    @model_validator(mode="after")
    def _usable(self) -> "Desk":
        profile = load(self.connector)
        schemes, mail = profile.signature, profile.reads == "mail"
        signature.check_secrets(schemes, self.secrets)
        if self.reply_url is not None:
            check_secrets(self.secrets)
        if self.api is None and not any(signature.SCHEMES[name].proves == "valid" for name in schemes):
            raise ValueError(f"{self.connector} proves nothing that it pushes: give it `api`, so that it can be asked")
        if self.api is not None and mail:
            servers(self.api)
        elif self.api is not None and profile.api is None:
            raise ValueError(f"{self.connector} has no API that is known here: leave out `api`, and give `reply_url`")
        return self

    @cached_property
    def plugged(self) -> Connector:
        """The desk, ready to take its pushes."""
        return connector(self.connector, self.secrets, self.api.base if self.api else "")

    @property
    def answers(self) -> bool:
        """Whether it can be asked what it did not push."""
        return self.api is not None and self.plugged.capabilities.poll

    def client(self) -> Client | Mailbox | None:
        """Its API or mailbox, ready to be asked and answered; None if none is configured."""
        return client(self.plugged, self.api) if self.api else None


class DeskSettings(BaseSettings):
    """`SVC_DESKS`: the desks by name, as JSON.

    `{"roundup": {"secrets": ["whsec_..."], "reply_url": "https://..."}}`, or
    `{"help": {"connector": "zammad", "secrets": ["..."], "api": {"base": "https://...", "secret": "..."}}}`.
    """

    model_config = SettingsConfigDict(env_prefix="SVC_", extra="ignore", hide_input_in_errors=True)

    desks: dict[Slug, Desk] = {}


DESKS: Mapping[str, Desk] = DeskSettings().desks
"""Read once, when the service starts: the same for every decision of its life."""


WRITING: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
"""Who may write to a desk now; whoever waits for longer than an effect may take is tried again later."""


OUTCOMES: Mapping[DemandStatus, tuple[OutcomeKind, Status | None]] = {
    "delivered": ("completed", "resolved"),
    "value_realised": ("completed", "resolved"),
    "assumed": ("completed", "resolved"),
    "denied": ("rejected", "closed"),
    "rejected": ("rejected", "closed"),
    "withdrawn": ("rejected", "closed"),
    "merged": ("rejected", "closed"),
    "waiting_for_consumer": ("needs_information", "waiting"),
}
"""What a ticket is told of a demand, and how it stands then; all else is progress, and moves nothing."""


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
    internal: str = ""
    """What the people at the desk have to do; nobody else sees it."""
    reopens: bool = False
    """Whether the ticket, which is done, has to be opened again: its demand is not."""

    def outcome(self) -> Outcome:
        """The same, as a desk's API takes it: done is resolved, what will not be done is closed."""
        kind, _ = OUTCOMES.get(self.status, ("progress", None))
        return Outcome(
            demand=self.demand,
            number=self.number,
            external_id=self.ticket,
            kind=kind,
            public=self.text,
            internal=self.internal,
            status=moved_to(self.status, reopens=self.reopens),
        )

    def failed(self, reason: str) -> RequesterNotified:
        """It was not accepted however often it was tried: it is tried again until somebody mends the desk."""
        return RequesterNotified(demand=self.demand, number=self.number, failed=reason, again=True)

    def refused(self, reason: str) -> RequesterNotified:
        """The desk will never take it."""
        return RequesterNotified(demand=self.demand, number=self.number, failed=reason)


def moved_to(status: DemandStatus, *, reopens: bool) -> Status | None:
    """How a ticket is to stand once it was told of this; None where it is left as it stands."""
    return OUTCOMES.get(status, ("progress", "open" if reopens else None))[1]


Told = DemandStatusReported | Ask
"""What telling a requester takes: the event, and the notice on their ticket."""


def tell(demand: Demand, text: str, *, asks_confirmation: bool = False) -> list[Told]:
    """Tell the requester how their demand stands: for all who listen, and on the ticket if its desk takes notices."""
    if demand.status is None:
        raise ValueError("there is nothing to tell of a demand that was never captured")
    demand.notices, demand.said = demand.notices + 1, (*demand.said, text)[-MOST_SAID:]
    report = DemandStatusReported(
        demand=demand.id,
        title=demand.title,
        status=demand.status,
        requester=demand.requester,
        text=text,
        asks_confirmation=asks_confirmation,
        merged_into=demand.merged_into,
    )
    desk, gone = DESKS.get(demand.desk), demand.ticket_status == GONE
    if desk is None or gone or (desk.reply_url is None and desk.api is None):
        return [report]
    waits = bool(demand.untold)
    notice = Notice(
        number=demand.notices,
        status=demand.status,
        text=text,
        asks_confirmation=asks_confirmation,
        internal=to_do(demand),
        reopens=demand.ticket_status.lower() in DESK_CLOSED,
    )
    demand.untold = (*demand.untold, notice)
    return [report] if waits else [report, *next_notice(demand)]


def to_do(demand: Demand) -> str:
    """What somebody at the desk must do before it goes on; empty while nobody must."""
    if demand.status != "unclassified" and not demand.escalated_to:
        return ""
    who = f"The {demand.escalated_to.lower()}" if demand.escalated_to else "Somebody"
    how = f"`POST /demands/{demand.id}/classification` says what it is."
    return f"{who} has to decide, because {demand.reason}. {how}"


def next_notice(demand: Demand) -> list[Ask]:
    """What the ticket is told next: one thing at a time, so that the last word is the last one."""
    return [
        Ask(RequesterNotice(demand=demand.id, desk=demand.desk, ticket=demand.ticket, **dict(notice)))
        for notice in demand.untold[:1]
    ]


def note_notice(notified: RequesterNotified, demand: Demand) -> list[Ask]:
    """Keep whether a notice has reached the requester's desk, and tell the next one; a desk that is away is waited for.

    What the ticket was moved to is known from here, whether the desk pushes it or not.
    """
    if notified.number == demand.notices or notified.again:
        demand.notice_failed = notified.failed
    if [notice.number for notice in demand.untold[:1]] != [notified.number]:
        return []  # it was heard before
    if not notified.again:
        done, *left = demand.untold
        demand.untold = tuple(left)
        if not notified.failed and (status := moved_to(done.status, reopens=done.reopens)):
            demand.ticket_status = status
    return next_notice(demand)


async def post_notice(notice: RequesterNotice, id: UUID) -> RequesterNotified:
    """Post a notice to its desk, under an id that stays the same over repetitions; what is not accepted is repeated.

    By the desk's API it becomes a comment, and moves the ticket; by a mailbox, a mail. A marker tells a repetition.
    """
    desk = DESKS.get(notice.desk)
    if desk is not None and (api := desk.client()):
        try:
            async with WRITING[notice.desk], api:
                await api.write_back(notice.outcome())
        except (Declined, Overtaken) as refusal:
            return notice.refused(str(refusal))
        return RequesterNotified(demand=notice.demand, number=notice.number)
    if desk is None or desk.reply_url is None:
        return notice.refused(f"the desk {notice.desk!r} is no longer configured with a reply_url in SVC_DESKS")
    body = notice.model_dump_json().encode()
    delivery = uuid5(notice.demand, f"notice {notice.number}")
    proof = sign(desk.secrets[0], delivery=str(delivery), timestamp=datetime.now(UTC), body=body)
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
