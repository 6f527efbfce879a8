"""`python -m svc`."""

from svc.cli import app

app()
