"""What happens between a desk and us; each case is a function that fails if a connector does not meet it."""

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from contracts.envelope import has_nul
from services.engage.desks.client import UNREACHABLE, Access, Client, Declined, Overtaken
from services.engage.desks.events import DeskEvent, Outcome, Received, Unreadable
from services.engage.desks.mailbox import Mailbox
from services.engage.desks.mapping import LARGEST
from services.engage.desks.signature import SCHEMES, Refused
from services.engage.desks.text import LONGEST, marker
from tests.desks.conformance.fake_desk import FakeDesk
from tests.desks.conformance.kits import NOW, Kit, payload
from tests.desks.conformance.post import Post, post

DEMAND = UUID("0b9c5c1e-6f0e-5a31-9d63-1f4a2b3c4d5e")
Case = Callable[[Kit], None]
WritingCase = Callable[[Kit], "object"]


class NotApplicable(Exception):  # noqa: N818 - it says why a case is none of a desk's
    """The desk has nothing of the kind; says what."""


def told(kit: Kit, push: Received) -> list[DeskEvent]:
    return kit.plugged().parse(push)


def about(kit: Kit, name: str) -> DeskEvent:
    """What the last of its events is: a polled ticket comes before what was written on it."""
    return told(kit, kit.push(name))[-1]


def duplicate(kit: Kit) -> None:
    """The same push twice has one name, and another push another."""
    once, twice = (told(kit, kit.push(kit.created)) for _ in range(2))
    assert [event.dedupe_key for event in once] == [event.dedupe_key for event in twice]
    other = told(kit, kit.push(kit.answered, delivery="d-2"))
    assert not {event.dedupe_key for event in once} & {event.dedupe_key for event in other}


def reordered(kit: Kit) -> None:
    """Whatever the order in which they arrive, order keys sort them as they happened."""
    happened = [about(kit, name) for name in (kit.created, kit.answered, kit.reopened) if name]
    keys = [event.order_key for event in happened]
    if not all(keys):
        raise NotApplicable("tells no time: fetched")
    assert all(earlier <= later for earlier, later in pairwise(keys))


def altered(kit: Kit) -> None:
    """A push of which one byte is another is refused."""
    push = kit.push(kit.created)
    if not kit.schemes:
        raise NotApplicable("proves nothing")
    if not SCHEMES[kit.schemes[0]].signed:
        wrong = {name: "another" if value == kit.secret else value for name, value in push.headers.items()}
        query = push.query and dict.fromkeys(push.query, "another")
        push = push._replace(headers=wrong, query=query)
    else:
        push = push._replace(body=push.body.replace(b" ", b"  ", 1))
    with pytest.raises(Refused) as refused:
        told(kit, push)
    assert refused.value.signature == "invalid"


def unproved(kit: Kit) -> None:
    """A push without any proof is refused where a secret is set, and is only a hint where none is."""
    push = kit.push(kit.created)
    proofs = {SCHEMES[name].header for name in kit.schemes}
    said = {name: value for name, value in push.headers.items() if name.lower() not in proofs}
    bare = push._replace(headers=said, query={})
    assert {event.signature for event in kit.plugged(proved=False).parse(bare)} == {"unsigned"}
    if not kit.schemes:
        raise NotApplicable("proves nothing")
    with pytest.raises(Refused) as refused:
        told(kit, bare)
    assert refused.value.signature == "unsigned"


def replayed(kit: Kit) -> None:
    """An old push sent again under a new time is refused; where no time is signed, it has the name it had."""
    push = kit.push(kit.created)
    scheme = SCHEMES[kit.schemes[0]] if kit.schemes else None
    if scheme is None or not scheme.timestamp:
        later = push._replace(received_at=NOW + timedelta(days=30))
        assert [one.dedupe_key for one in told(kit, push)] == [one.dedupe_key for one in told(kit, later)]
        return
    later_time = NOW + timedelta(hours=1)
    time = later_time.isoformat() if scheme.iso else str(int(later_time.timestamp()))
    again = push._replace(headers={**push.headers, scheme.timestamp: time}, received_at=later_time)
    with pytest.raises(Refused) as refused:
        told(kit, again)
    assert refused.value.signature == "invalid"


def stale(kit: Kit) -> None:
    """A push that is older than allowed is refused, and the reason names the clocks."""
    scheme = SCHEMES[kit.schemes[0]] if kit.schemes else None
    if scheme is None or not scheme.timestamp:
        raise NotApplicable("signs no time")
    push = kit.push(kit.created)._replace(received_at=NOW + timedelta(minutes=6))
    if scheme.tolerance is None:
        assert told(kit, push)[0].signature == "valid"
        raise NotApplicable("a late retry is genuine")
    with pytest.raises(Refused, match="compare the two clocks") as refused:
        told(kit, push)
    assert refused.value.signature == "stale"


