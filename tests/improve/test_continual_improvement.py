"""Each initiative from entry to judgement."""

from datetime import timedelta

import pytest

from contracts.improve import ImprovementAgreementNeeded, ImprovementInitiated, InitiativeStatusReported
from services.improve.continual_improvement import REVIEW
from services.improve.model import InitiativeHeld, InitiativeResumed, Scope, Watchlist
from services.improve.views import InitiativeView
from tests.improve.office import (
    DAY,
    HOUR,
    NOW,
    Office,
    decision,
    demand,
    engagement,
    entered,
    judged,
    plan,
    remark,
    supplier,
    support,
)

GAMES = "sla-met-games-1"
DUE = NOW + 7 * DAY


@pytest.fixture
def office() -> Office:
    """One in which the targets of games are missed, as Plan has just been told."""
    office = Office()
    office.hear(*(support(number, met=False) for number in range(3)))
    return office


def told_of(office: Office, initiative: str = GAMES) -> list[tuple[str, str | None]]:
    """States and results, as they were told."""
    told = [one for one in office.all(InitiativeStatusReported) if one.initiative == initiative]
    return [(one.status, one.result) for one in told]


def last(office: Office, initiative: str = GAMES) -> InitiativeStatusReported:
    return [one for one in office.all(InitiativeStatusReported) if one.initiative == initiative][-1]


def improved(office: Office, good: int, bad: int = 0) -> None:
    """So many cases of support after it has begun."""
    office.hear(*(support(number, met=number < 100 + good) for number in range(100, 100 + good + bad)), at=NOW + DAY)


def test_an_approved_initiative_runs_until_it_is_due_and_is_kept_when_the_target_is_reached(office: Office) -> None:
    office.hear(decision(GAMES, starts=NOW + HOUR, due=DUE))
    assert told_of(office) == [("assessed", None), ("approved", None)]
    office.until(NOW + 2 * HOUR)
    assert last(office).status == "in_progress"
    improved(office, good=20)
    office.until(DUE)
    assert last(office).status == "under_review"
    office.until(DUE + REVIEW)
    kept = last(office)
    assert (kept.status, kept.result, kept.measured, kept.target) == ("closed", "kept", 1, 0.95)
    assert "it was 0, target 0.95: the target is reached" in kept.text


@pytest.mark.parametrize(
    ("good", "bad", "result", "why"),
    [
        (20, 0, "kept", "the target is reached"),
        (6, 4, "kept", "the better part of the way"),
        (3, 7, "inconclusive", "too small to tell"),
        (0, 10, "reverted", "not become better"),
        (2, 0, "inconclusive", "Only 2 cases"),
    ],
)
def test_the_measured_effect_judges(office: Office, good: int, bad: int, result: str, why: str) -> None:
    office.hear(decision(GAMES, due=DUE))
    improved(office, good, bad)
    office.until(DUE + REVIEW)
    assert (last(office).status, last(office).result) == ("closed", result)
    assert why in last(office).text


def test_a_gain_that_was_to_be_kept_and_is_lost_is_taken_back() -> None:
    office = Office()
    office.hear(*(support(number, met=True) for number in range(3)), supplier("degraded"))
    office.hear(decision(GAMES, due=DUE))
    improved(office, good=8, bad=2)
    office.until(DUE + REVIEW)
    assert last(office).result == "reverted"


def test_only_what_is_measured_after_it_has_begun_shows_its_effect(office: Office) -> None:
    office.hear(decision(GAMES, starts=NOW + 2 * DAY, due=DUE))
    improved(office, good=20)
    office.until(DUE + REVIEW)
    assert last(office).result == "inconclusive"
    assert office.initiative(GAMES).cases == 0


def test_other_services_and_figures_do_not_show_its_effect(office: Office) -> None:
    office.hear(decision(GAMES, due=DUE))
    office.hear(*(support(number, met=True, service="maps") for number in range(9)), *(judged(8, 5) for _ in range(9)))
    assert office.initiative(GAMES).cases == 0


def test_an_initiative_on_the_chain_is_judged_by_all_services_and_by_reports_of_days() -> None:
    office = Office()
    office.hear(engagement("2026-11-23", 40, 20), decision("complaints-chain-1", due=DUE))
    office.hear(engagement("2026-11-24", 30, 2), engagement("2026-11-24", 40, 1, version=2), at=NOW + DAY)
    office.until(DUE + REVIEW)
    assert last(office, "complaints-chain-1").result == "kept"


def test_plan_may_refuse_it_put_it_off_or_change_its_mind(office: Office) -> None:
    office.hear(decision(GAMES, "defer", reason="The money of the quarter is spent."))
    assert last(office).status == "on_hold"
    assert "The money of the quarter is spent." in last(office).text
    office.hear(decision(GAMES, due=DUE))
    assert told_of(office)[-2:] == [("approved", None), ("in_progress", None)]
    refused = Office()
    refused.hear(*(support(number, met=False) for number in range(3)), decision(GAMES, "reject", reason="Too dear."))
    assert told_of(refused)[-1] == ("closed", None)
    assert "Plan refuses it: Too dear." in last(refused).text
    assert refused.row(Scope, "sla-met-games").stage == "free"


