"""What operation asks to change, and what is made of it."""

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from contracts.deliver_support import ChangeRequested
from contracts.design_transition import (
    ChangeProposed,
    DeploymentPlanned,
    DesignPerformanceReported,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.stream import Stream, Streams
from services.chassis.outputs import Begin, Later, Work
from services.design_transition.change_policy import ChangeRules
from services.design_transition.change_requests import hear_change_request, weigh_change_request
from services.design_transition.handlers import handles
from services.design_transition.model import ChangeAsked
from tests.design_transition.bench import AVAILABILITY, NOW, PLAYERS, SERVICE, STREAM, Bench, only

CHANGE, REQUEST = "CR-17", UUID(int=17)


def request(**different: object) -> ChangeRequested:
    data = {"change": CHANGE, "service": SERVICE, "title": "Games stop at the border", "text": "", "origin": "problem",
            "problem": "PRB-1", "urgency": 2, "benefit": 4_000, "effort": 3_000, **different}  # fmt: skip
    return ChangeRequested.model_validate(data).at(NOW, id=REQUEST)


def ask(**different: object) -> ChangeAsked:
    (begun,) = hear_change_request(request(**different))
    assert isinstance(begun, Begin)
    assert begun.stream == "change-a-live-service"
    assert isinstance(begun.message, ChangeAsked)
    return begun.message.at(NOW, stream=STREAM)


def weigh(bench: Bench, asked: ChangeAsked | None = None, **different: object) -> list[Any]:
    asked = asked or ask(**different)
    return weigh_change_request(asked, bench.design, bench.designing, bench.record, bench.policy)


def refused(bench: Bench, **different: object) -> str:
    told = weigh(bench, **different)
    ended, reported = only(ServiceTransitionReported, told), only(DesignPerformanceReported, told)
    assert (ended.outcome, ended.change, reported.outcome) == ("refused", CHANGE, "change_refused")
    assert reported.basis
    assert bench.design.status == "refused"
    return " ".join(ended.reasons)


def test_a_request_has_a_demand_of_its_own_and_goes_into_the_stream_of_changes() -> None:
    asked = ask()
    assert asked.demand == uuid5(NAMESPACE_URL, CHANGE)
    assert asked.request_id == REQUEST


def test_what_operation_orders_again_is_not_designed() -> None:
    assert hear_change_request(request(origin="operation", component="game-pad", quantity=10, unit="pieces")) == []


def test_a_change_that_pays_is_designed_proposed_and_specified(bench: Bench) -> None:
    bench.record.requirements = (AVAILABILITY, PLAYERS)
    (work,) = weigh(bench)
    assert isinstance(work, Work)
    told = bench.finish_design()
    proposed, issued = only(ChangeProposed, told), only(SpecificationIssued, told)
    assert (proposed.origin, proposed.change, proposed.authorised_by) == ("problem", CHANGE, REQUEST)
    assert proposed.budget == 5_000
    assert proposed.reasons == (f"The change request funds {SERVICE} with 5000 euros.",)
    (part,) = issued.components
    assert (part.component, part.capacity, part.acceptance) == (f"{SERVICE}-correction", 1, ("availability",))


def test_it_may_cost_what_it_is_worth_and_no_more_than_the_policy_allows(bench: Bench) -> None:
    bench.policy.edition, bench.policy.rules = 1, ChangeRules(standard_up_to=3_500)
    weigh(bench)
    assert bench.design.budget == 3_500
    cheap = Bench(bench.streams)
    weigh(cheap, benefit=1_000, effort=500)
    assert cheap.design.budget == 2_000


@pytest.mark.parametrize("standard_up_to", [2_999, 3_000])
def test_a_change_beyond_what_the_policy_allows_is_refused(bench: Bench, standard_up_to: int) -> None:
    bench.policy.edition, bench.policy.rules = 1, ChangeRules(standard_up_to=standard_up_to)
    if standard_up_to == 3_000:
        assert isinstance(only(Work, weigh(bench)), Work)
    else:
        limit = "without a decision of the portfolio 2999 may be spent"
        assert refused(bench) == f"It is guessed to cost 3000 euros, and {limit}."


@pytest.mark.parametrize(
    ("urgency", "workaround", "years"),
    [
        (1, "", "3 years"),
        (1, "restart it", "2 years"),
        (2, "", "2 years"),
        (2, "restart it", "1 year"),
        (3, "", "1 year"),
    ],
)
def test_the_less_urgent_a_change_the_sooner_it_has_to_pay(
    bench: Bench, urgency: int, workaround: str, years: str
) -> None:
    worth = 1_000 * int(years[0])
    reason = refused(bench, urgency=urgency, workaround=workaround, benefit=1_000, effort=worth)
    assert reason == f"Within {years} it would save {worth} euros and cost {worth}."
    other = Bench(bench.streams)
    assert only(Work, weigh(other, urgency=urgency, workaround=workaround, benefit=1_000, effort=worth - 1))


def test_without_a_guess_it_must_be_worth_all_that_may_be_spent(bench: Bench) -> None:
    assert refused(bench, effort=None, benefit=2_500) == "Within 2 years it would save 5000 euros and cost 5000."


def test_nothing_is_changed_on_a_service_that_is_retired(bench: Bench) -> None:
    bench.record.retired_at = NOW
    assert refused(bench) == f"{SERVICE} was retired on 2026-11-24."


def test_in_a_freeze_what_can_wait_is_judged_afterwards_and_what_cannot_at_once(bench: Bench) -> None:
    end = NOW + timedelta(days=3)
    bench.policy.edition = 1
    bench.policy.rules = ChangeRules(freeze_from=NOW - timedelta(days=1), freeze_until=end)
    asked = ask()
    assert weigh(bench, asked) == [Later(end, asked)]
    assert bench.design.status == "awaited"
    assert only(Work, weigh(bench, asked.at(end, stream=STREAM)))
    urgent = Bench(bench.streams)
    urgent.policy = bench.policy
    assert only(Work, weigh(urgent, urgency=1))


def test_the_same_request_is_not_judged_twice_and_a_better_one_is(bench: Bench) -> None:
    refused(bench, benefit=10)
    assert weigh(bench, benefit=10) == []
    assert only(Work, weigh(bench, benefit=9_000))
    assert weigh(bench, benefit=9_000) == []
    assert weigh(bench, benefit=9_999) == []


def test_what_cannot_wait_becomes_an_emergency_change_and_what_can_a_normal_one(bench: Bench) -> None:
    weigh(bench, urgency=1)
    bench.finish_design()
    planned = only(DeploymentPlanned, bench.provide(f"{SERVICE}-correction"))
    assert (planned.change, planned.change_type, planned.authority) == (CHANGE, "emergency", "emergency_authority")
    assert planned.reasons[0] == "It would do harm before a normal change could be installed."
    other = Bench(bench.streams)
    weigh(other, urgency=2)
    other.finish_design()
    assert only(DeploymentPlanned, other.provide(f"{SERVICE}-correction")).change_type == "normal"


def test_the_request_finds_its_way_into_the_stream_of_changes(streams: Streams) -> None:
    shipped = streams.get(STREAM)
    assert shipped is not None
    renamed = shipped.model_copy(update={"stream": "change-a-live-service"})
    assert isinstance(renamed, Stream)
    handles.follow(Streams((renamed,)))
    route = handles.route(ChangeAsked.type, "change-a-live-service", "")
    assert route is not None
    assert route.step is not None
    assert (route.handler.decide.__name__, route.step.step) == ("weigh_change_request", "design")
    handles.follow(streams)
