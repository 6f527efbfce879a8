"""The journey of a demand as a trace of its own: one finished tree, in chain time, however long the demand took.

The live trace of a demand (`svc/trace.py`) is made of milliseconds, days apart. When a demand has ended, its journey is
written once more: a span for each step of its value stream, below it what was decided there, and each time of *waiting*
as a span of its own: for work, for a date, for somebody outside. It is read from the trails, so no restart makes a gap
in it, and all its ids are derived from the demand's: writing it again writes the same spans.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple, get_args
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from contracts.engage import DemandStatus, DemandStatusReported
from contracts.event import dashed
from contracts.value_chain import flow_of
from svc import running, words
from svc.broker import clients
from svc.ending import interrupted
from svc.machine.home import default_path
from svc.machine.progress import Say
from svc.services import Services
from svc.trails import Entry, Journey, Wait, follow
from svc.trouble import Trouble

GROUP = "svc.journeys"
"""The consumer group of who writes journeys: where it goes on after a restart."""
FINAL = frozenset(get_args(DemandStatus)[7:])
"""The states that a demand never leaves."""
W3C = TraceContextTextMapPropagator()
SCOPE = InstrumentationScope("svc.journeys")
SHORT = 0.01
"""What lay in a topic for a smaller share of the journey than that has no span: its length stands on what ended it."""
PAUSES = (0.5, 1, 2, 5, 10, 30)
"""Seconds until it is tried again when a service, the broker or the receiver of spans is away."""


class Stretch(NamedTuple):
    """A time of the journey, in chain time."""

    begin: datetime
    end: datetime


class Waiting(NamedTuple):
    """A time in which the demand waited."""

    what: str
    """For what or whom, in words."""
    kind: str
    """`work or date`, `outside`, `somebody`, or `topic`."""
    time: Stretch
    entry: Entry
    """What ended it."""
    place: "Place"


class Place(NamedTuple):
    """Where in the value stream something happened: a step, or beside the stream."""

    activity: str
    stream: str
    step: str

    @property
    def name(self) -> str:
        """The step's; beside the stream, the activity's."""
        return self.step or f"beside the stream: {words.activity(self.activity)}"


def trace_id(demand: UUID, *, so_far: int = 0) -> str:
    """The trace of a demand's journey (32 hexadecimal digits); of one that goes on, after so many messages, another."""
    return f"{_derived(16, 'journey', demand, so_far or ''):032x}"


def end_of(journey: Journey) -> tuple[datetime, str] | None:
    """When the demand came to its final state, and to which; None while it has none."""
    for entry in journey.entries:
        for event in entry.outputs:
            if event.type == DemandStatusReported.type and event.data["status"] in FINAL:
                return max(event.time, entry.decided_at), str(event.data["status"])
    return None


def spans(journey: Journey) -> list[ReadableSpan]:
    """The journey as finished spans, the root first: until its end, or as far as it has come. Empty before it began."""
    end = end_of(journey)
    last = end[0] if end else max((entry.decided_at for entry in journey.entries), default=None)
    entries = [entry for entry in journey.entries if last and entry.decided_at <= last]
    if not entries or last is None:
        return []
    whole = Stretch(min(entry.time for entry in entries), last)
    return _Tree(journey.demand, entries, whole, end[1] if end else "", 0 if end else len(journey.entries)).spans()