def test_a_decision_that_comes_first_is_not_lost() -> None:
    office = Office()
    assert office.hear(decision(GAMES, due=DUE)) == []
    office.hear(*(support(number, met=False) for number in range(3)))
    assert told_of(office) == [("assessed", None), ("approved", None), ("in_progress", None)]


def test_the_same_decision_twice_begins_nothing_twice(office: Office) -> None:
    office.hear(decision(GAMES, due=DUE), decision(GAMES, due=DUE), decision(GAMES, "reject"))
    office.until(DUE + REVIEW)
    assert told_of(office).count(("in_progress", None)) == 1
    assert told_of(office).count(("closed", "inconclusive")) == 1
    office.hear(decision(GAMES, "reject"))
    assert last(office).result == "inconclusive"


def test_without_the_decision_of_plan_nothing_begins(office: Office) -> None:
    office.until(NOW + 90 * DAY)
    assert told_of(office) == [("assessed", None)]
    assert not office.all(ImprovementAgreementNeeded)


def test_an_approval_without_days_begins_at_once_and_is_measured_after_the_usual_time(office: Office) -> None:
    office.hear(decision(GAMES).model_copy(update={"starts_at": None, "due_at": None}))
    assert last(office).status == "in_progress"
    assert last(office).due_at == NOW + timedelta(days=30)


def test_an_approved_initiative_on_a_promise_asks_for_the_agreement_it_needs(office: Office) -> None:
    assert not office.all(ImprovementAgreementNeeded)
    office.hear(decision(GAMES, due=DUE))
    (need,) = office.all(ImprovementAgreementNeeded)
    assert (need.kind, need.counterparty, need.service) == ("operational_level", "deliver_support", "games")
    assert [(term.name, term.value, term.unit) for term in need.terms] == [("resolve", 8, "hours")]


@pytest.mark.row("improve.out.agreements")
def test_what_a_supplier_has_to_promise_follows_from_the_target_of_the_plan() -> None:
    wanted = {}
    for name, published in (("usual", ()), ("planned", (plan("operations", 2, time_to_restore=6),))):
        office = Office()
        office.hear(*published, supplier("ending"), decision(GAMES, due=DUE))
        (wanted[name],) = office.all(ImprovementAgreementNeeded)
    assert {name: (need.kind, need.counterparty, need.terms[0].value) for name, need in wanted.items()} == {
        "usual": ("underpinning_contract", "cloud-ltd", 4),
        "planned": ("underpinning_contract", "cloud-ltd", 3),
    }
    assert "within 6 hours (plan operations v2)" in wanted["planned"].purpose


def test_an_initiative_on_satisfaction_needs_no_agreement() -> None:
    office = Office()
    office.hear(remark(1, 1), decision("satisfaction-games-1", due=DUE))
    assert last(office, "satisfaction-games-1").status == "in_progress"
    assert not office.all(ImprovementAgreementNeeded)


@pytest.mark.row("improve.in.third_party", "engage")
def test_a_failing_supplier_behind_our_services_is_an_initiative_on_each_of_them() -> None:
    office = Office()
    office.hear(supplier("offered"), supplier("degraded", 2, ("games", "maps", "games")))
    assert [(one.initiative, one.source) for one in office.all(ImprovementInitiated)] == [
        ("sla-met-games-1", "supplier"), ("sla-met-maps-1", "supplier")
    ]  # fmt: skip
    assert "Streaming of Cloud Ltd, on which games rests, is degraded." in office.all(ImprovementInitiated)[0].reasons
    ending = Office()
    ending.hear(supplier("ending"))
    assert ending.all(ImprovementInitiated)[0].value > office.all(ImprovementInitiated)[0].value


@pytest.mark.parametrize("status", ["offered", "changed"])
def test_a_supplier_that_holds_or_supports_nothing_of_ours_is_none(status: str) -> None:
    office = Office()
    assert office.hear(supplier(status), supplier("degraded", 2, ())) == []


def test_an_older_version_of_what_a_supplier_offers_changes_nothing() -> None:
    office = Office()
    assert office.hear(supplier("offered", 3), supplier("degraded", 2), supplier("degraded", 3)) == []


def hold(initiative: str = GAMES) -> InitiativeHeld:
    return InitiativeHeld(initiative=initiative, by="Grace", reason="The people are ill.")


def resume(initiative: str = GAMES) -> InitiativeResumed:
    return InitiativeResumed(initiative=initiative, by="Grace", reason="They are back.")


def test_what_is_held_is_not_measured_and_is_judged_later_by_as_long_as_it_stood(office: Office) -> None:
    office.hear(decision(GAMES, due=DUE))
    office.hear(hold(), at=NOW + DAY)
    assert last(office).text == "Grace holds it: The people are ill."
    office.hear(*(support(number, met=True) for number in range(50, 60)), at=NOW + 2 * DAY)
    assert office.initiative(GAMES).cases == 0
    office.until(DUE + DAY)
    assert last(office).status == "on_hold"
    office.hear(resume(), at=DUE + DAY)
    assert (last(office).status, last(office).due_at) == ("in_progress", DUE + 7 * DAY)
    office.until(DUE + 7 * DAY + REVIEW)
    assert last(office).status == "closed"
    assert [answer.status for answer in office.answers] == [200, 200]


