"""A small activity to try the chassis with: it keeps a ledger in the place of Plan."""

from datetime import timedelta
from typing import Never
from uuid import UUID

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from pydantic import BaseModel

from contracts.engage import DemandConsolidated
from contracts.event import Command
from contracts.plan import PortfolioDecisionMade
from contracts.value_chain import PLAN
from services.chassis.commands import Commanding
from services.chassis.handlers import Handlers
from services.chassis.outputs import Answer, Ask, Effect, Later, Work
from services.chassis.service import create_app
from services.chassis.state import ONE, State
from services.chassis.work import WorkDone, WorkItem


class Entry(State[UUID], by="demand"):
    """What the ledger has heard of one demand, in order."""

    titles: tuple[str, ...] = ()
    reminders: int = 0


class Purse(State[str], by=ONE, shared=True, check="spent <= total"):
    """The money that all demands draw on."""

    total: int = 1_000_000
    spent: int = 0


class Deposited(BaseModel):
    """The answer to a deposit."""

    demand: UUID
    euros: int
    deposits: int


class Deposit(Command, activity=PLAN):
    """Somebody puts money in on behalf of a demand."""

    demand: UUID
    euros: int


class Mail(Effect):
    """A letter about an entry."""

    demand: UUID

    def failed(self, reason: str) -> Command:
        """The letter was given up."""
        return Mailed(demand=self.demand, outcome=f"given up: {reason}")


class Mailed(Command, activity=PLAN):
    """How it went with a letter."""

    demand: UUID
    outcome: str


class Corrected(Command, activity=PLAN):
    """Somebody corrects an entry, by the inbox: another topic than that of demands."""

    demand: UUID
    title: str


class Visited(Command, activity=PLAN):
    """Somebody visits a place on behalf of a demand."""

    demand: UUID
    place: str


class Counter(State[str], by="place"):
    """The visitors of a place: other cases change it too, although its author has not said so."""

    visitors: int = 0


class Audit(WorkItem, by="demand"):
    """Somebody looks through an entry."""


class AuditWanted(Command, activity=PLAN):
    """An entry is to be looked through."""

    demand: UUID
    hours: float


class AuditDone(WorkDone, activity=PLAN):
    """It has been."""


class Reminded(Command, activity=PLAN):
    """The timer of an entry."""

    demand: UUID


BUG = "bang"
"""The title that the handler cannot take; a test mends it."""
handles = Handlers(PLAN)


@handles.draws_on()
def write_down(demand: DemandConsolidated, entry: Entry, purse: Purse) -> list[PortfolioDecisionMade | Later | Ask]:
    """Pay what the demand wants. `bang` raises after it has changed the shared purse; `overdraw` breaks its bound."""
    purse.spent += 10_000_000 if demand.title == "overdraw" else demand.value
    if demand.title == BUG:
        raise ZeroDivisionError("a bug, after the purse was changed")
    entry.titles = (*entry.titles, demand.title)
    told: list[PortfolioDecisionMade | Later | Ask] = [decision(demand, len(entry.titles), purse.spent)]
    if demand.title == "remind":
        told.append(Later(demand.time + timedelta(seconds=1), Reminded(demand=demand.demand)))
    if demand.title == "mail":
        told.append(Ask(Mail(demand=demand.demand)))
    return told


@handles.draws_on()
def correct(corrected: Corrected, entry: Entry) -> list[PortfolioDecisionMade]:
    """Write the correction down, and tell of it as of a demand."""
    entry.titles = (*entry.titles, corrected.title)
    return [decision(corrected, len(entry.titles), 0)]


@handles.draws_on()
def count_visitor(visited: Visited, counter: Counter) -> list[Never]:
    """Count one more."""
    counter.visitors += 1
    return []


@handles.draws_on()
def take_deposit(deposit: Deposit, entry: Entry, purse: Purse) -> list[Answer]:
    """Add to the purse; the answer says how often."""
    purse.total += deposit.euros
    entry.titles = (*entry.titles, "deposit")
    return [Answer(201, Deposited(demand=deposit.demand, euros=deposit.euros, deposits=entry.titles.count("deposit")))]


@handles.draws_on()
def remind(reminded: Reminded, entry: Entry) -> list[Later]:
    """Count the reminder."""
    entry.reminders += 1
    return []


@handles.draws_on()
def begin_audit(wanted: AuditWanted, audit: Audit) -> list[Work]:
    """Have an auditor look through the entry."""
    effort, done = timedelta(hours=wanted.hours), AuditDone(demand=wanted.demand)
    return [audit.begin(wanted, owner="auditors", promised_by=wanted.time + effort, effort=effort, done=done)]


@handles.draws_on()
def end_audit(done: AuditDone, audit: Audit) -> list[Answer]:
    """It has been looked through."""
    refused = audit.finish(done)
    return [refused] if refused else []


@handles.draws_on()
def note_letter(mailed: Mailed, entry: Entry) -> list[Never]:
    """Write down how it went with the letter."""
    entry.titles = (*entry.titles, mailed.outcome)
    return []


def decision(demand: DemandConsolidated | Corrected, number: int, spent: int) -> PortfolioDecisionMade:
    """What the ledger tells: the demand's running number stands in `quarter_left`."""
    return PortfolioDecisionMade(
        demand=demand.demand,
        title=demand.title,
        requester="emily@example.com",
        service="ledger",
        decision="defer",
        options=(),
        chosen=None,
        value=number,
        cost=0,
        quarter="2026-Q4",
        budget_left=0,
        policy="none",
        policy_version=1,
        blueprint=None,
        reasons=(f"entry {number}",),
        basis=(),
    )


def make_app() -> FastAPI:
    """The ledger's application, configured by the environment."""
    return create_app(handles, router)


router = APIRouter()


class DepositBody(BaseModel):
    """A deposit."""

    euros: int


@router.post("/deposits/{demand}")
async def deposit(demand: UUID, body: DepositBody, door: Commanding) -> Response:
    """Put money in."""
    return await door.ask(Deposit(demand=demand, euros=body.euros))
