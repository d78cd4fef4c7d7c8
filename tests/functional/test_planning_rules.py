"""The planning rules: options and kinds of nodes that change what a command reads; refusals."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ProjectFactory
from functional.helpers import TOTALS as FILES
from functional.helpers import built, hook_errors_stop, plan, printed
from support import ROOT, DbtProject

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres]

TABLE = "{{ config(materialized='table') }}\n"
ROWS = [(1, 10), (2, 20), (3, 30)]


def rows(project: DbtProject, relation: str) -> list[tuple[Any, ...]]:
    """Returns a relation's rows, sorted by their numbers."""
    return sorted(project.rows(relation))


def with_production(project: DbtProject) -> DbtProject:
    """Adds a target `prod`, builds everything there and keeps the state under `state`."""
    output = project.database.profile()
    targets = {"dev": output, "prod": {**output, "schema": "prod"}}
    project.write({"profiles.yml": yaml.safe_dump({"shop": {"target": "dev", "outputs": targets}})})
    project.dbt("build", "--target", "prod", "--target-path", "state")
    return project


def in_dev(project: DbtProject) -> set[str]:
    """Returns the names of what is outside of `prod`."""
    return {relation.split(".")[1] for relation in project.relations() if not relation.startswith("prod.")}


def stopped(project: DbtProject, *arguments: str, **options: Any) -> str:
    """Runs dbt, which the package must stop before anything is built; dbt 1.8 goes on to its nodes.

    Returns:
        What dbt printed.
    """
    before = set(project.relations())
    result = project.dbt(*arguments, check=False, **options)
    assert "dbt_selfheal" in result.output, result.explain()
    assert result.returncode > 0, result.explain()
    assert built(result) == []
    if hook_errors_stop(result):
        assert set(result.statuses.values()) <= {"skipped"}, result.explain()
        assert set(project.relations()) == before
    return result.output


# ------------------------------------------------------------------------------------ --defer, --favor-state


@pytest.mark.promise("See what is missing")
def test_with_defer_what_is_here_is_read_here_and_with_favor_state_there(make_project: ProjectFactory):
    project = with_production(make_project(FILES))
    here = project.database.default_schema
    project.dbt("build", "--exclude", "leaf")
    project.execute(f"insert into {here}.totals values (4, 40)", "insert into prod.totals values (9, 90)")
    result = project.dbt("run", "-s", "leaf", "--defer", "--state", "state")
    assert built(result) == []
    assert rows(project, "leaf") == [*ROWS, (4, 40)]
    result = project.dbt("run", "-s", "leaf", "--defer", "--favor-state", "--state", "state")
    assert built(result) == []
    assert rows(project, "leaf") == [*ROWS, (9, 90)]


def test_a_deferred_parent_that_the_other_environment_lacks_is_healed_here(make_project: ProjectFactory):
    """Its own parents are there, and are read there."""
    project = with_production(make_project(FILES))
    project.execute("drop table prod.totals cascade", "update prod.items set amount = amount + 1")
    result = project.dbt("run", "-s", "leaf", "--defer", "--state", "state")
    assert built(result) == ["totals"]
    assert rows(project, "leaf") == [(number, amount + 1) for number, amount in ROWS]
    assert in_dev(project) == {"totals", "leaf"}


def test_with_favor_state_the_environment_that_lacks_a_parent_is_named(make_project: ProjectFactory):
    project = with_production(make_project(FILES))
    project.execute("drop table prod.totals cascade")
    favor = ["run", "-s", "leaf", "--defer", "--favor-state", "--state", "state"]
    result = project.dbt(*favor, check=False)
    assert built(result) == []
    assert "totals is read from" in result.output
    assert "it is missing in the environment of --state" in " ".join(result.output.split())


def test_what_an_existing_view_reads_is_here_whatever_is_deferred(make_project: ProjectFactory):
    files = {
        **FILES,
        "models/view.sql": "{{ config(materialized='view') }}\nselect id from {{ ref('totals') }}",
        "models/last.sql": f"{TABLE}select id from {{{{ ref('view') }}}}",
    }
    project = with_production(make_project(files))
    project.dbt("build")
    if project.database.adapter == "postgres":
        pytest.skip("its views go with what they read")
    project.execute(f"drop table {project.database.default_schema}.totals")
    result = project.dbt("run", "-s", "last", "--defer", "--state", "state")
    assert built(result) == ["totals"]
    assert rows(project, "last") == [(1,), (2,), (3,)]


