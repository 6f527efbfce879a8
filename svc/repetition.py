"""Find what two services say alike: six or more lines in a row of the same shape belong in the chassis.

`python -m svc.repetition [PATHS...]` looks through `services` (or these files and folders), prints both places of each
repetition, and exits 1 if there is one. Lines have the same shape when only names, texts and numbers differ. Any two
records look alike, so lines that declare a class or its fields must have the same names as well.
Not counted: imports, decorators, registrations (`handles.step("...")(decide)`), docstrings, comments, blank lines, and
lines that only close brackets. Lines of the same shape in a row are a table, and count as one, within one statement or
in a list of calls.
"""

import io
import keyword
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

LINES = 6
"""So many lines in a row may not be said twice."""
SERVICES = Path(__file__).parents[1] / "services"
GENERATED = "migrations"
"""The folder of what Alembic writes: nobody repeats himself there."""
UNCOUNTED = ("import", "from", "@", "handles")
"""What statements begin with that are no code to share: imports, decorators, registrations of handlers."""
KINDS = {tokenize.NAME: "name", tokenize.STRING: "text", tokenize.NUMBER: "number"}
LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER)
Shape = tuple[str, ...]


class Line(NamedTuple):
    """A line that counts: its number in the file, and its shape."""

    number: int
    shape: Shape


class Repetition(NamedTuple):
    """The same shapes in two files of different services."""

    here: Path
    lines_here: list[Line]
    there: Path
    lines_there: list[Line]

    def __str__(self) -> str:
        places = ((self.here, self.lines_here), (self.there, self.lines_there))
        here, there = (f"{path}:{lines[0].number}-{lines[-1].number}" for path, lines in places)
        return f"{here} and {there}: {len(self.lines_here)} lines of one shape; move what they share to the chassis"


def counted(source: str) -> list[Line]:
    """The lines of a Python file that count."""
    found: list[Line] = []
    last: Shape = ()
    for statement in statements(source):
        shapes = _shapes(statement)
        for number, shape in shapes.items():
            if shape != last and not set(shape) <= set(")]},:"):
                found.append(Line(number, shape))
            last = shape
        if len(shapes) > 1 or "=" in last or keyword.iskeyword(last[0]):
            last = ()  # not in a list of calls
    return found


def repetitions(services: dict[Path, str]) -> list[Repetition]:
    """What different services say alike; `services` names the service of each file to look through."""
    lines = {path: counted(path.read_text(encoding="utf-8")) for path in services}
    places: dict[tuple[Shape, ...], list[tuple[Path, int]]] = defaultdict(list)
    for path, of_file in lines.items():
        for start in range(len(of_file) - LINES + 1):
            places[tuple(line.shape for line in of_file[start : start + LINES])].append((path, start))
    pairs = {pair for alike in places.values() for pair in combinations(alike, 2)}
    found = []
    for (here, i), (there, j) in sorted(pairs):
        if services[here] == services[there] or ((here, i - 1), (there, j - 1)) in pairs:
            continue  # the same service, or the rest of a repetition that begins before
        count = LINES
        while ((here, i + count - LINES + 1), (there, j + count - LINES + 1)) in pairs:
            count += 1
        found.append(Repetition(here, lines[here][i : i + count], there, lines[there][j : j + count]))
    return found


def statements(source: str) -> Iterator[list[tokenize.TokenInfo]]:
    """The tokens of each statement that is no import, decorator or docstring; of an f-string only its beginning."""
    statement: list[tokenize.TokenInfo] = []
    inside = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        ends = tokenize.tok_name[token.type].endswith("STRING_END")
        if token.type == tokenize.NEWLINE:
            if statement[0].string not in UNCOUNTED and any(_kind(one) != "text" for one in statement):
                yield statement
            statement = []
        elif not inside and token.type not in LAYOUT:
            statement.append(token)
        inside += tokenize.tok_name[token.type].endswith("STRING_START") - ends


def _shapes(statement: list[tokenize.TokenInfo]) -> dict[int, Shape]:
    """The shape of each line of a statement, by the line's number."""
    declares = statement[0].string == "class" or [_kind(token) for token in statement[:2]] == ["name", ":"]
    shapes: dict[int, Shape] = {}
    for token in statement:
        shapes[token.start[0]] = (*shapes.get(token.start[0], ()), token.string if declares else _kind(token))
    return shapes


def _kind(token: tokenize.TokenInfo) -> str:
    if keyword.iskeyword(token.string):
        return token.string
    starts_text = tokenize.tok_name[token.type].endswith("STRING_START")
    return "text" if starts_text else KINDS.get(token.type, token.string)


def service_of(file: Path) -> str:
    """The service of a file: the folder below `services`; empty for what is generated, and outside of services."""
    _, _, rest = file.absolute().as_posix().rpartition("/services/")
    return "" if GENERATED in file.parts or "/" not in rest else rest.partition("/")[0]


def main(arguments: list[str]) -> int:
    """Print every repetition; 1 if there is one, 2 if there is nothing to look through."""
    wanted = [Path(argument) for argument in arguments] or [SERVICES]
    files = {file for path in wanted for file in (path.rglob("*.py") if path.is_dir() else [path])}
    services = {file: service for file in sorted(files) if (service := service_of(file))}
    found = repetitions(services)
    sys.stdout.writelines(f"{repetition}\n" for repetition in found)
    if not services:
        sys.stdout.write(f"no file of a service in {', '.join(map(str, wanted))}: name files or folders in services/\n")
    return 1 if found else 0 if services else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
