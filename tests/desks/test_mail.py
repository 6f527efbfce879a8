"""Mails as they travel: threads, charsets, machines that answer, mails that come back."""

import json
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engage.desks.connector import connector
from services.engage.desks.events import DeskEvent, Received, Unreadable

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OURS = "[svc:00000000-0000-4000-8000-000000000001:2]"


def read(raw: bytes, headers: dict[str, str] | None = None) -> DeskEvent:
    (event,) = connector("email").parse(Received(headers=headers or {}, body=raw, received_at=NOW))
    return event


def mail(text: str = "The screen is black.", **headers: str) -> EmailMessage:
    message = EmailMessage()
    said = {"From": "Emily Carter <Emily@Fleet.example>", "To": "support@desk.example", "Subject": "Black screen",
            "Message-ID": "<a1@fleet.example>", "Date": "Tue, 24 Nov 2026 04:00:00 +0100"}  # fmt: skip
    for name, value in (said | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


def test_a_mail_opens_a_ticket() -> None:
    event = read(mail().as_bytes())
    assert (event.kind, event.is_demand, event.external_id, event.dedupe_key) == (
        "created", True, "a1@fleet.example", "a1@fleet.example")  # fmt: skip
    assert (event.requester, event.requester_name, event.channel) == ("emily@fleet.example", "Emily Carter", "email")
    assert event.occurred_at == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert (event.itil_type, event.decided_by, event.signature) == ("unclassified", "default", "unsigned")
    assert (event.title, event.text) == ("Black screen", "The screen is black.")


@pytest.mark.parametrize(
    "headers",
    [
        {"References": "<a1@fleet.example> <svc.b@desk.example>", "In_Reply_To": "<svc.b@desk.example>"},
        {"In_Reply_To": "<a1@fleet.example>"},
        {"Subject": "AW: Re: Black screen [svc:a1@fleet.example]"},
    ],
)
def test_an_answer_belongs_to_its_ticket_and_says_only_what_is_new(headers: dict[str, str]) -> None:
    text = "It is back.\n\nOn Tue, 24 Nov 2026 at 09:00 Support wrote:\n> It works.\n> " + OURS
    event = read(mail(text, **({"Message_ID": "<a2@fleet.example>"} | headers)).as_bytes())
    assert (event.kind, event.external_id, event.dedupe_key) == ("reply", "a1@fleet.example", "a2@fleet.example")
    assert (event.text, event.title, event.is_echo, event.is_demand) == ("It is back.", "Black screen", False, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner-email=x@y"},
        {"Precedence": "bulk"},
        {"List_Id": "<news.example>"},
        {"X_RT_Loop_Prevention": "rt.example.com"},
        {"Return_Path": "<>"},
        {"Subject": "Out of office: Re: Black screen"},
        {"Subject": "Automatische Antwort: Black screen"},
        {"From": "no-reply@shop.example"},
        {"X_Autoreply": "yes"},
    ],
    ids=str,
)
def test_what_a_machine_writes_opens_nothing(headers: dict[str, str]) -> None:
    event = read(mail(**headers).as_bytes())
    assert (event.kind, event.is_demand) == ("auto_reply", False)


def test_a_person_whose_mail_says_that_no_machine_wrote_it_is_heard() -> None:
    assert read(mail(Auto_Submitted="no").as_bytes()).kind == "created"
    assert read(mail(Return_Path="<emily@fleet.example>").as_bytes()).kind == "created"


def test_the_envelope_knows_that_nobody_is_to_be_answered() -> None:
    assert read(mail().as_bytes(), {"Return-Path": "<>"}).kind == "auto_reply"


def test_our_own_mail_is_an_echo() -> None:
    assert read(mail(f"Done. {OURS}").as_bytes()).is_echo
    assert read(mail(From="engage-bot@example.com").as_bytes()).is_echo


def report(action: str) -> bytes:
    return f"""From: MAILER-DAEMON@mx.example
To: support@desk.example
Subject: Undelivered
Message-ID: <b1@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=B

--B

I could not deliver it.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Action: {action}
Status: 5.1.1
--B
Content-Type: text/rfc822-headers

Message-ID: <svc.1@desk.example>
Subject: It works
--B--
""".encode()


