"""Value streams are checked before anything runs, one that is not shipped too: a mistake names step and input."""

from pathlib import Path

import pytest

from contracts.stream import StreamError, Streams, read_stream, read_streams
from svc import streams
from svc.streams import SHIPPED, check
from svc.trouble import Trouble

RECALL = """
stream: recall-a-sold-component
title: Recall a sold component
owner: Head of product safety
trigger: {kind: incident, words: [recall, overheats]}
promise: {hours: 96}
policies: [support-targets]
improvement_target: Every owner of a recalled component knows within a day
steps:
  - step: take-up
    activity: engage
    does: request support
    practices: [service desk, risk management, supplier management]
    hands_on: [SupportTaskRequested, DemandStatusReported]
    agreement: {hours: 4}
  - step: make-safe
    activity: deliver_support
    does: resolve incident
    practices: [incident management, IT asset management]
    hands_on: [SupportTaskCompleted, ServicePerformanceReported]
    after: [take-up]
    needs: [SupportTaskRequested]
    agreement: {hours: 72}
  - step: tell-owners
    activity: engage
    does: confirm value
    practices: [relationship management]
    hands_on: [DemandStatusReported, ValueJudged]
    after: [make-safe]
    needs: [SupportTaskCompleted]
  - step: learn
    activity: improve
    does: learn from feedback
    practices: [continual improvement]
    hands_on: [ChainPerformanceReported]
    after: [tell-owners]
"""


def mistakes(folder: Path, right: str = "", wrong: str = "") -> str:
    """What is wrong with the stream when something in it is replaced."""
    assert right in RECALL
    (folder / "recall-a-sold-component.yaml").write_text(RECALL.replace(right, wrong, 1) if right else RECALL)
    (found,) = check([folder / "recall-a-sold-component.yaml"])
    return "\n".join(found.mistakes)


def test_a_stream_that_is_not_shipped_holds_and_takes_the_demand_with_its_words(tmp_path: Path):
    assert mistakes(tmp_path) == ""
    both = Streams([*read_streams(SHIPPED), *read_streams(tmp_path)])
    taking = [both.taking("incident", "car", text) for text in ("The battery overheats", "It is slow")]
    assert [stream.stream for stream in taking if stream] == ["recall-a-sold-component", "restore-a-live-service"]


WRONG = [
    # an input that nobody hands on, by what the author says is needed and by what the capability takes
    (
        "hands_on: [SupportTaskCompleted, ServicePerformanceReported]",
        "hands_on: [ServiceDelivered, ServicePerformanceReported]",
        [
            "step tell-owners: needs: SupportTaskCompleted: none of the steps it follows (make-safe) hands it on",
            "no step does",
        ],
    ),
    (
        "needs: [SupportTaskCompleted]",
        "needs: [PortfolioDecisionMade]",
        ["step tell-owners: needs: PortfolioDecisionMade", "(make-safe)", "no step does"],
    ),
    (
        "after: [make-safe]\n    needs: [SupportTaskCompleted]",
        "after: [learn]",
        ["step tell-owners: after: learn hands on nothing that engage hears"],
    ),
    (
        "does: resolve incident",
        "does: put live",
        ["step make-safe: its input ServiceReleased is handed on by none of the steps it follows (take-up)"],
    ),
    ("needs: [SupportTaskRequested]", "needs: [Nothing]", ["needs: Nothing: deliver_support hears no such event"]),
    # what nobody hears, what is not offered
    (
        "    after: [tell-owners]\n",
        "    after: [tell-owners]\n  - step: inform\n    activity: engage\n    does: request support\n"
        "    practices: [service desk]\n    hands_on: [SupportTaskRequested]\n    after: [make-safe]\n",
        ["step inform: hands_on: SupportTaskRequested: nobody hears it; Deliver and support would"],
    ),
    ("does: resolve incident", "does: recall", ["Deliver and support does not offer 'recall'; allowed: deploy"]),
    # promises
    (
        "promise: {hours: 96}",
        "promise: {hours: 48}",
        ["promise: hours: 48 is less than its steps are agreed to take: take-up 4 + make-safe 72 = 76"],
    ),
    ("agreement: {hours: 4}", "agreement: {days: 4}", ["step take-up: agreement: days: no such field; allowed: hours"]),
    ("agreement: {hours: 4}", "agreement: {hours: 0}", ["step take-up: agreement: hours: Input should be greater"]),
    # triggers
    (
        "trigger: {kind: incident, words: [recall, overheats]}",
        "trigger: {kind: incident}",
        ["trigger: restore-a-live-service takes incident as well: give one of them words or a service"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "says"), WRONG, ids=[wrong[:40] for _, wrong, _ in WRONG])
def test_a_mistake_names_the_step_and_the_input(tmp_path: Path, right: str, wrong: str, says: list[str]):
    told = mistakes(tmp_path, right, wrong)
    for words in says:
        assert words in told


def test_an_event_that_nothing_in_the_step_tells_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "tells", lambda step: set(step.events[:1]))
    told = "step make-safe: hands_on: ServicePerformanceReported: nothing that 'resolve incident' does tells it"
    assert told in mistakes(tmp_path)


def test_the_services_refuse_a_stream_whose_input_nobody_provides():
    wrong = RECALL.replace("needs: [SupportTaskCompleted]", "needs: [ServiceDelivered]")
    with pytest.raises(StreamError, match="step tell-owners: needs: ServiceDelivered: none of the steps it follows"):
        read_stream(wrong, "recall-a-sold-component")


def test_a_step_that_nothing_leads_to_is_named(tmp_path: Path):
    lonely = """    after: [tell-owners]
  - step: a
    activity: engage
    does: confirm value
    practices: [service desk]
    hands_on: [ValueJudged]
    after: [b]
  - step: b
    activity: deliver_support
    does: put live
    practices: [service desk]
    hands_on: [ServiceDelivered]
    after: [a]
"""
    told = mistakes(tmp_path, "    after: [tell-owners]\n", lonely)
    assert "step b: after: a hands on nothing that deliver_support hears" in told


def test_other_kinds_take_the_same_way():
    text = RECALL.replace("kind: incident, words: [recall, overheats]", "kind: incident, also: [complaint]")
    stream = read_stream(text, "recall-a-sold-component")
    assert stream.trigger.kinds == ("incident", "complaint")
    assert Streams([stream]).taking("complaint", None, "x") is stream
    assert Streams([stream]).taking("feedback", None, "x") is None


def test_the_longest_way_counts_and_ways_back_do_not():
    create = read_stream(
        (SHIPPED / "create-a-new-product-or-service.yaml").read_text(), "create-a-new-product-or-service"
    )
    way, hours = create.critical_path
    assert [step.step for step in way if step.agreement] == [
        "consolidate-demand", "weigh-demand", "design", "obtain", "validate", "deploy", "release", "put-live",
    ]  # fmt: skip
    assert hours == sum(step.agreement.hours for step in way if step.agreement) <= create.promise.hours


def test_what_was_shipped_before_holds():
    found = {one.file.stem: one.mistakes for one in check([])}
    assert found["restore-a-live-service"] == found["create-a-new-product-or-service"] == ()


def test_a_folder_without_streams_is_named(tmp_path: Path):
    with pytest.raises(Trouble, match="There is no stream file"):
        streams.files([tmp_path])
