"""Run Improve: `python -m services.improve`."""

from services.chassis.service import serve
from services.improve.app import app

serve(app)
