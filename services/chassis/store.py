"""An activity's database: the two statements of a batch, one to read and one to write, and what else is asked of it.

The chassis's own tables stand in `migrations/`: `receipt` (inbox and outbox in one row: a record was handled, and these
are its outputs), `ownership` (who may write for a partition number, and what the owner may not have told yet),
`progress` (how far this database has got in each partition), `pending` (timers, and effects outside that still have to
be done), `parked` (records that could not be handled, and later ones of their case, in order), `cases` (`Case` in
`state.py`), and `trail` (receipts that have expired).
"""

from collections.abc import Container, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.chassis.state import State


def read_statement(states: Sequence[type[State[Any]]], locked: Container[type[State[Any]]] = ()) -> str:
    """$1 event ids, then the row ids of each state.

    One row comes back: receipts, and one JSON array a state, None for no row. Rows of the states in `locked` are locked
    in id order, so batches queue up for them instead of running into each other.
    """
    parts = ["(SELECT json_agg(t) FROM (SELECT event_id, record FROM receipt WHERE event_id = ANY($1::uuid[])) t)"]
    for number, state in enumerate(states, 2):
        kind = "uuid" if state.model_fields["id"].annotation is UUID else "text"
        rows = f'SELECT * FROM "{state.table}" WHERE id = ANY(${number}::{kind}[])'
        parts.append(f"(SELECT json_agg(t) FROM ({rows}{' ORDER BY id FOR UPDATE' if state in locked else ''}) t)")
    return "SELECT " + ",\n       ".join(parts)


WRITE = """WITH owned_ AS (UPDATE ownership o SET untold = n.untold FROM json_populate_recordset(NULL::ownership, $7) n
  WHERE o.part = n.part AND o.epoch = n.epoch RETURNING 1),
receipt_ AS (INSERT INTO receipt (event_id, case_id, record)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::json[]) ON CONFLICT DO NOTHING RETURNING 1),
pending_ AS (INSERT INTO pending SELECT * FROM json_populate_recordset(NULL::pending, $4) ON CONFLICT DO NOTHING),
progress_ AS (INSERT INTO progress AS old SELECT * FROM json_populate_recordset(NULL::progress, $5) ORDER BY topic, part
  ON CONFLICT (topic, part) DO UPDATE SET next_offset = greatest(old.next_offset, excluded.next_offset)),
parked_ AS (INSERT INTO parked (event_id, case_id, topic, part, off, value, reason)
  SELECT event_id, case_id, topic, part, off, value, reason FROM json_populate_recordset(NULL::parked, $6)
  ON CONFLICT (event_id) DO UPDATE SET reason = excluded.reason),
redriven_ AS (DELETE FROM parked WHERE event_id = ANY($1::uuid[]))"""
"""What is written for every activity; a step for each of its states follows."""


def write_statement(states: Sequence[type[State[Any]]]) -> str:
    """All of a batch or nothing.

    $1-$3 receipts (ids in order: two writers would deadlock otherwise), $4 timers and effects, $5 positions,
    $6 parked records, $7 under which epochs this is written, and what of it is not told yet; then the changed rows of
    each state, guarded by their version.
    """
    steps, counts = [WRITE], ["(SELECT count(*) FROM receipt_) = cardinality($1::uuid[])"]
    for number, state in enumerate(states, 8):
        columns = ", ".join(f'"{name}"' for name in state.model_fields)
        new = ", ".join(f'"{name}" = excluded."{name}"' for name in state.model_fields if name != "id")
        steps.append(f'''"{state.table}_" AS (INSERT INTO "{state.table}" AS old ({columns})
  SELECT {columns} FROM json_populate_recordset(NULL::"{state.table}", ${number}) ORDER BY id
  ON CONFLICT (id) DO UPDATE SET {new} WHERE old.version = excluded.version - 1 RETURNING 1)''')
        counts.append(f'(SELECT count(*) FROM "{state.table}_") = json_array_length(${number})')
    done, whole = ",\n".join(steps), "\n AND ".join(counts)
    owned = "(SELECT count(*) FROM owned_) = json_array_length($7)"
    return f"{done}\nSELECT CASE WHEN NOT {owned} THEN replaced() WHEN {whole}\nTHEN true ELSE conflict() END"


CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError)
"""Another writer was first: read again."""
REPLACED = asyncpg.LockNotAvailableError
"""Another owner has taken the partition over: what this one has not written belongs to the other."""
REFUSALS = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.ProgramLimitExceededError, ValueError)
"""The database will not have it, however often it is tried; `ValueError`: asyncpg itself cannot encode it."""
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
"""Anything else: the database, or a connection that was broken off in the middle, cannot be worked with now."""

REDRIVE = "SELECT event_id, topic, part, off, value FROM parked WHERE case_id = $1 ORDER BY number"
TAKE_OVER = """INSERT INTO ownership (part, epoch, untold) VALUES ($1, 1, '{}')
ON CONFLICT (part) DO UPDATE SET epoch = ownership.epoch + 1 RETURNING epoch, untold"""
REACHED = "SELECT topic, next_offset FROM progress WHERE part = $1"
UNTOLD = "SELECT record FROM receipt JOIN unnest($1::uuid[]) WITH ORDINALITY u(id, n) ON event_id = u.id ORDER BY u.n"
HOUSEKEEPING = "SELECT begin_work($1, $2), expire($3)"
CLAIM = """UPDATE pending SET claimed_until = now() + $2::float8 * interval '1 second', attempts = attempts + 1
WHERE id IN (SELECT id FROM pending WHERE due <= $1 AND begun IS NOT FALSE
             AND (claimed_until IS NULL OR claimed_until < now()) ORDER BY due, id LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING id, due, attempts, effect, case_id, type, data, context"""
NEXT_DUE = "SELECT min(due) FROM pending WHERE claimed_until IS NULL AND begun IS NOT FALSE"
ATTEMPT_FAILED = "UPDATE pending SET claimed_until = now() + $2::float8 * interval '1 second', error = $3 WHERE id = $1"
BROUGHT = "DELETE FROM pending WHERE id = ANY($1::uuid[])"


async def connect(database: str) -> asyncpg.Connection:
    """A connection of its own, as `prepare` makes it."""
    stopped = {"idle_in_transaction_session_timeout": "10s"}  # who is held up must not hold its locks for ever
    connection = await asyncpg.connect(database, timeout=5, command_timeout=30, server_settings=stopped)
    await prepare(connection)
    return connection


async def prepare(connection: asyncpg.Connection) -> None:
    """On this connection JSON stays bytes: text goes from the socket into pydantic."""
    await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
