"""Monitoring and event management: what is kept, what counts to a trend, and what raises an incident by itself."""

from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel

from services.chassis.outputs import Answer, refusal
from services.chassis.state import Read
from services.deliver_support.model import KnownErrorRecorded, LiveService, Outlook
from services.deliver_support.problem import problem_of, recognise, words_of
from services.deliver_support.problem_model import (
    Incident,
    IncidentRaised,
    MonitoredEvent,
    MonitoringReported,
    ProblemWeighed,
    Trend,
)

MOST_EVENTS = 200
"""Of one service: the newest say how it runs, and its row stays small."""
PRIORITY = {1: 2, 2: 3, 3: 4}
"""Of an incident that nobody has complained of yet, by the criticality of the service."""


class MonitoringTaken(BaseModel):
    """What came of something that monitoring has seen."""

    event: str
    incident: UUID | None
    """The incident that it raised or belongs to; null for none."""
    text: str


def take_monitoring_event(
    reported: MonitoringReported, trend: Trend, service: Read[LiveService], outlook: Read[Outlook]
) -> list[Answer | IncidentRaised | KnownErrorRecorded | ProblemWeighed]:
    """Keep information, count a warning to the trend, and raise an incident from an exception, one for each signal."""
    if not service.live:
        detail = f"{reported.service} is not in the register; `POST /services` takes over what is live already."
        return [refusal(404, "There is no such service", detail)]
    if known := next((one for one in trend.events if one.event == reported.event), None):
        text = "It was reported before: nothing happens twice."
        return [Answer(200, MonitoringTaken(event=known.event, incident=known.incident, text=text))]
    open_one = incident_of(reported.signal, trend) if reported.severity == "exception" else None
    new = uuid5(NAMESPACE_URL, f"monitoring:{reported.service}:{reported.event}")
    incident = (open_one or new) if reported.severity == "exception" else None
    trend.events = (*trend.events, seen(reported, incident))[-MOST_EVENTS:]
    raised = [raise_from(reported, new, service)] if incident == new else []
    problems = count_warning(reported, trend, outlook) if reported.severity == "warning" else []
    text = said(reported, raised=bool(raised), problem=bool(problems))
    taken = MonitoringTaken(event=reported.event, incident=incident, text=text)
    return [Answer(201, taken), *raised, *problems]


def incident_of(signal: str, trend: Trend) -> UUID | None:
    """The incident of a signal that is not restored yet."""
    still = (one for one in reversed(trend.events) if one.signal == signal and not one.restored)
    return next((one.incident for one in still if one.incident), None)


def seen(reported: MonitoringReported, incident: UUID | None) -> MonitoredEvent:
    """The event as it is kept."""
    told = reported.model_dump(exclude={"service"})
    return MonitoredEvent(**told, at=reported.time, incident=incident)


def raise_from(reported: MonitoringReported, incident: UUID, service: LiveService) -> IncidentRaised:
    """The incident of an exception: how urgent it is hangs on the service."""
    at = f"{reported.value:g} {reported.unit}".strip()
    return IncidentRaised(
        demand=incident,
        service=reported.service,
        title=title_of(reported.signal),
        text=f"{reported.signal} of {service.title} is {at}; its threshold is {reported.threshold:g}.",
        priority=PRIORITY[service.criticality],
    )


def title_of(signal: str) -> str:
    """What a ticket about a signal is called."""
    return f"Alarm: {signal.replace('-', ' ')}"


def count_warning(
    reported: MonitoringReported, trend: Trend, outlook: Outlook
) -> list[KnownErrorRecorded | ProblemWeighed]:
    """A warning changes nothing by itself; with what came before it may show a problem before users see it."""
    words = words_of(reported.signal)
    if problem_of(trend, words):
        return []
    like = Incident(
        demand=UUID(int=0),
        round=0,
        title=title_of(reported.signal),
        words=words,
        begun_at=reported.time,
        ended_at=reported.time,
        hours=0,
        users=0,
    )
    helped = f"Watch {reported.signal} and act before it passes {reported.threshold:g} {reported.unit}".strip()
    return recognise(reported, trend, like, outlook, f"{helped}.")


def said(reported: MonitoringReported, *, raised: bool, problem: bool) -> str:
    """What came of an event, in words."""
    match reported.severity:
        case "info":
            return "It is kept; nothing has to be done."
        case "warning":
            trend = "With what came before it is a problem now." if problem else "Nothing has to be done yet."
            return f"It counts to the trend of {reported.signal}. {trend}"
        case "exception":
            return "It has raised an incident." if raised else "It belongs to an incident that is open already."
