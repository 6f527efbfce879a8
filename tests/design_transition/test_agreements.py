"""Which contracts designs and live services are in want of, and what Engage is asked for."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.design_transition import ContractualAgreementNeeded
from contracts.values import Requirement, Term
from services.chassis.outputs import Answer
from services.design_transition.api import Readiness
from services.design_transition.model import AgreementWanted, AskedAgreement, ContractHeard, ReadinessDeclared
from services.design_transition.registers import ask_for_agreement, take_contract, take_readiness
from services.design_transition.service_configuration import MOST_CONTRACTS, Contract, Role, ServiceRecord
from tests.design_transition.bench import AVAILABILITY, DEMAND, NOW, SERVICE


def contract(edition: int, availability: float, status: str = "offered", supplier: str = "cloudy") -> Contract:
    terms = (Term(name="availability", value=availability, unit="%"),)
    data = {"supplier": supplier, "offering": "hosting", "edition": edition, "status": status, "terms": terms}
    return Contract.model_validate(data)


def hear(record: ServiceRecord, heard: Contract) -> list[AgreementWanted]:
    return take_contract(ContractHeard(service=SERVICE, contract=heard).at(NOW), record)


def live() -> ServiceRecord:
    return ServiceRecord(id=SERVICE, demand=DEMAND, requirements=(AVAILABILITY,))


def ask(wanted: AgreementWanted, asked: AskedAgreement) -> ContractualAgreementNeeded | None:
    return next(iter(ask_for_agreement(wanted.at(NOW), asked)), None)


@pytest.mark.parametrize(
    ("availability", "status", "counterparty", "purpose"),
    [
        (99.5, "offered", "", ""),
        (98.5, "changed", "cloudy", "cloudy promises 98.5 % where at least 99 % is required (availability)."),
        (99.5, "ending", None, "The service of cloudy is ending; in-car-video-games cannot rest on it."),
    ],
)
def test_what_a_supplier_of_a_live_service_promises_now_decides_about_the_contract(
    availability: float, status: str, counterparty: str | None, purpose: str
) -> None:
    wanted = hear(live(), contract(1, availability, status))
    if not purpose:
        assert wanted == []
        return
    needed = ask(wanted[0], AskedAgreement(id=wanted[0].agreement))
    assert needed is not None
    assert (needed.counterparty, needed.purpose, needed.demand) == (counterparty, purpose, DEMAND)
    assert needed.terms == (Term(name="availability", value=99, unit="%"),)


def test_for_a_service_that_users_do_not_have_yet_its_design_will_ask() -> None:
    record = ServiceRecord(id=SERVICE)
    assert hear(record, contract(1, 98)) == []
    assert record.contracts


def test_nothing_is_asked_for_a_retired_service_or_by_old_news() -> None:
    record = live()
    assert hear(record, contract(2, 99.5)) == []
    assert hear(record, contract(1, 98)) == []
    assert hear(record, contract(2, 98)) == []
    record.retired_at = NOW
    assert hear(record, contract(3, 98)) == []


def test_the_newest_contracts_are_kept() -> None:
    record = live()
    for number in range(MOST_CONTRACTS + 1):
        hear(record, contract(1, 99.5, supplier=f"supplier-{number}"))
    assert len(record.contracts) == MOST_CONTRACTS
    assert record.contracts[0].supplier == "supplier-1"


def wanted(target: float, name: str = "availability", better: str = "higher") -> AgreementWanted:
    data = {"name": name, "kind": "warranty", "measure": "", "target": target, "unit": "%", "better": better}
    return AgreementWanted(
        agreement="a", service=SERVICE, supplier="cloudy", offering="hosting", replaced=False,
        lacking=(Requirement.model_validate(data),), purpose="It promises too little.", demand=DEMAND,
    )  # fmt: skip


def test_the_same_is_not_asked_for_twice_and_more_is() -> None:
    asked = AskedAgreement(id="a")
    assert ask(wanted(99), asked)
    assert ask(wanted(99), asked) is None
    assert ask(wanted(98), asked) is None
    more = ask(wanted(99.9), asked)
    assert more is not None
    assert [term.value for term in more.terms] == [99.9]
    assert asked.times == 2


@pytest.mark.row("design_transition.out.agreements")
def test_what_was_asked_for_before_stays_and_the_purpose_says_so() -> None:
    asked = AskedAgreement(id="a")
    ask(wanted(99), asked)
    more = ask(wanted(4, "restore-time", "lower"), asked)
    assert more is not None
    assert {term.name: term.value for term in more.terms} == {"availability": 99, "restore-time": 4}
    assert more.purpose == "It promises too little. What was asked for before stays: availability."
    assert ask(wanted(5, "restore-time", "lower"), asked) is None
    assert ask(wanted(3, "restore-time", "lower"), asked)


def test_a_service_that_replaces_itself_is_refused_and_nothing_changes() -> None:
    record = ServiceRecord(id=SERVICE, roles=(Role(role="old", staffed=True, trained=True),))
    declared = ReadinessDeclared(service=SERVICE, declared_by="ada", replaces=SERVICE).at(NOW)
    before: dict[str, Any] = dict(record)
    (answer,) = take_readiness(declared, record)
    assert isinstance(answer, Answer)
    assert answer.status == 422
    assert "leave `replaces` out" in answer.body.model_dump()["detail"]
    assert dict(record) == before


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"declared_by": ""}, "declared_by"),
        ({"declared_by": "a" * 201}, "declared_by"),
        ({"replaces": "Board Games"}, "replaces"),
        ({"roles": [{"role": "a", "staffed": True, "trained": True}] * 101}, "roles"),
        ({"roles": [{"role": "a", "staffed": True, "trained": True, "age": 7}]}, "age"),
        ({"factors": [{"kind": "lunar", "fact": "the moon", "effect": "needed"}]}, "kind"),
        ({"factors": [{"kind": "legal", "fact": "a law", "effect": "needed", "begins": "2026-12-01"}]}, "begins"),
        ({"mood": "good"}, "mood"),
    ],
)
def test_a_readiness_that_cannot_be_read_is_refused_where_it_is_wrong(wrong: dict[str, object], where: str) -> None:
    with pytest.raises(ValidationError, match=where):
        Readiness.model_validate({"declared_by": "ada", **wrong})


@pytest.mark.row("design_transition.out.agreements")
@pytest.mark.parametrize(("required", "needed"), [(98, False), (99, True)])
def test_the_same_promise_is_enough_or_not_by_what_the_service_has_to_reach(required: float, needed: bool) -> None:
    requirement = AVAILABILITY.model_copy(update={"target": required})
    record = ServiceRecord(id=SERVICE, demand=DEMAND, requirements=(requirement,))
    wanted = hear(record, contract(1, 98.5))
    told = [event for one in wanted for event in ask_for_agreement(one.at(NOW), AskedAgreement(id=one.agreement))]
    purpose = "cloudy promises 98.5 % where at least 99 % is required (availability)."
    assert [(one.counterparty, one.purpose) for one in told] == [("cloudy", purpose)] * needed
