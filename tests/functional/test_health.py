"""health_report: every check says what it sees in a real database, and the verdict follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from functional.helpers import events
from support import DbtProject

Make = Callable[..., DbtProject]
pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.sqlite, pytest.mark.both_packages]
FILES = {
    "seeds/people.csv": "id,name\n1,Ada\n2,Grace\n",
    "models/persons.sql": "{{ config(materialized='table') }} select * from {{ ref('people') }}",
    "models/hidden.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('persons') }}",
    "models/names.sql": "select name from {{ ref('hidden') }}",
    "models/schema.yml": "models:\n  - name: persons\n    columns: [{name: id, data_type: integer}]\n",
}
CONFIG = {"vars": {"dbt_selfheal": {"timeout_seconds": 300}}}


@pytest.fixture
def project(make_project: Make) -> DbtProject:
    """A project that is built."""
    made = make_project(FILES, config=CONFIG)
    made.dbt("run-operation", "ensure_initialized")
    return made


def health(project: DbtProject, **options: Any) -> dict[str, Any]:
    """Returns the report, with its checks by name, and looks at whether people are told the same."""
    result = project.dbt("run-operation", "health_report", **options)
    (report,) = events(result, "health_report")
    assert f"Health: {report['verdict']}" in result.output
    for check in report["checks"]:
        assert check["summary"] in result.output
        assert (check["what_to_do"] is None) == (check["status"] == "ok")
    report["by_name"] = {check["name"]: check for check in report["checks"]}
    return report


@pytest.mark.promise("Health")
def test_a_workspace_that_is_ready_is_healthy_and_looking_changes_nothing(project: DbtProject) -> None:
    before = project.relations()
    report = health(project)
    assert report["verdict"] == "healthy"
    checks = report["by_name"]
    assert checks["connectivity"]["details"]["round_trip_ms"] >= 0
    assert checks["versions"]["details"]["database"][0].isdigit() or checks["versions"]["details"][
        "database"
    ].startswith("v")
    assert checks["required_relations"]["details"]["present"] == 3
    assert checks["row_counts"]["details"] == {"tables": 2, "rows": 4}
    assert checks["database_size"]["details"]["bytes"] > 0
    relations = {entry["name"]: entry for entry in report["required"]}
    assert {name: entry["state"] for name, entry in relations.items()} == dict.fromkeys(
        ("people", "persons", "names"), "present"
    )
    assert relations["names"]["parents"] == ["model.shop.persons"]  # through an ephemeral model
    assert relations["people"]["rows"] == relations["people"]["file_rows"] == 2
    assert relations["names"]["rows"] is None
    assert project.relations() == before


@pytest.mark.promise("Health")
def test_what_is_missing_breaks_it(project: DbtProject) -> None:
    project.drop("names", "persons")
    report = health(project)
    assert report["verdict"] == "broken"
    check = report["by_name"]["required_relations"]
    assert check["status"] == "failed"
    assert sorted(check["details"]["missing"]) == ["names", "persons"]
    assert check["what_to_do"] == "dbt run-operation ensure_initialized"
    assert project.names() == {"people"}


def test_drift_lost_rows_and_a_table_in_place_of_a_view_degrade_it(project: DbtProject) -> None:
    project.drop("names")
    project.drop("persons")
    project.execute(
        "create table persons (id varchar(9))",
        "create table names (name varchar(9))",
        "delete from people where id = 2",
    )
    report = health(project)
    assert report["verdict"] == "degraded"
    assert {entry["name"]: entry["state"] for entry in report["required"]} == {
        "people": "present",
        "persons": "drifted",
        "names": "wrong_kind",
    }
    checks = report["by_name"]
    assert checks["schema"]["status"] == "warning"
    assert checks["required_relations"]["details"]["wrong_kind"] == ["names"]
    assert checks["row_counts"]["summary"] == "people has 1 rows, its file 2"
    assert checks["row_counts"]["what_to_do"] == "dbt seed --select people"


def test_pending_migrations_degrade_and_changed_ones_break_it(make_project: Make) -> None:
    path = "macros/migrations/0001_users.sql"
    sql = "create table {{ target.schema }}.users (id integer)"
    text = "{% macro migration__0001__users() %}" + sql + "{% endmacro %}"
    config = {"vars": {"dbt_selfheal": {"timeout_seconds": 300, "migrations": True}}}
    project = make_project({path: text, "models/a.sql": "select 1 as id"}, config=config)
    project.dbt("run", env={"DBT_SELFHEAL_ENABLED": "false"})
    unsaid = health(project, vars={"dbt_selfheal": {"migrations": False}})
    assert unsaid["by_name"]["migrations"]["summary"] == "the project has none"
    report = health(project)
    assert (report["verdict"], report["by_name"]["migrations"]["summary"]) == ("degraded", "1 pending")
    project.dbt("run-operation", "run_migrations")
    assert health(project)["verdict"] == "healthy"
    project.write({path: text.replace("integer", "bigint")})
    report = health(project)
    assert report["verdict"] == "broken"
    assert report["by_name"]["migrations"]["details"]["changed"] == 1


def test_initial_data_that_is_missing_or_waits_degrades_it(make_project: Make) -> None:
    row = {"id": 7, "secret": "env:SHOP_SECRET"}
    data = [
        {"table": "people", "key": ["id"], "rows": [{"id": 1, "name": "Ada"}]},
        {"table": "people", "key": ["id"], "rows": [row]},
    ]
    config = {"vars": {"dbt_selfheal": {"timeout_seconds": 300, "initial_data": data}}}
    project = make_project({"models/a.sql": "select 1 as id"}, config=config)
    project.dbt("run", env={"DBT_SELFHEAL_ENABLED": "false"})
    check = health(project)["by_name"]["initial_data"]
    assert (check["status"], check["details"]["missing_tables"]) == ("failed", 2)
    project.execute("create table people (id integer, name varchar(9), secret varchar(9))")
    report = health(project)
    assert report["verdict"] == "degraded"
    assert report["by_name"]["initial_data"]["details"] == {
        "tables": 2, "absent": 1, "waiting": 1, "missing_tables": 0,
    }  # fmt: skip
    assert "SHOP_SECRET" in report["by_name"]["initial_data"]["what_to_do"]
