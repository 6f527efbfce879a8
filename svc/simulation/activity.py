"""One activity of a simulated chain: its handlers and all its rows in memory, one message at a time.

What is decided about a message is the chassis's own `Fold`. What differs is where it comes from and goes to: a row is
an object, what is told is handed on as an object, and its bytes are made once, for who looks at them from outside.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from contracts import value_chain
from contracts.clock import Clock
from contracts.envelope import Arrival, Attributes, Headers, encode
from contracts.event import Command, Message, Told
from services.chassis.fold import Decided, Fold, Output
from services.chassis.handlers import Handler, Handlers
from services.chassis.outputs import Effect
from services.chassis.runtime import Runtime
from services.chassis.settings import Settings
from services.chassis.state import Case, State
from svc.simulation.bounds import BoundBroken, bounds_of

Performed = Mapping[type[Effect], Callable[[Any], Command]]
"""What comes back when an effect outside has succeeded, by its kind."""


class SimulatedClock(Clock):
    """The chain's clock, set by what happens next."""

    def __init__(self, time: datetime) -> None:
        super().__init__()
        self.time = time

    def now(self) -> datetime:
        """Chain time, in UTC."""
        return self.time


NO_RECORD = Output(UUID(int=0), "", 0, "", b"", [])
"""What a decision has told, in the place of a record: no broker is here to take it."""


@dataclass(slots=True)
class Carried:
    """A record of no broker: what a message says, as far as somebody reads it from its bytes."""

    value: bytes | None = None
    topic: str = ""
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: Headers = ()


class Posting(NamedTuple):
    """A message on its way from an activity."""

    arrival: Arrival
    at: datetime
    """When it sets out: a timer when it is due."""
    value: bytes
    """The whole event as bytes; empty for a command, a timer, and what comes back from outside."""
    words: Mapping[str, Any]
    """Its stream, the step that tells it, its cause, and its number among the events of its case."""
    centre: str = ""
    """The work centre in which somebody must be free first; empty if it need not wait for one."""
    effort: timedelta = timedelta(0)
    """How long they work on it then."""


class SetAside(NamedTuple):
    """A message that a handler could not decide about, or that waits behind one."""

    activity: str
    arrival: Arrival
    reason: str


