"""Reading a scenario file: either it can be used whole, or every mistake in it is told with its line and column."""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from contracts.stream import Streams, read_streams
from svc.scenario.marks import Mark, Marked, Mistake, Path, dotted, read_marked
from svc.scenario.model import IDENTIFIED, DemandComes, Organisation, SupplierNews
from svc.scenario.scenario import Scenario
from svc.trouble import Trouble

STREAMS = File(__file__).parents[2] / "contracts" / "value_streams"
LONGEST = 60
"""Characters that are quoted of what is wrong."""
SECTIONS = {"agreement": "agreement", "opportunity": "opportunity", "initiative": "initiative"}
"""What a happening brings that later ones refer to: the name of what it does, and the field that names the thing."""


def read(file: File, streams: File = STREAMS) -> Scenario:
    """The scenario in a file; `Trouble` tells every mistake."""
    found = check(file, streams)
    if isinstance(found, Scenario):
        return found
    raise Trouble("\n".join(map(str, found)))


def check(file: File, streams: File = STREAMS) -> Scenario | list[Mistake]:
    """The scenario in a file, or all that is wrong with it; `Trouble` if there is no such file."""
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        return [Mistake(str(file), Mark(1, 1), "", f"this is no text in UTF-8: {error.reason} at byte {error.start}")]
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}. Give the path of a scenario file (*.yaml).") from error
    return parse(text, str(file), read_streams(streams))


def parse(text: str, file: str, streams: Streams) -> Scenario | list[Mistake]:
    """The scenario that a text describes, or all that is wrong with it, in the order of the text."""
    marked = read_marked(text, file)
    mistakes = list(marked.mistakes)
    if not isinstance(marked.data, dict):
        return mistakes or [Mistake(file, Mark(1, 1), "", "a scenario has fields, the first of them `scenario:`")]
    mistakes += [_mistake(file, marked, path, text) for path, text in twice(marked)]
    try:
        context = names(marked.data, streams)
        scenario = Scenario.model_validate_json(json.dumps(marked.data), context=context)
    except ValidationError as error:
        mistakes += [_explained(file, marked, one) for one in causes(error.errors())]
        return sorted(dict.fromkeys(mistakes), key=lambda one: one.at)
    mistakes += [_mistake(file, marked, path, text) for path, text in beyond_shape(scenario, File(file).stem)]
    return sorted(mistakes, key=lambda one: one.at) or scenario


def names(data: Mapping[str, Any], streams: Streams) -> dict[str, dict[str, Path]]:
    """Every name that the file gives to something, by what it is, with where: as far as it can be read at all."""
    found: dict[str, dict[str, Path]] = {sort: {} for _, sort in IDENTIFIED.values()}
    for section, (field, sort) in IDENTIFIED.items():
        for place, one in enumerate(_list(data.get(section))):
            if isinstance(one, dict) and isinstance(one.get(field), str):
                found[sort].setdefault(one[field], (section, place, field))
    found |= {sort: found.get(sort, {}) for sort in SECTIONS.values()}
    for path, happening in happenings(data):
        sort = SECTIONS.get(str(happening.get("do")), "")
        if sort and isinstance(happening.get(sort), str):
            found[sort].setdefault(happening[sort], (*path, sort))
    used = [one for one in _list(data.get("value_streams")) if isinstance(one, str)]
    found["value stream"] = {stream.stream: () for stream in streams}
    all_known = all(map(streams.get, used))  # else nobody can tell which kinds have one
    kinds = [kind for one in streams if one.stream in used or not all_known for kind in one.trigger.kinds]
    return found | {"kind of demand with a value stream": dict.fromkeys(kinds, ())}


