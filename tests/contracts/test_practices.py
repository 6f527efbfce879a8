"""The management practices."""

from contracts.practices import GENERAL_MANAGEMENT, PRACTICES, SERVICE_MANAGEMENT, TECHNICAL_MANAGEMENT


def test_there_are_34_practices_in_three_groups() -> None:
    assert (len(GENERAL_MANAGEMENT), len(SERVICE_MANAGEMENT), len(TECHNICAL_MANAGEMENT)) == (14, 17, 3)
    assert len(set(PRACTICES)) == 34
