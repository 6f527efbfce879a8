"""Every panel asks for what is really there: its query is run against a real Prometheus that scrapes a real chain."""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from contracts.event import dashed
from contracts.value_chain import ACTIVITIES, DELIVER_SUPPORT, inbox
from svc import figures
from svc.chaos.chain import Chain, until
from svc.dashboards import DASHBOARDS, FOLDER, Panel, files
from svc.loopback import serve
from svc.machine import ports
from svc.machine.process import Child
from svc.trouble import Trouble

DEPLOY = FOLDER.parents[1]
CONFIG = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
PANELS = [(uid, panel) for uid, (_, panels) in DASHBOARDS.items() for panel in panels]
NAMES = [f"{uid}: {panel.title}" for uid, panel in PANELS]
FUNCTIONS = {"sum", "max", "by", "rate", "topk", "vector", "histogram_quantile", "or", "le"}
binary = shutil.which("prometheus") or ""


@pytest.fixture(scope="module")
async def busy(chain: Chain) -> AsyncIterator[Chain]:
    """Something of everything: a demand that has ended, one on which somebody must work, a record set aside."""
    await chain.realise([await chain.incident()])
    await chain.restart(DELIVER_SUPPORT, work="manual")
    demand = await chain.incident()

    async def open_work() -> bool:
        return any(item["id"] == str(demand) for item in await chain.get(DELIVER_SUPPORT, "/work"))

    await until(open_work, what="there is open work")
    await chain.producer.send_and_wait(inbox("plan"), b"no JSON", key=b"poison", partition=0)
    await until(chain.aside, what="it is set aside")
    yield chain
    done = await chain.post(DELIVER_SUPPORT, f"/work/resolution/{demand}/done", {"by": "Priya"})
    assert done.status_code == 204, done.text
    await chain.realise([demand])
    await chain.restart(DELIVER_SUPPORT)
    event = (await chain.aside())[0]
    away = {"discard": event["event_id"], "reason": "it was put there by a test"}
    await chain.post("plan", f"/dlq/{event['case_id']}/redrive", away)
    assert await chain.aside() == []


@pytest.fixture(scope="module")
async def at(busy: Chain) -> AsyncIterator[str]:
    """Where the chain's figures are shown."""
    async with serve(figures.app(busy.databases)) as url:
        yield url


async def text_of(url: str) -> str:
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.get(f"{url}/metrics")
        answer.raise_for_status()
        return answer.text


def value(text: str, name: str, **labels: str) -> float:
    """The sum of the series of this name with these labels."""
    series = [line for line in text.splitlines() if re.match(rf"{name}[ {{]", line)]
    wanted = [f'{label}="{content}"' for label, content in labels.items()]
    return sum(float(line.rpartition(" ")[2]) for line in series if all(one in line for one in wanted))


async def test_the_figures_are_what_the_databases_hold(busy: Chain, at: str) -> None:
    text = await text_of(at)
    rows = await busy.rows("engage", "SELECT status, count(*) FROM demand WHERE status IS NOT NULL GROUP BY 1")
    assert len(rows) >= 2
    for status, count in rows:
        assert value(text, "svc_demands", status=status) == count
    assert value(text, "svc_database_up") == len(ACTIVITIES)
    assert value(text, "svc_open_work", activity=DELIVER_SUPPORT, kind="resolution", owner="service desk") == 1
    assert value(text, "svc_parked_records", activity="plan") == 1
    assert value(text, "svc_parked_records") == len(await busy.aside())
    assert value(text, "svc_demand_lead_time_seconds_count", status="value_realised") >= 1
    pending = sum([len(await busy.rows(activity, "SELECT 1 FROM pending")) for activity in ACTIVITIES])
    assert value(text, "svc_waits") == pending > 0


