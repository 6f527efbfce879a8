"""A mailbox on real servers (pymap, aiosmtpd): what is read of it, and answers that go out once."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.engage.backfill import came_back
from services.engage.desks import mail_servers, mailbox
from services.engage.desks.client import UNREACHABLE, Declined
from services.engage.desks.connector import connector
from services.engage.desks.events import DeskEvent, Outcome, Received, Unreadable
from services.engage.desks.intake import confirmed, ticket_pushed
from services.engage.desks.mailbox import Mailbox
from services.engage.desks.text import marker
from services.engage.notices import Desk
from svc.certificates import certify
from tests.desks.mail_server import EMILY, SUPPORT, MailServer, cut, running

DEMAND = UUID("0b9c5c1e-6f0e-5a31-9d63-1f4a2b3c4d5e")
PLUGGED = connector("email")
ROOT = "a1@fleet.example"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with running(tmp_path) as found:
        yield found


def mail(id: str = ROOT, text: str = "Das Display ist schwarz.", **headers: str) -> bytes:
    message = EmailMessage()
    said = {"From": f"Emily Müller <{EMILY}>", "To": SUPPORT, "Subject": "Größe des Displays", "Message-ID": f"<{id}>",
            "Date": format_datetime(datetime.now(UTC))}  # fmt: skip
    for name, value in (said | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def box(server: MailServer, **fields: str) -> Mailbox:
    return Mailbox(PLUGGED, server.access(**fields))


def outcome(
    number: int = 1, ticket: str = ROOT, public: str = "Es läuft wieder: grüße!", internal: str = ""
) -> Outcome:
    return Outcome(
        demand=DEMAND, number=number, external_id=ticket, kind="completed", public=public, internal=internal,
        status="resolved",
    )  # fmt: skip


async def read(server: MailServer, cursor: str = "") -> tuple[list[DeskEvent], str]:
    async with box(server) as api:
        return await api.poll(cursor)


async def test_mails_are_read_once_and_stay_unread(server: MailServer) -> None:
    server.put(mail())
    server.put(mail("a2@fleet.example", "Immer noch.", References=f"<{ROOT}>"))
    found, cursor = await read(server)
    assert sorted((event.kind, event.external_id, event.text) for event in found) == [
        ("created", ROOT, "Das Display ist schwarz."), ("reply", ROOT, "Immer noch."),
    ]  # fmt: skip
    assert await read(server, cursor) == ([], cursor)
    server.put(mail("b1@fleet.example"))
    again, later = await read(server, cursor)
    assert [event.external_id for event in again] == ["b1@fleet.example"]
    assert later != cursor
    assert not any("S" in message.get_flags() for message in server.box(SUPPORT)), "nothing is marked as read"


async def test_the_first_round_takes_what_came_within_a_day_and_leaves_what_is_older_to_others(
    server: MailServer,
) -> None:
    server.put(mail("old@fleet.example"))
    (file,) = (server.folder / SUPPORT / "new").iterdir()
    os.utime(file, (time.time() - 5 * 365 * 86_400,) * 2)
    server.put(mail())
    found, cursor = await read(server)
    assert [event.external_id for event in found] == [ROOT]
    # Another numbering: all is read again under the same names, and the old one is still none of ours.
    assert int(cursor.split(":")[0]) > 0
    found, _ = await read(server, f"1:{cursor.partition(':')[2]}")
    assert [event.external_id for event in found] == [ROOT]


async def test_pages_follow_each_other(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "PAGE", 2)
    for number in range(5):
        server.put(mail(f"{number}@fleet.example"))
    async with box(server) as api:
        first = await api.page("")
        second = await api.page("", first.next, first.newest)
        third = await api.page("", second.next, second.newest)
    assert [len(page.events) for page in (first, second, third)] == [2, 2, 1]
    assert (second.next, third.next) == (3, None)


async def test_what_cannot_be_read_is_passed_over_and_told(server: MailServer) -> None:
    server.put(b"no mail at all\n")
    server.put(mail())
    async with box(server) as api:
        page = await api.page("")
    assert [event.external_id for event in page.events] == [ROOT]
    assert len(page.unread) == 1
    assert "neither From nor Message-ID" in page.unread[0]


def test_a_mail_that_is_nested_deeper_than_any_other_cannot_be_read(tmp_path: Path) -> None:
    deep = "".join(f"--{n}\nContent-Type: multipart/mixed; boundary={n + 1}\n\n" for n in range(1, 3000))
    api = Mailbox(PLUGGED, MailServer(tmp_path).access())
    with pytest.raises(Unreadable, match="RecursionError"):
        api._event(f"From: a@b.example\nContent-Type: multipart/mixed; boundary=1\n\n{deep}".encode())


async def test_of_a_huge_mail_the_beginning_is_read(server: MailServer) -> None:
    message = EmailMessage()
    message["From"], message["Message-ID"], message["Subject"] = EMILY, f"<{ROOT}>", "Log"
    message.set_content("See the log.")
    message.add_attachment(b"x" * 3_000_000, maintype="application", subtype="octet-stream", filename="log.bin")
    server.put(message.as_bytes())
    (event,), _ = await read(server)
    assert (event.text, event.attachments) == ("See the log.", ("log.bin",))


async def test_an_answer_is_a_mail_in_the_thread_and_its_copy_is_nothing_new(server: MailServer) -> None:
    server.put(mail())
    _, cursor = await read(server)
    async with box(server) as api:
        receipt = await api.write_back(outcome(internal="The cable was loose."))
        again = await api.write_back(outcome())
    assert (receipt.done, again.done, again.found, server.sent) == (("comment",), (), ("comment",), 1)
    (answer,) = server.mails(EMILY)
    assert answer["Subject"] == f"Re: Größe des Displays [svc:{ROOT}]"
    assert (answer["In-Reply-To"], answer["References"]) == (f"<{ROOT}>", f"<{ROOT}>")
    assert (answer["From"], answer["To"], answer["Auto-Submitted"]) == (SUPPORT, EMILY, "auto-generated")
    text = answer.get_content()
    assert "Es läuft wieder: grüße!" in text
    assert marker(DEMAND, 1) in text
    assert "cable" not in answer.as_string(), "what is internal is mailed to nobody"
    (copy,), _ = await read(server, cursor)
    assert (copy.kind, copy.is_echo, copy.is_demand, copy.external_id) == ("auto_reply", True, False, ROOT)
    assert ticket_pushed("mail", copy, datetime.now(UTC)) is None


@pytest.mark.parametrize(
    "quotation",
    [
        "\n\nOn Tue, 24 Nov 2026 at 09:00 Support wrote:\n> {}\n",
        "\n\nVon: Support <support@desk.example>\nGesendet: Dienstag, 24. November 2026 09:00\nAn: Emily\n\n{}\n",
        "\n\nNapisał Support dnia 24.11.2026\n{}\n",
    ],
)
async def test_whoever_answers_is_heard_whatever_their_program_quotes(server: MailServer, quotation: str) -> None:
    server.put(mail())
    async with box(server) as api:
        await api.write_back(outcome())
    (answer,) = server.mails(EMILY)
    text = f"Nein, es ist wieder schwarz.{quotation.format(answer.get_content())}"
    event = PLUGGED.parse(
        Received(
            headers={}, received_at=datetime.now(UTC),
            body=mail("a2@fleet.example", text, Subject=f"AW: {answer['Subject']}", In_Reply_To=answer["Message-ID"]),
        )
    )[0]  # fmt: skip
    assert (event.kind, event.external_id, event.is_echo) == ("reply", ROOT, False)
    assert event.text.startswith("Nein, es ist wieder schwarz.")
    assert "läuft wieder" not in event.text
    pushed = ticket_pushed("mail", event, datetime.now(UTC))
    assert pushed is not None
    assert (pushed.kind, pushed.by_requester) == ("replied", True)


async def test_a_connection_that_is_cut_after_the_mail_was_taken_sends_no_second_one(server: MailServer) -> None:
    server.put(mail())
    server.after = [cut]
    with pytest.raises(UNREACHABLE):
        async with box(server) as api:
            await api.write_back(outcome())
    async with box(server) as api:
        receipt = await api.write_back(outcome())
    assert (receipt.done, receipt.found) == ((), ("comment",))
    assert len(server.mails(EMILY)) == 1


async def test_one_that_nobody_knows_of_is_waited_for_before_it_is_sent_again(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(mail())
    server.before = [cut]
    with pytest.raises(UNREACHABLE):
        async with box(server) as api:
            await api.write_back(outcome())
    with pytest.raises(ConnectionError, match="its copy is waited for"):
        async with box(server) as api:
            await api.write_back(outcome())
    monkeypatch.setattr(mailbox, "UNSURE_FOR", 0.0)
    async with box(server) as api:
        assert (await api.write_back(outcome())).done == ("comment",)
    assert len(server.mails(EMILY)) == 1


async def test_what_the_server_will_never_take_is_declined_and_what_it_does_not_take_now_is_repeated(
    server: MailServer,
) -> None:
    server.put(mail())
    for answer, error in (("550 5.1.1 nobody of that name", Declined), ("451 4.7.1 later", ConnectionError)):
        server.refused = {EMILY: answer}
        with pytest.raises(error, match=answer[:9]):
            async with box(server) as api:
                await api.write_back(outcome())
    server.refused = {SUPPORT: "550 5.1.1 nobody of that name"}
    with pytest.raises(ConnectionError, match=f"takes no mail for {SUPPORT}"):
        async with box(server) as api:
            await api.write_back(outcome())
    server.refused, server.before = {}, [lambda _: "552 too large"]
    with pytest.raises(Declined, match="552 too large"):
        async with box(server) as api:
            await api.write_back(outcome())
    async with box(server) as api:
        assert (await api.write_back(outcome())).done == ("comment",)
    assert (server.sent, len(server.mails(EMILY))) == (1, 1)


async def test_no_text_from_outside_adds_a_header_or_a_recipient(server: MailServer) -> None:
    evil = "=?utf-8?q?Hello=0D=0ABcc:_eve@evil.example=0D=0A=0D=0AText?="
    raw = f"From: {EMILY}\nTo: {SUPPORT}\nSubject: {evil}\nMessage-ID: <{ROOT}>\n\nHi\n".encode()
    server.put(raw)
    async with box(server) as api:
        await api.write_back(outcome(public="Done.\n.\nRCPT TO:<eve@evil.example>\r\nBcc: eve@evil.example"))
    (answer,) = server.mails(EMILY)
    assert answer["Bcc"] is None
    assert ".\nRCPT TO" in answer.get_content()
    assert not (server.folder / "eve@evil.example").exists()


@pytest.mark.parametrize(
    ("headers", "to"),
    [
        ({"Reply_To": "fleet@fleet.example"}, "fleet@fleet.example"),
        ({"From": "Müller <m@fleet.example>"}, "m@fleet.example"),
    ],
)
async def test_it_goes_to_whom_the_mail_wants_answered(server: MailServer, headers: dict[str, str], to: str) -> None:
    server.put(mail(**headers))
    async with box(server) as api:
        await api.write_back(outcome())
    assert len(server.mails(to)) == 1


async def test_who_writes_into_a_thread_that_began_elsewhere_is_answered(server: MailServer) -> None:
    server.put(mail("a2@fleet.example", References="<sent.by.us@desk.example>"))
    (event,), _ = await read(server)
    assert event.external_id == "sent.by.us@desk.example"
    async with box(server) as api:
        await api.write_back(outcome(ticket=event.external_id))
    (answer,) = server.mails(EMILY)
    assert answer["In-Reply-To"] == "<a2@fleet.example>"
    assert answer["References"] == "<sent.by.us@desk.example> <a2@fleet.example>"


async def test_a_mail_that_is_gone_cannot_be_answered(server: MailServer) -> None:
    async with box(server) as api:
        for ticket in (ROOT, "größe@x", 'a"b@x'):
            with pytest.raises(Declined):
                await api.write_back(outcome(ticket=ticket))


async def test_a_machine_that_answers_everything_is_left_alone(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MOST_ANSWERS", 3)
    server.put(mail())
    async with box(server) as api:
        for number in range(1, 4):
            await api.write_back(outcome(number))
        with pytest.raises(Declined, match="a machine seems to answer"):
            await api.write_back(outcome(4))
    assert len(server.mails(EMILY)) == 3


async def test_a_mail_of_ours_that_comes_back_opens_nothing_and_is_known_by_its_demand(server: MailServer) -> None:
    server.put(mail())
    async with box(server) as api:
        receipt = await api.write_back(outcome(3))
    _, cursor = await read(server)
    server.put(
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: {SUPPORT}\nSubject: Undelivered\nMessage-ID: <b@mx>\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=B\n\n--B\n\nNo such user.\n--B\n"
        "Content-Type: message/delivery-status\n\nAction: failed\n--B\nContent-Type: text/rfc822-headers\n\n"
        f"Message-ID: <{receipt.comment_id}>\n--B--\n".encode()
    )
    (event,), _ = await read(server, cursor)
    assert (event.kind, event.is_demand, ticket_pushed("mail", event, datetime.now(UTC))) == ("bounce", False, None)
    lost = came_back(event)
    assert lost is not None
    assert (lost.demand, lost.number, lost.failed) == (DEMAND, 3, "the mail to them has come back: Undelivered")


async def test_somebody_at_the_desk_who_answers_by_hand_changes_nothing(server: MailServer) -> None:
    server.put(mail())
    server.put(mail("s1@desk.example", "I have called her.", From=SUPPORT, In_Reply_To=f"<{ROOT}>"))
    note = next(event for event in (await read(server))[0] if event.comment_id == "s1@desk.example")
    assert (note.kind, ticket_pushed("mail", note, datetime.now(UTC))) == ("note", None)


async def test_a_mail_that_is_pushed_proves_nothing_and_counts_if_it_lies_in_the_mailbox(server: MailServer) -> None:
    def pushed(raw: bytes) -> DeskEvent:
        return PLUGGED.parse(Received(headers={}, body=raw, received_at=datetime.now(UTC)))[0]

    server.put(mail())
    async with box(server) as api:
        assert (await confirmed(pushed(mail()), api)) is not None
        assert (await confirmed(pushed(mail("invented@fleet.example")), api)) is None
        assert (await confirmed(pushed(mail("x@y", "An invented reply.", References=f"<{ROOT}>")), api)) is None


async def test_a_wrong_password_and_a_wrong_folder_say_so_and_can_be_mended(server: MailServer) -> None:
    with pytest.raises(PermissionError, match=f"does not let {SUPPORT} in"):
        async with box(server, secret="wrong"):
            pass
    with pytest.raises(PermissionError, match="does not open the folder 'Nowhere'"):
        async with box(server, base=f"imap://127.0.0.1:{server.imap_port}/Nowhere"):
            pass
    async with box(server) as api:
        api.servers = api.servers._replace(secret="wrong")
        with pytest.raises(PermissionError, match=f"does not let {SUPPORT} in"):
            await api.send(None)


async def test_no_password_goes_over_a_network_that_others_hear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_servers, "HERE", ())  # as if it were another machine
    certify(["127.0.0.1"], certificate := tmp_path / "server.pem", authority := tmp_path / "authority.pem")
    (open_folder := tmp_path / "open").mkdir()
    async with running(tmp_path, certificate) as server, running(open_folder) as bare:
        server.put(mail())
        with pytest.raises(ssl.SSLCertVerificationError):
            await read(server)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        async with box(server) as api:
            assert (await api.write_back(outcome())).done == ("comment",)
        for fields in ({}, {"outgoing": f"smtp://127.0.0.1:{bare.smtp_port}", "base": server.access().base}):
            with pytest.raises(PermissionError, match="offers no STARTTLS"):
                async with box(bare, **fields) as api:
                    await api.send(None)


async def test_a_server_that_says_nothing_is_left_when_time_is_up(server: MailServer) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server.put(mail())
    async with await asyncio.start_server(silent, "127.0.0.1") as listener:
        port = listener.sockets[0].getsockname()[1]
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1), box(server, outgoing=f"smtp://127.0.0.1:{port}") as api:
                await api.write_back(outcome())
        assert time.monotonic() - began < 3


async def test_a_server_that_takes_a_mail_too_slowly_holds_up_nothing_and_its_copy_is_found(server: MailServer) -> None:
    def late(_: object) -> str:
        time.sleep(4)
        return "250 OK"

    server.put(mail())
    server.after = [late]
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5), box(server) as api:
            await api.write_back(outcome())
    assert time.monotonic() - began < 3
    async with box(server) as api:
        assert (await api.write_back(outcome())).found == ("comment",)
    assert len(server.mails(EMILY)) == 1


@pytest.mark.parametrize(
    ("api", "said"),
    [
        ({"base": "https://mail.example"}, "is like imaps://mail.example/INBOX"),
        ({"base": "imaps://mail.example"}, "`outgoing`"),
        ({"base": "imaps://mail.example", "outgoing": "smtps://mail.example", "user": "emily"}, "give it as `sender`"),
        ({"base": 'imaps://mail.example/%22"', "outgoing": "smtps://mail.example", "user": SUPPORT}, "quotation marks"),
    ],
)
def test_settings_that_cannot_work_are_refused(api: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Desk.model_validate({"connector": "email", "secrets": ["s"], "api": api})


def test_a_mailbox_can_be_asked_and_answered() -> None:
    api = {"base": "imaps://mail.example", "outgoing": "smtps://mail.example", "user": SUPPORT, "secret": "s"}
    desk = Desk.model_validate({"connector": "email", "secrets": ["s"], "api": api})
    assert desk.answers
    assert isinstance(desk.client(), Mailbox)
    can = PLUGGED.capabilities
    assert (can.push, can.poll, can.fetch, can.public_comment, can.internal_note, can.status) == (
        False, True, True, True, False, False)  # fmt: skip
