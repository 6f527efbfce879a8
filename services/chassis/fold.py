"""The fold: what a batch decides, in memory, between its read and its write."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson
from opentelemetry.trace import SpanContext

from contracts import value_chain
from contracts.envelope import Arrival, encode, record_headers, source_of
from contracts.event import Command, Message
from contracts.stream import Step, Streams
from services.chassis import tracing
from services.chassis.handlers import Handler, Redrive, Rows
from services.chassis.outputs import Answer, Ask, Begin, Effect, Later, Work
from services.chassis.runtime import Runtime
from services.chassis.state import State
from services.chassis.store import Case


NOT_NOW = {
    "status": 409,
    "body": {
        "type": "about:blank",
        "title": "It does not apply",
        "status": 409,
        "detail": "The value stream of this case has no step that takes this command.",
    },
}
"""The answer to a command that no step of its case's stream takes."""


class HandlerFailed(Exception):  # noqa: N818 - it says what happened
    """A handler raised, or returned what it may not: the fold is discarded and folded again with this arrival set aside."""

    def __init__(self, arrival: Arrival, reason: str) -> None:
        super().__init__(reason)
        self.arrival, self.reason = arrival, reason


class Output(NamedTuple):
    """A record to publish: the value is the whole event."""

    id: UUID
    topic: str
    partition: int
    case: str
    value: bytes
    headers: list[tuple[str, bytes]]
    traceparent: str = ""


class Slip(NamedTuple):
    """The routing slip of an output: its stream, and the step that told it."""

    stream: str
    step: str


@dataclass(slots=True)
class Decided:
    """What came of one arrival: for its receipt, and for its spans."""

    arrival: Arrival
    context: SpanContext | None
    handler: str = ""
    stream: str = ""
    step: Step | None = None
    may_tell: frozenset[type[Any]] = frozenset()
    outputs: list[Output] = field(default_factory=list)
    waiting: list[Output] = field(default_factory=list)
    """The commands that timers and effects will bring; not published now."""
    trail: dict[str, Any] = field(default_factory=dict)
    error: str = ""


