"""The books of a chain at speed: what every reading finds is lost, what one finds was on its way."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from svc import books
from svc.trouble import Trouble


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What each reading in turn finds; to be filled in."""
    found: list[list[str]] = []

    async def at_rest(*places: object, **options: object) -> None:
        """It is, each time."""

    async def read(*places: object, **options: object) -> SimpleNamespace:
        return SimpleNamespace(log=[], receipts={}, demands={}, aside={}, stories=found.pop(0))

    def check(seen: SimpleNamespace) -> Iterator[str]:
        yield from seen.stories

    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://admin@postgres.example/svc")
    monkeypatch.setattr(books.log, "until_at_rest", at_rest)
    monkeypatch.setattr(books.books, "read", read)
    monkeypatch.setattr(books.checks, "CHECKS", (check,))
    return found


async def test_books_without_a_story_balance_at_once(readings: list[list[str]]) -> None:
    readings += [[], ["never read"]]
    assert (await books.balance()).json["checks"] == 1
    assert len(readings) == 1


async def test_what_only_one_reading_finds_was_on_its_way(readings: list[list[str]]) -> None:
    readings += [["a timer", "an event"], ["an event", "another timer"], ["a third timer"]]
    await books.balance()
    assert not readings


async def test_what_every_reading_finds_does_not_add_up(readings: list[list[str]]) -> None:
    readings += [["a timer", "the lost one"], ["the lost one"], ["the lost one", "x"], ["y", "the lost one"]]
    with pytest.raises(Trouble, match="It does not add up, 1 times:\nthe lost one"):
        await books.balance()
