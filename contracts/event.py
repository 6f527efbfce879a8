"""What a message of the chain is: typed, frozen facts about one case, told by somebody at some time.

An *event* says what has happened and is told by an activity; a *command* asks an activity for something and arrives on
its inbox topic. Both are plain data: a handler reads them, nothing writes to them. The words around the data
(CloudEvents attributes) are the envelope's; the few of them that a decision may use are at hand as `message.id`,
`message.time`, `message.stream` and `message.step`.
"""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict


def dashed(name: str) -> str:
    """`PortfolioDecisionMade` and `portfolio_decision_made` as `portfolio-decision-made`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


class Data(BaseModel):
    """Immutable data: whoever makes one must know its fields; whoever reads one passes over fields it does not know.

    Making one with an unknown field is an error. Readers parse with `extra="ignore"`, so a newer teller may say more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(NamedTuple):
    """The circumstances of a message that a decision may use."""

    id: UUID
    """CloudEvents `id`; the seed of everything random about this message."""
    time: datetime
    """Chain time at which it was told, in UTC."""
    stream: str = ""
    """The value stream it travels in; empty outside of any."""
    step: str = ""
    """The step of that stream which told it."""


class Fact(Data):
    """One value that a decision used, and where it came from."""

    name: str
    """What it is the value of, for example `budget left`."""
    value: str | int | float | bool
    """The value itself; money in whole euros."""
    source: str = ""
    """The state, policy or event that said so, for example `budget 2026-Q4` or `policy funding v3`."""


class Message(Data):
    """The common base of events and commands; `case` names the field that says which case it is about."""

    type: ClassVar[str]
    """CloudEvents `type`, for example `svc.plan.portfolio-decision-made.v1`."""
    activity: ClassVar[str]
    """An event: the activity that tells it. A command: the activity it is for."""
    case_field: ClassVar[str]
    _place: ClassVar[str] = ""
    __slots__ = ("_told",)  # read ten times a message: a private attribute of pydantic's would cost ten times as much

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, activity: str = "", case: str = "", version: int = 1, **keywords: Any
    ) -> None:
        package, _, rest = cls.__module__.partition(".")
        if not activity and package in ("contracts", "services"):
            activity = rest.partition(".")[0]
        cls.activity = activity or getattr(cls, "activity", "")
        cls.case_field = case or getattr(cls, "case_field", "demand")
        cls.type = f"svc.{dashed(cls.activity)}{cls._place}.{dashed(cls.__name__)}.v{version}"

    @property
    def case(self) -> str:
        """What it is about, as text: Kafka key, `correlationid`, and the unit of order and of parking."""
        return str(getattr(self, self.case_field))

    @property
    def told(self) -> Told:
        """The circumstances. `LookupError` for a message that nobody has told yet: in a test, tell it with `at()`."""
        try:
            told: Told = self._told  # type: ignore[attr-defined]
        except AttributeError:
            raise LookupError(
                f"{type(self).__name__} has not been told: it has no id and no time yet (in a test: message.at(time))"
            ) from None
        return told

    def tell(self, told: Told) -> None:
        """Say its circumstances; they are no part of what it says, and do not count when two messages are compared."""
        object.__setattr__(self, "_told", told)

    @property
    def id(self) -> UUID:
        """CloudEvents `id` of this message."""
        return self.told.id

    @property
    def time(self) -> datetime:
        """Chain time at which it was told, in UTC."""
        return self.told.time

    @property
    def stream(self) -> str:
        """The value stream it travels in; empty outside of any."""
        return self.told.stream

    @property
    def step(self) -> str:
        """The step of its stream that told it."""
        return self.told.step

    def at(self, time: datetime, *, id: UUID | None = None, stream: str = "", step: str = "") -> Self:
        """The same message as told at `time` (an aware datetime), under `id` (else the nil UUID)."""
        copy = self.model_copy()
        copy.tell(Told(id or UUID(int=0), time.astimezone(UTC), stream, step))
        return copy


class Event(Message):
    """Something that has happened, told by an activity.

    Its class is in the activity's file and has a row in the table of flows.
    """


class Command(Message):
    """Something asked of one activity, by a party outside, by a due timer or by the activity itself.

    It arrives on the inbox topic.
    """

    _place: ClassVar[str] = ".inbox"


class Decision(Event):
    """An event that says what was decided, why, and every value that was used."""

    reasons: tuple[str, ...]
    """Why, as sentences a requester understands; at least one."""
    basis: tuple[Fact, ...]
    """Every value the decision used: what `svc explain` cites and what a what-if changes."""


Verdict = Literal["fully", "partly", "not"]
"""How far a consumer says that value was realised."""
