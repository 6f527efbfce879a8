"""The page `docs/desks.md`: its tables are what the suite finds."""

import re
from pathlib import Path

from services.engage.desks.connector import connector
from services.engage.desks.profile import names
from tests.desks.conformance.cases import UNDERSTANDING, WRITING, NotApplicable
from tests.desks.conformance.kits import KITS, Kit

SEEN = {"django-helpdesk": "live", "rt": "live", "email": "live", "roundup": "recorded"}
"""How a desk was met; all others by what their vendors say of them."""
PAGE = Path(__file__).parents[3] / "docs" / "desks.md"


async def page() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("desks", desks()), ("conformance", await conformance())):
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, t=table: f"{found[1]}{t}{found[2]}",
            text,
            flags=re.S,
        )
    return text


def desks() -> str:
    """Each desk that ships: what proves its pushes, and what it can do."""
    lines = [
        "| `--desk` | what it is | seen | proved by | push | back-fill | answer | note | status |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in names():
        profile, can = connector(name).profile, connector(name).capabilities
        marks = ("✓" if yes else "-" for yes in (can.push, can.poll, can.public_comment, can.internal_note, can.status))
        schemes = ", ".join(f"`{scheme}`" for scheme in profile.signature) or "nothing"
        seen, marked = SEEN.get(name, "documents"), " | ".join(marks)
        lines.append(f"| `{name}` | {profile.title} | {seen} | {schemes} | {marked} |")
    return "\n".join(lines) + "\n"


async def conformance() -> str:
    """Connector x case, as run now."""
    reasons: list[str] = []
    lines = [f"| case | {' | '.join(kit.desk for kit in KITS)} |", f"|---|{'---|' * len(KITS)}"]
    for case in (*UNDERSTANDING, *WRITING):
        cells = [await _cell(case, kit, reasons) for kit in KITS]
        lines.append(f"| {case.__name__.replace('_', ' ')} | {' | '.join(cells)} |")
    notes = [f"<sup>{number}</sup> {reason}" for number, reason in enumerate(reasons, start=1)]
    says = [f"- *{case.__name__.replace('_', ' ')}*: {case.__doc__}" for case in (*UNDERSTANDING, *WRITING)]
    return "\n".join([*lines, "", "✓ passed, - nothing of the kind: " + ", ".join(notes) + ".", "", *says]) + "\n"


async def _cell(case, kit: Kit, reasons: list[str]) -> str:  # type: ignore[no-untyped-def]
    try:
        waiting = case(kit)
        if waiting is not None:
            await waiting
    except NotApplicable as reason:
        if str(reason) not in reasons:
            reasons.append(str(reason))
        return f"-<sup>{reasons.index(str(reason)) + 1}</sup>"
    except Exception as error:  # noqa: BLE001 - the table says it; the tests say which
        return f"✗ {type(error).__name__}"
    return "✓"
