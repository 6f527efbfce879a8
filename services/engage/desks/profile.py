"""A desk as data: what it signs, where its pushes say what, and what its words mean to everybody else.

The profiles that ship are the files in `profiles/`; `profiles/common.yaml` holds the words that desks have in common,
which a profile adds to or overrules. A desk that pushes JSON needs a profile and no code.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path as File
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, ValidationError, model_validator

from contracts.event import Data
from contracts.values import Kind, Priority
from services.engage.desks.events import DeskChannel, EventKind, Status
from services.engage.desks.reading import Expected, Path, check_path, words
from services.engage.desks.signature import SCHEMES

PROFILES = files("services.engage.desks") / "profiles"
COMMON = "common"
FieldName = Literal[
    "actor", "attachments", "channel", "comment", "created_at", "internal", "occurred_at", "priority", "queue",
    "requester", "requester_name", "sequence", "service", "status", "status_as", "status_before", "tags", "text",
    "ticket", "title", "type", "updated_at", "url", "us", "users_affected",
]  # fmt: skip
"""What a profile can point at.

`us` is whatever names who did it, beside `actor`. `status_as` are words that tell a status better than its own: both
are looked up, and the first that is known counts.
"""
Found = EventKind | Literal["snapshot", "skip"]
"""A kind of event; `snapshot` is `created` if the ticket is as it was made, else `status`; `skip` is no event."""


class Unusable(ValueError):  # noqa: N818 - it is the profile that is at fault
    """A profile that cannot be used; says where and why."""


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in SCHEMES]
    if unknown:
        raise ValueError(f"no signature scheme is called {unknown[0]!r}: there are {', '.join(SCHEMES)}")
    return names


def _normal(table: Any) -> Any:
    return {words(str(key)): value for key, value in table.items()} if isinstance(table, Mapping) else table


Schemes = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), AfterValidator(_known)]
Kinds = Annotated[dict[str, Kind], BeforeValidator(_normal)]
Priorities = Annotated[dict[str, Priority], BeforeValidator(_normal)]
Statuses = Annotated[dict[str, Status], BeforeValidator(_normal)]
Channels = Annotated[dict[str, DeskChannel], BeforeValidator(_normal)]


class KindRule(Data):
    """What happened, if all of it is as wanted; the first rule that fits counts."""

    kind: Found
    """What it is then."""
    when: dict[str, Expected] = Field(default_factory=dict)
    """Paths, and what they must say."""


class Shape(Data):
    """One form in which the desk says something."""

    name: str
    """What it is called, for `svc desk check`."""
    when: dict[str, Expected]
    """How it is told from the others; the first shape that fits counts."""
    each: str = ""
    """The list whose elements are events; empty if the whole is one."""
    otherwise: Found | None = None
    """What the whole is if that list has no element; None if it is then nothing."""
    kinds: tuple[KindRule, ...]
    """What happened."""
    fields: dict[FieldName, Path] = Field(default_factory=dict)
    """Where it says what, as far as it differs from the profile's own `fields`."""
    dedupe: Path | None = None
    """What names the event; left out, it is the desk's id of the push."""
    also: tuple["Shape", ...] = ()
    """Lists within an element which tell of more events."""


class Types(Data):
    """From the desk's words to the sort of demand; asked in this order."""

    field: Kinds = Field(default_factory=dict)
    queue: Kinds = Field(default_factory=dict)
    tag: Kinds = Field(default_factory=dict)


class Call(Data):
    """One request to the desk's API. Braces stand for `ticket`, `text`, `status`, `since`, `page`, `picked`.

    And for parts of a ticket's id: `ticket_path`, and `project` and `number` around its `#`.
    """

    method: Literal["GET", "POST", "PUT", "PATCH"] = "GET"
    path: str
    """Below the desk's address."""
    body: JsonValue = None
    """What is sent; a field that is only a brace without a value is left out."""
    form: bool = False
    """Whether the body goes as a form, and not as JSON."""
    pick: str = ""
    """A path into the answer, for the brace `picked` of the call that follows."""


class Step(Call):
    """One part of writing an outcome back."""

    step: Literal["note", "comment", "status"]
    """Which."""
    first: Call | None = None
    """What must be asked before."""
    moves: bool = False
    """Whether it moves the ticket as well, so that no step `status` is needed."""
    conditional: bool = False
    """Whether it is refused if somebody else has changed the ticket since it was read (`If-Match`)."""


class Auth(Data):
    """How we prove ourselves to the desk: with `user` and `secret` of the desk's settings."""

    kind: Literal["basic", "header", "oauth"]
    """By user and password; by a header; by a bearer token that is fetched with both."""
    header: str = "Authorization"
    """Of `header`: its name."""
    value: str = "Bearer {secret}"
    """Of `header`: what stands in it."""
    token: str = ""
    """Of `oauth`: where the bearer token is fetched."""


class Poll(Call):
    """How the desk is asked what has changed."""

    first: int = 1
    """The number of the first page, or the offset of the first element."""
    by: int = 1
    """What is added for the next page."""
    size: int = 100
    """Elements of a full page: a shorter one is the last."""
    cursor: Literal["time", "id"] = "time"
    """Whether `since` is the time of the newest change, or the highest ticket number."""
    stamp: str = "%Y-%m-%dT%H:%M:%SZ"
    """How a time is written."""
    zone: str = "UTC"
    """In which zone."""


