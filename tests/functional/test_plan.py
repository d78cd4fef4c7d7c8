"""The plan: what is required, what is missing, in which order and why it is built, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from conftest import ProjectFactory
from functional.conftest import SharedProjectFactory
from functional.helpers import (
    FOUNDATION,
    LEAF,
    REQUIRED,
    SEEDS,
    built,
    clear,
    fingerprints,
    make_ready,
    mark,
    plan,
    printed,
    refused,
    settings,
)
from support import DbtProject

pytestmark = pytest.mark.duckdb

FILES = {
    "seeds/customers.csv": "id,name\n1,ada\n2,bob\n",
    "seeds/orders.csv": "id,customer_id,amount\n1,1,10\n2,1,20\n3,2,5\n",
    "models/stg_orders.sql": "{{ config(materialized='view') }}\nselect * from {{ ref('orders') }}",
    "models/eph_named.sql": (
        "{{ config(materialized='ephemeral') }}\n"
        "select o.*, c.name from {{ ref('stg_orders') }} o\n"
        "join {{ ref('customers') }} c on c.id = o.customer_id"
    ),
    "models/eph_large.sql": (
        "{{ config(materialized='ephemeral') }}\nselect * from {{ ref('eph_named') }} where amount >= 10"
    ),
    "models/totals.sql": (
        "with all_of_them as (select * from {{ ref('eph_large') }})\n"
        "select name, sum(amount) as total from all_of_them group by name"
    ),
    "models/leaf.sql": "select * from {{ ref('totals') }}",
    "models/leaf_eph.sql": "select * from {{ ref('eph_large') }}",
    "models/leaf_view.sql": "select * from {{ ref('stg_orders') }}",
    # sources made by a seed and by a model of the project
    "models/from_sources.sql": (
        "select o.id, t.total from {{ source('own', 'orders') }} o, {{ source('own', 'the_totals') }} t"
    ),
    "models/leaf_from_source.sql": "select count(*) as n from {{ source('own', 'the_totals') }}",
    # sources that are not there
    "models/payments.sql": "select * from {{ source('bank', 'payments') }}",
    "models/leaf_payments.sql": "select * from {{ ref('payments') }} p, {{ ref('customers') }} c",
    "models/rates.sql": "select * from {{ source('bank', 'rates') }}",
    "models/leaf_rates.sql": "select * from {{ ref('rates') }}",
    "seeds/rates.csv": "currency,rate\nEUR,1\n",
    # what a hook cannot build
    "models/py_scores.py": (
        "def model(dbt, session):\n    dbt.config(materialized='table')\n"
        "    return dbt.ref('customers').df()\n"
    ),
    "models/leaf_python.sql": "select * from {{ ref('py_scores') }}",
    # a selected node that an unselected missing one needs
    "models/inc_first.sql": "{{ config(materialized='incremental') }}\nselect 1 as id",
    "models/inc_between.sql": "select * from {{ ref('inc_first') }}",
    "models/inc_last.sql": "select * from {{ ref('inc_between') }}",
    "models/tab_first.sql": "select 1 as id",
    "models/tab_between.sql": "select * from {{ ref('tab_first') }}",
    "models/tab_last.sql": "select * from {{ ref('tab_between') }}",
    "models/sources.yml": (
        "version: 2\nsources:\n"
        "  - name: own\n    schema: main\n"
        "    tables: [{name: orders}, {name: the_totals, identifier: totals}]\n"
        "  - name: bank\n    schema: main\n    loader: fivetran\n"
        "    tables: [{name: payments, identifier: bank_payments}, {name: rates, identifier: bank_rates}]\n"
    ),
}
CONFIG: dict[str, Any] = {
    "models": {"shop": {"+materialized": "table"}},
    "seeds": {"shop": {"rates": {"+enabled": False, "+alias": "bank_rates"}}},
}


@pytest.fixture(scope="module")
def shared_graph(make_shared_project: SharedProjectFactory) -> DbtProject:
    return make_shared_project(FILES, config=CONFIG)


@pytest.fixture
def graph(shared_graph: DbtProject) -> DbtProject:
    """A project with every shape of dependency, with no database."""
    clear(shared_graph)
    return shared_graph


@pytest.mark.promise("See what is missing")
def test_the_plan_names_each_node_its_reason_and_its_file_in_build_order(workspace: DbtProject):
    result = workspace.dbt("run-operation", "initialization_plan")
    event = plan(result)
    assert event["state"] == "not_started"
    steps = event["steps"]
    names = [step["name"] for step in steps]
    assert set(names[:3]) == set(SEEDS)
    assert names[3] == "int_baseline_workforce"
    assert set(names[4:]) == set(FOUNDATION) - {"int_baseline_workforce"}
    baseline = steps[3]
    assert baseline["unique_id"] == "model.shop.int_baseline_workforce"
    assert baseline["resource_type"] == "model"
    assert baseline["tier"] == "foundation"
    assert baseline["materialization"] == "table"
    assert baseline["path"] == "models/foundation/int_baseline_workforce.sql"
    assert baseline["relation"] == '"warehouse"."main"."int_baseline_workforce"'
    assert baseline["reason"] == "declared required (tag:foundation)"
    assert baseline["required"] is True
    assert baseline["refusal"] is None
    assert {step["tier"] for step in steps[:3]} == {"seed"}
    assert event["command"] == "dbt build --select " + " ".join(names)
    assert event["postponed"] == []


def test_the_plans_text_has_a_numbered_line_for_each_step_and_says_what_to_run(workspace: DbtProject):
    """What `dbt run-operation initialization_plan` looks like."""
    lines = printed(workspace.dbt("run-operation", "initialization_plan"))
    assert "6" in lines[0]
    assert "missing" in lines[0].lower()
    for number, line in enumerate(lines[1:7], start=1):
        assert line.split()[0] == str(number)
        assert line.split()[1] in {"seed", "model"}
        assert "declared required (tag:" in line
    assert lines[4].split()[2] == "main.int_baseline_workforce"
    assert len({line.index("declared") for line in lines[1:7]}) == 1, "columns are aligned"
    assert "dbt run-operation ensure_initialized" in lines[-1]
    assert max(map(len, lines)) <= 120


def test_the_plan_of_a_complete_workspace_says_that_nothing_is_to_be_built(workspace: DbtProject):
    make_ready(workspace)
    result = workspace.dbt("run-operation", "initialization_plan")
    assert plan(result)["steps"] == []
    assert plan(result)["state"] == "completed"
    assert len(printed(result)) == 1
    assert "Nothing to build" in printed(result)[0]


def test_the_plans_select_replaces_what_is_declared(workspace: DbtProject):
    result = workspace.dbt(
        "run-operation", "initialization_plan", args={"select": ["int_baseline_workforce"]}
    )
    reasons = {step["name"]: step["reason"] for step in plan(result)["steps"]}
    assert reasons == {
        "int_baseline_workforce": "declared required",
        **dict.fromkeys(SEEDS, "parent of int_baseline_workforce"),
    }


def test_the_reasons_tell_what_is_read_by_the_command_from_what_is_a_parent(graph: DbtProject):
    result = graph.dbt("run", "-s", "leaf")
    reasons = {step["name"]: step["reason"] for step in plan(result)["steps"]}
    assert reasons == {
        "totals": "read by leaf",
        "stg_orders": "parent of eph_named",
        "customers": "parent of eph_named",
        "orders": "parent of stg_orders",
    }
    assert built(result)[:2] == ["customers", "orders"]
    assert built(result)[2:] == ["stg_orders", "totals"]


def test_nested_ephemeral_parents_are_passed_through_and_not_built(graph: DbtProject):
    result = graph.dbt("run", "-s", "leaf_eph")
    assert sorted(built(result)) == ["customers", "orders", "stg_orders"]
    assert graph.rows("leaf_eph") == [(1, 1, 10, "ada"), (2, 1, 20, "ada")]
    result = graph.dbt("run", "-s", "leaf")
    assert built(result) == ["totals"]
    assert graph.rows("totals") == [("ada", 30)]


@pytest.mark.promise("See what is missing")
def test_the_dropped_table_under_a_view_that_exists_comes_back(graph: DbtProject):
    """A view over a dropped table is a "table does not exist" in waiting."""
    graph.dbt("run", "-s", "leaf_view")
    graph.execute("comment on view stg_orders is 'marked before'")
    graph.drop("orders")
    result = graph.dbt("run", "-s", "leaf_view")
    assert built(result) == ["orders"]
    assert fingerprints(graph)["stg_orders"].comment == "marked before"


@pytest.mark.promise("See what is missing")
def test_a_table_that_exists_ends_the_search_its_parents_are_not_required(graph: DbtProject):
    graph.dbt("run", "-s", "leaf")
    graph.drop("orders", "customers")
    result = graph.dbt("run", "-s", "leaf")
    assert built(result) == []
    assert printed(result) == []


def test_a_missing_source_that_a_model_of_the_project_makes_is_healed_by_building_it(graph: DbtProject):
    result = graph.dbt("run", "-s", "leaf_from_source")
    assert set(built(result)) == {"customers", "orders", "stg_orders", "totals"}
    assert graph.rows("leaf_from_source") == [(1,)]


def test_sources_that_a_missing_model_reads_are_made_before_it(graph: DbtProject):
    result = graph.dbt("run-operation", "ensure_initialized", args={"select": ["from_sources"]})
    order = built(result)
    assert set(order) == {"customers", "orders", "stg_orders", "totals", "from_sources"}
    assert order[-1] == "from_sources"
    assert len(graph.rows("from_sources")) == 3


@pytest.mark.promise("See what is missing")
def test_a_missing_source_is_an_error_that_names_source_table_and_loader(graph: DbtProject):
    output = refused(graph, "run", "-s", "leaf_payments")
    assert "bank.payments" in output
    assert '"warehouse"."main"."bank_payments"' in output
    assert "fivetran" in output
    assert "payments (models/payments.sql)" in output
    assert "models/sources.yml" in output
    assert "customers" not in graph.names(), "nothing was built"


def test_the_plan_names_the_sources_that_are_missing(graph: DbtProject):
    """What it shows is what healing then does: nothing."""
    result = graph.dbt("run-operation", "initialization_plan", args={"select": ["leaf_payments"]})
    (source,) = plan(result)["missing_sources"]
    assert (source["name"], source["read_by"], source["stops"]) == (
        "bank.payments",
        "model.shop.payments",
        True,
    )
    assert "It is read by payments (models/payments.sql)" in source["message"]
    assert any("Missing source: bank.payments" in line for line in printed(result))
    assert plan(graph.dbt("run-operation", "initialization_plan"))["missing_sources"] != []


def test_with_the_source_there_the_same_command_succeeds(graph: DbtProject):
    graph.execute("create table bank_payments as select 1 as payment_id")
    result = graph.dbt("run", "-s", "leaf_payments")
    assert set(built(result)) == {"customers", "payments"}
    assert graph.rows("leaf_payments") == [(1, 1, "ada"), (1, 2, "bob")]


def test_a_missing_source_whose_maker_is_disabled_is_an_error_that_says_so(graph: DbtProject):
    output = refused(graph, "run", "-s", "leaf_rates")
    assert "bank.rates" in output
    assert "seed rates (seeds/rates.csv)" in output
    assert "disabled" in output
    assert "enable it" in output


@pytest.mark.promise("See what is missing")
def test_a_python_model_is_refused_and_all_that_does_not_need_it_is_built(graph: DbtProject):
    output = refused(graph, "run", "-s", "leaf_python", builds=["customers"])
    assert "1 of 2 missing relations cannot be built from a hook" in output
    assert "py_scores (models/py_scores.py)" in output
    assert "Python" in output
    assert "1 were built and stay" in output
    assert "dbt build --select py_scores" in output
    assert graph.names() <= {"leaf_python", "customers"}
    again = refused(graph, "run", "-s", "leaf_python")
    assert "1 of 1 missing relations cannot be built from a hook" in again
    assert "The other" not in again
    assert "Nothing was built" in again


def test_the_plan_shows_a_python_model_and_the_command(graph: DbtProject):
    result = graph.dbt("run-operation", "initialization_plan", args={"select": ["py_scores"]})
    event = plan(result)
    refusals = {step["name"]: step["refusal"] for step in event["steps"]}
    assert refusals["customers"] is None
    assert "Python" in refusals["py_scores"]
    assert event["command"] == "dbt build --select customers py_scores"
    assert event["command"] in "\n".join(printed(result))
    shown = [line for line in printed(result) if "cannot be built from a hook: " in line]
    assert shown == [f"     cannot be built from a hook: {refusals['py_scores']}"]


@pytest.mark.dbt_version(">=1.9")
def test_a_microbatch_model_is_refused_and_its_parent_is_built(make_shared_project: SharedProjectFactory):
    project = make_shared_project(
        {
            "models/events.sql": (
                "{{ config(materialized='table', event_time='at') }}\n"
                "select 1 as id, timestamp '2026-01-01' as at"
            ),
            "models/batched.sql": (
                "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at',\n"
                "    begin='2026-01-01', batch_size='day', unique_key='id') }}\n"
                "select * from {{ ref('events') }}"
            ),
            "models/leaf.sql": "select * from {{ ref('batched') }}",
        }
    )
    output = refused(project, "run", "-s", "leaf", builds=["events"])
    assert "batched (models/batched.sql)" in output
    assert "microbatch" in output
    assert "dbt build --select batched" in output
    assert project.names() == {"events"}


def test_what_needs_a_refused_model_through_an_ephemeral_one_is_held_up_and_no_line_has_all_names(
    make_shared_project: SharedProjectFactory,
):
    """A chain of fifteen behind a Python model, and a table beside it."""
    files = {
        "models/beside.sql": "{{ config(materialized='table') }} select 1 as id",
        "models/py.py": "def model(dbt, session):\n    return session.sql('select 1 as id')\n",
        "models/inline.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('py') }}",
        "models/m0.sql": "{{ config(materialized='table') }} select * from {{ ref('inline') }}",
        "models/leaf.sql": "select m.id from {{ ref('m14') }} m join {{ ref('beside') }} using (id)",
    }
    for number in range(1, 15):
        files[f"models/m{number}.sql"] = f"select * from {{{{ ref('m{number - 1}') }}}}"
    project = make_shared_project(files)
    output = refused(project, "run", "-s", "leaf", builds=["beside"])
    assert "16 of 17 missing relations cannot be built from a hook" in output
    assert "The other 15 need it." in output
    command = output.split("this command again:")[1].split()  # dbt 1.8 goes on, and says more
    assert command[:2] == ["dbt", "build"]
    assert "--select" not in command
    assert "dbt build --select +m14" in refused(project, "run", "-s", "leaf")


def test_a_selected_incremental_that_an_unselected_missing_node_needs_is_refused(graph: DbtProject):
    """Built twice it would not equal an incremental that is built once."""
    output = refused(graph, "run", "-s", "inc_first", "inc_last")
    assert "inc_first (models/inc_first.sql)" in output
    assert "dbt build --select inc_first inc_between" in output


def test_a_selected_table_that_an_unselected_missing_node_needs_is_built(graph: DbtProject):
    result = graph.dbt("run", "-s", "tab_first", "tab_last")
    assert built(result) == ["tab_first", "tab_between"]
    assert result.statuses == {"tab_first": "success", "tab_last": "success"}
    assert graph.rows("tab_last") == [(1,)]


def test_what_is_only_declared_and_reads_what_the_command_builds_is_postponed(workspace: DbtProject):
    """It cannot be built before the command; the next command builds it."""
    result = workspace.dbt("run", "-s", "int_baseline_workforce")
    assert set(built(result)) == set(SEEDS)
    assert set(plan(result)["postponed"]) == {
        "model.shop.int_employee_compensation_by_year",
        "model.shop.int_employee_benefits",
    }
    assert workspace.names() == {*SEEDS, "int_baseline_workforce"}
    result = workspace.dbt("run", "-s", "int_baseline_workforce")
    assert set(built(result)) == set(FOUNDATION) - {"int_baseline_workforce"}


def test_a_selected_node_is_not_required_even_when_declared(workspace: DbtProject):
    result = workspace.dbt("build", "-s", "tag:config", "tag:foundation")
    assert built(result) == []
    assert workspace.names() == set(REQUIRED)


def test_a_declared_node_is_healed_by_a_command_that_does_not_read_it(workspace: DbtProject):
    make_ready(workspace)
    others = [name for name in REQUIRED if name != "config_age_bands"]
    mark(workspace, others)
    workspace.drop("config_age_bands")
    before = fingerprints(workspace)
    result = workspace.dbt("run", "-s", LEAF)
    assert built(result) == ["config_age_bands"]
    assert {name: fingerprints(workspace)[name] for name in others} == {name: before[name] for name in others}


def test_with_nothing_declared_only_what_the_command_reads_is_healed(workspace: DbtProject):
    make_ready(workspace)
    workspace.drop("config_age_bands", "int_employee_benefits")
    result = workspace.dbt("run", "-s", LEAF, vars=settings(required=[]))
    assert built(result) == ["int_employee_benefits"]
    assert "config_age_bands" not in workspace.names()


def test_a_source_written_in_another_case_than_its_table_is_there(make_shared_project: SharedProjectFactory):
    """DuckDB's names have no case: plain dbt reads this source, so healing must not call it missing."""
    project = make_shared_project(
        {
            "models/middle.sql": "select * from {{ source('loaded', 'payments') }}",
            "models/leaf.sql": "select * from {{ ref('middle') }}",
            "models/sources.yml": (
                "version: 2\nsources:\n"
                "  - {name: loaded, schema: main, tables: [{name: payments, identifier: PAYMENTS}]}\n"
            ),
        }
    )
    project.execute("create table payments as select 1 as id")
    assert built(project.dbt("run", "-s", "leaf")) == ["middle"]


def test_what_a_deferred_parent_is_read_from_elsewhere_is_not_missing(make_project: ProjectFactory):
    """--defer: what dbt reads elsewhere is not missing here."""
    project = make_project(
        {
            "models/middle.sql": "{{ config(materialized='table') }}\nselect 1 as id",
            "models/other.sql": "{{ config(materialized='table') }}\nselect * from {{ ref('middle') }}",
            "models/leaf.sql": "select m.id from {{ ref('middle') }} m, {{ ref('other') }} o",
        }
    )
    output = project.database.profile()
    targets = {"dev": output, "prod": {**output, "schema": "prod"}}
    project.write({"profiles.yml": yaml.safe_dump({"shop": {"target": "dev", "outputs": targets}})})
    project.dbt("run", "--target", "prod", "--target-path", "state")
    result = project.dbt("run", "-s", "leaf", "--defer", "--state", "state")
    assert built(result) == []
    assert set(project.relations()) == {"prod.middle", "prod.other", "prod.leaf", "main.leaf"}
    project.drop("main.leaf", "prod.middle")
    project.execute("create table prod.middle as select 7 as id")
    project.dbt("run", "-s", "other")
    assert project.rows("main.other") == [(1,)], "without --defer its parent is built here"
