"""Record the pushes of a real Roundup desk: install one, open tickets as several people, keep them.

Run it with a Python that has `roundup==2.6.0` installed. It replaces every recording: the two that
the demo plays (`svc/recordings/`), those beside this file, and the secret they are signed with.
"""

import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection, socket
from typing import Any, NamedTuple

from desk_webhook import TYPES

HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[3] / "svc" / "recordings"
SCRIPTS = Path(sys.executable).parent
PASSWORD = "for-the-recording"
ADDRESS = "https://support.carcachin.example/"
"""Where the desk says that it is: the links to its tickets begin so."""
PEOPLE = {
    "emily": ("Emily Carter", "emily.carter@bluefleet.example"),
    "daniel": ("Daniel Okafor", "daniel.okafor@sundaycars.example"),
    "zoe": ("Zoë Müller", "zoe.mueller@example.org"),
    "marc": ("Marc Dubois", "marc.dubois@example.org"),
    "li": ("Li Na 李娜", "li.na@example.org"),
    "priya": ("Priya Nair", "priya.nair@carcachin.example"),
}
"""Username: name and address. Priya works at the desk, the others ask."""


class Push(NamedTuple):
    """What the desk sent, as it came in."""

    at: datetime
    headers: dict[str, str]
    body: bytes


