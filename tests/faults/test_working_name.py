"""Exists means complete where there are no transactions: what is half done has another name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import DbtProject

pytestmark = pytest.mark.spark
ROWS = 20
FILES = {  # one row a statement
    "macros/batches.sql": "{% macro spark__get_batch_size() %}{{ return(1) }}{% endmacro %}",
    "seeds/kept.csv": "id\n1\n",
    "seeds/header_only.csv": "id\n",
    "seeds/regions.csv": "id,name\n" + "".join(f"{number},region {number}\n" for number in range(ROWS)),
    "models/leaf.sql": "{{ config(materialized='table') }}\n"
    "select r.id, r.name from {{ ref('regions') }} r, {{ ref('kept') }} k "
    "left join {{ ref('header_only') }} h on h.id = k.id\n",
}


def test_a_seed_whose_run_is_killed_in_the_middle_is_not_there_and_the_repeat_loads_it(
    make_project: Callable[..., DbtProject],
) -> None:
    project = make_project(FILES)
    project.dbt("seed", "-s", "kept")
    running = project.start("run", "-s", "leaf")
    running.wait_for("insert into analytics.regions__dbt_selfheal_")
    running.kill()
    running.wait(check=False)
    [left] = project.names() - {"kept", "header_only"}
    assert left.startswith("regions__dbt_selfheal_")
    assert len(project.rows(left)) < ROWS
    project.dbt("run", "-s", "leaf")
    assert sorted(project.rows("regions")) == [(number, f"region {number}") for number in range(ROWS)]
    assert project.names() == {"kept", "regions", "header_only", "leaf"}
    assert project.rows("kept") == [(1,)]
