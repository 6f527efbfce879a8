"""The fold: what a batch decides, in memory, between its read and its write."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from time import time_ns
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson
from opentelemetry.trace import SpanContext

from contracts import value_chain
from contracts.envelope import MOST_BYTES, Arrival, Record, encode, record_headers, source_of
from contracts.event import Command, Message
from contracts.stream import Step
from services.chassis import tracing
from services.chassis.handlers import Handler, Redrive, Rows
from services.chassis.outputs import Answer, Ask, Begin, Effect, Later, Work, refusal
from services.chassis.runtime import BATCHES, MESSAGES, Runtime
from services.chassis.state import Case, State

OWN_TRACE = ("demand", "initiative")
"""Cases that begin and end: each has a trace of its own, whoever causes something about it."""
NOT_NOW = refusal(409, "It does not apply", "The value stream of this case has no step that takes this command.")


class Output(NamedTuple):
    """A record to publish: the value is the whole event."""

    id: UUID
    topic: str
    partition: int
    case: str
    value: bytes
    headers: list[tuple[str, bytes]]

    def into(self, batch: Any) -> bool:
        """Append it to a batch for the broker; False when that is full."""
        return batch.append(key=self.case.encode(), value=self.value, headers=self.headers, timestamp=None) is not None


@dataclass(slots=True)
class Decided:
    """What came of one arrival: for its receipt, and for its spans."""

    arrival: Arrival
    context: SpanContext | None = None
    """The `process` span, if it is sampled."""
    trace: str = ""
    """The `traceparent` with which its case goes on: of what it stands below, or of itself where it begins a trace."""
    handler: str = ""
    stream: str = ""
    step: Step | None = None
    practices: tuple[str, ...] = ()
    effect: bool | None = None
    """Whether a handler has changed or told something; None where none was called."""
    answer: Answer | None = None
    outputs: list[Output] = field(default_factory=list)
    pending: list[dict[str, Any]] = field(default_factory=list)
    """Timers, and effects outside, as rows."""
    error: str = ""
    again: bool = False
    """It was decided before, and what it tells was published."""


class Fold:
    """One pass over a batch: `take` each arrival in order; then write the `arguments` and publish the `outputs`."""

    def __init__(self, runtime: Runtime, receipts: bytes | None, *found: bytes | None) -> None:
        """With what the read statement has found: JSON arrays of the receipts, and of each state's rows."""
        self.runtime, self.states, self.source = runtime, runtime.handlers.states, source_of(runtime.activity)
        self.known = {UUID(row["event_id"]): row["record"] for row in orjson.loads(receipts or b"[]")}
        self.rows = {state: state.load(rows) for state, rows in zip(self.states, found, strict=True)}
        self.changed: dict[type[State[Any]], dict[Any, State[Any]]] = {state: {} for state in self.states}
        self.receipts: list[tuple[UUID, str, bytes]] = []
        self.parked: list[dict[str, object]] = []
        self.decided: list[Decided] = []

    @property
    def outputs(self) -> list[Output]:
        """Everything to publish, in the order in which it was decided."""
        return [output for decided in self.decided if not decided.again for output in decided.outputs]

    @property
    def told(self) -> list[UUID]:
        """The receipts that have something to publish, in that order."""
        return [decided.arrival.id for decided in self.decided if decided.outputs and not decided.again]

    def arguments(self, reached: object, owned: object) -> tuple[object, ...]:
        """The parameters of the write statement; `reached` and `owned` are rows of `progress` and `ownership`."""
        ids, cases, records = map(list, zip(*sorted(self.receipts), strict=True)) if self.receipts else ([], [], [])
        pending = [row for decided in self.decided if not decided.again for row in decided.pending]
        rows = [state.dump(list(self.changed[state].values())) for state in self.states]
        return (ids, cases, records, *map(orjson.dumps, (pending, reached, self.parked, owned)), *rows)

    def take(self, arrival: Arrival, culprit: str) -> None:
        """Decide about an arrival, or set it aside with its case; one that has its receipt is done.

        `culprit` is why it must be set aside; empty for one that may be decided about.
        """
        if arrival.id in self.known:
            self.repeat(arrival, self.known[arrival.id])
            return
        self.known[arrival.id] = {}  # a copy within the batch finds that
        case: Case = self.row(Case, arrival.case)  # type: ignore[assignment]
        if arrival.discarded:
            self.accept(Decided(arrival))
        elif culprit:
            self.park(arrival, case, culprit)
        elif case.parked_by == arrival.id:
            self.announce(arrival, "it is parked already")  # a redelivery: its parked row says why
        elif case.parked_by and not isinstance(arrival.message, Redrive):
            self.park(arrival, case, f"waits behind {case.parked_by}")
        elif arrival.message is not None:
            self.decide(arrival, arrival.message, case)

    def repeat(self, arrival: Arrival, receipt: dict[str, Any]) -> None:
        """A redelivery (the same offset) has its spans exported again, after a crash perhaps; a mere copy ends here."""
        if place_of(arrival.record).items() <= receipt.items():
            handler, stream = receipt.get("handler", ""), receipt.get("stream", "")
            decided = Decided(arrival, *self.place(arrival), handler, stream, again=True)
            decided.outputs, decided.pending = told_by(self.runtime, receipt), receipt.get("waits", [])
            self.decided.append(decided)

    def park(self, arrival: Arrival, case: Case, reason: str) -> None:
        """Set a record aside, and with it its case if it is a known one."""
        if case.parked_by is None and (arrival.message is not None or case.version):
            case.parked_by = arrival.id
            self.change(case)
        reason = reason.encode(errors="replace").decode().replace("\0", "\ufffd")[:1000]  # what PostgreSQL can store
        record = arrival.record
        place = {"topic": record.topic, "part": record.partition, "off": record.offset}
        what = {"event_id": arrival.id, "case_id": arrival.case, "value": "\\x" + arrival.value.hex(), "reason": reason}
        self.parked.append(place | what)
        self.announce(arrival, reason)

    def announce(self, arrival: Arrival, reason: str) -> None:
        """Tell the dead-letter topic; the parked row is the truth, and has a value that is too large for a record."""
        record, topic = arrival.record, value_chain.dead_letters(self.runtime.activity)
        was = place_of(record) | {"timestamp": record.timestamp}
        words = {f"kafka_dlt-original-{name}": word for name, word in was.items()}
        words |= {"kafka_dlt-exception-message": reason, "svc_dlq-event-id": arrival.id}
        headers, value = ([*record.headers], record.value or b"") if len(arrival.value) <= MOST_BYTES else ([], b"")
        headers += [(name, str(word).encode()) for name, word in words.items()]
        announced = Output(arrival.id, topic, self.runtime.partition_of(arrival.case), arrival.case, value, headers)
        self.decided.append(Decided(arrival, *self.place(arrival), outputs=[announced], error=reason))

    def decide(self, arrival: Arrival, message: Message, case: Case) -> None:
        """Call the handler; what it returned and changed becomes outputs, timers, rows and a receipt.

        When it fails, the rows that it got are put back as they were (their values are immutable), and its record is
        set aside with its case.
        """
        before: list[tuple[State[Any], bool, dict[str, Any]]] = []
        decided = Decided(arrival, *self.place(arrival), stream=message.stream or case.stream)
        try:
            route = self.runtime.handlers.route(message.type, decided.stream, message.step)
            if route is None:  # heard in other streams or steps only; whoever waits for an answer learns so
                decided.answer = NOT_NOW if isinstance(message, Command) else None
                if decided.answer or arrival.parked:
                    self.accept(decided)
                return
            handler, decided.step = route
            decided.handler = handler.decide.__name__
            decided.practices = decided.step.practices if decided.step else handler.practices
            arguments, rows = self.parameters(handler, message)
            before = [(row, read, row.__dict__.copy()) for row, read in ((case, False), *rows)]
            returned = handler.decide(message, *arguments)
            if any(read and row.__dict__ != was for row, read, was in before):
                raise TypeError("it changed a row that it only reads")
            changed = [row for row, _, was in before if row.__dict__ != was]
            self.tell(decided, handler, message, case, returned)
            decided.effect = bool(changed or decided.outputs or decided.pending)
            case.stream = decided.stream  # a command that comes without stream and trace continues both
            case.traceparent = case.traceparent or decided.trace
            if not case.version or case.__dict__ != before[0][2]:
                changed.append(case)
            self.accept(decided)
        except Exception as error:  # noqa: BLE001 - the dead-letter edge: a bug sets one case aside, the others flow
            for row, _, was in before:
                row.__dict__.update(was)
            self.park(arrival, case, f"{type(error).__name__}: {error}")
            return
        for row in changed:
            self.change(row)

    def accept(self, decided: Decided) -> None:
        """Write down that an arrival is done, with everything the trail tells about it."""
        arrival, message, step, answer = decided.arrival, decided.arrival.message, decided.step, decided.answer
        heard = arrival.attributes
        trail: dict[str, object] = {
            **place_of(arrival.record), "source": heard["source"], "time": heard["time"],
            "fingerprint": heard.get("fingerprint"), "cause": heard.get("causationid"),
            "type": message.type if message else "", "practices": decided.practices, "handler": decided.handler,
            "stream": decided.stream, "step": step and step.step, "does": step and step.does, "effect": decided.effect,
            "answer": {"status": answer.status, "body": answer.body.model_dump(mode="json")} if answer else None,
            "decided_at": self.runtime.clock.now(), "discarded": arrival.discarded, "edited": arrival.edited,
            "waits": tuple({name: row[name] for name in ("id", "type", "due")} for row in decided.pending),
        }  # fmt: skip
        present = {name: value for name, value in trail.items() if value not in (None, "", ())}
        present["outputs"] = [orjson.Fragment(output.value) for output in decided.outputs]
        if isinstance(message, Command):
            present["data"] = orjson.Fragment(message.model_dump_json())
        self.receipts.append((arrival.id, arrival.case, orjson.dumps(present)))
        self.decided.append(decided)

    def parameters(self, handler: Handler, message: Message) -> tuple[list[object], list[tuple[State[Any], bool]]]:
        """The handler's arguments behind the message, and the rows among them, with whether they are only read."""
        arguments: list[object] = []
        rows: list[tuple[State[Any], bool]] = []
        for parameter in handler.parameters:
            if isinstance(parameter, Rows):
                found = {key: self.row(parameter.state, key) for key in parameter.wanted(message)}
                rows.extend((row, parameter.read) for row in found.values())
                arguments.append(found if parameter.many else next(iter(found.values())))
            else:
                arguments.append(self.runtime.handlers.streams)
        return arguments, rows

    def tell(self, decided: Decided, handler: Handler, message: Message, case: Case, returned: list[Any]) -> None:
        """Turn what a handler returned into records, timers and the answer to the caller."""
        time, settings = max(self.runtime.clock.now(), message.time), self.runtime.settings
        slip = {"stream": decided.stream, "step": decided.step.step if decided.step else ""}
        slip |= {"cause": str(decided.arrival.id), "traceparent": decided.trace}
        for index, item in enumerate(returned):
            if type(item) not in handler.may_tell:
                raise TypeError(f"it returned {type(item).__name__}, which its annotation does not allow")
            id = uuid5(message.id, f"{self.runtime.activity}/{index}")
            words: dict[str, Any] = slip
            if decided.context:  # sampled: it carries the context of its own `create` span
                words = slip | {"traceparent": tracing.traceparent(tracing.child(decided.context, "create", id))}
            match item:
                case Answer():
                    decided.answer = item
                case Later(at, command):
                    self.wait(decided, id, at, command, words)
                case Ask(effect):
                    self.wait(decided, id, time, effect, words)
                case Work(_, done, centre):
                    if settings.work == "auto":
                        self.publish(decided, id, time, done, words)
                    elif settings.work == "simulated":
                        effort, waits = item.takes(id.int, settings.minutes.get(centre)), centre in settings.centres
                        self.wait(decided, id, message.time + effort, done, words)
                        decided.pending[-1] |= {"begun": not waits, "centre": centre, "effort": effort.total_seconds()}
                    # manual: whoever does it reports it over the API
                case Begin(stream, command):
                    self.publish(decided, id, time, command, words | {"stream": stream, "step": ""})
                case Command():  # another case has a stream of its own, or none
                    elsewhere = {} if item.case == case.id else {"stream": "", "step": ""}
                    self.publish(decided, id, time, item, words | elsewhere)
                case _ if item.case == case.id:
                    case.sequence += 1
                    self.publish(decided, id, time, item, words | {"sequence": case.sequence})
                case _:
                    raise ValueError(f"{type(item).__name__} is about {item.case}, not {case.id}: return a command")

    def publish(self, decided: Decided, id: UUID, time: datetime, message: Message, words: dict[str, Any]) -> None:
        """One record to publish; `words` has its stream, the step that tells it, its cause and its trace."""
        value = encode(message, case=(case := message.case), id=id, source=self.source, time=time, **words)
        decided.outputs.append(output(self.runtime, id, message.type, case, words["traceparent"], value))

    def wait(self, decided: Decided, id: UUID, due: datetime, what: Command | Effect, words: dict[str, Any]) -> None:
        """One timer, or one effect outside, whose command arrives on the own inbox when it is due or done."""
        effect, kind = (what.name, what.name) if isinstance(what, Effect) else (None, what.type)
        row = {"id": id, "due": due, "attempts": 0, "effect": effect, "case_id": decided.arrival.case, "type": kind}
        decided.pending.append(row | {"context": words, "data": orjson.Fragment(what.model_dump_json())})

    def row(self, state: type[State[Any]], key: Any) -> State[Any]:
        """The row with this id; one with defaults when there is none."""
        rows = self.rows[state]
        if key not in rows:
            rows[key] = state(id=key)
        return rows[key]

    def change(self, row: State[Any]) -> None:
        """Remember that a row has changed; its version moves by one a batch."""
        changed = self.changed[type(row)]
        if row.id not in changed:
            changed[row.id] = row
            row.version += 1

    def place(self, arrival: Arrival) -> tuple[SpanContext | None, str]:
        """The `process` span of an arrival (None if unsampled), and the `traceparent` with which its case goes on.

        It stands below who told it. What another case has caused goes on in the trace of its own case, or begins it.
        Every record passes here: an unsampled one must cost next to nothing.
        """
        came, message = arrival.attributes.get("traceparent", ""), arrival.message
        alone = self.runtime.settings.trace_mode == "link"
        if came and message and message.case_field in OWN_TRACE and not alone:
            own: str = self.row(Case, arrival.case).traceparent  # type: ignore[attr-defined]
            alone = not own and isinstance(message, Command) and arrival.attributes["source"] == self.source
            came = own if own and own[3:35] != came[3:35] else came
        parent = tracing.parse_traceparent(came) if came[-1:] in tracing.SAMPLED else None
        if parent is None:
            return None, came
        context = tracing.child(parent, self.runtime.activity, arrival.id, alone=alone)
        return context, tracing.traceparent(context) if alone else came

    def settled(self, started: int) -> None:
        """All of it is in the database: count it, and hand over its spans; `started` in nanoseconds."""
        BATCHES.observe(len(self.decided))
        sampled_last = sorted(self.decided, key=lambda decided: decided.context is not None)
        for topic, context in {decided.arrival.record.topic: decided.context for decided in sampled_last}.items():
            tracing.PROCESS.labels("kafka", "process", topic).observe((time_ns() - started) / 1e9, tracing.ids(context))
        results: Counter[tuple[str, str]] = Counter()
        for decided in self.decided:
            message = decided.arrival.message
            results[message.type if message else "undecodable", "parked" if decided.error else "decided"] += 1
            if decided.error:
                ids = {"demand_id": decided.arrival.case, **tracing.ids(decided.context)}
                self.runtime.log.warning("a record is set aside with its case", reason=decided.error, **ids)
            if decided.pending:
                self.runtime.timers_changed.set()
            if decided.context:
                self.runtime.tracer.export_message(decided, decided.context, started)
        for words, number in results.items():
            MESSAGES.labels(*words).inc(number)


def place_of(record: Record) -> dict[str, Any]:
    """Where a record stands, as receipts say it."""
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def output(runtime: Runtime, id: UUID, message_type: str, case: str, traceparent: str, value: bytes) -> Output:
    """A record in its place: the topic of its type, the partition of its case."""
    flow = value_chain.BY_TYPE.get(message_type)
    topic = flow.topic if flow and flow.teller == runtime.activity else value_chain.inbox(runtime.activity)
    return Output(id, topic, runtime.partition_of(case), case, value, record_headers(traceparent))


def told_by(runtime: Runtime, receipt: dict[str, Any]) -> list[Output]:
    """The outputs that a receipt holds, as they were when they were decided."""
    return [
        output(runtime, UUID(e["id"]), e["type"], e["correlationid"], e.get("traceparent", ""), orjson.dumps(e))
        for e in receipt["outputs"]
    ]
