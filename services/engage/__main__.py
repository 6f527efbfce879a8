"""`python -m services.engage` runs Engage until SIGTERM or Ctrl-C."""

from services.chassis.service import serve
from services.engage.app import app

serve(app)
