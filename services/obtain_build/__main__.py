"""`python -m services.obtain_build` runs Obtain/build until it is told to stop."""

from services.chassis.service import serve
from services.obtain_build.app import app

serve(app)
