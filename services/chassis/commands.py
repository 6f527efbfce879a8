"""The door for HTTP commands: each becomes a record on the inbox, once per idempotency key.

Its answer comes from the receipt. The same key gives the same answer; another method, path or body under it is 422, a
missing key 400. A caller whose command is still running after the wait gets 202 and where to look.
"""

import asyncio
import re
from contextlib import suppress
from hashlib import sha256
from time import time_ns
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg
import orjson
from aiokafka.errors import KafkaConnectionError
from fastapi import Depends, Header, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from opentelemetry.trace import SpanContext, SpanKind

from contracts import value_chain
from contracts.envelope import has_nul
from contracts.event import Command
from services.chassis import tracing
from services.chassis.outputs import Problem
from services.chassis.runtime import Runtime
from services.chassis.store import AWAY

RECEIPTS = "SELECT event_id, record FROM receipt WHERE event_id = ANY($1::uuid[])"
TRACE = "SELECT traceparent FROM cases WHERE id = $1"
PROBLEM = "application/problem+json"
AS_PROBLEM = {"content": {PROBLEM: {"schema": Problem.model_json_schema()}}}
"""An answer that a route may give besides, as its documents describe it."""


def problem(status: int, title: str, detail: str, **headers: str) -> JSONResponse:
    """An error as RFC 9457 tells it; `detail` says what to do."""
    body = Problem(title=title, status=status, detail=detail).model_dump()
    return JSONResponse(body, status, {name.replace("_", "-"): text for name, text in headers.items()}, PROBLEM)


Key = Annotated[str | None, Header(max_length=255, description="Names this command; repeat it with the same key.")]
Who = Annotated[str, Header(max_length=255, description="Who sends it; keys are looked up per client.")]
Prefer = Annotated[str, Header(description="`wait=N`: seconds to wait for the answer.")]


class Door:
    """One HTTP command on its way in."""

    def __init__(self, request: Request, key: str | None, client: str, prefer: str) -> None:
        self.request, self.runtime = request, request.app.state.runtime
        self.waiters: Waiters = request.app.state.waiters
        self.key, self.source, self.started = key, f"/client/{client}", time_ns()
        self.id = uuid5(NAMESPACE_URL, f"svc:{client}:{key}") if key else UUID(int=0)
        """The command's id, derived from caller and key; also what a new demand is named after; nil without a key."""
        asked = re.search(r"(?:^|[\s,;])wait\s*=\s*\"?(\d+)", prefer, re.IGNORECASE | re.ASCII)
        self.wait = min(float(asked[1]) if asked else 60.0, self.runtime.settings.wait)

    async def ask(self, command: Command) -> Response:
        """Bring a command to its lane and wait for the answer. `AWAY` or `KafkaError` when that cannot be done now."""
        if not self.key:
            detail = "Send a header `Idempotency-Key` that names this command; repeat it with the same."
            return problem(400, "Idempotency-Key is missing", detail)
        if has_nul(command.model_dump_json().encode()):  # before the database is asked about its case
            raise HTTPException(422, "A text has a NUL (\\u0000), which PostgreSQL cannot store: leave it out.")
        called = f"{self.request.method} {self.request.url.path}\n".encode()
        fingerprint = sha256(called + await self.request.body()).hexdigest()
        receipt = (await self.waiters.find(self.id)).get(self.id)
        if receipt is None:
            await self.produce(command, self.id, fingerprint)
            receipt = await self.waiters.wait(self.id, self.wait)
        if receipt is None:
            body = {"id": str(self.id), "status": "running", "look_at": f"/commands/{self.id}"}
            return JSONResponse(body, 202, {"Location": body["look_at"], "Retry-After": "1"})
        if receipt.get("fingerprint") != fingerprint:
            detail = "This key came with another method, path or body: use a new key."
            return problem(422, "Idempotency-Key was used for something else", detail)
        return answer_of(receipt)

    async def produce(self, command: Command, id: UUID, fingerprint: str = "", known: str | None = None) -> None:
        """Put a command on the inbox; returns once it is acknowledged. The first contact of a case begins its trace.

        `known` is the `traceparent` of its case, or empty, if the caller has looked it up.
        """
        runtime: Runtime = self.runtime
        if "broker" in runtime.missing:
            raise KafkaConnectionError(runtime.missing["broker"])
        request_span = await bring(runtime, command, known, id, source=self.source, fingerprint=fingerprint)
        about, method, route = runtime.tracer.about(command.case), self.request.method, self.request.scope["route"].path
        words = about | {"http.request.method": method, "http.route": route, "url.path": self.request.scope["path"]}
        # linked, never continued: a caller must not decide our sampling
        links = [tracing.parse_traceparent(self.request.headers.get("traceparent"))]
        runtime.tracer.export(f"{method} {route}", SpanKind.SERVER, request_span, None, self.started, words, links)


