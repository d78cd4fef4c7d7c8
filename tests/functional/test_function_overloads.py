"""Functions of the same name for other arguments: dbt 1.12 makes them with the function, in one node."""

from __future__ import annotations

import pytest
from conftest import ProjectFactory
from functional.helpers import built
from support import DbtProject

pytestmark = [pytest.mark.postgres, pytest.mark.dbt_version(">=1.12")]

FILES = {
    "functions/twice.sql": "select amount * 2",
    "functions/twice_text.sql": "select amount || '{{ this.identifier }}' || amount",
    "functions/functions.yml": """
functions:
  - name: twice
    arguments: [{name: amount, data_type: integer}]
    returns: {data_type: integer}
    overloads:
      - {defined_in: twice_text, arguments: [{name: amount, data_type: text}], returns: {data_type: text}}
""",
    "models/doubled.sql": "{{ config(materialized='table') }} select {{ function('twice') }}('a'::text) as w",
    "models/leaf.sql": "select w from {{ ref('doubled') }}",
}


def functions(project: DbtProject) -> list[tuple[str, str]]:
    """Returns arguments and definition of the functions in the project's schema."""
    return project.query(
        "select pg_get_function_identity_arguments(oid), pg_get_functiondef(oid) from pg_proc "
        f"where pronamespace = '{project.database.default_schema}'::regnamespace order by 1"
    )


def test_a_function_is_healed_with_its_overloads(make_project: ProjectFactory):
    project = make_project(FILES)
    assert built(project.dbt("run", "-s", "leaf")) == ["twice", "doubled"]
    assert project.rows("leaf") == [("atwicea",)]
    healed = functions(project)
    assert [arguments for arguments, _ in healed] == ["amount integer", "amount text"]
    project.execute(f"drop schema {project.database.default_schema} cascade")
    project.dbt("build", "-s", "twice")
    assert functions(project) == healed
