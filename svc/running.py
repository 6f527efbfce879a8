"""The chain that runs: what it is called and where it listens, for commands in other terminals."""

import os
from datetime import datetime
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from contracts.clock import Clock
from contracts.event import dashed
from contracts.value_chain import ACTIVITIES
from svc.machine.home import write_private
from svc.trouble import Trouble

FILE = "running.json"
SERVICES, PAGE, KAFKA, CLOCK = "SVC_SERVICES", "SVC_PAGE", "KAFKA_BOOTSTRAP", "SVC_CLOCK"
"""The settings that say where a chain is that runs elsewhere."""


class Running(BaseModel):
    """What `svc up` and `svc demo` write down about their chain while it runs."""

    pid: int = 0
    """The process that supervises it; 0 if it runs elsewhere, in containers perhaps."""
    born: float = 0
    """When that process began, in seconds since 1970: process ids are used again."""
    started: datetime | None = None
    """When the chain was ready; unknown of one elsewhere."""
    start_seconds: float = 0
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
    """The chain that `SVC_SERVICES` names, else the one that runs in this home; `Trouble` if none does."""
    if template := os.environ.get(SERVICES):
        return elsewhere(template)
    try:
        running = Running.model_validate_json((home / FILE).read_bytes())
        alive = abs(psutil.Process(running.pid).create_time() - running.born) < 1
    except (OSError, ValidationError, psutil.NoSuchProcess):
        alive = False
    if not alive:
        raise Trouble(f"No chain is running in {home}: start one with `svc up`, or `make demo`, in another terminal.")
    return running


def elsewhere(template: str) -> Running:
    """The chain that runs where the environment says. `Trouble` if it says nothing sensible.

    The template is the address of the services with `{activity}` in the place of an activity's name, which is written
    with dashes, as in names of hosts: `http://{activity}:8000`.
    """
    if "{activity}" not in template:
        raise Trouble(f"{SERVICES}={template} names one service: write {{activity}} where the six differ.")
    segments = clock().segments
    return Running(
        services={activity: template.replace("{activity}", dashed(activity)) for activity in ACTIVITIES},
        page=os.environ.get(PAGE, ""), kafka=os.environ.get(KAFKA, ""),
        speed=segments[-1].speed if segments else 1,
    )  # fmt: skip


def clock() -> Clock:
    """The clock that a chain elsewhere goes by; without one it is the wall's."""
    try:
        return Clock.parse(os.environ.get(CLOCK, ""))
    except ValueError as error:
        raise Trouble(f"{CLOCK} cannot be read: {error}") from error
