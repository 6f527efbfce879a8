"""compose.yaml, read without an engine: limits, what is published, and who is who."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.event import dashed
from contracts.value_chain import ACTIVITIES, ENGAGE
from svc.access import ADMINISTRATOR, LOOKER
from svc.desks.django_helpdesk import NAME, Desk
from svc.desks.known import checked
from svc.footprint import (
    PROFILES,
    Measured,
    chosen,
    in_bytes,
    limits_of,
    state_limits,
    stated,
    table_of_measured,
)
from svc.machine.kafka import _PROPERTIES
from svc.prepare import _as_variable, passwords_from, secure
from svc.terminal import Terminal
from svc.trouble import Trouble

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
DEFAULT = re.compile(r"\$\{(\w+):-([^}]*)\}")
Json = dict[str, Any]


def interpolated(node: Any) -> Any:
    """With the defaults of all variables in their place."""
    if isinstance(node, dict):
        return {name: interpolated(value) for name, value in node.items()}
    if isinstance(node, list):
        return [interpolated(value) for value in node]
    return DEFAULT.sub(r"\2", node) if isinstance(node, str) else node


COMPOSE: Json = interpolated(yaml.safe_load(TEXT))
SERVICES: dict[str, Json] = COMPOSE["services"]
OURS = {name: about for name, about in SERVICES.items() if about.get("build")}


def test_the_limits_that_the_readme_states_are_those_of_the_file() -> None:
    readme = (ROOT / "README.md").read_text()
    assert state_limits(readme, COMPOSE) == readme, "python -m svc.footprint limits --write"
    assert "<!-- limits -->" in readme


def test_what_was_measured_is_stated_by_profile_and_nothing_else_changes() -> None:
    found = [Measured(name, 12, 1920, 1234.5, 15.4, 21.7, {}) for name in ("core", "scale")]
    readme = "before\n<!-- footprint -->\n| old |\n<!-- /footprint -->\nbehind\n"
    assert stated(readme, "footprint", table_of_measured(found)) == (
        "before\n<!-- footprint -->\n| profile | containers | memory at rest | to healthy | to the first trace |\n"
        "|---|---|---|---|---|\n| core | 12 | 1,234 MiB | 15 s | 22 s |\n| scale | 12 | 1,234 MiB | 15 s | 22 s |\n"
        "<!-- /footprint -->\nbehind\n"
    )
    assert "<!-- footprint -->" in (ROOT / "README.md").read_text()


def test_the_core_takes_two_gibibytes_at_most_with_its_jobs() -> None:
    found = limits_of(COMPOSE, "core")
    assert found.services + found.jobs <= 2048
    for profile in PROFILES:
        assert limits_of(COMPOSE, profile).services >= found.services


def test_a_container_without_a_limit_is_refused() -> None:
    with pytest.raises(Trouble, match="Without a memory limit: greedy"):
        limits_of({"services": {"greedy": {}}}, "core")
    assert in_bytes("128m") == 128 * 2**20


def test_the_commands_start_only_when_they_are_called() -> None:
    assert all("svc" not in chosen(COMPOSE, profile) for profile in PROFILES)


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - OURS.keys()))
def test_what_others_have_made_is_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z./]+:v?\d+(\.\d+){0,2}", SERVICES[name]["image"])


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_have_as_few_rights_as_they_need(name: str) -> None:
    about = OURS[name]
    assert about["read_only"] is True
    assert about["cap_drop"] == ["ALL"]
    assert about["security_opt"] == ["no-new-privileges:true"]
    assert ("user" in about) == (name == "secure"), "all others run as the user of their image"


def test_our_images_run_as_nobody_in_particular() -> None:
    stages = re.split(r"^FROM ", (ROOT / "deploy" / "Dockerfile").read_text(), flags=re.MULTILINE)
    final = {stage.split()[2]: stage for stage in stages[1:]}
    for name in ("service", "svc", "desk"):
        assert "USER 10001:10001" in final[name]
    assert {about["build"]["target"] for about in OURS.values()} == {"service", "svc", "desk"}


def test_an_image_of_a_service_has_contracts_chassis_and_that_service() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    service = text[text.index("AS service") : text.index("AS svc", text.index("AS service"))]
    copied = re.findall(r"^COPY (?!--from)(\S+)", service, flags=re.MULTILINE)
    assert copied == ["contracts", "services/__init__.py", "services/chassis", "services/$SERVICE"]


def test_nothing_outside_of_the_checkout_is_mounted_and_what_is_mounted_is_there() -> None:
    for name, about in SERVICES.items():
        for volume in about.get("volumes", []):
            source = volume.split(":")[0]
            if source in COMPOSE["volumes"]:
                continue
            assert source.startswith("./"), (name, volume)
            assert volume.endswith(":ro"), (name, volume)
            assert (ROOT / source).exists(), (name, volume)


def test_ports_are_open_to_this_machine_alone_and_can_be_changed() -> None:
    published = re.findall(r'ports: \["([^"]+)"\]', TEXT)
    assert len(published) == 11
    for port in published:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+", port), port
    numbers = [DEFAULT.search(port) for port in published]
    assert len({found[2] for found in numbers if found}) == len(published)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_each_service_is_itself_everywhere(activity: str) -> None:
    about = SERVICES[dashed(activity)]
    words = about["environment"]
    password = passwords()[activity]
    assert about["build"]["args"]["SERVICE"] == activity
    assert words["SVC_PRINCIPAL"] == activity
    assert words["SVC_PASSWORD"] == password
    assert words["SVC_DATABASE"] == f"postgresql://svc_{activity}:{password}@postgres:5432/svc_{activity}"
    assert "DATABASE_URL" not in words
    replica = SERVICES[f"{dashed(activity)}-2"]
    assert replica["profiles"] == ["scale"]
    assert replica["networks"]["default"]["aliases"] == [dashed(activity)]
    assert replica["environment"]["SVC_INSTANCE"] != words["SVC_INSTANCE"], "two members of one name fence each other"
    assert {**replica["environment"], "SVC_INSTANCE": ""} == {**words, "SVC_INSTANCE": ""}


def passwords() -> dict[str, str]:
    found: dict[str, str] = json.loads(SERVICES["prepare"]["environment"]["SVC_PASSWORDS"])
    return found


def test_the_jobs_know_everybody_and_their_passwords_are_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVC_PASSWORDS", SERVICES["secure"]["environment"]["SVC_PASSWORDS"])
    assert passwords_from({*ACTIVITIES, LOOKER, ADMINISTRATOR}) == passwords()
    assert len(set(passwords().values())) == len(passwords())
    figures = json.loads(SERVICES["figures"]["environment"]["SVC_DATABASES"])
    assert figures == {a: SERVICES[dashed(a)]["environment"]["SVC_DATABASE"] for a in ACTIVITIES}


@pytest.mark.parametrize("wrong", ["", "no JSON", '{"plan": 3}', '{"plan": "a \'quote\'"}', '{"plan": "abc"}', "{}"])
def test_passwords_of_no_use_are_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVC_PASSWORDS", wrong)
    with pytest.raises(Trouble, match="SVC_PASSWORDS"):
        passwords_from({"plan"})


def test_engage_knows_the_secret_of_the_desk_that_the_demonstration_signs_with() -> None:
    desk = json.loads(SERVICES["engage"]["environment"]["SVC_DESKS"])["roundup"]
    assert desk["secrets"] == [SERVICES["svc"]["environment"]["SVC_DESK_SECRET"]]
    assert desk["reply_url"].startswith(SERVICES["svc"]["environment"]["SVC_PAGE"])


def test_engage_and_the_desk_of_its_profile_are_wired_both_ways(tmp_path: Path) -> None:
    shell, flag, script = SERVICES["plug"]["entrypoint"]
    script = script.replace("$$", "$").replace("/run/svc", str(tmp_path))
    subprocess.run([shell, flag, script], env=SERVICES["plug"]["environment"], check=True)
    known = json.loads(sourced(tmp_path / "desks.env")["SVC_DESKS"])
    assert known.items() > json.loads(SERVICES["engage"]["environment"]["SVC_DESKS"]).items(), "the other one stays"
    assert set(checked(json.dumps(known).encode(), "SVC_DESKS")) == {"roundup", NAME}, "Engage would start with them"
    about, words = SERVICES["desk"], SERVICES["desk"]["environment"]
    assert about["profiles"] == ["desk"]
    svc = SERVICES["svc"]["environment"]
    desk = Desk(svc["SVC_DESK_URL"], words["DESK_ROOT_PASSWORD"], words["DESK_BOT_PASSWORD"], svc["SVC_DESK_TOKEN"])
    assert known[NAME] == desk.known
    assert svc["SVC_DESK_PASSWORD"] == desk.bot
    hook = desk.hook("http://engage:8000")
    assert words["HELPDESK_NEW_TICKET_WEBHOOK_URLS"] == words["HELPDESK_FOLLOWUP_WEBHOOK_URLS"] == hook


def test_the_broker_in_its_container_is_set_as_the_one_on_this_machine() -> None:
    """But for where it listens and keeps its records."""
    own = dict(line.split("=", 1) for line in _PROPERTIES.splitlines() if "=" in line and not line.startswith("#"))
    elsewhere = {
        "controller.quorum.bootstrap.servers", "listeners", "advertised.listeners", "listener.security.protocol.map",
        "inter.broker.listener.name", "log.dirs",
    }  # fmt: skip
    container = SERVICES["kafka"]["environment"]
    for name, value in own.items():
        if name not in elsewhere:
            assert container[_as_variable(name)] == value, name


def test_every_service_waits_for_what_it_needs_and_not_for_jaeger() -> None:
    done = {"condition": "service_completed_successfully"}
    for activity in ACTIVITIES:
        others = {"plug": {**done, "required": False}} if activity == ENGAGE else {}
        assert SERVICES[dashed(activity)]["depends_on"] == {"prepare": done, **others}
    assert SERVICES["prepare"]["depends_on"] == {
        "kafka": {"condition": "service_healthy"},
        "postgres": {"condition": "service_healthy"},
    }
    assert all("jaeger" not in about.get("depends_on", {}) for about in SERVICES.values())


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the job `secure` leaves, done twice."""
    folder = tmp_path_factory.mktemp("secured")
    for name in ("settings", "broker"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVC_PASSWORDS", SERVICES["secure"]["environment"]["SVC_PASSWORDS"])
        for _ in range(2):
            secure(Terminal(), settings=folder / "settings", broker=folder / "broker", names=["kafka", "127.0.0.1"])
    return folder


def sourced(file: Path, **environment: str) -> dict[str, str]:
    """The variables that a shell has after reading it, as /entrypoint.sh does."""
    shell = ["sh", "-c", f"set -eua; . '{file}'; set +a; env -0"]
    told = subprocess.run(
        shell, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, check=True, text=True
    )
    return dict(pair.split("=", 1) for pair in told.stdout.split("\0") if pair)


@pytest.mark.parametrize(
    ("principal", "mechanism"), [("plan", "SCRAM-SHA-512"), (LOOKER, "SCRAM-SHA-512"), (ADMINISTRATOR, "PLAIN")]
)
def test_each_container_is_who_it_is_by_one_file_for_all(secured: Path, principal: str, mechanism: str) -> None:
    file = secured / "settings" / "broker.env"
    found = sourced(file, SVC_PRINCIPAL=principal, SVC_PASSWORD="its-own")
    assert json.loads(found["SVC_KAFKA"]) == {
        "security_protocol": "SASL_SSL", "sasl_mechanism": mechanism, "sasl_plain_username": principal,
        "sasl_plain_password": "its-own",
    }  # fmt: skip
    assert Path(found["SSL_CERT_FILE"]).read_text().endswith((secured / "settings" / "ca.pem").read_text())
    assert all(password not in file.read_text() for password in passwords().values())


def test_a_container_without_a_principal_is_left_alone(secured: Path) -> None:
    assert "SVC_KAFKA" not in sourced(secured / "settings" / "broker.env")


def test_the_broker_gets_its_properties_by_the_names_of_its_image(secured: Path) -> None:
    found = sourced(secured / "broker" / "kafka.env")
    assert found["KAFKA_AUTHORIZER_CLASS_NAME"] == "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    assert found["KAFKA_LISTENER_NAME_CLIENTS_SCRAM___SHA___512_SASL_JAAS_CONFIG"].endswith("required;")
    assert (
        f'user_{ADMINISTRATOR}="{passwords()[ADMINISTRATOR]}"'
        in found["KAFKA_LISTENER_NAME_CLIENTS_PLAIN_SASL_JAAS_CONFIG"]
    )
    names = re.findall(r"(\w+)://", SERVICES["kafka"]["environment"]["KAFKA_LISTENERS"])
    listed = found["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert [one.split(":")[0] for one in listed] == names
    assert not any("PLAINTEXT" in one for one in listed if "CLIENTS" in one)


def test_a_second_start_keeps_the_certificate(secured: Path) -> None:
    before = (secured / "broker" / "broker.pem").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SVC_PASSWORDS", SERVICES["secure"]["environment"]["SVC_PASSWORDS"])
        secure(Terminal(), settings=secured / "settings", broker=secured / "broker", names=["kafka"])
    assert (secured / "broker" / "broker.pem").read_bytes() == before
