"""A warm parent of services: it has imported everything once, and forks a process that becomes a service at once.

    python -m svc.chaos.nursery SOCKET

A chain that is killed a thousand times would spend its time importing. What runs in the fork is what
`python -m services.plan` runs: the module of the order, as `__main__`, with the order's environment.
"""

import asyncio
import ctypes
import gc
import os
import random
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from svc.machine.process import Child

ROOT = Path(__file__).parents[2]
WARM = (
    "services.plan.api", "services.plan.handlers", "services.design_transition.handlers",
    "services.obtain_build.api", "services.obtain_build.handlers", "services.deliver_support.api",
    "services.deliver_support.handlers", "services.improve.api", "services.improve.handlers",
    "services.engage.views", "services.engage.desks.connector", "services.engage.triage", "svc.chaos.crashing",
    "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
    "sqlalchemy.dialects.postgresql.asyncpg",
)  # fmt: skip
"""What services import. Not their apps, nor Engage's notices: those read the environment as they are imported."""
PR_SET_PDEATHSIG = 1
STARTING = 60.0
"""Seconds that importing everything may take on a busy machine."""


class Forked:
    """A forked process, with what `Child` needs of an `asyncio.subprocess.Process`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.ended = asyncio.Event()

    def send_signal(self, signal: int) -> None:
        """Nothing once it has ended: its number may be somebody else's then."""
        if self.returncode is None:
            os.kill(self.pid, signal)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        await self.ended.wait()
        assert self.returncode is not None
        return self.returncode


class Nursery:
    """The parent, as who orders services from it sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: list[asyncio.Future[Forked]] = []
        self._alive: dict[int, Forked] = {}

    async def start(self, name: str, module: str, arguments: Sequence[str], env: Mapping[str, str], log: Path) -> Child:
        """Have a process that runs a module as `python -m` does; its output is appended to `log`."""
        born: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        self._waiting.append(born)
        order = {"module": module, "arguments": arguments, "env": dict(env), "log": str(log)}
        self._writer.write(orjson.dumps(order) + b"\n")
        forked = await born
        return Child(forked, name=name, log=log, ending=signal.SIGTERM, patience=15.0, lifeline=None)

    async def listen(self) -> None:
        """Hear which processes were born, in the order of the orders, and which have ended."""
        with closing(self._writer):
            await self._hear()

    async def _hear(self) -> None:
        while line := await self._reader.readline():
            pid, code = orjson.loads(line)
            if code is None:
                self._alive[pid] = Forked(pid)
                self._waiting.pop(0).set_result(self._alive[pid])
            else:
                forked = self._alive.pop(pid)
                forked.returncode = code
                forked.ended.set()


@asynccontextmanager
async def nursery(folder: Path) -> AsyncIterator[Nursery]:
    """A warm parent, which ends with this process, and with it all that it has forked."""
    path = folder / "nursery"
    called: asyncio.Queue[Nursery] = asyncio.Queue()
    server = await asyncio.start_unix_server(
        lambda reader, writer: called.put_nowait(Nursery(reader, writer)), path, limit=2**20
    )
    command = [sys.executable, "-m", "svc.chaos.nursery", str(path)]
    child = await Child.start("nursery", command, log=folder / "nursery.log", cwd=ROOT)
    try:
        try:
            found = await asyncio.wait_for(called.get(), STARTING)
        except TimeoutError:
            raise child.death() from None
        listening = asyncio.create_task(found.listen())
        try:
            yield found
        finally:
            await child.kill()
            await listening
    finally:
        await child.kill()
        server.close()
        path.unlink(missing_ok=True)


def become(order: dict[str, Any]) -> int:
    """In the fork: run the ordered module to its end; its exit code."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number, to in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(to, number)
    os.environ.clear()
    os.environ.update(order["env"])
    random.seed()  # jitter that all services share is none
    sys.argv = [order["module"], *order["arguments"]]
    try:
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        if isinstance(ending.code, str):
            sys.stderr.write(ending.code)
            return 1
        return int(ending.code or 0)
    except BaseException:  # noqa: BLE001 - as Python itself does it: told, and exit code 1
        traceback.print_exc()
        return 1
    return 0


def main(path: str) -> None:
    """Fork what is ordered, and tell who has ended, until the other side is gone."""
    for module in WARM:
        import_module(module)
    gc.collect()
    gc.freeze()  # so that a fork's collector does not copy what it only looks at
    orders = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    orders.connect(path)
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pending = b""
    while True:
        ready, _, _ = select.select([orders.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            with suppress(ChildProcessError):
                while (found := os.waitpid(-1, os.WNOHANG))[0]:
                    orders.sendall(orjson.dumps([found[0], os.waitstatus_to_exitcode(found[1])]) + b"\n")
        if orders.fileno() in ready:
            if not (got := orders.recv(2**16)):
                return
            *lines, pending = (pending + got).split(b"\n")
            for line in lines:
                if not (pid := os.fork()):
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.setpgid(0, 0)
                    for ours in (orders.fileno(), woken, waking):
                        os.close(ours)
                    code = 1
                    try:
                        code = become(orjson.loads(line))
                    finally:
                        sys.stdout.flush()
                        sys.stderr.flush()
                        os._exit(code)
                with suppress(OSError):  # the child has done it itself, or is gone
                    os.setpgid(pid, pid)
                orders.sendall(orjson.dumps([pid, None]) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
