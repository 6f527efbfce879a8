"""One demand's design on the bench: brought to the stage that a test begins from."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from contracts.deliver_support import ServiceDelivered
from contracts.engage import DemandConsolidated, ServiceRequirementsStated
from contracts.obtain_build import ComponentProvided, TestResult
from contracts.plan import Blueprint, ComponentNeed, PortfolioDecisionMade, PortfolioVerdict
from contracts.stream import Streams
from contracts.values import Requirement
from services.design_transition.change_policy import ChangePolicy
from services.design_transition.continual_improvement import ChainHealth
from services.design_transition.model import Brief, Design, Designing, DesigningDone
from services.design_transition.release_management import release_service
from services.design_transition.service_configuration import ServiceRecord
from services.design_transition.service_design import assess_design, take_decision, take_demand, take_requirements
from services.design_transition.service_validation import validate_component

Told = TypeVar("Told")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEMAND, DECISION = UUID(int=7), UUID(int=0xC0FFEE << 104)
SERVICE, STREAM = "in-car-video-games", "create-a-new-product-or-service"
AVAILABILITY = Requirement(name="availability", kind="warranty", measure="share of a month", target=99, unit="%")
PLAYERS = Requirement(name="players", kind="utility", measure="players at the same time", target=50, unit="users")


class Bench:
    """One demand's design with all the state around it, and short words for what happens to it."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.brief, self.design, self.designing = Brief(id=DEMAND), Design(id=DEMAND), Designing(id=DEMAND)
        self.record, self.policy, self.health = ServiceRecord(id=SERVICE), ChangePolicy(id="the"), ChainHealth(id="the")
        self.requirements: tuple[Requirement, ...] = (AVAILABILITY, PLAYERS)
        self.needs: tuple[ComponentNeed, ...] = (
            ComponentNeed(component="game-store", description="sells games", capacity=60, unit="users"),
            ComponentNeed(component="game-pad", description="steers games", capacity=200, unit="pieces"),
        )
        self.lead_time_hours, self.cost, self.users = 100.0, 9_000, 50
        self.wanted_by: datetime | None = None
        self.time = NOW

    def inputs(self) -> Iterator[Callable[[], list[object]]]:
        """What a design waits for, each as a call that tells it."""
        demand = DemandConsolidated(
            demand=DEMAND,
            title="Games in the car",
            text="Children are bored while the car charges.",
            kind="new_product_or_service",
            requester="ada@example.org",
            segment="",
            service=SERVICE,
            tickets=(),
            users=self.users,
            value=90_000,
            effort=None,
            wanted_by=self.wanted_by,
            promise_by=NOW + timedelta(days=90),
            channel="car",
        ).at(NOW, stream=STREAM, step="consolidate-demand")
        stated = ServiceRequirementsStated(demand=DEMAND, service=SERVICE, segment="", requirements=self.requirements)
        stated = stated.at(NOW, stream=STREAM, step="consolidate-demand")
        decision = self.decision().at(NOW, id=DECISION, stream=STREAM, step="weigh-demand")
        yield lambda: [*take_demand(demand, self.brief, self.design, self.designing)]
        yield lambda: [*take_requirements(stated, self.brief, self.design, self.designing)]
        yield lambda: [*take_decision(decision, self.brief, self.design, self.designing)]

    def decision(self, verdict: PortfolioVerdict = "approve") -> PortfolioDecisionMade:
        """What Plan says about the demand."""
        approved = verdict == "approve"
        blueprint = Blueprint(
            design="", development="", deployment="", components=self.needs, lead_time_hours=self.lead_time_hours
        )
        return PortfolioDecisionMade(
            demand=DEMAND,
            title="Games in the car",
            requester="ada@example.org",
            service=SERVICE,
            decision=verdict,
            options=(),
            chosen="build it" if approved else None,
            value=90_000,
            cost=self.cost if approved else 0,
            quarter="2026-Q4",
            budget_left=0,
            policy="funding",
            policy_version=1,
            blueprint=blueprint if approved else None,
            reasons=("It pays.",),
            basis=(),
        )

    def start(self) -> None:
        """Tell all that a design waits for."""
        for tell in self.inputs():
            tell()

    def finish_design(self, by: str = "the activity itself") -> list[object]:
        """The design is on paper."""
        self.time = NOW + timedelta(hours=10)
        done = DesigningDone(demand=DEMAND, service=SERVICE, by=by).at(self.time)
        return [*assess_design(done, self.design, self.designing, self.record, self.health, self.streams)]

    def designed(self) -> "Bench":
        """A design that holds, its parts specified."""
        self.start()
        self.finish_design()
        assert self.design.status == "obtaining"
        return self

    def provide(self, part: str, /, **different: object) -> list[object]:
        """Obtain/build provides a part; good in every respect unless something is said to be different."""
        specification = next(one.specification for one in self.design.parts if one.component == part)
        targets = {r.name: r for r in self.requirements}
        tests = tuple(
            TestResult(name=name, passed=True, measured=targets[name].target, unit=targets[name].unit)
            for name in specification.acceptance
            if name in targets
        )
        provided = {
            "demand": DEMAND, "service": SERVICE, "component": part, "iteration": self.design.iteration,
            "way": "build", "cost": 3_000, "capacity": specification.capacity, "unit": specification.unit,
            "tests": tests, "ready_at": self.time, "reasons": ("Built.",), "basis": (), **different,
        }  # fmt: skip
        message = ComponentProvided.model_validate(provided).at(self.time, stream=STREAM, step="obtain")
        return [*validate_component(message, self.design, self.record, self.policy, self.health)]

    def validated(self) -> list[object]:
        """Both parts are provided, and good: what is told then."""
        self.provide("game-store")
        return self.provide("game-pad")

    def deliver(self, outcome: str, change: str | None = None) -> list[object]:
        """Deliver and support has installed the change, or refuses to, a day later."""
        data = {"demand": DEMAND, "service": SERVICE, "title": "", "change": change or self.design.change,
                "outcome": outcome, "what": "", "delivered_at": NOW, "reasons": ("No way back.",)}  # fmt: skip
        self.time += timedelta(hours=24)
        told = ServiceDelivered.model_validate(data).at(self.time, stream=STREAM, step="deploy")
        return [*release_service(told, self.design, self.record, self.streams)]

    def released(self) -> list[object]:
        """The change is installed and released: what is told then."""
        self.designed().validated()
        return self.deliver("deployment_accepted")


def only(kind: type[Told], told: list[object]) -> Told:
    """The one output of this kind."""
    found = [one for one in told if isinstance(one, kind)]
    assert len(found) == 1, told
    return found[0]
