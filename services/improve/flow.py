"""How demand flows through the chain: how long it takes, what waits where, and which activity holds it up."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.engage import DemandConsolidated
from contracts.event import Command, Data, Fact
from contracts.obtain_build import ObtainPerformanceReported
from contracts.plan import PlanningPerformanceReported
from contracts.value_chain import PLAN, TITLES
from contracts.values import Count, Share, Version
from services.chassis.state import ONE, State
from services.improve.figures import ENOUGH, BottleneckSeen, DayReported, MeasureTaken, scope_of, week_of
from services.improve.journey import ORDER, Journey, Passage, PassageSeen, follow
from services.improve.measurement_and_reporting import day_of, measured
from services.improve.model import NeedFound

MOST_PASSAGES = 60
"""The newest demands that the flow is computed from: older ones flowed through another organisation."""
STANDS_OUT = 0.5
"""The share of all lead time from which on an activity is the bottleneck."""
WORTH_HOURS = 8.0
"""Mean hours below which nobody waits long enough for a bottleneck to matter."""


class PlanQueue(Data):
    """Plan's own word on how many demands wait for its decision: it refuses some, of which nobody else hears."""

    day: str
    number: Version
    at: AwareDatetime
    waiting: Count


class QueueReported(Command, case="kept_in"):
    """Plan has reported how many demands wait for its decision."""

    kept_in: str = "flow"
    queue: PlanQueue


class Flow(State[str], by=ONE):
    """The newest demands on their way, and the bottleneck as it was last told; one row, written by one lane."""

    passages: tuple[Passage, ...] = ()
    queue: PlanQueue | None = None
    """How many demands wait for a decision by Plan's own report; without one, all that nobody has designed yet."""
    period: str = ""
    bottleneck: str | None = None
    waiting: float | None = None

    def hours(self, now: datetime) -> dict[str, float]:
        """The hours that these demands have waited at each activity, those that still wait up to `now`."""
        hours: dict[str, float] = defaultdict(float)
        for passage in self.passages:
            for leg in passage.legs:
                hours[leg.activity] += leg.hours
        for passage in self.waiting_now():
            hours[passage.waits_at] += max(0.0, (now - passage.since) / timedelta(hours=1))
        return hours

    def waiting_now(self) -> tuple[Passage, ...]:
        """The demands that still wait; of those at Plan since its last report, the newest as many as it says."""
        waiting = sorted((one for one in self.passages if one.waits_at), key=lambda one: one.since, reverse=True)
        if self.queue is None:
            return tuple(waiting)
        at, told = self.queue.at, self.queue.waiting
        asked = [one for one in waiting if one.waits_at == PLAN and one.since <= at][told:]
        return tuple(one for one in waiting if one not in asked)

    def find_bottleneck(self, now: datetime) -> tuple[str | None, float | None]:
        """The activity with most of the time, and its share; none while demands are few or fast, or wait alike."""
        hours = self.hours(now)
        whole = sum(hours.values())
        if len(self.passages) < ENOUGH or whole < WORTH_HOURS * len(self.passages):
            return None, None
        activity, most = max(sorted(hours.items()), key=lambda one: one[1])
        share = round(most / whole, 2)
        return (activity, share) if share >= STANDS_OUT else (None, None)

    def under_way(self, activity: str = "") -> Counter[str]:
        """How many demands of each kind are under way, or wait at one activity."""
        return Counter(one.kind for one in self.waiting_now() if activity in ("", one.waits_at))


def begin_journey(demand: DemandConsolidated, journey: Journey) -> list[PassageSeen | MeasureTaken]:
    """A demand's time runs from its consolidation; told again, it is the same demand."""
    if journey.begun_at is not None:
        return []
    journey.kind, journey.service = demand.kind, demand.service
    journey.begun_at, journey.promised_by = demand.time, demand.promise_by
    return follow(journey)


def follow_delivery(delivered: ServiceDelivered, journey: Journey) -> list[PassageSeen | MeasureTaken]:
    """Installing, refusing to, and putting live are milestones; upkeep of what is live is none."""
    if delivered.outcome not in ORDER:
        return []
    journey.reach(delivered.outcome, delivered.delivered_at)
    journey.service = delivered.service
    return follow(journey)


