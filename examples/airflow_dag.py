"""Airflow: a task that makes the workspace ready, before the ones that need it (examples/README.md).

The project is that of pytest_fixture. Environment: DBT_PROJECT names another one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import dag, task

PROJECT = Path(os.environ.get("DBT_PROJECT") or Path(__file__).parent / "pytest_fixture" / "project")


@dag(schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False)
def orders() -> None:
    """Makes the workspace ready, then reads it."""

    @task(retries=2)
    def make_ready() -> dict[str, Any]:
        from dbt_selfheal import AutoInitializer

        result = AutoInitializer(PROJECT, profiles_dir=PROJECT).ensure_initialized()
        return {"built": result.tables_created, "seconds": result.duration}  # shown in Airflow's XCom

    @task.bash(env={"DBT_PROFILES_DIR": str(PROJECT)}, append_env=True)
    def run_totals(_: dict[str, Any]) -> str:
        return f"dbt run --project-dir {PROJECT} --select totals"

    run_totals(make_ready())


orders()
