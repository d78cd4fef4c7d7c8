"""Beside dbt_utils: models that use its macros are healed as they are built; its own `equality` is the judge.

dbt_utils comes from hub.getdbt.com, or from the checkout that the environment variable DBT_UTILS_PATH names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from conftest import ProjectFactory
from functional.helpers import built
from support import ROOT, DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.dbt_utils, pytest.mark.timeout(900)]

PROJECT = ROOT / "integration_tests" / "dbt_utils"
HEALED = {
    "customers",
    "orders",
    "refunds",
    "stg_customers",
    "movements",
    "days",
    "keyed_orders",
    "amounts_by_method",
    "pivoted",
    "starred",
}


@pytest.fixture
def beside(make_project: ProjectFactory) -> DbtProject:
    """The project of integration_tests/dbt_utils with both packages, and a plain build in `built`."""
    project = make_project(PROJECT)
    output = project.database.profile()
    targets = {"dev": output, "built": {**output, "schema": "built"}}
    project.write({"profiles.yml": yaml.safe_dump({project.name: {"target": "dev", "outputs": targets}})})
    listed = yaml.safe_load((PROJECT / "packages.yml").read_text())["packages"]
    checkout = os.environ.get("DBT_UTILS_PATH")
    packages = [{"local": str(ROOT)}]
    packages += [{"local": str(Path(checkout).resolve())}] if checkout else listed[1:]
    project.write({"packages.yml": yaml.safe_dump({"packages": packages})})
    project.dbt("deps")
    off = {"DBT_SELFHEAL_ENABLED": "false"}
    project.dbt("build", "--target", "built", "--exclude", "test_name:equality", env=off)
    return project


def test_models_that_use_dbt_utils_are_healed_equal_by_its_own_equality(
    beside: DbtProject, record_property: Callable[[str, object], None]
) -> None:
    result = beside.dbt("run", "-s", "leaf")
    assert set(built(result)) == HEALED
    compared = beside.dbt("test", "-s", "test_name:equality")
    assert len(compared.statuses) == len(HEALED) + 1
    assert set(compared.statuses.values()) == {"pass"}
    equal = f"{len(compared.statuses)} of {len(compared.statuses)} relations equal"
    record_property("relations equal", f"{beside.database.adapter}, by dbt_utils.equality: {equal}")


def test_equality_can_fail(beside: DbtProject) -> None:
    """One row more in a healed table is noticed."""
    beside.dbt("run", "-s", "leaf")
    schema = beside.database.default_schema
    beside.execute(f"insert into {schema}.days values ('2026-02-01')")
    compared = beside.dbt_fails("test", "-s", "test_name:equality")
    failed = [name for name, status in compared.statuses.items() if status == "fail"]
    assert len(failed) == 1
    assert "days" in failed[0]
