"""The package dbt_selfheal_database: how it is added, and what it costs who does not use it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import yaml
from functional.helpers import built, events, statements
from support import BOTH, ROOT, DbtProject

Make = Callable[..., DbtProject]
pytestmark = pytest.mark.duckdb
MACROS = ROOT / "database" / "macros"
FILES = {
    "seeds/bands.csv": "id\n1\n",
    "models/leaf.sql": "{{ config(materialized='table') }} select * from {{ ref('bands') }}",
}
MIGRATION = {
    "macros/m.sql": "{% macro migration__1__users() %}\n"
    "create table {{ target.schema }}.users (id integer)\n{% endmacro %}\n"
}


def operations() -> dict[str, list[str]]:
    """Returns the macros without an underscore, with the names of their arguments."""
    found = {}
    for path in MACROS.rglob("*.sql"):
        for name, arguments in re.findall(r"{% macro ([a-z]\w*)\((.*?)\) %}", path.read_text()):
            if "__" not in name:
                found[name] = [part.split("=")[0].strip() for part in arguments.split(",") if part]
    return found


def test_two_entries_and_dbt_deps_are_all_that_is_needed(make_project: Make) -> None:
    project = make_project(
        {**FILES, **MIGRATION}, packages=BOTH, config={"vars": {"dbt_selfheal": {"migrations": True}}}
    )
    for package in BOTH:
        (project.folder / "dbt_packages" / package).unlink()
    project.dbt("deps", real_process=True)
    result = project.dbt("run", "-s", "leaf", real_process=True)
    assert [event["version"] for event in events(result, "migration_complete")] == ["1"]
    assert built(result) == ["bands"]
    assert project.names() >= {"users", "leaf"}


def test_without_it_healing_is_as_ever_and_no_name_means_anything(make_project: Make) -> None:
    project = make_project({**FILES, **MIGRATION})
    assert built(project.dbt("run", "-s", "leaf")) == ["bands"]
    project.dbt("build")
    assert "State: completed" in project.dbt("run-operation", "initialization_status").output
    assert "users" not in project.names()
    assert "run_migrations" in project.dbt_fails("run-operation", "run_migrations").output


def test_a_project_that_does_not_use_it_sends_no_statement_more(make_project: Make) -> None:
    without, beside = (
        make_project({**FILES, **MIGRATION}),
        make_project({**FILES, **MIGRATION}, packages=BOTH),
    )
    for project in (without, beside):
        project.dbt("build")
    for command in ("run", "seed", "build"):
        expected, found = statements(without.dbt(command)), statements(beside.dbt(command))
        assert len(found) == len(expected) > 0, command


def test_without_dbt_selfheal_each_operation_says_what_to_install(make_project: Make) -> None:
    project = make_project(FILES, packages=["dbt_selfheal_database"])
    required = {
        "baseline_migrations": {"version": "1"},
        "repair_migrations": {"version": "1", "action": "rerun"},
    }
    for name in operations():
        result = project.dbt_fails("run-operation", name, args=required.get(name, {}))
        assert "the package dbt_selfheal is not installed" in result.output
        assert "- local: path/to/dbt-selfheal" in result.output
    project.dbt("build")  # the seed is loaded by dbt's own macros


def test_every_operation_is_described_with_types_that_dbt_knows(make_project: Make) -> None:
    described = {
        entry["name"]: entry for entry in yaml.safe_load((MACROS / "schema.yml").read_text())["macros"]
    }
    found = operations()
    assert described.keys() == found.keys()
    for name, entry in described.items():
        assert [argument["name"] for argument in entry.get("arguments", [])] == found[name]
    project = make_project(FILES, packages=BOTH, config={"flags": {"validate_macro_args": True}})
    output = project.dbt("parse", "--no-partial-parse").output
    assert not [line for line in output.splitlines() if "dbt_selfheal_database" in line and "rgument" in line]


def test_what_differs_by_adapter_is_in_its_file_and_a_macro_fits_on_a_screen() -> None:
    adapters = {path.stem for path in (MACROS / "adapters").glob("*.sql")} - {"adapter"}
    assert adapters == {"duckdb", "postgres", "redshift", "spark", "sqlite"}
    for path in MACROS.rglob("*.sql"):
        text = path.read_text()
        if path.parent.name != "adapters":
            assert not re.search("|".join(adapters), text, re.IGNORECASE), path
        for macro in re.findall(r"{% macro .*?{% endmacro %}", text, re.DOTALL):
            assert macro.count("\n") < 60, macro[:60]
        elsewhere = re.findall(r"{% macro (\w+?)__", text)
        assert set(elsewhere) <= {"default", path.stem}, path
