"""What `Handlers` refuses at import, each with a text that says what to write instead."""

from typing import Any, Never
from uuid import UUID

import pytest
from pydantic import BaseModel

from contracts import value_chain
from contracts.engage import DemandConsolidated
from contracts.event import Command, Event
from contracts.plan import PortfolioDecisionMade
from contracts.stream import Streams
from contracts.value_chain import ENGAGE, PLAN
from services.chassis.handlers import Handlers
from services.chassis.outputs import Answer, Later
from services.chassis.state import Read, State


class Note(State[UUID], by="demand"):
    """What is noted about a demand."""

    text: str = ""


class Shelf(State[str], by="shelf"):
    """Found by a field that no demand has."""


class Nothing(BaseModel):
    """No state at all."""


class ForOthers(Command, activity=ENGAGE):
    """A command for another activity."""

    demand: UUID


class Own(Command, activity=PLAN):
    """A command for this activity."""

    demand: UUID


NOT_TOLD_BY_PLAN = next(flow.event for flow in value_chain.heard_by(PLAN) if issubclass(flow.event, Event))
NOT_HEARD_BY_PLAN = next(
    flow.event
    for flow in value_chain.told_by(PLAN)
    if flow.event not in {heard.event for heard in value_chain.heard_by(PLAN)}
)


def nothing_said(demand, note):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103, RUF100 - on purpose
    return []


def a_state_first(note: Note) -> list[Never]:
    return []


def deaf(event: NOT_HEARD_BY_PLAN) -> list[Never]:  # type: ignore[valid-type]
    return []


def anothers_command(command: ForOthers) -> list[Never]:
    return []


def unknown_state(demand: DemandConsolidated, nothing: Nothing) -> list[Never]:
    return []


def state_that_cannot_be_found(demand: DemandConsolidated, shelf: Shelf) -> list[Never]:
    return []


def tells_what_others_tell(demand: DemandConsolidated) -> list[NOT_TOLD_BY_PLAN]:  # type: ignore[valid-type]
    return []


def tells_others_what_to_do(demand: DemandConsolidated) -> list[ForOthers | Later]:
    return []


def answers_nobody(demand: DemandConsolidated) -> list[Answer]:
    return []


def tells_a_text(demand: DemandConsolidated) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("decide", "why"),
    [
        (nothing_said, "annotate the message first, then the state, and return list"),
        (a_state_first, "the first parameter is an event that plan hears by contracts/value_chain.py, or a command"),
        (deaf, "the first parameter is an event that plan hears by contracts/value_chain.py"),
        (anothers_command, "or a command of its own; .*ForOthers.* is neither"),
        (unknown_state, r"Nothing.* is not a state; write it as a class of State\["),
        (state_that_cannot_be_found, "DemandConsolidated has no field 'shelf' to find Shelf by"),
        (tells_what_others_tell, "may not be returned; allowed: what plan tells by contracts/value_chain.py"),
        (tells_others_what_to_do, "ForOthers.* may not be returned; .*commands to itself"),
        (answers_nobody, "Answer.* may not be returned; .*an Answer to a command"),
        (tells_a_text, "str.* may not be returned"),
    ],
)
def test_a_handler_that_the_table_does_not_allow_is_refused_at_import(decide: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why) as refused:
        Handlers(PLAN).draws_on()(decide)
    assert decide.__name__ in str(refused.value), "the text names the function"


def test_two_handlers_of_one_message_are_refused_unless_they_are_different_capabilities() -> None:
    handles = Handlers(PLAN)

    def first(demand: DemandConsolidated, note: Read[Note]) -> list[PortfolioDecisionMade]:
        return []

    def second(demand: DemandConsolidated) -> list[PortfolioDecisionMade]:
        return []

    handles.draws_on()(first)
    handles.step("weigh demand")(second)
    with pytest.raises(TypeError, match="first hears DemandConsolidated already"):
        handles.draws_on()(second)


def test_a_step_of_a_stream_that_nobody_here_offers_is_refused() -> None:
    class Step:
        step, activity, does = "weigh", PLAN, "weigh demand"

    class Stream:
        stream, steps = "an-odd-one", (Step,)

    class Odd(Streams):
        def __iter__(self) -> Any:
            return iter([Stream])

    with pytest.raises(ValueError, match="an-odd-one, step weigh: does: 'weigh demand': plan does not offer that"):
        Handlers(PLAN).follow(Odd())


def test_state_that_could_change_in_place_is_refused() -> None:
    with pytest.raises(TypeError, match="state holds immutable values"):

        class Listed(State[UUID], by="demand"):
            """A list would change unseen."""

            texts: list[str] = []  # noqa: RUF012 - what is refused
