"""Every input matters: the same story is told with and without one event, and something else is decided."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from contracts.design_transition import DeploymentPlanned
from contracts.engage import ThirdPartyServiceReported
from contracts.obtain_build import ChangedServiceReported
from contracts.plan import PolicyIssued
from contracts.stream import Streams
from contracts.values import PolicyParameter
from services.design_transition.change_policy import take_policy
from services.design_transition.change_requests import hear_change_request
from services.design_transition.registers import hear_third_party, take_contract
from services.design_transition.service_design import hear_that_parts_cannot_be_had
from tests.design_transition.bench import DEMAND, NOW, SERVICE, Bench, only
from tests.design_transition.test_change_requests import request, weigh
from tests.design_transition.test_continual_improvement import close, decide, measure_changes, propose, publish_plan
from tests.design_transition.test_early_life import review, supported


class Withheld(NamedTuple):
    """An event on its way from its teller to a documented input."""

    row: str
    teller: str
    tell: Callable[[Bench], object]
    outcome: Callable[[Bench], object]
    told: object
    untold: object


def tell_only(index: int) -> Callable[[Bench], object]:
    """One of the three that a design waits for."""
    return lambda bench: list(bench.inputs())[index]()


def tell_all_but(index: int) -> Callable[[Bench], object]:
    """The other two that a design waits for; the one with this index is what may be withheld."""
    return lambda bench: [tell() for number, tell in enumerate(bench.inputs()) if number != index]


def policy(bench: Bench) -> object:
    lower = (PolicyParameter(name="manager_from", value=6_000, unit="euros"),)
    issued = PolicyIssued(
        policy="change-authority", version=1, title="", statement="", subject="change", parameters=lower,
        valid_from=NOW, reasons=("Directed.",), basis=(),
    )  # fmt: skip
    return take_policy(issued.at(NOW), bench.policy)


def supplier(bench: Bench) -> object:
    data = {"supplier": "cloudy", "version": 1, "name": "", "service": "hosting", "title": "", "terms": (),
            "status": "ending", "support_hours": "", "supports": (SERVICE,), "valid_from": NOW}  # fmt: skip
    (heard,) = hear_third_party(ThirdPartyServiceReported.model_validate(data).at(NOW))
    return take_contract(heard.at(NOW), bench.record)


def unobtainable(bench: Bench) -> object:
    data = {"demand": DEMAND, "service": SERVICE, "change": bench.designed().design.change, "components": (),
            "outcome": "not_obtainable", "reasons": ("Too dear.",)}  # fmt: skip
    return hear_that_parts_cannot_be_had(ChangedServiceReported.model_validate(data).at(NOW), bench.design)


def change_request(bench: Bench) -> object:
    assert hear_change_request(request())
    return weigh(bench)


def approved_then(bench: Bench) -> None:
    decide(bench.health, "change_success", service=None)


def authority(bench: Bench) -> str:
    return only(DeploymentPlanned, bench.designed().validated()).authority


def risk(bench: Bench) -> str:
    return only(DeploymentPlanned, bench.designed().validated()).risk


def status(bench: Bench) -> str:
    return bench.design.status


def designed(bench: Bench) -> str:
    bench.start()
    bench.finish_design()
    return bench.design.status


def begun(index: int) -> Callable[[Bench], object]:
    """Whether a design has begun once the other two are here."""

    def outcome(bench: Bench) -> str:
        tell_all_but(index)(bench)
        return bench.design.status

    return outcome


def deployed(bench: Bench) -> str:
    if bench.design.status == "awaited":
        bench.designed().provide("game-store")
    return bench.design.status


def in_early_life(bench: Bench) -> None:
    bench.released()
    supported(bench.record, 1, after=48)
    supported(bench.record, 2, after=49)


def judged(bench: Bench) -> str:
    if bench.design.status == "awaited":
        bench.released()
    review(bench)
    return bench.design.review


STORY = (
    Withheld("plan.out.plans", "plan", lambda b: publish_plan(b.health, 0.95), risk, "high", "medium"),
    Withheld("design_transition.in.portfolio", "plan", tell_only(2), begun(2), "designing", "awaited"),
    Withheld("design_transition.in.policies", "plan", policy, authority, "manager", "peer"),
    Withheld(
        "plan.out.improvement_plans", "plan",
        lambda b: decide(b.health, "change_success", service=None), authority, "manager", "peer",
    ),
    Withheld("engage.out.demand", "engage", tell_only(0), begun(0), "designing", "awaited"),
    Withheld("design_transition.in.requirements", "engage", tell_only(1), begun(1), "designing", "awaited"),
    Withheld("design_transition.in.third_party", "engage", supplier, designed, "refused", "obtaining"),
    Withheld(
        "design_transition.in.components", "obtain_build",
        lambda b: b.designed().validated(), deployed, "deploying", "obtaining",
    ),
    Withheld("design_transition.in.changed_services", "obtain_build", unobtainable, deployed, "refused", "obtaining"),
    Withheld("deliver_support.out.change_requests", "deliver_support", change_request, status, "designing", "awaited"),
    Withheld("deliver_support.out.delivered", "deliver_support", in_early_life, judged, "failed", "succeeded"),
    Withheld(
        "design_transition.in.performance", "improve",
        lambda b: measure_changes(b.health, 0.5, met=False, version=2), risk, "high", "medium",
    ),
    Withheld("improve.out.initiatives", "improve", lambda b: propose(b.health, "sla_met"), risk, "high", "medium"),
    Withheld(
        "improve.out.status", "improve",
        lambda b: [approved_then(b), close(b.health, "change_success", "reverted", None)], authority, "peer", "manager",
    ),
)  # fmt: skip
BEFORE: dict[str, Callable[[Bench], object]] = {
    "plan.out.plans": lambda b: measure_changes(b.health, 0.9, met=True),
    "improve.out.status": approved_then,
}
"""What else is known in both tellings."""


MARKED = [
    pytest.param(case, marks=[pytest.mark.row(case.row, case.teller)] if ".in." in case.row else []) for case in STORY
]
"""Each with the documented input that it withholds; the others are documented as outputs of their tellers."""


@pytest.mark.parametrize("case", MARKED, ids=[case.row for case in STORY])
def test_without_this_event_something_else_is_decided(streams: Streams, case: Withheld) -> None:
    for is_told, decided in ((True, case.told), (False, case.untold)):
        bench = Bench(streams)
        BEFORE.get(case.row, lambda _: None)(bench)
        if is_told:
            case.tell(bench)
        assert case.outcome(bench) == decided


def test_a_delivery_that_is_withheld_leaves_a_service_unreleased(bench: Bench) -> None:
    bench.designed().validated()
    bench.time += timedelta(days=30)
    assert (bench.design.status, bench.record.releases) == ("deploying", 0)
    bench.deliver("deployment_accepted")
    assert (bench.design.status, bench.record.releases) == ("released", 1)
