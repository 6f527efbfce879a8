"""Change enablement: which type of change it is, how risky, who approves it, and when it is installed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from contracts.design_transition import DeploymentPlanned, DesignPerformanceReported, ServiceTransitionReported
from contracts.event import Fact
from contracts.initiative import Standing
from contracts.values import Level, Risk, Slug, Way
from services.design_transition.change_policy import Authority, ChangePolicy, ChangeRules
from services.design_transition.continual_improvement import CHANGE_SUCCESS, ChainHealth
from services.design_transition.model import Design
from services.design_transition.outcomes import performance, refuse
from services.design_transition.service_configuration import ServiceRecord


class ChangeModel(NamedTuple):
    """A sort of change that is authorised once for all."""

    model: Slug
    ways: frozenset[Way]
    """How every part of such a change was had."""
    most_impact: Level
    """The highest impact it covers (1 is the highest of all)."""


MODELS = (ChangeModel("proven-parts", frozenset({"reuse"}), most_impact=2),)
"""The pre-authorised models; all of them are for low risk, and for the cost that the policy allows."""

RISKS: tuple[Risk, ...] = ("low", "medium", "high")
"""By how many signs of risk there are; two or more make it high."""

IMPACTS: Mapping[Level, str] = {1: "high", 2: "medium", 3: "low"}

# fmt: off
AUTHORITIES: Mapping[tuple[Risk, Level], Authority] = {
    # impact      1 (high)                2 (medium)                  3 (low)
    ("high", 1):   "board",    ("high", 2):   "board",     ("high", 3):   "manager",
    ("medium", 1): "board",    ("medium", 2): "manager",   ("medium", 3): "peer",
    ("low", 1):    "manager",  ("low", 2):    "peer",      ("low", 3):    "peer",
}
"""Who approves a normal change, by its risk and impact."""
# fmt: on

LADDER: tuple[Authority, ...] = ("peer", "manager", "board", "emergency_authority")
"""Whom to turn to when the author would have to approve: the next one up."""
STRICTER: Mapping[Authority, Authority] = {"peer": "manager", "manager": "board", "board": "board"}
"""Who approves a normal change instead while more changes are to succeed."""


class Assessment(NamedTuple):
    """What a change is judged by."""

    cost: int
    ways: frozenset[Way]
    """How its parts were had."""
    signs: tuple[str, ...]
    """What makes it risky, in words."""
    risk: Risk
    impact: Level
    """How much is at stake: 1 (high) to 3 (low)."""
    improving: Standing | None
    """The initiative by which more changes of this scope are to succeed."""


class Approval(NamedTuple):
    """Who approves a change of which type, and for when."""

    change_type: Literal["standard", "normal", "emergency"]
    model: Slug | None
    authority: Authority | Literal["pre_authorised"]
    approved_by: str
    """Empty if nobody may."""
    scheduled_at: datetime
    reason: str


def plan_deployment(
    design: Design, record: ServiceRecord, policy: ChangePolicy, health: ChainHealth, time: datetime
) -> list[DeploymentPlanned | ServiceTransitionReported | DesignPerformanceReported]:
    """Every part is good: have the change assessed, approved and scheduled, or say why nobody approved it."""
    rules, ordered_by = policy.at(time)
    assessment = assess_change(design, record, health, rules, time)
    approval = approve(design, assessment, rules, time)
    reasons = (approval.reason, *(f"It is riskier because {sign}." for sign in assessment.signs))
    tested = tuple(fact for part in design.parts for fact in part.facts)
    basis = (
        Fact(name="cost of the parts", value=assessment.cost, source="components provided"),
        Fact(name="authorised cost", value=design.budget, source=design.authority),
        Fact(name="ways to the parts", value=", ".join(sorted(assessment.ways)), source="components provided"),
        Fact(name="rounds of specification", value=design.rounds, source=f"design of {design.service}"),
        Fact(name="users", value=design.users, source="consolidated demand"),
        Fact(name="wanted by", value=str(design.wanted_by or "not said"), source="consolidated demand"),
        *health.facts(design.service, time),
        Fact(name="last review", value=record.review, source=f"record of {design.service}"),
        Fact(name="author", value=design.author, source=f"design of {design.service}"),
        Fact(name="releases so far", value=record.releases, source=f"record of {design.service}"),
        *(Fact(name=name, value=str(value), source=ordered_by) for name, value in rules),
        *tested,
    )
    if not approval.approved_by:
        return [*refuse(design, time, "change_refused", reasons, basis)]
    design.risk = assessment.risk
    design.reviewed_at = approval.scheduled_at + timedelta(hours=rules.review_after_hours)
    planned = DeploymentPlanned(
        demand=design.id,
        change=design.change,
        service=design.service,
        title=design.title,
        change_type=approval.change_type,
        model=approval.model,
        risk=assessment.risk,
        authority=approval.authority,
        author=design.author,
        approved_by=approval.approved_by,
        scheduled_at=approval.scheduled_at,
        reviewed_at=design.reviewed_at,
        back_out_plan=back_out_plan(design, record),
        components=design.components,
        iterations=tuple(part.iteration for part in design.parts),
        reasons=reasons,
        basis=basis,
    )
    good = ("Every part meets its specification.",)
    return [planned, performance(design, "validated", good, tested, taken_hours=design.move("deploying", time))]


def assess_change(
    design: Design, record: ServiceRecord, health: ChainHealth, rules: ChangeRules, time: datetime
) -> Assessment:
    """How risky the change is, and how much is at stake."""
    cost, ways = sum(part.cost for part in design.parts), frozenset(part.way for part in design.parts if part.way)
    signs = []
    if ways - {"reuse"}:
        signs.append("a part is new")
    if design.rounds > 1:
        signs.append("a part has failed its validation before")
    if shortfall := health.shortfall(time):
        signs.append(shortfall)
    if record.review == "failed":
        signs.append("the last change of the service failed its review")
    if about := health.open_about(design.service):
        signs.append(f"it is being improved just now ({about.initiative})")
    impact: Level = 3
    if cost >= rules.board_from or design.users >= 10 * rules.many_users:
        impact = 1
    elif cost >= rules.manager_from or design.users >= rules.many_users:
        impact = 2
    improving = health.improving(CHANGE_SUCCESS, design.service, time)
    return Assessment(cost, ways, tuple(signs), RISKS[min(len(signs), 2)], impact, improving)


def approve(design: Design, change: Assessment, rules: ChangeRules, time: datetime) -> Approval:
    """Find the change's type, and who approves it: never its author, and nobody beyond what is authorised."""
    if change.risk == "low" and change.cost <= rules.standard_up_to:
        for model in MODELS:
            if change.ways <= model.ways and change.impact >= model.most_impact:
                by, reason = f"change model {model.model}", f"It follows the pre-authorised model {model.model}."
                scheduled_at = rules.outside_of_freeze(time)
                return Approval("standard", model.model, "pre_authorised", by, scheduled_at, reason)

    kind: Literal["normal", "emergency"] = "normal"
    asked, scheduled_at = AUTHORITIES[change.risk, change.impact], time + timedelta(hours=rules.notice_hours)
    scheduled_at = rules.outside_of_freeze(scheduled_at)
    judged = f"Its risk is {change.risk} and its impact {IMPACTS[change.impact]}"
    reason = f"{judged}: the {words(asked)} decides."
    if change.improving:
        asked = STRICTER[asked]
        reason = f"{judged}; {change.improving.initiative} is to make more changes succeed: the {words(asked)} decides."
    if hurry := pressing(design, rules, scheduled_at):
        kind, asked, scheduled_at, reason = "emergency", "emergency_authority", time, hurry
    if change.cost > design.budget:
        reason = f"Its parts cost {change.cost} euros, and {design.budget} are authorised."
        return Approval(kind, None, asked, "", scheduled_at, reason)
    for authority in LADDER[LADDER.index(asked) :]:
        if (approver := rules.approver(authority)) != design.author:
            if authority != asked:
                reason += f" The {words(asked)} is its author, so the {words(authority)} decides instead."
            return Approval(kind, None, authority, approver, scheduled_at, reason)
    reason = f"Only its author, {design.author}, could approve it, and nobody approves their own change."
    return Approval(kind, None, asked, "", scheduled_at, reason)


def pressing(design: Design, rules: ChangeRules, scheduled_at: datetime) -> str:
    """Why it cannot wait until a normal change would be installed; empty if it can."""
    if design.wanted_by is None or design.wanted_by >= scheduled_at:
        return ""
    if design.users >= rules.many_users:
        return f"{design.users} users need it before a normal change could be installed."
    return "It would do harm before a normal change could be installed." if design.request else ""


def back_out_plan(design: Design, record: ServiceRecord) -> str:
    """How to get back to what users have today."""
    remove = f"Remove {', '.join(design.components)}"
    if record.releases:
        return f"{remove} and install release {record.releases} of {design.service} again."
    return f"{remove}; {design.service} has no users yet, so nobody loses anything."


def words(authority: Authority) -> str:
    """The authority as people call it."""
    return authority.replace("_", " ")
