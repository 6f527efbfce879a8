"""IT asset management: stock that falls, is ordered again and booked in, and what waits for it."""

from contracts.deliver_support import ChangeRequested
from contracts.obtain_build import ChangedServiceReported, ComponentProvided
from services.chassis.outputs import Answer, refusal
from services.chassis.state import Read
from services.deliver_support.request_model import (
    Catalogue,
    Fulfilment,
    GoodsArrived,
    OrderFailed,
    ReorderWanted,
    RequestWeighed,
    Restock,
    Stock,
    StockSet,
    Waiting,
)

MOST_WAITING = 100
"""Requests that may wait for one sort of goods: all of them are told when it comes."""
MOST_PIECES = 1_000_000_000
"""Of one sort: more than anybody stores."""


def set_stock(
    counted: StockSet, stock: Stock, catalogue: Read[Catalogue]
) -> list[Answer | ReorderWanted | RequestWeighed]:
    """Keep what was counted; what waits for it is served first, and what is low is ordered again."""
    if stock.reorder and stock.component != counted.component:
        detail = f"{stock.reorder} orders {stock.component}: change the component when that has come."
        return [refusal(409, "It is on order", detail)]
    status = 200 if stock.component else 201
    stock.component, stock.unit, stock.quantity = counted.component, counted.unit, counted.quantity
    stock.reorder_at, stock.reorder_quantity, stock.not_obtainable = counted.reorder_at, counted.reorder_quantity, ""
    offered = next((one for one in catalogue.offerings if one.goods and one.goods.item == stock.id), None)
    served = allocate(stock)
    return [Answer(status, counted), *served, *(reorder_if_low(stock, offered.service) if offered else [])]


def take_from_stock(request: Fulfilment, stock: Stock) -> str:
    """Take what a request needs; else why it cannot be had, or empty: it waits for the order."""
    if not stock.component:
        return f"{request.item} is not kept in stock."
    if stock.quantity >= request.goods and not stock.waiting:
        stock.quantity -= request.goods
        return ""
    found = f"{request.goods} are needed and {stock.quantity} {stock.unit} are in stock"
    if stock.not_obtainable:
        return f"{found}; more cannot be had: {stock.not_obtainable}"
    if not stock.reorder and not stock.reorder_quantity:
        return f"{found}; {request.item} is not ordered again."
    if len(stock.waiting) >= MOST_WAITING:
        return f"{found}; {len(stock.waiting)} requests wait for it already."
    waits = Waiting(
        demand=request.id,
        service=request.service,
        offering=request.offering,
        access=request.access,
        quantity=request.goods,
    )
    stock.waiting = (*(one for one in stock.waiting if one.demand != request.id), waits)
    return ""


def waits_in(request: Fulfilment, stock: Stock) -> bool:
    """Whether a request waits for these goods."""
    return any(one.demand == request.id for one in stock.waiting)


def reorder_if_low(stock: Stock, service: str, price: int = 0) -> list[ReorderWanted]:
    """Order once when the stock has fallen to its level, or somebody waits, and not again until that has come."""
    low = stock.quantity <= stock.reorder_at or stock.waiting
    if not low or stock.reorder or not stock.reorder_quantity or stock.not_obtainable:
        return []
    stock.orders += 1
    stock.reorder = f"reorder-{stock.id}-{stock.orders}"
    return [ReorderWanted(change=stock.reorder, item=stock.id, service=service, price=price)]


def order_goods(wanted: ReorderWanted, stock: Read[Stock], restock: Restock) -> list[ChangeRequested]:
    """Ask for goods: for all who wait and the usual quantity, the sooner the less is left."""
    if stock.reorder != wanted.change or restock.item:
        return []
    restock.item, restock.change = wanted.item, wanted.change
    waiting = sum(one.quantity for one in stock.waiting)
    quantity = stock.reorder_quantity + max(waiting - stock.quantity, 0)
    urgency = 1 if stock.waiting else 2 if not stock.quantity else 3
    left = f"{stock.quantity} {stock.unit} are left, the level is {stock.reorder_at}"
    waits = f" {len(stock.waiting)} requests wait for {waiting}." if stock.waiting else ""
    return [
        ChangeRequested(
            change=wanted.change,
            service=wanted.service,
            title=f"Order {quantity} {stock.unit} of {stock.component}",
            text=f"{left}.{waits}",
            origin="operation",
            demands=tuple(one.demand for one in stock.waiting),
            urgency=urgency,
            benefit=min(waiting * wanted.price, MOST_PIECES),
            component=stock.component,
            quantity=quantity,
            unit=stock.unit,
        )
    ]


def book_in(part: ComponentProvided, restock: Read[Restock]) -> list[GoodsArrived | OrderFailed]:
    """Goods that operation has ordered have come; what fails its tests is not taken in."""
    if not restock.item:
        return []
    failed = [test.name for test in part.tests if not test.passed]
    if failed:
        reason = f"What came failed the test {', '.join(failed)}."
        return [OrderFailed(item=restock.item, change=restock.change, reason=reason)]
    quantity = int(min(part.capacity, MOST_PIECES))
    if not quantity:
        return [OrderFailed(item=restock.item, change=restock.change, reason="What came had nothing in it.")]
    return [GoodsArrived(item=restock.item, change=restock.change, quantity=quantity)]


def give_up_order(reported: ChangedServiceReported, restock: Read[Restock]) -> list[OrderFailed]:
    """Goods that operation has ordered cannot be had."""
    if not restock.item or reported.outcome == "ready":
        return []
    return [OrderFailed(item=restock.item, change=restock.change, reason=" ".join(reported.reasons))]


def receive_goods(arrived: GoodsArrived, stock: Stock) -> list[RequestWeighed | ReorderWanted]:
    """Book goods in, once an order; who has waited longest is served first."""
    if arrived.change and arrived.change != stock.reorder:
        return []
    waited = next(iter(stock.waiting), None)
    stock.quantity = min(stock.quantity + arrived.quantity, MOST_PIECES)
    if arrived.change:
        stock.reorder = ""
    served = allocate(stock)
    return [*served, *(reorder_if_low(stock, waited.service) if waited else [])]


def allocate(stock: Stock) -> list[RequestWeighed]:
    """Give what is there to those who wait, in the order in which they came."""
    served = []
    while stock.waiting and stock.quantity >= stock.waiting[0].quantity:
        first, *others = stock.waiting
        stock.waiting, stock.quantity = tuple(others), stock.quantity - first.quantity
        served.append(asked_again(stock, first, allocated=True))
    return served


def asked_again(stock: Stock, waits: Waiting, *, allocated: bool = False) -> RequestWeighed:
    """Have a request decided on that has waited for goods."""
    return RequestWeighed(
        demand=waits.demand,
        service=waits.service,
        offering=waits.offering,
        item=stock.id,
        access=waits.access,
        allocated=allocated,
        not_obtainable="" if allocated else stock.not_obtainable,
    )


def fail_order(failed: OrderFailed, stock: Stock) -> list[RequestWeighed]:
    """Nobody waits for goods that cannot be had; they are not ordered again until somebody sets the stock anew."""
    if failed.change != stock.reorder:
        return []
    stock.reorder, stock.not_obtainable = "", failed.reason or "The order has failed."
    waited, stock.waiting = stock.waiting, ()
    return [asked_again(stock, one) for one in waited]
