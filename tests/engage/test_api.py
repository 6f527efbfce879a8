"""The door of Engage, as far as it needs neither broker nor database."""

import asyncio
import hmac
import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from contracts.event import Command
from contracts.outside import DemandSubmitted, TicketPushed, ValueConfirmed
from services.chassis.commands import at_door
from services.chassis.runtime import Runtime
from services.chassis.service import create_app
from services.chassis.settings import Settings
from services.engage import api, notices
from services.engage.api import router
from services.engage.desks.client import Client
from services.engage.desks.events import Received
from services.engage.desks.intake import slug
from services.engage.desks.standard_webhooks import sign, verify
from services.engage.handlers import handles
from services.engage.model import RequesterNotified
from services.engage.notices import Desk, DeskSettings, RequesterNotice, post_notice
from services.engage.pushes import Kept
from svc.desk_replay import INCIDENT, recorded, replay
from tests.desks.conformance.fake_desk import FakeDesk
from tests.desks.conformance.kits import KITS, payload

SECRET = "whsec_" + "Y2FyY2FjaGlu" * 3
DEMAND = uuid5(NAMESPACE_URL, "desk:roundup:2047")


class Doorstep:
    """Takes commands where the inbox would be."""

    id = UUID(int=7)

    def __init__(self) -> None:
        self.runtime = Runtime(handles, Settings())
        self.taken: list[tuple[Command, UUID | None]] = []
        self.traces: list[str | None] = []
        self.broker_away = False

    async def produce(self, command: Command, id: UUID, fingerprint: str = "", known: str | None = None) -> None:
        """What `Door.produce` does, without a broker."""
        if self.broker_away:
            raise KafkaConnectionError
        self.taken.append((command, id))
        self.traces.append(known)

    async def ask(self, command: Command) -> Response:
        """What `Door.ask` does, without an answer."""
        self.taken.append((command, None))
        return JSONResponse({}, 202)


class Notebook:
    """What is written down of pushes, without a database."""

    def __init__(self, doorstep: Doorstep) -> None:
        self.doorstep = doorstep
        self.kept: list[tuple[str, bytes, float]] = []
        self.refusals: list[tuple[str, str]] = []

    def door(self, _: object) -> Doorstep:
        """What `Pushes.door` does, without a broker."""
        return self.doorstep

    async def keep(self, desk: str, push: Received, days: float, cases: Sequence[str]) -> Kept:
        """What `Pushes.keep` does, without a database."""
        self.kept.append((desk, push.body, days))
        return Kept(UUID(int=len(push.body)), dict.fromkeys(cases, "its trace"))

    async def refuse(self, desk: str, reason: str) -> None:
        """What `Pushes.refuse` does, without a database."""
        self.refusals.append((desk, reason))


@pytest.fixture
def doorstep() -> Doorstep:
    return Doorstep()


@pytest.fixture
def written(doorstep: Doorstep) -> Notebook:
    return Notebook(doorstep)