def test_a_model_that_the_state_does_not_know_is_healed_and_reads_its_deferred_parents_there(
    make_project: ProjectFactory,
):
    project = with_production(make_project(FILES))
    project.execute("insert into prod.totals values (9, 90)")
    project.write(
        {
            "models/fresh.sql": f"{TABLE}select id * 2 as twice from {{{{ ref('totals') }}}}",
            "models/leaf_fresh.sql": "{{ config(materialized='table') }}\nselect * from {{ ref('fresh') }}",
        }
    )
    result = project.dbt("run", "-s", "leaf_fresh", "--defer", "--state", "state")
    assert built(result) == ["fresh"]
    assert rows(project, "leaf_fresh") == [(2,), (4,), (6,), (18,)]
    assert in_dev(project) == {"fresh", "leaf_fresh"}


def test_with_favor_state_a_healed_model_reads_the_state_even_where_this_environment_has_the_relation(
    make_project: ProjectFactory,
):
    project = with_production(make_project(FILES))
    project.dbt("build", "--exclude", "leaf")
    project.execute("insert into prod.totals values (9, 90)")
    project.write(
        {
            "models/fresh.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('totals') }}",
            "models/leaf_fresh.sql": "{{ config(materialized='table') }}\nselect * from {{ ref('fresh') }}",
        }
    )
    favor = ["run", "-s", "leaf_fresh", "--defer", "--favor-state", "--state", "state"]
    assert built(project.dbt(*favor)) == ["fresh"]
    assert rows(project, "leaf_fresh") == [(1,), (2,), (3,), (9,)]


# --------------------------------------------------------------------------------------- names of relations


def test_relations_may_have_the_names_of_a_dicts_methods(make_project: ProjectFactory):
    """What is there is a dict by name: `there['items']` is its method where there is no such relation."""
    names = ["clear", "copy", "get", "items", "keys", "pop", "update", "values"]
    models = {f"models/{name}.sql": f"{TABLE}select '{name}' as name" for name in names}
    leaf = " union all ".join(f"select name from {{{{ ref('{name}') }}}}" for name in names)
    project = make_project({**models, "models/leaf.sql": TABLE + leaf})
    result = project.dbt("run", "-s", "leaf")
    assert sorted(built(result)) == names
    assert sorted(project.rows("leaf")) == [(name,) for name in names]


# ---------------------------------------------------------------------- --empty, --sample, --full-refresh


def test_with_empty_what_is_healed_is_whole_and_the_log_says_so(make_project: ProjectFactory):
    project = make_project(FILES)
    result = project.dbt("run", "-s", "leaf", "--empty")
    assert built(result) == ["items", "stg_items", "totals"]
    assert rows(project, "totals") == ROWS
    assert rows(project, "leaf") == []
    assert [line for line in printed(result) if "--empty" in line and "whole" in line]


@pytest.mark.dbt_version(">=1.10")
def test_with_sample_what_is_healed_is_whole_and_the_log_says_so(make_project: ProjectFactory):
    project = make_project(
        {
            "models/events.sql": (
                "{{ config(materialized='table', event_time='seen_at') }}\n"
                "select 1 as id, cast('2026-01-01 10:00:00' as timestamp) as seen_at\n"
                "union all select 2, cast('2026-01-02 10:00:00' as timestamp)"
            ),
            "models/copied.sql": (
                "{{ config(materialized='table', event_time='seen_at') }}\nselect * from {{ ref('events') }}"
            ),
            "models/leaf.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('copied') }}",
        }
    )
    sample = "{'start': '2026-01-02', 'end': '2026-01-03'}"
    result = project.dbt("run", "-s", "leaf", "--sample", sample)
    assert built(result) == ["events", "copied"]
    assert [row[0] for row in project.rows("copied")] == [1, 2]
    assert project.rows("leaf") == [(2,)]
    assert [line for line in printed(result) if "--sample" in line and "whole" in line]


