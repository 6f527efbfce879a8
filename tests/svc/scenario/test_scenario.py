"""A scenario says the same for the same seed, at the front doors alone, and its people react to what they are told."""

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from contracts.engage import DemandStatusReported
from contracts.stream import read_streams
from contracts.value_chain import ENGAGE
from services.chassis.settings import Settings
from services.engage.desks.connector import connector
from services.engage.desks.events import DeskEvent, Received
from svc.day import staffing
from svc.scenario import Say, Scenario
from svc.scenario import read as read_file
from svc.scenario.reading import STREAMS
from svc.services import CLIENT

ROOT = Path(__file__).parents[3]
MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))
ELSEWHERE = """
import sys
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from svc.scenario import read
scenario = read(Path(sys.argv[1]))
start = datetime.fromisoformat(sys.argv[2])
said = [*scenario.setup(start), *scenario.day(start, 7), *scenario.quarter(start, 7)]
print(sha256(repr(said).encode()).hexdigest())
"""


read = cache(read_file)


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda file: file.stem)
def shipped(request: pytest.FixtureRequest) -> Scenario:
    return read(request.param)


def all_of(scenario: Scenario, seed: int = 7) -> list[Say]:
    return [*scenario.setup(MONDAY), *scenario.day(MONDAY, seed), *scenario.quarter(MONDAY, seed)]


def ticket_of(scenario: Scenario) -> Say:
    """The ticket of the day that its file tells of."""
    (ticket,) = (say for say in scenario.day(MONDAY, 7) if say.path == "/desks/roundup" and "/r0/" not in say.key)
    return ticket


def notice(status: str, *, demand: UUID, requester: str, title: str = "", text: str = "", asks: bool = False) -> Any:
    """What the chain tells a requester, as a CloudEvent."""
    data = {
        "demand": str(demand), "title": title, "status": status, "requester": requester, "text": text,
        "asks_confirmation": asks,
    }  # fmt: skip
    told = f"{demand}{status}{text}{asks}"
    time = (MONDAY + timedelta(hours=3)).isoformat()
    return {"type": DemandStatusReported.type, "id": str(uuid5(NAMESPACE_URL, told)), "time": time, "data": data}


def test_the_same_seed_says_the_same_in_every_process_and_another_one_something_else(shipped: Scenario):
    file = ROOT / "scenarios" / f"{shipped.scenario}.yaml"
    told = [
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(file), MONDAY.isoformat()],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert told[0] == told[1]
    assert shipped.day(MONDAY, 7) == shipped.day(MONDAY, 7) != shipped.day(MONDAY, 8)
    assert list(shipped.quarter(MONDAY, 7)) != list(shipped.quarter(MONDAY, 8))


def test_everything_that_is_said_has_a_key_of_its_own_and_comes_in_order(shipped: Scenario):
    setup = [say.key for say in shipped.setup(MONDAY)]
    for part in (shipped.day(MONDAY, 7), list(shipped.quarter(MONDAY, 7))):
        keys = [*setup, *(say.key for say in part)]
        assert max(Counter(keys).values()) == 1
        assert max(map(len, keys)) <= 255
        times = [say.at for say in part]
        assert times == sorted(times)
        assert all(time >= MONDAY for time in times)
    assert max(say.at for say in shipped.day(MONDAY, 7)) < MONDAY + timedelta(days=1)


def test_a_quarter_brings_demand_by_the_thousand(shipped: Scenario):
    quarter = [say for say in shipped.quarter(MONDAY, 7) if say.path in ("/demands", "/desks/roundup")]
    assert len(quarter) > 1000


def test_each_value_stream_of_a_shipped_day_gets_demand_more_than_once_and_every_channel_is_used():
    scenario = read(ROOT / "scenarios" / "carcachin.yaml")
    streams = read_streams(STREAMS)
    events = [event for event in scenario.day_of_demand.events if event.do == "demand"]
    taken = Counter(
        stream.stream
        for event in events
        if event.kind and (stream := streams.taking(event.kind, event.service, f"{event.title} {event.text}"))
    )
    assert set(taken) == set(scenario.value_streams)
    assert min(taken.values()) >= 2
    assert {event.channel for event in events} == set(scenario.business_model.channels)
    assert len(scenario.business_model.channels) == 7