def happenings(data: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """All that happens, in the day and on special days of the quarter, with where it stands."""
    day, quarter = data.get("day"), data.get("quarter")
    lists: list[tuple[Path, Any]] = [(("day", "events"), day.get("events") if isinstance(day, dict) else None)]
    for place, one in enumerate(_list(quarter.get("special") if isinstance(quarter, dict) else None)):
        lists.append((("quarter", "special", place, "events"), one.get("events") if isinstance(one, dict) else None))
    for path, events in lists:
        for place, one in enumerate(_list(events)):
            if isinstance(one, dict):
                yield (*path, place), one


def twice(marked: Marked) -> Iterator[tuple[Path, str]]:
    """Names that are given to two things of one sort."""
    for section, (field, sort) in IDENTIFIED.items():
        seen: dict[str, Path] = {}
        for place, one in enumerate(_list(marked.data.get(section))):
            name, path = one.get(field) if isinstance(one, dict) else None, (section, place, field)
            if isinstance(name, str) and name in seen:
                line = marked.values[seen[name]].line
                yield path, f"there are two of this {sort}, the first in line {line}"
            elif isinstance(name, str):
                seen[name] = path


def beyond_shape(scenario: Scenario, name: str) -> Iterator[tuple[Path, str]]:
    """What only the scenario as a whole can show to be wrong."""
    if scenario.scenario != name:
        yield ("scenario",), f"{scenario.scenario!r} differs from the name of the file; allowed: {name}"
    groups = {one.stakeholder: one.many for one in scenario.stakeholders}
    offered = {one.supplier: [service.service for service in one.services] for one in scenario.suppliers}
    counted = {one.component: one.unit for one in scenario.components}
    for place, item in enumerate(scenario.stock):
        if item.unit != counted[item.component]:
            text = f"{item.component} is counted in {counted[item.component]}, its stock has to be as well"
            yield ("stock", place, "unit"), text
    for path, one in members(scenario):
        if groups[one] > 1:
            yield path, f"{one} is a group: name a single stakeholder"
    asked: dict[tuple[str, str], Path] = {}
    for path, happening in events(scenario):
        if isinstance(happening, DemandComes):
            if happening.member > groups[happening.requester]:
                many = groups[happening.requester]
                yield (*path, "member"), f"{happening.requester} has {many} members"
            who = (scenario.requester(happening), happening.title)
            if who in asked:
                yield (*path, "title"), f"{who[0]} asks for the same twice: say it in other words"
            asked[who] = path
        if isinstance(happening, SupplierNews) and happening.service not in offered[happening.supplier]:
            allowed = ", ".join(offered[happening.supplier])
            yield (*path, "service"), f"{happening.supplier} has no service {happening.service!r}; known: {allowed}"
    quarter = scenario.quarter_of_demand
    if quarter.the_day and quarter.the_day > quarter.days:
        yield ("quarter", "the_day"), f"the quarter has {quarter.days} days"
    for place, special in enumerate(quarter.special):
        if special.day > quarter.days:
            yield ("quarter", "special", place, "day"), f"the quarter has {quarter.days} days"


def members(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Where a single stakeholder has to be named, and who is."""
    for place, segment in enumerate(scenario.segments):
        for number, stated in enumerate(segment.stated):
            yield ("segments", place, "stated", number, "customer"), stated.customer
    for path, happening in events(scenario):
        for field in ("customer", "sponsor"):
            if isinstance(who := getattr(happening, field, None), str):
                yield (*path, field), who


def events(scenario: Organisation) -> Iterator[tuple[Path, Any]]:
    """All that happens, with where it stands."""
    for place, event in enumerate(scenario.day_of_demand.events):
        yield ("day", "events", place), event
    for number, special in enumerate(scenario.quarter_of_demand.special):
        for place, event in enumerate(special.events):
            yield ("quarter", "special", number, "events", place), event


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mistake(file: str, marked: Marked, path: Path, text: str) -> Mistake:
    found, mark = marked.place(path)
    return Mistake(file, mark, dotted(found), text)


def causes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without those that only follow from others: a list is not too short because of what is wrong in it."""
    places = [one["loc"] for one in errors]

    def follows(error: ErrorDetails) -> bool:
        at = error["loc"]
        return error["type"] == "too_short" and any(one[: len(at)] == at and one != at for one in places)

    return [one for one in errors if not follows(one)]


def _explained(file: str, marked: Marked, error: ErrorDetails) -> Mistake:
    """What pydantic found, where the author has written it and in words that help."""
    path, field = error["loc"], error["loc"][-1] if error["loc"] else ""
    found, mark = marked.place(untagged(path))
    text = error["msg"]
    match error["type"]:
        case "missing":
            text = f"the field {field!r} is missing"
        case "extra_forbidden":
            mark = marked.keys.get(found, mark)
            allowed = fields_at(path[:-1])
            near = difflib.get_close_matches(str(field), allowed, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(allowed)}"
            text = f"there is no such field; {hint}"
        case "value_error":
            text = str(error["ctx"]["error"])
        case "union_tag_not_found":
            text = "the field 'do' is missing: it says what happens"
        case _ if isinstance(error["input"], str | int | float | bool):
            said = repr(error["input"])
            text = f"{text}, not {said if len(said) <= LONGEST else said[:LONGEST] + '...'}"
    return Mistake(file, mark, dotted(found), text)


def untagged(path: Path) -> Path:
    """A place without the names of what happens, which the file does not have as levels of their own."""
    return tuple(
        part
        for place, part in enumerate(path)
        if not (place >= 2 and path[place - 2] in ("events", "then") and isinstance(path[place - 1], int))
    )


def fields_at(path: Path) -> list[str]:
    """The fields that a part of a scenario may have, by the place it stands at."""
    parts: list[type[BaseModel]] = [Organisation]
    for name in path:
        if isinstance(name, int):
            continue
        tagged = [part for part in parts if name in does(part)]
        if tagged:
            parts = tagged
            continue
        parts = [
            inner
            for part in parts
            for field, info in part.model_fields.items()
            if name in (field, info.alias)
            for inner in _models(info.annotation)
        ]
    return list(dict.fromkeys(info.alias or field for part in parts for field, info in part.model_fields.items()))


def does(part: type[BaseModel]) -> tuple[str, ...]:
    """The names under which a part says what happens; none for one that is no happening."""
    return get_args(part.model_fields["do"].annotation) if "do" in part.model_fields else ()


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType, tuple, dict) or get_args(annotation):
        for inner in get_args(annotation):
            yield from _models(inner)
