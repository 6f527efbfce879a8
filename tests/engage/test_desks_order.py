"""What a desk tells late, of its own accord or because of us, is decided by how the ticket and its demand stand."""

from typing import Any

import pytest

from contracts.engage import DemandStatus, DemandStatusReported
from services.chassis.outputs import Ask, Begin
from services.engage import notices
from services.engage.model import FINAL, Demand, Notice, RequesterNotified, TicketFollowed
from services.engage.notices import Desk, RequesterNotice, note_notice, tell
from services.engage.service_desk import take_ticket
from services.engage.triage import REOPENED
from tests.engage.house import all_of
from tests.engage.test_handlers import LATER, NONE_KNOWN, STREAMS, begun, delivered, demand, only, ticket

CREATED, OURS, REPLY, OPENED, CLOSED = (f"2026-11-24T08:30:{second:02}.000000Z/{second}" for second in (1, 5, 7, 8, 9))
RESOLVED = {"kind": "status_changed", "text": "", "status": "resolved", "order": OURS}
"""Our own answer, as it comes back."""


def take(row: Demand, **fields: Any) -> list[Any]:
    return [*take_ticket(ticket(**fields), row, NONE_KNOWN, STREAMS)]


def answered(status: DemandStatus = "delivered", **fields: Any) -> Demand:
    """A demand whose ticket we have resolved."""
    row = delivered(status=status, **fields)
    take(row, **RESOLVED)
    return row


# Order


def test_an_older_status_that_arrives_late_does_not_undo_a_newer_one() -> None:
    row = demand("in_progress")
    take(row, kind="status_changed", text="", status="stalled", order=CLOSED)
    take(row, kind="status_changed", text="", status="open", order=OPENED)
    assert (row.ticket_status, row.ticket_order) == ("stalled", CLOSED)


def test_a_status_that_arrives_before_its_ticket_is_the_ones_that_counts() -> None:
    row = Demand(id=demand().id)
    assert take(row, kind="status_changed", text="", status="stalled", order=CLOSED) == []
    assert take(row, order=CREATED)[0] == begun()
    assert (row.status, row.ticket_status) == ("captured", "stalled")


def test_of_a_desk_that_tells_no_order_the_last_that_arrives_counts() -> None:
    row = demand("in_progress", ticket_status="stalled", ticket_order=CLOSED)
    take(row, kind="status_changed", text="", status="open")
    assert (row.ticket_status, row.ticket_order) == ("open", CLOSED)


def test_a_late_opening_from_before_we_resolved_the_ticket_reopens_nothing() -> None:
    row = delivered()
    take(row, **RESOLVED | {"order": CLOSED})
    assert take(row, kind="replied", text=REOPENED, status="open", order=OPENED, by_requester=False) == []
    assert (row.status, row.ticket_status) == ("delivered", "resolved")


def test_what_the_requester_wrote_before_the_ticket_was_done_is_kept_and_reopens_nothing() -> None:
    row = delivered()
    take(row, **RESOLVED | {"order": CLOSED})
    assert take(row, kind="replied", text="And the sound?", status="open", order=REPLY, by_requester=True) == []
    assert (row.status, row.replies, row.last_reply) == ("delivered", 1, "And the sound?")


def test_a_reply_that_arrives_after_the_opening_it_has_caused_reopens_once_and_lends_it_its_words() -> None:
    row = answered()
    opened = take(row, kind="replied", text=REOPENED, status="open", order=OPENED, by_requester=False)
    assert only(Begin, opened) == begun()
    assert take(row, kind="replied", text="Black again.", status="open", order=REPLY, by_requester=True) == []
    assert (row.status, row.reopened, row.last_reply) == ("in_progress", 1, "Black again.")


def test_a_wordless_opening_after_the_reply_does_not_take_its_words_away() -> None:
    row = answered()
    take(row, kind="replied", text="Black again.", status="resolved", order=REPLY, by_requester=True)
    take(row, kind="replied", text=REOPENED, status="open", order=OPENED, by_requester=False)
    assert (row.status, row.reopened, row.replies, row.last_reply) == ("in_progress", 1, 1, "Black again.")


