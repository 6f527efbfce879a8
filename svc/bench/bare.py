"""`python -m svc.bench.bare`: what `svc bench intake` compares with, an endpoint that stores what comes and says so.

It is what one would write first: FastAPI, a pool of asyncpg, one INSERT for each request, committed before it answers.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from fastapi import FastAPI, Request

TABLE = "CREATE TABLE IF NOT EXISTS push (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)"
INSERT = "INSERT INTO push (body) VALUES ($1)"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """With its pool, as large as that of a service."""
    async with asyncpg.create_pool(os.environ["SVC_DATABASE"], min_size=0, max_size=3) as app.state.pool:
        await app.state.pool.execute(TABLE)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/desks/{desk}", status_code=202)
async def take(desk: str, request: Request) -> dict[str, str]:
    """Store it."""
    await request.app.state.pool.execute(INSERT, await request.body())
    return {"desk": desk}


@app.get("/readyz")
async def readyz() -> dict[str, bool]:
    """It answers."""
    return {"ready": True}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["SVC_PORT"]), log_config=None, access_log=False)
