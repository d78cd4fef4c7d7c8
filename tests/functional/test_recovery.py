"""User story 3: a failed or killed attempt is simply repeated; what was built stays, and is whole."""

from __future__ import annotations

import shutil

import pytest
from functional.helpers import (
    FILES,
    LEAF,
    REQUIRED,
    SEEDS,
    built,
    clear,
    events,
    fingerprints,
    hook_errors_stop,
    make_ready,
    mark,
)
from support import DbtProject

pytestmark = pytest.mark.duckdb

MIDDLE = "models/foundation/int_employee_benefits.sql"


@pytest.mark.promise("Finish first")
def test_a_failing_model_stops_the_command_with_the_databases_own_message(workspace: DbtProject):
    """US3.1: a clear message; what was built before it is whole, and the command's nodes do not run."""
    workspace.write({MIDDLE: "select no_such_column from {{ ref('int_baseline_workforce') }}\n"})
    result = workspace.dbt("run", "-s", LEAF, check=False)
    assert result.returncode > 0, result.explain()
    assert "no_such_column" in result.output
    assert "int_employee_benefits" in result.output
    assert "int_employee_benefits" not in workspace.names()
    assert {"int_baseline_workforce", *SEEDS} <= workspace.names() <= {*REQUIRED, LEAF}
    assert events(result, "initialization_complete") == []
    if hook_errors_stop(result):
        assert set(result.statuses.values()) <= {"skipped"}
        assert LEAF not in workspace.names()


def _sql_files(workspace: DbtProject) -> dict[str, str]:
    """Returns what target/compiled and target/run have of the required nodes: {path: text}."""
    target = workspace.folder / "target"
    return {
        str(path.relative_to(target)): path.read_text(encoding="utf-8")
        for kind in ("compiled", "run")
        for path in sorted((target / kind).rglob("*.*"))
        if path.is_file() and path.stem in REQUIRED
    }


@pytest.mark.promise("Finish first")
def test_the_sql_of_what_is_healed_and_of_what_fails_is_where_dbt_keeps_it(workspace: DbtProject):
    """Whoever has read the database's message looks there, as after a dbt build."""
    workspace.dbt("build", "-s", f"+{LEAF}", "--exclude-resource-type", "test")
    plain = _sql_files(workspace)
    clear(workspace)
    shutil.rmtree(workspace.folder / "target")
    workspace.write({MIDDLE: "select no_such_column from {{ ref('int_baseline_workforce') }}\n"})
    workspace.dbt("run", "-s", LEAF, check=False)
    failed = {path: text for path, text in _sql_files(workspace).items() if path.endswith(MIDDLE)}
    assert {path.partition("/")[0] for path in failed} == {"compiled", "run"}
    assert all("select no_such_column from" in text for text in failed.values())
    workspace.write({MIDDLE: FILES[MIDDLE]})
    workspace.dbt("run", "-s", LEAF)
    assert _sql_files(workspace) == plain


@pytest.mark.promise("Repeat as it is")
def test_the_repeat_after_a_failure_completes_without_rebuilding_what_was_there(workspace: DbtProject):
    """A failed attempt is repeated without any clean-up."""
    workspace.write({MIDDLE: "select no_such_column from {{ ref('int_baseline_workforce') }}\n"})
    failed = workspace.dbt("run", "-s", LEAF, check=False)
    there = workspace.names() & set(REQUIRED)
    assert there >= {*SEEDS, "int_baseline_workforce"}
    assert set(built(failed)) == there
    mark(workspace, there)
    before = fingerprints(workspace)
    workspace.write({MIDDLE: FILES[MIDDLE]})
    result = workspace.dbt("run", "-s", LEAF)
    after = fingerprints(workspace)
    assert sorted(built(result)) == sorted(set(REQUIRED) - there)
    assert {name: after[name] for name in there} == {name: before[name] for name in there}
    assert result.statuses == {LEAF: "success"}
    third = workspace.dbt("run", "-s", LEAF)
    assert built(third) == []


HANG = (
    "{{ config(post_hook=\"{% if execute %}{{ log('inside the transaction', info=true) }}"
    '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}{% endif %}") }}\n'
)


def test_killed_in_the_middle_of_a_node_the_repeat_completes_and_equals_an_undisturbed_build(
    workspace: DbtProject,
):
    """Invariants 1 and 5: what is visible is whole; the same command again, no clean-up."""
    make_ready(workspace)
    whole = fingerprints(workspace)
    clear(workspace)
    workspace.write({MIDDLE: HANG + FILES[MIDDLE]})
    running = workspace.start("run", "-s", LEAF)
    running.wait_for("inside the transaction")
    running.kill()
    running.wait(check=False)
    names = workspace.names()
    assert "int_employee_benefits" not in names, "exists means complete"
    assert {*SEEDS, "int_baseline_workforce"} <= names
    visible = fingerprints(workspace)
    assert {name: visible[name] for name in names} == {name: whole[name] for name in names}
    workspace.write({MIDDLE: FILES[MIDDLE]})
    result = workspace.dbt("run", "-s", LEAF)
    assert set(built(result)) == set(REQUIRED) - names
    after = fingerprints(workspace)
    assert after == {name: whole[name] for name in (*REQUIRED, LEAF)}, "equal, and nothing left over"


def test_killed_between_two_nodes_the_repeat_builds_only_the_rest(workspace: DbtProject):
    slow = (
        "{% if execute %}{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
        "{% endif %}\n"
    )
    path = "models/foundation/int_baseline_workforce.sql"
    workspace.write({path: slow + FILES[path]})
    running = workspace.start("run", "-s", LEAF)
    running.wait_for("4 of 6 START")
    running.kill()
    running.wait(check=False)
    assert workspace.names() == set(SEEDS)
    mark(workspace, SEEDS)
    before = fingerprints(workspace)
    workspace.write({path: FILES[path]})
    result = workspace.dbt("run", "-s", LEAF)
    assert set(built(result)) == set(REQUIRED) - set(SEEDS)
    after = fingerprints(workspace)
    assert {name: after[name] for name in SEEDS} == before