def test_an_answer_of_the_desks_people_to_what_we_have_never_heard_of_is_no_demand() -> None:
    row = Demand(id=demand().id)
    assert take(row, kind="replied", text="Fixed.", status="closed", order=CLOSED, by_requester=False) == []
    assert row.status is None
    assert take(row, kind="replied", text="Still black.", status="closed", order=CLOSED, by_requester=True)


# Our own doing, and that of the desk's people


def test_the_requester_reopens_what_was_delivered_also_where_the_desk_leaves_the_ticket_resolved() -> None:
    row = answered()
    take(row, kind="replied", text="Black again.", status="resolved", order=REPLY, by_requester=True)
    assert (row.status, row.reopened) == ("in_progress", 1)


@pytest.mark.parametrize("by", [False, None])
def test_an_answer_of_the_desks_people_as_they_close_the_ticket_reopens_nothing(by: bool | None) -> None:
    row = answered()
    assert take(row, kind="replied", text="Closing.", status="closed", order=CLOSED, by_requester=by) == []
    assert row.status == "delivered"


@pytest.mark.parametrize("status", ["delivered", "value_realised"])
@pytest.mark.parametrize(("text", "by"), [(REOPENED, None), ("I have told them so.", False)])
def test_while_we_write_on_a_ticket_what_others_do_to_it_is_because_of_that(
    status: DemandStatus, text: str, by: bool | None
) -> None:
    row = answered(status, untold=(Notice(number=4, status=status, text="Thank you."),))
    assert take(row, kind="replied", text=text, status="open", order=OPENED, by_requester=by) == []
    assert (row.status, row.followed_by) == (status, None)


def test_while_we_write_on_a_ticket_its_requester_is_heard_all_the_same() -> None:
    row = answered(untold=(Notice(number=4, status="delivered", text="Thank you."),))
    take(row, kind="replied", text="Black again.", status="open", order=REPLY, by_requester=True)
    assert row.status == "in_progress"


def test_a_ticket_that_is_found_open_after_we_had_resolved_it_was_reopened() -> None:
    row = answered()
    assert take(row, kind="created", status="resolved", order=REPLY) == []
    take(row, kind="created", status="open", order=CLOSED)
    assert (row.status, row.reopened) == ("in_progress", 1)


def test_what_engage_said_before_its_last_word_is_no_reply_and_neither_is_a_quotation_of_it() -> None:
    row = demand("in_progress")
    for text in ("We look at it.", "It works."):
        tell(row, text)
    row.status = "delivered"
    assert take(row, kind="replied", text="From the value chain:\nWe look at it.\n") == []
    assert (row.status, row.replies) == ("delivered", 0)
    take(row, kind="replied", text="No, it is black.\n\n> It works.")
    assert (row.status, row.replies) == ("in_progress", 1)


@pytest.mark.parametrize("status", sorted(str(status) for status in FINAL))
def test_after_the_end_the_requesters_word_is_a_new_demand_and_a_found_ticket_is_none(status: DemandStatus) -> None:
    row = answered(status)
    assert take(row, kind="created", status="open", order=OPENED) == []
    said = take(row, kind="replied", text="Black again.", status="resolved", order=CLOSED, by_requester=True)
    assert only(TicketFollowed, said).follows == row.id
    assert row.status == status


# Tickets that are withdrawn in the desk


@pytest.mark.parametrize("status", ["deleted", "Cancelled", "withdrawn"])
def test_an_open_demand_whose_ticket_is_withdrawn_in_the_desk_is_withdrawn_and_says_so(status: str) -> None:
    row = demand("in_progress")
    told = only(DemandStatusReported, take(row, kind="status_changed", text="", status=status, order=CLOSED))
    assert (row.status, told.status) == ("withdrawn", "withdrawn")
    assert f"its ticket was {status.lower()} in the desk" in row.reason
    assert row.reason in told.text


