"""`svc desk`: what a service desk's pushes, pages and mails say, without a running chain."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.engage.desks import mapping
from services.engage.desks.connector import Connector, connector
from services.engage.desks.events import DeskEvent, Received, Unreadable
from services.engage.desks.profile import PROFILES, Unusable, load, names
from services.engage.desks.signature import Proof, Refused
from svc.looking import Seen
from svc.trouble import Trouble

ADDRESS = ("url", "path", "target")
"""What recordings of requests call the address, whose query may hold a token."""


async def parse(
    desk: str, headers: Path | None, body: Path, secrets: list[str], now: float | None, base: str
) -> tuple[Seen, int]:
    """The events that it tells, and 0; or why it is refused, and 1."""
    push = came(headers, body, now)
    plugged = plug(desk, secrets, base)
    try:
        found = plugged.parse(push)
    except Refused as refused:
        return _refusal(desk, str(refused), refused.signature), 1
    except Unreadable as unreadable:
        return _refusal(desk, str(unreadable), plugged.verify(push).signature), 1
    return Seen(_events(found), [event.model_dump(mode="json") for event in found]), 0


async def check(profile: str, payload: Path, headers: Path | None) -> tuple[Seen, int]:
    """What a payload would become, by which shape and which rule; 1 if it would become nothing that is understood."""
    push = came(headers, payload, None)
    plugged = plug(profile, [], "")
    try:
        found, shape = plugged.events(push, Proof("unsigned")), mapping.shape_of(plugged.profile, push)
    except Unreadable as unreadable:
        return _refusal(profile, str(unreadable), "unsigned"), 1
    said = {
        "desk": plugged.profile.desk,
        "shape": shape or None,
        "events": [one.model_dump(mode="json") for one in found],
    }
    about = f"read as the shape {shape!r}" if shape else f"no shape of {profile} fits: {_shapes(plugged)}"
    return Seen(Group(Text(about), _events(found, rule=True)), said), 0 if shape else 1


async def desks() -> Seen:
    """The desks that are understood, and what each can do."""
    table = Table("desk", "", "push", "signed", "back-fill", "answers", "moves", box=box.SIMPLE_HEAD)
    said = []
    for name in names():
        plugged = connector(name)
        can = plugged.capabilities
        said.append({"desk": name, "title": plugged.profile.title, **can.model_dump(), "note": plugged.profile.note})
        marks = ("✓" if yes else "" for yes in (can.push, can.signed, can.poll, can.public_comment, can.status))
        table.add_row(name, plugged.profile.title, *marks)
    return Seen(table, said)


def profile_text(name: str) -> str:
    """The profile of a desk that ships, to begin one's own with."""
    try:
        load(name)
        return (PROFILES / f"{name}.yaml").read_text(encoding="utf-8")
    except Unusable as unusable:
        raise Trouble(f"{unusable}") from None


def plug(desk: str, secrets: list[str], base: str) -> Connector:
    """The connector of a desk; `Trouble` if there is none, or if a secret cannot be one of that desk."""
    try:
        return connector(desk, secrets, base)
    except Unusable as unusable:
        raise Trouble(f"{unusable}") from None
    except ValueError as fault:
        raise Trouble(f"The secret is not one of {desk}: {fault}.") from None


def came(headers: Path | None, body: Path, now: float | None) -> Received:
    """What came in: from a file of the body, and one of the headers or of the whole recorded request."""
    said = _request(headers) if headers else {}
    inner = said.get("headers", said)
    recorded = inner if isinstance(inner, (dict, list)) else said
    at = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    address = next((str(said[name]) for name in ADDRESS if said.get(name)), None) if recorded is not said else None
    query = said.get("query") if recorded is not said else None
    if address is not None and not isinstance(query, dict):
        query = dict(parse_qsl(urlsplit(address).query))
    return Received(
        headers=_pairs(recorded),
        body=_read(body),
        query={str(name): str(value) for name, value in query.items()} if isinstance(query, dict) else None,
        received_at=at,
    )


def _request(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(_read(file))
    except ValueError as error:
        raise Trouble(f'{file} is no JSON: {error}. Headers look like {{"X-Event": "..."}}.') from None
    if isinstance(said, list):
        return {"headers": said}
    if not isinstance(said, dict):
        raise Trouble(f'{file} must hold an object of headers, such as {{"X-Event": "..."}}.')
    return said


def _pairs(said: object) -> dict[str, str]:
    pairs = said.items() if isinstance(said, dict) else said if isinstance(said, list) else []
    return {
        str(name): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in pairs
        if value is not None
    }


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Trouble(f"Cannot read {file}: {error.strerror}.") from None


def _refusal(desk: str, reason: str, signature: str) -> Seen:
    return Seen(Text(f"refused: {reason}", style="red"), {"desk": desk, "refused": reason, "signature": signature})


def _shapes(plugged: Connector) -> str:
    return ", ".join(f"{shape.name} ({_wanted(shape.when)})" for shape in plugged.profile.shapes)


def _wanted(when: dict[str, Any]) -> str:
    return " and ".join(f"{path} {wanted}" for path, wanted in when.items()) or "anything"


def _events(found: list[DeskEvent], *, rule: bool = False) -> RenderableType:
    if not found:
        return Text("nothing has happened to any ticket")
    table = Table("ticket", "what happened", "by", "is a", "because", "priority", "status", "says", box=box.SIMPLE_HEAD)
    for event in found:
        demand = event.itil_type.replace("_", " ") if event.is_demand else f"no demand ({event.itil_type})"
        table.add_row(
            event.external_id or "",
            f"{event.kind}{' (our own)' if event.is_echo else ''}",
            event.actor or "",
            demand,
            event.rule if rule else event.decided_by,
            f"{event.priority or ''} ({event.priority_raw})" if event.priority_raw else "",
            f"{event.status or '?'} ({event.status_raw})" if event.status_raw else "",
            event.title or "",
        )
    return table
