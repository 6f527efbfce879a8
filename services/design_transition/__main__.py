"""Run Design and transition as a process."""

from services.chassis.service import serve
from services.design_transition.app import app

serve(app)
