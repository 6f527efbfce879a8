"""Value streams as data: one short YAML file each, read and checked here."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from contracts.event import Message
from contracts.practices import PRACTICES
from contracts.value_chain import ACTIVITIES, FLOWS, heard_by, told_by
from contracts.values import Kind, Slug

EVENTS: dict[str, type[Message]] = {flow.event.__name__: flow.event for flow in FLOWS if flow.teller in ACTIVITIES}
"""Every event by the name of its class."""

Text = Annotated[str, Field(min_length=1)]


class StreamError(ValueError):
    """A stream file that cannot be used.

    The text names every mistake with stream, step and field, and says what is allowed.
    """


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Trigger(_Part):
    """Which demand takes this stream. Of several that fit, the one that says most wins."""

    kind: Kind
    """The classification of the demand."""
    also: tuple[Kind, ...] = ()
    """Other classifications that take the same way."""
    service: Slug | None = None
    """Only demand about this service."""
    words: tuple[Text, ...] = ()
    """Only demand whose title or text has one of these words."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every classification that it takes."""
        return (self.kind, *self.also)


class Promise(_Part):
    """What the consumer is promised."""

    hours: Annotated[FiniteFloat, Field(gt=0)]
    """Lead time from first contact to delivery, in hours of chain time."""


class StepAgreement(_Part):
    """What an activity agrees to keep in its step (operational level)."""

    hours: Annotated[FiniteFloat, Field(gt=0)]
    """Its share of the lead time, in hours of chain time, at most."""


