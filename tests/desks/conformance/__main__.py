"""`python -m tests.desks.conformance` runs the suite and writes its tables into `docs/desks.md`."""

import asyncio

from tests.desks.conformance.table import PAGE, page

PAGE.write_text(asyncio.run(page()), encoding="utf-8")