class Fold:
    """One pass over a batch. `take` each arrival in order; then `arguments()` is what to write and `outputs` what to publish."""

    def __init__(self, runtime: Runtime, states: Sequence[type[State[Any]]], found: Sequence[Any]) -> None:
        self.runtime, self.states, self.source = runtime, states, source_of(runtime.activity)
        self.known = {UUID(row["event_id"]): row["record"] for row in orjson.loads(found[0])} if found[0] else {}
        self.rows = {state: state.load(text) for state, text in zip(states, found[1:], strict=True)}
        self.changed: dict[type[State[Any]], dict[Any, State[Any]]] = {state: {} for state in states}
        self.taken: set[UUID] = set()
        self.receipts: list[tuple[UUID, str, bytes]] = []
        self.pending: list[dict[str, object]] = []
        self.finished: list[UUID] = []
        self.parked: list[dict[str, object]] = []
        self.redriven: list[UUID] = []
        self.discard: dict[UUID, str] = {}
        self.ends: dict[tuple[str, int], int] = {}
        self.decided: list[Decided] = []
        self.outputs: list[Output] = []

    @property
    def writes(self) -> bool:
        """Whether there is anything to write: a batch of redeliveries has nothing."""
        return bool(self.receipts or self.parked)

    def arguments(self) -> tuple[object, ...]:
        """The parameters of the write statement."""
        self.receipts.sort()
        ids, cases, records = [list(column) for column in zip(*self.receipts, strict=True)] or ([], [], [])
        positions = [{"topic": topic, "part": part, "next_offset": end} for (topic, part), end in self.ends.items()]
        rows = [state.dump(list(self.changed[state].values())) for state in self.states]
        return (
            ids, cases, records, orjson.dumps(self.pending), self.finished, orjson.dumps(positions), orjson.dumps(self.parked),
            self.redriven, *rows,
        )  # fmt: skip

    def take(self, arrival: Arrival, culprit: str) -> None:
        """Decide about an arrival, or publish again what was decided, or set it aside with its case; `culprit` is why it must be parked."""
        record = arrival.record
        self.ends[record.topic, record.partition] = max(
            self.ends.get((record.topic, record.partition), 0), record.offset + 1
        )
        if arrival.id in self.taken:
            return  # a copy within the batch
        self.taken.add(arrival.id)
        if arrival.id in self.known:
            self.repeat(arrival, self.known[arrival.id])
            return
        case: Case = self.row(Case, arrival.case)  # type: ignore[assignment]
        if arrival.id in self.discard:
            self.redriven.append(arrival.id)
            self.accept(Decided(arrival, None, trail={"discarded": self.discard[arrival.id] or "no reason given"}))
        elif culprit or (case.parked_by and not isinstance(arrival.message, Redrive)):
            self.park(arrival, case, culprit or f"waits behind {case.parked_by}")
        elif arrival.message is not None:
            self.decide(arrival, arrival.message, case)

    def repeat(self, arrival: Arrival, receipt: dict[str, Any]) -> None:
        """A redelivery (the same offset) publishes the same outputs under the same ids; a copy (another offset) ends here."""
        record = arrival.record
        if (receipt["topic"], receipt["partition"], receipt["offset"]) != (
            record.topic,
            record.partition,
            record.offset,
        ):
            return
        decided = Decided(arrival, self.context(arrival), receipt.get("handler", ""), receipt.get("stream", ""))
        for told in receipt["outputs"]:
            trace = told.get("traceparent", "")
            decided.outputs.append(
                self.output(UUID(told["id"]), told["type"], told["correlationid"], trace, orjson.dumps(told))
            )
        self.decided.append(decided)
        self.outputs.extend(decided.outputs)

    def park(self, arrival: Arrival, case: Case, reason: str) -> None:
        """Set a record aside, and with it its case if it is a known one; the dead-letter topic announces it."""
        if case.parked_by is None and (arrival.message is not None or case.version):
            case.parked_by = arrival.id
            self.change(case)
        record, value = arrival.record, arrival.record.value or b""
        self.parked.append(
            {"event_id": arrival.id, "case_id": arrival.case, "topic": record.topic, "part": record.partition, "off": record.offset,
             "value": "\\x" + value.hex(), "reason": reason[:1000]}
        )  # fmt: skip
        partition = self.runtime.partition_of(arrival.case)
        headers = [
            *record.headers, ("kafka_dlt-original-topic", record.topic.encode()), ("kafka_dlt-exception-message", reason[:1000].encode()),
            ("kafka_dlt-original-partition", str(record.partition).encode()), ("kafka_dlt-original-offset", str(record.offset).encode()),
            ("kafka_dlt-original-timestamp", str(record.timestamp).encode()), ("svc_dlq-event-id", str(arrival.id).encode()),
        ]  # fmt: skip
        topic = value_chain.dead_letters(self.runtime.activity)
        self.outputs.append(Output(arrival.id, topic, partition, arrival.case, value, headers))
        self.decided.append(Decided(arrival, self.context(arrival), error=reason))

    def decide(self, arrival: Arrival, message: Message, case: Case) -> None:
        """Call the handler; what it returned and changed becomes outputs, timers, rows and a receipt."""
        stream = message.stream or case.stream
        try:
            route = self.runtime.handlers.route(message.type, stream, message.step)
            if route is None:  # heard in other streams or steps only; whoever waits for an answer learns so
                if isinstance(message, Command):
                    self.accept(Decided(arrival, None, trail={"answer": NOT_NOW}))
                return
            handler, step = route
            arguments, rows = self.parameters(handler, message, step)
            before = [row.__dict__.copy() for row, _ in rows]
            decided = Decided(arrival, self.context(arrival), handler.name, stream, step, handler.may_tell)
            returned = handler.decide(message, *arguments)
            changed = [(row, read) for (row, read), was in zip(rows, before, strict=True) if row.__dict__ != was]
            if any(read for _, read in changed):
                raise TypeError("it changed a row that it only reads")
            answer = self.tell(decided, message, case, Slip(stream, step.step if step else ""), returned)
        except Exception as error:
            raise HandlerFailed(arrival, f"{type(error).__name__}: {error}") from error
        for row, _ in changed:
            self.change(row)
        trace = case.traceparent or arrival.attributes.get("traceparent", "")
        if not case.version or (stream, trace) != (case.stream, case.traceparent):
            case.stream, case.traceparent = stream, trace  # a command that comes without them continues both
            self.change(case)
        if isinstance(message, Command):
            self.finished.append(message.id)
        if isinstance(message, Redrive) and message.discard:
            self.discard[message.discard] = message.reason
        if arrival.parked:
            self.redriven.append(arrival.id)
        decided.trail |= {"effect": bool(changed or decided.outputs or decided.waiting), "answer": answer}
        self.accept(decided)

    def accept(self, decided: Decided) -> None:
        """Write down that an arrival is done, with everything the trail tells about it."""
        arrival, message, step = decided.arrival, decided.arrival.message, decided.step
        record, attributes = arrival.record, arrival.attributes
        trail: dict[str, object] = {
            "topic": record.topic, "partition": record.partition, "offset": record.offset, "type": message.type if message else "",
            "source": attributes["source"], "time": attributes["time"], "cause": attributes.get("causationid"),
            "fingerprint": attributes.get("fingerprint"), "handler": decided.handler, "stream": decided.stream,
            "step": step.step if step else None, "does": step.does if step else None, "practices": step.practices if step else None,
            "decided_at": self.runtime.clock.now(), **decided.trail,
        }  # fmt: skip
        present = {name: value for name, value in trail.items() if value not in (None, "", ())}
        present["outputs"] = [orjson.Fragment(output.value) for output in decided.outputs]
        if isinstance(message, Command):
            present["data"] = orjson.Fragment(message.model_dump_json())
        self.receipts.append((arrival.id, arrival.case, orjson.dumps(present)))
        self.decided.append(decided)
        self.outputs.extend(decided.outputs)

    def parameters(
        self, handler: Handler, message: Message, step: Step | None
    ) -> tuple[list[object], list[tuple[State[Any], bool]]]:
        """The handler's arguments behind the message, and the rows among them, with whether they are only read."""
        arguments: list[object] = []
        rows: list[tuple[State[Any], bool]] = []
        for parameter in handler.parameters:
            if isinstance(parameter, Rows):
                found = {key: self.row(parameter.state, key) for key in parameter.wanted(message)}
                rows.extend((row, parameter.read) for row in found.values())
                arguments.append(found if parameter.many else next(iter(found.values())))
            elif parameter is Streams:
                arguments.append(self.runtime.handlers.streams)
            elif step is None:
                raise LookupError(f"{handler.name} works within a value stream's step; this message is in none")
            else:
                arguments.append(step)
        return arguments, rows

    def tell(
        self, decided: Decided, message: Message, case: Case, slip: Slip, returned: list[Any]
    ) -> dict[str, object] | None:
        """Turn what a handler returned into records and timers; returns its answer to the caller, if any."""
        answer: dict[str, object] | None = None
        time = max(self.runtime.clock.now(), message.time)
        for index, item in enumerate(returned):
            if type(item) not in decided.may_tell:
                raise TypeError(f"it returned {type(item).__name__}, which its annotation does not allow")
            id = uuid5(message.id, str(index))
            match item:
                case Answer(status, body):
                    answer = {"status": status, "body": body.model_dump(mode="json")}
                case Later(at, command):
                    self.wait(decided, id, at, command, slip)
                case Ask(effect):
                    self.wait(decided, id, time, effect, slip)
                case Work(_, done) if self.runtime.settings.work == "auto":
                    self.publish(decided, id, time, done, slip)
                case Work(effort, done) if self.runtime.settings.work == "simulated":
                    self.wait(decided, id, message.time + effort * Random(id.int).uniform(0.7, 1.3), done, slip)
                case Work():
                    pass  # manual: whoever does it reports it over the API
                case Begin(stream, command):
                    self.publish(decided, id, time, command, Slip(stream, ""))
                case Command():  # another case has a stream of its own, or none
                    self.publish(decided, id, time, item, slip if item.case == case.id else Slip("", ""))
                case _:
                    if item.case != case.id:
                        raise ValueError(
                            f"it told {type(item).__name__} about {item.case}, but heard about {case.id}: return a command"
                        )
                    case.sequence += 1
                    self.change(case)
                    self.publish(decided, id, time, item, slip, case.sequence)
        return answer

    def publish(
        self, decided: Decided, id: UUID, time: datetime, message: Message, slip: Slip, sequence: int = 0
    ) -> None:
        """One record to publish."""
        trace = self.created(decided, id)
        value = encode(
            message, id=id, source=self.source, time=time, cause=str(decided.arrival.id), sequence=sequence,
            stream=slip.stream, step=slip.step, traceparent=trace,
        )  # fmt: skip
        decided.outputs.append(self.output(id, message.type, message.case, trace, value))

    def wait(self, decided: Decided, id: UUID, due: datetime, what: Command | Effect, slip: Slip) -> None:
        """One timer, or one effect outside, whose command arrives on the own inbox when it is due or done."""
        trace, case = self.created(decided, id), decided.arrival.case
        effect, kind = (what.name, what.name) if isinstance(what, Effect) else (None, what.type)
        context = {"stream": slip.stream, "step": slip.step, "traceparent": trace, "cause": decided.arrival.id}
        self.pending.append(
            {"id": id, "due": due, "attempts": 0, "effect": effect, "case_id": case, "type": kind, "context": context,
             "data": orjson.Fragment(what.model_dump_json())}
        )  # fmt: skip
        decided.waiting.append(self.output(id, "", case, trace, b""))
        decided.trail.setdefault("waits", []).append({"id": id, "type": kind, "due": due})

    def output(self, id: UUID, message_type: str, case: str, traceparent: str, value: bytes) -> Output:
        """A record in its place: the topic of its type, the partition of its case."""
        flow = value_chain.BY_TYPE.get(message_type)
        topic = (
            flow.topic if flow and flow.teller == self.runtime.activity else value_chain.inbox(self.runtime.activity)
        )
        partition = self.runtime.partition_of(case)
        return Output(id, topic, partition, case, value, record_headers(traceparent), traceparent)

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

    def context(self, arrival: Arrival) -> SpanContext | None:
        """The context of this arrival's `process` span, below the span that its record names."""
        parent = tracing.parse_traceparent(arrival.attributes.get("traceparent"))
        return tracing.child(parent, tracing.span_id_of(self.runtime.activity, arrival.id)) if parent else None

    def created(self, decided: Decided, id: UUID) -> str:
        """The `traceparent` that an output carries: of its own `create` span; unsampled, the bytes pass through."""
        if decided.context is None or not decided.context.trace_flags.sampled:
            return decided.arrival.attributes.get("traceparent", "")
        return tracing.traceparent(tracing.child(decided.context, tracing.span_id_of("create", id)))