def test_a_mail_that_comes_back_names_the_one_that_was_sent() -> None:
    event = read(report("failed"))
    assert (event.kind, event.is_demand, event.external_id) == ("bounce", False, "svc.1@desk.example")
    assert read(report("delayed")).kind == "auto_reply"
    assert read(mail(From="MAILER-DAEMON@mx.example").as_bytes()).kind == "bounce"


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        ("iso-8859-1", "Größe"),
        ("windows-1252", "Größe"),
        ("utf-8", "Größe 🚗"),
        ("koi8-r", "Привет"),
        ("shift_jis", "画面"),
    ],
)
def test_every_charset_that_is_said_is_read(charset: str, raw: str) -> None:
    message = b"From: a@b.example\nMessage-ID: <1@b>\nContent-Type: text/plain; charset=" + charset.encode()
    assert read(message + b"\nContent-Transfer-Encoding: 8bit\n\n" + raw.encode(charset)).text == raw


@pytest.mark.parametrize("charset", ["us-ascii", "utf-8", "x-unknown", "utf-7000"])
def test_a_charset_that_is_wrong_loses_no_mail(charset: str) -> None:
    head = (
        b"From: a@b.example\nSubject: =?iso-8859-1?Q?Gr=F6=DFe?=\nMessage-ID: <1@b>\nContent-Type: text/plain; charset="
    )
    event = read(head + charset.encode() + b"\nContent-Transfer-Encoding: 8bit\n\n" + "Größe".encode("latin-1"))
    assert (event.title, event.text) == ("Größe", "Größe")


def test_a_subject_that_says_no_charset_is_read_as_utf_8_or_as_well_as_can_be() -> None:
    for charset in ("utf-8", "cp1252"):
        raw = b"From: a@b.example\nMessage-ID: <1@b>\nSubject: " + "Größe".encode(charset) + b"\n\ntext"
        assert read(raw).title == "Größe"


def test_of_several_parts_the_plain_one_counts_and_files_are_only_named() -> None:
    message = mail("plain words")
    message.add_alternative("<p>rich <b>words</b></p>", subtype="html")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="größe.png")
    event = read(message.as_bytes())
    assert (event.text, event.attachments) == ("plain words", ("größe.png",))


def test_html_alone_is_read_as_a_person_sees_it() -> None:
    message = mail()
    message.set_content("<style>p{}</style><p>rich&nbsp;<b>words</b></p><p>more</p>", subtype="html")
    assert read(message.as_bytes()).text == "rich words\n\nmore"


@pytest.mark.parametrize(
    ("to", "kind"), [("feedback@desk.example", "feedback"), ("complaints@desk.example", "complaint")]
)
def test_the_address_is_the_queue(to: str, kind: str) -> None:
    event = read(mail(To=to).as_bytes())
    assert (event.itil_type, event.decided_by) == (kind, "queue")


@pytest.mark.parametrize(
    ("headers", "priority"),
    [({"X_Priority": "1 (Highest)"}, 1), ({"Importance": "High"}, 2), ({"Priority": "non-urgent"}, 4)],
)
def test_a_mail_says_how_urgent_it_is(headers: dict[str, str], priority: int) -> None:
    assert read(mail(**headers).as_bytes()).priority == priority


def test_a_mail_without_an_id_is_named_after_its_bytes() -> None:
    raw = mail(Message_ID="").as_bytes()
    assert read(raw).dedupe_key == read(raw).dedupe_key != read(raw + b"!").dedupe_key


def test_what_is_no_mail_is_refused() -> None:
    with pytest.raises(Unreadable, match="neither From nor Message-ID"):
        read(json.dumps({"ticket": 1}).encode())


@given(st.binary())
def test_whatever_comes_is_a_mail_or_unreadable(raw: bytes) -> None:
    try:
        read(b"From: a@b.example\r\n" + raw)
        read(raw)
    except Unreadable:
        pass


@given(
    st.dictionaries(
        st.sampled_from(["From", "To", "Subject", "Date", "Message-ID", "Content-Type", "References"]), st.text()
    )
)
def test_headers_may_say_anything(headers: dict[str, str]) -> None:
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    assert read(f"From: a@b.example\n{lines}\ntext".encode("utf-8", "surrogatepass")).desk == "email"
