"""Functions of the project, which models call: nodes of dbt from 1.11 on."""

from __future__ import annotations

import pytest
from conftest import ProjectFactory
from functional.helpers import built
from support import DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.dbt_version(">=1.11")]

TABLE = "{{ config(materialized='table') }} "
FILES = {
    "macros/functions.sql": """
{# dbt-duckdb has no way of its own to make functions. #}
{% macro duckdb__scalar_function_sql(target_relation) %}
create or replace macro {{ target_relation.render() }}(amount) as ({{ model.compiled_code }})
{% endmacro %}
""",
    "functions/twice.sql": "select amount * 2",
    "functions/functions.yml": (
        "functions:\n  - name: twice\n    arguments: [{name: amount, data_type: integer}]\n"
        "    returns: {data_type: integer}\n"
    ),
    "models/doubled.sql": TABLE + "select {{ function('twice') }}(21) as amount",
    "models/again.sql": TABLE + "select {{ function('%s', 'twice') }}(4) as amount",
    "models/leaf.sql": "select amount from {{ ref('doubled') }}",
    "models/other.sql": "select amount from {{ ref('again') }}",
}


@pytest.fixture
def project(make_project: ProjectFactory) -> DbtProject:
    """The project, with nothing built; `again` names the package of the function, too."""
    made = make_project(FILES)
    made.write({"models/again.sql": FILES["models/again.sql"] % made.name})
    return made


@pytest.mark.promise("Healed equals built")
def test_a_function_that_is_missing_is_made_before_what_calls_it(project: DbtProject):
    assert built(project.dbt("run", "-s", "leaf")) == ["twice", "doubled"]
    assert project.rows("leaf") == [(42,)]


def test_a_function_that_is_there_is_not_made_anew(project: DbtProject):
    project.dbt("build", "-s", "twice")
    project.write({"functions/twice.sql": "select amount * 3"})
    assert built(project.dbt("run", "-s", "leaf")) == ["doubled"]
    assert built(project.dbt("run", "-s", "other")) == ["again"]
    assert (project.rows("leaf"), project.rows("other")) == ([(42,)], [(8,)])


def test_a_table_with_the_name_of_a_function_is_not_the_function(project: DbtProject):
    project.execute(f"create schema if not exists {project.database.default_schema}")
    project.execute(f"create table {project.database.default_schema}.twice as select 1 as id")
    assert built(project.dbt("run", "-s", "leaf")) == ["twice", "doubled"]
    assert project.rows("twice") == [(1,)]


def test_a_model_may_have_the_name_of_a_function_that_is_healed(project: DbtProject):
    """A function is no relation of dbt's cache."""
    named = "{{ config(materialized='table', alias='twice') }} select amount from {{ ref('doubled') }}"
    project.write({"models/named.sql": named})
    assert built(project.dbt("run", "-s", "named")) == ["twice", "doubled"]
    assert project.rows("twice") == [(42,)]