@pytest.mark.parametrize("status", ["delivered", *sorted(str(status) for status in FINAL)])
def test_what_is_delivered_or_over_stays_so_when_its_ticket_is_deleted(status: DemandStatus) -> None:
    row = demand(status)
    assert take(row, kind="status_changed", text="", status="deleted", order=CLOSED) == []
    assert row.status == status


def test_a_ticket_that_is_deleted_before_its_making_is_heard_is_no_demand() -> None:
    row = Demand(id=demand().id)
    take(row, kind="status_changed", text="", status="deleted", order=CLOSED)
    assert take(row, order=CREATED) == []
    assert row.status is None


# Writing back


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> None:
    api = {"base": "https://desk.example", "secret": "t"}
    plugged = Desk.model_validate({"connector": "zammad", "secrets": ["s"], "api": api})
    monkeypatch.setattr(notices, "DESKS", {"roundup": plugged})


def asked(outputs: list[Any]) -> RequesterNotice:
    effect = only(Ask, outputs).effect
    assert isinstance(effect, RequesterNotice)
    return effect


def heard(row: Demand, number: int, **fields: Any) -> list[Any]:
    return [*note_notice(RequesterNotified(demand=row.id, number=number, **fields).at(LATER), row)]


@pytest.mark.usefixtures("desk")
def test_a_ticket_is_told_one_thing_after_the_other() -> None:
    row = demand("in_progress")
    assert asked([*tell(row, "One.")]).text == "One."
    assert all_of(Ask, [*tell(row, "Two."), *tell(row, "Three.")]) == []
    assert asked(heard(row, 1)).text == "Two."
    assert heard(row, 1) == []
    assert asked(heard(row, 2)).text == "Three."
    assert heard(row, 3) == []
    assert row.untold == ()


@pytest.mark.usefixtures("desk")
def test_a_desk_that_is_away_is_waited_for_and_one_that_refuses_is_not() -> None:
    row = demand("in_progress")
    tell(row, "One.")
    tell(row, "Two.")
    assert asked(heard(row, 1, failed="no answer", again=True)).text == "One."
    assert row.notice_failed == "no answer"
    assert asked(heard(row, 1, failed="403")).text == "Two."
    assert heard(row, 2) == []
    assert row.notice_failed == ""


@pytest.mark.usefixtures("desk")
def test_a_ticket_stands_as_we_have_moved_it_whether_the_desk_pushes_that_or_not() -> None:
    row = delivered()
    notice = asked([*tell(row, "It works.")])
    assert (notice.outcome().status, notice.outcome().kind) == ("resolved", "completed")
    assert row.ticket_status == ""
    heard(row, 1)
    assert row.ticket_status == "resolved"
    row.status = "in_progress"
    assert asked([*tell(row, "We look at it again.")]).outcome().status == "open"
    heard(row, 2)
    assert row.ticket_status == "open"


@pytest.mark.usefixtures("desk")
def test_a_ticket_that_is_deleted_is_not_written_on() -> None:
    row = demand("in_progress")
    outputs = take(row, kind="status_changed", text="", status="deleted", order=CLOSED)
    assert all_of(Ask, outputs) == []
    assert only(DemandStatusReported, outputs).status == "withdrawn"


@pytest.mark.usefixtures("desk")
def test_the_people_at_the_desk_are_told_what_they_have_to_do_and_the_requester_is_not() -> None:
    row = Demand(id=demand().id)
    outcome = asked(take(row, ticket_type=None, title="Hello?", text="Anybody there?")).outcome()
    assert row.status == "unclassified"
    assert f"POST /demands/{row.id}/classification" in outcome.internal
    assert "classification" not in outcome.public
    escalated = demand("in_progress", escalated_to="Service desk manager", reason="support could not resolve it")
    assert asked([*tell(escalated, "Sorry.")]).internal.startswith("The service desk manager has to decide, because s")
    assert asked([*tell(demand("in_progress"), "We look at it.")]).internal == ""
