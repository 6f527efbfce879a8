"""The application of Design and transition."""

from services.chassis.service import create_app
from services.design_transition.api import router
from services.design_transition.handlers import handles

app = create_app(handles, router)
