"""Obtain/build as a service of its own."""

from services.chassis.service import create_app
from services.obtain_build.api import router
from services.obtain_build.handlers import handles

app = create_app(handles, router)
