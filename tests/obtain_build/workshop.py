"""One demand's order, the register and the policy beside it, and what becomes of them, in the words of Obtain/build."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID, uuid5

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import ChangeProposed, ComponentSpecification, SpecificationIssued
from contracts.obtain_build import ComponentProvided
from contracts.values import Requirement, Term
from services.obtain_build.component_register import follow_service
from services.obtain_build.direction import Direction
from services.obtain_build.model import Building, BuildingDone, Component, ObtainParts, Order, PartDelivered
from services.obtain_build.offers import Offer
from services.obtain_build.ordering import hear_change, hear_specification, obtain_parts
from services.obtain_build.provision import take_what_is_built, take_what_is_delivered
from services.obtain_build.sourcing_policy import Edition, SourcingPolicy, SourcingRules

MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)
THE_DEMAND = UUID(int=11)
AVAILABLE = Requirement(name="availability", kind="warranty", measure="share of a month", target=99, unit="%")


def offer(**said: object) -> Offer:
    """A supplier's offer of 1,000 euros in two days; say what is different."""
    usual = {"supplier": "cloudy", "edition": 1, "status": "offered", "price": 1000, "lead_time_hours": 48}
    usual["terms"] = (Term(name="delivery", value=48, unit="hours"),)
    return Offer.model_validate({**usual, **said})


class Workshop:
    """What Obtain/build knows while it works for one demand."""

    def __init__(self, demand: UUID = THE_DEMAND) -> None:
        self.demand = demand
        self.order, self.building = Order(id=demand), Building(id=demand)
        self.policy, self.direction = SourcingPolicy(id="the"), Direction(id="the")
        self.register: dict[str, Component] = defaultdict(lambda: Component(id="unknown"))
        self.budget, self.hours = 20_000, 1_000.0
        self.time = MORNING
        self.told: list[object] = []

    def rules(self, **parameters: object) -> None:
        """The sourcing policy of the day."""
        rules = SourcingRules.model_validate(parameters)
        self.policy.editions = (Edition(number=4, rules=rules, valid_from=MORNING, valid_until=None),)

    def stocked(self, component: str, capacity: float, used: float = 0, *offers: Offer) -> Component:
        """A component in the register."""
        self.register[component] = Component(id=component, capacity=capacity, used=used, unit="users", offers=offers)
        return self.register[component]

    def specification(self, *components: str, iteration: int = 1, rework_of: str | None = None) -> SpecificationIssued:
        """Parts that each bear 100 users, available for 99 %."""
        parts = tuple(
            ComponentSpecification(
                component=name, description="", capacity=100, unit="users", acceptance=("availability",)
            )
            for name in components
        )
        issued = SpecificationIssued(
            demand=self.demand,
            service="video-games",
            iteration=iteration,
            components=parts,
            requirements=(AVAILABLE,),
            dimensions=(),
            rework_of=rework_of,
            reasons=("Designed.",),
            basis=(),
        )
        return issued.at(self.time)

    def change(self, name: str = "CHG-1") -> ChangeProposed:
        """The change that authorises them."""
        proposed = ChangeProposed(
            demand=self.demand,
            change=name,
            service="video-games",
            title="Games",
            origin="portfolio_decision",
            authorised_by=UUID(int=1),
            budget=self.budget,
            wanted_by=MORNING + timedelta(hours=self.hours),
            reasons=("Funded.",),
            basis=(),
        )
        return proposed.at(self.time)

    def obtain(self, *components: str) -> list[object]:
        """Specified and authorised: what comes of it."""
        assert hear_specification(self.specification(*components), self.order) == []
        (wanted,) = hear_change(self.change(), self.order)
        return self.choose(wanted)

    def rework(self, *components: str) -> list[object]:
        """Validation has sent parts back."""
        iteration = 1 + max(part.iteration for part in self.order.parts)
        issued = self.specification(*components, iteration=iteration, rework_of="it is too slow")
        (wanted,) = hear_specification(issued, self.order)
        return self.choose(wanted)

    def choose(self, wanted: ObtainParts) -> list[object]:
        """The ways to the parts are chosen, and what takes no time is done."""
        message = wanted.at(self.time)
        rows = {component: self.register[component] for component in wanted.components}
        self.told = [*obtain_parts(message, self.order, self.building, rows, self.policy, self.direction)]
        return self.told

    def built(self, by: str = "the activity itself") -> list[object]:
        """The development team is done."""
        done = BuildingDone(demand=self.demand, by=by).at(self.time)
        return [*take_what_is_built(done, self.order, self.building)]

    def delivered(self, component: str, iteration: int = 1, taken_hours: float | None = None) -> list[object]:
        """The supplier's time is over."""
        message = PartDelivered(demand=self.demand, component=component, iteration=iteration, taken_hours=taken_hours)
        return [*take_what_is_delivered(message.at(self.time), self.order)]

    def service(self, outcome: str, change: str = "CHG-1") -> list[object]:
        """What Deliver and support says of the service."""
        said = {
            "demand": self.demand,
            "service": "video-games",
            "title": "Games",
            "change": change,
            "outcome": outcome,
            "what": "",
            "delivered_at": self.time,
        }
        return [*follow_service(ServiceDelivered.model_validate(said).at(self.time), self.order)]

    @classmethod
    def where(cls, *, passes: bool) -> Self:
        """One for the first demand whose built `store` passes all its tests, or fails one."""
        for number in range(1000):
            trial, found = cls(demand := uuid5(THE_DEMAND, str(number))), cls(demand)
            trial.obtain("store")
            (provided,) = of(ComponentProvided, trial.built())
            if all(test.passed for test in provided.tests) == passes:
                return found
        raise AssertionError("no such demand: the rule of measuring has only one result")

    def way(self, component: str) -> tuple[str, str | None]:
        """How a part is had, and from whom."""
        part = self.order.part(component)
        assert part is not None
        return part.way, part.choice.option.supplier


def of(kind: type, told: list[object]) -> list:  # type: ignore[type-arg]  # of whichever kind is asked for
    """The outputs of one kind."""
    return [one for one in told if isinstance(one, kind)]
