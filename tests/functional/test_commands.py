"""Every dbt command, on a workspace with no database file: what it heals, and that it heals it once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from functional.helpers import (
    FILES,
    FOUNDATION,
    LEAF,
    REQUIRED,
    SEEDS,
    built,
    events,
    make_ready,
    plan,
    printed,
    refused,
    settings,
    statements,
)
from support import DbtProject, DbtResult

pytestmark = pytest.mark.duckdb

CATALOG = "system.information_schema.tables"


def assert_nothing_healed(result: DbtResult) -> None:
    """Asserts that the package has neither built nor printed anything."""
    assert built(result) == []
    assert printed(result) == []


@pytest.mark.parametrize(
    ("command", "own"),
    [
        (["run", "-s", LEAF], {LEAF}),
        (["build", "-s", LEAF], {LEAF}),
        (["test"], set()),
        (["snapshot"], {"benefits_history"}),
    ],
    ids=["run", "build", "test", "snapshot"],
)
@pytest.mark.promise("Build it")
def test_a_command_succeeds_with_no_database_file_and_a_second_time_heals_nothing(
    workspace: DbtProject, command: list[str], own: set[str]
):
    """US1.1 for each command; the same command again builds nothing more and asks dbt's own catalog query."""
    first = workspace.dbt(*command)
    read_by_tests = {LEAF} if command == ["test"] else set()
    assert set(built(first)) == {*REQUIRED, *read_by_tests}
    assert len(built(first)) == len(set(built(first)))
    assert workspace.names() == {*REQUIRED, *read_by_tests, *own}
    second = workspace.dbt(*command)
    assert_nothing_healed(second)
    catalog = [sql for sql in statements(second) if CATALOG in sql]
    assert len(catalog) == 1, "one query of dbt's own relation cache, for the one schema"


def test_seed_loads_what_it_selects_and_leaves_declared_models_to_the_next_command(workspace: DbtProject):
    """Foundation models that read the selected seeds are postponed, not built from half of their parents."""
    first = workspace.dbt("seed")
    assert built(first) == []
    assert workspace.names() == set(SEEDS)
    assert set(first.statuses) == set(SEEDS)
    second = workspace.dbt("seed")
    assert set(built(second)) == set(FOUNDATION)
    assert workspace.names() == set(REQUIRED)


@pytest.mark.promise("Build it")
def test_ensure_initialized_builds_what_is_declared_and_says_so_the_second_time(workspace: DbtProject):
    first = workspace.dbt("run-operation", "ensure_initialized")
    assert sorted(built(first)) == sorted(REQUIRED)
    assert workspace.names() == set(REQUIRED)
    second = workspace.dbt("run-operation", "ensure_initialized")
    assert built(second) == []
    (line,) = printed(second)
    assert f"all {len(REQUIRED)} required relations exist" in line


def test_ensure_initialized_with_nothing_declared_builds_every_enabled_node(workspace: DbtProject):
    """An operation with nothing declared requires every enabled seed, snapshot and model."""
    result = workspace.dbt("run-operation", "ensure_initialized", vars=settings(required=[]))
    assert sorted(built(result)) == sorted({*REQUIRED, LEAF, "benefits_history"})
    assert workspace.names() == {*REQUIRED, LEAF, "benefits_history"}


def test_ensure_initialized_select_builds_only_what_that_needs(workspace: DbtProject):
    result = workspace.dbt("run-operation", "ensure_initialized", args={"select": ["config_age_bands"]})
    assert built(result) == ["config_age_bands"]
    assert workspace.names() == {"config_age_bands"}
    result = workspace.dbt("run-operation", "ensure_initialized", args={"select": "int_baseline_workforce"})
    assert set(built(result)) == {"config_tenure_bands", "census", "int_baseline_workforce"}


def test_initialization_plan_builds_nothing(workspace: DbtProject):
    result = workspace.dbt("run-operation", "initialization_plan")
    assert len(plan(result)["steps"]) == len(REQUIRED)
    assert workspace.relations() == {}
    assert workspace.dbt("run-operation", "initialization_plan").returncode == 0
    assert workspace.relations() == {}