def test_all_is_said_at_the_doors_of_the_six(shipped: Scenario):
    assert {say.method for say in all_of(shipped)} <= {"POST", "PUT"}
    doors = Counter((say.activity, say.path.split("/")[1]) for say in all_of(shipped))
    assert {"demands", "desks", "suppliers", "agreements", "stakeholders", "segments"} <= {
        door for activity, door in doors if activity == ENGAGE
    }


@pytest.mark.parametrize("file", sorted((ROOT / "svc" / "scenario").glob("*.py")), ids=lambda file: file.stem)
def test_nothing_of_an_organisation_is_in_code(file: Path):
    code = file.read_text().lower()
    for scenario in map(read, SHIPPED):
        names = [scenario.scenario, *(service.service for service in scenario.services)]
        assert not [name for name in names if name in code]


def test_what_is_set_up_comes_before_what_rests_on_it_and_can_be_corrected(bakery: Scenario, parsed: Any):
    said = bakery.setup(MONDAY)
    assert [(say.activity, say.method, say.path) for say in said] == [
        ("plan", "POST", "/policies/funding"),
        ("plan", "POST", "/budgets/2027-Q1"),
        ("engage", "POST", "/stakeholders/anna%40locals.example"),
        *(("engage", "POST", f"/stakeholders/guest-{number}%40locals.example") for number in (1, 2, 3)),
        ("deliver_support", "POST", "/services"),
        ("engage", "POST", "/services/delivery"),
        ("deliver_support", "POST", "/services/delivery/known-errors"),
        ("design_transition", "PUT", "/services/delivery/readiness"),
        ("engage", "POST", "/segments/locals/requirements"),
        ("obtain_build", "POST", "/components/bread"),
        ("deliver_support", "POST", "/stock/loaf"),
        ("deliver_support", "POST", "/offerings/loaf"),
        ("engage", "POST", "/suppliers/mill/services/bread"),
        ("engage", "POST", "/agreements/fresh-bread"),
    ]
    assert said[-1].body["service_hours"] == [{"days": ["mon"], "opens": "06:00", "closes": "09:00"}]
    assert "calendar" not in said[-1].body, "a door knows no calendars"
    later = bakery.setup(MONDAY + timedelta(days=1))
    assert [(say.path, say.body, say.key) for say in later] == [(say.path, say.body, say.key) for say in said]
    corrected = parsed("statement: Little.", "statement: Much.").setup(MONDAY)
    assert [one.path for one, other in zip(corrected, said, strict=True) if one.key != other.key] == [
        "/policies/funding"
    ]


def test_more_of_a_component_is_added_once_however_often_the_file_is_changed(bakery: Scenario, parsed: Any):
    more = parsed("capacity: 9", "capacity: 12").setup(MONDAY)
    (before,) = (say for say in bakery.setup(MONDAY) if "component" in say.path)
    (after,) = (say for say in more if "component" in say.path)
    assert before.body != after.body
    assert before.key == after.key


@pytest.mark.parametrize(
    ("now", "quarter"),
    [
        (MONDAY, "2027-Q1"),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "2027-Q1"),
        (datetime(2027, 1, 1, tzinfo=UTC), "2027-Q2"),
    ],
)
def test_a_budget_is_for_the_quarter_that_it_is_then(bakery: Scenario, now: datetime, quarter: str):
    assert [say.path for say in bakery.setup(now) if "budgets" in say.path] == [f"/budgets/{quarter}"]


def test_a_day_begins_when_the_file_says_so_and_ends_after_24_hours(bakery: Scenario):
    said = {say.path: say for say in bakery.day(MONDAY, 7) if "/r" not in say.key}
    assert said["/desks/roundup"].at == MONDAY + timedelta(hours=1)
    assert said["/demands"].at == MONDAY + timedelta(hours=23)
    assert said["/suppliers/mill/services/bread"].body["valid_until"] == (MONDAY + timedelta(hours=4)).isoformat()
    assert said["/suppliers/mill/services/bread"].body["terms"] == [{"name": "price", "value": 10.0, "unit": "euros"}]


