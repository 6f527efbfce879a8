"""Run Deliver and support: `python -m services.deliver_support`."""

from services.chassis.service import serve
from services.deliver_support.app import app

serve(app)
