# ruff: noqa: E501 - SQL and Jinja in one line
"""Migrations and initial data under any dbt command: when they run, when not, and what that costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from functional.helpers import events, hook_errors_stop, printed, statements
from support import DbtProject, DbtResult

Make = Callable[..., DbtProject]
pytestmark = pytest.mark.both_packages

HISTORY = "selfheal_migrations"
DUE = "selfheal_initial_data_due"
TENANTS = {
    "macros/m1.sql": "{% macro migration__0001__tenants() %}\n"
    "create table {{ target.schema }}.tenants (code varchar(10), name varchar(50));\n"
    "insert into {{ target.schema }}.tenants values ('a', 'First');\n{% endmacro %}\n"
}
SECOND = {
    "macros/m2.sql": "{% macro migration__0002__more() %}\n"
    "alter table {{ target.schema }}.tenants add column plan varchar(10)\n{% endmacro %}\n"
}
SHOP = {
    "models/sources.yml": 'version: 2\nsources:\n  - name: app\n    schema: "{{ target.schema }}"\n'
    "    tables: [{name: tenants}]\n",
    "models/orders.sql": "{{ config(materialized='table') }} select code from {{ source('app', 'tenants') }}\n",
    "models/leaf.sql": "{{ config(materialized='table') }} select * from {{ ref('orders') }}\n",
    "models/other.sql": "{{ config(materialized='table') }} select 1 as id\n",
}
ROWS: dict[str, Any] = {
    "table": "tenants",
    "key": ["code"],
    "rows": [{"code": "a", "name": "Other"}, {"code": "b", "name": "Second"}],
}
OFF = {"DBT_SELFHEAL_ENABLED": "false"}


def settings(**values: Any) -> dict[str, Any]:
    """Returns the configuration of a project that has migrations run by any command, with these settings."""
    return {"vars": {"dbt_selfheal": {"migrations": True, **values}}}


def steps(result: DbtResult) -> list[str]:
    """Returns the names of the steps in the order in which they were complete."""
    return [event["step_name"] for event in events(result, "initialization_step_complete")]


def added(project: DbtProject, *command: str) -> list[str]:
    """Returns the statements that the package adds to a command, which runs with it and then without it."""
    own = statements(project.dbt(*command, env=OFF))
    found = statements(project.dbt(*command))
    for sql in own:
        if sql in found:
            found.remove(sql)
    return found


def test_any_command_applies_what_is_pending_once_before_it_heals(make_project: Make) -> None:
    project = make_project({**SHOP, **TENANTS}, config=settings())
    first = project.dbt("run", "-s", "leaf")
    assert project.rows("leaf") == [("a",)]
    assert [event["version"] for event in events(first, "migration_complete")] == ["0001"]
    names = [name for name in steps(first) if name != "acquire_lock"]
    assert names == ["run_migrations", "check_tables", "build_foundation", "verify"]
    second = project.dbt("run", "-s", "leaf")
    assert printed(second) == []
    assert second.healing_events == []
    project.write(SECOND)
    third = project.dbt("test")
    assert [event["version"] for event in events(third, "migration_complete")] == []
    project.write(
        {"models/t.yml": "version: 2\nmodels: [{name: other, columns: [{name: id, data_tests: [not_null]}]}]"}
    )
    assert [event["version"] for event in events(project.dbt("test"), "migration_complete")] == ["0002"]
    assert [name for name, _ in project.columns("tenants")] == ["code", "name", "plan"]


def test_a_macro_named_like_a_migration_is_not_run_unless_the_project_says_so(make_project: Make) -> None:
    """It was meant for run-operation, and drops a table."""
    drop = "{% macro migration__2024_01__drop_old() %}drop table {{ target.schema }}.old{% endmacro %}\n"
    project = make_project({**SHOP, "macros/drop.sql": drop})
    project.dbt("run", "-s", "other", env=OFF)
    project.execute("create table old (id integer)")
    for command in (
        ["run", "-s", "other"],
        ["build", "-s", "other"],
        ["run-operation", "ensure_initialized"],
    ):
        result = (
            project.dbt(*command, "--args", "{select: [other]}")
            if "-s" not in command
            else project.dbt(*command)
        )
        assert events(result, "migration_complete") == []
    assert "Pending migrations" not in project.dbt("run-operation", "initialization_status").output
    assert "old" in project.names()
    asked_for = project.dbt("run-operation", "run_migrations")
    assert [event["version"] for event in events(asked_for, "migration_complete")] == ["2024_01"]
    assert "old" not in project.names()


def test_names_that_look_like_migrations_stop_no_command(make_project: Make) -> None:
    """Their owners call them with arguments, or named them so before the package came."""
    looks = {
        "macros/own.sql": "{% macro migration_20240101_backfill() %}{% do log('own', info=true) %}{% endmacro %}\n"
        "{% macro rollback_2024(n) %}select {{ n }}{% endmacro %}\n"
        "{%- macro migration__1__with_arguments( name, n=1 ) -%}drop table {{ name }}{%- endmacro -%}\n"
        "{% macro rollback__7__with_arguments(name) %}drop table {{ name }}{% endmacro %}\n"
    }
    project = make_project({**SHOP, **TENANTS, **looks}, config=settings())
    first = project.dbt("run", "-s", "leaf")
    assert [event["version"] for event in events(first, "migration_complete")] == ["0001"]
    for result in (
        first,
        project.dbt("run", "-s", "other"),
        project.dbt("run-operation", "validate_migrations"),
    ):
        words = " ".join(result.output.split())
        assert (
            "the macro migration_20240101_backfill (macros/own.sql) looks like a migration and is none"
            in words
        )
        assert "with_arguments" not in words
        assert "rollback_2024" not in words
    assert "own" in project.dbt("run-operation", "migration_20240101_backfill").output
    quiet = project.dbt("run", "-s", "other", vars={"dbt_selfheal": {"migrations": False}})
    assert "looks like a migration" not in quiet.output


def test_with_nothing_pending_one_query_of_the_history_is_all_that_is_added(make_project: Make) -> None:
    project = make_project({**SHOP, **TENANTS, **SECOND}, config=settings())
    project.dbt("run")
    found = added(project, "run", "-s", "other")
    assert len(found) == 1, found
    [sql] = found
    assert HISTORY in sql
    assert sql.startswith("select ")


def test_commands_that_run_no_nodes_other_targets_and_the_switch_apply_nothing(make_project: Make) -> None:
    project = make_project({**SHOP, **TENANTS}, config=settings(initial_data=[ROWS]))
    for command in (["compile"], ["list"], ["parse"], ["docs", "generate"]):
        project.dbt(*command)
    project.dbt("run", "-s", "other", env=OFF)
    project.dbt("run", "-s", "other", vars={"dbt_selfheal": {"targets": ["prod"]}})
    project.dbt("run-operation", "ensure_initialized", vars={"dbt_selfheal": {"enabled": False}})
    assert project.names() == {"other"}


def test_on_missing_warn_and_fail_say_what_is_pending_and_apply_nothing(make_project: Make) -> None:
    project = make_project({**SHOP, **TENANTS}, config=settings())
    warned = project.dbt("run", "-s", "other", vars={"dbt_selfheal": {"on_missing": "warn"}})
    assert "migrations are pending: 1. Apply them with:" in warned.output
    assert "dbt run-operation run_migrations" in warned.output
    failed = project.dbt_fails("run", "-s", "other", vars={"dbt_selfheal": {"on_missing": "fail"}})
    assert "migrations are pending: 1" in failed.output
    assert project.names() == {"other"}


def test_a_changed_migration_stops_every_command_before_its_first_node(make_project: Make) -> None:
    project = make_project({**SHOP, **TENANTS}, config=settings())
    project.dbt("run", "-s", "leaf")
    project.write({"macros/m1.sql": TENANTS["macros/m1.sql"].replace("First", "Changed")})
    failed = project.dbt_fails("run", "-s", "other")
    assert "0001 tenants (macros/m1.sql) was changed after it was applied" in failed.output
    if hook_errors_stop(failed):
        assert "other" not in project.names()
    warned = project.dbt("run", "-s", "other", vars={"dbt_selfheal": {"on_missing": "warn"}})
    assert "was changed after it was applied" in warned.output


def test_a_failing_migration_leaves_nothing_and_the_corrected_command_goes_on(make_project: Make) -> None:
    project = make_project({**SHOP, **TENANTS, **SECOND}, config=settings())
    project.write(
        {
            "macros/m2.sql": SECOND["macros/m2.sql"].replace(
                "alter table", "create table x_y (i integer); alter tabel"
            )
        }
    )
    failed = project.dbt_fails("run", "-s", "leaf")
    assert "START migration 0002 more (macros/m2.sql)" in failed.output
    assert "syntax error" in failed.output.lower()
    assert "leaf" not in project.names() or not hook_errors_stop(failed)
    assert "x_y" not in project.names()
    assert project.query(f"select version from {project.database.quoted(HISTORY)}") == [("0001",)]
    project.write(SECOND)
    project.dbt("run", "-s", "leaf")
    assert [name for name, _ in project.columns("tenants")] == ["code", "name", "plan"]


def test_initial_data_is_loaded_after_migrations_and_healing_and_by_build_and_seed(
    make_project: Make,
) -> None:
    project = make_project(
        {**SHOP, **TENANTS, "seeds/plain.csv": "id\n1\n"}, config=settings(initial_data=[ROWS])
    )
    first = project.dbt("run", "-s", "leaf")
    names = [name for name in steps(first) if name != "acquire_lock"]
    assert names == ["run_migrations", "check_tables", "build_foundation", "verify", "load_initial_data"]
    assert "[1 created, 1 there before]" in first.output
    assert project.rows("tenants") == [("a", "First"), ("b", "Second")]
    project.execute(
        "delete from tenants where code = 'b'", "update tenants set name = 'Edited' where code = 'a'"
    )
    assert printed(project.dbt("run", "-s", "leaf")) == [], "nothing was missing, so nothing is looked at"
    assert len(project.rows("tenants")) == 1
    project.dbt("seed")
    assert project.rows("tenants") == [("a", "Edited"), ("b", "Second")]
    project.execute("delete from tenants where code = 'b'")
    assert (
        "1 created" in project.dbt("run-operation", "ensure_initialized", args={"select": ["orders"]}).output
    )
    assert printed(project.dbt("seed")) == []


def test_rows_that_an_earlier_command_could_not_insert_are_inserted_by_the_next(make_project: Make) -> None:
    """After an error, and after migrations by hand: a mark in the database says so, and goes when the rows are there."""
    wrong = {
        "dbt_selfheal": {"migrations": True, "initial_data": [{**ROWS, "rows": [{"code": "b", "nme": "?"}]}]}
    }
    project = make_project({**SHOP, **TENANTS}, config=settings(initial_data=[ROWS]))
    failed = project.dbt_fails("run", "-s", "leaf", vars=wrong)
    assert 'no column "nme"' in failed.output
    assert project.rows("tenants") == [("a", "First")]
    assert "[1 created, 1 there before]" in project.dbt("run", "-s", "other").output
    assert project.rows("tenants") == [("a", "First"), ("b", "Second")]
    assert DUE not in project.names()
    project.write(SECOND)
    project.execute("delete from tenants where code = 'b'")
    project.dbt("run-operation", "run_migrations")
    assert DUE in project.names()
    assert "[1 created, 1 there before]" in project.dbt("run", "-s", "other").output
    assert DUE not in project.names()
    [sql] = added(project, "run", "-s", "other")
    assert HISTORY in sql


@pytest.mark.parametrize("cleared_by", ["ensure_initialized", "seed_initial_data", None])
def test_a_mark_of_rows_that_are_no_longer_declared_goes(make_project: Make, cleared_by: str | None) -> None:
    wrong = [{**ROWS, "rows": [{"code": "b", "nme": "?"}]}]
    project = make_project({**SHOP, **TENANTS}, config=settings(initial_data=wrong))
    project.dbt_fails("run", "-s", "leaf")
    assert DUE in project.names()
    project.configure(**settings())
    project.dbt("run", "-s", "leaf")
    assert DUE in project.names(), "the warm path does not look for it"
    if cleared_by:
        project.dbt("run-operation", cleared_by)
    else:  # any command that heals
        project.execute("drop table orders")
        project.dbt("run", "-s", "leaf")
    assert DUE not in project.names()


def test_rows_of_a_node_that_the_command_itself_builds_are_inserted_by_the_next(make_project: Make) -> None:
    model = "{{ config(materialized='incremental') }} select 'z' as code, 'Last' as name"
    project = make_project(
        {**SHOP, "models/people.sql": model}, config=settings(initial_data=[{**ROWS, "table": "people"}])
    )
    project.dbt("run", "-s", "people")
    assert project.rows("people") == [("z", "Last")]
    project.dbt("run", "-s", "other")
    assert project.rows("people") == [("a", "Other"), ("b", "Second"), ("z", "Last")]
    assert DUE not in project.names()
    assert added(project, "run", "-s", "other") == []


def test_rows_that_are_due_are_named_where_nothing_is_to_be_inserted(make_project: Make) -> None:
    project = make_project({**SHOP, **TENANTS}, config=settings(initial_data=[ROWS]))
    project.dbt("run-operation", "run_migrations")
    warn = {"dbt_selfheal": {"migrations": True, "on_missing": "warn", "initial_data": [ROWS]}}
    for _ in range(2):
        assert "tenants lacks 1 of 2 rows" in project.dbt("run", "-s", "other", vars=warn).output
    assert "1 created" in project.dbt("run-operation", "seed_initial_data").output
    assert DUE not in project.names()
    assert printed(project.dbt("run", "-s", "other", vars=warn)) == []


def test_a_project_with_initial_data_pays_nothing_in_dbt_run(make_project: Make) -> None:
    project = make_project({**SHOP}, config=settings(initial_data=[{**ROWS, "table": "by_hand"}]))
    project.dbt("run", "-s", "other", env=OFF)
    project.execute("create table by_hand (code varchar(10), name varchar(50))")
    assert added(project, "run", "-s", "other") == []


def test_a_node_that_holds_initial_data_is_required(make_project: Make) -> None:
    model = "{{ config(materialized='incremental') }} select 'z' as code, 'Last' as name"
    project = make_project(
        {**SHOP, "models/people.sql": model}, config=settings(initial_data=[{**ROWS, "table": "people"}])
    )
    project.dbt("run", "-s", "other")
    assert project.rows("people") == [("a", "Other"), ("b", "Second"), ("z", "Last")]


def test_on_missing_warn_and_fail_say_which_rows_are_missing_and_insert_nothing(make_project: Make) -> None:
    project = make_project(
        {**SHOP, **TENANTS, "seeds/plain.csv": "id\n1\n"}, config=settings(initial_data=[ROWS])
    )
    warn = {"dbt_selfheal": {"on_missing": "warn"}}
    assert "migrations are pending: 1" in project.dbt("seed", vars=warn).output
    project.dbt("run-operation", "run_migrations")
    warned = project.dbt("seed", vars=warn)
    assert "tenants lacks 1 of 2 rows of its initial data" in warned.output
    failed = project.dbt_fails("build", vars={"dbt_selfheal": {"on_missing": "fail"}})
    assert "dbt run-operation seed_initial_data" in failed.output
    assert project.rows("tenants") == [("a", "First")]


ROLES = {
    "seeds/roles.csv": "code,title\nadmin,Administrator\nreader,Reader\n",
    "seeds/s.yml": "version: 2\nseeds: [{name: roles, config: {meta: {selfheal: {load: insert_missing, key: [code]}}}}]\n",
    "models/rights.sql": "select * from {{ ref('roles') }}\n",
}


def test_dbt_seed_and_build_do_not_empty_a_marked_seed(make_project: Make) -> None:
    project = make_project(ROLES)
    project.dbt("run")
    assert len(project.rows("roles")) == 2, "healed"
    project.execute("update roles set title = 'Boss' where code = 'admin'")
    for command in ("seed", "build"):
        failed = project.dbt_fails(command)
        assert "rows that people have edited must stay" in failed.output
        assert "search_order: [shop, dbt_selfheal_database, dbt]" in failed.output
        if hook_errors_stop(failed):
            assert ("admin", "Boss") in project.rows("roles")
    project.dbt("build", "--exclude", "roles")
    project.dbt("seed", "--full-refresh")
    assert project.rows("roles") == [("admin", "Administrator"), ("reader", "Reader")]


def test_a_marked_seed_is_not_emptied_in_a_target_that_is_not_healed(make_project: Make) -> None:
    """`targets` says where to heal, not where edits may be lost; `enabled: false` switches all off."""
    project = make_project(ROLES)
    project.dbt("run")
    project.execute("update roles set title = 'Boss' where code = 'admin'")
    elsewhere = {"dbt_selfheal": {"targets": ["production"]}}
    failed = project.dbt_fails("seed", vars=elsewhere)
    assert "rows that people have edited must stay" in failed.output
    if hook_errors_stop(failed):
        assert ("admin", "Boss") in project.rows("roles")
    project.drop("rights")
    assert printed(project.dbt("run", vars=elsewhere)) == []
    project.dbt("seed", vars={"dbt_selfheal": {"enabled": False}})
    assert ("admin", "Boss") not in project.rows("roles")


@pytest.mark.duckdb
def test_healing_and_then_a_missing_row_of_a_marked_seed(make_project: Make) -> None:
    dispatch = [{"macro_namespace": "dbt", "search_order": ["shop", "dbt_selfheal_database", "dbt"]}]
    project = make_project(
        {
            **ROLES,
            "models/more.sql": "{{ config(materialized='table') }} select * from {{ ref('rights') }}\n",
        },
        config={"dispatch": dispatch},
    )
    project.dbt("run", "-s", "more")
    assert len(project.rows("roles")) == 2
    project.execute("delete from roles where code = 'reader'", "update roles set title = 'Boss'")
    project.drop("rights")
    project.dbt("run", "-s", "more")
    assert project.rows("roles") == [("admin", "Boss"), ("reader", "Reader")]
