"""A service that dies by SIGKILL at one step of a batch, and proves at which; also the mutants of the chassis.

    python -m svc.chaos.crashing APP [--die STEP --proof FILE] [--mutant NAME]

The chassis has no switch for any of this: its step functions are wrapped here, from outside.
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from services.chassis import lane, store
from services.chassis.fold import Decided, Fold, Output, told_by
from services.chassis.lane import Lane
from services.chassis.service import serve
from svc.chaos import by_hand, reading

STEPS = ("before write", "after write", "mid-publish", "after publish", "after commit")


def die(proof: Path, step: str) -> None:
    """Leave the proof on disk and be gone, as a power cut would have it."""
    with proof.open("w") as file:
        file.write(step)
        file.flush()
        os.fsync(file.fileno())
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(step: str, proof: Path) -> None:
    """Wrap the step functions so that the process dies at `step` of a batch that tells something."""
    write, publish, commit = Lane.write, Lane.publish, Lane.commit
    told: list[int] = []

    async def writing(self: Lane, fold: Fold) -> None:
        if step == "before write" and fold.outputs:
            die(proof, step)
        await write(self, fold)

    async def publishing(self: Lane, outputs: Sequence[Output]) -> None:
        if step == "after write" and outputs:
            die(proof, step)
        if step == "mid-publish" and len(outputs) > 1:
            await publish(self, outputs[: len(outputs) // 2])
            die(proof, step)
        await publish(self, outputs)
        if step == "after publish" and outputs:
            die(proof, step)
        told.append(len(outputs))

    async def committing(self: Lane, ends: dict[TopicPartition, int]) -> None:
        await commit(self, ends)
        if step == "after commit" and told and told[-1]:
            die(proof, step)

    Lane.write, Lane.publish, Lane.commit = writing, publishing, committing  # type: ignore[method-assign]


def no_dedupe() -> None:
    """Receipts are neither looked at nor counted."""
    start, statement = Fold.__init__, store.write_statement

    def forgetful(self: Fold, *arguments: Any) -> None:
        start(self, *arguments)
        self.known = {}

    def uncounted(states: Any) -> str:
        return statement(states).replace("(SELECT count(*) FROM receipt_) = cardinality($1::uuid[])", "true")

    Fold.__init__ = forgetful  # type: ignore[method-assign, assignment]
    store.write_statement = uncounted


def offsets_first() -> None:
    """Offsets are committed before anything is written, and it is read on from there."""
    work, commit = Lane.work, Lane.commit

    async def hasty(self: Lane, records: Sequence[Any], *, committed: bool = False) -> None:
        self.ends = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        await commit(self, self.ends)
        await work(self, records, committed=committed)

    async def nothing(*arguments: Any) -> AsyncIterator[list[Any]]:
        for records in list[list[Any]]():
            yield records

    Lane.work = hasty  # type: ignore[method-assign]
    vars(lane)["in_order_of_time"] = nothing


def no_republish() -> None:
    """A new owner does not publish what the last one had written."""
    vars(lane)["told_by"] = lambda runtime, receipt: []


def no_epochs() -> None:
    """Whoever was the owner of a partition once can write for it for ever."""
    statement = store.write_statement
    store.write_statement = lambda states: statement(states).replace(" AND o.epoch = n.epoch", "")


def no_version_guard() -> None:
    """The last writer of a row wins."""
    statement = store.write_statement
    store.write_statement = lambda states: statement(states).replace("WHERE old.version = excluded.version - 1 ", "")


def broken() -> None:
    """A programming error in the chassis itself."""

    async def work(self: Lane, records: Sequence[Any], *, committed: bool = False) -> None:
        raise AssertionError("broken on purpose")

    Lane.work = work  # type: ignore[method-assign]


def copies_republish() -> None:
    """A mere copy of a record publishes its outputs again."""

    def loud(self: Fold, arrival: Any, receipt: dict[str, Any]) -> None:
        if receipt:  # not a copy within one batch
            self.decided.append(Decided(arrival, None, outputs=told_by(self.runtime, receipt)))

    Fold.repeat = loud  # type: ignore[method-assign]


def untraced(message: str) -> None:
    """What is told of this class names no trace."""
    publish = Fold.publish

    def forgetful(self: Fold, decided: Decided, id: Any, time: Any, told: Any, words: dict[str, Any]) -> None:
        publish(self, decided, id, time, told, words | {"traceparent": ""} if type(told).__name__ == message else words)

    Fold.publish = forgetful  # type: ignore[method-assign, assignment]


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (no_dedupe, offsets_first, no_republish, no_version_guard, no_epochs, copies_republish, broken)
}


def until_there(release: Path | None) -> None:
    """Wait for a file."""
    while release is not None and not release.exists():
        time.sleep(0.02)


def hold_before_write(seconds: float, release: Path | None) -> None:
    """Wait between the first read and its write, for some time or until a file is there: others read meanwhile."""
    write, held = Lane.write, list[Lane]()

    async def slowly(self: Lane, fold: Fold) -> None:
        if not held:
            held.append(self)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(until_there, release)
        await write(self, fold)

    Lane.write = slowly  # type: ignore[method-assign]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app", help="module:attribute of the application, or of a function that makes it")
    parser.add_argument("--die", choices=STEPS)
    parser.add_argument("--proof", type=Path)
    parser.add_argument("--mutant", choices=sorted(MUTANTS))
    parser.add_argument("--pause", type=float, help="seconds between the first read and its write")
    parser.add_argument("--hold", type=Path, help="wait there until this file exists")
    parser.add_argument("--topics", nargs="*", help="own these topics by hand instead of joining the group")
    parser.add_argument("--untraced", help="name no trace in what is told of this class")
    parser.add_argument("--late", nargs="*", help="take up these topics last")
    parser.add_argument("--deaf", nargs="*", help="leave these topics to the next process")
    parser.add_argument("--shuffle", type=int, help="take topics up in any order; the seed")
    parser.add_argument("--link", action="append", default=[], help="PORT=OTHER: connect to OTHER instead of PORT")
    parser.add_argument("--skew", type=float, help="seconds by which its clock is wrong")
    chosen = parser.parse_args()
    if chosen.mutant:
        MUTANTS[chosen.mutant]()
    if chosen.untraced:
        untraced(chosen.untraced)
    if chosen.pause or chosen.hold:
        hold_before_write(chosen.pause or 0, chosen.hold)
    if chosen.die:
        die_at(chosen.die, chosen.proof)
    module, _, attribute = chosen.app.partition(":")
    made = getattr(import_module(module), attribute)
    if chosen.topics:
        by_hand.own(chosen.topics)
    if chosen.late:
        reading.late(set(chosen.late))
    if chosen.deaf:
        reading.deaf(set(chosen.deaf))
    if chosen.shuffle is not None:
        reading.shuffled(chosen.shuffle)
    if chosen.link:
        reading.linked({int(port): int(other) for port, _, other in (link.partition("=") for link in chosen.link)})
    if chosen.skew:
        reading.skewed(chosen.skew)
    serve(made() if attribute.startswith("make") else made)