def as_engage_reads(say: Say) -> DeskEvent:
    push = Received(headers={}, body=json.dumps(say.body).encode(), received_at=MONDAY)
    (event,) = connector("roundup").parse(push)
    return event


def test_a_ticket_is_what_a_desk_pushes_and_the_demand_is_known_beforehand(bakery: Scenario):
    ticket = ticket_of(bakery)
    pushed = as_engage_reads(ticket)
    assert (pushed.title, pushed.desk_type, pushed.requester) == ("No bread", "incident", "anna@locals.example")
    assert ticket.demand == uuid5(NAMESPACE_URL, f"desk:roundup:{pushed.external_id}")
    brought = next(say for say in bakery.day(MONDAY, 7) if say.path == "/demands")
    assert brought.demand == uuid5(NAMESPACE_URL, f"svc:{CLIENT}:{brought.key}")


def test_demand_at_random_keeps_to_its_calendar(bakery: Scenario):
    quarter = [say for say in bakery.quarter(MONDAY.replace(hour=0), 7) if "/r0/" in say.key and "/quarter/" in say.key]
    assert {say.at.weekday() for say in quarter} == {0}
    assert all(6 <= say.at.hour < 9 for say in quarter)
    assert 20 <= len(quarter) <= 60  # twice twenty on average


def test_members_of_a_group_ask_each_under_their_own_name(bakery: Scenario):
    asked = [say for say in bakery.day(MONDAY, 7) if "/r0/" in say.key and say.path == "/demands"]
    assert {say.body["requester"] for say in asked} == {f"guest-{n}@locals.example" for n in (1, 2, 3)}
    assert {say.body["title"] for say in asked} == {"No rye", "No wheat"}
    assert {say.body["segment"] for say in asked} == {"locals"}
    assert {say.body["users_affected"] for say in asked} <= {1, 2, 3, 4, 5}


def test_a_consumer_answers_once_for_each_time_that_they_are_asked(bakery: Scenario):
    react = bakery.react(7)
    ids = [uuid5(NAMESPACE_URL, str(number)) for number in range(200)]
    asked = [notice("delivered", demand=id, requester="guest-1@locals.example", asks=True) for id in ids]
    said = [say for event in asked for say in react(event)]
    assert 70 <= len(said) <= 130  # half of them on average; the others say nothing
    assert {say.path.split("/")[3] for say in said} == {"value"}
    assert said[0].body == {
        "stakeholder": "guest-1@locals.example", "stakeholder_kind": "consumer", "verdict": "fully", "utility": True,
        "warranty": True, "benefits": [], "costs_removed": [], "costs_imposed": [], "risks_removed": [],
        "risks_imposed": [], "satisfaction": 5, "remark": "",
    }  # fmt: skip
    assert all(timedelta(minutes=1) <= say.at - MONDAY - timedelta(hours=3) <= timedelta(minutes=3) for say in said)
    assert not [say for event in asked for say in react(event)], "a copy moves nobody"
    again = bakery.react(7)
    assert [say for event in reversed(asked) for say in again(event)] == said[::-1], "the order does not matter"
    other = bakery.react(8)
    assert [say.path for event in asked for say in other(event)] != [say.path for say in said]


def test_a_consumer_is_less_content_with_a_workaround(bakery: Scenario):
    told = notice("delivered", demand=UUID(int=1), requester="x@y.example", text="This is a workaround.", asks=True)
    (said,) = bakery.react(7)(told)
    assert said.body["verdict"] == "not"


def test_terms_are_accepted_or_not(bakery: Scenario):
    react = bakery.react(7)
    (said,) = react(notice("waiting_for_consumer", demand=UUID(int=1), requester="anna@locals.example"))
    assert said.path == f"/demands/{UUID(int=1)}/acceptance"
    assert said.body["accepted"] is False
    late = {"requester": "guest-2@locals.example", "title": "Late"}
    (said,) = react(notice("waiting_for_consumer", demand=UUID(int=2), **late))
    assert said.body["accepted"] is True, "the file says so of this one"
    (said,) = react(notice("delivered", demand=UUID(int=2), asks=True, **late))
    assert said.body["verdict"] == "partly"