def test_full_refresh_heals_what_is_missing_and_refreshes_only_what_is_selected(make_project: ProjectFactory):
    project = make_project(
        {
            **FILES,
            "models/more.sql": (
                "{{ config(materialized='incremental') }}\nselect id from {{ ref('items') }}\n"
                "{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}"
            ),
            "models/leaf.sql": (
                "{{ config(materialized='incremental') }}\n"
                "select t.id, t.amount from {{ ref('totals') }} t join {{ ref('more') }} m on m.id = t.id"
            ),
        }
    )
    project.dbt("build")
    project.drop("more")
    for relation in ("items", "totals", "leaf"):
        project.execute(f"insert into {relation} values (7, 70)")
    result = project.dbt("run", "-s", "leaf", "--full-refresh")
    assert built(result) == ["more"]
    assert rows(project, "more") == [(1,), (2,), (3,), (7,)], "from the seed as it is"
    assert rows(project, "totals") == [*ROWS, (7, 70)], "it is not selected"
    assert rows(project, "items") == [*ROWS, (7, 70)]
    assert rows(project, "leaf") == [*ROWS, (7, 70)], (
        "made anew: its own extra row is gone, its parents' is read"
    )


# ---------------------------------------------------------------------------------------------- dbt retry


@pytest.mark.promise("Finish first")
def test_after_an_error_of_healing_the_same_command_again_succeeds(make_project: ProjectFactory):
    """`dbt retry` has nothing to say here: dbt 1.9 and later record no node where a hook stops the run."""
    project = make_project(
        {
            "models/payments.sql": "select * from {{ source('bank', 'payments') }}",
            "models/leaf.sql": "{{ config(materialized='table') }}\nselect * from {{ ref('payments') }}",
            "models/sources.yml": (
                "version: 2\nsources:\n  - name: bank\n"
                "    schema: '{{ target.schema }}'\n    tables: [{name: payments, identifier: raw}]\n"
            ),
        }
    )
    assert "bank.payments" in stopped(project, "run", "-s", "leaf")
    schema = project.database.default_schema
    project.execute(f"create schema if not exists {schema}", f"create table {schema}.raw (id integer)")
    assert built(project.dbt("run", "-s", "leaf")) == ["payments"]


def test_retry_after_a_failed_node_heals_what_the_skipped_ones_read(make_project: ProjectFactory):
    project = make_project(
        {
            **FILES,
            "seeds/names.csv": "id,name\n1,ada\n",
            "models/breaks.sql": f"{TABLE}select no_such_column from {{{{ ref('totals') }}}}",
            "models/after.sql": (
                "{{ config(materialized='table') }}\n"
                "select n.id from {{ ref('breaks') }} b, {{ ref('names') }} n"
            ),
        }
    )
    project.dbt_fails("run", "-s", "breaks", "after")
    assert {"totals", "names"} <= project.names()
    project.drop("names")
    project.write(
        {"models/breaks.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('totals') }}"}
    )
    result = project.dbt("retry")
    assert built(result) == ["names"]
    assert result.statuses == {"breaks": "success", "after": "success"}


# ------------------------------------------------------------------------------------ unit and data tests


@pytest.mark.promise("See what is missing")
def test_a_unit_test_heals_the_parents_of_the_model_that_it_tests_and_not_the_model(
    make_project: ProjectFactory,
):
    project = make_project(
        {
            **FILES,
            "models/unit.yml": (
                "version: 2\nunit_tests:\n  - name: leaf_is_totals\n    model: leaf\n"
                "    given:\n      - {input: ref('totals'), rows: [{id: 1, amount: 5}]}\n"
                "    expect: {rows: [{id: 1, amount: 5}]}\n"
            ),
        }
    )
    result = project.dbt("test", "-s", "test_type:unit")
    assert built(result) == ["items", "stg_items", "totals"]
    assert "leaf" not in project.names()
    assert result.statuses == {"leaf": "pass"}
    assert built(project.dbt("test", "-s", "test_type:unit")) == []


@pytest.mark.promise("See what is missing")
def test_a_data_test_heals_everything_that_it_reads(make_project: ProjectFactory):
    project = make_project(
        {
            **FILES,
            "seeds/names.csv": "id,name\n1,ada\n2,bob\n3,cyd\n",
            "models/eph.sql": "{{ config(materialized='ephemeral') }}\nselect id from {{ ref('stg_items') }}",
            "tests/all_named.sql": (
                "select e.id from {{ ref('eph') }} e\nwhere e.id not in (select id from {{ ref('names') }})"
            ),
            "models/tests.yml": (
                "version: 2\nmodels:\n  - name: leaf\n    columns:\n"
                "      - name: id\n        data_tests:\n"
                "          - relationships: {name: leaf_has_names, to: ref('names'), field: id}\n"
                "          - not_null: {name: leaf_not_null, config: {store_failures: true}}\n"
            ),
        }
    )
    result = project.dbt("test", "-s", "all_named")
    assert sorted(built(result)) == ["items", "names", "stg_items"]
    project.drop("names")
    result = project.dbt("test", "-s", "leaf_has_names")
    assert sorted(built(result)) == ["leaf", "names", "totals"]
    project.drop("leaf")
    result = project.dbt("test", "-s", "leaf_not_null")
    assert built(result) == ["leaf"]
    assert result.statuses == {"leaf_not_null": "pass"}