def back_filled(kit: Kit) -> None:
    """A ticket whose push was lost is found by asking, under the same id, and opens a demand."""
    if not kit.polled:
        raise NotApplicable("cannot be asked")
    pushed = about(kit, kit.created)
    found = kit.plugged(proved=False).parse(Received(headers={}, body=kit.push(kit.polled).body, received_at=NOW))
    assert pushed.external_id in {event.external_id for event in found if event.is_demand and event.kind == "created"}


def echo(kit: Kit) -> None:
    """Our own answer, coming back, changes nothing."""
    event = about(kit, kit.ours)
    assert (event.is_echo, event.is_demand) == (True, False)


def reopened(kit: Kit) -> None:
    """What happens after a ticket was done concerns the same ticket, and changes its demand."""
    event = about(kit, kit.reopened or kit.answered)
    assert event.is_demand
    assert event.kind in ("reopened", "reply")
    assert event.status not in ("resolved", "closed") or event.kind == "reply"


def untyped(kit: Kit) -> None:
    """A ticket of which nothing tells the type is a demand all the same, to be looked at."""
    body, headers = kit.created_with(typed=False)
    event = told(kit, kit.proved(body, headers))[0]
    assert (event.kind, event.is_demand, event.itil_type, event.decided_by) == (
        "created",
        True,
        "unclassified",
        "default",
    )


def huge(kit: Kit) -> None:
    """A long text goes on shortened, and says so; what is larger than any ticket is refused."""
    body, headers = kit.created_with("black " * 100_000)
    event = told(kit, kit.proved(body, headers))[0]
    assert LONGEST <= len(event.text) < LONGEST + 100
    assert "the desk has the whole text" in event.text
    with pytest.raises(Unreadable, match="larger than"):
        told(kit, kit.proved(b" " * (LARGEST + 1), headers))


def wrong_charset(kit: Kit) -> None:
    """Letters in another charset than is said lose no ticket; those in a charset that is said are read."""
    body, headers = kit.created_with("Größe")
    encodings: list[tuple[bytes, dict[str, str]]] = [(body, {}), (body.decode().encode("latin-1"), {})]
    if kit.plugged().profile.reads != "mail":
        text, said = json.dumps(json.loads(body), ensure_ascii=False), "application/json; charset=iso-8859-1"
        encodings = [
            (text.encode("latin-1"), {"Content-Type": said}),
            (text.encode("latin-1"), {}),
            (text.encode("utf-16"), {}),
            (b"\xef\xbb\xbf" + text.encode(), {}),
            (b"\xef\xbb\xbf" + text.encode(), {"Content-Type": "application/json; charset=utf-8"}),
        ]
    for encoded, more in encodings:
        event = told(kit, kit.proved(encoded, headers | more))[0]
        assert event.kind == "created"
        assert "Größe" in event.text


def hostile(kit: Kit) -> None:
    """Anything in any place is a ticket, or nothing, or refused with a reason; never an error of ours."""
    case = payload(kit.desk, kit.created)
    if isinstance(case["body"], str):
        raise NotApplicable("see test_mail")
    unread = (Unreadable,)
    for path in list(_places(case["body"])):
        for value in (None, [], 10**400, True, "\0", "\0\ud800", "1]bad[", "1]~(a", [[{"a": 1}]]):
            body = copy.deepcopy(case["body"])
            place = body
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = value
            try:
                events = told(kit, kit.proved(json.dumps(body).encode(), case.get("headers", {})))
            except unread:
                continue
            assert all(DeskEvent.model_validate_json(event.model_dump_json()) == event for event in events)
            assert not any(has_nul(event.model_dump_json().encode()) for event in events), "PostgreSQL cannot store it"
    for body in (b"", b"[", b"[" * 100_000, b"null", b"1", b'"x"', b"[]", b"{}", b"\xff\xfe", b"NaN"):
        try:
            events = told(kit, kit.proved(body, case.get("headers", {})))
        except unread:
            continue
        assert not any(event.is_demand for event in events)


