"""The test infrastructure itself: it runs the real dbt and reports truly what dbt did."""

from __future__ import annotations

import os
import time
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from support import DbtError, Environment, PostgresServer

BAD = "{{ config(materialized='table') }} select * from nowhere_at_all"  # a view of it, SQLite would accept
MODELS = {
    "models/one.sql": "select 1 as id",
    "models/two.sql": "{{ config(materialized='table') }} select id + 1 as id from {{ ref('one') }}",
    "models/three.sql": "{{ config(materialized='table') }} select id + 1 as id from {{ ref('two') }}",
}


def test_a_run_builds_what_dbt_builds_and_reports_it(make_project):
    project = make_project(MODELS, install=False)
    result = project.dbt("run")
    assert result.statuses == {"one": "success", "two": "success", "three": "success"}
    schema = project.database.default_schema
    assert project.relations() == {
        f"{schema}.one": "view",
        f"{schema}.two": "table",
        f"{schema}.three": "table",
    }
    assert project.rows("three") == [(3,)]
    assert [name for name, _ in project.columns("three")] == ["id"]
    assert "Completed successfully" in result.output
    assert "Completed successfully" in result.log
    assert result.manifest["metadata"]["project_name"] == "shop"
    project.drop("one", "two") if project.database.adapter != "postgres" else project.drop("one")
    assert "one" not in project.names()


def test_an_invocation_leaves_nothing_to_the_next_one(make_project):
    project = make_project(MODELS, install=False)
    first = project.dbt("run", "--select", "one", vars={"x": 1}, env={"DBT_TARGET_PATH": "elsewhere"})
    second = project.dbt("ls")
    assert (project.folder / "elsewhere").exists()
    assert first.run_results is None  # it was written elsewhere
    assert "one" in first.log
    assert "Running with dbt" in second.log
    assert "run" not in second.command
    assert first.events[0]["info"]["invocation_id"] != second.events[0]["info"]["invocation_id"]


def test_a_failing_dbt_is_an_error_that_shows_command_and_output(make_project):
    project = make_project({"models/bad.sql": BAD}, install=False)
    with pytest.raises(DbtError, match=r"(?s)dbt run.*exit code 1.*nowhere_at_all"):
        project.dbt("run")
    assert project.dbt_fails("run", "--no-such-option").returncode == 2
    with pytest.raises(DbtError, match="should have failed"):
        project.dbt_fails("ls")


def test_the_console_script_and_the_fork_server_return_the_same(make_project):
    project = make_project({"models/one.sql": "select 1 as id", "models/bad.sql": BAD}, install=False)
    forked = project.dbt_fails("run")
    real = project.dbt_fails("run", real_process=True)
    assert forked.returncode == real.returncode
    assert forked.statuses == real.statuses
    assert forked.manifest["nodes"].keys() == real.manifest["nodes"].keys()


@pytest.mark.duckdb  # for range()
def test_a_timeout_kills_dbt_and_its_processes(make_project):
    query = "select count(*) as n from range(1000000000000) t(i) where i % 7 = 3"
    project = make_project({"models/slow.sql": "{{ config(materialized='table') }} " + query}, install=False)
    running = project.start("run")
    started = time.monotonic()
    with pytest.raises(DbtError, match="killed after the timeout of 2 s"):
        running.wait(timeout=2)
    assert time.monotonic() - started < 12
    assert not running.is_running
    assert is_gone(running.process.pid)


def is_gone(group: int) -> bool:
    """Tells whether a process group has ended, waiting a little until init has collected the orphans."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_two_invocations_run_at_once_and_can_be_waited_for(make_project):
    first, second = make_project(MODELS, install=False), make_project(MODELS, install=False)
    running = [first.start("run"), second.start("run")]
    running[0].wait_for("Running with dbt")
    assert [process.wait().returncode for process in running] == [0, 0]


def test_the_variables_of_the_surroundings_do_not_reach_dbt(make_project, monkeypatch):
    monkeypatch.setenv("DBT_TARGET", "no_such_target")
    monkeypatch.setenv("DBT_SELFHEAL_ENABLED", "false")
    project = make_project(
        {"models/v.sql": 'select \'{{ env_var("DBT_SELFHEAL_ENABLED", "absent") }}\' as v'}, install=False
    )
    project.dbt("run")
    assert project.query(f"select v from {project.database.quoted('v')}") == [("absent",)]


def test_dbt_deps_installs_the_package_as_the_link_does(make_project):
    project = make_project(MODELS)
    link = project.folder / "dbt_packages" / "dbt_selfheal"
    made = (link.is_symlink(), link.resolve())
    link.unlink()
    project.dbt("deps")
    assert (link.is_symlink(), link.resolve()) == made
    assert any(name.startswith("macro.dbt_selfheal.") for name in project.dbt("parse").manifest["macros"])


def test_each_postgres_database_is_fresh(postgres_server: PostgresServer):
    names = [postgres_server.create_database() for _ in range(2)]
    assert names[0] != names[1]
    for name in names:
        postgres_server.drop_database(name)


def test_an_environment_that_is_not_made_says_how_to_make_it():
    with pytest.raises(FileNotFoundError, match="scripts/environments no-such"):
        Environment("no-such")


@pytest.mark.parametrize("name", ["dev", "dbt-1.13"])
def test_dbt_core_has_all_that_it_requires_but_what_downloads_a_binary(name):
    try:
        environment = Environment(name)
    except FileNotFoundError:
        pytest.skip(f"the environment {name} is not made")
    (folder,) = environment.folder.glob("lib/python*/site-packages")
    unmet = set()
    for owner in ("dbt-core", "dbt-duckdb", "dbt-postgres"):
        (distribution,) = metadata.distributions(name=owner, path=[str(folder)])
        for requirement in map(Requirement, distribution.requires or []):
            found = environment.version_of(requirement.name)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and (found is None or not requirement.specifier.contains(found, prereleases=True)):
                unmet.add(requirement.name)
    plugin = {"dbt-state"} if name == "dbt-1.13" else set()  # loaded only if --manage-state asks for it
    assert unmet == {"dbt-core-experimental-parser"} | plugin
