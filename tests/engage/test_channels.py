"""Two demands of one person are merged because somebody says so, and only while both are open."""

from typing import Any

import pytest

from contracts.engage import DemandConsolidated, DemandStatusReported
from contracts.outside import DemandWithdrawn
from services.engage.model import Demand, MergeAsked
from tests.engage.house import EMILY, ONE, PAUL, TWO, House, all_of
from tests.engage.test_consolidation import wish


@pytest.fixture
def house() -> House:
    found = House()
    found.hear(wish(title="The games go black"))
    return found


def merge(house: House, **fields: Any) -> list[Any]:
    said = {"demand": TWO, "into": ONE, "by": "Priya", "reason": "she called about her mail"}
    return house.hear(MergeAsked.model_validate(said | fields))


def test_the_earlier_one_stands_for_both_and_its_end_is_told_to_who_asked_by_the_other_channel(house: House) -> None:
    house.hear(wish(TWO, title="Still black, I mailed you"))
    assert house.row(Demand, TWO).status == "consolidated", "nothing is merged silently"
    told = all_of(DemandStatusReported, merge(house))
    second, first = house.row(Demand, TWO), house.row(Demand, ONE)
    assert (second.status, second.merged_into, [one.demand for one in first.merged]) == ("merged", ONE, [TWO])
    assert second.reason == "it is the same as 'The games go black': Priya decided: she called about her mail"
    assert "You have asked for it before (The games go black)" in told[0].text
    ended = house.hear(DemandWithdrawn(demand=ONE, stakeholder=EMILY, reason="We sold the cars."))
    assert {one.demand for one in all_of(DemandStatusReported, ended)} == {ONE, TWO}


def test_what_is_not_decided_yet_is_weighed_anew_with_what_the_other_one_adds(house: House) -> None:
    house.hear(wish(TWO, title="Still black, I mailed you"))
    again = all_of(DemandConsolidated, merge(house))
    assert [(one.demand, one.merged) for one in again] == [(ONE, (TWO,))]


def test_merging_once_more_changes_nothing(house: House) -> None:
    house.hear(wish(TWO, title="Still black, I mailed you"))
    merge(house)
    assert house.ask(MergeAsked(demand=TWO, into=ONE, by="Priya", reason="again")).status == 409
    assert len(house.row(Demand, ONE).merged) == 1


@pytest.mark.parametrize("why", ["it is withdrawn", "somebody else has asked for it"])
def test_a_demand_that_is_over_or_somebody_elses_does_not_stand_for_it(house: House, why: str) -> None:
    mine = why == "it is withdrawn"
    house.hear(wish(TWO, EMILY if mine else PAUL, title="Still black, I mailed you"))
    if mine:
        house.hear(DemandWithdrawn(demand=ONE, stakeholder=EMILY, reason="We sold the cars."))
    merge(house)
    assert house.row(Demand, TWO).status == "consolidated"
    assert house.row(Demand, ONE).merged == ()
    assert [(fact.value, fact.source) for fact in house.row(Demand, TWO).facts if fact.name == "not merged"] == [
        (str(ONE), why)
    ]


@pytest.mark.parametrize(("fields", "status"), [({"into": TWO}, 422), ({"demand": ONE, "into": ONE}, 422)])
def test_a_demand_is_not_merged_into_itself(house: House, fields: dict[str, Any], status: int) -> None:
    house.hear(wish(TWO, title="Still black, I mailed you"))
    assert house.refused(MergeAsked.model_validate({"demand": TWO, "by": "P", "reason": "r"} | fields)).status == status


def test_a_demand_that_nobody_knows_is_not_merged(house: House) -> None:
    assert house.refused(MergeAsked(demand=TWO, into=ONE, by="Priya", reason="r")).status == 404
