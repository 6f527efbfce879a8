"""A Roundup detector that pushes what happens to a ticket, in the form of Standard Webhooks 1.0.

It goes into a tracker's `detectors/` folder and reads two settings from `config.ini` in there:

    [desk]
    webhook_url = https://...
    webhook_secret = whsec_...

It expects two fields more on an issue than the classic tracker has: `service=String()` and
`users_affected=Integer()`. A push that is not accepted is logged and not repeated: Roundup has no
queue for it.
"""

import base64
import hashlib
import hmac
import http.client
import json
import logging
import time
import urllib.request
from datetime import UTC, datetime
from typing import Any

TYPES = (
    "Incident",
    "Service Request",
    "Feedback",
    "Complaint",
    "Change Request",
    "New Product or Service",
)
"""The keywords that say what type a ticket is."""

log = logging.getLogger("roundup.desk_webhook")


def init(db: Any) -> None:
    """Register with the tracker, after every other reactor (they may still change the ticket)."""
    db.issue.react("create", created, priority=900)
    db.issue.react("set", changed, priority=900)


def created(db: Any, issues: Any, ticket: str, _: None) -> None:
    """Push a new ticket together with its first message."""
    messages = issues.get(ticket, "messages")
    push_after_commit(db, issues, ticket, "issue.created", messages[0] if messages else None)


def changed(db: Any, issues: Any, ticket: str, before: dict[str, Any]) -> None:
    """Push each new message of a ticket, then the change of its status, if there is one."""
    now = issues.getnode(ticket)
    for message in now.messages:
        if message not in before.get("messages", now.messages):
            push_after_commit(db, issues, ticket, "issue.replied", message)
    if before.get("status", now.status) != now.status:
        push_after_commit(db, issues, ticket, "issue.status_changed", None, previous_status=before["status"])


def push_after_commit(
    db: Any,
    issues: Any,
    ticket: str,
    kind: str,
    message: str | None,
    previous_status: str | None = None,
) -> None:
    """Note what to push, as it is now; it leaves once the change is committed, else never."""

    def name(kind: str, id: str | None) -> str | None:
        return db.getclass(kind).get(id, "name") if id else None

    def person(id: str) -> dict[str, str | None]:
        user = db.user.getnode(id)
        return {"name": user.realname or user.username, "email": user.address}

    issue = issues.getnode(ticket)
    keywords = [db.keyword.get(id, "name") for id in issue.keyword]
    # Who wrote the first message asks, also where an agent typed it in for somebody on the phone.
    requester = db.msg.get(issue.messages[0], "author") if issue.messages else issue.creator
    data: dict[str, Any] = {
        "ticket": {
            "id": ticket,
            "url": f"{db.config.TRACKER_WEB}issue{ticket}",
            "title": issue.title,
            "type": next((type for type in TYPES if type in keywords), None),
            "keywords": keywords,
            "priority": name("priority", issue.priority),
            "status": name("status", issue.status),
            "service": issue.service,
            "users_affected": issue.users_affected,
            "requester": person(requester),
            "created": utc(issue.creation),
            "activity": utc(issue.activity),
        },
        "message": {"id": message, "text": db.msg.get(message, "content")} if message else None,
        "actor": person(db.getuid()),
    }
    if previous_status:
        data["previous_status"] = name("status", previous_status)
    event = {"type": kind, "timestamp": utc(issue.activity), "data": data}
    body = json.dumps(event, ensure_ascii=False).encode()
    delivery = f"issue{ticket}-{hashlib.sha256(body).hexdigest()[:24]}"
    # Roundup runs these after the database has committed and forgets them on a rollback.
    db.transactions.append((push, (db.config.detectors, delivery, body)))


def push(config: Any, delivery: str, body: bytes) -> None:
    """Sign and send; whatever goes wrong is the receiver's loss, never the requester's."""
    sent = int(time.time())
    key = base64.b64decode(config["DESK_WEBHOOK_SECRET"].removeprefix("whsec_"))
    signed = hmac.digest(key, f"{delivery}.{sent}.".encode() + body, hashlib.sha256)
    request = urllib.request.Request(
        config["DESK_WEBHOOK_URL"],
        body,
        {
            "Content-Type": "application/json",
            "User-Agent": "Roundup",
            "webhook-id": delivery,
            "webhook-timestamp": str(sent),
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=3):
            log.info("pushed %s", delivery)
    except (OSError, http.client.HTTPException) as error:
        log.error("push %s not accepted: %s", delivery, error)


def utc(date: Any) -> str:
    """A Roundup date as ISO 8601 in UTC, whole seconds."""
    return datetime.fromtimestamp(date.timestamp(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
