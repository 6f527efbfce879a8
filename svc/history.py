"""The history of a chain that really runs, as the invariants look at it: what stands in its topics and databases.

Read it when the chain is at rest (`log.until_at_rest`): what is on its way looks like what was lost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from contracts.value_chain import ACTIVITIES, inbox
from services.chassis.state import State
from svc.invariants import History, Told
from svc.log import Offsets, handlers_of, read_log

Row = TypeVar("Row", bound=State[Any])
INBOXES = frozenset(map(inbox, ACTIVITIES))
"""The topics of commands; all others have events."""


async def read_history(
    databases: Mapping[str, str], bootstrap: str, *, until: datetime, since: Offsets | None = None
) -> History:
    """All of it, up to chain time `until`; `since` is where the chain's records begin, if others were there before."""
    told: dict[str, Told] = {}
    for record in await read_log(bootstrap, since or {}):
        if record.teller and record.topic not in INBOXES:  # a repeat after a crash has the same id
            told.setdefault(record.id, Told.read(record.event, record.value or b""))
    rows: dict[str, dict[str, list[State[Any]]]] = {}
    taken = {}
    for activity in ACTIVITIES:
        connection = await asyncpg.connect(databases[activity])
        try:
            rows[activity] = {s.__name__: await all_rows(connection, s) for s in handlers_of(activity).states}
            taken[activity] = {row["event_id"] for row in await connection.fetch("SELECT event_id FROM receipt")}
        finally:
            await connection.close()
    in_order = sorted(told.values(), key=lambda one: (one.time, one.sequence))
    return History(in_order, rows, taken, until)


async def all_rows(connection: asyncpg.Connection, state: type[Row]) -> list[Row]:
    """Every row that a database has of a state."""
    found = await connection.fetchval(f'SELECT json_agg(t) FROM "{state.table}" t')
    return list(state.load(found and found.encode()).values())
