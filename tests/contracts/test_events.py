"""What holds for every message: complete, documented, typed, frozen, and readable by those who know fewer fields."""

import typing
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.engage import DemandStatusReported, ServiceRequirementsStated
from contracts.event import Command, Data, Decision, Event, Message
from contracts.outside import GovernanceDirected, ValueConfirmed
from contracts.render import descriptions, every_data
from contracts.value_chain import FLOWS, flow_of

MakeExample = Callable[..., Message]

EVENTS: list[type[Message]] = [flow.event for flow in FLOWS]
each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
CLASSES = {data.__name__: data for data in every_data()}
each_data = pytest.mark.parametrize("data", CLASSES.values(), ids=CLASSES)


def types_in(annotation: object) -> list[object]:
    """A type and all types inside it."""
    return [annotation] + [found for part in typing.get_args(annotation) for found in types_in(part)]


def test_no_class_of_messages_is_without_a_row() -> None:
    classes = {data for data in every_data() if issubclass(data, Message)}
    assert classes - {Message, Event, Command, Decision} == set(EVENTS)


def test_names_of_classes_are_unique() -> None:
    names = [data.__name__ for data in set(every_data())]
    assert sorted(names) == sorted(set(names))


@each_data
def test_every_class_and_every_field_is_documented(data: type[Data]) -> None:
    assert data.__dict__.get("__doc__"), f"{data.__name__} has no docstring of its own"
    assert set(data.model_fields) - set(descriptions(data)) == set()


@each_data
def test_a_docstring_begins_with_one_sentence_on_one_line(data: type[Data]) -> None:
    first, *rest = str(data.__doc__).split("\n")
    assert first.rstrip().endswith((".", ":", ";"))
    assert not rest or not rest[0].strip()


@each_data
def test_no_field_is_an_open_mapping_or_untyped(data: type[Data]) -> None:
    for name, field in data.model_fields.items():
        inside = types_in(field.annotation)
        assert not [one for one in inside if one in (typing.Any, object, dict, list, set)], name
        assert not [one for one in inside if typing.get_origin(one) in (dict, list, set)], name


@each_data
def test_times_are_aware(data: type[Data]) -> None:
    for name, field in data.model_fields.items():
        assert datetime not in types_in(field.annotation), f"{name}: write AwareDatetime"


@each_event
def test_the_case_is_a_demand_or_the_named_field(event: type[Message]) -> None:
    field = event.model_fields[event.case_field]
    assert field.is_required()
    assert field.annotation is (UUID if event.case_field == "demand" else str)


@each_event
def test_no_field_hides_a_circumstance_of_the_message(event: type[Message]) -> None:
    assert {"id", "time", "stream", "step", "told", "case", "type", "activity"}.isdisjoint(event.model_fields)


@each_event
def test_a_type_names_who_tells_it_what_it_is_and_its_version(event: type[Message]) -> None:
    flow = flow_of(event)
    place = f"{event.activity}.inbox" if issubclass(event, Command) else flow.teller
    assert event.type.startswith(f"svc.{place.replace('_', '-')}.")
    assert event.type.endswith(".v1")


@each_event
@pytest.mark.parametrize("every_field", [True, False], ids=["every field", "required fields"])
def test_what_is_told_is_read_back_the_same(event: type[Message], every_field: bool, example: MakeExample) -> None:
    told = example(event, every_field=every_field)
    assert event.model_validate_json(told.model_dump_json()) == told


@each_event
def test_a_field_it_does_not_know_is_refused_by_a_teller_and_passed_over_by_a_reader(
    event: type[Message], example: MakeExample
) -> None:
    known = example(event)
    with pytest.raises(ValidationError, match="news"):
        event.model_validate({**dict(known), "news": "of a later version"})
    newer = known.model_dump_json()[:-1] + ',"news":"of a later version"}'
    assert TypeAdapter(event).validate_json(newer, extra="ignore") == known


def test_values_inside_a_message_may_have_fields_that_a_reader_does_not_know() -> None:
    text = """{"demand": "5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e", "service": null, "segment": "", "requirements": [
        {"name": "start", "kind": "warranty", "measure": "time to start", "target": 10, "unit": "s", "better": "lower",
         "news": 1}]}"""
    read = TypeAdapter(ServiceRequirementsStated).validate_json(text, extra="ignore")
    assert read.requirements[0].target == 10
    with pytest.raises(ValidationError, match=r"requirements\.0\.news"):
        ServiceRequirementsStated.model_validate_json(text)


@each_event
def test_a_message_is_frozen_down_to_its_values(event: type[Message], example: MakeExample) -> None:
    told = example(event)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(told, event.case_field, "another")
    hash(told)


def test_a_time_without_a_zone_is_refused() -> None:
    midnight = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused here
    with pytest.raises(ValidationError, match="timezone"):
        GovernanceDirected(policy="funding", title="Funding", statement="...", issued_by="board", valid_from=midnight)


def test_a_decision_gives_its_reasons_and_its_basis() -> None:
    decisions = [event.__name__ for event in EVENTS if issubclass(event, Decision)]
    assert {"PortfolioDecisionMade", "SupportTaskRequested", "ComponentProvided", "SupportTaskCompleted"} <= set(
        decisions
    )
    for event in EVENTS:
        if issubclass(event, Decision):
            assert event.model_fields["reasons"].is_required()
            assert event.model_fields["basis"].is_required()


def test_the_stakeholder_is_a_consumer_unless_they_say_otherwise() -> None:
    answer = ValueConfirmed(
        demand=UUID(int=1), stakeholder="emily@carcachin.example", verdict="fully", utility=True, warranty=True
    )
    assert answer.stakeholder_kind == "consumer"
    assert answer.case == str(UUID(int=1))


def test_a_message_has_its_circumstances_only_when_told() -> None:
    status = DemandStatusReported(
        demand=UUID(int=1),
        status="delivered",
        requester="emily@carcachin.example",
        text="Done.",
        asks_confirmation=True,
    )
    with pytest.raises(LookupError, match="has not been told"):
        _ = status.time
    told = status.at(datetime(2026, 11, 24, tzinfo=UTC), stream="restore-a-live-service", step="confirm-value")
    assert (told.time.year, told.stream, told.step) == (2026, "restore-a-live-service", "confirm-value")
