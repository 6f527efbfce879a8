"""The application of Plan."""

from services.chassis.service import create_app
from services.plan.api import router
from services.plan.handlers import handles

app = create_app(handles, router)
