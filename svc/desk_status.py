"""`svc desk status`: how the desks of a running chain stand."""

from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.value_chain import ENGAGE
from svc.looking import Seen, services
from svc.services import Json

NONE = "No desk is connected: `SVC_DESKS` names them when the chain is started (see docs/desks.md)."


async def status() -> Seen:
    """Every desk that the chain knows; exit code 1 if one of them does not answer, or does not take what it is told."""
    async with services() as six:
        desks = list((await six.ask(ENGAGE, "GET", "/desks/status")).json())
    return Seen(shown(desks), desks, int(any(troubled(desk) for desk in desks)))


def troubled(desk: Json) -> bool:
    """Whether somebody has to look after a desk."""
    return bool(desk["asking_failed"]) or any(one["last_error"] for one in desk["write_backs"])


def shown(desks: list[Json]) -> RenderableType:
    """The same for people: a line for each desk, and below it what is wrong."""
    if not desks:
        return Text(NONE)
    table = Table("desk", "is", "pushed", "last", "refused", "asked", "found", "waiting tickets", box=box.SIMPLE_HEAD)
    wrong: list[Text] = []
    for desk in desks:
        table.add_row(
            desk["desk"],
            desk["connector"],
            str(desk["pushes_taken"]),
            when(desk["last_push_at"]),
            str(desk["pushes_refused"]),
            when(desk["last_asked_at"]) if desk["asked"] else "never",
            str(desk["last_found"]) if desk["asked"] else "",
            str(desk["tickets_waiting"]),
        )
        wrong += [Text(f"{desk['desk']}: {line}", style="red") for line in troubles(desk)]
    return Group(table, *wrong)


def troubles(desk: Json) -> list[str]:
    """What is wrong with a desk, as sentences."""
    found = []
    if desk["pushes_refused"]:
        found.append(f"the last push was refused {when(desk['last_refused_at'])}: {desk['last_refusal']}")
    if desk["asking_failed"]:
        found.append(f"it does not answer: {desk['asking_failed']}")
    for one in desk["write_backs"]:
        if one["last_error"]:
            times = f"{one['attempts']} attempts" if one["attempts"] != 1 else "1 attempt"
            why = one["last_error"].splitlines()[0]
            found.append(f"ticket {one['ticket']} cannot be told that it is {one['status']} ({times}): {why}")
    return found


def when(time: str | None) -> str:
    """A time as people read it; empty for none."""
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M:%S}" if time else ""
