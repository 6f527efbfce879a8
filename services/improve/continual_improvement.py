"""Each initiative from entry to judgement; everybody is told at every change of its state."""

from datetime import datetime, timedelta

from contracts.event import Fact
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned
from services.chassis.outputs import Later
from services.improve.figures import ENOUGH, FIGURES
from services.improve.model import (
    AgreementWanted,
    EffectDue,
    EffectMeasured,
    EntryLapses,
    Initiative,
    InitiativeBegins,
    InitiativeRaised,
    PlanVerdict,
    Proposal,
    Result,
    ReviewDue,
    ScopeFreed,
    Watchlist,
)

KEPT_FOR = timedelta(days=13)
"""How long an entry waits for more of the same: who gave feedback is promised an answer within two weeks."""
REVIEW = timedelta(hours=1)
"""How long a review waits for measures that were taken before it was due."""
USUAL_TIME = timedelta(days=30)
"""When the effect is measured if Plan names no day."""
HALF_WAY = 0.5
"""From this share of the way to the target on a gain is kept although the target is missed."""
DECIDED = ("approved", "in_progress", "under_review", "closed")
"""The states in which Plan has decided already."""
PROMISES = ("sla_met", "time_to_restore")
"""The figures that rest on what somebody has promised."""

Told = list[ImprovementInitiated | InitiativeStatusReported | Later | AgreementWanted | ScopeFreed]


def enter_finding(raised: InitiativeRaised, initiative: Initiative, watchlist: Watchlist) -> Told:
    """Enter what was found or said: kept as new, proposed to Plan, refused with the reason, or joined."""
    demands = initiative.proposal.demands if initiative.proposal else ()
    joined = tuple(dict.fromkeys((*demands, *raised.proposal.demands)))
    if initiative.state not in (None, "new") and initiative.proposal:
        initiative.proposal = initiative.proposal.model_copy(update={"demands": joined})
        return [status_of(initiative, f"{raised.proposal.reasons[0]} {initiative.reason}")]
    initiative.proposal = raised.proposal.model_copy(update={"demands": joined})
    first, initiative.entered_at = initiative.entered_at is None, initiative.entered_at or raised.time
    if raised.stage == "proposed":
        return [*assess(initiative), *obey(initiative, raised.time, watchlist)]
    initiative.state = "closed" if raised.stage == "refused" else "new"
    told: Told = [tell(initiative, raised.proposal.reasons[0])]
    if first and initiative.state == "new":
        told.append(Later(raised.time + KEPT_FOR, EntryLapses(initiative=initiative.id)))
    return told


def let_lapse(due: EntryLapses, initiative: Initiative) -> Told:
    """What too few have said is answered; whoever says so next begins a new entry."""
    if initiative.state != "new":
        return []
    why = f"Too few have said so within {KEPT_FOR.days} days to act on it. {initiative.reason}"
    return close(initiative, None, why, rests=False)


def take_decision(planned: ImprovementPlanned, initiative: Initiative, watchlist: Watchlist) -> Told:
    """Do as Plan decides; a decision on an initiative that is not known yet, or is held, waits here."""
    if initiative.state in DECIDED:
        return []
    initiative.verdict = PlanVerdict(
        decision=planned.decision,
        reason=" ".join(planned.reasons),
        starts_at=planned.starts_at,
        due_at=planned.due_at,
    )
    return obey(initiative, planned.time, watchlist)


def begin_initiative(due: InitiativeBegins, initiative: Initiative, watchlist: Watchlist) -> Told:
    """The work on it begins, and with it the measuring of its effect."""
    if initiative.state != "approved" or initiative.starts_at != due.starts_at:
        return []
    return [start(initiative, watchlist)]


def count_effect(effect: EffectMeasured, initiative: Initiative) -> Told:
    """Count a measure of its figure; enough of them give an accepted one its baseline, and it goes to Plan."""
    if initiative.proposal is None or initiative.state not in ("accepted", "in_progress", "under_review"):
        return []
    initiative.cases, initiative.total = initiative.cases + effect.cases, initiative.total + effect.total
    baseline = initiative.measured
    if initiative.state != "accepted" or baseline is None or initiative.cases < ENOUGH:
        return []
    plan = initiative.proposal
    if FIGURES[plan.measure].reached(baseline, plan.target):
        return close(initiative, None, f"It starts from {baseline:g} {plan.unit}: its target is reached already.")
    measured = Fact(name="baseline", value=baseline, source=f"{initiative.cases} cases since it was entered")
    initiative.proposal = plan.model_copy(update={"baseline": baseline, "basis": (*plan.basis, measured)})
    return assess(initiative)


def review_initiative(due: EffectDue, initiative: Initiative) -> Told:
    """The day of measuring has come: a short review lets measures that are on their way come in."""
    if initiative.state != "in_progress" or initiative.due_at != due.due_at:
        return []
    initiative.state = "under_review"
    told = tell(initiative, f"Its effect is measured: {initiative.cases} cases so far.")
    return [told, Later(due.time + REVIEW, ReviewDue(initiative=initiative.id, due_at=due.due_at))]


