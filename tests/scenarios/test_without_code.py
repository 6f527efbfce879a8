"""Streams and organisations are data: one of each that is not built in runs, and a wrong one is refused by name."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from contracts.deliver_support import SupportTaskCompleted
from contracts.engage import DemandStatusReported
from contracts.value_chain import ENGAGE
from services.chassis.settings import Settings
from services.engage.model import FINAL
from svc.cli import app
from svc.invariants import violations
from svc.scenario import Say
from svc.simulation.chain import Simulation

RECALL = Path(__file__).parents[1] / "data" / "value_streams" / "recall-a-sold-component.yaml"
STREAM = RECALL.stem
BATTERY: dict[str, Any] = {"kind": "incident", "channel": "phone", "text": "It is of the series that you recall."}
OWNERS: tuple[dict[str, Any], ...] = (
    BATTERY | {"requester": "noah.weber@drivers.example", "title": "The battery of my controller overheats"},
    BATTERY | {"requester": "emily.carter@bluefleet.example", "title": "Recall: forty controllers of our fleet"},
    BATTERY | {"requester": "driver-9@drivers.example", "title": "Recall of controllers"},
)
OTHER = {"kind": "incident", "title": "Cat Racer stops", "text": "It stops.", "requester": "driver-8@drivers.example"}
UNKNOWN = BATTERY | {"requester": "driver-7@drivers.example", "title": "Recall of my garden hose", "service": None}
GAMES = {"service": "in-car-video-games"}
SILENCE = timedelta(days=15)
"""After so long, what a requester does not answer is assumed."""

DAYS_INTO_NEXT_QUARTER = 55
"""What has no money in this quarter begins in the next one, and is judged a fortnight later."""


def of_owners(said: Iterable[Say]) -> list[Say]:
    """What owners of controllers say, in place of the day that the organisation tells."""
    begins = min(say.at for say in said)
    come = [
        Say(begins + timedelta(minutes=number), ENGAGE, "POST", "/demands", GAMES | body, f"owner {number}")
        for number, body in enumerate((*OWNERS, OTHER, UNKNOWN))
    ]
    gives_up = {"stakeholder": UNKNOWN["requester"], "reason": "The hose is not yours, I see."}
    path = f"/demands/{come[-1].demand}/withdrawal"
    return [*come, Say(begins + timedelta(days=3), ENGAGE, "POST", path, gives_up, "gives up")]


@pytest.fixture(scope="module")
async def recalled(play, tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """The recall, by the shipped streams and the one that is not."""
    folder = tmp_path_factory.mktemp("recall") / "streams"
    copytree(Settings().streams, folder)
    copy(RECALL, folder)
    chain: Simulation = await play(
        saying=of_owners, days=SILENCE / timedelta(days=1) + 5, settings=Settings(streams=folder)
    )
    return chain


def test_a_stream_that_is_not_shipped_takes_its_demand_to_its_end(recalled: Simulation) -> None:
    demands = {row.title: row for row in recalled.history.demands.values()}
    mine = {title: row for title, row in demands.items() if row.stream == STREAM}
    assert set(mine) == {body["title"] for body in (*OWNERS, UNKNOWN)}
    assert demands["Cat Racer stops"].stream == "restore-a-live-service", "the others go as before"
    assert {row.status for row in mine.values()} <= FINAL
    assert mine[UNKNOWN["title"]].status == "withdrawn", "who was asked which service they mean has thought again"
    assert {row.status for row in mine.values()} >= {"value_realised"}
    assert violations(recalled.history) == []
    assert recalled.aside == []


def test_each_step_of_it_is_worked_on_in_its_activity_and_named(recalled: Simulation) -> None:
    demand = next(id for id, row in recalled.history.demands.items() if row.title == OWNERS[0]["title"])
    envelopes = [orjson.loads(told.value) for told in recalled.told if told.case == demand]
    steps = {(one["source"], one["streamstep"]) for one in envelopes if one.get("valuestream") == STREAM}
    assert steps >= {("/svc/engage", "take-up"), ("/svc/deliver-support", "make-safe"), ("/svc/engage", "tell-owners")}
    (made_safe,) = (told for told in recalled.history.events(SupportTaskCompleted) if told.case == demand)
    assert datetime.fromisoformat(made_safe.data["completed_at"]) == made_safe.time
    told = [one.data["status"] for one in recalled.history.events(DemandStatusReported) if one.case == demand]
    assert told[:2] == ["in_progress", "delivered"]
    assert told[-1] in FINAL


async def test_another_organisation_runs_without_code_and_each_demand_reaches_its_end(play) -> None:
    chain = await play("employee-phones", days=DAYS_INTO_NEXT_QUARTER)
    demands = chain.history.demands.values()
    assert len(demands) >= 15
    assert [(row.title, row.status) for row in demands if row.status not in FINAL] == []
    assert {"value_realised", "denied"} <= {row.status for row in demands}
    assert violations(chain.history) == []
    assert chain.aside == []
    about = {str(row.service) for row in demands}
    assert not any("game" in service or "car" in service.split("-") for service in about)


@pytest.mark.parametrize(
    ("right", "wrong", "step", "missing"),
    [
        ("hands_on: [SupportTaskCompleted, Serv", "hands_on: [ServiceDelivered, Serv", "tell-owners", "SupportTask"),
        ("does: resolve incident", "does: put live", "make-safe", "ServiceReleased"),
        ("needs: [SupportTaskRequested]", "needs: [PortfolioDecisionMade]", "make-safe", "PortfolioDecisionMade"),
    ],
)
def test_a_step_whose_input_nobody_provides_is_refused_with_step_and_input(
    tmp_path: Path, right: str, wrong: str, step: str, missing: str
) -> None:
    text, file = RECALL.read_text(), tmp_path / RECALL.name
    assert text.count(right) == 1
    file.write_text(text)
    held = CliRunner().invoke(app, ["streams", "check", str(file)], env={"COLUMNS": "200"})
    assert held.exit_code == 0, held.output
    file.write_text(text.replace(right, wrong))
    refused = CliRunner().invoke(app, ["streams", "check", str(file)], env={"COLUMNS": "200"})
    assert refused.exit_code != 0
    (line,) = {line for line in refused.output.splitlines() if f"step {step}" in line and missing in line}
    assert line.strip()