def _places(value: object, path: tuple[object, ...] = ()) -> "object":
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from _places(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield (*path, place)
            yield from _places(inner, (*path, place))


def internal(kit: Kit) -> None:
    """A note that the requester must not see leaves nothing of its text."""
    if not kit.note:
        raise NotApplicable("tells of none")
    notes = [event for event in told(kit, kit.push(kit.note)) if event.kind == "note"]
    assert notes
    for note in notes:
        assert (note.visibility, note.text, note.is_demand) == ("internal", "", False)
        assert "psst" not in note.model_dump_json()


@asynccontextmanager
async def writing(kit: Kit) -> AsyncIterator[tuple[FakeDesk | Post, Client | Mailbox]]:
    """A desk that holds the created ticket, and its API, ready to be used."""
    plugged = kit.plugged()
    if plugged.profile.reads == "mail":
        async with post(kit.push(kit.created).body) as desk, Mailbox(plugged, desk.server.access()) as mailbox:
            yield desk, mailbox
        return
    if plugged.profile.api is None or not plugged.profile.api.steps:
        raise NotApplicable("is not written to")
    fake = FakeDesk(plugged.profile, payload(kit.desk, kit.one)["body"])
    access = Access(base="https://desk.example", user="engage-bot", secret="s")
    async with Client(plugged, access, fake) as client:
        yield fake, client


def outcome(kit: Kit) -> Outcome:
    """It has been done, and here is what was done."""
    return Outcome(
        demand=DEMAND,
        number=3,
        external_id=about(kit, kit.created).external_id or "",
        kind="completed",
        public="It works again.",
        internal="New cable.",
        status="resolved",
    )


async def written(kit: Kit) -> None:
    """An outcome is written once: its comment, its note, its status; and again nothing happens."""
    async with writing(kit) as (desk, client):
        receipt = await client.write_back(outcome(kit))
        assert [step for step, _ in desk.written] == desk.steps
        assert len(desk.moved) == desk.moves
        again = await client.write_back(outcome(kit))
        assert again.done == ()
        assert set(again.found) == set(receipt.done)
        assert (len(desk.written), len(desk.moved)) == (len(desk.steps), desk.moves)
        public = next(text for step, text in desk.written if step == "comment")
        assert "It works again." in public
        assert marker(DEMAND, 3) in public
        assert "New cable." not in public


async def down(kit: Kit) -> None:
    """While the desk is down nothing is written, and afterwards all of it."""
    async with writing(kit) as (desk, client):
        desk.is_down()
        with pytest.raises(UNREACHABLE):
            await client.write_back(outcome(kit))
        assert desk.written == []
        desk.comes_back()
        await client.write_back(outcome(kit))
        assert [step for step, _ in desk.written] == desk.steps


async def slow(kit: Kit) -> None:
    """A desk that answers too late has done it: it is found, and not done twice."""
    await _interrupted(kit, lambda desk, part: desk.is_slow(part))


async def fails_after_doing(kit: Kit) -> None:
    """A desk that answers that it failed (500) has done it all the same: it is found, and not done twice."""
    await _interrupted(kit, lambda desk, part: desk.fails_after(part))


async def _interrupted(kit: Kit, fault: Callable[[FakeDesk | Post, int], None]) -> None:
    part, parts = 0, 1
    while part < parts:
        async with writing(kit) as (desk, client):
            fault(desk, part)
            with pytest.raises(UNREACHABLE):
                await client.write_back(outcome(kit))
            await client.write_back(outcome(kit))
            assert sorted(one for one, _ in desk.written) == sorted(desk.steps), f"interrupted in part {part}"
            assert len(desk.moved) == desk.moves
            part, parts = part + 1, desk.parts


async def declined(kit: Kit) -> None:
    """What the desk will never take is said so, and not repeated for ever."""
    async with writing(kit) as (desk, client):
        with pytest.raises(Declined, match=desk.declines()):
            await client.write_back(outcome(kit))


async def overtaken(kit: Kit) -> None:
    """A ticket that has changed since the outcome was decided is not moved."""
    async with writing(kit) as (desk, client):
        if not kit.plugged().capabilities.conditional:
            raise NotApplicable("no conditional change")
        with pytest.raises(Overtaken):
            await client.write_back(outcome(kit).model_copy(update={"version": '"0"'}))
        assert desk.moved == []
        await client.write_back(outcome(kit))
        assert len(desk.moved) == 1


UNDERSTANDING: tuple[Case, ...] = (
    duplicate, reordered, altered, unproved, replayed, stale, back_filled,
    echo, reopened, untyped, internal, huge, wrong_charset, hostile,
)  # fmt: skip
WRITING = (written, down, slow, fails_after_doing, declined, overtaken)
