"""The application of Deliver and support."""

from services.chassis.service import create_app
from services.deliver_support.api import router
from services.deliver_support.handlers import handles

app = create_app(handles, router)
