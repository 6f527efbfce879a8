"""What the day of Carcachin promises: who waits goes on, and what is not good enough does not go out."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import (
    DeploymentPlanned,
    DesignPerformanceReported,
    ServiceReleased,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.event import Message
from contracts.obtain_build import ComponentProvided
from contracts.plan import PortfolioDecisionMade
from contracts.value_chain import DELIVER_SUPPORT, DESIGN_TRANSITION, PLAN
from svc.invariants import Told, violations
from svc.scenario import Say
from svc.simulation.chain import Simulation

DEAR, UNSTAFFED, STAFFED = (
    "New controllers that fit every car", "Karaoke while charging", "Karaoke after the fire drill"
)  # fmt: skip


def events(chain: Simulation, title: str, *kinds: type[Message]) -> list[Told]:
    """What was told of the demand with this title, in order."""
    (demand,) = (id for id, row in chain.history.demands.items() if row.title == title)
    return [told for told in chain.history.events(*kinds) if told.case == demand]


def status(chain: Simulation, title: str) -> str:
    (found,) = (row.status for row in chain.history.demands.values() if row.title == title)
    return str(found)


def until_governance_answers(said: Iterable[Say]) -> Iterator[Say]:
    """The day as it would be if governance kept silent."""
    return (say for say in said if say.activity != PLAN)


async def test_an_over_budget_demand_waits_for_governance_and_goes_on_when_it_answers(play, day: Simulation) -> None:
    waiting, *_, approved = [told.data for told in events(day, DEAR, PortfolioDecisionMade)]
    assert waiting["decision"] == "defer"
    assert any("governance has to allow it" in reason for reason in waiting["reasons"])
    assert approved["decision"] == "approve"
    assert approved["policy_version"] > waiting["policy_version"], "it goes by what governance has answered"
    assert events(day, DEAR, SpecificationIssued), "what is funded is designed"

    silent = await play(saying=until_governance_answers)
    assert {told.data["decision"] for told in events(silent, DEAR, PortfolioDecisionMade)} == {"defer"}
    assert status(silent, DEAR) == "deferred", "it waits still"
    assert not events(silent, DEAR, SpecificationIssued)
    assert violations(silent.history) == []


async def test_a_design_with_a_failing_dimension_never_reaches_release(play, day: Simulation) -> None:
    (report,) = [told.data for told in events(day, UNSTAFFED, ServiceTransitionReported)]
    assert report["outcome"] == "refused"
    assert any("rights-manager" in reason for reason in report["reasons"])
    told = events(day, UNSTAFFED, SpecificationIssued, ComponentProvided, DeploymentPlanned, ServiceReleased)
    assert told == [], "nothing of it is built, deployed or released"
    assert status(day, UNSTAFFED) == "rejected"
    assert events(day, STAFFED, ServiceReleased), "with somebody who can run it, the same is released"

    def unstaffed_all_day(said: Iterable[Say]) -> Iterator[Say]:
        return (say for say in said if (say.activity, "readiness" in say.path) != (DESIGN_TRANSITION, True))

    unstaffed = await play(saying=unstaffed_all_day)
    assert events(unstaffed, STAFFED, ServiceReleased) == []
    assert status(unstaffed, STAFFED) == "rejected"


def test_no_service_is_released_whose_design_fails_in_a_dimension(day: Simulation) -> None:
    released = {told.case for told in day.history.events(ServiceReleased)}
    specified: dict[str, Any] = {}
    for told in day.history.events(SpecificationIssued):
        specified[told.case] = told.data["dimensions"]
    assert released
    for case in released & set(specified):
        assert len(specified[case]) == 4
        assert all(dimension["passed"] for dimension in specified[case])


def test_a_component_that_fails_validation_goes_back_with_the_reason_and_comes_again(day: Simulation) -> None:
    again = [told for told in day.history.events(SpecificationIssued) if told.data["rework_of"]]
    assert again, "no component of the day has failed"
    for told in again:
        specification = told.data
        parts = {part["component"] for part in specification["components"]}
        assert any(part in specification["rework_of"] for part in parts), "the reason names what failed"
        provided = [one.data for one in day.history.events(ComponentProvided) if one.case == told.case]
        rounds = {(one["component"], one["iteration"]) for one in provided}
        for part in parts:
            assert (part, specification["iteration"] - 1) in rounds, "it was there"
            assert (part, specification["iteration"]) in rounds, "and it came again"
        failed = [one.data for one in day.history.events(DesignPerformanceReported) if one.case == told.case]
        assert any(one["outcome"] == "validation_failed" for one in failed)


def test_access_ends_when_it_was_granted_until(day: Simulation) -> None:
    rows = {row.demand: row for row in day.history.of(DELIVER_SUPPORT, "Access")}
    ended = [told for told in day.history.events(ServiceDelivered) if told.data["outcome"] == "access_ended"]
    assert len(ended) >= 3
    for told in ended:
        assert told.time == datetime.fromisoformat(told.data["delivered_at"])
    held = [row for row in rows.values() if row.until is not None]
    assert all((row.ended_at is not None) == (row.until <= day.clock.now()) for row in held)
    assert all(row.ended_at is None or row.ended_at - row.until == timedelta(0) for row in held)
