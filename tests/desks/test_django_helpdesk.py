"""A real django-helpdesk, both ways: a ticket by its own form, our answers on it, and each trap that it has."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.engage.desks.client import Access, Client, Declined
from services.engage.desks.connector import connector
from services.engage.desks.events import DeskEvent, Outcome
from services.engage.desks.signature import Refused
from tests.desks.django_helpdesk import Desk, running

pytestmark = pytest.mark.timeout(600)
PLUGGED = connector("django-helpdesk", ["t0ken"])
DEMAND = UUID("0b9c5c1e-6f0e-5a31-9d63-1f4a2b3c4d5e")


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with running(tmp_path_factory.mktemp("django-helpdesk")) as found:
        yield found


def client(desk: Desk, password: str = "engage-bot-test") -> Client:
    return Client(PLUGGED, Access(base=desk.url, user="engage-bot", secret=password))


def pushed(desk: Desk) -> DeskEvent:
    """What the desk pushed last: it pushes before it answers."""
    (event,) = PLUGGED.parse(desk.receiver.pushes[-1])
    return event


def submitted(desk: Desk, title: str, type: str = "Incident") -> str:
    assert desk.submit(title, "The games go black.", type).status_code == 302
    return pushed(desk).external_id or ""


def outcome(ticket: str, number: int, **fields: object) -> Outcome:
    told = {"kind": "completed", "public": "It works again.", "status": "resolved"} | fields
    return Outcome.model_validate({"demand": DEMAND, "number": number, "external_id": ticket, **told})


async def test_a_ticket_by_its_form_is_pushed_understood_and_fetched(desk: Desk) -> None:
    ticket = submitted(desk, "Black screen")
    event = pushed(desk)
    assert (event.kind, event.is_demand, event.itil_type, event.decided_by) == ("created", True, "incident", "field")
    assert (event.requester, event.priority, event.status, event.queue) == ("emily@example.com", 2, "open", "support")
    assert (event.title, event.text, event.signature) == ("Black screen", "The games go black.", "unsigned")
    async with client(desk) as api:
        fetched = (await api.fetch(ticket)).event
    same = ("external_id", "itil_type", "requester", "priority", "status", "title", "text", "dedupe_key", "order_key")
    assert {name: getattr(fetched, name) for name in same} == {name: getattr(event, name) for name in same}
    assert fetched.signature == "valid"


async def test_a_ticket_without_a_type_is_a_demand_that_somebody_looks_at(desk: Desk) -> None:
    submitted(desk, "Hello", type="")
    event = pushed(desk)
    assert (event.is_demand, event.itil_type, event.decided_by) == (True, "unclassified", "default")


def test_a_push_with_another_token_is_refused(desk: Desk) -> None:
    submitted(desk, "Token")
    push = desk.receiver.pushes[-1]
    with pytest.raises(Refused):
        PLUGGED.parse(push._replace(query={"token": "another"}))


async def test_its_requester_reads_our_answer_and_that_it_is_resolved_and_no_more(desk: Desk) -> None:
    sent_to = desk.submit("Answer me", "The games go black.")
    ticket = pushed(desk).external_id or ""
    async with client(desk) as api:
        await api.write_back(outcome(ticket, 1, kind="progress", public="We look at it.", status=None))
        assert pushed(desk).is_echo
        receipt = await api.write_back(outcome(ticket, 2, internal="The cable was loose."))
        assert receipt.done == ("note", "comment")
        fetched = await api.fetch(ticket)
    page = desk.page(sent_to)
    assert "We look at it." in page
    assert "It works again." in page
    assert "The cable was loose." not in page
    # A `title` would have renamed it; a note after the resolution would have become the resolution.
    assert (fetched.event.title, fetched.event.status) == ("Answer me", "resolved")
    last = pushed(desk)
    assert (last.kind, last.is_echo, last.is_demand, last.status) == ("reply+status", True, False, "resolved")


async def test_an_outcome_is_written_once_however_often_it_is_sent(desk: Desk) -> None:
    ticket = submitted(desk, "Once")
    async with client(desk) as api:
        await api.write_back(outcome(ticket, 1, internal="Note."))
        pushes = len(desk.receiver.pushes)
        receipt = await api.write_back(outcome(ticket, 1, internal="Note."))
        texts = await api.texts(ticket)
    assert (receipt.done, receipt.found) == ((), ("note", "comment"))
    assert len(desk.receiver.pushes) == pushes
    assert [text for text in texts if "Note." in text or "works again" in text] == texts[-2:]


async def test_what_is_reopened_at_the_desk_concerns_the_same_ticket(desk: Desk) -> None:
    ticket = submitted(desk, "Again")
    async with client(desk) as api:
        await api.write_back(outcome(ticket, 1))
    desk.follow_up(ticket, "It is back.", new_status=2)
    event = pushed(desk)
    assert (event.kind, event.external_id, event.is_demand, event.is_echo) == ("reopened", ticket, True, False)
    assert (event.text, event.status) == ("It is back.", "open")


async def test_what_somebody_at_the_desk_notes_leaves_nothing(desk: Desk) -> None:
    ticket = submitted(desk, "Secret")
    desk.follow_up(ticket, "psst", public=False)
    event = pushed(desk)
    assert (event.kind, event.text, event.is_demand) == ("note", "", False)


async def test_a_ticket_whose_push_was_lost_is_found_by_asking(desk: Desk) -> None:
    lost = submitted(desk, "Lost")
    push = desk.receiver.pushes.pop()
    async with client(desk) as api:
        found, cursor = await api.poll("")
        again, _ = await api.poll(cursor)
    created = [event for event in found if event.external_id == lost and event.kind == "created"]
    assert [event.dedupe_key for event in created] == [PLUGGED.parse(push)[0].dedupe_key]
    keys = [event.dedupe_key for event in found]
    assert len(set(keys)) == len(keys)
    assert {event.dedupe_key for event in again} == set(keys)


async def test_a_wrong_password_says_what_to_do(desk: Desk) -> None:
    async with client(desk, "wrong") as api:
        with pytest.raises(Declined, match="check the account and its token"):
            await api.fetch("1")
