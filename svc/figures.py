"""The chain in figures for Prometheus: demands by stream and state, what is waited for, open work, what is set aside.

They are counted in the services' databases when somebody asks (`GET /metrics`), so they are right after any restart and
cost nothing while messages flow. What concerns the flow itself (lag, ages, durations, spans) each service shows at its
own `/metrics`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

import asyncpg
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.value_chain import ACTIVITIES, ENGAGE
from svc import words
from svc.loopback import serve
from svc.trouble import Trouble

Rows = list[dict[str, Any]]
PATIENCE = 4.0
"""Seconds that one database may take; Prometheus gives up after ten by itself."""

DEMANDS = """SELECT stream, status, count(*) AS value FROM demand WHERE status IS NOT NULL GROUP BY 1, 2"""
LEAD_TIME = """SELECT stream, status, count(*) AS count, sum(extract(epoch FROM closed_at - captured_at)) AS total
FROM demand WHERE closed_at IS NOT NULL GROUP BY 1, 2"""
WAITS = """SELECT CASE WHEN effect IS NOT NULL THEN 'outside' WHEN begun IS FALSE THEN 'work centre'
    WHEN centre IS NOT NULL THEN 'work' ELSE 'date' END AS kind, type, coalesce(centre, '') AS centre, count(*) AS value
FROM pending GROUP BY 1, 2, 3"""
FAILING = "SELECT type, count(*) AS value FROM pending WHERE error IS NOT NULL GROUP BY 1"
PARKED = """SELECT count(*) AS records, count(DISTINCT case_id) AS cases,
    coalesce(extract(epoch FROM now() - min(at)), 0) AS oldest FROM parked"""
KINDS_OF_WORK = """SELECT table_name FROM information_schema.columns
WHERE table_schema = current_schema() AND column_name = 'done_type' ORDER BY 1"""
QUERIES = {"waits": WAITS, "failing": FAILING, "parked": PARKED}
"""Asked of every activity; of Engage also what it knows of demands."""


class Figures(Collector):
    """What was read from the databases, as Prometheus wants it told."""

    def __init__(self, read: Mapping[str, Mapping[str, Rows] | None]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Every metric; of a database that did not answer, only that."""
        here = {activity: read for activity, read in self._read.items() if read is not None}
        up = GaugeMetricFamily("svc_database_up", "Whether an activity's database answers", labels=["activity"])
        for activity in self._read:
            up.add_metric([activity], activity in here)
        yield up
        engage = here.get(ENGAGE, {})
        demands = GaugeMetricFamily("svc_demands", "Demands in a state", labels=["stream", "status"])
        _add(demands, ("stream", "status"), engage.get("demands", []))
        yield demands
        lead = SummaryMetricFamily(
            "svc_demand_lead_time_seconds", "From first contact to the final state, in chain time",
            labels=["stream", "status"],
        )  # fmt: skip
        for row in engage.get("lead_time", []):
            lead.add_metric([row["stream"], row["status"]], row["count"], float(row["total"]))
        yield lead
        about = {
            "svc_waits": ("Times and effects that are waited for", "waits", ("kind", "message", "centre")),
            "svc_failing": ("Timers and effects outside whose last attempt has failed", "failing", ("message",)),
            "svc_open_work": ("Work that somebody has to do", "work", ("kind", "owner")),
        }
        for name, (said, part, labels) in about.items():
            family = GaugeMetricFamily(name, said, labels=["activity", *labels])
            for activity, read in here.items():
                _add(family, labels, read[part], activity)
            yield family
        parked = {
            "svc_parked_records": ("Records that are set aside", "records"),
            "svc_parked_cases": ("Cases that wait for a record that is set aside", "cases"),
            "svc_parked_oldest_seconds": ("Since when the oldest of them waits, in the wall's time", "oldest"),
        }
        for name, (said, column) in parked.items():
            family = GaugeMetricFamily(name, said, labels=["activity"])
            for activity, read in here.items():
                family.add_metric([activity], float(read["parked"][0][column]))
            yield family


def _add(family: GaugeMetricFamily, labels: Iterable[str], rows: Rows, *before: str) -> None:
    for row in rows:
        family.add_metric([*before, *(_label(row, label) for label in labels)], row["value"])


def _label(row: Mapping[str, Any], label: str) -> str:
    """A message by its class; anything else as it stands."""
    return words.message_name(row["type"]) if label == "message" else str(row[label])


async def read(databases: Mapping[str, str]) -> dict[str, dict[str, Rows] | None]:
    """What each activity's database says; None for one that does not answer in time."""
    found = await asyncio.gather(*(_read(activity, url) for activity, url in databases.items()))
    return dict(zip(databases, found, strict=True))


async def _read(activity: str, url: str) -> dict[str, Rows] | None:
    try:
        async with asyncio.timeout(PATIENCE):
            connection = await asyncpg.connect(url, server_settings={"default_transaction_read_only": "on"})
            try:
                asked = QUERIES | ({"demands": DEMANDS, "lead_time": LEAD_TIME} if activity == ENGAGE else {})
                found = {name: [dict(row) for row in await connection.fetch(query)] for name, query in asked.items()}
                found["work"] = []
                for (table,) in await connection.fetch(KINDS_OF_WORK):
                    query = f"SELECT owner, count(*) AS value FROM \"{table}\" WHERE status = 'open' GROUP BY 1"
                    found["work"] += [{"kind": table, **row} for row in await connection.fetch(query)]
                return found
            finally:
                await connection.close(timeout=1)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return None


async def shown(databases: Mapping[str, str]) -> bytes:
    """All of it in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(await read(databases)))
    return generate_latest(registry)


def route(databases: Mapping[str, str]) -> Route:
    """`GET /metrics`; databases may be filled in later, and until then there is nothing to show."""

    async def metrics(request: Request) -> Response:
        return Response(await shown(databases), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Route("/metrics", metrics)


def app(databases: Mapping[str, str]) -> Starlette:
    """The figures alone, for a container of their own."""
    return Starlette(routes=[route(databases)])


async def run(configured: str, host: str, port: int, until: Callable[[], Awaitable[None]]) -> int:
    """Show the figures of these databases (JSON: activity to URL) until it is told to end. `Trouble` for wrong ones."""
    try:
        databases = TypeAdapter(dict[str, str]).validate_json(configured)
    except ValidationError as error:
        raise Trouble(
            f"SVC_DATABASES is a JSON object of activity to database URL: {error.errors()[0]['msg']}"
        ) from error
    if unknown := sorted(set(databases) - set(ACTIVITIES)) if databases else ["nobody"]:
        raise Trouble(f"SVC_DATABASES names {words.listed(unknown)}: it names {words.listed(list(ACTIVITIES))}.")
    async with serve(app(databases), port, host):
        await until()
    return 0
