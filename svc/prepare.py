"""What must be there before a service starts: its topics, its database, its rights, and the chain's clock.

`svc up` prepares for itself. In containers a job does it once and ends, before the services start: `svc prepare`.
"""

import asyncio
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote

import asyncpg
import certifi
import httpx
import orjson
from pydantic import TypeAdapter, ValidationError
from rich.text import Text

from contracts.clock import Clock
from contracts.value_chain import ACTIVITIES
from svc import migrations, running, words
from svc.access import ADMINISTRATOR, LOOKER, PRINCIPALS, broker_settings, client_settings, grant
from svc.certificates import certify, valid_for
from svc.chain_clock import ChainClock
from svc.machine.databases import provision
from svc.machine.kafka import until_it_serves
from svc.machine.postgres import until_it_answers
from svc.terminal import Terminal
from svc.topics import check_retention, create_topics
from svc.trouble import Trouble

ADMINISTRATION = "chain"
"""The database of what no service may read: the clock."""
PATIENCE = 60.0
"""Seconds that Kafka and PostgreSQL have to answer."""
PASSWORDS = "SVC_PASSWORDS"
"""The setting with the passwords, a JSON object by activity; those of `svc` and `admin` are for Kafka alone."""
PASSWORD = re.compile(r"[A-Za-z0-9_-]{4,100}")
"""What a password may be here: it stands in URLs, in JSON and in settings of Java."""
PRINCIPAL_OF, PASSWORD_OF = "'$SVC_PRINCIPAL'", "'$SVC_PASSWORD'"
"""What each container is told apart by, as it stands between the quotes of a shell."""
RENEWED = timedelta(days=30)
"""Certificates that are valid for less than that are made anew."""
LAST = "SELECT max(at) FROM receipt"


async def prepare(
    bootstrap: str, admin_url: str, passwords: Mapping[str, str], *, accept_loss: bool = False
) -> dict[str, str]:
    """Make what is missing of topics, databases and tables; returns the URL of the database of each name.

    `Trouble` if records were deleted before an activity had read them, unless `accept_loss`.
    """
    urls, _ = await asyncio.gather(_databases(admin_url, passwords), create_topics(bootstrap))
    days = float(os.environ.get("SVC_KEEP_RECEIPTS") or 0)
    if (lost := await check_retention(bootstrap, days)) and not accept_loss:
        raise Trouble(
            f"{' '.join(lost)} The retention of these topics was shorter than the outage. What the deleted records "
            "told is lost to whoever has not read them; `svc up --accept-loss` goes on with what is left."
        )
    return urls


async def _databases(admin_url: str, passwords: Mapping[str, str]) -> dict[str, str]:
    urls = await provision(admin_url, passwords)
    await migrations.migrate_all({activity: urls[activity] for activity in ACTIVITIES})
    return urls


async def run(
    terminal: Terminal, *, speed: float, epoch: datetime | None, granting: bool, accept_loss: bool,
    settings: Path | None, json: bool,
) -> int:  # fmt: skip
    """The job: prepare what the environment names, and write the clock down for the services."""
    bootstrap, admin_url = required(running.KAFKA), required("DATABASE_URL")
    passwords = passwords_from({*ACTIVITIES, *((LOOKER,) if granting else ())})
    await asyncio.gather(until_it_serves(bootstrap, PATIENCE), until_it_answers(admin_url, PATIENCE))
    roles = {activity: passwords[activity] for activity in ACTIVITIES} | {ADMINISTRATION: secrets.token_urlsafe(24)}
    urls = await prepare(bootstrap, admin_url, roles, accept_loss=accept_loss)
    changed = await grant(bootstrap, {name: passwords[name] for name in PRINCIPALS}) if granting else []
    clock = await set_clock(urls, speed, epoch)
    if settings:
        write_settings(settings / "chain.env", [f"{running.CLOCK}={quote(str(clock))}"])
    now = clock.now()
    said = f"Topics, databases and tables are there; it is {words.at(now)} in the chain, at speed {speed:g}."
    rights = f" {len(changed)} rights were given or taken." if granting else ""
    terminal.show(Text(said + rights))
    if json:
        terminal.result({"clock": str(clock), "now": now, "rights_changed": [right._asdict() for right in changed]})
    return 0


