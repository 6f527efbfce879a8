"""One desk, plugged in: what it pushes is verified and understood, and what it can do is known."""

from collections.abc import Sequence
from datetime import datetime

from services.engage.desks import mapping, signature
from services.engage.desks.events import Capabilities, DeskEvent, Received
from services.engage.desks.profile import Profile, load


class Connector:
    """A desk by its profile, and by the secrets that it signs with."""

    def __init__(self, profile: Profile, secrets: Sequence[str] = (), base: str = "") -> None:
        """`base` is the desk's address; with it, a ticket that the desk names no page for gets one."""
        self.profile = profile
        self.secrets = tuple(secrets)
        self.base = base.rstrip("/")
        if self.secrets and profile.signature:
            signature.check_secrets(profile.signature, self.secrets)

    @property
    def capabilities(self) -> Capabilities:
        """What the desk can do, so far as its profile makes use of it."""
        api, mail = self.profile.api, self.profile.reads == "mail"
        steps = {step.step for step in api.steps} if api else set()
        moves = any(step.moves for step in api.steps) if api else False
        schemes = [signature.SCHEMES[name] for name in self.profile.signature]
        return Capabilities(
            push=self.profile.push,
            signed=any(scheme.signed for scheme in schemes),
            poll=mail or bool(api and api.poll),
            fetch=mail or bool(api and api.fetch),
            public_comment=mail or "comment" in steps,
            internal_note="note" in steps,
            status="status" in steps or moves,
            conditional=any(step.conditional for step in api.steps) if api else False,
        )

    def verify(self, received: Received) -> signature.Proof:
        """How far a push is proved to be the desk's; `Refused` if it says that it is and is not."""
        return signature.verify(
            self.profile.signature, self.secrets, received.headers, received.body, received.received_at, received.query
        )

    def parse(self, received: Received) -> list[DeskEvent]:
        """What a push, a page or a mail tells, once it is verified.

        `Refused` if it is not proved to be the desk's, `Unreadable` if it says nothing of a ticket.
        """
        return self.events(received, self.verify(received))

    def events(self, received: Received, proof: signature.Proof) -> list[DeskEvent]:
        """What it tells, if it is verified already, or is an answer to what we have asked."""
        found = mapping.events(self.profile, received, proof)
        if not (self.base and self.profile.page):
            return found
        return [
            event.model_copy(update={"url": self.base + self.profile.page.replace("{ticket}", event.external_id)})
            if event.url is None and event.external_id
            else event
            for event in found
        ]


def connector(name: str, secrets: Sequence[str] = (), base: str = "") -> Connector:
    """The connector of a desk that ships, or of a profile of one's own (a path to a .yaml file)."""
    return Connector(load(name), secrets, base)


def received(headers: dict[str, str], body: bytes, at: datetime, query: dict[str, str] | None = None) -> Received:
    """What came in, from its parts."""
    return Received(headers=headers, body=body, query=query, received_at=at)
