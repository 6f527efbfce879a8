"""A little demand of our own, from one seed: the tests of the simulation need no scenario."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from contracts.engage import DemandStatusReported
from contracts.value_chain import DELIVER_SUPPORT, ENGAGE, PLAN
from svc import governance
from svc.scenario.say import Say
from svc.simulation.chain import Simulation

START = datetime(2026, 10, 1, tzinfo=UTC)
VERDICTS = ("fully", "fully", "fully", "partly", "not")
TEXTS = ("It shows a black screen.", "It has stopped working.", "An error comes up within 4 hours.", "It is broken.")


class Outside:
    """Who asks the chain for something, and says what it was worth."""

    start = START

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def setup(self) -> Iterator[Say]:
        """What the organisation says before any demand comes."""
        for policy, body in governance.POLICIES.items():
            about = {**body, "valid_from": START.isoformat()}
            yield Say(START, PLAN, "POST", f"/policies/{policy}", about, f"policy {policy}")
        yield Say(START, PLAN, "POST", "/budgets/2026-Q4", {"total": 2_000_000}, "budget")
        yield Say(START, DELIVER_SUPPORT, "POST", "/services", governance.LIVE, "live")
        yield Say(START, ENGAGE, "POST", f"/services/{governance.SERVICE}", governance.NAMES, "names")
        known = f"/services/{governance.SERVICE}/known-errors"
        yield Say(START, DELIVER_SUPPORT, "POST", known, governance.KNOWN_ERROR, "known error")

    def demand(self, number: int, days: float) -> Iterator[Say]:
        """So many demands, spread over so many days; one in ten is a new service, one in twenty a desk's ticket."""
        random = Random(f"demand/{self.seed}")
        for index in range(number):
            at = START + timedelta(days=random.uniform(0.01, days))
            key, who = f"demand {index}", f"person{random.randrange(50)}@fleet.example"
            users, text = random.choice((1, 5, 40, 400)), random.choice(TEXTS)
            if random.random() < 0.05:
                ticket = {
                    "id": str(index), "url": f"https://desk.example/{index}", "title": "Games stop", "status": "unread",
                    "type": "Incident", "priority": "bug", "service": "in-car video games", "users_affected": users,
                    "requester": {"name": "A driver", "email": who},
                }  # fmt: skip
                data = {"ticket": ticket, "message": {"text": text}}
                push = {"type": "issue.created", "timestamp": at.isoformat(), "data": data}
                yield Say(at, ENGAGE, "POST", "/desks/roundup", push, key)
                continue
            body: dict[str, Any] = {"requester": who, "users_affected": users, "channel": "phone"}
            if random.random() < 0.1:
                value = random.choice((0, 20_000, 200_000))
                body |= {"kind": "new_product_or_service", "title": f"New game {index}", "text": "We want it."}
                body |= {"value": value or None, "wanted_by": (at + timedelta(days=60)).isoformat()}
            else:
                body |= {"kind": "incident", "title": "Games stop", "text": text, "service": governance.SERVICE}
            yield Say(at, ENGAGE, "POST", "/demands", body, key)

    def react(self, event: Mapping[str, Any]) -> Iterator[Say]:
        """Most requesters answer what a delivery was worth; some are silent."""
        if event["type"] != DemandStatusReported.type or not event["data"]["asks_confirmation"]:
            return
        random = Random(f"{self.seed}/{event['id']}")
        if random.random() < 0.9:
            verdict = random.choice(VERDICTS)
            good = verdict != "not"
            body = {"stakeholder": event["data"]["requester"], "verdict": verdict, "utility": good, "warranty": good}
            at = datetime.fromisoformat(event["time"]) + timedelta(hours=random.uniform(0.1, 48))
            demand = event["data"]["demand"]
            yield Say(at, ENGAGE, "POST", f"/demands/{demand}/value", body, f"value {event['id']}")


Simulate = Callable[..., Awaitable[Simulation]]


@pytest.fixture
def outside() -> type[Outside]:
    """Makes the people outside, from a seed."""
    return Outside


@pytest.fixture
def simulate() -> Simulate:
    """Runs a little chain: `number` demands over `days`, and then for as long again; or what is said instead."""

    async def run(
        seed: int = 7, *, number: int = 20, days: float = 10, said: Iterable[Say] | None = None, **options: Any
    ) -> Simulation:
        people = Outside(seed)
        chain = Simulation(START, seed=seed, **{"react": people.react} | options)
        chain.say(people.setup())
        chain.say(people.demand(number, days) if said is None else said)
        await chain.run(START + timedelta(days=days * 2))
        return chain

    return run


if __name__ == "__main__":  # digests of little quarters, from a process of its own
    for seed, adverse in ((7, False), (7, True), (8, False)):
        people = Outside(seed)
        chain = Simulation(START, seed=seed, react=people.react, adverse=adverse)
        chain.say([*people.setup(), *people.demand(40, 30)])
        asyncio.run(chain.run(START + timedelta(days=45)))
        sys.stdout.write(f"{chain.digest}\n")
