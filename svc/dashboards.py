"""The dashboards as code: a table of panels, from which the files that Grafana is provisioned with are written.

    python -m svc.dashboards

writes `deploy/grafana/dashboards/`. A test holds the files against this table, and runs each query against a real
Prometheus that has scraped a real chain.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

FOLDER = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT, COLUMNS = 8, 8, 24
FINAL = "value_realised|denied|assumed|rejected|withdrawn|merged"


class Panel(NamedTuple):
    """One panel: a question to Prometheus, and what its answer is called."""

    title: str
    query: str
    legend: str = ""
    """How a series is called, by its labels; empty for a single figure."""
    unit: str = "short"
    """Grafana's name of the unit."""
    says: str = ""
    """What it means and what to do about it; shown at the panel's corner."""

    @property
    def kind(self) -> str:
        """A figure if there is one, else lines over time."""
        return "timeseries" if self.legend else "stat"


def quantile(share: float, metric: str, *by: str) -> str:
    """A quantile of a histogram over five minutes."""
    return f"histogram_quantile({share}, sum by (le, {', '.join(by)}) (rate({metric}_bucket[5m])))"


def counted(expression: str) -> str:
    """A sum of what is seldom there at all: 0 then."""
    return f"sum({expression}) or vector(0)"


# fmt: off
# ruff: noqa: E501 - a row is read across
VALUE_CHAIN = (
    Panel("Demands that are open",        f'sum(svc_demands{{status!~"{FINAL}"}})', says="Not yet in a state that a demand never leaves."),
    Panel("Demands by state",             "sum by (status) (svc_demands)", "{{status}}"),
    Panel("Demands by stream and state",  "sum by (stream, status) (svc_demands)", "{{stream}}: {{status}}"),
    Panel("Mean lead time by stream",     "sum by (stream) (svc_demand_lead_time_seconds_sum) / sum by (stream) (svc_demand_lead_time_seconds_count)", "{{stream}}", "s", "From first contact to the final state, in chain time."),
    Panel("Waits by activity",            "sum by (activity, kind) (svc_waits)", "{{activity}}: {{kind}}", says="Dates, work, free hands in a work centre, and effects outside that are waited for."),
    Panel("What is waited for",           "topk(10, sum by (activity, message) (svc_waits))", "{{activity}}: {{message}}"),
    Panel("Open work",                    "sum by (activity, kind, owner) (svc_open_work)", "{{activity}}: {{kind}} of {{owner}}", says="`svc work list` shows it, with its promises."),
    Panel("Records set aside",            "sum by (activity) (svc_parked_records)", "{{activity}}", says="Their cases wait: `svc dlq list` says why."),
    Panel("Oldest record set aside",      "max by (activity) (svc_parked_oldest_seconds)", "{{activity}}", "s"),
    Panel("Effects and timers that fail", counted("svc_failing"), says="Tried again later and later; see the activity's log."),
)
SERVICES = (
    Panel("Services that answer",         'sum(up{job="services"})', says="Six, times the replicas."),
    Panel("Databases that answer",        "sum(svc_database_up)"),
    Panel("Messages a second",            "sum by (activity, result) (rate(svc_messages_total[1m]))", "{{activity}}: {{result}}", "ops"),
    Panel("Records not yet fetched",      "sum by (activity, topic) (svc_consumer_lag)", "{{activity}}: {{topic}}", says="Of each topic that the activity hears. It grows while more comes than is worked off: add replicas."),
    Panel("Oldest record that waits",     "max by (activity, topic) (svc_oldest_seconds)", "{{activity}}: {{topic}}", "s"),
    Panel("Records in a batch (p90)",     quantile(0.9, "svc_batch_messages", "activity"), "{{activity}}"),
    Panel("HTTP requests (p95)",          quantile(0.95, "http_server_request_duration_seconds", "activity", "http_route"), "{{activity}}: {{http_route}}", "s"),
    Panel("HTTP requests a second",       "sum by (activity, http_response_status_code) (rate(http_server_request_duration_seconds_count[1m]))", "{{activity}}: {{http_response_status_code}}", "reqps"),
    Panel("A batch of a topic (p95)",     quantile(0.95, "messaging_process_duration_seconds", "activity", "messaging_destination_name"), "{{activity}}: {{messaging_destination_name}}", "s", "From its records to its write."),
    Panel("Until the broker answers (p95)", quantile(0.95, "messaging_client_operation_duration_seconds", "activity", "messaging_operation_name"), "{{activity}}: {{messaging_operation_name}}", "s"),
    Panel("Spans that were not taken",    counted('rate(otel_sdk_exporter_span_exported_total{error_type!=""}[5m])'), unit="ops", says="The receiver of traces is away or refuses them. Traces have gaps; the chain goes on."),
    Panel("Spans dropped, queue full",    counted('rate(otel_sdk_processor_span_processed_total{error_type="queue_full"}[5m])'), unit="ops", says="More spans than can be sent: lower SVC_TRACE_RATIO."),
    Panel("Spans that wait to be sent",   "sum by (activity) (otel_sdk_processor_span_queue_size)", "{{activity}}"),
    Panel("Memory",                       'sum by (activity) (process_resident_memory_bytes{job="services"})', "{{activity}}", "bytes"),
)
# fmt: on
DASHBOARDS = {"value-chain": ("Service value chain", VALUE_CHAIN), "services": ("The six services", SERVICES)}
"""By the name of the file: title and panels."""


def dashboard(uid: str, title: str, panels: tuple[Panel, ...]) -> dict[str, Any]:
    """A dashboard as Grafana reads it."""
    return {
        "uid": uid, "title": title, "schemaVersion": 39, "tags": ["svc"], "timezone": "utc", "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"}, "editable": False, "panels": list(_placed(panels)),
    }  # fmt: skip


def _placed(panels: tuple[Panel, ...]) -> Iterator[dict[str, Any]]:
    """Three in a row."""
    for number, panel in enumerate(panels):
        row, column = divmod(number * WIDTH, COLUMNS)
        target = {"refId": "A", "datasource": PROMETHEUS, "expr": panel.query, "legendFormat": panel.legend}
        yield {
            "id": number + 1, "type": panel.kind, "title": panel.title, "description": panel.says,
            "datasource": PROMETHEUS, "gridPos": {"x": column, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []}, "targets": [target],
        }  # fmt: skip


def files() -> dict[str, bytes]:
    """Every file by its name."""
    return {
        f"{uid}.json": orjson.dumps(
            dashboard(uid, title, panels), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )
        for uid, (title, panels) in DASHBOARDS.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
