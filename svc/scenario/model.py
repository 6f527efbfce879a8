"""What a scenario file says of an organisation: whom it serves with what, who supplies it, and what a day brings.

Every reference by name is checked where it stands, so that each mistake has a place in the file (`reading.py`).
"""

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationInfo,
    model_validator,
)

from contracts.event import Verdict
from contracts.outside import Preference, StakeholderKind
from contracts.service_hours import WEEKDAYS, Opening, ServiceHours, Weekday, long_enough
from contracts.value_chain import ACTIVITIES
from contracts.values import AgreementKind, Channel, Kind, PolicyParameter, Priority, Rating, Requirement, Term

MOST = 10**12
"""Beyond every amount of an organisation, and well within what a database can hold."""
MOST_MEMBERS = 1000
"""Of one group of stakeholders."""


def known(sort: str) -> AfterValidator:
    """A name that the file gives to a `sort` of thing elsewhere; without a context to look in, any name."""

    def check(name: str, info: ValidationInfo) -> str:
        there: Mapping[str, object] | None = (info.context or {}).get(sort)
        if there is not None and name not in there:
            near = difflib.get_close_matches(name, there, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(there) or 'none'}"
            raise ValueError(f"there is no {sort} {name!r}; {hint}")
        return name

    return AfterValidator(check)


def activity(name: str) -> str:
    """Check that it is one of the six."""
    if name not in ACTIVITIES:
        raise ValueError(f"{name!r} is no activity; allowed: {', '.join(ACTIVITIES)}")
    return name


