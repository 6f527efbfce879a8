"""From what a desk says to events, as its profile tells: no code knows any particular desk."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs

from pydantic import JsonValue

from services.engage.desks.events import (
    DONE,
    QUIET,
    Decider,
    DeskEvent,
    EventKind,
    Received,
    Status,
    Unreadable,
    by_name,
)
from services.engage.desks.mail import read_mail
from services.engage.desks.profile import FieldName, Found, Profile, Shape
from services.engage.desks.reading import Path, Place, is_yes, time_of, words
from services.engage.desks.signature import Proof
from services.engage.desks.text import is_marked, plain, shortened

LARGEST = 5 * 1024 * 1024
"""Bytes of a push or page, at most; attachments do not belong into it."""
LONGEST_TITLE = 500
"""Characters of a subject, at most."""
SAME = timedelta(seconds=2)
"""A ticket that was changed no later than this after it was made has not been changed."""


class Sort(NamedTuple):
    """What sort of demand a ticket is, and what told it."""

    kind: str
    decided_by: Decider
    rule: str


class Naming(NamedTuple):
    """What events are named by, and how far they are proved."""

    delivery: str
    proof: Proof


def events(profile: Profile, received: Received, proof: Proof) -> list[DeskEvent]:
    """What a push or a page tells; one event `unknown` if it is none of the shapes that the profile knows."""
    place = opened(profile, received)
    delivery = proof.id or place.text(profile.delivery) or f"sha256:{hashlib.sha256(received.body).hexdigest()[:32]}"
    naming = Naming(delivery, proof)
    shape = next((one for one in profile.shapes if place.fits(one.when)), None)
    if shape is None:
        return [_event(profile, Place({}, {}, {}), {}, "unknown", delivery, naming)]
    found = list(_told(profile, shape, place, naming))
    seen: dict[str, int] = {}
    numbered = []
    for event in found:
        count = seen[event.dedupe_key] = seen.get(event.dedupe_key, 0) + 1
        key = f"{event.dedupe_key}#{count}"
        numbered.append(event if count == 1 else event.model_copy(update={"dedupe_key": key}))
    return numbered


def shape_of(profile: Profile, received: Received) -> str:
    """The name of the shape that a push or page has; empty if it has none that the profile knows."""
    place = opened(profile, received)
    return next((one.name for one in profile.shapes if place.fits(one.when)), "")


def opened(profile: Profile, received: Received) -> Place:
    """What came in, ready to be read by paths; else `Unreadable`."""
    if len(received.body) > LARGEST:
        raise Unreadable(
            f"it is larger than {LARGEST // 1024 // 1024} MiB: let the desk push less, such as no attachments"
        )
    headers = by_name(received.headers, received.query)
    body = read_mail(received.body, headers) if profile.reads == "mail" else decoded(received.body, headers)
    return Place(body, body, headers)


def elements(profile: Profile, received: Received) -> int:
    """How many elements a page has: fewer than were asked for, and it is the last."""
    place = opened(profile, received)
    shape = next((one for one in profile.shapes if place.fits(one.when)), None)
    return len(list(place.each(shape.each))) if shape else 0


def decoded(body: bytes, headers: Mapping[str, str]) -> JsonValue:
    """The JSON of a body, in the charset that it says, else in UTF-8, else as well as can be; else `Unreadable`."""
    said = headers.get("content-type", "")
    text = _text(body, said)
    if "x-www-form-urlencoded" in said:
        text = parse_qs(text).get("payload", [text])[0]
    try:
        found: JsonValue = JSON.decode(text)
    except RecursionError:
        raise Unreadable("it is nested deeper than any ticket") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "a number in it is none"
        raise Unreadable(f"it is no JSON: {reason}; let the desk send application/json") from None
    return found


def _refuse(constant: str) -> float:
    raise ValueError(constant)


JSON = json.JSONDecoder(parse_constant=_refuse)


def _text(body: bytes, content_type: str) -> str:
    charset = re.search(r"charset=\"?([\w.:-]+)", content_type, re.I)
    for encoding in (charset[1] if charset else "utf-8", "utf-8", json.detect_encoding(body)):
        try:
            return body.decode(encoding).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    # Rather a strange letter than no ticket: what desks send by mistake is mostly this.
    return body.decode("cp1252", "replace")


def _told(profile: Profile, shape: Shape, place: Place, naming: Naming) -> Iterator[DeskEvent]:
    fields = {**profile.fields, **shape.fields}
    items = list(place.each(shape.each))
    if not items and shape.otherwise:
        yield _event(profile, place, profile.fields, shape.otherwise, naming.delivery, naming)
    for item in items:
        found: Found = next((rule.kind for rule in shape.kinds if item.fits(rule.when)), "unknown")
        if found != "skip":
            key = item.text(shape.dedupe) if shape.dedupe else None
            yield _event(profile, item, fields, found, key or naming.delivery, naming)
        for more in shape.also:
            yield from _told(profile, more, item, naming)


def _event(
    profile: Profile, place: Place, fields: Mapping[FieldName, Path], found: Found, key: str, naming: Naming
) -> DeskEvent:
    def text(name: FieldName) -> str | None:
        return place.text(fields.get(name, ()))

    def time(name: FieldName) -> datetime | None:
        return time_of(place.read(fields.get(name, ())), profile.zone)

    ticket, priority, status = text("ticket"), text("priority"), text("status")
    created, updated = time("created_at"), time("updated_at")
    stands = [place.text(path) for name in ("status_as", "status") for path in _each(fields.get(name, ()))]
    now, before = _first(stands, profile.statuses), _first([text("status_before")], profile.statuses)
    internal = is_yes(place.read(fields.get("internal", ())))
    kind = _kind(found, created, updated, now, before, internal=internal)
    if ticket is None and kind != "unknown":
        raise Unreadable(f"it names no ticket: nothing stands at {_shown(fields.get('ticket', ()))}")
    occurred = time("occurred_at") or (created if kind == "created" else updated) or updated or created
    sort = _sort(profile, place, fields)
    internal = internal or kind == "note"
    written = plain(place.read(fields.get("text", ())))
    actors = [text("actor"), *(place.text(path) for path in _each(fields.get("us", ())))]
    ours = {name.lower() for name in profile.us}
    echo = any(actor and actor.lower() in ours for actor in actors) or is_marked(written)
    users = text("users_affected")
    queue, title = text("queue"), text("title")
    return DeskEvent(
        desk=profile.desk,
        kind=kind,
        is_demand=kind not in QUIET and not echo and sort.kind != "problem",
        external_id=ticket,
        url=_address(text("url")),
        dedupe_key=key,
        order_key=_order(profile, occurred, text("sequence")),
        occurred_at=occurred,
        actor=actors[0],
        is_echo=echo,
        visibility="internal" if internal else "public",
        desk_type=text("type"),
        itil_type=sort.kind,
        decided_by=sort.decided_by,
        priority_raw=priority,
        priority=next(
            (known for path in _each(fields.get("priority", ())) if (known := _priority(profile, place.text(path)))),
            None,
        ),
        status_raw=status,
        status=now,
        requester=text("requester") or text("requester_name"),
        title=title and plain(title)[:LONGEST_TITLE],
        channel=profile.channels.get(words(text("channel") or "")) or profile.channel,
        signature=naming.proof.signature,
        rule=sort.rule,
        text="" if internal else shortened(written),
        requester_name=text("requester_name"),
        queue=queue,
        service=text("service"),
        users_affected=int(users) if users and users.isdecimal() and len(users) < 10 else None,
        comment_id=text("comment"),
        attachments=tuple(map(str, place.several(fields.get("attachments", ())))),
    )


def _kind(
    found: Found, created: datetime | None, updated: datetime | None, now: Status | None, before: Status | None,
    *, internal: bool,
) -> EventKind:  # fmt: skip
    if found == "snapshot" or found == "skip":
        fresh = created is not None and (updated is None or updated - created <= SAME)
        return "created" if fresh and now not in DONE else "status"
    if found == "reply" and internal:
        return "note"
    if found == "status" and before in DONE and now is not None and now not in DONE:
        return "reopened"
    return found


def _sort(profile: Profile, place: Place, fields: Mapping[FieldName, Path]) -> Sort:
    """The first that says something, of the type field, the queue, and the tags."""
    said = [place.text(path) for path in _each(fields.get("type", ()))]
    for type in said:
        if type is None:
            continue
        if kind := _told_by(profile.types.field, type):
            return Sort(kind, "field", f"the type {type!r}")
    for queue in filter(None, (place.text(path) for path in _each(fields.get("queue", ())))):
        if kind := _told_by(profile.types.queue, queue):
            return Sort(kind, "queue", f"the queue {queue!r}")
    for tag in (str(tag) for path in _each(fields.get("tags", ())) for tag in _tags(place, path)):
        for part in (tag, re.split(r"[:/]+", tag)[-1]):
            if kind := _told_by(profile.types.tag, part):
                return Sort(kind, "tag", f"the tag {tag!r}")
    type = next(filter(None, said), None)
    return Sort(
        "unclassified", "default", f"the type {type!r} is not in the profile" if type else "nothing says its type"
    )


def _told_by(table: Mapping[str, str], said: str) -> str:
    """The sort of demand that a word stands for; empty if it is not in the table, or tells nothing there."""
    kind = table.get(words(said), "")
    return "" if kind == "unclassified" else kind


def _each(path: Path) -> tuple[str, ...]:
    return (path,) if isinstance(path, str) else tuple(path)


def _tags(place: Place, path: str) -> list[str]:
    found = place.several(path)
    if len(found) == 1 and isinstance(found[0], str) and "," in found[0]:
        return [tag.strip() for tag in found[0].split(",")]
    return [str(tag) for tag in found if isinstance(tag, str | int)]


def _priority(profile: Profile, said: str | None) -> int | None:
    if said is None:
        return None
    if (known := profile.priorities.get(words(said))) is not None:
        return known
    if profile.priority_from and re.fullmatch(r"-?\d{1,9}(\.\d+)?", said):
        reached = [least for least in profile.priority_from if float(said) >= least]
        return profile.priority_from[max(reached)] if reached else 5
    return None


def _first(said: Sequence[str | None], statuses: Mapping[str, Status]) -> Status | None:
    return next((statuses[words(one)] for one in said if one and words(one) in statuses), None)


def _order(profile: Profile, occurred: datetime | None, sequence: str | None) -> str:
    number = f"{int(sequence):020}" if sequence and sequence.isdecimal() else sequence or ""
    if profile.order == "sequence":
        return number or f"{0:020}"
    time = occurred.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if occurred else ""
    return f"{time}/{number}" if number else time


def _address(url: str | None) -> str | None:
    """A web address that can be shown as a link; Freshdesk leaves out its beginning."""
    if url is None or re.match(r"https?://", url, re.I):
        return url
    return f"https://{url}" if re.match(r"[\w-]+(\.[\w-]+)+(:\d+)?/", url) else None


def _shown(path: Path) -> str:
    return " or ".join(f"`{one}`" for one in _each(path)) or "a place that the profile names"
