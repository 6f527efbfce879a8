"""Why it came so: what was said about a demand, in sentences, each from one event and citing it.

Nothing is known here but the journey. A sentence is made of the data of the one event it cites, so altering an event
alters the sentences that cite it, and no other.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.event import Decision, Fact
from svc import words
from svc.sentences import sentence
from svc.trails import Event, Journey


class Said(NamedTuple):
    """One event of the journey in words; a decision with its reasons and all that it used."""

    event: UUID
    """Its id: what every sentence here cites."""
    type: str
    teller: str
    """The activity that told it, or the party outside."""
    time: datetime
    sentence: str
    reasons: tuple[str, ...] = ()
    basis: tuple[Fact, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "event": str(self.event), "type": self.type, "activity": self.teller, "time": self.time.isoformat(),
            "sentence": self.sentence, "reasons": list(self.reasons),
            "basis": [fact.model_dump() for fact in self.basis],
        }  # fmt: skip


def explain(journey: Journey) -> list[Said]:
    """Everything that was said about the demand, in order; what activities only say to themselves is left out."""
    found = []
    for entry in journey.entries:
        heard = [(entry.teller, entry.heard)] if entry.heard else []
        for teller, event in (*heard, *((entry.activity, event) for event in entry.outputs)):
            said = _said(teller, event)
            if said:
                found.append(said)
    return found


def _said(teller: str, event: Event) -> Said | None:
    message = event.message
    if message is None:
        return None
    of_decision = (message.reasons, message.basis) if isinstance(message, Decision) else ((), ())
    return Said(event.id, event.type, teller, event.time, sentence(message), *of_decision)


def render(said: list[Said]) -> RenderableType:
    """As people read it: the decisions with their reasons and facts, the rest in one line each."""
    lines: list[Text] = []
    for one in said:
        cite = f"  [{words.short(one.event)}]"
        head = Text(f"{words.at(one.time)}  ", style="dim")
        head.append(words.activity(one.teller), style="bold cyan" if one.basis else "cyan")
        head.append(f"  {one.sentence}", style="default").append(cite, style="dim")
        lines.append(head)
        lines.extend(Text(f"    because: {words.plain(reason)}").append(cite, style="dim") for reason in one.reasons)
        lines.extend(Text(f"    it used: {_fact(fact)}", style="dim").append(cite) for fact in one.basis)
    return Group(*lines)


def _fact(fact: Fact) -> str:
    source = f" (from {fact.source})" if fact.source else ""
    return words.plain(f"{fact.name} = {'nothing' if fact.value == '' else fact.value}{source}")
