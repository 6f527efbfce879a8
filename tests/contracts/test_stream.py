"""Value streams: those shipped can be read, and what is wrong with one is said so that its author can mend it."""

from pathlib import Path

import pytest

from contracts.engage import SupportTaskRequested
from contracts.stream import Stream, StreamError, Streams, read_stream
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, DESIGN_TRANSITION, ENGAGE, OBTAIN_BUILD, PLAN

FILES = sorted((Path(__file__).parents[2] / "contracts" / "value_streams").glob("*.yaml"))
RESTORE = """
stream: restore
title: Restore
owner: Service desk manager
trigger: {kind: incident}
promise: {hours: 72}
policies: [support-targets]
improvement_target: Faster
steps:
  - step: request
    activity: engage
    does: request support
    practices: [service desk]
    hands_on: [SupportTaskRequested]
  - step: resolve
    activity: deliver_support
    does: resolve incident
    practices: [incident management]
    hands_on: [SupportTaskCompleted]
  - step: confirm
    activity: engage
    does: confirm value
    practices: [relationship management]
    hands_on: [ValueJudged]
    after: [resolve]
"""


def shipped(name: str) -> Stream:
    return next(read_stream(file.read_text(), file.stem) for file in FILES if file.stem == name)


def triggered(name: str, trigger: str) -> Stream:
    text = RESTORE.replace("stream: restore", f"stream: {name}").replace("{kind: incident}", trigger)
    return read_stream(text, name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_stream_leads_from_its_first_step_to_every_other(file: Path) -> None:
    stream = read_stream(file.read_text(), file.stem)
    reached: set[str] = set()
    last = {stream.steps[0].step}
    while last - reached:
        reached |= last
        last = {step.step for name in last for activity in ACTIVITIES for step in stream.steps_for(activity, name)}
    assert reached == {step.step for step in stream.steps}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_stream_begins_at_engage_and_ends_in_what_improve_learns(file: Path) -> None:
    steps = read_stream(file.read_text(), file.stem).steps
    assert (steps[0].activity, steps[-1].activity) == ("engage", "improve")


def test_both_streams_of_the_demonstration_are_shipped() -> None:
    assert {"restore-a-live-service", "create-a-new-product-or-service"} <= {file.stem for file in FILES}


def test_a_step_follows_the_steps_it_names() -> None:
    create = shipped("create-a-new-product-or-service")
    assert [step.step for step in create.steps_for(DELIVER_SUPPORT, "validate")] == ["deploy"]
    assert [step.step for step in create.steps_for(DELIVER_SUPPORT, "release")] == ["put-live"]
    assert [step.step for step in create.steps_for(OBTAIN_BUILD, "validate")] == ["obtain"]
    assert [step.step for step in create.steps_for(ENGAGE, "weigh-demand")] == ["confirm-value"]
    assert [step.step for step in create.steps_for(PLAN, "design")] == ["weigh-demand"]
    assert create.steps_for(PLAN, "confirm-value") == ()


def test_a_step_that_names_none_follows_whoever_tells_what_its_activity_hears() -> None:
    stream = read_stream(RESTORE, "restore")
    assert [step.step for step in stream.steps_for(DELIVER_SUPPORT, "request")] == ["resolve"]
    assert [step.step for step in stream.steps_for(ENGAGE, "resolve")] == ["confirm"]
    assert stream.steps_for(DELIVER_SUPPORT, "resolve") == ()
    assert stream.steps_for(DESIGN_TRANSITION, "request") == ()


def test_new_demand_begins_at_the_first_step() -> None:
    stream = read_stream(RESTORE, "restore")
    assert [step.step for step in stream.steps_for(ENGAGE)] == ["request"]
    assert stream.steps_for(DELIVER_SUPPORT) == ()


def test_a_step_is_found_by_its_name_and_knows_the_classes_of_its_events() -> None:
    stream = read_stream(RESTORE, "restore")
    assert stream["request"].events == (SupportTaskRequested,)
    with pytest.raises(KeyError):
        stream["nothing"]


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("activity: engage", "activity: engagement", ["restore: step request: activity: 'engagement'", "plan, engage"]),
        (
            "[service desk]",
            "[service desks]",
            ["step request: practices: 'service desks'", "service desk, service level"],
        ),
        (
            "[SupportTaskCompleted]",
            "[SupportTaskDone]",
            ["step resolve: hands_on: SupportTaskDone: deliver_support tells no", "SupportTaskCompleted"],
        ),
        (
            "[SupportTaskCompleted]",
            "[SupportTaskRequested]",
            ["step resolve: hands_on: SupportTaskRequested: deliver_support tells no such event"],
        ),
        (
            "[SupportTaskCompleted]",
            "[SupportEscalated]",
            [
                "step confirm: after: resolve hands on nothing that engage hears",
                "ServiceDelivered, SupportTaskCompleted",
            ],
        ),
        ("after: [resolve]", "after: [resolved]", ["step confirm: after: resolved: no such step", "request, resolve"]),
        ("step: confirm", "step: request", ["steps: request: more than one step has this name"]),
        (
            "does: request support",
            "doing: x",
            ["step request: does: Field required", "doing: no such field", "hands_on"],
        ),
        ("{hours: 72}", "{hours: 0}", ["promise: hours: Input should be greater than 0"]),
        ("{hours: 72}", "{hours: soon}", ["promise: hours: Input should be a valid number"]),
        ("{hours: 72}", "{days: 3}", ["promise: days: no such field; allowed: hours"]),
        ("{kind: incident}", "{kind: An Incident}", ["trigger: kind: String should match"]),
        ("owner: Service desk manager", "", ["restore: owner: Field required"]),
        ("step: request", "step: [request]", ["step no. 1: step: Input should be a valid string"]),
        ("stream: restore\n", "stream: mend\n", ["'mend' differs from the name of the file; allowed: restore"]),
        ("trigger: {kind", "trigger: {{kind", ["restore: this is not YAML"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(right: str, wrong: str, says: list[str]) -> None:
    assert right in RESTORE
    with pytest.raises(StreamError) as error:
        read_stream(RESTORE.replace(right, wrong, 1), "restore")
    for words in says:
        assert words in str(error.value)


def test_all_mistakes_are_named_at_once() -> None:
    text = RESTORE.replace("engage", "engagement").replace("72", "soon").replace("[incident management]", "[]")
    with pytest.raises(StreamError) as error:
        read_stream(text, "restore")
    assert [line.split(": ")[1:3] for line in str(error.value).split("\n")] == [
        ["promise", "hours"],
        ["step request", "activity"],
        ["step resolve", "practices"],
        ["step confirm", "activity"],
    ]


def test_a_stream_without_steps_is_refused() -> None:
    with pytest.raises(StreamError, match="restore: steps: a stream has at least one"):
        read_stream(RESTORE.partition("steps:")[0] + "steps: []", "restore")


@pytest.mark.parametrize("text", ["", "- a list", "just words"])
def test_a_file_that_describes_nothing_is_refused(text: str) -> None:
    with pytest.raises(StreamError, match="nothing: Input should be an object"):
        read_stream(text, "nothing")


def test_the_stream_whose_trigger_says_most_takes_the_demand() -> None:
    streams = Streams(
        [
            triggered("any", "{kind: incident}"),
            triggered("fire", "{kind: incident, words: [smoke, Fire]}"),
            triggered("games", "{kind: incident, service: video-games}"),
        ]
    )

    def taken(kind: str, service: str | None, text: str) -> str | None:
        stream = streams.taking(kind, service, text)
        return stream.stream if stream else None

    assert taken("incident", None, "It is slow") == "any"
    assert taken("incident", None, "There is SMOKE!") == "fire"
    assert taken("incident", "video-games", "There is smoke") == "games"
    assert taken("incident", "sales", "smokeless") == "any"
    assert taken("complaint", None, "smoke") is None
