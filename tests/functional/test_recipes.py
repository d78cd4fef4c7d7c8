"""The recipes of docs/reference.md for packages with readers that no graph shows, with those themselves.

They come from the hub, which no test needs: this runs where $DBT_RECIPES_PATH is a folder with copies of
their repositories (dbt-data-reliability, dbt_artifacts, dbt-project-evaluator), and dbt_utils is at hand.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ProjectFactory
from functional.helpers import built
from support import ROOT, DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.readers, pytest.mark.timeout(900)]

PACKAGES = {
    "elementary": "dbt-data-reliability",
    "dbt_artifacts": "dbt_artifacts",
    "dbt_project_evaluator": "dbt-project-evaluator",
}
FILES = {
    "models/raw.sql": "{{ config(materialized='table') }}\nselect 1 as id",
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('raw') }}",
    "models/leaf.yml": "models:\n  - name: leaf\n    columns: [{name: id, data_tests: [not_null]}]\n",
}


def with_package(make_project: ProjectFactory, package: str, tmp_path: Path) -> DbtProject:
    """Makes a project with a package from $DBT_RECIPES_PATH, which declares what that page says."""
    recipes, utils = os.environ.get("DBT_RECIPES_PATH"), os.environ.get("DBT_UTILS_PATH")
    if not recipes or not utils:
        pytest.skip("DBT_RECIPES_PATH and DBT_UTILS_PATH name no folder")
    copy = tmp_path / package
    if not copy.exists():
        shutil.copytree(Path(recipes) / PACKAGES[package], copy)
        (copy / "packages.yml").unlink(missing_ok=True)  # dbt_utils is installed by the project
    config = {
        "vars": {"dbt_selfheal": {"required": [f"package:{package}"]}},
        "flags": {"require_explicit_package_overrides_for_builtin_materializations": False},
        "models": {"elementary": {"+schema": "elementary"}, "dbt_artifacts": {"+schema": "artifacts"}},
    }
    project = make_project(FILES, config=config)
    packages = [{"local": str(path)} for path in (ROOT, Path(utils).resolve(), copy)]
    project.write({"packages.yml": yaml.safe_dump({"packages": packages})})
    project.dbt("deps")
    return project


@pytest.mark.parametrize("package", PACKAGES)
def test_the_recipe_makes_what_the_package_reads(make_project: ProjectFactory, package: str, tmp_path: Path):
    ours, theirs = (with_package(make_project, package, tmp_path) for _ in range(2))
    result = ours.dbt("run", "-s", "leaf")
    assert {"raw"} < set(built(result))
    theirs.dbt(
        "build", "-s", f"package:{package}", "raw", "leaf", env={"DBT_SELFHEAL_ENABLED": "false"}, check=False
    )
    assert ours.relations() == theirs.relations()
    for name in ours.relations():
        assert ours.columns(name) == theirs.columns(name), name
    again = ours.dbt("test", "-s", "leaf")
    assert built(again) == []
    assert built(ours.dbt("run", "-s", "leaf")) == []