@pytest.mark.promise("The state")
def test_initialization_status_tells_the_state_and_builds_nothing(workspace: DbtProject):
    """completed (all required exist), not_started (none), incomplete (some)."""
    result = workspace.dbt("run-operation", "initialization_status")
    (status,) = events(result, "initialization_status")
    assert status["state"] == "not_started"
    assert {entry["name"]: entry["tier"] for entry in status["required"]} == {
        **dict.fromkeys(SEEDS, "seed"),
        **dict.fromkeys(FOUNDATION, "foundation"),
    }
    assert workspace.relations() == {}
    assert "not_started" in printed(result)[0]
    workspace.dbt("seed")
    (status,) = events(workspace.dbt("run-operation", "initialization_status"), "initialization_status")
    assert status["state"] == "incomplete"
    assert {entry["name"] for entry in status["required"] if entry["exists"]} == set(SEEDS)
    workspace.dbt("run-operation", "ensure_initialized")
    result = workspace.dbt("run-operation", "initialization_status")
    (status,) = events(result, "initialization_status")
    assert status["state"] == "completed"
    assert all(entry["exists"] for entry in status["required"])
    assert "completed" in printed(result)[0]


@pytest.mark.promise("Verify")
def test_verify_initialized_fails_naming_what_is_missing_and_passes_when_all_is_there(workspace: DbtProject):
    """It asks the database, and fails when something is missing."""
    output = refused(workspace, "run-operation", "verify_initialized")
    assert "6 of 6 required relations are missing" in output
    assert all(name in output for name in REQUIRED)
    assert "dbt run-operation ensure_initialized" in output
    assert workspace.relations() == {}
    workspace.dbt("run-operation", "ensure_initialized")
    assert workspace.dbt("run-operation", "verify_initialized").returncode == 0
    workspace.drop("census")
    output = refused(workspace, "run-operation", "verify_initialized")
    assert "1 of 6 required relations are missing: census" in output


@pytest.mark.parametrize(
    "command",
    [
        ["compile"],
        ["docs", "generate"],
        ["parse"],
        ["list"],
        ["show", "--inline", "select 1 as one"],
        ["show", "-s", LEAF],
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_a_command_that_runs_no_node_builds_nothing(workspace: DbtProject, command: list[str]):
    result = workspace.dbt(*command, check=False)
    if command != ["show", "-s", LEAF]:  # which reads what is not there
        assert result.returncode == 0, result.explain()
    assert workspace.relations() == {}
    assert_nothing_healed(result)


def test_build_of_everything_heals_nothing(workspace: DbtProject):
    """What the command itself builds is not built twice."""
    result = workspace.dbt("build")
    assert_nothing_healed(result)
    assert set(result.statuses) > {*REQUIRED, LEAF, "benefits_history"}


@pytest.mark.parametrize("target", ["target", "elsewhere/target", "{folder}/absolute"])
def test_retry_heals_what_the_failed_nodes_read(workspace: DbtProject, target: str):
    good = FILES[f"models/{LEAF}.sql"]
    env = {"DBT_TARGET_PATH": target.format(folder=workspace.folder)}
    make_ready(workspace)
    workspace.write({f"models/{LEAF}.sql": good + "where no_such_column"})
    workspace.dbt_fails("run", "-s", LEAF, env=env)
    workspace.drop("int_employee_benefits")
    workspace.write({f"models/{LEAF}.sql": good})
    result = workspace.dbt("retry", env=env)
    assert built(result) == ["int_employee_benefits"]


def test_clone_runs_no_hooks_so_it_heals_nothing(workspace: DbtProject, tmp_path: Path):
    """A limit of dbt: pinned, to notice when it changes."""
    make_ready(workspace)
    workspace.dbt("parse", "--no-partial-parse")
    state = tmp_path / "state"
    state.mkdir()
    shutil.copyfile(workspace.folder / "target" / "manifest.json", state / "manifest.json")
    workspace.drop("census")
    result = workspace.dbt("clone", "--state", str(state), "-s", LEAF)
    assert result.healing_events == []
    assert "census" not in workspace.names()
