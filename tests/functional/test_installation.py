"""How the package is added to a project: packages.yml and nothing else, or as the first of its own hooks."""

from __future__ import annotations

import json

import pytest
from conftest import ProjectFactory
from functional.helpers import LEAF, REQUIRED, built, events, printed
from support import DbtProject

pytestmark = pytest.mark.duckdb


@pytest.mark.promise("Two entries and it works")
def test_dbt_deps_and_packages_yml_are_all_that_is_needed(make_project: ProjectFactory):
    """Inclusion in packages.yml is all a user does. A real `dbt deps` in real processes."""
    project = make_project(
        {"seeds/bands.csv": "id\n1\n", "models/leaf.sql": "select * from {{ ref('bands') }}"}
    )
    (project.folder / "dbt_packages" / "dbt_selfheal").unlink()
    failed = project.dbt("run", "-s", "leaf", check=False)
    assert "dbt deps" in failed.output
    project.dbt("deps", real_process=True)
    assert (project.folder / "dbt_packages" / "dbt_selfheal" / "dbt_project.yml").exists()
    result = project.dbt("run", "-s", "leaf", real_process=True)
    assert built(result) == ["bands"]
    assert project.rows("leaf") == [(1,)]


def test_the_package_adds_nothing_to_what_a_project_builds(workspace: DbtProject):
    """A user's `dbt build`, `dbt seed` and `dbt ls` are about the user's own nodes."""
    result = workspace.dbt("list", "--output", "json", "--resource-type", "seed", "model", "snapshot", "test")
    nodes = [json.loads(line[line.index("{") :]) for line in result.stdout.splitlines() if "{" in line]
    assert len(nodes) == 10
    assert [node["name"] for node in nodes if node["package_name"] == "dbt_selfheal"] == []


OWN_HOOK = {
    "seeds/bands.csv": "id\n1\n2\n",
    "models/leaf.sql": "select * from {{ ref('bands') }}",
    "macros/count_bands.sql": (
        "{% macro count_bands() %}{% if execute and flags.WHICH == 'run' %}"
        "{% set n = run_query('select count(*) from bands').columns[0].values()[0] %}"
        "{% do log('bands: ' ~ n, info=true) %}{% endif %}{% endmacro %}"
    ),
}


def test_a_project_whose_own_hook_reads_required_tables_calls_ensure_initialized_first(
    make_project: ProjectFactory,
):
    """The root project's hooks run before the package's, which then finds nothing to do."""
    project = make_project(
        OWN_HOOK,
        config={
            "on-run-start": ["{{ dbt_selfheal.ensure_initialized() }}", "{{ count_bands() }}"],
            "vars": {"dbt_selfheal": {"required": ["bands"]}},
        },
    )
    result = project.dbt("run", "-s", "leaf")
    assert built(result) == ["bands"]
    lines = printed(result)
    assert lines[-1] == "bands: 2"
    assert sum(line.startswith("Self-healing: ready") for line in lines) == 1
    assert len(events(result, "initialization_started")) == 1
    again = project.dbt("run", "-s", "leaf")
    assert printed(again) == ["bands: 2"]


def test_a_project_without_on_run_start_needs_no_call(workspace: DbtProject):
    assert "on-run-start" not in (workspace.folder / "dbt_project.yml").read_text()
    assert sorted(built(workspace.dbt("run", "-s", LEAF))) == sorted(REQUIRED)
