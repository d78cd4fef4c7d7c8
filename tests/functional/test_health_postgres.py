"""health_report names who holds the lock on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2
import pytest
from functional.helpers import events
from support import DbtProject

pytestmark = [pytest.mark.postgres, pytest.mark.both_packages]


@pytest.mark.promise("Health")
def test_the_holder_of_the_lock_is_named(make_project: Callable[..., DbtProject]) -> None:
    project = make_project({"models/a.sql": "select 1 as id"})
    profile = project.database.profile()
    key = f"hashtextextended('dbt_selfheal:{profile['schema']}', 0)"
    names = {"host": "host", "port": "port", "user": "user", "dbname": "dbname", "pass": "password"}
    connection = psycopg2.connect(
        **{names[name]: value for name, value in profile.items() if name in names and value}
    )
    try:
        connection.autocommit = True
        connection.cursor().execute(f"select pg_advisory_lock({key})")
        process = connection.info.backend_pid
        result = project.dbt("run-operation", "health_report")
        status = project.dbt("run-operation", "initialization_status")
    finally:
        connection.close()
    (report,) = events(result, "health_report")
    (check,) = [check for check in report["checks"] if check["name"] == "lock"]
    assert check["status"] == "warning"
    assert f"backend pid {process}" in check["summary"]
    assert f"Initializing now: backend pid {process}" in status.output
