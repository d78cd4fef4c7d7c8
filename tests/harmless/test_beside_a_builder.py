"""A healer beside a builder: orchestrators run one process for each node, without any lock of ours."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support import DbtProject, PostgresDatabase

pytestmark = pytest.mark.postgres

FILES = {
    "models/raw.sql": (
        "{{ config(materialized='table', post_hook=\"insert into public.builds values ('raw')\") }}\n"
        "select 42 as id from (select pg_sleep({{ var('seconds', 0) }})) as slept\n"
    ),
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('raw') }}\n",
}
# A build that goes on when the test lets it.
HELD = FILES["models/raw.sql"].replace("pg_sleep({{ var('seconds', 0) }})", "pg_advisory_xact_lock(7)")
HELD_UP = "select 1 from pg_locks where locktype = 'advisory' and objid = 7 and not granted"


@pytest.mark.slow
def test_a_healer_waits_for_a_builder(make_project: Any) -> None:
    project: DbtProject = make_project({**FILES, "models/raw.sql": HELD})
    database: PostgresDatabase = project.database  # type: ignore[assignment]
    project.execute("create table public.builds (name text)")
    with database.server.connection(database.name) as connection:
        connection.cursor().execute("select pg_advisory_lock(7)")
        builder = project.start("run", "-s", "raw")
        _wait_until(project, HELD_UP)
        # Each process of an orchestrator has a folder of its own for what dbt writes.
        healer = project.start("run", "-s", "leaf", "--target-path", "target-2")
        healer.wait_for("Self-healing:")
        time.sleep(2)
        connection.cursor().execute("select pg_advisory_unlock(7)")
        built, healed = builder.wait(check=False), healer.wait(check=False)
    assert (built.returncode, healed.returncode) == (0, 0), built.explain() + healed.explain()
    assert project.rows("leaf") == [(42,)]
    assert project.query("select count(*) from public.builds") == [(1,)], healed.explain()


@pytest.mark.slow
def test_many_healers_of_the_same_parent_all_succeed(make_project: Any) -> None:
    leaves = {f"models/leaf_{n}.sql": FILES["models/leaf.sql"] for n in range(16)}
    project: DbtProject = make_project({**FILES, **leaves})
    project.execute("create table public.builds (name text)")
    running = [
        project.start("run", "-s", f"leaf_{n}", "--target-path", f"target-{n}", vars={"seconds": 5})
        for n in range(16)
    ]
    results = [one.wait(check=False) for one in running]
    failed = [result.explain() for result in results if result.returncode != 0]
    assert not failed, "\n".join(failed)
    assert project.query("select count(*) from public.builds") == [(1,)]


def _wait_until(project: DbtProject, sql: str) -> None:
    """Waits until a query has rows."""
    end = time.monotonic() + 90
    while not project.query(sql):
        assert time.monotonic() < end, f"still without rows: {sql}"
        time.sleep(0.1)
