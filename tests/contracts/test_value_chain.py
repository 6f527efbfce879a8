"""The table of flows and the documented rows, held against each other in both directions."""

from itertools import permutations

import pytest

from contracts.engage import DemandConsolidated
from contracts.event import Command, Event, dashed
from contracts.plan import PortfolioDecisionMade
from contracts.rows import ROWS, End
from contracts.value_chain import (
    ACTIVITIES,
    ARROWS,
    BY_TYPE,
    CUSTOMERS,
    ENDS,
    ENGAGE,
    FLOWS,
    IMPROVE,
    PARTIES,
    PLAN,
    TITLES,
    TOPICS,
    Flow,
    dead_letters,
    ends_of,
    flow_of,
    heard_by,
    inbox,
    told_by,
)

INPUTS = [end for row in ROWS if not row.is_output for end in row.each_end()]
OUTPUTS = [end for row in ROWS if row.is_output for end in row.each_end()]
each_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.event.__name__)


def arrow(end: End, *, output: bool) -> tuple[str, str]:
    activity = end.row.partition(".")[0]
    return (activity, end.other) if output else (end.other, activity)


def test_the_documented_rows_are_36_inputs_with_47_ends_and_27_outputs_with_65_ends() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS) == 36 + 27
    assert sum(row.is_output for row in ROWS) == 27
    assert (len(set(INPUTS)), len(set(OUTPUTS))) == (len(INPUTS), len(OUTPUTS)) == (47, 65)
    assert len(ENDS) == 112


def test_rows_draw_28_arrows_between_activities_as_documented_and_all_30_with_what_they_imply() -> None:
    documented = {
        arrow(end, output=row.is_output) for row in ROWS for end in row._replace(implied=()).each_end()
    } & set(permutations(ACTIVITIES, 2))
    everything = {arrow(end, output=row.is_output) for row in ROWS for end in row.each_end()}
    assert len(documented) == 28
    assert everything >= set(permutations(ACTIVITIES, 2))


@pytest.mark.parametrize("end", INPUTS, ids=lambda end: f"{end.row} from {end.other}")
def test_every_end_of_an_input_has_a_flow_that_serves_it(end: End) -> None:
    hearer = end.row.partition(".")[0]
    assert [f for f in told_by(end.other) if end.row in f.hearers.get(hearer, ())]


@pytest.mark.parametrize("end", OUTPUTS, ids=lambda end: f"{end.row} to {end.other}")
def test_every_end_of_an_output_has_a_flow_that_serves_it(end: End) -> None:
    assert [f for f in FLOWS if f.output == end.row and end.other in f.hearers]


@each_flow
def test_a_flow_claims_documented_ends_only(flow: Flow) -> None:
    for hearer, inputs in flow.hearers.items():
        for row in inputs:
            assert row.startswith(f"{hearer}.in.")
            assert End(row, flow.teller) in INPUTS
    if flow.output:
        assert flow.output.startswith(f"{flow.teller}.out.")
        assert any(end.row == flow.output for end in OUTPUTS)


@each_flow
def test_every_hearer_of_a_flow_is_documented_on_at_least_one_side(flow: Flow) -> None:
    assert flow.hearers
    for hearer in flow.hearers:
        assert hearer in ACTIVITIES + PARTIES
        assert hearer != flow.teller
        assert ends_of(flow, hearer)


def test_the_ends_of_all_flows_together_are_all_ends() -> None:
    assert {end for flow in FLOWS for hearer in flow.hearers for end in ends_of(flow, hearer)} == ENDS


def test_the_ends_that_a_message_shows_are_those_of_both_sides() -> None:
    demand = flow_of(DemandConsolidated)
    assert ends_of(demand, PLAN) == {End("engage.out.demand", PLAN), End("plan.in.demand", ENGAGE)}
    assert ends_of(demand, IMPROVE) == {End("engage.out.demand", IMPROVE)}
    assert ends_of(flow_of(PortfolioDecisionMade), ENGAGE) == {End("engage.in.portfolio", PLAN)}


def test_all_30_arrows_between_the_activities_carry_something() -> None:
    assert len(ARROWS) == 30
    assert set(ARROWS) == set(permutations(ACTIVITIES, 2))


def test_one_event_class_has_one_row_and_one_type() -> None:
    assert len({flow.event for flow in FLOWS}) == len({flow.event.__name__ for flow in FLOWS}) == len(FLOWS)
    assert len(BY_TYPE) == len(FLOWS)


@each_flow
def test_a_flow_is_found_by_class_and_by_type_and_under_its_teller_and_hearers(flow: Flow) -> None:
    assert flow_of(flow.event) is flow_of(flow.event.type) is flow
    assert flow in told_by(flow.teller)
    assert all(flow in heard_by(hearer) for hearer in flow.hearers)


def test_what_is_not_in_the_table_has_no_flow() -> None:
    with pytest.raises(KeyError):
        flow_of("svc.plan.nothing-of-the-sort.v1")


@each_flow
def test_an_event_is_told_by_its_activity_on_the_topic_of_its_documented_output(flow: Flow) -> None:
    if issubclass(flow.event, Event):
        assert flow.teller == flow.event.activity
        topic = f"svc.{dashed(flow.teller)}."
        assert (
            flow.topic == topic + dashed(flow.output.rpartition(".")[2])
            if flow.output
            else flow.topic.startswith(topic)
        )


@each_flow
def test_a_command_of_a_party_outside_arrives_at_the_inbox_of_one_activity(flow: Flow) -> None:
    if issubclass(flow.event, Command):
        assert flow.teller in PARTIES
        assert list(flow.hearers) == [flow.event.activity]
        assert flow.topic == inbox(flow.event.activity)
        assert flow.output is None


def test_topics_that_only_inputs_document_are_named_like_no_output() -> None:
    outputs = {flow.topic for flow in FLOWS if flow.output}
    assert {flow.topic for flow in FLOWS if not flow.output and flow.teller in ACTIVITIES} == {
        "svc.plan.performance",
        "svc.engage.agreements",
        "svc.engage.support-tasks",
        "svc.design-transition.changed-services",
        "svc.design-transition.change-requests",
        "svc.deliver-support.agreements",
    }
    assert len(outputs) == 27
    assert outputs.isdisjoint(flow.topic for flow in FLOWS if not flow.output)


def test_topics_are_27_outputs_six_inputs_of_others_and_two_for_each_activity() -> None:
    assert len(set(TOPICS)) == len(TOPICS) == 27 + 6 + 6 + 6
    assert {inbox("design_transition"), dead_letters("design_transition")} <= set(TOPICS)
    assert inbox("design_transition") == "svc.design-transition.inbox"
    assert not [topic for topic in TOPICS if "_" in topic]


def test_customers_hear_what_was_delivered_and_how_their_demand_stands() -> None:
    assert {flow.event.__name__ for flow in heard_by(CUSTOMERS)} == {
        "ServiceDelivered",
        "DemandStatusReported",
        "EngagementPerformanceReported",
    }


def test_every_activity_has_a_title() -> None:
    assert tuple(TITLES) == ACTIVITIES
