"""A mailbox on real servers, with what the suite needs of a desk: it can be down, be slow, and fail after doing."""

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from services.engage.desks import mail_servers
from tests.desks.mail_server import EMILY, SUPPORT, MailServer, running

PATIENCE = 2.0
"""Seconds that its servers may take for one step."""


class Post:
    """A mailbox with one mail in it; what is written there is what its sender gets."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.steps, self.parts, self.moves = ["comment"], 1, 0
        self.moved: list[str] = []

    @property
    def written(self) -> list[tuple[str, str]]:
        """What the sender has got."""
        return [("comment", mail.get_content()) for mail in self.server.mails(EMILY)]

    def is_down(self) -> None:
        """Take no mails."""
        self.server.refused[SUPPORT] = "421 4.3.2 down"

    def comes_back(self) -> None:
        """Take mails again."""
        self.server.refused.clear()

    def is_slow(self, part: int) -> None:
        """Deliver the mail, and answer too late."""

        def late(_: SMTP) -> str:
            time.sleep(PATIENCE + 0.5)
            return "250 OK"

        self.server.after = [late]

    def fails_after(self, part: int) -> None:
        """Deliver the mail, and answer that it failed."""
        self.server.after = [lambda _: "451 4.3.0 failed"]

    def declines(self) -> str:
        """Refuse for ever what goes to the sender; gives how."""
        self.server.refused[EMILY] = "550 5.1.1 nobody of that name"
        return "550"


@asynccontextmanager
async def post(mail: bytes) -> AsyncIterator[Post]:
    """A mailbox with that mail in it, for as long as the block."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(mail_servers, "PATIENCE", PATIENCE)
        async with running(Path(folder)) as server:
            server.put(mail)
            yield Post(server)
