"""A missing node that keeps a history is built from the data of today, unless that spoils what is there."""

from __future__ import annotations

import pytest
from conftest import ProjectFactory
from functional.helpers import built, printed, settings
from support import DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres]

FILES = {
    "models/events.sql": "{{ config(materialized='incremental') }} select {{ var('id', 1) }} as id",
    "models/stage.sql": "{{ config(materialized='view') }} select id from {{ ref('events') }}",
    "models/beside.sql": "{{ config(materialized='table') }} select id from {{ ref('events') }}",
    "snapshots/kept.sql": (
        "{% snapshot kept %}{{ config(target_schema=target.schema, unique_key='id', strategy='check',\n"
        "check_cols='all', invalidate_hard_deletes=true) }}\n"
        "select id from {{ ref('stage') }}{% endsnapshot %}"
    ),
}


@pytest.fixture
def project(make_project: ProjectFactory) -> DbtProject:
    """Two days of events, kept by a snapshot; then the events are lost."""
    made = make_project(FILES)
    made.dbt("build")
    made.dbt("build", vars={"id": 2})
    made.execute(f"drop table {made.database.default_schema}.events cascade")
    return made


def open_rows(project: DbtProject) -> list[tuple[object, ...]]:
    """Returns the ids that the snapshot takes for current."""
    return sorted(
        project.query(
            "select id from " + project.database.default_schema + ".kept where dbt_valid_to is null"
        )
    )


@pytest.mark.promise("A history that is lost")
def test_an_existing_snapshot_is_not_fed_with_a_history_that_begins_today(project: DbtProject):
    result = project.dbt("snapshot", vars={"id": 2}, check=False)
    assert result.returncode != 0
    text = " ".join(result.output.split())
    assert "incremental model events (models/events.sql): its history is lost" in text
    assert "snapshot kept, which is there and reads it, close the rows of the past" in text
    assert "on_lost_history: build" in text
    assert "dbt build --select" not in text  # which would do what is refused
    assert open_rows(project) == [(1,), (2,)]
    assert "events" not in project.names()


def test_it_is_built_where_the_setting_says_so(project: DbtProject):
    project.dbt("snapshot", vars={"id": 2, **settings(on_lost_history="build")})
    assert open_rows(project) == [(2,)]


def test_alone_it_is_built_and_said(project: DbtProject):
    result = project.dbt("run", "-s", "beside", vars={"id": 2})
    assert built(result) == ["events"]
    assert "Self-healing: events: the history starts now" in printed(result)


@pytest.mark.promise("A history that is lost")
def test_a_snapshot_that_is_not_there_yet_is_fed(project: DbtProject):
    project.execute(f"drop table {project.database.default_schema}.kept")
    project.dbt("snapshot", vars={"id": 2})
    assert open_rows(project) == [(2,)]
