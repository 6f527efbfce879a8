"""What schemathesis makes of the six OpenAPI documents is sent to the real services: valid, invalid, and in sequences.

`make test` sends a few requests for each operation. `SVC_EXAMPLES=100 make test ARGS="tests/api --timeout 3600"` sends
many, all boundary values among them; `SVC_SEED` begins elsewhere than at 7.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest
import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.checks import CheckContext
from schemathesis.engine import events, from_schema

from contracts.value_chain import ACTIVITIES, PLAN
from tests.api.six import CLIENT, Picture, Six, id_of, wrong_with

EXAMPLES = int(os.environ.get("SVC_EXAMPLES", "4"))
THOROUGH = EXAMPLES > 10
EVERYWHERE = {"health", "trail", "commands", "work", "dead letters"}
"""The tags of the routes that are the chassis's: the same code in all six, so a short run asks one of them."""
ANYWHERE = {202, 400, 404, 405, 413, 422, 503}
"""What any operation may answer."""
CONFIG: dict[str, Any] = {
    "seed": int(os.environ.get("SVC_SEED", "7")),
    "continue-on-failure": True,
    "generation": {"max-examples": EXAMPLES, "no-shrink": True, "mode": "all", "database": "none"},
    "checks": {
        "enabled": False,
        "response_schema_conformance": {"enabled": True},
        "answered_properly": {"enabled": True},
    },
    "phases": {
        "examples": {"enabled": False},
        "coverage": {"enabled": THOROUGH},
        "stateful": {"max-steps": 4, "generation": {"max-examples": max(1, EXAMPLES // 3)}},
    },
}


class Asked:
    """The services as they are asked: what is seen before a command and after it."""

    six: Six
    activity: str
    key: str
    sent = 0
    before: Picture
    refused: ClassVar[Counter[str]] = Counter()
    """How many commands with a key of ours were refused."""
    judged: ClassVar[Counter[str]] = Counter()
    """How often nothing else happened beside a command that was refused, so that its rows could be compared."""


@schemathesis.check
def answered_properly(ctx: CheckContext, response: Response, case: Case) -> None:
    """A refusal is a problem that says what to do and changes nothing; whatever was taken is decided about."""
    six, activity, status = Asked.six, Asked.activity, response.status_code
    documented = {str(code) for code in case.operation.definition.raw["responses"]}
    assert status in ANYWHERE or str(status) in documented, f"{status} is not documented"
    if status == 202 and "look_at" in response.text:
        reason = six.wait_for(six.settled(activity, id_of(Asked.key)))
        assert not reason, f"it was taken, and its case is parked: {reason}"
    if status >= 400:
        wrong = wrong_with(status, (response.headers.get("content-type") or [""])[0], response.content)
        assert not wrong, wrong
        if case.method.upper() != "GET" and Asked.key:
            Asked.refused[activity] += 1
            after = six.wait_for(six.picture(activity, id_of(Asked.key)))
            if after.receipts == Asked.before.receipts:
                Asked.judged[activity] += 1
                assert after.rows == Asked.before.rows, f"it was refused with {status}, and has changed rows"


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Give each command a key of its own, lest most are refused for having none; one of eight stays as it is."""
    Asked.sent += 1
    Asked.key = "" if Asked.sent % 8 == 0 else uuid4().hex
    if Asked.key:
        case.headers = {**(case.headers or {}), "Idempotency-Key": Asked.key, "Client-Id": CLIENT, "Prefer": "wait=30"}
        if case.method.upper() != "GET":
            Asked.before = Asked.six.wait_for(Asked.six.picture(Asked.activity, id_of(Asked.key)))


def run(specification: dict[str, Any], url: str) -> Iterator[tuple[str, int, str]]:
    """Each operation or sequence with the number of its requests, and each failure."""
    schema = schemathesis.openapi.from_dict(specification, config=schemathesis.Config.from_dict(CONFIG))
    schema.config.update(base_url=url)
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            yield event.phase.value, len(event.recorder.interactions), ""
            for checks in event.recorder.checks.values():
                for check in checks:
                    if found := check.failure_info:
                        failure = f"{event.recorder.label}: {found.failure.title}\n{found.failure.message[:2000]}"
                        yield event.phase.value, 0, f"{failure}\n{found.code_sample[:2000]}"
        elif isinstance(event, events.NonFatalError):
            yield event.label, 0, f"{event.label}: {event.value!r}"
        elif isinstance(event, events.FatalError):
            yield "engine", 0, repr(event.exception)


def shortened(specification: dict[str, Any]) -> dict[str, Any]:
    """An activity's own operations, without those that are the same everywhere."""
    paths = {
        path: {method: operation for method, operation in operations.items() if not EVERYWHERE & {*operation["tags"]}}
        for path, operations in specification["paths"].items()
    }
    return specification | {"paths": {path: operations for path, operations in paths.items() if operations}}


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@pytest.mark.parametrize("activity", ACTIVITIES)
async def test_whatever_is_asked_gets_a_proper_answer(six: Six, activity: str) -> None:
    async with httpx.AsyncClient() as client:
        specification = (await client.get(f"{six.urls[activity]}/openapi.json")).json()
    if activity != PLAN and not THOROUGH:
        specification = shortened(specification)
    Asked.six, Asked.activity = six, activity
    found = await asyncio.to_thread(lambda: list(run(specification, six.urls[activity])))
    failures = list(dict.fromkeys(failure for _, _, failure in found if failure))
    sent = Counter[str]()
    for phase, number, _ in found:
        sent[phase] += number
    assert not failures, f"{len(failures)} failures\n\n" + "\n\n".join(failures[:20])
    operations = sum(map(len, specification["paths"].values()))
    assert sent["fuzzing"] >= operations, sent
    assert Asked.judged[activity] or Asked.refused[activity] < 5, "no refusal could be judged"
    assert not await six.parked(activity)
