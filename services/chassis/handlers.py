"""Handlers: functions registered by their annotations, checked against the table of flows at import.

    handles = Handlers(PLAN)

    @handles.step("weigh demand")  # or, outside of value streams, @handles.draws_on("portfolio management")
    def weigh_demand(demand: DemandConsolidated, budget: Budget) -> list[PortfolioDecisionMade | Later]: ...

The first parameter is the message, the others the state it needs (`Read[...]` to look only, `dict[str, Stock]` for
several rows, `Streams` for the value streams); the returned list says what may be told.
"""

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, Never, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import Field, create_model

from contracts import value_chain
from contracts.event import Command, Data, Message
from contracts.stream import Step, Streams
from services.chassis.outputs import Answer, Ask, Begin, Later, Work
from services.chassis.state import ONE, ONE_ROW, READ, Case, State

Decide = TypeVar("Decide", bound=Callable[..., list[Any]])
PLURAL_LIMIT = 100


class Redriving(Data):
    """What becomes of a parked record when its case is taken up again; of those that it does not name, nothing."""

    discard: UUID | None = None
    """The record to give up."""
    edit: UUID | None = None
    """The record that is taken up as `value` says it; the original stays in its topic."""
    value: dict[str, Any] | None = None
    """The corrected CloudEvent, about the same case."""
    reason: Annotated[str, Field(max_length=2000)] = ""
    """Why; kept with its receipt. Who says so is the client of this command."""


class Redrive(Command, Redriving):
    """Take the parked records of a case up again, in order."""

    parked_case: str


def redrive(command: Redrive, case: Case) -> list[Answer]:
    """Open a parked case again; its records follow, in order, in the same batch."""
    case.parked_by = None
    return [Answer(200, command)]


class Rows(NamedTuple):
    """A parameter of a handler: rows of one state, and how to find them in a message."""

    state: type[State[Any]]
    keys: Callable[[Message], Any]
    many: bool
    read: bool

    def wanted(self, message: Message) -> tuple[Any, ...]:
        """The ids of the rows this message needs. `ValueError` beyond 100."""
        keys = tuple(self.keys(message)) if self.many else (self.keys(message),)
        if len(keys) > PLURAL_LIMIT:
            raise ValueError(f"{len(keys)} rows of {self.state.__name__} in one message; at most {PLURAL_LIMIT}")
        return keys


class Handler(NamedTuple):
    """One handler: what it decides about, the rows it gets, and what it may tell."""

    decide: Callable[..., list[Any]]
    message: type[Message]
    parameters: tuple[Rows | type[Streams], ...]
    may_tell: frozenset[type[Any]]
    practices: tuple[str, ...] = ()
    """Those it draws on outside of a value stream, whose steps name their own."""


class Route(NamedTuple):
    """Where a message goes in this activity: the handler, and the step of its stream that it is."""

    handler: Handler
    step: Step | None


