"""The command on dbt v2: it heals in one go, and what it healed is what a plain build makes."""

from __future__ import annotations

import json

import catalog
import pytest
from conftest import ProjectFactory
from dbt2.conftest import FILES, MISSING, REFUSING, facts
from dbt2.test_hook import TIMES
from support import DbtProject
from wrapper.conftest import Cli

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.dbt_version(">=2.0a1")]


@pytest.mark.promise("dbt v2", cases="all")
def test_exec_heals_in_one_go_and_healed_equals_built(
    cli: Cli, project: DbtProject, make_project: ProjectFactory
) -> None:
    done = cli(project, "exec", "--timeout", "200", "--", "dbt", "run", "-s", "leaf")
    assert project.names() == {*MISSING, "leaf"}
    assert "10 required relations are missing; building with dbt's own nodes" in done.stderr
    assert "10 of 10 OK" in done.stderr
    assert "dbt-selfheal: ready in" in done.stderr
    assert "selfheal: 10 relations" not in done.output, "what the first run said is not shown"
    assert done.stdout.count("Execution Summary") == 1
    plain = make_project(FILES, install=False)
    plain.dbt("build")
    assert catalog.differences(facts(plain), facts(project), TIMES) == []
    again = cli(project, "exec", "--json", "--", "dbt", "run", "-s", "leaf")
    assert (again.document["way"], again.document["tables_created"]) == ("none", [])


def test_the_json_of_exec_has_steps_and_what_was_built(cli: Cli, project: DbtProject) -> None:
    found = cli(project, "exec", "--json", "--timeout", "200", "--", "dbt", "build", "-s", "orders").document
    assert (found["state"], found["way"]) == ("completed", "native")
    assert sorted(found["tables_created"]) == ["raw_orders", "raw_people"]
    steps = {step["name"]: step["success"] for step in found["steps"]}
    assert steps == dict.fromkeys(["preflight", "acquire_lock", "check_tables", "load_seeds", "verify"], True)


def test_ensure_plan_status_and_another_program(cli: Cli, project: DbtProject) -> None:
    plan = cli(project, "plan", "--json", "-s", "orders").document
    assert [step["name"] for step in plan["steps"]] == ["raw_orders", "raw_people", "orders"]
    assert sorted(plan["steps"][2]["parents"]) == ["seed.shop.raw_orders", "seed.shop.raw_people"]
    assert (plan["way"], plan["blocked"]) == ("native", None)
    done = cli(project, "exec", "-s", "+orders", "--json", "--", "echo", "then this")
    assert sorted(json.loads(done.stdout[: done.stdout.rindex("}") + 1])["result"]["tables_created"]) == [
        "orders", "raw_orders", "raw_people",
    ]  # fmt: skip
    assert "then this" in done.output
    assert cli(project, "status", "--json", "-s", "orders").document["state"] == "completed"
    built = cli(project, "ensure", "--json", "--timeout", "200").document
    assert (built["way"], len(built["tables_created"])) == ("native", len(MISSING) - 3)
    assert cli(project, "ensure", "--json").document["way"] in ("none", "warm")
    assert "selects no enabled" in cli(project, "ensure", "-s", "nope", code=7).stderr


def test_show_has_what_it_reads(cli: Cli, project: DbtProject) -> None:
    shown = cli(project, "exec", "--", "dbt", "show", "-s", "order_view")
    assert "ADA" in shown.stdout
    assert project.names() == {"raw_orders", "raw_people", "orders"}


def test_what_is_given_inline_has_what_it_reads(cli: Cli, project: DbtProject) -> None:
    shown = cli(project, "exec", "--", "dbt", "show", "--inline", "select name from {{ ref('order_view') }}")
    assert "ADA" in shown.stdout
    assert "order_view" in project.names()


def test_compile_has_what_asking_nodes_read_and_no_more(cli: Cli, project: DbtProject) -> None:
    asks = (
        "{% set columns = adapter.get_columns_in_relation(ref('orders')) %}select {{ columns | length }} as n"
    )
    project.write({"models/asks.sql": asks})
    cli(project, "exec", "--", "dbt", "compile", "-s", "leaf")
    assert project.names() == set()
    cli(project, "exec", "--", "dbt", "compile", "-s", "asks")
    assert project.names() == {"raw_orders", "raw_people", "orders"}
    compiled = next((project.folder / "target").rglob("compiled/**/asks.sql")).read_text()
    assert "select 0 as n" not in compiled


def test_target_and_variables_of_the_command_are_those_of_the_healing(
    cli: Cli, make_project: ProjectFactory
) -> None:
    project = make_project(
        {
            "models/base.sql": "{{ config(materialized='table') }} select '{{ var('who') }}' as who",
            "models/leaf.sql": "{{ config(materialized='table') }} select * from {{ ref('base') }}",
        }
    )
    cli(project, "exec", "--", "dbt", "run", "-s", "leaf", "--vars", '{who: "me & you"}', "--threads", "1")
    assert project.rows("base") == [("me & you",)]


def test_that_the_hook_did_not_run_is_said(cli: Cli, make_project: ProjectFactory) -> None:
    project = make_project({"models/leaf.sql": "select 1 as id"})
    (project.folder / "dbt_packages" / "dbt_selfheal").unlink()
    project.write({"dbt_packages/dbt_selfheal/dbt_project.yml": "name: dbt_selfheal\nconfig-version: 2\n"})
    done = cli(project, "exec", "--", "dbt", "run")
    assert "the on-run-start hook of the package dbt_selfheal did not run" in done.said
    assert project.names() == {"leaf"}


def test_what_is_set_to_fail_or_warn_is_not_built(cli: Cli, project: DbtProject) -> None:
    project.configure(vars={"dbt_selfheal": {"on_missing": "fail"}})
    failed = cli(project, "exec", "--", "dbt", "run", "-s", "orders", code=7)
    assert "2 relations that this command reads are missing" in failed.said
    assert "dbt build --exclude-resource-type test unit_test --select seed.shop" in failed.said
    assert project.names() == set()


def test_what_needs_dbt_v1_says_so(cli: Cli, project: DbtProject) -> None:
    project.write({"macros/health.sql": "{% macro health_report() %}{% endmacro %}"})
    refused = cli(project, "health", code=8)
    assert "health_report runs on dbt v1 only" in refused.output


def test_ensure_builds_what_does_not_need_a_refused_node(cli: Cli, make_project: ProjectFactory) -> None:
    quoted = "{{ config(schema='a\"b') }} select 1 as id"
    project = make_project({**REFUSING, "models/grown.sql": quoted})
    failed = cli(project, "ensure", code=1)
    assert "model grown (models/grown.sql): its database, schema or alias holds a quote" in failed.said
    assert project.names() == {"raw", "other"}
