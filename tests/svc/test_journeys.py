"""A journey as a trace of its own, made of the trails of an incident."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson
from opentelemetry.sdk.trace import ReadableSpan

from contracts.engage import DemandStatusReported
from contracts.envelope import encode
from contracts.outside import ValueConfirmed
from services.engage.model import FINAL as NEVER_LEFT
from svc.journeys import FINAL, SHORT, end_of, ended, spans, trace_id
from svc.trails import Journey, merge
from tests.svc.conftest import DEMAND, NOON, Trails


def realised(trails: Trails, *, minutes: int = 12 * 24 * 60) -> Journey:
    """The incident's journey, with the word of its consumer at last."""
    said = ValueConfirmed(
        demand=DEMAND, stakeholder="emily@fleet.example", verdict="fully", utility=True, warranty=True
    )  # fmt: skip
    end = DemandStatusReported(
        demand=DEMAND, status="value_realised", requester="emily@fleet.example", text="Thank you.",
        asks_confirmation=False,
    )  # fmt: skip
    trails.add("engage", said, uuid5(DEMAND, "said"), told=(end,), at=minutes, handler="confirm_value")
    trails.add("improve", said, uuid5(DEMAND, "later"), at=minutes + 60, handler="weigh_feedback")
    return merge(DEMAND, trails.by_activity)


def seconds(span: ReadableSpan) -> tuple[datetime, timedelta]:
    """When a span begins, and how long it takes."""
    assert span.start_time is not None
    assert span.end_time is not None
    begin, end = (datetime.fromtimestamp(at / 1e9, UTC) for at in (span.start_time, span.end_time))
    return begin, end - begin


def facts(span: ReadableSpan) -> dict[str, Any]:
    """Its attributes."""
    return dict(span.attributes or {})


def test_a_journey_is_one_tree_from_first_contact_to_the_final_state(trails: Trails) -> None:
    found = spans(realised(trails))
    ids = {span.context.span_id: span for span in found if span.context}
    assert len(ids) == len(found), "no id stands for two spans"
    root, *others = found
    assert root.parent is None
    assert {span.context.trace_id for span in found if span.context} == {int(trace_id(DEMAND), 16)}
    assert all(span.parent and span.parent.span_id in ids for span in others), "an orphan"
    begin, length = seconds(root)
    assert (begin, length) == (NOON + timedelta(minutes=1), timedelta(days=12, minutes=-1))
    for span in others:
        assert span.parent
        above, below = seconds(ids[span.parent.span_id]), seconds(span)
        assert above[0] <= below[0] <= below[0] + below[1] <= above[0] + above[1], f"{span.name} sticks out"
    assert facts(root)["svc.demand.status"] == "value_realised"
    assert facts(root)["svc.demand.title"] == "Games stop"
    assert "weigh feedback" not in " ".join(span.name for span in found), "what comes after the end is no part of it"


def test_each_wait_is_a_span_with_what_was_waited_for(trails: Trails) -> None:
    journey = realised(trails)
    waits = {span.name: span for span in spans(journey) if span.name.startswith("waiting ")}
    assert set(waits) == {"waiting for resolution done", "waiting for Users: value confirmed"}
    done, consumer = waits["waiting for resolution done"], waits["waiting for Users: value confirmed"]
    assert facts(done)["svc.waiting.kind"] == "work or date"
    assert seconds(done)[1] == timedelta(minutes=1), "from what asked for it to its coming back"
    assert facts(consumer)["svc.waiting.kind"] == "somebody"
    root = facts(spans(journey)[0])
    assert root["svc.waited.ms"] == sum(round(seconds(wait)[1].total_seconds() * 1000) for wait in waits.values())
    assert root["svc.lead_time.ms"] == round(seconds(spans(journey)[0])[1].total_seconds() * 1000)


def test_a_message_that_lay_in_its_topic_for_long_has_a_span_and_a_short_one_a_figure(trails: Trails) -> None:
    for trail in trails.by_activity.values():
        for receipt in trail:
            if receipt["type"].endswith("support-task-requested.v1"):
                receipt["time"] = (datetime.fromisoformat(receipt["decided_at"]) - timedelta(minutes=1)).isoformat()
    short = [span.name for span in spans(realised(trails))]
    assert "waiting for Deliver and support to take it up" not in short
    whole = timedelta(minutes=60)
    assert timedelta(minutes=1) > whole * SHORT
    for receipt in trails.by_activity["engage"]:
        if receipt["at"] > (NOON + timedelta(days=1)).isoformat():
            receipt |= {name: (NOON + whole).isoformat() for name in ("at", "time", "decided_at")}
            receipt["outputs"][0]["time"] = (NOON + whole).isoformat()
    long = {span.name: span for span in spans(merge(DEMAND, trails.by_activity))}
    assert seconds(long["waiting for Deliver and support to take it up"])[1] == timedelta(minutes=1)


def test_the_same_trails_make_the_same_spans_in_whatever_order_they_come(trails: Trails) -> None:
    first = [span.to_json() for span in spans(realised(trails))]
    for trail in trails.by_activity.values():
        trail.reverse()
    assert [span.to_json() for span in spans(merge(DEMAND, trails.by_activity))] == first


def test_a_journey_that_goes_on_is_another_trace_and_says_so(trails: Trails) -> None:
    journey = merge(DEMAND, trails.by_activity)
    assert end_of(journey) is None
    root = spans(journey)[0]
    assert root.context
    assert f"{root.context.trace_id:032x}" != trace_id(DEMAND)
    assert facts(root)["svc.demand.status"] == "not ended"
    assert spans(merge(DEMAND, {})) == []


def test_the_root_links_to_the_live_trace(trails: Trails) -> None:
    (link,) = spans(realised(trails))[0].links
    assert link.context.trace_id == int("a" * 32, 16)


def test_only_a_final_state_ends_a_demand() -> None:
    def told(status: str) -> bytes:
        state = {"demand": DEMAND, "requester": "emily", "text": "", "asks_confirmation": False, "status": status}
        message = DemandStatusReported.model_validate(state)
        return encode(message, id=UUID(int=1), source="/svc/engage", time=NOON)

    assert ended(told("value_realised")) == DEMAND
    assert ended(told("delivered")) is None
    for stranger in (None, b"", b"no JSON", b"[]", b'{"type": 1}', orjson.dumps({"type": DemandStatusReported.type})):
        assert ended(stranger) is None


def test_final_is_what_engage_calls_so() -> None:
    assert FINAL == NEVER_LEFT
