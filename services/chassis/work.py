"""Work items: what somebody has to do, who owns it, by when it is promised, and how far it is."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from contracts.event import Command, Message
from services.chassis.outputs import Answer, Work, refusal
from services.chassis.state import State

Way = Literal["auto", "simulated", "manual"]
"""Who does the work and when: a rule at once, a simulated work centre by the chain's clock, a person or a system."""


class WorkDone(Command):
    """Work is done, by whom; each kind of work has its own subclass, so that each has its own handler."""

    demand: UUID
    by: str = "the activity itself"
    """The person, system or work centre that did it."""


class WorkItem(State[UUID]):
    """The columns of a piece of work; each kind is a subclass: `class Resolution(WorkItem, by="demand")`."""

    status: Literal["none", "open", "done"] = "none"
    owner: str = ""
    round: int = 0
    """How many times the work was begun: a component that failed validation is built again."""
    begun_at: datetime | None = None
    promised_by: datetime | None = None
    done_at: datetime | None = None
    done_by: str = ""
    done_type: str = ""
    """What arrives when it is done: the type of that command, and its data as JSON."""
    done_data: str = ""

    def begin(self, message: Message, *, owner: str, promised_by: datetime, effort: timedelta, done: WorkDone) -> Work:
        """Open the item (again) because of `message`; `done` is what arrives when the work is done."""
        self.status, self.owner, self.round = "open", owner, self.round + 1
        self.begun_at, self.promised_by, self.done_at, self.done_by = message.time, promised_by, None, ""
        self.done_type, self.done_data = done.type, done.model_dump_json()
        return Work(effort, done, owner)

    def finish(self, done: WorkDone) -> Answer | None:
        """Close the item; a refusal when nothing is open: who reports twice or too early learns so."""
        if self.status != "open":
            state = "has not been begun" if self.status == "none" else f"was done by {self.done_by}"
            return refusal(409, "No such work is open", f"This work {state}; `GET /work` lists what is open.")
        self.status, self.done_at, self.done_by = "done", done.time, done.by
        return None