def judge_initiative(due: ReviewDue, initiative: Initiative) -> Told:
    """Keep what has helped, take back what has not, and say so where too few cases can tell."""
    if initiative.proposal is None or initiative.state != "under_review" or initiative.due_at != due.due_at:
        return []
    return close(initiative, *verdict_on(initiative.proposal, initiative.measured, initiative.cases))


def assess(initiative: Initiative) -> Told:
    """Baseline, target, value and cost are known: propose it to Plan, and tell everybody."""
    plan = initiative.proposal
    if plan is None:
        return []
    initiative.state = "assessed"
    initiated = ImprovementInitiated(initiative=initiative.id, **plan.model_dump(exclude={"supplier"}))
    return [initiated, tell(initiative, f"It is assessed; Plan decides about it. {plan.reasons[0]}")]


def obey(initiative: Initiative, now: datetime, watchlist: Watchlist) -> Told:
    """Put Plan's decision into effect where it is still to be decided."""
    decided, waits_for_plan = initiative.verdict, initiative.state == "on_hold" and initiative.held_from is None
    if decided is None or not (initiative.state == "assessed" or waits_for_plan):
        return []
    initiative.verdict = None
    match decided.decision:
        case "reject":
            return close(initiative, None, f"Plan refuses it: {decided.reason}")
        case "defer":
            initiative.state = "on_hold"
            return [tell(initiative, f"Plan puts it off: {decided.reason}")]
        case "approve":
            return approve(initiative, decided, now, watchlist)


def approve(initiative: Initiative, decided: PlanVerdict, now: datetime, watchlist: Watchlist) -> Told:
    """It is to be done: ask for the promise it needs, and wait for its beginning and for the day it is measured."""
    begins = decided.starts_at or now
    ends = max(decided.due_at or begins + USUAL_TIME, begins)
    initiative.state, initiative.starts_at, initiative.due_at = "approved", begins, ends
    told: Told = [tell(initiative, f"Plan approves it: {decided.reason}")]
    if agreement := promise_for(initiative):
        told.append(agreement)
    if begins <= now:
        told.append(start(initiative, watchlist))
    else:
        told.append(Later(begins, InitiativeBegins(initiative=initiative.id, starts_at=begins)))
    return [*told, Later(ends, EffectDue(initiative=initiative.id, due_at=ends))]


def start(initiative: Initiative, watchlist: Watchlist) -> InitiativeStatusReported:
    """From now on what is measured shows its effect."""
    initiative.state, initiative.cases, initiative.total = "in_progress", 0, 0.0
    watchlist.watch(initiative)
    return tell(initiative, "It has begun; from now on its figure is measured for its effect.")


def promise_for(initiative: Initiative) -> AgreementWanted | None:
    """The promise that it rests on: a supplier's, or that of those who support the service; None if it needs none."""
    plan = initiative.proposal
    if plan is None or plan.service is None or not (plan.supplier or plan.measure in PROMISES):
        return None
    return AgreementWanted(
        agreement=f"agreement-{initiative.id}",
        title=plan.title,
        service=plan.service,
        supplier=plan.supplier,
        needed_by=initiative.starts_at,
    )


def verdict_on(plan: Proposal, measured: float | None, cases: int) -> tuple[Result, str]:
    """How an initiative is judged by what was measured since it began, beside its baseline and its target."""
    if measured is None or cases < ENOUGH:
        return "inconclusive", f"Only {cases} cases were measured; {ENOUGH} are needed to tell."
    beside = (
        f"{measured:g} {plan.unit} were measured over {cases} cases; it was {plan.baseline:g}, target {plan.target:g}"
    )
    if FIGURES[plan.measure].reached(measured, plan.target):
        return "kept", f"{beside}: the target is reached."
    way = 0.0 if FIGURES[plan.measure].reached(plan.baseline, plan.target) else plan.target - plan.baseline
    gained = (measured - plan.baseline) / way if way else -1.0  # one that was to keep the target has lost it
    if gained <= 0:
        return "reverted", f"{beside}: it has not become better, and what was changed is taken back."
    if gained >= HALF_WAY:
        return "kept", f"{beside}: the better part of the way is done."
    return "inconclusive", f"{beside}: the gain is too small to tell."


def close(initiative: Initiative, result: Result | None, why: str, *, rests: bool = True) -> Told:
    """It is over; its figure is free for the next one, after a rest."""
    initiative.state, initiative.result = "closed", result
    how = result or "not taken up"
    freed = ScopeFreed(scope=initiative.scope, initiative=initiative.id, closed_as=how, rests=rests)
    return [tell(initiative, why), freed]


def tell(initiative: Initiative, why: str) -> InitiativeStatusReported:
    """Note why it is in its state, and tell everybody."""
    initiative.reason = why
    return status_of(initiative, why)


def status_of(initiative: Initiative, text: str) -> InitiativeStatusReported:
    """How an initiative stands. `LookupError` for one that has never been proposed."""
    plan = initiative.proposal
    if plan is None or initiative.state is None:
        raise LookupError(f"{initiative.id} is not in the register")
    return InitiativeStatusReported(
        initiative=initiative.id,
        title=plan.title,
        status=initiative.state,
        result=initiative.result,
        measured=initiative.measured,
        target=plan.target,
        unit=plan.unit,
        text=text,
        measure=plan.measure,
        service=plan.service,
        demands=plan.demands,
        due_at=initiative.due_at,
    )