def test_the_desk_says_what_no_rule_can_place(bakery: Scenario):
    (said,) = bakery.react(7)(notice("unclassified", demand=UUID(int=1), requester="anna@locals.example"))
    assert said.path == f"/demands/{UUID(int=1)}/classification"
    assert (said.body["kind"], said.body["by"]) == ("incident", "baker")


def test_a_requester_replies_on_the_ticket_and_answers_when_it_is_done_again(bakery: Scenario):
    ticket = ticket_of(bakery)
    react, about = bakery.react(7), {"requester": "anna@locals.example", "title": "No bread"}
    assert react(notice("in_progress", demand=ticket.demand, **about)) == []
    (reply,) = react(notice("delivered", demand=ticket.demand, asks=True, **about))
    pushed = as_engage_reads(reply)
    assert (pushed.kind, pushed.text, pushed.external_id) == (
        "reply",
        "Still none.",
        ticket.body["data"]["ticket"]["id"],
    )
    assert reply.at == MONDAY + timedelta(hours=3, minutes=30)
    again = react(notice("delivered", demand=ticket.demand, asks=True, text="workaround", **about))
    assert [say.path.rpartition("/")[2] for say in again] == ["value"]


def test_events_about_anything_else_move_nobody(bakery: Scenario):
    react = bakery.react(7)
    assert react({"type": "svc.plan.policy-issued.v1", "id": "1", "time": MONDAY, "data": {}}) == []
    assert react(notice("rejected", demand=UUID(int=1), requester="anna@locals.example")) == []


def test_a_story_goes_on_step_by_step():
    scenario = read(ROOT / "scenarios" / "carcachin.yaml")
    react, demand = scenario.react(7), UUID(int=5)
    about = {"requester": "emily.carter@bluefleet.example", "title": "More video games in the store of our cars"}
    (altered,) = react(notice("in_progress", demand=demand, **about))
    assert altered.path == f"/demands/{demand}/alteration"
    assert altered.body["more_budget"] == 10000
    assert altered.body["wanted_by"] == (altered.at + timedelta(hours=8)).isoformat()
    assert react(notice("in_progress", demand=demand, text="more", **about)) == [], "once"
    withdrawn = {"requester": "driver-11@drivers.example", "title": "The sound of the racing game crackles"}
    (said,) = react(notice("in_progress", demand=UUID(int=6), **withdrawn))
    assert (said.path, said.body["stakeholder"]) == (f"/demands/{UUID(int=6)}/withdrawal", "driver-11@drivers.example")
    carpet = {"requester": "premium-2@drivers.example", "title": "The flying carpet mode stopped working"}
    assert react(notice("in_progress", demand=UUID(int=7), text="It is in work.", **carpet)) == []
    (said,) = react(notice("in_progress", demand=UUID(int=7), text="We could not tell which service.", **carpet))
    assert said.path == f"/demands/{UUID(int=7)}/classification"


def test_each_activity_can_be_configured_as_the_scenario_says():
    scenario = read(ROOT / "scenarios" / "carcachin.yaml")
    assert scenario.work["deliver_support"] == "simulated"
    assert scenario.centres("deliver_support") == {
        "service desk": 8, "major incident manager": 2, "service request desk": 2, "deployment team": 2,
    }  # fmt: skip
    assert scenario.centres("plan") == scenario.minutes("plan") == {}
    assert scenario.minutes("deliver_support")["service request desk"] == (5, 20, 60)
    said = staffing(scenario)["deliver_support"]
    settings = Settings(
        work=said["SVC_WORK"], centres=json.loads(said["SVC_CENTRES"]), minutes=json.loads(said["SVC_MINUTES"])
    )
    assert settings.work == "simulated"
    assert settings.minutes == scenario.minutes("deliver_support")
    assert scenario.begins == timedelta(hours=6)
