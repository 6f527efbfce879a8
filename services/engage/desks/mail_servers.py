"""The servers of a mailbox, where mails are read (IMAP) and where they go out (SMTP), and what is said to them.

No password goes over a network that others could listen to.
"""

import imaplib
import smtplib
import ssl
from contextlib import suppress
from datetime import date
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from services.engage.desks.client import Access, Declined
from services.engage.desks.letter import ADDRESS

PATIENCE = 10.0
"""Seconds that a server may take for one step."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HERE = ("localhost", "127.0.0.1", "::1")


class Servers(NamedTuple):
    """Where a mailbox is, and what it is called."""

    incoming: SplitResult
    outgoing: SplitResult
    address: str
    user: str
    secret: str

    def imap(self) -> imaplib.IMAP4:
        """The mailbox, with its folder open for reading only; `PermissionError` says what we may not."""
        host, port, context = self.incoming.hostname or "", self.incoming.port, trusted(self.incoming)
        if self.incoming.scheme == "imaps":
            imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port or 993, ssl_context=context, timeout=PATIENCE)
        else:
            imap = imaplib.IMAP4(host, port or 143, timeout=PATIENCE)
        try:
            if self.incoming.scheme == "imap" and encrypts(self.incoming, offered="STARTTLS" in imap.capabilities):
                imap.starttls(context)
            try:
                imap.login(self.user, self.secret)
            except imaplib.IMAP4.abort:
                raise  # it has hung up
            except imaplib.IMAP4.error as refusal:
                raise PermissionError(f"{host} does not let {self.user} in: {refusal}") from None
            folder = unquote(self.incoming.path.lstrip("/")) or "INBOX"
            answer, said = imap.select(f'"{folder}"', readonly=True)
            if answer != "OK":
                raise PermissionError(f"{host} does not open the folder {folder!r}: {said!r}")
        except BaseException:
            with suppress(OSError):
                imap.shutdown()
            raise
        return imap

    def smtp(self) -> smtplib.SMTP:
        """Where mails go out, ready to take one from us; `PermissionError` if it does not let us in."""
        host, port, context = self.outgoing.hostname or "", self.outgoing.port, trusted(self.outgoing)
        name = self.address.rpartition("@")[2]
        if self.outgoing.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, name, timeout=PATIENCE, context=context)
        else:
            smtp = smtplib.SMTP(host, port or 587, name, timeout=PATIENCE)
        try:
            smtp.ehlo()
            if self.outgoing.scheme == "smtp" and encrypts(self.outgoing, offered=smtp.has_extn("starttls")):
                smtp.starttls(context=context)
                smtp.ehlo()
            if smtp.has_extn("auth"):
                smtp.login(self.user, self.secret)
        except smtplib.SMTPAuthenticationError as refusal:
            smtp.close()
            raise PermissionError(f"{host} does not let {self.user} in: {said(refusal.smtp_error)}") from None
        except BaseException:
            smtp.close()
            raise
        return smtp


def servers(access: Access) -> Servers:
    """What the settings of a mailbox say; `ValueError` says what is missing."""
    incoming, outgoing = urlsplit(access.base), urlsplit(access.outgoing)
    if incoming.scheme not in ("imap", "imaps") or not incoming.hostname:
        raise ValueError("the address of a mailbox (`base`) is like imaps://mail.example/INBOX")
    folder = unquote(incoming.path)
    if '"' in folder or "\\" in folder or not folder.isascii() or not folder.isprintable():
        raise ValueError("the folder of a mailbox is named in ASCII, as its server names it, without quotation marks")
    if outgoing.scheme not in ("smtp", "smtps") or not outgoing.hostname:
        raise ValueError("a mailbox cannot answer without a server that takes mails: `outgoing`, smtps://mail.example")
    address = access.sender or access.user
    if not ADDRESS.fullmatch(address):
        raise ValueError("a mailbox has an address: give it as `sender` if `user` is none")
    return Servers(incoming, outgoing, address, access.user, access.secret)


def trusted(place: SplitResult) -> ssl.SSLContext:
    """Who may answer there: who has a certificate for that name; on this machine, anybody."""
    context = ssl.create_default_context()
    if place.hostname in HERE:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def encrypts(place: SplitResult, *, offered: bool) -> bool:
    """Whether to encrypt a connection that began in the clear: where it can be, and must be unless it stays here."""
    if not offered and place.hostname not in HERE:
        raise PermissionError(f"{place.hostname} offers no STARTTLS, so it gets no password; is it {place.scheme}s://?")
    return offered


def taken(answer: tuple[int, bytes | str], otherwise: str, *, repeats: bool = False) -> None:
    """What becomes of a refusal: `Declined` for one that is final, if it is not our own settings; else `OSError`."""
    code, words = answer
    if code >= 400:
        why = f"the outgoing server {otherwise}: {code} {said(words)}"
        raise Declined(why) if code >= 500 and not repeats else ConnectionError(why)


def said(answer: bytes | str) -> str:
    """What a server has answered, as one line."""
    return " ".join((answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer).split())[:200]


def in_thread(ticket: str) -> str:
    """What finds the mails of a thread."""
    answers = f"OR {named('In-Reply-To', ticket)} SUBJECT {quoted(f'[svc:{ticket}]')}"
    return f"OR {named('Message-ID', ticket)} OR {named('References', ticket)} {answers}"


def named(header: str, id: str) -> str:
    """What finds mails with that id in a header."""
    return f"HEADER {header} {quoted(f'<{id}>')}"


def quoted(text: str) -> str:
    """A text as IMAP quotes it; `Declined` for a mail that has a name which cannot be asked for."""
    if not (text.isascii() and text.isprintable()):
        raise Declined("the mail has a Message-ID that cannot be looked for")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def day(day: date) -> str:
    """A day as IMAP has it."""
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"
