"""A service: its HTTP side (health, metrics, trail, work, dead letters, and the activity's own routes) around its worker."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from prometheus_client import generate_latest
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.stream import StreamError, Streams, read_stream
from services.chassis.commands import Door, Waiters, answer_of, problem, unavailable
from services.chassis.handlers import Handlers
from services.chassis.outputs import Effect, Problem
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.store import AWAY
from services.chassis.work import WorkDone, WorkItem
from services.chassis.worker import Perform, Worker

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        400: "Idempotency-Key is missing",
        404: "There is no such thing",
        413: "The body is too large",
        422: "The input is not valid",
        503: "Kafka or PostgreSQL cannot be reached; repeat",
    }.items()
}
TRAIL = "SELECT event_id, case_id, at, record FROM receipt WHERE case_id = $1 ORDER BY at, (record->>'decided_at')"
CONSUMED = """SELECT record->>'type' AS type, record->>'source' AS source, count(*) AS count FROM receipt
WHERE (record->>'effect')::bool GROUP BY 1, 2"""
TOLD = "SELECT o->>'type' AS type, count(*) AS count FROM receipt, json_array_elements(record->'outputs') o GROUP BY 1"
DEAD = "SELECT event_id, case_id, topic, part, off, reason, at, encode(value, 'escape') AS value FROM parked ORDER BY number LIMIT 1000"


def database_session(request: Request) -> AsyncSession:
    """A read-only session on the service's own database (`Depends(database_session)`); select from `SomeState.rows()`."""
    return AsyncSession(request.app.state.engine)


class WorkReport(BaseModel):
    """Work has been done by somebody."""

    by: str
    """Who did it: a person or another system."""


class Redriving(BaseModel):
    """What to do with a parked case."""

    discard: UUID | None = None
    """The record to give up; none to try all of them again."""
    reason: str = ""
    """Why it is given up; kept with it."""


routes = APIRouter()


@routes.get("/livez", tags=["health"])
async def livez() -> dict[str, bool]:
    """The process answers."""
    return {"alive": True}


@routes.get("/readyz", tags=["health"])
async def readyz(request: Request) -> Response:
    """Ready for work: database, broker and partitions are there; else 503 and what is missing."""
    missing = request.app.state.runtime.missing
    return Response(
        orjson.dumps({"ready": not missing, "missing": missing}), 503 if missing else 200, media_type="application/json"
    )


@routes.get("/metrics", tags=["health"])
async def metrics(request: Request) -> Response:
    """Metrics in Prometheus' text format."""
    return Response(
        generate_latest(request.app.state.runtime.registry), media_type="text/plain; version=0.0.4; charset=utf-8"
    )


@routes.get("/trail/{case}", tags=["trail"])
async def trail(case: str, request: Request) -> list[dict[str, Any]]:
    """What this activity has heard, decided and told about a case, in order."""
    rows = await request.app.state.pool.fetch(TRAIL, case)
    return [
        {"id": row["event_id"], "at": row["at"], "case": row["case_id"], **orjson.loads(row["record"])} for row in rows
    ]


@routes.get("/coverage", tags=["trail"])
async def coverage(request: Request) -> dict[str, list[dict[str, Any]]]:
    """Which types this activity has consumed with an effect, from whom, and which it has told."""
    pool = request.app.state.pool
    return {"consumed": list(map(dict, await pool.fetch(CONSUMED))), "told": list(map(dict, await pool.fetch(TOLD)))}


@routes.get("/commands/{id}", tags=["commands"], responses=PROBLEMS)
async def command(id: UUID, request: Request) -> Response:
    """The answer of a command that was still running; 404 while it runs, or if it never came."""
    receipt = await request.app.state.waiters.find(id)
    return (
        answer_of(receipt)
        if receipt
        else problem(404, "No answer yet", "It is still running or never arrived; `GET /dlq` shows what is parked.")
    )


@routes.get("/work", tags=["work"])
async def work(request: Request, session: Annotated[AsyncSession, Depends(database_session)]) -> list[dict[str, Any]]:
    """Open work, with owner and promise."""
    found: list[dict[str, Any]] = []
    async with session:
        for kind in kinds_of_work(request):
            rows = await session.exec(select(kind.rows()).where(kind.rows().status == "open"))
            found += [{"kind": kind.table, **row.model_dump(mode="json")} for row in rows]
    return found


@routes.post("/work/{kind}/{id}/done", tags=["work"], status_code=204, responses=PROBLEMS)
async def work_done(
    kind: str,
    id: UUID,
    report: WorkReport,
    door: Annotated[Door, Depends()],
    session: Annotated[AsyncSession, Depends(database_session)],
) -> Response:
    """Report that a piece of work is done; what comes of it is decided by the same rules as for every other way of doing it."""
    item = next((item for item in kinds_of_work(door.request) if item.table == kind), None)
    async with session:
        row = await session.get(item.rows(), id) if item else None
    if row is None or row.status == "none":
        return problem(404, "No such work", "`GET /work` lists what is open, with kind and id.")
    done = door.runtime.handlers.messages[row.done_type].model_validate_json(row.done_data)
    assert isinstance(done, WorkDone)
    return await door.ask(done.model_copy(update={"by": report.by}))


