"""One role and one database for each service, on a server of ours or of others."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from svc.machine.errors import MachineError

_PREFIX = "svc_"


async def provision(admin_url: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """Make sure that each name has its role and database, and that no other role gets in.

    Can be repeated: a role that is there gets the password given now. The administrator needs to be a
    superuser or to have CREATEROLE and CREATEDB; else MachineError.

    Args:
        admin_url: URL of an administrator of the server, with any database that it may connect to.
        passwords: for each name the password of its role.

    Returns:
        For each name the URL of its database with its own role.
    """
    connection = await asyncpg.connect(admin_url)
    try:
        for name, password in passwords.items():
            await _role(connection, _PREFIX + name, password)
            await _database(connection, _PREFIX + name)
    except asyncpg.InsufficientPrivilegeError as error:
        user = await connection.fetchval("select current_user")
        raise MachineError(
            f"The PostgreSQL user {user} may not make roles and databases ({error.args[0]}): "
            f"`alter role {user} createrole createdb`, or give an administrator's URL as DATABASE_URL."
        ) from error
    finally:
        await connection.close()
    return {name: _url(admin_url, _PREFIX + name, pw) for name, pw in passwords.items()}


async def _role(connection: asyncpg.Connection, role: str, password: str) -> None:
    exists = await connection.fetchval("select true from pg_roles where rolname = $1", role)
    # A statement of this kind takes no parameters, so the server quotes them for us first.
    statement = await connection.fetchval(
        "select format('%s role %I login password %L', $1::text, $2::text, $3::text)",
        "alter" if exists else "create",
        role,
        password,
    )
    await connection.execute(statement)


async def _database(connection: asyncpg.Connection, role: str) -> None:
    name = await connection.fetchval("select quote_ident($1)", role)
    if not await connection.fetchval("select true from pg_database where datname = $1", role):
        # An administrator who is no superuser can give a database only to a role that he may become.
        if not await connection.fetchval("select rolsuper from pg_roles where rolname = current_user"):
            await connection.execute(f"grant {name} to current_user")
        await connection.execute(f"create database {name} owner {name} encoding 'UTF8'")
    await connection.execute(f"revoke all on database {name} from public")


def _url(admin_url: str, role: str, password: str) -> str:
    parts = urlsplit(admin_url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{address}", path=f"/{role}"))
