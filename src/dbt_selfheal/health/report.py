"""The health of a workspace: the macros' checks, and what only the wrapper can see."""

from __future__ import annotations

import shutil
from typing import Any

from dbt_selfheal import __version__
from dbt_selfheal.engine.attempt import Attempt
from dbt_selfheal.errors import ConcurrentInitializationError, ConfigurationError, InitializationError
from dbt_selfheal.report.attempts import AttemptLog, in_a_line
from dbt_selfheal.report.recorder import iso, now
from dbt_selfheal.workspace.files import DEFAULT_MIN_FREE_MB
from dbt_selfheal.workspace.installation import OPERATION_MISSING
from dbt_selfheal.workspace.project import Workspace

Report = dict[str, Any]
Check = dict[str, Any]
EXIT_CODES = {"healthy": 0, "degraded": 1, "broken": 8}
MB = 1 << 20
PASSED = ("pass", "warn", "skipped")


def report_of(attempt: Attempt, *, tests: bool = True) -> Report:
    """Returns the health of a workspace; an error of the database is part of it.

    Args:
        attempt: How to ask.
        tests: Whether to run the data tests on the required relations.

    Raises:
        ConfigurationError: The package that checks the health is not installed.
    """
    try:
        report = with_tests(attempt.health(tests=tests), tests=tests)
    except InitializationError as error:
        if error.code == OPERATION_MISSING:
            raise
        report = without_answer(attempt.workspace, error, attempt.recorder.checks)
    report.pop("event", None)
    report["version"] = __version__
    if attempt.workspace is not None:
        _add_files(report, attempt.workspace, attempt.request.min_free_mb)
        _add_attempts(report, attempt.workspace)
    report["verdict"] = verdict(report["checks"])
    return report


def with_tests(documents: dict[str, dict[str, Any]], *, tests: bool) -> Report:
    """Returns the macros' report of an attempt, with a check of the data tests that it ran.

    Args:
        documents: Of Attempt.health.
        tests: Whether they were to be run.
    """
    report = dict(documents["health_report"])
    report["data_tests"] = documents.get("data_tests", {}).get("tests", [])
    report["checks"] = [*report["checks"], _data_tests(report["data_tests"], tests)]
    return report


def verdict(checks: list[Check]) -> str:
    """Returns `broken` if a check failed, `degraded` if one warns, else `healthy`."""
    statuses = {check["status"] for check in checks}
    return "broken" if "failed" in statuses else "degraded" if "warning" in statuses else "healthy"


def report_text(report: Report) -> str:
    """Returns a report for people."""
    lines = [f"Health: {report['verdict']}"]
    for check in report["checks"]:
        status = check["status"] if check["status"] in ("ok", "skipped") else check["status"].upper()
        summary = str(check["summary"]).replace("\n", "\n" + " " * 31)
        lines.append(f"  {status:<9}{check['name']:<20}{summary}")
        if check["what_to_do"]:
            lines.append(f"           {check['what_to_do']}")
    return "\n".join(lines)


def _check(name: str, status: str, summary: str, what_to_do: str | None = None, **details: Any) -> Check:
    return {
        "name": name,
        "status": status,
        "summary": summary,
        "what_to_do": None if status in ("ok", "skipped") else what_to_do,
        "details": details,
    }


def _data_tests(tests: list[dict[str, Any]], wanted: bool) -> Check:
    if not wanted:
        return _check("data_tests", "skipped", "not run (--no-tests)")
    if not tests:
        return _check("data_tests", "ok", "there are none on the required relations")
    counts: dict[str, int] = {}
    for test in tests:
        counts[test["status"]] = counts.get(test["status"], 0) + 1
    bad = [test["name"] for test in tests if test["status"] not in PASSED]
    text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    names = ": " + ", ".join(bad[:4]) + (", ..." if len(bad) > 4 else "") if bad else ""
    return _check(
        "data_tests",
        "warning" if bad else "ok",
        text + names,
        f"dbt test --select {' '.join(bad[:8])}",
        **counts,
    )


def without_answer(workspace: Workspace | None, error: InitializationError, made: list[Check]) -> Report:
    """Returns the report when dbt gave none: the database cannot be asked, or the project is wrong.

    Args:
        workspace: What is known of it, if anything.
        error: What happened.
        made: The checks that were made before it happened; there are some if the database has answered.
    """
    report: Report = {
        "checked_at": iso(now()), "target": None, "adapter": None, "schema": None, "project": None,
        "required": [], "issues": [], "attempts": [], "data_tests": [], "history": False,
    }  # fmt: skip
    if workspace is not None:
        report.update(target=workspace.target, adapter=workspace.adapter, schema=workspace.schema)
        report["project"] = workspace.project.get("name")
    if isinstance(error, ConcurrentInitializationError):
        holder = error.holder or "its process is not known"
        text = f"an initialization is running: {holder}"
        report["checks"] = [_check("lock", "warning", text, "wait for it to end", holder=holder)]
    else:
        wrong = "project" if made or isinstance(error, ConfigurationError) else "connectivity"
        check = _check(wrong, "failed", str(error), error.remedy, code=error.code)
        report["checks"] = [*({key: each[key] for key in check} for each in made), check]
    return report


def _add_files(report: Report, workspace: Workspace, min_free_mb: float | None) -> None:
    """Adds the size of the database file and the free space of its disk."""
    file = workspace.database_file
    if file is None:
        return
    size = sum(each.stat().st_size for each in (file, file.with_name(file.name + ".wal")) if each.exists())
    folder = next(folder for folder in file.parents if folder.exists())
    free = shutil.disk_usage(folder).free
    least = MB * (min_free_mb if min_free_mb is not None else DEFAULT_MIN_FREE_MB)
    text = f"{_size(free)} free; the database file has {_size(size)}"
    status = "ok" if free >= least else "warning"
    remedy = f"free space on the disk of {folder}: less than {_size(int(least))} is left"
    report["checks"].append(_check("disk", status, text, remedy, free_bytes=free, file_bytes=size))


def _add_attempts(report: Report, workspace: Workspace) -> None:
    """Puts in this machine's own attempts where the database has no history."""
    if report["attempts"]:
        return
    report["attempts"] = AttemptLog(workspace.state_folder).read()
    if not report["attempts"]:
        return
    last = report["attempts"][-1]
    text = f"{last['state']} at {last['started_at']} in {last['duration_seconds']} s"
    error = f": {in_a_line(str(last['error']))}" if last.get("error") else ""
    check = _check(
        "last_initialization",
        "ok" if last["state"] == "completed" else "warning",
        text + error,
        "correct what the message names, then run: dbt-selfheal ensure",
        state=last["state"],
        duration_seconds=last["duration_seconds"],
    )
    names = [each["name"] for each in report["checks"]]
    if check["name"] in names:
        report["checks"][names.index(check["name"])] = check
    else:
        report["checks"].append(check)


def _size(count: int) -> str:
    if count < MB:
        return f"{count / 1024:.1f} kB"
    return f"{count / MB:.1f} MB" if count < 1 << 30 else f"{count / (1 << 30):.1f} GB"
