"""What the suite needs of each desk: pushes that tell the life of one ticket, and what proves them."""

import copy
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from services.engage.desks.connector import Connector, connector
from services.engage.desks.events import Received
from services.engage.desks.signature import SCHEMES, sign

DATA = Path(__file__).parents[2] / "data" / "desks"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STANDARD_SECRET = "whsec_" + b64encode(bytes(range(32))).decode()


class Kit(NamedTuple):
    """The life of one ticket, by the names of payloads: `tests/data/desks/payloads/<desk>.yaml`."""

    desk: str
    created: str
    answered: str
    """By the customer."""
    ours: str
    """Our own answer, as the desk tells us of it."""
    reopened: str
    """After it was done; empty if the desk tells that as an answer to a ticket that is done."""
    polled: str
    """The created ticket, as the back-fill finds it; empty if the desk cannot be asked."""
    note: str
    """What the requester must not see; empty if the desk tells of no such thing."""
    untype: tuple[str, ...]
    """Where the type of the created ticket stands: without it, nothing says what it is."""
    text: str
    """Where the text of the created ticket stands."""
    one: str = ""
    """The ticket read back, not done yet; empty if it cannot be."""

    @property
    def secret(self) -> str:
        """A secret as that desk has them."""
        return STANDARD_SECRET if "standard-webhooks" in self.schemes[:1] else "s3cret"

    @property
    def schemes(self) -> tuple[str, ...]:
        return connector(self.desk).profile.signature

    def plugged(self, *, proved: bool = True) -> Connector:
        return connector(self.desk, [self.secret] if proved and self.schemes else [])

    def push(self, name: str, at: datetime = NOW, delivery: str = "d-1") -> Received:
        """A payload as the desk would send it at that time, proved if the desk proves anything."""
        case = payload(self.desk, name)
        body = case["body"].encode() if isinstance(case["body"], str) else json.dumps(case["body"]).encode()
        return self.proved(body, case.get("headers", {}), at, delivery)

    def proved(self, body: bytes, headers: dict[str, str], at: datetime = NOW, delivery: str = "d-1") -> Received:
        query = None
        if self.schemes:
            name = self.schemes[0]
            scheme = SCHEMES[name]
            if scheme.header.startswith("?"):
                query = {scheme.header[1:]: self.secret}
            else:
                time = at.isoformat() if scheme.iso else str(int(at.timestamp()))
                proof = sign(name, self.secret, body, id=headers.get("webhook-id", delivery), timestamp=time)
                headers = {name: value for name, value in headers.items() if name.lower() not in proof} | proof
        return Received(headers=headers, body=body, query=query, received_at=at)

    def created_with(self, text: str | None = None, *, typed: bool = True) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the created ticket, with another text, or without its type."""
        case = payload(self.desk, self.created)
        if isinstance(case["body"], str):
            mail = case["body"] if text is None else case["body"].replace("black", text)
            return (mail if typed else mail.replace("bugs@", "hello@")).encode(), {}
        body = copy.deepcopy(case["body"])
        if text is not None:
            _put(body, self.text, text)
        for path in () if typed else self.untype:
            _put(body, path, None)
        return json.dumps(body).encode(), case.get("headers", {})


def _put(body: Any, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        body = body[int(part) if part.isdigit() else part]
    body[int(last) if last.isdigit() else last] = value


@cache
def payloads(desk: str) -> dict[str, dict[str, Any]]:
    if desk == "email":
        return _mails()
    if desk == "roundup":
        return _recorded()
    found = yaml.safe_load((DATA / "payloads" / f"{desk}.yaml").read_text())
    return {case["name"]: case for case in found}


def payload(desk: str, name: str) -> dict[str, Any]:
    return payloads(desk)[name]


def _recorded() -> dict[str, dict[str, Any]]:
    """What a real Roundup has pushed."""
    names = {"created": "03-service-request", "answered": "07-incident-reply", "reopened": "11-incident-reopened"}
    found: dict[str, dict[str, Any]] = {}
    for name, file in names.items():
        body = json.loads((DATA / "roundup" / f"{file}.body.json").read_text())
        http = json.loads((DATA / "roundup" / f"{file}.http.json").read_text())
        found[name] = {"body": body, "headers": {"webhook-id": http["headers"]["Webhook-Id"]}}
    ours = copy.deepcopy(found["answered"])
    ours["body"]["data"]["actor"] = {"name": "engage-bot", "email": "engage-bot@example.com"}
    issue = {"id": "3", "title": "Zweites Profil", "creation": "2026-11-24.03:16:37", "activity": "2026-11-24.03:16:37"}
    return found | {"ours": ours, "polled": {"body": {"data": {"collection": [issue], "@total_size": 1}}}}


def _mails() -> dict[str, dict[str, Any]]:
    return {
        "created": {"body": _mail("a1@fleet.example", "The screen is black.")},
        "answered": {"body": _mail("a2@fleet.example", "Still.", minutes=5, references="<a1@fleet.example>")},
        "ours": {"body": _mail("svc.1@desk.example", "Done.", minutes=9, sender="engage-bot@example.com")},
        "later": {"body": _mail("a3@fleet.example", "Again.", minutes=30, references="<a1@fleet.example>")},
    }  # fmt: skip


def _mail(id: str, text: str, *, minutes: int = 0, sender: str = "emily@fleet.example", references: str = "") -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"], message["Message-ID"] = (
        sender,
        "bugs@desk.example",
        "Screen",
        f"<{id}>",
    )
    message["Date"] = NOW + timedelta(minutes=minutes)
    if references:
        message["References"] = references
    message.set_content(text)
    return message.as_string()


KITS = (
    Kit(
        "standard-webhooks",
        "a ticket in the data",
        "answered",
        "our own answer",
        "reopened",
        "",
        "a comment for the team",
        ("data.type",),
        "data.description",
    ),
    Kit(
        "django-helpdesk",
        "a new ticket",
        "the customer answers",
        "our own follow-up",
        "reopened",
        "the same ticket, polled",
        "a note",
        ("ticket.custom_ticket_type",),
        "ticket.description",
        "one ticket",
    ),
    Kit(
        "rt",
        "created",
        "answered",
        "our own answer",
        "reopened",
        "the same ticket, polled",
        "a history",
        ("data.ticket.custom_fields",),
        "data.content",
        "one ticket",
    ),
    Kit(
        "zammad",
        "a ticket by phone",
        "an answer of the customer",
        "our own answer",
        "",
        "the same ticket, polled",
        "an internal note",
        (),
        "article.body",
        "one ticket",
    ),
    Kit(
        "glpi",
        "an incident",
        "a follow-up for everybody",
        "our own follow-up",
        "",
        "the same ticket, polled",
        "a private follow-up",
        ("item.type",),
        "item.content",
        "one ticket",
    ),
    Kit(
        "jira",
        "an issue in the cloud",
        "a comment for everybody",
        "our own comment",
        "reopened",
        "the same issue, found by a search",
        "a comment for agents only",
        ("issue.fields.issuetype",),
        "issue.fields.description",
        "one issue",
    ),
    Kit(
        "zendesk",
        "created",
        "a comment",
        "our own comment",
        "reopened",
        "the same ticket, polled",
        "an internal comment",
        ("detail.type",),
        "detail.description",
        "one ticket",
    ),
    Kit(
        "freshdesk",
        "created",
        "answered",
        "our own answer",
        "reopened",
        "the same ticket, polled",
        "a private note",
        ("freshdesk_webhook.ticket_type",),
        "freshdesk_webhook.ticket_description",
        "one ticket",
    ),
    Kit(
        "github",
        "opened",
        "a comment",
        "our own comment",
        "reopened",
        "the same issue, polled",
        "",
        ("issue.labels",),
        "issue.body",
        "one issue",
    ),
    Kit(
        "gitlab",
        "an incident as a work item",
        "a note",
        "our own note",
        "reopened",
        "the same issue, polled",
        "an internal note",
        ("object_attributes.type",),
        "object_attributes.description",
        "one issue",
    ),
    Kit(
        "freescout",
        "created",
        "the customer answers",
        "our own answer",
        "",
        "the same conversation, polled",
        "a note",
        ("customFields",),
        "_embedded.threads.0.body",
        "one conversation",
    ),
    Kit(
        "roundup",
        "created",
        "answered",
        "ours",
        "reopened",
        "polled",
        "",
        ("data.ticket.type", "data.ticket.keywords"),
        "data.message.text",
    ),
    Kit(
        "redmine",
        "a new issue",
        "answered",
        "our own notes",
        "",
        "a new issue",
        "a page with journals",
        ("issues.0.tracker",),
        "issues.0.description",
        "one issue",
    ),
    Kit(
        "servicenow",
        "a business rule",
        "answered",
        "our own comment",
        "reopened",
        "the same record, polled",
        "comments and work notes",
        ("record.number",),
        "record.description",
        "one record",
    ),
    Kit(
        "itop",
        "created",
        "answered",
        "our own answer",
        "reopened",
        "",
        "",
        ("ticket.request_type", "ticket.finalclass"),
        "ticket.description",
    ),
    Kit(
        "znuny",
        "created",
        "an article",
        "our own article",
        "",
        "",
        "an article that the customer does not see",
        ("Ticket.Type",),
        "Ticket.Article.Body",
    ),
    Kit("email", "created", "answered", "ours", "", "created", "", (), ""),
)