@contextmanager
def receiver() -> Iterator[tuple[str, list[Push]]]:
    """A web server that keeps every POST: its address and, growing, what came in."""
    pushes: list[Push] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            pushes.append(Push(datetime.now(UTC), dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the recording is the result."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Keep) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/desks/roundup", pushes
        server.shutdown()


def install(tracker: Path, hook: str, secret: str) -> None:
    """The classic tracker on SQLite, with two more fields, ticket types, people and the detector."""

    def admin(*arguments: str) -> None:
        subprocess.run(
            [SCRIPTS / "roundup-admin", "-i", tracker, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    settings = {
        "tracker_name": "Carcachin Support",
        "tracker_web": ADDRESS,
        "tracker_email": "support",
        "mail_domain": "carcachin.example",
        "mail_host": "localhost",
        "admin_email": "root@carcachin.example",
    }
    admin("install", "classic", "sqlite", ",".join(f"{k}={v}" for k, v in settings.items()))
    # Mail goes to a file: without a mail server the desk refuses every reply.
    edit(tracker / "config.ini", "\ndebug = \n", "\ndebug = sent-mail.txt\n")
    edit(
        tracker / "schema.py",
        'priority=Link("priority"),\n',
        'priority=Link("priority"),\n                service=String(),\n                users_affected=Integer(),\n',
    )
    shutil.copy(HERE / "desk_webhook.py", tracker / "detectors")
    with (tracker / "detectors" / "config.ini").open("a") as config:
        config.write(f"\n[desk]\nwebhook_url = {hook}\nwebhook_secret = {secret}\n")
    admin("initialise", PASSWORD)
    for type in TYPES:
        admin("create", "keyword", f"name={type}")
    for username, (name, address) in PEOPLE.items():
        admin(
            *("create", "user", f"username={username}", f"realname={name}"),
            *(f"address={address}", f"password={PASSWORD}", "roles=User"),
        )


def edit(file: Path, old: str, new: str) -> None:
    """Replace the one place in a file that reads `old`."""
    text = file.read_text()
    if text.count(old) != 1:
        raise SystemExit(f"{file.name}: expected {old!r} once: is this Roundup 2.6.0?")
    file.write_text(text.replace(old, new))


@contextmanager
def serving(tracker: Path, port: int) -> Iterator[None]:
    """The tracker's web server, which refuses to run as root."""
    user: list[str] = []
    if os.geteuid() == 0:
        user = ["-u", "nobody", "-g", "nogroup"]
        subprocess.run(["chown", "-R", "nobody:nogroup", tracker], check=True)
    command = [str(SCRIPTS / "roundup-server"), *user, "-n", "127.0.0.1", "-p", str(port)]
    with (
        Path(tracker.parent, "server.log").open("w") as log,
        subprocess.Popen([*command, f"support={tracker}"], stdout=log, stderr=log) as server,
    ):
        try:
            await_port(port, server)
            yield
        finally:
            server.terminate()


def await_port(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Return when somebody listens; fail when the server has ended or half a minute is over."""
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("roundup-server does not listen: see server.log beside the tracker")


class Person:
    """Somebody who uses the desk: over its REST interface, or the form on its web page."""

    def __init__(self, username: str, port: int) -> None:
        """Each request carries the person's own name and password."""
        self.username = username
        self.port = port
        login = base64.b64encode(f"{username}:{PASSWORD}".encode()).decode()
        # The desk believes that it is reached at its public address, as behind a proxy.
        self.headers = {
            "Authorization": f"Basic {login}",
            "X-Requested-With": "rest",
            "Host": ADDRESS.removeprefix("https://").strip("/"),
            "Origin": ADDRESS.strip("/"),
            "Referer": ADDRESS,
        }

    def send(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[HTTPResponse, str]:
        """One request to the desk; ends the recording when the desk says no."""
        desk = HTTPConnection("127.0.0.1", self.port, timeout=30)
        with closing(desk):
            data = body.encode() if body is not None else None
            desk.request(method, "/support/" + path, data, {**self.headers, **headers})
            answer = desk.getresponse()
            text = answer.read().decode()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: the desk answers {answer.status}: {text}")
        return answer, text

    def call(self, method: str, path: str, **parts: object) -> Any:
        """One REST request with `parts` as its JSON; the data of the answer."""
        body = json.dumps(parts) if parts else None
        headers = {"Content-Type": "application/json"}
        if method == "PATCH":
            headers["If-Match"] = self.call("GET", path)["@etag"]
        return json.loads(self.send(method, "rest/data/" + path, body, **headers)[1])["data"]

    def message(self, text: str) -> str:
        """A message of this person's, not yet on any ticket: its id."""
        parts = {"content": text, "author": self.username, "type": "text/plain"}
        return str(self.call("POST", "msg", **parts)["id"])

    def open(self, title: str, text: str, **fields: object) -> str:
        """A new ticket: its id."""
        message = self.message(text)
        return str(self.call("POST", "issue", title=title, messages=[message], **fields)["id"])

    def reply(self, ticket: str, text: str, **fields: object) -> None:
        """A message on a ticket; `fields` change in the same step."""
        messages = self.call("GET", f"issue/{ticket}")["attributes"]["messages"]
        kept = [message["id"] for message in messages]
        self.change(ticket, messages=[*kept, self.message(text)], **fields)

    def change(self, ticket: str, **fields: object) -> None:
        """Other values for some fields of a ticket."""
        self.call("PATCH", f"issue/{ticket}", **{"@op": "replace"}, **fields)

    def submit(self, **fields: str) -> None:
        """A new ticket by the form on the desk's page, as a browser sends it."""
        nonce = re.search(r'name="@csrf"[^>]*value="([^"]+)"', self.send("GET", "issue?@template=item")[1])
        if not nonce:
            raise SystemExit("the desk's form has no @csrf field: is this Roundup 2.6.0?")
        form = urllib.parse.urlencode({"@action": "new", "@csrf": nonce[1], **fields})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer, page = self.send("POST", "issue", form, **headers)
        if answer.status != 302:
            raise SystemExit(f"the desk did not take the form: {page}")


def write(folder: Path, name: str, push: Push) -> None:
    """One recording: the body byte for byte as it came in, the headers and the time beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.body.json").write_bytes(push.body)
    http = {"received_at": push.at.isoformat(), "headers": push.headers}
    (folder / f"{name}.http.json").write_text(json.dumps(http, indent=2) + "\n")


def work(port: int) -> None:
    """What people do at the desk, in the order of the recordings."""
    emily, daniel, zoe, marc, li, priya = (Person(username, port) for username in PEOPLE)
    incident = emily.open(
        "Video games stop with a black screen while the car is charging",
        "Since this morning the in-car video games go black about a minute after one of our cars is"
        " plugged in to charge. The sound goes on, the picture does not come back until charging"
        " ends.\n\nAbout 40 users of our fleet are affected. Work continues: as a workaround they"
        " play before or after charging, and the cars drive normally.\n\nBest regards\n"
        "Emily Carter, fleet manager, Blue Fleet",
        keyword=["Incident"],
        priority="bug",
        service="in-car video games",
        users_affected=40,
    )
    daniel.open(
        "New racing game with a second controller",
        "We rent out 300 of your cars to families, and what the children ask for most is a racing"
        " game for two players. We would like to order:\n\n- a racing game that two people play"
        " against each other while the car is parked,\n- a second controller for each car, so that"
        " both have one in hand,\n- before the summer holidays, that is in our cars by 15 June"
        " 2027.\n\nAbout 900 people a month would play it. We would pay 12 euros per car and month,"
        " that is 43,200 euros a year.\n\nDaniel Okafor, Sunday Cars",
        keyword=["New Product or Service"],
        priority="wish",
        service="in-car video games",
    )
    zoe.open(
        "Zweites Profil für die Videospiele freischalten",
        "Guten Tag,\n\nbitte schalten Sie für meinen Sohn ein zweites Spielerprofil in unserem Auto"
        " frei. Größe der Spielstände: höchstens 2 GB. Danke! 🚗\n\nZoë Müller",
        keyword=["Service Request"],
        priority="feature",
        service="in-car video games",
        users_affected=1,
    )
    marc.submit(
        title='I was told "one hour" and waited nine days',
        **{"@note": "The dealer promised to call in one hour.\r\nNobody called. <b>Nine</b> days!"},
        keyword="Complaint",
        priority="urgent",
    )
    li.open("有人在吗", "The screen says: error C:\\games\\0x1F & nothing else.\tWhat do I do?")
    priya.change(incident, status="in-progress")
    emily.reply(incident, "Two more cars since noon, so 42 users now. The workaround still works.")
    priya.reply(
        incident,
        "Games update 4.2.1 was installed on your cars over the air: the picture now stays on while"
        " charging. Please tell us if it does not.",
        status="resolved",
    )
    emily.reply(incident, "One car went black again an hour after the update, the others are fine.")


NAMES = (
    "01-incident",
    "02-new-service",
    "03-service-request",
    "04-complaint",
    "05-untyped",
    "06-incident-in-progress",
    "07-incident-reply",
    "08-incident-resolved-reply",
    "09-incident-resolved",
    "10-incident-reopened-reply",
    "11-incident-reopened",
)
DEMONSTRATED = NAMES[:2]


def main() -> None:
    """Install, work, write down; nothing is left behind but the recordings."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    with tempfile.TemporaryDirectory(prefix="roundup-") as folder, receiver() as (hook, pushes):
        Path(folder).chmod(0o755)
        with closing(socket()) as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        tracker = Path(folder, "support")
        install(tracker, hook, secret)
        with serving(tracker, port):
            work(port)
    if len(pushes) != len(NAMES):
        kinds = [json.loads(push.body)["type"] for push in pushes]
        raise SystemExit(f"expected {len(NAMES)} pushes, the desk sent {len(kinds)}: {kinds}")
    for name, push in zip(NAMES, pushes, strict=True):
        write(DEMO if name in DEMONSTRATED else HERE, name, push)
    (HERE / "secret.txt").write_text(secret + "\n")


if __name__ == "__main__":
    main()