async def test_a_database_that_is_away_is_said_to_be_and_the_others_are_counted(busy: Chain) -> None:
    databases = {**busy.databases, "plan": "postgresql://nobody@127.0.0.1:1/plan"}
    text = (await figures.shown(databases)).decode()
    assert value(text, "svc_database_up", activity="plan") == 0
    assert value(text, "svc_database_up") == len(ACTIVITIES) - 1
    assert value(text, "svc_demands") > 0
    assert not [line for line in text.splitlines() if line.startswith("svc_parked") and 'activity="plan"' in line]


@pytest.mark.parametrize("wrong", ["", "[]", "{}", '{"plna": "postgresql://x"}', '{"plan": 1}'])
async def test_wrong_databases_are_refused_with_what_to_say(wrong: str) -> None:
    async def never() -> None:
        raise AssertionError("it began")

    with pytest.raises(Trouble, match="SVC_DATABASES"):
        await figures.run(wrong, "127.0.0.1", 0, never)


def test_the_files_are_what_the_table_of_panels_makes() -> None:
    """If this fails: `python -m svc.dashboards`."""
    assert {path.name: path.read_bytes() for path in FOLDER.glob("*.json")} == files()


def test_what_is_provisioned_fits_together() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for uid, (title, panels) in DASHBOARDS.items() for panel in made(uid)} == {
        source["uid"]
    }
    services, counted, jaeger = CONFIG["scrape_configs"]
    assert set(services["dns_sd_configs"][0]["names"]) == set(map(dashed, ACTIVITIES))
    containers = yaml.safe_load((DEPLOY.parent / "compose.yaml").read_text(encoding="utf-8"))["services"]
    targets = [target for job in (counted, jaeger) for one in job["static_configs"] for target in one["targets"]]
    assert {target.partition(":")[0] for target in targets} <= containers.keys(), "nobody is called so"
    mounted = {volume.split(":")[1] for volume in containers["prometheus"]["volumes"]}
    assert {f"/etc/prometheus/{file}" for file in CONFIG["rule_files"]} <= mounted


def made(uid: str) -> list[dict[str, Any]]:
    """The panels of a file."""
    found: list[dict[str, Any]] = yaml.safe_load(files()[f"{uid}.json"])["panels"]
    return found


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=NAMES)
async def test_every_metric_and_label_that_a_panel_names_is_shown_by_somebody(
    busy: Chain, at: str, shown: dict[str, set[str]], uid: str, panel: Panel
) -> None:
    """Known without Prometheus; it does not know whether the query means anything."""
    matched = {
        label for inside in re.findall(r"\{([^}]*)\}", panel.query) for label in re.findall(r"(\w+)\s*[=!]", inside)
    }
    grouped = {label.strip() for inside in re.findall(r"by \(([^)]*)\)", panel.query) for label in inside.split(",")}
    bare = re.sub(r'\{[^}]*\}|by \([^)]*\)|"[^"]*"|\[[^]]*\]', " ", panel.query)
    metrics = set(re.findall(r"[a-z_]\w+", bare)) - FUNCTIONS
    assert metrics, panel.query
    for metric in metrics:
        family = next((name for name in (metric, re.sub("_(bucket|sum|count)$", "", metric)) if name in shown), None)
        assert family, f"nobody shows {metric}"
        of_scraping = {"activity", "job", "instance", "le"} | ({"error_type"} if metric.startswith("otel_") else set())
        unknown = (matched | grouped) - shown[family] - of_scraping
        assert not unknown, f"{metric} has no label {unknown}"
    legend = set(re.findall(r"\{\{(\w+)\}\}", panel.legend))
    assert legend == grouped - {"le"}, "its series are called by the labels that tell them apart"


