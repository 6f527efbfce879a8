"""Engage in one process, without broker and database: what it tells, what it keeps, and the timers it sets."""

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5

from contracts.event import Command, Event, Message
from contracts.stream import Streams, read_stream, read_streams
from services.chassis.handlers import Rows
from services.chassis.outputs import Answer, Begin, Later, Problem
from services.chassis.settings import Settings
from services.engage.handlers import handles

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
EMILY, PAUL, CFO = "emily.carter@bluefleet.example", "paul@familyfun.example", "cfo@bluefleet.example"
ONE = UUID("5f0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e")
TWO = UUID("7d0c3c4e-8d5e-5a51-9a5b-0c9b6a1f2d3e")
Kind = TypeVar("Kind")
CHANGE = """
stream: change-a-live-service
title: Change a live service
owner: Change manager
trigger: {kind: change_request}
promise: {hours: 720}
improvement_target: none
steps:
  - {step: initiate-change, activity: engage, does: initiate change, practices: [change enablement],
     hands_on: [DemandConsolidated, ServiceRequirementsStated, ChangeInitiationRequested, DemandStatusReported]}
  - {step: weigh-demand, activity: plan, does: weigh demand, practices: [portfolio management],
     hands_on: [PortfolioDecisionMade], after: [initiate-change]}
  - {step: confirm-value, activity: engage, does: confirm value, practices: [relationship management],
     hands_on: [DemandStatusReported, ValueJudged], after: [weigh-demand]}
"""
FEEDBACK = """
stream: act-on-{kind}
title: Act on feedback
owner: Improvement manager
trigger: {{kind: {kind}}}
promise: {{hours: 720}}
improvement_target: none
steps:
  - {{step: pass-on, activity: engage, does: pass on feedback, practices: [continual improvement],
     hands_on: [ImprovementOpportunityIdentified, DemandStatusReported]}}
  - {{step: answer, activity: engage, does: answer feedback, practices: [relationship management],
     hands_on: [DemandStatusReported, ValueJudged], after: [pass-on]}}
"""
ONBOARD = """
stream: onboard-a-consumer
title: Onboard a consumer
owner: Relationship manager
trigger: {kind: onboarding}
promise: {hours: 100}
improvement_target: none
steps:
  - {step: onboard, activity: engage, does: onboard consumer, practices: [relationship management],
     hands_on: [SupportTaskRequested, DemandStatusReported]}
  - {step: train, activity: deliver_support, does: fulfil request, practices: [service request management],
     hands_on: [SupportTaskCompleted], after: [onboard]}
  - {step: confirm-value, activity: engage, does: confirm value, practices: [relationship management],
     hands_on: [DemandStatusReported, ValueJudged], after: [train]}
"""
FULFIL = """
stream: fulfil-a-service-request
title: Fulfil a service request
owner: Request manager
trigger: {kind: service_request}
promise: {hours: 72}
improvement_target: none
steps:
  - {step: request-support, activity: engage, does: request support, practices: [service desk],
     hands_on: [SupportTaskRequested, DemandStatusReported]}
"""
SHIPPED = {stream.stream: stream for stream in read_streams(Settings().streams)}
WRITTEN = {
    "change-a-live-service": CHANGE, "onboard-a-consumer": ONBOARD, "fulfil-a-service-request": FULFIL,
    "act-on-feedback": FEEDBACK.format(kind="feedback"), "act-on-complaint": FEEDBACK.format(kind="complaint"),
}  # fmt: skip
KINDS = {"new_product_or_service", "incident"}
STREAMS = Streams(
    [*(stream for stream in SHIPPED.values() if stream.trigger.kind in KINDS)]
    + [read_stream(text, name) for name, text in WRITTEN.items()]
)


class House:
    """Runs messages through Engage's real routes, each of its own commands at once; timers wait until `pass_time`."""

    def __init__(self) -> None:
        self.now, self.number = NOW, 0
        self.rows: dict[tuple[type, Any], Any] = {}
        self.streams: dict[str, str] = {}
        self.events: list[Any] = []
        self.timers: list[tuple[datetime, Command]] = []
        self.answers: list[Answer] = []
        handles.follow(STREAMS)

    def hear(self, message: Message, *, stream: str = "", step: str = "") -> list[Any]:
        """What Engage tells because of a message, and of all that follows from it within Engage."""
        waiting, before = deque([(message, stream, step)]), len(self.events)
        while waiting:
            one, its_stream, its_step = waiting.popleft()
            waiting.extend(self.take(one, its_stream, its_step))
        return self.events[before:]

    def take(self, message: Message, stream: str, step: str) -> list[tuple[Message, str, str]]:
        stream = stream or self.streams.get(message.case, "")
        route = handles.route(message.type, stream, step)
        if route is None:
            return []
        self.streams[message.case] = stream
        self.number += 1
        told = message.at(self.now, id=uuid5(ONE, str(self.number)), stream=stream, step=step)
        arguments = [self.argument(parameter, told) for parameter in route.handler.parameters]
        mine = route.step.step if route.step else ""
        following: list[tuple[Message, str, str]] = []
        for output in route.handler.decide(told, *arguments):
            assert type(output) in route.handler.may_tell
            match output:
                case Answer():
                    self.answers.append(output)
                case Later(at, command):
                    self.timers.append((at, command))
                case Begin(begun, command):
                    following.append((command, begun, ""))
                case Command():
                    own = output.case == message.case
                    following.append((output, stream if own else "", mine if own else ""))
                case Event():
                    assert output.case == message.case, "an event has the case of what was heard"
                    self.events.append(output)
        return following

    def argument(self, parameter: Any, message: Message) -> Any:
        if not isinstance(parameter, Rows):
            return STREAMS
        found = {key: self.row(parameter.state, key) for key in parameter.wanted(message)}
        return found if parameter.many else next(iter(found.values()))

    def row(self, state: type[Kind], key: Any = "the") -> Kind:
        """A row that Engage keeps."""
        return self.rows.setdefault((state, key), state(id=key))  # type: ignore[call-arg,no-any-return]

    def pass_time(self, time: timedelta | datetime) -> list[Any]:
        """What Engage tells while time passes, because of its timers."""
        until, before = self.now + time if isinstance(time, timedelta) else time, len(self.events)
        while due := sorted((timer for timer in self.timers if timer[0] <= until), key=lambda timer: timer[0]):
            self.timers.remove(due[0])
            self.now = due[0][0]
            self.hear(due[0][1])
        self.now = until
        return self.events[before:]

    def ask(self, command: Command) -> Answer:
        """What the caller of a command is answered."""
        self.hear(command)
        return self.answers[-1]

    def refused(self, command: Command) -> Problem:
        """The refusal of a command, which tells nothing and changes nothing."""
        rows = {key: row.model_copy() for key, row in self.rows.items()}
        told = len(self.events), len(self.timers)
        answer = self.ask(command)
        assert isinstance(answer.body, Problem)
        assert answer.body.detail
        assert (len(self.events), len(self.timers)) == told
        assert all(row == rows.get(key, type(row)(id=row.id)) for key, row in self.rows.items())
        return answer.body


def only(kind: type[Kind], outputs: list[Any]) -> Kind:
    """The one output of a kind."""
    (found,) = all_of(kind, outputs)
    return found


def all_of(kind: type[Kind], outputs: list[Any]) -> list[Kind]:
    """Every output of a kind."""
    return [output for output in outputs if isinstance(output, kind)]
