"""The commands about scenarios: what people read, and what scripts read."""

from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from svc.looking import Seen
from svc.scenario.loading import load_into_running
from svc.scenario.marks import Mistake
from svc.scenario.model import DemandComes
from svc.scenario.reading import check, read
from svc.scenario.scenario import Scenario

ABOUT = ("supplier", "service", "opportunity", "agreement", "initiative", "segment", "outcome", "reason")
"""What says best what a happening is about that has no title."""


async def check_file(file: Path) -> Seen:
    """Whether a scenario file can be used."""
    found = check(file)
    if isinstance(found, Scenario):
        said = ", ".join(f"{count} {sort}" for sort, count in counts(found).items())
        return Seen(Text(f"{file} holds: {said}."), {"scenario": found.scenario, "mistakes": [], "has": counts(found)})
    lines = [Text(str(mistake)) for mistake in found]
    many = "one mistake" if len(found) == 1 else f"{len(found)} mistakes"
    shown = Group(*lines, Text(f"{file} cannot be used: {many}.", style="bold red"))
    return Seen(shown, {"scenario": None, "mistakes": list(map(as_json, found))}, code=1)


async def load_file(file: Path) -> Seen:
    """Set it up in the chain that runs."""
    return await load_into_running(read(file))


async def draw_file(file: Path) -> Seen:
    """Its business model on one page, and what its day brings."""
    scenario = read(file)
    business = scenario.business_model
    head = Text(scenario.title, style="bold").append(f"\n{scenario.mission}", style="not bold")
    zone = f"profit zone: {business.profit:,} euros a year are left"
    money = Text(zone, style="green" if business.profit > 0 else "red")
    shown = Group(head, canvas(scenario), money, Text(), day(scenario))
    return Seen(shown, scenario.model_dump(mode="json", by_alias=True))


def as_json(mistake: Mistake) -> dict[str, str | int]:
    """A mistake for scripts."""
    return {
        "file": mistake.file,
        "line": mistake.at.line,
        "column": mistake.at.column,
        "field": mistake.where,
        "mistake": mistake.text,
    }


def counts(scenario: Scenario) -> dict[str, int]:
    """How many things of each sort it has."""
    return {
        "stakeholders": len(scenario.everybody()),
        "services": len(scenario.services),
        "offerings": len(scenario.offerings),
        "suppliers": len(scenario.suppliers),
        "policies": len(scenario.policies),
        "value streams": len(scenario.value_streams),
        "happenings a day": len(scenario.day_of_demand.events),
    }


def canvas(scenario: Scenario) -> RenderableType:
    """The business model, part by part."""
    business = scenario.business_model
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows: dict[str, list[str]] = {
        "value propositions": [f"{one.title} ({one.measure})" for one in business.value_propositions],
        "segments": [one.title for one in scenario.segments],
        "channels": list(business.channels),
        "relationships": [f"{one.segment}: {one.how}" for one in business.relationships],
        "revenue": [f"{one.name}: {one.euros_a_year:,} euros a year" for one in business.revenue],
        "key resources": list(business.key_resources),
        "key activities": list(business.key_activities),
        "key partners": list(business.key_partners),
        "costs": [f"{one.name}: {one.euros_a_year:,} euros a year" for one in business.costs],
    }
    for name, lines in rows.items():
        table.add_row(name, Text("\n".join(lines)))
    return table


def day(scenario: Scenario) -> RenderableType:
    """What happens at which time of its day, and what comes at random."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("at", "what", "about"):
        table.add_column(column, overflow="fold")
    for event in sorted(scenario.day_of_demand.events, key=lambda event: event.at):
        what = f"{event.channel}: {event.kind or 'unsaid'}" if isinstance(event, DemandComes) else event.do
        named = (str(getattr(event, field, None) or "") for field in ABOUT)
        about = str(getattr(event, "title", "")) or " ".join(filter(None, named))
        table.add_row(event.at, what, Text(about))
    for rate in scenario.day_of_demand.rates:
        table.add_row("", f"{rate.a_day:g} a day: {rate.kind or 'unsaid'}", Text(", ".join(rate.channels)))
    return table
