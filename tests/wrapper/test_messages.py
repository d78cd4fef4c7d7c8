"""What an error or a status says is exact: its code, its place, and what is to be done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
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


def test_rows_that_must_not_be_inserted_are_missing_and_the_command_given_inserts_them(
    cli: Cli, make_project: Callable[..., DbtProject]
) -> None:
    project = bank(make_project, on_missing="fail")
    given = ("--vars", "{first: bob}")  # whose name stands in nobody's way
    project.dbt("run", *given)
    build = ("exec", "--", "dbt", "build", "-s", "report", *given)
    stopped = cli(project, *build, code=7)
    assert "Error: main.accounts lacks 1 of 1 rows of its initial data" in stopped.stderr
    assert stopped.stderr.endswith("explain selfheal-missing\n")
    advice = stopped.stderr.partition("What to do: Insert them with:\n")[2].splitlines()[0].split()
    assert advice == ["dbt", "run-operation", "seed_initial_data"]
    project.dbt(*advice[1:])
    cli(project, *build)


def test_the_last_attempt_says_what_is_missing_where_it_only_warned(cli: Cli, shop: DbtProject) -> None:
    shop.configure(vars={"dbt_selfheal": {"timeout_seconds": 200, "on_missing": "warn"}})
    cli(shop, "ensure", "-s", "raw_orders", code=1)
    last = cli(shop, "status", code=1).stdout.splitlines()[-1]
    assert last.startswith("Last attempt: warned in ")
    assert last.endswith(": 1 required relation is missing: raw_orders")
    cli(shop, *RUN, code=1)  # dbt's own: report reads what is not there
    found = cli(shop, "status", "--json", code=1).document["last_attempt"]
    assert (found["state"], found["error_code"], found["error"].rpartition(":")[2].split(", ")[-1]) == (
        "warned",
        "selfheal-missing",
        "totals",
    )


def test_a_last_attempt_whose_error_is_a_list_is_told_whole(cli: Cli, shop: DbtProject) -> None:
    (shop.folder / "models/totals.sql").unlink()
    model = 'def model(dbt, session):\n    dbt.config(materialized="table")\n    return dbt.ref("orders")\n'
    shop.write({"models/totals.py": model})
    cli(shop, *RUN, code=1)
    told = "cannot be built from a hook: table model totals (models/totals.py): Python models"
    assert told in cli(shop, "status", code=1).stdout.splitlines()[-1]
    shop.configure(vars={"dbt_selfheal": {"history": True}})
    kept = (shop.folder / "target/dbt_selfheal/attempts.jsonl").read_text().splitlines()[-1]
    shop.dbt("run-operation", "_record_attempt", args={"attempt": json.loads(kept)})
    said = shop.dbt("run-operation", "initialization_status").stdout
    assert told in next(line for line in said.splitlines() if "Last attempt: " in line)


def test_all_wrong_settings_are_said_and_then_once_what_to_do(cli: Cli, shop: DbtProject) -> None:
    shop.configure(vars={"dbt_selfheal": {"requird": ["orders"], "on_missing": "never", "history": 3}})
    wide = {"COLUMNS": "200"}
    told = cli(shop, "ensure", env=wide, code=7).stderr
    problems, _, advice = told.partition("  What to do: ")
    assert problems[problems.index("Error: ") :].splitlines() == [
        "Error: vars.dbt_selfheal.requird is not a setting.",
        '  vars.dbt_selfheal.on_missing must be: build, clone, warn or fail; it is "never"',
        "  vars.dbt_selfheal.history must be: true or false; it is 3",
    ]
    assert advice.startswith("Did you mean: required?\n")
    assert advice.count("Fix it in dbt_project.yml.") == 1
    assert "vars." not in advice
    shop.configure(vars={"dbt_selfheal": {"on_missing": "never"}})
    command = ("exec", "--", "dbt", "run", "--vars", "{dbt_selfheal: {history: 3}}")
    told = cli(shop, *command, env=wide, code=7).stderr
    problems, _, advice = told.partition("  What to do: ")
    assert "Error: dbt_project.yml: vars.dbt_selfheal.on_missing must be: " in problems
    assert "\n  --vars: vars.dbt_selfheal.history must be: true or false; it is 3\n" in problems
    assert advice.startswith("Fix it in dbt_project.yml and in --vars.\n")


@pytest.mark.parametrize(
    ("command", "failing"),
    [
        (RUN, "{% if execute %}{{ 1 / 0 }}{% endif %}"),
        (("ensure",), "{% if execute %}{{ 'a' + 1 }}{% endif %}"),
        (("ensure", "--threads", "2"), "{% if execute %}{{ 'a' + 1 }}{% endif %}"),
        (("ensure",), "{{ 1 / 0 }}"),  # when dbt parses it
    ],
)
def test_jinja_that_fails_is_the_models_own_error(
    cli: Cli, shop: DbtProject, command: tuple[str, ...], failing: str
) -> None:
    shop.write({"models/orders.sql": f"select '{failing}' as name, 1 as amount"})
    told = cli(shop, *command, code=1)
    text = told.stderr[told.stderr.index("Error: ") :]
    assert text.startswith("Error: The Jinja of a model or macro fails")
    assert "model orders" in text
    assert "division by zero" in text or "can only concatenate str" in text
    assert "What to do: Correct it in models/orders.sql, or in a macro that it calls.\n" in text
    assert text.endswith("explain selfheal-jinja-error\n")
    assert "called by" not in text


def test_a_value_that_the_database_cannot_convert_is_one_of_the_data(cli: Cli, shop: DbtProject) -> None:
    shop.write({"models/orders.sql": "{{ config(materialized='table') }} select 'x'::int as name"})
    assert "explain selfheal-value-conversion" in cli(shop, *RUN, code=1).stderr


def test_a_profile_that_is_not_found_is_said_with_the_folders_looked_into(
    cli: Cli, shop: DbtProject, tmp_path: Path
) -> None:
    home, empty = tmp_path / "home", tmp_path / "empty"
    for folder in (home, empty):
        folder.mkdir()
    (shop.folder / "profiles.yml").rename(tmp_path / "kept.yml")
    told = cli(shop, "ensure", env={"HOME": str(home)}, code=7).said
    assert f"no profiles.yml in {shop.folder} (the working directory), nor in {home}/.dbt " in told
    told = cli(shop, *RUN, "--profiles-dir", str(empty), code=7).said
    assert f"no profiles.yml in {empty} (--profiles-dir) What to do: Write it there" in told
    told = cli(shop, "status", env={"DBT_PROFILES_DIR": str(empty)}, code=7).said
    assert f"no profiles.yml in {empty} (DBT_PROFILES_DIR) " in told
    (tmp_path / "kept.yml").rename(shop.folder / "profiles.yml")
    told = cli(shop, "ensure", env={"HOME": str(home), "DBT_PROFILES_DIR": str(empty)}, code=7).said
    advice = f"Name the project's folder, which has one: --profiles-dir {shop.folder}"
    assert advice in told
    cli(shop, "status", "--profiles-dir", advice.rpartition(" ")[2], code=1)
