"""Mails through a chain that runs: a demand, answers in the thread, each once whatever is killed or cut."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from contracts.value_chain import ENGAGE
from services.engage.desks.intake import demand_of
from svc.chaos.chain import Chain, until
from svc.chaos.nursery import Nursery, nursery
from tests.desks.mail_server import EMILY, SUPPORT, MailServer, cut, running

if TYPE_CHECKING:
    from svc.machine import Machine

pytestmark = pytest.mark.timeout(300)
NAME, ROOT = "post", "a1@fleet.example"
ROWS = """SELECT id, ticket, title, text, status, requester, requester_name, notices, reopened, replies, untold::text,
notice_failed FROM demand WHERE desk = $1 AND status IS NOT NULL"""
TEXT = "The in-car video games show a black screen. Größe und Ähnliches hilft nicht."


class MailChain(Chain):
    """A chain whose desk is a mailbox."""

    def __init__(self, machine: "Machine", folder: Path, parent: Nursery, server: MailServer) -> None:
        super().__init__(machine, folder, parent)
        self.server = server

    async def _prepare(self, stack: AsyncExitStack) -> None:
        await super()._prepare(stack)
        desk = {"connector": "email", "secrets": ["key"], "api": self.server.access().model_dump(), "ask_every": 1}
        desk |= {"withhold": ["name", "address"]}
        self._environment["SVC_DESKS"] = orjson.dumps({NAME: desk}).decode()

    async def demands(self) -> list[Any]:
        """What Engage has made of the mails."""
        return list(await self.rows(ENGAGE, ROWS, NAME))

    def stands(self, **wanted: object) -> Callable[[], Awaitable[bool]]:
        """Whether the demand of Emily's mail is so, and everything was told."""

        async def found() -> bool:
            rows = [row for row in await self.demands() if row["id"] == demand_of(NAME, ROOT)]
            return any(row["untold"] == "[]" and wanted.items() <= dict(row).items() for row in rows)

        return found


def letter(id: str, text: str, **headers: str) -> bytes:
    message = EmailMessage()
    said = {"From": f"Emily Müller <{EMILY}>", "To": "bugs@desk.example", "Subject": "Schwarzer Bildschirm, Größe",
            "Message-ID": f"<{id}>", "Date": format_datetime(datetime.now(UTC))}  # fmt: skip
    for name, value in (said | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        message[name] = value
    message.set_content(text, charset="iso-8859-1")
    return message.as_bytes()


def numbers(server: MailServer) -> list[str]:
    """Which answers Emily has got, in the order in which they came."""
    return [mail["X-SVC-Demand"].rpartition(":")[2].rstrip("]") for mail in server.mails(EMILY)]


async def test_a_mail_is_a_demand_and_its_sender_reads_each_answer_once(machine: "Machine", tmp_path: Path) -> None:
    async with (
        running(tmp_path) as server,
        nursery(tmp_path) as parent,
        (chain := MailChain(machine, tmp_path, parent, server)).running(),
    ):
        server.after = [cut]  # what is said first is taken, and nobody hears that it was
        server.put(letter(ROOT, TEXT))
        server.put(letter("absent@fleet.example", "I am away.", Auto_Submitted="auto-replied"))
        server.put(b"no mail at all\n")

        async def answered() -> bool:
            return bool(server.mails(EMILY))

        await until(answered, what="something was answered")
        assert not server.after, "the connection was cut"
        await chain.kill(ENGAGE)
        await chain.launch(ENGAGE)
        await until(chain.stands(status="delivered"), what="the mail was answered")
        (row,) = await chain.demands()
        assert row["notices"] >= 2
        assert numbers(server) == [str(number) for number in range(1, row["notices"] + 1)]
        assert (row["title"], row["text"]) == ("Schwarzer Bildschirm, Größe", TEXT)
        assert EMILY not in (row["requester"], row["requester_name"])
        assert row["requester"].endswith(f"@{NAME}.invalid"), "the mailbox alone knows whom to answer"
        last = server.mails(EMILY)[-1]
        assert (last["To"], last["In-Reply-To"]) == (EMILY, f"<{ROOT}>")
        assert last["Subject"] == f"Re: Schwarzer Bildschirm, Größe [svc:{ROOT}]"

        quotation = "".join(f"> {line}\n" for line in last.get_content().splitlines())
        text = f"Nein, leider ist es wieder so.\n\nAm 27.11.2026 schrieb Support:\n{quotation}"
        reply = letter("answer@fleet.example", text, Subject=f"AW: {last['Subject']}", In_Reply_To=last["Message-ID"])
        server.put(reply)
        await until(chain.stands(status="delivered", reopened=1), what="it was taken up again, and answered")
        (after,) = await chain.demands()
        assert (after["replies"], after["notices"] > row["notices"]) == (1, True)
        assert numbers(server) == [str(number) for number in range(1, after["notices"] + 1)]

        server.put(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: Undelivered\nMessage-ID: <b@mx>\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=B\n\n--B\n\nNobody.\n--B\n"
            "Content-Type: message/delivery-status\n\nAction: failed\n--B\nContent-Type: text/rfc822-headers\n\n"
            f"Message-ID: {server.mails(EMILY)[-1]['Message-ID']}\n--B--\n".encode()
        )
        failed = "the mail to them has come back: Undelivered"
        await until(chain.stands(notice_failed=failed), what="it shows that its sender was not reached")
        assert [one["id"] for one in await chain.demands()] == [row["id"]], "neither bounce nor machine is a demand"
        assert len(server.mails(EMILY)) == after["notices"]
        assert len(server.mails(SUPPORT)) == after["notices"] + 5, "the mailbox has a copy of each"
        (stands,) = await chain.get(ENGAGE, "/desks/status")
        assert (stands["desk"], stands["tickets_waiting"], stands["asking_failed"]) == (NAME, 0, "")
        assert stands["last_asked_at"]
        assert stands["pushes_refused"]
        assert "neither From nor Message-ID" in stands["last_refusal"]
        assert await chain.aside() == []
