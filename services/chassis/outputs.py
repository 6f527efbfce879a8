"""What a handler may return besides events: things that happen later, outside, by somebody's work, or to the caller."""

from datetime import datetime, timedelta
from random import Random
from typing import ClassVar, NamedTuple

from pydantic import BaseModel

from contracts.event import Command, Data, dashed


class Later(NamedTuple):
    """A durable timer: `message` arrives on this activity's inbox once the chain's clock has reached `at`."""

    at: datetime
    message: Command


class Begin(NamedTuple):
    """Start a value stream: `message` goes, by this activity's inbox, to the first step of `stream` that takes it."""

    stream: str
    message: Command


class Work(NamedTuple):
    """A piece of work. Configuration says how it is done, never what comes out: `done` arrives on the inbox when it is.

    `auto`: at once. `simulated`: after as much chain time as it `takes`, once somebody in the work centre is free.
    `manual`: when somebody reports it over the API.
    """

    effort: timedelta
    done: Command
    centre: str = ""
    share: float = 1.0
    """How much of the usual time this piece takes: less where most of it is known already."""

    def takes(self, seed: int, minutes: tuple[float, float, float] | None) -> timedelta:
        """Its simulated time: by its centre's least, usual and most minutes, else its effort give or take 30 %."""
        if minutes is None:
            return self.effort * self.share * Random(seed).uniform(0.7, 1.3)
        return timedelta(minutes=Random(seed).triangular(minutes[0], minutes[2], minutes[1])) * self.share


class Answer(NamedTuple):
    """What the caller of a command gets: an HTTP status and a body. Stored in the receipt, never published."""

    status: int
    body: BaseModel


class Effect(Data):
    """Something to do outside (answer a ticket, send a mail), as data. Its result comes back as a command."""

    name: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: object) -> None:
        cls.name = dashed(cls.__name__)

    def failed(self, reason: str) -> Command:
        """The command that tells the activity that the effect was given up, and why."""
        raise NotImplementedError(f"{type(self).__name__} does not say what happens when it fails")


class Ask(NamedTuple):
    """A request for an effect outside.

    It is stored with the decision, done beside the lanes, and repeated until it succeeds or is given up.
    """

    effect: Effect


class Problem(BaseModel):
    """An error as RFC 9457 (`application/problem+json`) tells it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def refusal(status: int, title: str, detail: str) -> Answer:
    """An answer that says no: nothing has changed, `detail` says what to do."""
    return Answer(status, Problem(title=title, status=status, detail=detail))
