"""How far an improvement initiative has come, by the three events that tell of it, whichever is heard first."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime

from contracts.event import Data
from contracts.improve import ImprovementInitiated, InitiativeStatusReported
from contracts.plan import ImprovementPlanned, PortfolioVerdict
from contracts.values import Slug

Stage = Literal["proposed", "deferred", "approved", "refused", "kept", "ended"]
"""How far it is: proposed by Improve, decided by Plan, or judged; what is not kept has ended."""
ORDER: Mapping[Stage, int] = {"proposed": 0, "deferred": 1, "approved": 1, "refused": 1, "kept": 2, "ended": 2}
"""What comes later in its life holds; of the same order, what was told later."""
DECIDED: Mapping[PortfolioVerdict, Stage] = {"approve": "approved", "defer": "deferred", "reject": "refused"}


class Standing(Data):
    """Where an initiative stands, as far as one of its events says."""

    initiative: str
    """Its id."""
    measure: str
    """The key figure that it is to improve."""
    service: Slug | None
    """The service it is about; None for more than one."""
    stage: Stage
    """How far it is."""
    told_at: AwareDatetime
    """When that was told."""
    starts_at: AwareDatetime | None = None
    """From when on work is done as it says; None if that was not said."""

    @property
    def undecided(self) -> bool:
        """Whether Plan has yet to decide about it, or will again."""
        return self.stage in ("proposed", "deferred")

    @property
    def open(self) -> bool:
        """Whether it is not decided yet, or under way."""
        return self.undecided or self.stage == "approved"

    def binds(self, time: AwareDatetime) -> bool:
        """Whether work is done at `time` as it says: from its beginning until it is judged, and on if it is kept."""
        return self.stage == "kept" or (self.stage == "approved" and (self.starts_at or self.told_at) <= time)

    def follows(self, known: "Standing") -> bool:
        """Whether it is news where another is known."""
        return (ORDER[self.stage], self.told_at) > (ORDER[known.stage], known.told_at)


def standing(told: ImprovementInitiated | ImprovementPlanned | InitiativeStatusReported) -> Standing | None:
    """What an event says about where its initiative stands; None for one that is merely under way."""
    stage: Stage = "proposed"
    starts_at = None
    if isinstance(told, ImprovementPlanned):
        stage, starts_at = DECIDED[told.decision], told.starts_at
    elif isinstance(told, InitiativeStatusReported):
        if told.status != "closed":
            return None
        stage = "kept" if told.result == "kept" else "ended"
    return Standing(
        initiative=told.initiative,
        measure=told.measure,
        service=told.service,
        stage=stage,
        told_at=told.time,
        starts_at=starts_at,
    )
