"""Pictures for the page, as what its templates draw: the ways messages took, and one demand over its activities.

Lengths are in the units of the SVG, which is as wide as it says and shrinks with the page.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import cos, hypot, log2, pi, sin
from typing import NamedTuple

from contracts.value_chain import ACTIVITIES, ARROWS, DELIVER_SUPPORT, ENGAGE, IMPROVE, OBTAIN_BUILD, PLAN
from contracts.value_chain import DESIGN_TRANSITION as DESIGN
from svc import words
from svc.timeline import Moment
from svc.trails import Journey

WIDTH, HEIGHT, BOX, BEND, GAP = 960, 500, (176, 44), 22, 7
AROUND = (ENGAGE, PLAN, DESIGN, DELIVER_SUPPORT, OBTAIN_BUILD, IMPROVE)
"""Where the activities stand: demand comes in on the left, value goes out on the right."""
LANE, MARGIN, LONG = 34, 150, 1160
LABEL = 0.36
"""How far along its way the number of a way stands."""


class Box(NamedTuple):
    """An activity; `x` and `y` are its middle."""

    activity: str
    x: float
    y: float


class Arrow(NamedTuple):
    """One way from an activity to another."""

    path: str
    tip: str
    messages: int
    """Those of which the one at its head has made something."""
    width: float
    x: float
    """Where its number stands."""
    y: float


class Chain(NamedTuple):
    """The value chain, with what went which way."""

    boxes: list[Box]
    arrows: list[Arrow]
    """Those that nothing went come first: the others are drawn over them."""
    width: int = WIDTH
    height: int = HEIGHT
    box: tuple[int, int] = BOX
    """How wide and high each activity is."""


class Dot(NamedTuple):
    """A moment of a demand."""

    number: int
    x: float
    y: float
    tip: str
    day: str
    """The day, where it is another one than that of the moment before."""


class Thread(NamedTuple):
    """From where something was told to where it was heard."""

    path: str
    waited: bool
    """It is the activity's own timer, or its own command."""


class Lanes(NamedTuple):
    """A demand from left to right, each activity a lane."""

    width: float
    height: float
    names: list[Box]
    threads: list[Thread]
    dots: list[Dot]
    margin: int = MARGIN
    """Where the lanes begin, behind their names."""


def chain(counts: Mapping[str, int]) -> Chain:
    """The six activities and the ways between them; `counts` has the messages that went each way (`plan -> engage`)."""
    corner = {activity: pi + number * pi / 3 for number, activity in enumerate(AROUND)}
    boxes = [
        Box(activity, WIDTH / 2 + (WIDTH / 2 - 180) * cos(angle), HEIGHT / 2 + (HEIGHT / 2 - 40) * sin(angle))
        for activity, angle in corner.items()
    ]
    place = {box.activity: box for box in boxes}
    arrows = [_arrow(place[tail], place[head], counts.get(f"{tail} -> {head}", 0)) for tail, head in ARROWS]
    return Chain(boxes, sorted(arrows, key=lambda arrow: arrow.messages))


def ways(journey: Journey) -> dict[str, int]:
    """How many messages about a demand went from which activity to which, and made a difference there."""
    return Counter(f"{entry.teller} -> {entry.activity}" for entry in journey.entries if entry.effect)


def lanes(journey: Journey, moments: Sequence[Moment]) -> Lanes:
    """The telling moments of a demand, in their order, and what led from one to the other, over bookkeeping too."""
    shown = [(entry, told) for entry, told in zip(journey.entries, moments, strict=True) if not told.quiet]
    column = min(max(26, (LONG - MARGIN) / (len(shown) + 1)), 70)
    height = {activity: LANE * (number + 1) for number, activity in enumerate(ACTIVITIES, 1)}
    place = {(e.activity, e.id): (MARGIN + column * n, height[e.activity]) for n, (e, _) in enumerate(shown, 1)}
    told_by = {event.id: entry for entry in journey.entries for event in entry.outputs}
    told_by |= {wait.id: entry for entry in journey.entries for wait in entry.waits}
    dots, threads, day = list[Dot](), list[Thread](), ""
    for number, (entry, told) in enumerate(shown, 1):
        (x, y), today = place[entry.activity, entry.id], words.at(told.time)[:10]
        tip = "\n".join((f"{words.at(told.time)} {words.activity(told.activity)}: {told.does}", *told.said[:3]))
        dots.append(Dot(number, x, y, tip, today[5:] if today != day else ""))
        day, teller = today, told_by.get(entry.id)
        while teller and (teller.activity, teller.id) not in place:
            teller = told_by.get(teller.id)
        if teller:
            from_x, from_y = place[teller.activity, teller.id]
            middle = (from_x + x) / 2
            path = f"M{from_x:.0f},{from_y:.0f} C{middle:.0f},{from_y:.0f} {middle:.0f},{y:.0f} {x:.0f},{y:.0f}"
            threads.append(Thread(path, teller.activity == entry.activity))
    names = [Box(activity, 0, y) for activity, y in height.items()]
    return Lanes(MARGIN + column * (len(shown) + 1), height[ACTIVITIES[-1]] + LANE, names, threads, dots)


def _arrow(tail: Box, head: Box, count: int) -> Arrow:
    """A way that bends to its left, so that the way back has room beside it."""
    across, down = head.x - tail.x, head.y - tail.y
    length = hypot(across, down)
    side_x, side_y = -down / length, across / length
    bend = 2 * BEND + length * 0.05
    bend_x, bend_y = (tail.x + head.x) / 2 + bend * side_x, (tail.y + head.y) / 2 + bend * side_y
    (x1, y1), (x2, y2) = _edge(tail, bend_x, bend_y), _edge(head, bend_x, bend_y)
    near, bent, far = (1 - LABEL) ** 2, 2 * LABEL * (1 - LABEL), LABEL**2
    where = f"{words.activity(tail.activity)} → {words.activity(head.activity)}"
    return Arrow(
        path=f"M{x1:.1f},{y1:.1f} Q{bend_x:.1f},{bend_y:.1f} {x2:.1f},{y2:.1f}",
        tip=f"{where}: {count}" if count else f"{where}: nothing yet",
        messages=count,
        width=min(1 + log2(count) / 3, 3.5) if count else 1,
        x=near * x1 + bent * bend_x + far * x2,
        y=near * y1 + bent * bend_y + far * y2,
    )


def _edge(box: Box, x: float, y: float) -> tuple[float, float]:
    """Where the line from the middle of a box to a point leaves the box."""
    across, down = x - box.x, y - box.y
    wide, high = BOX[0] / 2 + GAP, BOX[1] / 2 + GAP
    part = min(wide / abs(across) if across else 9, high / abs(down) if down else 9)
    return box.x + across * part, box.y + down * part
