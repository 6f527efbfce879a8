"""The documents, executed: every command that a reader would type is run here, in their order, or says why not."""

import asyncio
import hmac
import json
import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
import yaml
from aiokafka import AIOKafkaProducer

from svc.governance import prepare
from svc.machine import Home, ports
from svc.running import FILE, find
from svc.services import Services

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TYPED = re.compile(r"[A-Z][A-Z_]*=\S|(?:svc|make|curl|python3?|docker|git|kubectl|helm|\.venv/\S+) ")
"""How a line begins that one would type."""
SHELLS = {"sh", "bash", "shell", "console"}
BASE = 8800
"""The port of the page in the documents; here free ones take the place of it and of the six after it."""
FEWER = {"--seeds 20": "--seeds 2"}
"""What is done with less here, because it takes long and more of it shows nothing else."""
SHELL = """svc() { "$PYTHON" -m svc "$@"; }
curl() { command curl --silent --show-error --fail-with-body "$@"; }
"""
TOKEN = "a token of theirs"
PATIENCE = 240.0
"""Seconds that a command, a start or a delivery may take; machines may be busy."""


class Block(NamedTuple):
    """Commands that stand together in a document."""

    place: str
    commands: tuple[str, ...]
    reason: str
    """Why it is not run; empty if it is."""


def blocks(document: Path) -> list[Block]:
    """Every block of commands: indented by four, or fenced as one of a shell."""
    found, lines, fence = list[Block](), document.read_text(encoding="utf-8").splitlines(), ""
    block: list[str] = []
    begins, reason = 0, ""
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith("```"):
            fence = "" if fence else line[3:].strip() or "text"
            inside = False
        else:
            inside = fence in SHELLS if fence else line.startswith("    ")
        if inside:
            if not block:
                begins = number
            block.append(line.strip())
        elif block:
            commands = joined(block)
            if any(TYPED.match(f"{command} ") for command in commands):
                found.append(Block(f"{document.name}:{begins}", commands, reason))
            block, reason = [], ""
        elif marked := re.fullmatch(r"<!-- not run: (\S.*) -->", line):
            reason = marked[1]
        elif line.strip():
            reason = ""
    return found


def joined(lines: list[str]) -> tuple[str, ...]:
    """Commands without their remarks, those over several lines as one."""
    whole = "\n".join(lines).replace("\\\n", " ")
    return tuple(re.sub(r"\s+# .*$", "", line).strip() for line in whole.splitlines() if line.strip())


def seven_free_ports() -> int:
    """The first of seven in a row on which nobody listens."""
    while True:
        (first,) = ports.free(1)
        with ExitStack() as stack:
            try:
                for port in range(first, first + 7):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first


