"""The history: off, there is no table; on, each attempt in which something was missing is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from functional.helpers import events, statements
from support import DbtProject

Make = Callable[..., DbtProject]
pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.sqlite]
FILES = {
    "seeds/people.csv": "id,name\n1,Ada\n2,Grace\n",
    "models/persons.sql": "{{ config(materialized='table') }} select * from {{ ref('people') }}",
    "models/names.sql": "{{ config(materialized='table') }} select name from {{ ref('persons') }}",
}
TABLES = {"selfheal_attempts", "selfheal_steps", "selfheal_nodes"}
VIEWS = {
    "selfheal_attempt_history",
    "selfheal_success_rate",
    "selfheal_slowest_steps",
    "selfheal_failure_causes",
}


def config(**settings: Any) -> dict[str, Any]:
    """Returns the keys of dbt_project.yml."""
    return {
        "model-paths": ["models", "dbt_packages/dbt_selfheal/models"],
        "vars": {"dbt_selfheal": {"timeout_seconds": 300, **settings}},
    }


@pytest.fixture
def project(make_project: Make) -> DbtProject:
    """A project with a history, and nothing built."""
    return make_project(FILES, config=config(history=True))


def test_without_the_setting_there_is_nothing_of_ours(make_project: Make) -> None:
    project = make_project(FILES, config=config())
    project.dbt("build", "--select", "names")
    project.dbt("build")
    assert project.names() == {"people", "persons", "names"}


@pytest.mark.promise("History")
def test_an_attempt_is_recorded_and_nothing_is_when_nothing_was_missing(project: DbtProject) -> None:
    result = project.dbt("run", "--select", "names")
    (complete,) = events(result, "initialization_complete")
    rows = project.query("select state, command, way, missing, built, started_at from selfheal_attempts")
    assert [tuple(row) for row in rows] == [("completed", "dbt run", "hook", 2, 2, complete["started_at"])]
    steps = [row[0] for row in project.query("select step_name from selfheal_steps order by position")]
    assert steps == [event["step_name"] for event in events(result, "initialization_step_complete")]
    nodes = project.query("select unique_id, resource_type from selfheal_nodes order by position")
    assert [tuple(row) for row in nodes] == [("seed.shop.people", "seed"), ("model.shop.persons", "model")]
    same = "select count(*) from selfheal_steps s join selfheal_attempts a on a.attempt_id = s.attempt_id"
    assert project.query(same)[0][0] == len(steps)

    again = project.dbt("run", "--select", "names")
    assert not any("selfheal_" in sql for sql in statements(again))
    assert project.query("select count(*) from selfheal_attempts")[0][0] == 1
    assert project.names() == {"people", "persons", "names"} | TABLES


def test_the_views_are_built_and_pass_their_tests(project: DbtProject) -> None:
    result = project.dbt("build", "--select", "tag:selfheal_history")  # before anything is recorded
    assert set(result.statuses.values()) == {"success", "pass"}
    assert project.names() >= TABLES | VIEWS
    project.dbt("run", "--select", "names")
    project.drop("persons")
    project.dbt("run", "--select", "names")
    result = project.dbt("test", "--select", "tag:selfheal_history")
    assert set(result.statuses.values()) == {"pass"}
    assert len(result.statuses) == 15
    (row,) = project.query("select attempts, succeeded, failed, success_rate from selfheal_success_rate")
    assert tuple(map(float, row)) == (2, 2, 0, 1)
    names = {row[0] for row in project.query("select step_name from selfheal_slowest_steps where runs = 2")}
    assert {"build_foundation", "verify"} <= names
    assert project.query("select count(*) from selfheal_failure_causes")[0][0] == 0


def test_the_views_are_not_required_by_an_operation(project: DbtProject) -> None:
    project.dbt("run-operation", "ensure_initialized")
    assert project.names() == {"people", "persons", "names"} | TABLES


def test_the_package_brings_no_node_into_a_project(make_project: Make) -> None:
    settings = {"vars": {"dbt_selfheal": {"history": True}}}
    project = make_project(FILES, config=settings)
    project.dbt("parse")
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text())
    assert set(manifest["nodes"]) - {"model.shop.persons", "model.shop.names", "seed.shop.people"} == {
        "operation.dbt_selfheal.dbt_selfheal-on-run-start-0"
    }
    assert not manifest["disabled"]


def test_old_rows_are_forgotten(make_project: Make) -> None:
    project = make_project(FILES, config=config(history=True, history_days=30))
    project.dbt("run", "--select", "names")
    project.execute(
        "update selfheal_attempts set started_at = '2020-01-01T00:00:00.000Z'",
    )
    project.drop("persons")
    project.dbt("run", "--select", "names")
    assert project.query("select count(*) from selfheal_attempts")[0][0] == 1
    for table in ("selfheal_steps", "selfheal_nodes"):
        rows = project.query(f"select distinct attempt_id from {table}")
        assert rows == project.query("select attempt_id from selfheal_attempts")


def test_a_wrong_number_of_days_is_an_error(make_project: Make) -> None:
    project = make_project(FILES, config=config(history_days=0))
    result = project.dbt("run-operation", "initialization_plan", check=False)
    assert "vars.dbt_selfheal.history_days must be: days, more than 0, or null" in result.output


@pytest.mark.both_packages
def test_health_shows_the_history(project: DbtProject) -> None:
    project.dbt("run", "--select", "names")
    (report,) = events(project.dbt("run-operation", "health_report"), "health_report")
    (attempt,) = report["attempts"]
    assert attempt["state"] == "completed"
    assert [step["step_name"] for step in attempt["steps"]][-1] == "verify"
    assert all(step["success"] is True for step in attempt["steps"])
    assert len(attempt["nodes"]) == 2