class Step(_Part):
    """One step of a stream: an activity does one of its capabilities and hands on what it tells."""

    step: Slug
    """Its name, unique in the stream."""
    activity: Text
    """The activity that does it."""
    does: Text
    """The capability of that activity, by its name in the activity's code."""
    practices: tuple[Text, ...] = Field(min_length=1)
    """The management practices it draws on."""
    hands_on: tuple[Text, ...] = Field(min_length=1)
    """The events it tells, by class name."""
    after: tuple[Slug, ...] = ()
    """The steps it follows; empty: every step that hands on an event which its activity hears."""
    needs: tuple[Text, ...] = ()
    """The events without each of which it does not go on, by class name; empty: any one that it takes will do."""
    agreement: StepAgreement | None = None
    """What is agreed of its duration; None if nothing is."""

    @property
    def events(self) -> tuple[type[Message], ...]:
        """The classes of what it hands on."""
        return tuple(EVENTS[name] for name in self.hands_on)

    @field_validator("activity")
    @classmethod
    def _known_activity(cls, activity: str) -> str:
        if activity not in ACTIVITIES:
            raise ValueError(f"{activity!r} is no activity; allowed: {', '.join(ACTIVITIES)}")
        return activity

    @field_validator("practices")
    @classmethod
    def _known_practices(cls, practices: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [practice for practice in practices if practice not in PRACTICES]:
            raise ValueError(f"{', '.join(map(repr, unknown))}: no such practice; allowed: {', '.join(PRACTICES)}")
        return practices

    @field_validator("needs")
    @classmethod
    def _heard_by_its_activity(cls, needs: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        activity = info.data.get("activity", "")
        allowed = [flow.event.__name__ for flow in heard_by(activity) if flow.teller in ACTIVITIES]
        if allowed and (unknown := [name for name in needs if name not in allowed]):
            raise ValueError(f"{', '.join(unknown)}: {activity} hears no such event; allowed: {', '.join(allowed)}")
        return needs

    @field_validator("hands_on")
    @classmethod
    def _told_by_its_activity(cls, hands_on: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        activity = info.data.get("activity", "")
        allowed = [flow.event.__name__ for flow in told_by(activity)]
        if allowed and (unknown := [name for name in hands_on if name not in allowed]):
            wrong = f"{', '.join(unknown)}: {activity} tells no such event"
            raise ValueError(f"{wrong}; allowed: {', '.join(allowed)}")
        return hands_on


class Stream(_Part):
    """The way of one sort of demand through the activities.

    With its owner, its promise and the policies that bind it.
    """

    stream: Slug
    """Its name; the file has the same."""
    title: Text
    """What it does, in words."""
    owner: Text
    """The role that answers for it."""
    trigger: Trigger
    """Which demand takes it."""
    promise: Promise
    """What the consumer is promised."""
    policies: tuple[Slug, ...] = ()
    """The policies that bind it."""
    improvement_target: Text
    """What its owner wants it to become, measurably."""
    steps: tuple[Step, ...]
    """Its steps; the first one takes up the demand."""

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Self:
        names = [step.step for step in self.steps]
        if not names:
            raise ValueError("steps: a stream has at least one")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"steps: {', '.join(twice)}: more than one step has this name")
        for step in self.steps:
            if unknown := [name for name in step.after if name not in names]:
                wrong = f"step {step.step}: after: {', '.join(unknown)}: no such step"
                raise ValueError(f"{wrong}; allowed: {', '.join(names)}")
            for before in map(self.__getitem__, step.after):
                heard = [flow.event.__name__ for flow in heard_by(step.activity) if flow.teller == before.activity]
                if before.activity != step.activity and not set(heard) & set(before.hands_on):
                    wrong = f"step {step.step}: after: {before.step} hands on nothing that {step.activity} hears"
                    raise ValueError(f"{wrong}; allowed as its hands_on: {', '.join(heard)}")
        return self

    @model_validator(mode="after")
    def _every_input_is_provided(self) -> Self:
        for step in self.steps[1:]:
            before = self.steps_before(step)
            if not before:
                heard = ", ".join(flow.event.__name__ for flow in heard_by(step.activity) if flow.teller in ACTIVITIES)
                nothing = f"no other step hands on anything that {step.activity} hears"
                raise ValueError(f"step {step.step}: {nothing}; it hears: {heard}")
            provided = {name for one in before for name in one.hands_on}
            for need in step.needs:
                if need not in provided:
                    elsewhere = [one.step for one in self.steps if need in one.hands_on]
                    hint = f"{', '.join(elsewhere)} does: name it in `after`" if elsewhere else "no step does"
                    follows = ", ".join(one.step for one in before)
                    raise ValueError(
                        f"step {step.step}: needs: {need}: none of the steps it follows ({follows}) hands it on; {hint}"
                    )
        return self

    @model_validator(mode="after")
    def _promise_leaves_time_for_what_is_agreed(self) -> Self:
        path, hours = self.critical_path
        if hours > self.promise.hours:
            sums = " + ".join(f"{one.step} {one.agreement.hours:g}" for one in path if one.agreement)
            raise ValueError(
                f"promise: hours: {self.promise.hours:g} is less than its steps are agreed to take: {sums} = {hours:g}"
            )
        return self

    @property
    def critical_path(self) -> tuple[tuple[Step, ...], float]:
        """The way through the steps that may take longest by their agreements, and how many hours that is.

        Ways back to earlier steps are left out: nobody promises how often something comes back.
        """
        longest: dict[str, tuple[tuple[Step, ...], float]] = {}
        for step in self.steps:
            ways = [longest[one.step] for one in self.steps_before(step) if one.step in longest]
            way, hours = max(ways, key=lambda one: one[1], default=((), 0.0))
            longest[step.step] = ((*way, step), hours + (step.agreement.hours if step.agreement else 0.0))
        return max(longest.values(), key=lambda one: one[1])

    def steps_before(self, step: Step) -> tuple[Step, ...]:
        """The steps that `step` follows."""
        return tuple(one for one in self.steps if one != step and step in self.steps_for(step.activity, one.step))

    def __getitem__(self, step: str) -> Step:
        """The step of this name; `KeyError` if there is none."""
        for one in self.steps:
            if one.step == step:
                return one
        raise KeyError(step)

    def steps_for(self, activity: str, after_step: str = "") -> tuple[Step, ...]:
        """The steps of `activity` that follow `after_step`.

        Without such a step (the demand is new): the first step, if it is theirs.
        """
        if not after_step:
            return tuple(step for step in self.steps[:1] if step.activity == activity)
        heard = {flow.event for flow in heard_by(activity)}
        follows = not heard.isdisjoint(self[after_step].events)
        return tuple(
            step
            for step in self.steps
            if step.activity == activity
            and (after_step in step.after or (not step.after and follows and step != self.steps[0]))
        )


def read_stream(text: str, name: str) -> Stream:
    """The stream that the `text` of the file `name`.yaml describes; `StreamError` says all that is wrong with it."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StreamError(f"{name}: this is not YAML: {error}") from error
    try:
        stream = Stream.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise StreamError("\n".join(f"{name}: {mistake}" for mistake in _mistakes(error, data))) from error
    if stream.stream != name:
        raise StreamError(f"{name}: stream: {stream.stream!r} differs from the name of the file; allowed: {name}")
    return stream


def _mistakes(error: ValidationError, data: object) -> Iterator[str]:
    """Each mistake as `step: field: what is wrong; allowed: ...`."""
    parts: dict[str, type[_Part]] = {"trigger": Trigger, "promise": Promise, "steps": Step}
    for mistake in error.errors():
        place = mistake["loc"]
        words = [str(word) for word in place]
        part = parts.get(words[0], Stream) if len(words) > 1 else Stream
        if part is Step:
            part = StepAgreement if "agreement" in words[:-1] else Step
            words[:2] = [f"step {_step_name(data, place[1])}"]
        reason = mistake["msg"]
        if mistake["type"] == "value_error":
            reason = str(mistake["ctx"]["error"])
        elif mistake["type"] == "extra_forbidden":
            reason = f"no such field; allowed: {', '.join(part.model_fields)}"
        yield ": ".join([*words, reason])


def _step_name(data: object, position: int | str) -> str:
    """The name that the file gives the step at this position, else its number from 1."""
    match data, position:
        case {"steps": [*steps]}, int():
            match steps[position]:
                case {"step": str(name)}:
                    return name
            return f"no. {position + 1}"
    return str(position)


class Streams:
    """The value streams of the chain, by name."""

    def __init__(self, streams: Iterable[Stream] = ()) -> None:
        self._by_name = {stream.stream: stream for stream in streams}

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._by_name.values())

    def get(self, name: str) -> Stream | None:
        """The stream of this name; None if there is none."""
        return self._by_name.get(name)

    def taking(self, kind: str, service: str | None, text: str) -> Stream | None:
        """The stream whose trigger says most among those that this demand fits; None when none takes it."""
        words = set(re.findall(r"\w+", text.lower()))

        def fits(trigger: Trigger) -> bool:
            named = not trigger.words or not words.isdisjoint(word.lower() for word in trigger.words)
            return kind in trigger.kinds and trigger.service in (None, service) and named

        fitting = [stream for stream in self if fits(stream.trigger)]
        return max(
            fitting,
            key=lambda s: (s.trigger.service is not None, bool(s.trigger.words), s.stream),
            default=None,
        )


def read_streams(folder: Path) -> Streams:
    """The value streams in a folder; `StreamError` names file, step and field, or that it has none."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        wrong = f"{folder}: there is no value stream file (*.yaml)"
        raise StreamError(f"{wrong}; name the folder that has them (SVC_STREAMS)")
    return Streams(read_stream(file.read_text(encoding="utf-8"), file.stem) for file in files)
