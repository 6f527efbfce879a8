"""How contracts may change: readers of today understand messages of yesterday, and readers of yesterday those of today.

Topics are kept for ever and services are not replaced all at once, so both hold. What was released stands in
`released.json`; a change of a schema is held against it, and what would break a reader is refused with what to do.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]

RELEASED = Path(__file__).parent / "released.json"
"""The schemas of the last release, by type, without their texts."""
WORDS = ("description", "title", "$schema", "$id", "default", "examples")
"""What a schema says to people only."""
LOWER, UPPER = ("minimum", "exclusiveMinimum", "minLength", "minItems"), ("maximum", "exclusiveMaximum", "maxLength")


def bare(schema: Any) -> Any:
    """A schema without its texts."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    names = ("properties", "$defs")
    return {
        key: {name: bare(part) for name, part in value.items()} if key in names else bare(value)
        for key, value in schema.items()
        if key not in WORDS
    }


def released() -> dict[str, Json]:
    """The schemas of the last release, by type."""
    return dict(json.loads(RELEASED.read_text())) if RELEASED.exists() else {}


def release(schemas: Mapping[str, Json]) -> str:
    """The text of `released.json` for these schemas."""
    return json.dumps({name: bare(schema) for name, schema in sorted(schemas.items())}, indent=0) + "\n"


def objections(before: Mapping[str, Json], now: Mapping[str, Json]) -> list[str]:
    """Why readers would break, in sentences that say what to do instead; none when they would not."""
    found = [
        f"{name}: it was released and is gone. Its records stand in the topic for ever: keep the class, "
        "and tell what is new under the next version beside it."
        for name in before
        if name not in now
    ]
    for name in before.keys() & now.keys():
        version = int(name.rpartition(".v")[2])
        instead = f"add an optional field, or tell it as {name.rpartition('.v')[0]}.v{version + 1} beside this one"
        old, new = bare(before[name]), bare(now[name])
        found += [f"{name}: {place}: {what}; {instead}." for place, what in _breaks(old, new, old, new, "")]
    return sorted(found)


def _breaks(old: Json, new: Json, olds: Json, news: Json, place: str) -> Iterator[tuple[str, str]]:
    """Each place of a schema that has changed in a way that one side cannot read, and how."""
    old, new, place = _resolved(old, olds), _resolved(new, news), place or "the message"
    if "anyOf" in old or "anyOf" in new:
        yield from _other_choice(old, new, olds, news, place)
        return
    for word in ("type", "format", "pattern"):
        if old.get(word) != new.get(word):
            yield place, f"its {word} was {old.get(word, 'open')} and is {new.get(word, 'open')}"
    yield from _other_values(old, new, place)
    for word in (*LOWER, *UPPER):
        was, now = old.get(word), new.get(word)
        narrower = now is not None and (was is None or (now > was if word in LOWER else now < was))
        if narrower:
            yield place, f"{word} is {now} and was {'open' if was is None else was}: what was told may not fit any more"
    if "items" in old and "items" in new:
        yield from _breaks(old["items"], new["items"], olds, news, f"{place}[]")
    fields, kept = old.get("properties", {}), new.get("properties", {})
    must, need = set(old.get("required", ())), set(new.get("required", ()))
    inside = "" if place == "the message" else f"{place}."
    for name in fields.keys() | kept.keys():
        where = f"{inside}{name}"
        if name not in kept:
            yield where, "this field is gone, and readers look for it"
        elif name not in fields and name in need:
            yield where, "a new field is required, and what was told before has none"
        elif name in fields and (name in need) != (name in must):
            was = "required" if name in must else "optional"
            yield where, f"it was {was} and is not any more"
        if name in fields and name in kept:
            yield from _breaks(fields[name], kept[name], olds, news, where)


def _other_values(old: Json, new: Json, place: str) -> Iterator[tuple[str, str]]:
    """Values that are not allowed any more, or that a reader of yesterday does not know."""
    was, now = (schema.get("enum", [schema["const"]] if "const" in schema else None) for schema in (old, new))
    if was is None and now is None:
        return
    if was is None or now is None:
        yield place, "its values were " + ("open and are named" if was is None else "named and are open")
        return
    if lost := [value for value in was if value not in now]:
        yield place, f"{', '.join(map(str, lost))} may not be said any more, and has been"
    if more := [value for value in now if value not in was]:
        yield place, f"{', '.join(map(str, more))} is a value that readers of the last release do not know"


def _other_choice(old: Json, new: Json, olds: Json, news: Json, place: str) -> Iterator[tuple[str, str]]:
    """Alternatives that have come or gone: `or None` is one."""
    was, now = ([_resolved(one, s) for one in part.get("anyOf", [part])] for part, s in ((old, olds), (new, news)))
    if [one.get("type") for one in was] != [one.get("type") for one in now]:
        kinds = (" or ".join(str(one.get("type", "anything")) for one in part) for part in (was, now))
        yield place, "it was {} and is {}".format(*kinds)
        return
    for before, after in zip(was, now, strict=True):
        yield from _breaks(before, after, olds, news, place)


def _resolved(schema: Json, root: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Json = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return found
