"""The documented inputs and outputs of the six activities, row by row and end by end.

This is the specification, written down apart from the table in `value_chain.py`; a test holds the
two against each other.
"""

from collections.abc import Iterator
from typing import NamedTuple

ALL = "all"
"""As an end of a row: every activity but the row's own."""


class End(NamedTuple):
    """One row and one other side of it: the smallest fact about the chain that a run can show."""

    row: str
    """Id of the row."""
    other: str
    """The activity, or party outside, that gives the input or takes the output."""


class Row(NamedTuple):
    """One documented input or output of an activity."""

    id: str
    """`<activity>.in.<name>` or `<activity>.out.<name>`."""
    ends: tuple[str, ...]
    """Where the input comes from or the output goes to, as documented: activities, parties outside, or `all`."""
    implied: tuple[str, ...]
    """Further ends that are not documented here and follow from rows of the activities on the other side."""
    text: str
    """What it is."""

    @property
    def activity(self) -> str:
        """The activity whose input or output it is."""
        return self.id.split(".")[0]

    @property
    def is_output(self) -> bool:
        """Whether it is an output; else it is an input."""
        return self.id.split(".")[1] == "out"

    def each_end(self) -> Iterator[End]:
        """Its ends, documented and implied, with `all` as the five other activities."""
        for other in self.ends + self.implied:
            for party in self._others() if other == ALL else (other,):
                yield End(self.id, party)

    def _others(self) -> list[str]:
        return [activity for activity in dict.fromkeys(row.activity for row in ROWS) if activity != self.activity]


