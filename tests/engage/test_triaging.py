"""A demand that no rule can place is open work until somebody says what it is, or it ends."""

import pytest

from contracts.outside import DemandWithdrawn
from services.chassis.work import WorkItem
from services.engage.handlers import handles
from services.engage.model import Demand, DemandClassified, Triage, TriageReported
from services.engage.triaging import TIME_TO_TRIAGE
from tests.engage.house import EMILY, NOW, ONE, House
from tests.engage.test_consolidation import wish


@pytest.fixture
def house() -> House:
    found = House()
    found.hear(wish(kind=None, title="Hello", text="Is anybody there?"))
    assert found.row(Demand, ONE).status == "unclassified"
    return found


def test_it_is_work_that_everybody_sees_with_its_reason_and_until_when(house: House) -> None:
    work = house.row(Triage, ONE)
    assert issubclass(Triage, WorkItem)
    assert Triage in handles.states
    assert (work.status, work.owner, work.title) == ("open", "service desk", "Hello")
    assert work.promised_by == NOW + TIME_TO_TRIAGE
    assert work.reason == house.row(Demand, ONE).reason


def test_whoever_says_what_it_is_has_done_it(house: House) -> None:
    house.ask(DemandClassified(demand=ONE, kind="incident", by="Priya", reason="She called."))
    assert house.row(Demand, ONE).status == "in_progress"
    assert (house.row(Triage, ONE).status, house.row(Triage, ONE).done_by) == ("done", "Priya")


def test_to_report_it_done_is_not_enough(house: House) -> None:
    refused = house.refused(TriageReported(demand=ONE, by="Priya"))
    assert (refused.status, f"/demands/{ONE}/classification" in refused.detail) == (409, True)
    assert house.row(Triage, ONE).status == "open"


def test_what_ends_before_anybody_said_what_it_is_is_no_work_any_more(house: House) -> None:
    house.hear(DemandWithdrawn(demand=ONE, stakeholder=EMILY, reason="Never mind."))
    assert house.row(Triage, ONE).status == "done"
    assert "Never mind" in house.row(Triage, ONE).done_by


def test_an_escalated_demand_was_never_work_of_triage() -> None:
    house = House()
    house.hear(wish())
    assert house.row(Triage, ONE).status == "none"