async def bring(runtime: Runtime, command: Command, known: str | None, id: UUID, **said: Any) -> SpanContext:
    """Put a command on the inbox within the trace of its case; the span of who brings it, which the caller exports.

    `known` is the `traceparent` of the case, or None: it is looked up. `said` goes into the record.
    """
    case, inbox = command.case, value_chain.inbox(runtime.activity)
    stored = tracing.parse_traceparent(await runtime.pool.fetchval(TRACE, case, timeout=5) if known is None else known)
    brought_by = runtime.tracer.root(command, stored)
    # a later command continues the demand's trace and links who brings it
    parent = stored if stored and runtime.settings.trace_mode == "parent" else brought_by
    created = tracing.child(parent, "create", id)
    trace, start = tracing.traceparent(created), time_ns()
    async with asyncio.timeout(15):
        await runtime.to_inbox(command, trace, id=id, time=runtime.clock.now(), **said)
    words = runtime.tracer.about(case) | tracing.message_attributes("create", inbox, runtime.partition_of(case), id)
    links = [brought_by if parent is stored else stored]
    runtime.tracer.export(f"create {inbox}", SpanKind.PRODUCER, created, parent, start, words, links)
    return brought_by


async def at_door(request: Request, idempotency_key: Key = None, client_id: Who = "local", prefer: Prefer = "") -> Door:
    """The door of a request. A coroutine, though it waits for nothing: FastAPI calls anything else in a thread."""
    return Door(request, idempotency_key, client_id, prefer)


Commanding = Annotated[Door, Depends(at_door)]
"""The door, as a parameter of a route."""


def answer_of(receipt: dict[str, Any]) -> Response:
    """The stored answer of a command; 204 when its handler gave none."""
    if (answer := receipt.get("answer")) is None:
        return Response(status_code=204)
    return JSONResponse(answer["body"], answer["status"], media_type=PROBLEM if answer["status"] >= 400 else None)


class Waiters:
    """Waits for receipts: one poll a process serves everybody who waits."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.waiting: dict[asyncio.Future[dict[str, Any]], UUID] = {}
        self.polling: asyncio.Task[None] | None = None

    async def find(self, *ids: UUID) -> dict[UUID, dict[str, Any]]:
        """The receipts of those commands that are done, by their ids."""
        rows = await self.pool.fetch(RECEIPTS, ids, timeout=5)
        return {row["event_id"]: orjson.loads(row["record"]) for row in rows}

    async def wait(self, id: UUID, seconds: float) -> dict[str, Any] | None:
        """The receipt, as soon as it is there; None after `seconds`."""
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting[future] = id
        if self.polling is None or self.polling.done():
            self.polling = asyncio.create_task(self.poll())
        try:
            done, _ = await asyncio.wait({future}, timeout=seconds)
            return future.result() if done else None
        finally:
            del self.waiting[future]

    async def poll(self) -> None:
        """Look for all awaited receipts, again and again, for as long as somebody waits."""
        while self.waiting:
            with suppress(*AWAY):  # whoever waits gets 202; the lanes report the database
                receipts = await self.find(*self.waiting.values())
                for future, id in self.waiting.items():
                    if id in receipts and not future.done():
                        future.set_result(receipts[id])
            await asyncio.sleep(0.01)
