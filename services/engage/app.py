"""Engage as a service."""

from services.chassis.service import create_app
from services.engage.api import router
from services.engage.handlers import handles
from services.engage.notices import RequesterNotice, post_notice

app = create_app(handles, router, {RequesterNotice: post_notice})
