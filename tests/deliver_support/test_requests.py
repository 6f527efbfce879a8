"""Requests: what the catalogue offers is handed over, granted or done for whoever is entitled, and access ends."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from contracts.deliver_support import (
    ChangeRequested,
    ServiceDelivered,
    ServicePerformanceReported,
    SupportEscalated,
    SupportTaskCompleted,
)
from contracts.engage import SupportTaskRequested
from contracts.event import Message
from contracts.obtain_build import ChangedServiceReported, ComponentProvided, TestResult
from contracts.service_hours import Opening
from services.chassis.outputs import Answer, Later, Problem, Work
from services.deliver_support.asset_management import MOST_WAITING
from services.deliver_support.handlers import (
    book_in,
    decide_approval,
    end_access,
    fail_order,
    finish_request,
    give_up_order,
    miss_approval,
    order_goods,
    publish_offering,
    receive_goods,
    set_stock,
    take_request,
    watch_request,
    weigh_request,
)
from services.deliver_support.model import LiveService
from services.deliver_support.request_model import (
    Access,
    AccessEnds,
    Action,
    ApprovalGiven,
    ApprovalOverdue,
    Catalogue,
    Fulfilment,
    FulfilmentDone,
    Goods,
    GoodsArrived,
    Grant,
    Offering,
    OfferingPublished,
    OrderFailed,
    ReorderWanted,
    RequestOverdue,
    RequestWeighed,
    Restock,
    Stock,
    StockSet,
)

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GAMES = "in-car-video-games"
PAD = Offering(
    offering="controller", title="Game controller", service=GAMES, names=("gamepad",), goods=Goods(item="pad"),
    price=60,
)  # fmt: skip
PASS = Offering(
    offering="arcade-pass", title="Arcade pass", service=GAMES, access=Grant(resource="arcade", hours=24 * 8)
)
SETUP = Offering(
    offering="set-up", title="Set-up at home", service=GAMES, action=Action(what="everything is set up", hours=3)
)
BUNDLE = Offering(
    offering="bundle", title="Gamer bundle", service=GAMES, goods=Goods(item="pad", quantity=2),
    access=Grant(resource="arcade", hours=24), action=Action(what="it is set up"),
)  # fmt: skip


class Counter:
    """The catalogue, one sort of goods and the access to one resource: hands commands on, as the lanes do."""

    def __init__(self, *offerings: Offering, quantity: int = 5, reorder_quantity: int = 10) -> None:
        self.catalogue = Catalogue(id="the", offerings=offerings or (PAD, PASS, SETUP, BUNDLE))
        self.service = LiveService(id=GAMES, title="In-car video games", live_since=NOW)
        self.stock = Stock(id="pad", component="controller", unit="pieces", quantity=quantity, reorder_at=2)
        self.stock.reorder_quantity = reorder_quantity
        self.access: dict[str, Access] = {}
        self.requests: dict[UUID, Fulfilment] = {}
        self.restocks: dict[UUID, Restock] = {}
        self.told: list[Any] = []
        self.timers: list[Later] = []

    def ask(self, number: int = 1, after: timedelta = timedelta(0), **how: Any) -> Fulfilment:
        """A request, worked on until it is done or waits for something; `done=False` leaves the work open."""
        done = how.pop("done", True)
        request = self.requests.setdefault(UUID(int=number), Fulfilment(id=UUID(int=number)))
        task = asked(UUID(int=number), NOW + after, **how)
        self.pass_on([*take_request(task, request, self.catalogue)], NOW + after, done=done)
        return request

    def pass_on(self, told: list[Any], time: datetime, *, done: bool = True) -> None:
        for one in told:
            if isinstance(one, Work):
                self.pass_on(self.decide(one.done.at(time)) if done else [], time)
            elif isinstance(one, Later):
                self.timers.append(one)
            elif isinstance(one, (RequestWeighed, GoodsArrived, OrderFailed, ReorderWanted)):
                self.pass_on(self.decide(one.at(time)), time, done=done)
            else:
                self.told.append(one)

    def row(self, access: str) -> Access:
        return self.access.setdefault(access, Access(id=access))

    def decide(self, message: Message) -> list[Any]:
        match message:
            case RequestWeighed():
                request, access = self.requests[message.demand], self.row(message.access)
                stock = self.stock if message.item else Stock(id="")
                return [*weigh_request(message, request, self.catalogue, self.service, stock, access)]
            case FulfilmentDone():
                access = self.row(message.access)
                return [*finish_request(message, self.requests[message.demand], self.catalogue, access)]
            case GoodsArrived():
                return [*receive_goods(message, self.stock)]
            case OrderFailed():
                return [*fail_order(message, self.stock)]
            case ReorderWanted():
                restock = self.restocks.setdefault(message.demand, Restock(id=message.demand))
                return [*order_goods(message, self.stock, restock)]
        raise AssertionError(message)

    def of(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]

    @property
    def completed(self) -> SupportTaskCompleted:
        """The newest report."""
        last: SupportTaskCompleted = self.of(SupportTaskCompleted)[-1]
        return last

    def come(self, change: str, capacity: float = 10, *, passed: bool = True) -> None:
        """What was ordered comes from Obtain/build."""
        part = provided(change, capacity, passed=passed)
        restock = self.restocks.get(part.demand, Restock(id=part.demand))
        self.pass_on([*book_in(part, restock)], part.time)


def asked(demand: UUID, time: datetime, **changes: Any) -> SupportTaskRequested:
    task = SupportTaskRequested(
        reasons=("...",), basis=(), demand=demand, task="fulfil", title="A gamepad, please", text="For my car",
        service=None, kind="service_request", requester="ada@example.org", impact=3, urgency=3, priority=4,
        wanted_priority=None, respond_by=time + 16 * HOUR, resolve_by=time + 72 * HOUR,
    )  # fmt: skip
    return task.model_copy(update=changes).at(time)


def provided(change: str, capacity: float, *, passed: bool = True) -> ComponentProvided:
    return ComponentProvided(
        reasons=("...",), basis=(), demand=uuid5(NAMESPACE_URL, change), service=GAMES, component="controller",
        iteration=1, way="buy", cost=1, capacity=capacity, unit="pieces", ready_at=NOW,
        tests=(TestResult(name="buttons", passed=passed, measured=1),),
    ).at(NOW + DAY)  # fmt: skip


def not_obtainable(change: str) -> ChangedServiceReported:
    return ChangedServiceReported(
        demand=uuid5(NAMESPACE_URL, change), service=GAMES, change=change, components=(), outcome="not_obtainable",
        reasons=("No supplier has any.",),
    ).at(NOW + DAY)  # fmt: skip


def status_of(outputs: list[Any]) -> int:
    (answer,) = outputs
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, Problem)
    assert answer.body.detail
    return answer.status


def test_goods_are_taken_from_stock_and_become_the_requesters_own() -> None:
    counter = Counter()
    request = counter.ask()
    completed = counter.completed
    assert (completed.outcome, completed.task, counter.stock.quantity) == ("fulfilled", "fulfil", 4)
    (delivered,) = counter.of(ServiceDelivered)
    assert (delivered.outcome, delivered.service) == ("fulfilled", GAMES)
    assert delivered.what == "Game controller: 1 pieces of pad are yours. Price: 60 euros."
    assert (request.requester, request.item, request.goods) == ("ada@example.org", "pad", 1)
    assert request.handed_over_at == NOW
    (performance,) = counter.of(ServicePerformanceReported)
    assert (performance.met, performance.restore_target_seconds) == (True, 72 * 3600)


def test_an_offering_may_be_any_mix() -> None:
    counter = Counter()
    counter.ask(offering="bundle")
    assert counter.stock.quantity == 3
    assert counter.access["arcade:ada@example.org"].until == NOW + DAY
    assert "2 pieces of pad are yours; you may use arcade until 25 November 2026 09:00 UTC; done: it is set up" in (
        counter.completed.resolution
    )


def test_how_long_the_work_takes_hangs_on_the_mix() -> None:
    efforts = {}
    for offering in ("controller", "arcade-pass", "set-up", "bundle"):
        counter, request = Counter(), Fulfilment(id=UUID(int=1))
        counter.requests[request.id] = request
        weighed, _ = take_request(asked(request.id, NOW, offering=offering), request, counter.catalogue)
        assert isinstance(weighed, RequestWeighed)
        (work,) = counter.decide(weighed.at(NOW))
        efforts[offering] = work.effort / HOUR
    assert efforts == {"controller": 1, "arcade-pass": 0.25, "set-up": 3, "bundle": 2.25}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"title": "GAMEPAD?"}, "controller"), ({"title": "the gamer bundle with a gamepad"}, "bundle"),
        ({"title": "x", "text": "an arcade pass"}, "arcade-pass"), ({"title": "gamepads"}, ""),
        ({"title": "gamepad", "offering": "set-up"}, "set-up"), ({"title": "gamepad", "offering": "yacht"}, ""),
    ],
)  # fmt: skip
def test_a_request_is_found_by_its_offering_or_by_the_words_people_use(words: dict[str, str], found: str) -> None:
    counter = Counter()
    request = counter.ask(**words)
    assert request.offering == found
    assert (counter.completed.outcome == "refused") is not bool(found)
    if not found:
        assert "in the catalogue" in counter.completed.reasons[0]


def test_the_service_of_a_request_has_to_be_live() -> None:
    counter = Counter()
    counter.service.live_since = None
    counter.ask()
    assert counter.completed.reasons == (f"{GAMES} is not live: what belongs to it cannot be had yet.",)
    assert counter.stock.quantity == 5


@pytest.mark.parametrize(("segment", "outcome"), [("fleet", "fulfilled"), ("private", "refused"), ("", "refused")])
def test_only_who_is_entitled_gets_it(segment: str, outcome: str) -> None:
    counter = Counter(PAD.model_copy(update={"entitled_segments": ("fleet",)}))
    counter.ask(segment=segment)
    assert counter.completed.outcome == outcome
    if outcome == "refused":
        assert "Game controller is for fleet only" in counter.completed.reasons[0]


def test_what_was_withdrawn_is_neither_found_nor_handed_over() -> None:
    gone = PAD.model_copy(update={"available": False})
    counter = Counter(gone)
    counter.ask(offering="controller")
    assert counter.completed.reasons == ("controller has been withdrawn from the catalogue.",)
    meanwhile = Counter(PAD)
    request = meanwhile.ask(done=False)
    assert (request.status, meanwhile.stock.quantity) == ("open", 4)
    meanwhile.catalogue.offerings = (gone,)
    meanwhile.pass_on(meanwhile.decide(FulfilmentDone(demand=request.id, access="").at(NOW)), NOW)
    assert (meanwhile.completed.outcome, meanwhile.stock.quantity) == ("refused", 5)


def test_access_is_granted_for_its_time_and_then_ends() -> None:
    counter = Counter()
    counter.ask(offering="arcade-pass")
    access = counter.access["arcade:ada@example.org"]
    assert (access.holder, access.until, access.reserved_by) == ("ada@example.org", NOW + 8 * DAY, None)
    ends = [timer for timer in counter.timers if isinstance(timer.message, AccessEnds)]
    ((at, command),) = ends
    assert at == NOW + 8 * DAY
    assert isinstance(command, AccessEnds)
    request = counter.requests[UUID(int=1)]
    (ended,) = end_access(command.at(at), request, access)
    assert (ended.outcome, ended.delivered_at, access.ended_at) == ("access_ended", at, at)
    assert end_access(command.at(at), request, access) == [], "once"


def test_access_that_is_held_is_not_granted_again_but_renewed() -> None:
    counter = Counter()
    counter.ask(1, offering="arcade-pass")
    counter.ask(2, after=DAY, offering="arcade-pass", requester="ADA@example.org")
    assert counter.completed.outcome == "refused"
    assert counter.completed.reasons[0].startswith("You have arcade until 02 December 2026 09:00 UTC")
    counter.ask(3, after=DAY, offering="arcade-pass", requester="grace@example.org")
    assert counter.completed.outcome == "fulfilled", "somebody else's"
    counter.ask(4, after=DAY, offering="arcade-pass", title="Please renew my pass")
    assert counter.completed.outcome == "fulfilled"
    access = counter.access["arcade:ada@example.org"]
    assert access.until == NOW + 16 * DAY
    first = AccessEnds(demand=UUID(int=1), access=access.id).at(NOW + 8 * DAY)
    assert end_access(first, counter.requests[UUID(int=1)], access) == [], "it was granted for longer"
    counter.ask(5, after=15 * DAY, offering="arcade-pass")
    assert access.until == NOW + 24 * DAY, "in its last quarter asking again is renewing"


def test_access_that_has_ended_is_granted_anew() -> None:
    counter = Counter()
    counter.ask(1, offering="arcade-pass")
    counter.ask(2, after=9 * DAY, offering="arcade-pass")
    assert counter.completed.outcome == "fulfilled"
    assert counter.access["arcade:ada@example.org"].until == NOW + 17 * DAY


def test_what_is_about_to_be_granted_is_not_granted_twice() -> None:
    counter = Counter()
    counter.ask(1, offering="arcade-pass", done=False)
    counter.ask(2, offering="arcade-pass")
    assert counter.completed.reasons == ("arcade is being granted to you under another request already.",)


def approval(*, approved: bool = True, by: str = "boss@example.org") -> ApprovalGiven:
    return ApprovalGiven(demand=UUID(int=1), by=by, approved=approved, reason="too many").at(NOW + HOUR)


def asking_the_manager(quantity: int = 3) -> tuple[Counter, Fulfilment]:
    counter = Counter(PAD.model_copy(update={"approval": "manager", "approval_above": 2}))
    return counter, counter.ask(quantity=quantity)


def test_more_than_a_limit_waits_for_the_manager_who_is_not_the_requester() -> None:
    counter, request = asking_the_manager()
    assert (request.stage, counter.told, counter.stock.quantity) == ("approving", [], 5)
    assert status_of(decide_approval(approval(by="ADA@example.org"), request)) == 403
    answer, weighed = decide_approval(approval(), request)
    assert isinstance(answer, Answer)
    counter.pass_on([weighed], NOW + HOUR)
    assert (counter.completed.outcome, counter.stock.quantity) == ("fulfilled", 2)
    assert "boss@example.org has approved it." in counter.completed.reasons
    assert status_of(decide_approval(approval(), request)) == 409
    assert asking_the_manager(2)[0].completed.outcome == "fulfilled", "two need no approval"


def test_what_the_manager_denies_or_nobody_answers_is_refused() -> None:
    _, request = asking_the_manager()
    _, refused = decide_approval(approval(approved=False), request)
    assert isinstance(refused, SupportTaskCompleted)
    assert refused.reasons == ("boss@example.org has not approved it: too many",)
    counter, request = asking_the_manager()
    (overdue,) = [timer for timer in counter.timers if isinstance(timer.message, ApprovalOverdue)]
    assert isinstance(overdue.message, ApprovalOverdue)
    (missed,) = miss_approval(overdue.message.at(overdue.at), request)
    assert missed.reasons == ("No manager has approved it within 7 days.",)
    assert miss_approval(overdue.message.at(overdue.at), request) == []


def test_low_stock_is_ordered_once_until_it_has_come() -> None:
    counter = Counter(quantity=4)
    for number in range(1, 5):
        counter.ask(number)
    (order,) = counter.of(ChangeRequested)
    assert (order.origin, order.component, order.quantity, order.unit) == ("operation", "controller", 10, "pieces")
    assert (order.urgency, counter.stock.quantity) == (3, 0)
    counter.come(order.change)
    counter.come(order.change)
    assert (counter.stock.quantity, counter.stock.reorder) == (10, ""), "booked in once"


@pytest.mark.row("deliver_support.out.change_requests")
def test_an_order_says_how_many_wait_and_is_as_urgent_as_that() -> None:
    calm, pressing = Counter(quantity=3), Counter(quantity=0)
    calm.ask(quantity=1)
    pressing.ask(quantity=25)
    (small,), (large,) = calm.of(ChangeRequested), pressing.of(ChangeRequested)
    assert (small.quantity, small.urgency, small.demands) == (10, 3, ())
    assert (large.quantity, large.urgency, large.demands) == (35, 1, (UUID(int=1),))
    assert "1 requests wait for 25." in large.text
    assert large.benefit == 25 * 60


def test_a_request_that_finds_too_little_waits_for_the_order_in_the_order_of_asking() -> None:
    counter = Counter(quantity=1)
    first, second = counter.ask(1, quantity=3), counter.ask(2, quantity=1)
    assert (first.stage, second.stage, counter.of(SupportTaskCompleted)) == ("waiting", "waiting", [])
    (order,) = counter.of(ChangeRequested)
    counter.come(order.change, capacity=2)
    assert (first.stage, second.stage, counter.stock.quantity) == ("fulfilled", "waiting", 0)
    counter.come(counter.of(ChangeRequested)[-1].change, capacity=10)
    assert (second.stage, counter.stock.quantity) == ("fulfilled", 9)
    assert len(counter.of(ChangeRequested)) == 2


def test_without_what_was_ordered_the_request_is_still_open() -> None:
    counter = Counter(quantity=0)
    assert counter.ask().stage == "waiting"
    other = ComponentProvided.model_validate(provided("another", 10).model_dump()).at(NOW)
    assert book_in(other, Restock(id=other.demand)) == []
    assert counter.requests[UUID(int=1)].stage == "waiting"


def fail(counter: Counter) -> None:
    (order,) = counter.of(ChangeRequested)
    reported = not_obtainable(order.change)
    counter.pass_on([*give_up_order(reported, counter.restocks[reported.demand])], reported.time)


def test_goods_that_cannot_be_had_end_the_waiting_and_are_not_ordered_again_until_somebody_counts() -> None:
    counter = Counter(quantity=0)
    counter.ask(1)
    fail(counter)
    assert counter.completed.reasons == ("pad is out of stock and cannot be had: No supplier has any.",)
    counter.ask(2)
    assert "more cannot be had: No supplier has any." in counter.completed.reasons[0]
    assert len(counter.of(ChangeRequested)) == 1
    counted = stock_set(quantity=0)
    counter.pass_on([*set_stock(counted, counter.stock, counter.catalogue)], NOW)
    assert len(counter.of(ChangeRequested)) == 2
    ready = not_obtainable("x").model_copy(update={"outcome": "ready"}).at(NOW)
    assert give_up_order(ready, Restock(id=ready.demand, item="pad", change="x")) == []


@pytest.mark.parametrize(("capacity", "passed", "why"), [(10, False, "failed the test buttons"), (0, True, "nothing")])
def test_goods_that_fail_their_tests_are_not_booked_in(capacity: float, passed: bool, why: str) -> None:
    counter = Counter(quantity=0)
    counter.ask()
    counter.come(counter.of(ChangeRequested)[0].change, capacity, passed=passed)
    assert (counter.completed.outcome, counter.stock.quantity) == ("refused", 0)
    assert why in counter.completed.reasons[0]


def test_what_is_not_ordered_again_is_refused_when_it_has_run_out() -> None:
    counter = Counter(quantity=0, reorder_quantity=0)
    counter.ask()
    assert counter.completed.reasons == ("1 are needed and 0 pieces are in stock; pad is not ordered again.",)
    unknown = Counter()
    unknown.stock.component = ""
    unknown.ask()
    assert unknown.completed.reasons == ("pad is not kept in stock.",)


def test_what_waits_is_bounded() -> None:
    counter = Counter(quantity=0)
    for number in range(1, MOST_WAITING + 2):
        counter.ask(number)
    assert len(counter.stock.waiting) == MOST_WAITING
    assert counter.completed.reasons[0].endswith(f"; {MOST_WAITING} requests wait for it already.")


def stock_set(**changes: Any) -> StockSet:
    counted = StockSet(
        item="pad", component="controller", unit="pieces", quantity=20, reorder_at=2, reorder_quantity=10
    )
    return counted.model_copy(update=changes).at(NOW)


def test_what_was_counted_serves_who_waits() -> None:
    counter = Counter(quantity=0)
    request = counter.ask()
    (answer, *_) = told = set_stock(stock_set(), counter.stock, counter.catalogue)
    assert isinstance(answer, Answer)
    counter.pass_on([*told[1:]], NOW)
    assert (answer.status, request.stage, counter.stock.quantity) == (200, "fulfilled", 19)


def test_stock_is_entered_once_and_ordered_at_once_if_an_offering_needs_it() -> None:
    empty, catalogue = Stock(id="pad"), Catalogue(id="the", offerings=(PAD,))
    answer, wanted = set_stock(stock_set(quantity=1), empty, catalogue)
    assert isinstance(answer, Answer)
    assert isinstance(wanted, ReorderWanted)
    assert (answer.status, wanted.service) == (201, GAMES)
    assert len(set_stock(stock_set(quantity=1), Stock(id="pad"), Catalogue(id="the"))) == 1, "nobody offers it"
    before = empty.model_copy()
    assert status_of(set_stock(stock_set(component="wheel"), empty, catalogue)) == 409
    assert empty == before


def test_the_stock_never_falls_below_nothing() -> None:
    counter = Counter(quantity=2, reorder_quantity=0)
    for number in range(1, 6):
        counter.ask(number)
    outcomes = [one.outcome for one in counter.of(SupportTaskCompleted)]
    assert outcomes == ["fulfilled", "fulfilled", "refused", "refused", "refused"]
    assert counter.stock.quantity == 0


def test_a_request_that_needs_its_goods_no_more_gives_them_back() -> None:
    counter = Counter(quantity=0)
    request = counter.ask()
    request.stage = "refused"
    counter.come(counter.of(ChangeRequested)[0].change)
    assert counter.stock.quantity == 10


def test_training_is_work_of_its_own_and_needs_a_live_service() -> None:
    counter = Counter()
    counter.ask(1, task="train", title="How do I play?", service=GAMES)
    assert (counter.completed.task, counter.completed.outcome) == ("train", "fulfilled")
    assert counter.completed.resolution == f"You were trained for {GAMES}."
    counter.ask(2, task="train", title="How do I play?", service=None)
    assert counter.completed.outcome == "refused"
    assert "please name it" in counter.completed.reasons[0]
    counter.service.live_since = None
    counter.ask(3, task="train", title="How do I play?", service=GAMES)
    assert counter.completed.outcome == "refused"


def test_a_restoring_is_no_request() -> None:
    counter = Counter()
    counter.ask(task="resolve")
    assert (counter.completed.outcome, counter.completed.task) == ("refused", "resolve")


def test_the_same_request_again_is_fulfilled_once() -> None:
    counter = Counter()
    counter.ask()
    counter.ask()
    assert (counter.stock.quantity, len(counter.of(SupportTaskCompleted))) == (4, 1)
    done = FulfilmentDone(demand=UUID(int=1), access="").at(NOW)
    assert status_of(counter.decide(done)) == 409


def test_a_request_that_came_back_is_put_right_without_handing_over_twice() -> None:
    counter = Counter()
    counter.ask(offering="bundle")
    counter.ask(after=HOUR, offering=None, title="It does not fit", reopened=1)
    assert counter.completed.resolution == "It does not fit was looked at again, and put right."
    assert counter.stock.quantity == 3
    assert counter.access["arcade:ada@example.org"].until == NOW + DAY


def test_a_request_that_is_late_is_escalated_once_to_who_can_act() -> None:
    counter = Counter(quantity=0)
    waiting = counter.ask()
    overdue = next(one.message for one in counter.timers if isinstance(one.message, RequestOverdue))
    assert isinstance(overdue, RequestOverdue)
    (escalated,) = watch_request(overdue.at(NOW + 72 * HOUR), waiting)
    assert isinstance(escalated, SupportEscalated)
    assert (escalated.to, escalated.level) == ("service desk manager", 1)
    _, approving = asking_the_manager()
    assert watch_request(overdue.at(NOW + 72 * HOUR), approving)[0].to == "manager who is to approve it"
    counter.come(counter.of(ChangeRequested)[0].change)
    assert watch_request(overdue.at(NOW + 72 * HOUR), waiting) == []
    assert counter.completed.escalations == 1


def test_a_request_that_waited_too_long_has_missed_its_target() -> None:
    for due, met in ((72 * HOUR, True), (HOUR, False)):
        counter = Counter(quantity=0)
        counter.ask(resolve_by=NOW + due)
        counter.come(counter.of(ChangeRequested)[0].change)
        (performance,) = counter.of(ServicePerformanceReported)
        assert performance.met is met


def test_a_request_is_measured_by_the_hours_of_service_that_its_targets_count() -> None:
    measured = []
    for hours in ((), (Opening(days=("wed",), opens="08:00", closes="18:00"),)):
        counter = Counter(quantity=0)
        counter.ask(resolve_by=NOW + 3 * DAY, service_hours=hours)
        counter.come(counter.of(ChangeRequested)[0].change)  # on Wednesday at 9
        (performance,) = counter.of(ServicePerformanceReported)
        measured.append((performance.restore_seconds / 3600, performance.restore_target_seconds / 3600))
    assert measured == [(24, 72), (1, 10)]


def published(**changes: Any) -> OfferingPublished:
    return OfferingPublished(offering=PAD.model_copy(update=changes)).at(NOW)


def test_an_offering_is_entered_once_and_changed_later() -> None:
    catalogue = Catalogue(id="the")
    statuses = [publish_offering(published(price=price), catalogue)[0].status for price in (60, 50)]
    assert statuses == [201, 200]
    assert [one.price for one in catalogue.offerings] == [50]


def test_an_offering_of_nothing_is_refused_and_changes_nothing() -> None:
    catalogue = Catalogue(id="the", offerings=(PAD,))
    assert status_of(publish_offering(published(goods=None), catalogue)) == 422
    assert catalogue.offerings == (PAD,)


def test_every_value_that_decided_is_in_the_basis() -> None:
    counter = Counter(PAD.model_copy(update={"entitled_segments": ("fleet",)}))
    counter.ask(segment="private")
    assert {fact.name: fact.value for fact in counter.completed.basis} == {
        "offering": "controller", "segment": "private", "quantity": 1, "available": True, "service is live": True,
        "in stock": 5, "access until": "not held",
    }  # fmt: skip


@pytest.mark.parametrize("way", ["arrival first", "request first"])
def test_goods_and_request_meet_whatever_comes_first(way: Literal["arrival first", "request first"]) -> None:
    counter = Counter(quantity=2)
    counter.ask(1)
    (order,) = counter.of(ChangeRequested)
    if way == "arrival first":
        counter.come(order.change)
        counter.ask(2, quantity=5)
    else:
        counter.ask(2, quantity=5)
        counter.come(order.change)
    assert (counter.requests[UUID(int=2)].stage, counter.stock.quantity) == ("fulfilled", 6)


@pytest.mark.row("deliver_support.in.support_tasks", "engage")
@pytest.mark.parametrize("told", [False, True], ids=["withheld", "told"])
def test_who_asked_before_has_what_the_next_one_waits_for(told: bool) -> None:
    counter = Counter(quantity=1)
    if told:
        counter.ask(1)
    assert counter.ask(2).stage == ("waiting" if told else "fulfilled")


@pytest.mark.row("deliver_support.in.components", "obtain_build")
@pytest.mark.parametrize("told", [False, True], ids=["withheld", "told"])
def test_what_was_ordered_and_comes_ends_the_waiting(told: bool) -> None:
    counter = Counter(quantity=0)
    request = counter.ask()
    (order,) = counter.of(ChangeRequested)
    if told:
        counter.come(order.change)
    assert request.stage == ("fulfilled" if told else "waiting")
