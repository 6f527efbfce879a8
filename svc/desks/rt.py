"""A real Request Tracker 5 on this machine: Debian's packages, with configuration and data of its own in the home."""

import os
import re
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from svc.desks.hosting import EMAIL, PATIENCE, Ticket, answers, bare, finished
from svc.machine import Home, Say
from svc.machine.errors import MachineError
from svc.machine.home import write_private
from svc.machine.process import Child

NAME, BOT, CUSTOMER = "rt", "engage-bot", "emily"
PACKAGES = ("request-tracker5", "rt5-db-sqlite", "rt5-standalone")
SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
SETUP = Path("/usr/sbin/rt-setup-database-5")
INSTALL = Path(__file__).with_name("rt-install.sh")
DATA = Path(__file__).with_name("rt-initialdata.pl")
CONFIG = """Set($rtname, 'svc'); Set($Organization, 'svc.example');
Set($DatabaseType, 'SQLite'); Set($DatabaseName, '{folder}/desk.sqlite3');
Set($WebPath, ''); Set($WebDomain, '127.0.0.1'); Set($WebPort, {port}); Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($MailCommand, 'testfile'); Set($LogToSyslog, undef); Set($LogToSTDERR, 'warning');
$RT::MasonDataDir = '{folder}/mason'; $RT::MasonSessionDir = '{folder}/sessions';
1;
"""
MADE = re.compile(r"[?&]id=(\d+)")
FORM = re.compile(r'<form action="Create.html".*?</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden"[^>]*? name="([^"]+)" value="([^"]*)"')
TYPE = re.compile(r'<select\s+name="(Object-RT::Ticket--CustomField-\d+-Values)"')


class Desk(NamedTuple):
    """A Request Tracker: where it is, and what opens it."""

    url: str
    root: str
    """The password of `root`."""
    customer: str
    """The password of the customer."""
    token: str
    """Of our account."""
    secret: str
    """What it signs its pushes with."""

    @property
    def name(self) -> str:
        """What its profile is called."""
        return NAME

    @property
    def form(self) -> str:
        """The page on which its customers make tickets, once they have logged in."""
        return f"{self.url}/SelfService/Create.html?Queue=1"

    @property
    def known(self) -> dict[str, Any]:
        """What Engage must know of it, as an entry of `SVC_DESKS`."""
        return {
            "connector": NAME,
            "secrets": [self.secret],
            "api": {"base": self.url, "user": BOT, "secret": self.token},
        }

    @property
    def places(self) -> dict[str, str]:
        """Where a person finds what in it, and with which password."""
        return {
            "make a ticket": f"{self.url}/SelfService/ as {CUSTOMER}, password {self.customer}",
            "work in the desk": f"{self.url}/ as root, password {self.root}",
        }

    def hook(self, engage: str, name: str = "") -> str:
        """The address that it pushes to."""
        return f"{engage}/desks/{name or NAME}"

    @asynccontextmanager
    async def running(self, home: Home, hook: str, say: Say) -> AsyncIterator[Child]:
        """Have it run for as long as the block, and push to `hook`."""
        where = urlsplit(self.url)
        say(f"starting Request Tracker at {self.url}")
        child = await Child.start(
            "Request Tracker", [SERVER, "--host", str(where.hostname), "--port", str(where.port), "--workers", "2"],
            log=home.logs / f"{NAME}.log",
            env={**configured(home), "DESK_WEBHOOK_URL": hook, "DESK_WEBHOOK_SECRET": self.secret},
        )  # fmt: skip
        try:
            await answers(self.url, child)
            yield child
        finally:
            await child.stop()

    def submit(self, title: str, text: str, type: str = "", email: str = EMAIL) -> Ticket:
        """Make a ticket by the form for customers, as a browser does; `MachineError` says what is wrong."""
        with self.browser() as browser:
            page = browser.get(self.form).text
            form = FORM.search(page)
            field = TYPE.search(page)
            if form is None or field is None:
                raise MachineError(f"{self.form} is not the form of a Request Tracker with a field Ticket Type.")
            fields = dict(HIDDEN.findall(form[0])) | {
                "Requestors": email, "Subject": title, "Content": text, "ContentType": "text/plain", field[1]: type,
                "SubmitTicket": "Create ticket",
            }  # fmt: skip
            answer = browser.post(f"{self.url}/SelfService/Create.html", data=fields, files={"Attach": ("", b"")})
        if (found := MADE.search(answer.headers.get("location", ""))) is None:
            raise MachineError(f"The form at {self.form} was not taken (HTTP {answer.status_code}).")
        return Ticket(found[1], f"{self.url}/SelfService/Display.html?id={found[1]}")

    def read(self, ticket: Ticket) -> str:
        """The page of a ticket as its requester sees it, HTML."""
        with self.browser() as browser:
            return browser.get(ticket.page).raise_for_status().text

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """A browser in which the customer has logged in; it says where it comes from, as Request Tracker demands."""
        with httpx.Client(timeout=PATIENCE, headers={"referer": f"{self.url}/SelfService/"}) as browser:
            browser.post(f"{self.url}/NoAuth/Login.html", data={"user": CUSTOMER, "pass": self.customer, "next": ""})
            yield browser


