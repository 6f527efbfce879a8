"""What was published and is not decided so any more is found, and nothing else."""

from io import StringIO

from rich.console import Console

from svc.log import Logged
from svc.recover import decided_otherwise, outputs_of, render

CASE = "11111111-1111-4111-8111-111111111111"


def logged(id: str, offset: int, *, sequence: int = 1, source: str = "/svc/plan", **data: object) -> Logged:
    event = {"id": id, "type": "svc.plan.x.v1", "source": source, "correlationid": CASE, "sequence": str(sequence)}
    return Logged("svc.plan.x", 0, offset, b"", b"", event={**event, "data": data})


def test_each_difference_is_found_once_and_repeats_and_other_activities_are_not() -> None:
    same, gone, changed = logged("a", 0, euros=5), logged("b", 1, sequence=2), logged("c", 2, sequence=3, euros=7)
    timer, foreign = logged("d", 3), logged("e", 4, source="/svc/improve")
    now = {**changed.event, "sequence": "2", "data": {"euros": 8}}
    receipts = [{"outputs": [same.event, now], "waits": [{"id": "d"}]}]
    log = [same, gone, changed, timer, foreign, logged("a", 5, euros=5), logged("b", 6, sequence=2)]
    found = decided_otherwise(log, {"plan": outputs_of(receipts)})
    assert [(one.record.id, one.record.offset, one.difference) for one in found] == [
        ("b", 1, "not decided any more"),
        ("c", 2, "sequence: 3 is now 2; euros: 7 is now 8"),
    ]
    assert found[1].as_json()["now"] == now
    shown = StringIO()
    Console(file=shown, width=200).print(render(found))
    assert "Plan" in shown.getvalue()
    assert "euros: 7 is now 8" in shown.getvalue()


def test_where_nothing_differs_it_says_so() -> None:
    assert "six databases" in str(render(decided_otherwise([logged("a", 0)], {"plan": {"a": logged("a", 0).event}})))
