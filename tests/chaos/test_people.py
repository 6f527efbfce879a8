"""The people of a scenario at a chain: whom they hear, and what they wait for."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from contracts.engage import DemandStatus, DemandStatusReported, EngagementPerformanceReported
from contracts.envelope import encode, source_of
from contracts.event import Event
from contracts.value_chain import ENGAGE
from svc.chaos.people import People, brings_demand
from svc.log import Logged
from svc.scenario import read
from svc.simulation.run import DAY, SCENARIO

SCENE = read(SCENARIO)
DEMAND = UUID("11111111-1111-4111-8111-111111111111")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def people() -> People:
    nobody: Any = None  # they are only told something, and do not speak
    return People(nobody, SCENE, 0)


def record(event: Event, sequence: int) -> Logged:
    value = encode(event, id=uuid4(), source=source_of(ENGAGE), time=NOON, sequence=sequence)
    return Logged("svc.engage.performance-reports", 0, sequence, None, value, event=orjson.loads(value))


def told(status: DemandStatus) -> DemandStatusReported:
    emily, text = "emily@fleet.example", "It is so."
    return DemandStatusReported(
        demand=DEMAND, title="Games stop", status=status, requester=emily, text=text, asks_confirmation=False
    )


def test_a_demand_waits_until_its_end_is_told_and_an_older_notice_that_comes_later_changes_nothing(
    people: People,
) -> None:
    people.hear(record(told("in_progress"), 1))
    assert people.waiting == [f"{DEMAND} is in_progress"]
    people.hear(record(told("rejected"), 3))
    people.hear(record(told("in_progress"), 2))
    assert people.waiting == []


def test_a_demand_that_was_brought_and_never_told_of_waits(people: People) -> None:
    people.demands.add(str(DEMAND))
    assert people.waiting == [f"{DEMAND} is not answered"]


def test_a_report_on_the_same_topic_that_is_about_no_demand_is_not_to_them(people: People) -> None:
    report = EngagementPerformanceReported(
        period="2026-11-24", kpis=(), demands=1, open_demands=1, complaints=0, answers=0, realised=0
    )
    people.hear(record(report, 1))
    assert (people.demands, people.status) == (set(), {})


def test_every_demand_of_the_day_is_known_as_one() -> None:
    day = SCENE.day(DAY + SCENE.begins, 0)
    assert {say.path.split("/")[1] for say in day if brings_demand(say)} == {"demands", "desks"}
    replies = [say for say in day if say.body.get("type") == "issue.replied"]
    assert not any(map(brings_demand, replies))
