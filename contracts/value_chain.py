"""Who tells what to whom in the service value chain: the one table that topics, subscriptions, documents and checks derive from."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from contracts.deliver_support import (
    ChangeRequested,
    ServiceDelivered,
    ServicePerformanceReported,
    SupportAgreementNeeded,
    SupportEscalated,
    SupportTaskCompleted,
)
from contracts.design_transition import (
    ChangeProposed,
    ContractualAgreementNeeded,
    DeploymentPlanned,
    DesignPerformanceReported,
    ServiceReleased,
    ServiceTransitionReported,
    SpecificationIssued,
)
from contracts.engage import (
    AgreementConcluded,
    ChangeInitiationRequested,
    DemandConsolidated,
    DemandStatusReported,
    EngagementPerformanceReported,
    ImprovementOpportunityIdentified,
    OpportunityIdentified,
    ProjectChangeRequested,
    ServiceRequirementsStated,
    SupportTaskRequested,
    ThirdPartyServiceReported,
    ValueJudged,
)
from contracts.event import Message, dashed
from contracts.improve import (
    ChainPerformanceReported,
    ImprovementAgreementNeeded,
    ImprovementInitiated,
    InitiativeStatusReported,
)
from contracts.obtain_build import (
    ChangedServiceReported,
    ComponentProvided,
    ObtainPerformanceReported,
    SupplierAgreementReported,
)
from contracts.outside import (
    BudgetGranted,
    DemandSubmitted,
    DemandWithdrawn,
    GovernanceDirected,
    MarketingOpportunityReported,
    RequirementsStated,
    TicketPushed,
    ValueConfirmed,
)
from contracts.plan import (
    AgreementRequired,
    ImprovementPlanned,
    PlanningPerformanceReported,
    PlanPublished,
    PolicyIssued,
    PortfolioDecisionMade,
)
from contracts.rows import ALL, ROWS, End

PLAN, ENGAGE, DESIGN_TRANSITION = "plan", "engage", "design_transition"
OBTAIN_BUILD, DELIVER_SUPPORT, IMPROVE = "obtain_build", "deliver_support", "improve"
ACTIVITIES: tuple[str, ...] = (
    PLAN,
    ENGAGE,
    DESIGN_TRANSITION,
    OBTAIN_BUILD,
    DELIVER_SUPPORT,
    IMPROVE,
)
"""The six activities: each is one service, its name is the name of its package."""
TITLES: Mapping[str, str] = MappingProxyType(
    {
        PLAN: "Plan",
        ENGAGE: "Engage",
        DESIGN_TRANSITION: "Design and transition",
        OBTAIN_BUILD: "Obtain/build",
        DELIVER_SUPPORT: "Deliver and support",
        IMPROVE: "Improve",
    }
)
"""What people call them."""

GOVERNANCE, CUSTOMERS, USERS, STAKEHOLDERS = "governance", "customers", "users", "stakeholders"
PARTIES: tuple[str, ...] = (GOVERNANCE, CUSTOMERS, USERS, STAKEHOLDERS)
"""The parties outside of the chain."""


class Flow(NamedTuple):
    """One row of the table: a message and its way."""

    teller: str
    """Who tells it: an activity; of a command, the party outside."""
    event: type[Message]
    """What is told."""
    topic: str
    """The Kafka topic it is told on."""
    output: str | None
    """The documented output that it serves; None if only inputs of its hearers document it."""
    hearers: Mapping[str, tuple[str, ...]]
    """Who hears it, each with the documented inputs of its own that are served: none, if only the teller documents it."""


def inbox(activity: str) -> str:
    """Topic of the commands and due timers of an activity."""
    return f"svc.{dashed(activity)}.inbox"


def dead_letters(activity: str) -> str:
    """Topic of the records that an activity could not use, each with the reason."""
    return f"svc.{dashed(activity)}.dlq"


def _flow(teller: str, event: type[Message], way: str, *heard: str) -> Flow:
    """Read one row. `way` is the documented output, else the topic; `heard` are documented inputs, `all` of them, or bare hearers."""
    activity, _, name = way.partition(".out.")
    topic = f"svc.{dashed(activity)}.{dashed(name)}" if name else way
    hearers: dict[str, tuple[str, ...]] = {}
    for entry in heard:
        hearer, dot, rest = entry.partition(".")
        for one in [a for a in ACTIVITIES if a != teller] if hearer == ALL else [hearer]:
            hearers[one] = hearers.get(one, ()) + ((f"{one}.{rest}",) if dot else ())
    return Flow(teller, event, topic, way if name else None, MappingProxyType(hearers))


# One row a message. Third column: the documented output it serves, or the topic where only inputs of its hearers document it.
# Last: the documented inputs it serves; a hearer without such an input stands there by its bare name; `all` is every other activity.
# ruff: noqa: E501 - a row is read across
# fmt: off
FLOWS: tuple[Flow, ...] = (
    _flow(GOVERNANCE,        GovernanceDirected,               "svc.plan.inbox",                         "plan.in.governance"),
    _flow(GOVERNANCE,        BudgetGranted,                    "svc.plan.inbox",                         "plan.in.governance"),
    _flow(CUSTOMERS,         DemandSubmitted,                  "svc.engage.inbox",                       "engage.in.demand"),
    _flow(CUSTOMERS,         RequirementsStated,               "svc.engage.inbox",                       "engage.in.requirements"),
    _flow(CUSTOMERS,         MarketingOpportunityReported,     "svc.engage.inbox",                       "engage.in.marketing"),
    _flow(USERS,             TicketPushed,                     "svc.engage.inbox",                       "engage.in.tickets"),
    _flow(USERS,             ValueConfirmed,                   "svc.engage.inbox",                       "engage.in.tickets"),
    _flow(USERS,             DemandWithdrawn,                  "svc.engage.inbox",                       "engage.in.tickets"),

    _flow(PLAN,              PlanPublished,                    "plan.out.plans",                         ALL),
    _flow(PLAN,              PortfolioDecisionMade,            "plan.out.portfolio_decisions",           "design_transition.in.portfolio", "engage.in.portfolio"),
    _flow(PLAN,              PolicyIssued,                     "plan.out.policies",                      "design_transition.in.policies", "obtain_build.in.policies"),
    _flow(PLAN,              ImprovementPlanned,               "plan.out.improvement_plans",             ALL, "engage.in.improvement_plans"),
    _flow(PLAN,              AgreementRequired,                "plan.out.agreement_requirements",        "engage.in.agreements"),
    _flow(PLAN,              PlanningPerformanceReported,      "svc.plan.performance",                   "improve.in.chain_performance"),

    _flow(ENGAGE,            DemandConsolidated,               "engage.out.demand",                      ALL, "plan.in.demand"),
    _flow(ENGAGE,            OpportunityIdentified,            "engage.out.demand",                      "plan.in.demand"),
    _flow(ENGAGE,            ServiceRequirementsStated,        "engage.out.service_requirements",        DELIVER_SUPPORT, "design_transition.in.requirements"),
    _flow(ENGAGE,            ValueJudged,                      "engage.out.improvement_opportunities",   "improve.in.feedback"),
    _flow(ENGAGE,            ImprovementOpportunityIdentified, "engage.out.improvement_opportunities",   "improve.in.feedback"),
    _flow(ENGAGE,            ThirdPartyServiceReported,        "engage.out.third_party",                 "all.in.third_party"),
    _flow(ENGAGE,            ChangeInitiationRequested,        "engage.out.change_requests",             "obtain_build.in.change_requests"),
    _flow(ENGAGE,            ProjectChangeRequested,           "engage.out.change_requests",             "obtain_build.in.change_requests"),
    _flow(ENGAGE,            DemandStatusReported,             "engage.out.performance_reports",         CUSTOMERS, STAKEHOLDERS),
    _flow(ENGAGE,            EngagementPerformanceReported,    "engage.out.performance_reports",         CUSTOMERS, STAKEHOLDERS, GOVERNANCE, "improve.in.chain_performance"),
    _flow(ENGAGE,            AgreementConcluded,               "svc.engage.agreements",                  "deliver_support.in.agreements", "obtain_build.in.agreements"),
    _flow(ENGAGE,            SupportTaskRequested,             "svc.engage.support-tasks",               "deliver_support.in.support_tasks"),

    _flow(DESIGN_TRANSITION, SpecificationIssued,              "design_transition.out.specifications",   "obtain_build.in.specifications"),
    _flow(DESIGN_TRANSITION, ContractualAgreementNeeded,       "design_transition.out.agreements",       "engage.in.agreements"),
    _flow(DESIGN_TRANSITION, DeploymentPlanned,                "design_transition.out.services",         "deliver_support.in.services"),
    _flow(DESIGN_TRANSITION, ServiceReleased,                  "design_transition.out.services",         "deliver_support.in.services"),
    _flow(DESIGN_TRANSITION, DesignPerformanceReported,        "design_transition.out.performance",      "improve.in.chain_performance"),
    _flow(DESIGN_TRANSITION, ServiceTransitionReported,        "svc.design-transition.changed-services", "plan.in.changed_services", "improve.in.changed_services"),
    _flow(DESIGN_TRANSITION, ChangeProposed,                   "svc.design-transition.change-requests",  "obtain_build.in.change_requests"),

    _flow(OBTAIN_BUILD,      SupplierAgreementReported,        "obtain_build.out.agreements",            "engage.in.agreements"),
    _flow(OBTAIN_BUILD,      ObtainPerformanceReported,        "obtain_build.out.performance",           "improve.in.chain_performance"),
    _flow(OBTAIN_BUILD,      ComponentProvided,                "obtain_build.out.components",            "deliver_support.in.components", "design_transition.in.components"),
    _flow(OBTAIN_BUILD,      ChangedServiceReported,           "obtain_build.out.changed_services",      DELIVER_SUPPORT, "plan.in.changed_services", "design_transition.in.changed_services"),

    _flow(DELIVER_SUPPORT,   ServiceDelivered,                 "deliver_support.out.delivered",          CUSTOMERS, ALL),
    _flow(DELIVER_SUPPORT,   SupportTaskCompleted,             "deliver_support.out.completion",         "engage.in.support_completion"),
    _flow(DELIVER_SUPPORT,   ServicePerformanceReported,       "deliver_support.out.performance",        "improve.in.service_performance"),
    _flow(DELIVER_SUPPORT,   SupportEscalated,                 "deliver_support.out.performance",        "improve.in.chain_performance"),
    _flow(DELIVER_SUPPORT,   ChangeRequested,                  "deliver_support.out.change_requests",    DESIGN_TRANSITION, "obtain_build.in.change_requests"),
    _flow(DELIVER_SUPPORT,   SupportAgreementNeeded,           "svc.deliver-support.agreements",         "engage.in.agreements"),

    _flow(IMPROVE,           ImprovementInitiated,             "improve.out.initiatives",                ALL, "plan.in.performance"),
    _flow(IMPROVE,           InitiativeStatusReported,         "improve.out.status",                     ALL, "plan.in.improvement_status"),
    _flow(IMPROVE,           ChainPerformanceReported,         "improve.out.performance",                "plan.in.performance", "design_transition.in.performance"),
    _flow(IMPROVE,           ImprovementAgreementNeeded,       "improve.out.agreements",                 "engage.in.agreements"),
)
# fmt: on

BY_TYPE: Mapping[str, Flow] = MappingProxyType({flow.event.type: flow for flow in FLOWS})
"""The row of each CloudEvents `type`."""

TOPICS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [flow.topic for flow in FLOWS if flow.teller in ACTIVITIES]
        + [inbox(activity) for activity in ACTIVITIES]
        + [dead_letters(activity) for activity in ACTIVITIES]
    )
)
"""Every topic of the chain: those of events, then the inboxes, then the dead letters."""

ENDS: frozenset[End] = frozenset(end for row in ROWS for end in row.each_end())
"""Every documented or implied end of every input and output: what a run of the whole chain shows."""

ARROWS: tuple[tuple[str, str], ...] = tuple(
    dict.fromkeys(
        (flow.teller, hearer)
        for flow in FLOWS
        for hearer in flow.hearers
        if flow.teller in ACTIVITIES and hearer in ACTIVITIES
    )
)
"""Which activity tells which other one anything at all."""


def flow_of(message: str | type[Message]) -> Flow:
    """The row of a class, or of a CloudEvents `type`. `KeyError` if it has none: the message does not cross a service boundary."""
    return BY_TYPE[message if isinstance(message, str) else message.type]


@cache
def told_by(teller: str) -> tuple[Flow, ...]:
    """What an activity may tell, or a party outside may ask."""
    return tuple(flow for flow in FLOWS if flow.teller == teller)


@cache
def heard_by(hearer: str) -> tuple[Flow, ...]:
    """What an activity hears: the events of others and the commands of parties outside; or what a party outside is told."""
    return tuple(flow for flow in FLOWS if hearer in flow.hearers)


def ends_of(flow: Flow, hearer: str) -> frozenset[End]:
    """The ends that one message of this flow shows when this hearer has taken it."""
    ends = {End(row, flow.teller) for row in flow.hearers[hearer]}
    if flow.output is not None and (end := End(flow.output, hearer)) in ENDS:
        ends.add(end)
    return frozenset(ends)
