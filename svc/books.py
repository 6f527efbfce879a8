"""The books of a chain that runs in containers: what its topics hold beside what its databases say."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from rich.text import Text

from contracts import value_chain
from contracts.stream import read_streams
from contracts.value_chain import ACTIVITIES
from svc import log, running
from svc.chaos import books, checks
from svc.looking import Seen
from svc.prepare import required
from svc.trouble import Trouble

STREAMS = Path(value_chain.__file__).parent / "value_streams"
AT_REST = 120.0
"""Seconds that a chain may take to come to rest."""
READINGS, SHOWN = 4, 20


async def balance() -> Seen:
    """Wait until nothing is on its way, and check the books; `Trouble` says what does not add up.

    At speed something comes up at any time, while topics and databases are read, and what is on its way looks like
    what was lost: only what each of several readings finds does not add up. The administrators of Kafka and PostgreSQL
    are asked, whom `SVC_KAFKA` and `DATABASE_URL` name.
    """
    bootstrap, admin_url = required(running.KAFKA), required("DATABASE_URL")
    clock = running.clock()
    urls = {activity: _database(admin_url, f"svc_{activity}") for activity in ACTIVITIES}
    groups = {activity: f"svc.{activity}" for activity in ACTIVITIES}
    streams, wrong = read_streams(STREAMS), dict[str, None]()
    for reading in range(READINGS):
        try:
            async with asyncio.timeout(AT_REST):
                await log.until_at_rest(urls, bootstrap, clock, groups=groups, since={})
        except TimeoutError as error:
            raise Trouble(f"After {AT_REST:.0f} s something is still on its way: repeat when less happens.") from error
        found = await books.read(urls, bootstrap, streams=streams, until=clock.now())
        stories = dict.fromkeys(story for check in checks.CHECKS for story in check(found))
        wrong = stories if reading == 0 else {story: None for story in wrong if story in stories}
        if not wrong:
            break
    if wrong:
        raise Trouble(f"It does not add up, {len(wrong)} times:\n" + "\n".join([*wrong][:SHOWN]))
    counted = {
        "records": len(found.log),
        "receipts": sum(map(len, found.receipts.values())),
        "demands": len(found.demands),
        "aside": sum(map(len, found.aside.values())),
        "checks": len(checks.CHECKS),
    }
    said = "{records} records, {receipts} receipts, {demands} demands: {checks} checks, and all add up."
    return Seen(Text(said.format_map(counted)), counted)


def _database(admin_url: str, name: str) -> str:
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))
