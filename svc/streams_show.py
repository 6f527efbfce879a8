"""The commands about value streams: what people read, and what scripts read."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.stream import Stream
from svc import streams, streams_draw
from svc.looking import Seen
from svc.streams import Checked
from svc.trouble import Trouble


async def checked(files: Sequence[Path]) -> Seen:
    """What is wrong with stream files."""
    found = streams.check(files)
    lines = [line for one in found for line in lines_of(one)]
    told = [{"file": str(one.file), "stream": one.file.stem, "mistakes": list(one.mistakes)} for one in found]
    return Seen(Group(*lines), told, code=int(any(one.mistakes for one in found)))


def lines_of(checked: Checked) -> list[RenderableType]:
    """A stream's mistakes, or what it promises and what its steps are agreed to take."""
    if checked.mistakes or checked.stream is None:
        return [Text(mistake, style="red") for mistake in checked.mistakes]
    stream, (_, hours) = checked.stream, checked.stream.critical_path
    agreed = f"; its steps are agreed to take {hours:g} h at most" if hours else ""
    promised = f"promised within {stream.promise.hours:g} h"
    return [Text(f"{stream.stream} holds: {len(stream.steps)} steps, {promised}{agreed}")]


async def drawn(files: Sequence[Path], mermaid: bool | None) -> Seen:
    """Streams as pictures, or as Mermaid where nobody watches."""
    found = [streams.read(file) for file in streams.files(files)]
    if wrong := [mistake for one in found for mistake in one.mistakes]:
        raise Trouble("\n".join(wrong))
    read: list[Stream] = [one.stream for one in found if one.stream]
    text = streams_draw.mermaid(read)
    shown = Text(text) if mermaid or (mermaid is None and not sys.stdout.isatty()) else None
    return Seen(shown or Group(*map(streams_draw.picture, read)), {"mermaid": text})