class SimulatedActivity(Fold):
    """The fold of one activity, over all that it ever hears."""

    def __init__(self, handlers: Handlers, settings: Settings, clock: Clock, performed: Performed) -> None:
        runtime = Runtime(handlers, settings)
        runtime.clock = clock
        super().__init__(runtime, None, *(None for _ in handlers.states))
        self.performed = performed
        self.bounds = {state: bounds for state in handlers.states if (bounds := bounds_of(state))}
        self.handed: list[tuple[State[Any], bool]] = []
        self.postings: list[Posting] = []
        self.aside: list[SetAside] = []
        self.consumed: Counter[tuple[str, str]] = Counter()
        """What it made something of, by type and source."""
        self.told_types: Counter[str] = Counter()
        self.practised: Counter[str] = Counter()
        self.answered: dict[UUID, dict[str, Any]] = {}
        """The receipts of commands from outside, as a door reads them."""
        self.by_wire = False
        """Whether its rows go through JSON after each change, as into a database and back."""

    def hear(self, arrival: Arrival) -> list[Posting]:
        """Decide about a message; what is to be carried on because of it."""
        self.postings, self.handed = [], []
        self.take(arrival, arrival.error)
        return self.postings

    def end_rows(self) -> dict[type[State[Any]], list[State[Any]]]:
        """Every row that a database would have, by state, in order."""
        rows = {state: [row for row in found.values() if row.version] for state, found in self.rows.items()}
        return {state: sorted(found, key=lambda row: str(row.id)) for state, found in rows.items()}

    def coverage(self) -> dict[str, list[dict[str, Any]]]:
        """What it consumed with an effect, told, and drew on, as `GET /coverage` says it."""
        return {
            "consumed": [{"type": kind, "source": source, "count": n} for (kind, source), n in self.consumed.items()],
            "told": [{"type": kind, "count": count} for kind, count in self.told_types.items()],
            "practised": [{"practice": name, "count": count} for name, count in self.practised.items()],
        }

    # what the chassis's fold leaves to the broker and the database

    def parameters(self, handler: Handler, message: Message) -> tuple[list[object], list[tuple[State[Any], bool]]]:
        """The handler's arguments; its rows are remembered, for their bounds."""
        arguments, self.handed = super().parameters(handler, message)
        return arguments, self.handed

    def accept(self, decided: Decided) -> None:
        """What the database does at the write: refuse a row that breaks its bound; else the decision counts."""
        for row, read in self.handed:
            for bound in () if read else self.bounds.get(type(row), ()):
                if not bound.holds(row):
                    raise BoundBroken(f"{row.table} {row.id} would not keep {bound.sql!r}")
        arrival, answer = decided.arrival, decided.answer
        self.postings += map(self._put_off, decided.pending)
        if decided.effect and arrival.message:
            self.consumed[arrival.message.type, arrival.attributes["source"]] += 1
            self.practised.update(decided.practices)
        for posting in self.postings:
            if posting.value and posting.arrival.message:
                self.told_types[posting.arrival.message.type] += 1
        if fingerprint := arrival.attributes.get("fingerprint"):
            body = answer and {"status": answer.status, "body": answer.body.model_dump(mode="json")}
            self.answered[arrival.id] = {"fingerprint": fingerprint, "answer": body}

    def park(self, arrival: Arrival, case: Case, reason: str) -> None:
        """Set a message aside, and its case with it: an error of the run."""
        self.postings = []
        if case.parked_by is None:
            case.parked_by = arrival.id
            self.change(case)
        self.aside.append(SetAside(self.runtime.activity, arrival, reason))

    def change(self, row: State[Any]) -> None:
        """A row has changed: it is one version further."""
        row.version += 1
        if self.by_wire:
            self.rows[type(row)] |= type(row).load(type(row).dump([row]))

    def publish(self, decided: Decided, id: UUID, time: datetime, message: Message, words: dict[str, Any]) -> None:
        """The message itself sets out; only what is told to others becomes bytes, for who looks from outside."""
        value = b"" if isinstance(message, Command) else encode(message, id=id, source=self.source, time=time, **words)
        decided.outputs.append(NO_RECORD)
        self.postings.append(Posting(arriving(message, id, time, self.source, words), time, value, words))

    def wait(self, decided: Decided, id: UUID, due: datetime, what: Command | Effect, words: dict[str, Any]) -> None:
        """A timer sets out when it is due; an effect outside succeeds at once, and what it brings comes now."""
        command = self.performed[type(what)](what) if isinstance(what, Effect) else what
        decided.pending.append({"id": id, "due": due, "command": command, "words": words})

    def _put_off(self, row: Mapping[str, Any]) -> Posting:
        """What a row of the chassis's table of timers and work becomes."""
        arrival = arriving(row["command"], row["id"], row["due"], self.source, row["words"])
        centre = "" if row.get("begun", True) else row["centre"]
        return Posting(arrival, row["due"], b"", row["words"], centre, timedelta(seconds=row.get("effort", 0)))


def arriving(message: Message, id: UUID, time: datetime, source: str, words: Mapping[str, Any]) -> Arrival:
    """A message as it arrives, without having been bytes; `words` as the envelope has them."""
    stream, step = words.get("stream", ""), words.get("step", "")
    if hasattr(message, "_told"):  # it was heard before, and is handed on
        message = message.model_copy()
    message.tell(Told(id, time, stream, step))
    attributes = Attributes(id=id, source=source, time=time, causationid=words.get("cause", ""))
    if fingerprint := words.get("fingerprint"):
        attributes["fingerprint"] = fingerprint
    return Arrival(id, message.case, Carried(), attributes, message)


def by_wire(activity: SimulatedActivity, arrival: Arrival) -> Arrival:
    """The same message as the activity reads it from its bytes: what a service would get."""
    assert arrival.message is not None, "it was told by somebody"
    message, words = arrival.message, arrival.attributes
    value = encode(
        message, id=arrival.id, source=words["source"], time=words["time"], cause=words.get("causationid", ""),
        stream=message.stream, step=message.step, fingerprint=words.get("fingerprint", ""),
    )  # fmt: skip
    read = activity.runtime.codec.receive(Carried(value, value_chain.inbox(activity.runtime.activity)))
    assert read is not None, f"{activity.runtime.activity} hears {message.type}"
    return read
