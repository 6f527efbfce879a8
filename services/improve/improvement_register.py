"""The register as people work with it: reviews and audits enter initiatives, owners hold them and let them go on."""

from uuid import UUID

from contracts.event import Fact
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from services.chassis.outputs import Answer, Later, refusal
from services.chassis.state import Read
from services.improve.business_case import LEVERS, name_of, objective_of
from services.improve.continual_improvement import Told, assess, obey, start, tell
from services.improve.figures import ENOUGH, FIGURES, Targets, Week
from services.improve.model import (
    AgreementWanted,
    EffectDue,
    Initiative,
    InitiativeEntered,
    InitiativeHeld,
    InitiativeResumed,
    Proposal,
    Scope,
    ScopeFreed,
    Watchlist,
)
from services.improve.views import InitiativeView


def enter_review(
    entered: InitiativeEntered,
    initiative: Initiative,
    scope: Scope,
    week: Read[Week],
    targets: Read[Targets],
    watchlist: Watchlist,
) -> list[Answer | ImprovementInitiated | InitiativeStatusReported | Later | AgreementWanted | ScopeFreed]:
    """Enter what a review or an audit proposes; it is assessed once enough cases show where it starts from."""
    kpi = week.kpi(entered.measure, targets, entered.time)
    known = kpi.value if kpi and kpi.count >= ENOUGH else None
    if refused := refuse_entry(entered, initiative, scope, known):
        return [refused]
    scope.initiative, scope.stage = initiative.id, "open"
    said = initiative.proposal.demands if initiative.proposal else ()
    initiative.proposal = proposal_of(entered, known, targets, said)
    initiative.entered_at, scope.remarks = initiative.entered_at or entered.time, ()
    if known is not None:
        told = [*assess(initiative), *obey(initiative, entered.time, watchlist)]
    else:
        initiative.state = "accepted"
        watchlist.watch(initiative)
        told = [tell(initiative, f"It is accepted; {ENOUGH} cases have to show where it starts from.")]
    return [Answer(201, InitiativeView.of(initiative)), *told]


def hold_initiative(held: InitiativeHeld, initiative: Initiative) -> list[Answer | InitiativeStatusReported]:
    """Stop it for now: no measure counts, and what Plan decides waits."""
    if initiative.state is None:
        return [unknown()]
    if initiative.state not in ("accepted", "assessed", "approved", "in_progress"):
        return [refusal(409, "It cannot be held", f"It is {initiative.state}; only what is still to do is held.")]
    initiative.held_from, initiative.held_by, initiative.held_at = initiative.state, held.by, held.time
    initiative.state = "on_hold"
    told = tell(initiative, f"{held.by} holds it: {held.reason}")
    return [Answer(200, InitiativeView.of(initiative)), told]


def resume_initiative(
    resumed: InitiativeResumed, initiative: Initiative, watchlist: Watchlist
) -> list[Answer | ImprovementInitiated | InitiativeStatusReported | Later | AgreementWanted | ScopeFreed]:
    """Go on from where it was held; its effect is measured later by as long as it stood still."""
    if initiative.state is None:
        return [unknown()]
    if initiative.state != "on_hold" or initiative.held_from is None or initiative.held_at is None:
        detail = f"It is {initiative.state}, and nobody holds it; what Plan puts off goes on when Plan decides so."
        return [refusal(409, "Nobody holds it", detail)]
    stood = resumed.time - initiative.held_at
    initiative.state, initiative.held_from = initiative.held_from, None
    initiative.held_by, initiative.held_at = "", None
    told: Told = []
    if initiative.due_at is not None:
        initiative.due_at += stood
        told.append(Later(initiative.due_at, EffectDue(initiative=initiative.id, due_at=initiative.due_at)))
    told.append(tell(initiative, f"{resumed.by} lets it go on: {resumed.reason}"))
    if initiative.state == "approved" and initiative.starts_at is not None and initiative.starts_at <= resumed.time:
        told.append(start(initiative, watchlist))
    told += obey(initiative, resumed.time, watchlist)
    return [Answer(200, InitiativeView.of(initiative)), *told]


def refuse_entry(
    entered: InitiativeEntered, initiative: Initiative, scope: Scope, measured: float | None
) -> Answer | None:
    """Why a review's or audit's initiative is not entered; None if it is."""
    if entered.measure not in LEVERS:
        allowed = ", ".join(LEVERS)
        return refusal(422, "No initiative works on that figure", f"`measure` is one of: {allowed}.")
    if initiative.state not in (None, "new") or initiative.scope not in ("", scope.id):
        return refusal(409, "It is in the register already", "Choose another id; `GET /initiatives` lists those taken.")
    about = name_of(entered.measure, entered.service)
    if scope.stage == "open":
        return refusal(409, "Another initiative works on that figure", f"Wait until {scope.initiative} is closed.")
    if scope.initiative not in ("", initiative.id):
        detail = f"{scope.initiative} is kept for {about}, with what was said of it: enter this under that id."
        return refusal(409, "The register has an entry for that figure", detail)
    if measured is not None and FIGURES[entered.measure].reached(measured, entered.target):
        detail = f"{about} is {measured:g} already: set a `target` that is better than that."
        return refusal(409, "The target is reached", detail)
    return None


def proposal_of(
    entered: InitiativeEntered, baseline: float | None, targets: Targets, demands: tuple[UUID, ...]
) -> Proposal:
    """What a review or an audit proposes; while no baseline is measured, its target stands in."""
    objective, linked = objective_of(entered.measure, targets, entered.time)
    start_from = "not measured yet" if baseline is None else baseline
    return Proposal(
        **entered.model_dump(exclude={"initiative", "target"}),
        objective=objective,
        baseline=entered.target if baseline is None else baseline,
        target=entered.target,
        unit=FIGURES[entered.measure].unit,
        demands=demands,
        reasons=(f"Proposed by {'an audit' if entered.source == 'audit' else 'a review'}: {entered.hypothesis}",),
        basis=(
            Fact(name="baseline", value=start_from, source="key figures of the week"),
            Fact(name="target", value=entered.target, source=entered.source),
            linked,
            Fact(name="value", value=entered.value, source=entered.source),
            Fact(name="cost", value=entered.cost, source=entered.source),
        ),
    )


def unknown() -> Answer:
    """The answer about an initiative that is not in the register."""
    return refusal(404, "There is no such initiative", "`GET /initiatives` lists the improvement register.")