class Reader:
    """Somebody who types what a document says, and puts in what it leaves open."""

    def __init__(self, home: Path) -> None:
        self.home, self.base = home, seven_free_ports()
        self.up: asyncio.subprocess.Process | None = None
        self.known = {"token": TOKEN}
        """What stands for `<id>`, `<case>`, `<event>` and `<token>`."""
        self.demand = ""
        """The command that brings demand."""
        self.environment = {**os.environ, "SVC_HOME": str(home), "PYTHON": sys.executable}
        self.folder = home / "where they are"
        self.folder.mkdir()
        for name in ("scenarios", "contracts"):
            (self.folder / name).symlink_to(ROOT / name)
        push = yaml.safe_load((ROOT / "tests/data/desks/payloads/zammad.yaml").read_text(encoding="utf-8"))[0]
        body = json.dumps(push["body"]).encode()
        proof = {"X-Hub-Signature": f"sha1={hmac.new(TOKEN.encode(), body, 'sha1').hexdigest()}"}
        (self.folder / "push.json").write_bytes(body)
        (self.folder / "payload.json").write_bytes(body)
        (self.folder / "push.headers.json").write_text(json.dumps(push["headers"] | proof))

    async def types(self, command: str) -> None:
        """Do it as a person would."""
        if command.startswith("svc up"):
            await self.ends()
            await self.starts(command)
            return
        if command.startswith("svc demand"):
            self.demand = command
        if "/value" in command:
            await self.until_delivered()
        if command == "svc work list":  # "Bring a demand: now it waits."
            await self.runs(f"{self.demand} --key again")
            await self.finds_newest()
        if re.match(r"svc dlq (list|edit|discard)", command):
            await self.poison()
        said = await self.runs(command)
        if command.startswith("svc demand"):
            await self.finds_newest()
        if command == "svc work list":
            assert self.known["id"][:8] in said, "the demand waits for somebody"

    async def runs(self, command: str) -> str:
        """Run one command to its end; its output. It must succeed."""
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", SHELL + self.meant(command), cwd=self.folder, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, f"{command}: {errors.decode()}{output.decode()}"
        return output.decode()

    def meant(self, command: str) -> str:
        """A command with what the reader puts in: ids of their own, and ports that are free."""
        for much, less in FEWER.items():
            command = command.replace(much, less)
        command = re.sub(r"\b1f3a\b", self.known.get("id", "")[:8], command)
        command = re.sub(r"<(id|case|event|token)>", lambda open: shlex.quote(self.known[open[1]]), command)
        return re.sub(r"\b880([0-6])\b", lambda port: str(self.base + int(port[1])), command)

    async def starts(self, command: str) -> None:
        """Have the chain run in another terminal."""
        words = shlex.split(self.meant(command))[1:]
        with (self.home / "up.log").open("ab") as log:
            self.up = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "svc", *words, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(PATIENCE):
            while not (self.home / FILE).exists():
                assert self.up.returncode is None, (self.home / "up.log").read_text()
                await asyncio.sleep(0.1)
        found = find(self.home)
        async with Services(found.services) as services:  # `svc demo --once`, which they saw first, has said this
            await prepare(services, datetime.now(UTC))

    async def ends(self) -> None:
        """End the chain with Ctrl-C."""
        if self.up:
            self.up.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(self.up.wait(), PATIENCE) == 0
            self.up = None

    async def finds_newest(self) -> None:
        """Look up the id of the demand that was brought last."""
        demands = json.loads(await self.runs("svc show --json"))
        self.known["id"] = max(demands, key=lambda demand: str(demand["captured_at"]))["id"]

    async def until_delivered(self) -> None:
        """Wait until the demand is delivered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                demands = json.loads(await self.runs("svc show --json"))
                if next(one for one in demands if one["id"] == self.known["id"])["status"] == "delivered":
                    return
                await asyncio.sleep(1)

    async def poison(self) -> None:
        """Have something set aside, unless something is: an event whose date is the wrong way round, and one mended."""
        if not (aside := await self.aside()):
            demand = str(uuid4())
            event = {
                "specversion": "1.0", "type": "svc.engage.inbox.demand-withdrawn.v1", "id": str(uuid4()),
                "source": "/client/somebody", "time": datetime.now(UTC).isoformat(), "correlationid": demand,
                "data": {"demand": demand, "stakeholder": "emily@fleet.example", "reason": "a mistake"},
            }  # fmt: skip
            (self.folder / "mended.json").write_text(json.dumps(event))
            wrong = json.dumps(event | {"time": "27.11.2026"}, separators=(",", ":")).encode()
            async with AIOKafkaProducer(bootstrap_servers=find(self.home).kafka) as producer:
                await producer.send_and_wait("svc.engage.inbox", wrong, key=demand.encode())
        async with asyncio.timeout(PATIENCE):
            while not (aside := await self.aside()):
                await asyncio.sleep(0.2)
        self.known |= {"case": aside[0]["case_id"], "event": aside[0]["event_id"]}

    async def aside(self) -> list[dict[str, str]]:
        """What is set aside now."""
        found: list[dict[str, str]] = json.loads(await self.runs("svc dlq list --json"))
        return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own; only the downloads are there."""
    path = tmp_path_factory.mktemp("reader")
    Home().downloads.mkdir(parents=True, exist_ok=True)
    (path / "downloads").symlink_to(Home().downloads)
    return path


@asynccontextmanager
async def reading(home: Path) -> AsyncIterator[Reader]:
    """Somebody reads; what they have started is ended."""
    reader = Reader(home)
    try:
        yield reader
        await reader.ends()
    finally:
        if reader.up and reader.up.returncode is None:
            reader.up.kill()
            await reader.up.wait()


@pytest.mark.timeout(1200)
async def test_a_reader_can_type_every_command_of_the_documents_in_their_order(home: Path) -> None:
    typed: list[str] = []
    async with reading(home) as reader:
        for document in DOCUMENTS:
            for block in blocks(document):
                for command in () if block.reason else block.commands:
                    try:
                        await reader.types(command)
                    except (AssertionError, KeyError, TimeoutError) as wrong:
                        raise AssertionError(f"{block.place}: {command}\n{wrong}") from wrong
                    typed.append(command)
    assert len(typed) >= 15
    assert {command.split()[0] for command in typed} == {"svc", "curl"}


def test_a_block_that_is_not_run_says_why() -> None:
    reasons = {block.place: block.reason for document in DOCUMENTS for block in blocks(document) if block.reason}
    assert reasons
    assert all(len(reason) > 20 for reason in reasons.values()), reasons


def test_blocks_are_found_as_a_reader_sees_them(tmp_path: Path) -> None:
    document = tmp_path / "small.md"
    document.write_text(
        "Type this:\n\n    svc show   # all of them\n    svc demand x \\\n        --key y\n\n"
        "<!-- not run: it costs money -->\n\n    make world\n\nand a list:\n\n1. one\n   two\n\n"
        "    graph --> no command\n\n```python\nsvc = 1\n```\n\n```sh\nsvc up\n```\n\n"
        "<!-- not run: of something else -->\nText between.\n\n    A=1 svc up\n",
        encoding="utf-8",
    )
    assert blocks(document) == [
        Block("small.md:3", ("svc show", "svc demand x  --key y"), ""),
        Block("small.md:9", ("make world",), "it costs money"),
        Block("small.md:23", ("svc up",), ""),
        Block("small.md:29", ("A=1 svc up",), ""),
    ]
