"""From an authorised specification to ways: each part is looked for, and begun, waited for or given up."""

from datetime import timedelta

from contracts.design_transition import ChangeProposed, ComponentSpecification, SpecificationIssued
from contracts.event import Fact
from contracts.obtain_build import ChangedServiceReported
from services.chassis.outputs import Later
from services.chassis.state import Read
from services.obtain_build.buying import Hindrance
from services.obtain_build.component_register import returned_capacity
from services.obtain_build.direction import Direction, Weighing
from services.obtain_build.model import (
    Building,
    CapacityReturned,
    Component,
    ContractMissed,
    ObtainParts,
    Order,
)
from services.obtain_build.parts import Choice, Part, Wanted
from services.obtain_build.provision import Begun, begin_parts, changed_service
from services.obtain_build.search import Limits, Search
from services.obtain_build.sourcing import Sourcing, choose
from services.obtain_build.sourcing_policy import SourcingPolicy
from services.obtain_build.supplier_management import SupplierAnswered, SupplierTerms


def hear_specification(specification: SpecificationIssued, order: Order) -> list[ObtainParts]:
    """Keep what is specified until a change authorises it; rework is authorised by the change it belongs to."""
    order.specification = specification
    return obtain_if_authorised(order)


def hear_change(proposal: ChangeProposed, order: Order) -> list[ObtainParts]:
    """Keep the authorisation until it is specified what to obtain."""
    order.proposal = proposal
    return obtain_if_authorised(order)


def obtain_if_authorised(order: Order) -> list[ObtainParts]:
    """Nothing is obtained without both a specification and an authorised change, whichever comes first."""
    return obtain_now(order) if order.authorised else []


def obtain_now(order: Order) -> list[ObtainParts]:
    """Obtain what may be obtained, with the rows of all its components at hand."""
    if (wanted := order.to_obtain) is None:
        return []
    return [ObtainParts(demand=order.id, components=tuple(one.component for one in wanted.components))]


def obtain_parts(
    command: ObtainParts,
    order: Order,
    building: Building,
    components: dict[str, Component],
    policy: Read[SourcingPolicy],
    direction: Read[Direction],
) -> list[Begun | ObtainParts]:
    """Choose a way for every part; unless all can be had nothing is begun. Then reserve, buy and build."""
    wanted = order.to_obtain
    if wanted is None:
        return []
    if any(one.component not in components for one in wanted.components):
        return [*obtain_now(order)]
    order.begin(wanted)
    weighing = Weighing.by(policy, direction, order.service, command.time)
    found = look_for(wanted, order, components, weighing, Limits.of(order, command.time))
    answers = [answer for one, sourcing in found for answer in answers_of(sourcing.hindrances, one, order)]
    if obstacles := [sourcing for _, sourcing in found if sourcing.choice is None]:
        return [*answers, *put_off(command, order, obstacles, components, weighing)]
    parts = [part_of(one, sourcing.choice, order, command) for one, sourcing in found if sourcing.choice]
    return [*answers, *begin_parts(order, parts, building, components, command)]


def look_for(
    wanted: Wanted, order: Order, components: dict[str, Component], weighing: Weighing, limits: Limits
) -> list[tuple[ComponentSpecification, Sourcing]]:
    """The way to have each part, one after the other, with the money that those before it leave."""
    found = []
    for specified in wanted.components:
        one, notes, facts = sized(specified, order)
        bounds = limits._replace(notes=(*limits.notes, *notes), facts=(*limits.facts, *facts))
        component, failed = components[one.component], order.part(one.component)
        sourcing = choose(Search(one, component, weighing, bounds, failed, wanted.restock, wanted.requirements))
        cost = sourcing.choice.option.cost if sourcing.choice else sourcing.contract_would_do or 0
        limits = limits._replace(euros=limits.euros - cost)
        found.append((one, sourcing))
    return found


def sized(
    specified: ComponentSpecification, order: Order
) -> tuple[ComponentSpecification, tuple[str, ...], tuple[Fact, ...]]:
    """A part for users whose specification does not say how many is for those of the demand."""
    if specified.capacity or specified.unit != "users" or order.need is None or not order.need.users:
        return specified, (), ()
    users = Fact(name="users", value=order.need.users, source="consolidated demand")
    note = f"It is to bear the demand's {order.need.users} users: its specification does not say how many."
    return specified.model_copy(update={"capacity": float(order.need.users)}), (note,), (users,)


def part_of(wanted: ComponentSpecification, choice: Choice, order: Order, command: ObtainParts) -> Part:
    """The part that is begun; one that came back is made again."""
    failed, iteration = order.part(wanted.component), order.unmet.iteration if order.unmet else 1
    return Part(
        specification=wanted,
        iteration=iteration,
        attempt=failed.attempt + 1 if failed else 1,
        choice=choice,
        begun_at=command.time,
        cost=choice.option.cost + (failed.cost if failed else 0),
    )


def answers_of(
    hindrances: tuple[Hindrance, ...], wanted: ComponentSpecification, order: Order
) -> list[SupplierAnswered]:
    """What suppliers say from whom nothing is bought: that a contract would do, or that they cannot."""
    return [
        SupplierAnswered(
            agreement=f"{one.offer.supplier}/{wanted.component}",
            answer=SupplierTerms(
                state=one.state,
                supplier=one.offer.supplier,
                title=f"{wanted.component} from {one.offer.supplier}: {one.text}",
                service=order.service,
                component=wanted.component,
                terms=one.offer.terms,
                cost=one.offer.price or 0,
            ),
        )
        for one in hindrances
        if one.state != "stands"
    ]


def put_off(
    command: ObtainParts,
    order: Order,
    obstacles: list[Sourcing],
    components: dict[str, Component],
    weighing: Weighing,
) -> list[Later | ChangedServiceReported | CapacityReturned]:
    """Wait a while if contracts are all that is missing; else the parts cannot be had."""
    order.reasons = (*(one.obstacle for one in obstacles), *Limits.of(order, command.time).notes)
    if any(one.contract_would_do is None for one in obstacles):
        return [*give_up(order)]
    for component in components.values():
        component.await_contract(order.id)
    if order.status == "contract_awaited":
        return []
    until = command.time + timedelta(hours=weighing.rules.contract_wait_hours)
    order.status, order.waits_until = "contract_awaited", until
    return [Later(until, ContractMissed(demand=order.id, waits_until=until))]


def give_up(order: Order) -> list[ChangedServiceReported | CapacityReturned]:
    """The parts cannot be had; what was reserved is free. If nothing was, it is kept what was wanted."""
    returned = returned_capacity(order)
    order.status = "not_obtainable"
    if returned:
        order.unmet = None
    return [changed_service(order, order.reasons), *returned]


def stop_waiting(missed: ContractMissed, order: Order) -> list[ChangedServiceReported | CapacityReturned]:
    """No contract has come in time: the parts cannot be had."""
    if order.status != "contract_awaited" or order.waits_until != missed.waits_until:
        return []
    order.reasons = (*order.reasons, f"No contract was concluded until {missed.waits_until:%Y-%m-%d %H:%M}.")
    return give_up(order)
