"""What was published once, and is not decided so any more.

After an activity's database was replaced by an older copy, it decides again what the copy did not know, under the same
ids, in the order in which records came to the broker. Where it had first decided in another order, or where a shared
row stood otherwise, a decision can come out otherwise; and what the others heard the first time stands. Nobody can take
an event back: people have to see it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from svc import running, words
from svc.log import Logged, read_log
from svc.looking import Seen
from svc.machine.home import default_path
from svc.services import Json, Services
from svc.trouble import Trouble

Told = Mapping[str, Mapping[str, Json | None]]
"""By activity, what its receipts tell, by id; None for what a timer or an effect outside brings."""
COMPARED = ("type", "data", "sequence")
AT_ONCE = 8
"""Trails that are asked for at the same time."""


class Otherwise(NamedTuple):
    """A record that stands in a topic, and what its teller's database says about it now."""

    record: Logged
    now: Json | None
    """The event as it is decided now; None if it is not told any more."""

    def as_json(self) -> Json:
        """For scripts."""
        record = self.record
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        return {"activity": record.teller, "case": record.case, **place, "published": record.event, "now": self.now}

    @property
    def difference(self) -> str:
        """What is not as it was, in a few words."""
        if self.now is None:
            return "not decided any more"
        was, now = self.record.event, self.now
        fields = {**{name: (was.get(name), now.get(name)) for name in COMPARED if name != "data"}}
        keys = sorted({*was["data"], *now["data"]})
        fields |= {name: (was["data"].get(name), now["data"].get(name)) for name in keys}
        return "; ".join(f"{name}: {old} is now {new}" for name, (old, new) in fields.items() if old != new)


def decided_otherwise(log: Iterable[Logged], told: Told) -> list[Otherwise]:
    """The records of the six activities that their receipts do not tell, or not so; each id and content once."""
    found: dict[tuple[str, str, str], Otherwise] = {}
    for record in log:
        if record.teller not in told:
            continue
        known = told[record.teller]
        now = known.get(record.id)
        same = record.id in known and (now is None or all(record.event.get(n) == now.get(n) for n in COMPARED))
        if not same:
            content = f"{record.event.get('sequence')} {record.event.get('data')}"
            found.setdefault((record.topic, record.id, content), Otherwise(record, now))
    return list(found.values())


def outputs_of(receipts: Iterable[Json]) -> dict[str, Json | None]:
    """What receipts tell, by id."""
    told: dict[str, Json | None] = {}
    for receipt in receipts:
        told |= {event["id"]: event for event in receipt["outputs"]}
        told |= {wait["id"]: None for wait in receipt.get("waits", ())}
    return told


async def recover() -> Seen:
    """What stands in the topics of the running chain otherwise than its six databases say it was decided."""
    chain = running.find(default_path())
    if not chain.kafka:
        raise Trouble("KAFKA_BOOTSTRAP is not set: the topics of a chain that runs elsewhere are read from its Kafka.")
    log = await read_log(chain.kafka, {})
    async with Services(chain.services) as six:
        found = decided_otherwise(log, await read_told(six, log))
    return Seen(render(found), [one.as_json() for one in found])


async def read_told(six: Services, log: Sequence[Logged]) -> Told:
    """What the receipts of a running chain tell: a record stands in the trail of its cause's case."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def outputs(activity: str, case: str) -> tuple[str, dict[str, Json | None]]:
        async with limit:
            return activity, outputs_of(await six.trail(activity, case))

    cases = {record.id: record.case for record in log}
    causes = ((record.teller, cases.get(str(record.event.get("causationid")), record.case)) for record in log)
    about = sorted({(teller, case) for teller, case in causes if teller})
    told: dict[str, dict[str, Json | None]] = {}
    for activity, found in await asyncio.gather(*(outputs(*one) for one in about)):
        told.setdefault(activity, {}).update(found)
    return told


def render(found: list[Otherwise]) -> Any:
    """A row for each."""
    if not found:
        return Text("Everything that stands in the topics is what the six databases say was decided.")
    shown = Table(
        title="Published once, and not decided so any more", box=box.SIMPLE, pad_edge=False,
        caption="Whoever heard these has acted on them: compare, and mend by commands what must be mended.",
    )  # fmt: skip
    for heading in ("activity", "case", "event", "where", "now"):
        shown.add_column(heading, overflow="fold")
    for one in found:
        record = one.record
        shown.add_row(
            words.activity(record.teller), words.short(record.case), f"{record.event['type']} {words.short(record.id)}",
            f"{record.topic}/{record.partition} at {record.offset}", Text(one.difference),
        )  # fmt: skip
    return shown
