"""The commands that need the second dbt package say how to add it where it is not installed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
from support import ROOT, DbtProject
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
    """A project whose one package heals, and has none of the rooms of the second package."""
    project = make_project(SHOP, install=False)
    package = project.folder / "dbt_packages" / "dbt_selfheal"
    rooms = shutil.ignore_patterns("health", "initial_data", "migrations", "schema")
    shutil.copytree(ROOT / "macros", package / "macros", ignore=rooms)
    shutil.copy(ROOT / "dbt_project.yml", package)
    return project


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_its_package_says_how_to_add_it(
    healing_only: DbtProject, cli: Cli, command: str
) -> None:
    done = cli(healing_only, *command.split(), code=7)
    assert "Error: the dbt package dbt_selfheal_database is not installed in" in done.stderr
    packages = healing_only.folder / "packages.yml"
    assert f"What to do: Add it in {packages}, then run: dbt deps" in done.stderr
    for line in ("packages:", "- local: path/to/dbt-selfheal/database", "- git: ", "subdirectory: database"):
        assert line in done.stderr
    assert "Starting dbt" not in done.stderr
    assert done.stdout == ""
    assert not (healing_only.folder / "health.html").exists()


def test_json_has_the_code_and_the_entry(healing_only: DbtProject, cli: Cli) -> None:
    document = cli(healing_only, "health", "--json", code=7).document
    assert document["code"] == "database-package-missing"
    assert document["exit_code"] == 7
    assert "subdirectory: database" in document["remedy"]
    assert json.dumps(document)


def test_the_macro_counts_and_not_the_package_that_it_is_in(healing_only: DbtProject, cli: Cli) -> None:
    healing_only.write(
        {
            "dbt_packages/tools/dbt_project.yml": "name: tools\nversion: 1.0.0\nmacro-paths: [code]\n",
            "dbt_packages/tools/code/schema.sql": "{%- macro validate_schema( select=none ) -%}\n"
            "{{ exceptions.raise_compiler_error('ours ran') }}\n{%- endmacro -%}\n",
        }
    )
    done = cli(healing_only, "schema", "validate", code=1)
    assert "ours ran" in done.stderr
