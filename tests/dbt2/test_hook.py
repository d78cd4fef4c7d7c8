"""The hook on dbt v2: silent when nothing is missing; else it stops, with the command that builds it."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable

import catalog
import pytest
from conftest import ProjectFactory
from dbt2.conftest import FILES, MISSING, facts
from support import DbtProject, DbtResult, DuckDbDatabase, Environment

pytestmark = [pytest.mark.duckdb, pytest.mark.postgres, pytest.mark.dbt_version(">=2.0a1")]
Pasted = Callable[[DbtProject, str], None]
TIMES = [
    catalog.Ignore("*kept", "when it was built", columns=("dbt_scd_id", "dbt_updated_at", "dbt_valid_from"))
]


def command_in(output: str) -> str:
    """Returns the command that an error says is to be run."""
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("dbt build ")]
    assert len(lines) == 1, output
    return lines[0]


@pytest.fixture
def pasted(dbt_environment: Environment) -> Pasted:
    """Runs a command as it is pasted into a shell in a project; it must succeed."""

    def run(project: DbtProject, command: str) -> None:
        done = subprocess.run(
            command,
            shell=True,
            cwd=project.folder,
            env=dbt_environment.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    return run


@pytest.mark.promise("dbt v2", cases="all")
def test_the_command_stops_and_names_the_one_that_builds_just_what_is_missing(
    project: DbtProject, pasted: Pasted
) -> None:
    stopped = project.dbt_fails("run", "-s", "leaf")
    assert project.names() == set()
    assert "dbt_selfheal: 10 relations that this command reads are missing" in stopped.output
    command = command_in(stopped.output)
    pasted(project, command)
    assert project.names() == MISSING
    project.dbt("run", "-s", "leaf")
    assert project.rows("leaf")[0][:2] == (10, "ADA")


def test_what_is_built_so_equals_a_plain_build(
    project: DbtProject, make_project: ProjectFactory, pasted: Pasted
) -> None:
    pasted(project, command_in(project.dbt_fails("run", "-s", "leaf").output))
    project.dbt("run", "-s", "leaf")
    plain = make_project(FILES, install=False)
    plain.dbt("build")
    assert catalog.differences(facts(plain), facts(project), TIMES) == []


def test_all_that_is_above_a_snapshot_is_planned_though_the_command_builds_it_too(
    make_project: ProjectFactory, pasted: Pasted
) -> None:
    snapshot = (
        "{% snapshot kept %}{{ config(target_schema=target.schema, unique_key='id', "
        "strategy='check', check_cols='all') }} select id from {{ ref('c') }}{% endsnapshot %}"
    )
    table = "{{ config(materialized='table') }} select id from {{ ref('%s') }}"
    project = make_project(
        {
            "models/a.sql": "select 1 as id",
            "models/b.sql": "select id from {{ ref('a') }}",
            "models/c.sql": table % "b",
            "snapshots/kept.sql": snapshot,
            "models/leaf.sql": table % "kept",
        }
    )
    for command in (("run",), ("build", "--exclude", "kept")):
        project.drop(*project.names())
        pasted(project, command_in(project.dbt_fails(*command).output))
        assert project.names() == {"a", "b", "c", "kept"}
        project.dbt(*command)
        assert project.rows("leaf") == [(1,)]


def queries(result: DbtResult) -> list[str]:
    """Returns the statements that an invocation sent, without dbt's comment and what differs each time."""
    sent = [event["data"]["sql"] for event in result.events if event["info"]["name"] == "SQLQuery"]
    return sorted(re.sub(r"/\*.*?\*/|__dbt_tmp\w*|\d+", "", sql, flags=re.DOTALL).strip() for sql in sent)


@pytest.mark.promise("dbt v2", cases="all")
def test_with_nothing_missing_it_is_silent_and_asks_once_for_each_schema(
    project: DbtProject, make_project: ProjectFactory
) -> None:
    without = make_project(FILES, install=False)
    for each in (project, without):
        each.dbt("build")
    for arguments in (("run", "-s", "leaf"), ("test",), ("build",)):
        ours, *theirs = (each.dbt(*arguments) for each in (project, without, without, without))
        assert "selfheal" not in re.sub(r".*(dbt_selfheal-on-run-start-0|/).*", "", ours.output)
        assert "warning" not in ours.output
        sent, plain = Counter(queries(ours)), [Counter(queries(each)) for each in theirs]
        lists = {sql for sql in sent + plain[0] if re.search("information_schema.tables|duckdb_|pg_", sql)}
        assert plain[0].keys() - lists
        for sql in (sent + plain[0]).keys() - lists:
            assert sent[sql] == plain[0][sql], sql
        # What is in the schema: dbt v1 asks that before each command, with the package or without. Some of
        # v2's own questions come once or twice, as its threads have it.
        most = max(sum(each[sql] for sql in lists) for each in plain)
        assert sum(sent[sql] for sql in lists) <= most + 1, sent


def test_nothing_of_the_package_is_in_the_project(project: DbtProject) -> None:
    for command in ("parse", "compile"):
        assert "warning" not in project.dbt(command).output
    listed = project.dbt("ls", "--output", "name", "--quiet").stdout
    assert "leaf" in listed
    assert "selfheal" not in listed
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text())
    ours = [name for kind in ("nodes", "sources", "exposures", "disabled") for name in manifest[kind]]
    assert [name for name in ours if "selfheal" in name and "on-run-start" not in name] == []