# fmt: off
ROWS: tuple[Row, ...] = (
    Row("plan.in.governance", ("governance",), (),
        "What the governing body lays down: policies, limits and demands on the organisation"),
    Row("plan.in.demand", ("engage",), (),
        "Demand in sum, the pipeline of opportunities and what third parties can contribute"),
    Row("plan.in.performance", ("improve",), (),
        "How the chain performs, what is being improved, and what other feedback says"),
    Row("plan.in.improvement_status", ("improve",), (),
        "How far the improvement initiatives have come"),
    Row("plan.in.changed_services", ("obtain_build", "design_transition"), (),
        "News of products and services that were created, altered or retired"),
    Row("plan.in.third_party", ("engage",), (),
        "What suppliers offer, promise and support"),
    Row("plan.out.plans", (), (ALL,),
        "Plans of every range: vision, goals and the way to them"),
    Row("plan.out.portfolio_decisions", ("design_transition",), (),
        "What the organisation is to offer, and a first sketch of how each of it comes about and into use"),
    Row("plan.out.policies", ("design_transition",), ("obtain_build",),
        "Policies and structures: approved solutions, tools, information, processes and rules for people"),
    Row("plan.out.improvement_plans", (), (ALL,),
        "What is to be improved in products, services and ways of working, and when"),
    Row("plan.out.agreement_requirements", ("engage",), (),
        "What has to be agreed, with whom, and which work to have done under contract"),

    Row("engage.in.portfolio", ("plan",), (),
        "The portfolio: what is offered, planned and retired"),
    Row("engage.in.requirements", ("customers",), (),
        "What each customer segment requires and prefers, down to sort and priority of its tickets"),
    Row("engage.in.demand", ("customers",), (),
        "Needs that customers inside and outside bring forward, common ones and special ones"),
    Row("engage.in.tickets", ("users",), (),
        "Users' tickets: failures, requests, complaints, praise and proposals"),
    Row("engage.in.marketing", ("customers",), (),
        "Chances and warnings from the market, for example a customer about to leave"),
    Row("engage.in.support_completion", ("deliver_support",), (),
        "Word that support work is done, so that the ticket can be answered"),
    Row("engage.in.agreements", (ALL,), (),
        "Which agreements anybody in the chain needs, has or depends on"),
    Row("engage.in.improvement_plans", ("plan",), (),
        "Which improvements are planned"),
    Row("engage.out.demand", (ALL,), (),
        "Demands and opportunities, consolidated"),
    Row("engage.out.service_requirements", ("deliver_support",), ("design_transition",),
        "What services have to do, and how well, from the analysis of segments"),
    Row("engage.out.improvement_opportunities", ("improve",), (),
        "What feedback shows that could be better"),
    Row("engage.out.third_party", (ALL,), (),
        "What third parties provide, for example a hired desk or rented storage"),
    Row("engage.out.change_requests", ("obtain_build",), (),
        "Requests to begin a project or to change one"),
    Row("engage.out.performance_reports", ("customers", "stakeholders", "governance"), (),
        "Reports and answers to those served, others concerned and the top: satisfaction, complaints, results"),

    Row("design_transition.in.portfolio", ("plan",), (),
        "The portfolio with the decisions taken on it"),
    Row("design_transition.in.policies", ("plan",), (),
        "Policies and structures to design and change by"),
    Row("design_transition.in.requirements", ("engage",), (),
        "What customers require and expect of the service"),
    Row("design_transition.in.components", ("obtain_build",), (),
        "The parts of the designed solution"),
    Row("design_transition.in.third_party", ("engage",), (),
        "Which suppliers the design would depend on"),
    Row("design_transition.in.performance", ("improve",), (),
        "How satisfaction, complaints and other figures develop"),
    Row("design_transition.in.changed_services", ("obtain_build",), (),
        "Which services are new or altered by what was obtained or built"),
    Row("design_transition.out.specifications", ("obtain_build",), (),
        "What the parts of a new or altered service must be and do"),
    Row("design_transition.out.agreements", ("engage",), (),
        "Which contracts a design needs"),
    Row("design_transition.out.services", ("deliver_support",), (),
        "New and altered services, ready to be run"),
    Row("design_transition.out.performance", ("improve",), (),
        "How design and transition perform, and what they could do better"),

    Row("obtain_build.in.policies", ("plan",), (),
        "Policies and structures to buy and build by"),
    Row("obtain_build.in.agreements", ("engage",), (),
        "Contracts and agreements in force, and what hangs on them"),
    Row("obtain_build.in.change_requests", ("design_transition",), ("engage", "deliver_support"),
        "Changes and new services that are proposed, and what is asked for to support them"),
    Row("obtain_build.in.specifications", ("design_transition",), (),
        "What each part must be and bear"),
    Row("obtain_build.in.third_party", ("engage",), (),
        "What third parties provide"),
    Row("obtain_build.out.agreements", ("engage",), (),
        "What suppliers agree to, and what depends on them"),
    Row("obtain_build.out.performance", ("improve",), (),
        "How obtaining and building perform, and what they could do better"),
    Row("obtain_build.out.components", ("deliver_support", "design_transition"), (),
        "The parts of services"),
    Row("obtain_build.out.changed_services", ("deliver_support",), ("plan", "design_transition"),
        "Which services become new or different by what was obtained or built"),

    Row("deliver_support.in.services", ("design_transition",), (),
        "New and altered products and services to run"),
    Row("deliver_support.in.agreements", ("engage",), (),
        "The agreements to deliver under, and what hangs on them"),
    Row("deliver_support.in.components", ("obtain_build",), (),
        "The parts of services to install"),
    Row("deliver_support.in.support_tasks", ("engage",), (),
        "What to do for users: restore, fulfil, teach"),
    Row("deliver_support.in.third_party", ("engage",), (),
        "What third parties provide and support"),
    Row("deliver_support.out.delivered", (), ("customers", ALL),
        "What was handed over for use, and what is kept running"),
    Row("deliver_support.out.completion", ("engage",), (),
        "Word that a task for a user is done"),
    Row("deliver_support.out.performance", ("improve",), (),
        "How services perform"),
    Row("deliver_support.out.change_requests", ("obtain_build", "design_transition"), (),
        "Changes that operation asks for"),

    Row("improve.in.service_performance", ("deliver_support",), (),
        "How products and services perform"),
    Row("improve.in.feedback", ("engage",), (),
        "What those who use, pay or are otherwise concerned say"),
    Row("improve.in.chain_performance", ("plan", "engage", "design_transition", "obtain_build", "deliver_support"), (),
        "How each part of the chain performs"),
    Row("improve.in.third_party", ("engage",), (),
        "What changes at third parties"),
    Row("improve.in.changed_services", ("design_transition",), (),
        "Which services are new, altered or gone"),
    Row("improve.out.initiatives", (ALL,), (),
        "What is to be improved"),
    Row("improve.out.status", (ALL,), (),
        "How far improvements have come"),
    Row("improve.out.performance", ("plan",), ("design_transition",),
        "Key figures of the chain as a whole"),
    Row("improve.out.agreements", ("engage",), (),
        "Which agreements improvement needs, and what hangs on them"),
)
# fmt: on
