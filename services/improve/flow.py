"""How demand flows through the chain: how long it takes, what waits where, and which activity holds it up."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from pydantic import AwareDatetime

from contracts.deliver_support import ServiceDelivered
from contracts.design_transition import DesignPerformanceReported, ServiceTransitionReported
from contracts.engage import DemandConsolidated
from contracts.event import Command, Data, Fact
from contracts.obtain_build import ObtainPerformanceReported
from contracts.value_chain import DELIVER_SUPPORT, DESIGN_TRANSITION, OBTAIN_BUILD, PLAN, TITLES
from contracts.values import Hours, Share, Version
from services.chassis.state import ONE, State
from services.improve.figures import ENOUGH, BottleneckSeen, MeasureTaken, scope_of, week_of
from services.improve.measurement_and_reporting import measured
from services.improve.model import NeedFound

MOST_PASSAGES = 60
"""The newest demands that the flow is computed from: older ones flowed through another organisation."""
MOST_MILESTONES = 40
"""The newest milestones of a demand; one that is reworked more often than that is late anyhow."""
STANDS_OUT = 0.5
"""The share of all lead time from which on an activity is the bottleneck."""
WORTH_HOURS = 8.0
"""Mean hours below which nobody waits long enough for a bottleneck to matter."""

NEXT: Mapping[str, str] = {
    "consolidated": PLAN,
    "design_refused": PLAN,
    "designed": OBTAIN_BUILD,
    "validation_failed": OBTAIN_BUILD,
    "obtained": DESIGN_TRANSITION,
    "validated": DELIVER_SUPPORT,
    "change_refused": PLAN,
    "deployment_accepted": DESIGN_TRANSITION,
    "deployment_refused": DESIGN_TRANSITION,
    "released": DELIVER_SUPPORT,
}
"""Where a demand waits after each milestone."""
ENDS = ("live", "refused")
"""The milestones after which it waits no more."""
ORDER = (*NEXT, *ENDS)


class Milestone(Data):
    """A demand has come so far."""

    name: str
    at: AwareDatetime


class Journey(State[UUID], by="demand"):
    """One demand on its way through the chain; milestones may be heard of before the demand is."""

    kind: str = ""
    service: str | None = None
    begun_at: datetime | None = None
    promised_by: datetime | None = None
    milestones: tuple[Milestone, ...] = ()
    measured: bool = False
    """Its flow time was counted."""
    told: int = 0

    def reach(self, name: str, at: datetime) -> None:
        """Note a milestone."""
        self.milestones = (*self.milestones, Milestone(name=name, at=at))[-MOST_MILESTONES:]

    @property
    def way(self) -> tuple[Milestone, ...]:
        """Its milestones in the order in which they were reached; at one moment, in that of the table."""
        begun = [Milestone(name="consolidated", at=self.begun_at)] if self.begun_at else []
        return (*begun, *sorted(self.milestones, key=lambda one: (one.at, ORDER.index(one.name))))

    def hours_by_activity(self) -> dict[str, float]:
        """The hours it has waited at each activity, up to its last milestone."""
        hours: dict[str, float] = defaultdict(float)
        for one, following in pairwise(self.way):
            if one.name in NEXT:
                hours[NEXT[one.name]] += max(0.0, (following.at - one.at) / timedelta(hours=1))
        return hours


class Leg(Data):
    """How long a demand has waited at an activity."""

    activity: str
    hours: Hours


class Passage(Data):
    """A demand's journey as the flow is computed from it."""

    demand: UUID
    number: Version
    kind: str
    legs: tuple[Leg, ...]
    waits_at: str
    """The activity that has it now; empty when it is through."""
    since: AwareDatetime


class PassageSeen(Command, case="kept_in"):
    """A demand has come further."""

    kept_in: str = "flow"  # one case for all: its lane alone writes the row
    passage: Passage


class Flow(State[str], by=ONE):
    """The newest demands on their way, and the bottleneck as it was last told; one row, written by one lane."""

    passages: tuple[Passage, ...] = ()
    period: str = ""
    bottleneck: str | None = None
    waiting: float | None = None

    def hours(self, now: datetime) -> dict[str, float]:
        """The hours that these demands have waited at each activity, those that still wait up to `now`."""
        hours: dict[str, float] = defaultdict(float)
        for passage in self.passages:
            for leg in passage.legs:
                hours[leg.activity] += leg.hours
            if passage.waits_at:
                hours[passage.waits_at] += max(0.0, (now - passage.since) / timedelta(hours=1))
        return hours

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
        return Counter(one.kind for one in self.passages if one.waits_at and activity in ("", one.waits_at))


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


def compute_flow(seen: PassageSeen, flow: Flow) -> list[BottleneckSeen | NeedFound]:
    """Find the activity that holds the newest demands up most; when it is another one, tell and propose to widen it."""
    known = next((one for one in flow.passages if one.demand == seen.passage.demand), None)
    if known is not None and known.number >= seen.passage.number:
        return []
    others = (one for one in flow.passages if one is not known)
    flow.passages = (*others, seen.passage)[-MOST_PASSAGES:]
    activity, share = flow.find_bottleneck(seen.time)
    if (week_of(seen.time), activity) == (flow.period, flow.bottleneck):
        return []
    new = activity != flow.bottleneck
    flow.period, flow.bottleneck, flow.waiting = week_of(seen.time), activity, share
    told = BottleneckSeen(period=flow.period, bottleneck=activity, waiting=share)
    return [told, of_bottleneck(flow, activity, share, seen.time)] if activity and share and new else [told]


def follow(journey: Journey) -> list[PassageSeen | MeasureTaken]:
    """Tell the flow how far a demand has come, and once it is live, how long that took; nothing before it is known."""
    if journey.begun_at is None:
        return []
    last = journey.way[-1]
    live = min((one.at for one in journey.milestones if one.name == "live"), default=None)
    ended = any(one.name in ENDS for one in journey.milestones)
    journey.told += 1
    passage = Passage(
        demand=journey.id,
        number=journey.told,
        kind=journey.kind,
        legs=legs_of(journey.hours_by_activity()),
        waits_at="" if ended else NEXT[last.name],
        since=last.at,
    )
    if live is None or journey.measured:
        return [PassageSeen(passage=passage)]
    journey.measured = True
    hours = max(0.0, (live - journey.begun_at) / timedelta(hours=1))
    promise = (journey.promised_by - journey.begun_at) / timedelta(hours=1) if journey.promised_by else None
    return [
        PassageSeen(passage=passage),
        measured(live, "flow_time", hours, service=journey.service, target=promise),
    ]


def legs_of(hours: Mapping[str, float]) -> tuple[Leg, ...]:
    """Hours by activity, as data."""
    return tuple(Leg(activity=activity, hours=round(hours[activity], 4)) for activity in sorted(hours))


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