@pytest.fixture(scope="module")
async def shown(busy: Chain, at: str) -> dict[str, set[str]]:
    """Every metric that the services and the figures show, with its labels."""
    texts = [await text_of(url) for url in (at, *(busy.urls[activity] for activity in ACTIVITIES))]
    found: dict[str, set[str]] = {"up": set()}
    for line in "\n".join(texts).splitlines():
        if declared := re.match(r"# TYPE (\S+)", line):
            found.setdefault(declared[1], set())
        elif series := re.match(r"([a-z_]\w*)(?:\{(.*)\})? ", line):
            name = re.sub("_(bucket|sum|count)$", "", series[1])
            found.setdefault(series[1] if series[1] in found else name, set()).update(
                re.findall(r'(\w+)="', series[2] or "")
            )
    return found


@pytest.fixture(scope="module")
async def prometheus(busy: Chain, at: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A Prometheus with the shipped settings, which scrapes this chain instead of containers."""
    if not binary:
        pytest.skip("there is no prometheus on this machine: names and labels alone are checked")
    folder: Path = tmp_path_factory.mktemp("prometheus")
    shutil.copy(DEPLOY / "alarms.yaml", folder)
    services, counted, _ = CONFIG["scrape_configs"]
    targets = [
        {"targets": [busy.urls[activity].removeprefix("http://")], "labels": {"activity": dashed(activity)}}
        for activity in ACTIVITIES
    ]
    ours = {name: part for name, part in services.items() if name not in ("dns_sd_configs", "relabel_configs")}
    jobs = [ours | {"static_configs": targets}]
    patient = {"scrape_interval": "3s", "scrape_timeout": "3s"}  # it asks six databases, on whatever machine this is
    jobs += [counted | patient | {"static_configs": [{"targets": [at.removeprefix("http://")]}]}]
    fast = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump({"global": fast, "rule_files": CONFIG["rule_files"], "scrape_configs": jobs}))
    (port,) = ports.free(1)
    command = [binary, f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
    child = await Child.start(
        "prometheus", [*command, f"--web.listen-address=127.0.0.1:{port}"], log=folder / "prometheus.log", patience=10
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def scraped() -> bool:
                """Each service often enough that a rate can be told, and the figures."""
                query = 'sum_over_time(up{job="services"}[1m]) >= 4 or up{job="figures"} == 1'
                try:
                    found = await client.get("/api/v1/query", params={"query": query})
                except httpx.TransportError:
                    return False
                return found.is_success and len(found.json()["data"]["result"]) == len(ACTIVITIES) + 1

            await until(scraped, 60, what=f"everything was scraped some times; log: {folder / 'prometheus.log'}")
        yield f"http://127.0.0.1:{port}"
    finally:
        await child.stop()


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=NAMES)
async def test_every_query_has_an_answer_with_data(prometheus: str, uid: str, panel: Panel) -> None:
    async with httpx.AsyncClient(base_url=prometheus) as client:
        answer = (await client.get("/api/v1/query", params={"query": panel.query})).json()
    assert answer["status"] == "success", answer
    series = answer["data"]["result"]
    assert series, f"{panel.query} finds nothing"
    named = set(re.findall(r"\{\{(\w+)\}\}", panel.legend))
    assert all(named <= one["metric"].keys() for one in series), "a label of its legend is missing"
    if not panel.legend:
        assert len(series) == 1, "a figure is one"
    assert not panel.query.endswith("vector(0)") or float(series[0]["value"][1]) == 0


async def test_the_alarms_are_rules_that_prometheus_reads(prometheus: str) -> None:
    async with httpx.AsyncClient(base_url=prometheus) as client:
        (group,) = (await client.get("/api/v1/rules")).json()["data"]["groups"]
        assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
        assert {rule["name"] for rule in group["rules"]} >= {"RecordsSetAside", "ServiceAway"}


def test_promtool_agrees_with_the_shipped_settings() -> None:
    tool = shutil.which("promtool")
    if not tool:
        pytest.skip("there is no promtool on this machine")
    for command in (["config", "--syntax-only", "prometheus/prometheus.yml"], ["rules", "alarms.yaml"]):
        *what, file = command
        subprocess.run([tool, "check", *what, str(DEPLOY / file)], check=True, capture_output=True)
