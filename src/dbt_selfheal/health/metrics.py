"""The health as metrics in the text format of Prometheus, for the textfile collector of a node exporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dbt_selfheal.errors import ConfigurationError

STATUSES = {"ok": 0, "skipped": 0, "warning": 1, "failed": 2}
VERDICTS = {"healthy": 0, "degraded": 1, "broken": 2}
STATES = ("present", "missing", "wrong_kind", "drifted")


def metrics(report: Mapping[str, Any]) -> str:
    """Returns the metrics of a health report.

    Raises:
        ConfigurationError: prometheus-client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, Gauge, generate_latest
    except ImportError:
        raise ConfigurationError(
            "metrics need the package prometheus-client",
            code="selfheal-extra-missing",
            remedy='Install it: pip install "dbt-selfheal[prometheus]"',
        ) from None
    registry = CollectorRegistry()
    common = {"project": str(report["project"]), "target": str(report["target"])}

    def gauge(name: str, text: str, values: Mapping[str, float | None], label: str | None = None) -> None:
        """Adds a metric; with a label it has one value for each key, else the one value."""
        made = Gauge(f"dbt_selfheal_{name}", text, [*common, *([label] if label else [])], registry=registry)
        for key, value in values.items():
            if value is not None:
                made.labels(**common, **({label: key} if label else {})).set(value)

    checks = {check["name"]: check for check in report["checks"]}

    def detail(check: str, key: str) -> float | None:
        value = checks.get(check, {}).get("details", {}).get(key)
        return None if value is None else float(value)

    gauge("verdict", "0 healthy, 1 degraded, 2 broken.", {"": VERDICTS[report["verdict"]]})
    statuses = {name: float(STATUSES[check["status"]]) for name, check in checks.items()}
    gauge("check_status", "Each check: 0 ok, 1 warning, 2 failed.", statuses, "check")
    states = Counter(entry["state"] for entry in report["required"])
    gauge("relations", "Required relations by state.", {state: states[state] for state in STATES}, "state")
    rows = {entry["unique_id"]: entry["rows"] for entry in report["required"]}
    gauge("relation_rows", "Rows of the required tables.", rows, "unique_id")
    issues = Counter(issue["severity"] for issue in report["issues"])
    severities = {name: float(issues[name]) for name in ("critical", "error", "warning", "info")}
    gauge("schema_issues", "Differences from the declared schema by severity.", severities, "severity")
    migrations = {
        key: detail("migrations", key)
        for key in ("applied", "pending", "failed", "interrupted", "changed", "gone")
    }
    gauge("migrations", "Migrations by state.", migrations, "state")
    tests = Counter(test["status"] for test in report["data_tests"])
    gauge("data_tests", "Data tests on the required relations by result.", dict(tests), "status")
    milliseconds = detail("connectivity", "round_trip_ms")
    seconds = None if milliseconds is None else milliseconds / 1000
    gauge("round_trip_seconds", "Time of the simplest query.", {"": seconds})
    size = detail("disk", "file_bytes") or detail("database_size", "bytes")
    gauge("database_bytes", "Size of the database.", {"": size})
    gauge("disk_free_bytes", "Free space on the database file's disk.", {"": detail("disk", "free_bytes")})
    success, duration = _last_initialization(report["attempts"])
    gauge("last_initialization_success", "1 if the last initialization succeeded.", {"": success})
    gauge("last_initialization_seconds", "Time of the last initialization.", {"": duration})
    moment = datetime.fromisoformat(str(report["checked_at"]).replace("Z", "+00:00")).timestamp()
    gauge("checked_timestamp_seconds", "When the health was checked.", {"": moment})
    return generate_latest(registry).decode()


def _last_initialization(attempts: Sequence[Mapping[str, Any]]) -> tuple[float | None, float | None]:
    """Returns 1 or 0 for success, and the seconds of the last attempt; None where there is none."""
    if not attempts:
        return None, None
    return float(attempts[-1]["state"] == "completed"), float(attempts[-1]["duration_seconds"])
