"""Engage as a service."""

from fastapi import APIRouter, FastAPI

from services.chassis.service import create_app
from services.engage.api import router
from services.engage.backfill import DeskAsked, ask, asking
from services.engage.handlers import handles
from services.engage.notices import RequesterNotice, post_notice

app: FastAPI = create_app(
    handles, router, {RequesterNotice: post_notice, DeskAsked: lambda asked, _: ask(app.state.runtime, asked)}
)
app.include_router(APIRouter(lifespan=asking))
