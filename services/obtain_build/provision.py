"""From an authorised specification to components: they are chosen, built or bought, tested and provided."""

from datetime import datetime, timedelta

from contracts.design_transition import ChangeProposed, SpecificationIssued
from contracts.event import Message
from contracts.obtain_build import (
    ChangedServiceReported,
    ComponentProvided,
    ObtainPerformanceReported,
    SupplierAgreementReported,
)
from contracts.values import Term
from services.chassis.outputs import Answer, Later, Work
from services.chassis.state import Read
from services.obtain_build.component_register import returned_capacity
from services.obtain_build.measuring import CAPACITY, measure
from services.obtain_build.model import (
    Building,
    BuildingDone,
    CapacityReturned,
    Choice,
    Component,
    ObtainParts,
    Order,
    Part,
    PartDelivered,
    PurchaseSigned,
)
from services.obtain_build.sourcing import Limits, choose
from services.obtain_build.sourcing_policy import SourcingPolicy

Provision = ComponentProvided | ObtainPerformanceReported | ChangedServiceReported


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
    if not order.authorised or order.specification is None:
        return []
    return [ObtainParts(demand=order.id, components=tuple(c.component for c in order.specification.components))]


def obtain_parts(
    wanted: ObtainParts,
    order: Order,
    building: Building,
    components: dict[str, Component],
    policy: Read[SourcingPolicy],
) -> list[Provision | Later | Work | PurchaseSigned | CapacityReturned]:
    """Choose a way for every part; unless all can be had nothing is begun. Then reserve, buy and build."""
    specification = order.specification
    if specification is None:
        return []
    if order.proposal:
        order.begin(order.proposal)
    order.specification, order.requirements = None, specification.requirements
    rules, ordered_by = policy.at(wanted.time)
    left, parts, obstacles = order.budget - order.spent, [], []
    for one in specification.components:
        failed = order.part(one.component)
        limits = Limits(left, order.wanted_by, wanted.time)
        choice = choose(one, components[one.component], rules, ordered_by, limits, failed)
        if isinstance(choice, Choice):
            left -= choice.option.cost
            parts.append(
                Part(
                    specification=one,
                    iteration=specification.iteration,
                    attempt=failed.attempt + 1 if failed else 1,
                    choice=choice,
                    begun_at=wanted.time,
                    cost=choice.option.cost + (failed.cost if failed else 0),
                )
            )
        else:
            obstacles.append(choice)
    if obstacles:
        order.status = "not_obtainable"
        return [changed_service(order, tuple(obstacles)), *returned_capacity(order)]

    replaced = [part for new in parts if (part := order.part(new.component)) and part.way == "reuse"]
    returned = [CapacityReturned(component=old.component, capacity=old.specification.capacity) for old in replaced]
    order.status = "obtaining"
    for part in parts:
        order.put(part)
    told: list[Provision | Later | Work | PurchaseSigned | CapacityReturned] = [*returned]
    for part in parts:
        match part.way:
            case "reuse":
                components[part.component].reserve(part.specification.capacity)
                told += provide(order, part, wanted)
            case "buy":
                told += buy(order, part, wanted.time)
    told += build(order, [part for part in parts if part.way == "build"], building, wanted)
    return told


def buy(order: Order, part: Part, time: datetime) -> list[Later | PurchaseSigned]:
    """Sign with the supplier, and wait for the delivery."""
    option = part.choice.option
    assert option.supplier, "a part that is bought has a supplier"
    assert part.choice.agreement, "and a contract"
    delivered = PartDelivered(demand=order.id, component=part.component, iteration=part.iteration)
    signed = PurchaseSigned(
        agreement=part.choice.agreement,
        supplier=option.supplier,
        service=order.service,
        component=part.component,
        cost=option.cost,
        lead_time_hours=option.lead_time_hours,
    )
    return [Later(time + timedelta(hours=option.lead_time_hours), delivered), signed]


def build(order: Order, parts: list[Part], building: Building, message: Message) -> list[Work]:
    """Build parts side by side: all are done when the longest is."""
    if not parts:
        return []
    effort = timedelta(hours=max(part.choice.option.lead_time_hours for part in parts))
    done, promised_by = BuildingDone(demand=order.id), message.time + effort
    return [building.begin(message, owner="development team", promised_by=promised_by, effort=effort, done=done)]


def take_what_is_built(
    done: BuildingDone, order: Order, building: Building
) -> list[ComponentProvided | ObtainPerformanceReported | ChangedServiceReported | Answer]:
    """Test and provide what was built, good or not: whether it is good enough is for validation to say."""
    if refused := building.finish(done):
        return [refused]
    built = [part for part in order.parts if part.way == "build" and not part.provided]
    return [event for part in built for event in provide(order, part, done)]


def take_what_is_delivered(delivered: PartDelivered, order: Order) -> list[Provision]:
    """Test and provide what a supplier delivered."""
    part = order.part(delivered.component)
    if order.status != "obtaining" or part is None or part.provided or part.iteration != delivered.iteration:
        return []
    return provide(order, part, delivered)


def provide(order: Order, part: Part, message: Message) -> list[Provision]:
    """Provide a part with what its tests measured; the last one makes the service's parts complete."""
    tests = measure(part, order.requirements, order.id)
    capacity = next(test.measured for test in tests if test.name == CAPACITY)
    order.put(part.model_copy(update={"provided": True, "capacity": capacity}))
    option, failed = part.choice.option, [test.name for test in tests if not test.passed]
    provided = ComponentProvided(
        demand=order.id,
        service=order.service,
        component=part.component,
        iteration=part.iteration,
        way=part.way,
        options=part.choice.options,
        supplier=option.supplier,
        agreement=part.choice.agreement,
        cost=part.cost,
        capacity=capacity,
        unit=part.specification.unit,
        tests=tests,
        ready_at=message.time,
        reasons=part.choice.reasons,
        basis=part.choice.basis,
    )
    performance = ObtainPerformanceReported(
        demand=order.id,
        component=part.component,
        way=part.way,
        supplier=option.supplier,
        promised_hours=option.lead_time_hours,
        taken_hours=max(0.0, (message.time - part.begun_at) / timedelta(hours=1)),
        cost=part.cost,
        budget=order.budget,
        tests_failed=len(failed),
        opportunity=f"Test for {', '.join(failed)} earlier." if failed else "",
    )
    if not all(part.provided for part in order.parts):
        return [provided, performance]
    order.status = "ready"
    complete = f"All parts are there: {', '.join(part.component for part in order.parts)}."
    return [provided, performance, changed_service(order, (complete,))]


def changed_service(order: Order, reasons: tuple[str, ...]) -> ChangedServiceReported:
    """Whether all parts of the service are there, as the order's status says."""
    return ChangedServiceReported(
        demand=order.id,
        service=order.service,
        change=order.change,
        components=tuple(part.component for part in order.parts if part.provided),
        outcome="ready" if order.status == "ready" else "not_obtainable",
        cost=order.spent,
        reasons=reasons,
    )


def report_purchase(signed: PurchaseSigned) -> list[SupplierAgreementReported]:
    """Have Engage keep the contract that a component is bought under."""
    return [
        SupplierAgreementReported(
            agreement=signed.agreement,
            kind="underpinning_contract",
            state="signed",
            supplier=signed.supplier,
            title=f"{signed.component} from {signed.supplier}",
            service=signed.service,
            component=signed.component,
            terms=(Term(name="delivery", value=signed.lead_time_hours, unit="hours"),),
            cost=signed.cost,
            valid_from=signed.time,
        )
    ]
