from typing import Any

from rich.console import Console

from svc.trace import hops, render, services_in

MS = 1_000_000


def span(
    id: str, parent: str, name: str, start: float, end: float, service: str = "engage", **more: Any
) -> dict[str, Any]:
    attributes = {"svc.activity": service, **more.pop("attributes", {})}
    told = {
        "traceId": "a" * 32, "spanId": id, "parentSpanId": parent, "name": name,
        "startTimeUnixNano": str(int(start * MS)), "endTimeUnixNano": str(int(end * MS)),
        "status": more.pop("status", {}),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": f"svc-{service}"}}]}
    return {"resource": resource, "scopeSpans": [{"scope": {}, "spans": [told]}]}


def heard(message: str, handler: str) -> dict[str, str]:
    return {"cloudevents.event_type": f"svc.engage.{message}.v1", "svc.handler": handler}


TRACE = [
    span("1", "", "POST /desks/{desk}", 0, 5),
    span("2", "1", "create svc.engage.inbox", 1, 2),
    span("3", "2", "process svc.engage.inbox", 3, 6, attributes=heard("ticket-pushed", "take_ticket")),
    span("4", "3", "create svc.engage.support-tasks", 6, 6),
    span(
        "5",
        "4",
        "process svc.engage.support-tasks",
        5006,
        5009,
        "deliver_support",
        attributes=heard("later", "do_late"),
    ),
    span("6", "3", "create svc.engage.demand", 6, 6),
    span("7", "6", "process svc.engage.demand", 8, 9, "plan", status={"code": 2, "message": "no money"}),
    span("8", "3", "create svc.engage.performance-reports", 6, 6),
]


def test_a_message_is_one_hop_from_who_told_it_to_who_took_it_up_in_the_order_of_work():
    assert [(hop.depth, hop.activity, hop.what) for hop in hops(TRACE)] == [
        (0, "engage", "POST /desks/{desk}"),
        (1, "engage", "take ticket ← TicketPushed"),
        (2, "engage", "create svc.engage.performance-reports"),
        (2, "plan", "process svc.engage.demand"),
        (2, "deliver_support", "do late ← Later"),
    ]


def test_work_and_waiting_are_told_apart():
    late = hops(TRACE)[-1]
    assert (late.after_ms, late.took_ms, late.waited_ms) == (5006, 3, 5000)
    assert hops(TRACE)[1].waited_ms == 1


def test_a_span_whose_parent_is_missing_still_stands_there():
    lost = [one for one in TRACE if one["scopeSpans"][0]["spans"][0]["spanId"] != "4"]
    assert [(hop.what, hop.orphan) for hop in hops(lost) if hop.orphan] == [("do late ← Later", True)]


def test_no_spans_make_no_tree():
    assert hops([]) == []


def test_people_read_times_waits_and_errors():
    console = Console(width=200)
    with console.capture() as captured:
        console.print(render(TRACE))
    text = captured.get()
    assert "do late ← Later  3.0 ms  after waiting 5.0 s" in text
    assert "no money" in text
    assert services_in(TRACE) == ["svc-deliver_support", "svc-engage", "svc-plan"]