async def set_clock(urls: Mapping[str, str], speed: float, epoch: datetime | None) -> Clock:
    """The clock of a chain whose services run, as it is; else it goes on from where the last thing was written down.

    What is not written down nobody has seen: chain time stands still while no service runs.
    """
    clock = ChainClock(urls[ADMINISTRATION])
    if await _any_runs() and (current := await clock.current()):
        return current
    written = await asyncio.gather(*(_last_written(urls[activity]) for activity in ACTIVITIES))
    return await clock.start(speed, epoch=epoch, ran_until=max(filter(None, written), default=None))


async def _last_written(database: str) -> datetime | None:
    connection = await asyncpg.connect(database)
    try:
        found: datetime | None = await connection.fetchval(LAST)
        return found
    finally:
        await connection.close()


async def _any_runs() -> bool:
    """Whether any service answers that `SVC_SERVICES` names."""
    if not (template := os.environ.get(running.SERVICES)):
        return False

    async def answers(url: str) -> bool:
        try:
            return (await client.get(f"{url}/livez")).is_success
        except httpx.HTTPError:
            return False

    async with httpx.AsyncClient(timeout=2) as client:
        return any(await asyncio.gather(*map(answers, running.elsewhere(template).services.values())))


def secure(terminal: Terminal, *, settings: Path, broker: Path, names: list[str]) -> int:
    """The job that makes a broker ask who everybody is: its settings and certificate, and what its clients go by.

    Args:
        settings: the folder that all containers read; `SVC_PRINCIPAL` and `SVC_PASSWORD` are each container's own.
        broker: the folder that the broker alone reads.
        names: by which names and addresses clients reach the broker.
    """
    passwords = passwords_from({ADMINISTRATOR})
    certificate, authority = broker / "broker.pem", settings / "ca.pem"
    renewed = not certificate.exists() or valid_for(authority) < RENEWED
    if renewed:
        certify(names, certificate, authority)
    properties = broker_settings(passwords[ADMINISTRATOR], str(certificate), str(authority))
    write_settings(broker / "kafka.env", [f"{_as_variable(name)}={quote(value)}" for name, value in properties.items()])
    everybody, admin = (_for_a_shell(client_settings(who, PASSWORD_OF)) for who in (PRINCIPAL_OF, ADMINISTRATOR))
    trusted = settings / "trusted.pem"  # a desk on the internet is to be trusted as before
    _write(trusted, f"{Path(certifi.where()).read_text()}\n{authority.read_text()}")
    lines = [
        f"SSL_CERT_FILE={quote(str(trusted))}",
        "SVC_GRANT=1",
        "case ${SVC_PRINCIPAL:-} in",
        "'') ;; # it has nothing to do with Kafka",
        f"{ADMINISTRATOR}) SVC_KAFKA={admin} ;;",
        f"*) SVC_KAFKA={everybody} ;;",
        "esac",
    ]
    write_settings(settings / "broker.env", lines)
    terminal.show(Text(f"Kafka asks who everybody is; its certificate {'is new' if renewed else 'stays'}."))
    return 0


def _for_a_shell(settings: Mapping[str, str]) -> str:
    """A JSON object in quotes; what it has of the container's own variables stands outside of them."""
    return f"'{orjson.dumps(settings).decode()}'"


def _as_variable(property: str) -> str:
    """The name that Kafka's image has for a property: `KAFKA_`, dots as one underscore, dashes as three."""
    return "KAFKA_" + property.upper().replace("_", "__").replace("-", "___").replace(".", "_")


def write_settings(file: Path, lines: Sequence[str]) -> None:
    """Write settings that a shell reads."""
    _write(file, "".join(f"{line}\n" for line in lines))


def _write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    try:
        new.write_text(text)
        new.replace(file)
    except OSError as error:
        raise Trouble(f"{file} cannot be written ({error.strerror}): mount a folder there that is writable.") from error


def required(setting: str) -> str:
    """A setting that must be there."""
    if value := os.environ.get(setting):
        return value
    raise Trouble(f"{setting} is not set: see the section on docker compose of README.md.")


def passwords_from(needed: set[str]) -> dict[str, str]:
    """The passwords in `SVC_PASSWORDS`; `Trouble` if one is missing or of no use."""
    try:
        found: dict[str, str] = TypeAdapter(dict[str, str]).validate_json(required(PASSWORDS))
    except ValidationError as error:
        raise Trouble(f'{PASSWORDS} is no JSON object of passwords: {{"plan": "...", "engage": "...", ...}}') from error
    for name in sorted(needed | found.keys()):
        if not PASSWORD.fullmatch(found.get(name, "")):
            raise Trouble(f"{PASSWORDS} has no password of use for {name}: 4 to 100 letters, digits, - and _.")
    return found
