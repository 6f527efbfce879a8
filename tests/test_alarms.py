"""The alarms' thresholds are data, and name what the services really show."""

import re
from pathlib import Path

import yaml
from prometheus_client import generate_latest

import services.chassis.worker  # noqa: F401 - its metrics are to be registered

RULES = yaml.safe_load((Path(__file__).parents[1] / "deploy" / "alarms.yaml").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]


def test_every_alarm_is_about_a_metric_that_the_services_show() -> None:
    shown = set(re.findall(r"^# TYPE (\S+)", generate_latest().decode(), re.MULTILINE)) | {"up"}
    for alert in ALERTS:
        named = set(re.findall(r"\bsvc_\w+|\bup\b", alert["expr"]))
        assert named, alert["alert"]
        assert named <= shown, f"{alert['alert']} asks for {named - shown}"


def test_every_alarm_says_what_is_wrong_and_what_to_do() -> None:
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS) >= 4
    for alert in ALERTS:
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert alert["annotations"].keys() == {"summary", "action"}
