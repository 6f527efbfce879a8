"""A mail server for a test: aiosmtpd takes mails and puts them into folders, which pymap shows by IMAP."""

import asyncio
import logging
import mailbox
import ssl
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pysasl.hashing import BuiltinHash

from services.engage.desks.client import Access
from svc.desks.hosting import bare
from svc.machine.ports import free
from svc.machine.process import Child

SUPPORT, EMILY, PASSWORD = "support@desk.example", "emily@fleet.example", "s3cret"
logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of a password without TLS
CLIENTS = ssl.Purpose.CLIENT_AUTH
Fault = Callable[[SMTP], str]
"""What the server does to a mail instead of answering `250`; gives its answer."""


class MailServer:
    """Mailboxes that exist once something is put into them, and what goes wrong with mails that come by SMTP."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smtp_port, self.imap_port = free(2)
        self.before: list[Fault] = []
        """Each is asked once, before a mail is delivered; what it answers ends it."""
        self.after: list[Fault] = []
        """The same, after it is delivered."""
        self.refused: dict[str, str] = {}
        """Recipients that are not taken, and how that is said."""
        self.sent = 0
        """Mails that were delivered."""

    def access(self, **fields: str) -> Access:
        """The settings of a mailbox here."""
        said = {
            "base": f"imap://127.0.0.1:{self.imap_port}/INBOX", "outgoing": f"smtp://127.0.0.1:{self.smtp_port}",
            "user": SUPPORT, "secret": PASSWORD,
        }  # fmt: skip
        return Access.model_validate(said | fields)

    def box(self, address: str) -> mailbox.Maildir:
        """The mails of somebody."""
        return mailbox.Maildir(self.folder / address, create=True)

    def put(self, raw: bytes, address: str = SUPPORT) -> None:
        """Deliver a mail."""
        self.box(address).add(raw)

    def mails(self, address: str) -> list[EmailMessage]:
        """What somebody has got, in the order in which it came."""
        files = sorted((self.folder / address).glob("[cn][ue][rw]/*"), key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.before:
            return self.before.pop(0)(server)
        assert isinstance(envelope.content, bytes)
        for address in envelope.rcpt_tos:
            self.put(f"Return-Path: <{envelope.mail_from}>\r\n".encode() + envelope.content, address)
        self.sent += 1
        return self.after.pop(0)(server) if self.after else "250 OK"

    @contextmanager
    def taking(self, context: ssl.SSLContext | None = None) -> Iterator[None]:
        """Take mails for as long as the block; with a context, STARTTLS is offered."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a password without TLS, on this machine
            controller = Controller(
                self, hostname="127.0.0.1", port=self.smtp_port, tls_context=context, auth_required=True,
                auth_require_tls=False, authenticator=_checked,
            )  # fmt: skip
            controller.start()
            try:
                yield
            finally:
                controller.stop()


def _checked(server: SMTP, session: Session, envelope: Envelope, mechanism: str, said: Any) -> AuthResult:
    right = isinstance(said, LoginPassword) and said.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


def cut(server: SMTP) -> str:
    """The connection is cut before the answer."""
    server.transport.abort()
    return "250 OK"


@asynccontextmanager
async def running(folder: Path, certificate: Path | None = None) -> AsyncIterator[MailServer]:
    """Both servers, with an empty mailbox of the desk, for as long as the block; with a certificate they can TLS."""
    server = MailServer(folder / "mail")
    server.folder.mkdir()
    server.box(SUPPORT)
    (server.folder / "pymap-etc-passwd").write_text(f"{SUPPORT}:::::{SUPPORT}:\n")
    (server.folder / "pymap-etc-shadow").write_text(f"{SUPPORT}:{BuiltinHash(rounds=1).hash(PASSWORD)}:::::::\n")
    tls, context = ["--no-tls"], None
    if certificate is not None:
        tls, context = ["--cert", f"{certificate}", "--key", f"{certificate}"], ssl.create_default_context(CLIENTS)
        context.load_cert_chain(certificate)
    where = ("--host", "127.0.0.1", "--port", str(server.imap_port), *tls)
    pymap = Path(sys.executable).with_name("pymap")
    child = await Child.start(
        "pymap", [pymap, *where, "maildir", "--layout", "fs", server.folder], log=folder / "pymap.log", env=bare()
    )
    try:
        await listens(server.imap_port, child)
        with server.taking(context):
            yield server
    finally:
        await child.stop()


async def listens(port: int, child: Child) -> None:
    """Wait until it does; the error is the last words of one that has ended."""
    async with asyncio.timeout(30):
        while child.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
    raise child.death()
