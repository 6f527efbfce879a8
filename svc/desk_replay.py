"""Play again what a real service desk has pushed: the body as it came in, proved anew.

The recordings are pushes of a Roundup desk; how they were made, and more of them, is in
`tests/data/desks/roundup/`.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from services.engage.desks.standard_webhooks import sign

INCIDENT = "01-incident"
"""Video games stop while a car is charging."""
NEW_SERVICE = "02-new-service"
"""A wish for a racing game and a second controller."""

RECORDINGS = files("svc") / "recordings"
KEPT_HEADERS = ("content-type", "user-agent")
"""What a recorded header says about the push; the others were about its signature and connection."""


class Recording(NamedTuple):
    """A push as it came in."""

    headers: Mapping[str, str]
    body: bytes


def recorded(name: str, folder: Traversable = RECORDINGS) -> Recording:
    """A recording by its name: `<name>.http.json` with the headers, `<name>.body.json` byte for byte."""
    http = json.loads((folder / f"{name}.http.json").read_text(encoding="utf-8"))
    return Recording(http["headers"], (folder / f"{name}.body.json").read_bytes())


def replay(
    recording: Recording, *, ticket: str | None, delivery: str, secret: str, now: datetime
) -> tuple[dict[str, str], bytes]:
    """Headers and body of the recorded push, sent at `now` (aware) as `delivery`, about `ticket`.

    The same ticket and delivery again make a retry of the same push. `ticket` None keeps the one
    recorded.
    """
    body = recording.body if ticket is None else _about(ticket, recording.body)
    kept = {name.lower(): value for name, value in recording.headers.items() if name.lower() in KEPT_HEADERS}
    return kept | sign(secret, delivery=delivery, timestamp=now, body=body), body


def _about(ticket: str, body: bytes) -> bytes:
    """The body with another ticket number, in the ticket's id and at the end of its address.

    No other byte differs, and the id of a message is not touched, though it may be the same number:
    the pair of id and address stands in the body once, since in a text its quotes were escaped.
    """
    said = json.loads(body)["data"]["ticket"]
    old, old_url = said["id"], said["url"]
    if not old_url.endswith(old) or body.count(_pair(old, old_url)) != 1:
        raise ValueError(f"cannot renumber this recording: its address is no `...{old}` beside its id")
    return body.replace(_pair(old, old_url), _pair(ticket, old_url.removesuffix(old) + ticket))


def _pair(id: str, url: str) -> bytes:
    """How the recorded desk writes them."""
    return json.dumps({"id": id, "url": url}, ensure_ascii=False).strip("{}").encode()
