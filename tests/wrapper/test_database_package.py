"""The commands that need the second dbt package say how to add it where it is not installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import BOTH, HEALING, DbtProject
from wrapper.conftest import SHOP, Cli

pytestmark = pytest.mark.duckdb
COMMANDS = [
    "migrate status",
    "migrate up",
    "migrate down",
    "migrate history",
    "migrate validate",
    "migrate baseline 0001",
    "migrate repair 0001 rerun",
    "initial-data",
    "initial-data --dry-run",
    "schema validate",
    "schema repair --apply",
    "health",
    "health --html health.html",
]


@pytest.fixture
def healing_only(make_project: Callable[..., DbtProject]) -> DbtProject:
    """A project that has the package that heals, and not the other one."""
    return make_project(SHOP, packages=HEALING)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_its_package_says_how_to_add_it(
    healing_only: DbtProject, cli: Cli, command: str
) -> None:
    done = cli(healing_only, *command.split(), code=7)
    assert "Error: the dbt package dbt_selfheal_database is not installed in" in done.said
    assert "What to do: Add it in packages.yml, then run: dbt deps" in done.said
    for line in ("packages:", "- local: path/to/dbt-selfheal/database", "- git: ", "subdirectory: database"):
        assert line in done.stderr
    assert "Starting dbt" not in done.stderr
    assert done.stdout == ""
    assert not (healing_only.folder / "health.html").exists()


def test_json_has_the_code_and_the_entry(healing_only: DbtProject, cli: Cli) -> None:
    finished = cli(healing_only, "health", "--json", code=7)
    assert finished.error["code"] == "selfheal-database-package-missing"
    assert finished.envelope["exit_code"] == 7
    assert "subdirectory: database" in finished.error["remedy"]


def test_the_macro_counts_and_not_the_package_that_it_is_in(healing_only: DbtProject, cli: Cli) -> None:
    healing_only.write(
        {
            "macros/own.sql": "{%- macro validate_schema( select=none ) -%}\n"
            "{{ exceptions.raise_compiler_error('ours ran') }}\n{%- endmacro -%}\n",
        }
    )
    done = cli(healing_only, "schema", "validate", code=1)
    assert "ours ran" in done.said


@pytest.mark.parametrize(
    "command", [("ensure",), ("ensure", "--threads", "2"), ("exec", "--", "dbt", "run")], ids=" ".join
)
@pytest.mark.parametrize(
    "setting",
    [{"migrations": True}, {"initial_data": [{"table": "people", "key": ["id"], "rows": [{"id": 1}]}]}],
    ids=["migrations", "initial_data"],
)
def test_a_setting_that_needs_the_package_is_not_passed_over(
    healing_only: DbtProject, cli: Cli, setting: dict[str, Any], command: tuple[str, ...]
) -> None:
    healing_only.configure(vars={"dbt_selfheal": {"timeout_seconds": 200, **setting}})
    done = cli(healing_only, *command, code=7)
    assert f"vars.dbt_selfheal.{next(iter(setting))} needs the package dbt_selfheal_database" in done.said
    assert "What to do: Add it to packages.yml (`- local: path/to/dbt-selfheal/database`" in done.said
    assert healing_only.relations() == {}


def test_healing_does_without_the_package_beside_macros_that_are_named_like_migrations(
    healing_only: DbtProject, cli: Cli
) -> None:
    healing_only.write(
        {"macros/m1.sql": "{% macro migration__0001__m1() %}create table t (id int);{% endmacro %}"}
    )
    assert "5 built" in cli(healing_only, "ensure").stdout


@pytest.mark.parametrize("threads", ["1", "2"])
def test_rows_that_a_failed_build_owes_are_inserted_by_the_next_command(
    make_project: Callable[..., DbtProject], cli: Cli, threads: str
) -> None:
    """Both ways of building."""
    rows = {"table": "people", "key": ["id"], "rows": [{"id": 1}, {"id": 2}]}
    project = make_project(
        {
            "models/people.sql": "{{ config(materialized='incremental') }} select 1 as id",
            "models/other.sql": "select 1 as id",
            "models/late.sql": "select no_such_column from {{ ref('people') }}",
        },
        config={"vars": {"dbt_selfheal": {"timeout_seconds": 200, "initial_data": [rows]}}},
        packages=BOTH,
    )
    cli(project, "ensure", "--threads", threads, code=None)
    assert project.rows("people") == [(1,)]
    project.dbt("run", "-s", "other")
    assert project.rows("people") == [(1,), (2,)]
