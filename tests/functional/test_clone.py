"""`on_missing: clone`: what exists in the environment of --state is cloned from there, as by `dbt clone`."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml
from conftest import ProjectFactory
from functional.helpers import TOTALS as FILES
from functional.helpers import built, events, plan, printed, settings
from support import DbtProject, DbtResult

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres]

TABLE = "{{ config(materialized='table') }}\n"
CLONE = {"vars": settings(on_missing="clone")}
DEFER = ("--defer", "--state", "state")


def with_production(project: DbtProject) -> DbtProject:
    """Adds a target `prod`, builds everything there, with a row of its own, and keeps its state."""
    output = project.database.profile()
    targets = {"dev": output, "prod": {**output, "schema": "prod"}}
    project.write({"profiles.yml": yaml.safe_dump({"shop": {"target": "dev", "outputs": targets}})})
    project.dbt("build", "--target", "prod", "--target-path", "state", env={"DBT_SELFHEAL_ENABLED": "false"})
    project.execute("insert into prod.totals values (9, 90)")
    return project


def cloned(result: DbtResult) -> dict[str, str]:
    """Returns what each cloned node was cloned from, without quotes and database."""
    complete = events(result, "initialization_node_complete")
    return {
        event["unique_id"].split(".")[2]: ".".join(event["cloned_from"].replace('"', "").split(".")[-2:])
        for event in complete
        if event["cloned_from"]
    }


def in_dev(project: DbtProject) -> Mapping[str, str]:
    """Returns the kinds of what is outside of `prod`, by name."""
    return {
        name.split(".")[1]: kind for name, kind in project.relations().items() if not name.startswith("prod.")
    }


def test_a_missing_parent_is_cloned_from_the_other_environment(make_project: ProjectFactory):
    """The parent alone, not what is above it. As `dbt clone` makes it: here, a view."""
    project = with_production(make_project(FILES, config=CLONE))
    before = project.rows("prod.totals")
    result = project.dbt("run", "-s", "leaf", *DEFER)
    assert cloned(result) == {"totals": "prod.totals"}
    assert built(result) == ["totals"]
    assert any("CLONE incremental model" in line and "prod" in line for line in printed(result))
    assert [step["cloned_from"].replace('"', "").split(".")[-1] for step in plan(result)["steps"]] == [
        "totals"
    ]
    assert in_dev(project) == {"totals": "view", "leaf": "table"}
    assert project.rows("leaf") == [(1, 10), (2, 20), (3, 30), (9, 90)]
    assert project.rows("prod.totals") == before
    again = project.dbt("run", "-s", "leaf", *DEFER)
    assert built(again) == []
    assert printed(again) == []


@pytest.mark.promise("Clone instead of build")
def test_a_clone_equals_what_dbt_clone_makes(make_project: ProjectFactory):
    ours, theirs = (
        with_production(make_project(FILES, config=CLONE)),
        with_production(make_project(FILES, config=CLONE)),
    )
    ours.dbt("run", "-s", "leaf", *DEFER)
    theirs.dbt("clone", "-s", "totals", "--state", "state", env={"DBT_SELFHEAL_ENABLED": "false"})
    theirs.dbt("run", "-s", "leaf", *DEFER)
    assert in_dev(ours) == in_dev(theirs)
    for name in in_dev(ours):
        assert ours.columns(name) == theirs.columns(name)
        assert ours.rows(name) == theirs.rows(name)


def test_what_the_other_environment_lacks_is_built_from_clones(make_project: ProjectFactory):
    """A new model that the pull request adds, unselected, whose parent production has."""
    project = with_production(make_project(FILES, config=CLONE))
    project.write(
        {
            "models/fresh.sql": f"{TABLE}select id * 2 as twice from {{{{ ref('totals') }}}}",
            "models/leaf_fresh.sql": f"{TABLE}select * from {{{{ ref('fresh') }}}}",
        }
    )
    result = project.dbt("run", "-s", "leaf_fresh", *DEFER)
    assert built(result) == ["totals", "fresh"]
    assert list(cloned(result)) == ["totals"]
    assert set(project.rows("leaf_fresh")) == {(2,), (4,), (6,), (18,)}


def test_a_seed_and_a_view_are_cloned_too(make_project: ProjectFactory):
    files = {
        **FILES,
        "models/both.sql": TABLE
        + "select i.id from {{ ref('items') }} i join {{ ref('stg_items') }} s on i.id = s.id",
    }
    project = with_production(make_project(files, config=CLONE))
    result = project.dbt("run", "-s", "both", *DEFER)
    assert cloned(result) == {"items": "prod.items", "stg_items": "prod.stg_items"}
    assert project.rows("both") == [(1,), (2,), (3,)]


@pytest.mark.promise("What exists stays")
def test_nothing_that_exists_is_cloned_over(make_project: ProjectFactory):
    project = with_production(make_project(FILES, config=CLONE))
    here = project.database.default_schema
    project.dbt("build", "--exclude", "leaf", "stg_items+", env={"DBT_SELFHEAL_ENABLED": "false"})
    project.execute(f"create table {here}.totals as select 7 as id, 70 as amount")
    result = project.dbt("run", "-s", "leaf", *DEFER)
    assert built(result) == []
    assert project.rows(f"{here}.totals") == [(7, 70)]
    assert project.rows("leaf") == [(7, 70)]


def test_without_another_environment_clone_builds(make_project: ProjectFactory):
    project = make_project(FILES, config=CLONE)
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["items", "stg_items", "totals"]
    assert cloned(result) == {}


def test_a_history_that_exists_elsewhere_is_not_lost(make_project: ProjectFactory):
    """What on_lost_history refuses to build from today's data is cloned whole."""
    snapshot = (
        "{% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols='all') }}\n"
        "select * from {{ ref('totals') }}{% endsnapshot %}"
    )
    project = with_production(make_project({**FILES, "snapshots/kept.sql": snapshot}, config=CLONE))
    project.dbt("run", "-s", "leaf", *DEFER)
    project.dbt("snapshot")
    here = project.database.default_schema
    project.execute(f"drop view {here}.totals")
    assert cloned(project.dbt("snapshot", *DEFER)) == {"totals": "prod.totals"}