class _Tree:
    """The spans of one journey."""

    def __init__(self, demand: UUID, entries: list[Entry], whole: Stretch, status: str, so_far: int) -> None:
        self.demand, self.entries, self.whole, self.status = demand, entries, whole, status
        self.trace = int(trace_id(demand, so_far=so_far), 16)
        self.root = self.context("root")
        self.waits = list(self.waited())

    def spans(self) -> list[ReadableSpan]:
        """Root, steps in their order, and below each what was decided and waited for, by time."""
        first, stream = self.entries[0], next((entry.stream for entry in self.entries if entry.stream), "")
        live = [context for context in (_live(entry) for entry in self.entries) if context][:1]
        facts = {
            "svc.demand.title": str((first.data or {}).get("title", "")),
            "svc.demand.status": self.status or "not ended",
            "svc.value_stream": stream,
            "svc.activities": tuple(dict.fromkeys(entry.activity for entry in self.entries)),
            **self.lengths(self.whole, self.waits),
        }
        found = [self.span(stream or "demand", self.root, None, self.whole, "", facts, live)]
        places: dict[Place, list[Entry]] = {}
        for entry in self.entries:
            places.setdefault(_place(entry), []).append(entry)
        for place, visits in sorted(places.items(), key=lambda item: self.stretch(*item).begin):
            found += self.step(place, visits)
        return found

    def step(self, place: Place, visits: list[Entry]) -> list[ReadableSpan]:
        """One step and what is below it."""
        waits, context = [wait for wait in self.waits if wait.place == place], self.context(*place)
        practices = dict.fromkeys(practice for entry in visits for practice in entry.practices)
        stretch = self.stretch(place, visits)
        facts = {
            "svc.value_stream": place.stream,
            "svc.step": place.step,
            "svc.practice": ", ".join(practices),
            **self.lengths(stretch, waits),
        }
        below = [self.decision(entry, context) for entry in visits] + [self.waiting(wait, context) for wait in waits]
        step = self.span(place.name, context, self.root, stretch, place.activity, facts)
        return [step, *sorted(below, key=lambda span: (span.start_time or 0, span.end_time or 0, span.name))]

    def stretch(self, place: Place, visits: list[Entry]) -> Stretch:
        """From the first to the last moment of a step, its waiting included."""
        waits = [wait.time for wait in self.waits if wait.place == place]
        begins = [entry.decided_at for entry in visits] + [wait.begin for wait in waits]
        return Stretch(min(begins), max([entry.decided_at for entry in visits] + [wait.end for wait in waits]))

    def decision(self, entry: Entry, parent: SpanContext) -> ReadableSpan:
        """What an activity decided about one message: a moment, for in chain time it takes none."""
        what = f"{entry.does or words.spoken(entry.handler) or 'nothing to do'} ← {entry.name}"
        facts = {
            "svc.event.id": str(entry.id),
            "svc.handler": entry.handler,
            "svc.told": tuple(event.name for event in entry.outputs),
            "svc.wait.ms": _milliseconds(Stretch(entry.time, entry.decided_at)),
            "svc.wall.time": entry.at.isoformat(),
        }
        live = [context for context in (_live(entry),) if context]
        context, moment = self.context("decided", entry.activity, entry.id), Stretch(entry.decided_at, entry.decided_at)
        return self.span(what, context, parent, moment, entry.activity, facts, live)

    def waiting(self, wait: Waiting, parent: SpanContext) -> ReadableSpan:
        """A time of waiting."""
        context = self.context("waited", wait.entry.activity, wait.entry.id)
        facts = {"svc.waiting.for": wait.what, "svc.waiting.kind": wait.kind}
        return self.span(f"waiting for {wait.what}", context, parent, wait.time, wait.place.activity, facts)

    def waited(self) -> Iterable[Waiting]:
        """Every time in which the demand waited: until a wait came back, somebody came, or a message was taken up.

        Somebody from outside is waited for since the activity last did something because of others: its own timers go
        off meanwhile and change nothing about that.
        """
        asked: dict[UUID, tuple[Entry, Wait]] = {
            wait.id: (entry, wait) for entry in self.entries for wait in entry.waits
        }
        told = {event.id for entry in self.entries for event in entry.outputs}
        short = (self.whole.end - self.whole.begin) * SHORT
        for number, entry in enumerate(self.entries):
            before = [one for one in self.entries[:number] if one.activity == entry.activity]
            if entry.id in asked:
                asker, wait = asked[entry.id]
                kind = "outside" if wait.outside else "work or date"
                time = Stretch(asker.decided_at, entry.decided_at)
                yield Waiting(words.spoken(wait.name), kind, time, entry, _place(asker))
            elif entry.id not in told and before:
                who = words.activity(entry.teller) if "/" not in entry.teller else "somebody"
                since = [one for one in before if one.effect and one.teller != one.activity] or before
                time = Stretch(since[-1].decided_at, entry.decided_at)
                what = f"{who}: {words.spoken(entry.name)}"
                yield Waiting(what, "somebody", time, entry, _place(entry))
            elif entry.decided_at - entry.time > short:
                time = Stretch(entry.time, entry.decided_at)
                yield Waiting(f"{words.activity(entry.activity)} to take it up", "topic", time, entry, _place(entry))

    def lengths(self, whole: Stretch, waits: Iterable[Waiting]) -> dict[str, int]:
        """How long it took, and how long of that it waited, in milliseconds; what overlaps counts once."""
        ends = sorted((wait.time for wait in waits), key=lambda time: time.begin)
        waited, until = 0, whole.begin
        for begin, end in ends:
            if end > until:
                waited += _milliseconds(Stretch(max(begin, until), end))
                until = end
        return {"svc.lead_time.ms": _milliseconds(whole), "svc.waited.ms": waited}

    def context(self, *about: object) -> SpanContext:
        """The context of a span, derived from what it is about."""
        span = _derived(8, self.demand, *about) or 1
        return SpanContext(self.trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    def span(
        self, name: str, context: SpanContext, parent: SpanContext | None, time: Stretch, activity: str,
        facts: Mapping[str, Any], links: Iterable[SpanContext] = (),
    ) -> ReadableSpan:  # fmt: skip
        """One finished span; of an activity, or (empty) of the whole journey."""
        service = f"journey-{dashed(activity)}" if activity else "journey"
        about = {"svc.demand.id": str(self.demand), "messaging.message.conversation_id": str(self.demand)}
        about |= {"svc.activity": activity} if activity else {}
        return ReadableSpan(
            name, context, parent, Resource({"service.name": service, "service.namespace": "svc"}),
            {**about, **{key: value for key, value in facts.items() if value not in ("", ())}},
            links=[Link(link) for link in links], kind=SpanKind.INTERNAL, instrumentation_scope=SCOPE,
            start_time=_nanoseconds(time.begin), end_time=_nanoseconds(time.end),
        )  # fmt: skip


def _place(entry: Entry) -> Place:
    return Place(entry.activity, entry.stream if entry.step else "", entry.step)


def _live(entry: Entry) -> SpanContext | None:
    """A span of the live trace with which this can be found there; None if it was not sampled."""
    found = (W3C.extract({"traceparent": event.traceparent}, Context()) for event in entry.outputs)
    contexts = (get_current_span(one).get_span_context() for one in found)
    return next((context for context in contexts if context.is_valid and context.trace_flags.sampled), None)


def _derived(size: int, *about: object) -> int:
    return int.from_bytes(blake2b("/".join(map(str, about)).encode(), digest_size=size).digest(), "big")


def _milliseconds(time: Stretch) -> int:
    return max(0, round((time.end - time.begin).total_seconds() * 1000))


def _nanoseconds(time: datetime) -> int:
    return round(time.timestamp() * 1_000_000) * 1_000


async def write(services: Services, demand: UUID, otlp: str) -> str:
    """Write the journey of one demand; returns its trace. `Trouble` if it has none, or nobody takes it."""
    journey = await follow(services, demand)
    found = spans(journey)
    if not found:
        raise Trouble(f"Nothing has happened to demand {demand} yet: `svc show {demand}` says when something has.")
    await export(found, otlp)
    context = found[0].context
    assert context is not None, "it was given one"
    return f"{context.trace_id:032x}"


async def export(found: list[ReadableSpan], otlp: str) -> None:
    """Send spans; `Trouble` if they are not taken."""
    exporter = OTLPSpanExporter(f"{otlp.rstrip('/')}/v1/traces", timeout=5)
    try:
        if await asyncio.to_thread(exporter.export, found) is not SpanExportResult.SUCCESS:
            raise Trouble(f"Spans are not taken at {otlp}: is a receiver of OTLP over HTTP there (SVC_OTLP)?")
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]


