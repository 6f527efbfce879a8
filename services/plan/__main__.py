"""Run Plan: `python -m services.plan`."""

from services.chassis.service import serve
from services.plan.app import app

serve(app)
