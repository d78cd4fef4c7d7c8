"""What is shown and logged (docs/requirements.md: Say what is going on, Events)."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

import pytest
from functional.conftest import SharedProjectFactory
from functional.helpers import CONFIG, FILES, LEAF, REQUIRED, SEEDS, built, events, printed
from support import DbtProject, DbtResult

pytestmark = pytest.mark.duckdb

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
WIDTH = 120


@pytest.fixture(scope="module")
def first_run(make_shared_project: SharedProjectFactory) -> DbtResult:
    """The first run in a workspace with no database file."""
    return make_shared_project(FILES, config=CONFIG).dbt("run", "-s", LEAF)


def _time(text: str) -> datetime:
    """Returns the time of an ISO text, which must be in UTC."""
    assert ISO.fullmatch(text), text
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.promise("Events")
def test_every_step_has_started_and_complete_with_times_duration_and_success(first_run: DbtResult):
    """Each step and node is an event with its name, times, duration and success."""
    started = events(first_run, "initialization_step_started")
    complete = events(first_run, "initialization_step_complete")
    names = [event["step_name"] for event in complete]
    assert [event["step_name"] for event in started] == names
    ours = [name for name in names if name in {"check_tables", "load_seeds", "build_foundation", "verify"}]
    assert ours == ["check_tables", "load_seeds", "build_foundation", "verify"]
    for before, after in zip(started, complete, strict=True):
        assert after["success"] is True
        assert before["started_at"] == after["started_at"]
        seconds = (_time(after["completed_at"]) - _time(after["started_at"])).total_seconds()
        assert after["duration_seconds"] == pytest.approx(seconds, abs=0.005)
        assert seconds >= 0


def test_steps_follow_one_another(first_run: DbtResult):
    times = [
        _time(event[key])
        for event in events(first_run, "initialization_step_complete")
        for key in ("started_at", "completed_at")
    ]
    assert times == sorted(times)
    assert abs((datetime.now(timezone.utc) - times[-1]).total_seconds()) < 3600, "in UTC"


@pytest.mark.promise("Events")
def test_every_node_has_a_complete_event(first_run: DbtResult):
    nodes = events(first_run, "initialization_node_complete")
    assert sorted(node["unique_id"].split(".")[2] for node in nodes) == sorted(REQUIRED)
    for node in nodes:
        kind, project, name = node["unique_id"].split(".")
        assert kind == ("seed" if name in SEEDS else "model") == node["resource_type"]
        assert project == "shop"
        assert node["relation"] == f'"warehouse"."main"."{name}"'
        assert node["success"] is True
        seconds = (_time(node["completed_at"]) - _time(node["started_at"])).total_seconds()
        assert node["duration_seconds"] == pytest.approx(seconds, abs=0.05)


def test_the_last_event_says_what_was_found_missing_and_what_was_created(first_run: DbtResult):
    assert first_run.healing_events[0]["event"] == "initialization_started"
    last = first_run.healing_events[-1]
    assert last["event"] == "initialization_complete"
    assert last["state"] == "completed"
    ids = {f"seed.shop.{name}" if name in SEEDS else f"model.shop.{name}" for name in REQUIRED}
    assert set(last["missing_tables_found"]) == ids
    assert set(last["tables_created"]) == ids
    assert _time(last["started_at"]) <= _time(last["completed_at"])
    assert last["duration_seconds"] > 0


@pytest.mark.promise("Events")
def test_events_are_json_at_debug_level_and_not_on_the_console(first_run: DbtResult):
    found = [event for event in first_run.events if event["info"]["msg"].lstrip().startswith('{"event"')]
    assert len(found) == len(first_run.healing_events) > 10
    assert {event["info"]["level"] for event in found} == {"debug"}
    assert '"event"' not in first_run.stdout


@pytest.mark.promise("Say what is going on")
def test_the_first_line_comes_before_the_first_node_then_a_numbered_line_for_each_then_a_summary(
    first_run: DbtResult,
):
    """US2.1 to US2.3."""
    lines = printed(first_run)
    assert lines[0].startswith("Self-healing: 6 of 6 required relations are missing")
    assert "limit" not in lines[0], "who runs dbt would rather wait than start again"
    assert lines[-1].startswith("Self-healing: ready in ")
    assert "6 built" in lines[-1]
    assert lines[1].endswith("int_employee_compensation_by_year: the history starts now")
    nodes = lines[2:-1]
    assert len(nodes) == 2 * len(REQUIRED)
    for number, name in enumerate(built(first_run), start=1):
        start, done = nodes[2 * number - 2 : 2 * number]
        assert start.startswith(f"{number} of 6 START ")
        assert f"main.{name} (" in start
        assert start.endswith("[RUN]")
        file = f"{name}.csv" if name in SEEDS else f"{name}.sql"
        assert re.search(rf"\((\w+/)*{re.escape(file)}\)", start), "from which file"
        assert done.startswith(f"{number} of 6 OK built ")
        assert re.search(r" in \d+\.\d\ds\]$", done)


@pytest.mark.promise("Say what is going on")
def test_lines_are_as_wide_as_dbts_own(first_run: DbtResult):
    lines = printed(first_run)
    assert max(map(len, lines)) <= WIDTH
    starts = {line.index("[") for line in lines if "[" in line and len(line.split(" ...")[0]) < 75}
    assert starts == {81}, "dbt's own lines have their status in that column"


@pytest.mark.promise("Say what is going on")
def test_the_lines_come_before_the_commands_own_nodes(first_run: DbtResult):
    assert first_run.stdout.index("Self-healing: ready") < first_run.stdout.index(f"model main.{LEAF} ")


def test_log_format_json_has_lines_and_events_on_the_console(make_shared_project: SharedProjectFactory):
    """For whatever reads dbt's JSON log."""
    project = make_shared_project(FILES, config=CONFIG)
    result = project.dbt("--log-format", "json", "--log-level", "debug", "run", "-s", LEAF)
    messages = [
        json.loads(line)["info"]["msg"] for line in result.stdout.splitlines() if line.startswith("{")
    ]
    found = [json.loads(message) for message in messages if message.startswith('{"event"')]
    assert found[-1]["event"] == "initialization_complete"
    assert sum(event["event"] == "initialization_node_complete" for event in found) == len(REQUIRED)


def test_quiet_keeps_the_console_empty(workspace: DbtProject):
    result = workspace.dbt("--quiet", "run", "-s", LEAF)
    assert result.stdout.strip() == ""
    assert len(built(result)) == len(REQUIRED)


def test_a_failed_check_has_started_and_no_complete_event(workspace: DbtProject):
    workspace.write({"seeds/census.csv": ""})
    result = workspace.dbt("run", "-s", LEAF, check=False)
    assert events(result, "initialization_started")
    assert events(result, "initialization_complete") == []
    assert [event for event in events(result, "initialization_step_complete") if event["success"]] == [
        event
        for event in events(result, "initialization_step_complete")
        if event["step_name"] not in {"check_tables", "load_seeds", "build_foundation", "verify"}
    ]
