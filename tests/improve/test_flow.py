"""How demand flows, and what holds it up."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.event import Event, Message
from contracts.improve import ChainPerformanceReported, ImprovementInitiated
from contracts.obtain_build import ObtainPerformanceReported
from services.chassis.state import ONE_ROW
from services.improve.flow import MOST_PASSAGES, Flow
from services.improve.journey import Journey
from services.improve.views import FlowView
from tests.improve.office import DAY, HOUR, NOW, Office, consolidated, decision, demand, plan, planning


def delivered(number: int, outcome: str, at: datetime) -> ServiceDelivered:
    data = {"service": "games", "title": "Games", "what": "Games", "outcome": outcome, "delivered_at": at}
    return ServiceDelivered.model_validate({"demand": demand(number), **data})


def designed(number: int, outcome: str = "designed", iteration: int = 1) -> DesignPerformanceReported:
    data = {"service": "games", "outcome": outcome, "iteration": iteration, "reasons": (), "basis": ()}
    return DesignPerformanceReported.model_validate({"demand": demand(number), **data})


def obtained(number: int) -> ObtainPerformanceReported:
    return ObtainPerformanceReported(
        demand=demand(number), component="engine", way="buy", promised_hours=10, taken_hours=9, cost=900
    )


def refused(number: int) -> ServiceTransitionReported:
    data = {"service": "games", "title": "Games", "outcome": "refused", "reasons": ("Too risky.",)}
    return ServiceTransitionReported.model_validate({"demand": demand(number), **data})


def flow_of(office: Office) -> Flow:
    flow = office.row(Flow, ONE_ROW)
    assert isinstance(flow, Flow)
    return flow


def figures(office: Office) -> dict[str, Any]:
    reports = office.all(ChainPerformanceReported)
    return {kpi.name: (kpi.value, kpi.target, kpi.met) for kpi in reports[-1].kpis} if reports else {}


def go(office: Office, number: int, *, hours: float) -> None:
    """A demand that waits for its parts for so long, and an hour everywhere else."""
    office.hear(consolidated(number), at=NOW)
    office.hear(designed(number), at=NOW + HOUR)
    parts = NOW + (1 + hours) * HOUR
    office.hear(obtained(number), at=parts)
    office.hear(designed(number, "validated"), at=parts + HOUR)
    office.hear(delivered(number, "deployment_accepted", parts + 2 * HOUR), at=parts + 2 * HOUR)
    office.hear(designed(number, "released"), at=parts + 3 * HOUR)
    office.hear(delivered(number, "live", parts + 4 * HOUR), at=parts + 4 * HOUR)


def test_flow_time_runs_from_consolidation_to_live_beside_the_promise() -> None:
    office = Office()
    office.hear(consolidated(1, promise=30 * HOUR))
    office.hear(delivered(1, "live", NOW + 36 * HOUR), at=NOW + 36 * HOUR)
    assert figures(office)["flow_time"] == (36, 30, False)
    office.hear(delivered(1, "live", NOW + 40 * HOUR), delivered(1, "supported", NOW + 50 * HOUR))
    office.until(NOW + 3 * DAY)
    assert figures(office)["flow_time"] == (36, 30, False)


def test_flow_time_is_judged_by_the_plan_that_names_it() -> None:
    office = Office()
    office.hear(plan("operations", flow_time=40), consolidated(1, promise=30 * HOUR))
    office.hear(delivered(1, "live", NOW + 36 * HOUR), at=NOW + 36 * HOUR)
    office.until(NOW + 2 * DAY)
    assert figures(office)["flow_time"] == (36, 40, True)


def test_a_delivery_that_is_heard_of_first_is_measured_when_the_demand_is() -> None:
    office = Office()
    assert office.hear(delivered(1, "live", NOW + 20 * DAY)) == []
    office.hear(consolidated(1))
    assert figures(office)["flow_time"] == (480, 240, False)


def test_support_and_handing_over_are_no_flow_of_a_change() -> None:
    office = Office()
    office.hear(*(delivered(1, outcome, NOW) for outcome in ("supported", "fulfilled", "access_ended")))
    assert office.row(Journey, demand(1)) == Journey(id=demand(1))


@pytest.mark.row("improve.out.performance")
def test_the_activity_at_which_demands_wait_most_is_the_bottleneck_and_to_be_widened() -> None:
    office, even = Office(), Office()
    for number in range(3):
        go(office, number, hours=30)
        go(even, number, hours=2)
    report = office.all(ChainPerformanceReported)[-1]
    assert (report.bottleneck, report.bottleneck_waiting) == ("obtain_build", 0.86)
    assert report.reasons[-1] == "Of all lead time 86% is waited at Obtain/build."
    (initiated,) = office.all(ImprovementInitiated)
    assert (initiated.measure, initiated.bottleneck, initiated.service) == ("flow_time", "obtain_build", None)
    assert "they wait at Obtain/build" in initiated.reasons[0]
    assert initiated.target < initiated.baseline
    even.until(NOW + DAY)
    assert even.all(ChainPerformanceReported)[-1].bottleneck is None
    assert not even.all(ImprovementInitiated)


def waiting(*kinds: str, heard: tuple[Message, ...] = ()) -> Office:
    """Demands that Plan has not decided for two days, when the next one is heard of."""
    office = Office()
    office.hear(*(consolidated(number, kind) for number, kind in enumerate(kinds)))
    office.hear(*heard, at=NOW + 2 * DAY - HOUR)
    office.hear(consolidated(99), at=NOW + 2 * DAY)
    return office


def test_demands_that_wait_hold_up_the_flow_before_they_are_through() -> None:
    office = waiting("change_request", "change_request", "new_product_or_service")
    (initiated,) = office.all(ImprovementInitiated)
    assert initiated.bottleneck == "plan"
    assert "4 wait there now, most of them change request (3)" in initiated.reasons[0]
    assert not waiting("change_request").all(ImprovementInitiated)


@pytest.mark.row("improve.in.chain_performance", "plan")
def test_by_plan_s_own_report_what_it_has_refused_waits_no_more() -> None:
    kinds = ("change_request",) * 3
    report = planning("2026-11-25", decided=3, waiting=0)
    held_up, decided = waiting(*kinds), waiting(*kinds, heard=(report,))
    assert [one.bottleneck for one in held_up.all(ImprovementInitiated)] == ["plan"]
    assert not decided.all(ImprovementInitiated)
    again = waiting(*kinds, heard=(report, planning("2026-11-24", decided=0, waiting=9)))
    assert sum(flow_of(again).under_way("plan").values()) == 1


def test_a_refused_transition_ends_the_waiting() -> None:
    office = Office()
    office.hear(*(consolidated(number) for number in range(3)), *(designed(number) for number in range(3)))
    office.hear(*(refused(number) for number in range(3)), at=NOW + HOUR)
    office.hear(consolidated(4), at=NOW + 5 * DAY)
    assert flow_of(office).under_way() == {"change_request": 1}
    assert "flow_time" not in {one.measure for one in office.all(ImprovementInitiated)}


def test_a_bottleneck_is_told_when_it_turns_and_proposed_once() -> None:
    office = Office()
    for number in range(3):
        go(office, number, hours=30)
    told = len(office.all(ChainPerformanceReported))
    go(office, 4, hours=30)
    assert len([one for one in office.all(ChainPerformanceReported)[told:] if one.bottleneck is None]) == 0
    assert len(office.all(ImprovementInitiated)) == 1
    office.hear(decision("flow-time-chain-1"))
    for number in range(10, 40):
        go(office, number, hours=1)
    assert office.all(ChainPerformanceReported)[-1].bottleneck is None
    assert len([one for one in office.all(ImprovementInitiated) if one.measure == "flow_time"]) == 1


def test_no_order_of_what_is_told_of_a_demand_changes_how_long_it_waited_where() -> None:
    steps: list[tuple[Message, datetime]] = [
        (consolidated(1), NOW),
        (designed(1), NOW + HOUR),
        (obtained(1), NOW + 5 * HOUR),
        (designed(1, "validated"), NOW + 6 * HOUR),
        (delivered(1, "live", NOW + 9 * HOUR), NOW + 9 * HOUR),
    ]
    seen: set[str] = set()
    for order in permutations(steps):
        office = Office()
        for message, at in order:
            office.hear(message, at=at)
        passage = flow_of(office).passages[0]
        seen.add(passage.model_copy(update={"number": 1}).model_dump_json())
    assert len(seen) == 1


def test_the_same_demand_told_twice_begins_once() -> None:
    office = Office()
    office.hear(consolidated(1))
    told: list[Event] = office.hear(consolidated(1), at=NOW + DAY)
    assert told == []
    assert office.row(Journey, demand(1)).begun_at == NOW


def test_the_flow_keeps_the_newest_demands() -> None:
    office = Office()
    office.hear(*(consolidated(number) for number in range(MOST_PASSAGES + 5)))
    assert len(flow_of(office).passages) == MOST_PASSAGES
    assert flow_of(office).passages[-1].demand == demand(MOST_PASSAGES + 4)


def test_the_flow_is_shown_with_load_and_queues() -> None:
    office = waiting("change_request", "new_product_or_service", "change_request")
    view = FlowView.of(flow_of(office), NOW + 3 * DAY)
    assert (view.bottleneck, view.demands) == ("plan", 4)
    assert [(one.kind, one.demands) for one in view.load] == [("change_request", 3), ("new_product_or_service", 1)]
    assert [(one.kind, one.demands) for one in view.queues] == [("plan", 4)]


def test_without_word_that_it_is_live_a_demand_still_waits_for_it() -> None:
    heard, withheld = Office(), Office()
    for number in range(3):
        for office in (heard, withheld):
            office.hear(consolidated(number), at=NOW)
            office.hear(designed(number, "released"), at=NOW + HOUR)
        heard.hear(delivered(number, "live", NOW + 2 * HOUR))
    for office in (heard, withheld):
        office.hear(consolidated(9), at=NOW + 2 * DAY)
    assert not [one for one in heard.all(ImprovementInitiated) if one.bottleneck]
    assert [one.bottleneck for one in withheld.all(ImprovementInitiated)] == ["deliver_support"]


def test_without_the_demand_nobody_knows_that_it_waits() -> None:
    office = Office()
    office.hear(*(designed(number) for number in range(5)))
    office.hear(*(obtained(number) for number in range(5)), at=NOW + 5 * DAY)
    assert not [one for one in office.all(ImprovementInitiated) if one.bottleneck]
    assert flow_of(office).passages == ()
