"""How a profile points at what a desk says: a small language of paths.

    ticket.priority.name            a field of a field
    issue.custom_fields[name=Type].value    of a list, the element with that name
    tags.*.name                     of every element of a list, or of every value
    $.queue_slug                    from the whole body, when the profile goes through a list in it
    ^.id                            from what holds the list
    @x-github-event                 a header
    ?token                          a part of the query of the address
    'web'                           a fixed text
    !comment.jsdPublic              the opposite of yes and no
    {repository.full_name}#{issue.number}   a text made of several; nothing if one of them is missing
    {issue.self~^(.+)/rest/}/browse/{issue.key}     of a text, what the parentheses of a regular expression take out

A list of such paths means: the first that says something.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import JsonValue

Path = str | tuple[str, ...]
"""One path, or several of which the first that says something counts."""
Expected = bool | int | str | Sequence[bool | int | str]
"""What a condition wants: a value or pattern (`*.created`), several of them, or `present` or `absent`."""
STEP = re.compile(r"(?P<name>[^.\[\]]+)?(?:\[(?P<key>[^=\]]+)=(?P<value>[^\]]*)\])?(?:\.|$)")
HOLE = re.compile(r"\{([^{}]+)\}")
NO_ID = re.compile(r"[^\w-]")
"""What an id that is filled into a path may not have: it would be read as a part of the path."""
MILLISECONDS = 10**11
"""A number of seconds since 1970 that is larger than this counts milliseconds."""


class Place(NamedTuple):
    """Where paths start from."""

    item: JsonValue
    """What the profile looks at."""
    root: JsonValue
    """The whole body."""
    headers: Mapping[str, str]
    """Headers by name, in lower case."""
    above: "Place | None" = None
    """What holds the list that `item` is an element of."""

    def read(self, path: Path) -> JsonValue:
        """What stands there; None if nothing does, or if it is empty."""
        return _reader(path)(self)

    def text(self, path: Path) -> str | None:
        """The same as text: a number as it is, yes and no in lower case, of several the first; None for others."""
        found = self.read(path)
        if isinstance(found, str):
            return found.strip()
        for one in found if isinstance(found, list) else (found,):
            if isinstance(one, bool):
                return str(one).lower()
            if isinstance(one, (str, int, float)) and one != "":
                return str(one).strip()
        return None

    def several(self, path: Path) -> list[JsonValue]:
        """All that stands there, one by one."""
        found = self.read(path)
        return (
            [one for one in found if not _is_empty(one)]
            if isinstance(found, list)
            else []
            if found is None
            else [found]
        )

    def fits(self, wanted: Mapping[str, Expected]) -> bool:
        """Whether every path says what is expected of it."""
        return all(self._fits(path, expected) for path, expected in wanted.items())

    def each(self, path: str) -> Iterator["Place"]:
        """The elements of a list, each a place of its own; the place itself for an empty path."""
        if not path:
            yield self
            return
        found = _way(HOLE.sub(lambda hole: NO_ID.sub("", self.text(hole[1]) or ""), path))(self)
        for element in found if isinstance(found, list) else [] if found is None else [found]:
            yield Place(element, self.root, self.headers, self)

    def _fits(self, path: str, expected: Expected) -> bool:
        found = self.read(path)
        if expected in ("present", "absent"):
            return (found is not None) == (expected == "present")
        allowed = expected if isinstance(expected, list | tuple) else (expected,)
        return any(_alike(one, want) for one in (found if isinstance(found, list) else [found]) for want in allowed)


@lru_cache(maxsize=4096)
def _reader(path: Path) -> Callable[[Place], JsonValue]:
    """What reads a path, found out once: a profile's paths are read at each push."""
    ways = [_way(one) for one in ((path,) if isinstance(path, str) else path)]

    def read(place: Place) -> JsonValue:
        for way in ways:
            if (found := way(place)) or not _is_empty(found):
                return found
        return None

    return read


@lru_cache(maxsize=4096)
def _way(path: str) -> Callable[[Place], JsonValue]:
    if path.startswith("'"):
        text = path.strip("'")
        return lambda _: text
    if "{" in path:
        return lambda place: _filled(path, place)
    if "~" in path:
        before, _, pattern = path.partition("~")
        return lambda place: taken[1] if (taken := re.search(pattern, place.text(before) or "")) else None
    if path.startswith("!"):
        positive = _way(path[1:])
        return lambda place: None if (found := positive(place)) is None else not _is_yes(found)
    if path.startswith(("@", "?")):
        name = path.removeprefix("@").lower()
        return lambda place: place.headers.get(name)
    if path == "^":
        return lambda place: place.above and place.above.item
    if path.startswith("^."):
        return lambda place: place.above and place.above.read(path[2:])
    if path == "$" or path.startswith("$."):
        of_root = _steps(path[2:])
        return lambda place: _walk(place.root, of_root)
    steps = _steps(path)
    names = [step.name for step in steps]
    if "*" in names or any(step.key or step.number is not None for step in steps):
        return lambda place: _walk(place.item, steps)

    def field(place: Place) -> JsonValue:  # nearly every path goes from field to field
        value = place.item
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return field


