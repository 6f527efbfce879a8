"""Every connector passes every case, or says why it is none of its desk's; the table of it in the docs is current."""

from contextlib import suppress

import pytest

from services.engage.desks.profile import names
from tests.desks.conformance.cases import UNDERSTANDING, WRITING, Case, NotApplicable
from tests.desks.conformance.kits import KITS, Kit
from tests.desks.conformance.table import PAGE, page


def test_every_desk_that_ships_goes_through_the_suite() -> None:
    assert sorted(kit.desk for kit in KITS) == sorted(names())


@pytest.mark.parametrize("case", UNDERSTANDING, ids=lambda case: case.__name__)
@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.desk)
def test_what_is_understood(kit: Kit, case: Case) -> None:
    with suppress(NotApplicable):
        case(kit)


@pytest.mark.parametrize("case", WRITING, ids=lambda case: case.__name__)
@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.desk)
async def test_what_is_written(kit: Kit, case) -> None:  # type: ignore[no-untyped-def]
    with suppress(NotApplicable):
        await case(kit)


async def test_the_table_in_the_docs_is_what_the_suite_finds() -> None:
    assert PAGE.read_text(encoding="utf-8") == await page(), (
        "write it anew: .venv/bin/python -m tests.desks.conformance"
    )
