"""Dagster: an asset that makes the workspace ready, and one that needs it (examples/README.md).

The project is that of pytest_fixture. Environment: DBT_PROJECT names another one.
"""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

PROJECT = Path(os.environ.get("DBT_PROJECT") or Path(__file__).parent / "pytest_fixture" / "project")


@dg.asset
def ready_workspace() -> dg.MaterializeResult:
    """Every table that the project requires exists."""
    from dbt_selfheal import AutoInitializer

    result = AutoInitializer(PROJECT, profiles_dir=PROJECT).ensure_initialized()
    return dg.MaterializeResult(metadata={"built": result.tables_created, "seconds": result.duration})


@dg.asset(deps=[ready_workspace])
def best_customer() -> str:
    """The customer with the highest total."""
    import duckdb

    with duckdb.connect(str(Path(os.environ["WORKSPACE"]) / "warehouse.duckdb"), read_only=True) as database:
        row = database.execute("select customer from totals order by total desc limit 1").fetchone()
    return str(row[0]) if row else ""


defs = dg.Definitions(assets=[ready_workspace, best_customer])