def _filled(path: str, place: Place) -> str | None:
    parts = {hole: place.text(hole) for hole in HOLE.findall(path)}
    return None if None in parts.values() else HOLE.sub(lambda hole: str(parts[hole[1]]), path)


class Step(NamedTuple):
    """A part of a path: into a field, or to an element of a list."""

    name: str
    number: int | None
    """The same as a place in a list, if it can be one."""
    key: tuple["Step", ...]
    value: str
    """What must stand at `key` of an element."""


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[Step, ...]:
    """The parts of a path; an empty one has none."""
    steps, rest = [], path
    while rest:
        found = STEP.match(rest)
        if found is None or not (found["name"] or found["key"]):
            raise ValueError(f"the path {path!r} cannot be read at {rest!r}")
        name, rest = found["name"] or "", rest[found.end() :]
        number = int(name) if name.removeprefix("-").isdecimal() else None
        steps.append(Step(name, number, _steps(found["key"] or ""), found["value"] or ""))
    return tuple(steps)


def _walk(value: JsonValue, steps: Sequence[Step]) -> JsonValue:
    for place, (name, number, key, wanted) in enumerate(steps, 1):
        if name == "*":
            inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
            found = [_walk(one, steps[place:]) for one in inner]
            flat = [one for some in found for one in (some if isinstance(some, list) else [some])]
            return [one for one in flat if not _is_empty(one)]
        if name:
            if isinstance(value, dict):
                value = value.get(name)
            elif isinstance(value, list) and number is not None and -len(value) <= number < len(value):
                value = value[number]
            else:
                return None
        if key:
            elements = value if isinstance(value, list) else []
            value = next((one for one in elements if _alike(_walk(one, key), wanted)), None)
        if value is None:
            return None
    return value


def _alike(found: JsonValue, wanted: bool | int | str) -> bool:
    if isinstance(wanted, bool):
        return found is not None and _is_yes(found) == wanted
    if found is None or isinstance(found, dict | list):
        return False
    return fnmatchcase(str(found).strip().lower(), str(wanted).lower())


def _is_yes(value: JsonValue) -> bool:
    return value.strip().lower() in ("true", "1", "yes", "private") if isinstance(value, str) else bool(value)


def _is_empty(value: JsonValue) -> bool:
    return value is None or value == "" or value == [] or value == {}


def check_path(path: Path) -> None:
    """Whether a path can be read; `ValueError` says which cannot."""
    for one in (path,) if isinstance(path, str) else path:
        for part in HOLE.findall(one) or [one]:
            _check(part)


def _check(path: str) -> None:
    if path.startswith(("'", "@", "?")):
        return
    way, _, pattern = path.partition("~")
    try:
        if pattern and not re.compile(pattern).groups:
            raise ValueError(f"the pattern in {path!r} has no parentheses around what it takes out")
    except re.error as error:
        raise ValueError(f"the pattern in {path!r} cannot be read: {error}") from None
    _steps(re.sub(r"^!?([$^](\.|$))?", "", way))


@lru_cache(maxsize=4096)
def words(text: str) -> str:
    """`[System] Service-Request` as `service request`: how the words of a desk are compared with those of a profile."""
    bare = re.sub(r"^\s*\[system\]", "", text.lower())
    return " ".join(re.findall(r"\w+", bare)) or bare.strip()


def is_yes(value: JsonValue) -> bool:
    """Whether a desk says yes: true, 1, or one of those in a text."""
    return _is_yes(value)


def time_of(value: JsonValue, zone: str = "UTC") -> datetime | None:
    """A time as desks write it, in UTC; `zone` is that of a time without one. None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    try:
        if re.fullmatch(r"\d{9,14}(\.\d+)?", text):
            seconds = float(text)
            seconds = seconds / 1000 if seconds > MILLISECONDS else seconds
            whole = round(seconds * 1000)
            return datetime.fromtimestamp(whole // 1000, UTC) + timedelta(milliseconds=whole % 1000)
        time = _written(text)
        return (time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _written(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC") + ("+00:00" if text.endswith(" UTC") else ""))
    except ValueError:
        return parsedate_to_datetime(text)