def test_the_plan_says_what_is_cloned_from_where(make_project: ProjectFactory):
    """The event has it for every command; the wrapper prints it."""
    project = with_production(make_project(FILES, config=CLONE))
    text = "\n".join(printed(project.dbt("run", "-s", "leaf", *DEFER)))
    assert "CLONE incremental model" in text
    assert "OK cloned incremental model" in text


def test_a_clone_whose_source_is_gone_is_healed(make_project: ProjectFactory):
    """PostgreSQL's views go with what they read: there it is missing, and cloned or built as ever."""
    project = with_production(make_project(FILES, config=CLONE))
    project.dbt("run", "-s", "leaf", *DEFER)
    project.execute("drop schema prod cascade")
    result = project.dbt("run", "-s", "leaf")  # PostgreSQL's views went with what they read
    assert built(result) == ["items", "stg_items", "totals"]
    assert in_dev(project)["totals"] == "table"
    assert project.rows("leaf") == [(1, 10), (2, 20), (3, 30)]


def test_a_clone_of_a_view_whose_source_is_gone_is_healed(make_project: ProjectFactory):
    files = {**FILES, "models/last.sql": f"{TABLE}select id from {{{{ ref('stg_items') }}}}"}
    project = with_production(make_project(files, config=CLONE))
    project.dbt("run", "-s", "last", *DEFER)
    project.execute("drop schema prod cascade")
    assert built(project.dbt("run", "-s", "last")) == ["items", "stg_items"]
    assert project.rows("last") == [(1,), (2,), (3,)]


def test_a_view_of_ones_own_is_left_alone_once_what_it_reads_is_there(make_project: ProjectFactory):
    """Only a table under it was dropped: the view that exists stays as it is, whatever its code is by now."""
    files = {**FILES, "models/last.sql": f"{TABLE}select id from {{{{ ref('stg_items') }}}}"}
    project = make_project(files, config=CLONE)
    project.dbt("build", env={"DBT_SELFHEAL_ENABLED": "false"})
    here = project.database.default_schema
    if project.database.adapter == "postgres":
        pytest.skip("its views go with what they read")
    project.execute(f"drop table {here}.items", f"comment on view {here}.stg_items is 'mine'")
    result = project.dbt("run", "-s", "last")
    assert built(result) == ["items"]
    assert "1 built, " in "\n".join(printed(result))
    assert "another run" not in result.output
    assert project.query("select comment from duckdb_views() where view_name = 'stg_items'") == [("mine",)]


def test_where_the_database_copies_tables_without_cost_a_clone_is_a_table(make_project: ProjectFactory):
    """dbt's other branch, taken on Snowflake, BigQuery and Databricks, where no statement needs a commit."""
    macros = (
        "{% macro can_clone_table() %}{{ return(true) }}{% endmacro %}\n"
        "{% macro create_or_replace_clone(this_relation, defer_relation) %}\n"
        "create table {{ this_relation.render() }} as select * from {{ defer_relation.render() }};\n"
        "commit; begin\n"
        "{% endmacro %}"
    )
    project = with_production(make_project({**FILES, "macros/zero_copy.sql": macros}, config=CLONE))
    result = project.dbt("run", "-s", "leaf", *DEFER)
    assert cloned(result) == {"totals": "prod.totals"}
    assert in_dev(project) == {"totals": "table", "leaf": "table"}
    project.execute("drop table prod.totals cascade")
    assert built(project.dbt("run", "-s", "leaf", *DEFER)) == []
