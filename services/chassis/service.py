"""A service: its HTTP side (health, metrics, trail, work, dead letters, its activity's routes) around its worker."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, ClassVar
from uuid import UUID

import asyncpg
import orjson
import structlog
import uvicorn
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import REGISTRY, exposition
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.processors import JSONRenderer, TimeStamper, add_log_level, format_exc_info

from contracts.stream import read_streams
from services.chassis.commands import AS_PROBLEM, Commanding, Waiters, answer_of, problem
from services.chassis.handlers import Handlers, Redriving
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.store import AWAY, prepare
from services.chassis.tracing import METERS
from services.chassis.work import WorkDone, WorkItem
from services.chassis.worker import FINISHING, LEAVING, Effects, Worker

PROBLEMS: dict[int | str, dict[str, Any]] = dict.fromkeys((400, 404, 413, 422, 503), AS_PROBLEM)
TRAIL = "SELECT * FROM all_receipts WHERE case_id = $1 ORDER BY at, (record->>'decided_at')"
MEASURED: Any = {"tracing": False, "logs": False, "meter_provider": METERS}
SHOWN = ("consumed", "told", "practised")
DEAD = """SELECT event_id, case_id, topic, part, off, reason, at, encode(value, 'escape') AS value FROM parked
ORDER BY number LIMIT 1000"""


async def database_session(request: Request) -> AsyncSession:
    """A read-only session on the service's own database; select from `SomeState.rows()`."""
    return AsyncSession(request.app.state.engine)


Reading = Annotated[AsyncSession, Depends(database_session)]
"""Such a session, as a parameter of a route."""


class WorkReport(BaseModel):
    """Work has been done by somebody."""

    by: Annotated[str, Field(min_length=1, max_length=200)]
    """Who did it: a person or another system."""


routes = APIRouter()


@routes.get("/livez", tags=["health"])
async def livez() -> dict[str, bool]:
    """The process answers."""
    return {"alive": True}


@routes.get("/readyz", tags=["health"])
async def readyz(request: Request) -> Response:
    """Ready for work: database, broker and partitions are there; else 503 and what is missing."""
    missing = request.app.state.runtime.missing
    return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)


@routes.get("/metrics", tags=["health"])
async def metrics(request: Request) -> Response:
    """Metrics in Prometheus' text format, or in that of OpenMetrics, which has exemplars, for whoever accepts it."""
    encode, kind = exposition.choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), media_type=kind)


@routes.get("/trail/{case:path}", tags=["trail"])
async def trail(case: str, request: Request) -> list[dict[str, Any]]:
    """What this activity has heard, decided and told about a case, in order."""
    rows = await request.app.state.runtime.pool.fetch(TRAIL, case)
    return [dict(id=row["event_id"], at=row["at"], case=row["case_id"], **orjson.loads(row["record"])) for row in rows]


@routes.get("/coverage", tags=["trail"])
async def coverage(request: Request) -> dict[str, list[dict[str, Any]]]:
    """What this activity has consumed with an effect, from whom; what it has told; which practices it has drawn on."""
    return {one: list(map(dict, await request.app.state.runtime.pool.fetch(f"SELECT * FROM {one}"))) for one in SHOWN}


@routes.get("/commands/{id}", tags=["commands"], responses=PROBLEMS)
async def command(id: UUID, request: Request) -> Response:
    """The answer of a command that was still running; 404 while it runs, or if it never came."""
    if receipt := (await request.app.state.waiters.find(id)).get(id):
        return answer_of(receipt)
    return problem(404, "No answer yet", "It is still running or never arrived; `GET /dlq` shows what is parked.")


@routes.get("/work", tags=["work"])
async def work(request: Request, session: Reading) -> list[dict[str, Any]]:
    """Open work, with owner and promise."""
    queries = {kind.table: select(kind.rows()).where(kind.rows().status == "open") for kind in kinds_of_work(request)}
    async with session:
        rows = [(kind, row) for kind, query in queries.items() for row in await session.exec(query)]
    # lists of a JSON column stand where tuples were declared
    return [{"kind": kind, **row.model_dump(mode="json", warnings=False)} for kind, row in rows]


@routes.post("/work/{kind}/{id}/done", tags=["work"], status_code=204, responses=PROBLEMS)
async def work_done(kind: str, id: UUID, report: WorkReport, door: Commanding, session: Reading) -> Response:
    """Report that a piece of work is done; what comes of it is decided as for every other way of doing it."""
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
    return [dict(row) for row in await request.app.state.runtime.pool.fetch(DEAD)]


@routes.post("/dlq/{case:path}/redrive", tags=["dead letters"], responses=PROBLEMS)
async def redrive(case: Annotated[str, Path(max_length=255)], what: Redriving, door: Commanding) -> Response:
    """Take a case's parked records up again, in order; one may be given up, or corrected."""
    if what.edit and (wrong := door.runtime.codec.objection(orjson.dumps(what.value), case)):
        return problem(422, "It could not be used either", f"{wrong}. Nothing has changed.")
    return await door.ask(door.runtime.handlers.redrive(parked_case=case, **dict(what)))


def kinds_of_work(request: Request) -> list[type[WorkItem]]:
    """The kinds of work this activity has."""
    return [state for state in request.app.state.runtime.handlers.states if issubclass(state, WorkItem)]


