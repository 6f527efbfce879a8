"""A real Request Tracker 5, both ways; `make test-rt` installs it, as root, from Debian's packages."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from services.engage.desks.client import Access, Client, Declined
from services.engage.desks.connector import Connector, connector
from services.engage.desks.events import DeskEvent, Outcome
from services.engage.desks.intake import demand_of
from services.engage.desks.signature import Refused
from svc.desks import rt
from svc.desks.rt import Desk
from svc.machine import Home, to_stderr
from svc.machine.ports import free
from tests.demo.calls import finish, nothing_left, svc
from tests.desks.receiver import Receiver

WANTED = "SVC_TEST_RT"
"""Set by `make test-rt`: it is installed if it is missing, and none of these tests is left out."""
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (os.environ.get(WANTED) or rt.installed()), reason="Request Tracker: see `make test-rt`"),
]
DEMAND = UUID("0b9c5c1e-6f0e-5a31-9d63-1f4a2b3c4d5e")


class Plugged(NamedTuple):
    """A Request Tracker that runs and pushes to a receiver."""

    desk: Desk
    receiver: Receiver
    connector: Connector

    def client(self, token: str = "") -> Client:
        return Client(self.connector, Access(**{**self.desk.known["api"], "secret": token or self.desk.token}))

    def pushed(self) -> list[DeskEvent]:
        """What it has pushed, in the order in which it came; it pushes before it answers."""
        return [event for push in self.receiver.pushes for event in self.connector.parse(push)]

    def submitted(self, title: str, type: str = "Incident") -> str:
        return self.desk.submit(title, "The games go black.", type).id

    async def replied(self, ticket: str, text: str) -> None:
        """Answer on a ticket as its customer."""
        fields = {"id": ticket, "UpdateType": "response", "UpdateContent": text, "UpdateContentType": "text/plain",
                  "SubmitTicket": "Update Ticket"}  # fmt: skip
        with self.desk.browser() as browser:
            answer = browser.post(f"{self.desk.url}/SelfService/Update.html", data=fields)
            assert answer.status_code in (200, 302)


@pytest.fixture(scope="module")
async def plugged(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plugged]:
    home = Home(tmp_path_factory.mktemp("rt"), downloads=Home().downloads)
    home.prepare()
    desk, receiver = await rt.placed(home, free(1)[0], to_stderr), Receiver()
    try:
        async with desk.running(home, desk.hook(receiver.url), to_stderr):
            yield Plugged(desk, receiver, connector("rt", [desk.secret]))
    finally:
        receiver.close()


def outcome(ticket: str, number: int, **fields: object) -> Outcome:
    told = {"kind": "completed", "public": "It works again.", "status": "resolved"} | fields
    return Outcome.model_validate({"demand": DEMAND, "number": number, "external_id": ticket, **told})


async def test_a_ticket_by_the_form_for_customers_is_pushed_signed_understood_and_fetched(plugged: Plugged) -> None:
    ticket = plugged.submitted("Black screen")
    (event,) = (one for one in plugged.pushed() if one.external_id == ticket)
    assert (event.kind, event.is_demand, event.itil_type, event.decided_by) == ("created", True, "incident", "field")
    assert (event.signature, event.requester, event.status) == ("valid", "emily@fleet.example", "new")
    assert (event.title, event.text) == ("Black screen", "The games go black.")
    async with plugged.client() as api:
        fetched = (await api.fetch(ticket)).event
    same = ("external_id", "itil_type", "status", "title")
    assert {name: getattr(fetched, name) for name in same} == {name: getattr(event, name) for name in same}


async def test_a_push_that_was_altered_on_its_way_is_refused(plugged: Plugged) -> None:
    plugged.submitted("Altered")
    push = plugged.receiver.pushes[-1]
    with pytest.raises(Refused, match="no signature matches"):
        plugged.connector.parse(push._replace(body=push.body.replace(b"black", b"white")))


async def test_its_requester_reads_our_answer_and_that_it_is_resolved_and_no_more(plugged: Plugged) -> None:
    made = plugged.desk.submit("Answer me", "The games go black.", "Incident")
    async with plugged.client() as api:
        await api.write_back(outcome(made.id, 1, kind="progress", public="We look at it.", status=None))
        receipt = await api.write_back(outcome(made.id, 2, internal="The cable was loose."))
        assert receipt.done == ("comment", "note", "status")
        assert (await api.fetch(made.id)).event.status == "resolved"
    page = plugged.desk.read(made)
    assert "We look at it." in page
    assert "It works again." in page
    assert "The cable was loose." not in page
    ours = [event for event in plugged.pushed() if event.external_id == made.id and event.is_echo]
    assert {event.kind for event in ours} >= {"reply", "note"}, "our own words are known when they come back"


async def test_an_outcome_is_written_once_however_often_it_is_sent(plugged: Plugged) -> None:
    ticket = plugged.submitted("Once")
    async with plugged.client() as api:
        await api.write_back(outcome(ticket, 1, internal="Note."))
        receipt = await api.write_back(outcome(ticket, 1, internal="Note."))
        texts = [text for text in await api.texts(ticket) if "[svc:" in text]
    assert (receipt.done, set(receipt.found)) == ((), {"comment", "note", "status"})
    assert len(texts) == 2


async def test_what_the_customer_answers_after_the_end_concerns_the_same_ticket(plugged: Plugged) -> None:
    ticket = plugged.submitted("Again")
    async with plugged.client() as api:
        await api.write_back(outcome(ticket, 1))
    await plugged.replied(ticket, "It is back.")
    replies = [one for one in plugged.pushed() if one.external_id == ticket and not one.is_echo and one.kind == "reply"]
    assert [(one.text, one.is_demand) for one in replies] == [("It is back.", True)]
    async with plugged.client() as api:
        assert (await api.fetch(ticket)).event.status == "open", "Request Tracker opens it by itself"


async def test_a_ticket_whose_push_was_lost_is_found_by_asking(plugged: Plugged) -> None:
    before = plugged.submitted("Heard")
    lost = plugged.submitted("Lost")
    async with plugged.client() as api:
        found, cursor = await api.poll(before)
    assert lost in [event.external_id for event in found]
    assert cursor == lost


async def test_a_wrong_token_says_what_to_do(plugged: Plugged) -> None:
    async with plugged.client("1-1-wrong") as api:
        with pytest.raises(Declined, match="check the account and its token"):
            await api.fetch("1")


async def test_the_demonstration_sees_a_ticket_of_it_through(tmp_path: Path) -> None:
    (tmp_path / "downloads").symlink_to(Home().downloads)
    async with svc(tmp_path, "desk", "demo", "rt", "--once", "--json") as demo:
        code, output = await finish(demo, 500)
        assert code == 0, demo.said
        await nothing_left(demo)
    shown = json.loads(output.splitlines()[-1])
    assert (shown["desk"], shown["demand"]) == ("rt", str(demand_of("rt", shown["ticket"])))
    assert (shown["status"], shown["status_in_desk"]) == ("value_realised", "resolved")
    assert shown["reply_seen"]
    assert shown["push_to_write_back"]