# ------------------------------------------------- exposures, metrics, semantic models, saved queries


SEMANTIC: Mapping[str, str] = {
    **FILES,
    "models/days.sql": "{{ config(materialized='table') }}\nselect cast('2026-01-01' as date) as date_day",
    "models/orders.sql": (
        "{{ config(materialized='table') }}\n"
        "select id, amount, cast('2026-01-01' as date) as ordered_on from {{ ref('totals') }}"
    ),
    "models/semantic.yml": """
version: 2
models:
  - name: days
    time_spine: {standard_granularity_column: date_day}
    columns: [{name: date_day, granularity: day}]
semantic_models:
  - name: sem_orders
    model: ref('orders')
    defaults: {agg_time_dimension: ordered_on}
    entities: [{name: order_entity, type: primary, expr: id}]
    dimensions: [{name: ordered_on, type: time, type_params: {time_granularity: day}}]
    measures: [{name: amount_sum, agg: sum, expr: amount}]
metrics:
  - name: total_amount
    label: Total amount
    type: simple
    type_params: {measure: amount_sum}
saved_queries:
  - name: amounts
    query_params: {metrics: [total_amount]}
exposures:
  - name: weekly
    type: dashboard
    owner: {name: someone, email: someone@example.com}
    depends_on: [ref('orders'), ref('leaf')]
""",
}


@pytest.mark.dbt_version(">=1.9")
def test_exposures_metrics_semantic_models_and_saved_queries_in_a_selection_read_nothing(
    make_project: ProjectFactory,
):
    project = make_project(SEMANTIC)
    kinds = ["exposure:weekly", "metric:total_amount", "semantic_model:sem_orders", "saved_query:amounts"]
    result = project.dbt("build", "-s", *kinds)
    assert built(result) == []
    assert in_dev(project) == set()
    result = project.dbt("build", "-s", *kinds, "leaf")
    assert built(result) == ["items", "stg_items", "totals"]
    assert result.statuses["leaf"] == "success"
    assert in_dev(project) == {"items", "stg_items", "totals", "leaf"}


@pytest.mark.dbt_version(">=1.9")
def test_what_stands_one_step_above_an_exposure_is_healed_from(make_project: ProjectFactory):
    project = make_project(SEMANTIC)
    result = project.dbt("run", "-s", "1+exposure:weekly")
    assert built(result) == ["items", "stg_items", "totals"]
    assert {name: result.statuses[name] for name in ("leaf", "orders")} == {
        "leaf": "success",
        "orders": "success",
    }


# ------------------------------------------------------------------------- disabled nodes and sources


def test_a_disabled_parent_is_dbts_own_error_and_nothing_is_built(make_project: ProjectFactory):
    project = make_project({**FILES, "models/totals.sql": "{{ config(enabled=false) }}\nselect 1 as id"})
    result = project.dbt_fails("run", "-s", "leaf")
    assert "totals" in result.output
    assert "disabled" in result.output
    assert in_dev(project) == set()


SOURCES: Mapping[str, str] = {
    "seeds/raw_items.csv": "id\n1\n2\n",
    "models/reads_source.sql": f"{TABLE}select id from {{{{ source('own', 'items') }}}}",
    "models/sources.yml": (
        "version: 2\nsources:\n  - name: own\n    schema: '{{ target.schema }}'\n"
        "    tables:\n      - name: items\n        identifier: raw_items\n"
        "        columns: [{name: id, data_tests: [{not_null: {name: items_not_null}}]}]\n"
    ),
}


