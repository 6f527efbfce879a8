from typing import Any
from uuid import UUID

from rich.console import Console

from svc import show
from svc.timeline import open_ends, timeline
from svc.trails import merge

DEMAND = UUID("11111111-1111-4111-8111-111111111111")
ABOUT = {
    "id": str(DEMAND), "title": "Games stop", "status": "in_progress", "reason": "support works on it",
    "kind": "incident", "requester": "emily@fleet.example",
    "stream": "restore-a-live-service", "captured_at": "2026-11-24T12:00:00Z",
}  # fmt: skip


def read(what: Any) -> str:
    console = Console(width=300)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_each_moment_says_who_heard_what_did_what_and_what_came_of_it(trails: Any):
    first, second, *_ = timeline(merge(DEMAND, trails.by_activity))
    assert (first.activity, first.does, first.heard) == ("engage", "take ticket", "TicketPushed from Users")
    assert first.said[0].startswith("Emily has made ticket 7 in the desk roundup: “Games stop”. [")
    assert first.said[2:4] == ("  because: It hinders 40 people.", "  because: Nobody is in danger.")
    assert (second.does, second.said) == ("resolve incident", ("Waits for ResolutionDone until 2026-11-24 17:00.",))


def test_what_goes_on_in_another_case_is_handed_on(trails: Any):
    moments = timeline(merge(DEMAND, trails.by_activity))
    assert moments[4].said == ("Hands on MeasureTaken to 2026-W48.",)
    assert moments[5].said[0].startswith("The chain in 2026-W48: sla met 100 %")


def test_bookkeeping_of_other_cases_is_quiet(trails: Any):
    moments = timeline(merge(DEMAND, trails.by_activity))
    assert [number for number, moment in enumerate(moments) if moment.quiet] == [4]


def test_what_is_asked_of_somebody_outside_is_no_time_that_has_to_come(trails: Any):
    wait = {"id": str(UUID(int=7)), "type": "requester-notice", "due": "2026-11-24T12:00:00Z"}
    trails.by_activity["engage"][-1]["waits"] = [wait]
    assert timeline(merge(DEMAND, trails.by_activity))[0].said[-1] == "Asks outside: RequesterNotice."


def test_a_demand_that_waits_says_where(trails: Any):
    journey = merge(DEMAND, trails.by_activity)
    assert open_ends(journey, "in_progress") == ["Engage () waits for ResolutionDone, due 2026-12-08 12:00"]
    assert open_ends(journey, "value_realised") == []


def test_a_person_reads_how_a_demand_stands_and_a_script_gets_the_same(trails: Any):
    journey = merge(DEMAND, trails.by_activity)
    text = read(show.demand(ABOUT, journey))
    assert "in progress, because support works on it" in text
    assert text.index("Engage") < text.index("Deliver and support") < text.index("Improve")
    assert "still open: Engage" in text
    told = show.as_json(ABOUT, journey)
    assert (told["status"], told["activities"]) == ("in_progress", ["engage", "deliver_support", "improve"])
    assert [moment["activity"] for moment in told["timeline"]] == [one.activity for one in timeline(journey)]


def test_demands_are_listed_with_how_they_stand_and_none_is_said_to_be_none():
    assert "No demand yet" in read(show.demands([]))
    text = read(show.demands([ABOUT | {"title": "Games [red]\x1b[2Jstop"}]))
    assert "11111111" in text
    assert "Games [red] [2Jstop" in text
