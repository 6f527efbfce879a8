from collections.abc import Mapping
from typing import Any

from rich.console import Console

from contracts.engage import DemandConsolidated, DemandStatusReported
from contracts.envelope import source_of
from contracts.event import Message
from contracts.outside import TicketPushed
from contracts.plan import PortfolioDecisionMade
from contracts.value_chain import ACTIVITIES, FLOWS, inbox
from svc.coverage import Counts, coverage, render

NOTHING: dict[str, list[dict[str, Any]]] = {"consumed": [], "told": []}


def consumed(message: type[Message], source: str) -> dict[str, Any]:
    return {"type": message.type, "source": source, "count": 1}


def told(message: type[Message]) -> dict[str, Any]:
    return {"type": message.type, "count": 1}


def of(**counts: Counts) -> dict[str, dict[str, Any]]:
    return coverage({activity: counts.get(activity, NOTHING) for activity in ACTIVITIES})


def everything() -> Mapping[str, Counts]:
    return {
        activity: {
            "consumed": [
                consumed(flow.event, source_of(flow.teller)) for flow in FLOWS if activity in flow.hearers
            ],
            "told": [told(flow.event) for flow in FLOWS if flow.teller == activity],
        }
        for activity in ACTIVITIES
    }  # fmt: skip


def test_a_chain_that_has_done_nothing_has_shown_nothing():
    assert {name: (of()[name]["total"], len(of()[name]["missing"])) for name in of()} == {
        "inputs": (36, 36), "outputs": (27, 27), "arrows": (30, 30), "ends": (112, 112), "practices": (34, 34),
    }  # fmt: skip


def test_a_chain_that_has_told_and_heard_everything_misses_nothing():
    found = coverage(everything())
    counts = found["arrows"].pop("counts")
    assert len([way for way in counts if way.split(" -> ")[0] in ACTIVITIES]) == 30
    assert {name: part for name, part in found.items() if name != "practices"} == {
        "inputs": {"total": 36, "consumed": 36, "missing": []},
        "outputs": {"total": 27, "produced": 27, "missing": []},
        "arrows": {"total": 30, "seen": 30, "missing": []},
        "ends": {"total": 112, "seen": 112, "missing": []},
    }


def test_practices_are_shown_by_activity_and_blanks_too():
    drawn = [{"practice": "supplier management", "count": 3}, {"practice": "risk management", "count": 1}]
    found = of(plan={"consumed": [], "told": [], "practised": drawn})
    practices = found["practices"]
    assert (practices["drawn_on"], len(practices["missing"])) == (2, 32)
    assert practices["by_activity"]["plan"] == {"supplier management": 3, "risk management": 1}
    console = Console(width=160, record=True)
    console.print(render(found))
    lines = console.export_text().splitlines()
    (supplier,) = [line for line in lines if line.strip().startswith("supplier management")]
    assert supplier.split()[2:] == ["3"]
    assert any(line.strip() == "service desk" for line in lines), "what nobody drew on stays blank"


def test_an_event_that_was_told_and_not_yet_heard_produces_its_output_only():
    found = of(engage={"consumed": [], "told": [told(DemandConsolidated)]})
    assert found["outputs"]["produced"] == 1
    assert (found["inputs"]["consumed"], found["arrows"]["seen"], found["ends"]["seen"]) == (0, 0, 0)


def test_an_event_that_was_heard_shows_its_input_its_arrow_and_both_its_ends():
    found = of(plan={"consumed": [consumed(DemandConsolidated, "/svc/engage")], "told": []})
    assert "plan.in.demand" not in found["inputs"]["missing"]
    assert "engage -> plan" not in found["arrows"]["missing"]
    assert {"plan.in.demand <- engage", "engage.out.demand -> plan"}.isdisjoint(found["ends"]["missing"])
    assert (found["inputs"]["consumed"], found["arrows"]["seen"], found["ends"]["seen"]) == (1, 1, 2)


def test_an_output_to_a_party_outside_is_seen_when_it_was_told():
    found = of(engage={"consumed": [], "told": [told(DemandStatusReported)]})
    assert "engage.out.performance_reports -> customers" not in found["ends"]["missing"]
    assert found["ends"]["seen"] == 2


def test_a_command_of_a_party_outside_shows_the_input_it_serves():
    found = of(engage={"consumed": [consumed(TicketPushed, "/client/local")], "told": []})
    assert (found["inputs"]["consumed"], found["arrows"]["seen"], found["ends"]["seen"]) == (1, 0, 1)


def test_own_commands_and_timers_and_strangers_who_speak_for_an_activity_show_nothing():
    own = {"type": f"{inbox('plan')}.demand-to-weigh.v1", "source": "/svc/plan", "count": 3}
    found = of(
        plan={"consumed": [own, consumed(DemandConsolidated, "/somebody/else")], "told": [own]},
        engage={"consumed": [], "told": [told(PortfolioDecisionMade)]},
    )
    assert [
        found[name][word] for name, word in (("inputs", "consumed"), ("outputs", "produced"), ("ends", "seen"))
    ] == [0, 0, 0]
