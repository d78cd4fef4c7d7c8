"""What the project's and its packages' other hooks read is what the command reads."""

from __future__ import annotations

import re

import pytest
from conftest import ProjectFactory
from functional.helpers import built, plan, statements

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres]

TABLE = "{{ config(materialized='table') }} "
FILES = {
    "seeds/rates.csv": "id\n1\n2\n",
    "models/fct.sql": TABLE + "select id from {{ ref('rates') }}",
    "models/leaf.sql": TABLE + "select 1 as id",
}
COPY = "create table {{ target.schema }}.audit as select id from {{ ref('fct') }}"
# A package whose name comes after ours, so that dbt runs its hooks after ours.
LATER = {
    "dbt_packages/zz_audit/dbt_project.yml": (
        "name: zz_audit\nversion: 1.0.0\nconfig-version: 2\nmodel-paths: [models]\n"
        "on-run-start: [\"create table {{ target.schema }}.audit as select * from {{ ref('levels') }}\"]\n"
    ),
    "dbt_packages/zz_audit/models/levels.sql": TABLE + "select 3 as id",
}


@pytest.mark.promise("See what no edge shows")
def test_what_a_hook_on_run_end_reads_is_healed(make_project: ProjectFactory):
    project = make_project(FILES, config={"on-run-end": [COPY]})
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["rates", "fct"]
    reasons = {step["name"]: step["reason"] for step in plan(result)["steps"]}
    assert reasons["fct"] == "read by a hook on-run-end of shop"
    assert sorted(project.rows("audit")) == [(1,), (2,)]


def test_what_the_command_itself_makes_for_a_hook_on_run_end_is_left_to_it(make_project: ProjectFactory):
    project = make_project(FILES, config={"on-run-end": [COPY]})
    result = project.dbt("build")
    assert built(result) == []
    assert sorted(project.rows("audit")) == [(1,), (2,)]


def test_what_a_hook_of_a_later_package_reads_is_healed(make_project: ProjectFactory):
    project = make_project({**FILES, **LATER})
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["levels"]
    assert project.rows("audit") == [(3,)]


@pytest.mark.promise("See what no edge shows")
def test_what_a_later_hook_on_run_start_reads_is_made_before_even_if_the_command_makes_it(
    make_project: ProjectFactory,
):
    project = make_project({**FILES, **LATER})
    result = project.dbt("build")
    assert built(result) == ["levels"]
    assert project.rows("audit") == [(3,)]
    project.execute(f"drop table {project.database.default_schema}.audit")
    assert built(project.dbt("build")) == []


def test_a_project_puts_its_own_hook_after_the_packages(make_project: ProjectFactory):
    project = make_project(FILES, config={"on-run-start": ["{{ dbt_selfheal.ensure_initialized() }}", COPY]})
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["rates", "fct"]
    assert sorted(project.rows("audit")) == [(1,), (2,)]


@pytest.mark.promise("See what no edge shows")
def test_what_a_hook_reads_only_perhaps_does_not_stop_the_command(make_project: ProjectFactory):
    """It names a model that no hook can build, in a branch that only parsing takes."""
    files = {**FILES, "models/py.py": "def model(dbt, session):\n    return session.sql('select 1 as id')\n"}
    maybe = "{% if execute %}select 1{% else %}select * from {{ ref('py') }}{% endif %}"
    project = make_project(files, config={"on-run-end": [maybe]})
    result = project.dbt("run", "-s", "leaf", check=False)
    assert result.statuses["leaf"] == "success", result.explain()
    assert "py (models/py.py) is missing, and is not built" in " ".join(result.output.split())


def test_with_all_there_no_query_is_sent_for_hooks(make_project: ProjectFactory):
    select = "select count(*) from {{ ref('fct') }}"
    sent = []
    for install in (True, False):
        project = make_project(FILES, config={"on-run-end": [select]}, install=install)
        project.dbt("build")
        found = statements(project.dbt("run", "-s", "leaf"))
        sent.append(sorted(re.sub(r"\d+", "0", sql) for sql in found))
    assert sent[0] == sent[1]


SNAPSHOT = (
    "{{% snapshot {} %}}{{{{ config(unique_key='id', strategy='check', check_cols='all', "
    "target_schema=target.schema) }}}} select id from {{{{ ref({}) }}}}{{% endsnapshot %}}"
)


@pytest.mark.parametrize("certain", [True, False], ids=["read by a snapshot too", "by a hook alone"])
def test_over_what_a_hook_reads_a_command_is_named_that_runs_no_hooks(
    make_project: ProjectFactory, certain: bool
):
    """Every command that dbt runs hooks for would fail at that hook; an operation has none."""
    package = "dbt_packages/zz_audit"
    settings = LATER[f"{package}/dbt_project.yml"].replace("create table", "create or replace view")
    levels = f"{TABLE}select id from {{{{ ref('shop', 'snap') }}}}"
    snapshots = {"snap": "'rates'", **({"other": "'zz_audit', 'levels'"} if certain else {})}
    project = make_project(
        {
            **FILES,
            **{f"snapshots/{name}.sql": SNAPSHOT.format(name, read) for name, read in snapshots.items()},
            f"{package}/dbt_project.yml": settings,
            f"{package}/models/levels.sql": levels,
        }
    )
    said = " ".join(project.dbt_fails("snapshot").output.split())
    assert "snapshot built twice is not built once" in said
    (named,) = re.findall(r"dbt run-operation ensure_initialized --args '(.*?)'", said)
    assert named == ("{select: [snap, levels]}" if certain else "{select: [snap]}")
    project.dbt("run-operation", "ensure_initialized", "--args", named)
    project.dbt("snapshot")
    assert sorted(project.rows("audit")) == [(1,), (2,)]