@pytest.mark.promise("See what is missing")
def test_a_missing_source_that_a_seed_makes_is_healed_for_a_model_and_for_a_test(
    make_project: ProjectFactory,
):
    project = make_project(SOURCES)
    result = project.dbt("run", "-s", "reads_source")
    assert built(result) == ["raw_items"]
    assert rows(project, "reads_source") == [(1,), (2,)]
    project.drop("raw_items")
    result = project.dbt("test", "-s", "items_not_null")
    assert built(result) == ["raw_items"]
    assert result.statuses == {"items_not_null": "pass"}


def test_a_source_that_is_there_is_not_built_again_though_a_seed_makes_it(make_project: ProjectFactory):
    project = make_project(SOURCES)
    schema = project.database.default_schema
    project.execute(f"create schema if not exists {schema}", f"create table {schema}.raw_items (id integer)")
    result = project.dbt("run", "-s", "reads_source")
    assert built(result) == []
    assert rows(project, "reads_source") == []


# ------------------------------------------------------------------------------------------ refusals


QUACK = """
from pathlib import Path

from dbt.adapters.base import AdapterPlugin
from dbt.adapters.duckdb import DuckDBAdapter, DuckDBConnectionManager, DuckDBCredentials


class QuackConnectionManager(DuckDBConnectionManager):
    TYPE = "quack"


class QuackCredentials(DuckDBCredentials):
    @property
    def type(self):
        return "quack"


class QuackAdapter(DuckDBAdapter):
    ConnectionManager = QuackConnectionManager


Plugin = AdapterPlugin(
    adapter=QuackAdapter,
    credentials=QuackCredentials,
    include_path=str(Path(__file__).parents[2] / "include" / "quack"),
    dependencies=["duckdb"],
)
"""


@pytest.fixture
def quack(make_project: ProjectFactory, tmp_path: Path) -> tuple[DbtProject, dict[str, Any]]:
    """A project on an adapter that has no file: DuckDB's under another name.

    Returns:
        The project, and the options that its dbt needs.
    """
    plugin = tmp_path / "plugin" / "dbt"
    for folder in (plugin / "adapters" / "quack", plugin / "include" / "quack" / "macros"):
        folder.mkdir(parents=True)
    (plugin / "adapters" / "quack" / "__init__.py").write_text(QUACK)
    (plugin / "adapters" / "quack" / "__version__.py").write_text('version = "1.0.0"\n')
    description = "name: dbt_quack\nversion: 1.0.0\nconfig-version: 2\nmacro-paths: [macros]\n"
    (plugin / "include" / "quack" / "dbt_project.yml").write_text(description)
    project = make_project(FILES)
    project.write_profile(type="quack")
    return project, {"real_process": True, "env": {"PYTHONPATH": os.fspath(plugin.parent)}}


@pytest.fixture(autouse=True)
def only_where_it_exists(request: pytest.FixtureRequest, adapter_name: str) -> None:
    """Leaves the tests of the other adapter out on PostgreSQL: it is DuckDB's under another name."""
    if "quack" in request.fixturenames and adapter_name != "duckdb":
        pytest.skip("the adapter without a file is made from DuckDB's")


def test_on_an_adapter_without_a_file_healing_says_so_and_heals(quack: tuple[DbtProject, dict[str, Any]]):
    project, options = quack
    result = project.dbt("run", "-s", "leaf", **options)
    assert built(result) == ["items", "stg_items", "totals"]
    assert "Self-healing: no file for quack" in result.output
    assert "WARNING" not in result.output
    assert rows(project, "leaf") == ROWS
    again = project.dbt("run", "-s", "leaf", **options)
    assert "no file" not in again.output, "with nothing missing nothing is said"


def test_on_an_adapter_without_a_file_on_missing_fail_stops_with_the_command(
    quack: tuple[DbtProject, dict[str, Any]],
):
    project, options = quack
    output = stopped(project, "run", "-s", "leaf", vars={"dbt_selfheal": {"on_missing": "fail"}}, **options)
    assert "dbt build --select items stg_items totals" in output
    assert in_dev(project) <= {"leaf"}


def test_what_an_adapter_without_a_file_cannot_answer_is_an_error_with_its_name(
    quack: tuple[DbtProject, dict[str, Any]],
):
    project, options = quack
    ask = "{% macro ask() %}{% do dbt_selfheal._names_in_schema(target) %}{% endmacro %}"
    project.write({"macros/ask.sql": ask})
    output = project.dbt_fails("run-operation", "ask", **options).output
    assert "the adapter quack cannot be asked what is in the schema main" in output
    assert "docs/adapters.md" in output