async def placed(home: Home, port: int, say: Say) -> Desk:
    """The desk of this home, installed and with its database, to listen at that port of 127.0.0.1."""
    await install(home, say)
    root, customer, signing = home.passwords([f"{NAME}-{what}" for what in ("root", CUSTOMER, "secret")]).values()
    secret = f"whsec_{b64encode(signing.encode()).decode()}"
    folder = home.path / "desks" / NAME
    for one in ("mason", "sessions", "conf.d"):
        (folder / one).mkdir(parents=True, exist_ok=True)
    (folder / "RT_SiteConfig.pm").write_text(CONFIG.replace("{folder}", str(folder)).replace("{port}", str(port)))
    token = folder / "token"
    if not token.exists():
        await fill(home, folder, root, customer, say)
    return Desk(f"http://127.0.0.1:{port}", root, customer, token.read_text(), secret)


async def fill(home: Home, folder: Path, root: str, customer: str, say: Say) -> None:
    """Make its database; it is whole once there is a token, and made anew as long as there is none."""
    say("making the database of Request Tracker")
    (folder / "desk.sqlite3").unlink(missing_ok=True)
    password, new = folder / "root-password", folder / "token.new"
    write_private(password, root)
    write_private(new, "")
    log = home.logs / f"{NAME}-setup.log"
    environment = configured(home) | {"DESK_EMILY_PASSWORD": customer, "DESK_TOKEN_FILE": str(new)}
    options = ("--skip-create", "--dba-password", "none", "--root-password-file", password)
    await finished("making its database", SETUP, "--action", "init", *options, log=log, env=environment)
    await finished("filling its database", SETUP, "--action", "insert", "--datafile", DATA, log=log, env=environment)
    password.unlink()
    if not new.read_text():
        raise MachineError(f"Request Tracker made no token for {BOT}: see {log}.")
    new.replace(folder / "token")


def configured(home: Home) -> dict[str, str]:
    """The environment in which Request Tracker's programs use what is in this home, and not what is in /etc."""
    folder = home.path / "desks" / NAME
    return {**bare(), "RT_SITE_CONFIG": f"{folder}/RT_SiteConfig.pm", "RT_SITE_CONFIG_DIR": f"{folder}/conf.d"}


def installed() -> bool:
    """Whether this machine has Request Tracker 5."""
    return SERVER.exists() and SETUP.exists()


async def install(home: Home, say: Say) -> None:
    """Install Debian's packages if they are missing; `MachineError` says what is in the way."""
    if installed():
        return
    by_hand = f"`apt-get install --no-install-recommends {' '.join(PACKAGES)}`"
    if shutil.which("apt-get") is None:
        raise MachineError("Request Tracker 5 is installed from Debian's packages, and there is no apt-get here.")
    if os.geteuid() != 0:
        raise MachineError(f"Request Tracker 5 is not installed, and only root can install it: run {by_hand} as root.")
    say(f"installing Request Tracker 5, once: {', '.join(PACKAGES)} and what they need (530 MB)")
    advice = f"`apt-get update` first, perhaps; or run {by_hand} by hand."
    log = home.logs / f"{NAME}-install.log"
    # To interrupt it would leave packages that are half there: it has time to end.
    await finished("installing Request Tracker", "/bin/sh", INSTALL, *PACKAGES, log=log, advice=advice, patience=600)
