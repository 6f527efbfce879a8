"""Ports on 127.0.0.1."""

import fcntl
import os
import random
import socket
import tempfile
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path

import psutil

from svc.machine.errors import MachineError

_RANGE = range(20_000, 32_000)
_chosen: set[int] = set()


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free(count: int) -> list[int]:
    """So many different free ports.

    Between their choice and the servers' start nobody takes one of them: they are below those that systems give to
    outgoing connections; no other process of this user is given them for as long as this one lives; and this one is
    given them again only when there are no others.
    """
    candidates = sorted(random.SystemRandom().sample(_RANGE, len(_RANGE)), key=_chosen.__contains__)
    found = list(islice((port for port in candidates if is_free(port) and _claimed(port)), count))
    if len(found) < count:
        raise MachineError(f"No free port from {_RANGE.start} to {_RANGE.stop - 1}: stop some servers.")
    _chosen.update(found)
    return found


def _claimed(port: int) -> bool:
    """Whether nobody else has chosen it: each port is one byte of a file, and who chooses it locks that byte.

    Where there can be no such file, two that choose at the same moment may choose the same.
    """
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


@cache
def _claims() -> int:
    """The file, open until this process ends, and with it its claims; to open and close it again would end them.

    It stays empty.
    """
    path = Path(tempfile.gettempdir()) / f"svc-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def configured(value: str, setting: str) -> int:
    """The port that a setting names; MachineError if it is none or in use."""
    if not value.isdecimal() or not 1 <= int(value) <= 65535:
        raise MachineError(f"{setting}={value} is no port: set it to a number from 1 to 65535.")
    port = int(value)
    if not is_free(port):
        raise MachineError(
            f"Port {port} of {setting} is in use by {_listener(port)}: stop that, set {setting} to "
            "another port, or leave it unset to have a free one chosen."
        )
    return port


def _listener(port: int) -> str:
    """Who listens there, as far as this user may know."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == port
                and connection.pid
            ):
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"