@pytest.mark.promise("What exists stays")
def test_where_nothing_can_be_locked_each_node_is_looked_for_once_more_before_it_is_built(
    make_project: ProjectFactory, adapter_name: str
):
    """Here a hook plays the other run: it makes `second` while healing is at `first`."""
    traits = f"dict(dbt_selfheal.{adapter_name}___traits(), looks_again=true, try_lock=none, builder=none)"
    hook = "create table {{ this | string | replace('first', 'second') }} as select 7 as id"
    project = make_project(
        {
            "macros/traits.sql": f"{{% macro {adapter_name}___traits() %}}{{% do return({traits}) %}}"
            "{% endmacro %}",
            "models/first.sql": f'{{{{ config(materialized="table", post_hook="{hook}") }}}} select 1 as id',
            "models/second.sql": f"{TABLE}select id from {{{{ ref('first') }}}}",
            "models/last.sql": f"{TABLE}select id from {{{{ ref('second') }}}}",
        },
        config={"dispatch": [{"macro_namespace": "dbt_selfheal", "search_order": ["shop", "dbt_selfheal"]}]},
    )
    result = project.dbt("run", "-s", "last")
    assert built(result) == ["first"]
    assert "1 built by another run meanwhile" in result.output
    assert project.rows("last") == [(7,)]


def test_a_dbt_outside_of_the_declared_range_is_refused_by_dbt_naming_the_package(
    make_project: ProjectFactory,
):
    """dbt 1.x enforces the range; what it says of a version outside of it is clear."""
    declared = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["require-dbt-version"]
    assert declared == [">=1.8.0", "<3.0.0"]
    project = make_project(FILES)
    package = project.folder / "dbt_packages" / "dbt_selfheal"
    package.unlink()
    shutil.copytree(ROOT / "macros", package / "macros")
    description = (ROOT / "dbt_project.yml").read_text().replace('">=1.8.0", "<3.0.0"', '">=2.0.0", "<3.0.0"')
    (package / "dbt_project.yml").write_text(description)
    result = project.dbt_fails("run", "-s", "leaf")
    assert "dbt_selfheal" in result.output
    assert "version" in result.output
    assert "2.0.0" in result.output
    assert in_dev(project) == set()


def test_the_plan_names_what_is_healed_under_defer_only_once(make_project: ProjectFactory):
    """Deferred parents do not appear in the plan."""
    project = with_production(make_project(FILES))
    result = project.dbt("run-operation", "initialization_plan", args={"select": ["leaf"]})
    assert [step["name"] for step in plan(result)["steps"]] == ["items", "stg_items", "totals", "leaf"]


@pytest.mark.parametrize(
    "call", ["truncate_relation(ref('raw'))", "alter_column_type(ref('raw'), 'id', 'bigint')", "note()"]
)
@pytest.mark.promise("See what is missing")
def test_statements_in_a_models_code_run_once_and_not_ahead_of_time(make_project: ProjectFactory, call: str):
    """To find out what a model reads its code may be compiled: not where that sends a statement.

    Also by dbt's own macros, and under `if execute`, where dbt does not note that they are called.
    """
    note = "{% do run_query('create table ' ~ target.schema ~ '.noted as select 1 as id') %}"
    project = make_project(
        {
            "macros/note.sql": f"{{% macro note() %}}{note}{{% endmacro %}}",
            "models/raw.sql": f"{TABLE}select 1 as id",
            "models/leaf.sql": f"{TABLE}{{% do {call} if execute %}}\nselect id from {{{{ ref('raw') }}}}",
        }
    )
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["raw"]
    wanted = 0 if "truncate" in call else 1
    assert len(project.rows("leaf")) == len(project.rows("raw")) == wanted


OWN_REF = {
    "macros/own_ref.sql": (
        "{% macro project_of() %}{% do return(builtins.ref.config.project_name) %}{% endmacro %}\n"
        "{% macro reader() %}{% do return(builtins.ref.model.name) %}{% endmacro %}\n"
        "{% macro known() %}{% do return(var.has_var('x')) %}{% endmacro %}\n"
    ),
    "models/leaf.sql": "{{ config(materialized='table') }}\nselect said from {{ ref('mid') }}",
}


