"""An organisation as a file: read and checked, said at the front doors, and played day by day from a seed."""

from svc.scenario.model import schema
from svc.scenario.reading import check, read
from svc.scenario.say import Say
from svc.scenario.scenario import Scenario

__all__ = ["Say", "Scenario", "check", "read", "schema"]
