"""The package gives no warning of its own: a project that passes with warnings as errors passes with it."""

from __future__ import annotations

import pytest
from conftest import ProjectFactory
from functional.helpers import CONFIG, FILES, LEAF, REQUIRED, built
from support import DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres]

# Without the snapshot, which names DuckDB's schema.
PLAIN = {path: text for path, text in FILES.items() if not path.startswith("snapshots/")}
COMMANDS = (
    ("run", "-s", LEAF),
    ("build",),
    ("seed",),
    ("test",),
    ("compile",),
    ("ls",),
    ("docs", "generate"),
)
OPERATIONS = ("initialization_plan", "initialization_status", "ensure_initialized", "verify_initialized")
ALL = ("--warn-error-options", '{"error": "all"}')


@pytest.mark.parametrize("flag", [("--warn-error",), ALL], ids=["warn-error", "all as errors"])
@pytest.mark.both_packages
@pytest.mark.promise("No warning")
def test_no_command_warns(make_project: ProjectFactory, flag: tuple[str, ...]):
    project = make_project(PLAIN, config=CONFIG)
    assert sorted(built(project.dbt(*flag, "run", "-s", LEAF))) == sorted(REQUIRED)  # cold, a first parse
    for command in COMMANDS:
        project.dbt(*flag, *command)
    for operation in OPERATIONS:
        project.dbt(*flag, "run-operation", operation)
    project.drop(LEAF, "int_employee_benefits")
    project.dbt(*flag, "retry", check=False)
    assert built(project.dbt(*flag, "test", "-s", LEAF, check=False)) == ["int_employee_benefits", LEAF]


@pytest.mark.dbt_version(">=1.10")
def test_no_deprecation_is_ours(make_project: ProjectFactory):
    project = make_project(PLAIN, config=CONFIG)
    result = project.dbt("--show-all-deprecations", "build")
    named = [event for event in result.events if "Deprecat" in event["info"]["name"]]
    assert [event["info"]["msg"] for event in named if "selfheal" in event["info"]["msg"]] == []
    without = make_project(PLAIN, config={key: CONFIG[key] for key in CONFIG if key != "vars"}, install=False)
    others = [
        event
        for event in without.dbt("--show-all-deprecations", "build").events
        if "Deprecat" in event["info"]["name"]
    ]
    assert len(named) == len(others)


def test_quiet_prints_what_an_operation_was_asked_for_and_nothing_else(make_project: ProjectFactory):
    project: DbtProject = make_project(PLAIN, config=CONFIG)
    plan = project.dbt("-q", "run-operation", "initialization_plan")
    assert "To build, in this order:" in plan.stdout
    assert LEAF not in plan.stdout
    assert project.dbt("-q", "run", "-s", LEAF).stdout == ""
    for flags in (("-q",), ("--log-level", "error")):
        status = project.dbt(*flags, "run-operation", "initialization_status")
        assert status.stdout.startswith("State: completed (6 of 6 required relations exist)")
        assert project.dbt(*flags, "run-operation", "ensure_initialized").stdout == ""
    silent = project.dbt("-q", "--no-print", "run-operation", "initialization_status")
    assert silent.stdout == ""