def test_a_macro_that_asks_dbts_own_ref_for_the_project_is_answered(make_project: ProjectFactory):
    """As Elementary's do: builtins.ref.config."""
    mid = f"{TABLE}select '{{{{ project_of() }}}}' as said"
    project = make_project({**OWN_REF, "models/mid.sql": mid})
    assert built(project.dbt("run", "-s", "leaf")) == ["mid"]
    assert project.rows("leaf") == [("shop",)]


@pytest.mark.parametrize(
    ("call", "reason"), [("reader()", "builtins.ref"), ("known()", "var.has_var()")], ids=["ref", "var"]
)
def test_what_a_hook_cannot_answer_is_refused_also_under_if_execute(
    make_project: ProjectFactory, call: str, reason: str
):
    """dbt does not note a call that it does not come to when it parses."""
    mid = f"{TABLE}select '{{% if execute %}}{{{{ {call} }}}}{{% endif %}}' as said"
    project = make_project({**OWN_REF, "models/mid.sql": mid})
    assert reason in stopped(project, "run", "-s", "leaf")


@pytest.mark.parametrize("namespace", ["", ", 'kit'"], ids=["without", "with"])
def test_a_macro_of_a_package_that_both_have_is_refused_only_if_it_is_dispatched_without_a_namespace(
    make_project: ProjectFactory, namespace: str
):
    """Dbt then finds the package's first, and from a hook it would be the root project's."""
    shade = "{% macro default__shade() %}'of the {}'{% endmacro %}\n"
    dispatch = f"{{% macro shade() %}}{{{{ adapter.dispatch('shade'{namespace})() }}}}{{% endmacro %}}\n"
    project = make_project(
        {
            "dbt_packages/kit/dbt_project.yml": "name: kit\nversion: 1.0.0\nconfig-version: 2\n",
            "dbt_packages/kit/macros/kit.sql": dispatch + shade.replace("{}", "package"),
            "dbt_packages/kit/models/tinted.sql": f"{TABLE}select {{{{ shade() }}}} as tint",
            "macros/own.sql": shade.replace("{}", "project"),
            "models/leaf.sql": f"{TABLE}select tint from {{{{ ref('tinted') }}}}",
        }
    )
    if namespace:
        assert built(project.dbt("run", "-s", "leaf")) == ["tinted"]
        assert project.rows("leaf") == [("of the project",)]
    else:
        output = " ".join(stopped(project, "run", "-s", "leaf").split())
        assert "its package dispatches shade without a namespace" in output
    project.dbt("build", "-s", "+leaf")
    assert project.rows("leaf") == [(f"of the {'project' if namespace else 'package'}",)]


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("select id from {{ ref('a') if target.name == 'x' else ref('b') }}", {"b"}),
        ("select id from {{ ref('a') and ref('b') }}", {"b"}),
        ("select id from {{ref('a') and ref('b')}}", {"b"}),
        ("select id from {{ ref('b') }} {{ '-' ~ '- ' ~ ref('a') }}", {"b"}),
        (
            "select id from {% if target.name == 'x' %}{{ ref('a') }}{% else %}{{ ref('b') }}{% endif %}",
            {"b"},
        ),
        (
            "{% for name in ['a', 'b'] if name == 'b' %}select id from {{ ref(name) }}{% endfor %}"
            "{% if not execute %}{{ ref('a') ~ ref('b') }}{% endif %}",
            {"b"},
        ),
        ("{% set one = ref('a') %}{% set other = ref('b') %}select id from {{ other }}", {"b"}),
        ("{{ one_of(ref('a'), ref('b')) }}", {"b"}),
        ("select id from {{ ref('a') }} union all select id from {{- ref( \"b\" ) -}}", {"a", "b"}),
        ("select id from {{ ref('shop', 'b') }} union all select id from {{ ref('a') ~ '' }}", {"a", "b"}),
    ],
    ids=["either", "last", "tight", "commented out", "if", "for", "set", "macro", "both", "with text"],
)
@pytest.mark.promise("See what is missing")
def test_what_an_expression_decides_is_read_as_it_decides(
    make_project: ProjectFactory, code: str, read: set[str]
):
    """A ref is taken for certain only where it is the whole of an expression."""
    project = make_project(
        {
            "macros/one_of.sql": "{% macro one_of(one, other) %}select id from {{ other }}{% endmacro %}",
            "models/a.sql": f"{TABLE}select 1 as id",
            "models/b.sql": f"{TABLE}select 2 as id",
            "models/mid.sql": f"{{{{ config(materialized='table') }}}} {code}",
            "models/leaf.sql": f"{TABLE}select id from {{{{ ref('mid') }}}}",
        }
    )
    assert set(built(project.dbt("run", "-s", "leaf"))) == {*read, "mid"}


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        ("{{ config(materialized='nowhere') }}select 1 as id", "the materialization nowhere is not found"),
        (f"{TABLE}select id from {{{{ source('raw', 'events') }}}}", "there is no raw.events."),
        (f"{TABLE}select id from {{{{ ref('above') }}}}", "there is no above."),
    ],
    ids=["refused", "source", "parent"],
)
def test_what_only_a_nodes_hook_reads_stops_nothing(make_project: ProjectFactory, gone: str, why: str):
    """Though its code is plain: a parent that the code does not name is not known to be needed."""
    project = make_project(
        {
            "models/sources.yml": "sources: [{name: raw, tables: [{name: events}]}]",
            "models/above.sql": f"{TABLE}select id from {{{{ source('raw', 'events') }}}}",
            "models/gone.sql": gone,
            "models/mid.sql": "select id from {{ ref('base') }}",
            "models/base.sql": "select 1 as id",
            "models/leaf.sql": f"{TABLE}select id from {{{{ ref('mid') }}}}",
        },
        config={"models": {"shop": {"mid": {"+post-hook": "select '{{ ref(\"gone\").identifier }}'"}}}},
    )
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["base", "mid"]
    assert f"gone (models/gone.sql) is missing, and is not built: {why}" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("ref('nobody')", "depends on ref('nobody'), which is not found or disabled"),
        ("source('raw', 'nobody')", "depends on a source named 'raw.nobody' which is not found or disabled"),
    ],
    ids=["ref", "source"],
)
def test_what_a_healed_model_names_under_if_execute_and_is_not_there_is_named(
    make_project: ProjectFactory, call: str, said: str
):
    """Dbt notes no such call when it parses, so that its own check does not come first."""
    project = make_project(
        {
            "models/mid.sql": f"{TABLE}select 1 as id{{% if execute %}} from {{{{ {call} }}}}{{% endif %}}",
            "models/leaf.sql": f"{TABLE}select id from {{{{ ref('mid') }}}}",
        }
    )
    assert said in " ".join(stopped(project, "run", "-s", "leaf").split())