class Handlers:
    """The handlers of one activity.

    A wrong annotation, or one that the table of flows does not allow, is a `TypeError` at import.
    """

    def __init__(self, activity: str) -> None:
        self.activity = activity
        self.hears = {flow.event: flow for flow in value_chain.heard_by(activity)}
        self.tells = {flow.event: flow for flow in value_chain.told_by(activity)}
        self.registered: dict[tuple[str, str], Handler] = {}  # by (message type, capability; "" outside of steps)
        own: dict[str, Any] = {"__base__": Redrive, "__cls_kwargs__": {"activity": activity, "case": "parked_case"}}
        self.redrive: type[Redrive] = create_model("Redrive", **own)
        rows = (Rows(Case, attrgetter("case"), many=False, read=False),)
        self.registered[self.redrive.type, ""] = Handler(redrive, self.redrive, rows, frozenset({Answer}))
        self.follow(Streams())

    def draws_on(self, *practices: str) -> Callable[[Decide], Decide]:
        """Register a handler that hears its message in any value stream, with the management practices it draws on."""
        return lambda decide: self._register(decide, "", practices)

    def step(self, capability: str) -> Callable[[Decide], Decide]:
        """Register a handler of what this activity offers to value streams under the name `capability`."""
        return lambda decide: self._register(decide, capability)

    def _register(self, decide: Decide, capability: str, practices: tuple[str, ...] = ()) -> Decide:
        where = f"{decide.__module__}.{decide.__name__}"
        hints = get_type_hints(decide, include_extras=True)
        returned = get_args(hints.pop("return", None))
        if not hints or not returned:
            raise TypeError(f"{where}: annotate the message first, then the state, and return list[what it may tell]")
        message, *needs = hints.values()
        if message not in self.hears and not self._own(message):
            own = f"an event that {self.activity} hears by contracts/value_chain.py, or a command of its own"
            raise TypeError(f"{where}: the first parameter is {own}; {message} is neither")
        parameters = tuple(_parameter(where, message, need) for need in needs)
        told = [output for output in get_args(returned[0]) or returned if output is not Never]
        allowed = {Later, Begin, Ask, Work, *self.tells} | ({Answer} if issubclass(message, Command) else set())
        if wrong := [output for output in told if output not in allowed and not self._own(output)]:
            may = f"what {self.activity} tells by contracts/value_chain.py, commands to itself, an Answer to a command"
            raise TypeError(f"{where}: {wrong[0]} may not be returned; allowed: {may}, Later, Begin, Ask and Work")
        if other := self.registered.get((message.type, capability)):
            raise TypeError(f"{where}: {other.decide.__name__} hears {message.__name__} already")
        self.registered[message.type, capability] = Handler(decide, message, parameters, frozenset(told), practices)
        return decide

    def _own(self, message: Any) -> bool:
        return isinstance(message, type) and issubclass(message, Command) and message.activity == self.activity

    @cached_property
    def messages(self) -> Mapping[str, type[Message]]:
        """Every type that a handler here hears, by its CloudEvents `type`."""
        return {message_type: handler.message for (message_type, _), handler in self.registered.items()}

    @cached_property
    def states(self) -> list[type[State[Any]]]:
        """Every state that a handler needs: `Case`, own rows, then shared ones: the order in which they are locked."""
        states = {rows.state for needs in self.rows_of.values() for rows in needs}
        return sorted(states, key=lambda state: (state is not Case, state.shared, state.__name__))

    @cached_property
    def rows_of(self) -> Mapping[str, tuple[Rows, ...]]:
        """The rows that any handler of a message type needs."""
        needs: dict[str, tuple[Rows, ...]] = {}
        for (message_type, _), handler in self.registered.items():
            rows = tuple(parameter for parameter in handler.parameters if isinstance(parameter, Rows))
            needs[message_type] = needs.get(message_type, ()) + rows
        return needs

    @cached_property
    def locked(self) -> frozenset[type[State[Any]]]:
        """The shared states that a handler changes; those are locked, others are only looked at."""
        return frozenset(r.state for needs in self.rows_of.values() for r in needs if r.state.shared and not r.read)

    @cached_property
    def locking(self) -> frozenset[str]:
        """The message types whose handlers change a row of such a state."""
        changed = {kind: {rows.state for rows in needs if not rows.read} for kind, needs in self.rows_of.items()}
        return frozenset(kind for kind, states in changed.items() if states & self.locked)

    @cached_property
    def topics(self) -> list[str]:
        """The topics to subscribe to: the own inbox, and every topic with an event that is heard."""
        heard = {self.hears[message].topic for message in self.messages.values() if message in self.hears}
        return sorted(heard | {value_chain.inbox(self.activity)})

    def follow(self, streams: Streams) -> None:
        """Work by these value streams. `ValueError` for a step that this activity cannot do."""
        offers = sorted({capability for _, capability in self.registered if capability})
        for stream in streams:
            for step in stream.steps:
                if step.activity == self.activity and step.does not in offers:
                    where = f"{stream.stream}, step {step.step}: does: {step.does!r}"
                    raise ValueError(f"{where}: {self.activity} does not offer that; allowed: {', '.join(offers)}")
        self.streams, self.route = streams, cache(self._route)

    def _route(self, message_type: str, stream_name: str, told_by: str) -> Route | None:
        """The handler of a message told by a step of a stream, and the step of the stream that it is here.

        None when nothing here hears it. `LookupError` for a stream nobody knows.
        """
        plain, stream = self.registered.get((message_type, "")), self.streams.get(stream_name)
        if stream is None:
            if stream_name and plain is None:
                raise LookupError(f"value stream '{stream_name}' is not known here: its file is missing")
            return Route(plain, None) if plain else None
        if issubclass(self.messages[message_type], Command):  # from within a step, or for the first that takes it
            steps = [s for s in stream.steps if s.activity == self.activity and told_by in ("", s.step)]
        else:
            steps = list(stream.steps_for(self.activity, told_by)) if told_by else []
        for step in steps:
            if taker := self.registered.get((message_type, step.does)):
                return Route(taker, step)
        own = stream[told_by] if told_by and stream[told_by] in steps else None
        return Route(plain, own) if plain else None


def _parameter(where: str, message: type[Message], need: Any) -> Rows | type[Streams]:
    if need is Streams:
        return Streams
    if read := READ in getattr(need, "__metadata__", ()):
        need = get_args(need)[0]
    if many := get_origin(need) is dict:
        need = get_args(need)[1]
    if not (isinstance(need, type) and issubclass(need, State) and need.by):
        raise TypeError(f"{where}: {need} is not a state; write it as a class of State[...] with by=...")
    if need.by == ONE:
        return Rows(need, lambda _: ONE_ROW, many=False, read=read)
    field = need.by + "s" if many else need.by
    if field not in message.model_fields and not hasattr(message, field):
        raise TypeError(f"{where}: {message.__name__} has no field '{field}' to find {need.__name__} by")
    return Rows(need, attrgetter(field), many, read)