class Api(Data):
    """How the desk is read and written."""

    auth: Auth
    fetch: Call | None = None
    """One ticket."""
    comments: Call | None = None
    """What is written on a ticket; `pick` points at the texts."""
    poll: Poll | None = None
    bare: str = "{ticket}"
    """What the brace `ticket_path` stands for if the ticket's id has no `/`; one such as `a/b#1` is `a/b/issues/1`."""
    statuses: dict[Status, str | int] = Field(default_factory=dict)
    """What the desk calls the status that a ticket is to have."""
    steps: tuple[Step, ...] = ()
    """How an outcome is written back, in the order that does not damage the ticket."""


class Profile(Data):
    """All that is known of a desk."""

    desk: str
    """Its name."""
    title: str
    """What people call it."""
    note: str = ""
    """What its user must know."""
    signature: Schemes = ()
    """What it may prove a push with; the first that a push makes use of counts."""
    reads: Literal["json", "mail"] = "json"
    """What it sends: JSON, or mails as they travel."""
    page: str = ""
    """Where a person opens a ticket, below the desk's address; with `{ticket}`."""
    push: bool = True
    """Whether it tells of events by itself."""
    delivery: Path = ()
    """Its id of a push, the same on every retry."""
    us: tuple[str, ...] = ("engage-bot",)
    """The accounts under which we write to it."""
    order: Literal["time", "sequence"] = "time"
    """What sorts its events: their time, and within it `sequence`; or `sequence` alone."""
    zone: str = "UTC"
    """The zone of a time that is written without one."""
    fields: dict[FieldName, Path] = Field(default_factory=dict)
    """Where it says what."""
    shapes: tuple[Shape, ...] = ()
    """The forms in which it says something."""
    types: Types = Types()
    priorities: Priorities = Field(default_factory=dict)
    priority_from: dict[int, Priority] = Field(default_factory=dict)
    """For a priority that is a number: from which number on it is which."""
    statuses: Statuses = Field(default_factory=dict)
    channels: Channels = Field(default_factory=dict)
    channel: DeskChannel | None = None
    """How requesters reach it, if it does not say."""
    api: Api | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> "Profile":
        paths = [self.delivery, *self.fields.values()]
        shapes = list(self.shapes)
        for shape in shapes:
            shapes += shape.also
            conditions = [shape.when, *(rule.when for rule in shape.kinds)]
            paths += [
                shape.each,
                shape.dedupe or (),
                *shape.fields.values(),
                *(path for one in conditions for path in one),
            ]
        for path in paths:
            check_path(path)
        return self

    @model_validator(mode="after")
    def _has_a_ticket(self) -> "Profile":
        for shape in self.shapes:
            told = any(rule.kind not in ("unknown", "skip") for rule in shape.kinds)
            if told and "ticket" not in self.fields and "ticket" not in shape.fields:
                raise ValueError(f"shape {shape.name!r} does not say where the ticket's id stands: give it `ticket`")
        return self


@cache
def shipped(name: str) -> Profile:
    """The profile that ships under a name; `Unusable` names those that do."""
    if name not in names():
        raise Unusable(f"there is no desk {name!r}: {', '.join(names())}; or name a profile of your own, a .yaml file")
    return from_text((PROFILES / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")


@cache
def names() -> tuple[str, ...]:
    """The desks that profiles ship for."""
    found = (file.name.removesuffix(".yaml") for file in PROFILES.iterdir() if file.name.endswith(".yaml"))
    return tuple(sorted(name for name in found if name != COMMON))


def load(name: str) -> Profile:
    """The profile of a desk that ships, or of a file."""
    if not name.endswith((".yaml", ".yml")):
        return shipped(name)
    try:
        return from_text(File(name).read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"cannot read {name}: {error}") from None


def from_text(text: str, name: str) -> Profile:
    """The profile that a YAML text is, on top of what desks have in common; `Unusable` if it is none."""
    try:
        said, common = yaml.safe_load(text), _common()
        if not isinstance(said, dict):
            raise Unusable(f"{name} is no profile: it must be a table with `desk`, `title` and `shapes`")
        types = said.get("types") or {}
        for table in ("priorities", "statuses", "channels"):
            said[table] = common[table] | _normal(said.get(table) or {})
        said["types"] = {by: common["types"][by] | _normal(types.get(by) or {}) for by in ("field", "queue", "tag")} | {
            by: table for by, table in types.items() if by not in ("field", "queue", "tag")
        }
        return Profile.model_validate(said)
    except yaml.YAMLError as error:
        raise Unusable(f"{name} is no YAML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the profile'}: {fault['msg']}" for fault in error.errors()[:3]
        )
        raise Unusable(f"{name}: {faults}") from None


@cache
def _common() -> dict[str, Any]:
    said = yaml.safe_load((PROFILES / f"{COMMON}.yaml").read_text(encoding="utf-8"))
    tables = {table: _normal(said[table]) for table in ("priorities", "statuses", "channels")}
    return tables | {"types": {by: _normal(table) for by, table in said["types"].items()}}