@pytest.fixture
async def client(
    doorstep: Doorstep, written: Notebook, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(api, "DESKS", {"roundup": Desk(secrets=(SECRET,))})
    app = create_app(handles, router)
    app.state.runtime = doorstep.runtime
    app.state.pushes = written
    app.dependency_overrides |= {at_door: lambda: doorstep}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engage") as caller:
        yield caller
    doorstep.runtime.tracer.processor.shutdown()


def desk_of(connector: str, **more: Any) -> Desk:
    return Desk.model_validate({"connector": connector, "secrets": ["s"]} | more)


def tell_of(monkeypatch: pytest.MonkeyPatch, desk: FakeDesk) -> None:
    """Have the fake desk answer whoever asks its API."""
    reach = Client.__init__
    monkeypatch.setattr(Client, "__init__", lambda self, plugged, access: reach(self, plugged, access, desk))


def refused(answer: httpx.Response) -> int:
    """The status of an answer that is a problem with a title, and says what to do."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    return answer.status_code


def push(now: datetime | None = None, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
    return replay(recorded(INCIDENT), ticket="2047", delivery="demo-7", secret=secret, now=now or datetime.now(UTC))


def signed(body: bytes) -> dict[str, str]:
    return sign(SECRET, delivery="demo-7", timestamp=datetime.now(UTC), body=body)


async def test_a_genuine_push_is_kept_under_ids_that_a_repeat_meets_again(
    client: httpx.AsyncClient, doorstep: Doorstep
) -> None:
    headers, body = push()
    for _ in range(2):
        answer = await client.post("/desks/roundup", content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (202, {"demand": str(DEMAND), "delivery": "demo-7"})
    (command, id), again = doorstep.taken
    assert (command, id) == again
    assert id == uuid5(NAMESPACE_URL, "delivery:roundup:demo-7")
    assert isinstance(command, TicketPushed)
    assert (command.demand, command.kind, command.ticket_type) == (DEMAND, "created", "Incident")
    assert (command.service, command.requester_email) == ("in-car-video-games", "emily.carter@bluefleet.example")


async def test_a_push_is_written_down_as_it_came_before_it_is_taken_and_a_refused_one_only_counted(
    client: httpx.AsyncClient, doorstep: Doorstep, written: Notebook
) -> None:
    headers, body = push()
    await client.post("/desks/roundup", content=body, headers=headers)
    ((command, _),) = doorstep.taken
    assert isinstance(command, TicketPushed)
    assert (written.kept, command.push) == ([("roundup", body, 7)], UUID(int=len(body)))
    assert doorstep.traces == ["its trace"], "it goes on in the trace of its demand"
    await client.post("/desks/roundup", content=body, headers=headers | {"webhook-signature": "v1,AAAA"})
    await client.post("/desks/roundup", content=b"ticket=1", headers=signed(b"ticket=1"))
    assert len(written.kept) == 1
    assert [desk for desk, _ in written.refusals] == ["roundup"] * 2
    assert "no signature matches" in written.refusals[0][1]
    assert "no JSON" in written.refusals[1][1]


async def test_what_is_personal_stays_in_the_desk_where_it_is_configured_so(
    client: httpx.AsyncClient, doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch
) -> None:
    for withhold in ([], ["name", "address", "addresses in text"]):
        monkeypatch.setattr(api, "DESKS", {"roundup": Desk.model_validate({"secrets": [SECRET], "withhold": withhold})})
        _, body = push()
        body = body.replace(b"Best regards", b"Call +41 79 123 45 67 or write to emily.carter@bluefleet.example")
        await client.post("/desks/roundup", content=body, headers=signed(body))
    open, closed = (command for command, _ in doorstep.taken)
    assert isinstance(open, TicketPushed)
    assert isinstance(closed, TicketPushed)
    assert open.requester_name == "Emily Carter"
    assert "Call +41 79 123 45 67 or write to emily.carter@" in open.text
    assert closed.requester_name == ""
    assert re.fullmatch(r"[0-9a-f]{20}@roundup\.invalid", closed.requester_email)
    assert "Call [withheld] or write to [withheld]\n" in closed.text
    assert closed.by_requester == open.by_requester
    assert "bluefleet.example" not in closed.model_dump_json()


async def test_a_push_of_no_concern_is_acknowledged_and_passed_over(
    client: httpx.AsyncClient, doorstep: Doorstep
) -> None:
    body = json.dumps({"type": "issue.retired", "timestamp": "2026-11-24T03:00:00Z", "data": {}}).encode()
    answer = await client.post("/desks/roundup", content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (202, {"demand": None, "delivery": "demo-7"})
    assert doorstep.taken == []


async def test_a_push_that_is_not_proved_says_which_proof_is_missing(
    client: httpx.AsyncClient, doorstep: Doorstep
) -> None:
    headers, body = push(secret="whsec_" + "b3RoZXJrZXkx" * 3)
    other_secret = await client.post("/desks/roundup", content=body, headers=headers)
    headers, body = push(now=datetime.now(UTC) - timedelta(minutes=6))
    stale = await client.post("/desks/roundup", content=body, headers=headers)
    unsigned = await client.post("/desks/roundup", content=body)
    assert [refused(answer) for answer in (other_secret, stale, unsigned)] == [401] * 3
    assert "no signature matches" in other_secret.json()["detail"]
    assert "stale" in stale.json()["detail"]
    assert "webhook-id is missing" in unsigned.json()["detail"]
    assert doorstep.taken == []


async def test_a_desk_that_is_not_configured_is_unknown(client: httpx.AsyncClient) -> None:
    headers, body = push()
    answer = await client.post("/desks/other", content=body, headers=headers)
    assert refused(answer) == 404
    assert "SVC_DESKS" in answer.json()["detail"]


async def test_a_proved_push_that_cannot_be_read_says_what_is_wrong(client: httpx.AsyncClient) -> None:
    body = json.dumps({"type": "issue.created", "timestamp": "2026-11-24T03:00:00Z", "data": {}}).encode()
    answer = await client.post("/desks/roundup", content=body, headers=signed(body))
    assert refused(answer) == 422
    assert "data.ticket" in answer.json()["detail"]


async def test_any_desk_that_is_configured_is_taken_in_its_own_way(
    client: httpx.AsyncClient, doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch
) -> None:
    kits = {kit.desk: kit for kit in KITS}
    signed_ones = ("zammad", "glpi", "jira", "zendesk", "github", "gitlab", "freescout", "standard-webhooks", "rt")
    for name in signed_ones:
        kit = kits[name]
        monkeypatch.setattr(api, "DESKS", {"help": desk_of(name, secrets=[kit.secret])})
        sent = kit.push(kit.created, datetime.now(UTC))
        answer = await client.post("/desks/help", content=sent.body, headers=sent.headers)
        assert answer.status_code == 202, name
        command, id = doorstep.taken.pop()
        assert isinstance(command, TicketPushed)
        assert (command.kind, command.desk) == ("created", "help")
        assert command.demand == uuid5(NAMESPACE_URL, f"desk:help:{command.ticket}") == UUID(answer.json()["demand"])
        assert id == uuid5(NAMESPACE_URL, f"delivery:help:{command.delivery}")
        if kit.note:
            sent = kit.push(kit.note, datetime.now(UTC))
            await client.post("/desks/help", content=sent.body, headers=sent.headers)
            assert not any("psst" in command.model_dump_json() for command, _ in doorstep.taken)
            doorstep.taken.clear()


async def test_what_nothing_proves_is_asked_for_before_anything_happens(
    client: httpx.AsyncClient, doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = next(kit for kit in KITS if kit.desk == "django-helpdesk")
    theirs = payload(kit.desk, kit.one)["body"] | {"title": "As the desk has it"}
    fake = FakeDesk(kit.plugged().profile, theirs)
    tell_of(monkeypatch, fake)
    configured = desk_of(kit.desk, secrets=[kit.secret], api={"base": "https://desk.example", "secret": "p"})
    monkeypatch.setattr(api, "DESKS", {"help": configured})
    created = kit.push(kit.created)

    async def push(token: str = kit.secret) -> httpx.Response:
        return await client.post("/desks/help", params={"token": token}, content=created.body, headers=created.headers)

    assert refused(await push("another")) == 401
    assert (await push()).status_code == 202
    ((command, _),) = doorstep.taken
    assert isinstance(command, TicketPushed)
    assert (command.title, command.delivery) == ("As the desk has it", "created:3")

    forged = kit.push(kit.answered)  # the desk has no such words on that ticket
    answer = await client.post("/desks/help", params=forged.query, content=forged.body, headers=forged.headers)
    assert (answer.status_code, answer.json()["demand"]) == (202, None)
    assert len(doorstep.taken) == 1


async def test_glpi_hears_that_we_know_its_secret(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "DESKS", {"help": desk_of("glpi")})
    answer = await client.get("/desks/help", params={"crc_token": "abc"})
    assert answer.text == hmac.new(b"s", b"abc", "sha256").hexdigest()
    assert refused(await client.get("/desks/other", params={"crc_token": "abc"})) == 404


@pytest.mark.parametrize(
    ("desk", "says"),
    [
        ({"connector": "freshdesk"}, "proves nothing that it pushes: give it `api`"),
        ({"connector": "nodesk"}, "there is no desk 'nodesk'"),
        ({"connector": "znuny", "api": {"base": "https://x.example"}}, "has no API that is known here"),
        ({"connector": "zammad", "reply_url": "https://x.example"}, "does not begin with `whsec_`"),
    ],
)
def test_a_desk_that_cannot_work_is_refused_at_start(desk: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        desk_of(**desk)


async def test_while_the_broker_is_away_a_push_is_to_be_repeated(client: httpx.AsyncClient, doorstep: Doorstep) -> None:
    doorstep.broker_away = True
    headers, body = push()
    answer = await client.post("/desks/roundup", content=body, headers=headers)
    assert refused(answer) == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_a_demand_is_named_after_its_caller_and_key(client: httpx.AsyncClient, doorstep: Doorstep) -> None:
    await client.post("/demands", json={"requester": "a@b.example", "title": "A game", "text": "Please.", "value": 10})
    assert doorstep.taken == [
        (DemandSubmitted(demand=UUID(int=7), requester="a@b.example", title="A game", text="Please.", value=10), None)
    ]


async def test_a_judgement_goes_to_the_demand_of_its_address(client: httpx.AsyncClient, doorstep: Doorstep) -> None:
    judgement = {
        "stakeholder": "a@b.example",
        "verdict": "partly",
        "utility": True,
        "warranty": False,
        "satisfaction": 3,
    }
    await client.post(f"/demands/{DEMAND}/value", json=judgement)
    ((command, _),) = doorstep.taken
    assert isinstance(command, ValueConfirmed)
    assert (command.demand, command.verdict, command.satisfaction) == (DEMAND, "partly", 3)


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/demands", {"requester": "", "title": "A game", "text": "Please."}, "requester"),
        ("/demands", {"requester": "a@b.example", "title": "A game", "text": ".", "value": -1}, "value"),
        ("/demands", {"requester": "a@b.example", "title": "A game", "text": ".", "prio": 1}, "prio"),
        (
            f"/demands/{DEMAND}/value",
            {"stakeholder": "a", "verdict": "yes", "utility": True, "warranty": True},
            "verdict",
        ),
        (f"/demands/{DEMAND}/withdrawal", {"stakeholder": "a"}, "reason"),
        (f"/demands/{DEMAND}/classification", {"kind": "New Game", "by": "Priya", "reason": "."}, "kind"),
        ("/demands/7/withdrawal", {"stakeholder": "a", "reason": "."}, "demand"),
        ("/services/Video%20Games", {}, "service"),
        ("/services/video-games", {"criticality": "huge"}, "criticality"),
        ("/segments/families/requirements", {"customer": "a", "requirements": [{"name": "x"}]}, "requirements"),
    ],
)
async def test_bad_input_is_refused_by_the_name_of_the_field(
    client: httpx.AsyncClient, doorstep: Doorstep, path: str, body: dict[str, Any], wrong: str
) -> None:
    answer = await client.post(path, json=body)
    assert refused(answer) == 422
    assert wrong in answer.json()["detail"]
    assert doorstep.taken == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("in-car video games", "in-car-video-games"),
        ("  Charging (home) ", "charging-home"),
        ("有人在吗", None),
        ("", None),
    ],
)
def test_a_service_is_known_by_the_slug_of_its_name(name: str, expected: str | None) -> None:
    assert slug(name) == expected


def test_desks_are_configured_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVC_DESKS", json.dumps({"roundup": {"secrets": [SECRET], "reply_url": "https://desk.example"}}))
    desk = DeskSettings().desks["roundup"]
    assert (desk.secrets, str(desk.reply_url)) == ((SECRET,), "https://desk.example/")


@pytest.mark.parametrize("secrets", [[], ["whsec_c2hvcnQ="], [SECRET, "no secret at all"]])
def test_a_desk_with_an_unusable_secret_is_refused_at_start_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, secrets: list[str]
) -> None:
    monkeypatch.setenv("SVC_DESKS", json.dumps({"roundup": {"secrets": secrets}}))
    with pytest.raises(ValidationError) as refusal:
        DeskSettings()
    assert "webhook secret" in str(refusal.value)
    assert not any(secret in str(refusal.value) for secret in secrets)


NOTICE = RequesterNotice(
    demand=DEMAND, desk="roundup", ticket="2047", number=3, status="delivered", text="Done.", asks_confirmation=True
)


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """A desk at `/notices` that accepts what is proved; every other address is gone."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204 if request.url.path == "/notices" else 410)

    connected = httpx.AsyncClient
    monkeypatch.setattr(
        httpx, "AsyncClient", lambda timeout: connected(timeout=timeout, transport=httpx.MockTransport(answer))
    )
    return requests


def configure(monkeypatch: pytest.MonkeyPatch, reply_url: str | None) -> None:
    monkeypatch.setattr(
        notices, "DESKS", {"roundup": Desk.model_validate({"secrets": [SECRET], "reply_url": reply_url})}
    )


async def test_a_notice_reaches_its_desk_with_a_proof_of_who_sent_it(
    monkeypatch: pytest.MonkeyPatch, accepted: list[httpx.Request]
) -> None:
    configure(monkeypatch, "https://desk.example/notices")
    for asked in (9, 10):  # given up meanwhile, and asked for once more
        assert await post_notice(NOTICE, UUID(int=asked)) == RequesterNotified(demand=DEMAND, number=3)
    request, again = accepted
    proofs = [verify([SECRET], one.headers, one.content, datetime.now(UTC)).id for one in (request, again)]
    assert proofs == [str(uuid5(DEMAND, "notice 3"))] * 2
    assert json.loads(request.content) == NOTICE.model_dump(mode="json")


async def test_a_notice_becomes_a_comment_and_resolves_the_ticket_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kit = next(kit for kit in KITS if kit.desk == "zammad")
    fake = FakeDesk(kit.plugged().profile, payload(kit.desk, kit.one)["body"])
    tell_of(monkeypatch, fake)
    configured = desk_of("zammad", api={"base": "https://desk.example", "secret": "t"})
    monkeypatch.setattr(notices, "DESKS", {"roundup": configured})
    for _ in range(2):
        assert await post_notice(NOTICE, UUID(int=9)) == RequesterNotified(demand=DEMAND, number=3)
    assert [step for step, _ in fake.written] == ["comment"]
    assert fake.written[0][1].startswith("Done.")
    assert fake.moved == ["closed"]

    fake.before = [lambda request: httpx.Response(403, request=request)]
    refusal = await post_notice(NOTICE.model_copy(update={"number": 4}), UUID(int=10))
    assert "403" in refusal.failed


async def test_a_desk_is_told_few_things_at_once_however_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0

    class Busy(httpx.AsyncBaseTransport):
        """Counts who asks it at the same time."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            for _ in range(5):
                await asyncio.sleep(0)
            at_once -= 1
            return httpx.Response(200, json=[])

    reach = Client.__init__
    monkeypatch.setattr(Client, "__init__", lambda self, plugged, access: reach(self, plugged, access, Busy()))
    configured = desk_of("zammad", api={"base": "https://desk.example", "secret": "t"})
    monkeypatch.setattr(notices, "DESKS", {"roundup": configured})
    several = [NOTICE.model_copy(update={"ticket": str(n), "status": "in_progress"}) for n in range(20)]
    told = await asyncio.gather(*(post_notice(one, UUID(int=9)) for one in several))
    assert [one.failed for one in told] == [""] * 20
    assert most == notices.AT_ONCE


async def test_a_notice_that_is_not_accepted_is_to_be_repeated(
    monkeypatch: pytest.MonkeyPatch, accepted: list[httpx.Request]
) -> None:
    configure(monkeypatch, "https://desk.example/gone")
    with pytest.raises(httpx.HTTPStatusError, match="410"):
        await post_notice(NOTICE, UUID(int=9))
    assert len(accepted) == 1


async def test_a_notice_to_a_desk_that_takes_none_any_more_is_given_up(
    monkeypatch: pytest.MonkeyPatch, accepted: list[httpx.Request]
) -> None:
    configure(monkeypatch, None)
    assert "SVC_DESKS" in (await post_notice(NOTICE, UUID(int=9))).failed
    assert accepted == []
