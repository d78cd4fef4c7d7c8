"""What an error or a status says is exact: its code, its place, and what is to be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import DbtProject
from wrapper.conftest import Cli

pytestmark = pytest.mark.duckdb
RUN = ("exec", "--", "dbt", "run", "-s", "report")


def bank(make_project: Callable[..., DbtProject], **settings: Any) -> DbtProject:
    """Returns a project with the table `accounts`, whose names are unique, and a first row for it."""
    rows = {"table": "accounts", "key": ["id"], "rows": [{"id": 2, "name": "ada"}]}
    columns = (
        "{name: id, data_type: integer}, {name: name, data_type: varchar, constraints: [{type: unique}]}"
    )
    return make_project(
        {
            "models/accounts.sql": "{{ config(materialized='incremental', on_schema_change='fail', "
            "contract={'enforced': true}) }}\nselect 1 as id, '{{ var(\"first\", \"ada\") }}' as name",
            "models/s.yml": f"models: [{{name: accounts, columns: [{columns}]}}]",
            "models/report.sql": "select * from {{ ref('accounts') }}",
        },
        config={"vars": {"dbt_selfheal": {"timeout_seconds": 200, "initial_data": [rows], **settings}}},
        packages=("dbt_selfheal", "dbt_selfheal_database"),
    )


def test_a_cycle_through_a_source_stops_a_supervised_dbt_with_its_code(cli: Cli, shop: DbtProject) -> None:
    shop.write(
        {
            "models/orders.sql": "select * from {{ source('own', 'totals') }}",
            "models/s.yml": "sources: [{name: own, schema: main, tables: [{name: totals}]}]",
        }
    )
    for hooks in ([], ["{{ dbt_selfheal.ensure_initialized() }}"]):
        shop.configure(**{"on-run-start": hooks})
        stopped = cli(shop, *RUN, code=1)
        assert "Error: these are missing and need each other" in stopped.stderr
        assert "What to do: Read it with ref() instead of source()" in stopped.said
        assert stopped.stderr.endswith("explain selfheal-source-cycle\n")


def test_a_row_that_the_database_refuses_is_wrong_initial_data(
    cli: Cli, make_project: Callable[..., DbtProject]
) -> None:
    project = bank(make_project)
    for _ in range(2):  # after healing, and when all is there
        stopped = cli(project, *RUN, code=7)
        assert "Error: The database refuses a row of the initial data of main.accounts." in stopped.stderr
        assert "Constraint Error: Duplicate key" in stopped.said
        assert "What to do: Correct that row in vars.dbt_selfheal.initial_data[0]," in stopped.said
        assert stopped.stderr.endswith("explain selfheal-initial-data-wrong\n")


def test_a_hook_of_the_project_that_fails_after_healing_is_its_own(cli: Cli, shop: DbtProject) -> None:
    hooks = ["{{ dbt_selfheal.ensure_initialized() }}", "select nothing_there"]
    shop.configure(**{"on-run-start": hooks})
    stopped = cli(shop, *RUN, code=None)
    assert stopped.returncode in (1, 2)
    assert "Self-healing: ready in" in stopped.output
    assert "What to do" not in stopped.stderr
