"""`python -m svc.migrations new ACTIVITY|chassis "why"`: write the next migration, on a database made for it."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from svc.machine import Home, provision
from svc.machine.postgres import LocalPostgres
from svc.migrations import migrate, run_on, write_next


async def new(owner: str, message: str) -> None:
    """Migrate an empty database to what is committed, and write what the models have beyond it."""
    activity = "plan" if owner == "chassis" else owner
    with TemporaryDirectory() as folder:
        home = Home(Path(folder), downloads=Home().downloads)
        home.prepare()
        server = LocalPostgres(home)
        try:
            url = (await provision(await server.start(), home.passwords([activity])))[activity]
            await migrate(activity, url)
            await run_on(url, write_next, activity, owner, message)
        finally:
            await server.stop()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["new", owner, message]:
            asyncio.run(new(owner, message))
        case _:
            sys.exit(__doc__)