def test_warn_goes_on_and_off_is_off(project: DbtProject) -> None:
    warned = project.dbt("run", "-s", "people_of_orders+1", "--exclude", "orders", check=False)
    assert "relations that this command reads are missing" not in warned.output
    for settings, said in (
        ({"on_missing": "warn"}, True),
        ({"enabled": False}, False),
        ({"targets": ["prod"]}, False),
    ):
        project.configure(vars={"dbt_selfheal": settings})
        ran = project.dbt_fails("run", "-s", "leaf")
        assert ("dbt_selfheal: 10 relations" in ran.output) is said
        assert "Failed" in ran.output
        assert "model" in ran.output
    project.configure(vars={"dbt_selfheal": {"on_mising": "warn"}})
    assert "Did you mean: on_missing?" in project.dbt_fails("run", "-s", "leaf").output


def test_the_command_carries_what_the_stopped_one_was_given(project: DbtProject, pasted: Pasted) -> None:
    given = ("--target", "dev", "--profiles-dir", ".")
    command = command_in(project.dbt_fails("run", "-s", "orders", *given, vars={"who": 'it\'s "me"'}).output)
    assert command.endswith("--target dev --select seed.shop.raw_orders seed.shop.raw_people")
    assert '\'{"who": "it\'\\\'\'s \\"me\\""}\'' in command
    pasted(project, command)
    assert project.names() == {"raw_orders", "raw_people"}


def test_a_missing_source_is_named(make_project: ProjectFactory) -> None:
    project = make_project(
        {
            "models/sources.yml": "sources:\n"
            "  - {name: bank, schema: bank, loader: a loader, tables: [{name: payments}]}\n",
            "models/payments.sql": "select * from {{ source('bank', 'payments') }}",
            "models/leaf.sql": "select * from {{ ref('payments') }}",
        }
    )
    said = project.dbt_fails("run", "-s", "leaf").output
    assert "dbt_selfheal: the source bank.payments is missing" in said
    assert "It is read by payments (models/payments.sql)" in said
    assert "Load it with a loader" in said


def test_what_may_not_be_needed_stops_nothing(make_project: ProjectFactory) -> None:
    project = make_project(
        {
            "models/other.sql": "select 1 as id",
            "models/ordered.sql": "-- depends_on: {{ ref('other') }}\nselect 1 as id",
            "models/optional.sql": "select 1 as id {% if false %} from {{ ref('other') }} {% endif %}",
        }
    )
    project.dbt("run", "-s", "ordered")
    project.dbt("run", "-s", "optional")
    assert project.names() == {"ordered", "optional"}


def test_what_would_be_built_twice_is_refused(make_project: ProjectFactory) -> None:
    project = make_project(
        {
            "models/grown.sql": "{{ config(materialized='incremental') }} select 1 as id",
            "models/between.sql": "select * from {{ ref('grown') }}",
            "models/leaf.sql": "select * from {{ ref('between') }}",
        }
    )
    said = project.dbt_fails("run", "-s", "grown", "leaf").output
    assert "2 of 2 missing relations cannot be built from a hook" in said
    assert "incremental built twice is not built once" in said
    assert project.names() == set()


def test_a_view_is_judged_by_what_it_reads_in_the_database(make_project: ProjectFactory) -> None:
    project = make_project(
        {
            "models/base.sql": "{{ config(materialized='table') }} select 1 as id",
            "models/later.sql": "{{ config(materialized='table') }} select 1 as id",
            "models/between.sql": "{{ config(materialized='view') }} select * from {{ ref('base') }}",
            "models/leaf.sql": "{{ config(materialized='table') }} select * from {{ ref('between') }}",
        }
    )
    project.dbt("build", "--exclude", "later")
    if isinstance(project.database, DuckDbDatabase):  # in PostgreSQL a view goes with what it reads
        project.drop("base")
        assert command_in(project.dbt_fails("run", "-s", "leaf").output).endswith("--select model.shop.base")
        project.dbt("build", "-s", "base")
    project.write(
        {"models/between.sql": "{{ config(materialized='view') }} select * from {{ ref('later') }}"}
    )
    project.dbt("run", "-s", "leaf")
    assert "later" not in project.names()


def test_operations_tell_the_plan_and_the_status(project: DbtProject) -> None:
    told = project.dbt("run-operation", "initialization_plan", args={"select": ["orders"]})
    plan = next(event for event in told.healing_events if event["event"] == "initialization_plan")
    assert [step["name"] for step in plan["steps"]] == ["raw_orders", "raw_people", "orders"]
    assert plan["command"] in told.output
    assert (
        "State: not_started (0 of 1"
        in project.dbt("run-operation", "initialization_status", args={"select": ["orders"]}).output
    )
    failed = project.dbt_fails("run-operation", "ensure_initialized", args={"select": ["orders"]})
    assert "dbt_selfheal: 3 required relations are missing" in failed.output
    assert (
        "1 of 1 required relations are missing: orders"
        in project.dbt_fails("run-operation", "verify_initialized", args={"select": ["orders"]}).output
    )
