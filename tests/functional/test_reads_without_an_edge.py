"""What a command reads though dbt's graph has no edge for it: sources that the project makes, and `this`."""

from __future__ import annotations

import pytest
from conftest import ProjectFactory
from functional.helpers import built

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres]

TABLE = "{{ config(materialized='table') }} "
SOURCES = (
    'sources:\n  - name: raw\n    schema: "{{ target.schema }}"\n'
    "    tables: [{name: orders}, {name: events}]\n"
)
SEEDS_AS_SOURCES = {
    "seeds/orders.csv": "id\n1\n2\n",
    "models/sources.yml": SOURCES,
    # The name comes before the seed's, so that dbt begins with it.
    "models/a_first.sql": TABLE + "select id from {{ source('raw', 'orders') }}",
}
INCREMENTAL = (
    "{{ config(materialized='incremental') }} select 1 as id "
    "{% if is_incremental() %}where 1 not in (select id from {{ this }}){% endif %}"
)


@pytest.mark.parametrize("command", ["build", "run"])
@pytest.mark.promise("See what no edge shows")
def test_a_seed_that_is_read_as_a_source_by_the_same_command_is_loaded_first(
    make_project: ProjectFactory, command: str
):
    project = make_project(SEEDS_AS_SOURCES)
    result = project.dbt(command, "--threads", "1")
    assert built(result) == ["orders"]
    assert sorted(project.rows("a_first")) == [(1,), (2,)]
    project.execute(f"insert into {project.database.default_schema}.orders values (3)")
    assert built(project.dbt("run")) == []
    assert sorted(project.rows("a_first")) == [(1,), (2,), (3,)]


def test_a_model_that_cannot_be_built_twice_is_named_with_the_two_commands_that_work(
    make_project: ProjectFactory,
):
    """dbt has no edge between the two: which comes first is luck, so it goes on with a warning."""
    files = {
        "models/sources.yml": SOURCES,
        "models/events.sql": INCREMENTAL,
        "models/a_first.sql": TABLE + "select id from {{ source('raw', 'events') }}",
    }
    project = make_project(files)
    result = project.dbt("run", check=False)
    assert built(result) == []
    text = " ".join(result.output.split())
    assert "events (models/events.sql) is missing, and is not built" in text
    assert "dbt build --select events, then this command" in text


@pytest.mark.dbt_version(">=1.9")
@pytest.mark.promise("See what no edge shows")
def test_a_unit_test_with_this_as_input_heals_the_model_itself(make_project: ProjectFactory):
    files = {
        "models/base.sql": TABLE + "select 2 as id",
        "models/inc.sql": (
            "{{ config(materialized='incremental') }} select id from {{ ref('base') }} "
            "{% if is_incremental() %}where id not in (select id from {{ this }}){% endif %}"
        ),
        "models/unit.yml": (
            "unit_tests:\n  - name: only_new\n    model: inc\n"
            "    overrides: {macros: {is_incremental: true}}\n"
            "    given:\n      - {input: ref('base'), rows: [{id: 1}, {id: 2}]}\n"
            "      - {input: this, rows: [{id: 1}]}\n    expect: {rows: [{id: 2}]}\n"
        ),
    }
    project = make_project(files)
    result = project.dbt("test", "-s", "test_type:unit")
    assert built(result) == ["base", "inc"]
    assert set(result.statuses.values()) == {"pass"}


@pytest.mark.promise("See what no edge shows")
def test_the_table_of_another_node_that_a_macro_finds_in_the_graph_is_declared(make_project: ProjectFactory):
    """No edge shows it, and without the declaration dbt's own error follows."""
    files = {
        "macros/other.sql": (
            "{% macro table_of(name) %}"
            "{% if execute %}{% do return(graph.nodes['model.shop.' ~ name].relation_name) %}{% endif %}"
            "{% do return('(select 1 as id)') %}{% endmacro %}"
        ),
        "models/hidden.sql": "{{ config(materialized='table') }}\nselect 7 as id",
        "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ table_of('hidden') }} t",
    }
    project = make_project(files)
    assert "hidden" in project.dbt("run", "-s", "leaf", check=False).output
    result = project.dbt("run", "-s", "leaf", vars={"dbt_selfheal": {"required": ["hidden"]}})
    assert built(result) == ["hidden"]
    assert project.rows("leaf") == [(7,)]
