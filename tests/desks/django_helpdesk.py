"""A real django-helpdesk for a test: installed from PyPI into an environment of its own, started, and ended."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx

from services.engage.desks.events import Received
from svc.machine.ports import free
from tests.desks.conformance.kits import DATA

VERSION = "2.6.1"
START = 120.0
"""Seconds that it may take to answer."""


class Receiver:
    """Where the desk pushes to: keeps what comes."""

    def __init__(self) -> None:
        self.pushes: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                query = dict(parse_qsl(urlsplit(self.path).query))
                receiver.pushes.append(
                    Received(headers=dict(self.headers), body=body, query=query, received_at=datetime.now(UTC))
                )
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Desk(NamedTuple):
    """A django-helpdesk that runs."""

    url: str
    receiver: Receiver

    def submit(self, title: str, body: str, type: str = "", email: str = "emily@example.com") -> httpx.Response:
        """Make a ticket by the form that everybody can reach."""
        with httpx.Client(base_url=self.url, timeout=30) as page:
            form = page.get("/tickets/submit/").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
            queue = re.search(r'<option value="(\d+)"[^>]*>Support', form)
            assert token
            assert queue
            fields = {"csrfmiddlewaretoken": token[1], "queue": queue[1], "title": title, "body": body,
                      "submitter_email": email, "priority": "2", "custom_ticket_type": type}  # fmt: skip
            return page.post("/tickets/submit/", data=fields, headers={"referer": f"{self.url}/tickets/submit/"})

    def follow_up(self, ticket: str, comment: str, **fields: object) -> None:
        """Write on a ticket, as somebody at the desk."""
        said = {"ticket": ticket, "comment": comment, "public": True} | fields
        httpx.post(f"{self.url}/api/followups/", json=said, auth=("root", "root-test"), timeout=30).raise_for_status()

    def page(self, submitted: httpx.Response) -> str:
        """What its requester sees of a ticket, at the address to which the form has sent them."""
        return httpx.get(f"{self.url}{submitted.headers['location']}", follow_redirects=True, timeout=30).text


@contextmanager
def running(folder: Path, hook: str = "") -> Iterator[Desk]:
    """Install it, fill it, run it; it pushes to `hook`, else to a receiver of its own."""
    python, port = folder / "venv" / "bin" / "python", free(1)[0]
    uv = [sys.executable, "-m", "uv", "--quiet"]
    run([*uv, "venv", str(folder / "venv")])
    run(
        [
            sys.executable,
            "-m",
            "uv",
            "--quiet",
            "pip",
            "install",
            "--python",
            str(python),
            f"django-helpdesk=={VERSION}",
        ]
    )
    desk = folder / "desk.py"
    desk.write_bytes((DATA / "django-helpdesk" / "desk.py").read_bytes())
    run([str(python), str(desk), "migrate", "--verbosity", "0"])
    run([str(python), str(desk), "setup"])
    receiver = Receiver()
    hook = hook or f"http://127.0.0.1:{receiver.port}/desks/django-helpdesk?token=t0ken"
    with (folder / "desk.log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), str(desk), "runserver", f"127.0.0.1:{port}", "--noreload"],
            stdout=log, stderr=log,
            env={"HELPDESK_NEW_TICKET_WEBHOOK_URLS": hook,
                "HELPDESK_FOLLOWUP_WEBHOOK_URLS": hook, "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        try:
            answers(f"http://127.0.0.1:{port}/", process, folder / "desk.log")
            yield Desk(f"http://127.0.0.1:{port}", receiver)
        finally:
            process.terminate()
            process.wait(30)
            receiver.close()


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"


def answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it does."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} does not answer after {START:.0f} s: {log.read_text()}")
