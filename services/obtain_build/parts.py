"""Parts of an order: what is wanted, the way that was chosen to have it, and how far it is."""

from typing import Self

from pydantic import AwareDatetime

from contracts.design_transition import ComponentSpecification, SpecificationIssued
from contracts.event import Data, Fact
from contracts.obtain_build import SourcingOption
from contracts.values import Amount, Count, Euros, Hours, Requirement, Term, Version, Way


class Choice(Data):
    """The way that was chosen to have a component, among those that were weighed."""

    option: SourcingOption
    promised_hours: Hours | None = None
    """In how many hours it is promised, a reserve included; None for as long as the way takes by itself."""
    agreement: str | None = None
    """The contract it is bought under."""
    terms: tuple[Term, ...] = ()
    """What its supplier promises."""
    missed: str = ""
    """What would have been better but for a missing contract; empty if nothing."""
    options: tuple[SourcingOption, ...]
    reasons: tuple[str, ...]
    basis: tuple[Fact, ...]


class Part(Data):
    """A component on its way."""

    specification: ComponentSpecification
    iteration: Version
    """The specification that it answers."""
    attempt: Count = 1
    """How often it was made for this change: what is made again has learnt from the tests."""
    choice: Choice
    begun_at: AwareDatetime
    cost: Euros
    """All that was spent on it, earlier attempts included."""
    provided: bool = False
    capacity: Amount = 0
    """How much it bears, as measured; 0 until then."""

    @property
    def component(self) -> str:
        """Its id."""
        return self.specification.component

    @property
    def way(self) -> Way:
        """How it is had."""
        return self.choice.option.way

    @property
    def supplier(self) -> str | None:
        """Who supplies it, if it is bought."""
        return self.choice.option.supplier

    @property
    def promised_hours(self) -> float:
        """How long it was to take."""
        promised = self.choice.promised_hours
        return self.choice.option.lead_time_hours if promised is None else promised


class Wanted(Data):
    """Parts that are to be had."""

    components: tuple[ComponentSpecification, ...]
    iteration: Version
    requirements: tuple[Requirement, ...] = ()
    restock: bool = False
    """They are to be added to the stock: what is there already is no way to have them."""

    @classmethod
    def of(cls, specification: SpecificationIssued) -> Self:
        """What of a specification is to be obtained."""
        components, requirements = specification.components, specification.requirements
        return cls(components=components, iteration=specification.iteration, requirements=requirements)