async def run(otlp: str, say: Say) -> int:
    """Write the journey of every demand of the chain that runs and comes to its end, until Ctrl-C."""
    found = running.find(default_path())
    async with Services(found.services) as services:
        writing = asyncio.create_task(keep(services, found.kafka, otlp or found.page, say))
        ending = asyncio.create_task(interrupted())
        await asyncio.wait({writing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if writing.done():
            writing.result()
        for task in (writing, ending):
            task.cancel()
        await asyncio.gather(writing, ending, return_exceptions=True)
    return 0


async def keep(services: Services, kafka: str, otlp: str, say: Say) -> None:
    """Write the journey of every demand that comes to its end, until cancelled.

    How far it has come is an offset that is committed after the journey was taken: after a crash or a restart the same
    spans may be sent again, and none is left out. While somebody is away it waits for them.
    """
    topic = flow_of(DemandStatusReported).topic
    tries = 0
    while True:
        try:
            async with AIOKafkaConsumer(
                topic, **clients(kafka), group_id=GROUP, enable_auto_commit=False, auto_offset_reset="earliest",
                partition_assignment_strategy=(RangePartitionAssignor,),
            ) as consumer:  # fmt: skip
                async for record in consumer:
                    demand = ended(record.value)
                    if demand and (found := spans(await follow(services, demand))):  # none: not of these databases
                        await export(found, otlp)
                        say(f"journey of demand {demand}: trace {trace_id(demand)}")
                    tries = 0
                    await consumer.commit({TopicPartition(record.topic, record.partition): record.offset + 1})
        except (KafkaError, Trouble) as away:
            pause, tries = PAUSES[min(tries, len(PAUSES) - 1)], tries + 1
            say(f"journeys wait {pause:g} s: {away or type(away).__name__}")
            await asyncio.sleep(pause)


def ended(value: bytes | None) -> UUID | None:
    """The demand whose end this record tells; None for any other record, and for what is none."""
    with suppress(ValueError, KeyError, TypeError):
        event = orjson.loads(value or b"null")
        if event["type"] == DemandStatusReported.type and event["data"]["status"] in FINAL:
            return UUID(event["data"]["demand"])
    return None
