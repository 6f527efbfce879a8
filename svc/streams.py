"""Checking value streams before anything runs: by the table of flows, and by what the activities offer in code."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from contracts.event import Event, Message
from contracts.stream import Step, Stream, StreamError, read_stream
from contracts.value_chain import ACTIVITIES, PARTIES, TITLES, flow_of
from services.chassis.handlers import Handlers
from svc.trouble import Trouble

SHIPPED = Path(__file__).parents[1] / "contracts" / "value_streams"


class Checked(NamedTuple):
    """A stream file, and what is wrong with it."""

    file: Path
    stream: Stream | None
    """None if it cannot be read."""
    mistakes: tuple[str, ...]
    """Each with stream and step, in words."""


def files(given: Sequence[Path]) -> list[Path]:
    """The files to look at: those given, each stream file of a folder, or all that are shipped."""
    found = [file for path in given or [SHIPPED] for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    if not found:
        raise Trouble(f"There is no stream file (*.yaml) in {', '.join(map(str, given))}.")
    return found


def check(given: Sequence[Path]) -> list[Checked]:
    """Check stream files, each by itself and all of them, with those that are shipped, against each other."""
    found = [read(file) for file in files(given)]
    named = {one.stream.stream: one.stream for one in found if one.stream}
    others = {one.stem: one for one in sorted(SHIPPED.glob("*.yaml")) if one.stem not in named}
    beside = [read(file).stream for file in others.values()]
    return [
        one._replace(mistakes=(*mistakes_of(one.stream), *rivals(one.stream, [*named.values(), *filter(None, beside)])))
        if one.stream
        else one
        for one in found
    ]


def read(file: Path) -> Checked:
    """Read a stream file; `Trouble` if there is none."""
    try:
        return Checked(file, read_stream(file.read_text(encoding="utf-8"), file.stem), ())
    except StreamError as error:
        return Checked(file, None, tuple(str(error).split("\n")))
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{file} cannot be read ({error}): give the path of a stream file (*.yaml).") from error


def mistakes_of(stream: Stream) -> Iterator[str]:
    """What is wrong with a stream that can be read."""
    offered = [step for step in stream.steps if step.does in capabilities(step.activity)]
    for step in stream.steps:
        where = f"{stream.stream}: step {step.step}"
        if step not in offered:
            allowed = ", ".join(capabilities(step.activity))
            yield f"{where}: does: {TITLES[step.activity]} does not offer {step.does!r}; allowed: {allowed}"
        elif step != stream.steps[0]:
            yield from (f"{where}: {text}" for text in not_provided(stream, step))
    for step in offered:
        where = f"{stream.stream}: step {step.step}: hands_on"
        for event in step.events:
            if event not in tells(step):
                yield f"{where}: {event.__name__}: nothing that {step.does!r} does tells it"
            elif not hearers(stream, step, event):
                would = ", ".join(TITLES[one] for one in flow_of(event).hearers)
                yield f"{where}: {event.__name__}: nobody hears it; {would} would, by a step that follows and takes it"
    reached = reachable(stream)
    for step in stream.steps:
        if step not in reached:
            yield f"{stream.stream}: step {step.step}: it is never reached from {stream.steps[0].step}"


def not_provided(stream: Stream, step: Step) -> Iterator[str]:
    """The inputs of a step, when no step that it follows hands on any of them."""
    before = stream.steps_before(step)
    provided = {event for one in before for event in one.events}
    taken = takes(step)
    if taken and provided.isdisjoint(taken):
        inputs = " or ".join(event.__name__ for event in taken)
        follows = ", ".join(one.step for one in before)
        yield f"its input {inputs} is handed on by none of the steps it follows ({follows})"


def rivals(stream: Stream, others: Iterable[Stream]) -> Iterator[str]:
    """Other streams whose trigger says just the same, so that only their names would decide."""
    for other in others:
        same_words = set(other.trigger.words) == set(stream.trigger.words)
        both = set(other.trigger.kinds) & set(stream.trigger.kinds)
        if other.stream != stream.stream and both and same_words and other.trigger.service == stream.trigger.service:
            kinds = ", ".join(sorted(both))
            yield f"{stream.stream}: trigger: {other.stream} takes {kinds} as well: give one of them words or a service"


def hearers(stream: Stream, step: Step, event: type[Message]) -> list[str]:
    """Who hears an event that a step hands on: parties outside, steps that follow, and activities in any stream."""
    found = []
    for hearer in flow_of(event).hearers:
        following = stream.steps_for(hearer, step.step) if hearer in ACTIVITIES else ()
        if (
            hearer in PARTIES
            or any(event in takes(one) for one in following)
            or (event.type, "") in handlers(hearer).registered
        ):
            found.append(hearer)
    return found


def reachable(stream: Stream) -> list[Step]:
    """The steps that its first one leads to."""
    reached, last = [stream.steps[0]], [stream.steps[0]]
    while last:
        following = [one for step in last for activity in ACTIVITIES for one in stream.steps_for(activity, step.step)]
        last = [step for step in dict.fromkeys(following) if step not in reached]
        reached += last
    return reached


@cache
def handlers(activity: str) -> Handlers:
    """What an activity decides."""
    found = import_module(f"services.{activity}.handlers").handles
    assert isinstance(found, Handlers)
    return found


def capabilities(activity: str) -> list[str]:
    """What an activity offers to value streams."""
    return sorted({capability for _, capability in handlers(activity).registered if capability})


def takes(step: Step) -> list[type[Event]]:
    """The events that begin or go on with what a step does."""
    registered = handlers(step.activity).registered.items()
    return [
        one.message for (_, capability), one in registered if capability == step.does and issubclass(one.message, Event)
    ]


def tells(step: Step) -> set[type[Message]]:
    """What may be told in a step: by its own decisions, and by those that follow them within the activity."""
    registered = handlers(step.activity).registered.items()
    return {
        event
        for (_, capability), one in registered
        if capability in (step.does, "")
        for event in one.may_tell
        if issubclass(event, Event)
    }
