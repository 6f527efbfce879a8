"""Each check of the books finds what is wrong, and nothing else: the violation is planted into books that balance."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson
import pytest

from contracts.engage import DemandStatus, DemandStatusReported, SupportTaskRequested, ValueJudged
from contracts.envelope import encode, source_of
from contracts.event import Command, Fact, Message
from contracts.outside import DemandSubmitted
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, ENGAGE, OBTAIN_BUILD, PLAN
from services.deliver_support.model import TargetPassed
from services.deliver_support.request_model import Access
from services.engage.model import Demand, DemandAccepted
from services.obtain_build.model import Component
from services.plan.model import Budget, FundingSettled, PortfolioItem
from svc.chaos.books import Books, topic_of
from svc.chaos.chain import STREAMS
from svc.chaos.checks import CHECKS, OF_THE_DOMAIN, violations
from svc.invariants import sentence
from svc.log import Logged

DEMAND = UUID("11111111-1111-4111-8111-111111111111")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STREAM, STEP = "restore-a-live-service", "request-support"

SUBMITTED = DemandSubmitted(demand=DEMAND, requester="emily", title="Games stop", text="", kind="incident")
REQUESTED = SupportTaskRequested(
    demand=DEMAND, task="resolve", title="Games stop", text="", service=None, kind="incident", requester="emily",
    impact=2, urgency=3, priority=4, wanted_priority=None, respond_by=NOON, resolve_by=NOON, reasons=("It hinders.",),
    basis=(Fact(name="users", value=40),),
)  # fmt: skip
PASSED = TargetPassed(demand=DEMAND, service="", target="respond", round=1)
JUDGED = ValueJudged(
    demand=DEMAND, kind="incident", asked="", delivered="", promised_by=None, delivered_at=None, stakeholder="emily",
    verdict="fully", utility=True, warranty=True,
)  # fmt: skip


def reported(status: DemandStatus) -> DemandStatusReported:
    return DemandStatusReported(demand=DEMAND, status=status, requester="emily", text="", asks_confirmation=False)


class Scribe:
    """Books of one incident in work, as they are written: what follows is told by Engage unless said otherwise."""

    def __init__(self) -> None:
        self.log: list[Logged] = []
        self.receipts: dict[str, dict[UUID, dict[str, Any]]] = {activity: {} for activity in ACTIVITIES}
        self.aside: dict[str, set[UUID]] = {activity: set() for activity in ACTIVITIES}
        self.pending: dict[str, set[UUID]] = {activity: set() for activity in ACTIVITIES}
        self.status: DemandStatus | None = "in_progress"
        self.rows: dict[str, dict[str, list[Any]]] = {PLAN: {}, OBTAIN_BUILD: {}, DELIVER_SUPPORT: {}}
        self.submitted = self.stand(SUBMITTED, "submitted", source="/client/local")
        self.take(ENGAGE, self.submitted, SUBMITTED)
        self.accepted = self.tell(DemandAccepted(demand=DEMAND), self.submitted, "accepted", step="")
        self.take(ENGAGE, self.accepted, DemandAccepted(demand=DEMAND))
        self.requested = self.tell(REQUESTED, self.accepted, "requested", sequence=1)
        self.report = self.tell(reported("in_progress"), self.accepted, "report", sequence=2)
        self.take(DELIVER_SUPPORT, self.requested, REQUESTED)
        self.timer = uuid5(DEMAND, "timer")
        waits = [{"id": str(self.timer), "type": PASSED.type, "due": NOON.isoformat()}]
        self.receipts[DELIVER_SUPPORT][self.requested]["waits"] = waits
        self.pending[DELIVER_SUPPORT].add(self.timer)
        self.fund()

    def fund(self) -> None:
        """Plan has spent 30 euros on what was released, and has 20 reserved for this demand."""
        settled = FundingSettled(demand=DEMAND, quarter="2026-Q4", amount=30, spent=True, told_by="", reasons=())
        self.settled = self.stand(settled, "settled", source="/client/local")
        self.take(PLAN, self.settled, settled)
        self.rows[PLAN]["Budget"] = [Budget(id="2026-Q4", total=100, reserved=20, spent=30)]
        self.rows[PLAN]["PortfolioItem"] = [PortfolioItem(id=DEMAND, quarter="2026-Q4", reserved=20)]
        self.rows[OBTAIN_BUILD]["Component"] = [Component(id="engine", capacity=5, used=5)]

    def stand(self, message: Message, name: str, *, source: str = source_of(ENGAGE), **said: Any) -> UUID:
        """Put a message at the end of its topic."""
        id = uuid5(DEMAND, name)
        value = encode(message, id=id, source=source, time=NOON, **said)
        topic = topic_of(message.activity, message.type)
        self.log.append(Logged(topic, 0, len(self.log), b"", value, event=orjson.loads(value)))
        return id

    def tell(self, message: Message, cause: UUID, name: str, *, step: str = STEP, **said: Any) -> UUID:
        """Tell a message because of another one that was taken up."""
        told = self.stand(message, name, cause=str(cause), stream=STREAM, step=step, **said)
        self.receipts[ENGAGE][cause]["outputs"].append(self.log[-1].event)
        return told

    def take(self, activity: str, id: UUID, message: Message) -> None:
        """Write the receipt of a message."""
        data = {"data": orjson.loads(message.model_dump_json())} if isinstance(message, Command) else {}
        self.receipts[activity][id] = {"type": message.type, "effect": True, "outputs": [], **data}

    def find(self, id: UUID) -> Logged:
        return next(record for record in self.log if record.id == str(id))

    def books(self, **more: Any) -> Books:
        rows = self.rows | {ENGAGE: {"Demand": [Demand(id=DEMAND, status=self.status)]}}
        return Books(STREAMS, self.log, self.receipts, self.aside, self.pending, rows, NOON, **more)


def wrong(books: Books) -> set[str]:
    return {violation.check for violation in violations(books)}


def test_books_that_balance_violate_nothing() -> None:
    assert violations(Scribe().books()) == []


def no_state(scribe: Scribe) -> None:
    scribe.status = None
    scribe.log.remove(scribe.find(scribe.report))
    scribe.receipts[ENGAGE][scribe.accepted]["outputs"].pop()


def told_otherwise(scribe: Scribe) -> None:
    scribe.status = "delivered"


def left_its_end(scribe: Scribe) -> None:
    scribe.tell(reported("rejected"), scribe.accepted, "rejected", sequence=3)
    scribe.tell(reported("in_progress"), scribe.accepted, "again", sequence=4)


def lost_on_the_way(scribe: Scribe) -> None:
    other = scribe.tell(reported("in_progress"), scribe.accepted, "lost", sequence=3)
    scribe.log.remove(scribe.find(other))


def from_nowhere(scribe: Scribe) -> None:
    scribe.stand(reported("in_progress"), "stray", cause=str(scribe.accepted), sequence=3)


def not_taken_up(scribe: Scribe) -> None:
    scribe.tell(REQUESTED, scribe.accepted, "unheard", sequence=3)


def taken_up_and_set_aside(scribe: Scribe) -> None:
    scribe.aside[DELIVER_SUPPORT].add(scribe.requested)


def phantom(scribe: Scribe) -> None:
    scribe.take(DELIVER_SUPPORT, uuid5(DEMAND, "phantom"), REQUESTED)


def without_a_cause(scribe: Scribe) -> None:
    scribe.find(scribe.report).event["causationid"] = str(uuid5(DEMAND, "no receipt"))


def one_id_for_two(scribe: Scribe) -> None:
    twice = scribe.find(scribe.report).event
    scribe.receipts[ENGAGE][scribe.submitted]["outputs"].append(twice)


def gap(scribe: Scribe) -> None:
    scribe.tell(reported("in_progress"), scribe.accepted, "later", sequence=4)


def out_of_order(scribe: Scribe) -> None:
    scribe.tell(reported("in_progress"), scribe.accepted, "fourth", sequence=4)
    scribe.tell(reported("in_progress"), scribe.accepted, "third", sequence=3)


def timer_lost(scribe: Scribe) -> None:
    scribe.pending[DELIVER_SUPPORT].clear()


def timer_twice(scribe: Scribe) -> None:
    id = scribe.stand(PASSED, "timer", source=source_of(DELIVER_SUPPORT), cause=str(scribe.requested))
    assert id == scribe.timer
    scribe.take(DELIVER_SUPPORT, id, PASSED)


def overspent(scribe: Scribe) -> None:
    scribe.rows[PLAN]["Budget"] = [Budget(id="2026-Q4", total=49, reserved=20, spent=30)]


def overused(scribe: Scribe) -> None:
    scribe.rows[OBTAIN_BUILD]["Component"] = [Component(id="engine", capacity=5, used=6)]


def reserved_for_nobody(scribe: Scribe) -> None:
    scribe.rows[PLAN]["PortfolioItem"] = []


def spent_twice(scribe: Scribe) -> None:
    scribe.rows[PLAN]["Budget"] = [Budget(id="2026-Q4", total=100, reserved=20, spent=60)]


def open_past_its_end(scribe: Scribe) -> None:
    over = Access(id="game-library/emily", until=NOON - timedelta(hours=1))
    scribe.rows[DELIVER_SUPPORT]["Access"] = [over]


PLANTED: list[tuple[Callable[[Scribe], None], set[str]]] = [
    (no_state, {"every demand that came in is in a state"}),
    (told_otherwise, {"a demand is in the state its requester was told last"}),
    (left_its_end, {"a demand never leaves its final state"}),
    (lost_on_the_way, {"everything told stands in its topic"}),
    (from_nowhere, {"nothing stands in a topic that nobody told"}),
    (not_taken_up, {"everything heard is taken up or set aside"}),
    (taken_up_and_set_aside, {"everything heard is taken up or set aside"}),
    (phantom, {"nothing is taken up that stands in no topic"}),
    (without_a_cause, {"every message names the cause that its teller took up"}),
    (one_id_for_two, {"an id names one message"}),
    (gap, {"events about a case are numbered without a gap"}),
    (out_of_order, {"events about a case stand in their topic in order"}),
    (timer_lost, {"everything put off is pending or has come"}),
    (timer_twice, {"everything put off is pending or has come"}),
    (reserved_for_nobody, {"a budget has bound what its demands and initiatives have bound"}),
    (spent_twice, {"a budget has bound what its demands and initiatives have bound"}),
    (overspent, {"nothing shared is overdrawn"}),
    (overused, {"nothing shared is overdrawn"}),
    (open_past_its_end, {"access that was granted has ended"}),
]


@pytest.mark.parametrize(("plant", "checks"), PLANTED)
def test_a_planted_violation_is_found_and_named(plant: Callable[[Scribe], None], checks: set[str]) -> None:
    scribe = Scribe()
    plant(scribe)
    assert wrong(scribe.books()) == checks


def test_for_every_check_a_violation_is_planted_here_or_where_the_invariants_of_the_domain_are_tested() -> None:
    planted = set[str]().union(*(checks for _, checks in PLANTED))
    assert {sentence(check) for check in CHECKS} - set(map(sentence, OF_THE_DOMAIN)) <= planted
    assert planted & set(map(sentence, OF_THE_DOMAIN)), "the books do not look at the domain at all"


def test_a_demand_that_has_ended_must_be_in_a_final_state() -> None:
    scribe = Scribe()
    assert wrong(scribe.books(ended={DEMAND})) == {"every demand that came in is in a state"}
    scribe.status = "withdrawn"
    scribe.tell(reported("withdrawn"), scribe.accepted, "end", sequence=3)
    assert wrong(scribe.books(ended={DEMAND})) == set()


def test_an_event_that_no_step_of_its_stream_takes_needs_no_receipt() -> None:
    scribe = Scribe()
    scribe.tell(JUDGED, scribe.accepted, "judged", sequence=3)
    assert wrong(scribe.books()) == set()


def test_a_repeat_and_a_copy_of_a_record_are_no_violation() -> None:
    scribe = Scribe()
    scribe.log += [replace(record, offset=record.offset + 100) for record in scribe.log]
    assert wrong(scribe.books()) == set()


def test_a_record_that_nobody_can_read_must_be_set_aside() -> None:
    scribe = Scribe()
    poison = Logged("svc.engage.support-tasks", 0, 99, str(DEMAND).encode(), b"{not JSON")
    scribe.log.append(poison)
    assert "nothing stands in a topic that nobody told" in wrong(scribe.books())
    by_hand = {poison.undecodable_id}
    assert wrong(scribe.books(by_hand=by_hand)) == {"everything heard is taken up or set aside"}
    scribe.aside[DELIVER_SUPPORT].add(poison.undecodable_id)
    assert wrong(scribe.books(by_hand=by_hand)) == set()


def test_a_story_names_its_first_cases_and_counts_the_others() -> None:
    scribe = Scribe()
    for number in range(5):
        scribe.stand(reported("in_progress"), f"stray {number}", sequence=0)
    stories = {violation.check: violation.story for violation in violations(scribe.books())}
    story = stories["nothing stands in a topic that nobody told"]
    assert str(uuid5(DEMAND, "stray 0")) in story
    assert story.endswith("; and 2 more")


def test_only_what_a_restored_database_decides_otherwise_may_stand_without_a_receipt() -> None:
    scribe = Scribe()
    from_nowhere(scribe)
    assert wrong(scribe.books()) != set()
    ends = {(record.topic, 0): len(scribe.log) for record in scribe.log}
    assert wrong(scribe.books(restored={ENGAGE: ends})) == set()
    assert wrong(scribe.books(restored={PLAN: ends})) == wrong(scribe.books()), "another activity's database"
    before = dict.fromkeys(ends, len(scribe.log) - 1)
    assert wrong(scribe.books(restored={ENGAGE: before})) == wrong(scribe.books()), "it was told after that"