@routes.get("/dlq", tags=["dead letters"])
async def dead_letters(request: Request) -> list[dict[str, Any]]:
    """Records that could not be handled, and those that wait behind them."""
    return [dict(row) for row in await request.app.state.pool.fetch(DEAD)]


@routes.post("/dlq/{case}/redrive", tags=["dead letters"], responses=PROBLEMS)
async def redrive(case: str, what: Redriving, door: Annotated[Door, Depends()]) -> Response:
    """Take a case's parked records up again, in order."""
    return await door.ask(door.runtime.handlers.redrive(parked_case=case, discard=what.discard, reason=what.reason))


def kinds_of_work(request: Request) -> list[type[WorkItem]]:
    """The kinds of work this activity has."""
    return [state for state in request.app.state.runtime.handlers.states if issubclass(state, WorkItem)]


def create_app(
    handlers: Handlers, router: APIRouter | None = None, effects: Mapping[type[Effect], Perform] | None = None, settings: Settings | None = None
) -> FastAPI:  # fmt: skip
    """The application of one activity. `StreamError` or `ValueError` when its configuration or a stream file is wrong."""
    settings = settings or Settings()
    handlers.follow(load_streams(settings))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime = app.state.runtime = Runtime(handlers, settings)
        url = settings.database.replace("postgresql://", "postgresql+asyncpg://", 1)
        engine: AsyncEngine = create_async_engine(url, pool_size=1, max_overflow=2, pool_pre_ping=True)
        app.state.engine = engine
        app.state.pool = asyncpg.create_pool(
            settings.database, min_size=0, max_size=2, max_inactive_connection_lifetime=30, init=_as_bytes
        )
        async with app.state.pool:
            app.state.waiters = Waiters(app.state.pool)
            worker = Worker(runtime, effects or {})
            working = asyncio.create_task(worker.run())
            working.add_done_callback(
                lambda task: None if task.cancelled() or not task.exception() else _die(runtime, task)
            )
            yield
            worker.stopping.set()
            await asyncio.wait({working}, timeout=20)
            await engine.dispose()
        runtime.tracer.shutdown()

    title = handlers.activity.replace("_", " ").capitalize()
    app = FastAPI(title=f"{title} of the service value chain", lifespan=lifespan, telemetry=None)
    app.include_router(routes)
    if router:
        app.include_router(router)
    app.add_middleware(BodyLimit, settings.max_body)
    _tell_problems(app)
    return app


def load_streams(settings: Settings) -> Streams:
    """The value streams in the configured folder. `StreamError` names file, step and field."""
    files = sorted(settings.streams.glob("*.yaml"))
    if not files:
        raise StreamError(
            f"{settings.streams}: there is no value stream file (*.yaml); set SVC_STREAMS to the folder that has them"
        )
    return Streams(read_stream(file.read_text(encoding="utf-8"), file.stem) for file in files)


def serve(app: FastAPI, settings: Settings | None = None) -> None:
    """Run a service until SIGTERM or Ctrl-C."""
    settings = settings or Settings()
    uvicorn.run(
        app, host=settings.host, port=settings.port, log_level="warning", access_log=False, timeout_graceful_shutdown=15
    )


class BodyLimit:
    """Refuses a body that is larger than a record may be, before it is read into memory."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in; a body that passes the limit ends in 413."""
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most:
                raise HTTPException(
                    413, f"The body is larger than {self.most} bytes: send less, or raise SVC_MAX_BODY."
                )
            return message

        await self.app(scope, counted if scope["type"] == "http" else receive, send)


async def _as_bytes(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")


def _die(runtime: Runtime, task: asyncio.Task[None]) -> None:
    """A worker that ends by a programming error ends the service, so that whoever supervises it starts it anew."""
    runtime.log.error("the worker has ended", exc_info=task.exception())
    runtime.missing["worker"] = repr(task.exception())


def _tell_problems(app: FastAPI) -> None:
    titles = {404: "There is no such thing", 405: "This method is not allowed here", 413: "The body is too large"}

    async def refused(request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, titles.get(error.status_code, "The request was refused"), str(error.detail))

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'][1:])) or 'body'}: {e['msg']}" for e in error.errors())
        return problem(422, "The input is not valid", wrong)

    async def away(request: Request, error: Exception) -> Response:
        return unavailable(request.app.state.runtime, error)

    app.add_exception_handler(HTTPException, refused)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]
    for kind in AWAY:
        app.add_exception_handler(kind, away)
