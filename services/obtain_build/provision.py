"""From ways to components: they are reserved, built or bought, tested and provided."""

from datetime import timedelta
from math import floor

from contracts.event import Message
from contracts.obtain_build import (
    ChangedServiceReported,
    ComponentProvided,
    ObtainPerformanceReported,
)
from services.chassis.outputs import Answer, Later, Work
from services.obtain_build.measuring import CAPACITY, delivery_hours, measure
from services.obtain_build.model import (
    Building,
    BuildingDone,
    CapacityReturned,
    Component,
    Order,
    PartDelivered,
)
from services.obtain_build.parts import Part
from services.obtain_build.sourcing import spoken
from services.obtain_build.supplier_management import SupplierAnswered, SupplierTerms

Provision = ComponentProvided | ObtainPerformanceReported | ChangedServiceReported
Begun = Provision | Later | Work | SupplierAnswered | CapacityReturned

LATE_FROM = 0.01
"""Late is what took by this share longer than promised: clocks and transport take a moment, too."""


def begin_parts(
    order: Order, parts: list[Part], building: Building, components: dict[str, Component], message: Message
) -> list[Begun]:
    """Put parts in the place of those that failed; reserve, buy and build them."""
    replaced = [part for new in parts if (part := order.part(new.component)) and part.way == "reuse"]
    told = list[Begun](
        CapacityReturned(component=old.component, capacity=old.specification.capacity) for old in replaced
    )
    order.status, order.waits_until = "obtaining", None
    again = {part.component for part in parts if (old := order.part(part.component)) and old.supplier == part.supplier}
    for part in parts:
        order.put(part)
    for part in parts:
        match part.way:
            case "reuse":
                components[part.component].reserve(part.specification.capacity)
                told += provide(order, part, message)
            case "buy":
                told += buy(order, part, message, signed=part.component in again)
    told += build(order, [part for part in parts if part.way == "build"], building, message)
    return told


def buy(order: Order, part: Part, message: Message, *, signed: bool) -> list[Later | SupplierAnswered]:
    """Wait for the delivery, and sign with the supplier unless it is `signed`: it replaces what failed."""
    hours = delivery_hours(part, order.id)
    delivered = PartDelivered(demand=order.id, component=part.component, iteration=part.iteration, taken_hours=hours)
    delivery = Later(message.time + timedelta(hours=hours), delivered)
    return [delivery] if signed else [delivery, signature(order, part)]


def signature(order: Order, part: Part) -> SupplierAnswered:
    """The contract that a part is bought under."""
    assert part.supplier, "a part that is bought has a supplier"
    assert part.choice.agreement, "and a contract"
    answer = SupplierTerms(
        state="signed",
        supplier=part.supplier,
        title=f"{part.component} from {part.supplier}",
        service=order.service,
        component=part.component,
        terms=part.choice.terms,
        cost=part.choice.option.cost,
    )
    return SupplierAnswered(agreement=part.choice.agreement, answer=answer)


def build(order: Order, parts: list[Part], building: Building, message: Message) -> list[Work]:
    """Build parts side by side: all are done when the longest is."""
    if not parts:
        return []
    effort = timedelta(hours=max(part.choice.option.lead_time_hours for part in parts))
    promised_by = message.time + timedelta(hours=max(part.promised_hours for part in parts))
    done = BuildingDone(demand=order.id)
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
    return provide(order, part, delivered, delivered.taken_hours)


def provide(order: Order, part: Part, message: Message, taken_hours: float | None = None) -> list[Provision]:
    """Provide a part with what its tests measured; the last one makes the service's parts complete."""
    tests = measure(part, order.requirements, order.id)
    measured = next(test.measured for test in tests if test.name == CAPACITY)
    part = part.model_copy(update={"provided": True, "capacity": whole(measured, order, part)})
    order.put(part)
    option = part.choice.option
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
        capacity=part.capacity,
        unit=part.specification.unit,
        tests=tests,
        ready_at=message.time,
        reasons=part.choice.reasons,
        basis=part.choice.basis,
    )
    taken = max(0.0, (message.time - part.begun_at) / timedelta(hours=1)) if taken_hours is None else taken_hours
    failed = [test.name for test in tests if not test.passed]
    told: list[Provision] = [provided, performance_of(order, part, taken, failed)]
    if not all(part.provided for part in order.parts):
        return told
    order.status, order.unmet = "ready", None
    complete = f"All parts are there: {', '.join(part.component for part in order.parts)}."
    return [*told, changed_service(order, (complete,))]


def whole(measured: float, order: Order, part: Part) -> float:
    """How much a part bears, as measured; of what is restocked by the piece only good pieces, at most those wanted."""
    wanted = part.specification.capacity
    if order.unmet is None or not order.unmet.restock:
        return measured
    good = min(measured, wanted)
    return floor(good) if wanted.is_integer() else good


def performance_of(order: Order, part: Part, taken: float, failed: list[str]) -> ObtainPerformanceReported:
    """How a part came out beside what was promised, and what could be better."""
    return ObtainPerformanceReported(
        demand=order.id,
        component=part.component,
        way=part.way,
        supplier=part.supplier,
        promised_hours=part.promised_hours,
        taken_hours=taken,
        cost=part.cost,
        budget=order.euros[0],
        tests_failed=len(failed),
        opportunity=opportunity(order, part, taken, failed),
    )


def opportunity(order: Order, part: Part, taken: float, failed: list[str]) -> str:
    """What could be better next time, the worst first; empty if nothing was seen."""
    late = taken - part.promised_hours
    needed_by, _, _ = order.needed_by
    way = spoken(part.choice.option)
    seen = []
    if failed:
        seen.append(f"Test for {', '.join(failed)} earlier.")
    if late > LATE_FROM * part.promised_hours:
        seen.append(f"Count a reserve: {way} took {late:.0f} hours more than promised.")
    if needed_by and part.begun_at + timedelta(hours=taken) > needed_by:
        seen.append(f"Ask for {part.component} earlier: it was wanted by {needed_by:%Y-%m-%d %H:%M}.")
    if part.choice.missed:
        seen.append(part.choice.missed)
    return " ".join(seen)


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
