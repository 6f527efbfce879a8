"""Value streams as pictures: Mermaid for documents, lines and arrows for a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.stream import Step, Stream
from contracts.value_chain import ACTIVITIES, TITLES, flow_of


def mermaid(streams: Sequence[Stream]) -> str:
    """One flow chart with a box for each stream; dotted arrows lead back to earlier steps."""
    lines = ["flowchart TD"]
    for stream in streams:
        lines.append(f'  subgraph {stream.stream}["{stream.title}: {stream.promise.hours:g} h"]')
        lines += [f'    {node(stream, step)}["{step.step}<br/>{TITLES[step.activity]}"]' for step in stream.steps]
        for step in stream.steps:
            for following in after(stream, step):
                arrow = "-->" if forward(stream, step, following) else "-.->"
                events = "<br/>".join(between(step, following))
                lines.append(f"    {node(stream, step)} {arrow}|{events}| {node(stream, following)}")
        lines.append("  end")
    return "\n".join(lines)


def picture(stream: Stream) -> RenderableType:
    """Its steps from the top down, each with who does it, what is agreed, and what goes on to which step."""
    kinds = ", ".join(stream.trigger.kinds) + (f" about {stream.trigger.service}" if stream.trigger.service else "")
    words = f" with the words {', '.join(stream.trigger.words)}" if stream.trigger.words else ""
    head = Text(stream.title, style="bold").append(f"  {stream.stream}", style="dim not bold")
    promise = f"promised within {stream.promise.hours:g} h; {stream.owner}"
    lines: list[Text] = [head, Text(f"  {kinds}{words}; {promise}", "dim")]
    width = max(len(step.step) for step in stream.steps)
    for place, step in enumerate(stream.steps):
        last = place == len(stream.steps) - 1
        agreed = f"  at most {step.agreement.hours:g} h" if step.agreement else ""
        line = Text("  ● ", style="cyan").append(f"{step.step:<{width}}", style="bold not dim")
        lines.append(line.append(f"  {TITLES[step.activity]}: {step.does}{agreed}", style="default"))
        for following in after(stream, step):
            back, style = ("", "green") if forward(stream, step, following) else ("back ", "yellow")
            arrow = Text("    " if last else "  │ ", style="cyan").append(f"  → {back}{following.step}", style=style)
            lines.append(arrow.append(f"  {', '.join(between(step, following))}", style="dim"))
    return Group(*lines, Text())


def after(stream: Stream, step: Step) -> list[Step]:
    """The steps that follow one, in the order of the file."""
    following = [one for activity in ACTIVITIES for one in stream.steps_for(activity, step.step)]
    return sorted(following, key=stream.steps.index)


def between(step: Step, following: Step) -> list[str]:
    """What goes from one step to another; what else it hands on goes elsewhere."""
    return [event.__name__ for event in step.events if following.activity in flow_of(event).hearers]


def forward(stream: Stream, step: Step, following: Step) -> bool:
    """Whether an arrow leads on; else it leads back."""
    return stream.steps.index(following) > stream.steps.index(step)


def node(stream: Stream, step: Step) -> str:
    """The id of a step among all streams."""
    return f"{stream.stream}-{step.step}"
