"""The chain that runs: what it is called and where it listens, for commands in other terminals."""

from datetime import datetime
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from svc.machine.home import write_private
from svc.trouble import Trouble

FILE = "running.json"


class Running(BaseModel):
    """What `svc up` and `svc demo` write down about their chain while it runs."""

    pid: int
    """The process that supervises it."""
    born: float
    """When that process began, in seconds since 1970: process ids are used again."""
    started: datetime
    """When the chain was ready."""
    start_seconds: float
    """How long that took."""
    services: dict[str, str]
    """The URL of each activity."""
    page: str
    """The URL of the page; spans go there as well (OTLP over HTTP)."""
    kafka: str
    """Kafka's bootstrap address."""
    speed: float
    """Chain seconds a wall second."""
    clock: str = ""
    """The chain's clock, as its services got it; empty: it is the wall's."""

    def write(self, home: Path) -> None:
        """Let other commands find this chain."""
        write_private(home / FILE, self.model_dump_json(indent=1))


def forget(home: Path) -> None:
    """The chain has ended."""
    (home / FILE).unlink(missing_ok=True)


def find(home: Path) -> Running:
    """The chain that runs in this home; `Trouble` if none does."""
    try:
        running = Running.model_validate_json((home / FILE).read_bytes())
        alive = abs(psutil.Process(running.pid).create_time() - running.born) < 1
    except (OSError, ValidationError, psutil.NoSuchProcess):
        alive = False
    if not alive:
        raise Trouble(f"No chain is running in {home}: start one with `svc up`, or `make demo`, in another terminal.")
    return running
