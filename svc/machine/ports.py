"""Ports on 127.0.0.1."""

import random
import socket
from contextlib import suppress
from itertools import islice

import psutil

from svc.machine.errors import MachineError

_RANGE = range(20_000, 32_000)


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

    They are below those that systems give to outgoing connections, so that none takes one of these between
    its choice and the server's start.
    """
    candidates = random.SystemRandom().sample(_RANGE, len(_RANGE))
    found = list(islice(filter(is_free, candidates), count))
    if len(found) < count:
        raise MachineError(f"No free port from {_RANGE.start} to {_RANGE.stop - 1}: stop some servers.")
    return found


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