def create_app(
    handlers: Handlers, router: APIRouter, effects: Effects | None = None, settings: Settings | None = None
) -> FastAPI:
    """The application of one activity; `StreamError` or `ValueError` when a stream file or its settings are wrong."""
    settings = settings or Settings()
    handlers.follow(read_streams(settings.streams))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime = app.state.runtime = Runtime(handlers, settings)
        url = settings.database.replace("postgresql://", "postgresql+asyncpg://", 1)
        look = {"timeout": 5, "server_settings": {"default_transaction_read_only": "on"}}
        app.state.engine = create_async_engine(url, pool_size=1, max_overflow=2, pool_pre_ping=True, connect_args=look)
        limits: dict[str, Any] = {"min_size": 0, "max_size": 3, "max_inactive_connection_lifetime": 30}
        runtime.pool = asyncpg.create_pool(settings.database, **limits, init=prepare, timeout=5)
        async with runtime.pool:
            app.state.waiters = Waiters(runtime.pool)
            worker = Worker(runtime, effects or {})
            working = asyncio.create_task(worker.run())
            working.add_done_callback(partial(_ended, app))
            yield
            worker.stopping.set()
            with suppress(Exception):  # `_ended` has said how it failed
                await asyncio.wait_for(working, FINISHING + LEAVING)
            await app.state.engine.dispose()
        runtime.tracer.processor.shutdown()

    title = handlers.activity.replace("_", " ").capitalize()
    app = FastAPI(title=f"{title} of the service value chain", lifespan=lifespan, telemetry=MEASURED)
    app.description = f"An Idempotency-Key is known for {settings.keep_receipts:g} days (0: for ever)."
    app.state.give_up = lambda: None
    app.include_router(router)  # before ours: routes are tried in their order, and its own are asked the most
    app.include_router(routes)
    app.add_middleware(limit_body, settings.max_body)
    for kind in (HTTPException, RequestValidationError, DBAPIError, KafkaError, *AWAY, Exception):
        app.add_exception_handler(kind, tell_problem)
    return app


def serve(app: FastAPI) -> None:
    """Run a service until SIGTERM or Ctrl-C. It ends with 1 when its worker has failed: to be started anew."""
    settings = Settings()
    if not settings.database:
        sys.exit("SVC_DATABASE is not set: this service's database, as postgresql://user:password@host/name")
    # every line of the log is one JSON object, those of libraries too; a traceback is a text in it
    stderr = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure([add_log_level, TimeStamper(fmt="iso"), format_exc_info, JSONRenderer()], logger_factory=stderr)
    logging.basicConfig(level=logging.WARNING, handlers=[Libraries()], force=True)
    quiet: dict[str, Any] = {"log_config": None, "access_log": False}
    server = uvicorn.Server(uvicorn.Config(app, settings.host, settings.port, **quiet, timeout_graceful_shutdown=10))
    app.state.give_up = partial(setattr, server, "should_exit", True)
    server.run()
    if not server.started or "worker" in app.state.runtime.missing:
        sys.exit(1)


def _ended(app: FastAPI, working: asyncio.Task[None]) -> None:
    """A worker that ends by a programming error ends the service, so that whoever supervises it starts it anew."""
    if not working.cancelled() and (error := working.exception()):
        app.state.runtime.log.error("the worker has failed, the service ends", exc_info=error)
        app.state.runtime.missing["worker"] = repr(error)
        app.state.give_up()


class Libraries(logging.Handler):
    """Logs what libraries say, a sentence once in 30 s: aiokafka says thousands of times that it cannot connect."""

    said: ClassVar[dict[tuple[str, str], float]] = {}
    """When a sentence was said last, by the library and the sentence, in seconds."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as a line of our own; what stands in the place holders of a sentence does not make it another one."""
        sentence = (record.name, str(record.msg)[:100])
        if record.created - self.said.get(sentence, 0) > 30:
            self.said[sentence] = record.created
            structlog.get_logger(library=record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def limit_body(app: ASGIApp, most: int) -> ASGIApp:
    """Refuse a body of more than `most` bytes with 413, before it is read into memory."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(413, f"It is larger than {most} bytes: send less, or raise SVC_MAX_BODY.")
            return message

        await app(scope, counted if scope["type"] == "http" else receive, send)

    return limited


async def tell_problem(request: Request, error: Exception) -> Response:
    """Any error as RFC 9457 tells it: what the caller did wrong, what is away, and, at last, what is our own fault."""
    if isinstance(error, HTTPException):
        phrase = HTTPStatus(error.status_code).phrase
        return problem(error.status_code, phrase, str(error.detail), **(error.headers or {}))
    if isinstance(error, RequestValidationError):
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'][1:])) or 'body'}: {e['msg']}" for e in error.errors())
        return problem(422, "The input is not valid", wrong)
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, asyncpg.DataError):
        return problem(422, "The input is not valid", f"The database refuses it: {cause}")
    if isinstance(error, (DBAPIError, KafkaError, *AWAY)):  # nothing was lost
        reason = f"{type(error).__name__}: {error}"
        request.app.state.runtime.log.warning("a command could not be taken", path=request.url.path, reason=reason)
        away = "Kafka or PostgreSQL cannot be reached (`GET /readyz` says which)."
        repeat = "Repeat with the same Idempotency-Key: nothing happens twice."
        return problem(503, "Not ready", f"{away} {repeat}", Retry_After="2")
    return problem(500, "This is a fault of the service", "What went wrong is in its log.")
