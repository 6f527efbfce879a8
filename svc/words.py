"""How the command line says things: activities, messages, times and durations, in the words of the value chain."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.value_chain import BY_TYPE, TITLES


def activity(name: str) -> str:
    """`deliver_support` as `Deliver and support`; a party outside by its own name."""
    return TITLES.get(name, name.capitalize())


def message_name(message_type: str) -> str:
    """The class of a CloudEvents `type`: `svc.plan.portfolio-decision-made.v1` as `PortfolioDecisionMade`."""
    if message_type in BY_TYPE:
        return BY_TYPE[message_type].event.__name__
    name = re.sub(r"\.v\d+$", "", message_type).rpartition(".")[2]
    return "".join(part.capitalize() for part in name.split("-"))


def spoken(name: str) -> str:
    """A name in code as words: `PortfolioDecisionMade` as `portfolio decision made`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").lower()


def short(id: UUID | str) -> str:
    """The beginning of an id, enough to find it again by eye."""
    return str(id)[:8]


def at(time: datetime) -> str:
    """A time to the minute, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def span(duration: timedelta) -> str:
    """A duration in two units at most: `3 d 4 h`, `12 min`, `1.5 s`."""
    seconds = duration.total_seconds()
    if seconds < 0:
        return "-" + span(-duration)
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    units = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    largest = next(index for index, (count, _) in enumerate(units) if count)
    return " ".join(f"{count} {unit}" for count, unit in units[largest : largest + 2] if count)


def listed(things: list[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return " and ".join(filter(None, [", ".join(things[:-1]), *things[-1:]]))


def plain(text: str) -> str:
    """Text from outside as one line that cannot steer a terminal."""
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in text).split())