def measure_design(design: DesignPerformanceReported, journey: Journey) -> list[MeasureTaken | PassageSeen]:
    """A design is right first time when its first iteration is validated; what is only designed is not judged yet."""
    journey.reach(design.outcome, design.time)
    flow = follow(journey)
    if design.outcome in ("designed", "released"):
        return flow
    right = design.outcome == "validated" and design.iteration == 1
    return [measured(design.time, "design_right_first_time", right, service=design.service), *flow]


def measure_obtaining(obtained: ObtainPerformanceReported, journey: Journey) -> list[MeasureTaken | PassageSeen]:
    """A component is in time when it took no longer than promised; its cost is held against its budget, if any."""
    journey.reach("obtained", obtained.time)
    measures = [measured(obtained.time, "obtained_in_time", obtained.taken_hours <= obtained.promised_hours)]
    if obtained.budget is not None:
        measures.append(measured(obtained.time, "obtaining_cost", obtained.cost, target=obtained.budget))
    return [*measures, *follow(journey)]


def measure_transition(transition: ServiceTransitionReported, journey: Journey) -> list[MeasureTaken | PassageSeen]:
    """A change succeeds when its service is released, or retired as planned; a refused one has cost its effort."""
    success = transition.outcome != "refused"
    counted = measured(transition.time, "change_success", success, service=transition.service)
    if success:
        return [counted]
    journey.reach("refused", transition.time)
    return [counted, *follow(journey)]


def hear_planning(report: PlanningPerformanceReported) -> list[DayReported | QueueReported]:
    """Of the decisions that a day asked for, so many still wait at its end."""
    queue = PlanQueue(day=report.period, number=report.version, at=report.time, waiting=report.waiting)
    figure = day_of(report, "decisions_waiting", report.decided + report.waiting, report.waiting)
    return [figure, QueueReported(queue=queue)]


def compute_flow(seen: PassageSeen, flow: Flow) -> list[BottleneckSeen | NeedFound]:
    """Take a demand's newest picture, and look whether one activity holds the newest demands up most."""
    known = next((one for one in flow.passages if one.demand == seen.passage.demand), None)
    if known is not None and known.number >= seen.passage.number:
        return []
    others = (one for one in flow.passages if one is not known)
    flow.passages = (*others, seen.passage)[-MOST_PASSAGES:]
    return look_for_bottleneck(flow, seen.time)


def take_queue(reported: QueueReported, flow: Flow) -> list[BottleneckSeen | NeedFound]:
    """Believe Plan's newest report on what waits there, and look anew whether it holds the flow up."""
    new = reported.queue
    if flow.queue is not None and (new.day, new.number) <= (flow.queue.day, flow.queue.number):
        return []
    flow.queue = new
    return look_for_bottleneck(flow, reported.time)


def look_for_bottleneck(flow: Flow, now: datetime) -> list[BottleneckSeen | NeedFound]:
    """Tell when another activity than before holds the flow up, or none; a new one is to be widened."""
    activity, share = flow.find_bottleneck(now)
    if (week_of(now), activity) == (flow.period, flow.bottleneck):
        return []
    new = activity != flow.bottleneck
    flow.period, flow.bottleneck, flow.waiting = week_of(now), activity, share
    told = BottleneckSeen(period=flow.period, bottleneck=activity, waiting=share)
    return [told, of_bottleneck(flow, activity, share, now)] if activity and share and new else [told]


def of_bottleneck(flow: Flow, activity: str, share: Share, now: datetime) -> NeedFound:
    """An activity holds most of the time: its waiting is to be halved."""
    mean = sum(flow.hours(now).values()) / len(flow.passages)
    load = flow.under_way(activity)
    kind, number = max(sorted(load.items()), key=lambda one: one[1], default=("", 0))
    queue = f"; {sum(load.values())} wait there now, most of them {kind.replace('_', ' ')} ({number})" if load else ""
    return NeedFound(
        scope=scope_of("flow_time", None),
        measure="flow_time",
        service=None,
        source="performance",
        why=f"{share:.0%} of all time that demands are under way they wait at {TITLES[activity]}{queue}.",
        facts=(
            Fact(name="bottleneck", value=activity, source="flow of the newest demands"),
            Fact(name="share of waiting", value=share, source="flow of the newest demands"),
            *(Fact(name=f"load of {kind}", value=number, source="flow") for kind, number in sorted(load.items())),
        ),
        weight=round(share * len(flow.passages), 4),
        baseline=round(mean, 4),
        target=round(mean * (1 - share / 2), 4),
        bottleneck=activity,
    )
