"""The history of a chain that really runs is read from its topics and databases: the same invariants look at it."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

import asyncpg
from aiokafka import AIOKafkaProducer

from contracts.engage import DemandStatusReported
from contracts.envelope import encode, source_of
from contracts.outside import DemandWithdrawn
from contracts.value_chain import ACTIVITIES, ENGAGE, flow_of, inbox
from services.engage.model import Demand
from svc import log, migrations
from svc.history import read_history
from svc.invariants import violations
from svc.machine import provision
from svc.topics import create_topics

if TYPE_CHECKING:
    from svc.machine import Machine

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def test_what_stands_in_topics_and_databases_is_what_the_invariants_look_at(machine: "Machine") -> None:
    suffix = secrets.token_hex(4)
    names = {activity: f"history_{activity}_{suffix}" for activity in ACTIVITIES}
    urls = await provision(machine.admin_url, {name: secrets.token_urlsafe(16) for name in names.values()})
    databases = {activity: urls[name] for activity, name in names.items()}
    await create_topics(machine.bootstrap)
    await migrations.migrate_all(databases)
    since = await log.ends_now(machine.bootstrap)
    demand, cause = uuid4(), uuid4()
    connection = await asyncpg.connect(databases[ENGAGE])
    await connection.execute(
        "INSERT INTO receipt (event_id, case_id, record) VALUES ($1, $2, '{}')", cause, str(demand)
    )
    producer = AIOKafkaProducer(bootstrap_servers=machine.bootstrap)
    await producer.start()
    for number, status in ((1, "in_progress"), (2, "withdrawn"), (2, "withdrawn")):  # the last is a repeat
        report = DemandStatusReported(demand=demand, status=status, requester="emily", text="", asks_confirmation=False)
        value = encode(
            report, id=uuid5(demand, str(number)), source=source_of(ENGAGE), time=NOON + timedelta(hours=number),
            sequence=number, cause=str(cause),
        )  # fmt: skip
        await producer.send_and_wait(flow_of(DemandStatusReported).topic, value, key=str(demand).encode())
    withdrawn = DemandWithdrawn(demand=demand, stakeholder="emily", reason="")
    command = encode(withdrawn, id=cause, source=source_of(ENGAGE), time=NOON)
    await producer.send_and_wait(inbox(ENGAGE), command, key=str(demand).encode())
    await producer.stop()

    history = await read_history(databases, machine.bootstrap, until=NOON, since=since)
    assert history.told_states == {str(demand): ["in_progress", "withdrawn"]}
    assert history.taken[ENGAGE] == {cause}
    assert {found.check for found in violations(history)} == {
        "every demand that was told of is in one state",
        "a demand is in the state its requester was told last",
    }, "the database has no such demand"
    await put_demand(connection, demand)
    assert violations(await read_history(databases, machine.bootstrap, until=NOON, since=since)) == []
    await connection.close()
    server = await asyncpg.connect(machine.admin_url)
    for name in names.values():
        await server.execute(f"DROP DATABASE svc_{name} WITH (FORCE)")
        await server.execute(f"DROP ROLE svc_{name}")
    await server.close()


async def put_demand(connection: asyncpg.Connection, demand: UUID) -> None:
    """Put the demand into its table, as its activity writes it."""
    written = Demand.dump([Demand(id=demand, version=1, status="withdrawn")]).decode()
    await connection.execute('INSERT INTO "demand" SELECT * FROM json_populate_recordset(NULL::"demand", $1)', written)
