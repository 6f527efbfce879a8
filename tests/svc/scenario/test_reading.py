"""Whatever is wrong with a scenario file is told where it stands, and what is allowed there."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from svc.scenario import Scenario, check, read, schema
from svc.scenario.marks import Mistake, read_marked
from svc.trouble import Trouble

Parse = Callable[..., "Scenario | list[Mistake]"]
ROOT = Path(__file__).parents[3]


def place(text: str, at: str) -> tuple[int, int]:
    """Line and column of the first `at` in the text, from 1."""
    before = text[: text.index(at)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize("file", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_shipped_scenario_holds_and_fits_its_schema(file: Path):
    assert isinstance(check(file), Scenario), check(file)
    jsonschema.validate(read_marked(file.read_text(), file.name).data, schema())


def test_the_schema_that_is_shipped_is_current():
    assert json.loads((ROOT / "scenarios" / "schema.json").read_text()) == schema(), "run `make contracts`"


MISTAKES = [
    # right, wrong, where the mistake is shown (a text that stands there), what is said
    ("title: A bakery\n", "titel: A bakery\n", "titel: A", ["titel: there is no such field", "did you mean 'title'?"]),
    ("mission: Fresh bread.\n", "", "scenario: bakery", ["the field 'mission' is missing"]),
    ("scenario: bakery\n", "scenario: baker\n", "baker\n", ["'baker' differs from the name of the file"]),
    ("segments: [locals], serv", "segments: [local], serv", "local]", ["no segment 'local'; did you mean 'locals'?"]),
    ("services: [delivery]", "services: [ovens]", "ovens]", ["no service 'ovens'; known: delivery"]),
    ("customer: anna@", "customer: hanna@", "hanna@", ["no stakeholder 'hanna@locals.example'; did you mean 'anna@"]),
    ("goods: {item: loaf}", "goods: {item: bun}", "bun}", ["no item 'bun'; known: loaf"]),
    ("goods: {item: loaf}", "price: 1", "{offering: loaf", ["it offers nothing"]),
    ("component: bread, unit", "component: bred, unit", "bred, unit", ["no component 'bred'"]),
    ("unit: pieces, quantity", "unit: bags, quantity", "bags, quantity", ["bread is counted in pieces"]),
    ("supplier: mill, serv", "supplier: moll, serv", "moll, serv", ["no supplier 'moll'; did you mean 'mill'?"]),
    ("mill, service: bread", "mill, service: salt", "salt, status", ["mill has no service 'salt'; known: bread"]),
    ("calendar: mornings\npol", "calendar: nights\npol", "nights\npol", ["s.1.calendar", "no calendar 'nights'"]),
    ('closes: "09:00"', 'closes: "06:30"', "calendar: mornings\n    days", ["open for less than 1 hour a week"]),
    ("calendar: mornings\n      ch", "calendar: evenings\n      ch", "evenings\n      ch", ["no calendar 'evenings'"]),
    (
        "[restore-a-live-service]",
        "[restore]",
        "restore]",
        ["value_streams.1: there is no value stream 'restore'; known: ", "restore-a-live-service"],
    ),
    ("channel: desk\n      kind: incident", "channel: desk\n      kind: party", "party\n", ["value stream 'party'"]),
    ("channel: phone\n", "channel: pigeon\n", "pigeon\n", ["day.events.2.channel", "'phone'", "not 'pigeon'"]),
    ("channel: phone\n", "channel: phone\n      colour: red\n", "colour: red", ["no such field; allowed: "]),
    ("do: supplier", "do: suplier", "{do: suplier", ["'suplier'", "'supplier'"]),
    ("do: supplier, at", "at", "{at: \"08:00\"", ["the field 'do' is missing"]),
    ("quantity: 5, re", "quantity: five, re", "five, re", ["stock.1.quantity", "valid integer", "not 'five'"]),
    ("quantity: 5, re", "quantity: -5, re", "-5, re", ["greater than or equal to 0, not -5"]),
    ("total: 100}", "total: 1e999}", "1e999}", ["budgets.1.total"]),
    ('at: "07:00"', "at: 7:00", "7:00\n", ["day.events.1.at", "not '7:00'"]),
    ("member: 2", "member: 4", "4\n      channel", ["guest-{n}@locals.example has 3 members"]),
    ("customer: anna@locals.example", "customer: 'guest-{n}@locals.example'", "'guest-{n}@locals", ["is a group"]),
    ("many: 3}", "many: 1}", '{stakeholder: "guest', ["a group (`many` above 1) has `{n}` in its id"]),
    ("fillings: {bread: [rye", "fillings: {cake: [rye", "&often", ["{bread} has no fillings"]),
    ("least: 1, usual: 2", "least: 9, usual: 2", "{least: 9", ["least, usual and most rise in this order"]),
    ("share: 0.5", "share: 0.5, answer: {verdict: fully}}\n      - {share: 0.6", "kind: consumer\n", ["more than 1"]),
    ("the_day: 3", "the_day: 15", "15\n", ["the quarter has 14 days"]),
    ("day: 2\n", "day: 20\n", "20\n      events", ["quarter.special.1.day: the quarter has 14 days"]),
    ('opens: "06:00", closes: "09:00"', 'opens: "09:00", closes: "06:00"', '{opens: "09:00"', ["before it opens"]),
    (
        "  - calendar: mornings",
        "  - calendar: always",
        "always\n    days",
        ["there are two of this calendar, the first in line"],
    ),
    ("title: A loaf, serv", "title: A loaf, title: B, serv", "title: B", ["it is there twice, first in line"]),
    ("title: A loaf", "title: ''", "'', serv", ["offerings.1.title"]),
    ("title: A loaf", 'title: "a\\0b"', '"a\\0b"', ["a character that no text has"]),
    ("title: A loaf", 'title: "\\ud800"', '"\\ud800"', ["a character that no text has"]),
    ("title: A loaf", "title: !!python/name:os.system x", "!!python", ["the tag", "is not used here"]),
    ("title: A loaf", "title: [A, loaf]", "[A, loaf]", ["offerings.1.title: Input should be a valid string"]),
    ("capacity: 9", "capacity: " + "9" * 5000, "9" * 5000, ["no number that can be read"]),
    ("channel: phone\n", "channel: phone\n      then: [{do: reply, when: {status: delivered}, text: x}]\n",
     "do: demand\n      at: \"05:00\"", ["only a ticket is replied to"]),
    ("{status: delivered, minutes: 30}", "{status: done}", "done}", ["day.events.1.then.1.when.status"]),
    ("segments:\n  - segment", "segments: {}\nsegment:\n  - segment", "{}\nsegment:", ["valid array"]),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "at", "says"), MISTAKES, ids=[wrong[:40] for _, wrong, *_ in MISTAKES])
def test_a_mistake_is_told_with_line_and_column(
    small: str, parsed: Parse, right: str, wrong: str, at: str, says: list[str]
):
    found = parsed(right, wrong)
    assert isinstance(found, list)
    told = "\n".join(map(str, found))
    for words in says:
        assert words in told
    line, column = place(small.replace(right, wrong, 1), at)
    assert f"bakery.yaml:{line}:{column}: " in told


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(small: str, tmp_path: Path):
    wrong = (
        small.replace("criticality: low", "")
        .replace("segment: locals}", "segment: nobody}")
        .replace("9, unit", "x, unit")
    )
    (tmp_path / "bakery.yaml").write_text(wrong.replace("days: 14", "days: 0"))
    found = check(tmp_path / "bakery.yaml")
    assert isinstance(found, list)
    assert [mistake.where for mistake in found] == ["stakeholders.1.segment", "components.1.capacity", "quarter.days"]
    with pytest.raises(Trouble, match=r"(?s)nobody.*'x'.*greater than or equal to 1"):
        read(tmp_path / "bakery.yaml")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ":1:1: a scenario has fields"),
        (b"- a\n- list\n", ":1:1: a scenario has fields"),
        (b"scenario: bakery\ntitle: [\n", ":3:1: this is not YAML"),
        (b"scenario: a\n\tb: c\n", ":2:1: this is not YAML"),
        (b"title: x\n\xff", ":1:1: this is no text in UTF-8"),
        (b"title: a\x07b\n", ":1:9: a character that no text has"),
        (b"a: " + b"[" * 5000, "nested deeper"),
        (b"a: " + b"[" * 60 + b"]" * 60, "too much"),
        (b"? [a]\n: b\n", ":1:3: the name of a field is a word"),
        (b"a: &a [*a]\n", "too much"),
        (b"a: &a [1,1,1,1,1,1,1,1,1,1]\n" + b"".join(
            b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 10)) for n in range(8)
        ), "too much: at most 100,000 values"),
    ],
)  # fmt: skip
def test_what_is_no_scenario_at_all_is_said_to_be_so(content: bytes, says: str, tmp_path: Path):
    (tmp_path / "bakery.yaml").write_bytes(content)
    found = check(tmp_path / "bakery.yaml")
    assert isinstance(found, list)
    assert says in "\n".join(map(str, found))


@pytest.mark.parametrize("name", ["nowhere.yaml", ""])
def test_a_file_that_is_not_there_is_named(name: str, tmp_path: Path):
    with pytest.raises(Trouble, match=r"cannot be read: .*Give the path of a scenario file"):
        check(tmp_path / name)


def test_plain_words_are_read_as_they_stand():
    data = read_marked("a: no\nb: 12:30\nc: 010\nd: 2026-01-01\ne: 1.5\nf: true\ng: ~\nh: 7\n", "x").data
    assert data == {"a": "no", "b": "12:30", "c": "010", "d": "2026-01-01", "e": 1.5, "f": True, "g": None, "h": 7}
