"""A healer beside a builder: orchestrators run one process for each node, without any lock of ours."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support import DbtProject

pytestmark = pytest.mark.postgres

FILES = {
    "models/raw.sql": (
        "{{ config(materialized='table', post_hook=\"insert into public.builds values ('raw')\") }}\n"
        "select 42 as id from (select pg_sleep({{ var('seconds', 0) }})) as slept\n"
    ),
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('raw') }}\n",
}


def test_a_healer_waits_for_a_builder(make_project: Any) -> None:
    project: DbtProject = make_project(FILES)
    project.execute("create table public.builds (name text)")
    builder = project.start("run", "-s", "raw", vars={"seconds": 8})
    _wait_until_built(project)
    # Each process of an orchestrator has a folder of its own for what dbt writes.
    healer = project.start("run", "-s", "leaf", "--target-path", "target-2", vars={"seconds": 8})
    built, healed = builder.wait(check=False), healer.wait(check=False)
    assert (built.returncode, healed.returncode) == (0, 0), built.explain() + healed.explain()
    assert project.rows("leaf") == [(42,)]
    assert project.query("select count(*) from public.builds") == [(1,)], healed.explain()


@pytest.mark.slow
def test_many_healers_of_the_same_parent_all_succeed(make_project: Any) -> None:
    leaves = {f"models/leaf_{n}.sql": FILES["models/leaf.sql"] for n in range(8)}
    project: DbtProject = make_project({**FILES, **leaves})
    project.execute("create table public.builds (name text)")
    running = [
        project.start("run", "-s", f"leaf_{n}", "--target-path", f"target-{n}", vars={"seconds": 5})
        for n in range(8)
    ]
    results = [one.wait(check=False) for one in running]
    failed = [result.explain() for result in results if result.returncode != 0]
    assert not failed, "\n".join(failed)
    assert project.query("select count(*) from public.builds") == [(1,)]


def _wait_until_built(project: DbtProject) -> None:
    """Waits until a process is in the middle of building raw."""
    end = time.monotonic() + 90
    sql = "select count(*) from pg_stat_activity where state = 'active' and wait_event = 'PgSleep'"
    while project.query(sql) == [(0,)]:
        assert time.monotonic() < end, "the builder did not begin"
        time.sleep(0.1)
