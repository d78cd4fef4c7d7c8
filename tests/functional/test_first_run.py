"""User story 1: the first command in a new workspace succeeds, whatever the state of the database."""

from __future__ import annotations

import re
import shutil

import pytest
from functional.conftest import SharedProjectFactory
from functional.helpers import (
    CONFIG,
    FILES,
    FOUNDATION,
    LEAF,
    REQUIRED,
    SEEDS,
    built,
    fingerprints,
    make_ready,
    mark,
    printed,
    statements,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import DbtProject, DuckDbDatabase

pytestmark = pytest.mark.duckdb


@pytest.fixture
def ready(workspace: DbtProject) -> DbtProject:
    """The workspace with all required tables."""
    make_ready(workspace)
    return workspace


@pytest.mark.promise("Build it")
def test_no_database_file_all_required_tables_are_created(workspace: DbtProject):
    """US1.1: the database is made and all required tables are initialized."""
    assert workspace.relations() == {}
    result = workspace.dbt("run", "-s", LEAF)
    assert sorted(built(result)) == sorted(REQUIRED)
    assert workspace.names() == {*REQUIRED, LEAF}
    assert result.statuses == {LEAF: "success"}
    assert len(workspace.rows(LEAF)) == 3


def test_empty_database_all_required_tables_are_created(workspace: DbtProject):
    """US1.2: missing tables are detected and built before the command's first node."""
    workspace.execute("select 1")
    assert workspace.relations() == {}
    result = workspace.dbt("run", "-s", LEAF)
    assert sorted(built(result)) == sorted(REQUIRED)
    names = [event["info"]["name"] for event in result.events]
    last_built = max(
        index
        for index, event in enumerate(result.events)
        if "initialization_complete" in event["info"]["msg"]
    )
    assert last_built < names.index("NodeStart")
    assert len(workspace.rows(LEAF)) == 3


@pytest.mark.promise("Build it")
def test_seeds_are_loaded_before_foundation_models_are_built(workspace: DbtProject):
    """Seeds come before whatever reads them."""
    order = built(workspace.dbt("run", "-s", LEAF))
    assert set(order[:3]) == set(SEEDS)
    assert order[3] == "int_baseline_workforce"
    assert set(order[4:]) == set(FOUNDATION) - {"int_baseline_workforce"}


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.promise("What exists stays")
def test_one_missing_table_is_built_and_no_other_is_touched(shared_workspace: DbtProject, name: str):
    """US1.3: only what is missing is created; the others keep their rows and marks."""
    project = shared_workspace
    make_ready(project)
    whole = fingerprints(project)
    others = [other for other in REQUIRED if other != name]
    mark(project, others)
    project.drop(name)
    before = fingerprints(project)
    result = project.dbt("run", "-s", LEAF)
    after = fingerprints(project)
    assert built(result) == [name]
    assert {other: after[other] for other in others} == {other: before[other] for other in others}
    assert after[name].columns == whole[name].columns
    assert len(after[name].rows) >= len(whole[name].rows)
    assert after[name].comment is None


def test_with_all_present_nothing_is_printed_and_nothing_is_built(ready: DbtProject):
    mark(ready, REQUIRED)
    before = fingerprints(ready)
    result = ready.dbt("run", "-s", LEAF)
    assert printed(result) == []
    assert result.healing_events == []
    after = fingerprints(ready)
    assert {name: after[name] for name in REQUIRED} == {name: before[name] for name in REQUIRED}


@pytest.mark.promise("Next to nothing when nothing is missing")
def test_with_all_present_no_query_is_sent_beyond_dbts_own(
    ready: DbtProject, make_shared_project: SharedProjectFactory
):
    """With nothing missing no query is sent beyond dbt's own relation cache."""
    plain = make_shared_project(FILES, config={**CONFIG, "vars": {}}, install=False)
    assert isinstance(plain.database, DuckDbDatabase)
    assert isinstance(ready.database, DuckDbDatabase)
    shutil.copyfile(ready.database.path, plain.database.path)
    for command in (["run", "-s", LEAF], ["test"]):
        healing = statements(ready.dbt(*command, "--threads", "1"))
        own = statements(plain.dbt(*command, "--threads", "1"))
        assert len(own) >= 3
        assert _without_times(healing) == _without_times(own)


def _without_times(sql: list[str]) -> list[str]:
    """Returns statements without dbt's random names of temporary relations."""
    return [re.sub(r"\d{10,}", "<time>", statement) for statement in sql]


@settings(
    max_examples=5, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(dropped=st.sets(st.sampled_from(REQUIRED), min_size=2))
def test_any_dropped_subset_comes_back_and_all_else_is_untouched(
    shared_workspace: DbtProject, dropped: set[str]
):
    """The issue's property: dropping any subset and running one leaf brings back exactly those."""
    project = shared_workspace
    make_ready(project)
    kept = [name for name in REQUIRED if name not in dropped]
    mark(project, kept)
    project.drop(*sorted(dropped))
    before = fingerprints(project)
    result = project.dbt("run", "-s", LEAF)
    after = fingerprints(project)
    assert sorted(built(result)) == sorted(dropped)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert all(after[name].comment is None and after[name].rows for name in dropped)
