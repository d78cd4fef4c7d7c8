# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Many bare `dbt run` at once on an empty database: only the package is installed, no wrapper stands in front.

What healing builds is built once, by one of them, and all find it. What the commands themselves select is dbt's own:
see docs/decisions/0006 for what that means when they select the same node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from catalog import differences
from conftest import ProjectFactory
from faults.bed import facts
from faults.conftest import WarmProjectFactory
from support import DbtProject, DbtResult, PostgresDatabase

pytestmark = [pytest.mark.dbt_version(">=1.9")]

MANY = 8
PARENTS = ("regions", "v_regions", "base", "inc_regions")
FILES = {
    "seeds/regions.csv": "id,name\n1,north\n2,south\n",
    "models/v_regions.sql": "{{ config(materialized='view') }} select id, name from {{ ref('regions') }}",
    "models/base.sql": "select id, name from {{ ref('v_regions') }}",
    "models/inc_regions.sql": "{{ config(materialized='incremental') }} select id, name from {{ ref('base') }}",
    **{
        f"models/leaf_{n}.sql": f"select id, {n} as n from {{{{ ref('inc_regions') }}}}"
        for n in range(1, MANY + 1)
    },
}
PROFILES = {"duckdb": {"retries": {"connect_attempts": 9, "retryable_exceptions": ["IOException"]}}}


def empty(project: DbtProject) -> None:
    """Drops everything; on PostgreSQL the schema stays, empty."""
    if isinstance(project.database, PostgresDatabase):
        schema = project.database.default_schema
        project.execute(f"drop schema if exists {schema} cascade", f"create schema {schema}")
        return
    for name, kind in project.relations().items():
        project.execute(f"drop {kind} {project.database.quoted(name)}")


def at_once(project: DbtProject, commands: list[tuple[str, ...]]) -> list[DbtResult]:
    """Starts all commands, each with a target folder of its own, and waits for them."""
    running = [
        project.start(*command, env={"DBT_TARGET_PATH": f"target-{number}"})
        for number, command in enumerate(commands)
    ]
    return [run.wait(check=False, timeout=280) for run in running]


def built(results: list[DbtResult]) -> Counter[str]:
    """Returns how many times healing has built each node."""
    return Counter(
        event["unique_id"].split(".")[2]
        for result in results
        for event in result.healing_events
        if event["event"] == "initialization_node_complete"
    )


@pytest.mark.duckdb
@pytest.mark.postgres
@pytest.mark.sqlite
@pytest.mark.timeout(3600)
def test_runs_of_different_leaves_all_succeed_and_each_parent_is_built_once(
    make_warm_project: WarmProjectFactory,
    adapter_name: str,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    every = bool(pytestconfig.getoption("--faults"))
    many = (
        MANY if every or adapter_name != "duckdb" else 3
    )  # dbt-duckdb waits 1, 2, 4, 8 ... seconds between two tries
    leaves = [f"leaf_{n}" for n in range(1, many + 1)]
    project = make_warm_project(FILES, "run", "-s", "leaf_1", profile=PROFILES.get(adapter_name))
    project.dbt("parse")
    empty(project)
    project.dbt("run", "-s", *leaves)
    whole = facts(project.database)
    rounds = (5 if adapter_name == "duckdb" else 20) if every else 2
    problems = []
    for number in range(1, rounds + 1):
        empty(project)
        results = at_once(project, [("run", "-s", leaf) for leaf in leaves])
        problems += [f"round {number}: {result.explain()}" for result in results if result.returncode != 0]
        if built(results) != dict.fromkeys(PARENTS, 1):
            problems.append(f"round {number}: built {built(results)}")
        problems += [
            f"round {number}: {difference}" for difference in differences(whole, facts(project.database))
        ]
    record_property(
        "survived",
        f"{adapter_name}: {rounds} rounds of {many} runs of different leaves at once, {len(problems)} failures",
    )
    assert not problems, "\n".join(problems)


@pytest.mark.postgres
@pytest.mark.sqlite
@pytest.mark.timeout(3600)
def test_runs_of_the_same_leaf_heal_once_and_only_dbts_own_swap_can_fail(
    make_warm_project: WarmProjectFactory,
    adapter_name: str,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    project = make_warm_project(FILES, "run", "-s", "leaf_1")
    project.dbt("parse")
    whole = facts(project.database)
    rounds = 20 if pytestconfig.getoption("--faults") else 2
    succeeded, warm = 0, 0
    for _ in range(rounds):
        empty(project)
        results = at_once(project, [("run", "-s", "leaf_1")] * MANY)
        assert built(results) == dict.fromkeys(PARENTS, 1)
        for result in results:
            assert result.returncode == 0 or "Error in model leaf_1 " in result.output, result.explain()
        succeeded += sum(result.returncode == 0 for result in results)
        project.dbt("run", "-s", "leaf_1")
        assert not differences(whole, facts(project.database))
        again = at_once(
            project, [("run", "-s", "leaf_1", "--vars", "{dbt_selfheal: {enabled: false}}")] * MANY
        )
        warm += sum(result.returncode == 0 for result in again)
    record_property(
        "survived",
        f"{adapter_name}: {rounds} rounds of {MANY} runs of one leaf at once: healed once in each; the leaf itself "
        f"succeeded {succeeded} of {rounds * MANY} times (with everything there and the package off: {warm})",
    )


@pytest.mark.duckdb
@pytest.mark.promise("One at a time")
def test_without_retries_the_other_run_says_who_holds_the_file(make_project: ProjectFactory) -> None:
    project = make_project({"models/a.sql": "select 1 as id", "models/b.sql": "select * from {{ ref('a') }}"})
    project.dbt("run", "-s", "b")
    import duckdb

    with duckdb.connect(str(project.database.profile()["path"])):
        result = project.dbt_fails("run", "-s", "b")
    assert "Conflicting lock is held in" in result.output
    assert "PID" in result.output
    project.dbt("run", "-s", "b")