def test_what_plan_decides_while_it_is_held_waits_until_it_goes_on(office: Office) -> None:
    office.hear(hold(), decision(GAMES, due=DUE))
    assert last(office).status == "on_hold"
    office.hear(resume())
    assert told_of(office)[-3:] == [("assessed", None), ("approved", None), ("in_progress", None)]


def test_a_beginning_that_passes_while_it_is_held_is_made_up_for(office: Office) -> None:
    office.hear(decision(GAMES, starts=NOW + HOUR, due=DUE), hold())
    office.until(NOW + DAY)
    assert last(office).status == "on_hold"
    office.hear(resume(), at=NOW + DAY)
    assert last(office).status == "in_progress"


def test_only_what_is_still_to_do_is_held_and_only_what_is_held_goes_on(office: Office) -> None:
    office.hear(hold("nobody"), resume("nobody"), resume())
    office.hear(decision(GAMES, "defer"), resume(), hold(), decision(GAMES, "reject"), hold())
    assert [answer.status for answer in office.answers] == [404, 404, 409, 409, 409, 409]
    assert told_of(office) == [("assessed", None), ("on_hold", None), ("closed", None)]


def test_an_audit_s_initiative_is_assessed_accepted_or_refused_by_what_was_measured(office: Office) -> None:
    unknown, low, good = Office(), Office(), Office()
    low.hear(support(1, met=True), support(2, met=True), support(3, met=True))
    good.hear(support(1, met=True), support(2, met=True), support(3, met=True))
    unknown.hear(entered())
    assert told_of(unknown, "faster-help") == [("accepted", None)]
    assert "3 cases have to show" in last(unknown, "faster-help").text
    low.hear(entered(target=1.1))
    assert told_of(low, "faster-help") == [("assessed", None)]
    assert low.all(ImprovementInitiated)[0].reasons == ("Proposed by an audit: Two more people at the desk.",)
    good.hear(entered())
    assert "is 1 already" in str(good.answers[0].body)
    office.hear(entered())
    assert GAMES in str(office.answers[0].body)
    assert [chain.answers[0].status for chain in (unknown, low, good, office)] == [201, 201, 409, 409]
    assert isinstance(low.answers[0].body, InitiativeView)
    assert not told_of(good, "faster-help")
    assert not told_of(office, "faster-help")


def test_an_accepted_initiative_goes_to_plan_when_enough_cases_show_where_it_starts() -> None:
    office = Office()
    office.hear(entered())
    assert office.answers[0].status == 201
    office.hear(support(1, met=False), support(2, met=False))
    assert not office.all(ImprovementInitiated)
    office.hear(support(3, met=True))
    (initiated,) = office.all(ImprovementInitiated)
    assert (initiated.initiative, initiated.baseline, initiated.source) == ("faster-help", 0.3333, "audit")
    office.hear(decision("faster-help", due=DUE))
    assert last(office, "faster-help").status == "in_progress"
    assert office.initiative("faster-help").cases == 0


def test_an_accepted_initiative_whose_target_is_reached_already_is_closed() -> None:
    office = Office()
    office.hear(entered(), *(support(number, met=True) for number in range(3)))
    assert told_of(office, "faster-help") == [("accepted", None), ("closed", None)]
    assert "its target is reached already" in last(office, "faster-help").text
    assert office.row(Watchlist, "the").watched == ()
    assert office.row(Scope, "sla-met-games").stage == "free"


def test_bad_entries_change_nothing(office: Office) -> None:
    before = {key: row.model_copy() for key, row in office.rows.items()}
    office.hear(entered(measure="escalations"), entered("sla-met-games-1"), entered())
    assert [answer.status for answer in office.answers] == [422, 409, 409]
    assert {key: row for key, row in office.rows.items() if key in before} == before


def test_a_review_enters_under_the_id_that_is_kept_for_the_figure_and_takes_along_what_was_said() -> None:
    office = Office()
    office.hear(remark(1), entered("calmer-users", measure="satisfaction", target=4.5, source="review"))
    assert "satisfaction-games-1" in str(office.answers[0].body)
    office.hear(entered("satisfaction-games-1", measure="complaints"))
    office.hear(entered("satisfaction-games-1", measure="satisfaction", target=4.5, source="review"))
    assert [answer.status for answer in office.answers] == [409, 409, 201]
    assert last(office, "satisfaction-games-1").status == "accepted"
    assert last(office, "satisfaction-games-1").demands == (demand(1),)


def test_a_closed_initiative_is_measured_no_longer(office: Office) -> None:
    office.hear(decision(GAMES, due=DUE))
    assert [one.initiative for one in office.row(Watchlist, "the").watched] == [GAMES]
    office.until(DUE + REVIEW)
    assert office.row(Watchlist, "the").watched == ()
    scope = office.row(Scope, "sla-met-games")
    assert (scope.stage, scope.closed_as) == ("free", "inconclusive")
