"""YAML with the place of every value, so that whatever is wrong with one can be shown to who wrote it.

Plain words are read as YAML 1.2 has them: `no` is a word, `12:30` is a text and no number of seconds.
"""

import re
from typing import Any, NamedTuple

import yaml

Path = tuple[str | int, ...]
"""Where a value stands: names of fields and places in lists, from the top."""
DEEPEST, MOST = 40, 100_000
"""How deep a file may be nested, and how many values it may have, those behind aliases counted each time."""
TAG = "tag:yaml.org,2002:"
SURROGATES = re.compile("[\ud800-\udfff]")


class Mark(NamedTuple):
    """A place in a file, counted from 1."""

    line: int
    column: int


class Mistake(NamedTuple):
    """One thing that is wrong with a file."""

    file: str
    at: Mark
    where: str
    """The field, as in `suppliers.2.terms`; empty for the file as a whole."""
    text: str

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.at.line}:{self.at.column}: {where}{self.text}"


class Marked(NamedTuple):
    """What a file says, and where it says so."""

    data: Any
    values: dict[Path, Mark]
    keys: dict[Path, Mark]
    """Where the name of a field stands."""
    mistakes: list[Mistake]

    def place(self, path: Path) -> tuple[Path, Mark]:
        """The deepest part of `path` that the file has: a name that is not in it is passed over."""
        found: Path = ()
        for part in path:
            if (*found, part) in self.values:
                found = (*found, part)
        return found, self.values.get(found, Mark(1, 1))


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as its base declares it


_Loader.add_implicit_resolver(f"{TAG}bool", re.compile("(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(f"{TAG}null", re.compile("(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver(f"{TAG}int", re.compile("[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    f"{TAG}float", re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"), list("-+0123456789")
)


def read_marked(text: str, file: str) -> Marked:
    """Read it; what is no YAML is a mistake like any other."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(at.line + 1, at.column + 1) if at else Mark(1, 1)
        return Marked(None, {}, {}, [Mistake(file, mark, "", f"this is not YAML: {error.problem or error.context}")])
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark = Mark(before.count("\n") + 1, error.position - before.rfind("\n"))
        return Marked(None, {}, {}, [Mistake(file, mark, "", f"a character that no text has: {error.reason}")])
    except RecursionError:
        return Marked(None, {}, {}, [Mistake(file, Mark(1, 1), "", f"it is nested deeper than {DEEPEST} levels")])
    found = Marked(None, {}, {}, [])
    data = _Reading(found, file).value(node, ()) if node else None
    return found._replace(data=data)


class _Reading:
    """The way from nodes to plain data; marks and mistakes are noted on the way."""

    def __init__(self, found: Marked, file: str) -> None:
        self.found, self.file, self.count = found, file, 0

    def wrong(self, node: yaml.Node, path: Path, text: str) -> None:
        mark = Mark(node.start_mark.line + 1, node.start_mark.column + 1)
        self.found.mistakes.append(Mistake(self.file, mark, dotted(path), text))

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The data of a node."""
        self.count += 1
        if self.count > MOST or len(path) > DEEPEST:
            if self.count <= MOST or self.count == MOST + 1:
                self.wrong(node, path[:3], f"too much: at most {MOST:,} values, {DEEPEST} levels deep")
            return None
        self.found.values[path] = Mark(node.start_mark.line + 1, node.start_mark.column + 1)
        match node:
            case yaml.MappingNode():
                return self.mapping(node, path)
            case yaml.SequenceNode():
                return [self.value(one, (*path, place)) for place, one in enumerate(node.value)]
            case _:
                return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(key, path, "the name of a field is a word")
                continue
            name = str(key.value)
            if name in data:
                before = self.found.keys[*path, name]
                self.wrong(key, (*path, name), f"it is there twice, first in line {before.line}")
                continue
            self.found.keys[*path, name] = Mark(key.start_mark.line + 1, key.start_mark.column + 1)
            data[name] = self.value(value, (*path, name))
        return data

    def scalar(self, node: yaml.Node, path: Path) -> str | int | float | bool | None:
        text = str(node.value)
        try:
            match str(node.tag).removeprefix(TAG):
                case "str":
                    if "\0" in text or SURROGATES.search(text):
                        self.wrong(node, path, "a character that no text has")
                        return ""
                    return text
                case "int":
                    return int(text)
                case "float":
                    return float(text)
                case "bool":
                    return text == "true"
                case "null":
                    return None
        except ValueError:
            self.wrong(node, path, "this is no number that can be read")
            return None
        self.wrong(node, path, f"the tag {node.tag} is not used here")
        return None


def dotted(path: Path) -> str:
    """A path in one word; places in lists are counted from 1."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
