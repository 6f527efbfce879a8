"""What a demand may expect of a service that is not looked after around the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.engage import AgreementConcluded, SupportTaskRequested
from contracts.service_hours import Opening, ServiceHours, between
from contracts.values import Term
from services.chassis.outputs import Problem
from services.engage.agreement_register import MOST_AGREED, agree_hours
from services.engage.model import AgreedHours, HoursAgreed, KnownServices
from services.engage.promises import Promised, overpromised
from services.engage.registers import AgreementStated, AgreementTerminated
from services.engage.service_level_management import TARGETS
from tests.engage.house import House, all_of, only
from tests.engage.test_handlers import GAMES, NOW, asked_for, demand, fact

OFFICE = (Opening(days=("mon", "tue", "wed", "thu", "fri"), opens="08:00", closes="18:00"),)
NIGHTS = (Opening(days=("fri",), opens="22:00", closes="06:00"),)
FRIDAY = datetime(2026, 11, 27, 17, 30, tzinfo=UTC)


def looked_after(*several: ServiceHours, in_force: bool = True, since: datetime = NOW) -> KnownServices:
    """Video games, with agreements that say these hours of service."""
    services = KnownServices(id="the", services=GAMES.services)
    for number, hours in enumerate(several):
        agreed = AgreedHours(
            agreement=f"sla-{number}", edition=1, in_force=in_force, service="video-games", hours=hours,
            valid_from=since,
        )  # fmt: skip
        agree_hours(HoursAgreed(agreed=agreed), services)
    return services


def friday(services: KnownServices, **fields: Any) -> SupportTaskRequested:
    """What support is asked for an incident that comes on Friday at half past five."""
    row = demand(contacted_at=FRIDAY, service="video-games", users=40, harm_in_hours=2.0, **fields)
    return only(SupportTaskRequested, asked_for(row, services))


def test_targets_are_counted_in_the_hours_of_the_service() -> None:
    requested = friday(looked_after(OFFICE))
    assert (requested.priority, TARGETS[1]) == (1, (1, 8))
    monday = FRIDAY + timedelta(days=3)
    assert requested.respond_by == monday.replace(hour=8, minute=30), "half an hour on Friday and one on Monday"
    assert requested.resolve_by == monday.replace(hour=15, minute=30)
    assert requested.service_hours == OFFICE
    assert fact(requested.basis, "service hours").value == "mon to fri from 08:00 to 18:00 UTC"
    assert any("only these hours count" in reason for reason in requested.reasons)


def test_the_promise_of_a_stream_counts_the_same_hours_as_the_target_of_the_priority() -> None:
    row = demand(contacted_at=FRIDAY, service="video-games", users=1, harm_in_hours=None)
    requested = only(SupportTaskRequested, asked_for(row, looked_after(OFFICE)))
    assert requested.priority == 4
    assert between(FRIDAY, requested.resolve_by, OFFICE) == timedelta(hours=72)
    again = only(SupportTaskRequested, asked_for(row, looked_after(OFFICE)))
    assert again.resolve_by == requested.resolve_by == row.promised_by, "asked again, it is due when it was"


@pytest.mark.parametrize(
    "services",
    [
        GAMES,
        looked_after(()),
        looked_after(OFFICE, ()),
        looked_after(OFFICE, in_force=False),
        looked_after(OFFICE, since=FRIDAY + timedelta(days=30)),
    ],
    ids=["no agreement", "around the clock", "one of two around the clock", "over", "later"],
)
def test_a_service_is_looked_after_around_the_clock_unless_all_agreements_in_force_say_others(
    services: KnownServices,
) -> None:
    requested = friday(services)
    assert requested.service_hours == ()
    assert requested.resolve_by == FRIDAY + timedelta(hours=8)
    assert not any("hours count" in reason for reason in requested.reasons)


def test_of_an_agreement_the_newest_edition_says_the_hours() -> None:
    services = looked_after(OFFICE)
    (first,) = services.agreed
    over = first.model_copy(update={"edition": 3, "in_force": False})
    agree_hours(HoursAgreed(agreed=over), services)
    agree_hours(HoursAgreed(agreed=first.model_copy(update={"edition": 2})), services)  # it was overtaken
    assert services.agreed == (over,)
    for number in range(MOST_AGREED):
        other = first.model_copy(update={"agreement": f"other-{number}"})
        agree_hours(HoursAgreed(agreed=other), services)
    assert len(services.agreed) == MOST_AGREED
    assert over not in services.agreed, "what is over goes first"


# Agreements


def promised(name: str = "sla", resolve: float = 8, **fields: Any) -> AgreementStated:
    said: dict[str, Any] = {
        "agreement": name, "kind": "service_level", "title": name, "service": "video-games", "valid_from": NOW,
        "counterparty": "bluefleet", "terms": (Term(name="resolve", value=resolve, unit="hours"),),
    }  # fmt: skip
    return AgreementStated(**(said | fields))


def hours_of(house: House) -> ServiceHours:
    """When video games are looked after, as Engage knows it."""
    return house.row(KnownServices).hours("video-games", house.now)


def test_an_agreement_says_the_hours_of_its_service_to_those_who_deliver_while_it_holds() -> None:
    house = House()
    assert only(AgreementConcluded, house.hear(promised(service_hours=OFFICE))).service_hours == OFFICE
    assert hours_of(house) == OFFICE
    assert house.hear(promised(service_hours=OFFICE)) == [], "nothing is new"
    changed = only(AgreementConcluded, house.hear(promised(service_hours=NIGHTS)))
    assert (changed.version, changed.service_hours, hours_of(house)) == (2, NIGHTS, NIGHTS)
    house.hear(promised("other", service_hours=OFFICE))
    assert hours_of(house) == (*NIGHTS, *OFFICE)
    ended = house.hear(AgreementTerminated(agreement="sla", by="bluefleet", reason="We leave."))
    assert all_of(AgreementConcluded, ended)[-1].service_hours == NIGHTS, "it says what it had promised"
    assert hours_of(house) == OFFICE


def test_an_operational_agreement_gives_its_service_no_hours() -> None:
    house = House()
    house.hear(promised(kind="operational_level", service_hours=OFFICE))
    assert hours_of(house) == ()


def test_a_promise_around_the_clock_cannot_rest_on_people_who_are_away_at_the_weekend() -> None:
    house = House()
    house.ask(promised("ola", 4, kind="operational_level", service_hours=OFFICE))
    refused = house.refused(promised(resolve=24, depends_on=("ola",)))
    assert isinstance(refused, Problem)
    assert "take 66 hours together" in refused.detail, "from Friday 14:00 to Monday 08:00"
    assert house.ask(promised(resolve=66, depends_on=("ola",))).status == 200
    assert house.ask(promised(resolve=4, depends_on=("ola",), service_hours=OFFICE)).status == 200, "the same hours"


def test_who_works_around_the_clock_is_fast_enough_for_office_hours() -> None:
    resolve = (Term(name="resolve", value=4, unit="hours"),)
    assert overpromised(Promised(resolve, OFFICE), {"contract": Promised(resolve)}) == []
    century = (Term(name="resolve", value=1e12, unit="hours"),)
    assert overpromised(Promised(century, OFFICE), {"contract": Promised(century)}) == []
