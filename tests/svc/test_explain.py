from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from contracts.event import Fact
from svc.explain import Said, explain, render
from svc.trails import merge

DEMAND = UUID("11111111-1111-4111-8111-111111111111")


def sentences(said: list[Said]) -> list[tuple[str, ...]]:
    return [(str(one.event), one.sentence, *one.reasons, *(str(fact) for fact in one.basis)) for one in said]


def events(trails: Any) -> list[dict[str, Any]]:
    """Every message of the journey that has words: what was told, and commands of parties outside."""
    return [
        event
        for trail in trails.by_activity.values()
        for receipt in trail
        for event in (*receipt["outputs"], *([receipt] if receipt["source"] == "/client/local" else []))
        if ".inbox." not in event["type"] or event["source"] == "/client/local"
    ]


def test_every_decision_is_told_with_its_reasons_and_all_that_it_used(trails: Any):
    ticket, task, status, completed, figures = explain(merge(DEMAND, trails.by_activity))
    assert ticket.sentence == "Emily has made ticket 7 in the desk roundup: “Games stop”."
    assert (task.teller, task.reasons) == ("engage", ("It hinders 40 people.", "Nobody is in danger."))
    assert task.basis[0] == Fact(name="users", value=40, source="the words '40 users'")
    assert "priority 4 (impact 2, urgency 3)" in task.sentence
    assert status.sentence == "emily@fleet.example is told (in progress): It is in work."
    assert completed.sentence == "The task ends resolved, 2 d 19 h before its time: Reset the display."
    assert figures.sentence == "The chain in 2026-W48: sla met 100 % (target 95) from 1 cases."


@pytest.mark.parametrize("place", range(5))
def test_altering_one_event_alters_the_sentences_that_cite_it_and_no_other(trails: Any, place: int):
    before = sentences(explain(merge(DEMAND, trails.by_activity)))
    event = events(trails)[place]
    alter(event["data"])
    after = sentences(explain(merge(DEMAND, trails.by_activity)))
    changed = [(was[0], now[0]) for was, now in zip(before, after, strict=True) if was != now]
    assert changed == [(event["id"], event["id"])]


def alter(data: dict[str, Any]) -> None:
    """Something in the data that its sentences say."""
    match data:
        case {"basis": [{**fact}, *others]}:
            data["basis"] = [fact | {"value": "altered"}, *others]
        case {"kpis": [{**kpi}]}:
            data["kpis"] = [kpi | {"value": 12}]
        case {"asks_confirmation": False}:
            data["text"] = "altered"
        case _:
            data["title"] = "altered"


def test_all_five_events_of_the_journey_are_altered_in_turn(trails: Any):
    assert len(events(trails)) == 5


def test_what_is_read_cites_the_event_and_cannot_steer_the_terminal(trails: Any):
    for event in events(trails):
        if "title" in event["data"]:
            event["data"]["title"] = "Games \x1b[2J stop"
    console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(render(explain(merge(DEMAND, trails.by_activity))))
    text = captured.get()
    assert "\x1b" not in text
    assert text.count("because:") == 3
    task = next(event["id"] for event in events(trails) if event["type"].endswith("support-task-requested.v1"))
    assert text.count(f"[{task[:8]}]") == 1 + 2 + 2
