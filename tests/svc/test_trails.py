from typing import Any
from uuid import UUID, uuid5

from svc.services import Services
from svc.trails import follow, merge

DEMAND = UUID("11111111-1111-4111-8111-111111111111")


def names(journey: Any) -> list[tuple[str, str, str]]:
    return [(entry.teller, entry.name, entry.activity) for entry in journey.entries]


def test_a_journey_runs_from_cause_to_effect_over_the_activities(trails: Any):
    journey = merge(DEMAND, trails.by_activity)
    assert names(journey) == [
        ("users", "TicketPushed", "engage"),
        ("engage", "SupportTaskRequested", "deliver_support"),
        ("deliver_support", "ResolutionDone", "deliver_support"),
        ("deliver_support", "SupportTaskCompleted", "engage"),
        ("deliver_support", "SupportTaskCompleted", "improve"),
        ("improve", "MeasureTaken", "improve"),
    ]
    assert journey.activities == ["engage", "deliver_support", "improve"]
    assert journey.trace_id == "a" * 32


def test_cause_goes_before_effect_even_when_their_clocks_say_otherwise(trails: Any):
    for receipt in trails.by_activity["deliver_support"]:
        receipt["decided_at"] = "2020-01-01T00:00:00Z"
    assert names(merge(DEMAND, trails.by_activity))[0] == ("users", "TicketPushed", "engage")


def test_what_has_not_come_back_yet_is_waited_for(trails: Any):
    journey = merge(DEMAND, trails.by_activity)
    assert [(entry.activity, wait.name) for entry, wait in journey.open_waits] == [("engage", "ResolutionDone")]
    trails.by_activity["deliver_support"] = trails.by_activity["deliver_support"][1:]  # the work has not been done
    journey = merge(DEMAND, trails.by_activity)
    assert [entry.activity for entry, _ in journey.open_waits] == ["deliver_support", "engage"]


def test_what_another_case_has_not_taken_up_is_handed_on(trails: Any):
    assert merge(DEMAND, trails.by_activity).handed_on == []
    trails.by_activity["improve"] = trails.by_activity["improve"][1:]
    ((entry, event),) = merge(DEMAND, trails.by_activity).handed_on
    assert (entry.activity, event.name, event.case) == ("improve", "MeasureTaken", "2026-W48")


class Recorded(Services):
    """The trails by case, with receipts of other demands among those of a week."""

    def __init__(self, by_activity: dict[str, list[dict[str, Any]]]) -> None:
        self.asked: list[tuple[str, str]] = []
        self.by_activity = by_activity

    async def trail(self, activity: str, case: str) -> list[dict[str, Any]]:
        self.asked.append((activity, case))
        return [receipt for receipt in self.by_activity.get(activity, []) if receipt["case"] == case]


async def test_another_case_is_followed_for_one_hop_and_only_as_far_as_it_is_the_demands(trails: Any):
    stranger = {**trails.by_activity["improve"][0], "id": str(uuid5(DEMAND, "another demand's measure"))}
    trails.by_activity["improve"].append(stranger)
    services = Recorded(trails.by_activity)
    journey = await follow(services, DEMAND)
    assert names(journey)[-1] == ("improve", "MeasureTaken", "improve")
    assert len(journey.entries) == 6
    assert [asked for asked in services.asked if asked[1] != str(DEMAND)] == [("improve", "2026-W48")]


def test_a_demand_that_nobody_knows_has_an_empty_journey():
    journey = merge(DEMAND, {"plan": []})
    assert (journey.entries, journey.activities, journey.trace_id, journey.open_waits) == ((), [], "", [])
