"""What the chain takes in containers: `python -m svc.footprint limits` reads compose.yaml, `measure` starts it.

Each profile is started under a project name of its own, on ports of its own, and removed with all its data afterwards.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import yaml
from rich.console import Console
from rich.table import Table

from svc.terminal import UNWATCHED
from svc.trouble import Trouble

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
FILE, README = ROOT / "compose.yaml", ROOT / "README.md"
PROJECT = "svc-footprint"
PROFILES = ("core", "metrics", "scale", "secure", "desk")
"""`core` is what starts without a profile; the others start it, too."""
JOBS = frozenset({"prepare", "secure", "plug"})
"""Containers that end before the services start."""
UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
MEMORY = re.compile(r"([\d.]+)([KMG]?)i?B", re.IGNORECASE)
LONGEST = 900.0
"""Seconds until a profile must be healthy, and a trace must be there."""
GLANCE = 0.25
DEMAND = {
    "requester": "emily@fleet.example", "title": "The games stop", "text": "The games stop with a black screen",
    "kind": "incident", "users_affected": 40,
}  # fmt: skip


class Limits(NamedTuple):
    """The memory limits of a profile, in MiB."""

    containers: int
    services: int
    """Of the containers that stay."""
    jobs: int
    """Of those that end before the services start."""


def limits_of(compose: Json, profile: str) -> Limits:
    """The sum of limits; `Trouble` if a container has none."""
    found = chosen(compose, profile)
    if unlimited := [name for name, about in found.items() if "mem_limit" not in about]:
        raise Trouble(f"Without a memory limit: {', '.join(unlimited)}. Give each a mem_limit in compose.yaml.")
    mib = {name: in_bytes(str(about["mem_limit"])) // 2**20 for name, about in found.items()}
    jobs = sum(limit for name, limit in mib.items() if name in JOBS)
    return Limits(len(found), sum(mib.values()) - jobs, jobs)


def chosen(compose: Json, profile: str) -> Mapping[str, Json]:
    """The services that a profile starts."""
    return {
        name: about
        for name, about in compose["services"].items()
        if not about.get("profiles") or profile in about["profiles"]
    }


def in_bytes(size: str) -> int:
    """`128m` as compose means it."""
    return int(size.rstrip("bBkKmMgG")) * UNITS[size.lower().rstrip("b").lstrip("0123456789")]


def table_of_limits(compose: Json) -> str:
    """As README.md states it."""
    lines = ["| profile | containers | limits | of jobs that have ended by then |", "|---|---|---|---|"]
    for profile in PROFILES:
        found = limits_of(compose, profile)
        lines.append(f"| {profile} | {found.containers} | {found.services:,} MiB | {found.jobs} MiB |")
    return "\n".join(lines) + "\n"


def state_limits(readme: str, compose: Json) -> str:
    """README.md with this table in its place."""
    return stated(readme, "limits", table_of_limits(compose))


def stated(readme: str, mark: str, table: str) -> str:
    """README.md with a table between `<!-- mark -->` and `<!-- /mark -->`."""
    place = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    return place.sub(lambda found: found[1] + table + found[2], readme)


class Measured(NamedTuple):
    """What one profile takes."""

    profile: str
    containers: int
    limit_mib: int
    steady_mib: float
    healthy_seconds: float
    first_trace_seconds: float
    images_mb: Mapping[str, float]


class Project:
    """A chain in containers for one measurement."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        # a free port for each: whoever measures may have a chain running
        ports = re.findall(r"\$\{(\w+_PORT):-\d+\}:\d+", FILE.read_text())
        self._environment = {**os.environ, **dict.fromkeys(ports, "0")}

    def compose(self, *arguments: str, check: bool = True) -> str:
        """`docker compose` with this project and profile; `Trouble` with its last words if it fails."""
        profile = [] if self.profile == "core" else ["--profile", self.profile]
        where = ["--project-name", PROJECT, "--project-directory", str(ROOT)]
        command = ["docker", "compose", *where, *profile, *arguments]
        try:
            done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise Trouble("There is no docker on PATH: `svc demo` needs none.") from error
        if check and done.returncode:
            raise Trouble(f"{' '.join(command)} has failed:\n{(done.stderr or done.stdout)[-2000:]}")
        return done.stdout

    def url(self, service: str, port: int) -> str:
        """Where a container's port is on this machine."""
        return f"http://{self.compose('port', service, str(port)).strip()}"

    def memory_mib(self) -> float:
        """What all containers use now, as the engine counts it."""
        ids = self.compose("ps", "--quiet").split()
        used = _docker("stats", "--no-stream", "--format", "{{.MemUsage}}", *ids)
        return round(sum(_mib(line) for line in used.splitlines()), 1)

    def images_mb(self) -> dict[str, float]:
        """The size of each image, layers that several share counted in each."""
        about = json.loads(self.compose("config", "--format", "json"))["services"]
        names = sorted({service["image"] for service in about.values()})
        return {name: round(int(_docker("image", "inspect", "--format", "{{.Size}}", name)) / 1e6, 1) for name in names}