Slug = Annotated[str, Field(max_length=60, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""Lower-case words joined by dashes, as in `video-games`."""
ActivityName = Annotated[str, AfterValidator(activity)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
Who = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\s/?#%\\]+$")]
"""An e-mail address or an id; `{n}` in it is the number of a member of the group."""
Euros = Annotated[int, Field(ge=0, le=MOST)]
Amount = Annotated[FiniteFloat, Field(ge=0, le=MOST)]
Number = Annotated[FiniteFloat, Field(ge=-MOST, le=MOST)]
Whole = Annotated[int, Field(ge=0, le=1_000_000)]
Some = Annotated[int, Field(ge=1, le=1_000_000)]
Hours = Annotated[FiniteFloat, Field(ge=0, le=87_600)]
"""At most ten years."""
Minutes = Annotated[FiniteFloat, Field(ge=0, le=5_256_000)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""As in `09:30`."""

SegmentName = Annotated[Slug, known("segment")]
StakeholderName = Annotated[Who, known("stakeholder")]
ServiceName = Annotated[Slug, known("service")]
OfferingName = Annotated[Slug, known("offering")]
SupplierName = Annotated[Slug, known("supplier")]
ComponentName = Annotated[Slug, known("component")]
ItemName = Annotated[Slug, known("item")]
AgreementName = Annotated[Slug, known("agreement")]
CalendarName = Annotated[Slug, known("calendar")]
StreamName = Annotated[Slug, known("value stream")]
DemandKind = Annotated[Kind, known("kind of demand with a value stream")]
OpportunityName = Annotated[Slug, known("opportunity")]
InitiativeName = Annotated[Slug, known("initiative")]

IDENTIFIED: Mapping[str, tuple[str, str]] = {
    "segments": ("segment", "segment"),
    "stakeholders": ("stakeholder", "stakeholder"),
    "products": ("product", "product"),
    "services": ("service", "service"),
    "offerings": ("offering", "offering"),
    "suppliers": ("supplier", "supplier"),
    "components": ("component", "component"),
    "stock": ("item", "item"),
    "agreements": ("agreement", "agreement"),
    "policies": ("policy", "policy"),
    "calendars": ("calendar", "calendar"),
    "work_centres": ("work_centre", "work centre"),
}
"""Each list of things with a name: the field that names them, and what they are called."""


class Part(BaseModel):
    """A part of a scenario: what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Proposition(Part):
    """What the organisation promises to some, and by which services."""

    title: Line
    segments: tuple[SegmentName, ...] = Field(min_length=1)
    services: tuple[ServiceName, ...] = ()
    measure: Line
    """By what one can tell that it is kept, as in `420 km of range`."""


class Relationship(Part):
    """How the organisation keeps in touch with a segment."""

    segment: SegmentName
    how: Line


class Money(Part):
    """A stream of money, in or out."""

    name: Line
    euros_a_year: Euros
    segment: SegmentName | None = None
    """Who pays it, for revenue."""


class BusinessModel(Part):
    """How the organisation creates, delivers and captures value, on one page."""

    value_propositions: tuple[Proposition, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = Field(min_length=1)
    relationships: tuple[Relationship, ...] = ()
    revenue: tuple[Money, ...] = ()
    key_resources: tuple[Line, ...] = ()
    key_activities: tuple[Line, ...] = ()
    key_partners: tuple[SupplierName, ...] = ()
    costs: tuple[Money, ...] = ()

    @property
    def profit(self) -> int:
        """What a year leaves, in euros."""
        return sum(one.euros_a_year for one in self.revenue) - sum(one.euros_a_year for one in self.costs)


class Stated(Part):
    """What a segment requires and prefers, of one service or of all."""

    customer: StakeholderName
    """Who speaks for it."""
    service: ServiceName | None = None
    requirements: tuple[Requirement, ...] = ()
    preferences: tuple[Preference, ...] = ()


class Segment(Part):
    """Customers who need the same."""

    segment: Slug
    title: Line
    stated: tuple[Stated, ...] = ()


class Stakeholder(Part):
    """A person or organisation, or a group of them that are alike."""

    stakeholder: Who
    """Their e-mail address or id; of a group with `{n}` for the number."""
    name: Line
    kind: StakeholderKind
    roles: tuple[Literal["customer", "user", "sponsor"], ...] = ()
    """One may have all three."""
    segment: SegmentName | None = None
    organisation: Annotated[str, Field(max_length=200)] = ""
    many: Annotated[int, Field(ge=1, le=MOST_MEMBERS)] = 1
    """How many there are."""

    @model_validator(mode="after")
    def _members_are_told_apart(self) -> Self:
        if (self.many > 1) != ("{n}" in self.stakeholder):
            raise ValueError("a group (`many` above 1) has `{n}` in its id, and nobody else has")
        return self

    def member(self, number: int) -> str:
        """The id of one of them, from 1."""
        return self.stakeholder.replace("{n}", str(number))


class Product(Part):
    """A configuration of people, information and technology that the organisation makes its services from."""

    product: Slug
    title: Line
    services: tuple[ServiceName, ...] = ()
    """What its consumers see of it."""
    configuration: tuple[Line, ...] = ()
    """What the provider sees of it."""
    components: tuple[ComponentName, ...] = ()


class KnownError(Part):
    """A known cause of incidents."""

    error: Slug
    symptoms: tuple[Line, ...] = Field(min_length=1)
    workaround: Text
    fix: Annotated[str, Field(max_length=4000)] = ""


class Role(Part):
    """A role that a service needs."""

    role: Slug
    staffed: bool
    trained: bool


class Integration(Part):
    """Another system that a service exchanges data with."""

    system: Slug
    available: bool


class OutsideFactor(Part):
    """A dated fact of the world around, which a service needs, or which forbids it while it holds."""

    kind: Literal["political", "economic", "social", "technological", "legal", "environmental"]
    fact: Line
    effect: Literal["needed", "forbids"]
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None


class Readiness(Part):
    """Who can run a service, which data it holds, what it is connected to, and what it replaces."""

    declared_by: Line
    roles: tuple[Role, ...] = ()
    data_class: Literal["public", "internal", "confidential", "secret"] = "internal"
    integrations: tuple[Integration, ...] = ()
    factors: tuple[OutsideFactor, ...] = ()
    replaces: ServiceName | None = None
    """The service that is retired, after a notice, once this one is released."""


class Service(Part):
    """A service of the organisation, live or to come."""

    service: Slug
    title: Line
    names: tuple[Line, ...] = ()
    """What people call it."""
    criticality: Literal["high", "medium", "low"] = "medium"
    owner: Line
    live: bool = True
    """Whether it is live when the scenario begins."""
    requirements: tuple[Requirement, ...] = ()
    known_errors: tuple[KnownError, ...] = ()
    readiness: Readiness | None = None


class Goods(Part):
    """Goods that pass into the consumer's hands."""

    item: ItemName
    quantity: Some = 1


class Access(Part):
    """Access to a resource for a time."""

    resource: Slug
    hours: Annotated[FiniteFloat, Field(gt=0, le=87_600)]


class Action(Part):
    """Something that is done for the consumer."""

    what: Line
    hours: Annotated[FiniteFloat, Field(gt=0, le=87_600)]


class Offering(Part):
    """What can be requested: any mix of goods, access and action."""

    offering: Slug
    title: Line
    service: ServiceName
    names: tuple[Line, ...] = ()
    goods: Goods | None = None
    access: Access | None = None
    action: Action | None = None
    entitled_segments: tuple[SegmentName, ...] = ()
    """Who may have it; empty: everybody."""
    approval: Literal["none", "manager"] = "none"
    approval_above: Whole = 0
    """More than so many need that approval."""
    price: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Of one, in whole euros."""

    @model_validator(mode="after")
    def _offers_something(self) -> Self:
        if not (self.goods or self.access or self.action):
            raise ValueError("it offers nothing: give it goods, access or an action")
        return self


class SuppliedService(Part):
    """What a supplier offers."""

    service: Slug
    """Under the supplier's own id; of a component the component's."""
    title: Line
    status: Literal["offered", "changed", "degraded", "ending", "ended"] = "offered"
    terms: tuple[Term, ...] = ()
    """`price` in euros, `delivery` in hours, days or weeks, and the service levels."""
    support_hours: Annotated[str, Field(max_length=200)] = ""
    supports: tuple[ServiceName, ...] = ()
    """Services of ours that depend on it."""
    agreement: AgreementName | None = None


class Supplier(Part):
    """A supplier or partner."""

    supplier: Slug
    name: Line
    services: tuple[SuppliedService, ...] = Field(min_length=1)


class Component(Part):
    """A part of services, as far as there is any of it."""

    component: Slug
    title: Line
    capacity: Amount = 0
    used: Amount = 0
    unit: Line

    @model_validator(mode="after")
    def _no_more_used_than_there_is(self) -> Self:
        if self.used > self.capacity:
            raise ValueError(f"{self.used:g} {self.unit} are used, of {self.capacity:g}")
        return self


class StockItem(Part):
    """Goods that are kept to be handed over."""

    item: Slug
    component: ComponentName
    unit: Line
    quantity: Whole
    reorder_at: Whole
    reorder_quantity: Some


class AgreementTerms(Part):
    """An agreement with a consumer, between activities, or with a supplier."""

    kind: AgreementKind
    title: Line
    service: ServiceName
    counterparty: Who
    terms: tuple[Term, ...] = Field(min_length=1)
    depends_on: tuple[AgreementName, ...] = ()
    calendar: CalendarName | None = None
    """The hours of service that its times count; None: around the clock."""


class Agreement(AgreementTerms):
    """An agreement that holds when the scenario begins, until somebody ends it."""

    agreement: Slug


class PolicyText(Part):
    """What the governing body directs."""

    kind: Literal["policy", "constraint", "requirement"] = "policy"
    title: Line
    statement: Text
    parameters: tuple[PolicyParameter, ...] = ()
    issued_by: Line


class Policy(PolicyText):
    """A policy that binds when the scenario begins."""

    policy: Slug


class Budget(Part):
    """The money of a quarter."""

    quarter: Annotated[int, Field(ge=0, le=40)]
    """0 is the quarter in which the scenario begins, 1 the next one."""
    total: Euros
    granted_by: Line = "governance"
    reason: Annotated[str, Field(max_length=1000)] = ""


class Window(Part):
    """Hours of a day, UTC."""

    opens: TimeOfDay
    closes: Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"it closes at {self.closes}, before it opens at {self.opens}")
        return self


class Calendar(Part):
    """When somebody is there: what demand comes at random by, and the hours of service of agreements."""

    calendar: Slug
    days: tuple[Weekday, ...] = Field(default=WEEKDAYS, min_length=1)
    windows: tuple[Window, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_open(self) -> Self:
        long_enough(self.hours)
        return self

    @property
    def hours(self) -> ServiceHours:
        """As an agreement says them."""
        return tuple(Opening(days=self.days, opens=one.opens, closes=one.closes) for one in self.windows)


class Spread(Part):
    """How long a piece of work takes, in minutes: a triangle between the least and the most."""

    least: Minutes
    usual: Minutes
    most: Minutes

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.least <= self.usual <= self.most:
            raise ValueError("least, usual and most rise in this order")
        return self


class WorkCentre(Part):
    """People who do the work of one owner, so many at a time."""

    work_centre: Slug
    title: Line
    activity: ActivityName
    owner: Line
    """Whose work it is, as `svc work list` names the owner."""
    people: Some
    minutes: Spread | None = None
    """How long a piece of it takes; None: as long as its activity reckons."""


class Answer(Part):
    """What a consumer says a delivery was worth to them."""

    verdict: Verdict
    utility: bool = True
    """Whether it does what they need (fit for purpose)."""
    warranty: bool = True
    """Whether it does so well enough (fit for use)."""
    benefits: tuple[Line, ...] = ()
    costs_removed: tuple[Line, ...] = ()
    costs_imposed: tuple[Line, ...] = ()
    risks_removed: tuple[Line, ...] = ()
    risks_imposed: tuple[Line, ...] = ()
    satisfaction: Rating | None = None
    remark: Annotated[str, Field(max_length=1000)] = ""


class OfAll(Part):
    """An answer, and the share of consumers who give it."""

    share: Share
    answer: Answer


class Behaviour(Part):
    """How stakeholders of one kind answer; who gives none of these answers says nothing."""

    kind: StakeholderKind
    answers: tuple[OfAll, ...]
    after_workaround: tuple[OfAll, ...] = ()
    """When the cause of what they reported is still there; else they answer as ever."""
    minutes: Spread
    """From being asked to answering."""
    accepts: Share = 1.0
    """How many accept the terms that they are offered."""

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        for name, given in (("answers", self.answers), ("after_workaround", self.after_workaround)):
            if sum(one.share for one in given) > 1 + 1e-9:
                raise ValueError(f"{name}: the shares make more than 1")
        return self


class Triage(Part):
    """What the desk makes of demand that no rule can place."""

    by: Line
    kind: DemandKind
    minutes: Spread


class When(Part):
    """The notice to the requester on which something follows."""

    status: Literal[
        "captured", "unclassified", "consolidated", "deferred", "in_progress", "waiting_for_consumer", "delivered"
    ]
    says: Annotated[str, Field(max_length=200)] = ""
    """Only when the notice has these words."""
    minutes: Minutes = 10
    """How long after it."""


class Alteration(Part):
    """The customer alters what is under way."""

    do: Literal["alter"]
    when: When
    title: Line
    scope: Text
    more_budget: Euros = 0
    wanted_in_hours: Hours | None = None


class Reply(Part):
    """The requester replies on the ticket of the desk."""

    do: Literal["reply"]
    when: When
    text: Text


class Classification(Part):
    """The desk says what it is."""

    do: Literal["classify"]
    when: When
    kind: DemandKind
    service: ServiceName | None = None
    by: Line
    reason: Line


class Withdrawal(Part):
    """The requester no longer needs it."""

    do: Literal["withdraw"]
    when: When
    reason: Line


FollowUp = Annotated[Alteration | Reply | Classification | Withdrawal, Field(discriminator="do")]


class Asked(Part):
    """A demand, whoever brings it."""

    kind: DemandKind | None = None
    """Left out, Engage tells it by the words."""
    service: ServiceName | None = None
    wanted_priority: Priority | None = None
    harm_in_hours: Hours | None = None
    wanted_in_hours: Hours | None = None
    offering: OfferingName | None = None


class Happening(Part):
    """Something that comes from outside at a time of day."""

    at: TimeOfDay


class DemandComes(Happening, Asked):
    """A customer brings demand, by any channel; `desk` is a ticket of the service desk."""

    do: Literal["demand"]
    requester: StakeholderName
    member: Some = 1
    """Which one of a group."""
    channel: Channel
    title: Line
    text: Text
    users_affected: Whole = 1
    value: Euros | None = None
    budget: Euros | None = None
    sponsor: StakeholderName | None = None
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1
    answer: Answer | None = None
    """What they say it was worth; left out, as their kind does."""
    silent: bool = False
    """They say nothing."""
    accepts: bool | None = None
    """Whether they accept the terms they are offered; left out, as their kind does."""
    then: tuple[FollowUp, ...] = ()

    @model_validator(mode="after")
    def _replies_go_to_tickets(self) -> Self:
        if self.channel != "desk" and any(isinstance(one, Reply) for one in self.then):
            raise ValueError("then: only a ticket is replied to: its channel is `desk`")
        if self.channel == "desk" and (self.offering or self.budget is not None or self.sponsor):
            raise ValueError("a ticket has no field for offering, budget and sponsor: use another channel, or the text")
        return self


class SupplierNews(Happening):
    """Something changes at a supplier; what is left out stays as it is."""

    do: Literal["supplier"]
    supplier: SupplierName
    service: Slug
    status: Literal["offered", "changed", "degraded", "ending", "ended"]
    terms: tuple[Term, ...] | None = None
    supports: tuple[ServiceName, ...] | None = None
    agreement: AgreementName | None = None
    valid_for_hours: Hours | None = None


class OpportunityComes(Happening):
    """A chance to win or keep business shows."""

    do: Literal["opportunity"]
    opportunity: Slug
    customer: StakeholderName
    relationship: Literal["current", "potential"]
    signal: Annotated[str, Field(max_length=200, pattern=r"^[a-z]+(_[a-z]+)*$")]
    title: Line
    text: Text
    service: ServiceName | None = None
    value: Euros
    probability: Share
    closes_in_hours: Hours | None = None


class OpportunityCloses(Happening):
    """It is won or lost."""

    do: Literal["outcome"]
    opportunity: OpportunityName
    outcome: Literal["won", "lost"]
    by: Line
    reason: Line


class AgreementComes(Happening, AgreementTerms):
    """An agreement is brought to be concluded."""

    do: Literal["agreement"]
    agreement: Slug
    valid_for_hours: Hours | None = None


class AgreementEnds(Happening):
    """An agreement is terminated."""

    do: Literal["termination"]
    agreement: AgreementName
    by: Line
    reason: Line


class Signal(Happening):
    """Monitoring reports something."""

    do: Literal["monitoring"]
    service: ServiceName
    signal: Slug
    value: Number
    threshold: Number
    unit: Line
    severity: Literal["info", "warning", "exception"]


class GovernanceDirects(Happening, PolicyText):
    """The governing body directs something new."""

    do: Literal["policy"]
    policy: Slug
    valid_for_hours: Annotated[FiniteFloat, Field(gt=0, le=87_600)] | None = None
    """None: until it directs otherwise."""


class BudgetComes(Happening, Budget):
    """The governing body grants money."""

    do: Literal["budget"]


class InitiativeComes(Happening):
    """A review or an audit enters an initiative."""

    do: Literal["initiative"]
    initiative: Slug
    title: Line
    subject: Literal["products", "services", "chain"]
    measure: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$")]
    service: ServiceName | None = None
    hypothesis: Text
    target: Number
    source: Literal["review", "audit"]
    owner: Line
    value: Euros
    cost: Euros


class InitiativeMoves(Happening):
    """An initiative is put on hold, or goes on."""

    do: Literal["hold", "resume"]
    initiative: InitiativeName
    by: Line
    reason: Line


class SegmentStates(Happening, Stated):
    """A segment states what it requires."""

    do: Literal["requirements"]
    segment: SegmentName


class ReadinessChanges(Happening, Readiness):
    """Somebody says anew who can run a service."""

    do: Literal["readiness"]
    service: ServiceName


Event = Annotated[
    DemandComes
    | SupplierNews
    | OpportunityComes
    | OpportunityCloses
    | AgreementComes
    | AgreementEnds
    | Signal
    | GovernanceDirects
    | BudgetComes
    | InitiativeComes
    | InitiativeMoves
    | SegmentStates
    | ReadinessChanges,
    Field(discriminator="do"),
]

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Wording(Part):
    """How somebody says it; a `{word}` in it is one of the fillings of that name."""

    title: Line
    text: Text


class Range(Part):
    """Any whole number from `least` to `most`."""

    least: Whole = 0
    most: Euros

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least is {self.least}, more than most, {self.most}")
        return self


class Rate(Asked):
    """Demand of one sort that comes so often on average, at random times while its calendar is open."""

    a_day: Annotated[FiniteFloat, Field(gt=0, le=10_000)]
    """How many come on a day on which its calendar is open."""
    calendar: CalendarName
    channels: tuple[Channel, ...] = Field(min_length=1)
    requesters: tuple[StakeholderName, ...] = Field(min_length=1)
    wordings: tuple[Wording, ...] = Field(min_length=1)
    fillings: dict[str, tuple[Line, ...]] = {}
    users_affected: Range | None = None
    value: Range | None = None

    @model_validator(mode="after")
    def _every_placeholder_is_filled(self) -> Self:
        for wording in self.wordings:
            for name in PLACEHOLDER.findall(f"{wording.title} {wording.text}"):
                if not self.fillings.get(name):
                    raise ValueError(f"wordings: {{{name}}} has no fillings; there are: {', '.join(self.fillings)}")
        if "desk" in self.channels and self.offering:
            raise ValueError("a ticket has no field for an offering: leave the channel `desk` out, or the offering")
        return self


class Day(Part):
    """A day: what happens at its times, and what comes at random beside that."""

    begins: TimeOfDay = "00:00"
    """What happens at an earlier time of day happens on the next."""
    events: tuple[Event, ...] = ()
    rates: tuple[Rate, ...] = ()


class DatedEvents(Part):
    """What happens on one day of a quarter."""

    day: Annotated[int, Field(ge=1, le=92)]
    """Counted from 1."""
    events: tuple[Event, ...] = Field(min_length=1)


class Quarter(Part):
    """A quarter of a year: rates, and days on which something special happens."""

    days: Annotated[int, Field(ge=1, le=92)] = 91
    the_day: Annotated[int, Field(ge=1, le=92)] | None = None
    """On which of its days the scenario's day happens; None: on none."""
    rates: tuple[Rate, ...] = Field(min_length=1)
    special: tuple[DatedEvents, ...] = ()


class Organisation(Part):
    """An organisation as data: everything that is special about it, so that nothing of it is in code."""

    scenario: Slug
    """Its name; the file has the same."""
    title: Line
    mission: Text
    holds_from: AwareDatetime
    """Since when its policies, suppliers and agreements hold: before the scenario begins."""
    business_model: BusinessModel
    segments: tuple[Segment, ...] = Field(min_length=1)
    stakeholders: tuple[Stakeholder, ...] = Field(min_length=1)
    products: tuple[Product, ...] = ()
    services: tuple[Service, ...] = Field(min_length=1)
    offerings: tuple[Offering, ...] = ()
    components: tuple[Component, ...] = ()
    stock: tuple[StockItem, ...] = ()
    suppliers: tuple[Supplier, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    policies: tuple[Policy, ...] = ()
    budgets: tuple[Budget, ...] = ()
    calendars: tuple[Calendar, ...] = Field(min_length=1)
    work: dict[ActivityName, Literal["auto", "simulated", "manual"]] = {}
    """How each activity does its work; `auto` where nothing is said."""
    work_centres: tuple[WorkCentre, ...] = ()
    value_streams: tuple[StreamName, ...] = Field(min_length=1)
    """The value streams that its demand takes, by the names of their files."""
    consumers: tuple[Behaviour, ...] = Field(min_length=1)
    triage: Triage | None = None
    day_of_demand: Day = Field(alias="day")
    quarter_of_demand: Quarter = Field(alias="quarter")

    def centres(self, activity: str) -> dict[str, int]:
        """How many people do an activity's work, by its owner: what the service is configured with."""
        return {one.owner: one.people for one in self.work_centres if one.activity == activity}

    def minutes(self, activity: str) -> dict[str, tuple[float, float, float]]:
        """How long an activity's work takes, by its owner: least, usual and most, where the file says so."""
        spreads = {one.owner: one.minutes for one in self.work_centres if one.activity == activity}
        return {owner: (one.least, one.usual, one.most) for owner, one in spreads.items() if one}

    def stakeholder(self, name: str) -> Stakeholder:
        """The stakeholder, or the group, of this name; `StopIteration` for one that the file does not have."""
        return next(one for one in self.stakeholders if one.stakeholder == name)

    def everybody(self) -> dict[str, Stakeholder]:
        """All stakeholders, the members of groups each under an id of their own."""
        return {one.member(number): one for one in self.stakeholders for number in range(1, one.many + 1)}

    def requester(self, demand: DemandComes) -> str:
        """Who brings a demand of the day: of a group the member that it names."""
        return self.stakeholder(demand.requester).member(demand.member)

    def calendar(self, name: str) -> Calendar:
        """The calendar of this name; `StopIteration` for one that the file does not have."""
        return next(one for one in self.calendars if one.calendar == name)


def schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors and for whoever writes one."""
    found = Organisation.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "Scenario"}