def test_a_missing_source_is_not_made_by_an_analysis_of_its_name(make_project: ProjectFactory):
    schema = "{{ target.schema }}"
    project = make_project(
        {
            "models/sources.yml": f"sources: [{{name: raw, schema: '{schema}', tables: [{{name: events}}]}}]",
            "analyses/events.sql": "select 1 as id",
            "models/mid.sql": f"{TABLE}select id from {{{{ source('raw', 'events') }}}}",
            "models/leaf.sql": f"{TABLE}select id from {{{{ ref('mid') }}}}",
        }
    )
    assert "the source raw.events is missing" in " ".join(stopped(project, "run", "-s", "leaf").split())


def test_a_model_that_is_ephemeral_now_is_not_there_because_its_old_table_is(make_project: ProjectFactory):
    project = make_project(
        {
            "models/first.sql": TABLE + "select 1 as id",
            "models/between.sql": "{{ config(materialized='ephemeral') }} select id from {{ ref('first') }}",
            "models/leaf.sql": TABLE + "select id from {{ ref('between') }}",
        }
    )
    schema = project.database.default_schema
    project.execute(f"create schema if not exists {schema}")
    project.execute(f"create table {schema}.between as select 9 as id")
    assert built(project.dbt("run", "-s", "leaf")) == ["first"]
    assert (project.rows("leaf"), project.rows("between")) == ([(1,)], [(9,)])


def test_a_materialization_that_says_it_leaves_no_relation_is_not_run_whatever_it_creates(
    make_project: ProjectFactory,
):
    logs = "create table if not exists {{ target.schema }}.notes (at varchar(20))"
    project = make_project(
        {
            "macros/note.sql": "{% materialization note, default %}"
            f"{{% call statement('main') %}}{logs}{{% endcall %}}"
            "{{ return({'relations': []}) }}{% endmaterialization %}",
            "models/written.sql": "{{ config(materialized='note') }} select 1 as id",
            "models/first.sql": TABLE + "select 1 as id",
        }
    )
    assert built(project.dbt("run-operation", "ensure_initialized")) == ["first"]
    assert project.names() == {"first"}
