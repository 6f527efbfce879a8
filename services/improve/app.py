"""The application of Improve."""

from services.chassis.service import create_app
from services.improve.api import router
from services.improve.handlers import handles

app = create_app(handles, router)
