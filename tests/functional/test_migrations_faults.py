# ruff: noqa: E501 - SQL and Jinja in one line
"""Migrations that are killed in the middle, and many that start at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import DbtProject

Make = Callable[..., DbtProject]
pytestmark = pytest.mark.both_packages

# Statements that run until they are killed; the environment variable HOLD says before which statement.
HOLDS = {
    "duckdb": "select count(*) from range(1000000000000) t(i) where i % 7 = 3",
    # The server notices that the client is gone only when the statement ends, and holds the lock until then.
    "postgres": "select pg_sleep(15)",
    "sqlite": "with recursive t(i) as (select 1 union all select i + 1 from t where i < 1000000000000) select count(*) from t",
}
STEPS = [
    "create table {s}.one (id integer)",
    "insert into {s}.one values (1)",
    "create table {s}.two (id integer)",
    "insert into {s}.two select id from {s}.one",
    "alter table {s}.two add column name varchar(10)",
]
REPEATABLE = [
    "create table if not exists {s}.one (id integer)",
    "insert into {s}.one select 1 where not exists (select 1 from {s}.one)",
    "create table if not exists {s}.two (id integer)",
    "insert into {s}.two select 1 where not exists (select 1 from {s}.two)",
    "create table if not exists {s}.three (id integer)",
]
# All five statements, and the moment after the last one; only one unless all are asked for.
MOMENTS = [pytest.param(n, marks=() if n == 4 else pytest.mark.faults) for n in range(1, 7)]


def held(adapter: str, steps: list[str], *, lead: str = "") -> dict[str, str]:
    """Returns the files of a project with a migration of five statements that can be held before each."""
    parts = []
    for number, step in enumerate([*steps, ""], start=1):
        hold = f"{{% if env_var('HOLD', '') == '{number}' %}}{HOLDS[adapter]} /* held before {number} */;{{% endif %}}"
        parts += [hold, f"{step};".replace("{s}", "{{ target.schema }}")]
    body = "\n".join([lead, *parts])
    return {
        "models/a.sql": "select 1 as id",
        "macros/m.sql": f"{{% macro migration__1__five_steps() %}}\n{body}\n{{% endmacro %}}\n",
    }


def kill_at(project: DbtProject, moment: int) -> None:
    """Starts the migration and kills it with -9 while it is held."""
    running = project.start("run-operation", "run_migrations", env={"HOLD": str(moment)})
    running.wait_for(f"held before {moment} */")
    running.kill()
    assert running.wait(check=False).returncode == -9


def status(project: DbtProject) -> dict[str, Any]:
    """Returns the event of migration_status."""
    events = project.dbt("run-operation", "migration_status").healing_events
    [event] = [event for event in events if event["event"] == "migration_status"]
    return event


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_in_a_transaction_nothing_is_left_and_a_repeat_converges(
    make_project: Make, adapter_name: str, moment: int
) -> None:
    project = make_project(held(adapter_name, STEPS))
    kill_at(project, moment)
    assert {"one", "two"} & project.names() == set()
    before = status(project)
    assert before["state"] == "pending"
    assert [entry["state"] for entry in before["migrations"]] == ["pending"]
    project.dbt("run-operation", "run_migrations")
    assert project.rows("one") == [(1,)]
    assert project.rows("two") == [(1, None)]
    assert status(project)["state"] == "up_to_date"


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_without_a_transaction_status_tells_what_is_done_and_repair_converges(
    make_project: Make, adapter_name: str, moment: int
) -> None:
    project = make_project(held(adapter_name, REPEATABLE, lead="-- dbt_selfheal: no transaction"))
    kill_at(project, moment)
    there = {"one", "two", "three"} & project.names()
    assert there == {name for name, made_by in {"one": 1, "two": 3, "three": 5}.items() if made_by < moment}
    [entry] = status(project)["migrations"]
    assert entry["state"] == "interrupted"
    assert entry["last_attempt"]["statements_done"] == moment - 1
    blocked = project.dbt_fails("run-operation", "run_migrations")
    assert f"the first {moment - 1} are done and stay" in " ".join(blocked.output.split())
    project.dbt("run-operation", "repair_migrations", args={"version": "1", "action": "rerun"})
    assert project.rows("one") == [(1,)]
    assert project.rows("two") == [(1,)]
    assert status(project)["state"] == "up_to_date"


@pytest.mark.faults
@pytest.mark.postgres
@pytest.mark.sqlite
@pytest.mark.timeout(600)
def test_eight_runs_at_once_apply_each_migration_once(make_project: Make, adapter_name: str) -> None:
    """On DuckDB only one process can open the file: see tests/wrapper/test_migrate.py."""
    files = {"models/a.sql": "select 1 as id"}
    pause = "; select pg_sleep(0.1)" if adapter_name == "postgres" else ""
    for number in range(1, 11):
        sql = f"create table {{{{ target.schema }}}}.t{number} (id integer); insert into {{{{ target.schema }}}}.t{number} values (1){pause}"
        files[f"macros/m{number}.sql"] = f"{{% macro migration__{number}__t() %}}{sql}{{% endmacro %}}"
    project = make_project(files)
    project.dbt("parse")
    runs = [project.start("run-operation", "run_migrations") for _ in range(8)]
    results = [run.wait(timeout=300) for run in runs]
    applied = sum(result.output.count("OK applied migration") for result in results)
    assert applied == 10
    for number in range(1, 11):
        assert project.rows(f"t{number}") == [(1,)]
    assert project.query("select count(*), count(distinct version) from selfheal_migrations") == [(10, 10)]


@pytest.mark.faults
@pytest.mark.postgres
def test_even_without_the_lock_a_migration_is_not_applied_twice(make_project: Make) -> None:
    """The history's key holds when the lock does not: the second run waits for the first, and fails without a trace."""
    project = make_project(
        {
            "models/a.sql": "select 1 as id",
            "macros/m.sql": "{% macro migration__1__slow() %}create table {{ target.schema }}.slow (id integer); select pg_sleep(4){% endmacro %}",
            "macros/both.sql": """
{% macro unlocked() %}
  {% set status = dbt_selfheal_database._migration_status(dbt_selfheal._settings()) %}
  {% do dbt_selfheal_database._apply_migrations(dbt_selfheal_database._pending_migrations(status), 0) %}
{% endmacro %}
{% macro history_only() %}{% do dbt_selfheal_database._create_history() %}{% endmacro %}
""",
        }
    )
    project.dbt("run-operation", "history_only")
    first = project.start("run-operation", "unlocked")
    first.wait_for("pg_sleep(4)")
    second = project.start("run-operation", "unlocked")
    assert first.wait().returncode == 0
    result = second.wait(check=False)
    assert result.returncode == 1
    assert "nothing is pending" in result.output or "duplicate key" in result.output
    assert project.query("select count(*) from selfheal_migrations") == [(1,)]
