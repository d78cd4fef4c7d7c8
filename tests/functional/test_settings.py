"""The settings: what each does; a wrong one is an error that names it and leaves the database alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from functional.helpers import (
    FOUNDATION,
    LEAF,
    REQUIRED,
    SEEDS,
    built,
    events,
    fingerprints,
    hook_errors_stop,
    make_ready,
    plan,
    printed,
    refused,
    settings,
)
from support import DbtProject

pytestmark = pytest.mark.duckdb


@pytest.fixture
def one_missing(workspace: DbtProject) -> DbtProject:
    """The workspace with all required tables but one."""
    make_ready(workspace)
    workspace.drop("census", LEAF)
    return workspace


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        (
            settings(on_mising="warn", timeout_seconds="soon", history="perhaps"),
            ["vars.dbt_selfheal.on_mising", "vars.dbt_selfheal.timeout_seconds", "vars.dbt_selfheal.history"],
        ),
        (
            settings(on_mising="warn"),
            ["vars.dbt_selfheal.on_mising", "Did you mean: on_missing?", "timeout_seconds", "--vars"],
        ),
        (
            settings(timeout_seconds="soon"),
            ["vars.dbt_selfheal.timeout_seconds", "seconds", "soon"],
        ),
        ({"dbt_selfheal": ["enabled"]}, ["vars.dbt_selfheal", "dictionary", "enabled"]),
        (
            settings(required=["config_age_band"]),
            ["config_age_band", "no enabled node", "Did you mean: config_age_bands", "dbt ls"],
        ),
        (settings(required=["tag:no_such"]), ["vars.dbt_selfheal.required", "tag:no_such"]),
        (settings(required=["path:models/no_such"]), ["vars.dbt_selfheal.required", "path:models/no_such"]),
    ],
    ids=[
        "all-at-once",
        "unknown-key",
        "wrong-type",
        "not-a-dict",
        "unknown-name",
        "unmatched-tag",
        "unmatched-path",
    ],
)
@pytest.mark.promise("Settings")
def test_a_wrong_setting_is_an_error_that_names_it_and_leaves_the_database_as_it_was(
    one_missing: DbtProject, values: dict[str, Any], parts: list[str]
):
    output = refused(one_missing, "run", "-s", LEAF, vars=values)
    for part in parts:
        assert part in output


def test_a_required_node_that_is_disabled_is_an_error_that_names_its_file(one_missing: DbtProject):
    one_missing.write(
        {"models/switched_off.sql": "{{ config(enabled=false) }}\nselect 1 as id"},
    )
    try:
        output = refused(one_missing, "run", "-s", LEAF, vars=settings(required=["switched_off"]))
    finally:
        one_missing.remove("models/switched_off.sql")
    assert "switched_off" in output
    assert "disabled" in output
    assert "models/switched_off.sql" in output


def test_a_wrong_setting_in_dbt_project_yml_is_an_error_that_names_that_file(one_missing: DbtProject):
    path = one_missing.folder / "dbt_project.yml"
    before = path.read_text()
    one_missing.configure(vars=settings(targets={"prod": True}))
    try:
        output = refused(one_missing, "run", "-s", LEAF)
    finally:
        path.write_text(before)
    assert "vars.dbt_selfheal.targets" in output
    assert "dbt_project.yml" in output


def test_a_path_requires_the_nodes_below_it(workspace: DbtProject):
    result = workspace.dbt(
        "run-operation", "ensure_initialized", vars=settings(required=["path:seeds/census.csv"])
    )
    assert built(result) == ["census"]
    result = workspace.dbt(
        "run-operation", "ensure_initialized", vars=settings(required=["path:models/foundation/"])
    )
    assert sorted(built(result)) == sorted(set(REQUIRED) - {"census"})


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("package:shop", {*REQUIRED, LEAF, "benefits_history"}),
        ("package:this", {*REQUIRED, LEAF, "benefits_history"}),
        ("resource_type:seed", set(SEEDS)),
        ("file:census.csv", {"census"}),
        ("fqn:shop.foundation", {*FOUNDATION}),
        ("config.materialized:incremental", {"int_employee_compensation_by_year"}),
        ("config_*", {name for name in SEEDS if name.startswith("config_")}),
        ("tag:conf*", {*SEEDS}),
    ],
)
@pytest.mark.promise("Settings")
def test_dbts_own_methods_say_what_is_required(workspace: DbtProject, entry: str, expected: set[str]):
    """As `dbt ls --select` says it for seeds, snapshots and models."""
    result = workspace.dbt("run-operation", "initialization_plan", vars=settings(required=[entry]))
    assert {name.split(".")[2] for name in plan(result)["required"]} == expected
    listed = workspace.dbt("ls", "-s", entry, "--resource-types", "seed snapshot model", "--output", "name")
    assert {line.split()[-1] for line in listed.stdout.splitlines()} >= expected


def test_vars_on_the_command_line_override_key_by_key(workspace: DbtProject):
    """`required` of dbt_project.yml stays in force when --vars sets another key."""
    result = workspace.dbt("run-operation", "ensure_initialized", vars=settings(timeout_seconds=333))
    assert sorted(built(result)) == sorted(REQUIRED)
    (started,) = events(result, "initialization_started")
    assert started["timeout_seconds"] == 333


def test_strings_and_templates_are_understood_as_values(workspace: DbtProject):
    values = settings(
        enabled="true", timeout_seconds="{{ 100 + 11 }}", required=["census"], on_missing="{{ 'bu' ~ 'ild' }}"
    )
    result = workspace.dbt("run-operation", "ensure_initialized", vars=values)
    assert built(result) == ["census"]
    (started,) = events(result, "initialization_started")
    assert started["timeout_seconds"] == 111


@pytest.mark.parametrize("value", [False, "false"])
@pytest.mark.promise("Off means off")
def test_enabled_false_makes_the_package_inert(workspace: DbtProject, value: object):
    result = workspace.dbt("run", "-s", LEAF, vars=settings(enabled=value), check=False)
    _assert_inert(workspace, result)


@pytest.mark.parametrize("value", ["false", "0"])
def test_the_environment_variable_makes_the_package_inert(workspace: DbtProject, value: str):
    result = workspace.dbt("run", "-s", LEAF, env={"DBT_SELFHEAL_ENABLED": value}, check=False)
    _assert_inert(workspace, result)


def _assert_inert(project: DbtProject, result: Any) -> None:
    """Asserts that dbt has failed in its own words, with nothing printed or built by the package."""
    assert result.returncode == 1, result.explain()
    assert result.statuses == {LEAF: "error"}
    assert re.search(r"Table with name \w+ does not exist", result.output)
    assert printed(result) == []
    assert result.healing_events == []
    assert project.relations() == {}


def test_when_off_not_even_a_wrong_list_of_required_names_matters(workspace: DbtProject):
    make_ready(workspace)
    result = workspace.dbt("run", "-s", LEAF, vars=settings(enabled=False, required=["no_such_node"]))
    assert printed(result) == []


def test_when_off_ensure_initialized_says_that_it_did_nothing(workspace: DbtProject):
    result = workspace.dbt("run-operation", "ensure_initialized", env={"DBT_SELFHEAL_ENABLED": "false"})
    assert workspace.relations() == {}
    (line,) = printed(result)
    assert "off" in line


@pytest.mark.promise("Settings")
def test_on_missing_fail_stops_and_prints_the_command_that_builds_it(one_missing: DbtProject):
    output = refused(one_missing, "run", "-s", LEAF, vars=settings(on_missing="fail"))
    assert "census" in output
    assert "dbt build --select census" in output


def test_on_missing_warn_warns_builds_nothing_and_lets_the_command_run(one_missing: DbtProject):
    before = fingerprints(one_missing)
    result = one_missing.dbt("run", "-s", LEAF, vars=settings(on_missing="warn"))
    assert built(result) == []
    assert "dbt build --select census" in " ".join(result.output.split())
    assert any(event["info"]["level"] == "warn" for event in result.events)
    assert result.statuses == {LEAF: "success"}, "the leaf's own parents are there"
    after = fingerprints(one_missing)
    assert {name: after[name] for name in before} == before


def test_outside_of_the_targets_nothing_is_healed(workspace: DbtProject):
    result = workspace.dbt("run", "-s", LEAF, vars=settings(targets=["ci", "prod"]), check=False)
    _assert_inert(workspace, result)
    result = workspace.dbt("run", "-s", LEAF, vars=settings(targets=["ci", "dev"]))
    assert sorted(built(result)) == sorted(REQUIRED)


SLOW = (
    "{% if execute %}"
    "{% set end = modules.datetime.datetime.now() + modules.datetime.timedelta(seconds=2) %}\n"
    "{% for i in range(99999) if modules.datetime.datetime.now() < end %}"
    "{% for j in range(2000) %}{% endfor %}{% endfor %}{% endif %}\n"
)


@pytest.mark.promise("A time limit")
def test_the_time_limit_stops_between_nodes_leaves_what_was_built_and_a_repeat_finishes(
    workspace: DbtProject,
):
    path = "models/foundation/int_baseline_workforce.sql"
    make_ready(workspace)
    workspace.drop("int_baseline_workforce", "int_employee_benefits", LEAF)
    before = fingerprints(workspace)
    workspace.write({path: SLOW + (workspace.folder / path).read_text()})
    result = workspace.dbt("run", "-s", LEAF, vars=settings(timeout_seconds=1.5), check=False)
    output = " ".join(result.output.split())
    assert built(result) == ["int_baseline_workforce"]
    assert "time limit of 1.5 s" in output
    assert "1 of 2" in output
    assert "vars.dbt_selfheal.timeout_seconds" in output
    after = fingerprints(workspace)
    assert len(after["int_baseline_workforce"].rows) == 3
    assert {name: after[name] for name in before} == before
    if hook_errors_stop(result):
        assert result.returncode > 0
        assert set(result.statuses.values()) <= {"skipped"}
    result = workspace.dbt("run", "-s", LEAF)
    assert built(result) == ["int_employee_benefits"]
    assert result.statuses == {LEAF: "success"}
