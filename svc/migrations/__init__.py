"""The databases' schemas: one Alembic environment for all activities; each keeps its migrations in its own folder.

A database gets the chassis's migrations and its activity's. `python -m svc.migrations new plan "why"` writes the
next one from what the models say; a test shows that nothing is left to write.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

UNDECLARED = frozenset({"receipt", "ownership", "progress", "pending", "parked", "trail"})
"""The chassis's tables that no model declares: its migrations are their only description."""
HERE = Path(__file__).parent
SERVICES = HERE.parents[1] / "services"


def configuration(activity: str) -> Config:
    """Alembic's configuration for the database of one activity."""
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    folders = [SERVICES / "chassis" / "migrations", SERVICES / activity / "migrations"]
    config.set_main_option("version_locations", "\n".join(str(folder).replace("%", "%%") for folder in folders))
    config.set_main_option("path_separator", "newline")
    return config


def tables(activity: str) -> list[MetaData]:
    """The tables that the models of the chassis and of an activity declare; a folder without handlers declares none."""
    if (SERVICES / activity / "handlers.py").exists():
        import_module(f"services.{activity}.handlers")  # every state is in some handler's annotation
    base = import_module("services.chassis.state").base
    return [base("services.chassis").metadata, base(f"services.{activity}").metadata]


def upgrade(connection: Connection, activity: str) -> bool:
    """Bring one database to the newest schema; says whether there was anything to do."""
    config = configuration(activity)
    heads = set(ScriptDirectory.from_config(config).get_heads())
    if set(MigrationContext.configure(connection).get_current_heads()) == heads:
        return False
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
    return True


def write_next(connection: Connection, activity: str, owner: str, message: str) -> None:
    """Write the next migration of `owner` (the activity, or chassis): what its models have beyond the database."""
    config = configuration(activity)
    config.attributes |= {"connection": connection, "metadata": tables(activity), "owner": owner}
    folder = SERVICES / owner / "migrations"
    folder.mkdir(exist_ok=True)
    number = len(list(folder.glob("*_0*.py"))) + 1
    head = f"{owner}_{number - 1:04}@head" if number > 1 else "base"
    first = number == 1
    id = f"{owner}_{number:04}"
    command.revision(config, message, autogenerate=True, version_path=str(folder), rev_id=id, head=head, splice=first)


async def run_on(url: str, step: Any, *arguments: object) -> Any:
    """Run a synchronous step on a connection to the database, in one transaction."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(step, *arguments)
    finally:
        await engine.dispose()


async def migrate(activity: str, url: str) -> bool:
    """Bring the database of one activity, at `url`, to the newest schema; says whether there was anything to do."""
    return bool(await run_on(url, upgrade, activity))


async def begin_at(url: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Note that a database knows what stands in topics before these offsets: else it has all of it told again."""
    connection = await asyncpg.connect(url)
    try:
        rows = [(*place, offset) for place, offset in offsets.items()]
        await connection.executemany("INSERT INTO progress VALUES ($1, $2, $3)", rows)
    finally:
        await connection.close()


async def migrate_all(urls: Mapping[str, str]) -> list[str]:
    """Bring every activity's database to the newest schema; returns the activities whose schema has changed.

    One after the other: Alembic keeps the migration that it runs in a global.
    """
    return [activity for activity, url in urls.items() if await migrate(activity, url)]