def measure(profile: str) -> Measured:
    """Start a profile with nothing there yet, run the demonstration, see what it takes then, and remove it."""
    project = Project(profile)
    project.compose("build", "--quiet")
    project.compose("down", "--volumes", "--remove-orphans")
    try:
        began = time.monotonic()
        project.compose("up", "--wait", "--wait-timeout", str(int(LONGEST)))
        healthy = time.monotonic() - began
        engage = project.url("engage", 8000)
        key = {"Idempotency-Key": str(uuid4())}
        httpx.post(f"{engage}/demands", json=DEMAND, headers=key, timeout=60).raise_for_status()
        _until(lambda: _traces(project.url("jaeger", 16686)), "a trace is in Jaeger")
        traced = time.monotonic() - began
        told = json.loads(project.compose("run", "--rm", "-T", "svc", "demo", "--once", "--json").splitlines()[-1])
        if any(demand["status"] != "value_realised" for demand in told["demands"]):
            raise Trouble(f"The demonstration has not come to its end: {told['demands']}")
        containers = len(project.compose("ps", "--quiet").split())
        limit = limits_of(yaml.safe_load(FILE.read_text()), profile).services
        return Measured(
            profile, containers, limit, project.memory_mib(), round(healthy, 1), round(traced, 1), project.images_mb()
        )
    finally:
        project.compose("down", "--volumes", "--remove-orphans", check=False)


def table_of_measured(found: Sequence[Measured]) -> str:
    """As README.md states it."""
    lines = ["| profile | containers | memory at rest | to healthy | to the first trace |", "|---|---|---|---|---|"]
    lines += [
        f"| {one.profile} | {one.containers} | {one.steady_mib:,.0f} MiB | {one.healthy_seconds:.0f} s "
        f"| {one.first_trace_seconds:.0f} s |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def _traces(jaeger: str) -> bool:
    """Whether Jaeger has heard of the service that takes demand in."""
    return "svc-engage" in httpx.get(f"{jaeger}/api/v3/services", timeout=10).json().get("services", [])


def _until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition():
        if time.monotonic() > deadline:
            raise Trouble(f"After {LONGEST:.0f} s it is not so that {what}.")
        time.sleep(GLANCE)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def _mib(used: str) -> float:
    """`86.86MiB / 128MiB` as 86.86."""
    found = MEMORY.match(used.strip())
    if not found:
        raise Trouble(f"docker stats says {used!r}, which is no amount of memory.")
    return float(found[1]) * UNITS[found[2].lower()] / 2**20


def main(arguments: Sequence[str]) -> int:
    """`limits [--write]`, or `measure [PROFILE...] [--json] [--write]`."""
    match arguments:
        case ["limits"]:
            sys.stdout.write(table_of_limits(yaml.safe_load(FILE.read_text())))
        case ["limits", "--write"]:
            README.write_text(state_limits(README.read_text(), yaml.safe_load(FILE.read_text())))
        case ["measure", *wanted]:
            profiles = [word for word in wanted if word not in ("--json", "--write")] or list(PROFILES)
            if unknown := set(profiles) - set(PROFILES):
                raise Trouble(f"{', '.join(unknown)} is no profile: {', '.join(PROFILES)}.")
            found = [measure(profile) for profile in profiles]
            if "--write" in wanted:
                README.write_text(stated(README.read_text(), "footprint", table_of_measured(found)))
            _tell(found, "--json" in wanted)
        case _:
            raise Trouble("python -m svc.footprint limits [--write], or measure [PROFILE...] [--json] [--write]")
    return 0


def _tell(found: Sequence[Measured], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps([one._asdict() for one in found]) + "\n")
        return
    table = Table("profile", "containers", "limits", "steady", "to healthy", "to the first trace")
    for one in found:
        table.add_row(
            one.profile, str(one.containers), f"{one.limit_mib:,} MiB", f"{one.steady_mib:,.0f} MiB",
            f"{one.healthy_seconds:.0f} s", f"{one.first_trace_seconds:.0f} s",
        )  # fmt: skip
    images = Table("image", "MB")
    for name, size in {name: size for one in found for name, size in one.images_mb.items()}.items():
        images.add_row(name, f"{size:,.0f}")
    console = Console(width=None if sys.stdout.isatty() else UNWATCHED)
    console.print(table, images)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        sys.exit(f"footprint: {trouble}")
